// Package metric measures predictions the way Spark's evaluators and summaries do: predictions,
// labels and weights come in, metrics and curves go out. It never sees columns or parameters.
package metric

import "math"

// moments follows a weighted series' mean and squares without losing digits to large means.
type moments struct{ mean, m2, absolute, squares float64 }

func (m *moments) add(v, w, total float64) {
	diff := v - m.mean
	m.mean += w * diff / total
	m.m2 += w * diff * (v - m.mean)
	m.absolute += w * math.Abs(v)
	m.squares += w * v * v
}

// Regression gathers what the regression metrics need. The zero value is ready.
type Regression struct {
	weight, weightSquares float64
	label, residual       moments
	prediction            moments
	count                 int64
}

// Add takes rows; weights may be nil for all 1. Rows of weight 0 count for nothing.
func (r *Regression) Add(predictions, labels, weights []float64) {
	for i, p := range predictions {
		w := 1.0
		if weights != nil {
			if w = weights[i]; w == 0 {
				continue
			}
		}
		y := labels[i]
		r.count++
		r.weight += w
		r.weightSquares += w * w
		r.label.add(y, w, r.weight)
		r.residual.add(y-p, w, r.weight)
		r.prediction.add(p, w, r.weight)
	}
}

// Count is the number of rows that weigh something, Weight their weight.
func (r *Regression) Count() int64    { return r.count }
func (r *Regression) Weight() float64 { return r.weight }

// MAE is the mean absolute error.
func (r *Regression) MAE() float64 { return r.residual.absolute / r.weight }

// MSE is the mean squared error.
func (r *Regression) MSE() float64 { return r.residual.squares / r.weight }

// RMSE is the root of the mean squared error.
func (r *Regression) RMSE() float64 { return math.Sqrt(r.MSE()) }

// LabelVariance is the labels' unbiased variance, the weights taken as reliabilities.
func (r *Regression) LabelVariance() float64 {
	d := r.weight - r.weightSquares/r.weight
	if d <= 0 {
		return 0
	}
	return math.Max(r.label.m2/d, 0)
}

// R2 is the coefficient of determination; throughOrigin measures against zero, not the mean.
func (r *Regression) R2(throughOrigin bool) float64 {
	if throughOrigin {
		return 1 - r.residual.squares/r.label.squares
	}
	return 1 - r.residual.squares/(r.LabelVariance()*(r.weight-1))
}

// ExplainedVariance is the mean square of the predictions' distance from the labels' mean.
func (r *Regression) ExplainedVariance() float64 {
	d := r.prediction.mean - r.label.mean
	return r.prediction.m2/r.weight + d*d
}
