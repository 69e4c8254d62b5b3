package engine

import (
	"fmt"
	"slices"
	"strings"

	"github.com/millpond/millpond/internal/compile"
	"github.com/millpond/millpond/internal/function"
	"github.com/millpond/millpond/internal/native"
	"github.com/millpond/millpond/internal/plan"
	"github.com/millpond/millpond/internal/types"
)

// printingOptions are those that change how JSON is printed.
var printingOptions = []string{"dateformat", "timestampformat", "timestampntzformat", "ignorenullfields", "pretty", "writenonasciicharacterascodepoint"}

// writtenJSON prints a row's columns as one text, as to_json does, beside those that name directories.
func writtenJSON(attrs []plan.Attr, w WriteRequest, zone string) []string {
	var row types.Struct
	var values, list []string
	for _, at := range attrs {
		if w.inPath(at.Name) {
			list = append(list, compile.Column(at.ID)+" AS "+quoteName(at.Name))
			continue
		}
		values = append(values, compile.Column(at.ID))
		row.Fields = append(row.Fields, types.Field{Name: at.Name, Type: at.Type, Nullable: at.Nullable})
	}
	options := map[string]string{"timezone": zone}
	for k, v := range w.Options {
		options[k] = v
	}
	p := jsonPrinter{options: quoteSQL(native.JSONText(options))}
	if !slices.ContainsFunc(printingOptions, func(o string) bool { return options[o] != "" }) {
		return append(list, p.fields(row, func(i int) string { return values[i] })+" AS "+quoteName(lineName))
	}
	for i := range values {
		values[i] = fmt.Sprintf("f%d := %s", i, values[i])
	}
	return append(list, p.slowly("struct_pack("+strings.Join(values, ", ")+")", row)+" AS "+quoteName(lineName))
}

// jsonPrinter makes expressions of the engine that print values as Spark does. What the engine cannot
// print so goes through to_json, which is slower by far.
type jsonPrinter struct{ options string }

func (p jsonPrinter) slowly(value string, t types.Type) string {
	return function.JSONText(value, t, p.options)
}

// value prints a value, null where it is null.
func (p jsonPrinter) value(v string, t types.Type) string {
	switch t {
	case types.Boolean, types.Byte, types.Short, types.Int, types.Long:
		return "CAST(" + v + " AS VARCHAR)"
	case types.Float, types.Double:
		return "(CASE WHEN isfinite(" + v + ") THEN spark_double_text(" + v + ") ELSE '\"' || spark_double_text(" + v + ") || '\"' END)"
	case types.String:
		return "CAST(to_json(" + v + ") AS VARCHAR)"
	case types.Binary:
		return "('\"' || to_base64(" + v + ") || '\"')"
	case types.Date:
		return p.dated(v, t, "CAST("+v+" AS VARCHAR)")
	case types.Timestamp:
		return p.dated(v, t, instantText(v))
	case types.TimestampNTZ:
		return p.dated(v, t, localText(v))
	}
	switch t := t.(type) {
	case types.Decimal:
		return function.ExactText(v, t)
	case types.Array:
		return "(CASE WHEN " + v + " IS NOT NULL THEN '[' || array_to_string(list_transform(" + v + ", lambda e: coalesce(" + p.value("e", t.Elem) + ", 'null')), ',') || ']' END)"
	case types.Struct:
		return "(CASE WHEN " + v + " IS NOT NULL THEN " + p.fields(t, func(i int) string { return fmt.Sprintf("struct_extract_at(%s, %d)", v, i+1) }) + " END)"
	}
	return p.slowly(v, t)
}

// dated puts quotes around a date's text, which holds for years of four digits.
func (p jsonPrinter) dated(v string, t types.Type, text string) string {
	return "(CASE WHEN " + fourDigits(v) + " THEN '\"' || " + text + " || '\"' ELSE " + p.slowly(v, t) + " END)"
}

// fields prints a struct by its fields, of which those without a value are left out.
func (p jsonPrinter) fields(t types.Struct, value func(int) string) string {
	parts := make([]string, len(t.Fields))
	for i, f := range t.Fields {
		parts[i] = quoteSQL(native.JSONText(f.Name)+":") + " || " + p.value(value(i), f.Type) // null with a null
	}
	return "('{' || concat_ws(',', " + strings.Join(parts, ", ") + ") || '}')"
}

// fourDigits says whether a date's year has four digits: the engine prints such as Spark does.
func fourDigits(v string) string { return "year(" + v + ") BETWEEN 1000 AND 9999" }

// localText prints a time without a zone by Spark's pattern for files.
func localText(v string) string { return "strftime(" + v + ", '%Y-%m-%dT%H:%M:%S.%g')" }

// instantText is localText in the session's zone, with its offset.
func instantText(v string) string {
	local := "CAST(" + v + " AS TIMESTAMP)"
	minutes := "((epoch_us(" + local + ") - epoch_us(" + v + ")) // 60000000)"
	part := func(n string) string { return "lpad(CAST(" + n + " AS VARCHAR), 2, '0')" }
	return "(" + localText(local) + " || CASE WHEN " + minutes + " = 0 THEN 'Z' ELSE (CASE WHEN " + minutes + " < 0 THEN '-' ELSE '+' END) || " +
		part("abs("+minutes+") // 60") + " || ':' || " + part("abs("+minutes+") % 60") + " END)"
}
