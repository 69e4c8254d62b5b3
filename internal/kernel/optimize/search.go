package optimize

import "math"

// point is a place on the line that is searched: how far, the slope there, the value there.
type point struct{ t, slope, value float64 }

const (
	armijo = 1e-4 // how much of the slope's promise a step must keep
	wolfe  = 0.9  // how much flatter it must be where it ends
)

// strongWolfe looks along a line for a step with enough decrease and a flat enough end, by
// bracketing and cubic interpolation (Nocedal and Wright); a step to bound may end steep.
func strongWolfe(f func(t float64) (float64, float64), first, bound float64, zooms, steps int) (float64, error) {
	phi := func(t float64) point {
		v, d := f(t)
		return point{t, d, v}
	}
	t := first
	low := phi(0)
	at0 := low
	if at0.slope > 0 {
		return 0, errDirection
	}
	enough := func(c point) bool { return !(c.value > at0.value+armijo*c.t*at0.slope) }
	flat := func(c point) bool { return math.Abs(c.slope) <= wolfe*math.Abs(at0.slope) }
	zoom := func(low, high point) (float64, error) {
		for range zooms {
			l, r := low, high
			if l.t > r.t {
				l, r = r, l
			}
			c := phi(cubic(l, r))
			switch {
			case math.IsNaN(c.t):
				return 0, errSearch
			case !enough(c) || c.value >= low.value:
				high = c
			case flat(c):
				return c.t, nil
			default:
				if c.slope*(high.t-low.t) >= 0 {
					high = low
				}
				low = c
			}
		}
		return 0, errSearch
	}
	for i := range steps {
		c := phi(t)
		if math.IsInf(c.value, 0) || math.IsNaN(c.value) {
			t /= 2
			continue
		}
		switch {
		case !enough(c) || c.value >= low.value && i > 0:
			return zoom(low, c)
		case flat(c):
			return c.t, nil
		case c.slope >= 0:
			return zoom(c, low)
		}
		low = c
		if t == bound {
			return bound, nil
		}
		t = math.Min(t*1.5, bound)
	}
	return 0, errSearch
}

// cubic finds the least point of the cubic through both ends of a bracket, not too near either.
func cubic(l, r point) float64 {
	d1 := l.slope + r.slope - 3*(l.value-r.value)/(l.t-r.t)
	d2 := math.Sqrt(d1*d1 - l.slope*r.slope)
	width := r.t - l.t
	t := r.t - width*(r.slope+d2-d1)/(r.slope-l.slope+2*d2)
	if low := l.t + 0.1*width; t < low {
		return low
	}
	if high := l.t + 0.9*width; t > high {
		return high
	}
	return t
}

// backtrack is the line search of OWL-QN. Its first comparison is with the value at the start
// without penalty, as in the library that Spark uses.
func (m *minimizer) backtrack(s *state, dir []float64) (float64, error) {
	shrink, alpha := 0.5, 1.0
	if s.iter < 1 {
		shrink, alpha = 0.1, 0.5/norm(s.grad)
	}
	along := func(t float64) (float64, float64) {
		x := m.take(s, dir, t)
		v, g := m.eval(x)
		av, ag := m.adjust(x, g, v)
		return av, dot(ag, dir)
	}
	f0, d0 := along(0)
	_, slope := along(alpha)
	value := s.value
	for iter := 0; ; iter++ {
		factor := 1.0
		switch {
		case value > f0+alpha*d0*armijo:
			factor = shrink
		case slope < wolfe*d0:
			factor = 2.1
		case slope > -wolfe*d0:
			factor = shrink
		}
		if factor == 1 {
			return alpha, nil
		}
		next := alpha * factor
		switch {
		case next < 1e-10:
			return 0, errUnderflow
		case next > 1e10:
			return 0, errOverflow
		}
		value, slope = along(next)
		if iter+1 >= 20 {
			return alpha, nil
		}
		alpha = next
	}
}
