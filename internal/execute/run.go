package execute

import (
	"context"
	"fmt"
	"io"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"

	"github.com/millpond/millpond/internal/compile"
	"github.com/millpond/millpond/internal/plan"
)

// Operators makes the streams of what SQL cannot say.
type Operators interface {
	// Open starts a node over its inputs, which it closes.
	Open(ctx context.Context, n plan.Node, in []Stream) (Stream, error)
	// Memory gives all rows of a plan.Lazy.
	Memory(ctx context.Context, n *plan.Lazy) (*Held, error)
}

// Scans may give another scan for one that is about to run; done is called once it has run.
type Scans interface {
	Use(ctx context.Context, n *plan.Scan) (instead *plan.Scan, done func())
}

// Runner runs compiled plans on a database.
type Runner struct {
	DB       *Database
	Ops      Operators
	Scans    Scans             // nil: every scan reads its files
	Lenient  bool              // without ANSI mode
	Settings map[string]string // of the statements' connections: TimeZone
}

// Run starts a plan.
func (r *Runner) Run(ctx context.Context, n plan.Node) (Stream, error) {
	stage, done, err := r.compile(ctx, n)
	if err != nil {
		done()
		return nil, err
	}
	st, err := r.open(ctx, stage)
	if err != nil {
		done()
		return nil, err
	}
	return &closing{st, done}, nil
}

// compile gives a plan's stage, and a function to call when it has run.
func (r *Runner) compile(ctx context.Context, n plan.Node) (compile.Stage, func(), error) {
	var used []func()
	o := compile.Options{Names: r.DB.Name, Lenient: r.Lenient}
	if r.Scans != nil {
		o.Scan = func(n *plan.Scan) *plan.Scan {
			instead, done := r.Scans.Use(ctx, n)
			used = append(used, done)
			return instead
		}
	}
	stage, err := compile.Plan(n, o)
	return stage, func() {
		for _, done := range used {
			done()
		}
		used = nil
	}, err
}

// closing calls done when its stream is closed, once.
type closing struct {
	Stream
	done func()
}

// next lets what it closes leave columns ungathered.
func (c *closing) next(ctx context.Context) (*piece, error) { return nextPiece(ctx, c.Stream) }

func (c *closing) Close() {
	c.Stream.Close()
	c.done()
}

func (r *Runner) open(ctx context.Context, s compile.Stage) (Stream, error) {
	switch s := s.(type) {
	case *compile.Query:
		sources := map[string]Stream{}
		again := map[string]func() (Stream, error){}
		for _, src := range s.Sources {
			in, err := r.open(ctx, src.Stage)
			if err != nil {
				closeAll(sources)
				return nil, err
			}
			sources[src.Name] = in
			again[src.Name] = func() (Stream, error) { return r.open(ctx, src.Stage) }
		}
		return r.query(ctx, s, sources, again)
	case *compile.Carry:
		return r.carry(ctx, s)
	case *compile.Pick:
		return r.pick(ctx, s)
	case *compile.Memory:
		return r.memory(ctx, s)
	case *compile.Operator:
		var in []Stream
		for _, i := range s.Inputs {
			st, err := r.open(ctx, i)
			if err != nil {
				for _, x := range in {
					x.Close()
				}
				return nil, err
			}
			in = append(in, st)
		}
		return r.Ops.Open(ctx, s.Node, in)
	case *compile.Head:
		in, err := r.open(ctx, s.Input)
		if err != nil {
			return nil, err
		}
		return &head{in: in, limit: s.Limit, offset: s.Offset}, nil
	case *compile.Narrow:
		in, err := r.open(ctx, s.Input)
		if err != nil {
			return nil, err
		}
		return narrow(in, s)
	}
	return nil, fmt.Errorf("no way to run %T", s)
}

func (r *Runner) memory(ctx context.Context, s *compile.Memory) (Stream, error) {
	switch n := s.Node.(type) {
	case *plan.Data:
		return FromBatches(n.Attrs, n.Batches, n.Places), nil
	case *plan.Lazy:
		held, err := r.Ops.Memory(ctx, n)
		if err != nil {
			return nil, err
		}
		return held.Stream(n.Attrs, n.Places), nil
	}
	return nil, fmt.Errorf("%T is not in memory", s.Node)
}

func narrow(in Stream, s *compile.Narrow) (Stream, error) {
	places, err := find(in.Columns(), s.IDs, s.Attrs)
	if err != nil {
		in.Close()
		return nil, err
	}
	return Mapped(in, s.Attrs, func(_ context.Context, b arrow.RecordBatch) (arrow.RecordBatch, error) {
		cols := make([]arrow.Array, len(places))
		for i, p := range places {
			cols[i] = b.Column(p)
		}
		return Batch(s.Attrs, cols, b.NumRows())
	}), nil
}

// find gives the places of the columns that become attrs.
func find(columns []plan.Attr, ids []int, attrs []plan.Attr) ([]int, error) {
	places := make([]int, len(ids))
	for i, id := range ids {
		if places[i] = PlaceOf(columns, id); places[i] < 0 {
			return nil, fmt.Errorf("a stage lacks column %s (%s)", compile.Column(id), attrs[i].Name)
		}
	}
	return places, nil
}

// PlaceOf finds a column by its id, or -1.
func PlaceOf(attrs []plan.Attr, id int) int {
	for i, at := range attrs {
		if at.ID == id {
			return i
		}
	}
	return -1
}

// head passes over offset rows and gives limit of the rest; a negative limit is none.
type head struct {
	in            Stream
	limit, offset int64
	given         int64
}

func (h *head) Columns() []plan.Attr { return h.in.Columns() }
func (h *head) Close()               { h.in.Close() }

func (h *head) Next(ctx context.Context) (arrow.RecordBatch, error) {
	for h.limit < 0 || h.given < h.limit {
		b, err := h.in.Next(ctx)
		if err != nil {
			return nil, err
		}
		if h.offset >= b.NumRows() {
			h.offset -= b.NumRows()
			continue
		}
		from, to := h.offset, b.NumRows()
		h.offset = 0
		if h.limit >= 0 {
			to = min(to, from+h.limit-h.given)
		}
		h.given += to - from
		if from == 0 && to == b.NumRows() {
			return b, nil
		}
		cols := make([]arrow.Array, b.NumCols())
		for i := range cols {
			cols[i] = array.NewSlice(b.Column(i), from, to)
		}
		return Batch(h.Columns(), cols, to-from)
	}
	return nil, io.EOF
}
