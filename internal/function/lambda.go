package function

import (
	"github.com/millpond/millpond/internal/plan"
	"github.com/millpond/millpond/internal/types"
)

// lambdas are the functions of higher order beyond transform, filter, exists and forall.
func lambdas() []Row {
	return []Row{
		{Name: "aggregate", Aliases: "reduce", Args: "A a f ?f", Result: reduced, Null: maybeNull, Lambda: reduceShape, Build: buildReduce},
		{Name: "zip_with", Args: "A A f", Lambda: zipShape, Null: nullIfAny, Result: func(a []plan.Value) (types.Type, error) {
			return types.Array{Elem: a[2].Type(), ContainsNull: a[2].Nullable()}, nil
		}, SQL: "(CASE WHEN {0} IS NOT NULL AND {1} IS NOT NULL THEN list_transform(list_zip({0}, {1}), {2}) END)"},
		{Name: "array_sort", Args: "A ?f", Result: same(0), Lambda: comparatorShape, Build: arraySort},
		{Name: "transform_keys", Args: "M f", Lambda: entryShape, Result: func(a []plan.Value) (types.Type, error) {
			m := a[0].Type().(types.Map)
			return types.Map{Key: a[1].Type(), Value: m.Value, ValueContainsNull: m.ValueContainsNull}, nil
		}, SQL: uniqueMap("list_transform(map_entries({0}), {1})", "map_values({0})")},
		{Name: "transform_values", Args: "M f", Lambda: entryShape, Result: func(a []plan.Value) (types.Type, error) {
			m := a[0].Type().(types.Map)
			return types.Map{Key: m.Key, Value: a[1].Type(), ValueContainsNull: a[1].Nullable()}, nil
		}, SQL: "map(map_keys({0}), list_transform(map_entries({0}), {1}))"},
		{Name: "map_filter", Args: "M f", Lambda: entryShape, Result: same(0), SQL: "map_from_entries(list_filter(map_entries({0}), {1}))"},
		{Name: "map_zip_with", Args: "M M f", Lambda: mapZipShape, Result: func(a []plan.Value) (types.Type, error) {
			return types.Map{Key: a[0].Type().(types.Map).Key, Value: a[2].Type(), ValueContainsNull: true}, nil
		}, Build: func(a []Arg) string {
			keys := fill("list_concat(map_keys({0}), list_filter(map_keys({1}), lambda k: NOT map_contains({0}, k)))", a)
			return "map(" + keys + ", list_transform(list_transform(" + keys + fill(", lambda k: struct_pack(k := k, a := element_at({0}, k)[1], b := element_at({1}, k)[1])), {2}))", a)
		}},
	}
}

func reduced(a []plan.Value) (types.Type, error) {
	if len(a) == 4 {
		return a[3].Type(), nil
	}
	return a[1].Type(), nil
}

// reduceShape serves both lambdas: merge is the third argument, finish the fourth.
func reduceShape(before []plan.Value) (LambdaShape, error) {
	if len(before) < 2 {
		return LambdaShape{}, wrongType("aggregate", 0, before[0], `"ARRAY"`)
	}
	acc := before[1].Type()
	if len(before) == 3 {
		return LambdaShape{Params: []string{"$"}, Vars: []LambdaVar{{"$", acc, true}}}, nil
	}
	list, ok := before[0].Type().(types.Array)
	if !ok {
		return LambdaShape{}, wrongType("aggregate", 0, before[0], `"ARRAY"`)
	}
	return LambdaShape{Params: []string{"$a", "$x"}, Vars: []LambdaVar{{"$a.acc", acc, true}, {"$x.x", list.Elem, list.ContainsNull}}, Result: acc,
		Wrap: "struct_pack(acc := {}, x := $x.x)"}, nil
}

func buildReduce(a []Arg) string {
	// DuckDB wants what is folded and the elements of one type: both ride in a struct.
	acc, elem := TypeSQL(a[1].Type), "INTEGER"
	if l, ok := a[0].Type.(types.Array); ok {
		elem = TypeSQL(l.Elem)
	}
	out := "list_reduce(list_transform(" + a[0].SQL + ", lambda e: struct_pack(acc := CAST(NULL AS " + acc + "), x := e)), " + a[2].SQL +
		", struct_pack(acc := CAST(" + a[1].SQL + " AS " + acc + "), x := CAST(NULL AS " + elem + "))).acc"
	if len(a) == 4 {
		out = "list_transform([" + out + "], " + a[3].SQL + ")[1]"
	}
	return "(CASE WHEN " + a[0].SQL + " IS NOT NULL THEN " + out + " END)"
}

func zipShape(before []plan.Value) (LambdaShape, error) {
	shape := LambdaShape{Params: []string{"$"}}
	for i, at := range []string{"struct_extract_at($, 1)", "struct_extract_at($, 2)"} {
		if i >= len(before) {
			break
		}
		list, ok := before[i].Type().(types.Array)
		if !ok {
			return shape, wrongType("zip_with", i, before[i], `"ARRAY"`)
		}
		shape.Vars = append(shape.Vars, LambdaVar{at, list.Elem, true})
	}
	return shape, nil
}

func entryShape(before []plan.Value) (LambdaShape, error) {
	m, ok := before[0].Type().(types.Map)
	if !ok {
		return LambdaShape{}, wrongType("transform_values", 0, before[0], `"MAP"`)
	}
	return LambdaShape{Params: []string{"$"}, Vars: []LambdaVar{{"$.key", m.Key, false}, {"$.value", m.Value, m.ValueContainsNull}}}, nil
}

func mapZipShape(before []plan.Value) (LambdaShape, error) {
	x, ok1 := before[0].Type().(types.Map)
	y, ok2 := before[len(before)-1].Type().(types.Map)
	if !ok1 || !ok2 {
		return LambdaShape{}, wrongType("map_zip_with", 0, before[0], `"MAP"`)
	}
	return LambdaShape{Params: []string{"$"}, Vars: []LambdaVar{{"$.k", x.Key, false}, {"$.a", x.Value, true}, {"$.b", y.Value, true}}}, nil
}

func comparatorShape(before []plan.Value) (LambdaShape, error) {
	list, ok := before[0].Type().(types.Array)
	if !ok {
		return LambdaShape{}, wrongType("array_sort", 0, before[0], `"ARRAY"`)
	}
	return LambdaShape{Params: []string{"$"}, Vars: []LambdaVar{{"$.a", list.Elem, list.ContainsNull}, {"$.b", list.Elem, list.ContainsNull}}, Result: types.Int}, nil
}

// arraySort by a comparator counts for each element those that come before it.
func arraySort(a []Arg) string {
	if len(a) == 1 {
		return fill("list_sort({0}, 'ASC', 'NULLS LAST')", a)
	}
	return fill("list_transform(list_sort(list_transform(range(1, len({0}) + 1), lambda i: struct_pack(rank := len(list_filter(range(1, len({0}) + 1), "+
		"lambda j: list_transform([struct_pack(a := {0}[j], b := {0}[i])], {1})[1] < 0 OR (j < i AND list_transform([struct_pack(a := {0}[j], b := {0}[i])], {1})[1] = 0))), "+
		"v := {0}[i]))), lambda e: e.v)", a)
}
