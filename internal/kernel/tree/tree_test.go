package tree

import (
	"context"
	"encoding/json"
	"fmt"
	"math"
	"os"
	"slices"
	"testing"

	"github.com/millpond/millpond/internal/kernel/hist"
	"github.com/millpond/millpond/internal/kernel/random"
)

type recorded struct {
	Prediction, Impurity, Gain, Threshold float64
	Stats, Categories                     []float64
	Raw                                   int64
	Feature                               int
	Left, Right                           *recorded
}

type testCase struct {
	Name, Class, Label string
	Params             map[string]any
	Trees              []recorded
	Importances        []float64
	TreeWeights        []float64
}

type recording struct {
	Arity   []int
	Data    [][]any
	Cases   []testCase
	Sampled []testCase
}

type dense struct {
	values []float64
	width  int
}

func (d dense) Len() int { return len(d.values) / d.width }
func (d dense) Block(from, to int, dst []float64) {
	copy(dst, d.values[from*d.width:to*d.width])
}

// load reads the recordings of the learners that grow trees independently.
func load(t testing.TB) recording {
	t.Helper()
	var all recording
	for _, name := range []string{"DecisionTreeRegressor", "DecisionTreeClassifier", "RandomForestRegressor", "RandomForestClassifier"} {
		text, err := os.ReadFile("../../../spec/ml/trees_" + name + ".json")
		if err != nil {
			t.Fatal(err)
		}
		var r recording
		if err := json.Unmarshal(text, &r); err != nil {
			t.Fatal(err)
		}
		r.Cases, r.Sampled = append(all.Cases, r.Cases...), append(all.Sampled, r.Sampled...)
		all = r
	}
	return all
}

func (r *recording) matrix() dense {
	d := dense{width: len(r.Arity)}
	for _, row := range r.Data {
		for _, v := range row[0].([]any) {
			d.values = append(d.values, v.(float64))
		}
	}
	return d
}

func (r *recording) column(name string) []float64 {
	at := map[string]int{"y": 1, "yr": 2, "late": 3, "cls": 4, "w": 5}[name]
	var out []float64
	for _, row := range r.Data {
		out = append(out, row[at].(float64))
	}
	return out
}

func number(p map[string]any, key string, def float64) float64 {
	if v, ok := p[key].(float64); ok {
		return v
	}
	return def
}

// settings turns a recorded case into a Config; ok is false for boosting.
func settings(c testCase, width int) (cfg Config, rate float64, bootstrap, ok bool) {
	cfg = Config{MaxBins: int(number(c.Params, "maxBins", 32)), MaxDepth: int(number(c.Params, "maxDepth", 5)),
		MinInstances: int(number(c.Params, "minInstancesPerNode", 1)), MinInfoGain: number(c.Params, "minInfoGain", 0),
		MinWeightFraction: number(c.Params, "minWeightFractionPerNode", 0), Trees: 1, MemoryMB: 256,
		Threads: 2}
	rate = number(c.Params, "subsamplingRate", 1)
	strategy := "all"
	switch c.Class {
	case "DecisionTreeRegressor", "DecisionTreeClassifier":
	case "RandomForestRegressor", "RandomForestClassifier":
		cfg.Trees, bootstrap, strategy = int(number(c.Params, "numTrees", 20)), true, "auto"
		if b, set := c.Params["bootstrap"].(bool); set {
			bootstrap = b
		}
	default:
		return cfg, 0, false, false
	}
	if s, set := c.Params["featureSubsetStrategy"].(string); set {
		strategy = s
	}
	if c.Label == "late" || c.Label == "cls" {
		cfg.Impurity, cfg.Classes = Gini, 2
		if c.Params["impurity"] == "entropy" {
			cfg.Impurity = Entropy
		}
		if c.Label == "cls" {
			cfg.Classes = 3
		}
	}
	cfg.FeaturesPerNode = FeaturesPerNode(strategy, width, cfg.Trees, cfg.Classes > 0)
	return cfg, rate, bootstrap, true
}

func grow(t *testing.T, c testCase, src hist.Source, arity []int, labels, weights []float64, threads int) []*Tree {
	t.Helper()
	cfg, rate, bootstrap, _ := settings(c, len(arity))
	seed := int64(number(c.Params, "seed", 0))
	cfg.Threads = threads
	table, err := hist.Bin(src, hist.Options{MaxBins: cfg.MaxBins, Seed: seed, Arity: arity, Weights: weights, Threads: threads})
	if err != nil {
		t.Fatal(err)
	}
	var counts []uint8
	if bootstrap || rate < 1 {
		counts = random.Bag(table.Rows, cfg.Trees, rate, bootstrap, seed)
	}
	g := NewGrower(Data{Table: table, Weights: weights}, cfg)
	trees, err := g.Grow(context.Background(), seed, labels, counts)
	if err != nil {
		t.Fatal(err)
	}
	return trees
}

func near(a, b float64) bool { return math.Abs(a-b) <= 1e-9*math.Max(1, math.Abs(b)) }

