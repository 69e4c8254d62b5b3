// Package treetest holds the tree learners, KMeans and the evaluators to what real Spark
// answered (spec/ml).
package treetest

import (
	"context"
	"encoding/json"
	"fmt"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"
	"github.com/apache/arrow-go/v18/arrow/memory"

	"github.com/millpond/millpond/internal/ml"
	_ "github.com/millpond/millpond/internal/ml/classification"
	_ "github.com/millpond/millpond/internal/ml/regression"
	"github.com/millpond/millpond/internal/types"
)

const spec = "../../../spec/ml/"

func read(t testing.TB, name string, into any) {
	t.Helper()
	text, err := os.ReadFile(spec + name)
	if err != nil {
		t.Fatal(err)
	}
	if err := json.Unmarshal(text, into); err != nil {
		t.Fatal(err)
	}
}

type modelCase struct {
	Name, Class, Label, UID, Debug, String      string
	Params                                      map[string]any
	Importances, TreeWeights, EachIteration     []float64
	NumFeatures, TotalNumNodes, Depth, NumNodes int
	Rows                                        []map[string]any
	Summary                                     map[string]any
}

type treeSpec struct {
	Arity          []int
	Data           [][]any
	Cases, Sampled []modelCase
}

func float64s(v []float64) arrow.Array {
	b := array.NewFloat64Builder(memory.DefaultAllocator)
	b.AppendValues(v, nil)
	return b.NewArray()
}

func bools(v []bool) arrow.Array {
	b := array.NewBooleanBuilder(memory.DefaultAllocator)
	b.AppendValues(v, nil)
	return b.NewArray()
}

func featuresField(arity []int) types.Field {
	attrs := make([]ml.Attr, len(arity))
	for i, a := range arity {
		attrs[i] = ml.Attr{Name: fmt.Sprintf("x%d", i)}
		if a > 0 {
			attrs[i].Type, attrs[i].NumVals = ml.AttrNominal, &arity[i]
		}
	}
	return types.Field{Name: "features", Type: types.Vector, Nullable: true, Metadata: ml.AttrGroup{Attrs: attrs, Size: len(arity)}.Metadata()}
}

// frame lays rows out as a frame of batches of the given size.
func frame(t testing.TB, features [][]float64, field types.Field, columns map[string]any, batch int) *ml.MemFrame {
	t.Helper()
	names := make([]string, 0, len(columns))
	for n := range columns {
		names = append(names, n)
	}
	slices.Sort(names)
	schema := types.Struct{Fields: []types.Field{field}}
	for _, n := range names {
		ty := types.Type(types.Double)
		if _, ok := columns[n].([]bool); ok {
			ty = types.Boolean
		}
		schema.Fields = append(schema.Fields, types.Field{Name: n, Type: ty, Nullable: true})
	}
	as, err := types.SchemaToArrow(schema, "UTC")
	if err != nil {
		t.Fatal(err)
	}
	var batches []arrow.RecordBatch
	for from := 0; from < len(features); from += batch {
		to := min(from+batch, len(features))
		b := ml.NewVectorBuilder(to-from, len(features[0]))
		for i := from; i < to; i++ {
			sparse(b, features[i], i)
		}
		cols := []arrow.Array{b.Array()}
		for _, n := range names {
			switch v := columns[n].(type) {
			case []float64:
				cols = append(cols, float64s(v[from:to]))
			case []bool:
				cols = append(cols, bools(v[from:to]))
			}
		}
		batches = append(batches, array.NewRecordBatch(as, cols, int64(to-from)))
	}
	return ml.NewMemFrame(schema, batches...)
}

// allDense leaves all rows dense, as a VectorAssembler makes them.
var allDense bool

// sparse adds every third row as a sparse vector, to see that the form does not matter.
func sparse(b *ml.VectorBuilder, row []float64, i int) {
	if i%3 != 0 || allDense {
		b.Dense(row)
		return
	}
	var idx []int32
	var val []float64
	for j, v := range row {
		if v != 0 {
			idx, val = append(idx, int32(j)), append(val, v)
		}
	}
	b.Sparse(len(row), idx, val)
}

