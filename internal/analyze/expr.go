package analyze

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/millpond/millpond/internal/function"
	"github.com/millpond/millpond/internal/plan"
	"github.com/millpond/millpond/internal/sparkerr"
	"github.com/millpond/millpond/internal/sqlparse"
	"github.com/millpond/millpond/internal/types"
)

// exprs resolves expressions over one input.
type exprs struct {
	a       *Analyzer
	ctx     context.Context
	in      *rel
	lambdas []map[string]*plan.LambdaRef
	// lambdaNames are the parameters of the lambdas that nameOf is within.
	lambdaNames [][]string
	hidden      []plan.Attr // columns below the input that expressions use
	windows     map[string]*plan.Window
	windowed    bool // the next call is the one OVER a window
}

func (a *Analyzer) over(ctx context.Context, in *rel) *exprs { return &exprs{a: a, ctx: ctx, in: in} }

// value resolves one expression to one value.
func (x *exprs) value(e plan.Expr) (plan.Value, error) {
	switch e := e.(type) {
	case plan.Literal:
		return plan.Const{Literal: e}, nil
	case *plan.Attribute:
		return x.attribute(e)
	case *plan.Function:
		return x.call(e)
	case *plan.Text:
		parsed, err := sqlparse.Expression(e.SQL)
		if err != nil {
			return nil, err
		}
		return x.value(parsed)
	case plan.AliasExpr:
		return x.value(e.Expr)
	case *plan.Cast:
		return x.cast(e)
	case *plan.LambdaVar:
		for i := len(x.lambdas) - 1; i >= 0; i-- {
			if v, ok := x.lambdas[i][e.Name]; ok {
				return v, nil
			}
		}
		return nil, unresolved([]string{e.Name}, nil)
	case *plan.Window:
		return x.window(e)
	case *plan.Extract:
		return x.extract(e)
	case *plan.UpdateFields:
		return x.updateFields(e)
	case *plan.PythonUDF:
		return x.pythonUDF(e)
	case *plan.Subquery:
		return x.subquery(e)
	case *plan.NamedArg:
		return x.value(e.Value)
	case plan.SortOrder:
		return x.value(e.Expr)
	case *plan.Star:
		return nil, sparkerr.Analysis("CANNOT_RESOLVE_STAR_EXPAND", "targetString", quoteParts(append(e.Target, "*")), "columns", strings.Join(types.Struct{Fields: schemaFields(x.in.attrs)}.Names(), ", "))
	}
	return nil, sparkerr.Unsupported("the expression %T", e)
}

func schemaFields(attrs []plan.Attr) []types.Field { return plan.SchemaOf(attrs).Fields }

func (x *exprs) values(es []plan.Expr) ([]plan.Value, error) {
	out := make([]plan.Value, len(es))
	for i, e := range es {
		v, err := x.value(e)
		if err != nil {
			return nil, err
		}
		out[i] = v
	}
	return out, nil
}

func (x *exprs) attribute(e *plan.Attribute) (plan.Value, error) {
	if len(e.Parts) == 1 && !e.HasPlanID {
		for i := len(x.lambdas) - 1; i >= 0; i-- {
			if v, ok := x.lambdas[i][e.Parts[0]]; ok {
				return v, nil
			}
		}
	}
	v, hidden, err := x.in.column(e)
	if err != nil {
		if x.in.outer != nil && !e.HasPlanID {
			if o, oh, oerr := x.in.outer.column(e); oerr == nil && !oh {
				return o, nil
			}
		}
		if v, ok := x.variable(e); ok {
			return v, nil
		}
		return nil, err
	}
	if hidden {
		plan.Walk(v, func(c plan.Value) bool {
			if col, ok := c.(plan.Col); ok {
				x.hidden = append(x.hidden, col.Attr)
			}
			return true
		})
	}
	return v, nil
}

// variable answers the value of a session variable, which a column of its name hides.
func (x *exprs) variable(e *plan.Attribute) (plan.Value, bool) {
	n := len(e.Parts)
	if e.HasPlanID || n == 2 && !strings.EqualFold(e.Parts[0], "session") || n == 3 && !strings.EqualFold(e.Parts[1], "session") || n > 3 {
		return nil, false
	}
	l, ok := x.a.env.Variable(e.Parts[n-1])
	return plan.Const{Literal: l}, ok
}

