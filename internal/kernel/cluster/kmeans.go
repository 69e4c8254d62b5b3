package cluster

import (
	"context"
	"math"

	"github.com/millpond/millpond/internal/kernel/random"
)

// Options says how to cluster.
type Options struct {
	K, MaxIter, InitSteps int
	Tol                   float64
	Seed                  int64
	RandomInit            bool // the first centres are points drawn at random, not k-means||
	Cosine                bool
	Width                 int // number of features
	Threads               int
	Stop                  func() error // asked before each round, may be nil

	done <-chan struct{} // closed when the results are not wanted any more
}

// Result is what KMeans finds. Cost is that of the last round, before its centres moved.
type Result struct {
	Centers    [][]float64
	Cost       float64
	Iterations int
}

// KMeans runs Lloyd's algorithm until no centre moves by more than Tol.
func KMeans(ctx context.Context, points []Point, o Options) (Result, error) {
	o.done = ctx.Done()
	var at [][]float64
	if o.RandomInit {
		at = randomCenters(points, o)
	} else {
		at = parallelCenters(points, o)
	}
	r := Result{Centers: at}
	for converged := false; r.Iterations < o.MaxIter && !converged; r.Iterations++ {
		if err := ctx.Err(); err != nil {
			return r, err
		}
		if o.Stop != nil {
			if err := o.Stop(); err != nil {
				return r, err
			}
		}
		s := assign(points, NewCenters(r.Centers, o.Cosine), o)
		if err := ctx.Err(); err != nil {
			return r, err
		}
		r.Cost = s.cost
		converged = true
		next := make([][]float64, len(r.Centers))
		for k, c := range r.Centers {
			if next[k] = c; s.weights[k] > 0 {
				next[k] = centroid(s.sums[k], s.weights[k], o.Cosine)
				converged = converged && !moved(c, next[k], o.Cosine, o.Tol)
			}
		}
		r.Centers = next
	}
	return r, nil
}

func centroid(sum []float64, weight float64, cosine bool) []float64 {
	norm2 := 0.0
	for j := range sum {
		sum[j] /= weight
		norm2 += sum[j] * sum[j]
	}
	if cosine {
		norm := math.Sqrt(norm2)
		for j := range sum {
			sum[j] /= norm
		}
	}
	return sum
}

// sums is what a round gathers for each centre.
type sums struct {
	sums    [][]float64
	weights []float64
	cost    float64
}

func newSums(k, width int) *sums {
	s := &sums{sums: make([][]float64, k), weights: make([]float64, k)}
	all := make([]float64, k*width)
	for i := range s.sums {
		s.sums[i] = all[i*width : (i+1)*width : (i+1)*width]
	}
	return s
}

func assign(points []Point, c *Centers, o Options) *sums {
	parts := make([]*sums, (len(points)+chunkRows-1)/chunkRows)
	chunks(o, len(points), func(chunk, from, to int) {
		s := newSums(len(c.At), o.Width)
		for i := from; i < to; i++ {
			p := &points[i]
			k, cost := c.Closest(p)
			scale := p.Weight
			if o.Cosine {
				scale /= p.norm
			}
			p.addTo(s.sums[k], scale)
			s.weights[k] += p.Weight
			s.cost += cost * p.Weight
		}
		parts[chunk] = s
	})
	total := newSums(len(c.At), o.Width)
	for _, s := range parts {
		total.cost += s.cost
		for k := range s.sums {
			total.weights[k] += s.weights[k]
			for j, v := range s.sums[k] {
				total.sums[k][j] += v
			}
		}
	}
	return total
}

func randomCenters(points []Point, o Options) [][]float64 {
	seed := random.NewXORShift(o.Seed).NextInt32()
	var out [][]float64
	for _, i := range random.TakeSample(len(points), o.K, int64(seed)) {
		out = append(out, points[i].dense(o.Width))
	}
	return distinct(out)
}

// parallelCenters is k-means||: a few rounds draw many candidates, far ones rather than near;
// then k-means++ picks among the candidates, each counting for the points nearest to it.
func parallelCenters(points []Point, o Options) [][]float64 {
	seed := random.NewXORShift(o.Seed).NextInt32()
	first := random.TakeSample(len(points), 1, int64(seed))
	fresh := [][]float64{points[first[0]].dense(o.Width)}
	candidates := append([][]float64{}, fresh...)
	costs := make([]float64, len(points))
	for i := range costs {
		costs[i] = math.Inf(1)
	}
	for step := range o.InitSteps {
		select {
		case <-o.done:
			return candidates
		default:
		}
		total := lower(points, costs, NewCenters(fresh, o.Cosine), o)
		rng := random.NewXORShift(int64(seed ^ int32(step)<<16))
		fresh = nil
		for i, c := range costs {
			if rng.NextDouble() < 2*c*float64(o.K)/total {
				fresh = append(fresh, points[i].dense(o.Width))
			}
		}
		candidates = append(candidates, fresh...)
	}
	candidates = distinct(candidates)
	if len(candidates) <= o.K {
		return candidates
	}
	return plusPlus(candidates, popularity(points, NewCenters(candidates, o.Cosine), o), o.K)
}

// lower brings the points' costs down to the nearest of the fresh centres and gives their sum.
func lower(points []Point, costs []float64, fresh *Centers, o Options) float64 {
	parts := make([]float64, (len(points)+chunkRows-1)/chunkRows)
	chunks(o, len(points), func(chunk, from, to int) {
		sum := 0.0
		for i := from; i < to; i++ {
			_, c := fresh.Closest(&points[i])
			costs[i] = math.Min(costs[i], c)
			sum += costs[i]
		}
		parts[chunk] = sum
	})
	total := 0.0
	for _, s := range parts {
		total += s
	}
	return total
}

func popularity(points []Point, c *Centers, o Options) []float64 {
	nearest := make([]int32, len(points))
	chunks(o, len(points), func(_, from, to int) {
		for i := from; i < to; i++ {
			k, _ := c.Closest(&points[i])
			nearest[i] = int32(k)
		}
	})
	out := make([]float64, len(c.At))
	for _, k := range nearest {
		out[k]++
	}
	return out
}

// distinct drops centres that are there already.
func distinct(centers [][]float64) [][]float64 {
	seen := map[string]bool{}
	out := centers[:0]
	for _, c := range centers {
		key := make([]byte, 0, 8*len(c))
		for _, v := range c {
			b := math.Float64bits(v + 0) // -0 equals 0
			key = append(key, byte(b), byte(b>>8), byte(b>>16), byte(b>>24), byte(b>>32), byte(b>>40), byte(b>>48), byte(b>>56))
		}
		if !seen[string(key)] {
			seen[string(key)] = true
			out = append(out, c)
		}
	}
	return out
}
