package function

import (
	"strconv"

	"github.com/millpond/millpond/internal/plan"
	"github.com/millpond/millpond/internal/types"
)

func windows() []Row {
	w := func(name, args string, t types.Type, sql string) Row {
		return Row{Name: name, Kind: Window, Args: args, Result: is(t), Null: neverNull, SQL: sql + markCall + markEnd}
	}
	shift := func(name string) Row {
		return Row{Name: name, Kind: Window, Args: "a ?i a", Result: same(0), Null: maybeNull, Build: func(a []Arg) string {
			if len(a) > 2 && (a[2].Const == nil || a[2].Const.Value != nil) {
				return name + "(" + a[0].SQL + ", " + a[1].SQL + ", " + a[2].SQL + ")" + markCall + markEnd
			}
			if len(a) > 1 {
				return name + "(" + a[0].SQL + ", " + a[1].SQL + ")" + markCall + markEnd
			}
			return name + "(" + a[0].SQL + ")" + markCall + markEnd
		}}
	}
	// The window clause follows the call, so a cast goes around both: compile puts it for integers.
	return []Row{
		w("row_number", "", types.Int, "row_number()"), w("rank", "?a*", types.Int, "rank()"), w("dense_rank", "?a*", types.Int, "dense_rank()"),
		w("percent_rank", "?a*", types.Double, "percent_rank()"), w("cume_dist", "", types.Double, "cume_dist()"),
		{Name: "ntile", Kind: Window, Args: "i", Null: neverNull, SQL: "ntile({0})" + markCall + markEnd, Result: func(a []plan.Value) (types.Type, error) {
			return types.Int, above0("ntile", a, 0, "buckets", "(0, 2147483647]")
		}}, shift("lag"), shift("lead"),
		{Name: "counter_diff", Kind: Window, Args: "n ?a", Result: same(0), Null: maybeNull, Build: counterDiff},
		{Name: "nth_value", Kind: Window, Args: "a i ?b", Result: func(a []plan.Value) (types.Type, error) {
			return a[0].Type(), above0("nth_value", a, 1, "offset", "(0, 9223372036854775807)")
		}, Null: maybeNull, Build: func(a []Arg) string {
			if len(a) == 3 && a[2].Const != nil && a[2].Const.Value == true {
				return "nth_value(" + a[0].SQL + ", " + a[1].SQL + " IGNORE NULLS)" + markCall + markEnd
			}
			return "nth_value(" + a[0].SQL + ", " + a[1].SQL + ")" + markCall + markEnd
		}},
	}
}

// above0 refuses a literal that must be positive.
func above0(name string, a []plan.Value, i int, what, between string) error {
	if n, ok := constantNumber(a[i]); ok && n <= 0 {
		return outOfRange(name, a, what, between, strconv.FormatFloat(n, 'f', -1, 64))
	}
	return nil
}

// counterDiff is how much a counter has grown since the last row that has one: null where it shrank,
// or where the time at which it began is another.
func counterDiff(a []Arg) string {
	last := func(of string) string { return "lag(" + of + ", 1 IGNORE NULLS)" + markCall + markEnd }
	begun := ""
	if len(a) == 2 {
		begun = fill("{1} IS DISTINCT FROM "+last("CASE WHEN {0} IS NOT NULL THEN {1} END")+" OR ", a)
	}
	return "(CASE WHEN " + begun + fill("{0} < "+last("{0}")+" THEN NULL ELSE {0} - "+last("{0}")+" END)", a)
}