func (x *exprs) cast(e *plan.Cast) (plan.Value, error) {
	v, err := x.value(e.Expr)
	if err != nil {
		return nil, err
	}
	t := e.Type
	if t == nil {
		if t, err = types.ParseType(e.TypeText); err != nil {
			return nil, sqlparse.TypeError(e.TypeText)
		}
	}
	mode := "ansi"
	if e.Mode == "try" || e.Mode == "literal" {
		mode = e.Mode
	}
	if types.Equal(v.Type(), t) {
		return v, nil
	}
	if !castable(v.Type(), t) {
		if f := castInstead(v.Type(), t); f != "" {
			return nil, sparkerr.New(sparkerr.ClassExtendedAnalysis, "DATATYPE_MISMATCH.CAST_WITH_FUNC_SUGGESTION", "sqlExpr", `"CAST(`+function.Describe(v)+" AS "+t.SQL()+`)"`,
				"srcType", `"`+v.Type().SQL()+`"`, "targetType", `"`+t.SQL()+`"`, "functionNames", f)
		}
		return nil, sparkerr.New(sparkerr.ClassExtendedAnalysis, "DATATYPE_MISMATCH.CAST_WITHOUT_SUGGESTION",
			"sqlExpr", `"CAST(`+function.Describe(v)+" AS "+t.SQL()+`)"`, "srcType", `"`+v.Type().SQL()+`"`, "targetType", `"`+t.SQL()+`"`)
	}
	return &plan.Convert{Child: v, To: t, Mode: mode}, nil
}

// castInstead names the functions that do what a forbidden cast would.
func castInstead(from, to types.Type) string {
	switch {
	case types.IsNumeric(from) && to == types.Date:
		return "`DATE_FROM_UNIX_DATE`"
	case from == types.Date && types.IsNumeric(to):
		return "`UNIX_DATE`"
	}
	return ""
}

// castable is ANSI's table of explicit casts.
func castable(from, to types.Type) bool {
	switch {
	case from == types.Null, types.IsString(to), types.Equal(types.Physical(from), types.Physical(to)):
		return true
	case types.IsString(from):
		_, a := to.(types.Array)
		_, m := to.(types.Map)
		_, s := to.(types.Struct)
		return !a && !m && !s
	case types.IsNumeric(from):
		return types.IsNumeric(to) || to == types.Boolean || to == types.Timestamp
	case from == types.Boolean:
		return types.IsNumeric(to)
	case types.IsDatetime(from):
		return types.IsDatetime(to) || from == types.Timestamp && types.IsNumeric(to)
	}
	switch f := from.(type) {
	case types.Array:
		t, ok := to.(types.Array)
		return ok && castable(f.Elem, t.Elem)
	case types.Map:
		t, ok := to.(types.Map)
		return ok && castable(f.Key, t.Key) && castable(f.Value, t.Value)
	case types.Struct:
		t, ok := to.(types.Struct)
		if !ok || len(f.Fields) != len(t.Fields) {
			return false
		}
		for i := range f.Fields {
			if !castable(f.Fields[i].Type, t.Fields[i].Type) {
				return false
			}
		}
		return true
	}
	return false
}

// call resolves a function call by name.
func (x *exprs) call(e *plan.Function) (plan.Value, error) {
	windowed := x.windowed
	x.windowed = false
	name := strings.ToLower(e.Name)
	if udf := x.a.env.Function(e.Name); udf != nil {
		c := *udf
		c.Args = e.Args
		return x.pythonUDF(&c)
	}
	if f := x.a.env.SQLFunction(e.Name); f != nil {
		return x.sqlFunction(f, e)
	}
	if v, done, err := x.special(name, e); done || err != nil {
		return v, err
	}
	row, ok := x.a.funcs.Lookup(name)
	if !ok {
		return nil, function.Unknown(e.Name)
	}
	args, err := x.arguments(row, e.Args)
	if err != nil {
		return nil, err
	}
	if err := x.checkCall(row, e, args, windowed); err != nil {
		return nil, err
	}
	if !x.a.env.Ansi() {
		args = legacyArgs(row.Name, args)
	}
	v, err := row.Apply(args)
	if err != nil {
		return nil, err
	}
	v.Distinct = e.Distinct
	v.Null = v.Null || mayFail[row.Name] && !x.a.env.Ansi()
	if v.Order, err = x.orders(e.Order); err != nil {
		return nil, err
	}
	if e.Filter != nil {
		if v.Filter, err = x.value(e.Filter); err != nil {
			return nil, err
		}
		if err := x.checkFilter(e.Filter, v.Filter); err != nil {
			return nil, err
		}
	}
	return v, nil
}

