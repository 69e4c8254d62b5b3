package ml

import (
	"github.com/millpond/millpond/internal/kernel/linalg"
)

// denseShare is the share of nonzero values above which rows are kept densely.
const denseShare = 0.4

// sampleRows is how many rows decide between dense and sparse.
const sampleRows = 1024

// featureRows is vectors in the kernels' layout; odd says what is wrong with the first that holds
// NaN or an infinity.
type featureRows struct {
	linalg.Rows
	odd error
}

// rowsOf copies vectors into the kernels' layout, refusing nulls and vectors of different sizes. The
// first rows decide the form of all, so that the layout does not depend on how rows are cut into
// batches.
func rowsOf(from *Vectors) (*featureRows, error) {
	r := &featureRows{Rows: linalg.Rows{N: from.Len(), D: width(from)}}
	parts := linalg.Chunks(r.N, partRows, 0, func(_, lo, hi int) part { return measure(from, lo, hi, r.D) })
	stored := 0
	for i, p := range parts {
		if p.err != nil {
			return nil, p.err
		}
		if r.odd == nil {
			r.odd = p.odd
		}
		parts[i].at, stored = stored, stored+p.stored
	}
	if sparse(from, r.D) {
		r.Ptr, r.Idx, r.Val = make([]int, r.N+1), make([]int32, stored), make([]float64, stored)
	} else {
		r.Dense = make([]float64, r.N*r.D)
	}
	err := linalg.EachChunk(r.N, partRows, func(lo, hi int) error {
		at := parts[lo/partRows].at
		return from.Each(lo, hi, func(row int, v *VectorView, i int) error {
			if r.Dense != nil {
				v.CopyTo(i, r.Row(row))
				return nil
			}
			at += copyNonzero(r.Idx[at:], r.Val[at:], v, i)
			r.Ptr[row+1] = at
			return nil
		})
	})
	return r, err
}

// partRows is how many rows are copied in one go.
const partRows = 4096

// width is the size of the first vector, 0 where there is none.
func width(from *Vectors) int {
	if from.Len() == 0 || from.views[0].IsNull(0) {
		return 0
	}
	return from.views[0].Size(0)
}

// part is what is known of some rows: how many values are not zero, and how many such come before.
type part struct {
	stored, at int
	odd, err   error
}

// measure checks rows and counts their values that are not zero.
func measure(from *Vectors, lo, hi, width int) (p part) {
	p.err = from.Each(lo, hi, func(_ int, v *VectorView, i int) error {
		if v.IsNull(i) {
			return errNullVector
		}
		if p.odd == nil {
			p.odd = CheckFeaturesAt(v, i)
		}
		if size := v.Size(i); size != width {
			return JobAborted("java.lang.IllegalArgumentException: requirement failed: Dimensions mismatch when adding new sample. Expecting %d but got %d.", width, size)
		}
		p.stored += nonzero(v.Values(i))
		return nil
	})
	return p
}

// errNullVector is what a training set that must not hold null vectors fails with.
var errNullVector = Raised("Vectors MUST NOT be Null")

// sparse says whether the first rows hold few values that are not zero.
func sparse(from *Vectors, width int) bool {
	n, stored := min(from.Len(), sampleRows), 0
	_ = from.Each(0, n, func(_ int, v *VectorView, i int) error { // counting cannot fail
		stored += nonzero(v.Values(i))
		return nil
	})
	return n == 0 || float64(stored) < denseShare*float64(n*width)
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
