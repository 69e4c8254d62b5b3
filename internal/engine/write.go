package engine

import (
	"cmp"
	"context"
	"fmt"
	"net/url"
	"os"
	"path/filepath"
	"strconv"
	"strings"

	"github.com/google/uuid"

	"github.com/millpond/millpond/internal/catalog"
	"github.com/millpond/millpond/internal/evidence"
	"github.com/millpond/millpond/internal/execute"
	"github.com/millpond/millpond/internal/plan"
	"github.com/millpond/millpond/internal/sparkerr"
	"github.com/millpond/millpond/internal/types"
)

// WriteRequest is a DataFrame's write: to a path or to a table of the warehouse.
type WriteRequest struct {
	Input      plan.Relation
	Format     string
	Path       string
	Table      string
	Mode       string // append, overwrite, error, ignore
	Options    map[string]string
	Partitions []string
	Insert     bool     // insertInto: the table must be there
	Columns    []string // of an insert that names them
	Comment    string
	Properties map[string]string

	fits bool // the rows were fitted to a table that stays as it is
}

// fileEnding of each format that can be written.
var fileEnding = map[string]string{"parquet": ".parquet", "csv": ".csv", "json": ".json", "text": ".txt", "libsvm": ".libsvm"}

// Write writes a relation as files, whole or not at all.
func (s *Session) Write(ctx context.Context, w WriteRequest) error {
	if err := s.write(ctx, w); err != nil {
		return err
	}
	s.tell(func() evidence.Event {
		return evidence.Query{Action: "write", Target: cmp.Or(w.Table, w.Path), Rows: uncounted, Input: s.lineage(w.Input)}
	})
	return nil
}

func (s *Session) write(ctx context.Context, w WriteRequest) error {
	w.Format = strings.ToLower(w.Format)
	var entry *catalog.Table
	if w.Table != "" {
		var err error
		if entry, err = s.tableFor(ctx, &w); err != nil {
			return err
		}
	}
	if w.Format == "" {
		w.Format = "parquet"
	}
	if w.Format == "noop" {
		_, err := s.drainNode(ctx, w.Input)
		return err
	}
	if w.Format == "binaryfile" {
		return sparkerr.New(sparkerr.ClassUnsupported, "UNSUPPORTED_FEATURE.WRITE_FOR_BINARY_SOURCE")
	}
	if _, ok := fileEnding[w.Format]; !ok {
		return sparkerr.New(sparkerr.ClassClassNotFound, "DATA_SOURCE_NOT_FOUND", "provider", w.Format)
	}
	target, err := writeTarget(w, entry)
	if err != nil {
		return err
	}
	if skip, err := prepareTarget(w, target); skip || err != nil {
		return err
	}
	n, parts, err := s.partitioned(ctx, w.Input)
	if err != nil {
		return err
	}
	if err := checkWritable(w, plan.SchemaOf(n.Output())); err != nil {
		return err
	}
	c, err := compression(w)
	if err != nil {
		return err
	}
	staging := filepath.Join(filepath.Dir(target), "._millpond_"+uuid.NewString())
	if err := os.MkdirAll(staging, 0o755); err != nil {
		return fmt.Errorf("write %s: %w", target, err)
	}
	defer os.RemoveAll(staging)
	if err := s.copyTo(ctx, n, parts, w, staging, c); err != nil {
		return err
	}
	if err := publish(w, staging, target); err != nil || entry == nil || w.fits {
		return err
	}
	entry.Format = w.Format
	entry.Schema = types.ToJSON(partitionsLast(nullable(plan.SchemaOf(n.Output())), w.Partitions))
	return s.e.tables.PutTable(*entry)
}

func (s *Session) drainNode(ctx context.Context, r plan.Relation) (int64, error) {
	n, err := s.Analyze(ctx, r)
	if err != nil {
		return 0, err
	}
	batches, err := s.collect(ctx, n)
	rows := int64(0)
	for _, b := range batches {
		rows += b.NumRows()
	}
	return rows, err
}

func writeTarget(w WriteRequest, entry *catalog.Table) (string, error) {
	if entry != nil {
		return entry.Location, nil
	}
	if w.Path == "" {
		return "", sparkerr.IllegalArgument("Expected exactly one path to be specified, but got: ")
	}
	return localPath(w.Path)
}

