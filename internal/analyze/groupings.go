package analyze

import (
	"strings"

	"github.com/millpond/millpond/internal/plan"
)

// sets gives the grouping sets as places among the distinct keys.
func (g *grouping) sets(r *plan.Aggregate) [][]int {
	n := len(g.keys)
	var out [][]int
	switch r.Kind {
	case "rollup":
		for k := n; k >= 0; k-- {
			out = append(out, places(0, k))
		}
	case "cube":
		for mask := 1<<n - 1; mask >= 0; mask-- {
			set := []int{}
			for i := range n {
				if mask&(1<<(n-1-i)) != 0 {
					set = append(set, i)
				}
			}
			out = append(out, set)
		}
	case "sets":
		for _, s := range r.Sets {
			set := []int{}
			for _, e := range s {
				v, err := g.x.value(e)
				if err != nil {
					continue
				}
				for i, k := range g.keys {
					if plan.Print(k.Value) == plan.Print(v) {
						set = append(set, i)
					}
				}
			}
			out = append(out, set)
		}
	}
	return out
}

func places(from, to int) []int {
	out := make([]int, 0, to-from)
	for i := from; i < to; i++ {
		out = append(out, i)
	}
	return out
}

// fillGroupingID gives grouping_id() without arguments those of all keys.
func fillGroupingID(list, keys []plan.Expr) []plan.Expr {
	out := make([]plan.Expr, len(list))
	for i, e := range list {
		out[i] = mapExpr(e, func(e plan.Expr) (plan.Expr, bool) {
			f, ok := e.(*plan.Function)
			if !ok || !strings.EqualFold(f.Name, "grouping_id") || len(f.Args) > 0 {
				return nil, false
			}
			return plan.AliasExpr{Expr: &plan.Function{Name: f.Name, Args: keys}, Names: []string{"grouping_id()"}}, true
		})
	}
	return out
}
