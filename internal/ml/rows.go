package ml

import (
	"slices"

	"github.com/millpond/millpond/internal/kernel/linalg"
	"github.com/millpond/millpond/internal/sparkerr"
)

// denseShare is the share of nonzero values above which rows are kept densely.
const denseShare = 0.4

// sampleRows is how many rows decide between dense and sparse.
const sampleRows = 1024

// rowsOf copies vectors into the kernels' layout, refusing nulls, NaN, infinities and vectors of
// different sizes. The first rows decide the form of all, so that the layout does not depend on how
// rows are cut into batches.
func rowsOf(views []*VectorView) (*linalg.Rows, error) {
	l := newRowsLayout(views)
	parts := linalg.Chunks(l.rows.N, 4096, 1<<16, func(_, lo, hi int) part { return l.measure(lo, hi) })
	stored := 0
	for i, p := range parts {
		if p.err != nil {
			return nil, p.err
		}
		parts[i].at, stored = stored, stored+p.stored
	}
	r := l.rows
	if l.sparse() {
		r.Ptr, r.Idx, r.Val = make([]int, r.N+1), make([]int32, stored), make([]float64, stored)
	} else {
		r.Dense = make([]float64, r.N*r.D)
	}
	linalg.Chunks(r.N, 4096, 1<<16, func(chunk, lo, hi int) struct{} {
		at := parts[chunk].at
		l.each(lo, hi, func(row int, v *VectorView, i int) error {
			if r.Dense != nil {
				v.CopyTo(i, r.Row(row))
				return nil
			}
			at += copyNonzero(r.Idx[at:], r.Val[at:], v, i)
			r.Ptr[row+1] = at
			return nil
		})
		return struct{}{}
	})
	return r, nil
}

// rowsLayout is the rows of several columns of vectors, one behind the other.
type rowsLayout struct {
	views  []*VectorView
	starts []int // the first row of each
	rows   *linalg.Rows
}

func newRowsLayout(views []*VectorView) *rowsLayout {
	l := &rowsLayout{rows: &linalg.Rows{}}
	for _, v := range views {
		if v.Len() == 0 {
			continue
		}
		if l.rows.N == 0 && !v.IsNull(0) {
			l.rows.D = v.Size(0)
		}
		l.views, l.starts = append(l.views, v), append(l.starts, l.rows.N)
		l.rows.N += v.Len()
	}
	return l
}

// each visits rows from lo to hi: their number, and where they are.
func (l *rowsLayout) each(lo, hi int, visit func(row int, v *VectorView, i int) error) error {
	k, found := slices.BinarySearch(l.starts, lo)
	if !found {
		k--
	}
	for row := lo; row < hi; k++ {
		v := l.views[k]
		for i := row - l.starts[k]; i < v.Len() && row < hi; i++ {
			if err := visit(row, v, i); err != nil {
				return err
			}
			row++
		}
	}
	return nil
}

// part is what is known of some rows: how many values are not zero, and how many such come before.
type part struct {
	stored, at int
	err        error
}

// measure checks rows and counts their values that are not zero.
func (l *rowsLayout) measure(lo, hi int) (p part) {
	p.err = l.each(lo, hi, func(_ int, v *VectorView, i int) error {
		if err := checkFeatures(v, i); err != nil {
			return err
		}
		if size := v.Size(i); size != l.rows.D {
			return sparkerr.Require("Dimensions mismatch when adding new sample. Expecting %d but got %d.", l.rows.D, size)
		}
		p.stored += nonzero(v.Values(i))
		return nil
	})
	return p
}

// sparse says whether the first rows hold few values that are not zero.
func (l *rowsLayout) sparse() bool {
	n, stored := min(l.rows.N, sampleRows), 0
	_ = l.each(0, n, func(_ int, v *VectorView, i int) error { // counting cannot fail
		stored += nonzero(v.Values(i))
		return nil
	})
	return n == 0 || float64(stored) < denseShare*float64(n*l.rows.D)
}

func nonzero(values []float64) int {
	n := 0
	for _, x := range values {
		if x != 0 {
			n++
		}
	}
	return n
}

// copyNonzero copies what is not zero of row i and says how much that is.
func copyNonzero(idx []int32, val []float64, v *VectorView, i int) int {
	n, values := 0, v.Values(i)
	if v.Dense(i) {
		for j, x := range values {
			if x != 0 {
				idx[n], val[n] = int32(j), x
				n++
			}
		}
		return n
	}
	for k, j := range v.Indices(i)[:len(values)] {
		if x := values[k]; x != 0 {
			idx[n], val[n] = j, x
			n++
		}
	}
	return n
}
