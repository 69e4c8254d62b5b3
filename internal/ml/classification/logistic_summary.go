package classification

import (
	"context"
	"sync"

	"github.com/apache/arrow-go/v18/arrow"

	"github.com/millpond/millpond/internal/kernel/linalg"
	"github.com/millpond/millpond/internal/kernel/metric"
	"github.com/millpond/millpond/internal/ml"
	"github.com/millpond/millpond/internal/sparkerr"
	"github.com/millpond/millpond/internal/types"
)

// curveBins is about how many points a summary's curves have.
const curveBins = 1000

// LogisticSummary tells how well a logistic model classifies data: its training data, or other.
// The curves of a binary model are made when first asked for; until then it keeps the scores.
type LogisticSummary struct {
	model   *LogisticRegressionModel
	data    ml.Frame
	history []float64 // nil if not of training

	mu     sync.Mutex
	multi  metric.Multiclass
	binary *metric.Binary

	scores, labels, weights []float64
}

// measureInstances predicts the training data while it is at hand.
func (s *LogisticSummary) measureInstances(in *ml.Instances) {
	m := s.model
	decide, _ := m.decider()
	preds := make([]float64, in.Rows.N)
	if m.numClasses <= 2 {
		s.scores, s.labels, s.weights = make([]float64, in.Rows.N), in.Labels, in.Weights
	}
	linalg.Chunks(in.Rows.N, 16384, 64, func(_, lo, hi int) struct{} {
		width := m.width()
		raw, prob := make([]float64, width), make([]float64, width)
		for i := lo; i < hi; i++ {
			m.raw(func(k int) float64 { return in.Rows.Dot(i, m.row(k)) }, raw)
			m.probability(raw, prob)
			preds[i] = decide(raw, prob)
			if s.scores != nil {
				s.scores[i] = prob[len(prob)-1]
			}
		}
		return struct{}{}
	})
	s.multi.Add(preds, in.Labels, in.Weights)
}

// measure predicts a frame.
func (s *LogisticSummary) measure(ctx context.Context) error {
	m, p := s.model, s.model.Params()
	in := s.data.Schema()
	if err := ml.CheckNumeric(in, p.String("labelCol")); err != nil {
		return err
	}
	if err := ml.CheckVector(in, p.String("featuresCol")); err != nil {
		return err
	}
	cols := []string{p.String("featuresCol"), p.String("labelCol")}
	if w := p.String("weightCol"); w != "" {
		cols = append(cols, w)
	}
	decide, _ := m.decider()
	width := m.width()
	raw, prob := make([]float64, width), make([]float64, width)
	for batch, err := range s.data.Select(cols...).Batches(ctx) {
		if err != nil {
			return err
		}
		v, err := ml.NewVectorView(batch.Column(0))
		if err != nil {
			return err
		}
		labels, err := ml.Floats(batch.Column(1))
		if err != nil {
			return err
		}
		var weights []float64
		if len(cols) == 3 {
			if weights, err = ml.Floats(batch.Column(2)); err != nil {
				return err
			}
			s.weights = append(s.weights, weights...)
		}
		preds := make([]float64, len(labels))
		for i := range labels {
			if err := m.checkRow(v, i); err != nil {
				return err
			}
			m.raw(func(k int) float64 { return v.Dot(i, m.row(k)) }, raw)
			m.probability(raw, prob)
			preds[i] = decide(raw, prob)
			if m.numClasses <= 2 {
				s.scores = append(s.scores, prob[len(prob)-1])
			}
		}
		s.labels = append(s.labels, labels...)
		s.multi.Add(preds, labels, weights)
	}
	if s.labels == nil {
		return sparkerr.Require("Nothing has been added to this summarizer.")
	}
	return nil
}

