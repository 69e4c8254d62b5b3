package ml

import (
	"math"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/millpond/millpond/internal/sparkerr"
	"github.com/millpond/millpond/internal/types"
)

const saved = "../../spec/ml/saved" // directories that real Spark 4.3 wrote (spec/record/ml_saved.py)

func TestReadTableOfSpark(t *testing.T) {
	lr, err := ReadTable(filepath.Join(saved, "lrm"), "data")
	if err != nil {
		t.Fatal(err)
	}
	v, err := Read[Vector](lr, "coefficients", 0)
	if err != nil || v.Size != 50 || v.Values[0] != 0.9896773108397363 {
		t.Errorf("coefficients = %v, %v", v, err)
	}
	if x, err := Read[float64](lr, "intercept", 0); err != nil || x != 2.953508928360779 {
		t.Errorf("intercept = %v, %v", x, err)
	}
	km, err := ReadTable(filepath.Join(saved, "km"), "data")
	if err != nil || km.Rows != 2 {
		t.Fatalf("two part files: %v rows, %v", km, err)
	}
	pca, err := ReadTable(filepath.Join(saved, "pcam"), "data")
	if err != nil {
		t.Fatal(err)
	}
	if m, err := Read[Matrix](pca, "pc", 0); err != nil || m.Rows != 3 || m.Cols != 2 || m.At(2, 1) != -0.8326669633034862 {
		t.Errorf("pc = %v, %v", m, err)
	}
	si, err := ReadTable(filepath.Join(saved, "sim"), "data")
	if err != nil {
		t.Fatal(err)
	}
	if l, err := Read[[]any](si, "labelsArray", 0); err != nil || !cmp.Equal(l, []any{[]string{"a", "b", "c"}}) {
		t.Errorf("labelsArray = %v, %v", l, err)
	}
	if _, err := ReadTable(filepath.Join(saved, "vi"), "data"); err != nil {
		t.Errorf("maps: %v", err)
	}
	if _, err := ReadTable(filepath.Join(saved, "dt"), "data"); err != nil {
		t.Errorf("structs: %v", err)
	}
}

func TestWriteRowsReadBack(t *testing.T) {
	schema := types.Struct{Fields: []types.Field{
		{Name: "v", Type: types.Vector, Nullable: true}, {Name: "s", Type: types.Vector, Nullable: true},
		{Name: "m", Type: types.Matrix, Nullable: true}, {Name: "l", Type: types.Array{Elem: types.Array{Elem: types.String, ContainsNull: true}, ContainsNull: true}, Nullable: true},
		{Name: "n", Type: types.Int},
		{Name: "k", Type: types.Map{Key: types.Int, Value: types.Map{Key: types.Double, Value: types.Int}, ValueContainsNull: true}, Nullable: true}}}
	want := []any{DenseVector([]float64{1, math.Inf(1)}), Vector{Size: 5, Sparse: true, Indices: []int32{1, 4}, Values: []float64{2, 3}},
		Matrix{Rows: 1, Cols: 2, Values: []float64{4, 5}, Transposed: true}, [][]string{{"a", "ü"}, {}}, int32(7),
		[][2]any{{int32(0), [][2]any{{1.5, int32(2)}}}}}
	dir := t.TempDir()
	if err := WriteRows(dir, "data", schema, want); err != nil {
		t.Fatal(err)
	}
	tbl, err := ReadTable(dir, "data")
	if err != nil {
		t.Fatal(err)
	}
	for i, f := range schema.Fields {
		got, err := Read[any](tbl, f.Name, 0)
		w := want[i]
		if f.Name == "l" {
			w = []any{[]string{"a", "ü"}, []string{}}
		}
		if err != nil || !cmp.Equal(got, w) {
			t.Errorf("%s: %v, %v: %s", f.Name, got, err, cmp.Diff(w, got))
		}
	}
}

