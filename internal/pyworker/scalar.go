package pyworker

import (
	"context"
	"fmt"
	"io"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"

	"github.com/millpond/millpond/internal/plan"
	"github.com/millpond/millpond/internal/types"
)

// bundle is functions of one eval type that one task can run over the same columns.
type bundle struct {
	evalType int
	calls    []plan.PythonCall
	outs     []int // places of the results among all calls'
	args     [][]argument
	layout   *layout
	conf     [][2]string // for the worker, beside the session's
}

// alone are the kinds of which a task takes one function only.
var alone = map[int]bool{ScalarIter: true, ScalarArrowIter: true, GroupedAggIt: true, AggArrowIter: true}

// bundles sorts calls into as few tasks as can be.
func bundles(have []plan.Attr, calls []plan.PythonCall, allowed map[int]bool, zone, where string) ([]*bundle, error) {
	var out []*bundle
	byType := map[int]*bundle{}
	for i, c := range calls {
		k := c.UDF.EvalType
		if !allowed[k] {
			return nil, unsupported(k, where)
		}
		b := byType[k]
		if b == nil || alone[k] {
			b = &bundle{evalType: k}
			byType[k] = b
			out = append(out, b)
		}
		b.calls, b.outs = append(b.calls, c), append(b.outs, i)
	}
	for _, b := range out {
		var cols []plan.Attr
		for _, c := range b.calls {
			args := make([]argument, len(c.Args))
			for i, at := range c.Args {
				p := placeOf(cols, at.ID)
				if p < 0 {
					p = len(cols)
					cols = append(cols, at)
				}
				args[i].place = p
				if i < len(c.UDF.Names) {
					args[i].name = c.UDF.Names[i]
				}
			}
			b.args = append(b.args, args)
		}
		var err error
		if b.layout, err = newLayout(have, cols, true, zone); err != nil {
			return nil, err
		}
	}
	return out, nil
}

func (b *bundle) udfs() []*plan.PythonUDF {
	out := make([]*plan.PythonUDF, len(b.calls))
	for i, c := range b.calls {
		out[i] = c.UDF
	}
	return out
}

func (b *bundle) names() string {
	s := ""
	for i, c := range b.calls {
		if i > 0 {
			s += ", "
		}
		s += c.UDF.Name
	}
	return s
}

var scalarKinds = map[int]bool{Batched: true, ArrowBatched: true, ScalarPandas: true, ScalarIter: true, ScalarArrow: true, ScalarArrowIter: true}

// Scalar appends the results of functions of rows to the rows.
func (p *Pool) Scalar(ctx context.Context, s Settings, in Source, have []plan.Attr, calls []plan.PythonCall) (*Results, error) {
	list, err := bundles(have, calls, scalarKinds, s.zone(), "over rows")
	if err != nil {
		return nil, err
	}
	partitions := false // does a function see partitions rather than rows?
	for _, b := range list {
		partitions = partitions || alone[b.evalType]
	}
	f := &feeder{in: in, workers: p.opts.Workers}
	return p.run(ctx, s.Whole, func(ctx context.Context) (share, error) {
		var rows []arrow.RecordBatch
		var err error
		if partitions {
			rows, err = f.partitions(ctx, s.batchRows())
		} else {
			rows, err = f.rows(ctx, f.size())
		}
		if err != nil {
			return nil, err
		}
		return func(ctx context.Context, part int, emit func(Rows) error) error {
			s.Tally.count(rows, s.batchRows())
			return p.scalar(ctx, s, list, rows, part, len(calls), emit)
		}, nil
	}), nil
}

// scalar runs all functions over one share and puts the results beside its columns.
func (p *Pool) scalar(ctx context.Context, s Settings, list []*bundle, rows []arrow.RecordBatch, part, width int, emit func(Rows) error) error {
	made := make([]arrow.Array, width)
	for _, b := range list {
		cols, err := p.columns(ctx, s, b, rows, part)
		if err != nil {
			return err
		}
		for i, c := range cols {
			made[b.outs[i]] = c
		}
	}
	return beside(rows, made, emit)
}