func compareNode(t *Tree, at int, want *recorded, path string) error {
	n := &t.Nodes[at]
	if !near(n.Prediction, want.Prediction) || !near(n.Impurity, want.Impurity) || n.RawCount != want.Raw {
		return fmt.Errorf("node %s: got prediction %v impurity %v raw %d, want %v %v %d", path, n.Prediction, n.Impurity, n.RawCount, want.Prediction, want.Impurity, want.Raw)
	}
	if !slices.EqualFunc(n.Stats, want.Stats, near) {
		return fmt.Errorf("node %s: stats %v, want %v", path, n.Stats, want.Stats)
	}
	if (n.Left >= 0) != (want.Left != nil) {
		return fmt.Errorf("node %s: got leaf %v, want %v", path, n.Left < 0, want.Left == nil)
	}
	if n.Left < 0 {
		return nil
	}
	s := &n.Split
	categories := slices.Sorted(slices.Values(s.Categories))
	if s.Feature != want.Feature || s.Threshold != want.Threshold || !slices.Equal(categories, want.Categories) || !near(n.Gain, want.Gain) {
		return fmt.Errorf("node %s: got split %+v gain %v, want feature %d threshold %v categories %v gain %v", path, *s, n.Gain, want.Feature, want.Threshold, want.Categories, want.Gain)
	}
	if err := compareNode(t, n.Left, want.Left, path+"L"); err != nil {
		return err
	}
	return compareNode(t, n.Right, want.Right, path+"R")
}

func TestTreesAreSparks(t *testing.T) {
	r := load(t)
	src := r.matrix()
	for _, c := range r.Cases {
		if _, _, _, ok := settings(c, 7); !ok {
			continue
		}
		t.Run(c.Class+" "+c.Name, func(t *testing.T) {
			var weights []float64
			if c.Params["weightCol"] != nil {
				weights = r.column("w")
			}
			trees := grow(t, c, src, r.Arity, r.column(c.Label), weights, 2)
			if len(trees) != len(c.Trees) {
				t.Fatalf("%d trees, want %d", len(trees), len(c.Trees))
			}
			for i := range trees {
				if err := compareNode(trees[i], 0, &c.Trees[i], fmt.Sprintf("%d:", i)); err != nil {
					t.Error(err)
				}
			}
			if got := Importances(trees, 7, true); !slices.EqualFunc(got, c.Importances, near) {
				t.Errorf("importances %v, want %v", got, c.Importances)
			}
		})
	}
}

func bigData() (dense, []float64) {
	d, y := dense{width: 2}, []float64{}
	for i := range 20000 {
		x0, x1 := float64(i*7919%10007)/100, float64(i*31%97)
		d.values = append(d.values, x0, x1)
		y = append(y, x0*(math.Mod(x1, 5)+1)+float64(i%11))
	}
	return d, y
}

func TestSampledThresholdsAreSparks(t *testing.T) {
	r := load(t)
	src, y := bigData()
	for _, c := range r.Sampled {
		trees := grow(t, c, src, []int{0, 0}, y, nil, 2)
		for i := range trees {
			if err := compareNode(trees[i], 0, &c.Trees[i], fmt.Sprintf("%s %d:", c.Name, i)); err != nil {
				t.Error(err)
			}
		}
	}
}

func TestThreadsDoNotMatter(t *testing.T) {
	src, y := bigData()
	c := testCase{Class: "RandomForestRegressor", Params: map[string]any{"numTrees": 6.0, "maxDepth": 8.0, "featureSubsetStrategy": "all", "seed": 3.0}}
	one, many := grow(t, c, src, []int{0, 0}, y, nil, 1), grow(t, c, src, []int{0, 0}, y, nil, 5)
	for i := range one {
		a, b := fmt.Sprint(one[i].Nodes), fmt.Sprint(many[i].Nodes)
		if a != b {
			t.Fatalf("tree %d differs", i)
		}
	}
}

// TestWorked grows trees and follows what they say of the work: it only rises, and ends at all of it.
func TestWorked(t *testing.T) {
	const rows = 4000
	x := make([]float64, 2*rows)
	labels := make([]float64, rows)
	rng := random.NewJava(3)
	for i := range rows {
		x[2*i], x[2*i+1] = rng.NextDouble(), rng.NextDouble()
		labels[i] = math.Floor(4*x[2*i]) + x[2*i+1]
	}
	table, err := hist.Bin(dense{x, 2}, hist.Options{MaxBins: 16, Seed: 1, Arity: make([]int, 2), Threads: 2})
	if err != nil {
		t.Fatal(err)
	}
	for _, depth := range []int{0, 1, 6} {
		var seen []float64
		c := Config{Impurity: Variance, MaxBins: 16, MaxDepth: depth, MinInstances: 40, Trees: 3, MemoryMB: 1, Threads: 2, Worked: func(share float64) { seen = append(seen, share) }}
		if _, err := NewGrower(Data{Table: table}, c).Grow(context.Background(), 1, labels, nil); err != nil {
			t.Fatal(err)
		}
		if len(seen) == 0 || !slices.IsSorted(seen) || seen[len(seen)-1] != 1 {
			t.Errorf("depth %d: %v", depth, seen)
		}
	}
}
