package function

import (
	"strings"

	"github.com/millpond/millpond/internal/plan"
	"github.com/millpond/millpond/internal/sparkerr"
	"github.com/millpond/millpond/internal/types"
)

// generators make rows; the analyzer unnests the list that SQL gives.
func generators() []Row {
	g := func(name, args string, result func([]plan.Value) (types.Type, error), sql string) Row {
		return Row{Name: name, Kind: Generator, Args: args, Result: result, SQL: sql}
	}
	return []Row{
		g("explode", "a", exploded, "{0}"), g("explode_outer", "a", exploded, "{0}"),
		g("posexplode", "a", exploded, "{0}"), g("posexplode_outer", "a", exploded, "{0}"),
		{Name: "stack", Kind: Generator, Coerce: asIs, Result: stackType, Build: buildStack},
		g("inline", "A", inlined, "{0}"), g("inline_outer", "A", inlined, "{0}"),
	}
}

// exploded is the list of what becomes the rows: a map becomes a list of key and value.
func exploded(a []plan.Value) (types.Type, error) {
	switch t := a[0].Type().(type) {
	case types.Array:
		return t, nil
	case types.Map:
		return types.Array{Elem: types.Struct{Fields: []types.Field{
			{Name: "key", Type: t.Key}, {Name: "value", Type: t.Value, Nullable: t.ValueContainsNull}}}}, nil
	}
	return nil, wrongType("explode", 0, a[0], `("ARRAY" or "MAP")`)
}

func inlined(a []plan.Value) (types.Type, error) {
	l := a[0].Type().(types.Array)
	if _, ok := l.Elem.(types.Struct); !ok {
		return nil, wrongType("inline", 0, a[0], `"ARRAY<STRUCT>"`)
	}
	return l, nil
}

// stackShape is the number of rows and columns of stack(n, ...).
func stackShape(rows *plan.Literal, args int) (n, width int) {
	if rows != nil {
		if v, ok := rows.Value.(int32); ok && v > 0 {
			return int(v), (args + int(v) - 1) / int(v)
		}
	}
	return 0, 0
}

func stackType(a []plan.Value) (types.Type, error) {
	if len(a) < 2 {
		return nil, sparkerr.Analysis("WRONG_NUM_ARGS.WITHOUT_SUGGESTION", "functionName", "`stack`", "expectedNum", "> 1", "actualNum", itoa(len(a)), "docroot", "https://spark.apache.org/docs/latest")
	}
	c, ok := Constant(a[0])
	n, width := stackShape(&c, len(a)-1)
	if !ok || n == 0 {
		return nil, wrongType("stack", 0, a[0], `"INT" above 0`)
	}
	s := types.Struct{}
	for col := range width {
		var t types.Type = types.Null
		for i := col; i < len(a)-1; i += width {
			u, ok := types.Common(t, a[i+1].Type())
			if !ok {
				return nil, differ("stack", []plan.Value{a[col+1], a[i+1]})
			}
			t = u
		}
		s.Fields = append(s.Fields, types.Field{Name: "col" + itoa(col), Type: t, Nullable: true})
	}
	return types.Array{Elem: s}, nil
}

func buildStack(a []Arg) string {
	n, width := stackShape(a[0].Const, len(a)-1)
	s := a[0].Parsed.(types.Array).Elem.(types.Struct)
	rows := make([]string, n)
	for r := range rows {
		cells := make([]string, width)
		for c := range cells {
			value := "NULL"
			if i := r*width + c + 1; i < len(a) {
				value = a[i].SQL
			}
			cells[c] = "f" + itoa(c) + " := CAST(" + value + " AS " + TypeSQL(s.Fields[c].Type) + ")"
		}
		rows[r] = "struct_pack(" + strings.Join(cells, ", ") + ")"
	}
	return "[" + strings.Join(rows, ", ") + "]"
}

func miscellany() []Row {
	return []Row{
		{Name: "monotonically_increasing_id", Result: is(types.Long), Null: neverNull, SQL: "(row_number() OVER () - 1)"},
		{Name: "distributed_sequence_id", Args: "?a*", Result: is(types.Long), Null: neverNull, SQL: "(row_number() OVER () - 1)"},
		{Name: "spark_partition_id", Result: is(types.Int), Null: neverNull, SQL: "0"},
		{Name: "raise_error", Args: "s", Result: is(types.Null), Null: maybeNull, Build: func(a []Arg) string { return sparkerr.Raise("USER_RAISED_EXCEPTION", a[0].SQL) }},
		{Name: "assert_true", Args: "b s", Result: is(types.Null), Null: maybeNull, Build: func(a []Arg) string {
			return "(CASE WHEN " + a[0].SQL + " THEN NULL ELSE " + sparkerr.Raise("USER_RAISED_EXCEPTION", a[1].SQL) + " END)"
		}},
		{Name: "typeof", Args: "a", Result: is(types.String), Null: neverNull, Build: func(a []Arg) string { return "'" + a[0].Type.SimpleString() + "'" }},
		{Name: "uuid", Result: is(types.String), Null: neverNull, SQL: "CAST(uuid() AS VARCHAR)"},
		{Name: "version", Result: is(types.String), Null: neverNull, SQL: "'4.3.0 millpond'"},
		{Name: "current_user", Aliases: "user session_user", Result: is(types.String), Null: neverNull, SQL: "'millpond'"},
		{Name: "current_catalog", Result: is(types.String), Null: neverNull, SQL: "'spark_catalog'"},
		{Name: "current_database", Aliases: "current_schema", Result: is(types.String), Null: neverNull, SQL: "'default'"}, // the analyzer answers it
		{Name: "input_file_name", Result: is(types.String), Null: neverNull, SQL: "''"},
	}
}
