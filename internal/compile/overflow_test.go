package compile

import (
	"strings"
	"testing"

	"github.com/millpond/millpond/internal/plan"
	"github.com/millpond/millpond/internal/types"
)

// sumOf is a + b of eight bytes.
func sumOf(a, b plan.Attr) *plan.Apply {
	return &plan.Apply{Func: "+", Args: []plan.Value{plan.Col{Attr: a}, plan.Col{Attr: b}}, Out: types.Long, SQL: func(s []string) string { return "(" + s[0] + " + " + s[1] + ")" }}
}

func TestOverflowCostsPlainStatementsNothing(t *testing.T) {
	a, b, c := plan.Attr{ID: 1, Type: types.Long}, plan.Attr{ID: 2, Type: types.Long}, plan.Attr{ID: 3, Type: types.Long}
	scan := &plan.Scan{SQL: "files", Source: []string{"a", "b"}, Attrs: []plan.Attr{a, b}}
	n := &plan.Select{Input: scan, Exprs: []plan.Named{{Attr: c, Value: sumOf(a, b)}}}
	stage, err := Plan(n, Options{})
	if err != nil {
		t.Fatal(err)
	}
	q := stage.(*Query)
	if !strings.HasPrefix(q.SQL, "SELECT (c1 + c2) AS c3 FROM") {
		t.Errorf("plain: %s", q.SQL)
	}
	careful, err := q.Careful()
	if err != nil {
		t.Fatal(err)
	}
	if !strings.Contains(careful.SQL, "try_add") || careful.Careful != nil {
		t.Errorf("careful: %s", careful.SQL)
	}
	if stage, err = Plan(n, Options{Lenient: true}); err != nil {
		t.Fatal(err)
	}
	if q := stage.(*Query); !strings.Contains(q.SQL, "HUGEINT") || q.Careful != nil {
		t.Errorf("lenient: %s", q.SQL)
	}
}