var testSpec = &Spec{Class: "org.apache.spark.ml.feature.ElementwiseProductForTest", Kind: KindTransformer,
	Params: []Param{{Name: "inputCol", Type: ParamString}, {Name: "outputCol", Type: ParamString, Default: OutputSuffix},
		{Name: "scalingVec", Type: ParamVector}, {Name: "splitsArray", Type: ParamDoubleArray2},
		{Name: "n", Type: ParamInt}, {Name: "x", Type: ParamDouble, Default: 1.0}}}

func init() {
	testSpec.New = func(uid string, p *Params) Operator { b := NewBase(testSpec, uid, p); return &b }
	Register(testSpec)
}

func TestSaveLoadParams(t *testing.T) {
	p := NewParams(testSpec)
	for k, v := range map[string]any{"inputCol": "a<b", "scalingVec": Vector{Size: 3, Sparse: true, Indices: []int32{2}, Values: []float64{1e-9}},
		"splitsArray": []any{[]any{math.Inf(-1), int32(1), math.Inf(1)}}, "n": int64(3), "x": math.NaN()} {
		if err := p.Set("u_1", k, v); err != nil {
			t.Fatal(err)
		}
	}
	op := testSpec.New("u_1", p)
	dir := filepath.Join(t.TempDir(), "sub", "op")
	if err := Save(op, dir, false); err != nil {
		t.Fatal(err)
	}
	err := Save(op, dir, false)
	if e := sparkerr.As(err); e == nil || e.Class != "java.io.IOException" {
		t.Errorf("saving over: %v", err)
	}
	if err := Save(op, "file://"+dir, true); err != nil {
		t.Fatal(err)
	}
	back, err := Load("file:"+dir, testSpec.Class)
	if err != nil {
		t.Fatal(err)
	}
	if back.UID() != "u_1" || back.Params().String("outputCol") != "u_1__output" {
		t.Errorf("uid %s, outputCol %s", back.UID(), back.Params().String("outputCol"))
	}
	for k, v := range p.Explicit() {
		if FormatValue(v) != FormatValue(back.Params().Get(k)) {
			t.Errorf("%s: %v became %v", k, v, back.Params().Get(k))
		}
	}
	if back.Params().IsSet("outputCol") {
		t.Error("the default outputCol came back as a set value")
	}
	if _, err := Load(dir, "org.apache.spark.ml.X"); err == nil || !strings.Contains(err.Error(), "Expected class name org.apache.spark.ml.X but found class name") {
		t.Errorf("other class: %v", err)
	}
	if _, err := Load(dir+"/nope", ""); err == nil || !strings.HasPrefix(err.Error(), "[PATH_NOT_FOUND]") {
		t.Errorf("missing: %v", err)
	}
}

func TestCheckMessages(t *testing.T) {
	in := types.Struct{Fields: []types.Field{{Name: "s", Type: types.String}, {Name: "d", Type: types.Array{Elem: types.Double}},
		{Name: "v", Type: types.Vector}, {Name: "n", Type: types.Decimal{Precision: 5, Scale: 2}}}}
	const vec = "class org.apache.spark.ml.linalg.VectorUDT:struct<type:tinyint,size:int,indices:array<int>,values:array<double>>"
	for _, c := range []struct {
		err  error
		want string
	}{
		{CheckVector(in, "s"), "requirement failed: Column s must be of type " + vec + " but was actually class org.apache.spark.sql.types.StringType$:string."},
		{CheckVector(in, "d"), "requirement failed: Column d must be of type " + vec + " but was actually class org.apache.spark.sql.types.ArrayType:array<double>."},
		{CheckNumeric(in, "s"), "requirement failed: Column s must be of type numeric but was actually of type string."},
		{CheckNumeric(in, "z"), "[FIELD_NOT_FOUND] No such struct field `z` in `s`, `d`, `v`, `n`. SQLSTATE: 42704"},
	} {
		if c.err == nil || c.err.Error() != c.want {
			t.Errorf("got  %v\nwant %s", c.err, c.want)
		}
	}
	if err := CheckVector(in, "v"); err != nil {
		t.Error(err)
	}
	if err := CheckNumeric(in, "n"); err != nil {
		t.Error(err)
	}
}

