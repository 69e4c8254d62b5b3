package function

import (
	"regexp/syntax"
	"strings"

	"github.com/millpond/millpond/internal/plan"
	"github.com/millpond/millpond/internal/types"
)

// moreStrings are the text functions that need Java's or Spark's own rules.
func moreStrings() []Row {
	s := func(name, alias, args, sql string) Row { // Spark calls these through a method, whose result it takes for nullable
		return Row{Name: name, Aliases: alias, Args: args, Result: is(types.String), Null: maybeNull, SQL: sql}
	}
	maybe := func(name, args string, t types.Type, sql string) Row {
		return Row{Name: name, Args: args, Result: is(t), Null: maybeNull, SQL: sql}
	}
	return []Row{
		s("initcap", "", "s", "spark_initcap({0})"), s("soundex", "", "s", "spark_soundex({0})"), s("quote", "", "s", "spark_quote({0})"),
		{Name: "mask", Null: maybeNull, Args: "s ?s s s s", Result: is(types.String), Build: buildMask},
		{Name: "sentences", Null: maybeNull, Args: "s ?s s", Result: is(types.Array{Elem: types.Array{Elem: types.String}}), SQL: "CAST(CAST(spark_sentences({0}) AS JSON) AS VARCHAR[][])"},
		{Name: "luhn_check", Null: maybeNull, Args: "s", Result: is(types.Boolean), SQL: "spark_luhn({0})"},
		{Name: "unbase64", Args: "s", Result: is(types.Binary), SQL: "spark_unbase64({0})"},
		s("to_base32", "", "B", "spark_base32({0})"), {Name: "from_base32", Args: "s", Result: is(types.Binary), SQL: "spark_unbase32({0})"},
		{Name: "is_valid_utf8", Null: maybeNull, Args: "B", Result: is(types.Boolean), SQL: "spark_utf8_valid({0})"},
		s("make_valid_utf8", "", "B", "spark_utf8_make({0})"),
		s("validate_utf8", "", "B", "(CASE WHEN spark_utf8_valid({0}) THEN decode({0}) ELSE error('[INVALID_UTF8_STRING] the text is not valid UTF-8') END)"),
		maybe("try_validate_utf8", "B", types.String, "(CASE WHEN spark_utf8_valid({0}) THEN decode({0}) END)"),
		{Name: "encode", Null: maybeNull, Args: "s s", Result: is(types.Binary), SQL: "spark_encode({0}, {1})"},
		{Name: "decode", Null: maybeNull, Coerce: decodeArgs, Result: decodeType, Build: decoded},
		s("url_encode", "", "s", "spark_url_encode({0})"), s("url_decode", "", "s", "spark_url_decode({0})"), maybe("try_url_decode", "s", types.String, "spark_try_url_decode({0})"),
		{Name: "parse_url", Args: "s s ?s", Result: is(types.String), Null: maybeNull, Build: parseURL("spark_parse_url")},
		{Name: "try_parse_url", Args: "s s ?s", Result: is(types.String), Null: maybeNull, Build: parseURL("spark_try_parse_url")},
		{Name: "format_number", Args: "n a", Result: is(types.String), Null: maybeNull, Build: formatNumber},
		{Name: "format_string", Aliases: "printf", Args: "s ?a*", Result: is(types.String), Build: formatString},
		{Name: "overlay", Args: "c c i ?i", Result: same(0), Build: overlay},
		{Name: "elt", Args: "i s*", Result: is(types.String), Null: maybeNull, Build: elt},
		{Name: "levenshtein", Args: "s s ?i", Result: is(types.Int), Build: func(a []Arg) string {
			if len(a) == 3 {
				return fill("(CASE WHEN levenshtein({0}, {1}) > {2} THEN -1 ELSE CAST(levenshtein({0}, {1}) AS INTEGER) END)", a)
			}
			return fill("CAST(levenshtein({0}, {1}) AS INTEGER)", a)
		}},
		{Name: "jaro_winkler_similarity", Null: maybeNull, Args: "s s", Result: is(types.Double), SQL: "jaro_winkler_similarity({0}, {1})"},
		{Name: "conv", Args: "s i i", Result: is(types.String), Null: maybeNull, SQL: "spark_conv({0}, {1}, {2})"},
		{Name: "unhex", Args: "s", Result: is(types.Binary), Null: maybeNull, SQL: "spark_unhex({0})"},
		{Name: "to_char", Aliases: "to_varchar", Null: maybeNull, Args: "a s", Result: is(types.String), Build: toChar},
		{Name: "to_number", Args: "s s", Result: numberType, Build: toNumber("spark_to_number")},
		{Name: "try_to_number", Args: "s s", Result: numberType, Null: maybeNull, Build: toNumber("spark_try_to_number")},
		{Name: "to_binary", Args: "s ?s", Result: is(types.Binary), Null: maybeNull, Build: toBinary(false)},
		{Name: "try_to_binary", Args: "s ?s", Result: is(types.Binary), Null: maybeNull, Build: toBinary(true)},
		{Name: "regexp_extract", Args: "s s ?i", Result: is(types.String), Build: extractBy("regexp_extract", "spark_re_extract")},
		{Name: "regexp_extract_all", Args: "s s ?i", Result: is(types.Array{Elem: types.String, ContainsNull: true}), Build: extractBy("regexp_extract_all", "spark_re_extract_all")},
		{Name: "regexp_replace", Args: "s s s ?i", Result: is(types.String), Build: replaceBy},
		{Name: "regexp_count", Args: "s s", Result: is(types.Int), SQL: "spark_re_count({0}, {1})"},
		{Name: "regexp_instr", Args: "s s ?i", Result: is(types.Int), SQL: "spark_re_instr({0}, {1})"},
		{Name: "regexp_substr", Args: "s s", Result: is(types.String), Null: maybeNull, SQL: "nullif(spark_re_extract({0}, {1}, 0), '')"},
		{Name: "rlike", Aliases: "regexp regexp_like", Args: "s s", Result: is(types.Boolean), Build: func(a []Arg) string {
			if plainRegex(a[1]) {
				return fill("regexp_matches({0}, {1})", a)
			}
			return fill("spark_re_match({0}, {1})", a)
		}},
		{Name: "split", Args: "s s ?i", Result: is(types.Array{Elem: types.String}), Build: func(a []Arg) string {
			if len(a) == 3 {
				return fill("spark_re_split({0}, {1}, {2})", a)
			}
			if a[1].Const != nil && plainRegex(a[1]) && a[1].Const.Value != "" {
				return fill("regexp_split_to_array({0}, {1})", a)
			}
			return fill("spark_re_split({0}, {1}, -1)", a)
		}},
		s("collation", "", "s", "'SYSTEM.BUILTIN.UTF8_BINARY'"), s("collate", "", "s s", "{0}"),
		s("chr", "char", "l", "(CASE WHEN {0} < 0 THEN '' WHEN {0} % 256 = 0 THEN chr(0) ELSE chr(CAST({0} % 256 AS INTEGER)) END)"),
	}
}

