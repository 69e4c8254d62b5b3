// Package optimize minimises smooth functions of many variables by limited-memory quasi-Newton
// methods: L-BFGS, OWL-QN for an added L1 penalty, L-BFGS-B within bounds. Steps, line searches
// and the rule for stopping are those of the optimizer library that Spark uses, so that a run
// that stops early stops at the same point.
package optimize

import (
	"errors"
	"math"
	"slices"
)

// Func gives the value at x and fills grad. It may correct x in place, as a function does that
// solves for one of its variables.
type Func func(x, grad []float64) float64

// Options of a run. L1 is the penalty on each variable's absolute value, nil for none; Lower and
// Upper are bounds, nil for none; L1 and bounds exclude each other.
type Options struct {
	MaxIter      int // none if negative
	Memory       int
	Tol          float64
	L1           func(i int) float64
	Lower, Upper []float64
	Stop         func() error // asked before each iteration, may be nil
}

// Result of a run: the last point, and the value (penalty included) of every state.
type Result struct {
	X       []float64
	History []float64
	Reason  string // why it stopped
}

// The ways in which a step can fail; the first failure clears the history, a second in a row
// ends the run.
var (
	errHistory    = errors.New("history holds NaN")
	errSearch     = errors.New("line search failed")
	errDirection  = errors.New("line search along a direction that does not descend")
	errUnderflow  = errors.New("step size underflow")
	errOverflow   = errors.New("step size overflow")
	errInfeasible = errors.New("the starting point violates the bounds")
)

// valuesKept is how many last values the rule for stopping looks at.
const valuesKept = 20

type state struct {
	x, grad    []float64
	value      float64 // without penalty
	adjGrad    []float64
	adjValue   float64 // with penalty
	iter       int
	initial    float64 // adjValue at the start
	values     []float64
	failed     bool
	steps, dgs [][]float64 // history, newest first
	box        *box        // history of L-BFGS-B
}

type minimizer struct {
	f    Func
	opt  Options
	last struct { // the last evaluation, which line searches ask for again
		x, grad []float64
		value   float64
	}
}

// Minimize runs from x0 until the rule for stopping holds.
func Minimize(f Func, x0 []float64, opt Options) (Result, error) {
	m := &minimizer{f: f, opt: opt}
	s := &state{x: slices.Clone(x0), values: []float64{math.Inf(1)}}
	if m.bounded() {
		if !m.feasible(x0) {
			return Result{}, errInfeasible
		}
		s.box = newBox(len(x0), opt.Memory)
	}
	s.value, s.grad = m.eval(s.x)
	s.adjValue, s.adjGrad = m.adjust(s.x, s.grad, s.value)
	s.initial = s.adjValue
	history := []float64{s.adjValue}
	failedOnce := false
	for {
		if reason := m.stop(s); reason != "" {
			return Result{X: s.x, History: history, Reason: reason}, nil
		}
		if opt.Stop != nil {
			if err := opt.Stop(); err != nil {
				return Result{}, err
			}
		}
		next, err := m.step(s)
		switch {
		case err == nil:
			s, failedOnce = next, false
		case !failedOnce:
			failedOnce = true
			c := *s
			c.steps, c.dgs = nil, nil
			if c.box != nil {
				c.box = newBox(len(x0), opt.Memory)
			}
			s = &c
		default:
			c := *s
			c.failed = true
			s = &c
		}
		history = append(history, s.adjValue)
	}
}

func (m *minimizer) bounded() bool { return m.opt.Lower != nil }

func (m *minimizer) eval(x []float64) (float64, []float64) {
	if m.last.x != nil && slices.Equal(m.last.x, x) {
		return m.last.value, m.last.grad
	}
	grad := make([]float64, len(x))
	v := m.f(x, grad)
	m.last.x, m.last.grad, m.last.value = append(m.last.x[:0], x...), grad, v
	return v, grad
}

func (m *minimizer) stop(s *state) string {
	switch {
	case m.bounded() && m.projectedStep(s) < 1e-5:
		return "projected step converged"
	case m.opt.MaxIter >= 0 && s.iter >= m.opt.MaxIter:
		return "max iterations reached"
	case len(s.values) >= 2 && math.Abs(s.adjValue-slices.Max(s.values)) <= m.opt.Tol*math.Abs(s.initial):
		return "function values converged"
	case norm(s.adjGrad) <= math.Max(m.opt.Tol*math.Abs(s.adjValue), 1e-8):
		return "gradient converged"
	case s.failed:
		return "line search failed!"
	}
	return ""
}

