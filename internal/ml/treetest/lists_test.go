package treetest

import (
	"context"
	"testing"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"
	"github.com/apache/arrow-go/v18/arrow/memory"

	"github.com/millpond/millpond/internal/ml"
	"github.com/millpond/millpond/internal/types"
)

func TestListEvaluatorsAreSparks(t *testing.T) {
	for _, name := range []string{"MultilabelClassificationEvaluator", "RankingEvaluator"} {
		var s struct {
			Rows  [][2][]float64
			Cases []struct {
				Params map[string]any
				Value  any
			}
		}
		readNaN(t, name+".json", &s)
		ty := types.Array{Elem: types.Double, ContainsNull: true}
		schema := types.Struct{Fields: []types.Field{{Name: "prediction", Type: ty, Nullable: true}, {Name: "label", Type: ty, Nullable: true}}}
		cols := make([]arrow.Array, 2)
		for k := range cols {
			b := array.NewListBuilder(memory.DefaultAllocator, arrow.PrimitiveTypes.Float64)
			for _, row := range s.Rows {
				b.Append(true)
				b.ValueBuilder().(*array.Float64Builder).AppendValues(row[k], nil)
			}
			cols[k] = b.NewArray()
		}
		f, err := ml.FrameOfColumns(schema, len(s.Rows), cols...)
		if err != nil {
			t.Fatal(err)
		}
		for _, c := range s.Cases {
			got, err := operator[ml.Evaluator](t, name, "e", c.Params).Evaluate(context.Background(), f)
			want, ok := c.Value.(float64)
			if err != nil || ok && !near(got, want) || !ok && got == got {
				t.Errorf("%s %v: got %v, %v; want %v", name, c.Params, got, err, c.Value)
			}
		}
	}
}
