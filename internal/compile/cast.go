package compile

import (
	"fmt"
	"strings"

	"github.com/millpond/millpond/internal/function"
	"github.com/millpond/millpond/internal/sparkerr"
	"github.com/millpond/millpond/internal/types"
)

// castSQL converts text of type from to type to, by Spark's ANSI rules: what does not fit raises
// Spark's condition, or is null where try is set.
func castSQL(text string, from, to types.Type, try bool) string {
	if types.IsString(to) && !types.IsString(from) {
		return toText(text, from, "null")
	}
	from, to = types.Physical(from), types.Physical(to)
	switch {
	case from == types.Null && !raises(text):
		return "CAST(NULL AS " + TypeSQL(to) + ")"
	case from == types.Null:
		return plainCast(text, to)
	case types.Equal(from, to):
		return text
	case types.IsString(from):
		return fromText(text, to, try)
	case to == types.Boolean:
		return "(" + text + " <> 0)"
	case from == types.Boolean:
		return plainCast(text, to)
	case types.IsNumeric(from) && types.IsNumeric(to):
		return numericCast(text, from, to, try)
	case from == types.Timestamp && types.IsNumeric(to):
		if types.IsIntegral(to) {
			return plainCast("floor(epoch("+text+"))", to)
		}
		return plainCast("epoch("+text+")", to)
	case types.IsNumeric(from) && to == types.Timestamp:
		return "to_timestamp(" + text + ")"
	}
	return nestedCast(text, from, to, try)
}

// raises says whether a value that has no type may fail instead of being null, as raise_error does.
func raises(text string) bool { return strings.Contains(text, "error('") }

func plainCast(text string, to types.Type) string { return "CAST(" + text + " AS " + TypeSQL(to) + ")" }

func nestedCast(text string, from, to types.Type, try bool) string {
	switch f := from.(type) {
	case types.Array:
		if t, ok := to.(types.Array); ok {
			return "list_transform(" + text + ", lambda e: " + castSQL("e", f.Elem, t.Elem, try) + ")"
		}
	case types.Struct:
		if t, ok := to.(types.Struct); ok && len(t.Fields) == len(f.Fields) {
			parts := make([]string, len(f.Fields))
			for i := range f.Fields {
				inner := fmt.Sprintf("struct_extract_at(%s, %d)", text, i+1)
				parts[i] = fmt.Sprintf("f%d := %s", i, castSQL(inner, f.Fields[i].Type, t.Fields[i].Type, try))
			}
			return "(CASE WHEN " + text + " IS NOT NULL THEN struct_pack(" + strings.Join(parts, ", ") + ") END)"
		}
	}
	return plainCast(text, to)
}

func quoteSQL(s string) string { return "'" + strings.ReplaceAll(s, "'", "''") + "'" }

// guarded answers safe where it is not null, and raises a condition where it is null but text is not.
func guarded(text, safe string, to types.Type, try bool, raise string) string {
	if try {
		return safe
	}
	return "(CASE WHEN " + text + " IS NULL THEN NULL WHEN " + safe + " IS NULL THEN " + raise + " ELSE " + safe + " END)"
}

func numericCast(text string, from, to types.Type, try bool) string {
	_, fromDecimal := from.(types.Decimal)
	d, toDecimal := to.(types.Decimal)
	switch {
	case types.IsFractional(to):
		return plainCast(text, to)
	case types.IsIntegral(to):
		value := text
		if types.IsFractional(from) || fromDecimal {
			value = "trunc(" + text + ")"
		} else if widens(from, to) {
			return plainCast(text, to)
		}
		safe := "TRY_CAST(" + value + " AS " + TypeSQL(to) + ")"
		suffix := map[types.Type]string{types.Double: "D", types.Long: "L", types.Short: "S", types.Byte: "T"}[from]
		shown := "CAST(" + text + " AS VARCHAR)"
		if suffix != "" {
			shown += " || '" + suffix + "'"
		}
		return guarded(text, safe, to, try, sparkerr.Raise("CAST_OVERFLOW", shown, quoteSQL(`"`+from.SQL()+`"`), quoteSQL(`"`+to.SQL()+`"`)))
	case toDecimal:
		if types.IsFractional(from) { // halves are judged by the shortest decimal text
			text = "CAST(" + text + " AS VARCHAR)"
		}
		safe := "TRY_CAST(" + text + " AS " + TypeSQL(to) + ")"
		if f, ok := types.AsDecimal(from); ok && f.Precision-f.Scale <= d.Precision-d.Scale {
			return plainCast(text, to)
		}
		return guarded(text, safe, to, try, sparkerr.Raise("NUMERIC_VALUE_OUT_OF_RANGE.WITH_SUGGESTION",
			"CAST("+text+" AS VARCHAR)", fmt.Sprintf("'%d'", d.Precision), fmt.Sprintf("'%d'", d.Scale)))
	}
	return plainCast(text, to)
}

var integerOrder = map[types.Type]int{types.Byte: 1, types.Short: 2, types.Int: 3, types.Long: 4}

func widens(from, to types.Type) bool {
	a, b := integerOrder[from], integerOrder[to]
	return a > 0 && a <= b
}

