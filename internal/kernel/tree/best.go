package tree

import (
	"math"
	"slices"
)

// candidate is the best split found for a node so far.
type candidate struct {
	gain              float64
	valid             bool
	impurity          float64 // of the node itself
	self, left, right stats
	split             Split
	goLeft            []bool // per bin
}

// finder looks for a node's best split; one per goroutine, its buffers are reused.
type finder struct {
	g           *Grower
	cum         []float64 // a feature's cells, summed up from the first
	left, right []float64
	order       []int
	centroid    []float64
	best        candidate
	leftRaw     float64
	rightRaw    float64
	bestLeft    stats
	bestRight   stats
	known       bool // whether best.self is set
}

// run looks at every split of the node's features. h holds the node's cells, feature after feature.
func (w *finder) run(n *node, h []float64) candidate {
	g := w.g
	w.best = candidate{gain: math.Inf(-1)}
	w.known = false
	if n.depth > 0 {
		w.best.self, w.best.impurity, w.known = n.self, n.impurity, true
	}
	w.left, w.right = resize(w.left, g.width), resize(w.right, g.width)
	at, first := 0, -1
	for _, f := range n.features {
		x := &g.features[f]
		cells := h[at : at+x.bins*g.cell]
		at += len(cells)
		if first < 0 {
			first = f
		}
		if x.splits == 0 {
			continue
		}
		switch {
		case x.arity == 0:
			w.continuous(f, x, cells)
		case x.unordered:
			w.unordered(f, x, cells)
		default:
			w.ordered(f, x, cells)
		}
	}
	if math.IsInf(w.best.gain, -1) { // no feature has a split
		w.best.gain = invalidGain
		if !w.known {
			w.setSelf(g.sumCells(h[:g.features[first].bins*g.cell]))
		}
	}
	if w.best.valid {
		w.best.left = stats{slices.Clone(w.bestLeft.v), w.bestLeft.raw}
		w.best.right = stats{slices.Clone(w.bestRight.v), w.bestRight.raw}
	}
	return w.best
}

func (w *finder) setSelf(s stats) {
	w.best.self, w.best.impurity, w.known = s, w.g.cfg.Impurity.of(s.v), true
}

// try weighs one split: the left side's cell against the sum of all. It says whether the split
// is the best so far.
func (w *finder) try(left, all []float64) bool {
	g := w.g
	width, m := g.width, g.cfg.Impurity
	for k := range width {
		w.left[k] = left[k]
		w.right[k] = all[k] - left[k]
	}
	if !w.known {
		s := stats{v: make([]float64, width)}
		for k := range width {
			s.v[k] = w.left[k] + w.right[k]
		}
		s.raw = g.rawOf(all)
		w.setSelf(s)
	}
	w.leftRaw = g.rawOf(left)
	w.rightRaw = g.rawOf(all) - w.leftRaw
	gain, valid := invalidGain, false
	minRaw := float64(g.cfg.MinInstances)
	leftCount, rightCount := m.count(w.left), m.count(w.right)
	if !(w.leftRaw < minRaw || w.rightRaw < minRaw || leftCount < g.minWeight || rightCount < g.minWeight) {
		all := leftCount + rightCount
		gain = w.best.impurity - float64(leftCount/all*m.of(w.left)) - float64(rightCount/all*m.of(w.right))
		if valid = !(gain < g.cfg.MinInfoGain); !valid {
			gain = invalidGain
		}
	}
	if !greater(gain, w.best.gain) {
		return false
	}
	w.best.gain, w.best.valid = gain, valid
	w.bestLeft = stats{append(w.bestLeft.v[:0], w.left...), w.leftRaw}
	w.bestRight = stats{append(w.bestRight.v[:0], w.right...), w.rightRaw}
	return true
}

// greater compares as Java's Double.compare: NaN is above everything.
func greater(a, b float64) bool { return a > b || a != a && b == b }

func (w *finder) continuous(f int, x *feature, cells []float64) {
	c := w.g.cell
	w.cum = append(w.cum[:0], cells...)
	for i := c; i < len(w.cum); i++ {
		w.cum[i] += w.cum[i-c]
	}
	all := w.cum[len(w.cum)-c:]
	at := -1
	for b := range x.splits {
		if w.try(w.cum[b*c:b*c+c], all) {
			at = b
		}
	}
	if at >= 0 {
		w.best.split = Split{Feature: f, Threshold: x.threshold[at]}
		w.best.goLeft = make([]bool, x.bins)
		for b := range at + 1 {
			w.best.goLeft[b] = true
		}
	}
}

// ordered tries the categories in the order of their labels' mean.
func (w *finder) ordered(f int, x *feature, cells []float64) {
	g := w.g
	c := g.cell
	w.order, w.centroid = w.order[:0], w.centroid[:0]
	for b := range x.bins {
		v := cells[b*c : b*c+g.width]
		centroid := math.MaxFloat64
		if g.cfg.Impurity.count(v) != 0 {
			switch {
			case g.cfg.Classes > 2:
				centroid = g.cfg.Impurity.of(v)
			case g.cfg.Classes == 2:
				centroid = v[1]
			default:
				centroid = g.cfg.Impurity.predict(v)
			}
		}
		w.order, w.centroid = append(w.order, b), append(w.centroid, centroid)
	}
	slices.SortStableFunc(w.order, func(a, b int) int { return compareDouble(w.centroid[a], w.centroid[b]) })
	w.cum = w.cum[:0]
	for k, b := range w.order {
		w.cum = append(w.cum, cells[b*c:b*c+c]...)
		if k > 0 {
			for j := k * c; j < k*c+c; j++ {
				w.cum[j] += w.cum[j-c]
			}
		}
	}
	all := w.cum[len(w.cum)-c:]
	at := -1
	for b := range x.splits {
		if w.try(w.cum[b*c:b*c+c], all) {
			at = b
		}
	}
	if at >= 0 {
		w.take(f, x, w.order[:at+1])
	}
}

func compareDouble(a, b float64) int {
	switch {
	case a < b:
		return -1
	case a > b:
		return 1
	}
	return 0
}

// unordered tries every division of the categories into two.
func (w *finder) unordered(f int, x *feature, cells []float64) {
	g := w.g
	c := g.cell
	all := make([]float64, c)
	for i, v := range cells {
		all[i%c] += v
	}
	at := -1
	w.cum = resize(w.cum, c)
	for s := 1; s <= x.splits; s++ {
		clear(w.cum)
		for b := range x.arity {
			if s>>b&1 != 0 {
				for k := range c {
					w.cum[k] += cells[b*c+k]
				}
			}
		}
		if w.try(w.cum, all) {
			at = s
		}
	}
	if at < 0 {
		return
	}
	w.order = w.order[:0]
	for b := x.arity - 1; b >= 0; b-- {
		if at>>b&1 != 0 {
			w.order = append(w.order, b)
		}
	}
	w.take(f, x, w.order)
}

func (w *finder) take(f int, x *feature, left []int) {
	w.best.split = Split{Feature: f, Arity: x.arity, Categories: make([]float64, len(left))}
	w.best.goLeft = make([]bool, x.bins)
	for k, b := range left {
		w.best.split.Categories[k] = float64(b)
		w.best.goLeft[b] = true
	}
}

func resize(v []float64, n int) []float64 {
	if cap(v) < n {
		return make([]float64, n)
	}
	return v[:n]
}
