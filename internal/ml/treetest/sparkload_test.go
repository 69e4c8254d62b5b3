package treetest

import (
	"encoding/json"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/millpond/millpond/internal/ml"
	"github.com/millpond/millpond/internal/types"
)

// TestSparkLoadsOurModels needs a Python with pyspark and Java, named by MILLPOND_SPARK_PYTHON.
func TestSparkLoadsOurModels(t *testing.T) {
	python := os.Getenv("MILLPOND_SPARK_PYTHON")
	if python == "" {
		t.Skip("MILLPOND_SPARK_PYTHON does not name a Python with pyspark")
	}
	var s struct {
		Features [][]float64
		Late, Y  []float64
	}
	read(t, "tree_params.json", &s)
	f := frame(t, s.Features, featuresField([]int{0, 4, 0}), map[string]any{"late": s.Late, "y": s.Y}, 100)
	plain := frame(t, s.Features, types.Field{Name: "features", Type: types.Vector, Nullable: true}, nil, 100)
	dir := filepath.Join(t.TempDir(), "models")
	models := map[string]ml.Model{}
	for _, name := range append([]string{"KMeans"}, learners...) {
		p := map[string]any{"seed": 5.0}
		if name != "KMeans" {
			p["maxDepth"], p["labelCol"] = 4.0, "late"
		}
		if strings.HasSuffix(name, "Regressor") {
			p["labelCol"] = "y"
		}
		m := fit(t, modelCase{Class: name, UID: name + "_0123456789ab", Params: p}, f)
		models[m.Spec().ShortName()] = m
		if err := ml.Save(m, filepath.Join(dir, m.Spec().ShortName()), false); err != nil {
			t.Fatal(err)
		}
	}
	out, err := exec.Command(python, "../../../spec/record/ml_tree_load.py", dir).Output()
	if exit := (*exec.ExitError)(nil); errors.As(err, &exit) {
		t.Fatalf("%v: %s", err, exit.Stderr)
	}
	if err != nil {
		t.Fatalf("%v", err)
	}
	_, text, _ := strings.Cut(string(out), "RESULT")
	var got map[string]struct {
		Debug string
		Rows  []map[string]any
	}
	if err := json.Unmarshal([]byte(text), &got); err != nil {
		t.Fatal(err)
	}
	for name, m := range models {
		g := got[name]
		if name != "KMeansModel" {
			if want := attr[string](t, m, "toDebugString"); !sameText(g.Debug, want) {
				t.Errorf("%s: Spark read\n%s\nwe wrote\n%s", name, g.Debug, want)
			}
			compareRows(t, m, plain, g.Rows)
			again, err := ml.Load(filepath.Join(dir, "..", "again", name), "")
			if err != nil {
				t.Errorf("%s saved again by Spark: %v", name, err)
				continue
			}
			compareRows(t, again.(ml.Model), plain, g.Rows)
			continue
		}
		for i, row := range rowsOf(t, transformed(t, m, plain), "prediction") {
			if row["prediction"][0] != g.Rows[i]["prediction"] {
				t.Fatalf("%s row %d: %v, Spark %v", name, i, row, g.Rows[i])
			}
		}
	}
}