func (s *treeSpec) frame(t testing.TB, batch int) *ml.MemFrame {
	features := make([][]float64, len(s.Data))
	columns := map[string]any{}
	for k, name := range []string{"y", "yr", "late", "cls", "w"} {
		v := make([]float64, len(s.Data))
		for i, row := range s.Data {
			v[i] = row[k+1].(float64)
		}
		columns[name] = v
	}
	valid := make([]bool, len(s.Data))
	for i, row := range s.Data {
		for _, v := range row[0].([]any) {
			features[i] = append(features[i], v.(float64))
		}
		valid[i] = row[6].(bool)
	}
	columns["valid"] = valid
	return frame(t, features, featuresField(s.Arity), columns, batch)
}

var packages = map[string]string{"Classifier": "classification.", "Regressor": "regression.", "KMeans": "clustering.", "Evaluator": "evaluation."}

func class(short string) string {
	for suffix, p := range packages {
		if strings.HasSuffix(short, suffix) {
			return "org.apache.spark.ml." + p + short
		}
	}
	return short
}

func params(t testing.TB, s *ml.Spec, uid string, values map[string]any) *ml.Params {
	t.Helper()
	p := ml.NewParams(s)
	for k, v := range values {
		if f, ok := v.(float64); ok && f == math.Trunc(f) {
			v = int64(f)
		}
		if err := p.Set(uid, k, v); err != nil {
			t.Fatalf("%s = %v: %v", k, v, err)
		}
	}
	return p
}

func operator[T any](t testing.TB, short, uid string, values map[string]any) T {
	t.Helper()
	s, err := ml.Lookup(class(short))
	if err != nil {
		t.Fatal(err)
	}
	return s.New(uid, params(t, s, uid, values)).(T)
}

func attr[T any](t testing.TB, m interface {
	Attr(context.Context, string, []any) (any, error)
}, name string, args ...any) T {
	t.Helper()
	v, err := m.Attr(context.Background(), name, args)
	if err != nil {
		t.Fatalf("%s: %v", name, err)
	}
	x, ok := v.(T)
	if !ok {
		t.Fatalf("%s: got %T %v", name, v, v)
	}
	return x
}

func near(a, b float64) bool {
	return a == b || math.Abs(a-b) <= 1e-9*math.Max(1, math.Abs(b)) || math.IsNaN(a) && math.IsNaN(b)
}

// sameText compares debug strings. Java's exp and Go's differ in the last digit now and then, and
// so do predictions made of it; all else must be equal to the letter.
func sameText(a, b string) bool {
	x, y := strings.Split(a, " "), strings.Split(b, " ")
	if len(x) != len(y) {
		return false
	}
	for i := range x {
		if x[i] == y[i] {
			continue
		}
		f, rest, _ := strings.Cut(x[i], "\n")
		g, rest2, _ := strings.Cut(y[i], "\n")
		u, err := strconv.ParseFloat(f, 64)
		v, err2 := strconv.ParseFloat(g, 64)
		if err != nil || err2 != nil || rest != rest2 || math.Abs(u-v) > 1e-13*math.Abs(v) {
			return false
		}
	}
	return true
}

// rowsOf reads the output columns of a transformed frame as plain values.
func rowsOf(t testing.TB, f ml.Frame, names ...string) []map[string][]float64 {
	t.Helper()
	var out []map[string][]float64
	for b, err := range f.Select(names...).Batches(context.Background()) {
		if err != nil {
			t.Fatal(err)
		}
		for i := range int(b.NumRows()) {
			row := map[string][]float64{}
			for k, n := range names {
				v, err := ml.ValueAt(b.Column(k), i)
				if err != nil {
					t.Fatal(err)
				}
				switch v := v.(type) {
				case float64:
					row[n] = []float64{v}
				case int32:
					row[n] = []float64{float64(v)}
				case ml.Vector:
					row[n] = v.Array()
				}
			}
			out = append(out, row)
		}
	}
	return out
}

