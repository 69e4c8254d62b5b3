package linalg

import (
	"math"
	"slices"

	"github.com/millpond/millpond/internal/kernel/optimize"
)

// Problem is a linear model's training data together with how its features are standardised: a
// model is fitted to features divided by their deviation and, if Center, less their mean,
// without the rows being touched.
type Problem struct {
	Rows            *Rows
	Labels, Weights []float64 // Weights nil for all 1
	InvStd          []float64 // 0 for a feature that does not vary
	ScaledMean      []float64 // mean times InvStd
	Center          bool
	Reg             float64   // L2 penalty
	RegStd          []float64 // deviations by which the penalty is on features as they are; nil if on standardised ones

	weightSum float64
	parts     []*lossPart
}

type lossPart struct {
	loss, multipliers float64
	extra             float64 // gradient of a further variable
	grad              []float64
	logs              logSum // of rows that all weigh 1
}

// Standardize fills in the problem's scaling from the features' statistics.
func (p *Problem) Standardize(mean, std []float64) {
	p.InvStd, p.ScaledMean = make([]float64, len(std)), make([]float64, len(std))
	for j, s := range std {
		if s != 0 {
			p.InvStd[j] = 1 / s
		}
		p.ScaledMean[j] = p.InvStd[j] * mean[j]
	}
}

func (p *Problem) weight(i int) float64 {
	if p.Weights == nil {
		return 1
	}
	return p.Weights[i]
}

func (p *Problem) prepare() {
	if p.weightSum != 0 {
		return
	}
	for i := range p.Rows.N {
		p.weightSum += p.weight(i)
	}
}

// lossChunk is the least number of rows of a piece of work.
const lossChunk = 8192

// run evaluates rows in parallel: each gives a row's loss and the multiplier of its gradient,
// given the margin. eff are coefficients for the rows as they lie.
func (p *Problem) run(eff []float64, offset float64, each func(part *lossPart, i int, margin float64) (loss, multiplier float64)) *lossPart {
	p.prepare()
	if p.parts == nil {
		p.parts = make([]*lossPart, 65)
	}
	parts := Chunks(p.Rows.N, lossChunk, 64, func(c, lo, hi int) *lossPart {
		part := p.parts[c]
		if part == nil {
			part = &lossPart{grad: make([]float64, p.Rows.D)}
			p.parts[c] = part
		}
		part.loss, part.multipliers, part.extra = 0, 0, 0
		part.logs = logSum{product: 1}
		clear(part.grad)
		for i := lo; i < hi; i++ {
			if p.Weights != nil && p.Weights[i] == 0 {
				continue
			}
			loss, m := each(part, i, p.Rows.Dot(i, eff)+offset)
			part.loss += loss
			if m != 0 {
				part.multipliers += m
				p.Rows.AddTo(i, m, part.grad)
			}
		}
		part.loss += part.logs.value()
		return part
	})
	sum := &lossPart{grad: make([]float64, p.Rows.D)}
	for _, part := range parts {
		sum.loss += part.loss
		sum.multipliers += part.multipliers
		sum.extra += part.extra
		for j, g := range part.grad {
			sum.grad[j] += g
		}
	}
	return sum
}

// effective gives coefficients for rows as they lie, and what centering adds to each margin.
func (p *Problem) effective(x []float64) (eff []float64, offset float64) {
	eff = make([]float64, p.Rows.D)
	for j := range eff {
		eff[j] = x[j] * p.InvStd[j]
		if p.Center {
			offset -= x[j] * p.ScaledMean[j]
		}
	}
	return eff, offset
}

// finish turns the sums into mean loss and gradient, with the penalty.
func (p *Problem) finish(sum *lossPart, x, grad []float64) float64 {
	for j, g := range sum.grad {
		g *= p.InvStd[j]
		if p.Center {
			g -= sum.multipliers * p.ScaledMean[j]
		}
		grad[j] = g / p.weightSum
	}
	return sum.loss/p.weightSum + p.penalty(x, grad, 1)
}

