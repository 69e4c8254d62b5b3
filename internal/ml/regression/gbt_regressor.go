package regression

import (
	"context"
	"strings"

	"github.com/millpond/millpond/internal/ml"
	"github.com/millpond/millpond/internal/ml/trees"
	"github.com/millpond/millpond/internal/sparkerr"
	"github.com/millpond/millpond/internal/types"
)

// GBTRegressor grows trees one after the other, each on what the ones before leave.
type GBTRegressor struct{ ml.Base }

const gbtRegressor = "org.apache.spark.ml.regression.GBTRegressor"

var gbtRegressorParams = trees.Join(trees.Common(gbtRegressor, "variance", "variance"), trees.Boosted("squared", "absolute"))

var gbtRegressorSpec = ml.Register(&ml.Spec{Class: gbtRegressor, Kind: ml.KindEstimator, Params: gbtRegressorParams})

var gbtRegression = &trees.Kind{Child: trees.RegressionTree, ChildUID: "dtr",
	Predict: func(m *trees.Model, row []float64) float64 { return m.Margin(row) },
	Attrs: trees.Attrs(false, true, ml.AttrTable[*trees.Model]{
		"evaluateEachIteration": func(ctx context.Context, m *trees.Model, args []any) (any, error) {
			data, err := ml.Arg[ml.Frame]("evaluateEachIteration", args, 0)
			if err != nil {
				return nil, err
			}
			name, err := ml.Arg[string]("evaluateEachIteration", args, 1)
			if err != nil {
				return nil, err
			}
			loss, ok := trees.Losses[strings.ToLower(name)]
			if !ok || strings.EqualFold(name, "logistic") {
				// Spark names the model's own loss here, not the one that was asked for.
				return nil, sparkerr.Plain("java.lang.RuntimeException", "GBTRegressorParams was given bad loss type: %s", m.Params().String("lossType"))
			}
			return m.EachIteration(ctx, data, loss, trees.AnyLabels)
		}}),
	Spec: ml.Register(&ml.Spec{Class: "org.apache.spark.ml.regression.GBTRegressionModel", Kind: ml.KindModel, Params: gbtRegressorParams})}

func init() {
	gbtRegression.Spec.Load = trees.Loader(gbtRegression, 0)
	gbtRegressorSpec.New = func(uid string, p *ml.Params) ml.Operator {
		return &GBTRegressor{ml.NewBase(gbtRegressorSpec, uid, p)}
	}
}

func (e *GBTRegressor) TransformSchema(in types.Struct) (types.Struct, error) {
	return trees.Schema(in, e.Params(), false)
}

func (e *GBTRegressor) Fit(ctx context.Context, data ml.Frame) (ml.Model, error) {
	if _, err := e.TransformSchema(data.Schema()); err != nil {
		return nil, err
	}
	p := e.Params()
	t, err := trees.Load(ctx, data, p, trees.AnyLabels)
	if err != nil {
		return nil, err
	}
	grown, weights, err := trees.Boost(ctx, t, p, trees.Losses[strings.ToLower(p.String("lossType"))], false)
	if err != nil {
		return nil, err
	}
	k := gbtRegression
	return trees.NewModel(k, e.ForModel(k.Spec), grown, weights, len(t.Table.Columns), 0), nil
}
