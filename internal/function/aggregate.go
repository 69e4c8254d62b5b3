package function

import (
	"fmt"
	"strings"

	"github.com/millpond/millpond/internal/plan"
	"github.com/millpond/millpond/internal/sparkerr"
	"github.com/millpond/millpond/internal/types"
)

// Marks in an aggregate's text: where DISTINCT and ORDER BY go, and where FILTER and OVER go after the call
// (with a condition of the function's own). Aggregated replaces them.
const (
	markDistinct = "\x03"
	markCall     = "\x04"
	markEnd      = "\x05"
	markOrder    = "\x06"
)

// Aggregated finishes an aggregate's text: order, filter and over may be "".
func Aggregated(text string, distinct bool, order, filter, over string) string {
	d := ""
	if distinct {
		d = "DISTINCT "
	}
	if order != "" {
		order = " ORDER BY " + order
	}
	text = strings.ReplaceAll(strings.ReplaceAll(text, markDistinct, d), markOrder, order)
	var b strings.Builder
	for {
		head, rest, ok := strings.Cut(text, markCall)
		b.WriteString(head)
		if !ok {
			return b.String()
		}
		own, after, _ := strings.Cut(rest, markEnd)
		switch {
		case own != "" && filter != "":
			b.WriteString(" FILTER (WHERE (" + own + ") AND (" + filter + "))")
		case own != "" || filter != "":
			b.WriteString(" FILTER (WHERE " + own + filter + ")")
		}
		b.WriteString(over)
		text = after
	}
}

// call marks an aggregate's call; args and where are templates or texts.
func call(name, args string) string {
	return name + "(" + markDistinct + args + markOrder + ")" + markCall + markEnd
}

// moment is a second moment: DuckDB fails where a value is not finite, Spark answers NaN.
func moment(name string) string {
	return "(CASE WHEN " + call("count", "CASE WHEN NOT isfinite({0}) THEN 1 END") + " > 0 THEN CAST('nan' AS DOUBLE) ELSE " + callWhere(name, "{0}", "isfinite({0})") + " END)"
}

func callWhere(name, args, where string) string {
	return name + "(" + markDistinct + args + markOrder + ")" + markCall + where + markEnd
}

