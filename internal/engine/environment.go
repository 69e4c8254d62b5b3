package engine

import (
	"context"
	"strconv"
	"strings"

	"github.com/apache/arrow-go/v18/arrow"

	"github.com/millpond/millpond/internal/analyze"
	"github.com/millpond/millpond/internal/plan"
	"github.com/millpond/millpond/internal/sparkerr"
	"github.com/millpond/millpond/internal/types"
)

// environment answers one analysis' questions about its session.
type environment struct {
	s      *Session
	prints *plan.Fingerprinter
}

func (e *environment) Table(_ context.Context, name []string) (plan.Relation, error) {
	e.s.mu.Lock()
	v, ok := e.s.views[strings.ToLower(strings.Join(name, "."))]
	e.s.mu.Unlock()
	if ok {
		return v.relation, nil
	}
	t, err := e.s.find(name)
	if err != nil {
		return nil, err
	}
	return storedRelation(t), nil
}

func (e *environment) Database() string { return e.s.Database() }

func (e *environment) Cached(r plan.Relation) (any, plan.Node) {
	e.s.mu.Lock()
	none := len(e.s.kept) == 0
	e.s.mu.Unlock()
	if none {
		return nil, nil
	}
	if e.prints == nil {
		e.prints = e.s.fingerprinter()
	}
	key := e.prints.Of(r)
	e.s.mu.Lock()
	defer e.s.mu.Unlock()
	if k, ok := e.s.kept[key]; ok {
		return k, k.node
	}
	return nil, nil
}

func (e *environment) Scan(ctx context.Context, r *plan.Read) (*plan.Scan, error) {
	return e.s.scan(ctx, r)
}

func (e *environment) Records(ctx context.Context, r *plan.Parse, in plan.Node, line plan.Attr) (*plan.Records, error) {
	return e.s.parse(ctx, r, &lineColumn{in: in, line: line})
}

func (e *environment) Checkpoint(id string) (any, plan.Node, error) {
	e.s.mu.Lock()
	defer e.s.mu.Unlock()
	if k, ok := e.s.points[id]; ok {
		return k, k.node, nil
	}
	return nil, nil, sparkerr.InvalidPlan("DATAFRAME_NOT_FOUND", "dfId", id, "sessionId", e.s.ID)
}

func (e *environment) Bind(_ context.Context, t *plan.Transform, in types.Struct) (*analyze.Bound, error) {
	return e.s.bind(t, in)
}

func (e *environment) Fetch(ctx context.Context, f *plan.Fetch) (types.Struct, []arrow.RecordBatch, error) {
	return e.s.fetchRelation(ctx, f)
}

func (e *environment) Collect(ctx context.Context, n plan.Node) ([]arrow.RecordBatch, error) {
	return e.s.collect(ctx, n)
}

func (e *environment) Function(name string) *plan.PythonUDF {
	e.s.mu.Lock()
	defer e.s.mu.Unlock()
	return e.s.udfs[strings.ToLower(name)]
}

func (e *environment) CatalogRows(ctx context.Context, c *plan.Catalog) (types.Struct, []arrow.RecordBatch, error) {
	return e.s.catalog(ctx, c)
}

func (e *environment) Variable(name string) (plan.Literal, bool) { return e.s.variable(name) }

func (e *environment) SQLFunction(name string) *plan.SQLFunction {
	e.s.mu.Lock()
	defer e.s.mu.Unlock()
	return e.s.functions[strings.ToLower(name)]
}

func (e *environment) Ansi() bool { return e.s.ansi() }

// ShufflePartitions follows the settings of Spark's adaptive execution, which puts small
// partitions together.
func (e *environment) ShufflePartitions() (int, bool) {
	text, _ := e.s.Conf.Get("spark.sql.shuffle.partitions")
	n, _ := strconv.Atoi(text) // Set has checked it
	return n, e.s.on("spark.sql.adaptive.enabled") && e.s.on("spark.sql.adaptive.coalescePartitions.enabled")
}
