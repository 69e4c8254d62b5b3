package enginetest

import (
	"context"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/millpond/millpond/internal/engine"
	"github.com/millpond/millpond/internal/plan"
)

func session(t *testing.T) *engine.Session {
	e, err := engine.Open(engine.Options{DataDir: t.TempDir(), Threads: 1, TimeZone: "UTC"})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(e.Close)
	return e.NewSession("test", "")
}

// A stored view reads the tables of the database it was made in, whatever the current one is.
func TestViewKeepsItsDatabase(t *testing.T) {
	s := session(t)
	for _, q := range []string{"CREATE DATABASE a", "CREATE DATABASE b", "USE a", "CREATE TABLE t USING parquet AS SELECT 1 AS x", "CREATE VIEW v AS WITH c AS (SELECT x FROM t) SELECT * FROM c",
		"USE b", "CREATE TABLE t USING parquet AS SELECT 2 AS x"} {
		if got := run(s, q); got[0] != "schema" {
			t.Fatalf("%s: %v", q, got)
		}
	}
	if diff := cmp.Diff([]string{"schema", "x: int", "rows", "1"}, run(s, "SELECT * FROM a.v")); diff != "" {
		t.Error(diff)
	}
}

// An observation's metrics are those of the rows where it stands, not of what is left at the end.
func TestObserved(t *testing.T) {
	s := session(t)
	r := &plan.Limit{N: plan.IntLit(1), Input: &plan.Observe{Name: "m", Input: &plan.Range{End: 5, Step: 1},
		Metrics: []plan.Expr{plan.AliasExpr{Expr: plan.Call("count", plan.IntLit(1)), Names: []string{"n"}}, plan.Call("max", plan.Name("id"))}}}
	got, err := s.Observed(context.Background(), r)
	if err != nil {
		t.Fatal(err)
	}
	if len(got) != 1 || got[0].Name != "m" || got[0].Keys[0] != "n" || got[0].Keys[1] != "max(id)" || got[0].Values[0].Value != int64(5) || got[0].Values[1].Value != int64(4) {
		t.Errorf("metrics: %+v", got)
	}
}

// Rows become columns in the order of the first column; a window within a window is split.
func TestTransposeAndNestedWindows(t *testing.T) {
	s := session(t)
	res, err := s.Schema(context.Background(), &plan.Transpose{Input: &plan.SQL{Query: "SELECT * FROM VALUES ('b', 1, 2L), ('a', 3, 4L) AS t(k, x, y)"}})
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff([]string{"key", "a", "b"}, res.Names()); diff != "" {
		t.Error(diff)
	}
	got := run(s, "SELECT id, avg(row_number() OVER (PARTITION BY id % 2 ORDER BY id)) OVER (PARTITION BY id) AS m FROM range(4)")
	want := []string{"schema", "id: bigint not null", "m: double", "rows", "0\t1", "1\t1", "2\t2", "3\t2"}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
}