// legacyArgs are a call's arguments without ANSI mode: beside a number in arithmetic or a
// comparison, a text is a double.
func legacyArgs(name string, args []plan.Value) []plan.Value {
	if len(args) != 2 || !legacyOperators[name] {
		return args
	}
	out := append([]plan.Value{}, args...)
	for i, v := range out {
		other := out[1-i].Type()
		if types.IsString(v.Type()) && (types.IsNumeric(other) || types.IsString(other) && arithmeticOperators[name]) {
			out[i] = &plan.Convert{Child: v, To: types.Double, Mode: "try"}
		}
	}
	return out
}

// mayFail are the functions that answer null without ANSI mode where they fail in it.
var mayFail = map[string]bool{"to_timestamp": true, "to_timestamp_ltz": true, "to_timestamp_ntz": true, "to_date": true, "make_date": true, "make_timestamp": true,
	"make_timestamp_ntz": true, "unix_timestamp": true, "to_unix_timestamp": true, "next_day": true, "element_at": true}

var arithmeticOperators = map[string]bool{"+": true, "-": true, "*": true, "/": true, "%": true}

var legacyOperators = map[string]bool{"+": true, "-": true, "*": true, "/": true, "%": true, "=": true, "<": true, "<=": true, ">": true, ">=": true, "!=": true, "<=>": true}

// sqlFunction puts the arguments into a SQL function's body.
func (x *exprs) sqlFunction(f *plan.SQLFunction, e *plan.Function) (plan.Value, error) {
	args := map[string]plan.Expr{}
	for i, p := range f.Params {
		value := p.Default
		if i < len(e.Args) {
			value = e.Args[i]
		}
		for _, arg := range e.Args {
			if n, ok := arg.(*plan.NamedArg); ok && strings.EqualFold(n.Key, p.Name) {
				value = n.Value
			}
		}
		if value == nil || len(e.Args) > len(f.Params) {
			return nil, sparkerr.Analysis("WRONG_NUM_ARGS.WITHOUT_SUGGESTION", "functionName", types.Quote(f.Name), "expectedNum", itoa(len(f.Params)), "actualNum", itoa(len(e.Args)), "docroot", "https://spark.apache.org/docs/latest")
		}
		args[strings.ToLower(p.Name)] = &plan.Cast{Expr: value, Type: p.Type}
	}
	body := mapExpr(f.Body, func(e plan.Expr) (plan.Expr, bool) {
		at, ok := e.(*plan.Attribute)
		if !ok || len(at.Parts) > 2 || len(at.Parts) == 2 && !strings.EqualFold(at.Parts[0], f.Name) {
			return nil, false
		}
		v, ok := args[strings.ToLower(at.Parts[len(at.Parts)-1])]
		return v, ok
	})
	if f.Returns != nil {
		body = &plan.Cast{Expr: body, Type: f.Returns}
	}
	return x.value(body)
}

// special are the calls that the table cannot say.
func (x *exprs) special(name string, e *plan.Function) (plan.Value, bool, error) {
	switch name {
	case "rand", "random", "randn":
		seed, err := x.seed(e)
		return &plan.Random{Normal: name == "randn", Seed: seed}, true, err
	case "count":
		if len(e.Args) == 1 {
			if isStar(e.Args[0]) {
				v, err := x.call(&plan.Function{Name: "count", Args: []plan.Expr{plan.IntLit(1)}, Filter: e.Filter})
				return v, true, err
			}
		}
	case "struct", "array", "concat", "coalesce", "greatest", "least", "named_struct", "hash", "xxhash64":
		for _, arg := range e.Args {
			if isStar(arg) {
				items, err := x.list(e.Args)
				if err != nil {
					return nil, true, err
				}
				args := make([]plan.Value, len(items))
				for i, it := range items {
					args[i] = it.value
				}
				v, _, err := x.a.funcs.Resolve(name, args)
				return v, true, err
			}
		}
		if name == "struct" {
			v, err := x.structOf(e.Args)
			return v, true, err
		}
	case "monotonically_increasing_id", "distributed_id", "distributed_sequence_id":
		return plan.RowID{}, len(e.Args) == 0 || name == "distributed_sequence_id", nil
	case "current_database", "current_schema":
		return plan.Const{Literal: plan.StringLit(x.a.env.Database())}, true, nil
	}
	return nil, false, nil
}

