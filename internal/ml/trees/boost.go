package trees

import (
	"context"
	"math"

	"github.com/millpond/millpond/internal/kernel/hist"
	"github.com/millpond/millpond/internal/kernel/random"
	"github.com/millpond/millpond/internal/kernel/tree"
	"github.com/millpond/millpond/internal/ml"
	"github.com/millpond/millpond/internal/progress"
	"github.com/millpond/millpond/internal/sparkerr"
)

// Loss is what boosting lowers. Residual is the negative gradient.
type Loss struct {
	Residual func(prediction, label float64) float64
	Error    func(prediction, label float64) float64
}

// The losses by Spark's names; logistic wants labels -1 and 1.
var Losses = map[string]Loss{
	"squared": {
		Residual: func(p, y float64) float64 { return 2 * (y - p) },
		Error:    func(p, y float64) float64 { d := p - y; return d * d },
	},
	"absolute": {
		Residual: func(p, y float64) float64 {
			if y-p < 0 {
				return -1
			}
			return 1
		},
		Error: func(p, y float64) float64 { return math.Abs(y - p) },
	},
	"logistic": {
		Residual: func(p, y float64) float64 { return 4 * y / (1 + math.Exp(2*y*p)) },
		Error:    func(p, y float64) float64 { return 2 * log1pExp(-2*y*p) },
	},
}

func log1pExp(x float64) float64 {
	if x > 0 {
		return x + math.Log1p(math.Exp(-x))
	}
	return math.Log1p(math.Exp(x))
}

// Signed turns labels 0 and 1 into -1 and 1.
func Signed(labels []float64) []float64 {
	out := make([]float64, len(labels))
	for i, y := range labels {
		out[i] = 2*y - 1
	}
	return out
}

// booster is the state of gradient boosting.
type booster struct {
	t          *Training
	p          *ml.Params
	loss       Loss
	labels     []float64
	held       []float64 // held-out labels
	prediction []float64
	residual   []float64
	heldOut    []float64 // predictions of held-out rows
	grower     *tree.Grower
	trees      []*tree.Tree
	weights    []float64
}

// Boost grows trees one after the other, each on what the ones before leave. signed says that
// labels are 0 and 1 and the loss wants -1 and 1.
func Boost(ctx context.Context, t *Training, p *ml.Params, loss Loss, signed bool) ([]*tree.Tree, []float64, error) {
	rounds := p.Int("maxIter")
	if rounds < 1 { // Spark grows the first tree before it looks
		return nil, nil, sparkerr.Plain("java.lang.ArrayIndexOutOfBoundsException", "Index 0 out of bounds for length 0")
	}
	n := t.Table.Rows
	b := &booster{t: t, p: p, loss: loss, labels: t.Labels, held: t.HeldOutLabels,
		prediction: make([]float64, n), residual: make([]float64, n)}
	if signed {
		b.labels, b.held = Signed(b.labels), Signed(b.held)
	}
	validate := t.HeldOut != nil
	if validate && len(b.held) == 0 {
		return nil, nil, sparkerr.Plain("java.lang.UnsupportedOperationException", "empty collection")
	}
	b.heldOut = make([]float64, len(b.held))
	b.grower = tree.NewGrower(tree.Data{Table: t.Table, Weights: t.Weights}, Settings(p, len(t.Table.Columns), 0, 1))
	best, bestError := 1, 0.0
	stage := progress.Start(ctx, int64(rounds))
	defer stage.End()
	for m := range rounds {
		if err := b.round(ctx, m); err != nil {
			return nil, nil, err
		}
		stage.Add(1)
		if !validate {
			continue
		}
		e := b.heldOutError()
		switch {
		case m == 0:
			bestError = e
		case bestError-e < p.Double("validationTol")*math.Max(e, 0.01):
			return b.trees[:best], b.weights[:best], nil
		case e < bestError:
			best, bestError = m+1, e
		}
	}
	if validate {
		return b.trees[:best], b.weights[:best], nil
	}
	return b.trees, b.weights, nil
}

