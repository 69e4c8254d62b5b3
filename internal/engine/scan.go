package engine

import (
	"context"
	"encoding/csv"
	"errors"
	"fmt"
	"io"
	"os"
	"sort"
	"strings"
	"sync"

	"github.com/apache/arrow-go/v18/parquet/file"
	"github.com/apache/arrow-go/v18/parquet/pqarrow"
	"github.com/klauspost/compress/gzip"

	"github.com/millpond/millpond/internal/compile"
	"github.com/millpond/millpond/internal/plan"
	"github.com/millpond/millpond/internal/sparkerr"
	"github.com/millpond/millpond/internal/types"
)

// fileCache remembers what was found out about files until they change: schemas, and how they lie.
type fileCache[V any] struct {
	mu   sync.Mutex
	seen map[string]V
}

func (f *fileCache[V]) get(key string, find func() (V, error)) (V, error) {
	f.mu.Lock()
	s, ok := f.seen[key]
	f.mu.Unlock()
	if ok {
		return s, nil
	}
	s, err := find()
	if err != nil {
		return s, err
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.seen == nil || len(f.seen) > 1000 {
		f.seen = map[string]V{}
	}
	f.seen[key] = s
	return s, nil
}

// formats are the data sources: how each turns files into a table expression of the engine.
var formats = map[string]func(*Session, context.Context, *plan.Read, []string) (*plan.Scan, error){
	"csv": (*Session).scanCSV, "parquet": (*Session).scanParquet, "json": (*Session).scanJSON, "text": (*Session).scanText,
}

func (s *Session) scan(ctx context.Context, r *plan.Read) (*plan.Scan, error) {
	format := strings.ToLower(r.Format)
	if format == "" {
		format = "parquet"
	}
	open, ok := formats[format]
	if !ok {
		return nil, sparkerr.New(sparkerr.ClassClassNotFound, "DATA_SOURCE_NOT_FOUND", "provider", r.Format)
	}
	paths := r.Paths
	if p := r.Options["path"]; p != "" && len(paths) == 0 {
		paths = []string{p}
	}
	files, err := dataFiles(paths)
	if err != nil {
		return nil, err
	}
	if len(files) == 0 && r.Schema == "" {
		return nil, sparkerr.Analysis("UNABLE_TO_INFER_SCHEMA", "format", strings.ToUpper(format[:1])+format[1:])
	}
	bySize(files)
	scan, err := open(s, ctx, r, files)
	if err != nil {
		return nil, err
	}
	scan.Format, scan.Files = format, files
	copyable(scan)
	return scan, nil
}

// bySize puts larger files first, as Spark reads them: rows without an order come in that of the files.
func bySize(files []string) {
	sizes := make(map[string]int64, len(files))
	for _, f := range files {
		if info, err := os.Stat(f); err == nil {
			sizes[f] = info.Size()
		}
	}
	sort.SliceStable(files, func(i, j int) bool { return sizes[files[i]] > sizes[files[j]] })
}

func userSchema(text string) (*types.Struct, error) {
	if text == "" {
		return nil, nil
	}
	t, err := types.FromJSON([]byte(text))
	if err != nil {
		if t, err = types.ParseDDL(text); err != nil {
			if unknown := (*types.UnknownTypeError)(nil); errors.As(err, &unknown) {
				return nil, sparkerr.New(sparkerr.ClassParse, "UNSUPPORTED_DATATYPE", "typeName", `"`+strings.ToUpper(unknown.Name)+`"`)
			}
			return nil, sparkerr.New(sparkerr.ClassParse, "INVALID_SCHEMA.PARSE_ERROR", "inputSchema", quoteName(text), "reason", err.Error())
		}
	}
	st, ok := t.(types.Struct)
	if !ok {
		return nil, sparkerr.New(sparkerr.ClassParse, "INVALID_SCHEMA.PARSE_ERROR", "inputSchema", quoteName(text), "reason", "not a struct")
	}
	for i := range st.Fields { // files promise nothing
		st.Fields[i].Nullable = true
	}
	return &st, nil
}

func attrsOf(s types.Struct) []plan.Attr {
	out := make([]plan.Attr, len(s.Fields))
	for i, f := range s.Fields {
		out[i] = plan.Attr{Name: f.Name, Type: f.Type, Nullable: true, Metadata: f.Metadata}
	}
	return out
}

// csvDialect is what the options say of a CSV file.
type csvDialect struct {
	sep, quote, escape, comment string
	nulls                       []string
	header, infer               bool
	multiline                   bool
	mode                        string
	timestampFormat, dateFormat string
	trimLeft, trimRight         bool
	records                     csvLines
}

func option(o map[string]string, def string, names ...string) string {
	for _, n := range names {
		if v, ok := o[n]; ok {
			return v
		}
	}
	return def
}

func flag(o map[string]string, name string) bool { return strings.EqualFold(o[name], "true") }

func csvOptions(o map[string]string) (csvDialect, error) {
	d := csvDialect{sep: option(o, ",", "sep", "delimiter"), quote: option(o, `"`, "quote"), escape: option(o, `\`, "escape"), comment: option(o, "", "comment"),
		header: flag(o, "header"), infer: flag(o, "inferschema"), multiline: flag(o, "multiline"), mode: strings.ToUpper(option(o, "PERMISSIVE", "mode")),
		timestampFormat: option(o, "", "timestampformat"), dateFormat: option(o, "", "dateformat"),
		trimLeft: flag(o, "ignoreleadingwhitespace"), trimRight: flag(o, "ignoretrailingwhitespace")}
	d.sep = strings.NewReplacer(`\t`, "\t").Replace(d.sep)
	d.nulls = []string{""}
	if n := option(o, "", "nullvalue"); n != "" {
		d.nulls = append(d.nulls, n)
	}
	if e := strings.ToUpper(option(o, "UTF-8", "encoding", "charset")); e != "UTF-8" && e != "UTF8" && e != "US-ASCII" {
		return d, sparkerr.Unsupported("CSV in the encoding %s", e)
	}
	if d.sep == "" {
		return d, sparkerr.IllegalArgument("Delimiter cannot be empty")
	}
	if d.timestampFormat != "" || d.dateFormat != "" {
		return d, sparkerr.Unsupported("the CSV options timestampFormat and dateFormat")
	}
	return d, nil
}

// table is the engine's expression that reads files as text columns named c0, c1 and so on.
func (d csvDialect) table(files []string, columns int) string {
	if d.records.quoted && !d.multiline { // where every line is a record, whatever its quotes say
		return d.lineTable(files, columns)
	}
	cols := make([]string, columns)
	for i := range cols {
		cols[i] = fmt.Sprintf("'c%d': 'VARCHAR'", i)
	}
	escape := d.escape
	if d.quote == "" {
		escape = ""
	}
	out := fmt.Sprintf("read_csv(%s, auto_detect=false, delim=%s, quote=%s, escape=%s, header=%t, columns={%s}, nullstr=%s, allow_quoted_nulls=false, null_padding=true, strict_mode=false",
		listSQL(files), quoteSQL(d.sep), quoteSQL(d.quote), quoteSQL(escape), d.header, strings.Join(cols, ", "), listSQL(d.nulls))
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
	if d.records, err = s.e.lines.get(key, func() (csvLines, error) { return d.measure(files) }); err != nil {
		return nil, err
	}
	var schema types.Struct
	if want != nil {
		schema = *want
	} else if schema, err = s.e.files.get(key, func() (types.Struct, error) { return s.csvSchema(ctx, d, files) }); err != nil {
		return nil, err
	}
	if len(schema.Fields) == 0 {
		return emptyScan(schema), nil
	}
	corrupt := -1
	if want != nil {
		corrupt = corruptColumn(schema, r.Options)
	}
	if corrupt >= 0 || d.mode == "DROPMALFORMED" || d.mode == "FAILFAST" {
		return d.strictCSV(files, schema, corrupt), nil
	}
	return d.scan(files, schema), nil
}

func emptyScan(schema types.Struct) *plan.Scan {
	scan := &plan.Scan{SQL: "(SELECT 1 WHERE false) t", Attrs: attrsOf(schema)}
	for _, f := range schema.Fields {
		scan.Source = append(scan.Source, "CAST(NULL AS "+compile.TypeSQL(f.Type)+")")
	}
	return scan
}

// field converts a text field as Spark's CSV reader does: what does not fit is null, or fails
// the query in FAILFAST mode.
func (d csvDialect) field(text string, t types.Type) string {
	switch {
	case d.trimLeft && d.trimRight:
		text = "trim(" + text + ")"
	case d.trimLeft:
		text = "ltrim(" + text + ")"
	case d.trimRight:
		text = "rtrim(" + text + ")"
	}
	if types.IsString(t) {
		return text
	}
	sql := "TRY_CAST(" + text + " AS " + compile.TypeSQL(t) + ")"
	if types.IsIntegral(t) {
		sql = "(CASE WHEN contains(" + text + ", '.') THEN NULL ELSE " + sql + " END)"
	}
	return sql
}

func (s *Session) csvSchema(ctx context.Context, d csvDialect, files []string) (types.Struct, error) {
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
	schema := types.Struct{}
	for _, name := range columnNames(first, d.header) {
		schema.Fields = append(schema.Fields, types.Field{Name: name, Type: types.String, Nullable: true})
	}
	if !d.infer {
		return schema, nil
	}
	table := d.table(files, len(first))
	found, err := s.guessText(ctx, table, len(first))
	if err != nil {
		return types.Struct{}, err
	}
	typed := func() types.Struct {
		for i := range schema.Fields {
			schema.Fields[i].Type = found[i].t
		}
		return schema
	}
	if s.copyConfirms(ctx, d.scan(files, typed()), found) {
		return schema, nil
	}
	err = s.confirmText(ctx, table, found)
	return typed(), err
}

// copyConfirms copies the rows of files while it checks guesses of their types: the types cannot be
// told without reading every row, which then need not be read again.
func (s *Session) copyConfirms(ctx context.Context, scan *plan.Scan, found []guess) bool {
	doubts := make([]string, len(found))
	for i, g := range found {
		doubts[i] = g.doubt(i)
	}
	copyable(scan)
	return s.scans().confirm(ctx, scan, strings.Join(doubts, " OR "))
}

// scan reads files as columns of a schema; what does not fit is null.
func (d csvDialect) scan(files []string, schema types.Struct) *plan.Scan {
	scan := &plan.Scan{SQL: d.table(files, len(schema.Fields)), Attrs: attrsOf(schema), Format: "csv", Files: files}
	for i, f := range schema.Fields {
		scan.Source = append(scan.Source, d.field(fmt.Sprintf("c%d", i), f.Type))
	}
	return scan
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

func (s *Session) scanParquet(_ context.Context, r *plan.Read, files []string) (*plan.Scan, error) {
	want, err := userSchema(r.Schema)
	if err != nil {
		return nil, err
	}
	if len(files) == 0 {
		return emptyScan(*want), nil
	}
	merge := flag(r.Options, "mergeschema")
	schema, err := s.e.files.get(fmt.Sprintf("parquet %t %s", merge, stamp(files)), func() (types.Struct, error) { return parquetSchemas(files, merge) })
	if err != nil {
		return nil, err
	}
	roots, _ := localRoots(r.Paths)
	keys := partitions(roots, files)
	table := fmt.Sprintf("read_parquet(%s, union_by_name=%t, hive_partitioning=%t)", listSQL(files), len(files) > 1, len(keys) > 0)
	for _, k := range keys {
		if schema.Index(k) < 0 {
			schema.Fields = append(append([]types.Field{}, schema.Fields...), types.Field{Name: k, Type: partitionType(files, k), Nullable: true})
		}
	}
	scan := &plan.Scan{SQL: table}
	if want != nil {
		schema = *want
	}
	for _, f := range schema.Fields {
		scan.Source = append(scan.Source, "CAST("+quoteName(f.Name)+" AS "+fileTypeSQL(f.Type)+")")
	}
	scan.Attrs = attrsOf(schema)
	return scan, nil
}

// parquetSchemas is the first file's schema, with the columns of the others where they are to be merged.
func parquetSchemas(files []string, merge bool) (types.Struct, error) {
	schema, err := parquetSchema(files[0])
	if err != nil || !merge {
		return schema, err
	}
	for _, f := range files[1:] {
		more, err := parquetSchema(f)
		if err != nil {
			return schema, err
		}
		for _, field := range more.Fields {
			if schema.Index(field.Name) < 0 {
				schema.Fields = append(schema.Fields, field)
			}
		}
	}
	return schema, nil
}

// fileTypeSQL is compile.TypeSQL with the struct fields called as in the file.
func fileTypeSQL(t types.Type) string {
	switch t := t.(type) {
	case types.Array:
		return fileTypeSQL(t.Elem) + "[]"
	case types.Map:
		return "MAP(" + fileTypeSQL(t.Key) + ", " + fileTypeSQL(t.Value) + ")"
	case types.Struct:
		parts := make([]string, len(t.Fields))
		for i, f := range t.Fields {
			parts[i] = quoteName(f.Name) + " " + fileTypeSQL(f.Type)
		}
		return "STRUCT(" + strings.Join(parts, ", ") + ")"
	case *types.UDT:
		return fileTypeSQL(t.SQLType)
	}
	return compile.TypeSQL(t)
}

func localRoots(paths []string) ([]string, error) {
	var out []string
	for _, p := range paths {
		l, err := localPath(p)
		if err != nil {
			return nil, err
		}
		out = append(out, l)
	}
	return out, nil
}

// partitionType is int if every value of a partition key is a whole number, else string.
func partitionType(files []string, key string) types.Type {
	for _, f := range files {
		_, rest, _ := strings.Cut(f, "/"+key+"=")
		value, _, _ := strings.Cut(rest, "/")
		for _, c := range value {
			if c < '0' || c > '9' {
				return types.String
			}
		}
	}
	return types.Int
}

const sparkRowMetadata = "org.apache.spark.sql.parquet.row.metadata"

// parquetSchema reads a file's footer: Spark's own schema where Spark wrote it.
func parquetSchema(path string) (types.Struct, error) {
	rd, err := file.OpenParquetFile(path, false)
	if err != nil {
		return types.Struct{}, sparkerr.New(sparkerr.ClassSpark, "FAILED_READ_FILE.CANNOT_READ_FILE_FOOTER", "path", "file:"+path)
	}
	defer rd.Close()
	if kv := rd.MetaData().KeyValueMetadata(); kv != nil {
		if text := kv.FindValue(sparkRowMetadata); text != nil {
			if t, err := types.FromJSON([]byte(*text)); err == nil {
				if st, ok := t.(types.Struct); ok {
					return st, nil
				}
			}
		}
	}
	a, err := pqarrow.FromParquet(rd.MetaData().Schema, nil, nil)
	if err != nil {
		return types.Struct{}, fmt.Errorf("schema of %s: %w", path, err)
	}
	return types.SchemaFromArrow(a)
}

func (s *Session) scanJSON(ctx context.Context, r *plan.Read, files []string) (*plan.Scan, error) {
	want, err := userSchema(r.Schema)
	if err != nil {
		return nil, err
	}
	if len(files) == 0 {
		return emptyScan(*want), nil
	}
	format := "newline_delimited"
	if flag(r.Options, "multiline") {
		format = "auto"
	}
	var schema types.Struct
	if want != nil {
		schema = *want
	} else if schema, err = s.e.files.get("json "+format+stamp(files), func() (types.Struct, error) { return s.jsonSchema(ctx, files, format) }); err != nil {
		return nil, err
	}
	cols := make([]string, len(schema.Fields))
	scan := &plan.Scan{Attrs: attrsOf(schema)}
	for i, f := range schema.Fields {
		cols[i] = quoteSQL(f.Name) + ": " + quoteSQL(fileTypeSQL(f.Type))
		scan.Source = append(scan.Source, quoteName(f.Name))
	}
	scan.SQL = fmt.Sprintf("read_json(%s, format='%s', columns={%s}, ignore_errors=%t)", listSQL(files), format, strings.Join(cols, ", "), format == "newline_delimited")
	return scan, nil
}

func (s *Session) jsonSchema(ctx context.Context, files []string, format string) (types.Struct, error) {
	names, kinds, err := s.describe(ctx, fmt.Sprintf("SELECT * FROM read_json(%s, format='%s', sample_size=-1, convert_strings_to_integers=false, maximum_depth=-1)", listSQL(files), format))
	if err != nil {
		return types.Struct{}, err
	}
	schema := types.Struct{}
	for i := range names {
		t, err := engineType(kinds[i])
		if err != nil {
			return types.Struct{}, err
		}
		schema.Fields = append(schema.Fields, types.Field{Name: names[i], Type: t, Nullable: true})
	}
	sort.Slice(schema.Fields, func(i, j int) bool { return schema.Fields[i].Name < schema.Fields[j].Name })
	return schema, nil
}

// scanText makes a row a line.
func (s *Session) scanText(_ context.Context, r *plan.Read, files []string) (*plan.Scan, error) {
	lines := `unnest(string_split(regexp_replace(replace(content, E'\r\n', E'\n'), E'\n$', ''), E'\n'))`
	if flag(r.Options, "wholetext") {
		lines = "content"
	}
	name := "value"
	want, err := userSchema(r.Schema)
	if err != nil {
		return nil, err
	}
	if want != nil { // one column, called as the reader wishes
		if len(want.Fields) != 1 || !types.IsString(want.Fields[0].Type) {
			return nil, sparkerr.Plain(sparkerr.ClassAnalysis, "Text data source supports only a single column of strings, and you have %d columns.", len(want.Fields))
		}
		name = want.Fields[0].Name
	}
	if len(files) == 0 {
		return emptyScan(types.Struct{Fields: []types.Field{{Name: name, Type: types.String}}}), nil
	}
	return &plan.Scan{SQL: fmt.Sprintf("(SELECT %s AS value FROM (SELECT content FROM read_text(%s) WHERE content <> '')) t", lines, listSQL(files)),
		Source: []string{"value"}, Attrs: []plan.Attr{{Name: name, Type: types.String, Nullable: true}}}, nil
}
