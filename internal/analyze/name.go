package analyze

import (
	"fmt"
	"strings"

	"github.com/millpond/millpond/internal/function"
	"github.com/millpond/millpond/internal/plan"
	"github.com/millpond/millpond/internal/types"
)

// infix are the calls that Spark prints between their arguments.
var infix = map[string]string{"=": "=", "==": "=", "<": "<", "<=": "<=", ">": ">", ">=": ">=", "!=": "!=", "<>": "<>", "<=>": "<=>",
	"+": "+", "-": "-", "*": "*", "/": "/", "%": "%", "and": "AND", "or": "OR", "div": "div", "&": "&", "|": "|", "^": "^", "||": "||"}

// canonical names that Spark prints for an alias of a function.
var canonical = map[string]string{"mean": "avg", "ucase": "upper", "lcase": "lower", "pow": "POWER", "power": "POWER", "signum": "SIGNUM",
	"ceiling": "CEIL", "ceil": "CEIL", "floor": "FLOOR", "sqrt": "SQRT", "exp": "EXP", "cbrt": "CBRT", "log10": "LOG10", "log2": "LOG2", "log1p": "LOG1P",
	"sin": "SIN", "cos": "COS", "tan": "TAN", "asin": "ASIN", "acos": "ACOS", "atan": "ATAN", "atan2": "ATAN2", "sinh": "SINH", "cosh": "COSH", "tanh": "TANH",
	"degrees": "DEGREES", "radians": "RADIANS", "expm1": "EXPM1", "hypot": "HYPOT", "log": "LOG",
	"nvl": "nvl", "first_value": "first_value", "stddev_samp": "stddev_samp", "var_samp": "var_samp", "power_": "POWER",
	"approx_percentile": "approx_percentile", "percentile_approx": "percentile_approx", "create_map": "map", "substr": "substring"}

// nameOf is the column name that Spark gives an expression without an alias; v is its value.
func (x *exprs) nameOf(e plan.Expr) string {
	switch e := e.(type) {
	case plan.Literal:
		return function.LiteralText(e)
	case *plan.Attribute:
		if v, _, err := x.in.column(e); err == nil {
			if c, ok := v.(plan.Col); ok {
				return c.Attr.Name
			}
		}
		return e.Parts[len(e.Parts)-1]
	case *plan.Star:
		return "*"
	case *plan.Function:
		return x.callName(e)
	case plan.AliasExpr:
		return x.nameOf(e.Expr) + " AS " + types.QuoteIfNeeded(e.Names[0])
	case *plan.Cast:
		t := e.Type
		if t == nil {
			t, _ = types.ParseType(e.TypeText)
		}
		if t == nil {
			return "CAST"
		}
		if _, plain := e.Expr.(*plan.Attribute); plain && e.Mode != "try" {
			return x.nameOf(e.Expr) // a cast of a column keeps the column's name
		}
		word := "CAST"
		if e.Mode == "try" {
			word = "TRY_CAST"
		}
		return word + "(" + x.nameOf(e.Expr) + " AS " + t.SQL() + ")"
	case plan.SortOrder:
		return x.orderName(e)
	case *plan.Lambda:
		return "lambdafunction(" + x.nameOf(e.Body) + ", " + strings.Join(namedVars(e.Params), ", ") + ")"
	case *plan.LambdaVar:
		return "namedlambdavariable()"
	case *plan.Window:
		return x.windowName(e)
	case *plan.Extract:
		if k, ok := e.Key.(plan.Literal); ok {
			if s, ok := k.Value.(string); ok {
				if v, err := x.value(e.Child); err == nil {
					if _, isMap := v.Type().(types.Map); !isMap {
						return x.nameOf(e.Child) + "." + s
					}
				}
			}
		}
		return x.nameOf(e.Child) + "[" + x.nameOf(e.Key) + "]"
	case *plan.PythonUDF:
		return e.Name + "(" + x.names(e.Args) + ")"
	case *plan.Text:
		return e.SQL
	case *plan.Subquery:
		return e.Kind + "subquery()"
	case *plan.UpdateFields:
		return "update_fields(" + x.nameOf(e.Struct) + ")"
	}
	return fmt.Sprintf("%T", e)
}

func namedVars(params []string) []string {
	out := make([]string, len(params))
	for i := range params {
		out[i] = "namedlambdavariable()"
	}
	return out
}

