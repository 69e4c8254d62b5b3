package function

import (
	"fmt"
	"strings"

	"github.com/millpond/millpond/internal/plan"
	"github.com/millpond/millpond/internal/sparkerr"
	"github.com/millpond/millpond/internal/types"
)

func collections() []Row {
	return []Row{
		{Name: "array", Args: "?c*", Result: listOf(0), Null: neverNull, SQL: "[{*}]"},
		{Name: "struct", Result: structType, Null: neverNull, Coerce: asIs, Build: buildStruct},
		{Name: "named_struct", Result: namedStructType, Null: neverNull, Coerce: asIs, Build: buildNamedStruct},
		{Name: "map", Aliases: "create_map", Result: mapType, Null: neverNull, Coerce: mapArgs, Build: buildMap},
		{Name: "map_from_arrays", Args: "A A", Result: func(a []plan.Value) (types.Type, error) {
			k, v := a[0].Type().(types.Array), a[1].Type().(types.Array)
			return types.Map{Key: k.Elem, Value: v.Elem, ValueContainsNull: v.ContainsNull}, nil
		}, Build: func(a []Arg) string {
			return "(CASE WHEN len(list_filter(" + a[0].SQL + ", lambda k: k IS NULL)) > 0 THEN " + sparkerr.Raise("NULL_MAP_KEY") + " ELSE " + uniqueMap(a[0].SQL, a[1].SQL) + " END)"
		}},
		{Name: "map_keys", Args: "M", Result: func(a []plan.Value) (types.Type, error) {
			return types.Array{Elem: a[0].Type().(types.Map).Key}, nil
		}, SQL: "map_keys({0})"},
		{Name: "map_values", Args: "M", Result: func(a []plan.Value) (types.Type, error) {
			m := a[0].Type().(types.Map)
			return types.Array{Elem: m.Value, ContainsNull: m.ValueContainsNull}, nil
		}, SQL: "map_values({0})"},
		{Name: "map_contains_key", Null: maybeNull, Coerce: withKey("map_contains_key"), Result: is(types.Boolean), SQL: "map_contains({0}, {1})"},
		{Name: "size", Aliases: "cardinality", Coerce: sized, Result: is(types.Int), SQL: "CAST(len({0}) AS INTEGER)", Build: func(a []Arg) string {
			if _, ok := a[0].Type.(types.Map); ok {
				return "CAST(cardinality(" + a[0].SQL + ") AS INTEGER)"
			}
			return "CAST(len(" + a[0].SQL + ") AS INTEGER)"
		}},
		{Name: "array_size", Args: "A", Result: is(types.Int), SQL: "CAST(len({0}) AS INTEGER)"},
		{Name: "array_contains", Coerce: withMember("array_contains"), Result: is(types.Boolean), Null: nullOfList,
			SQL: "(CASE WHEN {0} IS NULL OR {1} IS NULL THEN NULL WHEN list_contains({0}, {1}) THEN true WHEN len(list_filter({0}, lambda e: e IS NULL)) > 0 THEN NULL ELSE false END)"},
		{Name: "array_position", Coerce: withMember("array_position"), Result: is(types.Long), SQL: "(CASE WHEN {0} IS NOT NULL AND {1} IS NOT NULL THEN CAST(coalesce(list_position({0}, {1}), 0) AS BIGINT) END)"},
		{Name: "array_distinct", Args: "A", Result: same(0), SQL: "list_filter({0}, lambda e, i: list_position({0}, e) = i)"},
		{Name: "sort_array", Coerce: sortable("sort_array", "A ?b"), Result: same(0), Build: func(a []Arg) string {
			if len(a) == 2 {
				return fill("(CASE WHEN {1} THEN list_sort({0}, 'ASC', 'NULLS FIRST') ELSE list_sort({0}, 'DESC', 'NULLS LAST') END)", a)
			}
			return fill("list_sort({0}, 'ASC', 'NULLS FIRST')", a)
		}},
		{Name: "array_max", Args: "A", Result: elem(0), Null: maybeNull, SQL: "list_max({0})"},
		{Name: "array_min", Args: "A", Result: elem(0), Null: maybeNull, SQL: "list_min({0})"},
		{Name: "array_join", Coerce: joinArgs, Result: is(types.String), Build: func(a []Arg) string {
			if len(a) == 3 {
				return fill("array_to_string(list_transform({0}, lambda e: coalesce(CAST(e AS VARCHAR), {2})), {1})", a)
			}
			return fill("array_to_string(list_filter({0}, lambda e: e IS NOT NULL), {1})", a)
		}},
		{Name: "array_union", Coerce: twoLists("array_union"), Result: joinedLists("array_union"), SQL: "list_filter(list_concat({0}, {1}), lambda e, i: list_position(list_concat({0}, {1}), e) = i)"},
		{Name: "array_intersect", Coerce: twoLists("array_intersect"), Result: joinedLists("array_intersect"), SQL: "list_filter({0}, lambda e, i: list_position({1}, e) > 0 AND list_position({0}, e) = i)"},
		{Name: "array_except", Coerce: twoLists("array_except"), Result: joinedLists("array_except"), SQL: "list_filter({0}, lambda e, i: coalesce(list_position({1}, e), 0) = 0 AND list_position({0}, e) = i)"},
		{Name: "arrays_overlap", Coerce: twoLists("arrays_overlap"), Result: is(types.Boolean), Null: nullOfList,
			SQL: "(CASE WHEN {0} IS NULL OR {1} IS NULL THEN NULL WHEN list_has_any(list_filter({0}, lambda e: e IS NOT NULL), {1}) THEN true WHEN len({0}) > 0 AND len({1}) > 0 AND (len(list_filter({0}, lambda e: e IS NULL)) > 0 OR len(list_filter({1}, lambda e: e IS NULL)) > 0) THEN NULL ELSE false END)"},
		{Name: "array_remove", Coerce: withMember("array_remove"), Result: same(0), SQL: "list_filter({0}, lambda e: e IS DISTINCT FROM {1})"},
		{Name: "array_append", Coerce: withMember("array_append"), Null: nullOfFirst, Result: withElement, SQL: "(CASE WHEN {0} IS NOT NULL THEN list_append({0}, {1}) END)"},
		{Name: "array_prepend", Coerce: withMember("array_prepend"), Null: nullOfFirst, Result: withElement, SQL: "(CASE WHEN {0} IS NOT NULL THEN list_prepend({1}, {0}) END)"},
		{Name: "array_repeat", Args: "a i", Result: listOfNoNull(0), Null: neverNull, SQL: "list_transform(range(greatest({1}, 0)), lambda e: {0})"},
		{Name: "array_compact", Args: "A", Result: same(0), SQL: "list_filter({0}, lambda e: e IS NOT NULL)"},
		{Name: "flatten", Coerce: nestedList, Result: elem(0), Null: nullOfElements, SQL: "(CASE WHEN len(list_filter({0}, lambda e: e IS NULL)) > 0 THEN NULL ELSE flatten({0}) END)"},
		{Name: "reverse", Args: "a", Result: same(0), Build: func(a []Arg) string {
			if _, ok := a[0].Type.(types.Array); ok {
				return "list_reverse(" + a[0].SQL + ")"
			}
			if a[0].Type == types.Binary {
				return "spark_reverse_bytes(" + a[0].SQL + ")"
			}
			return "reverse(CAST(" + a[0].SQL + " AS VARCHAR))"
		}},
		{Name: "slice", Args: "A i i", Result: same(0), SQL: "(CASE WHEN {1} = 0 THEN " + sparkerr.Raise("INVALID_PARAMETER_VALUE.START", "'`start`'", "'`slice`'") + " WHEN {2} < 0 THEN " + sparkerr.Raise("INVALID_PARAMETER_VALUE.LENGTH", "'`length`'", "'`slice`'", "CAST({2} AS VARCHAR)") + " WHEN {1} > 0 THEN list_slice({0}, {1}, {1} + {2} - 1) ELSE list_slice({0}, len({0}) + {1} + 1, len({0}) + {1} + {2}) END)"},
		{Name: "sequence", Args: "c c ?a", Result: listOfNoNull(0), Build: sequence},
		{Name: "element_at", Coerce: withKey("element_at"), Result: elementType, Null: nullOfPlace, Build: elementAt},
		{Name: "try_element_at", Coerce: withKey("try_element_at"), Result: elementType, Null: nullOfPlace, Build: tryElementAt},
		{Name: "get", Args: "A i", Result: elem(0), Null: nullOfPlace, SQL: "{0}[{1} + 1]"},
		{Name: "arrays_zip", Args: "A A*", Result: zipType, Build: func(a []Arg) string {
			present := make([]string, len(a)) // the engine takes a null for an empty list
			for i, v := range a {
				present[i] = v.SQL + " IS NOT NULL"
			}
			return "(CASE WHEN " + strings.Join(present, " AND ") + " THEN " + fill("list_zip({*})", a) + " END)"
		}},
		{Name: "transform", Args: "A f", Result: func(a []plan.Value) (types.Type, error) {
			return types.Array{Elem: a[1].Type(), ContainsNull: a[1].Nullable()}, nil
		}, SQL: "list_transform({0}, {1})"},
		{Name: "filter", Coerce: tests("filter", "A f"), Null: nullOfFirst, Result: same(0), SQL: "list_filter({0}, {1})"},
		{Name: "exists", Aliases: "any_match", Null: nullOfTest, Coerce: tests("exists", "A f"), Result: is(types.Boolean), Build: threeValued("bool_or")},
		{Name: "forall", Null: nullOfTest, Coerce: tests("forall", "A f"), Result: is(types.Boolean), Build: threeValued("bool_and")},
	}
}

