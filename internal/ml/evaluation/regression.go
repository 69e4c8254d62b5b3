package evaluation

import (
	"context"

	"github.com/apache/arrow-go/v18/arrow"

	"github.com/millpond/millpond/internal/kernel/metric"
	"github.com/millpond/millpond/internal/ml"
	"github.com/millpond/millpond/internal/sparkerr"
	"github.com/millpond/millpond/internal/types"
)

// RegressionEvaluator measures how far predictions lie from labels.
type RegressionEvaluator struct{ ml.Base }

var regressionSpec = ml.Register(&ml.Spec{Class: pkg + "RegressionEvaluator", Kind: ml.KindEvaluator, Params: []ml.Param{
	ml.LabelColParam(),
	{Name: "metricName", Doc: "metric name in evaluation (mse|rmse|r2|mae|var)", Type: ml.ParamString, Default: "rmse", Check: ml.OneOf("mse", "rmse", "r2", "mae", "var")},
	ml.PredictionColParam(),
	{Name: "throughOrigin", Doc: "Whether the regression is through the origin.", Type: ml.ParamBool, Default: false},
	ml.WeightColParam(),
}})

func init() {
	regressionSpec.New = func(uid string, p *ml.Params) ml.Operator {
		return &RegressionEvaluator{ml.NewBase(regressionSpec, uid, p)}
	}
}

func (e *RegressionEvaluator) Evaluate(ctx context.Context, data ml.Frame) (float64, error) {
	p, in := e.Params(), data.Schema()
	prediction, label := p.String("predictionCol"), p.String("labelCol")
	if err := ml.CheckTypeIn(in, prediction, types.Double, types.Float); err != nil {
		return 0, err
	}
	if err := ml.CheckNumeric(in, label); err != nil {
		return 0, err
	}
	if err := checkWeight(in, p); err != nil {
		return 0, err
	}
	m, err := recall(data, p, []string{prediction, label}, func(names []string) (*metric.Regression, error) {
		var m metric.Regression
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
	if m.Count() == 0 {
		return 0, sparkerr.Require("Nothing has been added to this summarizer.")
	}
	switch p.String("metricName") {
	case "mse":
		return m.MSE(), nil
	case "r2":
		return m.R2(p.Bool("throughOrigin")), nil
	case "mae":
		return m.MAE(), nil
	case "var":
		return m.ExplainedVariance(), nil
	}
	return m.RMSE(), nil
}
