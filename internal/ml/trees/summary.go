package trees

import (
	"context"
	"sync"

	"github.com/millpond/millpond/internal/kernel/metric"
	"github.com/millpond/millpond/internal/ml"
	"github.com/millpond/millpond/internal/sparkerr"
	"github.com/millpond/millpond/internal/types"
)

// curveBins is about how many points a summary's curves have.
const curveBins = 1000

// Summary tells how well a classifier predicts a frame: its training data, or other. It is
// measured when first asked for something.
type Summary struct {
	model    *Model
	data     ml.Frame
	training bool

	mu     sync.Mutex
	done   bool
	multi  metric.Multiclass
	binary *metric.Binary // nil unless there are two classes
}

// NewSummary makes a summary of a classifier over data.
func NewSummary(m *Model, data ml.Frame, training bool) *Summary {
	return &Summary{model: m, data: data, training: training}
}

// predictions is the frame with the model's columns.
func (s *Summary) predictions() (ml.Frame, error) {
	t, err := s.model.Bind(s.data.Schema())
	if err != nil {
		return nil, err
	}
	return ml.Applied(s.data, t), nil
}

func (s *Summary) measure(ctx context.Context) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.done {
		return nil
	}
	p := s.model.Params()
	names := []string{p.String("featuresCol"), p.String("labelCol")}
	if err := ml.CheckVector(s.data.Schema(), names[0]); err != nil {
		return err
	}
	if err := ml.CheckNumeric(s.data.Schema(), names[1]); err != nil {
		return err
	}
	if w := p.String("weightCol"); w != "" {
		names = append(names, w)
	}
	thresholds, err := s.model.thresholds("transform")
	if err != nil {
		return err
	}
	w := &writer{m: s.model, thresholds: thresholds, columns: []column{probabilityColumn, predictionColumn}}
	var multi metric.Multiclass
	var scores, allLabels, allWeights []float64
	for batch, err := range s.data.Select(names...).Batches(ctx) {
		if err != nil {
			return err
		}
		n := int(batch.NumRows())
		r, err := w.fill(ctx, batch.Column(0), n)
		if err != nil {
			return err
		}
		labels, err := ml.Floats(batch.Column(1))
		if err != nil {
			return err
		}
		var weights []float64
		if len(names) > 2 {
			if weights, err = ml.Floats(batch.Column(2)); err != nil {
				return err
			}
			allWeights = append(allWeights, weights...)
		}
		multi.Add(r.prediction, labels, weights)
		if s.model.Classes == 2 {
			for i := range n {
				scores = append(scores, r.probability[2*i+1])
			}
			allLabels = append(allLabels, labels...)
		}
	}
	if s.model.Classes == 2 {
		s.binary = metric.NewBinary(scores, allLabels, allWeights, curveBins)
	}
	s.multi, s.done = multi, true
	return nil
}

func (s *Summary) class() string {
	name := "RandomForestClassification"
	if s.model.Classes == 2 {
		name = "BinaryRandomForestClassification"
	}
	if s.training {
		name += "Training"
	}
	return classification + name + "SummaryImpl"
}