func aggregates() []Row {
	agg := func(name, alias, args string, result func([]plan.Value) (types.Type, error), sql string) Row {
		return Row{Name: name, Aliases: alias, Kind: Aggregate, Args: args, Result: result, SQL: sql}
	}
	d := func(name, alias, sql string) Row { return agg(name, alias, "d", is(types.Double), sql) }
	nan := func(f string) string { return "(CASE WHEN " + call("count", "{0}") + " > 0 THEN " + f + " END)" }
	return []Row{
		{Name: "count", Kind: Aggregate, Args: "a*", Result: is(types.Long), Null: neverNull, Build: count},
		{Name: "count_if", Kind: Aggregate, Args: "b", Result: is(types.Long), Null: neverNull, SQL: call("count", "CASE WHEN {0} THEN 1 END")},
		{Name: "sum", Kind: Aggregate, Args: "n", Result: sumType, Build: sum},
		{Name: "avg", Aliases: "mean", Kind: Aggregate, Args: "n", Result: avgType, Build: average},
		agg("min", "", "a", same(0), call("min", "{0}")), agg("max", "", "a", same(0), call("max", "{0}")),
		{Name: "first", Aliases: "first_value any_value", Kind: Aggregate, Args: "a ?b", Result: same(0), Build: firstOf("first")},
		{Name: "last", Aliases: "last_value", Kind: Aggregate, Args: "a ?b", Result: same(0), Build: firstOf("last")},
		d("stddev", "stddev_samp std", moment("stddev_samp")), d("stddev_pop", "", moment("stddev_pop")),
		d("variance", "var_samp", moment("var_samp")), d("var_pop", "", moment("var_pop")),
		d("skewness", "", nan("(CASE WHEN "+call("var_pop", "{0}")+" = 0 THEN CAST('nan' AS DOUBLE) ELSE ("+call("avg", "{0}*{0}*{0}")+" - 3*"+call("avg", "{0}")+"*"+call("avg", "{0}*{0}")+" + 2*pow("+call("avg", "{0}")+", 3)) / pow("+call("var_pop", "{0}")+", 1.5) END)")),
		d("kurtosis", "", nan("(CASE WHEN "+call("var_pop", "{0}")+" = 0 THEN CAST('nan' AS DOUBLE) ELSE "+call("kurtosis_pop", "{0}")+" END)")),
		agg("corr", "", "d d", is(types.Double), call("corr", "{0}, {1}")),
		agg("covar_samp", "", "d d", is(types.Double), call("covar_samp", "{0}, {1}")), agg("covar_pop", "", "d d", is(types.Double), call("covar_pop", "{0}, {1}")),
		agg("regr_slope", "", "d d", is(types.Double), call("regr_slope", "{0}, {1}")), agg("regr_intercept", "", "d d", is(types.Double), call("regr_intercept", "{0}, {1}")),
		agg("regr_r2", "", "d d", is(types.Double), call("regr_r2", "{0}, {1}")),
		{Name: "regr_count", Kind: Aggregate, Args: "d d", Result: is(types.Long), Null: neverNull, SQL: "CAST(" + call("regr_count", "{0}, {1}") + " AS BIGINT)"},
		{Name: "collect_list", Aliases: "array_agg", Kind: Aggregate, Args: "a", Result: listOfNoNull(0), Null: neverNull, SQL: "coalesce(" + callWhere("list", "{0}", "{0} IS NOT NULL") + ", [])"},
		{Name: "collect_set", Kind: Aggregate, Args: "a", Result: listOfNoNull(0), Null: neverNull, SQL: "coalesce(list_distinct(" + callWhere("list", "{0}", "{0} IS NOT NULL") + "), [])"},
		{Name: "approx_count_distinct", Kind: Aggregate, Args: "a ?d", Result: is(types.Long), Null: neverNull, SQL: "count(DISTINCT {0})" + markCall + markEnd},
		d("median", "", call("quantile_cont", "{0}, 0.5")),
		{Name: "percentile_approx", Aliases: "approx_percentile", Kind: Aggregate, Args: "a a ?i", Result: percentileType(nil),
			Build: func(a []Arg) string { return call("quantile_disc", a[0].SQL+", "+quantiles(a[1])) }},
		agg("product", "", "d", is(types.Double), call("product", "{0}")),
		agg("bool_and", "every", "b", is(types.Boolean), call("bool_and", "{0}")), agg("bool_or", "some any", "b", is(types.Boolean), call("bool_or", "{0}")),
		agg("bit_and", "", "I", same(0), call("bit_and", "{0}")), agg("bit_or", "", "I", same(0), call("bit_or", "{0}")), agg("bit_xor", "", "I", same(0), call("bit_xor", "{0}")),
		{Name: "grouping", Kind: Aggregate, Args: "a", Result: is(types.Byte), Null: neverNull, SQL: "CAST(grouping({0}) AS TINYINT)"},
		{Name: "grouping_id", Kind: Aggregate, Args: "?a*", Result: is(types.Long), Null: neverNull, SQL: "CAST(grouping({*}) AS BIGINT)"},
	}
}

// count skips rows where any argument is null.
func count(a []Arg) string {
	if len(a) == 1 {
		if a[0].Const != nil && a[0].Const.Value != nil {
			return "count(*)" + markCall + markEnd
		}
		return call("count", a[0].SQL)
	}
	cond := ""
	for i, x := range a {
		if i > 0 {
			cond += " AND "
		}
		cond += x.SQL + " IS NOT NULL"
	}
	return call("count", "CASE WHEN "+cond+" THEN ("+joinSQL(a)+") END")
}

