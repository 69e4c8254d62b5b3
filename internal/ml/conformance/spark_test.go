package conformance

import (
	"context"
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/millpond/millpond/internal/ml"
	"github.com/millpond/millpond/internal/ml/mltest"
)

// TestSaveForSpark writes the operators and models of all recorded cases, with the rows that they
// make, to the directory SAVE_FOR_SPARK; spec/record/ml_check_saved.py loads them in real Spark.
func TestSaveForSpark(t *testing.T) {
	root := os.Getenv("SAVE_FOR_SPARK")
	if root == "" {
		t.Skip("SAVE_FOR_SPARK is not set")
	}
	type entry struct {
		Class, Dir, Data string
		Rows             [][]any
	}
	var all []entry
	each(t, func(t *testing.T, rec *mltest.Recording, c *mltest.Case, data, target *mltest.Table) {
		m := fit(t, rec.Class, c, frame(t, data, 0))
		dir := strings.ReplaceAll(rec.Class+"-"+c.Name, " ", "_")
		if err := ml.Save(m, filepath.Join(root, dir), true); err != nil {
			t.Fatal(err)
		}
		op, err := mltest.Operator(rec.Class, rec.Class+"_conformance", c.Params)
		if err != nil {
			t.Fatal(err)
		}
		if err := ml.Save(op, filepath.Join(root, dir+"-operator"), true); err != nil {
			t.Fatal(err)
		}
		all = append(all, entry{m.Spec().Class, dir, c.ApplyTo, jsonable(rows(t, m, frame(t, target, 0))).([][]any)},
			entry{op.Spec().Class, dir + "-operator", "", nil})
	})
	b, err := json.Marshal(all)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(root, "index.json"), b, 0o644); err != nil {
		t.Fatal(err)
	}
}

// jsonable writes numbers that JSON lacks as text.
func jsonable(v any) any {
	switch v := v.(type) {
	case [][]any:
		for i := range v {
			v[i] = jsonable(v[i]).([]any)
		}
		return v
	case []any:
		for i := range v {
			v[i] = jsonable(v[i])
		}
	case map[string]any:
		for k := range v {
			v[k] = jsonable(v[k])
		}
	case float64:
		if v != v || v-v != 0 {
			return ml.FormatDouble(v)
		}
	}
	return v
}

// TestLoadSparks reads what real Spark wrote (spec/record/ml_saved.py).
func TestLoadSparks(t *testing.T) {
	dirs, err := os.ReadDir(filepath.Join(mltest.Dir(), "saved"))
	if err != nil {
		t.Fatal(err)
	}
	for _, d := range dirs {
		dir := filepath.Join(mltest.Dir(), "saved", d.Name())
		meta, err := ml.ReadMetadata(dir)
		if err != nil {
			t.Errorf("%s: %v", d.Name(), err)
			continue
		}
		if _, err := ml.Lookup(meta.Class); err != nil {
			continue // belongs to a package that this test does not import
		}
		op, err := ml.Load(dir, meta.Class)
		if err != nil {
			t.Errorf("%s: %v", d.Name(), err)
			continue
		}
		again := filepath.Join(t.TempDir(), "again")
		if err := ml.Save(op, again, false); err != nil {
			t.Errorf("%s: %v", d.Name(), err)
			continue
		}
		ours, err := ml.ReadMetadata(again)
		if err != nil {
			t.Fatal(err)
		}
		// What Spark said comes back as it was: same parameters, set and default.
		if d1 := mltest.Diff(numbers(ours.ParamMap), numbers(meta.ParamMap), mltest.Options{}); d1 != "" {
			t.Errorf("%s: parameters %s", d.Name(), d1)
		}
		if d.Name() == "qdm" { // a Bucketizer made by a QuantileDiscretizer has that one's default name
			delete(ours.DefaultParamMap, "outputCol")
			delete(meta.DefaultParamMap, "outputCol")
		}
		if d1 := mltest.Diff(numbers(ours.DefaultParamMap), numbers(meta.DefaultParamMap), mltest.Options{}); d1 != "" {
			t.Errorf("%s: defaults %s", d.Name(), d1)
		}
		if m, ok := op.(ml.Model); ok {
			if _, err := m.Attr(context.Background(), "nothing", nil); err == nil {
				t.Errorf("%s answers anything", d.Name())
			}
		}
	}
}

// numbers makes json.Number plain floats, for comparing.
func numbers(v any) any {
	switch v := v.(type) {
	case map[string]any:
		out := map[string]any{}
		for k, x := range v {
			out[k] = numbers(x)
		}
		return out
	case []any:
		out := make([]any, len(v))
		for i, x := range v {
			out[i] = numbers(x)
		}
		return out
	case json.Number:
		f, _ := v.Float64()
		return f
	}
	return v
}
