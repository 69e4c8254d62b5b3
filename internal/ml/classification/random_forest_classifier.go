package classification

import (
	"context"

	"github.com/millpond/millpond/internal/ml"
	"github.com/millpond/millpond/internal/ml/trees"
	"github.com/millpond/millpond/internal/types"
)

// RandomForestClassifier grows trees on random samples of rows and features and lets them vote.
type RandomForestClassifier struct{ ml.Base }

var randomForestClassifierParams = trees.Join(trees.Common(pkg+"RandomForestClassifier", "gini", "entropy", "gini"),
	trees.Forest(), trees.Classifier(), []ml.Param{trees.PruneTree()})

var randomForestClassifierSpec = ml.Register(&ml.Spec{Class: pkg + "RandomForestClassifier", Kind: ml.KindEstimator,
	Params: randomForestClassifierParams})

var randomForestClassification = &trees.Kind{Classifier: true, Child: trees.ClassificationTree, ChildUID: "dtc", PerTree: true,
	Raw: votes, ToProbability: trees.Normalize,
	Attrs: trees.Attrs(true, true, ml.AttrTable[*trees.Model]{
		"evaluate": func(_ context.Context, m *trees.Model, args []any) (any, error) {
			data, err := ml.Arg[ml.Frame]("evaluate", args, 0)
			if err != nil {
				return nil, err
			}
			return trees.NewSummary(m, data, false), nil
		},
		"hasSummary": ml.Getter(func(m *trees.Model) any { return m.Summary() != nil }),
	}),
	Spec: ml.Register(&ml.Spec{Class: pkg + "RandomForestClassificationModel", Kind: ml.KindModel, Params: randomForestClassifierParams})}

func init() {
	randomForestClassification.Spec.Load = trees.Loader(randomForestClassification, 0)
	randomForestClassifierSpec.New = func(uid string, p *ml.Params) ml.Operator {
		return &RandomForestClassifier{ml.NewBase(randomForestClassifierSpec, uid, p)}
	}
}

// votes adds up what share of each leaf belongs to each class.
func votes(m *trees.Model, row, raw []float64) {
	clear(raw)
	for _, t := range m.Trees {
		stats := t.Nodes[t.Find(row)].Stats
		sum := 0.0
		for _, v := range stats {
			sum += v
		}
		if sum == 0 {
			continue
		}
		for k, v := range stats {
			raw[k] += v / sum
		}
	}
}

func (e *RandomForestClassifier) TransformSchema(in types.Struct) (types.Struct, error) {
	return trees.Schema(in, e.Params(), true)
}

func (e *RandomForestClassifier) Fit(ctx context.Context, data ml.Frame) (ml.Model, error) {
	if _, err := e.TransformSchema(data.Schema()); err != nil {
		return nil, err
	}
	p := e.Params()
	t, err := trees.Load(ctx, data, p, trees.ClassLabels)
	if err != nil {
		return nil, err
	}
	if err := trees.CheckThresholds(e.Spec().ShortName(), p, t.Classes); err != nil {
		return nil, err
	}
	grown, err := trees.Grow(ctx, t, p, t.Classes, p.Int("numTrees"), p.Bool("bootstrap"))
	if err != nil {
		return nil, err
	}
	k := randomForestClassification
	m := trees.NewModel(k, e.ForModel(k.Spec), grown, trees.Ones(len(grown)), len(t.Table.Columns), t.Classes)
	m.SetSummary(trees.NewSummary(m, data, true))
	return m, nil
}
