package linalg

import (
	"errors"
	"math"

	"gonum.org/v1/gonum/blas"
	"gonum.org/v1/gonum/blas/blas64"
	"gonum.org/v1/gonum/lapack"
	"gonum.org/v1/gonum/lapack/gonum"
	"gonum.org/v1/gonum/mat"
)

// PrincipalComponents gives the first k eigenvectors of the rows' covariance, by columns, and
// each one's share of the variance. Signs are those that the singular value decomposition of
// LAPACK leaves.
func PrincipalComponents(r *Rows, k int) (pc, share []float64, err error) {
	cov := Covariance(r)
	var svd mat.SVD
	if !svd.Factorize(cov, mat.SVDFull) {
		return nil, nil, errors.New("singular value decomposition did not converge")
	}
	var u mat.Dense
	svd.UTo(&u)
	divideAndConquerSigns(cov, &u)
	values := svd.Values(nil)
	total := 0.0
	for _, v := range values {
		total += v
	}
	pc = make([]float64, 0, k*r.D)
	share = make([]float64, k)
	for c := range k {
		for i := range r.D {
			pc = append(pc, u.At(i, c))
		}
		share[c] = values[c] / total
	}
	return pc, share, nil
}

// leafSize is the size of matrix up to which LAPACK's dgesdd works by QR iteration, as gonum does.
const leafSize = 25

// divideAndConquerSigns gives the left singular vectors u of a the signs that LAPACK's divide and
// conquer (dgesdd) leaves: in the basis of the bidiagonal form, its last merge puts -1 before
// normalisation at the row in the middle (dlasd3), so that row is negative in every vector.
func divideAndConquerSigns(a, u *mat.Dense) {
	n, _ := a.Dims()
	if n <= leafSize {
		return
	}
	var impl gonum.Implementation
	b, c := mat.DenseCopyOf(a), mat.DenseCopyOf(u)
	d, e := make([]float64, n), make([]float64, n-1)
	tauQ, tauP, work := make([]float64, n), make([]float64, n), make([]float64, 64*n)
	impl.Dgebrd(n, n, b.RawMatrix().Data, n, d, e, tauQ, tauP, work, len(work))
	scale := 0.0
	for i, x := range d {
		scale = math.Max(scale, math.Abs(x))
		if i < n-1 {
			scale = math.Max(scale, math.Abs(e[i]))
		}
	}
	for _, x := range e {
		if math.Abs(x) < 1.1e-16*scale { // the matrix falls into parts, which are solved apart
			return
		}
	}
	impl.Dormbr(lapack.ApplyQ, blas.Left, blas.Trans, n, n, n, b.RawMatrix().Data, n, tauQ, c.RawMatrix().Data, n, work, len(work))
	for j := range n {
		if c.At(n/2, j) > 0 {
			for i := range n {
				u.Set(i, j, -u.At(i, j))
			}
		}
	}
}

// Covariance is the unbiased covariance of the columns.
func Covariance(r *Rows) *mat.Dense {
	mean := r.Means()
	parts := Chunks(r.N, 8192, 16, func(_, lo, hi int) []float64 {
		sum := make([]float64, r.D*(r.D+1)/2)
		block := newColumnBlock(r.D)
		for ; lo < hi; lo += blockRows {
			block.centre(r, lo, min(hi, lo+blockRows), mean)
			at := 0
			for j := range r.D {
				for m := range j + 1 {
					sum[at] += blas64.Dot(block.column(j), block.column(m))
					at++
				}
			}
		}
		return sum
	})
	out := mat.NewDense(r.D, r.D, nil)
	den := math.Max(float64(r.N-1), 1)
	at := 0
	for j := range r.D {
		for m := range j + 1 {
			s := 0.0
			for _, p := range parts {
				s += p[at]
			}
			out.Set(j, m, s/den)
			out.Set(m, j, s/den)
			at++
		}
	}
	return out
}

// blockRows is how many rows are turned into columns at a time: few enough to stay in the
// processor's nearest cache, enough for BLAS to be worth its calls.
const blockRows = 256

// columnBlock holds some rows by column.
type columnBlock struct {
	n, d      int
	values    []float64 // column j at j*blockRows
	rowBuffer []float64
}

func newColumnBlock(d int) *columnBlock {
	return &columnBlock{d: d, values: make([]float64, d*blockRows), rowBuffer: make([]float64, d)}
}

// centre fills the block with rows lo to hi, less the means.
func (b *columnBlock) centre(r *Rows, lo, hi int, mean []float64) {
	b.n = hi - lo
	for i := lo; i < hi; i++ {
		row := b.rowBuffer
		if r.Dense != nil {
			row = r.Row(i)
		} else {
			clear(row)
			r.AddTo(i, 1, row)
		}
		at := i - lo
		for j, x := range row {
			b.values[at] = x - mean[j]
			at += blockRows
		}
	}
}

func (b *columnBlock) column(j int) blas64.Vector {
	return blas64.Vector{N: b.n, Inc: 1, Data: b.values[j*blockRows : j*blockRows+b.n]}
}