func TestAttrGroupMetadata(t *testing.T) {
	// As real Spark wrote it for a VectorAssembler.
	const text = `{"ml_attr":{"attrs":{"binary":[{"idx":1,"name":"so_a"}],"nominal":[{"idx":2,"name":"si","vals":["a","b","__unknown"]}],"numeric":[{"idx":0,"name":"num_s_0"}]},"num_attrs":4}}`
	f := types.Field{Name: "features", Type: types.Vector, Metadata: text}
	g := GroupOf(f)
	if g.Size != 4 || g.Attrs[3].Type != AttrNumeric || g.Attrs[2].Vals[2] != "__unknown" {
		t.Errorf("%+v", g)
	}
	if g.Metadata() != text {
		t.Errorf("got  %s\nwant %s", g.Metadata(), text)
	}
	a, err := Arities(f)
	if err != nil || !cmp.Equal(a, map[int]int{1: 2, 2: 3}) {
		t.Errorf("arities %v, %v", a, err)
	}
	if got := PredictionField("p", 0).Metadata; got != `{"ml_attr":{}}` {
		t.Error(got)
	}
	if got := PredictionField("p", 3).Metadata; got != `{"ml_attr":{"num_vals":3,"type":"nominal"}}` {
		t.Error(got)
	}
	if got := VectorField("p", 3).Metadata; got != `{"ml_attr":{"num_attrs":3}}` {
		t.Error(got)
	}
}

func FuzzColumnMetadata(f *testing.F) {
	f.Add(`{"ml_attr":{"attrs":{"binary":[{"idx":1,"name":"so_a"}]},"num_attrs":4}}`)
	f.Add(`{"ml_attr":{"name":"x","type":"nominal","vals":["a"]}}`)
	f.Fuzz(func(t *testing.T, md string) {
		field := types.Field{Name: "c", Type: types.Vector, Metadata: md}
		g := GroupOf(field)
		if g.Attrs != nil {
			again := GroupOf(types.Field{Name: "c", Metadata: g.Metadata()})
			if !cmp.Equal(g, again) {
				t.Errorf("%s\nread again: %s", md, cmp.Diff(g, again))
			}
		}
		_, _ = AttrOf(field).NumValues()
		_, _ = Arities(field)
	})
}

func FuzzParseMetadata(f *testing.F) {
	for _, d := range []string{"bk2", "ep", "lrm", "dt"} {
		files, _ := filepath.Glob(filepath.Join(saved, d, "metadata", "part-*"))
		for _, name := range files {
			b, err := os.ReadFile(name)
			if err != nil {
				f.Fatal(err)
			}
			f.Add(b)
		}
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		m, err := ParseMetadata(b)
		if err != nil {
			return
		}
		if p, err := m.Params(testSpec); err == nil {
			testSpec.New(m.UID, p)
		}
	})
}

func FuzzReadTable(f *testing.F) {
	for _, d := range []string{"lrm", "sim", "pcam"} {
		files, _ := filepath.Glob(filepath.Join(saved, d, "data", "part-*"))
		for _, name := range files {
			b, err := os.ReadFile(name)
			if err != nil {
				f.Fatal(err)
			}
			f.Add(b)
		}
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		dir := t.TempDir()
		if err := os.MkdirAll(filepath.Join(dir, "data"), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(filepath.Join(dir, "data", "part-0"), b, 0o644); err != nil {
			t.Fatal(err)
		}
		tbl, err := ReadTable(dir, "data")
		if err != nil {
			return
		}
		for _, n := range tbl.names {
			for i := range min(tbl.Rows, 3) {
				_, _ = Read[any](tbl, n, i)
			}
		}
	})
}
