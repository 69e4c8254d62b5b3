package function

import "github.com/millpond/millpond/internal/types"

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
		w("row_number", "", types.Int, "row_number()"), w("rank", "", types.Int, "rank()"), w("dense_rank", "", types.Int, "dense_rank()"),
		w("percent_rank", "", types.Double, "percent_rank()"), w("cume_dist", "", types.Double, "cume_dist()"),
		w("ntile", "i", types.Int, "ntile({0})"), shift("lag"), shift("lead"),
		{Name: "nth_value", Kind: Window, Args: "a i ?b", Result: same(0), Null: maybeNull, Build: func(a []Arg) string {
			if len(a) == 3 && a[2].Const != nil && a[2].Const.Value == true {
				return "nth_value(" + a[0].SQL + ", " + a[1].SQL + " IGNORE NULLS)" + markCall + markEnd
			}
			return "nth_value(" + a[0].SQL + ", " + a[1].SQL + ")" + markCall + markEnd
		}},
	}
}
