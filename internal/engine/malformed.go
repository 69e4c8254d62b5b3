package engine

import (
	"fmt"
	"regexp"
	"strings"

	"github.com/millpond/millpond/internal/plan"
	"github.com/millpond/millpond/internal/sparkerr"
	"github.com/millpond/millpond/internal/types"
)

// corruptColumn finds the column that is to hold the text of malformed records, or -1.
func (s *Session) corruptColumn(schema types.Struct, options map[string]string) (int, error) {
	name := s.corruptName(options)
	i := schema.Index(name)
	if i >= 0 && !types.IsString(schema.Fields[i].Type) {
		return -1, sparkerr.Analysis("INVALID_CORRUPT_RECORD_TYPE", "columnName", types.Quote(name), "actualType", `"`+schema.Fields[i].Type.SQL()+`"`)
	}
	return i, nil
}

func (s *Session) corruptName(options map[string]string) string {
	name, _ := s.Conf.Get("spark.sql.columnNameOfCorruptRecord")
	return option(options, name, "columnnameofcorruptrecord")
}

// readMode is how a reader takes malformed records; what is no mode is PERMISSIVE.
func readMode(options map[string]string) string {
	switch mode := strings.ToUpper(options["mode"]); mode {
	case "DROPMALFORMED", "FAILFAST":
		return mode
	}
	return "PERMISSIVE"
}

// strictCSV reads CSV line by line, where what is wrong with a record matters: in the modes
// DROPMALFORMED and FAILFAST, and where a column is to hold malformed records. A record is
// malformed if it has another number of fields than the schema, or one that does not convert.
func (d csvDialect) strictCSV(files []string, schema types.Struct, corrupt int) *plan.Scan {
	loose := d
	loose.mode = "PERMISSIVE"
	var fields []types.Field
	for i, f := range schema.Fields {
		if i != corrupt {
			fields = append(fields, f)
		}
	}
	texts := make([]string, len(fields))
	wrong := []string{fmt.Sprintf("len(t) <> %d", len(fields))}
	for i := range fields {
		texts[i] = fmt.Sprintf("%s AS c%d", d.token(fmt.Sprintf("t[%d]", i+1)), i)
	}
	values := make([]string, len(fields))
	for i, f := range fields {
		values[i] = loose.field(fmt.Sprintf("c%d", i), f.Type)
		if !types.IsString(f.Type) {
			wrong = append(wrong, fmt.Sprintf("(c%d IS NOT NULL AND %s IS NULL)", i, values[i]))
		}
	}
	bad := "(" + strings.Join(wrong, " OR ") + ")"
	from := "(SELECT *, " + strings.Join(texts, ", ") + " FROM (SELECT line, filename, " + d.split("line") + " AS t FROM " + d.lines(files) + ")) r"
	switch d.mode {
	case "DROPMALFORMED":
		from = "(SELECT * FROM " + from + " WHERE NOT " + bad + ") r"
	case "FAILFAST":
		from = "(SELECT * FROM " + from + " WHERE (CASE WHEN " + bad + " THEN " + d.rows.malformed(len(fields)) + " ELSE true END)) r"
	}
	scan := &plan.Scan{SQL: from, Attrs: attrsOf(schema)}
	if corrupt >= 0 {
		scan.Corrupt = schema.Fields[corrupt].Name
	}
	k := 0
	for i := range schema.Fields {
		if i == corrupt {
			scan.Source = append(scan.Source, "(CASE WHEN "+bad+" THEN line END)")
			continue
		}
		scan.Source = append(scan.Source, values[k])
		k++
	}
	return scan
}

// lineTable is table for files whose quotes go on over ends of lines: a line is a record all the same.
func (d csvDialect) lineTable(files []string, columns int) string {
	cols := make([]string, columns)
	for i := range cols {
		cols[i] = fmt.Sprintf("%s AS c%d", d.token(fmt.Sprintf("t[%d]", i+1)), i)
	}
	return "(SELECT filename, " + strings.Join(cols, ", ") + " FROM (SELECT filename, " + d.split("line") + " AS t FROM " + d.lines(files) + ")) r"
}

