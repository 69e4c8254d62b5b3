package trees

import (
	"slices"

	"github.com/millpond/millpond/internal/ml"
)

// Classes of Spark's tree learners and their models.
const (
	regression     = "org.apache.spark.ml.regression."
	classification = "org.apache.spark.ml.classification."

	RegressionTree     = regression + "DecisionTreeRegressionModel"
	ClassificationTree = classification + "DecisionTreeClassificationModel"
)

// TreeRegressorParams and TreeClassifierParams are the parameters of single trees; their models
// have the same. They lie here because ensembles of both packages are made of such models.
var (
	TreeRegressorParams = append(Common(regression+"DecisionTreeRegressor", "variance", "variance"),
		ml.Param{Name: "varianceCol", Doc: "Column name for the biased sample variance of prediction", Type: ml.ParamString})
	TreeClassifierParams = append(append(Common(classification+"DecisionTreeClassifier", "gini", "entropy", "gini"), Classifier()...), PruneTree())
)

// TreeRegression is the kind of DecisionTreeRegressionModel.
var TreeRegression = &Kind{PerTree: true, Predict: predictOne, Attrs: Attrs(false, false),
	Spec: ml.Register(&ml.Spec{Class: RegressionTree, Kind: ml.KindModel, Params: TreeRegressorParams})}

// TreeClassification is the kind of DecisionTreeClassificationModel.
var TreeClassification = &Kind{Classifier: true, PerTree: true, Raw: rawOne, ToProbability: Normalize, Attrs: Attrs(true, false),
	Spec: ml.Register(&ml.Spec{Class: ClassificationTree, Kind: ml.KindModel, Params: TreeClassifierParams})}

func init() {
	for _, k := range []*Kind{TreeRegression, TreeClassification} {
		singles[k.Spec.Class] = k
		k.Spec.Load = Loader(k, 0)
	}
}

// Loader makes a Spec's Load of a kind of model; classes as in LoadModel.
func Loader(k *Kind, classes int) func(string, ml.Metadata) (ml.Operator, error) {
	return func(dir string, meta ml.Metadata) (ml.Operator, error) {
		m, err := LoadModel(k, dir, meta, classes)
		if err != nil { // not a nil *Model in an Operator
			return nil, err
		}
		return m, nil
	}
}

func predictOne(m *Model, row []float64) float64 { return m.Trees[0].Predict(row) }

func rawOne(m *Model, row, raw []float64) {
	t := m.Trees[0]
	copy(raw, t.Nodes[t.Find(row)].Stats)
}

// Normalize scales votes to probabilities.
func Normalize(raw []float64) {
	sum := 0.0
	for _, v := range raw {
		sum += v
	}
	if sum != 0 {
		for i := range raw {
			raw[i] /= sum
		}
	}
}

// Join puts parameter tables together, in the order of their names as Spark lists them.
func Join(tables ...[]ml.Param) []ml.Param {
	out := slices.Concat(tables...)
	slices.SortStableFunc(out, func(a, b ml.Param) int {
		switch {
		case a.Name < b.Name:
			return -1
		case a.Name > b.Name:
			return 1
		}
		return 0
	})
	return out
}
