package cluster

import (
	"slices"

	"github.com/millpond/millpond/internal/kernel/random"
)

// plusPlusRounds bounds the rounds of Lloyd's algorithm over the candidates.
const plusPlusRounds = 30

// plusPlus picks k of weighted candidates by k-means++ and a few rounds of Lloyd's algorithm.
// Spark draws here with a fixed seed, and measures with the Euclidean distance whatever the
// points are clustered by.
func plusPlus(candidates [][]float64, weights []float64, k int) [][]float64 {
	rng := random.NewJava(0)
	centers := seeds(rng, candidates, weights, k)
	points := make([]Point, len(candidates))
	for i, c := range candidates {
		points[i] = NewPoint(c, weights[i])
	}
	width := len(candidates[0])
	last := make([]int, len(points))
	for i := range last {
		last[i] = -1
	}
	for round, changed := 0, true; changed && round < plusPlusRounds; round++ {
		changed = false
		s := newSums(k, width)
		c := NewCenters(centers, false)
		for i := range points {
			at, _ := c.Closest(&points[i])
			points[i].addTo(s.sums[at], weights[i])
			s.weights[at] += weights[i]
			if at != last[i] {
				changed, last[i] = true, at
			}
		}
		for j := range centers {
			if s.weights[j] == 0 {
				centers[j] = slices.Clone(candidates[rng.NextInt(len(candidates))])
				continue
			}
			scale := 1 / s.weights[j]
			for d := range s.sums[j] {
				s.sums[j][d] *= scale
			}
			centers[j] = s.sums[j]
		}
	}
	return centers
}

func seeds(rng *random.Java, candidates [][]float64, weights []float64, k int) [][]float64 {
	centers := make([][]float64, k)
	all := 0.0
	for _, w := range weights {
		all += w
	}
	r, at, sum := rng.NextDouble()*all, 0, 0.0
	for at < len(candidates) && sum < r {
		sum += weights[at]
		at++
	}
	centers[0] = slices.Clone(candidates[max(at-1, 0)])
	costs := make([]float64, len(candidates))
	for i, c := range candidates {
		costs[i] = squaredDistance(c, centers[0])
	}
	for i := 1; i < k; i++ {
		sum := 0.0
		for j, c := range costs {
			sum += c * weights[j]
		}
		r, score, j := rng.NextDouble()*sum, 0.0, 0
		for j < len(candidates) && score < r {
			score += weights[j] * costs[j]
			j++
		}
		centers[i] = slices.Clone(candidates[max(j-1, 0)])
		for p, c := range candidates {
			costs[p] = min(costs[p], squaredDistance(c, centers[i]))
		}
	}
	return centers
}

func squaredDistance(a, b []float64) float64 {
	sum := 0.0
	for j, v := range a {
		d := v - b[j]
		sum += d * d
	}
	return sum
}
