// Package analyze turns relations as clients state them into resolved nodes: names become
// columns, function names become typed calls, types are coerced by Spark's ANSI rules, and what
// cannot be is refused with Spark's error. One file is one family of relations. It never runs
// anything itself; what it must know of files, views and models it asks its Env.
package analyze

import (
	"context"

	"github.com/apache/arrow-go/v18/arrow"

	"github.com/millpond/millpond/internal/function"
	"github.com/millpond/millpond/internal/plan"
	"github.com/millpond/millpond/internal/sparkerr"
	"github.com/millpond/millpond/internal/types"
)

// Env is what analysis asks of the session.
type Env interface {
	// Table answers the relation behind a table or view name.
	Table(ctx context.Context, name []string) (plan.Relation, error)
	// Database is the session's current one.
	Database() string
	// Cached answers the handle of a persisted relation and what it holds the rows of, nil if r is not
	// persisted.
	Cached(r plan.Relation) (handle any, rows plan.Node)
	// Scan answers how files are read; attributes have no ids yet.
	Scan(ctx context.Context, r *plan.Read) (*plan.Scan, error)
	// Records answers how the texts of a node's column are read as a file's lines; attributes have no
	// ids yet.
	Records(ctx context.Context, r *plan.Parse, in plan.Node, line plan.Attr) (*plan.Records, error)
	// Checkpoint answers a relation kept by id.
	Checkpoint(id string) (handle any, rows plan.Node, err error)
	// Bind binds an ML transformer to its input's schema.
	Bind(ctx context.Context, t *plan.Transform, in types.Struct) (*Bound, error)
	// Fetch answers a relation-valued attribute of an ML object.
	Fetch(ctx context.Context, f *plan.Fetch) (types.Struct, []arrow.RecordBatch, error)
	// Collect runs a node now: pivots and statistics need values before their schema is known.
	Collect(ctx context.Context, n plan.Node) ([]arrow.RecordBatch, error)
	// Function answers a Python function registered by name, nil if there is none.
	Function(name string) *plan.PythonUDF
	// Variable answers a session variable's value.
	Variable(name string) (plan.Literal, bool)
	// SQLFunction answers a function that SQL text made, nil if there is none.
	SQLFunction(name string) *plan.SQLFunction
	// Ansi says whether the session is in ANSI mode.
	Ansi() bool
	// ShufflePartitions answers how many partitions a shuffle makes; free says that there are as many
	// as the size of the data asks for.
	ShufflePartitions() (n int, free bool)
	// CatalogRows answers a catalog question.
	CatalogRows(ctx context.Context, c *plan.Catalog) (types.Struct, []arrow.RecordBatch, error)
}

// Bound is a transformer bound to a schema.
type Bound struct {
	Inputs    []string
	Outputs   []types.Field
	MayDrop   bool
	Key       string // what the transformer is and how it is set
	Transform any
}

// Analyzer resolves one plan.
type Analyzer struct {
	env   Env
	funcs *function.Table
	ids   int
	depth int
	ctes  []map[string]plan.Relation
	refs  []*plan.With // references by plan id
}

// New makes an analyzer for one plan.
func New(env Env, funcs *function.Table) *Analyzer { return &Analyzer{env: env, funcs: funcs} }

// Relation resolves a whole plan.
func (a *Analyzer) Relation(ctx context.Context, r plan.Relation) (plan.Node, error) {
	res, err := a.resolve(ctx, r, nil)
	if err != nil {
		return nil, err
	}
	return res.node(), nil
}

// rel is a resolved relation with what names mean in it.
type rel struct {
	n      plan.Node
	attrs  []plan.Attr // the output as users name it; ids are those of n's output
	kids   []*rel
	planID int64
	hasID  bool
	outer  *rel // what an enclosing query offers to a subquery
	opaque bool // names below are not to be reached from above
	// condition is set while a join's condition is resolved: there a frame that is one of the sides
	// is that side, even if the other was made of it.
	condition bool
}

func relOf(n plan.Node, kids ...*rel) *rel { return &rel{n: n, attrs: n.Output(), kids: kids} }

