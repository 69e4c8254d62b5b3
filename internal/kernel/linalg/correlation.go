package linalg

import (
	"math"

	"github.com/millpond/millpond/internal/kernel/radix"
	"gonum.org/v1/gonum/mat"
)

// closeToZero is the deviation up to which a column counts as constant.
const closeToZero = 1e-12

// Correlation is Pearson's correlation of the columns, by columns: NaN with a constant column, 1
// of each with itself.
func Correlation(r *Rows) []float64 {
	return correlationOf(Covariance(r))
}

func correlationOf(cov *mat.Dense) []float64 {
	d, _ := cov.Dims()
	deviation, out := make([]float64, d), make([]float64, d*d)
	for j := range d {
		deviation[j] = math.Sqrt(cov.At(j, j))
	}
	for j := range d {
		for i := range d {
			switch {
			case i == j:
				out[j*d+i] = 1
			case deviation[i] <= closeToZero || deviation[j] <= closeToZero:
				out[j*d+i] = math.NaN()
			default:
				out[j*d+i] = cov.At(i, j) / (deviation[i] * deviation[j])
			}
		}
	}
	return out
}

// RankColumns puts in place of each value of dense rows its rank in the column, from 1; equal
// values have the mean of their ranks, NaN the last ones.
func RankColumns(r *Rows) {
	Chunks(r.D, 1, 0, func(column, _, _ int) struct{} {
		rankColumn(r, column)
		return struct{}{}
	})
}

func rankColumn(r *Rows, column int) {
	values, nans := make([]float64, r.N), 0
	for i := range values {
		values[i] = r.Dense[i*r.D+column]
		if math.IsNaN(values[i]) {
			nans++
		}
	}
	order := radix.Order(values) // NaN comes first
	order = append(order[nans:], order[:nans]...)
	for from := 0; from < r.N; {
		to := from + 1
		for to < r.N && values[order[to]] == values[order[from]] {
			to++
		}
		for _, i := range order[from:to] {
			r.Dense[int(i)*r.D+column] = float64(from+to+1) / 2
		}
		from = to
	}
}
