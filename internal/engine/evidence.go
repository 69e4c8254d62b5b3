package engine

import (
	"context"
	"errors"
	"io"
	"reflect"
	"slices"
	"strings"
	"sync"
	"sync/atomic"

	"github.com/apache/arrow-go/v18/arrow"

	"github.com/millpond/millpond/internal/evidence"
	"github.com/millpond/millpond/internal/execute"
	"github.com/millpond/millpond/internal/plan"
	"github.com/millpond/millpond/internal/pyworker"
	"github.com/millpond/millpond/internal/sparkerr"
	"github.com/millpond/millpond/internal/types"
)

// uncounted stands for rows that nobody counted.
const uncounted = -1

// watched says whether somebody listens to the session.
func (s *Session) watched() bool {
	return s.e.opts.Evidence != nil && s.e.opts.Evidence.Listens(s.ID)
}

// tell records an event, which is made only if somebody listens.
func (s *Session) tell(event func() evidence.Event) {
	if s.watched() {
		s.e.opts.Evidence.Record(s.ID, event())
	}
}

// Failed records an error that the client was told.
func (s *Session) Failed(e *sparkerr.Error) {
	s.tell(func() evidence.Event { return evidence.Failure{Condition: e.Condition, Message: e.Message} })
}

// rowsRead is how many rows a frame gave at most in one reading, uncounted if nobody read it.
type rowsRead struct{ most atomic.Int64 }

func newRowsRead() *rowsRead {
	r := &rowsRead{}
	r.most.Store(uncounted)
	return r
}

func (r *rowsRead) saw(n int64) {
	if r == nil {
		return
	}
	for old := r.most.Load(); n > old && !r.most.CompareAndSwap(old, n); old = r.most.Load() {
	}
}

// watchFrame lets a frame count its rows if somebody listens. What it gives records an event over
// the frame's relation.
func (s *Session) watchFrame(f *frame) func(plan.Relation, func(evidence.Input) evidence.Event) {
	if !s.watched() {
		return func(plan.Relation, func(evidence.Input) evidence.Event) {}
	}
	f.read = newRowsRead()
	return func(r plan.Relation, event func(evidence.Input) evidence.Event) {
		in := s.lineage(r)
		in.Columns = f.Schema().Names()
		if in.Rows = f.read.most.Load(); in.Rows == uncounted {
			in.Rows = rowsKept(f.node)
		}
		s.e.opts.Evidence.Record(s.ID, event(in))
	}
}

// rowsKept counts the rows of a kept relation that a frame stands on: an operator that finds what
// it needs in memory reads none.
func rowsKept(n plan.Node) int64 {
	kept, _ := keptUnder(n, n.Output(), true)
	if kept == nil || mayLose(n) {
		return uncounted
	}
	kept.mu.Lock()
	defer kept.mu.Unlock()
	if kept.held == nil {
		return 0
	}
	return kept.held.Rows()
}

// mayLose says whether a transformer on the way drops rows.
func mayLose(n plan.Node) bool {
	if t, ok := n.(*plan.TransformNode); ok && t.MayDrop {
		return true
	}
	return slices.ContainsFunc(n.Inputs(), mayLose)
}

// witnessed lets a result record itself once it has been read.
func (s *Session) witnessed(r plan.Relation, res *Result) *Result {
	if s.watched() {
		res.Stream = &witness{Stream: res.Stream, s: s, r: r, schema: res.Schema}
	}
	return res
}

// witness counts the rows that a query gives. One that fails is no evidence: its failure is.
type witness struct {
	execute.Stream
	s      *Session
	r      plan.Relation
	schema types.Struct
	rows   int64
	failed bool
	once   sync.Once
}

func (w *witness) Next(ctx context.Context) (arrow.RecordBatch, error) {
	b, err := w.Stream.Next(ctx)
	switch {
	case err == nil:
		w.rows += b.NumRows()
	case !errors.Is(err, io.EOF):
		w.failed = true
	}
	return b, err
}

func (w *witness) Close() {
	w.Stream.Close()
	w.once.Do(func() {
		if w.failed {
			return
		}
		in := w.s.lineage(w.r)
		in.Columns = w.schema.Names()
		w.s.e.opts.Evidence.Record(w.s.ID, evidence.Query{Action: actionOf(w.r), Rows: w.rows, Input: in})
	})
}

