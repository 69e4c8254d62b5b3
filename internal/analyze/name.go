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

// upper are the functions that Spark prints in capitals.
var upper = map[string]bool{"signum": true, "sqrt": true, "exp": true, "cbrt": true, "log10": true, "log2": true, "log1p": true, "sin": true, "cos": true, "tan": true,
	"asin": true, "acos": true, "atan": true, "atan2": true, "sinh": true, "cosh": true, "tanh": true, "degrees": true, "radians": true, "expm1": true, "hypot": true, "log": true,
	"acosh": true, "asinh": true, "atanh": true, "cot": true, "csc": true, "sec": true, "e": true, "pi": true, "power": true, "spark_partition_id": true,
	"rlike": true, "regexp": true, "regexp_like": true}

// canonical names that Spark prints for an alias of a function.
var canonical = map[string]string{"pow": "POWER", "ceil": "CEIL", "floor": "FLOOR", "create_map": "map", "try_make_timestamp": "try_make_timestamp", "array_agg": "collect_list", "dateadd": "date_add",
	"current_database": "current_schema", "vector_to_array": "UDF", "array_to_vector": "UDF"}

// shown are the arguments that Spark prints where a call leaves them out, from the first possible one on.
var shown = map[string][]string{"round": {"", "0"}, "bround": {"", "0"}, "listagg": {"", "NULL"}, "string_agg": {"", "NULL"}, "from_unixtime": {"", "yyyy-MM-dd HH:mm:ss"},
	"months_between": {"", "", "true"}, "make_dt_interval": {"0", "0", "0", "0.000000"}, "make_ym_interval": {"0", "0"}, "make_interval": {"0", "0", "0", "0", "0", "0", "0.000000"},
	"try_make_interval": {"0", "0", "0", "0", "0", "0", "0.000000"}, "str_to_map": {"", ",", ":"}, "percentile": {"", "", "1"}, "position": {"", "", "1"}, "locate": {"", "", "1"},
	"substring": {"", "", "2147483647"}, "substr": {"", "", "2147483647"}, "regexp_extract": {"", "", "1"}, "regexp_extract_all": {"", "", "1"}, "regexp_replace": {"", "", "", "1"},
	"to_unix_timestamp": {"", "yyyy-MM-dd HH:mm:ss"}, "unix_timestamp": {"", "yyyy-MM-dd HH:mm:ss"}, "lag": {"", "1", "NULL"}, "lead": {"", "1", "NULL"}, "split": {"", "", "-1"},
	"sort_array": {"", "true"}, "percentile_approx": {"", "", "10000"}, "approx_percentile": {"", "", "10000"}, "lpad": {"", "", " "}, "rpad": {"", "", " "}, "overlay": {"", "", "", "-1"},
	"sentences": {"", "", ""}, "mask": {"", "X", "x", "n", "NULL"}, "regexp_instr": {"", "", "0"}, "aes_encrypt": {"", "", "GCM", "DEFAULT", "", ""}, "aes_decrypt": {"", "", "GCM", "DEFAULT", ""},
	"try_aes_decrypt": {"", "", "GCM", "DEFAULT", ""}, "hmac": {"", "", "SHA-256"}}

// named are the functions of whose arguments only so many appear in the name.
var named = map[string]int{"from_json": 1, "to_json": 1, "from_csv": 1, "to_csv": 1, "schema_of_json": 1, "schema_of_csv": 1, "first": 1, "last": 1, "first_value": 1, "last_value": 1,
	"any_value": 1, "mode": 1, "vector_to_array": 1, "try_make_timestamp": 6, "approx_count_distinct": 1, "to_timestamp_ltz": 2}