// isStar says whether an argument is *, which expr("*") may hide in text.
func isStar(e plan.Expr) bool {
	if t, ok := e.(*plan.Text); ok {
		return strings.TrimSpace(t.SQL) == "*"
	}
	_, star := e.(*plan.Star)
	return star
}

// structOf names fields by their aliases.
func (x *exprs) structOf(args []plan.Expr) (plan.Value, error) {
	var flat []plan.Value
	for i, arg := range args {
		v, err := x.value(arg)
		if err != nil {
			return nil, err
		}
		name := fmt.Sprintf("col%d", i+1)
		switch e := arg.(type) {
		case plan.AliasExpr:
			name = e.Names[0]
		case *plan.Attribute:
			name = e.Parts[len(e.Parts)-1]
			if c, ok := v.(plan.Col); ok {
				name = c.Attr.Name
			}
		case *plan.Extract:
			if k, ok := e.Key.(plan.Literal); ok {
				if s, ok := k.Value.(string); ok {
					name = s
				}
			}
		}
		flat = append(flat, plan.Const{Literal: plan.StringLit(name)}, v)
	}
	v, _, err := x.a.funcs.Resolve("named_struct", flat)
	return v, err
}

func (x *exprs) seed(e *plan.Function) (int64, error) {
	if len(e.Args) == 0 {
		return randomSeed(), nil
	}
	v, err := x.value(e.Args[0])
	if err != nil {
		return 0, err
	}
	c, ok := function.Constant(v)
	if !ok {
		return 0, sparkerr.New(sparkerr.ClassExtendedAnalysis, "SEED_EXPRESSION_IS_UNFOLDABLE", "seedExpr", quoted(x.nameOf(e.Args[0])), "exprWithSeed", quoted(x.nameOf(e)))
	}
	switch n := c.Value.(type) {
	case int32:
		return int64(n), nil
	case int64:
		return n, nil
	case nil:
		return 0, nil
	}
	return 0, sparkerr.New(sparkerr.ClassExtendedAnalysis, "DATATYPE_MISMATCH.UNEXPECTED_INPUT_TYPE", "sqlExpr", quoted(x.nameOf(e)), "paramIndex", "first", "inputSql", quoted(x.nameOf(e.Args[0])),
		"inputType", quoted(c.Type.SQL()), "requiredType", `("INT" or "BIGINT")`)
}

// field takes a struct's field, an array of structs' fields, or a map's value by name.
func field(v plan.Value, name string) (plan.Value, error) {
	t := v.Type()
	if u, ok := t.(*types.UDT); ok {
		t = u.SQLType
	}
	switch t := t.(type) {
	case types.Struct:
		i := t.Index(name)
		if i < 0 {
			names := make([]string, len(t.Fields))
			for k, f := range t.Fields {
				names[k] = types.Quote(f.Name)
			}
			return nil, sparkerr.Analysis("FIELD_NOT_FOUND", "fieldName", types.Quote(name), "fields", strings.Join(names, ", "))
		}
		f := t.Fields[i]
		return &plan.Apply{Func: "getfield", Args: []plan.Value{v, plan.Const{Literal: plan.StringLit(f.Name)}}, Out: f.Type, Null: f.Nullable || v.Nullable(),
			SQL: func(s []string) string { return fmt.Sprintf("struct_extract_at(%s, %d)", s[0], i+1) }}, nil
	case types.Map:
		key := function.As(plan.Const{Literal: plan.StringLit(name)}, t.Key)
		return mapGet(v, t, key), nil
	case types.Array:
		if s, ok := t.Elem.(types.Struct); ok {
			if i := s.Index(name); i >= 0 {
				return &plan.Apply{Func: "getarrayfield", Args: []plan.Value{v}, Out: types.Array{Elem: s.Fields[i].Type, ContainsNull: true}, Null: true,
					SQL: func(a []string) string {
						return fmt.Sprintf("list_transform(%s, lambda e: struct_extract_at(e, %d))", a[0], i+1)
					}}, nil
			}
		}
	}
	return nil, sparkerr.Analysis("INVALID_EXTRACT_BASE_FIELD_TYPE", "base", `"`+function.Describe(v)+`"`, "other", `"`+v.Type().SQL()+`"`)
}

