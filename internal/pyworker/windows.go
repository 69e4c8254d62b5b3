package pyworker

import (
	"context"
	"io"
	"strings"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"

	"github.com/millpond/millpond/internal/plan"
)

var windowKinds = map[int]bool{WindowAgg: true, WindowArrow: true}

// Windows appends the results of functions over windows to the rows, which come sorted by the
// keys of their partitions and in their order within them.
func (p *Pool) Windows(ctx context.Context, s Settings, g Groups, calls []plan.WindowCall) (*Results, error) {
	keys, err := g.places()
	if err != nil {
		return nil, err
	}
	plain := make([]plan.PythonCall, len(calls))
	for i, c := range calls {
		plain[i] = c.PythonCall
	}
	list, err := bundles(g.Have, plain, windowKinds, s.zone(), "over windows")
	if err != nil {
		return nil, err
	}
	for _, b := range list {
		b.conf = append(b.conf, [2]string{"window_bound_types", boundTypes(b, calls)})
	}
	gr := &grouper{f: &feeder{in: g.In, workers: p.opts.Workers}, keys: keys}
	return p.run(ctx, s.Whole, func(ctx context.Context) (share, error) {
		groups, err := gr.share(ctx)
		if err != nil {
			return nil, err
		}
		return func(ctx context.Context, part int, emit func(Rows) error) error {
			return p.windows(ctx, s, list, groups, part, len(calls), emit)
		}, nil
	}), nil
}

// boundTypes tells a worker which functions see the whole partition from each row.
func boundTypes(b *bundle, calls []plan.WindowCall) string {
	out := make([]string, len(b.outs))
	for i, o := range b.outs {
		out[i] = "unbounded"
		if calls[o].Bounded {
			out[i] = "bounded"
		}
	}
	return strings.Join(out, ",")
}

func (p *Pool) windows(ctx context.Context, s Settings, list []*bundle, groups []group, part, width int, emit func(Rows) error) error {
	var rows []arrow.RecordBatch
	for _, g := range groups {
		rows = append(rows, g...)
	}
	made := make([]arrow.Array, width)
	for _, b := range list {
		cols, err := p.grouped(ctx, s, b, groups, count(rows), part)
		if err != nil {
			return err
		}
		for i, c := range cols {
			made[b.outs[i]] = c
		}
	}
	return beside(rows, made, emit)
}

// grouped runs a bundle over groups: one column a function, of as many rows as are due.
func (p *Pool) grouped(ctx context.Context, s Settings, b *bundle, groups []group, due int64, part int) ([]arrow.Array, error) {
	t := s.task(b.evalType, b.udfs(), b.args, part)
	t.conf = append(t.conf, b.conf...)
	got := make([][]arrow.Array, len(b.calls))
	err := p.do(ctx, s, t, func(w io.Writer) error {
		for _, g := range groups {
			if err := sendCount(w, 1); err != nil {
				return err
			}
			if err := ipcStream(w, b.layout.schema, cutRows(g, s.batchRows()), b.layout.flat); err != nil {
				return err
			}
		}
		return sendCount(w, 0)
	}, receiver{batch: func(r arrow.RecordBatch) error { return b.take(got, r) }})
	if err != nil {
		return nil, err
	}
	return b.join(got, due)
}

// beside gives rows with the columns made of them.
func beside(rows []arrow.RecordBatch, made []arrow.Array, emit func(Rows) error) error {
	at := int64(0)
	for _, b := range rows {
		cols := append([]arrow.Array{}, b.Columns()...)
		for _, m := range made {
			cols = append(cols, array.NewSlice(m, at, at+b.NumRows()))
		}
		at += b.NumRows()
		if err := emit(Rows{Cols: cols, Len: b.NumRows()}); err != nil {
			return err
		}
	}
	return nil
}
