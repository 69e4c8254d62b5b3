package function

import (
	"strings"

	"github.com/millpond/millpond/internal/plan"
	"github.com/millpond/millpond/internal/sparkerr"
	"github.com/millpond/millpond/internal/types"
)

// tightest is the common type of a collection's elements and a value: unlike elsewhere, a text
// does not become a number for it.
func tightest(a, b types.Type) (types.Type, bool) {
	if types.IsString(a) != types.IsString(b) && a != types.Null && b != types.Null {
		return nil, false
	}
	return types.Common(a, b)
}

// withMember gives an array and a value beside it one element type.
func withMember(name string) func([]plan.Value) ([]plan.Value, error) {
	return func(args []plan.Value) ([]plan.Value, error) {
		a, err := coerceArgs(&Row{Name: name, Args: "A a"}, args)
		if err != nil {
			return nil, err
		}
		l := a[0].Type().(types.Array)
		t, ok := tightest(l.Elem, a[1].Type())
		if !ok {
			return nil, mismatched("ARRAY_FUNCTION_DIFF_TYPES", name, a, "dataType", `"ARRAY"`)
		}
		return []plan.Value{As(a[0], types.Array{Elem: t, ContainsNull: l.ContainsNull}), As(a[1], t)}, nil
	}
}

// withKey gives a map and its key one key type; an array takes a place.
func withKey(name string) func([]plan.Value) ([]plan.Value, error) {
	return func(args []plan.Value) ([]plan.Value, error) {
		a, err := coerceArgs(&Row{Name: name, Args: "a a"}, args)
		if err != nil {
			return nil, err
		}
		m, isMap := a[0].Type().(types.Map)
		if !isMap {
			if name == "map_contains_key" {
				return nil, wrongType(name, 0, a[0], `"MAP"`)
			}
			if _, list := a[0].Type().(types.Array); list && !types.IsIntegral(a[1].Type()) && a[1].Type() != types.Null {
				return nil, wrongType(name, 1, a[1], `"INT"`)
			}
			return a, nil
		}
		t, ok := tightest(m.Key, a[1].Type())
		if !ok {
			return nil, mismatched("MAP_FUNCTION_DIFF_TYPES", name, a, "dataType", `"MAP"`)
		}
		return []plan.Value{As(a[0], types.Map{Key: t, Value: m.Value, ValueContainsNull: m.ValueContainsNull}), As(a[1], t)}, nil
	}
}

// twoLists gives two arrays one element type.
func twoLists(name string) func([]plan.Value) ([]plan.Value, error) {
	return func(args []plan.Value) ([]plan.Value, error) {
		a, err := coerceArgs(&Row{Name: name, Args: "a a"}, args)
		if err != nil {
			return nil, err
		}
		x, ok1 := a[0].Type().(types.Array)
		y, ok2 := a[1].Type().(types.Array)
		if ok1 && a[1].Type() == types.Null {
			y, ok2 = x, true
		}
		if ok2 && a[0].Type() == types.Null {
			x, ok1 = y, true
		}
		if ok1 && ok2 {
			if t, ok := tightest(x.Elem, y.Elem); ok {
				return []plan.Value{As(a[0], types.Array{Elem: t, ContainsNull: x.ContainsNull}), As(a[1], types.Array{Elem: t, ContainsNull: y.ContainsNull})}, nil
			}
		}
		return nil, mismatched("BINARY_ARRAY_DIFF_TYPES", name, a, "arrayType", `"ARRAY"`)
	}
}

func mismatched(condition, name string, a []plan.Value, pairs ...string) error {
	return sparkerr.New(sparkerr.ClassExtendedAnalysis, "DATATYPE_MISMATCH."+condition, append([]string{"sqlExpr", `"` + name + "(" + describeAll(a) + `)"`,
		"functionName", types.Quote(name), "leftType", `"` + a[0].Type().SQL() + `"`, "rightType", `"` + a[1].Type().SQL() + `"`}, pairs...)...)
}

func describeAll(a []plan.Value) string {
	parts := make([]string, len(a))
	for i, v := range a {
		parts[i] = Describe(v)
	}
	return strings.Join(parts, ", ")
}

