package engine

import (
	"context"
	"errors"
	"fmt"
	"io"
	"iter"
	"slices"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"

	"github.com/millpond/millpond/internal/analyze"
	"github.com/millpond/millpond/internal/execute"
	"github.com/millpond/millpond/internal/ml"
	"github.com/millpond/millpond/internal/plan"
	"github.com/millpond/millpond/internal/sparkerr"
	"github.com/millpond/millpond/internal/types"
)

// frame shows a resolved plan to ML's algorithms.
type frame struct {
	s    *Session
	node plan.Node
	read *rowsRead // nil if nobody asks
}

func (s *Session) frameOf(ctx context.Context, r plan.Relation) (*frame, error) {
	n, err := s.Analyze(ctx, r)
	if err != nil {
		return nil, err
	}
	return &frame{s: s, node: n}, nil
}

func (f *frame) Schema() types.Struct { return plan.SchemaOf(f.node.Output()) }

func (f *frame) Select(names ...string) ml.Frame {
	out := f.node.Output()
	schema := plan.SchemaOf(out)
	sel := &plan.Select{Input: f.node}
	for _, n := range names {
		i := schema.Index(n)
		if i < 0 {
			return &missing{f, analyze.Unresolved([]string{n}, out)}
		}
		sel.Exprs = append(sel.Exprs, plan.Named{Attr: out[i], Value: plan.Col{Attr: out[i]}})
	}
	return &frame{f.s, sel, f.read}
}

// Batches runs the plan; every reading runs it anew unless its rows are kept.
func (f *frame) Batches(ctx context.Context) iter.Seq2[arrow.RecordBatch, error] {
	return func(yield func(arrow.RecordBatch, error) bool) {
		schema, err := types.SchemaToArrow(f.Schema(), "UTC")
		if err != nil {
			yield(nil, err)
			return
		}
		st, err := f.s.runner().Run(ctx, f.node)
		if err != nil {
			yield(nil, err)
			return
		}
		st = execute.Ahead(ctx, st, f.s.e.opts.Threads)
		defer st.Close()
		rows := int64(0)
		defer func() { f.read.saw(rows) }()
		for {
			b, err := st.Next(ctx)
			if errors.Is(err, io.EOF) {
				return
			}
			if err != nil {
				yield(nil, err)
				return
			}
			rows += b.NumRows()
			if !yield(array.NewRecordBatch(schema, b.Columns(), b.NumRows()), nil) {
				return
			}
		}
	}
}

// Memo keeps values with the relation that holds the frame's rows, if one does.
func (f *frame) Memo(key string, build func() (any, error)) (any, error) {
	return f.recall(key, false, build)
}

// Recall keeps small values also where the rows are transformers' answers to rows that are held.
func (f *frame) Recall(key string, build func() (any, error)) (any, error) {
	return f.recall(key, true, build)
}

func (f *frame) recall(key string, transformed bool, build func() (any, error)) (any, error) {
	kept, names := keptUnder(f.node, f.node.Output(), transformed)
	if kept == nil {
		return build()
	}
	return kept.remember(key+"\x00"+names, build)
}

// KeepsRows says whether the rows are held, so that every reading gives them in the same order.
func (f *frame) KeepsRows() bool {
	kept, _ := keptUnder(f.node, f.node.Output(), false)
	return kept != nil
}