func sumType(a []plan.Value) (types.Type, error) {
	switch t := a[0].Type().(type) {
	case types.Decimal:
		return types.BoundDecimal(t.Precision+10, t.Scale), nil
	default:
		if types.IsIntegral(t) {
			return types.Long, nil
		}
		return types.Double, nil
	}
}

// sum raises a condition by name where the sum does not fit: DuckDB's own is wide, or wraps.
func sum(a []Arg) string {
	total := call("sum", a[0].SQL)
	if d, ok := a[0].Type.(types.Decimal); ok {
		t := types.BoundDecimal(d.Precision+10, d.Scale)
		if d.Precision+10 <= 38 {
			return "CAST(" + total + " AS " + t.SQL() + ")"
		}
		near := call("sum", "CAST("+a[0].SQL+" AS DOUBLE)")
		return fmt.Sprintf("(CASE WHEN abs(%s) >= 1e%d THEN %s ELSE CAST(%s AS %s) END)", near, t.Precision-t.Scale,
			sparkerr.Raise("NUMERIC_VALUE_OUT_OF_RANGE.WITH_SUGGESTION", "CAST("+near+" AS VARCHAR)", fmt.Sprintf("'%d'", t.Precision), fmt.Sprintf("'%d'", t.Scale)), total, t.SQL())
	}
	if types.IsIntegral(a[0].Type) {
		if a[0].Type != types.Long { // 2^31 rows of four bytes stay within eight
			return "CAST(" + total + " AS BIGINT)"
		}
		return "(CASE WHEN " + total + " NOT BETWEEN -9223372036854775808 AND 9223372036854775807 THEN " +
			sparkerr.Raise("ARITHMETIC_OVERFLOW", "'long overflow'", "' Use ''try_sum'' to tolerate overflow and return NULL instead.'") + " ELSE CAST(" + total + " AS BIGINT) END)"
	}
	return call("sum", "CAST("+a[0].SQL+" AS DOUBLE)")
}

func avgType(a []plan.Value) (types.Type, error) {
	if d, ok := a[0].Type().(types.Decimal); ok {
		return types.BoundDecimal(d.Precision+4, d.Scale+4), nil
	}
	return types.Double, nil
}

// average of decimals divides their exact sum.
func average(a []Arg) string {
	if d, ok := a[0].Type.(types.Decimal); ok {
		return decimalCall("/", call("sum", a[0].SQL), "nullif("+call("count", a[0].SQL)+", 0)", types.BoundDecimal(d.Precision+4, d.Scale+4), false)
	}
	return call("avg", a[0].SQL)
}

func firstOf(name string) func([]Arg) string {
	return func(a []Arg) string {
		if len(a) == 2 && a[1].Const != nil && a[1].Const.Value == true {
			return callWhere(name, a[0].SQL, a[0].SQL+" IS NOT NULL")
		}
		return call(name, a[0].SQL)
	}
}

func percentileType(of types.Type) func([]plan.Value) (types.Type, error) {
	return func(a []plan.Value) (types.Type, error) {
		t := of
		if t == nil {
			t = a[0].Type()
		}
		if _, list := a[1].Type().(types.Array); list {
			return types.Array{Elem: t}, nil
		}
		if !types.IsNumeric(a[1].Type()) {
			return nil, sparkerr.Analysis("DATATYPE_MISMATCH.UNEXPECTED_INPUT_TYPE", "sqlExpr", `"percentile"`, "paramIndex", "second",
				"inputSql", `"`+Describe(a[1])+`"`, "inputType", `"`+a[1].Type().SQL()+`"`, "requiredType", `"DOUBLE"`)
		}
		return t, nil
	}
}

func quantiles(a Arg) string {
	if _, list := a.Type.(types.Array); list {
		return "CAST(" + a.SQL + " AS DOUBLE[])"
	}
	return "CAST(" + a.SQL + " AS DOUBLE)"
}
