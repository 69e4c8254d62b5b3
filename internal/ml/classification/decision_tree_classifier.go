package classification

import (
	"context"

	"github.com/millpond/millpond/internal/ml"
	"github.com/millpond/millpond/internal/ml/trees"
	"github.com/millpond/millpond/internal/types"
)

// DecisionTreeClassifier grows one classification tree. Its model's class is registered by
// package trees, because forests are made of such models.
type DecisionTreeClassifier struct{ ml.Base }

var decisionTreeClassifierSpec = ml.Register(&ml.Spec{Class: pkg + "DecisionTreeClassifier",
	Kind: ml.KindEstimator, Params: trees.TreeClassifierParams})

func init() {
	decisionTreeClassifierSpec.New = func(uid string, p *ml.Params) ml.Operator {
		return &DecisionTreeClassifier{ml.NewBase(decisionTreeClassifierSpec, uid, p)}
	}
}

func (e *DecisionTreeClassifier) TransformSchema(in types.Struct) (types.Struct, error) {
	return trees.Schema(in, e.Params(), true)
}

func (e *DecisionTreeClassifier) Fit(ctx context.Context, data ml.Frame) (ml.Model, error) {
	if _, err := e.TransformSchema(data.Schema()); err != nil {
		return nil, err
	}
	t, err := trees.Load(ctx, data, e.Params(), trees.ClassLabels)
	if err != nil {
		return nil, err
	}
	if err := trees.CheckThresholds(e.Spec().ShortName(), e.Params(), t.Classes); err != nil {
		return nil, err
	}
	grown, err := trees.Grow(ctx, t, e.Params(), t.Classes, 1, false)
	if err != nil {
		return nil, err
	}
	k := trees.TreeClassification
	return trees.NewModel(k, e.ForModel(k.Spec), grown, []float64{1}, len(t.Table.Columns), t.Classes), nil
}
