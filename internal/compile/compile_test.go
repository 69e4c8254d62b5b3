package compile

import (
	"strings"
	"testing"

	"github.com/millpond/millpond/internal/plan"
	"github.com/millpond/millpond/internal/types"
)

func names() string { return "source(1)" }

func column(id int, name string, t types.Type) plan.Attr {
	return plan.Attr{ID: id, Name: name, Type: t, Nullable: true}
}

// A region that SQL can say is one statement, and columns nobody reads are not carried.
func TestOneStatement(t *testing.T) {
	a, b := column(1, "a", types.Int), column(2, "b", types.String)
	scan := &plan.Scan{SQL: "files", Source: []string{"a", "b"}, Attrs: []plan.Attr{a, b}}
	n := &plan.Select{Input: &plan.Slice{Input: scan, Limit: 3}, Exprs: []plan.Named{{Attr: a, Value: plan.Col{Attr: a}}}}
	stage, err := Plan(n, Options{Names: names})
	if err != nil {
		t.Fatal(err)
	}
	q, ok := stage.(*Query)
	if !ok || len(q.Sources) != 0 || strings.Contains(q.SQL, "c2") || !strings.Contains(q.SQL, "LIMIT 3") {
		t.Errorf("%T %+v", stage, stage)
	}
}

func TestCasts(t *testing.T) {
	for _, c := range []struct {
		from, to types.Type
		try      bool
		want     string
	}{
		{types.Int, types.Long, false, "CAST(x AS BIGINT)"}, {types.Null, types.Int, false, "CAST(NULL AS INTEGER)"}, {types.Int, types.Int, false, "x"},
		{types.Long, types.Int, true, "TRY_CAST(x AS INTEGER)"},
	} {
		if got := castSQL("x", c.from, c.to, c.try); got != c.want {
			t.Errorf("%s to %s: %s, want %s", c.from.SQL(), c.to.SQL(), got, c.want)
		}
	}
	if got := castSQL("x", types.Long, types.Int, false); !strings.Contains(got, "CAST_OVERFLOW") {
		t.Errorf("a narrowing cast raises by name: %s", got)
	}
}

// A negative literal keeps its parentheses: minus before it would start a comment.
func TestNegativeLiteral(t *testing.T) {
	got, err := literalSQL(plan.IntLit(-2))
	if err != nil || got != "(-2)" {
		t.Errorf("%s, %v", got, err)
	}
}
