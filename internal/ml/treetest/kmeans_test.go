package treetest

import (
	"context"
	"fmt"
	"path/filepath"
	"slices"
	"testing"

	"github.com/millpond/millpond/internal/ml"
	_ "github.com/millpond/millpond/internal/ml/clustering"
	"github.com/millpond/millpond/internal/types"
)

type kmeansSpec struct {
	Points [][2]any
	Cases  []struct {
		Params      map[string]any
		Centers     [][]float64
		Cost        float64
		Sizes       []int32
		NumIter, K  int
		Predictions []float64
	}
}

func TestKMeansIsSparks(t *testing.T) {
	var s kmeansSpec
	read(t, "kmeans_cases.json", &s)
	var features [][]float64
	var w []float64
	for _, p := range s.Points {
		var row []float64
		for _, x := range p[0].([]any) {
			row = append(row, x.(float64))
		}
		features, w = append(features, row), append(w, p[1].(float64))
	}
	f := frame(t, features, types.Field{Name: "features", Type: types.Vector, Nullable: true}, map[string]any{"w": w}, 64)
	for _, c := range s.Cases {
		t.Run(fmt.Sprint(c.Params), func(t *testing.T) {
			m, err := operator[ml.Estimator](t, "KMeans", "km", c.Params).Fit(context.Background(), f)
			if err != nil {
				t.Fatal(err)
			}
			sum := m.Summary()
			if got := attr[float64](t, sum, "trainingCost"); !near(got, c.Cost) {
				t.Errorf("cost %v, want %v", got, c.Cost)
			}
			if got := attr[int32](t, sum, "numIter"); int(got) != c.NumIter {
				t.Errorf("%d iterations, want %d", got, c.NumIter)
			}
			if got := attr[[]int32](t, sum, "clusterSizes"); !slices.Equal(got, c.Sizes) {
				t.Errorf("sizes %v, want %v", got, c.Sizes)
			}
			checkKMeans(t, m, f, c.Centers, c.Predictions)
			dir := filepath.Join(t.TempDir(), "m")
			if err := ml.Save(m, dir, false); err != nil {
				t.Fatal(err)
			}
			back, err := ml.Load(dir, "")
			if err != nil {
				t.Fatal(err)
			}
			checkKMeans(t, back.(ml.Model), f, c.Centers, c.Predictions)
		})
	}
	if _, err := ml.Load(spec+"saved_trees/KMeans", ""); err != nil {
		t.Errorf("Spark's own file: %v", err)
	}
}

func checkKMeans(t *testing.T, m ml.Model, f ml.Frame, centers [][]float64, predictions []float64) {
	t.Helper()
	if got := attr[ml.Matrix](t, m, "clusterCenterMatrix"); !slices.EqualFunc(got.Values, slices.Concat(centers...), near) || !got.Transposed {
		t.Errorf("centres %v, want %v", got, centers)
	}
	for i, row := range rowsOf(t, transformed(t, m, f), "prediction") {
		if row["prediction"][0] != predictions[i] {
			t.Fatalf("row %d: %v, want %v", i, row, predictions[i])
		}
	}
}