// node gives the node with exactly the columns of attrs.
func (r *rel) node() plan.Node {
	out := r.n.Output()
	same := len(out) == len(r.attrs)
	for i := 0; same && i < len(out); i++ {
		same = out[i].ID == r.attrs[i].ID && out[i].Name == r.attrs[i].Name && out[i].Metadata == r.attrs[i].Metadata
	}
	if same {
		return r.n
	}
	return &plan.Select{Input: r.n, Exprs: pass(r.attrs)}
}

func pass(attrs []plan.Attr) []plan.Named {
	out := make([]plan.Named, len(attrs))
	for i, at := range attrs {
		out[i] = plan.Named{Attr: at, Value: plan.Col{Attr: at}}
	}
	return out
}

func (a *Analyzer) attr(name string, t types.Type, nullable bool) plan.Attr {
	a.ids++
	return plan.Attr{ID: a.ids, Name: name, Type: t, Nullable: nullable}
}

func (a *Analyzer) attrs(s types.Struct) []plan.Attr {
	out := make([]plan.Attr, len(s.Fields))
	for i, f := range s.Fields {
		out[i] = a.attr(f.Name, f.Type, f.Nullable)
		out[i].Metadata = f.Metadata
	}
	return out
}

const maxDepth = 2000

// resolve resolves a relation; outer is what an enclosing query offers, or nil.
func (a *Analyzer) resolve(ctx context.Context, r plan.Relation, outer *rel) (*rel, error) {
	if r == nil {
		return nil, sparkerr.Plain(sparkerr.ClassAnalysis, "[CONNECT_INVALID_PLAN] The plan lacks a relation where one is needed. SQLSTATE: 56K00")
	}
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	if a.depth++; a.depth > maxDepth {
		return nil, sparkerr.Unsupported("a plan nested deeper than %d", maxDepth)
	}
	defer func() { a.depth-- }()
	var out *rel
	if h, rows := a.env.Cached(r); h != nil {
		out = a.kept(h, rows)
	} else {
		var err error
		if out, err = a.dispatch(ctx, r, outer); err != nil {
			return nil, at(err, plan.WhereOf(r))
		}
	}
	if c := plan.CommonOf(r); c.HasPlanID {
		named := *out
		named.planID, named.hasID = c.PlanID, true
		if out.hasID && out.planID != c.PlanID {
			named.kids = []*rel{out}
		}
		return &named, nil
	}
	return out, nil
}

func (a *Analyzer) dispatch(ctx context.Context, r plan.Relation, outer *rel) (*rel, error) {
	switch r := r.(type) {
	case *plan.Read, *plan.Table, *plan.Local, *plan.Values, *plan.OneRow, *plan.Range, *plan.CachedRemote, *plan.SQL, *plan.With,
		*plan.TableFunction, *plan.Catalog, *plan.Parse:
		return a.source(ctx, r, outer)
	case *plan.Project:
		return a.project(ctx, r, outer)
	case *plan.Filter:
		return a.filter(ctx, r, outer)
	case *plan.Join:
		return a.join(ctx, r, outer)
	case *plan.AsOfJoin:
		return a.asOfJoin(ctx, r, outer)
	case *plan.SetOp:
		return a.setOp(ctx, r, outer)
	case *plan.Sort:
		return a.sort(ctx, r, outer)
	case *plan.Aggregate:
		return a.aggregate(ctx, r, outer)
	case *plan.Limit, *plan.Offset, *plan.Tail, *plan.Dedup, *plan.Sample, *plan.Repartition, *plan.Hint, *plan.Observe:
		return a.rows(ctx, r, outer)
	case *plan.Alias, *plan.ToDF, *plan.Rename, *plan.WithColumns, *plan.Drop, *plan.ToSchema:
		return a.columns(ctx, r, outer)
	case *plan.FillNA, *plan.DropNA, *plan.ReplaceNA, *plan.Unpivot:
		return a.nulls(ctx, r)
	case *plan.Transpose:
		return a.transpose(ctx, r)
	case *plan.Stat, *plan.SampleBy:
		return a.statistics(ctx, r)
	case *plan.MapBatches, *plan.GroupMap:
		return a.python(ctx, r)
	case *plan.Transform, *plan.Fetch:
		return a.ml(ctx, r)
	case *plan.LateralView:
		return a.lateralView(ctx, r, outer)
	}
	return nil, sparkerr.Unsupported("the relation %T", r)
}
