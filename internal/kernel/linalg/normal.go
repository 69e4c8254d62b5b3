package linalg

import (
	"math"

	"gonum.org/v1/gonum/blas/blas64"
)

// Normal holds the weighted moments of rows A and labels b that least squares needs.
type Normal struct {
	K     int
	Count int64
	W     float64   // sum of weights
	B, BB float64   // sums of w*b and w*b*b
	A     []float64 // sums of w*a
	AB    []float64 // sums of w*a*b
	AA    []float64 // sums of w*a*a', upper triangle packed by columns
}

func newNormal(k int) *Normal {
	return &Normal{K: k, A: make([]float64, k), AB: make([]float64, k), AA: make([]float64, k*(k+1)/2)}
}

// NormalOf gathers the moments of all rows in parallel; weights may be nil for all 1.
func NormalOf(r *Rows, labels, weights []float64) *Normal {
	limit := 64
	if r.D > 256 {
		limit = 8
	}
	parts := Chunks(r.N, 8192, limit, func(_, lo, hi int) *Normal {
		p := newNormal(r.D)
		for i := lo; i < hi; i++ {
			w := 1.0
			if weights != nil {
				w = weights[i]
			}
			p.add(r, i, w, labels[i])
		}
		return p
	})
	sum := newNormal(r.D)
	for _, p := range parts {
		sum.merge(p)
	}
	return sum
}

func (n *Normal) add(r *Rows, i int, w, b float64) {
	n.Count++
	n.W += w
	n.B += w * b
	n.BB += w * b * b
	if w == 0 {
		return
	}
	if r.Dense != nil {
		n.addDense(r.Row(i), w, b)
		return
	}
	idx, val := r.SparseRow(i)
	val = val[:len(idx)]
	for k, j := range idx {
		x := w * val[k]
		n.A[j] += x
		n.AB[j] += x * b
		col := n.AA[int(j)*(int(j)+1)/2:]
		for m := 0; m <= k; m++ {
			col[idx[m]] += x * val[m]
		}
	}
}

func (n *Normal) addDense(row []float64, w, b float64) {
	at := 0
	for j, v := range row {
		x := w * v
		n.A[j] += x
		n.AB[j] += x * b
		col := n.AA[at : at+j+1]
		at += j + 1
		if x == 0 {
			continue
		}
		if j >= 24 { // worth the call into the vector code
			blas64.Axpy(x, blas64.Vector{N: j + 1, Inc: 1, Data: row}, blas64.Vector{N: j + 1, Inc: 1, Data: col})
			continue
		}
		for m := range col {
			col[m] += x * row[m]
		}
	}
}

func (n *Normal) merge(o *Normal) {
	n.Count += o.Count
	n.W += o.W
	n.B += o.B
	n.BB += o.BB
	for i, x := range o.A {
		n.A[i] += x
		n.AB[i] += o.AB[i]
	}
	for i, x := range o.AA {
		n.AA[i] += x
	}
}

// BStd is the labels' standard deviation over the whole population.
func (n *Normal) BStd() float64 {
	mean := n.B / n.W
	return math.Sqrt(math.Max(n.BB/n.W-mean*mean, 0))
}

// AStd is each column's standard deviation over the whole population.
func (n *Normal) AStd() []float64 {
	out := make([]float64, n.K)
	for j := range out {
		mean := n.A[j] / n.W
		out[j] = math.Sqrt(math.Max(n.AA[j*(j+1)/2+j]/n.W-mean*mean, 0))
	}
	return out
}

// CholeskySolve solves U'U x = b for a packed upper triangle that it overwrites by U; ok is
// false if the matrix is not positive definite.
func CholeskySolve(ap, b []float64) (x []float64, ok bool) {
	k := len(b)
	for j := range k {
		col := ap[j*(j+1)/2:]
		for i := range j {
			ci := ap[i*(i+1)/2:]
			s := col[i]
			for m := range i {
				s -= ci[m] * col[m]
			}
			col[i] = s / ci[i]
		}
		s := col[j]
		for m := range j {
			s -= col[m] * col[m]
		}
		if !(s > 0) {
			return nil, false
		}
		col[j] = math.Sqrt(s)
	}
	x = append([]float64(nil), b...)
	for j := range k {
		col := ap[j*(j+1)/2:]
		s := x[j]
		for m := range j {
			s -= col[m] * x[m]
		}
		x[j] = s / col[j]
	}
	for j := k - 1; j >= 0; j-- {
		col := ap[j*(j+1)/2:]
		x[j] /= col[j]
		for m := range j {
			x[m] -= col[m] * x[j]
		}
	}
	return x, true
}

// CholeskyInverseDiag gives the diagonal of the inverse of U'U, U being what CholeskySolve left.
func CholeskyInverseDiag(u []float64, k int) []float64 {
	out := make([]float64, k)
	inv := make([]float64, k) // a column of the inverse of U
	for c := range k {
		clear(inv)
		inv[c] = 1 / u[c*(c+1)/2+c]
		for i := c - 1; i >= 0; i-- {
			s := 0.0
			for j := i + 1; j <= c; j++ {
				s += u[j*(j+1)/2+i] * inv[j]
			}
			inv[i] = -s / u[i*(i+1)/2+i]
		}
		for i := 0; i <= c; i++ {
			out[i] += inv[i] * inv[i]
		}
	}
	return out
}

// PackedMul multiplies a symmetric packed matrix by x.
func PackedMul(ap, x []float64) []float64 {
	out := make([]float64, len(x))
	at := 0
	for j, xj := range x {
		col := ap[at : at+j+1]
		at += j + 1
		s := 0.0
		for i := range j {
			out[i] += col[i] * xj
			s += col[i] * x[i]
		}
		out[j] += s + col[j]*xj
	}
	return out
}
