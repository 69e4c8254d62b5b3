package tree

import (
	"math"

	"github.com/millpond/millpond/internal/kernel/hist"
)

// Config says how to grow.
type Config struct {
	Impurity          Impurity
	Classes           int // number of classes, 0 for regression
	MaxBins           int // what the features were binned with
	MaxDepth          int
	MinInstances      int
	MinWeightFraction float64
	MinInfoGain       float64
	Trees             int
	FeaturesPerNode   int  // features looked at in a node; all of them if not fewer
	KeepTwins         bool // do not fold sibling leaves of equal prediction
	MemoryMB          int  // Spark's maxMemoryInMB: how many nodes are split in one go
	Threads           int
	Worked            func(share float64) // told now and then how much of the work is done; may be nil
}

// Data is what to grow on.
type Data struct {
	Table   *hist.Table
	Labels  []float64 // class numbers for classification
	Weights []float64 // nil if all rows weigh 1
	// Counts tells how often row r is in tree t's sample: Counts[t*rows+r]; nil for always once.
	Counts []uint8
}

// maxUnordered is the largest number of categories for which every division into two is tried.
func maxUnordered(maxBins int) int {
	return int(math.Floor(math.Log(float64(maxBins/2+1))/math.Ln2 + 1))
}

// feature is what growing needs to know about a column.
type feature struct {
	col       hist.Column
	bins      int // cells of the histogram
	splits    int
	unordered bool
	arity     int
	threshold []float64
}

func features(t *hist.Table, c *Config) []feature {
	out := make([]feature, len(t.Columns))
	limit := maxUnordered(min(c.MaxBins, t.Rows))
	for f := range out {
		x := feature{col: t.Columns[f], bins: t.Bins[f], splits: t.Bins[f] - 1, arity: t.Arity[f], threshold: t.Thresholds[f]}
		if c.Classes > 2 && x.arity > 1 && x.arity <= limit {
			x.unordered, x.splits = true, 1<<(x.arity-1)-1
		}
		out[f] = x
	}
	return out
}

// memory is what Spark reckons a node's statistics of one feature take, in numbers.
func (f *feature) memory(c *Config) int64 {
	bins := f.bins
	if f.unordered {
		bins = f.splits
	}
	return int64(bins) * int64(max(c.Classes, 3*btoi(c.Classes == 0)))
}

func btoi(b bool) int {
	if b {
		return 1
	}
	return 0
}
