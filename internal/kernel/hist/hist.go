// Package hist turns feature values into bins for tree learners: rows of numbers come in, one
// narrow column of bin numbers per feature goes out, with the thresholds that Spark would put
// between the bins. It never looks at labels.
package hist

import (
	"fmt"
	"math"
	"slices"
)

// Column holds the bin of every row for one feature; exactly one of the slices is used.
type Column struct {
	Narrow []uint8  // up to 256 bins
	Wide   []uint16 // more
}

// Table is binned training data.
type Table struct {
	Rows       int
	Columns    []Column
	Arity      []int       // number of categories, 0 for a continuous feature
	Bins       []int       // number of bins of a feature
	Thresholds [][]float64 // continuous features: value <= Thresholds[f][b] lies in bin b or before
	Sampled    bool        // whether the thresholds come from a sample of the rows
}

// At gives the bin of a row.
func (c *Column) At(row int) int {
	if c.Wide != nil {
		return int(c.Wide[row])
	}
	return int(c.Narrow[row])
}

func makeColumn(rows, bins int) Column {
	if bins > math.MaxUint8+1 {
		return Column{Wide: make([]uint16, rows)}
	}
	return Column{Narrow: make([]uint8, rows)}
}

// MaxBins is the largest number of bins a feature can have.
const MaxBins = math.MaxUint16 + 1

// BadCategory says that a row's value is not one of its categorical feature's categories.
type BadCategory struct {
	Feature, Arity, Row int
	Value               float64
}

func (e *BadCategory) Error() string {
	return fmt.Sprintf("feature %d is categorical with %d values, row %d has %v", e.Feature, e.Arity, e.Row, e.Value)
}

// Epsilon is the machine precision as Spark computes it.
const Epsilon = 0x1p-52

// sampleGoal is the least number of rows that thresholds are found from.
const sampleGoal = 10000

// SampleFraction is the share of rows Spark looks at to find thresholds.
func SampleFraction(maxBins, rows int) float64 {
	required := max(maxBins*maxBins, sampleGoal)
	if required < rows {
		return float64(required) / float64(rows)
	}
	return 1
}

// Weighted is a value with the weight of its row.
type Weighted struct{ Value, Weight float64 }

// Thresholds finds the split candidates of a continuous feature. values are the looked-at rows'
// values that are not zero (the slice is sorted in place); expected is the weight of all
// looked-at rows as Spark reckons it, so that zeros are what is missing; splits is the most that
// may be found.
func Thresholds(values []Weighted, expected float64, splits int) []float64 {
	if len(values) == 0 {
		return nil
	}
	count := float64(len(values))
	slices.SortStableFunc(values, func(a, b Weighted) int { return compare(a.Value, b.Value) })
	distinct, total := values[:0], 0.0
	for _, v := range values {
		total += v.Weight
		if n := len(distinct); n > 0 && same(distinct[n-1].Value, v.Value) {
			distinct[n-1].Weight += v.Weight
			continue
		}
		distinct = append(distinct, v)
	}
	if zeros := expected - total; zeros > Epsilon*count*100 {
		at, _ := slices.BinarySearchFunc(distinct, 0.0, func(a Weighted, t float64) int { return compare(a.Value, t) })
		distinct = slices.Insert(distinct, at, Weighted{0, zeros})
	}
	possible := len(distinct) - 1
	mid := func(i int) float64 { return (distinct[i-1].Value + distinct[i].Value) / 2 }
	if possible <= splits {
		out := make([]float64, possible)
		for i := range out {
			out[i] = mid(i + 1)
		}
		return out
	}
	stride := expected / float64(splits+1)
	out := make([]float64, 0, splits)
	current, target := distinct[0].Weight, stride
	for i := 1; i < len(distinct); i++ {
		previous := current
		current += distinct[i].Weight
		if math.Abs(previous-target) < math.Abs(current-target) {
			out = append(out, mid(i))
			target += stride
		}
	}
	return out
}

func compare(a, b float64) int {
	switch {
	case a < b:
		return -1
	case a > b:
		return 1
	case a == b:
		return 0
	case math.IsNaN(a) && math.IsNaN(b):
		return 0
	case math.IsNaN(a):
		return 1
	}
	return -1
}

func same(a, b float64) bool { return a == b || math.IsNaN(a) && math.IsNaN(b) }
