package compile

import (
	"strings"
	"testing"

	"github.com/millpond/millpond/internal/plan"
	"github.com/millpond/millpond/internal/sparkerr"
	"github.com/millpond/millpond/internal/types"
)

func TestLenientForgivesAnsiConditionsOnly(t *testing.T) {
	for in, want := range map[string]string{
		"CASE WHEN b = 0 THEN " + sparkerr.Raise("DIVIDE_BY_ZERO") + " ELSE a / b END":              "CASE WHEN b = 0 THEN NULL ELSE a / b END",
		"f(" + sparkerr.Raise("CAST_INVALID_INPUT", "')' || g(x)", "'\"INT\"'", "'it''s'") + ", 1)": "f(NULL, 1)",
		"CAST(spark_decimal('*', a, b, 38, 6) AS DECIMAL(38,6))":                                    "CAST(spark_try_decimal('*', a, b, 38, 6) AS DECIMAL(38,6))",
		"'spark_decimal( error('":                         "'spark_decimal( error('",
		sparkerr.Raise("USER_RAISED_EXCEPTION", "'boom'"): sparkerr.Raise("USER_RAISED_EXCEPTION", "'boom'"),
	} {
		if got := lenient(in); got != want {
			t.Errorf("lenient(%q) = %q, want %q", in, got, want)
		}
	}
}

// The rows of a partitioned window come in its order, also below a limit; other plans are left alone.
func TestWindowOrder(t *testing.T) {
	id, g := plan.Attr{ID: 1, Name: "id", Type: types.Long}, plan.Attr{ID: 2, Name: "g", Type: types.Long}
	over := &plan.Over{Func: &plan.Apply{Func: "rank", Out: types.Int, SQL: func([]string) string { return "rank()" }}, Partition: []plan.Value{plan.Col{Attr: g}}, Order: []plan.Order{{Value: plan.Col{Attr: id}}}}
	numbers := &plan.Numbers{Attr: id, End: 3, Step: 1}
	in := &plan.Select{Input: numbers, Exprs: []plan.Named{{Attr: id, Value: plan.Col{Attr: id}}, {Attr: g, Value: plan.Col{Attr: id}}}}
	ranked := &plan.Select{Input: in, Exprs: []plan.Named{{Attr: id, Value: plan.Col{Attr: id}}, {Attr: plan.Attr{ID: 3, Name: "r", Type: types.Int}, Value: over}}}
	names := func() string { return "s" }
	stage, err := Plan(&plan.Slice{Input: ranked, Limit: 2}, Options{Names: names})
	if err != nil {
		t.Fatal(err)
	}
	q := stage.(*Query)
	if !strings.Contains(q.SQL, "ORDER BY c1073741824 ASC NULLS FIRST, c1073741825 ASC") || len(q.Attrs) != 2 {
		t.Errorf("no order of the window's partitions: %s", q.SQL)
	}
	if stage, err = Plan(in, Options{Names: names}); err != nil || strings.Contains(stage.(*Query).SQL, "ORDER BY") {
		t.Errorf("an order that nobody asked for: %v %v", stage, err)
	}
}
