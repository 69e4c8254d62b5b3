package function

import (
	"fmt"

	"github.com/millpond/millpond/internal/sparkerr"
	"github.com/millpond/millpond/internal/types"
)

// integers are the ends of the whole-number types.
var integers = map[types.Type]struct{ least, most string }{
	types.Byte:  {"CAST(-128 AS TINYINT)", "127"},
	types.Short: {"CAST(-32768 AS SMALLINT)", "32767"},
	types.Int:   {"CAST(-2147483648 AS INTEGER)", "2147483647"},
	types.Long:  {"CAST(-9223372036854775808 AS BIGINT)", "9223372036854775807"},
}

// leastGuard raises a condition for the one whole number that has no opposite.
func leastGuard(name string) func([]Arg) string {
	return func(a []Arg) string {
		text := name + "(" + a[0].SQL + ")"
		ends, whole := integers[a[0].Type]
		if !whole {
			return "(" + text + ")"
		}
		what := "overflow"
		if a[0].Type == types.Byte || a[0].Type == types.Short { // narrow types are named by the value
			what = "- " + ends.least[len("CAST("):len("CAST(")+3] + " caused overflow"
		}
		return "(CASE WHEN " + a[0].SQL + " = " + ends.least + " THEN " + sparkerr.Raise("ARITHMETIC_OVERFLOW", "'"+what+"'", "''") + " ELSE " + text + " END)"
	}
}

var negated = leastGuard("-")

// compute makes the text of + - * on numbers of one type; try gives null where the result does
// not fit. Overflow of four and eight bytes DuckDB notices, and compile
// finds out where.
func compute(op string, try bool) func([]Arg) string {
	names := map[string]string{"+": "try_add", "-": "try_subtract", "*": "try_multiply"}
	return func(a []Arg) string {
		if _, dec := a[0].Type.(types.Decimal); dec {
			return decimalText(op, a, try)
		}
		plain := "(" + a[0].SQL + " " + op + " " + a[1].SQL + ")"
		ends := integers[a[0].Type]
		switch {
		case a[0].Type == types.Byte || a[0].Type == types.Short:
			wide := "(CAST(" + a[0].SQL + " AS INTEGER) " + op + " " + a[1].SQL + ")"
			otherwise := ""
			if !try {
				otherwise = " WHEN " + wide + " IS NOT NULL THEN " + sparkerr.Raise("BINARY_ARITHMETIC_OVERFLOW",
					"CAST("+a[0].SQL+" AS VARCHAR) || 'S'", "'"+op+"'", "CAST("+a[1].SQL+" AS VARCHAR) || 'S'", "'`"+names[op]+"`'")
			}
			return "(CASE WHEN " + wide + " BETWEEN " + ends.least + " AND " + ends.most + " THEN CAST(" + wide + " AS " + TypeSQL(a[0].Type) + ")" + otherwise + " END)"
		case try && types.IsIntegral(a[0].Type):
			return "TRY" + plain
		}
		return plain
	}
}

// decimalText is exact: where DuckDB has too few digits, or would divide doubles, a native does it.
func decimalText(op string, a []Arg, try bool) string {
	x, y := a[0].Type.(types.Decimal), a[1].Type.(types.Decimal)
	t := decimalResult(op, x, y)
	exact := false // what DuckDB itself computes
	switch op {
	case "+", "-":
		exact = max(x.Precision-x.Scale, y.Precision-y.Scale)+max(x.Scale, y.Scale)+1 <= 38
	case "*":
		exact = x.Precision+y.Precision <= 38 && t.Scale == x.Scale+y.Scale
	case "/":
		exact = t.Precision <= 15 && x.Precision <= 15 && y.Precision <= 15
	case "%":
		exact = x.Precision <= 15 && y.Precision <= 15
	}
	if exact {
		return "CAST(" + a[0].SQL + " " + op + " " + a[1].SQL + " AS " + t.SQL() + ")"
	}
	return decimalCall(op, a[0].SQL, a[1].SQL, t, try)
}

func decimalCall(op, left, right string, t types.Decimal, try bool) string {
	name := "spark_decimal"
	if try {
		name = "spark_try_decimal"
	}
	return fmt.Sprintf("CAST(%s('%s', CAST(%s AS VARCHAR), CAST(%s AS VARCHAR), %d, %d) AS %s)", name, op, left, right, t.Precision, t.Scale, t.SQL())
}
