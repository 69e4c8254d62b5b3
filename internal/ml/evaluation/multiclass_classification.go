package evaluation

import (
	"context"
	"math"

	"github.com/apache/arrow-go/v18/arrow"

	"github.com/millpond/millpond/internal/kernel/metric"
	"github.com/millpond/millpond/internal/ml"
	"github.com/millpond/millpond/internal/sparkerr"
	"github.com/millpond/millpond/internal/types"
)

// MulticlassClassificationEvaluator measures how often predicted classes are right.
type MulticlassClassificationEvaluator struct{ ml.Base }

var multiclassMetrics = []string{"f1", "accuracy", "weightedPrecision", "weightedRecall", "weightedTruePositiveRate",
	"weightedFalsePositiveRate", "weightedFMeasure", "truePositiveRateByLabel", "falsePositiveRateByLabel", "precisionByLabel",
	"recallByLabel", "fMeasureByLabel", "logLoss", "hammingLoss"}

var multiclassSpec = ml.Register(&ml.Spec{Class: pkg + "MulticlassClassificationEvaluator", Kind: ml.KindEvaluator, Params: []ml.Param{
	{Name: "beta", Doc: "The beta value, which controls precision vs recall weighting, used in (weightedFMeasure|fMeasureByLabel). Must be > 0. The default value is 1.", Type: ml.ParamDouble, Default: 1.0, Check: ml.MoreThan(0)},
	{Name: "eps", Doc: "log-loss is undefined for p=0 or p=1, so probabilities are clipped to max(eps, min(1 - eps, p)).", Type: ml.ParamDouble, Default: 1e-15,
		Check: func(v any) bool { f := v.(float64); return f > 0 && f < 0.5 }},
	ml.LabelColParam(),
	{Name: "metricLabel", Doc: "The class whose metric will be computed in (truePositiveRateByLabel|falsePositiveRateByLabel|precisionByLabel|recallByLabel|fMeasureByLabel). Must be >= 0. The default value is 0.", Type: ml.ParamDouble, Default: 0.0, Check: ml.AtLeast(0)},
	{Name: "metricName", Doc: "metric name in evaluation (f1|accuracy|weightedPrecision|weightedRecall|weightedTruePositiveRate|weightedFalsePositiveRate|weightedFMeasure|truePositiveRateByLabel|falsePositiveRateByLabel|precisionByLabel|recallByLabel|fMeasureByLabel|logLoss|hammingLoss)", Type: ml.ParamString, Default: "f1", Check: ml.OneOf(multiclassMetrics...)},
	ml.PredictionColParam(), ml.ProbabilityColParam(), ml.WeightColParam(),
}})

func init() {
	multiclassSpec.New = func(uid string, p *ml.Params) ml.Operator {
		return &MulticlassClassificationEvaluator{ml.NewBase(multiclassSpec, uid, p)}
	}
}

func (e *MulticlassClassificationEvaluator) Evaluate(ctx context.Context, data ml.Frame) (float64, error) {
	p, in := e.Params(), data.Schema()
	prediction, label := p.String("predictionCol"), p.String("labelCol")
	if err := ml.CheckType(in, prediction, types.Double); err != nil {
		return 0, err
	}
	if err := ml.CheckNumeric(in, label); err != nil {
		return 0, err
	}
	if err := checkWeight(in, p); err != nil {
		return 0, err
	}
	if p.String("metricName") == "logLoss" {
		return e.logLoss(ctx, data, label)
	}
	m, err := recall(data, p, []string{prediction, label}, func(names []string) (*metric.Multiclass, error) {
		var m metric.Multiclass
		return &m, each(ctx, data, p, names, func(cols []arrow.Array, weights []float64) error {
			predictions, labels, err := twoNumbers(cols)
			if err == nil {
				m.Add(predictions, labels, weights)
			}
			return err
		})
	})
	if err != nil {
		return 0, err
	}
	return e.metric(m)
}

func (e *MulticlassClassificationEvaluator) metric(m *metric.Multiclass) (float64, error) {
	p := e.Params()
	beta, label := p.Double("beta"), p.Double("metricLabel")
	fMeasure := func(beta float64) func(float64) float64 {
		return func(l float64) float64 { return m.FMeasure(l, beta) }
	}
	byLabel := map[string]func(float64) float64{"truePositiveRateByLabel": m.Recall, "falsePositiveRateByLabel": m.FalsePositiveRate,
		"precisionByLabel": m.Precision, "recallByLabel": m.Recall, "fMeasureByLabel": fMeasure(beta)}
	weighted := map[string]func(float64) float64{"f1": fMeasure(1), "weightedPrecision": m.Precision, "weightedRecall": m.Recall,
		"weightedTruePositiveRate": m.Recall, "weightedFalsePositiveRate": m.FalsePositiveRate, "weightedFMeasure": fMeasure(beta)}
	name := p.String("metricName")
	if f, ok := byLabel[name]; ok {
		if !m.Has(label) {
			return 0, sparkerr.Plain("java.util.NoSuchElementException", "key not found: %s", ml.FormatDouble(label))
		}
		return f(label), nil
	}
	if f, ok := weighted[name]; ok {
		return m.Weighted(f), nil
	}
	if name == "hammingLoss" {
		return m.HammingLoss(), nil
	}
	return m.Accuracy(), nil
}

func (e *MulticlassClassificationEvaluator) logLoss(ctx context.Context, data ml.Frame, label string) (float64, error) {
	p := e.Params()
	probability := p.String("probabilityCol")
	if data.Schema().Index(probability) < 0 {
		return 0, sparkerr.Require("probabilityCol is needed to compute logloss")
	}
	if err := ml.CheckCastsToVector(data.Schema(), probability); err != nil {
		return 0, err
	}
	var l metric.LogLoss
	eps := p.Double("eps")
	err := each(ctx, data, p, []string{probability, label}, func(cols []arrow.Array, weights []float64) error {
		rows, err := ml.NewFeatureRows(cols[0])
		if err != nil {
			return err
		}
		labels, err := numbers(cols[1])
		if err != nil {
			return err
		}
		var scratch []float64
		for i, y := range labels {
			if rows.IsNull(i) {
				return sparkerr.Plain(sparkerr.ClassSpark, "Job aborted due to stage failure: scala.MatchError: a row to evaluate holds null")
			}
			row := rows.Row(i, &scratch)
			k := int(y)
			if y < 0 || y != math.Trunc(y) {
				return ml.JobAborted("java.lang.IllegalArgumentException: requirement failed: Invalid label %s", ml.FormatDouble(y))
			}
			if k < 0 || k >= len(row) {
				return sparkerr.Plain(sparkerr.ClassSpark, "Job aborted due to stage failure: java.lang.ArrayIndexOutOfBoundsException: Index %d out of bounds for length %d", k, len(row))
			}
			w := 1.0
			if weights != nil {
				w = weights[i]
			}
			l.Add(row[k], eps, w)
		}
		return nil
	})
	return l.Mean(), err
}
