package regression

import (
	"context"

	"github.com/millpond/millpond/internal/ml"
	"github.com/millpond/millpond/internal/ml/trees"
	"github.com/millpond/millpond/internal/types"
)

// RandomForestRegressor grows trees on random samples of rows and features and takes their mean.
type RandomForestRegressor struct{ ml.Base }

const randomForestRegressor = "org.apache.spark.ml.regression.RandomForestRegressor"

var randomForestRegressorParams = trees.Join(trees.Common(randomForestRegressor, "variance", "variance"), trees.Forest())

var randomForestRegressorSpec = ml.Register(&ml.Spec{Class: randomForestRegressor, Kind: ml.KindEstimator, Params: randomForestRegressorParams})

var randomForestRegression = &trees.Kind{Child: trees.RegressionTree, ChildUID: "dtr", PerTree: true, Predict: meanOfTrees,
	Attrs: trees.Attrs(false, true),
	Spec: ml.Register(&ml.Spec{Class: "org.apache.spark.ml.regression.RandomForestRegressionModel", Kind: ml.KindModel,
		Params: randomForestRegressorParams})}

func init() {
	randomForestRegression.Spec.Load = trees.Loader(randomForestRegression, 0)
	randomForestRegressorSpec.New = func(uid string, p *ml.Params) ml.Operator {
		return &RandomForestRegressor{ml.NewBase(randomForestRegressorSpec, uid, p)}
	}
}

func meanOfTrees(m *trees.Model, row []float64) float64 {
	sum := 0.0
	for _, t := range m.Trees {
		sum += t.Predict(row)
	}
	return sum / float64(len(m.Trees))
}

func (e *RandomForestRegressor) TransformSchema(in types.Struct) (types.Struct, error) {
	return trees.Schema(in, e.Params(), false)
}

func (e *RandomForestRegressor) Fit(ctx context.Context, data ml.Frame) (ml.Model, error) {
	if _, err := e.TransformSchema(data.Schema()); err != nil {
		return nil, err
	}
	p := e.Params()
	t, err := trees.Load(ctx, data, p, trees.AnyLabels)
	if err != nil {
		return nil, err
	}
	grown, err := trees.Grow(ctx, t, p, 0, p.Int("numTrees"), p.Bool("bootstrap"))
	if err != nil {
		return nil, err
	}
	k := randomForestRegression
	return trees.NewModel(k, e.ForModel(k.Spec), grown, trees.Ones(len(grown)), len(t.Table.Columns), 0), nil
}
