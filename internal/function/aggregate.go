package function

import (
	"fmt"
	"math/big"
	"strconv"
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

// Call marks an aggregate's call that another package makes.
func Call(name, args string) string { return call(name, args) }

// call marks an aggregate's call; args and where are templates or texts.
func call(name, args string) string {
	return name + "(" + markDistinct + args + markOrder + ")" + markCall + markEnd
}

// finite is what f says of finite values: DuckDB's moments fail where one is not, Spark answers NaN.
func finite(f string) string {
	return "(CASE WHEN " + call("count", "CASE WHEN NOT isfinite({0}) THEN 1 END") + " > 0 THEN CAST('nan' AS DOUBLE) ELSE " + f + " END)"
}

func moment(name string) string { return finite(callWhere(name, "{0}", "isfinite({0})")) }

// pairMoment is the same of pairs, of which those with a null do not count.
func pairMoment(name string) string {
	both := "isfinite({0}) AND isfinite({1})"
	return "(CASE WHEN " + call("count", "CASE WHEN {0} IS NOT NULL AND {1} IS NOT NULL AND NOT ("+both+") THEN 1 END") +
		" > 0 THEN CAST('nan' AS DOUBLE) ELSE " + callWhere(name, "{0}, {1}", both) + " END)"
}

// SortKey is what the engine sorts a value by: within structs and lists a null comes first, for DuckDB last.
func SortKey(value string, t types.Type) string {
	part := func(text string, t types.Type) string { return text + " IS NOT NULL, v := " + SortKey(text, t) }
	switch t := types.Physical(t).(type) {
	case types.Array:
		return "list_transform(" + value + ", lambda e: struct_pack(k := " + part("e", t.Elem) + "))"
	case types.Struct:
		parts := make([]string, len(t.Fields))
		for i, f := range t.Fields {
			parts[i] = "f" + itoa(i) + " := struct_pack(k := " + part("struct_extract_at("+value+", "+itoa(i+1)+")", f.Type) + ")"
		}
		return "(CASE WHEN " + value + " IS NOT NULL THEN struct_pack(" + strings.Join(parts, ", ") + ") END)"
	}
	return value
}

// extreme is the least or greatest value.
func extreme(name string) func([]Arg) string {
	return func(a []Arg) string {
		switch types.Physical(a[0].Type).(type) {
		case types.Struct, types.Array:
			return fill(callWhere("arg_"+name, "{0}, "+SortKey("{0}", a[0].Type), "{0} IS NOT NULL"), a)
		}
		return fill(call(name, "{0}"), a)
	}
}

// shape is a third or fourth moment, of equal values not a number.
func shape(build func(of func(name, args string) string) string) string {
	of := func(name, args string) string { return callWhere(name, args, "isfinite({0})") }
	return finite("(CASE WHEN " + of("count", "{0}") + " > 0 THEN CASE WHEN " + of("var_pop", "{0}") + " = 0 THEN CAST('nan' AS DOUBLE) ELSE " + build(of) + " END END)")
}

func callWhere(name, args, where string) string {
	return name + "(" + markDistinct + args + markOrder + ")" + markCall + where + markEnd
}

func aggregates() []Row {
	agg := func(name, alias, args string, result func([]plan.Value) (types.Type, error), sql string) Row {
		return Row{Name: name, Aliases: alias, Kind: Aggregate, Args: args, Result: result, SQL: sql}
	}
	d := func(name, alias, sql string) Row { return agg(name, alias, "d", is(types.Double), sql) }
	pair := func(name string) Row { return agg(name, "", "d d", is(types.Double), pairMoment(name)) }
	return []Row{
		{Name: "count", Kind: Aggregate, Coerce: counted, Result: is(types.Long), Null: neverNull, Build: count},
		{Name: "count_if", Kind: Aggregate, Args: "b", Result: is(types.Long), Null: neverNull, SQL: call("count", "CASE WHEN {0} THEN 1 END")},
		{Name: "sum", Kind: Aggregate, Args: "n", Result: sumType, Build: sum},
		{Name: "avg", Aliases: "mean", Kind: Aggregate, Args: "n", Result: avgType, Build: average},
		{Name: "min", Kind: Aggregate, Coerce: sortable("min", "a"), Result: same(0), Build: extreme("min")},
		{Name: "max", Kind: Aggregate, Coerce: sortable("max", "a"), Result: same(0), Build: extreme("max")},
		{Name: "first", Aliases: "first_value any_value", Kind: Aggregate, Args: "a ?b", Result: same(0), Build: firstOf("first")},
		{Name: "last", Aliases: "last_value", Kind: Aggregate, Args: "a ?b", Result: same(0), Build: firstOf("last")},
		d("stddev", "stddev_samp std", moment("stddev_samp")), d("stddev_pop", "", moment("stddev_pop")),
		d("variance", "var_samp", moment("var_samp")), d("var_pop", "", moment("var_pop")),
		d("skewness", "", shape(func(of func(name, args string) string) string {
			return "(" + of("avg", "{0}*{0}*{0}") + " - 3*" + of("avg", "{0}") + "*" + of("avg", "{0}*{0}") + " + 2*pow(" + of("avg", "{0}") + ", 3)) / pow(" + of("var_pop", "{0}") + ", 1.5)"
		})),
		d("kurtosis", "", shape(func(of func(name, args string) string) string { return of("kurtosis_pop", "{0}") })),
		pair("corr"), pair("covar_samp"), pair("covar_pop"), pair("regr_slope"), pair("regr_intercept"), pair("regr_r2"),
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

func counted(a []plan.Value) ([]plan.Value, error) {
	if len(a) == 0 {
		return nil, sparkerr.Analysis("WRONG_NUM_ARGS.WITH_SUGGESTION", "functionName", "`count`", "expectedNum", "> 0", "actualNum", "0",
			"legacyNum", "0", "legacyConfKey", `"spark.sql.legacy.allowParameterlessCount"`, "legacyConfValue", `"true"`)
	}
	return a, nil
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

// Sums and averages get more digits, as far as there are any.
func sumDecimal(d types.Decimal) types.Decimal {
	return types.Decimal{Precision: min(d.Precision+10, 38), Scale: d.Scale}
}
func averageDecimal(d types.Decimal) types.Decimal {
	return types.Decimal{Precision: min(d.Precision+4, 38), Scale: min(d.Scale+4, 38)}
}

func sumType(a []plan.Value) (types.Type, error) {
	switch t := a[0].Type().(type) {
	case types.Decimal:
		return sumDecimal(t), nil
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
		t := sumDecimal(d)
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
			sparkerr.Raise("ARITHMETIC_OVERFLOW", "'overflow'", "' Use ''try_add'' to tolerate overflow and return NULL instead.'") + " ELSE CAST(" + total + " AS BIGINT) END)"
	}
	return call("sum", "CAST("+a[0].SQL+" AS DOUBLE)")
}

func avgType(a []plan.Value) (types.Type, error) {
	if d, ok := a[0].Type().(types.Decimal); ok {
		return averageDecimal(d), nil
	}
	return types.Double, nil
}

// average of decimals divides their exact sum.
func average(a []Arg) string {
	if d, ok := a[0].Type.(types.Decimal); ok {
		return decimalCall("/", call("sum", a[0].SQL), "nullif("+call("count", a[0].SQL)+", 0)", averageDecimal(d), false)
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
		if err := checkFractions(a); err != nil {
			return nil, err
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

// checkFractions refuses percentages outside 0 to 1, and an accuracy or frequency that is not above 0.
func checkFractions(a []plan.Value) error {
	list := []plan.Value{a[1]}
	if v, ok := a[1].(*plan.Apply); ok && v.Func == "array" {
		list = v.Args
	}
	for _, v := range list {
		if f, ok := constantNumber(v); ok && (f < 0 || f > 1) {
			return outOfRange("percentile", a, "percentage", "[0.0, 1.0]", strconv.FormatFloat(f, 'f', -1, 64))
		}
	}
	if len(a) > 2 {
		if n, ok := constantNumber(a[2]); ok && n <= 0 {
			return outOfRange("percentile", a, "accuracy", "(0, 2147483647]", strconv.FormatFloat(n, 'f', -1, 64))
		}
	}
	return nil
}

func outOfRange(name string, a []plan.Value, what, between, got string) error {
	return sparkerr.New(sparkerr.ClassExtendedAnalysis, "DATATYPE_MISMATCH.VALUE_OUT_OF_RANGE", "sqlExpr", `"`+name+"("+describeAll(a)+`)"`,
		"exprName", what, "valueRange", between, "currentValue", got)
}

// Negative says whether a value is a constant less than zero.
func Negative(v plan.Value) bool {
	n, ok := constantNumber(v)
	return ok && n < 0
}

// constantNumber reads a literal number, negated perhaps.
func constantNumber(v plan.Value) (float64, bool) {
	if a, ok := v.(*plan.Apply); ok && len(a.Args) == 1 && (a.Func == "-" || a.Func == "negative") {
		n, ok := constantNumber(a.Args[0])
		return -n, ok
	}
	c, ok := Constant(v)
	if !ok {
		return 0, false
	}
	switch x := c.Value.(type) {
	case int32:
		return float64(x), true
	case int64:
		return float64(x), true
	case float64:
		return x, true
	case *big.Int:
		d, _ := c.Type.(types.Decimal)
		f, err := strconv.ParseFloat(DecimalText(x, d.Scale), 64)
		return f, err == nil
	}
	return 0, false
}

func quantiles(a Arg) string {
	if _, list := a.Type.(types.Array); list {
		return "CAST(" + a.SQL + " AS DOUBLE[])"
	}
	return "CAST(" + a.SQL + " AS DOUBLE)"
}
