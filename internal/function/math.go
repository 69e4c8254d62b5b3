package function

import (
	"fmt"

	"github.com/millpond/millpond/internal/plan"
	"github.com/millpond/millpond/internal/sparkerr"
	"github.com/millpond/millpond/internal/types"
)

func mathematics() []Row {
	d := func(name, alias, sql string) Row {
		return Row{Name: name, Aliases: alias, Args: "d", Result: is(types.Double), Null: maybeNull, SQL: sql}
	}
	// Outside a logarithm's domain Spark answers null, DuckDB fails.
	log := func(name, alias, sql, low string) Row {
		return Row{Name: name, Aliases: alias, Args: "d", Result: is(types.Double), Null: maybeNull,
			SQL: "(CASE WHEN {0} > " + low + " OR isnan({0}) THEN " + sql + " END)"}
	}
	return []Row{
		{Name: "abs", Coerce: signed("abs"), Result: same(0), Build: absolute},
		{Name: "sign", Aliases: "signum", Null: maybeNull, Args: "d", Result: is(types.Double), SQL: "CAST(sign({0}) AS DOUBLE)"},
		d("sqrt", "", "(CASE WHEN {0} < 0 THEN CAST('nan' AS DOUBLE) ELSE sqrt({0}) END)"),
		d("cbrt", "", "cbrt({0})"), d("exp", "", "exp({0})"), d("expm1", "", "(CASE WHEN abs({0}) < 1e-5 THEN {0} + {0}*{0}/2 ELSE exp({0}) - 1 END)"),
		log("ln", "", "ln({0})", "0"), log("log10", "", "log10({0})", "0"), log("log2", "", "log2({0})", "0"),
		log("log1p", "", "(CASE WHEN abs({0}) < 1e-5 THEN {0} - {0}*{0}/2 ELSE ln(1 + {0}) END)", "-1"),
		{Name: "log", Args: "d ?d", Result: is(types.Double), Null: maybeNull, Build: logarithm},
		{Name: "pow", Aliases: "power", Args: "d d", Result: is(types.Double), SQL: "pow({0}, {1})"},
		d("sin", "", "sin({0})"), d("cos", "", "cos({0})"), d("tan", "", "tan({0})"), d("cot", "", "(1 / tan({0}))"),
		d("asin", "", "(CASE WHEN abs({0}) > 1 THEN CAST('nan' AS DOUBLE) ELSE asin({0}) END)"),
		d("acos", "", "(CASE WHEN abs({0}) > 1 THEN CAST('nan' AS DOUBLE) ELSE acos({0}) END)"),
		d("atan", "", "atan({0})"), d("sinh", "", "sinh({0})"), d("cosh", "", "cosh({0})"), d("tanh", "", "tanh({0})"),
		d("asinh", "", "asinh({0})"), d("acosh", "", "(CASE WHEN {0} < 1 THEN CAST('nan' AS DOUBLE) ELSE acosh({0}) END)"), d("atanh", "", "(CASE WHEN abs({0}) > 1 THEN CAST('nan' AS DOUBLE) WHEN {0} = 1 THEN CAST('inf' AS DOUBLE) WHEN {0} = -1 THEN CAST('-inf' AS DOUBLE) ELSE atanh({0}) END)"),
		d("degrees", "", "degrees({0})"), d("radians", "", "radians({0})"), d("sec", "", "(1 / cos({0}))"), d("csc", "", "(1 / sin({0}))"),
		d("rint", "", "round_even({0}, 0)"),
		{Name: "atan2", Args: "d d", Result: is(types.Double), SQL: "atan2({0}, {1})"},
		{Name: "width_bucket", Args: "d d d l", Result: is(types.Long), Null: maybeNull,
			SQL: "(CASE WHEN {1} < {2} THEN (CASE WHEN {0} < {1} THEN 0 WHEN {0} >= {2} THEN {3} + 1 ELSE CAST(floor(({0} - {1}) / ({2} - {1}) * {3}) AS BIGINT) + 1 END) WHEN {1} > {2} THEN (CASE WHEN {0} > {1} THEN 0 WHEN {0} <= {2} THEN {3} + 1 ELSE CAST(floor(({1} - {0}) / ({1} - {2}) * {3}) AS BIGINT) + 1 END) END)"},
		{Name: "hypot", Args: "d d", Result: is(types.Double), SQL: "sqrt({0}*{0} + {1}*{1})"},
		{Name: "pi", Result: is(types.Double), Null: neverNull, SQL: "pi()"},
		{Name: "e", Result: is(types.Double), Null: neverNull, SQL: "exp(1)"},
		{Name: "ceil", Aliases: "ceiling", Null: maybeNull, Args: "n ?i", Result: floorType, Build: floor("ceil")},
		{Name: "floor", Null: maybeNull, Args: "n ?i", Result: floorType, Build: floor("floor")},
		{Name: "round", Null: maybeNull, Args: "n ?i", Result: roundType, Build: rounding("round")},
		{Name: "bround", Null: maybeNull, Args: "n ?i", Result: roundType, Build: rounding("round_even")},
		{Name: "factorial", Args: "i", Result: is(types.Long), Null: maybeNull,
			SQL: "(CASE WHEN {0} BETWEEN 0 AND 20 THEN CAST(factorial({0}) AS BIGINT) END)"},
		{Name: "hex", Coerce: hexable, Result: is(types.String), SQL: "upper(hex({0}))"},
		{Name: "bin", Args: "l", Result: is(types.String), SQL: "bin({0})"},
		{Name: "bit_count", Args: "I", Result: is(types.Int), SQL: "CAST(bit_count({0}) AS INTEGER)"},
	}
}

