package compile

import (
	"fmt"
	"math"
	"math/big"
	"strconv"
	"strings"

	"github.com/millpond/millpond/internal/function"
	"github.com/millpond/millpond/internal/plan"
	"github.com/millpond/millpond/internal/sparkerr"
	"github.com/millpond/millpond/internal/types"
)

// Column names a column inside the engine.
func Column(id int) string { return "c" + strconv.Itoa(id) }

// value prints a resolved expression.
func (c *compiler) value(v plan.Value) (string, error) {
	switch v := v.(type) {
	case plan.Const:
		return literalSQL(v.Literal)
	case plan.Col:
		return Column(v.Attr.ID), nil
	case *plan.Convert:
		text, err := c.value(v.Child)
		if err != nil {
			return "", err
		}
		if v.Mode == "show" {
			return toText(text, v.Child.Type(), shownNull), nil
		}
		if c.Lenient && v.Mode != "try" {
			return legacyCast(text, v.Child.Type(), v.To), nil
		}
		return c.placed(castSQL(text, v.Child.Type(), v.To, v.Mode == "try"), v.Origin), nil
	case *plan.Apply:
		return c.apply(v, "")
	case *plan.Over:
		return c.over(v)
	case *plan.LambdaFn:
		body, err := c.value(v.Body)
		if err != nil {
			return "", err
		}
		names := make([]string, len(v.Vars))
		for i, r := range v.Vars {
			names[i] = r.Name
		}
		if v.Wrap != "" {
			body = strings.ReplaceAll(v.Wrap, "{}", body)
		}
		return "lambda " + strings.Join(names, ", ") + ": " + body, nil
	case *plan.LambdaRef:
		return v.Name, nil
	case *plan.SubqueryValue:
		return c.subquery(v)
	}
	return "", sparkerr.Unsupported("the expression %T here", v)
}

func (c *compiler) values(vs []plan.Value) ([]string, error) {
	out := make([]string, len(vs))
	for i, v := range vs {
		s, err := c.value(v)
		if err != nil {
			return nil, err
		}
		out[i] = s
	}
	return out, nil
}

func (c *compiler) apply(v *plan.Apply, over string) (string, error) {
	args, err := c.values(v.Args)
	if err != nil {
		return "", err
	}
	text, ok := c.arithmetic(v, args)
	if !ok {
		text = v.SQL(args)
	}
	filter := ""
	if v.Filter != nil {
		if filter, err = c.value(v.Filter); err != nil {
			return "", err
		}
	}
	order := ""
	if len(v.Order) > 0 {
		if order, err = c.orders(v.Order); err != nil {
			return "", err
		}
	}
	if v.Distinct && order == "" && v.Func == "listagg" { // the engine's distinct values come in any order
		order = "CAST(" + args[0] + " AS VARCHAR)"
	}
	if !v.Aggregate { // what an aggregate raises Spark does not place
		text = c.placed(text, v.Origin)
	}
	return function.Aggregated(text, v.Distinct, order, filter, over), nil
}

func (c *compiler) over(v *plan.Over) (string, error) {
	fn, ok := v.Func.(*plan.Apply)
	if !ok {
		return "", sparkerr.Unsupported("a Python function over a window here")
	}
	var parts []string
	if len(v.Partition) > 0 {
		by, err := c.values(v.Partition)
		if err != nil {
			return "", err
		}
		parts = append(parts, "PARTITION BY "+strings.Join(by, ", "))
	}
	if len(v.Order) > 0 {
		o, err := c.orders(v.Order)
		if err != nil {
			return "", err
		}
		parts = append(parts, "ORDER BY "+o)
	}
	if v.Frame != "" {
		parts = append(parts, v.Frame)
	}
	over := " OVER (" + strings.Join(parts, " ") + ")"
	text, err := c.ignoringNulls(fn, over)
	if text == "" && err == nil {
		text, err = c.apply(fn, over)
	}
	if err != nil {
		return "", err
	}
	return "CAST(" + text + " AS " + TypeSQL(v.Type()) + ")", nil
}

// ignoringNulls says first and last over a window that pass over nulls; "" for other calls.
func (c *compiler) ignoringNulls(fn *plan.Apply, over string) (string, error) {
	if fn.Func != "first" && fn.Func != "last" || len(fn.Args) != 2 || fn.Filter != nil {
		return "", nil
	}
	if ignore, ok := function.Constant(fn.Args[1]); !ok || ignore.Value != true {
		return "", nil
	}
	arg, err := c.value(fn.Args[0])
	return fn.Func + "_value(" + arg + " IGNORE NULLS)" + over, err
}

func (c *compiler) orders(os []plan.Order) (string, error) {
	parts := make([]string, len(os))
	for i, o := range os {
		text, err := c.value(o.Value)
		if err != nil {
			return "", err
		}
		dir, nulls := " ASC", " NULLS LAST"
		if o.Desc {
			dir = " DESC"
		}
		if o.NullsFirst {
			nulls = " NULLS FIRST"
		}
		if _, constant := o.Value.(plan.Const); constant { // DuckDB would take a number for a column's place
			text = "(" + text + ")"
		}
		parts[i] = function.SortKey(text, o.Value.Type()) + dir + nulls
	}
	return strings.Join(parts, ", "), nil
}