// threeValued folds a lambda's truth values as OR and AND do: nulls matter unless decided without.
func threeValued(fold string) func([]Arg) string {
	decided, empty := "true", "false"
	if fold == "bool_and" {
		decided, empty = empty, decided
	}
	return func(a []Arg) string {
		list := fill("list_transform({0}, {1})", a)
		return "(CASE WHEN " + a[0].SQL + " IS NULL THEN NULL WHEN list_contains(" + list + ", " + decided + ") THEN " + decided +
			" WHEN len(list_filter(" + list + ", lambda t: t IS NULL)) > 0 THEN NULL ELSE " + empty + " END)"
	}
}

func asIs(a []plan.Value) ([]plan.Value, error) { return a, nil }

func structType(a []plan.Value) (types.Type, error) {
	s := types.Struct{}
	for i, v := range a {
		name := fmt.Sprintf("col%d", i+1)
		if c, ok := v.(plan.Col); ok {
			name = c.Attr.Name
		}
		s.Fields = append(s.Fields, types.Field{Name: name, Type: v.Type(), Nullable: v.Nullable()})
	}
	return s, nil
}

func buildStruct(a []Arg) string {
	parts := make([]string, len(a))
	for i, x := range a {
		parts[i] = fmt.Sprintf("f%d := %s", i, x.SQL)
	}
	return "struct_pack(" + strings.Join(parts, ", ") + ")"
}

