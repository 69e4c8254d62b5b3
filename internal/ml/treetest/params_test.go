package treetest

import (
	"testing"

	"github.com/millpond/millpond/internal/ml"
	"github.com/millpond/millpond/internal/types"
)

var estimatorOf = map[string]string{"DecisionTreeRegressionModel": "regression", "RandomForestRegressionModel": "regression", "GBTRegressionModel": "regression",
	"DecisionTreeClassificationModel": "classification", "RandomForestClassificationModel": "classification", "GBTClassificationModel": "classification", "KMeansModel": "clustering"}

func TestParametersAreSparks(t *testing.T) {
	var s struct {
		Params map[string][]struct {
			Name, Doc, Type string
			Default         any
		}
		Schemas map[string][]map[string]any
	}
	read(t, "tree_params.json", &s)
	for name, want := range s.Params {
		full := class(name)
		if p, ok := estimatorOf[name]; ok {
			full = "org.apache.spark.ml." + p + "." + name
		}
		spec, err := ml.Lookup(full)
		if err != nil {
			t.Error(err)
			continue
		}
		if len(spec.Params) != len(want) {
			t.Errorf("%s has %d parameters, Spark %d", name, len(spec.Params), len(want))
		}
		for _, w := range want {
			p := spec.Param(w.Name)
			switch {
			case p == nil:
				t.Errorf("%s has no %s", name, w.Name)
			case p.Doc != w.Doc:
				t.Errorf("%s.%s: doc %q, Spark's %q", name, w.Name, p.Doc, w.Doc)
			case w.Name == "seed": // pyspark sets a default of its own
			default:
				if got, want := ml.FormatValue(p.Default), ml.FormatValue(w.Default); !sameText(got, want) {
					t.Errorf("%s.%s: default %s, Spark's %s", name, w.Name, got, want)
				}
			}
		}
	}
}

func TestOutputSchemasAreSparks(t *testing.T) {
	var s struct {
		Schemas map[string][]struct {
			Name     string
			Nullable bool
			Metadata any
		}
		Features [][]float64
		Late, Y  []float64
	}
	read(t, "tree_params.json", &s)
	f := frame(t, s.Features, featuresField([]int{0, 4, 0}), map[string]any{"late": s.Late, "y": s.Y}, 100)
	for name, want := range s.Schemas {
		p := map[string]any{"labelCol": "late", "maxDepth": 3.0, "seed": 5.0}
		switch name {
		case "KMeans":
			p = map[string]any{"k": 3.0, "seed": 4.0}
		case "DecisionTreeRegressor", "RandomForestRegressor", "GBTRegressor":
			p["labelCol"] = "y"
		}
		switch name {
		case "RandomForestRegressor", "RandomForestClassifier":
			p["numTrees"] = 3.0
		case "GBTRegressor", "GBTClassifier":
			p["maxIter"] = 3.0
		}
		if name != "KMeans" {
			p["leafCol"] = "leaf"
		}
		m := fit(t, modelCase{Class: name, UID: "m", Params: p}, f)
		got := transformed(t, m, f).Schema().Fields[3:]
		want = want[1:] // the features
		if len(got) != len(want) {
			t.Errorf("%s: columns %v, want %v", name, got, want)
			continue
		}
		for i, w := range want {
			if got[i].Name != w.Name || got[i].Nullable != w.Nullable || canonical(t, got[i]) != asJSON(t, w.Metadata) {
				t.Errorf("%s: column %s nullable %v %s, want %s %v %s", name, got[i].Name, got[i].Nullable, got[i].Metadata, w.Name, w.Nullable, asJSON(t, w.Metadata))
			}
		}
	}
}

func canonical(t *testing.T, f types.Field) string {
	t.Helper()
	if f.Metadata == "" {
		return "{}"
	}
	return asJSON(t, parse(t, f.Metadata))
}