func (x *exprs) names(es []plan.Expr) string {
	parts := make([]string, len(es))
	for i, e := range es {
		parts[i] = x.nameOf(e)
	}
	return strings.Join(parts, ", ")
}

func (x *exprs) callName(e *plan.Function) string {
	name := strings.ToLower(e.Name)
	if op, ok := infix[name]; ok && len(e.Args) == 2 {
		if op == "!=" || op == "<>" {
			return "(NOT (" + x.nameOf(e.Args[0]) + " = " + x.nameOf(e.Args[1]) + "))"
		}
		if op == "||" {
			return "concat(" + x.names(e.Args) + ")"
		}
		return "(" + x.nameOf(e.Args[0]) + " " + op + " " + x.nameOf(e.Args[1]) + ")"
	}
	switch name {
	case "not", "!":
		return "(NOT " + x.names(e.Args) + ")"
	case "-", "negative":
		return "(- " + x.names(e.Args) + ")"
	case "isnull":
		return "(" + x.names(e.Args) + " IS NULL)"
	case "isnotnull":
		return "(" + x.names(e.Args) + " IS NOT NULL)"
	case "in":
		return "(" + x.nameOf(e.Args[0]) + " IN (" + x.names(e.Args[1:]) + "))"
	case "when":
		return x.caseName(e)
	case "like", "ilike":
		return x.nameOf(e.Args[0]) + " " + strings.ToUpper(name) + " " + x.nameOf(e.Args[1])
	case "rlike":
		return "RLIKE(" + x.names(e.Args) + ")"
	case "count":
		if len(e.Args) == 1 {
			if _, star := e.Args[0].(*plan.Star); star {
				return "count(1)"
			}
		}
	case "if":
		return "(IF(" + x.names(e.Args) + "))"
	case "rand", "randn", "random":
		if len(e.Args) == 0 {
			return name + "()"
		}
	case "between":
		return "((" + x.nameOf(e.Args[0]) + " >= " + x.nameOf(e.Args[1]) + ") AND (" + x.nameOf(e.Args[0]) + " <= " + x.nameOf(e.Args[2]) + "))"
	}
	if c, ok := canonical[name]; ok {
		name = c
	}
	distinct := ""
	if e.Distinct {
		distinct = "DISTINCT "
	}
	out := name + "(" + distinct + x.names(e.Args) + ")"
	if e.Filter != nil {
		out += " FILTER (WHERE " + x.nameOf(e.Filter) + ")"
	}
	return out
}

func (x *exprs) caseName(e *plan.Function) string {
	var b strings.Builder
	b.WriteString("CASE")
	i := 0
	for ; i+1 < len(e.Args); i += 2 {
		b.WriteString(" WHEN " + x.nameOf(e.Args[i]) + " THEN " + x.nameOf(e.Args[i+1]))
	}
	if i < len(e.Args) {
		b.WriteString(" ELSE " + x.nameOf(e.Args[i]))
	}
	return b.String() + " END"
}

func (x *exprs) orderName(o plan.SortOrder) string {
	dir, nulls := "ASC", "NULLS LAST"
	if o.Desc {
		dir = "DESC"
	}
	if o.NullsFirst {
		nulls = "NULLS FIRST"
	}
	return x.nameOf(o.Expr) + " " + dir + " " + nulls
}

func (x *exprs) windowName(e *plan.Window) string {
	var parts []string
	if len(e.Partition) > 0 {
		parts = append(parts, "PARTITION BY "+x.names(e.Partition))
	}
	if len(e.Order) > 0 {
		orders := make([]string, len(e.Order))
		for i, o := range e.Order {
			orders[i] = x.orderName(o)
		}
		parts = append(parts, "ORDER BY "+strings.Join(orders, ", "))
	}
	frame := "RANGE BETWEEN UNBOUNDED PRECEDING AND CURRENT ROW"
	if len(e.Order) == 0 {
		frame = "ROWS BETWEEN UNBOUNDED PRECEDING AND UNBOUNDED FOLLOWING"
	}
	if f, ok := e.Func.(*plan.Function); ok {
		if row, ok := x.a.funcs.Lookup(f.Name); ok && row.Kind == function.Window {
			frame = "ROWS BETWEEN UNBOUNDED PRECEDING AND CURRENT ROW"
		}
	}
	if e.Frame != nil {
		if text, err := x.frame(e.Frame, e.Order); err == nil {
			frame = text
		}
	}
	return x.nameOf(e.Func) + " OVER (" + strings.Join(append(parts, frame), " ") + ")"
}