// lines is the engine's expression that reads files line by line, without headers and comments.
func (d csvDialect) lines(files []string) string {
	where := " WHERE line IS NOT NULL AND trim(line) <> ''"
	from := plan.LinesMark
	if d.rows == nil {
		from = lineReader(files, d.header, d.records.limit())
	} else if d.header {
		where += " AND line <> " + quoteSQL(d.rows.header)
	}
	if d.comment != "" {
		where += " AND NOT starts_with(line, " + quoteSQL(d.comment) + ")"
	}
	return "(SELECT line, filename FROM " + from + where + ")"
}

// lineReader is the engine's expression that reads files as lines of text.
func lineReader(files []string, header bool, longest int) string {
	return fmt.Sprintf(`read_csv(%s, auto_detect=false, delim=E'\x01', quote='', escape='', header=%t, columns={'line': 'VARCHAR'}, filename=true, hive_partitioning=false, strict_mode=false, null_padding=true, max_line_size=%d)`,
		listSQL(files), header, longest)
}

// split cuts a line at the separators outside of quotes.
func (d csvDialect) split(line string) string {
	sep := regexp.QuoteMeta(d.sep)
	plain := `[^` + charClass(d.sep) + `]*`
	if len([]rune(d.sep)) > 1 {
		plain = `.*?`
	}
	token := plain
	if d.quote != "" { // quotes that nobody closes hold the rest of the line
		token = d.opened() + regexp.QuoteMeta(d.quote) + plain + `|` + d.opened() + `|` + plain
	}
	return fmt.Sprintf("regexp_extract_all(%s || %s, %s, 1)", line, quoteSQL(d.sep), quoteSQL("("+token+")"+sep))
}

// unescaped is what stands between a field's quotes. A field with a quote there that nothing escapes is
// left as it is, with its quotes.
func (d csvDialect) unescaped(inner, whole string) string {
	q := quoteSQL(d.quote)
	if d.escape == "" || d.escape == d.quote {
		return fmt.Sprintf("replace(%s, %s, %s)", inner, quoteSQL(d.quote+d.quote), q)
	}
	special := regexp.QuoteMeta(d.escape)
	sound := "(?s)(?:[^" + charClass(d.quote+d.escape) + "]|" + special + ".)*"
	return fmt.Sprintf("(CASE WHEN NOT contains(%[1]s, %[2]s) AND NOT contains(%[1]s, %[3]s) THEN %[1]s WHEN regexp_full_match(%[1]s, %[4]s) THEN regexp_replace(%[1]s, %[5]s, '\\1', 'g') ELSE %[6]s END)",
		inner, quoteSQL(d.escape), q, quoteSQL(sound), quoteSQL(special+"(["+charClass(d.quote+d.escape)+"])"), whole)
}

// opened is the pattern of a quote and what it holds, up to the quote that closes it.
func (d csvDialect) opened() string {
	q := regexp.QuoteMeta(d.quote)
	inside := `[^` + charClass(d.quote+d.escape) + `]|` + q + q
	if d.escape != "" {
		inside += `|` + regexp.QuoteMeta(d.escape) + `.`
	}
	return q + `(?:` + inside + `)*`
}

// charClass escapes characters for a regular expression's [...].
func charClass(s string) string {
	var b strings.Builder
	for _, r := range s {
		if strings.ContainsRune(`\]^-[`, r) {
			b.WriteByte('\\')
		}
		b.WriteRune(r)
	}
	return b.String()
}

// token gives a field's text: unquoted, and null where it is empty or says null.
func (d csvDialect) token(t string) string {
	null := t
	for _, n := range d.nulls {
		null = fmt.Sprintf("nullif(%s, %s)", null, quoteSQL(n))
	}
	if d.quote == "" {
		return null
	}
	q := quoteSQL(d.quote)
	unescaped := func(inner string) string {
		inner = d.unescaped(inner, t)
		if d.quotedNulls() {
			inner = "nullif(" + inner + ", '')"
		}
		return inner
	}
	return fmt.Sprintf("(CASE WHEN NOT starts_with(%s, %s) THEN %s WHEN length(%s) >= 2 AND ends_with(%s, %s) THEN %s WHEN regexp_full_match(%s, %s) THEN %s ELSE %s END)",
		t, q, null, t, t, q, unescaped(fmt.Sprintf("%s[2:length(%s) - 1]", t, t)), t, quoteSQL(d.opened()), unescaped(t+"[2:]"), null)
}
