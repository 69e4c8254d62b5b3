package function

import (
	"fmt"
	"slices"
	"strings"

	"github.com/millpond/millpond/internal/plan"
	"github.com/millpond/millpond/internal/sparkerr"
	"github.com/millpond/millpond/internal/types"
)

func jsons() []Row {
	text := func(name, args, sql string) Row {
		return Row{Name: name, Args: args, Result: is(types.String), Null: maybeNull, SQL: sql}
	}
	xpath := func(name, alias string, t types.Type, sql string) Row {
		return Row{Name: name, Aliases: alias, Args: "s s", Result: is(t), Null: maybeNull, SQL: sql}
	}
	return []Row{
		text("get_json_object", "s s", "spark_json_path({0}, {1})"),
		{Name: "json_array_length", Args: "s", Result: is(types.Int), Null: maybeNull, SQL: "spark_json_length({0})"},
		{Name: "json_object_keys", Args: "s", Result: is(types.Array{Elem: types.String, ContainsNull: true}), Null: maybeNull, SQL: "spark_json_keys({0})"},
		{Name: "from_json", Args: "s a ?a", Result: schemaArg, Null: maybeNull, Build: parseWith("spark_from_json")},
		{Name: "from_csv", Args: "s a ?a", Result: schemaArg, Null: maybeNull, Build: parseWith("spark_from_csv")},
		{Name: "to_json", Null: maybeNull, Args: "a ?a", Result: jsonable, Build: printWith("spark_to_json")},
		{Name: "to_csv", Null: maybeNull, Args: "a ?a", Result: is(types.String), Build: printWith("spark_to_csv")},
		{Name: "schema_of_json", Coerce: sampled("schema_of_json"), Result: is(types.String), Null: neverNull, SQL: "{0}"},
		{Name: "schema_of_csv", Coerce: sampled("schema_of_csv"), Result: is(types.String), Null: neverNull, SQL: "{0}"},
		{Name: "json_tuple", Kind: Generator, Args: "s s*", Result: tupleType, Build: jsonTuple},
		xpath("xpath", "", types.Array{Elem: types.String, ContainsNull: true}, "spark_xpath({0}, {1})"),
		xpath("xpath_string", "", types.String, "spark_xpath({0}, {1})[1]"),
		xpath("xpath_boolean", "", types.Boolean, "(len(spark_xpath({0}, {1})) > 0 AND spark_xpath({0}, {1})[1] <> 'false')"),
		xpath("xpath_double", "xpath_number", types.Double, "coalesce(TRY_CAST(spark_xpath({0}, {1})[1] AS DOUBLE), 'nan')"),
		xpath("xpath_float", "", types.Float, "CAST(coalesce(TRY_CAST(spark_xpath({0}, {1})[1] AS DOUBLE), 'nan') AS FLOAT)"),
		xpath("xpath_int", "", types.Int, "coalesce(TRY_CAST(trunc(TRY_CAST(spark_xpath({0}, {1})[1] AS DOUBLE)) AS INTEGER), 0)"),
		xpath("xpath_long", "", types.Long, "coalesce(TRY_CAST(trunc(TRY_CAST(spark_xpath({0}, {1})[1] AS DOUBLE)) AS BIGINT), 0)"),
		xpath("xpath_short", "", types.Short, "coalesce(TRY_CAST(trunc(TRY_CAST(spark_xpath({0}, {1})[1] AS DOUBLE)) AS SMALLINT), 0)"),
	}
}

// schemaArg reads the schema, a constant text in DDL or JSON, of from_json's second argument.
func schemaArg(a []plan.Value) (types.Type, error) {
	text, ok := foldText(a[1])
	if !ok {
		return nil, sparkerr.Analysis("INVALID_SCHEMA.NON_STRING_LITERAL", "inputSchema", `"`+Describe(a[1])+`"`)
	}
	t, err := types.FromJSON([]byte(text))
	if err != nil {
		if t, err = types.ParseDDL(text); err != nil {
			return nil, sparkerr.New(sparkerr.ClassParse, "PARSE_SYNTAX_ERROR", "error", "'"+text+"'", "hint", "")
		}
	}
	return nullable(t), nil
}

// nullable makes every part of a type nullable: what is parsed may lack any of them.
func nullable(t types.Type) types.Type {
	switch t := t.(type) {
	case types.Array:
		return types.Array{Elem: nullable(t.Elem), ContainsNull: true}
	case types.Map:
		return types.Map{Key: t.Key, Value: nullable(t.Value), ValueContainsNull: true}
	case types.Struct:
		out := types.Struct{}
		for _, f := range t.Fields {
			out.Fields = append(out.Fields, types.Field{Name: f.Name, Type: nullable(f.Type), Nullable: true, Metadata: f.Metadata})
		}
		return out
	}
	return t
}

// options gives a map of options as JSON text, with the session's time zone.
func options(a []Arg, at int) string {
	zone := "json_object('timezone', current_setting('TimeZone'))"
	if at >= len(a) {
		return "CAST(" + zone + " AS VARCHAR)"
	}
	return "CAST(json_merge_patch(" + zone + ", to_json(" + a[at].SQL + ")) AS VARCHAR)"
}