// tableFor finds the table that is written to, and fits the rows to it if it is there already;
// a new one gets its place.
func (s *Session) tableFor(ctx context.Context, w *WriteRequest) (*catalog.Table, error) {
	database, name, err := s.place(nameParts(w.Table))
	if err != nil {
		return nil, err
	}
	if _, ok := s.e.tables.Database(database); !ok {
		return nil, schemaNotFound(database)
	}
	t, there := s.stored(database, name)
	switch {
	case !there && w.Insert:
		return nil, tableNotFound(nameParts(w.Table), s.Database())
	case there && w.Mode == "error":
		return nil, tableExists(database, name)
	case there && w.Mode == "ignore":
		return &t, nil
	case there && t.Kind == catalog.View:
		return nil, sparkerr.Unsupported("writing into the view %s", t.Name)
	case there && (w.Insert || w.Mode == "append"):
		w.Format, w.Partitions, w.Options = t.Format, t.Partitions, t.Options
		schema, err := s.storedSchema(ctx, t)
		if err != nil {
			return nil, err
		}
		w.fits = true
		return &t, s.intoTable(ctx, w, t, schema)
	}
	n := catalog.Table{Database: database, Name: name, Format: w.Format, Options: w.Options, Partitions: w.Partitions, Comment: w.Comment, Properties: w.Properties, Location: w.Path}
	return &n, s.locate(&n)
}

// prepareTarget minds what is there already: skip is true where nothing is to be written.
func prepareTarget(w WriteRequest, target string) (skip bool, err error) {
	_, statErr := os.Stat(target)
	there := statErr == nil
	switch {
	case there && w.Mode == "ignore":
		return true, nil
	case there && w.Mode == "error" && w.Table == "":
		return false, sparkerr.Analysis("PATH_ALREADY_EXISTS", "outputPath", "file:"+target)
	}
	return false, nil
}

func checkWritable(w WriteRequest, schema types.Struct) error {
	seen := map[string]bool{}
	for _, f := range schema.Fields {
		if key := strings.ToLower(f.Name); seen[key] {
			return sparkerr.Analysis("COLUMN_ALREADY_EXISTS", "columnName", types.Quote(key))
		} else {
			seen[key] = true
		}
		_, nested := types.Physical(f.Type).(*types.Basic)
		_, decimal := f.Type.(types.Decimal)
		if w.Format == "csv" && !nested && !decimal {
			return sparkerr.Analysis("UNSUPPORTED_DATA_TYPE_FOR_DATASOURCE", "format", "CSV", "columnName", types.Quote(f.Name), "columnType", `"`+f.Type.SQL()+`"`)
		}
	}
	if w.Format != "parquet" && option(w.Options, "\n", "linesep") != "\n" {
		return sparkerr.Unsupported("the option lineSep of files to write")
	}
	if w.Format == "libsvm" {
		return checkSamples(schema)
	}
	if err := checkLines(w, schema); err != nil {
		return err
	}
	for _, p := range w.Partitions {
		if schema.Index(p) < 0 {
			return sparkerr.Legacy("1155", "Partition column `<col>` not found in schema <schemaCatalog>.", "col", p, "schemaCatalog", schema.SimpleString())
		}
	}
	if n := len(w.Partitions); n > 0 && n == len(schema.Fields) {
		return sparkerr.Analysis("ALL_PARTITION_COLUMNS_NOT_ALLOWED")
	}
	return nil
}

// checkLines says whether what a text file is to hold is one column of strings.
func checkLines(w WriteRequest, schema types.Struct) error {
	if w.Format != "text" {
		return nil
	}
	n := 0
	for _, f := range schema.Fields {
		if w.inPath(f.Name) {
			continue
		}
		if !types.IsString(f.Type) {
			return sparkerr.Analysis("UNSUPPORTED_DATA_TYPE_FOR_DATASOURCE", "format", "Text", "columnName", types.Quote(f.Name), "columnType", `"`+f.Type.SQL()+`"`)
		}
		n++
	}
	if n != 1 {
		return sparkerr.Legacy("1290", "Text data source supports only a single column, and you have <schemaSize> columns.", "schemaSize", strconv.Itoa(n))
	}
	return nil
}