func transformed(t testing.TB, m ml.Transformer, f ml.Frame) ml.Frame {
	t.Helper()
	b, err := m.Bind(f.Schema())
	if err != nil {
		t.Fatal(err)
	}
	return ml.Applied(f, b)
}

func compareRows(t *testing.T, m ml.Model, f ml.Frame, want []map[string]any) {
	t.Helper()
	var names []string
	for n := range want[0] {
		names = append(names, n)
	}
	p := m.Params().Copy()
	if err := p.Set(m.UID(), "leafCol", "leaf"); err != nil {
		t.Fatal(err)
	}
	got := rowsOf(t, transformed(t, m.WithParams(p), f), names...)
	for i, w := range want {
		for n, v := range w {
			list := []float64{}
			if x, ok := v.(float64); ok {
				list = append(list, x)
			} else {
				for _, x := range v.([]any) {
					list = append(list, x.(float64))
				}
			}
			if !slices.EqualFunc(got[i][n], list, near) {
				t.Fatalf("row %d %s: got %v, want %v", i, n, got[i][n], list)
			}
		}
	}
}

func fit(t testing.TB, c modelCase, f ml.Frame) ml.Model {
	t.Helper()
	e := operator[ml.Estimator](t, c.Class, c.UID, c.Params)
	m, err := e.Fit(context.Background(), f)
	if err != nil {
		t.Fatal(err)
	}
	return m
}

func TestModelsAreSparks(t *testing.T) {
	for _, name := range learners {
		var s treeSpec
		read(t, "trees_"+name+".json", &s)
		s.test(t)
	}
}

var learners = []string{"DecisionTreeRegressor", "RandomForestRegressor", "GBTRegressor", "DecisionTreeClassifier", "RandomForestClassifier", "GBTClassifier"}

func (s *treeSpec) test(t *testing.T) {
	whole, cut := s.frame(t, 1000), s.frame(t, 37)
	for _, c := range s.Cases {
		t.Run(c.Class+" "+c.Name, func(t *testing.T) {
			m := fit(t, c, whole)
			if got := attr[string](t, m, "toDebugString"); !sameText(got, c.Debug) {
				t.Errorf("debug string:\n%s\nwant\n%s", got, c.Debug)
			}
			if got := attr[string](t, fit(t, c, cut), "toDebugString"); !sameText(got, c.Debug) {
				t.Error("batches of 37 rows make another model")
			}
			if got := attr[ml.Vector](t, m, "featureImportances").Array(); !slices.EqualFunc(got, c.Importances, near) {
				t.Errorf("importances %v, want %v", got, c.Importances)
			}
			compareRows(t, m, whole, c.Rows)
			if c.TreeWeights != nil {
				if got := attr[[]float64](t, m, "treeWeights"); !slices.Equal(got, c.TreeWeights) {
					t.Errorf("weights %v, want %v", got, c.TreeWeights)
				}
				if got := attr[int32](t, m, "totalNumNodes"); int(got) != c.TotalNumNodes {
					t.Errorf("%d nodes, want %d", got, c.TotalNumNodes)
				}
			} else if d, n := attr[int32](t, m, "depth"), attr[int32](t, m, "numNodes"); int(d) != c.Depth || int(n) != c.NumNodes {
				t.Errorf("depth %d, %d nodes; want %d, %d", d, n, c.Depth, c.NumNodes)
			}
			compareExtras(t, c, m, whole)
			roundTrip(t, m, whole, c)
		})
	}
}