func hexable(args []plan.Value) ([]plan.Value, error) {
	a, err := coerceArgs(&Row{Name: "hex", Args: "a"}, args)
	if err != nil {
		return nil, err
	}
	switch t := a[0].Type(); {
	case t == types.Long || t == types.Binary || types.IsString(t):
		return a, nil
	case types.IsNumeric(t), t == types.Null:
		return []plan.Value{As(a[0], types.Long)}, nil
	}
	return nil, wrongType("hex", 0, a[0], `("BIGINT" or "BINARY" or "STRING")`)
}

// absolute of an interval turns a negative one round.
func absolute(a []Arg) string {
	if isInterval(a[0].Type) {
		return fill("(CASE WHEN {0} < INTERVAL 0 SECOND THEN -{0} ELSE {0} END)", a)
	}
	return leastGuard("abs")(a)
}

func logarithm(a []Arg) string {
	if len(a) == 1 {
		return fill("(CASE WHEN {0} > 0 OR isnan({0}) THEN ln({0}) END)", a)
	}
	return fill("(CASE WHEN {0} > 0 AND {1} > 0 THEN ln({1}) / ln({0}) END)", a)
}

func floorType(a []plan.Value) (types.Type, error) {
	if len(a) == 2 {
		return roundType(a)
	}
	if d, ok := a[0].Type().(types.Decimal); ok {
		return types.BoundDecimal(d.Precision-d.Scale+1, 0), nil
	}
	return types.Long, nil
}

func floor(name string) func([]Arg) string {
	return func(a []Arg) string {
		if len(a) == 2 {
			if d, ok := a[0].Parsed.(types.Decimal); ok {
				return fmt.Sprintf("CAST(spark_floor('%s', CAST(%s AS VARCHAR), CAST(%s AS INTEGER), %d) AS %s)", name, a[0].SQL, a[1].SQL, d.Scale, d.SQL())
			}
			return fmt.Sprintf("CAST(%s(%s * pow(10, %s)) / pow(10, %s) AS %s)", name, a[0].SQL, a[1].SQL, a[1].SQL, TypeSQL(a[0].Parsed))
		}
		if d, ok := a[0].Type.(types.Decimal); ok {
			return fmt.Sprintf("CAST(%s(%s) AS %s)", name, a[0].SQL, types.BoundDecimal(d.Precision-d.Scale+1, 0).SQL())
		}
		return fmt.Sprintf("CAST(%s(%s) AS BIGINT)", name, a[0].SQL)
	}
}

func roundType(a []plan.Value) (types.Type, error) {
	d, ok := a[0].Type().(types.Decimal)
	if !ok {
		return a[0].Type(), nil
	}
	places := 0
	if len(a) == 2 {
		c, ok := Constant(a[1])
		if !ok {
			return nil, sparkerr.New(sparkerr.ClassExtendedAnalysis, "DATATYPE_MISMATCH.NON_FOLDABLE_INPUT", "sqlExpr", `"round(`+describeAll(a)+`)"`, "inputName", "`scale`", "inputType", `"INT"`, "inputExpr", `"`+Describe(a[1])+`"`)
		}
		if n, ok := c.Value.(int32); ok {
			places = int(n)
		}
	}
	scale := min(max(places, 0), d.Scale)
	return types.BoundDecimal(d.Precision-d.Scale+1+scale, scale), nil
}

// rounding of a double goes by its shortest decimal text, as Spark's BigDecimal does, so that
// 2.675 rounds to 2.68.
func rounding(name string) func([]Arg) string {
	return func(a []Arg) string {
		places := "0"
		if len(a) == 2 {
			places = a[1].SQL
		}
		switch t := a[0].Type.(type) {
		case types.Decimal:
			if name == "round_even" { // DuckDB's is of doubles
				name := fmt.Sprintf("spark_bround(CAST(%s AS VARCHAR), CAST(%s AS INTEGER), %d)", a[0].SQL, places, a[0].Parsed.(types.Decimal).Scale)
				return "CAST(" + name + " AS " + a[0].Parsed.SQL() + ")"
			}
			return fmt.Sprintf("CAST(%s(%s, %s) AS %s)", name, a[0].SQL, places, a[0].Parsed.SQL())
		default:
			if types.IsIntegral(t) {
				return fmt.Sprintf("CAST(%s(%s, %s) AS %s)", name, a[0].SQL, places, t.SQL())
			}
			return fmt.Sprintf("CAST(%s(%s, %s) AS %s)", name, a[0].SQL, places, t.SQL())
		}
	}
}
