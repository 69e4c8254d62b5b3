// Package linalg holds the number work of linear models over slices: column statistics, rows in
// dense or sparse form, normal equations and their solution. What comes in are float64 slices;
// it knows nothing of columns, parameters or Spark.
package linalg

import "math"

// Summary gathers statistics of the columns of weighted rows in one pass; the update is
// Welford's over the nonzero values, zeros being accounted for at the end, so sparse rows cost
// what they store.
type Summary struct {
	Count               int64
	WeightSum           float64
	weightSq            float64
	mean, m2, m2raw, l1 []float64
	weight              []float64 // of nonzero values
	nnz                 []int64
	min, max            []float64
}

// NewSummary makes an empty summary of dim columns.
func NewSummary(dim int) *Summary {
	block := make([]float64, 7*dim)
	part := func(k int) []float64 { return block[k*dim : (k+1)*dim : (k+1)*dim] }
	s := &Summary{mean: part(0), m2: part(1), m2raw: part(2), l1: part(3), weight: part(4),
		min: part(5), max: part(6), nnz: make([]int64, dim)}
	for i := range dim {
		s.min[i], s.max[i] = math.MaxFloat64, -math.MaxFloat64
	}
	return s
}

// Dim is the number of columns.
func (s *Summary) Dim() int { return len(s.mean) }

// AddDense adds a row of every value. A row of weight 0 counts for nothing.
func (s *Summary) AddDense(values []float64, w float64) {
	if w == 0 {
		return
	}
	for i, x := range values {
		if x != 0 {
			s.add(i, x, w)
		}
	}
	s.row(w)
}

// AddSparse adds a row of the given values, others being zero.
func (s *Summary) AddSparse(indices []int32, values []float64, w float64) {
	if w == 0 {
		return
	}
	for k, i := range indices {
		if x := values[k]; x != 0 {
			s.add(int(i), x, w)
		}
	}
	s.row(w)
}

func (s *Summary) row(w float64) {
	s.WeightSum += w
	s.weightSq += w * w
	s.Count++
}

func (s *Summary) add(i int, x, w float64) {
	if x > s.max[i] {
		s.max[i] = x
	}
	if x < s.min[i] {
		s.min[i] = x
	}
	d := x - s.mean[i]
	s.mean[i] += w * d / (s.weight[i] + w)
	s.m2[i] += w * (x - s.mean[i]) * d
	s.m2raw[i] += w * x * x
	s.l1[i] += w * math.Abs(x)
	s.weight[i] += w
	s.nnz[i]++
}

// Merge adds another summary of as many columns.
func (s *Summary) Merge(o *Summary) {
	s.Count += o.Count
	s.WeightSum += o.WeightSum
	s.weightSq += o.weightSq
	for i := range s.mean {
		w := s.weight[i] + o.weight[i]
		if w != 0 {
			d := o.mean[i] - s.mean[i]
			s.mean[i] += d * o.weight[i] / w
			s.m2[i] += o.m2[i] + d*d*s.weight[i]*o.weight[i]/w
		}
		s.m2raw[i] += o.m2raw[i]
		s.l1[i] += o.l1[i]
		s.weight[i] = w
		s.nnz[i] += o.nnz[i]
		s.min[i], s.max[i] = math.Min(s.min[i], o.min[i]), math.Max(s.max[i], o.max[i])
	}
}

// Mean gives the weighted mean of each column.
func (s *Summary) Mean() []float64 {
	out := make([]float64, len(s.mean))
	for i, m := range s.mean {
		out[i] = m * (s.weight[i] / s.WeightSum)
	}
	return out
}

// Variance gives the unbiased variance of each column, 0 where there are too few rows.
func (s *Summary) Variance() []float64 {
	out := make([]float64, len(s.mean))
	den := s.WeightSum - s.weightSq/s.WeightSum
	if !(den > 0) {
		return out
	}
	for i, m := range s.mean {
		v := (s.m2[i] + m*m*s.weight[i]*(s.WeightSum-s.weight[i])/s.WeightSum) / den
		out[i] = math.Max(v, 0)
	}
	return out
}

// Std gives the unbiased standard deviation of each column.
func (s *Summary) Std() []float64 {
	out := s.Variance()
	for i, v := range out {
		out[i] = math.Sqrt(v)
	}
	return out
}

// Min gives the least value of each column, rows of weight 0 aside.
func (s *Summary) Min() []float64 { return s.extreme(s.min, math.Min) }

// Max gives the greatest value of each column.
func (s *Summary) Max() []float64 { return s.extreme(s.max, math.Max) }

func (s *Summary) extreme(of []float64, pick func(a, b float64) float64) []float64 {
	out := make([]float64, len(of))
	for i, x := range of {
		if s.nnz[i] < s.Count {
			x = pick(x, 0)
		}
		out[i] = x
	}
	return out
}

// NumNonzeros counts the nonzero values of each column.
func (s *Summary) NumNonzeros() []int64 { return s.nnz }

// NormL1 gives the weighted sum of absolute values of each column.
func (s *Summary) NormL1() []float64 { return s.l1 }

// NormL2 gives the weighted Euclidean norm of each column.
func (s *Summary) NormL2() []float64 {
	out := make([]float64, len(s.m2raw))
	for i, v := range s.m2raw {
		out[i] = math.Sqrt(v)
	}
	return out
}
