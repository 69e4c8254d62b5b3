package analyze

import (
	"fmt"
	"math/rand/v2"

	"github.com/millpond/millpond/internal/function"
	"github.com/millpond/millpond/internal/plan"
	"github.com/millpond/millpond/internal/sparkerr"
	"github.com/millpond/millpond/internal/types"
)

func randomSeed() int64 { return rand.Int64() }

// window resolves func OVER (...).
func (x *exprs) window(e *plan.Window) (plan.Value, error) {
	if e.Name != "" {
		named, ok := x.windows[e.Name]
		if !ok {
			return nil, sparkerr.Plain(sparkerr.ClassParse, "[MISSING_WINDOW_SPECIFICATION] Window specification is not defined in the WINDOW clause for `%s`. SQLSTATE: 42P20", e.Name)
		}
		c := *named
		c.Func = e.Func
		e = &c
	}
	fn, err := x.value(e.Func)
	if err != nil {
		return nil, err
	}
	out := &plan.Over{Func: fn, Null: fn.Nullable()}
	if out.Partition, err = x.values(e.Partition); err != nil {
		return nil, err
	}
	if out.Order, err = x.orders(e.Order); err != nil {
		return nil, err
	}
	switch f := fn.(type) {
	case *plan.Apply:
		row, ok := x.a.funcs.Lookup(f.Func)
		if !ok || row.Kind != function.Aggregate && row.Kind != function.Window {
			return nil, sparkerr.Analysis("UNSUPPORTED_EXPR_FOR_WINDOW", "sqlExpr", `"`+function.Describe(fn)+`"`)
		}
		if row.Kind == function.Window && len(e.Order) == 0 && row.Name != "nth_value" {
			return nil, sparkerr.Plain(sparkerr.ClassAnalysis, "Window function %s() requires window to be ordered, please add ORDER BY clause. For example SELECT %s()(value_expr) OVER (PARTITION BY window_partition ORDER BY window_ordering) from table", f.Func, f.Func)
		}
	case *plan.Python:
	default:
		return nil, sparkerr.Analysis("UNSUPPORTED_EXPR_FOR_WINDOW", "sqlExpr", `"`+function.Describe(fn)+`"`)
	}
	if e.Frame != nil {
		if out.Frame, err = x.frame(e.Frame, e.Order); err != nil {
			return nil, err
		}
	}
	return out, nil
}

func (x *exprs) frame(f *plan.Frame, order []plan.SortOrder) (string, error) {
	lower, err := x.bound(f.Lower, true, order)
	if err != nil {
		return "", err
	}
	upper, err := x.bound(f.Upper, false, order)
	if err != nil {
		return "", err
	}
	kind := "RANGE"
	if f.Rows {
		kind = "ROWS"
	}
	return kind + " BETWEEN " + lower + " AND " + upper, nil
}

func (x *exprs) bound(b plan.Bound, lower bool, order []plan.SortOrder) (string, error) {
	switch {
	case b.Unbounded && lower:
		return "UNBOUNDED PRECEDING", nil
	case b.Unbounded:
		return "UNBOUNDED FOLLOWING", nil
	case b.Offset == nil:
		return "CURRENT ROW", nil
	}
	v, err := x.value(b.Offset)
	if err != nil {
		return "", err
	}
	n, ok := number(v)
	if !ok {
		return "", sparkerr.Unsupported("a window frame bound that is not a number")
	}
	switch {
	case n == 0:
		return "CURRENT ROW", nil
	case n < 0:
		return fmt.Sprintf("%v PRECEDING", -n), nil
	}
	return fmt.Sprintf("%v FOLLOWING", n), nil
}

// number reads a constant number, negated perhaps.
func number(v plan.Value) (float64, bool) {
	if a, ok := v.(*plan.Apply); ok && len(a.Args) == 1 && (a.Func == "-" || a.Func == "negative") {
		n, ok := number(a.Args[0])
		return -n, ok
	}
	c, ok := function.Constant(v)
	if !ok {
		return 0, false
	}
	switch n := c.Value.(type) {
	case int32:
		return float64(n), true
	case int64:
		return float64(n), true
	case float64:
		return n, true
	}
	return 0, false
}

func (x *exprs) orders(os []plan.SortOrder) ([]plan.Order, error) {
	out := make([]plan.Order, len(os))
	for i, o := range os {
		v, err := x.value(o.Expr)
		if err != nil {
			return nil, err
		}
		if _, isMap := v.Type().(types.Map); isMap {
			return nil, sparkerr.Unsupported("ordering by a map")
		}
		out[i] = plan.Order{Value: v, Desc: o.Desc, NullsFirst: o.NullsFirst}
	}
	return out, nil
}
