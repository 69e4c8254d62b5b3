package function

import (
	"math/big"
	"strings"

	"github.com/millpond/millpond/internal/plan"
	"github.com/millpond/millpond/internal/sparkerr"
	"github.com/millpond/millpond/internal/types"
)

func operators() []Row {
	compare := func(name, alias, op string) Row {
		return Row{Name: name, Aliases: alias, Args: "c c", Result: is(types.Boolean), SQL: "({0} " + op + " {1})",
			Coerce: comparable(name)}
	}
	return []Row{
		compare("=", "==", "="), compare("<", "", "<"), compare("<=", "", "<="), compare(">", "", ">"), compare(">=", "", ">="),
		compare("!=", "<>", "<>"),
		{Name: "<=>", Aliases: "equal_null eqnullsafe", Args: "c c", Result: is(types.Boolean), Null: neverNull, SQL: "({0} IS NOT DISTINCT FROM {1})"},
		{Name: "and", Coerce: truths("and"), Result: is(types.Boolean), SQL: "({0} AND {1})"},
		{Name: "or", Coerce: truths("or"), Result: is(types.Boolean), SQL: "({0} OR {1})"},
		{Name: "not", Aliases: "!", Args: "b", Result: is(types.Boolean), SQL: "(NOT {0})"},
		{Name: "+", Coerce: arithmetic("+"), Result: arithmeticType("+"), Build: plus(false)},
		{Name: "-", Aliases: "subtract", Coerce: arithmetic("-"), Result: arithmeticType("-"), Build: minus(false)},
		{Name: "*", Coerce: arithmetic("*"), Result: arithmeticType("*"), Build: times(false)},
		{Name: "/", Null: maybeNull, Coerce: division, Result: arithmeticType("/"), Build: divide},
		{Name: "%", Aliases: "mod", Null: maybeNull, Coerce: arithmetic("%"), Result: arithmeticType("%"),
			Build: func(a []Arg) string { return guardZero(a, "REMAINDER_BY_ZERO", remainder(a, false)) }},
		{Name: "pmod", Null: maybeNull, Coerce: arithmetic("%"), Result: arithmeticType("%"), Build: pmod},
		{Name: "div", Null: maybeNull, Coerce: wholeOperands, Result: is(types.Long),
			Build: wholeDivision},
		{Name: "negative", Coerce: signed("negative"), Result: same(0), Build: negated},
		{Name: "positive", Coerce: signed("positive"), Result: same(0), SQL: "{0}"},
		{Name: "&", Args: "c c", Result: same(0), SQL: "({0} & {1})"},
		{Name: "|", Args: "c c", Result: same(0), SQL: "({0} | {1})"},
		{Name: "^", Args: "c c", Result: same(0), SQL: "xor({0}, {1})"},
		{Name: "~", Aliases: "bitwise_not", Args: "I", Result: same(0), SQL: "(~{0})"},
		{Name: "shiftleft", Aliases: "<<", Args: "I i", Result: same(0), Build: func(a []Arg) string {
			if a[0].Type == types.Long {
				return fill("CAST((CASE WHEN (CAST({0} AS HUGEINT) << {1}) % 18446744073709551616 > 9223372036854775807 THEN (CAST({0} AS HUGEINT) << {1}) % 18446744073709551616 - 18446744073709551616 ELSE (CAST({0} AS HUGEINT) << {1}) % 18446744073709551616 END) AS BIGINT)", a)
			}
			return fill("CAST({0} * (CAST(1 AS BIGINT) << ({1} % 32)) AS INTEGER)", a)
		}},
		{Name: "shiftright", Aliases: ">>", Args: "I i", Result: same(0), SQL: "({0} >> {1})"},
		{Name: "like", Args: "s s ?s", Result: is(types.Boolean), Build: like("LIKE")},
		{Name: "ilike", Args: "s s ?s", Result: is(types.Boolean), Build: like("ILIKE")},
		{Name: "in", Args: "c c*", Result: is(types.Boolean), Build: among},
		{Name: "between", Args: "c c c", Result: is(types.Boolean), SQL: "({0} BETWEEN {1} AND {2})"},
		{Name: "try_add", Coerce: arithmetic("+"), Result: arithmeticType("+"), Null: maybeNull, Build: plus(true)},
		{Name: "try_subtract", Coerce: arithmetic("-"), Result: arithmeticType("-"), Null: maybeNull, Build: minus(true)},
		{Name: "try_multiply", Coerce: arithmetic("*"), Result: arithmeticType("*"), Null: maybeNull, Build: times(true)},
		{Name: "try_divide", Coerce: division, Result: arithmeticType("/"), Null: maybeNull, Build: tryDivide},
		{Name: "try_mod", Coerce: arithmetic("%"), Result: arithmeticType("%"), Null: maybeNull, Build: func(a []Arg) string {
			return "(CASE WHEN " + a[1].SQL + " <> 0 THEN " + remainder(a, true) + " END)"
		}},
	}
}

