package stat

import (
	"context"
	"encoding/json"
	"math"
	"os"
	"testing"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"

	"github.com/millpond/millpond/internal/ml"
	"github.com/millpond/millpond/internal/types"
)

// recorded are the bare numbers of spec/ml/stat.json.
type recorded struct {
	Numbers struct {
		Points, Samples, KS, Chi [][]float64
		Labels                   []float64
		Pearson, Spearman        []any
	}
}

func read(t *testing.T) recorded {
	t.Helper()
	text, err := os.ReadFile("../../../spec/ml/stat.json")
	if err != nil {
		t.Fatal(err)
	}
	var r recorded
	if err := json.Unmarshal(text, &r); err != nil {
		t.Fatal(err)
	}
	return r
}

func near(got, want float64) bool {
	return math.IsNaN(got) && math.IsNaN(want) || math.Abs(got-want) <= 1e-9+1e-6*math.Abs(want)
}

// frame holds the points, every third one sparsely, cut into batches of size rows.
func frame(t *testing.T, r recorded, size int) ml.Frame {
	t.Helper()
	schema := types.Struct{Fields: []types.Field{{Name: "v", Type: types.Vector, Nullable: true}, {Name: "label", Type: types.Double}}}
	var rows [][]any
	for i, p := range r.Numbers.Points {
		v := ml.DenseVector(p)
		if i%3 == 0 {
			v = ml.Vector{Size: len(p), Sparse: true}
			for k, x := range p {
				if x != 0 {
					v.Indices, v.Values = append(v.Indices, int32(k)), append(v.Values, x)
				}
			}
		}
		rows = append(rows, []any{v, r.Numbers.Labels[i]})
	}
	f, err := ml.FrameOfRows(schema, rows, size)
	if err != nil {
		t.Fatal(err)
	}
	return f
}

// only gives the columns of a frame of one batch.
func only(t *testing.T, f ml.Frame, err error) []arrow.Array {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
	for b, err := range f.Batches(context.Background()) {
		if err != nil {
			t.Fatal(err)
		}
		return b.Columns()
	}
	t.Fatal("no rows")
	return nil
}

func TestCorrelationIsSparks(t *testing.T) {
	r := read(t)
	for method, want := range map[string][]any{"pearson": r.Numbers.Pearson, "spearman": r.Numbers.Spearman} {
		for _, size := range []int{1, 7, 1000} {
			f, err := Correlation(context.Background(), frame(t, r, size), "v", method)
			values, err := ml.Floats(only(t, f, err)[0].(*array.Struct).Field(5).(*array.List).ListValues())
			if err != nil || len(values) != len(want) {
				t.Fatalf("%s: %v, %v, want %v", method, values, err, want)
			}
			for i, w := range want {
				x, ok := w.(float64)
				if !ok {
					x = math.NaN()
				}
				if !near(values[i], x) {
					t.Errorf("%s, batches of %d: value %d is %v, want %v", method, size, i, values[i], w)
				}
			}
		}
	}
}

func TestChiSquareIsSparks(t *testing.T) {
	r := read(t)
	f, err := ChiSquareTest(context.Background(), frame(t, r, 50), "v", "label", true)
	cols := only(t, f, err)
	for i, want := range r.Numbers.Chi {
		got := []float64{cols[3].(*array.Float64).Value(i), cols[1].(*array.Float64).Value(i), float64(cols[2].(*array.Int32).Value(i))}
		for k := range want {
			if !near(got[k], want[k]) {
				t.Errorf("column %d: %v, want %v", i, got, want)
				break
			}
		}
	}
}

func TestKolmogorovSmirnovIsSparks(t *testing.T) {
	r := read(t)
	for i, sample := range r.Numbers.Samples {
		schema := types.Struct{Fields: []types.Field{{Name: "x", Type: types.Double}}}
		data, err := ml.FrameOfColumns(schema, len(sample), ml.NumberColumn(sample))
		if err != nil {
			t.Fatal(err)
		}
		f, err := KolmogorovSmirnovTest(context.Background(), data, "x", "norm", nil)
		cols := only(t, f, err)
		got := []float64{cols[1].(*array.Float64).Value(0), cols[0].(*array.Float64).Value(0)}
		if want := r.Numbers.KS[i]; !near(got[0], want[0]) || !near(got[1], want[1]) {
			t.Errorf("sample %d of %d numbers: %v, want %v", i, len(sample), got, want)
		}
	}
}