// columns runs a bundle over rows: one column a function, as many rows as came in.
func (p *Pool) columns(ctx context.Context, s Settings, b *bundle, rows []arrow.RecordBatch, part int) ([]arrow.Array, error) {
	t := s.task(b.evalType, b.udfs(), b.args, part)
	got := make([][]arrow.Array, len(b.calls))
	var err error
	var finish func() error
	if b.evalType == Batched {
		var to receiver
		to, finish, err = b.pickled(got)
		if err == nil {
			err = p.do(ctx, s, t, func(w io.Writer) error { return b.sendRows(w, rows) }, to)
		}
		if err == nil {
			err = finish()
		}
	} else {
		if b.evalType == ArrowBatched {
			t.evalConf = [][2]string{{"input_type", types.ToJSON(types.Struct{Fields: b.layout.fields})}}
		}
		err = p.do(ctx, s, t, func(w io.Writer) error {
			return ipcStream(w, b.layout.schema, cutRows(rows, s.batchRows()), b.layout.flat)
		}, receiver{batch: func(r arrow.RecordBatch) error { return b.take(got, r) }})
	}
	if err != nil {
		return nil, err
	}
	return b.join(got, count(rows))
}

// take adds a batch of results to what was got.
func (b *bundle) take(got [][]arrow.Array, r arrow.RecordBatch) error {
	if int(r.NumCols()) != len(b.calls) {
		return fmt.Errorf("%d columns from the Python worker for %d functions", r.NumCols(), len(b.calls))
	}
	for i, c := range b.calls {
		a, err := declared(r.Column(i), c.UDF.Type, c.UDF.Name)
		if err != nil {
			return err
		}
		got[i] = append(got[i], a)
	}
	return nil
}

// join makes one column of each function's results.
func (b *bundle) join(got [][]arrow.Array, rows int64) ([]arrow.Array, error) {
	out := make([]arrow.Array, len(got))
	for i, list := range got {
		var n int64
		for _, a := range list {
			n += int64(a.Len())
		}
		if n != rows {
			return nil, raised(fmt.Sprintf("The function %s gave %d rows for %d.", b.names(), n, rows))
		}
		var err error
		if out[i], err = concat(list); err != nil {
			return nil, fmt.Errorf("join the results of %s: %w", b.calls[i].UDF.Name, err)
		}
	}
	return out, nil
}

// frameRows is how many rows go into one pickle.
const frameRows = 1000

func (b *bundle) sendRows(w io.Writer, rows []arrow.RecordBatch) error {
	for _, r := range rows {
		laid, err := b.layout.flat(r)
		if err != nil {
			return err
		}
		cols := make([]cell, laid.NumCols())
		for i := range cols {
			if cols[i], err = cells(laid.Column(i), b.layout.fields[i].Type); err != nil {
				return err
			}
		}
		for at := 0; at < int(r.NumRows()); at += frameRows {
			f := &wire{}
			f.bytes(pickleRows(cols, at, min(at+frameRows, int(r.NumRows()))))
			if _, err := w.Write(f.b); err != nil {
				return err
			}
		}
	}
	end := &wire{}
	end.int(markEndOfData)
	_, err := w.Write(end.b)
	return err
}

// pickled receives pickled results; finish puts them into got.
func (b *bundle) pickled(got [][]arrow.Array) (receiver, func() error, error) {
	builders := make([]array.Builder, len(b.calls))
	add := make([]put, len(b.calls))
	for i, c := range b.calls {
		dt, err := types.ToArrow(c.UDF.Type, "UTC")
		if err != nil {
			return receiver{}, nil, err
		}
		builders[i] = array.NewBuilder(mem, dt)
		if add[i], err = puts(builders[i], c.UDF.Type); err != nil {
			return receiver{}, nil, err
		}
	}
	frame := func(f []byte) error {
		v, err := unpickle(f)
		if err != nil {
			return err
		}
		list, ok := v.(*pyList)
		if !ok {
			return errShort
		}
		for _, x := range list.items {
			vals := []any{x}
			if len(add) > 1 {
				t, ok := x.(*pyTuple)
				if !ok || len(t.items) != len(add) {
					return errShort
				}
				vals = t.items
			}
			for i, a := range add {
				if err := a(vals[i]); err != nil {
					return err
				}
			}
		}
		return nil
	}
	finish := func() error {
		for i, bd := range builders {
			got[i] = []arrow.Array{bd.NewArray()}
		}
		return nil
	}
	return receiver{frame: frame}, finish, nil
}

// do runs a task on a worker.
func (p *Pool) do(ctx context.Context, s Settings, t *task, data func(io.Writer) error, to receiver) error {
	w, err := p.acquire(ctx, s.Environment, t.python)
	if err != nil {
		return err
	}
	t.attempt = p.number()
	if t.filesDir == "" {
		t.filesDir = w.d.dir
	}
	reusable, err := w.do(ctx, t, data, to)
	p.release(w, reusable)
	return err
}
