package regression

import (
	"context"
	"math"

	"github.com/apache/arrow-go/v18/arrow"

	"github.com/millpond/millpond/internal/kernel/linalg"
	"github.com/millpond/millpond/internal/kernel/prob"
	"github.com/millpond/millpond/internal/ml"
	"github.com/millpond/millpond/internal/sparkerr"
	"github.com/millpond/millpond/internal/types"
)

const (
	maxDouble = math.MaxFloat64
	minDouble = math.SmallestNonzeroFloat64
)

// LinearSummary tells how well a linear model fits data: its training data, or other.
type LinearSummary struct {
	model   *LinearRegressionModel
	data    ml.Frame
	history []float64 // nil if not of training
	diagInv []float64

	residualSums
}

// residualSums gathers how far predictions lie from labels.
type residualSums struct {
	stats          *linalg.Summary // of label, residual and prediction
	count          int64
	low, high, rss float64 // least and greatest weighted residual, sum of weighted squares
}

func newResidualSums() residualSums {
	return residualSums{stats: linalg.NewSummary(3), low: math.Inf(1), high: math.Inf(-1)}
}

func (s *residualSums) add(label, pred, w float64) {
	if w == 0 { // as if the row was not there
		return
	}
	r := label - pred
	s.stats.AddDense([]float64{label, r, pred}, w)
	s.count++
	s.rss += r * r * w
	r *= math.Sqrt(w)
	s.low, s.high = min(s.low, r), max(s.high, r)
}

func (s *residualSums) merge(o residualSums) {
	s.stats.Merge(o.stats)
	s.count += o.count
	s.rss += o.rss
	s.low, s.high = min(s.low, o.low), max(s.high, o.high)
}

// measureInstances gathers the statistics of the training data while it is at hand.
func (s *LinearSummary) measureInstances(in *ml.Instances) {
	parts := linalg.Chunks(in.Rows.N, 16384, 64, func(_, lo, hi int) residualSums {
		part := newResidualSums()
		for i := lo; i < hi; i++ {
			part.add(in.Labels[i], in.Rows.Dot(i, s.model.dense)+s.model.intercept, in.Weight(i))
		}
		return part
	})
	s.residualSums = parts[0] // there is a row
	for _, p := range parts[1:] {
		s.merge(p)
	}
}

// measure gathers the statistics of a frame.
func (s *LinearSummary) measure(ctx context.Context) error {
	p := s.model.Params()
	in := s.data.Schema()
	if err := ml.CheckNumeric(in, p.String("labelCol")); err != nil {
		return err
	}
	t, err := s.model.Bind(in)
	if err != nil {
		return err
	}
	cols := []string{p.String("featuresCol"), p.String("labelCol")}
	if w := p.String("weightCol"); w != "" {
		cols = append(cols, w)
	}
	s.residualSums = newResidualSums()
	for batch, err := range s.data.Select(cols...).Batches(ctx) {
		if err != nil {
			return err
		}
		out, _, err := t.Apply(ctx, []arrow.Array{batch.Column(0)}, int(batch.NumRows()))
		if err != nil {
			return err
		}
		preds, err := ml.Floats(out[0])
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
		}
		for i, y := range labels {
			w := 1.0
			if weights != nil {
				w = weights[i]
			}
			s.add(y, preds[i], w)
		}
	}
	if s.count == 0 {
		return sparkerr.Require("Nothing has been added to this summarizer.")
	}
	return nil
}

func (s *LinearSummary) errorSquares() float64 { n := s.stats.NormL2()[1]; return n * n }

func (s *LinearSummary) mse() float64 { return s.errorSquares() / s.stats.WeightSum }

func (s *LinearSummary) intercept() float64 {
	if s.model.Params().Bool("fitIntercept") {
		return 1
	}
	return 0
}

func (s *LinearSummary) r2() float64 {
	if s.intercept() == 0 {
		n := s.stats.NormL2()[0]
		return 1 - s.errorSquares()/(n*n)
	}
	return 1 - s.errorSquares()/(s.stats.Variance()[0]*(s.stats.WeightSum-1))
}

func (s *LinearSummary) explained() float64 {
	mean, n := s.stats.Mean(), s.stats.NormL2()[2]
	return (n*n + s.stats.WeightSum*(mean[0]*mean[0]-2*mean[0]*mean[2])) / s.stats.WeightSum
}

func (s *LinearSummary) freedom() float64 {
	return float64(s.count) - float64(len(s.model.dense)) - s.intercept()
}

// errors gives the standard errors of the coefficients, intercept last.
func (s *LinearSummary) errors(what string) ([]float64, error) {
	if len(s.diagInv) == 0 || len(s.diagInv) == 1 && s.diagInv[0] == 0 {
		return nil, sparkerr.Plain("java.lang.UnsupportedOperationException", "No %s available for this LinearRegressionModel", what)
	}
	out := make([]float64, len(s.diagInv))
	for i, d := range s.diagInv {
		out[i] = math.Sqrt(d * (s.rss / s.freedom()))
	}
	return out, nil
}

