package analyze

import (
	"github.com/millpond/millpond/internal/function"
	"github.com/millpond/millpond/internal/plan"
	"github.com/millpond/millpond/internal/types"
)

// liftWindows takes windows that other windows read into columns of a Select below: SQL has no
// windows within windows.
func (a *Analyzer) liftWindows(n plan.Node, vals []plan.Value) (plan.Node, []plan.Value, error) {
	for {
		var inner []plan.Named
		take := func(v plan.Value) (plan.Value, bool) {
			over, ok := v.(*plan.Over)
			if !ok || readsWindow(over) { // only the innermost: the next round takes the others
				return nil, false
			}
			text := plan.Print(over)
			for _, e := range inner {
				if plan.Print(e.Value) == text {
					return plan.Col{Attr: e.Attr}, true
				}
			}
			at := a.attr("window", over.Type(), over.Nullable())
			inner = append(inner, plan.Named{Attr: at, Value: over})
			return plan.Col{Attr: at}, true
		}
		out := plan.RewriteAll(vals, func(v plan.Value) (plan.Value, bool) {
			over, ok := v.(*plan.Over)
			if !ok {
				return nil, false
			}
			if !readsWindow(over) {
				return over, true
			}
			return over.Reading(func(v plan.Value) plan.Value { return plan.Rewrite(v, take) }), true
		})
		if len(inner) == 0 {
			return n, vals, nil
		}
		below, lifted, err := a.lift(n, valuesOf(inner))
		if err != nil {
			return nil, nil, err
		}
		exprs := pass(n.Output())
		for i, e := range inner {
			exprs = append(exprs, plan.Named{Attr: e.Attr, Value: lifted[i]})
		}
		n, vals = &plan.Select{Input: below, Exprs: exprs}, out
	}
}

func valuesOf(list []plan.Named) []plan.Value {
	out := make([]plan.Value, len(list))
	for i, e := range list {
		out[i] = e.Value
	}
	return out
}

// readsWindow says whether a window's function, partition or order holds another window.
func readsWindow(v *plan.Over) bool {
	for _, read := range v.Reads() {
		if hasWindow(read) {
			return true
		}
	}
	return false
}

// nullIndex counts the nulls since the last value that is none, in a window's order.
func (x *exprs) nullIndex(e *plan.Window, call *plan.Function) (plan.Value, error) {
	vals, err := x.values(call.Args)
	if err != nil || len(vals) != 1 {
		return nil, err
	}
	number := &plan.Over{Func: &plan.Apply{Func: "row_number", Out: types.Int, SQL: func([]string) string { return function.Call("row_number", "") }}}
	if number.Partition, err = x.values(e.Partition); err != nil {
		return nil, err
	}
	if number.Order, err = x.orders(e.Order); err != nil {
		return nil, err
	}
	last := *number
	last.Frame, last.Null = "ROWS BETWEEN UNBOUNDED PRECEDING AND CURRENT ROW", true
	last.Func = &plan.Apply{Func: "max", Args: []plan.Value{vals[0], number}, Out: types.Int, Null: true, Aggregate: true, SQL: func(s []string) string {
		return function.Call("max", "CASE WHEN "+s[0]+" IS NOT NULL THEN "+s[1]+" END")
	}}
	return &plan.Apply{Func: "null_index", Args: []plan.Value{vals[0], number, &last}, Out: types.Int, SQL: func(s []string) string {
		return "(CASE WHEN " + s[0] + " IS NULL THEN CAST(" + s[1] + " - coalesce(" + s[2] + ", 0) AS INTEGER) ELSE 0 END)"
	}}, nil
}