// among is IN a list, which isin([]) leaves empty.
func among(a []Arg) string {
	if len(a) == 1 {
		return "false"
	}
	return fill("({0} IN ({1*}))", a)
}

func comparable(op string) func([]plan.Value) ([]plan.Value, error) {
	return func(a []plan.Value) ([]plan.Value, error) {
		if len(a) != 2 {
			return coerceArgs(&Row{Name: op, Args: "c c"}, a)
		}
		_, d0 := a[0].Type().(types.Decimal)
		_, d1 := a[1].Type().(types.Decimal)
		if d0 && types.IsIntegral(a[1].Type()) || d1 && types.IsIntegral(a[0].Type()) {
			a = []plan.Value{asDecimal(a[0]), asDecimal(a[1])}
		}
		t, ok := types.Common(a[0].Type(), a[1].Type())
		if !ok {
			return nil, differ(op, a)
		}
		return []plan.Value{As(a[0], t), As(a[1], t)}, nil
	}
}

// truths are two conditions.
func truths(op string) func([]plan.Value) ([]plan.Value, error) {
	return func(a []plan.Value) ([]plan.Value, error) {
		if len(a) == 2 && a[0].Type() != a[1].Type() && a[0].Type() != types.Null && a[1].Type() != types.Null && !types.IsString(a[0].Type()) && !types.IsString(a[1].Type()) {
			return nil, differ(strings.ToUpper(op), a)
		}
		return coerceArgs(&Row{Name: op, Args: "b b"}, a)
	}
}

func differ(op string, a []plan.Value) error {
	return sparkerr.New(sparkerr.ClassExtendedAnalysis, "DATATYPE_MISMATCH.BINARY_OP_DIFF_TYPES",
		"sqlExpr", `"(`+Describe(a[0])+" "+op+" "+Describe(a[1])+`)"`,
		"left", `"`+a[0].Type().SQL()+`"`, "right", `"`+a[1].Type().SQL()+`"`)
}

// arithmetic gives both sides their common numeric type; dates and intervals stay as they are.
func arithmetic(op string) func([]plan.Value) ([]plan.Value, error) {
	return func(a []plan.Value) ([]plan.Value, error) {
		if len(a) == 1 && (op == "-" || op == "+") {
			return coerceArgs(&Row{Name: op, Args: "n"}, a)
		}
		if len(a) != 2 {
			return coerceArgs(&Row{Name: op, Args: "n n"}, a)
		}
		x, y := a[0].Type(), a[1].Type()
		if types.IsDatetime(x) || types.IsDatetime(y) || isInterval(x) || isInterval(y) {
			return temporalOperands(op, a)
		}
		if types.IsString(x) && types.IsString(y) {
			return nil, sparkerr.New(sparkerr.ClassExtendedAnalysis, "DATATYPE_MISMATCH.BINARY_OP_WRONG_TYPE",
				"sqlExpr", `"(`+Describe(a[0])+" "+op+" "+Describe(a[1])+`)"`, "inputType", `("NUMERIC" or "INTERVAL DAY TO SECOND" or "INTERVAL YEAR TO MONTH" or "INTERVAL")`, "actualDataType", `"STRING"`)
		}
		t, ok := types.Common(x, y)
		if ok && types.IsString(t) || t == types.Null {
			t = types.Double
		}
		if !ok || !types.IsNumeric(t) {
			return nil, differ(op, a)
		}
		if _, dec := t.(types.Decimal); dec { // each side keeps its own precision: the result type needs them
			return []plan.Value{asDecimal(a[0]), asDecimal(a[1])}, nil
		}
		return []plan.Value{As(a[0], t), As(a[1], t)}, nil
	}
}