// plainRegex says whether a constant pattern means the same in RE2, which the engine uses.
func plainRegex(a Arg) bool {
	if a.Const == nil {
		return false
	}
	p, ok := a.Const.Value.(string)
	if !ok || strings.Contains(p, `\Q`) || strings.Contains(p, `$`) {
		return false
	}
	_, err := syntax.Parse(p, syntax.Perl)
	return err == nil
}

func groupsOf(a Arg) int {
	p, _ := a.Const.Value.(string)
	re, err := syntax.Parse(p, syntax.Perl)
	if err != nil {
		return -1
	}
	return re.MaxCap()
}

func extractBy(plain, native string) func([]Arg) string {
	return func(a []Arg) string {
		group := "1"
		if len(a) == 3 {
			group = a[2].SQL
		}
		if plainRegex(a[1]) && groupsOf(a[1]) >= 1 && (group == "0" || group == "1") {
			return plain + "(" + a[0].SQL + ", " + a[1].SQL + ", " + group + ")"
		}
		return native + "(" + a[0].SQL + ", " + a[1].SQL + ", " + group + ")"
	}
}

func replaceBy(a []Arg) string {
	if len(a) == 3 && plainRegex(a[1]) && a[2].Const != nil {
		if to, ok := a[2].Const.Value.(string); ok && !strings.ContainsAny(to, `\$`) {
			return fill("regexp_replace({0}, {1}, {2}, 'g')", a)
		}
	}
	if len(a) == 4 {
		return fill("spark_re_replace({0}, {1}, {2}, {3})", a)
	}
	return fill("spark_re_replace({0}, {1}, {2}, 1)", a)
}

func buildMask(a []Arg) string {
	parts := []string{a[0].SQL}
	for i, d := range []string{"'X'", "'x'", "'n'", "NULL"} {
		if i+1 < len(a) {
			d = a[i+1].SQL
		}
		parts = append(parts, d)
	}
	return "spark_mask(" + strings.Join(parts, ", ") + ")"
}

func parseURL(name string) func([]Arg) string {
	return func(a []Arg) string {
		if len(a) == 3 {
			return name + fill("({0}, {1}, {2})", a)
		}
		return name + fill("({0}, {1}, NULL)", a)
	}
}

func formatNumber(a []Arg) string {
	if types.IsString(a[1].Type) {
		places := "0"
		if a[1].Const != nil {
			if p, ok := a[1].Const.Value.(string); ok {
				if _, frac, ok := strings.Cut(p, "."); ok {
					places = itoa(len(frac))
				}
			}
		}
		return "spark_format_number(CAST(" + a[0].SQL + " AS VARCHAR), " + places + ")"
	}
	return fill("spark_format_number(CAST({0} AS VARCHAR), CAST({1} AS INTEGER))", a)
}

// formatString gives each argument as its kind's letter and its text.
func formatString(a []Arg) string {
	parts := []string{a[0].SQL}
	for _, x := range a[1:] {
		letter := "s"
		switch {
		case x.Type == types.Long:
			letter = "l"
		case types.IsIntegral(x.Type):
			letter = "i"
		case types.IsNumeric(x.Type):
			letter = "f"
		}
		parts = append(parts, "'"+letter+"' || CAST("+x.SQL+" AS VARCHAR)")
	}
	return "spark_format_string(" + strings.Join(parts, ", ") + ")"
}