// penalty adds the L2 penalty's gradient and gives its value; sets coefficients belong to each
// feature.
func (p *Problem) penalty(x, grad []float64, sets int) float64 {
	if p.Reg == 0 {
		return 0
	}
	sum := 0.0
	for i := range p.Rows.D * sets {
		c := x[i]
		if p.RegStd != nil {
			s := p.RegStd[i/sets]
			if s == 0 {
				continue
			}
			c /= s * s
		}
		sum += x[i] * c
		grad[i] += p.Reg * c
	}
	return 0.5 * p.Reg * sum
}

// Squared is half the mean squared error of standardised labels; the intercept is left out.
func (p *Problem) Squared(yMean, yStd float64) optimize.Func {
	return func(x, grad []float64) float64 {
		eff, offset := p.effective(x)
		if p.Center {
			offset += yMean / yStd
		}
		sum := p.run(eff, offset, func(_ *lossPart, i int, margin float64) (float64, float64) {
			w, d := p.weight(i), margin-p.Labels[i]/yStd
			return w * d * d / 2, w * d
		})
		return p.finish(sum, x, grad)
	}
}

// Huber is Owen's concomitant Huber loss. The last variable is the scale sigma, the one before
// it the intercept if intercept.
func (p *Problem) Huber(epsilon float64, intercept bool) optimize.Func {
	return func(x, grad []float64) float64 {
		sigma := x[len(x)-1]
		eff, offset := p.effective(x)
		if intercept {
			offset += x[p.Rows.D]
		}
		sum := p.run(eff, offset, func(part *lossPart, i int, margin float64) (float64, float64) {
			w, d := p.weight(i), p.Labels[i]-margin
			if math.Abs(d) <= sigma*epsilon {
				part.extra += 0.5 * w * (1 - (d/sigma)*(d/sigma))
				return 0.5 * w * (sigma + d*d/sigma), -w * d / sigma
			}
			m := w * epsilon
			if d >= 0 {
				m = -m
			}
			part.extra += 0.5 * w * (1 - epsilon*epsilon)
			return 0.5 * w * (sigma + 2*epsilon*math.Abs(d) - sigma*epsilon*epsilon), m
		})
		if intercept {
			grad[p.Rows.D] = sum.multipliers / p.weightSum
		}
		grad[len(x)-1] = sum.extra / p.weightSum
		return p.finish(sum, x, grad)
	}
}

// Binomial is the mean log loss of labels 0 and 1. The last variable is the intercept if intercept.
func (p *Problem) Binomial(intercept bool) optimize.Func {
	return func(x, grad []float64) float64 {
		eff, offset := p.effective(x)
		if intercept {
			offset += x[p.Rows.D]
		}
		sum := p.run(eff, offset, func(part *lossPart, i int, margin float64) (float64, float64) {
			prob, odds := logistic(margin)
			label := p.Labels[i]
			loss := 0.0
			if margin <= 0 {
				loss = -margin
			}
			if !(label > 0) {
				loss += margin
			}
			if p.Weights == nil {
				part.logs.add(odds)
				return loss, prob - label
			}
			return p.Weights[i] * (loss + math.Log(odds)), p.Weights[i] * (prob - label)
		})
		if intercept {
			grad[p.Rows.D] = sum.multipliers / p.weightSum
		}
		return p.finish(sum, x, grad)
	}
}

// logistic gives 1 / (1 + exp(-m)) and 1 + exp(-|m|) without overflow: a row's loss is the
// logarithm of the second, less m if that is negative.
func logistic(m float64) (prob, odds float64) {
	if m > 0 {
		e := exp(-m)
		return 1 / (1 + e), 1 + e
	}
	e := exp(m)
	return e / (1 + e), 1 + e
}

// logSum adds up logarithms of numbers from 1 to 1e20: it multiplies them, and takes one logarithm
// for many rows.
type logSum struct{ sum, product float64 }

func (l *logSum) add(v float64) {
	l.product *= v
	if l.product > 1e285 {
		l.sum += math.Log(l.product)
		l.product = 1
	}
}

func (l *logSum) value() float64 { return l.sum + math.Log(l.product) }