func namedStructType(a []plan.Value) (types.Type, error) {
	s := types.Struct{}
	if len(a) == 0 || len(a)%2 == 1 {
		return nil, sparkerr.Analysis("WRONG_NUM_ARGS.WITHOUT_SUGGESTION", "functionName", "`named_struct`", "expectedNum", "2n (n > 0)", "actualNum", itoa(len(a)), "docroot", "https://spark.apache.org/docs/latest")
	}
	for i := 0; i+1 < len(a); i += 2 {
		c, ok := Constant(a[i])
		name, isText := c.Value.(string)
		if !ok || !isText {
			return nil, sparkerr.New(sparkerr.ClassExtendedAnalysis, "DATATYPE_MISMATCH.CREATE_NAMED_STRUCT_WITHOUT_FOLDABLE_STRING", "sqlExpr", `"named_struct(`+describeAll(a)+`)"`, "inputExprs", `["`+Describe(a[i])+`"]`)
		}
		s.Fields = append(s.Fields, types.Field{Name: name, Type: a[i+1].Type(), Nullable: a[i+1].Nullable()})
	}
	return s, nil
}

// buildNamedStruct names the fields by place: names that differ only in case would clash in DuckDB.
func buildNamedStruct(a []Arg) string {
	var parts []string
	for i := 0; i+1 < len(a); i += 2 {
		parts = append(parts, fmt.Sprintf("f%d := %s", i/2, a[i+1].SQL))
	}
	return "struct_pack(" + strings.Join(parts, ", ") + ")"
}

func mapArgs(a []plan.Value) ([]plan.Value, error) {
	if len(a)%2 == 1 {
		return nil, sparkerr.Analysis("WRONG_NUM_ARGS.WITHOUT_SUGGESTION", "functionName", "`map`", "expectedNum", "2n (n > 0)", "actualNum", itoa(len(a)), "docroot", "https://spark.apache.org/docs/latest")
	}
	var keys, vals []plan.Value
	for i, v := range a {
		if i%2 == 0 {
			keys = append(keys, v)
		} else {
			vals = append(vals, v)
		}
	}
	k, err := CommonType("map", keys)
	if err != nil {
		return nil, err
	}
	v, err := CommonType("map", vals)
	if err != nil {
		return nil, err
	}
	out := make([]plan.Value, len(a))
	for i := range a {
		if i%2 == 0 {
			out[i] = As(a[i], k)
		} else {
			out[i] = As(a[i], v)
		}
	}
	return out, nil
}

