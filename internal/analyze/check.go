package analyze

import (
	"fmt"

	"github.com/millpond/millpond/internal/function"
	"github.com/millpond/millpond/internal/plan"
	"github.com/millpond/millpond/internal/sparkerr"
	"github.com/millpond/millpond/internal/sqlparse"
	"github.com/millpond/millpond/internal/types"
)

// checkCall refuses a function where it must not stand. windowed says that it is the one OVER a window.
func (x *exprs) checkCall(row *function.Row, e *plan.Function, args []plan.Value, windowed bool) error {
	aggregate := row.Kind == function.Aggregate
	switch {
	case row.Kind == function.Window && !windowed:
		return sparkerr.Analysis("WINDOW_FUNCTION_WITHOUT_OVER_CLAUSE", "funcName", quoted(x.nameOf(e)))
	case e.Distinct && !aggregate:
		return sparkerr.Analysis("INVALID_SQL_SYNTAX.FUNCTION_WITH_UNSUPPORTED_SYNTAX", "prettyName", types.Quote(row.Name), "syntax", "DISTINCT")
	case e.Filter != nil && !aggregate:
		return sparkerr.Analysis("INVALID_SQL_SYNTAX.FUNCTION_WITH_UNSUPPORTED_SYNTAX", "prettyName", types.Quote(row.Name), "syntax", "FILTER CLAUSE")
	}
	for _, v := range args {
		if isGenerator(v, x.a.funcs) {
			return sparkerr.New(sparkerr.ClassExtendedAnalysis, "UNSUPPORTED_GENERATOR.NESTED_IN_EXPRESSIONS", "expression", quoted(x.nameOf(e)))
		}
		if !aggregate || windowed {
			continue
		}
		if hasAggregate(v) {
			return sparkerr.New(sparkerr.ClassExtendedAnalysis, "NESTED_AGGREGATE_FUNCTION")
		}
		if changes(v) {
			return sparkerr.New(sparkerr.ClassExtendedAnalysis, "AGGREGATE_FUNCTION_WITH_NONDETERMINISTIC_EXPRESSION", "sqlExpr", quoted(x.nameOf(e)))
		}
		if hasWindow(v) {
			return &sparkerr.Error{Condition: "_LEGACY_ERROR_TEMP_1031", Class: sparkerr.ClassAnalysis,
				Message: "It is not allowed to use a window function inside an aggregate function. Please use the inner window function in a sub-query."}
		}
	}
	return nil
}

// checkFilter refuses a FILTER that is no plain condition of a row.
func (x *exprs) checkFilter(e plan.Expr, v plan.Value) error {
	switch {
	case hasAggregate(v):
		return sparkerr.Analysis("INVALID_AGGREGATE_FILTER.CONTAINS_AGGREGATE", "filterExpr", quoted(x.nameOf(e)), "aggExpr", quoted(x.nameOf(e)))
	case changes(v):
		return sparkerr.Analysis("INVALID_AGGREGATE_FILTER.NON_DETERMINISTIC", "filterExpr", quoted(x.nameOf(e)))
	case v.Type() != types.Boolean && v.Type() != types.Null:
		return sparkerr.Analysis("INVALID_AGGREGATE_FILTER.NOT_BOOLEAN", "filterExpr", quoted(x.nameOf(e)))
	}
	return nil
}

// changes says whether a value depends on more than its row: on chance, or on where the row lies.
func changes(v plan.Value) bool {
	found := false
	plan.Walk(v, func(x plan.Value) bool {
		switch x.(type) {
		case *plan.Random, plan.RowID, plan.PartitionID:
			found = true
		}
		return !found
	})
	return found
}

func quoted(text string) string { return `"` + text + `"` }

// hasWindow says whether a value holds a function over a window.
func hasWindow(v plan.Value) bool {
	found := false
	plan.Walk(v, func(x plan.Value) bool {
		_, over := x.(*plan.Over)
		found = found || over
		return !found
	})
	return found
}

// checkGroupings refuses grouping() and grouping_id() without grouping sets, or of what is no key.
func (g *grouping) checkGroupings(kind string) error {
	for _, ag := range g.aggs {
		f, ok := ag.Value.(*plan.Apply)
		if !ok || f.Func != "grouping" && f.Func != "grouping_id" {
			continue
		}
		if kind != "rollup" && kind != "cube" && kind != "sets" {
			return sparkerr.Analysis("UNSUPPORTED_GROUPING_EXPRESSION")
		}
		for _, arg := range f.Args {
			if _, key := g.byKey[plan.Print(arg)]; !key {
				return sparkerr.Analysis("GROUPING_COLUMN_MISMATCH", "grouping", function.Describe(arg), "groupingColumns", g.keyNames())
			}
		}
	}
	return nil
}

func (g *grouping) keyNames() string {
	out := ""
	for i, k := range g.keys {
		if i > 0 {
			out += ","
		}
		out += k.Attr.Name
	}
	return out
}

// checkFrame refuses bounds that no row can lie between, and distances that the order cannot measure.
func checkFrame(f *plan.Frame, lower, upper edge, order []plan.Order) error {
	if lower.place() > upper.place() {
		return mismatch("SPECIFIED_WINDOW_FRAME_WRONG_COMPARISON", "comparison", "less than or equal")
	}
	if f.Rows || !lower.distant() && !upper.distant() {
		return nil
	}
	switch {
	case len(order) == 0:
		return mismatch("RANGE_FRAME_WITHOUT_ORDER")
	case len(order) > 1:
		return mismatch("RANGE_FRAME_MULTI_ORDER", "orderSpec", fmt.Sprint(len(order)))
	}
	t := order[0].Value.Type()
	if !types.IsNumeric(t) && !types.IsDatetime(t) {
		return mismatch("SPECIFIED_WINDOW_FRAME_UNACCEPTED_TYPE", "location", "lower", "exprType", quoted("INT"), "expectedType", quoted(t.SQL()))
	}
	return nil
}

func mismatch(name string, pairs ...string) error {
	return sparkerr.New(sparkerr.ClassExtendedAnalysis, "DATATYPE_MISMATCH."+name, append([]string{"sqlExpr", `"WINDOW FRAME"`}, pairs...)...)
}

// conditionName names a condition as its expression would be, even if it came as text.
func (x *exprs) conditionName(e plan.Expr) string {
	if t, ok := e.(*plan.Text); ok {
		if parsed, err := sqlparse.Expression(t.SQL); err == nil {
			return x.nameOf(parsed)
		}
	}
	return x.nameOf(e)
}

// aggregatesIn names the aggregates of a value.
func aggregatesIn(v plan.Value) []string {
	var out []string
	plan.Walk(v, func(v plan.Value) bool {
		switch f := v.(type) {
		case *plan.Apply:
			if f.Aggregate {
				out = append(out, function.Describe(f))
			}
			return !f.Aggregate
		case *plan.Python:
			if groupedEval[f.UDF.EvalType] {
				out = append(out, f.UDF.Name)
			}
		}
		return true
	})
	return out
}

// asCalled puts the whole call in place of the function's bare name, which is all that the
// function's own error knows.
func (x *exprs) asCalled(err error, row *function.Row, e *plan.Function) error {
	found := sparkerr.As(err)
	if found == nil || found.Params["sqlExpr"] != quoted(row.Name) {
		return err
	}
	pairs := make([]string, 0, 2*len(found.Params))
	for k, v := range found.Params {
		if k == "sqlExpr" {
			v = quoted(x.nameOf(e))
		}
		pairs = append(pairs, k, v)
	}
	return sparkerr.New(found.Class, found.Condition, pairs...)
}