// Attr answers a fetch on the summary.
func (s *Summary) Attr(ctx context.Context, name string, args []any) (any, error) {
	if f, ok := summaryColumns[name]; ok {
		return f(s), nil
	}
	switch {
	case name == "predictions":
		return s.predictions()
	case name == "objectiveHistory" && s.training:
		return []float64{0}, nil
	case name == "totalIterations" && s.training:
		return int32(0), nil
	}
	multi, ok := summaryMetrics[name]
	binary, ok2 := summaryCurves[name]
	if !ok && (!ok2 || s.model.Classes != 2) {
		return nil, ml.NotAllowed(s.class(), name)
	}
	if err := s.measure(ctx); err != nil {
		return nil, err
	}
	beta := 1.0
	if len(args) > 0 {
		var err error
		if beta, err = ml.Arg[float64](name, args, 0); err != nil {
			return nil, err
		}
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if !ok {
		return binary(s.binary, beta)
	}
	if len(s.multi.Labels()) == 0 {
		return nil, sparkerr.Require("Nothing has been added to this summarizer.")
	}
	return multi(&s.multi, beta), nil
}

var summaryColumns = map[string]func(s *Summary) any{
	"labelCol":       func(s *Summary) any { return s.model.Params().String("labelCol") },
	"featuresCol":    func(s *Summary) any { return s.model.Params().String("featuresCol") },
	"predictionCol":  func(s *Summary) any { return s.model.Params().String("predictionCol") },
	"probabilityCol": func(s *Summary) any { return s.model.Params().String("probabilityCol") },
	"scoreCol":       func(s *Summary) any { return s.model.Params().String("probabilityCol") },
	"weightCol": func(s *Summary) any {
		if w := s.model.Params().String("weightCol"); w != "" {
			return w
		}
		return "weightCol"
	},
}

func byLabel(f func(m *metric.Multiclass, label, beta float64) float64) func(*metric.Multiclass, float64) any {
	return func(m *metric.Multiclass, beta float64) any {
		out := []float64{}
		for _, l := range m.Labels() {
			out = append(out, f(m, l, beta))
		}
		return out
	}
}

func weighted(f func(m *metric.Multiclass, label, beta float64) float64) func(*metric.Multiclass, float64) any {
	return func(m *metric.Multiclass, beta float64) any {
		return m.Weighted(func(l float64) float64 { return f(m, l, beta) })
	}
}

func recallOf(m *metric.Multiclass, l, _ float64) float64      { return m.Recall(l) }
func precisionOf(m *metric.Multiclass, l, _ float64) float64   { return m.Precision(l) }
func falseRateOf(m *metric.Multiclass, l, _ float64) float64   { return m.FalsePositiveRate(l) }
func fMeasureOf(m *metric.Multiclass, l, beta float64) float64 { return m.FMeasure(l, beta) }

var summaryMetrics = map[string]func(m *metric.Multiclass, beta float64) any{
	"labels":                    func(m *metric.Multiclass, _ float64) any { return m.Labels() },
	"accuracy":                  func(m *metric.Multiclass, _ float64) any { return m.Accuracy() },
	"truePositiveRateByLabel":   byLabel(recallOf),
	"falsePositiveRateByLabel":  byLabel(falseRateOf),
	"precisionByLabel":          byLabel(precisionOf),
	"recallByLabel":             byLabel(recallOf),
	"fMeasureByLabel":           byLabel(fMeasureOf),
	"weightedTruePositiveRate":  weighted(recallOf),
	"weightedFalsePositiveRate": weighted(falseRateOf),
	"weightedRecall":            weighted(recallOf),
	"weightedPrecision":         weighted(precisionOf),
	"weightedFMeasure":          weighted(fMeasureOf),
}

// curve answers a two-column frame of points.
func curve(x, y string, points func(b *metric.Binary, beta float64) []metric.Point) func(*metric.Binary, float64) (any, error) {
	return func(b *metric.Binary, beta float64) (any, error) {
		list := points(b, beta)
		xs, ys := make([]float64, len(list)), make([]float64, len(list))
		for i, p := range list {
			xs[i], ys[i] = p.X, p.Y
		}
		schema := types.Struct{Fields: []types.Field{{Name: x, Type: types.Double}, {Name: y, Type: types.Double}}}
		return ml.FrameOfColumns(schema, len(list), ml.NumberColumn(xs), ml.NumberColumn(ys))
	}
}

var summaryCurves = map[string]func(b *metric.Binary, beta float64) (any, error){
	"areaUnderROC": func(b *metric.Binary, _ float64) (any, error) { return b.AreaUnderROC(), nil },
	"roc":          curve("FPR", "TPR", func(b *metric.Binary, _ float64) []metric.Point { return b.ROC() }),
	"pr":           curve("recall", "precision", func(b *metric.Binary, _ float64) []metric.Point { return b.PR() }),
	"precisionByThreshold": curve("threshold", "precision", func(b *metric.Binary, _ float64) []metric.Point {
		return b.ByThreshold(b.Precision)
	}),
	"recallByThreshold": curve("threshold", "recall", func(b *metric.Binary, _ float64) []metric.Point {
		return b.ByThreshold(b.Recall)
	}),
	"fMeasureByThreshold": curve("threshold", "F-Measure", func(b *metric.Binary, beta float64) []metric.Point {
		return b.ByThreshold(func(i int) float64 { return b.FMeasure(i, beta) })
	}),
}