func (s *LinearSummary) tValues(what string) ([]float64, error) {
	out, err := s.errors(what)
	for i, e := range out {
		c := s.model.intercept
		if i < len(s.model.dense) {
			c = s.model.dense[i]
		}
		out[i] = c / e
	}
	return out, err
}

func (s *LinearSummary) predictions() (ml.Frame, error) {
	t, err := s.model.Bind(s.data.Schema())
	if err != nil {
		return nil, err
	}
	return ml.Applied(s.data, t), nil
}

// residuals is a frame of the residuals alone.
func (s *LinearSummary) residuals() (ml.Frame, error) {
	t, err := s.model.Bind(s.data.Schema())
	if err != nil {
		return nil, err
	}
	r := &ml.Transform{Inputs: append(t.Inputs, s.model.Params().String("labelCol")),
		Outputs: []types.Field{{Name: "residuals", Type: types.Double, Nullable: true}}}
	r.Apply = func(ctx context.Context, in []arrow.Array, n int) ([]arrow.Array, []bool, error) {
		out, _, err := t.Apply(ctx, in[:1], n)
		if err != nil {
			return nil, nil, err
		}
		preds, err := ml.Floats(out[0])
		if err != nil {
			return nil, nil, err
		}
		labels, err := ml.Floats(in[1])
		if err != nil {
			return nil, nil, err
		}
		res := make([]float64, n)
		for i := range res {
			res[i] = labels[i] - preds[i]
		}
		return []arrow.Array{ml.NumberColumn(res)}, nil, nil
	}
	return ml.Applied(s.data, r).Select("residuals"), nil
}

func column(name string) func(context.Context, *LinearSummary, []any) (any, error) {
	return ml.Getter(func(s *LinearSummary) any { return s.model.Params().String(name) })
}

var linearSummaryAttrs = ml.AttrTable[*LinearSummary]{
	"featuresCol": column("featuresCol"), "labelCol": column("labelCol"), "predictionCol": column("predictionCol"),
	"r2":                   ml.Getter(func(s *LinearSummary) any { return s.r2() }),
	"meanSquaredError":     ml.Getter(func(s *LinearSummary) any { return s.mse() }),
	"rootMeanSquaredError": ml.Getter(func(s *LinearSummary) any { return math.Sqrt(s.mse()) }),
	"meanAbsoluteError":    ml.Getter(func(s *LinearSummary) any { return s.stats.NormL1()[1] / s.stats.WeightSum }),
	"explainedVariance":    ml.Getter(func(s *LinearSummary) any { return s.explained() }),
	"numInstances":         ml.Getter(func(s *LinearSummary) any { return s.count }),
	"degreesOfFreedom":     ml.Getter(func(s *LinearSummary) any { return int64(s.freedom()) }),
	"devianceResiduals":    ml.Getter(func(s *LinearSummary) any { return []float64{s.low, s.high} }),
	"r2adj": ml.Getter(func(s *LinearSummary) any {
		return 1 - (1-s.r2())*(float64(s.count)-s.intercept())/s.freedom()
	}),
	"coefficientStandardErrors": func(_ context.Context, s *LinearSummary, _ []any) (any, error) {
		return s.errors("Std. Error of coefficients")
	},
	"tValues": func(_ context.Context, s *LinearSummary, _ []any) (any, error) {
		return s.tValues("t-statistic")
	},
	"pValues": func(_ context.Context, s *LinearSummary, _ []any) (any, error) {
		t, err := s.tValues("p-value")
		if f := s.freedom(); err == nil && f <= 0 {
			return nil, sparkerr.Require("degreesOfFreedom must be positive, but got %s", ml.FormatDouble(f))
		}
		for i, x := range t {
			t[i] = prob.TwoSidedT(x, s.freedom())
		}
		return t, err
	},
	"predictions": func(_ context.Context, s *LinearSummary, _ []any) (any, error) { return s.predictions() },
	"residuals":   func(_ context.Context, s *LinearSummary, _ []any) (any, error) { return s.residuals() },
	"objectiveHistory": func(_ context.Context, s *LinearSummary, _ []any) (any, error) {
		if s.history == nil {
			return nil, ml.NotAllowed(pkg+"LinearRegressionSummary", "objectiveHistory")
		}
		return s.history, nil
	},
	"totalIterations": func(_ context.Context, s *LinearSummary, _ []any) (any, error) {
		if s.history == nil {
			return nil, ml.NotAllowed(pkg+"LinearRegressionSummary", "totalIterations")
		}
		return int32(len(s.history) - 1), nil
	},
}

// Attr answers a fetch on the summary.
func (s *LinearSummary) Attr(ctx context.Context, name string, args []any) (any, error) {
	class := "LinearRegressionSummary"
	if s.history != nil {
		class = "LinearRegressionTrainingSummary"
	}
	return linearSummaryAttrs.Call(ctx, s, pkg+class, name, args)
}
