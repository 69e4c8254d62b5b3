package analyze

import (
	"fmt"
	"math"
	"math/rand/v2"
	"strings"

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
			return nil, sparkerr.New(sparkerr.ClassParse, "MISSING_WINDOW_SPECIFICATION", "windowName", types.Quote(e.Name), "docroot", "https://spark.apache.org/docs/latest")
		}
		c := *named
		c.Func = e.Func
		e = &c
	}
	if f, ok := e.Func.(*plan.Function); ok && f.Name == "null_index" {
		return x.nullIndex(e, f)
	}
	x.windowed = true
	fn, err := x.value(e.Func)
	x.windowed = false
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
			return nil, sparkerr.Analysis("WINDOW_FUNCTION_FRAME_NOT_ORDERED", "wf_name", types.Quote(f.Func), "wf_expr", quoted(x.nameOf(e.Func)))
		}
	case *plan.Python:
		if !groupedEval[f.UDF.EvalType] {
			return nil, sparkerr.New(sparkerr.ClassExtendedAnalysis, "UNSUPPORTED_EXPR_FOR_WINDOW", "sqlExpr", quoted(x.nameOf(e.Func)))
		}
	default:
		return nil, sparkerr.Analysis("UNSUPPORTED_EXPR_FOR_WINDOW", "sqlExpr", `"`+function.Describe(fn)+`"`)
	}
	if e.Frame != nil {
		if out.Frame, err = x.frame(e.Frame, out.Order); err != nil {
			return nil, err
		}
	}
	return out, nil
}

// edge is one end of a frame: a distance from the current row, negative before it.
type edge struct {
	unbounded bool
	lower     bool
	n         float64
}

func (e edge) distant() bool { return !e.unbounded && e.n != 0 }

// place orders edges along the rows.
func (e edge) place() float64 {
	switch {
	case e.unbounded && e.lower:
		return math.Inf(-1)
	case e.unbounded:
		return math.Inf(1)
	}
	return e.n
}

func (e edge) String() string {
	switch {
	case e.unbounded && e.lower:
		return "UNBOUNDED PRECEDING"
	case e.unbounded:
		return "UNBOUNDED FOLLOWING"
	case e.n == 0:
		return "CURRENT ROW"
	case e.n < 0:
		return fmt.Sprintf("%v PRECEDING", -e.n)
	}
	return fmt.Sprintf("%v FOLLOWING", e.n)
}

func (x *exprs) frame(f *plan.Frame, order []plan.Order) (string, error) {
	lower, err := x.edge(f.Lower, true)
	if err != nil {
		return "", err
	}
	upper, err := x.edge(f.Upper, false)
	if err != nil {
		return "", err
	}
	if err := checkFrame(f, lower, upper, order); err != nil {
		return "", err
	}
	kind := "RANGE"
	if f.Rows {
		kind = "ROWS"
	}
	return kind + " BETWEEN " + lower.String() + " AND " + upper.String(), nil
}

func (x *exprs) edge(b plan.Bound, lower bool) (edge, error) {
	if b.Unbounded || b.Offset == nil {
		return edge{unbounded: b.Unbounded, lower: lower}, nil
	}
	v, err := x.value(b.Offset)
	if err != nil {
		return edge{}, err
	}
	n, ok := number(v)
	if !ok {
		return edge{}, sparkerr.Unsupported("a window frame bound that is not a number")
	}
	return edge{lower: lower, n: n}, nil
}

// number reads a constant number, negated perhaps.
func number(v plan.Value) (float64, bool) {
	if a, ok := v.(*plan.Apply); ok && len(a.Args) == 1 && (a.Func == "-" || a.Func == "negative") {
		n, ok := number(a.Args[0])
		return -n, ok
	}
	if a, ok := v.(*plan.Apply); ok && len(a.Args) == 2 {
		l, ok1 := number(a.Args[0])
		r, ok2 := number(a.Args[1])
		return folded(a.Func, l, r), ok1 && ok2 && strings.Contains("+-*", a.Func)
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

func folded(op string, l, r float64) float64 {
	switch op {
	case "+":
		return l + r
	case "-":
		return l - r
	}
	return l * r
}

func (x *exprs) orders(os []plan.SortOrder) ([]plan.Order, error) {
	out := make([]plan.Order, len(os))
	for i, o := range os {
		v, err := x.value(o.Expr)
		if err != nil {
			return nil, err
		}
		if _, isMap := v.Type().(types.Map); isMap {
			return nil, sparkerr.New(sparkerr.ClassExtendedAnalysis, "DATATYPE_MISMATCH.INVALID_ORDERING_TYPE", "functionName", "`sortorder`", "dataType", quoted(v.Type().SQL()),
				"sqlExpr", quoted(function.Describe(v)+direction(o.Desc, o.NullsFirst)))
		}
		out[i] = plan.Order{Value: v, Desc: o.Desc, NullsFirst: o.NullsFirst}
	}
	return out, nil
}

// direction prints an ordering's.
func direction(desc, nullsFirst bool) string {
	way, nulls := " ASC", " NULLS LAST"
	if desc {
		way = " DESC"
	}
	if nullsFirst {
		nulls = " NULLS FIRST"
	}
	return way + nulls
}
