package enginetest

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/millpond/millpond/internal/engine"
)

// Tables, views and databases are there after a restart; a temporary view is not.
func TestCatalogSurvivesRestart(t *testing.T) {
	dir := t.TempDir()
	open := func() (*engine.Engine, *engine.Session) {
		e, err := engine.Open(engine.Options{DataDir: dir, Threads: 1, TimeZone: "UTC"})
		if err != nil {
			t.Fatal(err)
		}
		return e, e.NewSession("restart", "")
	}
	e, s := open()
	for _, q := range []string{"CREATE DATABASE shop", "CREATE TABLE shop.sold (item STRING, n INT) USING parquet PARTITIONED BY (n)",
		"INSERT INTO shop.sold VALUES ('tea', 1), ('ham', 2)", "CREATE VIEW shop.many AS SELECT item FROM shop.sold WHERE n > 1", "CREATE TEMP VIEW gone AS SELECT 1"} {
		if got := run(s, q); len(got) == 0 || got[0] != "schema" {
			t.Fatalf("%s: %v", q, got)
		}
	}
	e.Close()
	e, s = open()
	defer e.Close()
	for q, want := range map[string][]string{
		"SELECT * FROM shop.sold ORDER BY n": {"schema", "item: string", "n: int", "rows", "\"tea\"\t1", "\"ham\"\t2"},
		"SELECT * FROM shop.many":            {"schema", "item: string", "rows", `"ham"`},
		"SHOW PARTITIONS shop.sold":          {"schema", "partition: string not null", "rows", `"n=1"`, `"n=2"`},
	} {
		if diff := cmp.Diff(want, run(s, q)); diff != "" {
			t.Errorf("%s after a restart: %s", q, diff)
		}
	}
	if got := run(s, "SELECT * FROM gone"); got[0] != "error TABLE_OR_VIEW_NOT_FOUND 42P01" {
		t.Errorf("a temporary view outlived its session: %v", got)
	}
}

// A subquery may have the engine read rows in memory, or made by a stage, more than once.
func TestSourceIsReadAgain(t *testing.T) {
	e, err := engine.Open(engine.Options{DataDir: t.TempDir(), Threads: 1, TimeZone: "UTC"})
	if err != nil {
		t.Fatal(err)
	}
	defer e.Close()
	s := e.NewSession("again", "")
	run(s, "CREATE TEMP VIEW t AS SELECT id, rand(1) r FROM range(4)")
	got := run(s, "SELECT a.id FROM t a WHERE a.r = (SELECT max(b.r) FROM t b WHERE b.id % 2 = a.id % 2) ORDER BY a.id")
	if len(got) != 5 {
		t.Errorf("one row of each parity is due: %v", got)
	}
}
