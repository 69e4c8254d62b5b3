package classification

import (
	"context"
	"math"

	"github.com/millpond/millpond/internal/ml"
	"github.com/millpond/millpond/internal/ml/trees"
	"github.com/millpond/millpond/internal/types"
)

// GBTClassifier boosts regression trees to tell two classes apart.
type GBTClassifier struct{ ml.Base }

var gbtClassifierParams = trees.Join(trees.Common(pkg+"GBTClassifier", "variance", "variance"), trees.Boosted("logistic"), trees.Classifier())

var gbtClassifierSpec = ml.Register(&ml.Spec{Class: pkg + "GBTClassifier", Kind: ml.KindEstimator, Params: gbtClassifierParams})

var gbtClassification = &trees.Kind{Classifier: true, Child: trees.RegressionTree, ChildUID: "dtr",
	Raw: func(m *trees.Model, row, raw []float64) {
		margin := m.Margin(row)
		raw[0], raw[1] = -margin, margin
	},
	ToProbability: func(raw []float64) {
		raw[0] = 1 / (1 + math.Exp(-2*raw[0]))
		raw[1] = 1 - raw[0]
	},
	Attrs: trees.Attrs(true, true, ml.AttrTable[*trees.Model]{
		"evaluateEachIteration": func(ctx context.Context, m *trees.Model, args []any) (any, error) {
			data, err := ml.Arg[ml.Frame]("evaluateEachIteration", args, 0)
			if err != nil {
				return nil, err
			}
			return m.EachIteration(ctx, data, trees.Losses["logistic"], trees.BinaryLabels)
		}}),
	Spec: ml.Register(&ml.Spec{Class: pkg + "GBTClassificationModel", Kind: ml.KindModel, Params: gbtClassifierParams})}

func init() {
	gbtClassification.Spec.Load = trees.Loader(gbtClassification, 2)
	gbtClassifierSpec.New = func(uid string, p *ml.Params) ml.Operator {
		return &GBTClassifier{ml.NewBase(gbtClassifierSpec, uid, p)}
	}
}

func (e *GBTClassifier) TransformSchema(in types.Struct) (types.Struct, error) {
	return trees.Schema(in, e.Params(), true)
}

func (e *GBTClassifier) Fit(ctx context.Context, data ml.Frame) (ml.Model, error) {
	if _, err := e.TransformSchema(data.Schema()); err != nil {
		return nil, err
	}
	p := e.Params()
	if err := trees.CheckThresholds(e.Spec().ShortName(), p, 2); err != nil {
		return nil, err
	}
	t, err := trees.Load(ctx, data, p, trees.BinaryLabels)
	if err != nil {
		return nil, err
	}
	grown, weights, err := trees.Boost(ctx, t, p, trees.Losses["logistic"], true)
	if err != nil {
		return nil, err
	}
	k := gbtClassification
	return trees.NewModel(k, e.ForModel(k.Spec), grown, weights, len(t.Table.Columns), 2), nil
}