func fromText(text string, to types.Type, try bool) string {
	trimmed := "trim(" + text + ", E' \\t\\n\\r')"
	var safe string
	switch {
	case types.IsIntegral(to):
		safe = "(CASE WHEN regexp_full_match(" + trimmed + ", '[+-]?[0-9]+') THEN TRY_CAST(" + trimmed + " AS " + TypeSQL(to) + ") END)"
	case to == types.Boolean:
		safe = "(CASE WHEN lower(" + trimmed + ") IN ('t', 'true', 'y', 'yes', '1') THEN true WHEN lower(" + trimmed + ") IN ('f', 'false', 'n', 'no', '0') THEN false END)"
	case to == types.Binary:
		return "encode(" + text + ")"
	case to == types.Date, to == types.Timestamp, to == types.TimestampNTZ:
		safe = function.Moment(trimmed, TypeSQL(to))
	default:
		safe = "TRY_CAST(" + trimmed + " AS " + TypeSQL(to) + ")"
	}
	raise := sparkerr.Raise("CAST_INVALID_INPUT", "'''' || "+text+" || ''''", `'"STRING"'`, quoteSQL(`"`+to.SQL()+`"`))
	if d, ok := to.(types.Decimal); ok { // a good number may be too large
		raise = "(CASE WHEN TRY_CAST(" + trimmed + " AS DOUBLE) IS NOT NULL THEN " + sparkerr.Raise("NUMERIC_VALUE_OUT_OF_RANGE.WITH_SUGGESTION", trimmed,
			fmt.Sprintf("'%d'", d.Precision), fmt.Sprintf("'%d'", d.Scale)) + " ELSE " + raise + " END)"
	}
	return guarded(text, safe, to, try, raise)
}

// shownNull stands for a null where values are shown in a table, with bytes as numbers.
const shownNull = "NULL"

// toText prints values as Spark does; null is what stands for a null within an array, map or struct.
func toText(text string, from types.Type, null string) string {
	if types.IsAnyVector(from) {
		return vectorText(text)
	}
	if u, ok := from.(*types.UDT); ok {
		from = u.SQLType
	}
	switch from {
	case types.Null:
		return "CAST(NULL AS VARCHAR)"
	case types.Double:
		return "spark_double_text(" + text + ")"
	case types.Float:
		return "spark_double_text(" + text + ")"
	case types.Timestamp:
		return "CAST(CAST(" + text + " AS TIMESTAMP) AS VARCHAR)"
	case types.Binary:
		if null == shownNull {
			return "('[' || rtrim(regexp_replace(hex(" + text + "), '(..)', '\\1 ', 'g')) || ']')"
		}
		return "decode(" + text + ")"
	}
	if from == types.CalendarInterval {
		return "spark_interval_text(CAST(datepart('year', " + text + ") * 12 + datepart('month', " + text + ") AS BIGINT), CAST(datepart('day', " + text +
			") AS BIGINT), CAST(datepart('hour', " + text + ") * 3600000000 + datepart('minute', " + text + ") * 60000000 + datepart('microsecond', " + text + ") AS BIGINT))"
	}
	switch f := from.(type) {
	case types.Decimal:
		return function.ExactText(text, f)
	case types.YearMonthInterval:
		return fmt.Sprintf("spark_ym_text(CAST(datepart('year', %s) * 12 + datepart('month', %s) AS BIGINT), %d, %d)", text, text, f.Start, f.End)
	case types.DayTimeInterval:
		return fmt.Sprintf("spark_dt_text(CAST(epoch_us(%s) AS BIGINT), %d, %d)", text, f.Start, f.End)
	case types.Array:
		return "(CASE WHEN " + text + " IS NOT NULL THEN '[' || array_to_string(list_transform(" + text + ", lambda e: coalesce(" + toText("e", f.Elem, null) + ", '" + null + "')), ', ') || ']' END)"
	case types.Struct:
		parts := make([]string, len(f.Fields))
		for i, x := range f.Fields {
			parts[i] = fmt.Sprintf("coalesce(%s, '%s')", toText(fmt.Sprintf("struct_extract_at(%s, %d)", text, i+1), x.Type, null), null)
		}
		return "(CASE WHEN " + text + " IS NOT NULL THEN '{' || " + strings.Join(parts, " || ', ' || ") + " || '}' END)"
	case types.Map:
		entry := toText("e.key", f.Key, null) + " || ' -> ' || coalesce(" + toText("e.value", f.Value, null) + ", '" + null + "')"
		return "(CASE WHEN " + text + " IS NOT NULL THEN '{' || array_to_string(list_transform(map_entries(" + text + "), lambda e: " + entry + "), ', ') || '}' END)"
	}
	return "CAST(" + text + " AS VARCHAR)"
}

// vectorText prints [1.0,2.0] or (3,[0,2],[1.0,2.0]).
func vectorText(v string) string {
	list := func(of, text string) string {
		return "'[' || array_to_string(list_transform(" + v + "['" + of + "'], lambda x: " + text + "), ',') || ']'"
	}
	dense := list("values", "spark_double_text(x)")
	return "(CASE WHEN " + v + " IS NULL THEN NULL WHEN " + v + "['type'] = 1 THEN " + dense +
		" ELSE '(' || CAST(" + v + "['size'] AS VARCHAR) || ',' || " + list("indices", "CAST(x AS VARCHAR)") + " || ',' || " + dense + " || ')' END)"
}
