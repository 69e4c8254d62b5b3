package execute

import (
	"context"
	"fmt"
	"sync"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"
	"github.com/apache/arrow-go/v18/arrow/memory"

	"github.com/millpond/millpond/internal/compile"
	"github.com/millpond/millpond/internal/plan"
)

func (r *Runner) carry(ctx context.Context, s *compile.Carry) (Stream, error) {
	in, err := r.open(ctx, s.Input)
	if err != nil {
		return nil, err
	}
	given := &numbered{in: in, attrs: append(append([]plan.Attr{}, s.Reads...), s.Row)}
	for _, at := range s.Reads {
		given.reads = append(given.reads, PlaceOf(in.Columns(), at.ID))
	}
	c := &carried{given: given, attrs: s.Attrs, from: make([]int, len(s.Attrs)), computed: make([]bool, len(s.Attrs))}
	next := 0
	for i, id := range s.Places {
		if id < 0 {
			c.from[i], c.computed[i] = next, true
			next++
			continue
		}
		c.from[i] = PlaceOf(in.Columns(), id)
	}
	for i, p := range append(append([]int{}, given.reads...), c.from...) {
		if p < 0 {
			in.Close()
			return nil, fmt.Errorf("a stage lacks column %d of what is carried", i)
		}
	}
	c.rows, err = r.query(ctx, s.Query, map[string]Stream{s.From: given}, nil)
	if err != nil {
		return nil, err
	}
	return c, nil
}

// numbered gives a statement the columns it reads with the rows' numbers, and holds whole batches
// until the statement has answered for their rows.
type numbered struct {
	in    Stream
	attrs []plan.Attr
	reads []int

	mu    sync.Mutex // the statement reads in a thread of the engine
	count int64
	held  []heldBatch
}

type heldBatch struct {
	start int64
	batch arrow.RecordBatch
}

func (n *numbered) Columns() []plan.Attr { return n.attrs }
func (n *numbered) Close()               { n.in.Close() }

func (n *numbered) Next(ctx context.Context) (arrow.RecordBatch, error) {
	b, err := n.in.Next(ctx)
	if err != nil {
		return nil, err
	}
	n.mu.Lock()
	start := n.count
	n.held = append(n.held, heldBatch{start, b})
	n.count += b.NumRows()
	n.mu.Unlock()
	cols := make([]arrow.Array, 0, len(n.attrs))
	for _, p := range n.reads {
		cols = append(cols, b.Column(p))
	}
	ids := array.NewInt64Builder(memory.DefaultAllocator)
	ids.Reserve(int(b.NumRows()))
	for i := range b.NumRows() {
		ids.UnsafeAppend(start + i)
	}
	return Batch(n.attrs, append(cols, ids.NewArray()), b.NumRows())
}

// holding gives the batch that has a row, and lets go of those before it.
func (n *numbered) holding(row int64) (heldBatch, error) {
	n.mu.Lock()
	defer n.mu.Unlock()
	for len(n.held) > 0 {
		h := n.held[0]
		if row < h.start {
			break
		}
		if row < h.start+h.batch.NumRows() {
			return h, nil
		}
		n.held = n.held[1:]
	}
	return heldBatch{}, fmt.Errorf("row %d came out of order", row)
}

// carried joins what a statement computed with the columns that went past it.
type carried struct {
	rows     Stream
	given    *numbered
	attrs    []plan.Attr
	from     []int // a column of the statement, if computed, or of the input
	computed []bool

	batch arrow.RecordBatch // of the statement
	at    int
}

func (c *carried) Columns() []plan.Attr { return c.attrs }
func (c *carried) Close()               { c.rows.Close() }

func (c *carried) Next(ctx context.Context) (arrow.RecordBatch, error) { return gathered(ctx, c) }

// next gives the rows that the statement answered of one batch of the input.
func (c *carried) next(ctx context.Context) (*piece, error) {
	if c.batch == nil || c.at == int(c.batch.NumRows()) {
		b, err := c.rows.Next(ctx)
		if err != nil {
			return nil, err
		}
		c.batch, c.at = b, 0
	}
	ids := c.batch.Column(int(c.batch.NumCols()) - 1).(*array.Int64).Int64Values()[c.at:]
	h, err := c.given.holding(ids[0])
	if err != nil {
		return nil, err
	}
	n := 0
	for end := h.start + h.batch.NumRows(); n < len(ids) && ids[n] < end; n++ {
	}
	places := make([]int64, n)
	for i, id := range ids[:n] {
		places[i] = id - h.start
	}
	past := wholePiece(h.batch).take(places)
	out := &piece{rows: int64(n), cols: make([]*heldColumn, len(c.attrs))}
	for i, p := range c.from {
		if c.computed[i] {
			out.cols[i] = &heldColumn{values: array.NewSlice(c.batch.Column(p), int64(c.at), int64(c.at+n))}
			continue
		}
		out.cols[i] = past.cols[p]
	}
	c.at += n
	return out, nil
}