// Multinomial is the mean log loss over classes. Variables lie by feature, then by class; the
// intercepts come last if intercept.
func (p *Problem) Multinomial(classes int, intercept bool) optimize.Func {
	d := p.Rows.D
	return func(x, grad []float64) float64 {
		p.prepare()
		eff, offset := make([]float64, d*classes), make([]float64, classes)
		if intercept {
			copy(offset, x[d*classes:])
		}
		for j := range d {
			for k := range classes {
				c := x[j*classes+k]
				eff[p.Rows.place(j, k, classes)] = c * p.InvStd[j]
				if p.Center {
					offset[k] -= c * p.ScaledMean[j]
				}
			}
		}
		type part struct {
			loss        float64
			mult, grads []float64
		}
		parts := Chunks(p.Rows.N, lossChunk, 32, func(_, lo, hi int) part {
			out := part{mult: make([]float64, classes), grads: make([]float64, d*classes)}
			m, logs := make([]float64, classes), logSum{product: 1}
			for i := lo; i < hi; i++ {
				w := p.weight(i)
				if w == 0 {
					continue
				}
				copy(m, offset)
				p.Rows.margins(i, eff, m)
				own, sum := softmax(m, int(p.Labels[i]))
				if w == 1 {
					out.loss -= own
					logs.add(sum)
				} else {
					out.loss += w * (math.Log(sum) - own)
				}
				for k := range m {
					m[k] *= w
					out.mult[k] += m[k]
				}
				p.Rows.outer(i, m, out.grads)
			}
			out.loss += logs.value()
			return out
		})
		loss, mult, sums := 0.0, make([]float64, classes), make([]float64, d*classes)
		for _, q := range parts {
			loss += q.loss
			for k, v := range q.mult {
				mult[k] += v
			}
			for i, g := range q.grads {
				sums[i] += g
			}
		}
		for j := range d {
			for k := range classes {
				g := sums[p.Rows.place(j, k, classes)] * p.InvStd[j]
				if p.Center {
					g -= mult[k] * p.ScaledMean[j]
				}
				grad[j*classes+k] = g / p.weightSum
			}
		}
		if intercept {
			for k, v := range mult {
				grad[d*classes+k] = v / p.weightSum
			}
		}
		return loss/p.weightSum + p.penalty(x, grad, classes)
	}
}

// softmax turns a row's margins into the gradient's multipliers; the row's log loss is the
// logarithm of sum less own.
func softmax(m []float64, label int) (own, sum float64) {
	base, far := m[0], false
	for _, v := range m {
		d := v - base
		far = far || !(d > -farMargin && d < farMargin)
	}
	if far { // the greatest margin is a safe base
		base = slices.Max(m)
	}
	own = m[label] - base
	first := 1.0
	if far {
		first = exp(m[0] - base)
	}
	m[0], sum = first, first
	for k, v := range m[1:] {
		e := exp(v - base)
		m[k+1] = e
		sum += e
	}
	inverse := 1 / sum
	for k := range m {
		m[k] *= inverse
	}
	m[label]--
	return own, sum
}

// farMargin is how far margins may lie from the first for the exponentials of their differences to
// be multiplied by the hundred (see logSum).
const farMargin = 40

// place is where tables of margins and outer hold feature j's value for class k: beside what is
// used together.
func (r *Rows) place(j, k, classes int) int {
	if r.Dense != nil {
		return k*r.D + j
	}
	return j*classes + k
}

// margins adds row i times a table of features and classes to m.
func (r *Rows) margins(i int, table, m []float64) {
	if r.Dense != nil {
		row := r.Row(i)
		for k := range m {
			s, c := m[k], table[k*len(row):(k+1)*len(row)]
			for j, v := range row {
				s += v * c[j]
			}
			m[k] = s
		}
		return
	}
	idx, val := r.SparseRow(i)
	for k, j := range idx {
		axpyShort(val[k], table[int(j)*len(m):], m)
	}
}

// outer adds row i times m to a table of features and classes.
func (r *Rows) outer(i int, m, table []float64) {
	if r.Dense != nil {
		row := r.Row(i)
		for k, a := range m {
			axpyShort(a, row, table[k*len(row):(k+1)*len(row)])
		}
		return
	}
	idx, val := r.SparseRow(i)
	for k, j := range idx {
		axpyShort(val[k], m, table[int(j)*len(m):(int(j)+1)*len(m)])
	}
}

// axpyShort adds a times x to y, which may be shorter.
func axpyShort(a float64, x, y []float64) {
	x = x[:len(y)]
	for k := range y {
		y[k] += a * x[k]
	}
}