// actionOf names what the client did by the plan that its method sends.
func actionOf(r plan.Relation) string {
	switch r := r.(type) {
	case *plan.Show:
		return "show"
	case *plan.MapBatches:
		if isForeach(r) {
			return "foreach"
		}
	case *plan.Aggregate:
		if len(r.Group) > 0 || len(r.Aggs) != 1 {
			break
		}
		if f, ok := r.Aggs[0].(*plan.Function); ok && f.Name == "count" {
			return "count"
		}
	}
	return "collect"
}

// isForeach knows foreachPartition: the client sends it as a function that gives no columns.
func isForeach(r *plan.MapBatches) bool {
	t, ok := r.Func.Type.(types.Struct)
	return ok && len(t.Fields) == 0
}

// pythonKinds are the kinds of Python functions in the words of the course.
var pythonKinds = map[int]string{
	pyworker.Batched: "row", pyworker.ArrowBatched: "row",
	pyworker.ScalarPandas: "pandas scalar", pyworker.ScalarIter: "pandas iterator",
	pyworker.GroupedAgg: "pandas aggregate", pyworker.GroupedAggIt: "pandas aggregate",
	pyworker.GroupedMap: "apply in pandas", pyworker.GroupedMapIt: "apply in pandas", pyworker.CogroupedMap: "cogroup in pandas",
	pyworker.MapPandas: "map in pandas", pyworker.MapArrow: "map in arrow",
	pyworker.GroupedArrow: "apply in arrow", pyworker.GroupedArrowIt: "apply in arrow", pyworker.CogroupedArrow: "cogroup in arrow",
	pyworker.ScalarArrow: "arrow scalar", pyworker.ScalarArrowIter: "arrow iterator",
	pyworker.AggArrow: "arrow aggregate", pyworker.AggArrowIter: "arrow aggregate",
}

const foreachKind = "foreach partition"

// watchFunctions counts what Python functions are given, if somebody listens; told records it.
func (s *Session) watchFunctions(n plan.Node) (told func(), tally *pyworker.Tally) {
	if !s.watched() {
		return func() {}, nil
	}
	tally = &pyworker.Tally{}
	var once sync.Once
	return func() {
		once.Do(func() {
			for _, u := range functionsOf(n) {
				s.e.opts.Evidence.Record(s.ID, functionEvent(u, tally))
			}
		})
	}, tally
}

func functionsOf(n plan.Node) []*plan.PythonUDF {
	var calls []plan.PythonCall
	switch n := n.(type) {
	case *plan.PythonEval:
		calls = n.Calls
	case *plan.PythonMap:
		return []*plan.PythonUDF{n.UDF}
	case *plan.PythonGroups:
		if n.UDF != nil {
			return []*plan.PythonUDF{n.UDF}
		}
		calls = n.Calls
	}
	out := make([]*plan.PythonUDF, len(calls))
	for i, c := range calls {
		out[i] = c.UDF
	}
	return out
}

// functionEvent tells how often a function was called: an iterator's once a task, a pandas
// function once a batch, a row's once a row.
func functionEvent(u *plan.PythonUDF, t *pyworker.Tally) evidence.Function {
	e := evidence.Function{Kind: pythonKinds[u.EvalType], Name: u.Name, Tasks: t.Tasks.Load(), Batches: t.Batches.Load(), Rows: t.Rows.Load()}
	if st, ok := u.Type.(types.Struct); ok && len(st.Fields) == 0 && u.EvalType == pyworker.MapArrow {
		e.Kind = foreachKind
	}
	switch u.EvalType {
	case pyworker.Batched, pyworker.ArrowBatched:
		e.Calls = e.Rows
	case pyworker.ScalarPandas, pyworker.ScalarArrow:
		e.Calls = e.Batches
	default:
		e.Calls = e.Tasks
	}
	return e
}

// notOperators are the relations that say where rows are from or what they are called, not what
// is done to them.
var notOperators = []string{"Table", "Read", "Local", "Values", "OneRow", "Range", "SQL", "With", "Alias", "Hint", "CachedRemote",
	"Transform", "Fetch", "Show", "Catalog", "ToSchema"}

func operatorName(r plan.Relation) string {
	if s, ok := r.(*plan.SetOp); ok {
		return strings.ToUpper(s.Op[:1]) + s.Op[1:]
	}
	name := reflect.TypeOf(r).Elem().Name()
	if slices.Contains(notOperators, name) {
		return ""
	}
	return name
}
