package treetest

import (
	"context"
	"testing"

	"github.com/apache/arrow-go/v18/arrow"

	"github.com/millpond/millpond/internal/ml"
	_ "github.com/millpond/millpond/internal/ml/evaluation"
	"github.com/millpond/millpond/internal/types"
)

type evaluatorSpec struct {
	Columns []string
	Rows    [][]any
	Cases   []struct {
		Class  string
		Params map[string]any
		Value  float64
	}
}

func (s *evaluatorSpec) frame(t testing.TB) ml.Frame {
	t.Helper()
	var cols []arrow.Array
	schema := types.Struct{}
	add := func(name string, ty types.Type, a arrow.Array) {
		schema.Fields = append(schema.Fields, types.Field{Name: name, Type: ty, Nullable: true})
		cols = append(cols, a)
	}
	for k, name := range s.Columns {
		if _, ok := s.Rows[0][k].(float64); ok {
			v := make([]float64, len(s.Rows))
			for i, r := range s.Rows {
				v[i] = r[k].(float64)
			}
			add(name, types.Double, float64s(v))
			if name == "score" {
				b := ml.NewVectorBuilder(len(v), 2)
				for _, x := range v {
					b.Dense([]float64{-x, x})
				}
				add("raw", types.Vector, b.Array())
			}
			continue
		}
		b := ml.NewVectorBuilder(len(s.Rows), 3)
		for i, r := range s.Rows {
			row := []float64{}
			for _, x := range r[k].([]any) {
				row = append(row, x.(float64))
			}
			sparse(b, row, i)
		}
		add(name, types.Vector, b.Array())
	}
	f, err := ml.FrameOfColumns(schema, len(s.Rows), cols...)
	if err != nil {
		t.Fatal(err)
	}
	return f
}

var evaluators = []string{"RegressionEvaluator", "BinaryClassificationEvaluator", "MulticlassClassificationEvaluator", "ClusteringEvaluator"}

func TestEvaluatorsAreSparks(t *testing.T) {
	for _, name := range evaluators {
		var s evaluatorSpec
		read(t, name+".json", &s)
		f := s.frame(t)
		for _, c := range s.Cases {
			got, err := operator[ml.Evaluator](t, c.Class, "e", c.Params).Evaluate(context.Background(), f)
			if err != nil || !near(got, c.Value) {
				t.Errorf("%s %v: got %v, %v; want %v", c.Class, c.Params, got, err, c.Value)
			}
		}
	}
}
