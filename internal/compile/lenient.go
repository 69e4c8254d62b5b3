package compile

import (
	"strings"

	"github.com/millpond/millpond/internal/sparkerr"
	"github.com/millpond/millpond/internal/types"
)

// lenientNatives are the functions that answer null instead of failing.
var lenientNatives = map[string]string{"spark_parse_time": "spark_try_parse_time", "spark_decimal": "spark_try_decimal"}

// lenient makes a statement answer null where ANSI mode would raise a condition and Spark without
// it does not (spark.sql.ansi.enabled=false). What stands in quotes stays as it is.
func lenient(sql string) string {
	var b strings.Builder
	for i := 0; i < len(sql); {
		switch {
		case sql[i] == '\'':
			end := quoteEnd(sql, i)
			b.WriteString(sql[i:end])
			i = end
		case strings.HasPrefix(sql[i:], "error('") && forgives(sql[i+len("error("):]):
			i = callEnd(sql, i+len("error"))
			b.WriteString("NULL")
		case strings.HasPrefix(sql[i:], "spark_"):
			end := i
			for end < len(sql) && (sql[end] == '_' || sql[end] >= 'a' && sql[end] <= 'z' || sql[end] >= '0' && sql[end] <= '9') {
				end++
			}
			name := sql[i:end]
			if to, ok := lenientNatives[name]; ok {
				name = to
			}
			b.WriteString(name)
			i = end
		default:
			b.WriteByte(sql[i])
			i++
		}
	}
	return b.String()
}

// forgives says whether a raised condition, quoted at the start of text, is one of ANSI mode only.
func forgives(text string) bool {
	return sparkerr.AnsiOnly(text[1 : quoteEnd(text, 0)-1])
}

// quoteEnd is the place after the text that is quoted from i on.
func quoteEnd(sql string, i int) int {
	for i++; i < len(sql); i++ {
		if sql[i] == '\'' {
			if i+1 < len(sql) && sql[i+1] == '\'' {
				i++
				continue
			}
			return i + 1
		}
	}
	return len(sql)
}

// callEnd is the place after the parentheses that open at i.
func callEnd(sql string, i int) int {
	depth := 0
	for i < len(sql) {
		switch sql[i] {
		case '\'':
			i = quoteEnd(sql, i)
			continue
		case '(':
			depth++
		case ')':
			if depth--; depth == 0 {
				return i + 1
			}
		}
		i++
	}
	return len(sql)
}

// legacyCast converts as Spark does without ANSI mode: whole numbers wrap round, fractions stop at
// the ends, texts of fractions lose them, and what is no value at all is null.
func legacyCast(text string, from, to types.Type) string {
	from, to = types.Physical(from), types.Physical(to)
	_, fromDecimal := from.(types.Decimal)
	switch {
	case types.IsString(from) && types.IsIntegral(to):
		return "TRY_CAST(trunc(TRY_CAST(trim(" + text + ", E' \\t\\n\\r') AS DECIMAL(38, 10))) AS " + TypeSQL(to) + ")"
	case types.IsIntegral(from) && types.IsIntegral(to) && !widens(from, to):
		return wrapped("CAST("+text+" AS HUGEINT)", to)
	case fromDecimal && types.IsIntegral(to):
		return wrapped("CAST(trunc("+text+") AS HUGEINT)", to)
	case types.IsFractional(from) && types.IsIntegral(to):
		wide := to
		if to != types.Long {
			wide = types.Int
		}
		ends := map[types.Type][2]string{types.Int: {"-2147483648", "2147483647"}, types.Long: {"-9223372036854775808", "9223372036854775807"}}[wide]
		stopped := "(CASE WHEN isnan(" + text + ") THEN 0 WHEN " + text + " <= " + ends[0] + " THEN CAST(" + ends[0] + " AS HUGEINT) WHEN " + text + " >= " + ends[1] +
			" THEN CAST(" + ends[1] + " AS HUGEINT) ELSE CAST(trunc(" + text + ") AS HUGEINT) END)"
		return wrapped(stopped, to)
	}
	return castSQL(text, from, to, true)
}

// wrapped keeps the low bits of a wide whole number.
func wrapped(wide string, to types.Type) string {
	half := map[types.Type]string{types.Byte: "128", types.Short: "32768", types.Int: "2147483648", types.Long: "9223372036854775808"}[to]
	mask := map[types.Type]string{types.Byte: "255", types.Short: "65535", types.Int: "4294967295", types.Long: "CAST(18446744073709551615 AS HUGEINT)"}[to]
	return "CAST((((" + wide + " + " + half + ") & " + mask + ") - " + half + ") AS " + TypeSQL(to) + ")"
}
