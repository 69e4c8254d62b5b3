package linalg

import (
	"runtime"
	"sync/atomic"

	"github.com/millpond/millpond/internal/kernel/parallel"
)

// Rows is a table of N rows and D columns, dense (row major) or sparse (compressed rows).
type Rows struct {
	N, D  int
	Dense []float64 // nil if sparse
	Ptr   []int     // N+1 places into Idx and Val
	Idx   []int32   // rising within a row
	Val   []float64
}

// IsSparse says in which form the rows are.
func (r *Rows) IsSparse() bool { return r.Dense == nil }

// Row gives a dense row.
func (r *Rows) Row(i int) []float64 { return r.Dense[i*r.D : (i+1)*r.D : (i+1)*r.D] }

// SparseRow gives the stored values of a sparse row.
func (r *Rows) SparseRow(i int) ([]int32, []float64) {
	from, to := r.Ptr[i], r.Ptr[i+1]
	return r.Idx[from:to:to], r.Val[from:to:to]
}

// Dot multiplies row i by x.
func (r *Rows) Dot(i int, x []float64) float64 {
	s := 0.0
	if r.Dense != nil {
		for j, v := range r.Row(i) {
			s += v * x[j]
		}
		return s
	}
	idx, val := r.SparseRow(i)
	val = val[:len(idx)]
	for k, j := range idx {
		s += val[k] * x[j]
	}
	return s
}

// AddTo adds a times row i to y.
func (r *Rows) AddTo(i int, a float64, y []float64) {
	if r.Dense != nil {
		for j, v := range r.Row(i) {
			y[j] += a * v
		}
		return
	}
	idx, val := r.SparseRow(i)
	val = val[:len(idx)]
	for k, j := range idx {
		y[j] += a * val[k]
	}
}

// Means gives the mean of each column, 0 where there are no rows.
func (r *Rows) Means() []float64 {
	parts := Chunks(r.N, 16384, 64, func(_, lo, hi int) []float64 {
		sum := make([]float64, r.D)
		for i := lo; i < hi; i++ {
			r.AddTo(i, 1, sum)
		}
		return sum
	})
	mean := make([]float64, r.D)
	for _, p := range parts {
		for j, s := range p {
			mean[j] += s / float64(r.N)
		}
	}
	return mean
}

// Summarize gathers the statistics of the columns; weights may be nil for all 1.
func (r *Rows) Summarize(weights []float64) *Summary {
	parts := Chunks(r.N, 16384, 64, func(_, lo, hi int) *Summary {
		s := NewSummary(r.D)
		for i := lo; i < hi; i++ {
			w := 1.0
			if weights != nil {
				w = weights[i]
			}
			if r.Dense != nil {
				s.AddDense(r.Row(i), w)
			} else {
				idx, val := r.SparseRow(i)
				s.AddSparse(idx, val, w)
			}
		}
		return s
	})
	if len(parts) == 0 {
		return NewSummary(r.D)
	}
	for _, p := range parts[1:] {
		parts[0].Merge(p)
	}
	return parts[0]
}

// Chunks cuts n rows into pieces of at least size rows, at most limit pieces (0: any number), works on them in
// parallel, and gives the results in order. The cut depends on n alone, so that sums of the
// results are the same whatever the number of threads.
func Chunks[T any](n, size, limit int, work func(chunk, lo, hi int) T) []T {
	if limit > 0 {
		size = max(size, (n+limit-1)/limit)
	}
	count := (n + size - 1) / size
	out := make([]T, count)
	workers := min(runtime.GOMAXPROCS(0), count)
	if workers <= 1 {
		for c := range count {
			out[c] = work(c, c*size, min(n, (c+1)*size))
		}
		return out
	}
	var next atomic.Int64
	parallel.Run(workers, func() {
		for c := int(next.Add(1)) - 1; c < count; c = int(next.Add(1)) - 1 {
			out[c] = work(c, c*size, min(n, (c+1)*size))
		}
	})
	return out
}

// EachChunk works on n rows in pieces of size rows, in parallel, and gives the first piece's error.
func EachChunk(n, size int, work func(lo, hi int) error) error {
	for _, err := range Chunks(n, size, 0, func(_, lo, hi int) error { return work(lo, hi) }) {
		if err != nil {
			return err
		}
	}
	return nil
}