func mapGet(v plan.Value, t types.Map, key plan.Value) plan.Value {
	return &plan.Apply{Func: "getmapvalue", Args: []plan.Value{v, key}, Out: t.Value, Null: true,
		SQL: func(s []string) string { return "element_at(" + s[0] + ", " + s[1] + ")[1]" }}
}

func (x *exprs) extract(e *plan.Extract) (plan.Value, error) {
	child, err := x.value(e.Child)
	if err != nil {
		return nil, err
	}
	if lit, ok := e.Key.(plan.Literal); ok {
		if s, ok := lit.Value.(string); ok {
			return field(child, s)
		}
	}
	key, err := x.value(e.Key)
	if err != nil {
		return nil, err
	}
	switch t := child.Type().(type) {
	case types.Array:
		row, _ := x.a.funcs.Lookup("get")
		v, err := row.Apply([]plan.Value{child, key})
		if err != nil {
			return nil, err
		}
		plain := v.SQL
		v.SQL = func(s []string) string { // ANSI: a place outside the array is an error
			return "(CASE WHEN " + s[1] + " < 0 OR " + s[1] + " >= len(" + s[0] + ") THEN " +
				sparkerr.Raise("INVALID_ARRAY_INDEX", "CAST("+s[1]+" AS VARCHAR)", "CAST(len("+s[0]+") AS VARCHAR)") + " ELSE " + plain(s) + " END)"
		}
		return v, nil
	case types.Map:
		return mapGet(child, t, function.As(key, t.Key)), nil
	}
	return nil, sparkerr.Analysis("INVALID_EXTRACT_BASE_FIELD_TYPE", "base", `"`+function.Describe(child)+`"`, "other", `"`+child.Type().SQL()+`"`)
}

func (x *exprs) updateFields(e *plan.UpdateFields) (plan.Value, error) {
	if head, rest, nested := strings.Cut(e.Field, "."); nested { // a field of a field
		return x.updateFields(&plan.UpdateFields{Struct: e.Struct, Field: head,
			Value: &plan.UpdateFields{Struct: &plan.Extract{Child: e.Struct, Key: plan.StringLit(head)}, Field: rest, Value: e.Value}})
	}
	v, err := x.value(e.Struct)
	if err != nil {
		return nil, err
	}
	s, ok := v.Type().(types.Struct)
	if !ok {
		return nil, sparkerr.Unsupported("withField of %s", v.Type().SimpleString())
	}
	var flat []plan.Value
	done := false
	for _, f := range s.Fields {
		item, err := field(v, f.Name)
		if err != nil {
			return nil, err
		}
		if strings.EqualFold(f.Name, e.Field) {
			done = true
			if e.Value == nil {
				continue
			}
			if item, err = x.value(e.Value); err != nil {
				return nil, err
			}
		}
		flat = append(flat, plan.Const{Literal: plan.StringLit(f.Name)}, item)
	}
	if !done && e.Value != nil {
		item, err := x.value(e.Value)
		if err != nil {
			return nil, err
		}
		flat = append(flat, plan.Const{Literal: plan.StringLit(e.Field)}, item)
	}
	out, _, err := x.a.funcs.Resolve("named_struct", flat)
	return out, err
}

func (x *exprs) pythonUDF(e *plan.PythonUDF) (plan.Value, error) {
	args, err := x.values(e.Args)
	if err != nil {
		return nil, err
	}
	return &plan.Python{UDF: e, Args: args}, nil
}

// isAnalysis says whether an error is about what the user wrote.
func isAnalysis(err error) bool {
	var e *sparkerr.Error
	return errors.As(err, &e)
}
