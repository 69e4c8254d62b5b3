package evaluation

import (
	"context"

	"github.com/millpond/millpond/internal/kernel/metric"
	"github.com/millpond/millpond/internal/ml"
	"github.com/millpond/millpond/internal/sparkerr"
)

// MultilabelClassificationEvaluator measures predicted sets of labels.
type MultilabelClassificationEvaluator struct{ ml.Base }

var multilabelMetrics = map[string]func(m *metric.Multilabel) float64{
	"subsetAccuracy": (*metric.Multilabel).SubsetAccuracy, "accuracy": (*metric.Multilabel).Accuracy, "hammingLoss": (*metric.Multilabel).HammingLoss,
	"precision": (*metric.Multilabel).Precision, "recall": (*metric.Multilabel).Recall, "f1Measure": (*metric.Multilabel).F1,
	"microPrecision": (*metric.Multilabel).MicroPrecision, "microRecall": (*metric.Multilabel).MicroRecall, "microF1Measure": (*metric.Multilabel).MicroF1,
}

var multilabelByLabel = map[string]func(m *metric.Multilabel, label float64) float64{
	"precisionByLabel": (*metric.Multilabel).PrecisionOf, "recallByLabel": (*metric.Multilabel).RecallOf, "f1MeasureByLabel": (*metric.Multilabel).F1Of,
}

var multilabelSpec = ml.Register(&ml.Spec{Class: pkg + "MultilabelClassificationEvaluator", Kind: ml.KindEvaluator, Params: []ml.Param{
	ml.LabelColParam(),
	{Name: "metricLabel", Doc: "The class whose metric will be computed in (precisionByLabel|recallByLabel|f1MeasureByLabel). Must be >= 0. The default value is 0.", Type: ml.ParamDouble, Default: 0.0, Check: ml.AtLeast(0)},
	{Name: "metricName", Doc: "metric name in evaluation (subsetAccuracy|accuracy|hammingLoss|precision|recall|f1Measure|precisionByLabel|recallByLabel|f1MeasureByLabel|microPrecision|microRecall|microF1Measure)", Type: ml.ParamString, Default: "f1Measure",
		Check: func(v any) bool {
			_, ok := multilabelMetrics[v.(string)]
			_, ok2 := multilabelByLabel[v.(string)]
			return ok || ok2
		}},
	ml.PredictionColParam(),
}})

func init() {
	multilabelSpec.New = func(uid string, p *ml.Params) ml.Operator {
		return &MultilabelClassificationEvaluator{ml.NewBase(multilabelSpec, uid, p)}
	}
}

func (e *MultilabelClassificationEvaluator) Evaluate(ctx context.Context, data ml.Frame) (float64, error) {
	p := e.Params()
	var m metric.Multilabel
	if err := eachLists(ctx, data, p, m.Add); err != nil {
		return 0, err
	}
	name, label := p.String("metricName"), p.Double("metricLabel")
	if f, ok := multilabelByLabel[name]; ok {
		if !m.Has(label) {
			return 0, sparkerr.Plain("java.util.NoSuchElementException", "key not found: %s", ml.FormatDouble(label))
		}
		return f(&m, label), nil
	}
	return multilabelMetrics[name](&m), nil
}
