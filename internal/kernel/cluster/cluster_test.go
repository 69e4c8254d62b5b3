package cluster

import (
	"context"
	"encoding/json"
	"fmt"
	"math"
	"os"
	"testing"
)

type recording struct {
	Points [][2]any
	Cases  []struct {
		Params      map[string]any
		Centers     [][]float64
		Cost        float64
		NumIter     int
		Predictions []int
	}
}

func load(t *testing.T) ([]Point, recording) {
	t.Helper()
	text, err := os.ReadFile("../../../spec/ml/kmeans_cases.json")
	if err != nil {
		t.Fatal(err)
	}
	var r recording
	if err := json.Unmarshal(text, &r); err != nil {
		t.Fatal(err)
	}
	var points []Point
	for _, row := range r.Points {
		var v []float64
		for _, x := range row[0].([]any) {
			v = append(v, x.(float64))
		}
		points = append(points, NewPoint(v, row[1].(float64)))
	}
	return points, r
}

func options(p map[string]any) Options {
	o := Options{K: 2, MaxIter: 20, InitSteps: 2, Tol: 1e-4, Width: 3, Threads: 2}
	for k, v := range p {
		f, _ := v.(float64)
		switch k {
		case "k":
			o.K = int(f)
		case "seed":
			o.Seed = int64(f)
		case "maxIter":
			o.MaxIter = int(f)
		case "initSteps":
			o.InitSteps = int(f)
		case "tol":
			o.Tol = f
		case "initMode":
			o.RandomInit = v == "random"
		case "distanceMeasure":
			o.Cosine = v == "cosine"
		}
	}
	return o
}

func TestKMeansIsSparks(t *testing.T) {
	all, r := load(t)
	for _, c := range r.Cases {
		t.Run(fmt.Sprint(c.Params), func(t *testing.T) {
			points := append([]Point{}, all...)
			if c.Params["weightCol"] == nil {
				for i := range points {
					points[i].Weight = 1
				}
			}
			got, err := KMeans(context.Background(), points, options(c.Params))
			if err != nil {
				t.Fatal(err)
			}
			if got.Iterations != c.NumIter || math.Abs(got.Cost-c.Cost) > 1e-9*c.Cost {
				t.Errorf("%d iterations, cost %v; want %d, %v", got.Iterations, got.Cost, c.NumIter, c.Cost)
			}
			for k, want := range c.Centers {
				for j, v := range want {
					if math.Abs(got.Centers[k][j]-v) > 1e-9 {
						t.Fatalf("centres %v, want %v", got.Centers, c.Centers)
					}
				}
			}
			centers := NewCenters(got.Centers, options(c.Params).Cosine)
			for i := range points {
				if k, _ := centers.Closest(&points[i]); k != c.Predictions[i] {
					t.Fatalf("point %d in cluster %d, want %d", i, k, c.Predictions[i])
				}
			}
		})
	}
}