// chunk is how many rows a goroutine takes at a time.
const chunk = 8192

// round grows tree m and brings the predictions up to date.
func (b *booster) round(ctx context.Context, m int) error {
	labels, weight := b.labels, 1.0
	n := len(b.labels)
	if m > 0 {
		weight = b.p.Double("stepSize")
		labels = b.residual
		hist.Parallel(Threads(), (n+chunk-1)/chunk, func(k int) {
			for i := k * chunk; i < min((k+1)*chunk, n); i++ {
				b.residual[i] = b.loss.Residual(b.prediction[i], b.labels[i])
			}
		})
	}
	var counts []uint8
	seed := b.p.Long("seed") + int64(m)
	if rate := b.p.Double("subsamplingRate"); rate < 1 {
		counts = random.Bag(n, 1, rate, false, seed)
	}
	grown, err := b.grower.Grow(ctx, seed, labels, counts)
	if err != nil {
		return err
	}
	t := grown[0]
	b.trees, b.weights = append(b.trees, t), append(b.weights, weight)
	if counts == nil {
		b.grower.EachLeaf(func(rows []uint32, prediction float64) {
			step := prediction * weight
			for _, r := range rows {
				b.prediction[r] += step
			}
		})
	} else {
		t.AddBinned(b.t.Table, weight, b.prediction, Threads())
	}
	width := len(b.t.Table.Columns)
	for i := range b.heldOut {
		b.heldOut[i] += t.Predict(b.t.HeldOut[i*width:(i+1)*width]) * weight
	}
	return nil
}

func (b *booster) heldOutError() float64 {
	sum, weights := 0.0, 0.0
	for i, p := range b.heldOut {
		w := 1.0
		if b.t.HeldOutWeights != nil {
			w = b.t.HeldOutWeights[i]
		}
		sum += b.loss.Error(p, b.held[i]) * w
		weights += w
	}
	return sum / weights
}

// Margin is the weighted sum of the trees' predictions.
func (m *Model) Margin(row []float64) float64 {
	sum := 0.0
	for i, t := range m.Trees {
		sum += t.Predict(row) * m.Weights[i]
	}
	return sum
}

// EachIteration gives the loss of the model's first tree, first two trees, and so on over data.
func (m *Model) EachIteration(ctx context.Context, data ml.Frame, loss Loss, kind Labels) ([]float64, error) {
	p := m.Params()
	names := []string{p.String("featuresCol"), p.String("labelCol")}
	weightCol := p.String("weightCol")
	if weightCol != "" {
		names = append(names, weightCol)
	}
	sums, weights := make([]float64, len(m.Trees)), 0.0
	row := make([]float64, 0, m.Features)
	for batch, err := range data.Select(names...).Batches(ctx) {
		if err != nil {
			return nil, err
		}
		if batch.NumRows() == 0 {
			continue
		}
		l := &loader{params: p, kind: kind, weightCol: weightCol}
		if err := l.batch(batch, nil); err != nil {
			return nil, err
		}
		labels := l.out.Labels
		if kind == BinaryLabels {
			labels = Signed(labels)
		}
		row = grow(row, l.rows.width)
		if len(row) < m.Features {
			return nil, sparkerr.Require("The vectors of column %s have %d values, the model wants %d.", names[0], len(row), m.Features)
		}
		for i, y := range labels {
			l.rows.block(i, i+1, row)
			w := 1.0
			if l.out.Weights != nil {
				w = l.out.Weights[i]
			}
			sum := 0.0
			for k, t := range m.Trees {
				sum += t.Predict(row) * m.Weights[k]
				sums[k] += loss.Error(sum, y) * w
			}
			weights += w
		}
	}
	if weights == 0 {
		return nil, sparkerr.Plain("java.lang.UnsupportedOperationException", "empty collection")
	}
	for k := range sums {
		sums[k] /= weights
	}
	return sums, nil
}
