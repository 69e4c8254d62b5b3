package trees

import (
	"context"
	"maps"

	"github.com/millpond/millpond/internal/ml"
	"github.com/millpond/millpond/internal/sparkerr"
)

// method makes the entry of an attribute that takes a vector of features.
func method(name string, f func(m *Model, row []float64) any) func(context.Context, *Model, []any) (any, error) {
	return func(_ context.Context, m *Model, args []any) (any, error) {
		v, err := ml.Arg[ml.Vector](name, args, 0)
		if err != nil {
			return nil, err
		}
		row := v.Array()
		if len(row) < m.Features {
			if i := m.missing(row); i >= 0 {
				return nil, sparkerr.Plain("java.lang.ArrayIndexOutOfBoundsException", "Index %d out of bounds for length %d", i, len(row))
			}
		}
		return f(m, row), nil
	}
}

// baseAttrs are what every tree model answers.
var baseAttrs = ml.AttrTable[*Model]{
	"featureImportances": ml.Getter(func(m *Model) any { return m.Importances() }),
	"numFeatures":        ml.Getter(func(m *Model) any { return int32(m.Features) }),
	"toDebugString":      ml.Getter(func(m *Model) any { return m.DebugString() }),
	"toString":           ml.Getter(func(m *Model) any { return m.String() }),
}

// RegressionAttrs are those of regressors besides.
var regressionAttrs = ml.AttrTable[*Model]{
	"predict": method("predict", func(m *Model, row []float64) any { return m.kind.Predict(m, row) }),
}

var classifierAttrs = ml.AttrTable[*Model]{
	"numClasses": ml.Getter(func(m *Model) any { return int32(m.Classes) }),
	"predictRaw": method("predictRaw", func(m *Model, row []float64) any { return ml.DenseVector(m.raw(row)) }),
	"predictProbability": method("predictProbability", func(m *Model, row []float64) any {
		raw := m.raw(row)
		m.kind.ToProbability(raw)
		return ml.DenseVector(raw)
	}),
	"predict": method("predict", func(m *Model, row []float64) any { return m.Class(row) }),
}

// singleAttrs are those of a model that is one tree.
var singleAttrs = ml.AttrTable[*Model]{
	"depth":    ml.Getter(func(m *Model) any { return int32(m.Trees[0].Depth()) }),
	"numNodes": ml.Getter(func(m *Model) any { return int32(len(m.Trees[0].Nodes)) }),
	"predictLeaf": method("predictLeaf", func(m *Model, row []float64) any {
		t := m.Trees[0]
		return float64(t.LeafIndex(t.Find(row)))
	}),
}

// ensembleAttrs are those of a model of many trees.
var ensembleAttrs = ml.AttrTable[*Model]{
	"getNumTrees":     ml.Getter(func(m *Model) any { return int32(len(m.Trees)) }),
	"totalNumNodes":   ml.Getter(func(m *Model) any { return int32(m.NumNodes()) }),
	"treeWeights":     ml.Getter(func(m *Model) any { return m.Weights }),
	"javaTreeWeights": ml.Getter(func(m *Model) any { return m.Weights }),
	"trees":           ml.Getter(func(m *Model) any { return m.members }),
	"predictLeaf": method("predictLeaf", func(m *Model, row []float64) any {
		out := make([]float64, len(m.Trees))
		for i, t := range m.Trees {
			out[i] = float64(t.LeafIndex(t.Find(row)))
		}
		return ml.DenseVector(out)
	}),
}

// Attrs puts together the attributes of a class of model.
func Attrs(classifier, ensemble bool, own ...ml.AttrTable[*Model]) ml.AttrTable[*Model] {
	out := maps.Clone(baseAttrs)
	if classifier {
		maps.Copy(out, classifierAttrs)
	} else {
		maps.Copy(out, regressionAttrs)
	}
	if ensemble {
		maps.Copy(out, ensembleAttrs)
	} else {
		maps.Copy(out, singleAttrs)
	}
	for _, t := range own {
		maps.Copy(out, t)
	}
	return out
}

func (m *Model) raw(row []float64) []float64 {
	raw := make([]float64, m.Classes)
	m.kind.Raw(m, row, raw)
	return raw
}

// Class is a classifier's prediction for a row, by the thresholds if there are any.
func (m *Model) Class(row []float64) float64 {
	raw := m.raw(row)
	t := m.Params().Doubles("thresholds")
	if len(t) != m.Classes {
		return float64(argmax(raw))
	}
	m.kind.ToProbability(raw)
	return float64(Decide(raw, t))
}