func compareExtras(t *testing.T, c modelCase, m ml.Model, f ml.Frame) {
	t.Helper()
	if c.EachIteration != nil {
		args := []any{f}
		if c.Class == "GBTRegressor" {
			args = append(args, "squared")
		}
		if got := attr[[]float64](t, m, "evaluateEachIteration", args...); !slices.EqualFunc(got, c.EachIteration, near) {
			t.Errorf("each iteration %v, want %v", got, c.EachIteration)
		}
	}
	for name, want := range c.Summary {
		var args []any
		if name == "weightedFMeasure" {
			args = []any{2.0}
		}
		for _, s := range []ml.Summary{m.Summary(), attr[ml.Summary](t, m, "evaluate", f)} {
			if name == "roc" {
				rows := rowsOf(t, attr[ml.Frame](t, s, "roc"), "FPR", "TPR")
				for i, p := range want.([]any) {
					if xy := p.([]any); !near(rows[i]["FPR"][0], xy[0].(float64)) || !near(rows[i]["TPR"][0], xy[1].(float64)) {
						t.Fatalf("roc point %d: %v, want %v", i, rows[i], xy)
					}
				}
				continue
			}
			switch w := want.(type) {
			case float64:
				if got := attr[float64](t, s, name, args...); !near(got, w) {
					t.Errorf("summary %s %v, want %v", name, got, w)
				}
			case []any:
				got := attr[[]float64](t, s, name, args...)
				for i, x := range w {
					if !near(got[i], x.(float64)) {
						t.Errorf("summary %s %v, want %v", name, got, w)
					}
				}
			}
		}
	}
}

// roundTrip saves and loads a model: it must stay the same.
func roundTrip(t *testing.T, m ml.Model, f ml.Frame, c modelCase) {
	t.Helper()
	dir := filepath.Join(t.TempDir(), "m")
	if err := ml.Save(m, dir, false); err != nil {
		t.Fatal(err)
	}
	back, err := ml.Load(dir, m.Spec().Class)
	if err != nil {
		t.Fatal(err)
	}
	if got := attr[string](t, back.(ml.Model), "toDebugString"); !sameText(got, c.Debug) {
		t.Errorf("after saving and loading:\n%s\nwant\n%s", got, c.Debug)
	}
	compareRows(t, back.(ml.Model), f, c.Rows)
}

func TestLoadsSparksModels(t *testing.T) {
	var s struct {
		Features [][]float64
		Late, Y  []float64
	}
	read(t, "tree_params.json", &s)
	f := frame(t, s.Features, featuresField([]int{0, 4, 0}), map[string]any{"late": s.Late, "y": s.Y}, 100)
	for _, name := range learners {
		t.Run(name, func(t *testing.T) {
			var want struct {
				Debug string
				Rows  []map[string]any
			}
			read(t, "saved_trees/"+name+".json", &want)
			op, err := ml.Load(spec+"saved_trees/"+name, "")
			if err != nil {
				t.Fatal(err)
			}
			m := op.(ml.Model)
			if got := attr[string](t, m, "toDebugString"); !sameText(got, want.Debug) {
				t.Errorf("got\n%s\nwant\n%s", got, want.Debug)
			}
			compareRows(t, m, f, want.Rows)
			label := "late"
			if strings.HasSuffix(name, "Regressor") {
				label = "y"
			}
			c := modelCase{Class: name, UID: m.UID(), Params: map[string]any{"labelCol": label, "maxDepth": 3.0, "seed": 5.0}}
			if strings.HasPrefix(name, "RandomForest") {
				c.Params["numTrees"] = 3.0
			}
			if strings.HasPrefix(name, "GBT") {
				c.Params["maxIter"] = 3.0
			}
			if got := attr[string](t, fit(t, c, f), "toDebugString"); !sameText(got, want.Debug) {
				t.Errorf("fitted anew\n%s\nwant\n%s", got, want.Debug)
			}
		})
	}
}

func parse(t testing.TB, text string) any {
	t.Helper()
	var v any
	if err := json.Unmarshal([]byte(text), &v); err != nil {
		t.Fatal(err)
	}
	return v
}

func asJSON(t testing.TB, v any) string {
	t.Helper()
	b, err := json.Marshal(v)
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}

// readNaN reads a recording in which Python wrote NaN, which JSON does not have.
func readNaN(t testing.TB, name string, into any) {
	t.Helper()
	text, err := os.ReadFile(spec + name)
	if err != nil {
		t.Fatal(err)
	}
	if err := json.Unmarshal([]byte(strings.ReplaceAll(string(text), ":NaN", ":\"NaN\"")), into); err != nil {
		t.Fatal(err)
	}
}
