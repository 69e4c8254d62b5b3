package judge

import (
	"slices"
	"strings"
	"testing"

	"github.com/millpond/millpond/internal/evidence"
)

func check(t *testing.T, that, found string) *Check {
	t.Helper()
	c := &Check{ID: "c", That: that, Sought: "something", Found: found, Hint: 2}
	if err := c.CompileThat(); err != nil {
		t.Fatal(err)
	}
	if err := c.CompileFound(); err != nil {
		t.Fatal(err)
	}
	return c
}

func fit(name string, params map[string]any) evidence.Fit {
	return evidence.Fit{Estimator: name, Params: params, Input: evidence.Input{Split: "all", Rows: 10}}
}

func TestFindings(t *testing.T) {
	e := Evidence{Runs: []Run{{Name: "a", Params: map[string]string{"x": "1"}, Metrics: map[string]float64{"rmse": 2}}}}
	e.Add([]evidence.Event{fit("Imputer", map[string]any{"strategy": "mean", "relativeError": 0.001, "k": 3}), fit("Imputer", nil), evidence.Failure{Condition: "X.Y"}})
	for _, c := range []struct {
		that, found string
		ok          bool
		want        []string
	}{
		{`any(fits, .estimator == "Imputer" and .params.strategy == "mean" and .params.k == 3)`, "", true, nil},
		{`any(fits, .params.strategy == "median")`, `map(fits, .estimator)`, false, []string{"Imputer"}}, // the same text once
		{`fits[0].input.rows == 10 and fits[0].input.split == "all"`, "", true, nil},
		{`"rmse" in runs[0].metrics and not ("mae" in runs[0].metrics)`, "", true, nil},
		{`len(versions) > 0`, `"no versions"`, false, []string{"no versions"}},
		{`len(versions) > 0`, `versions`, false, nil},
		{`versions[3].stage == "Production"`, "", false, []string{"the evidence that the check needs is not there"}},
		{`any(failures, .condition == "X.Y")`, "", true, nil},
	} {
		f := Test([]*Check{check(t, c.that, c.found)}, e)[0]
		if f.OK != c.ok || len(f.Found) != len(c.want) {
			t.Errorf("%s: %+v, want %v %q", c.that, f, c.ok, c.want)
			continue
		}
		for i := range c.want {
			if !strings.HasPrefix(f.Found[i], c.want[i]) {
				t.Errorf("%s: found %q, want %q", c.that, f.Found, c.want)
			}
		}
		if !f.OK && f.Hint != 2 {
			t.Errorf("%s: hint %d", c.that, f.Hint)
		}
	}
}

func TestManyFindingsAreCut(t *testing.T) {
	var e Evidence
	for i := range 20 {
		e.Statements = append(e.Statements, evidence.Statement{Text: strings.Repeat("x", i+1)})
	}
	f := Test([]*Check{check(t, "false", "map(statements, .text)")}, e)[0]
	if len(f.Found) != maxFound+1 || f.Found[maxFound] != "and 12 more" {
		t.Errorf("%q", f.Found)
	}
}

func TestAMisspeltFieldDoesNotCompile(t *testing.T) {
	for _, that := range []string{`any(fits, .estimater == "x")`, `any(fit, true)`, `len(fits)`, `any(fits, `} {
		if err := (&Check{That: that}).CompileThat(); err == nil || strings.Contains(err.Error(), "\n") {
			t.Errorf("%s: %v", that, err)
		}
	}
	if !slices.Equal(texts(nil), nil) {
		t.Error("nothing is said of nothing")
	}
}
