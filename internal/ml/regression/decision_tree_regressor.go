package regression

import (
	"context"

	"github.com/millpond/millpond/internal/ml"
	"github.com/millpond/millpond/internal/ml/trees"
	"github.com/millpond/millpond/internal/types"
)

// DecisionTreeRegressor grows one regression tree. Its model's class is registered by package
// trees, because ensembles are made of such models.
type DecisionTreeRegressor struct{ ml.Base }

var decisionTreeRegressorSpec = ml.Register(&ml.Spec{Class: "org.apache.spark.ml.regression.DecisionTreeRegressor",
	Kind: ml.KindEstimator, Params: trees.TreeRegressorParams})

func init() {
	decisionTreeRegressorSpec.New = func(uid string, p *ml.Params) ml.Operator {
		return &DecisionTreeRegressor{ml.NewBase(decisionTreeRegressorSpec, uid, p)}
	}
}

func (e *DecisionTreeRegressor) TransformSchema(in types.Struct) (types.Struct, error) {
	return trees.Schema(in, e.Params(), false)
}

func (e *DecisionTreeRegressor) Fit(ctx context.Context, data ml.Frame) (ml.Model, error) {
	if _, err := e.TransformSchema(data.Schema()); err != nil {
		return nil, err
	}
	t, err := trees.Load(ctx, data, e.Params(), trees.AnyLabels)
	if err != nil {
		return nil, err
	}
	grown, err := trees.Grow(ctx, t, e.Params(), 0, 1, false)
	if err != nil {
		return nil, err
	}
	k := trees.TreeRegression
	return trees.NewModel(k, e.ForModel(k.Spec), grown, []float64{1}, len(t.Table.Columns), 0), nil
}
