package metric

import (
	"maps"
	"slices"
)

// Multiclass is a confusion matrix. The zero value is ready.
type Multiclass struct {
	dense  []float64 // small whole classes, label by prediction
	others map[[2]float64]float64
	seen   []bool
	classes
}

// classes is derived from the confusions once they are complete.
type classes struct {
	labels        []float64
	count, tp, fp map[float64]float64
	total         float64
	done          bool
}

// denseClasses is the number of classes counted without a map.
const denseClasses = 64

// Add takes rows; weights may be nil.
func (m *Multiclass) Add(predictions, labels, weights []float64) {
	if m.dense == nil {
		m.dense, m.seen = make([]float64, denseClasses*denseClasses), make([]bool, denseClasses*denseClasses)
		m.others = map[[2]float64]float64{}
	}
	m.done = false
	for i, p := range predictions {
		w := 1.0
		if weights != nil {
			w = weights[i]
		}
		y := labels[i]
		if y >= 0 && p >= 0 && y < denseClasses && p < denseClasses {
			if a, b := int(y), int(p); float64(a) == y && float64(b) == p {
				m.dense[a*denseClasses+b] += w
				m.seen[a*denseClasses+b] = true
				continue
			}
		}
		m.others[[2]float64{y + 0, p + 0}] += w
	}
}

func (m *Multiclass) each(visit func(label, prediction, weight float64)) {
	for i, s := range m.seen {
		if s {
			visit(float64(i/denseClasses), float64(i%denseClasses), m.dense[i])
		}
	}
	keys := slices.SortedFunc(maps.Keys(m.others), func(a, b [2]float64) int { return slices.Compare(a[:], b[:]) })
	for _, k := range keys {
		visit(k[0], k[1], m.others[k])
	}
}

func (m *Multiclass) finish() {
	if m.done {
		return
	}
	m.classes = classes{count: map[float64]float64{}, tp: map[float64]float64{}, fp: map[float64]float64{}, done: true}
	m.each(func(y, p, w float64) {
		m.count[y] += w
		m.total += w
		if y == p {
			m.tp[y] += w
		} else {
			m.tp[y] += 0
			m.fp[p] += w
		}
	})
	m.labels = slices.Sorted(maps.Keys(m.count))
}

// Labels gives the labels that occur, rising.
func (m *Multiclass) Labels() []float64 { m.finish(); return m.labels }

// Has says whether a label occurs: the metrics by label are only defined if it does.
func (m *Multiclass) Has(label float64) bool { m.finish(); _, ok := m.count[label]; return ok }

// Confusion gives the matrix of weights over Labels: a row per label, a column per prediction.
func (m *Multiclass) Confusion() [][]float64 {
	m.finish()
	place := map[float64]int{}
	out := make([][]float64, len(m.labels))
	for i, l := range m.labels {
		place[l], out[i] = i, make([]float64, len(m.labels))
	}
	m.each(func(y, p, w float64) {
		if k, ok := place[p]; ok {
			out[place[y]][k] += w
		}
	})
	return out
}

// Recall is the share of a label's rows that are predicted so: its true positive rate.
func (m *Multiclass) Recall(label float64) float64 { m.finish(); return m.tp[label] / m.count[label] }

// FalsePositiveRate is the share of other labels' rows that are predicted to be of this one.
func (m *Multiclass) FalsePositiveRate(label float64) float64 {
	m.finish()
	return m.fp[label] / (m.total - m.count[label])
}

// Precision is the share of a label's predictions that are right.
func (m *Multiclass) Precision(label float64) float64 {
	m.finish()
	if all := m.tp[label] + m.fp[label]; all != 0 {
		return m.tp[label] / all
	}
	return 0
}

// FMeasure is the weighted harmonic mean of precision and recall.
func (m *Multiclass) FMeasure(label, beta float64) float64 {
	return fMeasure(m.Precision(label), m.Recall(label), beta)
}

// Weighted is a metric's mean over the labels by their weight.
func (m *Multiclass) Weighted(metric func(label float64) float64) float64 {
	m.finish()
	sum := 0.0
	for _, l := range m.labels {
		sum += metric(l) * m.count[l] / m.total
	}
	return sum
}

// Accuracy is the share of rows predicted right.
func (m *Multiclass) Accuracy() float64 {
	m.finish()
	sum := 0.0
	for _, l := range m.labels {
		sum += m.tp[l]
	}
	return sum / m.total
}

// HammingLoss is the share of rows predicted wrong.
func (m *Multiclass) HammingLoss() float64 {
	m.finish()
	sum := 0.0
	m.each(func(y, p, w float64) {
		if y != p {
			sum += w
		}
	})
	return sum / m.total
}
