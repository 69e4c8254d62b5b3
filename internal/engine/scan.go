package engine

import (
	"context"
	"errors"
	"os"
	"sort"
	"strings"
	"sync"

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
	"libsvm": (*Session).scanLibSVM, "binaryfile": (*Session).scanBinary,
}

func (s *Session) scan(ctx context.Context, r *plan.Read) (*plan.Scan, error) {
	format := strings.ToLower(r.Format)
	if format == "" {
		format = "parquet"
	}
	if formats[format] == nil {
		return nil, sparkerr.New(sparkerr.ClassClassNotFound, "DATA_SOURCE_NOT_FOUND", "provider", r.Format)
	}
	paths := r.Paths
	if p := r.Options["path"]; p != "" && len(paths) == 0 {
		paths = []string{p}
	}
	files, err := dataFiles(paths, listing{glob: r.Options["pathglobfilter"], recursive: flag(r.Options, "recursivefilelookup")})
	if err != nil {
		return nil, err
	}
	if len(files) == 0 && r.Schema == "" && format != "binaryfile" {
		return nil, sparkerr.Analysis("UNABLE_TO_INFER_SCHEMA", "format", strings.ToUpper(format[:1])+format[1:])
	}
	bySize(files)
	read := *r
	read.Paths = paths
	scan, err := s.open(ctx, &read, format, files)
	if err != nil {
		return nil, err
	}
	scan.Format, scan.Files = format, files
	if len(files) > 0 && format != "libsvm" && format != "binaryfile" {
		scan.File = "filename"
	}
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

func emptyScan(schema types.Struct) *plan.Scan {
	scan := &plan.Scan{SQL: "(SELECT 1 WHERE false) t", Attrs: attrsOf(schema)}
	for _, f := range schema.Fields {
		scan.Source = append(scan.Source, "CAST(NULL AS "+compile.TypeSQL(f.Type)+")")
	}
	return scan
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
