package function

import (
	"github.com/millpond/millpond/internal/plan"
	"github.com/millpond/millpond/internal/sparkerr"
	"github.com/millpond/millpond/internal/types"
)

func maps() []Row {
	return []Row{
		{Name: "map_entries", Args: "M", Result: func(a []plan.Value) (types.Type, error) {
			m := a[0].Type().(types.Map)
			return types.Array{Elem: types.Struct{Fields: []types.Field{{Name: "key", Type: m.Key}, {Name: "value", Type: m.Value, Nullable: m.ValueContainsNull}}}}, nil
		}, SQL: "list_transform(map_entries({0}), lambda e: struct_pack(f0 := e.key, f1 := e.value))"},
		{Name: "map_from_entries", Args: "A", Null: nullOfElements, Result: fromEntriesType,
			SQL: "(CASE WHEN len(list_filter({0}, lambda e: e IS NULL)) > 0 THEN NULL ELSE " +
				uniqueMap("list_transform({0}, lambda e: struct_extract_at(e, 1))", "list_transform({0}, lambda e: struct_extract_at(e, 2))") + " END)"},
		{Name: "map_concat", Coerce: mapsArgs, Result: func(a []plan.Value) (types.Type, error) {
			if len(a) == 0 {
				return types.Map{Key: types.String, Value: types.String}, nil
			}
			return a[0].Type(), nil
		}, Build: mapConcat},
		{Name: "str_to_map", Args: "s ?s s", Result: is(types.Map{Key: types.String, Value: types.String, ValueContainsNull: true}), Build: strToMap},
	}
}

// mapsArgs gives maps one type; a text key does not become a number.
func mapsArgs(args []plan.Value) ([]plan.Value, error) {
	a, err := coerceArgs(&Row{Name: "map_concat", Args: "?M*"}, args)
	if err != nil || len(a) < 2 {
		return a, err
	}
	m := a[0].Type().(types.Map)
	for _, v := range a[1:] {
		n := v.Type().(types.Map)
		k, ok1 := tightest(m.Key, n.Key)
		e, ok2 := tightest(m.Value, n.Value)
		if !ok1 || !ok2 {
			_, err := CommonType("map_concat", append(a[:len(a):len(a)], plan.Const{Literal: plan.Literal{Type: types.Array{Elem: types.Null}}}))
			return nil, err
		}
		m = types.Map{Key: k, Value: e, ValueContainsNull: m.ValueContainsNull || n.ValueContainsNull}
	}
	return AllAs(a, m), nil
}

func fromEntriesType(a []plan.Value) (types.Type, error) {
	list := a[0].Type().(types.Array)
	s, ok := list.Elem.(types.Struct)
	if !ok || len(s.Fields) != 2 {
		return nil, wrongType("map_from_entries", 0, a[0], `"ARRAY" of pair "STRUCT"`)
	}
	return types.Map{Key: s.Fields[0].Type, Value: s.Fields[1].Type, ValueContainsNull: s.Fields[1].Nullable}, nil
}

// mapConcat refuses a key that comes twice, as Spark does unless told otherwise.
func mapConcat(a []Arg) string {
	if len(a) == 0 {
		return "CAST(map() AS MAP(VARCHAR, VARCHAR))"
	}
	keys, values := "map_keys("+a[0].SQL+")", "map_values("+a[0].SQL+")"
	for _, x := range a[1:] {
		keys, values = "list_concat("+keys+", map_keys("+x.SQL+"))", "list_concat("+values+", map_values("+x.SQL+"))"
	}
	return uniqueMap(keys, values)
}

// MapKeys is the engine's variable that says what becomes of a key that comes twice in a map: with
// LAST_WIN the last value is its, else it is an error.
const MapKeys = "map_keys_policy"

// uniqueMap makes a map of lists; they are named in it once.
func uniqueMap(keys, values string) string {
	const k, v = "m.k", "m.v"
	first := "list_filter(" + k + ", lambda e, i: list_position(" + k + ", e) = i)"
	made := "CASE WHEN len(list_distinct(" + k + ")) = len(" + k + ") THEN map(" + k + ", " + v + ")" +
		" WHEN getvariable('" + MapKeys + "') = 'LAST_WIN' THEN map(" + first + ", list_transform(" + first + ", lambda e: " + v + "[len(" + k + ") + 1 - list_position(list_reverse(" + k + "), e)]))" +
		" ELSE " + sparkerr.Raise("DUPLICATED_MAP_KEY", "CAST(list_filter("+k+", lambda e, i: list_position("+k+", e) < i)[1] AS VARCHAR)") + " END"
	return "list_transform([struct_pack(k := " + keys + ", v := " + values + ")], lambda m: CASE WHEN " + k + " IS NOT NULL AND " + v + " IS NOT NULL THEN " + made + " END)[1]"
}

func strToMap(a []Arg) string {
	pair, key := "','", "':'"
	if len(a) > 1 {
		pair = a[1].SQL
	}
	if len(a) > 2 {
		key = a[2].SQL
	}
	parts := "list_transform(spark_re_split(" + a[0].SQL + ", " + pair + ", -1), lambda p: spark_re_split(p, " + key + ", 2))"
	return uniqueMap("list_transform("+parts+", lambda p: p[1])", "list_transform("+parts+", lambda p: p[2])")
}
