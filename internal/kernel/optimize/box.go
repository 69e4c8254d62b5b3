package optimize

import (
	"errors"
	"math"
	"slices"

	"gonum.org/v1/gonum/mat"
)

// box is the history of L-BFGS-B (Byrd, Lu, Nocedal and Zhu): the Hessian is approximated as
// theta*I - W M W'.
type box struct {
	theta float64
	w, m  *mat.Dense
	ys    [][]float64 // gradient differences, oldest first
	ss    [][]float64 // steps
	limit int
}

func newBox(n, limit int) *box {
	return &box{theta: 1, w: mat.NewDense(n, 2*limit, nil), m: mat.NewDense(2*limit, 2*limit, nil), limit: limit}
}

func (m *minimizer) feasible(x []float64) bool {
	for i, v := range x {
		if !(m.opt.Lower[i] <= v && v <= m.opt.Upper[i]) {
			return false
		}
	}
	return true
}

func (m *minimizer) clamp(x []float64) {
	for i, v := range x {
		x[i] = math.Max(math.Min(v, m.opt.Upper[i]), m.opt.Lower[i])
	}
}

// projectedStep is how far a step down the gradient would go within the bounds, at most.
func (m *minimizer) projectedStep(s *state) float64 {
	most := 0.0
	for i, x := range s.x {
		v := math.Max(math.Min(x-s.grad[i], m.opt.Upper[i]), m.opt.Lower[i])
		most = math.Max(most, math.Abs(v-x))
	}
	return most
}

func (m *minimizer) boxDirection(s *state) ([]float64, error) {
	cauchy, c := m.cauchyPoint(s.box, s.x, s.grad)
	m.clamp(cauchy)
	target := cauchy
	if s.iter > 0 {
		var err error
		if target, err = m.subspace(s.box, cauchy, s.x, c, s.grad); err != nil {
			return nil, err
		}
		m.clamp(target)
	}
	dir := make([]float64, len(s.x))
	for i := range dir {
		dir[i] = target[i] - s.x[i]
	}
	return dir, nil
}

func (m *minimizer) boxStepSize(s *state, dir []float64) (float64, error) {
	bound := math.Inf(1)
	for i, d := range dir {
		if d == 0 {
			continue
		}
		limit := m.opt.Upper[i]
		if d < 0 {
			limit = m.opt.Lower[i]
		}
		bound = math.Min(bound, (limit-s.x[i])/d)
	}
	if bound < 1 {
		return 0, errSearch
	}
	return strongWolfe(func(t float64) (float64, float64) {
		v, g := m.eval(m.take(s, dir, t))
		return v, dot(g, dir)
	}, 1, bound, 64, 64)
}

// cauchyPoint goes down the projected gradient to the first minimum of the quadratic model.
func (m *minimizer) cauchyPoint(h *box, x, g []float64) (cauchy, c []float64) {
	n, k := len(x), h.w.RawMatrix().Cols
	d, t := make([]float64, n), make([]float64, n)
	for i, gi := range g {
		switch {
		case gi == 0:
			t[i] = math.MaxFloat64
			continue
		case gi < 0:
			t[i] = (x[i] - m.opt.Upper[i]) / gi
		default:
			t[i] = (x[i] - m.opt.Lower[i]) / gi
		}
		if t[i] != 0 {
			d[i] = -gi
		}
	}
	order := make([]int, n)
	for i := range order {
		order[i] = i
	}
	slices.SortStableFunc(order, func(a, b int) int {
		switch {
		case t[a] < t[b]:
			return -1
		case t[a] > t[b]:
			return 1
		}
		return 0
	})
	cauchy, c = slices.Clone(x), make([]float64, k)
	p := mulTrans(h.w, d)
	slope := dot(g, d)
	curve := -h.theta*slope - dot(p, mul(h.m, p))
	best := -(slope / curve)
	at := slices.IndexFunc(order, func(i int) bool { return t[i] != 0 })
	if at < 0 {
		return cauchy, c
	}
	old := 0.0
	for at < n && t[order[at]]-old <= best {
		b := order[at]
		dt := t[b] - old
		cauchy[b] = m.opt.Lower[b]
		if d[b] > 0 {
			cauchy[b] = m.opt.Upper[b]
		}
		z := cauchy[b] - x[b]
		axpy(dt, p, c)
		row := h.w.RawRowView(b)
		slope += dt*curve + g[b]*g[b] + h.theta*g[b]*z - g[b]*dot(row, mul(h.m, c))
		curve += -h.theta*g[b]*g[b] - 2*g[b]*dot(row, mul(h.m, p)) - g[b]*g[b]*dot(row, mul(h.m, row))
		axpy(g[b], row, p)
		d[b] = 0
		best = -slope / curve
		old = t[b]
		at++
	}
	best = math.Max(best, 0)
	old += best
	for ; at < n; at++ {
		i := order[at]
		cauchy[i] = x[i] + old*d[i]
	}
	axpy(best, p, c)
	return cauchy, c
}