// nameOf is the column name that Spark gives an expression without an alias; v is its value.
func (x *exprs) nameOf(e plan.Expr) string {
	switch e := e.(type) {
	case plan.Literal:
		return function.LiteralText(e)
	case *plan.Attribute:
		if len(e.Parts) == 1 && x.isLambdaName(e.Parts[0]) {
			return "namedlambdavariable()"
		}
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
		if l, ok := e.Expr.(plan.Literal); ok && e.Mode == "literal" {
			return x.typedLiteralName(l, t)
		}
		if e.Mode == "function" {
			return x.nameOf(e.Expr)
		}
		word := "CAST"
		if e.Mode == "try" {
			word = "TRY_CAST"
		}
		return word + "(" + x.nameOf(e.Expr) + " AS " + t.SQL() + ")"
	case plan.SortOrder:
		return x.orderName(e)
	case *plan.Lambda:
		x.lambdaNames = append(x.lambdaNames, e.Params)
		defer func() { x.lambdaNames = x.lambdaNames[:len(x.lambdaNames)-1] }()
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
		parts := make([]string, len(e.Args))
		for i, arg := range e.Args {
			if parts[i] = x.nameOf(arg); i < len(e.Names) && e.Names[i] != "" {
				parts[i] = e.Names[i] + " => " + parts[i]
			}
		}
		return e.Name + "(" + strings.Join(parts, ", ") + ")"
	case *plan.Text:
		return e.SQL
	case *plan.NamedArg:
		return e.Key + " => " + x.nameOf(e.Value)
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
		return x.infixName(op, e.Args)
	}
	switch name {
	case "not", "!":
		return "(NOT " + x.names(e.Args) + ")"
	case "-":
		return "(- " + x.names(e.Args) + ")"
	case "+", "positive":
		return "(+ " + x.names(e.Args) + ")"
	case "~", "bitwise_not":
		return "~" + x.names(e.Args)
	case "<<", ">>", ">>>":
		return "(" + x.nameOf(e.Args[0]) + " " + name + " " + x.nameOf(e.Args[1]) + ")"
	case "trim", "ltrim", "rtrim":
		if len(e.Args) == 2 {
			side := map[string]string{"trim": "BOTH", "ltrim": "LEADING", "rtrim": "TRAILING"}[name]
			return "TRIM(" + side + " " + x.nameOf(e.Args[0]) + " FROM " + x.nameOf(e.Args[1]) + ")"
		}
	case "extract", "datepart":
		if len(e.Args) == 2 {
			return name + "(" + x.nameOf(e.Args[0]) + " FROM " + x.nameOf(e.Args[1]) + ")"
		}
	case "assert_true":
		if len(e.Args) == 1 {
			text := x.nameOf(e.Args[0])
			return "assert_true(" + text + ", '" + text + "' is not true!)"
		}
	case "convert_timezone":
		if len(e.Args) == 2 {
			return "convert_timezone(current_timezone(), " + x.names(e.Args) + ")"
		}
	case "ceil", "floor":
		if len(e.Args) == 2 {
			return name + "(" + x.names(e.Args) + ")"
		}
	case "instr":
		if len(e.Args) == 3 {
			return "instr(" + x.names(e.Args) + ", 1)"
		}
	case "mode":
		if len(e.Args) == 2 {
			if l, ok := e.Args[1].(plan.Literal); ok && l.Value == true {
				return "mode() WITHIN GROUP (ORDER BY " + x.nameOf(e.Args[0]) + " DESC)"
			}
		}
	case "struct":
		return x.structName(e)
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
	case "count":
		if len(e.Args) == 1 {
			if isStar(e.Args[0]) {
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
		return "between(" + x.names(e.Args) + ")"
	}
	called := name
	if x.a.env.Function(e.Name) != nil {
		called, name = e.Name, e.Name
	}
	if c, ok := canonical[name]; ok {
		name = c
	}
	if upper[name] {
		name = strings.ToUpper(name)
	}
	distinct := ""
	if e.Distinct {
		distinct = "DISTINCT "
	}
	var parts []string
	for _, arg := range e.Args {
		if isStar(arg) {
			for _, at := range x.in.attrs {
				parts = append(parts, at.Name)
			}
			continue
		}
		parts = append(parts, x.nameOf(arg))
	}
	parts = shownArgs(called, parts)
	out := name + "(" + distinct + strings.Join(parts, ", ") + ")"
	if len(e.Order) > 0 {
		orders := make([]string, len(e.Order))
		for i, o := range e.Order {
			orders[i] = x.orderName(o)
		}
		out += " WITHIN GROUP (ORDER BY " + strings.Join(orders, ", ") + ")"
	}
	if e.Filter != nil {
		out += " FILTER (WHERE " + x.nameOf(e.Filter) + ")"
	}
	return out
}

// infixName prints an operator between its two sides.
// shownArgs are the arguments of a call as its name has them.
func shownArgs(called string, parts []string) []string {
	if called == "aggregate_metrics" && len(parts) > 0 { // the metrics are no arguments of Spark's
		parts = parts[1:]
	}
	if n, ok := named[called]; ok && len(parts) > n {
		parts = parts[:n]
	}
	if more := shown[called]; len(parts) < len(more) && (len(parts) > 0 || more[0] != "") {
		parts = append(parts, more[len(parts):]...)
	}
	return parts
}

func (x *exprs) infixName(op string, args []plan.Expr) string {
	if op == "!=" || op == "<>" {
		return "(NOT (" + x.nameOf(args[0]) + " = " + x.nameOf(args[1]) + "))"
	}
	if op == "+" || op == "-" {
		if text, ok := x.temporalName(op, args); ok {
			return text
		}
	}
	if op == "||" {
		return "concat(" + x.names(args) + ")"
	}
	return "(" + x.nameOf(args[0]) + " " + op + " " + x.nameOf(args[1]) + ")"
}

// temporalName prints sums of dates: with whole days as date_add, with intervals without parentheses.
func (x *exprs) temporalName(op string, args []plan.Expr) (string, bool) {
	l, err := x.value(args[0])
	if err != nil {
		return "", false
	}
	r, err := x.value(args[1])
	if err != nil {
		return "", false
	}
	_, ym := r.Type().(types.YearMonthInterval)
	_, dt := r.Type().(types.DayTimeInterval)
	switch {
	case l.Type() == types.Date && types.IsIntegral(r.Type()):
		return map[string]string{"+": "date_add", "-": "date_sub"}[op] + "(" + x.names(args) + ")", true
	case types.IsDatetime(l.Type()) && (ym || dt || r.Type() == types.CalendarInterval):
		return x.nameOf(args[0]) + " " + op + " " + x.nameOf(args[1]), true
	}
	return "", false
}

func (x *exprs) isLambdaName(name string) bool {
	for _, names := range x.lambdaNames {
		for _, n := range names {
			if n == name {
				return true
			}
		}
	}
	return false
}

// typedLiteralName prints TIMESTAMP '...' with what was really read.
func (x *exprs) typedLiteralName(l plan.Literal, t types.Type) string {
	text, _ := l.Value.(string)
	if head, frac, ok := strings.Cut(text, "."); ok && len(frac) > 6 {
		text = head + "." + frac[:6]
	}
	if len(text) > 10 && text[10] == 'T' {
		text = text[:10] + " " + text[11:]
	}
	if len(text) == len("2006-01-02") {
		text += " 00:00:00"
	}
	return t.SQL() + " '" + text + "'"
}

// structName prints struct(a, b AS c) with the fields' names where they are not columns.
func (x *exprs) structName(e *plan.Function) string {
	plain := true
	for _, arg := range e.Args {
		at, ok := arg.(*plan.Attribute)
		plain = plain && ok && !(len(at.Parts) == 1 && x.isLambdaName(at.Parts[0]))
	}
	if plain || len(x.lambdaNames) == 0 {
		return "struct(" + x.names(e.Args) + ")"
	}
	parts := make([]string, 0, 2*len(e.Args))
	for i, arg := range e.Args {
		name := fmt.Sprintf("col%d", i+1)
		if at, ok := arg.(*plan.Attribute); ok {
			name = at.Parts[len(at.Parts)-1]
		}
		parts = append(parts, name, x.nameOf(arg))
	}
	return "named_struct(" + strings.Join(parts, ", ") + ")"
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
		order, err := x.orders(e.Order)
		if err != nil {
			return x.nameOf(e.Func)
		}
		if text, err := x.frame(e.Frame, order); err == nil {
			frame = text
		}
	}
	return x.nameOf(e.Func) + " OVER (" + strings.Join(append(parts, frame), " ") + ")"
}