func parseWith(name string) func([]Arg) string {
	return func(a []Arg) string {
		t := a[1].Parsed
		return "CAST(CAST(" + name + "(" + a[0].SQL + ", " + Quote(types.ToJSON(t)) + ", " + options(a, 2) + ") AS JSON) AS " + TypeSQL(t) + ")"
	}
}

func jsonable(a []plan.Value) (types.Type, error) {
	switch types.Physical(a[0].Type()).(type) {
	case types.Struct, types.Map, types.Array:
		return types.String, nil
	}
	return nil, sparkerr.New(sparkerr.ClassExtendedAnalysis, "DATATYPE_MISMATCH.INVALID_JSON_SCHEMA", "sqlExpr", `"to_json(`+Describe(a[0])+`)"`, "schema", `"`+a[0].Type().SQL()+`"`)
}

func printWith(name string) func([]Arg) string {
	return func(a []Arg) string {
		return printed(name, a[0].SQL, a[0].Type, options(a, 1))
	}
}

// JSONText prints a value as to_json does, by options that are JSON, too.
func JSONText(value string, t types.Type, options string) string {
	return printed("spark_to_json", value, t, options)
}

func printed(name, value string, t types.Type, options string) string {
	value, t = printable(value, t), types.Physical(t)
	return name + "(CAST(to_json(" + value + ") AS VARCHAR), " + Quote(types.ToJSON(t)) + ", " + options + ")"
}

// printable is a value for the engine's JSON, in which bytes and fractions are texts: it has
// no NaN, and no digits that are not needed.
func printable(value string, t types.Type) string {
	if !asText(t) {
		return value
	}
	switch t := types.Physical(t).(type) {
	case types.Array:
		return "list_transform(" + value + ", lambda e: " + printable("e", t.Elem) + ")"
	case types.Map:
		return "map_from_entries(list_transform(map_entries(" + value + "), lambda e: struct_pack(k := e.key, v := " + printable("e.value", t.Value) + ")))"
	case types.Struct:
		parts := make([]string, len(t.Fields))
		for i, f := range t.Fields {
			parts[i] = fmt.Sprintf("f%d := %s", i, printable(fmt.Sprintf("struct_extract_at(%s, %d)", value, i+1), f.Type))
		}
		return "(CASE WHEN " + value + " IS NOT NULL THEN struct_pack(" + strings.Join(parts, ", ") + ") END)"
	}
	switch d, exact := t.(types.Decimal); {
	case exact:
		return ExactText(value, d)
	case t == types.Binary:
		return "to_base64(" + value + ")"
	}
	return "spark_double_text(" + value + ")"
}

// ExactText prints decimals with all digits of their scale.
func ExactText(value string, t types.Decimal) string {
	text := "CAST(" + value + " AS VARCHAR)"
	if t.Precision == t.Scale { // the engine leaves out the zero before the point
		return "regexp_replace(" + text + ", '^(-?)\\.', '\\10.')"
	}
	return text
}

// asText says whether a type has parts that printable makes texts.
func asText(t types.Type) bool {
	switch t := types.Physical(t).(type) {
	case types.Array:
		return asText(t.Elem)
	case types.Map:
		return asText(t.Value)
	case types.Struct:
		return slices.ContainsFunc(t.Fields, func(f types.Field) bool { return asText(f.Type) })
	case types.Decimal:
		return true
	}
	return t == types.Binary || t == types.Double || t == types.Float
}

// sampled puts the schema's text in the place of a sample of it.
func sampled(name string) func([]plan.Value) ([]plan.Value, error) {
	return func(args []plan.Value) ([]plan.Value, error) {
		a, err := coerceArgs(&Row{Name: name, Args: "s ?a"}, args)
		if err != nil {
			return nil, err
		}
		text, ok := foldText(a[0])
		if !ok {
			return nil, sparkerr.New(sparkerr.ClassExtendedAnalysis, "DATATYPE_MISMATCH.NON_FOLDABLE_INPUT", "sqlExpr", `"`+name+"("+Describe(a[0])+`)"`,
				"inputName", "`json`", "inputType", `"STRING"`, "inputExpr", `"`+Describe(a[0])+`"`)
		}
		t, err := sampleSchema(name, text, constantOptions(a))
		if err != nil {
			return nil, err
		}
		return []plan.Value{plan.Const{Literal: plan.Literal{Type: types.String, Value: t.SQL()}}}, nil
	}
}

func tupleType(a []plan.Value) (types.Type, error) {
	s := types.Struct{}
	for i := range a[1:] {
		s.Fields = append(s.Fields, types.Field{Name: "c" + itoa(i), Type: types.String, Nullable: true})
	}
	return types.Array{Elem: s}, nil
}

func jsonTuple(a []Arg) string {
	parts := make([]string, len(a)-1)
	for i, x := range a[1:] {
		parts[i] = "f" + itoa(i) + " := spark_json_path(" + a[0].SQL + ", '$[''' || " + x.SQL + " || ''']')"
	}
	return "[struct_pack(" + strings.Join(parts, ", ") + ")]"
}
