package sqlparse

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/millpond/millpond/internal/plan"
	"github.com/millpond/millpond/internal/sparkerr"
)

func TestStatements(t *testing.T) {
	for _, c := range []struct{ sql, kind, name string }{
		{"CREATE DATABASE IF NOT EXISTS d COMMENT 'x'", "create_database", "d"}, {"DROP SCHEMA d CASCADE", "drop_database", "d"},
		{"CREATE TABLE a.t (id INT, s STRING) USING parquet PARTITIONED BY (s) TBLPROPERTIES ('k' = 'v')", "create_table", "a.t"},
		{"CREATE TABLE t AS SELECT 1", "create_table", "t"}, {"INSERT INTO t (a, b) VALUES (1, 2)", "insert", "t"}, {"INSERT OVERWRITE TABLE t SELECT 1", "insert", "t"},
		{"CREATE OR REPLACE TEMP VIEW v AS SELECT 1", "create_view", "v"}, {"CREATE VIEW v (a) AS SELECT 1", "create_stored_view", "v"},
		{"SHOW TABLES IN d LIKE 'x*'", "show_tables", "d"}, {"SET TIME ZONE 'UTC'", "set", ""}, {"ALTER TABLE t RENAME TO u", "rename_table", "t"},
	} {
		got, err := Statement(c.sql, nil, nil)
		if err != nil || got == nil || got.Kind != c.kind || strings.Join(got.Name, ".") != c.name {
			t.Errorf("%s: %+v, %v", c.sql, got, err)
		}
	}
	if got, err := Statement("SELECT 1", nil, nil); got != nil || err != nil {
		t.Errorf("a query is no command: %v, %v", got, err)
	}
}

func TestTablePartitions(t *testing.T) {
	c, err := Statement("CREATE TABLE t (v INT) USING parquet PARTITIONED BY (k STRING)", nil, nil)
	if err != nil || len(c.Schema.Fields) != 2 || len(c.Partitions) != 1 || c.Partitions[0] != "k" {
		t.Errorf("%+v, %v", c, err)
	}
}

func TestPrecedence(t *testing.T) {
	e, err := Expression("1 + 2 * 3 = 7 AND NOT a OR b")
	if err != nil {
		t.Fatal(err)
	}
	or, ok := e.(*plan.Function)
	if !ok || or.Name != "or" || or.Args[0].(*plan.Function).Name != "and" {
		t.Errorf("OR binds loosest: %+v", e)
	}
}

func TestSyntaxErrors(t *testing.T) {
	for _, sql := range []string{"SELEC 1", "SELECT (1", "SELECT 'abc", "SELECT FROM WHERE", "SELECT 1 AS FROM t", "SELECT CASE END", ""} {
		_, err := Query(sql, nil, nil)
		if e := sparkerr.As(err); e == nil || e.Class != sparkerr.ClassParse {
			t.Errorf("%q: %v", sql, err)
		}
	}
}

// FuzzQuery holds the parser to never panicking, whatever the text.
func FuzzQuery(f *testing.F) {
	files, _ := filepath.Glob("../../spec/sql/*.slt")
	for _, path := range files {
		data, err := os.ReadFile(path)
		if err != nil {
			f.Fatal(err)
		}
		for _, block := range strings.Split(string(data), "\n\n") {
			if q, _, ok := strings.Cut(block, ";\n"); ok {
				f.Add(q)
			}
		}
	}
	f.Fuzz(func(_ *testing.T, sql string) {
		_, _ = Statement(sql, nil, nil)
		_, _ = Query(sql, nil, nil)
		_, _ = Expression(sql)
	})
}

func TestPivotedRelations(t *testing.T) {
	q, err := Query("SELECT * FROM t AS s PIVOT (sum(a) AS x FOR (b, c) IN ((1, 'u') AS one, (2, 'v'))) AS p", nil, nil)
	if err != nil {
		t.Fatal(err)
	}
	p := q.(*plan.Project).Input.(*plan.Alias).Input.(*plan.Aggregate)
	if p.Kind != "pivot" || len(p.PivotValues) != 2 || p.PivotValues[0].(plan.AliasExpr).Names[0] != "one" {
		t.Errorf("%+v", p)
	}
	if q, err = Query("SELECT * FROM t UNPIVOT INCLUDE NULLS ((v, w) FOR k IN ((a, b) AS one, (c, d)))", nil, nil); err != nil {
		t.Fatal(err)
	}
	u := q.(*plan.Project).Input.(*plan.Unpivot)
	if u.DropNulls || len(u.Groups) != 2 || u.Labels[0] != "one" || u.Labels[1] != "c_d" || u.Variable != "k" {
		t.Errorf("%+v", u)
	}
	if q, err = Query("SELECT * FROM t TABLESAMPLE (25 PERCENT) REPEATABLE (7)", nil, nil); err != nil {
		t.Fatal(err)
	}
	if s := q.(*plan.Project).Input.(*plan.Sample); s.Upper != 0.25 || s.Seed != 7 {
		t.Errorf("%+v", s)
	}
}

func TestIntervalsOfSeveralFields(t *testing.T) {
	for sql, want := range map[string]any{"INTERVAL '1-2' YEAR TO MONTH": int32(14), "INTERVAL '-1 02:03:04.5' DAY TO SECOND": int64(-93784500000), "INTERVAL '10:30' HOUR TO MINUTE": int64(37800000000)} {
		e, err := Expression(sql)
		if l, ok := e.(plan.Literal); err != nil || !ok || l.Value != want {
			t.Errorf("%s: %v, %v", sql, e, err)
		}
	}
	for _, sql := range []string{"INTERVAL '1-13' YEAR TO MONTH", "INTERVAL '1 25:00:00' DAY TO SECOND", "INTERVAL 'x' DAY TO HOUR"} {
		if _, err := Expression(sql); err == nil {
			t.Errorf("%s is no interval", sql)
		}
	}
}

func TestQualifyLeavesCommonTablesAlone(t *testing.T) {
	q, err := Query("WITH c AS (SELECT * FROM t) SELECT * FROM c JOIN other.u WHERE id IN (SELECT id FROM w)", nil, nil)
	if err != nil {
		t.Fatal(err)
	}
	Qualify(q, "db")
	var names []string
	plan.Visit(q, func(r plan.Relation) {
		if t, ok := r.(*plan.Table); ok {
			names = append(names, strings.Join(t.Name, "."))
		}
	})
	if got := strings.Join(names, " "); !strings.Contains(got, "db.t") || !strings.Contains(got, "db.w") || strings.Contains(got, "db.c") || !strings.Contains(got, "other.u") {
		t.Errorf("tables: %s", got)
	}
}