func (c *compiler) subquery(v *plan.SubqueryValue) (string, error) {
	q, err := c.sql(v.Query)
	if err != nil {
		return "", err
	}
	out := v.Query.Output()
	columns := make([]string, len(out))
	for i, at := range out {
		columns[i] = Column(at.ID)
	}
	list := strings.Join(columns, ", ")
	switch v.Kind {
	case "exists":
		return "EXISTS (" + q + ")", nil
	case "in":
		vals, err := c.values(v.Values)
		if err != nil {
			return "", err
		}
		left := vals[0]
		if len(vals) > 1 {
			left = "(" + strings.Join(vals, ", ") + ")"
		}
		return "(" + left + " IN (SELECT " + list + " FROM (" + q + ")))", nil
	}
	c.scalars = append(c.scalars, v.Where)
	return "(SELECT " + list + " FROM (" + q + "))", nil
}

// literalSQL prints a constant with its type.
func literalSQL(l plan.Literal) (string, error) {
	sql := TypeSQL(l.Type)
	switch v := l.Value.(type) {
	case nil:
		if l.Type == types.Null {
			return "NULL", nil
		}
		return "CAST(NULL AS " + sql + ")", nil
	case bool:
		return strconv.FormatBool(v), nil
	case int8, int16:
		return fmt.Sprintf("CAST(%d AS %s)", v, sql), nil
	case int32:
		switch l.Type {
		case types.Date:
			return fmt.Sprintf("CAST(DATE '1970-01-01' + %d AS DATE)", v), nil
		case types.Int:
			if v == math.MinInt32 { // its digits alone need eight bytes
				return "CAST(-2147483648 AS INTEGER)", nil
			}
			if v < 0 { // minus a negative number would start a comment
				return "(" + strconv.Itoa(int(v)) + ")", nil
			}
			return strconv.Itoa(int(v)), nil
		}
		if _, ok := l.Type.(types.YearMonthInterval); ok {
			return fmt.Sprintf("to_months(%d)", v), nil
		}
		return fmt.Sprintf("CAST(%d AS %s)", v, sql), nil
	case int64:
		switch l.Type {
		case types.Timestamp:
			return fmt.Sprintf("make_timestamptz(%d)", v), nil
		case types.TimestampNTZ:
			return fmt.Sprintf("make_timestamp(%d)", v), nil
		}
		if _, ok := l.Type.(types.DayTimeInterval); ok {
			return fmt.Sprintf("to_microseconds(%d)", v), nil
		}
		return fmt.Sprintf("CAST(%d AS BIGINT)", v), nil
	case float32:
		return floatSQL(float64(v), 32, sql), nil
	case float64:
		return floatSQL(v, 64, sql), nil
	case string:
		return quoteSQL(v), nil
	case []byte:
		return fmt.Sprintf("from_hex('%x')", v), nil
	case *big.Int:
		d, ok := l.Type.(types.Decimal)
		if !ok {
			return v.String(), nil
		}
		return "CAST('" + function.DecimalText(v, d.Scale) + "' AS " + sql + ")", nil
	case []any:
		return nestedLiteral(l, v)
	case plan.MapValue:
		return mapLiteral(l, v)
	}
	return "", sparkerr.Unsupported("a literal of type %s", l.Type.SimpleString())
}

func floatSQL(v float64, bits int, sql string) string {
	switch {
	case math.IsNaN(v):
		return "CAST('nan' AS " + sql + ")"
	case math.IsInf(v, 0):
		return "CAST('" + map[bool]string{true: "inf", false: "-inf"}[v > 0] + "' AS " + sql + ")"
	}
	return "CAST('" + strconv.FormatFloat(v, 'g', -1, bits) + "' AS " + sql + ")"
}

func nestedLiteral(l plan.Literal, items []any) (string, error) {
	parts := make([]string, len(items))
	for i, x := range items {
		var t types.Type
		switch lt := l.Type.(type) {
		case types.Array:
			t = lt.Elem
		case types.Struct:
			t = lt.Fields[i].Type
		default:
			return "", sparkerr.Unsupported("a literal of type %s", l.Type.SimpleString())
		}
		s, err := literalSQL(plan.Literal{Value: x, Type: t})
		if err != nil {
			return "", err
		}
		parts[i] = s
		if _, ok := l.Type.(types.Struct); ok {
			parts[i] = fmt.Sprintf("f%d := %s", i, s)
		}
	}
	if _, ok := l.Type.(types.Struct); ok {
		return "struct_pack(" + strings.Join(parts, ", ") + ")", nil
	}
	return "CAST([" + strings.Join(parts, ", ") + "] AS " + TypeSQL(l.Type) + ")", nil
}

func mapLiteral(l plan.Literal, v plan.MapValue) (string, error) {
	m, ok := l.Type.(types.Map)
	if !ok {
		return "", sparkerr.Unsupported("a literal of type %s", l.Type.SimpleString())
	}
	k, err := nestedLiteral(plan.Literal{Type: types.Array{Elem: m.Key}}, v.Keys)
	if err != nil {
		return "", err
	}
	e, err := nestedLiteral(plan.Literal{Type: types.Array{Elem: m.Value}}, v.Values)
	if err != nil {
		return "", err
	}
	return "map(" + k + ", " + e + ")", nil
}