// joinedLists may hold a null where either array may, or both.
func joinedLists(name string) func([]plan.Value) (types.Type, error) {
	return func(a []plan.Value) (types.Type, error) {
		x, y := a[0].Type().(types.Array), a[1].Type().(types.Array)
		null := x.ContainsNull
		switch name {
		case "array_union":
			null = null || y.ContainsNull
		case "array_intersect":
			null = null && y.ContainsNull
		}
		return types.Array{Elem: x.Elem, ContainsNull: null}, nil
	}
}

func nestedList(args []plan.Value) ([]plan.Value, error) {
	a, err := coerceArgs(&Row{Name: "flatten", Args: "A"}, args)
	if err != nil {
		return nil, err
	}
	if l := a[0].Type().(types.Array); l.Elem != types.Null {
		if _, ok := l.Elem.(types.Array); !ok {
			return nil, wrongType("flatten", 0, a[0], `"ARRAY" of "ARRAY"`)
		}
	}
	return a, nil
}

func sized(args []plan.Value) ([]plan.Value, error) {
	a, err := coerceArgs(&Row{Name: "size", Args: "a"}, args)
	if err != nil {
		return nil, err
	}
	switch a[0].Type().(type) {
	case types.Array, types.Map:
		return a, nil
	}
	if a[0].Type() == types.Null {
		return []plan.Value{As(a[0], types.Array{Elem: types.Null})}, nil
	}
	return nil, wrongType("size", 0, a[0], `("ARRAY" or "MAP")`)
}

// joinArgs wants texts, and makes the elements texts.
func joinArgs(args []plan.Value) ([]plan.Value, error) {
	for i, v := range args {
		if i > 0 && !types.IsString(v.Type()) && v.Type() != types.Null {
			return nil, wrongType("array_join", i, v, `"STRING"`)
		}
	}
	a, err := coerceArgs(&Row{Name: "array_join", Args: "A s ?s"}, args)
	if err != nil {
		return nil, err
	}
	l := a[0].Type().(types.Array)
	a[0] = As(a[0], types.Array{Elem: types.String, ContainsNull: l.ContainsNull})
	return a, nil
}

// sortable refuses what has no order: maps, and what holds one.
func sortable(name, signature string) func([]plan.Value) ([]plan.Value, error) {
	return func(args []plan.Value) ([]plan.Value, error) {
		a, err := coerceArgs(&Row{Name: name, Args: signature}, args)
		if err != nil {
			return nil, err
		}
		if !ordered(a[0].Type()) {
			return nil, sparkerr.New(sparkerr.ClassExtendedAnalysis, "DATATYPE_MISMATCH.INVALID_ORDERING_TYPE", "sqlExpr", `"`+name+"("+describeAll(a)+`)"`, "functionName", types.Quote(name), "dataType", `"`+a[0].Type().SQL()+`"`)
		}
		return a, nil
	}
}

func ordered(t types.Type) bool {
	switch t := t.(type) {
	case types.Map:
		return false
	case types.Array:
		return ordered(t.Elem)
	case types.Struct:
		for _, f := range t.Fields {
			if !ordered(f.Type) {
				return false
			}
		}
	}
	return true
}

// tests wants a lambda that answers true or false.
func tests(name, signature string) func([]plan.Value) ([]plan.Value, error) {
	return func(args []plan.Value) ([]plan.Value, error) {
		a, err := coerceArgs(&Row{Name: name, Args: signature}, args)
		if err != nil {
			return nil, err
		}
		if t := a[1].Type(); t != types.Boolean && t != types.Null {
			return nil, wrongType(name, 1, a[1], `"BOOLEAN"`)
		}
		return a, nil
	}
}

// alike wants two values at least, of one kind: a text does not become a number beside one.
func alike(name string) func([]plan.Value) ([]plan.Value, error) {
	return func(args []plan.Value) ([]plan.Value, error) {
		if len(args) < 2 {
			return nil, sparkerr.Analysis("WRONG_NUM_ARGS.WITHOUT_SUGGESTION", "functionName", types.Quote(name), "expectedNum", "> 1", "actualNum", itoa(len(args)), "docroot", "https://spark.apache.org/docs/latest")
		}
		var t types.Type = types.Null
		for _, v := range args {
			u, ok := tightest(t, v.Type())
			if !ok {
				_, err := CommonType(name, append(args[:len(args):len(args)], plan.Const{Literal: plan.Literal{Type: types.Array{Elem: types.Null}}}))
				return nil, err
			}
			t = u
		}
		return AllAs(args, t), nil
	}
}