func asDecimal(v plan.Value) plan.Value {
	if c, ok := v.(plan.Const); ok && types.IsIntegral(v.Type()) && v.Type() != types.Byte { // a literal takes just the digits it has
		var n int64
		switch x := c.Literal.Value.(type) {
		case int32:
			n = int64(x)
		case int64:
			n = x
		case int16:
			n = int64(x)
		}
		return As(v, types.Decimal{Precision: len(new(big.Int).Abs(big.NewInt(n)).String())})
	}
	if d, ok := types.AsDecimal(v.Type()); ok {
		return As(v, d)
	}
	return As(v, types.Decimal{Precision: 38, Scale: 18})
}

func division(a []plan.Value) ([]plan.Value, error) {
	if len(a) == 2 && isInterval(a[0].Type()) {
		return a, nil
	}
	out, err := arithmetic("/")(a)
	if err != nil || len(out) != 2 {
		return out, err
	}
	if _, dec := out[0].Type().(types.Decimal); dec {
		return out, nil
	}
	return []plan.Value{As(out[0], types.Double), As(out[1], types.Double)}, nil
}

func arithmeticType(op string) func([]plan.Value) (types.Type, error) {
	return func(a []plan.Value) (types.Type, error) {
		if len(a) == 1 {
			return a[0].Type(), nil
		}
		x, y := a[0].Type(), a[1].Type()
		if t, ok := temporalType(op, x, y); ok {
			return t, nil
		}
		dx, ok1 := x.(types.Decimal)
		dy, ok2 := y.(types.Decimal)
		if !ok1 || !ok2 {
			return x, nil
		}
		return decimalResult(op, dx, dy), nil
	}
}

// decimalResult follows https://spark.apache.org/docs/latest/sql-ref-ansi-compliance.html
func decimalResult(op string, x, y types.Decimal) types.Decimal {
	switch op {
	case "+", "-":
		s := max(x.Scale, y.Scale)
		return types.BoundDecimal(max(x.Precision-x.Scale, y.Precision-y.Scale)+s+1, s)
	case "*":
		return types.BoundDecimal(x.Precision+y.Precision+1, x.Scale+y.Scale)
	case "/":
		s := max(6, x.Scale+y.Precision+1)
		return types.BoundDecimal(x.Precision-x.Scale+y.Scale+s, s)
	}
	s := max(x.Scale, y.Scale)
	return types.BoundDecimal(min(x.Precision-x.Scale, y.Precision-y.Scale)+s, s)
}

// guardZero raises a condition where the second argument is zero; a constant is judged now.
func guardZero(a []Arg, condition, text string) string {
	if c := a[1].Const; c != nil && c.Value != nil && !isZero(c.Value) {
		return text
	}
	return "(CASE WHEN " + a[1].SQL + " = 0 AND " + a[0].SQL + " IS NOT NULL THEN " + sparkerr.Raise(condition) + " ELSE " + text + " END)"
}

func isZero(v any) bool {
	switch v := v.(type) {
	case int8:
		return v == 0
	case int16:
		return v == 0
	case int32:
		return v == 0
	case int64:
		return v == 0
	case float32:
		return v == 0
	case float64:
		return v == 0
	case *big.Int:
		return v.Sign() == 0
	}
	return true
}

func like(op string) func([]Arg) string {
	return func(a []Arg) string {
		escape := `'\'`
		if c := a[1].Const; len(a) == 2 && c != nil {
			if s, ok := c.Value.(string); ok && endsInEscape(s) {
				return sparkerr.Raise("INVALID_FORMAT.ESC_AT_THE_END", Quote("'"+s+"'"))
			}
		}
		if len(a) > 2 {
			escape = a[2].SQL
		}
		return "(" + a[0].SQL + " " + op + " " + a[1].SQL + " ESCAPE " + escape + ")"
	}
}

// endsInEscape says whether a pattern's last backslash escapes nothing.
func endsInEscape(pattern string) bool {
	n := len(pattern) - len(strings.TrimRight(pattern, `\`))
	return n%2 == 1
}
