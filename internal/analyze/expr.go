package analyze

import (
	"context"
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

// value resolves one expression to one value; it and its errors know where it stands.
func (x *exprs) value(e plan.Expr) (plan.Value, error) {
	v, err := x.resolve(e)
	if where := plan.WhereOf(e); where != nil {
		if err != nil {
			return nil, at(err, where)
		}
		plan.Place(v, where)
	}
	return v, err
}

// at gives an error of Spark's the place it is about.
func at(err error, where *sparkerr.Context) error {
	e := sparkerr.As(err)
	if e == nil {
		return err
	}
	if placed := e.At(where); placed != e {
		return placed
	}
	return err
}

func (x *exprs) resolve(e plan.Expr) (plan.Value, error) {
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
		return nil, Unresolved([]string{e.Name}, nil)
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
