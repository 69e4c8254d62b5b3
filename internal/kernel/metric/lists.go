package metric

import (
	"math"
	"slices"
)

// Multilabel measures predicted sets of labels. The zero value is ready.
type Multilabel struct {
	rows, same                               float64
	accuracy, hamming, precision, recall, f1 float64
	tp, fp, fn                               map[float64]float64
	labels                                   map[float64]bool
}

// Add takes a row: what was predicted and what is true.
func (m *Multilabel) Add(predictions, labels []float64) {
	if m.tp == nil {
		m.tp, m.fp, m.fn, m.labels = map[float64]float64{}, map[float64]float64{}, map[float64]float64{}, map[float64]bool{}
	}
	both := 0.0
	for _, p := range predictions {
		if slices.Contains(labels, p) {
			both++
			m.tp[p]++
		} else {
			m.fp[p]++
		}
	}
	for _, l := range labels {
		m.labels[l] = true
		if !slices.Contains(predictions, l) {
			m.fn[l]++
		}
	}
	np, nl := float64(len(predictions)), float64(len(labels))
	m.rows++
	if slices.Equal(predictions, labels) {
		m.same++
	}
	m.accuracy += both / (nl + np - both)
	m.hamming += nl + np - 2*both
	if np > 0 {
		m.precision += both / np
	}
	m.recall += both / nl // not a number for a row without labels, as in Spark
	m.f1 += 2 * both / (np + nl)
}

// The means over rows.
func (m *Multilabel) SubsetAccuracy() float64 { return m.same / m.rows }
func (m *Multilabel) Accuracy() float64       { return m.accuracy / m.rows }
func (m *Multilabel) HammingLoss() float64    { return m.hamming / m.rows / float64(len(m.labels)) }
func (m *Multilabel) Precision() float64      { return m.precision / m.rows }
func (m *Multilabel) Recall() float64         { return m.recall / m.rows }
func (m *Multilabel) F1() float64             { return m.f1 / m.rows }

// Has says whether a label was predicted rightly at least once: the metrics by label are only
// defined if it was.
func (m *Multilabel) Has(label float64) bool { return m.tp[label] > 0 }

// PrecisionOf, RecallOf and F1Of are those of one label.
func (m *Multilabel) PrecisionOf(l float64) float64 { return share(m.tp[l], m.fp[l]) }
func (m *Multilabel) RecallOf(l float64) float64    { return share(m.tp[l], m.fn[l]) }
func (m *Multilabel) F1Of(l float64) float64        { return fMeasure(m.PrecisionOf(l), m.RecallOf(l), 1) }

// MicroPrecision, MicroRecall and MicroF1 count all labels together.
func (m *Multilabel) MicroPrecision() float64 { return sum(m.tp) / (sum(m.tp) + sum(m.fp)) }
func (m *Multilabel) MicroRecall() float64    { return sum(m.tp) / (sum(m.tp) + sum(m.fn)) }
func (m *Multilabel) MicroF1() float64 {
	return 2 * sum(m.tp) / (2*sum(m.tp) + sum(m.fn) + sum(m.fp))
}

func share(hits, misses float64) float64 {
	if hits+misses == 0 {
		return 0
	}
	return hits / (hits + misses)
}

func sum(counts map[float64]float64) float64 { // whole numbers: the order does not matter
	s := 0.0
	for _, c := range counts {
		s += c
	}
	return s
}

// Ranking measures ordered predictions against relevant labels, up to place K.
type Ranking struct {
	K                                     int
	rows                                  float64
	mean, meanAt, precision, ndcg, recall float64
}

// Add takes a row: predictions, the best first, and the relevant labels.
func (r *Ranking) Add(predictions, labels []float64) {
	r.rows++
	relevant := map[float64]bool{}
	for _, l := range labels {
		relevant[l] = true
	}
	if len(relevant) == 0 {
		return
	}
	hits := 0.0
	for _, p := range predictions[:min(r.K, len(predictions))] {
		if relevant[p] {
			hits++
		}
	}
	r.precision += hits / float64(r.K)
	r.recall += hits / float64(len(relevant))
	r.mean += averagePrecision(predictions, relevant, max(len(predictions), len(relevant)))
	r.meanAt += averagePrecision(predictions, relevant, r.K)
	gain, most := 0.0, 0.0
	for i := range min(max(len(predictions), len(relevant)), r.K) {
		g := 1 / math.Log(float64(i+2))
		if i < len(predictions) && relevant[predictions[i]] {
			gain += g
		}
		if i < len(relevant) {
			most += g
		}
	}
	r.ndcg += gain / most
}

func averagePrecision(predictions []float64, relevant map[float64]bool, k int) float64 {
	hits, total := 0.0, 0.0
	for i, p := range predictions[:min(k, len(predictions))] {
		if relevant[p] {
			hits++
			total += hits / float64(i+1)
		}
	}
	return total / float64(min(len(relevant), k))
}

// The means over rows.
func (r *Ranking) MeanAveragePrecision() float64    { return r.mean / r.rows }
func (r *Ranking) MeanAveragePrecisionAtK() float64 { return r.meanAt / r.rows }
func (r *Ranking) PrecisionAtK() float64            { return r.precision / r.rows }
func (r *Ranking) NDCGAtK() float64                 { return r.ndcg / r.rows }
func (r *Ranking) RecallAtK() float64               { return r.recall / r.rows }