// curves gives the binary metrics; a model of more classes has none.
func (s *LogisticSummary) curves(attr string) (*metric.Binary, error) {
	if s.model.numClasses > 2 {
		return nil, ml.NotAllowed(pkg+s.class(), attr)
	}
	if s.model.width() == 1 { // no second probability to order rows by
		return nil, ml.JobAborted("java.lang.ArrayIndexOutOfBoundsException: Index 1 out of bounds for length 1")
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.binary == nil {
		s.binary = metric.NewBinary(s.scores, s.labels, s.weights, curveBins)
		s.scores, s.labels, s.weights = nil, nil, nil
	}
	return s.binary, nil
}

func (s *LogisticSummary) class() string {
	name := "LogisticRegression"
	if s.model.numClasses <= 2 {
		name = "BinaryLogisticRegression"
	}
	if s.history != nil {
		name += "Training"
	}
	return name + "SummaryImpl"
}

type summaryAttr = func(ctx context.Context, s *LogisticSummary, args []any) (any, error)

func column(name string) summaryAttr {
	return ml.Getter(func(s *LogisticSummary) any { return s.model.Params().String(name) })
}

// byLabel answers a metric of each label, rising.
func byLabel(f func(m *metric.Multiclass, label float64) float64) summaryAttr {
	return ml.Getter(func(s *LogisticSummary) any {
		s.mu.Lock()
		defer s.mu.Unlock()
		labels := s.multi.Labels()
		out := make([]float64, len(labels))
		for i, l := range labels {
			out[i] = f(&s.multi, l)
		}
		return out
	})
}

func weighted(f func(m *metric.Multiclass, label float64) float64) summaryAttr {
	return ml.Getter(func(s *LogisticSummary) any {
		s.mu.Lock()
		defer s.mu.Unlock()
		return s.multi.Weighted(func(l float64) float64 { return f(&s.multi, l) })
	})
}

// beta is the optional argument of the F measures.
func beta(args []any) (float64, error) {
	if len(args) == 0 {
		return 1, nil
	}
	return ml.Arg[float64]("fMeasure", args, 0)
}

// curve answers a two-column frame of points.
func curve(attr, x, y string, points func(b *metric.Binary) []metric.Point) summaryAttr {
	return func(_ context.Context, s *LogisticSummary, _ []any) (any, error) {
		b, err := s.curves(attr)
		if err != nil {
			return nil, err
		}
		list := points(b)
		xs, ys := make([]float64, len(list)), make([]float64, len(list))
		for i, p := range list {
			xs[i], ys[i] = p.X, p.Y
		}
		schema := types.Struct{Fields: []types.Field{{Name: x, Type: types.Double}, {Name: y, Type: types.Double}}}
		return ml.FrameOfColumns(schema, len(list), []arrow.Array{ml.NumberColumn(xs), ml.NumberColumn(ys)}...)
	}
}

func byThreshold(attr, name string, f func(b *metric.Binary) func(int) float64) summaryAttr {
	return curve(attr, "threshold", name, func(b *metric.Binary) []metric.Point { return b.ByThreshold(f(b)) })
}

var logisticSummaryAttrs = ml.AttrTable[*LogisticSummary]{
	"featuresCol": column("featuresCol"), "labelCol": column("labelCol"), "predictionCol": column("predictionCol"),
	"probabilityCol": column("probabilityCol"), "scoreCol": column("probabilityCol"),
	"weightCol": ml.Getter(func(s *LogisticSummary) any {
		if w := s.model.Params().String("weightCol"); w != "" {
			return w
		}
		return "weightCol"
	}),
	"predictions": func(_ context.Context, s *LogisticSummary, _ []any) (any, error) {
		t, err := s.model.Bind(s.data.Schema())
		if err != nil {
			return nil, err
		}
		return ml.Applied(s.data, t), nil
	},
	"labels": ml.Getter(func(s *LogisticSummary) any {
		s.mu.Lock()
		defer s.mu.Unlock()
		return s.multi.Labels()
	}),
	"accuracy": ml.Getter(func(s *LogisticSummary) any {
		s.mu.Lock()
		defer s.mu.Unlock()
		return s.multi.Accuracy()
	}),
	"truePositiveRateByLabel":   byLabel((*metric.Multiclass).Recall),
	"falsePositiveRateByLabel":  byLabel((*metric.Multiclass).FalsePositiveRate),
	"precisionByLabel":          byLabel((*metric.Multiclass).Precision),
	"recallByLabel":             byLabel((*metric.Multiclass).Recall),
	"weightedTruePositiveRate":  weighted((*metric.Multiclass).Recall),
	"weightedFalsePositiveRate": weighted((*metric.Multiclass).FalsePositiveRate),
	"weightedRecall":            weighted((*metric.Multiclass).Recall),
	"weightedPrecision":         weighted((*metric.Multiclass).Precision),
	"fMeasureByLabel": func(ctx context.Context, s *LogisticSummary, args []any) (any, error) {
		b, err := beta(args)
		if err != nil {
			return nil, err
		}
		return byLabel(func(m *metric.Multiclass, l float64) float64 { return m.FMeasure(l, b) })(ctx, s, nil)
	},
	"weightedFMeasure": func(ctx context.Context, s *LogisticSummary, args []any) (any, error) {
		b, err := beta(args)
		if err != nil {
			return nil, err
		}
		return weighted(func(m *metric.Multiclass, l float64) float64 { return m.FMeasure(l, b) })(ctx, s, nil)
	},
	"roc": curve("roc", "FPR", "TPR", (*metric.Binary).ROC),
	"pr":  curve("pr", "recall", "precision", (*metric.Binary).PR),
	"areaUnderROC": func(_ context.Context, s *LogisticSummary, _ []any) (any, error) {
		b, err := s.curves("areaUnderROC")
		if err != nil {
			return nil, err
		}
		return b.AreaUnderROC(), nil
	},
	"precisionByThreshold": byThreshold("precisionByThreshold", "precision", func(b *metric.Binary) func(int) float64 { return b.Precision }),
	"recallByThreshold":    byThreshold("recallByThreshold", "recall", func(b *metric.Binary) func(int) float64 { return b.Recall }),
	"fMeasureByThreshold": func(ctx context.Context, s *LogisticSummary, args []any) (any, error) {
		be, err := beta(args)
		if err != nil {
			return nil, err
		}
		return byThreshold("fMeasureByThreshold", "F-Measure", func(b *metric.Binary) func(int) float64 {
			return func(i int) float64 { return b.FMeasure(i, be) }
		})(ctx, s, nil)
	},
	"objectiveHistory": func(_ context.Context, s *LogisticSummary, _ []any) (any, error) {
		if s.history == nil {
			return nil, ml.NotAllowed(pkg+s.class(), "objectiveHistory")
		}
		return s.history, nil
	},
	"totalIterations": func(_ context.Context, s *LogisticSummary, _ []any) (any, error) {
		if s.history == nil {
			return nil, ml.NotAllowed(pkg+s.class(), "totalIterations")
		}
		return int32(len(s.history) - 1), nil
	},
}

// Attr answers a fetch on the summary.
func (s *LogisticSummary) Attr(ctx context.Context, name string, args []any) (any, error) {
	return logisticSummaryAttrs.Call(ctx, s, pkg+s.class(), name, args)
}
