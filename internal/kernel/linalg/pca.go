package linalg

import (
	"errors"
	"math"

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

// Covariance is the unbiased covariance of the columns.
func Covariance(r *Rows) *mat.Dense {
	mean := r.Summarize(nil).Mean()
	parts := Chunks(r.N, 8192, 16, func(_, lo, hi int) []float64 {
		sum := make([]float64, r.D*(r.D+1)/2)
		row := make([]float64, r.D)
		for i := lo; i < hi; i++ {
			for j := range row {
				row[j] = -mean[j]
			}
			r.AddTo(i, 1, row)
			at := 0
			for j, x := range row {
				for m, y := range row[:j+1] {
					sum[at+m] += x * y
				}
				at += j + 1
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
