package enginetest

import (
	"context"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/millpond/millpond/internal/engine"
	"github.com/millpond/millpond/internal/evidence"
	"github.com/millpond/millpond/internal/execute"
	_ "github.com/millpond/millpond/internal/ml/feature"
	"github.com/millpond/millpond/internal/plan"
)

func heard(t *testing.T) (*engine.Session, *evidence.Log) {
	log := evidence.NewLog()
	e, err := engine.Open(engine.Options{DataDir: t.TempDir(), Threads: 1, TimeZone: "UTC", Evidence: log})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(e.Close)
	return e.NewSession("test", ""), log
}

func drain(t *testing.T, s *engine.Session, r plan.Relation) {
	t.Helper()
	res, err := s.Run(context.Background(), r)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := execute.Drain(context.Background(), res.Stream); err != nil {
		t.Fatal(err)
	}
}

// only gives the one event of a session.
func only(t *testing.T, log *evidence.Log) evidence.Event {
	t.Helper()
	events, _ := log.Events("test")
	if len(events) != 1 {
		t.Fatalf("%d events: %+v", len(events), events)
	}
	log.Forget("test")
	log.Watch("test")
	return events[0]
}

func TestNothingIsMadeForNobody(t *testing.T) {
	s, log := heard(t)
	drain(t, s, &plan.Range{End: 3, Step: 1})
	log.Watch("test")
	if events, _ := log.Events("test"); len(events) != 0 {
		t.Errorf("%+v", events)
	}
}

// A query's lineage reaches through views and query text.
func TestLineageOfAQuery(t *testing.T) {
	s, log := heard(t)
	if err := s.CreateView("numbers", &plan.Range{End: 9, Step: 1}, false, true); err != nil {
		t.Fatal(err)
	}
	log.Watch("test")
	drain(t, s, &plan.Limit{N: plan.IntLit(2), Input: &plan.SQL{Query: "WITH c AS (SELECT exp(id) AS e FROM numbers WHERE id > 1) SELECT e FROM c"}})
	got, ok := only(t, log).(evidence.Query)
	want := evidence.Query{Action: "collect", Rows: 2, Input: evidence.Input{Rows: -1, Split: "all", Share: 1, Upper: 1, Fold: -1,
		Operators: []string{"Limit", "Project", "Project", "Filter"}, Sources: []string{"numbers", "range"}, Functions: []string{">", "exp"}, Columns: []string{"e"}}}
	if diff := cmp.Diff(want, got); !ok || diff != "" {
		t.Error(diff)
	}
}

func sample(lower, upper float64) plan.Relation {
	return &plan.Sample{Input: &plan.Range{End: 1000, Step: 1}, Lower: lower, Upper: upper, Ordered: true, Seed: 42}
}

// A fit tells the part of a split and the fold of a loop that its rows are from.
func TestLineageOfAFit(t *testing.T) {
	s, log := heard(t)
	log.Watch("test")
	rand := plan.AliasExpr{Expr: plan.Call("rand", plan.LongLit(1)), Names: []string{"CrossValidator_ab12_rand"}}
	folds := &plan.Project{Input: sample(0, 0.8), Exprs: []plan.Expr{&plan.Star{}, rand}}
	at := plan.Name("CrossValidator_ab12_rand")
	third := plan.Call("and", plan.Call(">=", at, plan.DoubleLit(2.0/3)), plan.Call("<", at, plan.DoubleLit(1)))
	counts := map[string]int64{}
	for _, c := range []struct {
		name string
		data plan.Relation
		want evidence.Input
	}{
		{"train", sample(0, 0.8), evidence.Input{Split: "train", Share: 0.8, Upper: 0.8, Seed: 42, Fold: -1}},
		{"held out", sample(0.8, 1), evidence.Input{Split: "held-out", Share: 0.2, Lower: 0.8, Upper: 1, Seed: 42, Fold: -1}},
		{"a fold's training rows", &plan.Filter{Input: folds, Cond: plan.Call("not", third)},
			evidence.Input{Split: "train", Share: 0.8, Upper: 0.8, Seed: 42, Loop: "CrossValidator", LoopID: "CrossValidator_ab12", LoopPart: "train", Fold: 2}},
		{"a fold's validation rows", &plan.Filter{Input: folds, Cond: third},
			evidence.Input{Split: "train", Share: 0.8, Upper: 0.8, Seed: 42, Loop: "CrossValidator", LoopID: "CrossValidator_ab12", LoopPart: "validation", Fold: 2}},
	} {
		_, err := s.Fit(context.Background(), "org.apache.spark.ml.feature.StringIndexer", "si", map[string]any{"inputCol": "id", "outputCol": "i"}, c.data)
		if err != nil {
			t.Fatal(err)
		}
		got, ok := only(t, log).(evidence.Fit)
		ignore := cmpopts.IgnoreFields(evidence.Input{}, "Rows", "Operators", "Sources", "Functions", "Columns")
		if diff := cmp.Diff(c.want, got.Input, ignore, cmpopts.EquateApprox(0, 1e-9)); !ok || diff != "" {
			t.Errorf("%s: %s", c.name, diff)
		}
		if got.Estimator != "StringIndexer" || got.Params["inputCol"] != "id" || got.Params["handleInvalid"] != "error" {
			t.Errorf("%s: %+v", c.name, got)
		}
		counts[c.name] = got.Input.Rows
	}
	if counts["train"]+counts["held out"] != 1000 || counts["a fold's training rows"]+counts["a fold's validation rows"] != counts["train"] {
		t.Errorf("rows: %v", counts)
	}
}

func TestStatementsAreTold(t *testing.T) {
	s, log := heard(t)
	log.Watch("test")
	if _, err := s.Statement(context.Background(), &plan.SQL{Query: "CREATE TEMP VIEW v AS SELECT 1 AS x"}); err != nil {
		t.Fatal(err)
	}
	if st, ok := only(t, log).(evidence.Statement); !ok || st.Text != "CREATE TEMP VIEW v AS SELECT 1 AS x" {
		t.Errorf("%+v", st)
	}
}
