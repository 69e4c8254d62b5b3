package metric

import (
	"math"

	"github.com/millpond/millpond/internal/kernel/radix"
)

// Point is a point of a curve.
type Point struct{ X, Y float64 }

// Binary is the confusion at each threshold of a binary classifier's scores, thresholds falling.
type Binary struct {
	Thresholds     []float64
	truePositives  []float64 // weight of positives at or above the threshold
	falsePositives []float64
	positives      float64
	negatives      float64
}

// NewBinary sorts rows by score; a label above one half is positive, weights may be nil. Curves
// of many distinct scores are cut to about numBins points as Spark cuts them, 0 keeps all.
func NewBinary(scores, labels, weights []float64, numBins int) *Binary {
	order := radix.Order(scores)
	b := &Binary{}
	for i := len(order) - 1; i >= 0; {
		at := scores[order[i]]
		for ; i >= 0 && (scores[order[i]] == at || at != at); i-- { // NaN is below all others
			b.count(order[i], labels, weights)
		}
		b.push(at + 0) // which makes -0 plain
	}
	b.coarsen(numBins)
	return b
}

func (b *Binary) count(row int32, labels, weights []float64) {
	w := 1.0
	if weights != nil {
		w = weights[row]
	}
	if labels[row] > 0.5 {
		b.positives += w
	} else {
		b.negatives += w
	}
}

func (b *Binary) push(threshold float64) {
	b.Thresholds = append(b.Thresholds, threshold)
	b.truePositives = append(b.truePositives, b.positives)
	b.falsePositives = append(b.falsePositives, b.negatives)
}

// coarsen keeps every n-th point, and the last.
func (b *Binary) coarsen(numBins int) {
	if numBins <= 0 {
		return
	}
	n := len(b.Thresholds)
	step := n / numBins
	if step < 2 {
		return
	}
	k := 0
	for i := step - 1; ; i += step {
		i = min(i, n-1)
		b.Thresholds[k], b.truePositives[k], b.falsePositives[k] = b.Thresholds[i], b.truePositives[i], b.falsePositives[i]
		k++
		if i == n-1 {
			break
		}
	}
	b.Thresholds, b.truePositives, b.falsePositives = b.Thresholds[:k], b.truePositives[:k], b.falsePositives[:k]
}

// Len is the number of thresholds.
func (b *Binary) Len() int { return len(b.Thresholds) }

// Recall, Precision, FalsePositiveRate and FMeasure are those at threshold i.
func (b *Binary) Recall(i int) float64 {
	if b.positives == 0 {
		return 0
	}
	return b.truePositives[i] / b.positives
}

func (b *Binary) FalsePositiveRate(i int) float64 {
	if b.negatives == 0 {
		return 0
	}
	return b.falsePositives[i] / b.negatives
}

func (b *Binary) Precision(i int) float64 {
	if all := b.truePositives[i] + b.falsePositives[i]; all != 0 {
		return b.truePositives[i] / all
	}
	return 1
}

func (b *Binary) FMeasure(i int, beta float64) float64 {
	return fMeasure(b.Precision(i), b.Recall(i), beta)
}

func fMeasure(precision, recall, beta float64) float64 {
	if precision+recall == 0 {
		return 0
	}
	b2 := beta * beta
	return (1 + b2) * (precision * recall) / (b2*precision + recall)
}

// ROC is the curve of recall over false positive rate, from (0,0) to (1,1).
func (b *Binary) ROC() []Point {
	out := append(make([]Point, 0, b.Len()+2), Point{})
	for i := range b.Thresholds {
		out = append(out, Point{b.FalsePositiveRate(i), b.Recall(i)})
	}
	return append(out, Point{1, 1})
}

// PR is the curve of precision over recall; the first point repeats the first precision.
func (b *Binary) PR() []Point {
	if b.Len() == 0 {
		return nil
	}
	out := append(make([]Point, 0, b.Len()+1), Point{0, b.Precision(0)})
	for i := range b.Thresholds {
		out = append(out, Point{b.Recall(i), b.Precision(i)})
	}
	return out
}

// ByThreshold gives a metric at every threshold.
func (b *Binary) ByThreshold(metric func(i int) float64) []Point {
	out := make([]Point, b.Len())
	for i, t := range b.Thresholds {
		out[i] = Point{t, metric(i)}
	}
	return out
}

// Area is the area under a curve by trapezoids.
func Area(curve []Point) float64 {
	sum := 0.0
	for i := 1; i < len(curve); i++ {
		a, b := curve[i-1], curve[i]
		sum += (b.X - a.X) * (b.Y + a.Y) / 2
	}
	return sum
}

// AreaUnderROC and AreaUnderPR are the areas under those curves.
func (b *Binary) AreaUnderROC() float64 { return Area(b.ROC()) }
func (b *Binary) AreaUnderPR() float64  { return Area(b.PR()) }

// LogLoss gathers the logarithmic loss of predicted probabilities. The zero value is ready.
type LogLoss struct{ loss, weight float64 }

// Add takes the probability that was given to the true class of a row.
func (l *LogLoss) Add(p, eps, w float64) {
	switch {
	case p < eps:
		l.loss -= w * math.Log(eps)
	case p > 1-eps:
		l.loss -= w * math.Log1p(-eps)
	default:
		l.loss -= w * math.Log(p)
	}
	l.weight += w
}

// Mean is the loss of an average row.
func (l *LogLoss) Mean() float64 { return l.loss / l.weight }
