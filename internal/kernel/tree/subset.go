package tree

import (
	"math"
	"strconv"
)

// FeaturesPerNode is how many features a node looks at under one of Spark's strategies: auto,
// all, sqrt, log2, onethird, a number, or a fraction with a point. "" is all.
func FeaturesPerNode(strategy string, features, trees int, classifier bool) int {
	n := float64(features)
	if strategy == "auto" {
		switch {
		case trees == 1:
			strategy = "all"
		case classifier:
			strategy = "sqrt"
		default:
			strategy = "onethird"
		}
	}
	switch strategy {
	case "", "all":
		return features
	case "sqrt":
		return int(math.Ceil(math.Sqrt(n)))
	case "log2":
		return max(1, int(math.Ceil(math.Log(n)/math.Ln2)))
	case "onethird":
		return int(math.Ceil(n / 3))
	}
	if k, err := strconv.Atoi(strategy); err == nil {
		return min(k, features)
	}
	f, err := strconv.ParseFloat(strategy, 64)
	if err != nil {
		return features
	}
	return int(math.Ceil(f * n))
}