func mapType(a []plan.Value) (types.Type, error) {
	if len(a) < 2 {
		return types.Map{Key: types.String, Value: types.String}, nil
	}
	null := false
	for i := 1; i < len(a); i += 2 {
		null = null || a[i].Nullable()
	}
	return types.Map{Key: a[0].Type(), Value: a[1].Type(), ValueContainsNull: null}, nil
}

func buildMap(a []Arg) string {
	var k, v []string
	for i, x := range a {
		if i%2 == 0 {
			k = append(k, x.SQL)
		} else {
			v = append(v, x.SQL)
		}
	}
	if len(k) == 0 {
		return "CAST(map() AS MAP(VARCHAR, VARCHAR))"
	}
	keys, values := "["+strings.Join(k, ", ")+"]", "["+strings.Join(v, ", ")+"]"
	for i, x := range a {
		if i%2 == 0 && x.Nullable {
			return "(CASE WHEN len(list_filter(" + keys + ", lambda k: k IS NULL)) > 0 THEN " + sparkerr.Raise("NULL_MAP_KEY") + " ELSE " + uniqueMap(keys, values) + " END)"
		}
	}
	for _, x := range a {
		if x.Const == nil {
			return uniqueMap(keys, values)
		}
	}
	if len(k) > 1 {
		return uniqueMap(keys, values)
	}
	return "map(" + keys + ", " + values + ")"
}

func sequence(a []Arg) string {
	if types.IsDatetime(a[0].Type) {
		step := "INTERVAL 1 DAY"
		if len(a) == 3 {
			step = a[2].SQL
		}
		target := temporalSQL(a[0].Type)
		return "list_transform(generate_series(" + a[0].SQL + ", " + a[1].SQL + ", " + step + "), lambda e: CAST(e AS " + target + "))"
	}
	step := "(CASE WHEN " + a[0].SQL + " <= " + a[1].SQL + " THEN 1 ELSE -1 END)"
	if len(a) == 3 {
		step = a[2].SQL
	}
	return "list_transform(generate_series(CAST(" + a[0].SQL + " AS BIGINT), CAST(" + a[1].SQL + " AS BIGINT), CAST(" + step + " AS BIGINT)), lambda e: CAST(e AS " + a[0].Type.SQL() + "))"
}

func elementType(a []plan.Value) (types.Type, error) {
	switch t := a[0].Type().(type) {
	case types.Array:
		return t.Elem, nil
	case types.Map:
		return t.Value, nil
	}
	return nil, wrongType("element_at", 0, a[0], `("ARRAY" or "MAP")`)
}

func elementAt(a []Arg) string {
	if _, ok := a[0].Type.(types.Map); ok {
		return tryElementAt(a)
	}
	return fill("(CASE WHEN {1} = 0 THEN "+sparkerr.Raise("INVALID_INDEX_OF_ZERO")+" WHEN abs({1}) > len({0}) THEN "+
		sparkerr.Raise("INVALID_ARRAY_INDEX_IN_ELEMENT_AT", "CAST({1} AS VARCHAR)", "CAST(len({0}) AS VARCHAR)")+" ELSE {0}[{1}] END)", a)
}

func tryElementAt(a []Arg) string {
	if _, ok := a[0].Type.(types.Map); ok {
		return "element_at(" + a[0].SQL + ", " + a[1].SQL + ")[1]"
	}
	return fill("(CASE WHEN {1} = 0 THEN "+sparkerr.Raise("INVALID_INDEX_OF_ZERO")+" ELSE {0}[{1}] END)", a)
}

func zipType(a []plan.Value) (types.Type, error) {
	s := types.Struct{}
	for i, v := range a {
		name := fmt.Sprint(i)
		if c, ok := v.(plan.Col); ok {
			name = c.Attr.Name
		}
		s.Fields = append(s.Fields, types.Field{Name: name, Type: v.Type().(types.Array).Elem, Nullable: true})
	}
	return types.Array{Elem: s}, nil
}

// withElement is the array's type where an element is added.
func withElement(a []plan.Value) (types.Type, error) {
	l := a[0].Type().(types.Array)
	return types.Array{Elem: l.Elem, ContainsNull: l.ContainsNull || a[1].Nullable()}, nil
}