// subspace minimises the quadratic model over the variables that are free at the Cauchy point.
func (m *minimizer) subspace(h *box, cauchy, x, c, g []float64) ([]float64, error) {
	var free []int
	for i, v := range cauchy {
		if v != m.opt.Upper[i] && v != m.opt.Lower[i] {
			free = append(free, i)
		}
	}
	out := slices.Clone(cauchy)
	if len(free) == 0 {
		return out, nil
	}
	k := h.w.RawMatrix().Cols
	wz := mat.NewDense(k, len(free), nil)
	for j, i := range free {
		wz.SetCol(j, h.w.RawRowView(i))
	}
	wmc := mul(h.w, mul(h.m, c))
	rc := make([]float64, len(free))
	for j, i := range free {
		rc[j] = g[i] + (cauchy[i]-x[i])*h.theta - wmc[i]
	}
	inv := 1 / h.theta
	v := mul(h.m, mul(wz, rc))
	var n, mn mat.Dense
	n.Mul(wz, wz.T())
	n.Scale(inv, &n)
	mn.Mul(h.m, &n)
	eye := mat.NewDense(k, k, nil)
	for i := range k {
		eye.Set(i, i, 1)
	}
	eye.Sub(eye, &mn)
	var solved mat.VecDense
	if err := solved.SolveVec(eye, mat.NewVecDense(k, v)); err != nil {
		if near := mat.Condition(0); !errors.As(err, &near) {
			return nil, errHistory
		}
	}
	wzv := mulTrans(wz, solved.RawVector().Data)
	alpha := 1.0
	du := make([]float64, len(free))
	for j, i := range free {
		du[j] = -(rc[j]*inv + wzv[j]*inv*inv)
		if du[j] > 0 {
			alpha = math.Min(alpha, (m.opt.Upper[i]-cauchy[i])/du[j])
		} else if du[j] < 0 {
			alpha = math.Min(alpha, (m.opt.Lower[i]-cauchy[i])/du[j])
		}
	}
	for j, i := range free {
		out[i] += du[j] * alpha
	}
	return out, nil
}

// updated adds a step to the history if it tells of positive curvature.
func (h *box) updated(ds, dg []float64) (*box, error) {
	n := &box{theta: h.theta, w: h.w, m: h.m, limit: h.limit}
	n.ys, n.ss = append(slices.Clone(h.ys), dg), append(slices.Clone(h.ss), ds)
	if len(n.ys) > h.limit {
		n.ys, n.ss = n.ys[1:], n.ss[1:]
	}
	if !(2.2e-16*norm(dg) < math.Abs(dot(ds, dg))) {
		return h, nil
	}
	n.theta = dot(dg, dg) / dot(dg, ds)
	k := len(n.ys)
	n.w = mat.NewDense(len(ds), 2*k, nil)
	mm := mat.NewDense(2*k, 2*k, nil)
	for a := range k {
		n.w.SetCol(a, n.ys[a])
		for i, v := range n.ss[a] {
			n.w.Set(i, k+a, v*n.theta)
		}
		for b := range k {
			sy := dot(n.ss[a], n.ys[b])
			switch {
			case a == b:
				mm.Set(a, a, -sy)
			case a > b:
				mm.Set(k+a, b, sy)
				mm.Set(b, k+a, sy)
			}
			mm.Set(k+a, k+b, dot(n.ss[a], n.ss[b])*n.theta)
		}
	}
	n.m = &mat.Dense{}
	if err := n.m.Inverse(mm); err != nil {
		if near := mat.Condition(0); !errors.As(err, &near) {
			return nil, errHistory
		}
	}
	return n, nil
}

func mul(a *mat.Dense, x []float64) []float64 {
	r, _ := a.Dims()
	out := make([]float64, r)
	for i := range out {
		out[i] = dot(a.RawRowView(i), x)
	}
	return out
}

func mulTrans(a *mat.Dense, x []float64) []float64 {
	_, c := a.Dims()
	out := make([]float64, c)
	for i, v := range x {
		axpy(v, a.RawRowView(i), out)
	}
	return out
}