func overlay(a []Arg) string {
	length := "length(" + a[1].SQL + ")"
	if len(a) == 4 {
		length = "(CASE WHEN " + a[3].SQL + " < 0 THEN length(" + a[1].SQL + ") ELSE " + a[3].SQL + " END)"
	}
	if a[0].Type == types.Binary {
		length = strings.ReplaceAll(length, "length(", "octet_length(")
		return fill("(array_slice({0}, 1, {2} - 1) || {1} || array_slice({0}, {2} + ", a) + length + ", octet_length(" + a[0].SQL + ")))"
	}
	return fill("(left({0}, {2} - 1) || {1} || substring({0}, {2} + ", a) + length + "))"
}

func elt(a []Arg) string {
	var b strings.Builder
	b.WriteString("(CASE " + a[0].SQL)
	for i, x := range a[1:] {
		b.WriteString(" WHEN " + itoa(i+1) + " THEN " + x.SQL)
	}
	return b.String() + " ELSE " + "error('[INVALID_ARRAY_INDEX] The index is out of bounds')" + " END)"
}

func toChar(a []Arg) string {
	switch {
	case types.IsDatetime(a[0].Type):
		return dateFormat(a)
	case a[0].Type == types.Binary:
		return fill("(CASE lower({1}) WHEN 'base64' THEN base64({0}) WHEN 'hex' THEN hex({0}) ELSE decode({0}) END)", a)
	}
	return fill("spark_to_char(CAST({0} AS VARCHAR), {1})", a)
}

func numberType(a []plan.Value) (types.Type, error) {
	if c, ok := Constant(a[1]); ok {
		if f, ok := c.Value.(string); ok {
			p, s := formatPrecision(f)
			return types.Decimal{Precision: max(p, 1), Scale: s}, nil
		}
	}
	return types.Decimal{Precision: 38, Scale: 18}, nil
}

// formatPrecision counts the digits of a number format.
func formatPrecision(format string) (precision, scale int) {
	up := strings.ToUpper(strings.ReplaceAll(format, "D", "."))
	whole, frac, _ := strings.Cut(up, ".")
	digits := func(s string) int { return strings.Count(s, "9") + strings.Count(s, "0") }
	return digits(whole) + digits(frac), digits(frac)
}

func toNumber(name string) func([]Arg) string {
	return func(a []Arg) string {
		t := "DECIMAL(38,18)"
		if a[1].Const != nil {
			if f, ok := a[1].Const.Value.(string); ok {
				p, s := formatPrecision(f)
				t = types.Decimal{Precision: max(p, 1), Scale: s}.SQL()
			}
		}
		return "CAST(" + name + "(" + a[0].SQL + ", " + a[1].SQL + ") AS " + t + ")"
	}
}

func toBinary(try bool) func([]Arg) string {
	return func(a []Arg) string {
		format := "'hex'"
		if len(a) == 2 {
			format = a[1].SQL
		}
		out := "(CASE lower(" + format + ") WHEN 'hex' THEN spark_unhex(" + a[0].SQL + ") WHEN 'base64' THEN spark_unbase64(" + a[0].SQL + ") ELSE encode(" + a[0].SQL + ") END)"
		if try {
			return "TRY(" + out + ")"
		}
		return out
	}
}

// decodeArgs are bytes and their encoding, or a value, searches with results and what else it is.
func decodeArgs(a []plan.Value) ([]plan.Value, error) {
	if len(a) <= 2 {
		return coerceArgs(&Row{Name: "decode", Args: "B s"}, a)
	}
	searches, results := []plan.Value{a[0]}, []plan.Value(nil)
	for i, v := range a[1:] {
		if i%2 == 0 && i < len(a)-2 {
			searches = append(searches, v)
		} else {
			results = append(results, v)
		}
	}
	compared, err := CommonType("decode", searches)
	if err != nil {
		return nil, err
	}
	answered, err := CommonType("decode", results)
	if err != nil {
		return nil, err
	}
	out := []plan.Value{As(a[0], compared)}
	for i, v := range a[1:] {
		if i%2 == 0 && i < len(a)-2 {
			out = append(out, As(v, compared))
		} else {
			out = append(out, As(v, answered))
		}
	}
	return out, nil
}

func decodeType(a []plan.Value) (types.Type, error) {
	if len(a) == 2 {
		return types.String, nil
	}
	return a[2].Type(), nil
}

func decoded(a []Arg) string {
	if len(a) == 2 {
		return fill("spark_decode({0}, {1})", a)
	}
	var b strings.Builder
	b.WriteString("(CASE")
	rest := a[1:]
	for ; len(rest) > 1; rest = rest[2:] {
		b.WriteString(" WHEN " + a[0].SQL + " IS NOT DISTINCT FROM " + rest[0].SQL + " THEN " + rest[1].SQL)
	}
	if len(rest) == 1 {
		b.WriteString(" ELSE " + rest[0].SQL)
	}
	return b.String() + " END)"
}