func (m *minimizer) step(s *state) (*state, error) {
	dir, err := m.direction(s)
	if err != nil {
		return nil, err
	}
	size, err := m.stepSize(s, dir)
	if err != nil {
		return nil, err
	}
	n := &state{x: m.take(s, dir, size), iter: s.iter + 1, initial: s.initial}
	n.value, n.grad = m.eval(n.x)
	n.adjValue, n.adjGrad = m.adjust(n.x, n.grad, n.value)
	dx, dg := make([]float64, len(n.x)), make([]float64, len(n.x))
	for i := range dx {
		dx[i], dg[i] = n.x[i]-s.x[i], n.grad[i]-s.grad[i]
	}
	if s.box != nil {
		if n.box, err = s.box.updated(dx, dg); err != nil {
			return nil, err
		}
	} else {
		n.steps, n.dgs = prepend(s.steps, dx, m.opt.Memory), prepend(s.dgs, dg, m.opt.Memory)
	}
	n.values = append(slices.Clone(s.values), n.adjValue)
	if len(n.values) > valuesKept {
		n.values = n.values[1:]
	}
	return n, nil
}

func prepend(list [][]float64, x []float64, limit int) [][]float64 {
	out := append([][]float64{x}, list...)
	return out[:min(len(out), limit)]
}

func (m *minimizer) direction(s *state) ([]float64, error) {
	if s.box != nil {
		return m.boxDirection(s)
	}
	dir, err := twoLoop(s.steps, s.dgs, s.adjGrad)
	if err != nil || m.opt.L1 == nil {
		return dir, err
	}
	for i, g := range s.adjGrad { // stay in the gradient's orthant
		if !(dir[i]*g < 0) {
			dir[i] = 0
		}
	}
	return dir, nil
}

// twoLoop multiplies grad by the inverse Hessian that the history approximates, and turns it round.
func twoLoop(steps, dgs [][]float64, grad []float64) ([]float64, error) {
	diag := 1.0
	if len(steps) > 0 {
		sy, yy := dot(steps[0], dgs[0]), dot(dgs[0], dgs[0])
		if sy < 0 || math.IsNaN(sy) {
			return nil, errHistory
		}
		diag = sy / yy
	}
	dir := slices.Clone(grad)
	as, rho := make([]float64, len(steps)), make([]float64, len(steps))
	for i := range steps {
		rho[i] = dot(steps[i], dgs[i])
		as[i] = dot(steps[i], dir) / rho[i]
		if math.IsNaN(as[i]) {
			return nil, errHistory
		}
		axpy(-as[i], dgs[i], dir)
	}
	for i := range dir {
		dir[i] *= diag
	}
	for i := len(steps) - 1; i >= 0; i-- {
		beta := dot(dgs[i], dir) / rho[i]
		axpy(as[i]-beta, steps[i], dir)
	}
	for i := range dir {
		dir[i] = -dir[i]
	}
	return dir, nil
}

func (m *minimizer) stepSize(s *state, dir []float64) (float64, error) {
	switch {
	case s.box != nil:
		return m.boxStepSize(s, dir)
	case m.opt.L1 != nil:
		return m.backtrack(s, dir)
	}
	along := func(t float64) (float64, float64) {
		v, g := m.eval(m.take(s, dir, t))
		return v, dot(g, dir)
	}
	first := 1.0
	if s.iter == 0 {
		first = 1 / norm(dir)
	}
	a, err := strongWolfe(along, first, math.Inf(1), 10, 10)
	if err == nil && a*norm(s.grad) < 1e-10 {
		err = errUnderflow
	}
	return a, err
}

// take goes a step from s; with a penalty, variables that would change sign stay at zero; with
// bounds, the point stays within.
func (m *minimizer) take(s *state, dir []float64, size float64) []float64 {
	x := make([]float64, len(s.x))
	for i := range x {
		x[i] = dir[i]*size + s.x[i]
	}
	switch {
	case m.bounded():
		m.clamp(x)
	case m.opt.L1 != nil:
		for i, v := range x {
			orthant := sign(s.x[i])
			if s.x[i] == 0 {
				orthant = sign(-s.adjGrad[i])
			}
			if sign(v) != orthant {
				x[i] = 0
			}
		}
	}
	return x
}

// adjust adds the L1 penalty to value and gradient.
func (m *minimizer) adjust(x, grad []float64, value float64) (float64, []float64) {
	if m.opt.L1 == nil {
		return value, grad
	}
	out := make([]float64, len(grad))
	for i, g := range grad {
		l1 := m.opt.L1(i)
		if l1 == 0 {
			out[i] = g
			continue
		}
		value += math.Abs(l1 * x[i])
		switch {
		case x[i] != 0:
			out[i] = g + sign(x[i])*l1
		case g-l1 > 0:
			out[i] = g - l1
		case g+l1 < 0:
			out[i] = g + l1
		}
	}
	return value, out
}

func sign(x float64) float64 {
	switch {
	case x > 0:
		return 1
	case x < 0:
		return -1
	}
	return x
}

func dot(a, b []float64) float64 {
	s := 0.0
	for i, x := range a {
		s += x * b[i]
	}
	return s
}

func axpy(a float64, x, y []float64) {
	for i, v := range x {
		y[i] += a * v
	}
}

func norm(x []float64) float64 { return math.Sqrt(dot(x, x)) }
