package metric

import (
	"errors"
	"math"
)

// ErrOneCluster says that a silhouette needs more than one cluster.
var ErrOneCluster = errors.New("number of clusters must be greater than one")

// Silhouette measures how well points lie in their clusters. Points are added twice: first all
// of them with Add, then all of them again with Score.
type Silhouette struct {
	cosine   bool
	place    map[float64]int
	sums     [][]float64 // per cluster, of points (cosine: of their directions)
	squares  []float64
	weights  []float64
	mean     []float64 // scratch: a point's distance to each cluster
	score, w float64
}

// NewSilhouette makes an empty one for the squared Euclidean or the cosine distance.
func NewSilhouette(cosine bool) *Silhouette {
	return &Silhouette{cosine: cosine, place: map[float64]int{}}
}

// Add takes a point of a cluster.
func (s *Silhouette) Add(point []float64, cluster, weight float64) {
	k, ok := s.place[cluster]
	if !ok {
		k = len(s.sums)
		s.place[cluster] = k
		s.sums, s.squares, s.weights = append(s.sums, make([]float64, len(point))), append(s.squares, 0), append(s.weights, 0)
	}
	n := squaredNorm(point)
	scale := weight
	if s.cosine {
		scale = weight / math.Sqrt(n)
	}
	for j, v := range point {
		s.sums[k][j] += scale * v
	}
	s.squares[k] += n * weight
	s.weights[k] += weight
}

// Score takes a point again.
func (s *Silhouette) Score(point []float64, cluster, weight float64) {
	if s.mean == nil {
		s.mean = make([]float64, len(s.sums))
	}
	n := squaredNorm(point)
	own := s.place[cluster]
	nearest := math.Inf(1)
	for k := range s.sums {
		d := 0.0
		for j, v := range s.sums[k] {
			d += v * point[j]
		}
		if s.cosine {
			s.mean[k] = 1 - d/math.Sqrt(n)/s.weights[k]
		} else {
			s.mean[k] = n + s.squares[k]/s.weights[k] - 2*d/s.weights[k]
		}
		if k != own {
			nearest = math.Min(nearest, s.mean[k])
		}
	}
	s.w += weight
	if s.weights[own] == weight {
		return // alone in its cluster
	}
	inside := s.mean[own] * s.weights[own] / (s.weights[own] - weight)
	switch {
	case inside < nearest:
		s.score += weight * (1 - inside/nearest)
	case inside > nearest:
		s.score += weight * (nearest/inside - 1)
	}
}

// Clusters is the number of clusters seen.
func (s *Silhouette) Clusters() int { return len(s.sums) }

// Mean is the silhouette of an average point.
func (s *Silhouette) Mean() (float64, error) {
	if len(s.sums) < 2 {
		return 0, ErrOneCluster
	}
	return s.score / s.w, nil
}

func squaredNorm(v []float64) float64 {
	sum := 0.0
	for _, x := range v {
		sum += x * x
	}
	return sum
}