// copyTo has the engine write a plan's rows under a directory, each partition to files of its own.
func (s *Session) copyTo(ctx context.Context, n plan.Node, parts *execute.Parts, w WriteRequest, dir string, c codec) error {
	list := written(n.Output(), w, s.TimeZone())
	inFile := plan.SchemaOf(n.Output())
	inFile.Fields = partitionsLast(inFile, w.Partitions).Fields[:len(inFile.Fields)-len(w.Partitions)]
	options := copyOptions(w, inFile, c)
	job := uuid.NewString()
	statement := func(part int, query string) string {
		file := fmt.Sprintf("part-%05d-%s", part, job)
		target, options := filepath.Join(dir, file+"-c000"+c.ending), options
		if len(w.Partitions) > 0 {
			q := make([]string, len(w.Partitions))
			for i, p := range w.Partitions {
				q[i] = quoteName(p)
			}
			options += ", PARTITION_BY (" + strings.Join(q, ", ") + "), OVERWRITE_OR_IGNORE true, FILENAME_PATTERN " + quoteSQL(file+".c00{i}") + ", FILE_EXTENSION " + quoteSQL(c.ending[1:])
			target = dir
		}
		return "COPY (SELECT " + strings.Join(list, ", ") + " FROM (" + query + ")) TO " + quoteSQL(target) + " (" + options + ")"
	}
	var err error
	if parts != nil {
		err = s.runner().CopyParts(ctx, *parts, statement)
	} else {
		err = s.runner().Copy(ctx, n, func(query string) string { return statement(0, query) })
	}
	if err != nil || len(w.Partitions) == 0 {
		return err
	}
	return spellPartitions(dir)
}

// spellPartitions renames the directories of partitions as Spark spells their values: the engine
// escapes more characters than Spark does.
func spellPartitions(dir string) error {
	entries, err := os.ReadDir(dir)
	if err != nil {
		return fmt.Errorf("read partitions: %w", err)
	}
	for _, e := range entries {
		if !e.IsDir() {
			continue
		}
		path := filepath.Join(dir, e.Name())
		if err := spellPartitions(path); err != nil {
			return err
		}
		key, value, ok := strings.Cut(e.Name(), "=")
		plain, err := url.PathUnescape(value)
		if !ok || err != nil {
			continue
		}
		if name := key + "=" + escapePartition(plain); name != e.Name() {
			if err := os.Rename(path, filepath.Join(dir, name)); err != nil {
				return fmt.Errorf("rename partition: %w", err)
			}
		}
	}
	return nil
}

func escapePartition(value string) string {
	var b strings.Builder
	for i := range len(value) {
		if c := value[i]; c < 0x20 || c == 0x7f || strings.IndexByte("\"#%'*/:=?\\{[]^", c) >= 0 {
			fmt.Fprintf(&b, "%%%02X", c)
		} else {
			b.WriteByte(c)
		}
	}
	return b.String()
}

func nullable(s types.Struct) types.Struct {
	out := types.Struct{Fields: append([]types.Field{}, s.Fields...)}
	for i := range out.Fields {
		out.Fields[i].Nullable = true
	}
	return out
}

// exposed gives struct fields the names users know, for files.
func exposed(text string, t types.Type) string {
	switch t := types.Physical(t).(type) {
	case types.Struct:
		parts := make([]string, len(t.Fields))
		for i, f := range t.Fields {
			parts[i] = quoteName(f.Name) + " := " + exposed(fmt.Sprintf("struct_extract_at(%s, %d)", text, i+1), f.Type)
		}
		return "(CASE WHEN " + text + " IS NOT NULL THEN struct_pack(" + strings.Join(parts, ", ") + ") END)"
	case types.Array:
		if _, nested := types.Physical(t.Elem).(types.Struct); nested {
			return "list_transform(" + text + ", lambda e: " + exposed("e", t.Elem) + ")"
		}
	}
	return text
}

// publish puts finished files in place.
func publish(w WriteRequest, staging, target string) error {
	if err := os.WriteFile(filepath.Join(staging, "_SUCCESS"), nil, 0o644); err != nil {
		return fmt.Errorf("write %s: %w", target, err)
	}
	if w.Mode == "append" {
		if _, err := os.Stat(target); err == nil {
			return moveInto(staging, target)
		}
	}
	if err := os.MkdirAll(filepath.Dir(target), 0o755); err != nil {
		return fmt.Errorf("write %s: %w", target, err)
	}
	if err := os.RemoveAll(target); err != nil {
		return fmt.Errorf("replace %s: %w", target, err)
	}
	if err := os.Rename(staging, target); err != nil {
		return fmt.Errorf("write %s: %w", target, err)
	}
	return nil
}

func moveInto(from, to string) error {
	return filepath.WalkDir(from, func(p string, d os.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		rel, err := filepath.Rel(from, p)
		if err != nil {
			return err
		}
		dest := filepath.Join(to, rel)
		if err := os.MkdirAll(filepath.Dir(dest), 0o755); err != nil {
			return err
		}
		return os.Rename(p, dest)
	})
}
