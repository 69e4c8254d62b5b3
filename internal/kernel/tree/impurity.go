package tree

import (
	"math"
)

// Impurity is a measure of how mixed a node's labels are.
type Impurity int

const (
	Variance Impurity = iota
	Gini
	Entropy
)

// stats are a set of rows' sufficient statistics: for Variance the weight, weighted sum and sum
// of squares of labels, else the weight of each class; and the number of rows.
type stats struct {
	v   []float64
	raw float64
}

func (m Impurity) count(v []float64) float64 {
	if m == Variance {
		return v[0]
	}
	return total(v)
}

// of computes the impurity with Spark's order of operations, so that ties fall as they do there.
func (m Impurity) of(v []float64) float64 {
	if m == Variance {
		if v[0] == 0 {
			return 0
		}
		loss := v[2] - float64(v[1]*v[1])/v[0]
		return loss / v[0]
	}
	all := total(v)
	if all == 0 {
		return 0
	}
	if m == Gini {
		impurity := 1.0
		for _, c := range v {
			freq := c / all
			impurity -= float64(freq * freq)
		}
		return impurity
	}
	impurity := 0.0
	for _, c := range v {
		if c != 0 {
			freq := c / all
			impurity -= float64(freq * (math.Log(freq) / math.Ln2))
		}
	}
	return impurity
}

func (m Impurity) predict(v []float64) float64 {
	if m == Variance {
		if v[0] == 0 {
			return 0
		}
		return v[1] / v[0]
	}
	if total(v) == 0 {
		return 0
	}
	return float64(argmax(v))
}
