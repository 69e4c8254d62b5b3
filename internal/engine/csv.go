package engine

import (
	"cmp"
	"context"
	"encoding/csv"
	"errors"
	"fmt"
	"io"
	"os"
	"slices"
	"strings"

	"github.com/klauspost/compress/gzip"

	"github.com/millpond/millpond/internal/compile"
	"github.com/millpond/millpond/internal/plan"
	"github.com/millpond/millpond/internal/sparkerr"
	"github.com/millpond/millpond/internal/types"
)

// csvDialect is what the options say of a CSV file.
type csvDialect struct {
	sep, quote, escape, comment string
	nulls                       []string // what fields without quotes are null
	null                        string   // what fields are null, with or without quotes
	header, infer               bool
	multiline                   bool
	mode                        string
	timestampFormat, dateFormat string
	nan, empty                  string // what stands for these, "" for the usual
	trimLeft, trimRight         bool
	records                     lineSizes
	rows                        *lineColumn // where lines lie, nil for files
	plain                       []string    // the engine's types of columns that it may parse by itself, or ""
}

// plainType is what the engine calls the type of a column that it may parse by itself, "" for others.
func (d csvDialect) plainType(column int) string {
	if column < len(d.plain) {
		return d.plain[column]
	}
	return ""
}

func csvOptions(o map[string]string) (csvDialect, error) {
	d := csvDialect{sep: option(o, ",", "sep", "delimiter"), quote: option(o, `"`, "quote"), escape: option(o, `\`, "escape"), comment: option(o, "", "comment"),
		header: flag(o, "header"), infer: flag(o, "inferschema"), multiline: flag(o, "multiline"), mode: readMode(o),
		timestampFormat: option(o, "", "timestampformat"), dateFormat: option(o, "", "dateformat"),
		nan: option(o, "", "nanvalue"), empty: option(o, "", "emptyvalue"),
		trimLeft: flag(o, "ignoreleadingwhitespace"), trimRight: flag(o, "ignoretrailingwhitespace")}
	d.sep = strings.NewReplacer(`\t`, "\t").Replace(d.sep)
	d.nulls, d.null = []string{""}, option(o, "", "nullvalue")
	if d.null != "" {
		d.nulls = append(d.nulls, d.null)
	}
	if e := strings.ToUpper(option(o, "UTF-8", "encoding", "charset")); e != "UTF-8" && e != "UTF8" && e != "US-ASCII" {
		return d, sparkerr.Unsupported("CSV in the encoding %s", e)
	}
	if h := option(o, "false", "header"); !strings.EqualFold(h, "true") && !strings.EqualFold(h, "false") {
		return d, &sparkerr.Error{Class: sparkerr.ClassSpark, Condition: "_LEGACY_ERROR_TEMP_2147", Message: "header flag can be true or false."}
	}
	switch option(o, "\n", "linesep") {
	case "\n", "\r\n", "\r":
	default:
		return d, sparkerr.Unsupported("the CSV option lineSep")
	}
	if d.sep == "" {
		return d, sparkerr.IllegalArgument("Delimiter cannot be empty")
	}
	return d, nil
}

// quotedNulls says whether quotes without anything between them are null, too.
func (d csvDialect) quotedNulls() bool { return d.null == "" && d.empty == "" }

// table is the engine's expression that reads files as columns named c0, c1 and so on: of text, but
// for those that are plain.
func (d csvDialect) table(files []string, columns int) string {
	if d.rows != nil || d.records.quoted && !d.multiline { // where every line is a record, whatever its quotes say
		return d.lineTable(files, columns)
	}
	cols := make([]string, columns)
	for i := range cols {
		cols[i] = fmt.Sprintf("'c%d': '%s'", i, cmp.Or(d.plainType(i), "VARCHAR"))
	}
	escape := d.escape
	if d.quote == "" {
		escape = ""
	}
	out := fmt.Sprintf("read_csv(%s, auto_detect=false, delim=%s, quote=%s, escape=%s, header=%t, columns={%s}, nullstr=%s, allow_quoted_nulls=%t, hive_partitioning=false, null_padding=true, strict_mode=false",
		listSQL(files), quoteSQL(d.sep), quoteSQL(d.quote), quoteSQL(escape), d.header, strings.Join(cols, ", "), listSQL(d.nulls), d.quotedNulls())
	if d.comment != "" {
		out += ", comment=" + quoteSQL(d.comment)
	}
	if d.multiline {
		out += ", parallel=false" // a record may end in another piece of the file
	}
	return out + fmt.Sprintf(", max_line_size=%d)", d.records.limit())
}

// firstRecord reads a CSV file's first record.
func (d csvDialect) firstRecord(path string) ([]string, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, fmt.Errorf("open %s: %w", path, err)
	}
	defer f.Close()
	var in io.Reader = f
	if strings.HasSuffix(path, ".gz") {
		z, err := gzip.NewReader(f)
		if err != nil {
			return nil, sparkerr.Plain(sparkerr.ClassSpark, "[FAILED_READ_FILE.NO_HINT] Encountered error while reading file file:%s. SQLSTATE: KD001", path)
		}
		defer z.Close()
		in = z
	}
	return d.record(in)
}

// record reads the first record of a text.
func (d csvDialect) record(in io.Reader) ([]string, error) {
	rd := csv.NewReader(in)
	rd.LazyQuotes, rd.FieldsPerRecord = true, -1
	if len([]rune(d.sep)) != 1 {
		return nil, sparkerr.Unsupported("a CSV separator of several characters")
	}
	rd.Comma = []rune(d.sep)[0]
	if d.comment != "" {
		rd.Comment = []rune(d.comment)[0]
	}
	rec, err := rd.Read()
	if errors.Is(err, io.EOF) {
		return nil, nil
	}
	if err != nil {
		return nil, sparkerr.New(sparkerr.ClassSpark, "MALFORMED_CSV_RECORD", "badRecord", err.Error())
	}
	return rec, nil
}

func (s *Session) scanCSV(ctx context.Context, r *plan.Read, files []string) (*plan.Scan, error) {
	d, err := csvOptions(r.Options)
	if err != nil {
		return nil, err
	}
	want, err := userSchema(r.Schema)
	if err != nil {
		return nil, err
	}
	if len(files) == 0 {
		return emptyScan(*want), nil
	}
	key := fmt.Sprintf("csv %+v %s", d, stamp(files))
	if d.records, err = s.e.lines.get(key, func() (lineSizes, error) { return measureLines(files, d.quote, s.e.opts.Threads) }); err != nil {
		return nil, err
	}
	var schema types.Struct
	if want != nil {
		schema = *want
	} else if schema, err = s.e.files.get(key, func() (types.Struct, error) { return s.csvSchema(ctx, d, files, key) }); err != nil {
		return nil, err
	} else if d.infer {
		if d.plain, err = s.plainNumbers(d, files, key, len(schema.Fields)); err != nil {
			return nil, err
		}
	}
	if len(schema.Fields) == 0 {
		return emptyScan(schema), nil
	}
	corrupt := -1
	if want != nil {
		if corrupt, err = s.corruptColumn(schema, r.Options); err != nil {
			return nil, err
		}
	}
	return d.byMode(files, schema, corrupt), nil
}

// byMode reads files, line by line where it matters what is wrong with a record.
func (d csvDialect) byMode(files []string, schema types.Struct, corrupt int) *plan.Scan {
	if corrupt >= 0 || d.mode != "PERMISSIVE" {
		return d.strictCSV(files, schema, corrupt)
	}
	return d.scan(files, schema)
}

// trimmed takes off the blanks that are to be ignored.
func (d csvDialect) trimmed(text string) string {
	switch {
	case d.trimLeft && d.trimRight:
		return "trim(" + text + ")"
	case d.trimLeft:
		return "ltrim(" + text + ")"
	case d.trimRight:
		return "rtrim(" + text + ")"
	}
	return text
}

// names are the columns' names by a file's first record.
func (d csvDialect) names(first []string) []string {
	trimmed := make([]string, len(first))
	for i, name := range first {
		trimmed[i] = d.trimName(name)
	}
	return columnNames(trimmed, d.header)
}

// trimName is trimmed for a header.
func (d csvDialect) trimName(name string) string {
	if d.trimLeft {
		name = strings.TrimLeft(name, " ")
	}
	if d.trimRight {
		name = strings.TrimRight(name, " ")
	}
	return name
}

// timeOf reads a text by the pattern for dates or timestamps; null if it does not fit.
func (d csvDialect) timeOf(text string, t types.Type) string {
	if t == types.Date {
		return "CAST(make_timestamp(spark_try_parse_time(" + text + ", " + quoteSQL(d.dateFormat) + ", 'UTC')) AS DATE)"
	}
	return "make_timestamptz(spark_try_parse_time(" + text + ", " + quoteSQL(d.timestampFormat) + ", current_setting('TimeZone')))"
}

// candidates are the types that columns may have, tested as the options say.
func (d csvDialect) candidates() []candidate {
	out := slices.Clone(candidates)
	for i, c := range out {
		switch {
		case c.t == types.Date && d.dateFormat != "", c.t == types.Timestamp && d.timestampFormat != "":
			out[i].test = d.timeOf("v", c.t) + " IS NOT NULL"
		case c.t == types.Double && d.nan != "":
			out[i].test = "(v = " + quoteSQL(d.nan) + " OR " + c.test + ")"
		}
		out[i].test = valueWord.ReplaceAllString(out[i].test, d.trimmed("v"))
	}
	return out
}

// text is a field of strings: the readers leave empty what was nothing between quotes.
func (d csvDialect) text(field string) string {
	if d.empty != "" {
		field = "(CASE WHEN " + field + " = '' THEN " + quoteSQL(d.empty) + " ELSE " + field + " END)"
	}
	if d.null != "" {
		field = "nullif(" + field + ", " + quoteSQL(d.null) + ")"
	}
	return field
}

// field converts a text field as Spark's CSV reader does: what does not fit is null, or fails
// the query in FAILFAST mode.
func (d csvDialect) field(text string, t types.Type) string {
	text = d.trimmed(text)
	switch {
	case types.IsString(t):
		return d.text(text)
	case t == types.Date && d.dateFormat != "", t == types.Timestamp && d.timestampFormat != "":
		return d.timeOf(text, t)
	case types.IsFractional(t) && d.nan != "":
		return "(CASE WHEN " + text + " = " + quoteSQL(d.nan) + " THEN 'NaN' ELSE TRY_CAST(" + text + " AS " + compile.TypeSQL(t) + ") END)"
	}
	sql := "TRY_CAST(" + text + " AS " + compile.TypeSQL(t) + ")"
	if types.IsIntegral(t) {
		sql = "(CASE WHEN contains(" + text + ", '.') THEN NULL ELSE " + sql + " END)"
	}
	return sql
}

// plainNumbers finds the plain columns, once for each state of the files.
func (s *Session) plainNumbers(d csvDialect, files []string, key string, columns int) ([]string, error) {
	return s.e.plain.get(key, func() ([]string, error) { return d.plainNumbers(files, columns, s.e.opts.Threads) })
}

// csvSchema infers the schema of files, whose state has a key.
func (s *Session) csvSchema(ctx context.Context, d csvDialect, files []string, key string) (types.Struct, error) {
	var first []string
	for _, f := range files {
		rec, err := d.firstRecord(f)
		if err != nil {
			return types.Struct{}, err
		}
		if rec != nil {
			first = rec
			break
		}
	}
	if first == nil {
		return types.Struct{}, nil
	}
	schema := textColumns(d.names(first))
	if !d.infer {
		return schema, nil
	}
	var err error
	if d.plain, err = s.plainNumbers(d, files, key, len(first)); err != nil {
		return types.Struct{}, err
	}
	found, err := s.guessText(ctx, d, files, len(first))
	if err != nil {
		return types.Struct{}, err
	}
	typed := func() types.Struct {
		for i := range schema.Fields {
			schema.Fields[i].Type = found[i].t
		}
		return schema
	}
	if s.copyConfirms(ctx, d, files, typed(), found) {
		return schema, nil
	}
	d.plain = nil // the tests are of text
	err = s.confirmText(ctx, table{d.table(files, len(first)), nil}, found, d.candidates())
	return typed(), err
}

// copyConfirms copies the rows of files while it checks guesses of their types: the types cannot be
// told without reading every row, which then need not be read again.
func (s *Session) copyConfirms(ctx context.Context, d csvDialect, files []string, schema types.Struct, found []guess) bool {
	doubts := []string{"false"}
	for i, g := range found {
		if d.plainType(i) == "" {
			doubts = append(doubts, g.doubt(i, d.candidates()))
		}
	}
	scan := d.scan(files, schema)
	copyable(scan)
	return s.scans().confirm(ctx, scan, strings.Join(doubts, " OR "))
}

// scan reads files as columns of a schema; what does not fit is null.
func (d csvDialect) scan(files []string, schema types.Struct) *plan.Scan {
	scan := &plan.Scan{SQL: d.table(files, len(schema.Fields)), Attrs: attrsOf(schema), Format: "csv", Files: files}
	for i, f := range schema.Fields {
		source := fmt.Sprintf("c%d", i)
		if d.plainType(i) == "" {
			source = d.field(source, f.Type)
		}
		scan.Source = append(scan.Source, source)
	}
	return scan
}

func textColumns(names []string) types.Struct {
	schema := types.Struct{}
	for _, name := range names {
		schema.Fields = append(schema.Fields, types.Field{Name: name, Type: types.String, Nullable: true})
	}
	return schema
}

// columnNames makes names of a header: empty ones are _c0 and so on, repeated ones get their place.
func columnNames(first []string, header bool) []string {
	out := make([]string, len(first))
	count := map[string]int{}
	for _, n := range first {
		count[strings.ToLower(n)]++
	}
	for i, n := range first {
		n = strings.TrimPrefix(n, "\ufeff")
		switch {
		case !header || n == "":
			out[i] = fmt.Sprintf("_c%d", i)
		case count[strings.ToLower(n)] > 1:
			out[i] = fmt.Sprintf("%s%d", n, i)
		default:
			out[i] = n
		}
	}
	return out
}
