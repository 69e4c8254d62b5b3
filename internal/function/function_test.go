package function

import (
	"strings"
	"testing"

	"github.com/millpond/millpond/internal/plan"
	"github.com/millpond/millpond/internal/sparkerr"
	"github.com/millpond/millpond/internal/types"
)

// A later row would silently take an earlier one's name.
func TestNamesAreUnique(t *testing.T) {
	seen := map[string]string{}
	for family, rows := range families() {
		for i := range rows {
			for _, n := range append(strings.Fields(rows[i].Aliases), rows[i].Name) {
				if other, twice := seen[n]; twice {
					t.Errorf("%s is defined in family %d (%s) and in %s", n, family, rows[i].Name, other)
				}
				seen[n] = rows[i].Name
			}
		}
	}
}

func TestEveryRowCanBeEmitted(t *testing.T) {
	for _, rows := range families() {
		for i := range rows {
			r := &rows[i]
			if r.SQL == "" && r.Build == nil {
				t.Errorf("%s has no emission", r.Name)
			}
			if r.Result == nil {
				t.Errorf("%s has no result type", r.Name)
			}
		}
	}
}

func TestWrongCalls(t *testing.T) {
	table := Default()
	text, number := plan.Const{Literal: plan.StringLit("x")}, plan.Const{Literal: plan.IntLit(1)}
	list := plan.Col{Attr: plan.Attr{ID: 1, Name: "xs", Type: types.Array{Elem: types.Int}}}
	for _, c := range []struct {
		name, want string
		args       []plan.Value
	}{
		{"upper", "WRONG_NUM_ARGS.WITHOUT_SUGGESTION", []plan.Value{text, text}},
		{"nosuch", "UNRESOLVED_ROUTINE", nil},
		{"kll_sketch_agg_bigint", "UNSUPPORTED_FEATURE", []plan.Value{number}},
		{"sum", "DATATYPE_MISMATCH.UNEXPECTED_INPUT_TYPE", []plan.Value{list}},
		{"array_contains", "DATATYPE_MISMATCH.UNEXPECTED_INPUT_TYPE", []plan.Value{number, number}},
		{"+", "DATATYPE_MISMATCH.BINARY_OP_DIFF_TYPES", []plan.Value{list, number}},
	} {
		_, _, err := table.Resolve(c.name, c.args)
		if e := sparkerr.As(err); e == nil || e.Condition != c.want {
			t.Errorf("%s: got %v, want %s", c.name, err, c.want)
		}
	}
}

func TestDecimalResults(t *testing.T) {
	d := func(p, s int) types.Decimal { return types.Decimal{Precision: p, Scale: s} }
	for _, c := range []struct {
		op         string
		x, y, want types.Decimal
	}{
		{"+", d(10, 2), d(5, 3), d(12, 3)}, {"*", d(10, 2), d(5, 3), d(16, 5)}, {"/", d(10, 2), d(5, 3), d(19, 8)}, {"%", d(10, 2), d(5, 3), d(5, 3)},
		{"*", d(38, 10), d(38, 10), d(38, 6)},
	} {
		if got := decimalResult(c.op, c.x, c.y); got != c.want {
			t.Errorf("%v %s %v: %v, want %v", c.x, c.op, c.y, got, c.want)
		}
	}
}
