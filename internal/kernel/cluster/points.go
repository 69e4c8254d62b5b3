// Package cluster groups points round centres: Spark's KMeans with its ways of finding the first
// centres. Points come in, dense or sparse, centres go out, the same for any number of threads.
package cluster

import (
	"math"
	"sync/atomic"

	"github.com/millpond/millpond/internal/kernel/parallel"
)

// Point is a row; Indices is nil if Values holds every value.
type Point struct {
	Indices []int32
	Values  []float64
	Weight  float64
	norm2   float64 // squared length
	norm    float64
	width   int
}

// NewPoint makes a dense point; the slice is kept.
func NewPoint(values []float64, weight float64) Point {
	return NewSizedPoint(len(values), nil, values, weight)
}

// NewSizedPoint makes a point of width values; it is dense if indices is nil. The slices are kept.
func NewSizedPoint(width int, indices []int32, values []float64, weight float64) Point {
	p := Point{Indices: indices, Values: values, Weight: weight, width: width}
	for _, v := range values {
		p.norm2 += v * v
	}
	p.norm = math.Sqrt(p.norm2)
	return p
}

// Width is the number of values, stored or not.
func (p *Point) Width() int { return p.width }

// IsZero says whether the point is the origin, which has no direction.
func (p *Point) IsZero() bool { return p.norm == 0 }

// dense gives the point's values in full.
func (p *Point) dense(width int) []float64 {
	out := make([]float64, width)
	if p.Indices == nil {
		copy(out, p.Values)
		return out
	}
	for k, j := range p.Indices {
		out[j] = p.Values[k]
	}
	return out
}

func (p *Point) dot(c []float64) float64 {
	sum := 0.0
	if p.Indices == nil {
		for j, v := range p.Values {
			sum += v * c[j]
		}
		return sum
	}
	for k, j := range p.Indices {
		sum += p.Values[k] * c[j]
	}
	return sum
}

// addTo adds scale times the point to sum.
func (p *Point) addTo(sum []float64, scale float64) {
	if p.Indices == nil {
		for j, v := range p.Values {
			sum[j] += scale * v
		}
		return
	}
	for k, j := range p.Indices {
		sum[j] += scale * p.Values[k]
	}
}

// Centers are cluster centres, all of one width.
type Centers struct {
	At     [][]float64
	Cosine bool
	norm2  []float64
	norm   []float64
}

// NewCenters prepares centres for measuring.
func NewCenters(at [][]float64, cosine bool) *Centers {
	c := &Centers{At: at, Cosine: cosine, norm2: make([]float64, len(at)), norm: make([]float64, len(at))}
	for i, v := range at {
		for _, x := range v {
			c.norm2[i] += x * x
		}
		c.norm[i] = math.Sqrt(c.norm2[i])
	}
	return c
}

// Closest gives the nearest centre, the first of several, and the point's cost there: the squared
// Euclidean or the cosine distance.
func (c *Centers) Closest(p *Point) (int, float64) {
	if !c.Cosine && p.Indices == nil {
		return c.closestDense(p)
	}
	best, least := 0, math.Inf(1)
	for i := range c.At {
		if d := c.distance(p, i); d < least {
			best, least = i, d
		}
	}
	return best, least
}

// closestDense passes over centres that the lengths alone show to be farther off, as Spark does.
func (c *Centers) closestDense(p *Point) (int, float64) {
	best, least, values := 0, math.Inf(1), p.Values
	for i, center := range c.At {
		if apart := p.norm - c.norm[i]; apart*apart >= least {
			continue
		}
		sum := 0.0
		for j, x := range center[:len(values)] {
			d := values[j] - x
			sum += d * d
		}
		if sum < least {
			best, least = i, sum
		}
	}
	return best, least
}

// distance is the cost of a point, sparse unless it is measured by the cosine.
func (c *Centers) distance(p *Point, i int) float64 {
	dot := p.dot(c.At[i])
	if c.Cosine {
		return 1 - dot/p.norm/c.norm[i]
	}
	return math.Max(0, p.norm2+c.norm2[i]-2*dot)
}

// moved says whether a centre moved by more than tol.
func moved(a, b []float64, cosine bool, tol float64) bool {
	if cosine {
		dot, na, nb := 0.0, 0.0, 0.0
		for j := range a {
			dot += a[j] * b[j]
			na += a[j] * a[j]
			nb += b[j] * b[j]
		}
		return !(1-dot/math.Sqrt(na)/math.Sqrt(nb) <= tol)
	}
	sum := 0.0
	for j := range a {
		d := a[j] - b[j]
		sum += d * d
	}
	return !(sum <= tol*tol)
}

// chunkRows is how many points are summed up on their own; it must not depend on the number of
// threads, for sums depend on their order.
const chunkRows = 8192

// chunks runs work on every chunk of n rows.
func chunks(o Options, n int, work func(chunk, from, to int)) {
	count := (n + chunkRows - 1) / chunkRows
	one := func(k int) {
		select {
		case <-o.done: // the results are not wanted any more
		default:
			work(k, k*chunkRows, min((k+1)*chunkRows, n))
		}
	}
	threads := min(o.Threads, count)
	if threads <= 1 {
		for k := range count {
			one(k)
		}
		return
	}
	var next atomic.Int64
	parallel.Run(threads, func() {
		for k := int(next.Add(1)) - 1; k < count; k = int(next.Add(1)) - 1 {
			one(k)
		}
	})
}