// keptUnder finds the kept relation of which some of a node's columns are columns, and which; if
// transformed, transformers may stand between. The node has all rows of the relation, in its order.
func keptUnder(n plan.Node, want []plan.Attr, transformed bool) (*Kept, string) {
	switch n := n.(type) {
	case *plan.Lazy:
		k, ok := n.Handle.(*Kept)
		places := placesOf(n.Attrs, want)
		if !ok || slices.Contains(places, -1) { // the number of a partition is no column of it
			return nil, ""
		}
		return k, fmt.Sprint(heldPlaces(n, places))
	case *plan.RepartitionNode:
		return keptUnder(n.Input, want, transformed)
	case *plan.TransformNode:
		if !n.MayDrop && !slices.Contains(placesOf(n.Input.Output(), want), -1) {
			return keptUnder(n.Input, want, transformed)
		}
		if !transformed || n.Key == "" {
			return nil, ""
		}
		kept, inner := keptUnder(n.Input, n.Input.Output(), true)
		return kept, fmt.Sprint(inner, "\x00", n.Key, "\x00", placesOf(n.Output(), want))
	case *plan.Select:
		below := make([]plan.Attr, len(want))
		for i, at := range want {
			e := execute.PlaceOf(n.Output(), at.ID)
			if e < 0 {
				return nil, ""
			}
			col, ok := n.Exprs[e].Value.(plan.Col)
			if !ok {
				return nil, ""
			}
			below[i] = col.Attr
		}
		return keptUnder(n.Input, below, transformed)
	}
	return nil, ""
}

// heldPlaces gives the places in a kept relation of columns of a reading of it.
func heldPlaces(n *plan.Lazy, places []int) []int {
	if n.Places == nil {
		return places
	}
	out := make([]int, len(places))
	for i, p := range places {
		out[i] = n.Places[p]
	}
	return out
}

func placesOf(attrs, want []plan.Attr) []int {
	places := make([]int, len(want))
	for i, at := range want {
		places[i] = execute.PlaceOf(attrs, at.ID)
	}
	return places
}

// missing is a frame that asked for a column that is not there.
type missing struct {
	*frame
	err error
}

func (m *missing) Batches(context.Context) iter.Seq2[arrow.RecordBatch, error] {
	return func(yield func(arrow.RecordBatch, error) bool) { yield(nil, m.err) }
}

func (m *missing) Memo(_ string, build func() (any, error)) (any, error) { return build() }

// bind finds the transformer of a plan node and binds it to its input.
func (s *Session) bind(t *plan.Transform, in types.Struct) (*analyze.Bound, error) {
	var tr ml.Transformer
	if t.ObjectID != "" {
		model, err := s.models.get(t.ObjectID)
		if err != nil {
			return nil, err
		}
		if tr, err = withParams(model, t.Params); err != nil {
			return nil, err
		}
	} else {
		op, err := operatorOf(t.Class, t.UID, t.Params)
		if err != nil {
			return nil, err
		}
		var ok bool
		if tr, ok = op.(ml.Transformer); !ok {
			return nil, sparkerr.New(sparkerr.ClassSpark, "CONNECT_ML.UNSUPPORTED_EXCEPTION", "message", t.Class+" is not a transformer")
		}
	}
	if _, err := tr.TransformSchema(in); err != nil {
		return nil, err
	}
	b, err := tr.Bind(in)
	if err != nil {
		return nil, err
	}
	return &analyze.Bound{Inputs: b.Inputs, Outputs: b.Outputs, MayDrop: mayDrop(tr), Key: fmt.Sprint(t.ObjectID, t.Class, t.UID, t.Params), Transform: b}, nil
}

// mayDrop says whether a transformer can drop rows.
func mayDrop(t ml.Transformer) bool { return t.Params().String("handleInvalid") == "skip" }

// fetchRelation answers a relation-valued attribute.
func (s *Session) fetchRelation(ctx context.Context, f *plan.Fetch) (types.Struct, []arrow.RecordBatch, error) {
	v, err := s.Fetch(ctx, f.ObjectID, f.Methods)
	if err != nil {
		return types.Struct{}, nil, err
	}
	fr, ok := v.(ml.Frame)
	if !ok {
		return types.Struct{}, nil, sparkerr.New(sparkerr.ClassSpark, "CONNECT_ML.UNSUPPORTED_EXCEPTION", "message", f.Methods[len(f.Methods)-1].Name+" is not a relation")
	}
	var out []arrow.RecordBatch
	for b, err := range fr.Batches(ctx) {
		if err != nil {
			return types.Struct{}, nil, err
		}
		out = append(out, b)
	}
	return fr.Schema(), out, nil
}
