package ml

import (
	"context"
	"runtime"
	"slices"

	"github.com/millpond/millpond/internal/kernel/linalg"
)

// Vectors is the rows of a frame's column of vectors, one behind the other.
type Vectors struct {
	views  []*VectorView
	starts []int // the first row of each, which may have been dropped
	rows   int
}

// ReadVectors reads a frame's first column.
func ReadVectors(ctx context.Context, data Frame) (*Vectors, error) {
	out := &Vectors{}
	for batch, err := range data.Batches(ctx) {
		if err != nil {
			return nil, err
		}
		v, err := NewVectorView(batch.Column(0))
		if err != nil {
			return nil, err
		}
		out.Add(v)
	}
	return out, nil
}

// Add puts rows behind those that are there.
func (s *Vectors) Add(v *VectorView) {
	if v.Len() == 0 {
		return
	}
	s.views, s.starts = append(s.views, v), append(s.starts, s.rows)
	s.rows += v.Len()
}

// drop forgets the first n rows; the others are counted anew.
func (s *Vectors) drop(n int) {
	gone := 0
	for i, v := range s.views {
		if s.starts[i] -= n; s.starts[i]+v.Len() <= 0 {
			gone++
		}
	}
	s.views, s.starts, s.rows = s.views[gone:], s.starts[gone:], s.rows-n
}

// Len is the number of rows.
func (s *Vectors) Len() int { return s.rows }

// Each visits the rows from lo to hi (not included): a row's number, and where it is.
func (s *Vectors) Each(lo, hi int, visit func(row int, v *VectorView, i int) error) error {
	k, found := slices.BinarySearch(s.starts, lo)
	if !found {
		k--
	}
	for row := lo; row < hi; k++ {
		v := s.views[k]
		for i := row - s.starts[k]; i < v.Len() && row < hi; i++ {
			if err := visit(row, v, i); err != nil {
				return err
			}
			row++
		}
	}
	return nil
}

// FoldVectors reads a frame's first column, makes something of each size rows, of several at once,
// and gives the results to merge one after the other, in the rows' order. How rows are cut into
// batches makes no difference. Few rows are held at a time.
func FoldVectors[P any](ctx context.Context, data Frame, size int, part func(rows *Vectors, lo, hi int) (P, error), merge func(P) error) error {
	var rows Vectors
	work := func(n int) error {
		parts := linalg.Chunks(n, size, 0, func(_, lo, hi int) folded[P] {
			p, err := part(&rows, lo, hi)
			return folded[P]{value: p, err: err}
		})
		for _, p := range parts {
			if p.err != nil {
				return p.err
			}
			if err := merge(p.value); err != nil {
				return err
			}
		}
		rows.drop(n)
		return nil
	}
	for batch, err := range data.Batches(ctx) {
		if err != nil {
			return err
		}
		v, err := NewVectorView(batch.Column(0))
		if err != nil {
			return err
		}
		rows.Add(v)
		if n := rows.Len() / size * size; n >= size*runtime.GOMAXPROCS(0) {
			if err := work(n); err != nil {
				return err
			}
		}
	}
	return work(rows.Len())
}
