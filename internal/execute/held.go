package execute

import (
	"context"
	"errors"
	"fmt"
	"io"
	"sync"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"

	"github.com/millpond/millpond/internal/column"
	"github.com/millpond/millpond/internal/plan"
)

// Held is rows that stay in memory. Columns that went past a statement are gathered when somebody
// asks for them: a fold of a cross-validation needs few of those it has.
type Held struct{ pieces []*piece }

// Rows is how many there are.
func (h *Held) Rows() int64 {
	n := int64(0)
	for _, p := range h.pieces {
		n += p.rows
	}
	return n
}

// piece is some rows, a column of which is there or gathered once.
type piece struct {
	rows int64
	cols []*heldColumn
}

type heldColumn struct {
	once   sync.Once
	gather func(context.Context) (arrow.Array, error) // nil where the values are there
	values arrow.Array
	err    error
}

func (c *heldColumn) get(ctx context.Context) (arrow.Array, error) {
	c.once.Do(func() {
		if c.gather == nil {
			return
		}
		// Others wait for these values, too: whoever asked first may not take them along.
		c.values, c.err = c.gather(context.WithoutCancel(ctx))
		c.gather = nil
	})
	return c.values, c.err
}

// pick gives a piece of some of the columns (nil: all).
func (p *piece) pick(places []int) *piece {
	if places == nil {
		return p
	}
	out := &piece{rows: p.rows, cols: make([]*heldColumn, len(places))}
	for i, from := range places {
		out.cols[i] = p.cols[from]
	}
	return out
}

// cut gives parts of at most size rows (0: any number).
func (p *piece) cut(size int64) []*piece {
	if size <= 0 || p.rows <= size {
		return []*piece{p}
	}
	var out []*piece
	for from := int64(0); from < p.rows; from += size {
		to := min(p.rows, from+size)
		out = append(out, p.part(to-from, func(_ context.Context, all arrow.Array) (arrow.Array, error) {
			return array.NewSlice(all, from, to), nil
		}))
	}
	return out
}

// take gives the rows at some places, one at least; where they are neighbours none is copied.
func (p *piece) take(places []int64) *piece {
	first, last, n := places[0], places[len(places)-1], int64(len(places))
	return p.part(n, func(ctx context.Context, all arrow.Array) (arrow.Array, error) {
		switch {
		case n == p.rows:
			return all, nil
		case last-first == n-1:
			return array.NewSlice(all, first, last+1), nil
		}
		return column.Take(ctx, all, places)
	})
}

// part gives some rows of a piece: those that of picks of each of its columns, once that is gathered.
func (p *piece) part(rows int64, of func(ctx context.Context, all arrow.Array) (arrow.Array, error)) *piece {
	out := &piece{rows: rows, cols: make([]*heldColumn, len(p.cols))}
	for i, c := range p.cols {
		out.cols[i] = &heldColumn{gather: func(ctx context.Context) (arrow.Array, error) {
			all, err := c.get(ctx)
			if err != nil {
				return nil, err
			}
			return of(ctx, all)
		}}
	}
	return out
}

// batch gathers the columns of a piece.
func (p *piece) batch(ctx context.Context, attrs []plan.Attr) (arrow.RecordBatch, error) {
	cols := make([]arrow.Array, len(p.cols))
	for i, c := range p.cols {
		var err error
		if cols[i], err = c.get(ctx); err != nil {
			return nil, fmt.Errorf("gather %s: %w", attrs[i].Name, err)
		}
	}
	return Batch(attrs, cols, p.rows)
}

// pieces is a stream that can leave columns ungathered.
type pieces interface {
	next(ctx context.Context) (*piece, error)
}

// gathered is Next of a stream of pieces.
func gathered(ctx context.Context, s interface {
	pieces
	Columns() []plan.Attr
}) (arrow.RecordBatch, error) {
	p, err := s.next(ctx)
	if err != nil {
		return nil, err
	}
	return p.batch(ctx, s.Columns())
}

// Hold reads a stream to its end and closes it.
func Hold(ctx context.Context, s Stream) (*Held, error) {
	defer s.Close()
	out := &Held{}
	for {
		p, err := nextPiece(ctx, s)
		if errors.Is(err, io.EOF) {
			return out, nil
		}
		if err != nil {
			return nil, err
		}
		out.pieces = append(out.pieces, p)
	}
}

// nextPiece gives a stream's next rows, with columns ungathered where it can.
func nextPiece(ctx context.Context, s Stream) (*piece, error) {
	if p, ok := s.(pieces); ok {
		return p.next(ctx)
	}
	b, err := s.Next(ctx)
	if err != nil {
		return nil, err
	}
	return wholePiece(b), nil
}

func wholePiece(b arrow.RecordBatch) *piece {
	p := &piece{rows: b.NumRows()}
	for i := range int(b.NumCols()) {
		p.cols = append(p.cols, &heldColumn{values: b.Column(i)})
	}
	return p
}

// Stream streams the rows; places picks columns (nil: all).
func (h *Held) Stream(attrs []plan.Attr, places []int) Stream {
	return &heldStream{held: h, attrs: attrs, places: places}
}

type heldStream struct {
	held   *Held
	attrs  []plan.Attr
	places []int
	at     int
}

func (s *heldStream) Columns() []plan.Attr { return s.attrs }
func (s *heldStream) Close()               {}

func (s *heldStream) Next(ctx context.Context) (arrow.RecordBatch, error) { return gathered(ctx, s) }

func (s *heldStream) next(ctx context.Context) (*piece, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	if s.at >= len(s.held.pieces) {
		return nil, io.EOF
	}
	s.at++
	return s.held.pieces[s.at-1].pick(s.places), nil
}
