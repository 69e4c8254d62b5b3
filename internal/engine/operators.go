package engine

import (
	"context"
	"fmt"

	"github.com/apache/arrow-go/v18/arrow"

	"github.com/millpond/millpond/internal/column"
	"github.com/millpond/millpond/internal/execute"
	"github.com/millpond/millpond/internal/kernel/random"
	"github.com/millpond/millpond/internal/ml"
	"github.com/millpond/millpond/internal/plan"
	"github.com/millpond/millpond/internal/sparkerr"
)

// Python runs users' Python functions over streams.
type Python interface {
	Open(ctx context.Context, s *Session, n plan.Node, in []execute.Stream) (execute.Stream, error)
}

// operators are the stages that SQL cannot say.
type operators struct{ s *Session }

func (o *operators) Memory(ctx context.Context, n *plan.Lazy) (*execute.Held, error) {
	k, ok := n.Handle.(*Kept)
	if !ok {
		return nil, fmt.Errorf("a kept relation without a handle")
	}
	return k.rows(ctx, o.s)
}

func (o *operators) Open(ctx context.Context, n plan.Node, in []execute.Stream) (execute.Stream, error) {
	switch n := n.(type) {
	case *plan.TransformNode:
		return o.transform(ctx, n, in[0])
	case *plan.RandomColumns:
		return randomColumns(n, in[0]), nil
	case *plan.Draw:
		return draw(n, in[0]), nil
	case *plan.PythonEval, *plan.PythonMap, *plan.PythonGroups, *plan.PythonWindow:
		if o.s.e.opts.Python != nil {
			return o.s.e.opts.Python.Open(ctx, o.s, n, in)
		}
		closeStreams(in)
		return nil, sparkerr.Plain(sparkerr.ClassSpark, "No Python was found to run the function. Run `millpond doctor` for the command that mends it.")
	}
	closeStreams(in)
	return nil, sparkerr.Unsupported("the operator %T", n)
}

func closeStreams(in []execute.Stream) {
	for _, s := range in {
		s.Close()
	}
}

// transform applies an ML transformer to each batch, several at once.
func (o *operators) transform(ctx context.Context, n *plan.TransformNode, in execute.Stream) (execute.Stream, error) {
	t, ok := n.Bound.(*ml.Transform)
	if !ok {
		in.Close()
		return nil, fmt.Errorf("a transform that is not bound")
	}
	t = t.Narrow(n.Only)
	have := in.Columns()
	reads := make([]int, len(n.Reads))
	for i, at := range n.Reads {
		if reads[i] = execute.PlaceOf(have, at.ID); reads[i] < 0 {
			in.Close()
			return nil, fmt.Errorf("transform lacks its input %s", at.Name)
		}
	}
	// What the node gives, column by column: an input's place, or a new column's.
	out := n.Output()
	from, added := make([]int, len(out)), make([]bool, len(out))
	for i, at := range out {
		if from[i] = execute.PlaceOf(n.Adds, at.ID); from[i] >= 0 {
			added[i] = true
		} else {
			from[i] = execute.PlaceOf(have, at.ID)
		}
	}
	work := func(ctx context.Context, b arrow.RecordBatch) (arrow.RecordBatch, error) {
		args := make([]arrow.Array, len(reads))
		for i, p := range reads {
			args[i] = b.Column(p)
		}
		made, keep, err := t.Apply(ctx, args, int(b.NumRows()))
		if err != nil {
			return nil, err
		}
		cols := make([]arrow.Array, len(out))
		for i := range out {
			if added[i] {
				cols[i] = made[from[i]]
			} else {
				cols[i] = b.Column(from[i])
			}
		}
		if keep != nil {
			return filterRows(ctx, out, cols, keep)
		}
		return execute.Batch(out, cols, b.NumRows())
	}
	return execute.Parallel(ctx, in, out, o.s.e.opts.Threads, work), nil
}

// filterRows keeps the rows that keep names.
func filterRows(ctx context.Context, attrs []plan.Attr, cols []arrow.Array, keep []bool) (arrow.RecordBatch, error) {
	rows := make([]int64, 0, len(keep))
	for i, k := range keep {
		if k {
			rows = append(rows, int64(i))
		}
	}
	return takeRows(ctx, attrs, cols, rows)
}

func takeRows(ctx context.Context, attrs []plan.Attr, cols []arrow.Array, rows []int64) (arrow.RecordBatch, error) {
	if len(rows) == 0 {
		return nil, nil
	}
	out := make([]arrow.Array, len(cols))
	for i, c := range cols {
		taken, err := column.Take(ctx, c, rows)
		if err != nil {
			return nil, fmt.Errorf("take rows of %s: %w", attrs[i].Name, err)
		}
		out[i] = taken
	}
	return execute.Batch(attrs, out, int64(len(rows)))
}

// randomColumns appends the numbers that Spark's rand and randn give for one partition.
func randomColumns(n *plan.RandomColumns, in execute.Stream) execute.Stream {
	gens := make([]*random.Java, len(n.Rands))
	for i, r := range n.Rands {
		gens[i] = random.NewXORShift(r.Seed)
	}
	out := append(append([]plan.Attr{}, in.Columns()...), n.Cols...)
	return execute.Mapped(in, out, func(_ context.Context, b arrow.RecordBatch) (arrow.RecordBatch, error) {
		cols := append([]arrow.Array{}, b.Columns()...)
		for i, g := range gens {
			next := g.NextDouble
			if n.Rands[i].Normal {
				next = g.NextGaussian
			}
			values := make([]float64, b.NumRows())
			for k := range values {
				values[k] = next()
			}
			cols = append(cols, ml.NumberColumn(values))
		}
		return execute.Batch(out, cols, b.NumRows())
	})
}

// draw keeps a row if its random number falls between the bounds, or as many times as a Poisson
// number says.
func draw(n *plan.Draw, in execute.Stream) execute.Stream {
	g := random.NewXORShift(n.Seed)
	var poisson *random.Poisson
	if n.Replace {
		poisson = random.NewPoisson(n.Upper-n.Lower, n.Seed)
	}
	attrs := in.Columns()
	return execute.Mapped(in, attrs, func(ctx context.Context, b arrow.RecordBatch) (arrow.RecordBatch, error) {
		var rows []int64
		for i := range b.NumRows() {
			if poisson != nil {
				for range poisson.Sample() {
					rows = append(rows, i)
				}
				continue
			}
			if x := g.NextDouble(); x >= n.Lower && x < n.Upper {
				rows = append(rows, i)
			}
		}
		if int64(len(rows)) == b.NumRows() && poisson == nil {
			return b, nil
		}
		return takeRows(ctx, attrs, b.Columns(), rows)
	})
}
