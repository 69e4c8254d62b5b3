package engine

import (
	"context"
	"net/url"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/millpond/millpond/internal/compile"
	"github.com/millpond/millpond/internal/plan"
	"github.com/millpond/millpond/internal/sparkerr"
	"github.com/millpond/millpond/internal/types"
)

// noPartition is the value of a directory that holds the rows without one.
const noPartition = "__HIVE_DEFAULT_PARTITION__"

// partitions gives the key=value directories between the roots of a read and its files, in order of the keys.
func partitions(r *plan.Read, files []string) []string {
	if len(files) == 0 {
		return nil
	}
	roots := r.Paths
	if base := r.Options["basepath"]; base != "" {
		roots = []string{base}
	}
	var keys []string
	for _, part := range strings.Split(filepath.Dir(files[0]), string(filepath.Separator)) {
		if k, _, ok := strings.Cut(part, "="); ok && k != "" && !insideRoot(roots, part) {
			keys = append(keys, k)
		}
	}
	return keys
}

func insideRoot(roots []string, part string) bool {
	for _, r := range roots {
		if strings.Contains(r, part) {
			return true
		}
	}
	return false
}

// lined are the formats whose readers know nothing of directories.
var lined = map[string]bool{"csv": true, "json": true, "text": true}

// open opens files in a format. The key=value directories that text files lie in are columns behind
// those that are in the files.
func (s *Session) open(ctx context.Context, r *plan.Read, format string, files []string) (*plan.Scan, error) {
	keys := partitions(r, files)
	if !lined[format] || len(keys) == 0 {
		return formats[format](s, ctx, r, files)
	}
	want, err := userSchema(r.Schema)
	if err != nil {
		return nil, err
	}
	inFiles := *r
	if want != nil {
		inFiles.Schema = types.ToJSON(without(*want, keys))
	}
	scan, err := formats[format](s, ctx, &inFiles, files)
	if err != nil {
		return nil, err
	}
	for _, f := range partitionFields(want, files, keys) {
		if plan.SchemaOf(scan.Attrs).Index(f.Name) >= 0 {
			return nil, sparkerr.Unsupported("a column %s that is in the files and in their directories' names", f.Name)
		}
		scan.Attrs, scan.Source = append(scan.Attrs, plan.Attr{Name: f.Name, Type: f.Type, Nullable: true}), append(scan.Source, partitionValue(f.Name, f.Type))
	}
	return scan, nil
}

// partitionFields are the columns of directories, in the types that the reader wants, if it says so.
func partitionFields(want *types.Struct, files, keys []string) []types.Field {
	out := make([]types.Field, len(keys))
	for i, key := range keys {
		out[i] = types.Field{Name: key, Nullable: true}
		if want != nil && want.Index(key) >= 0 {
			out[i].Type = want.Fields[want.Index(key)].Type
		} else {
			out[i].Type = partitionType(files, key)
		}
	}
	return out
}

func partitionValue(key string, t types.Type) string {
	text := "nullif(url_decode(regexp_extract(filename, " + quoteSQL("/"+regexp.QuoteMeta(key)+"=([^/]*)/") + ", 1)), " + quoteSQL(noPartition) + ")"
	return "CAST(" + text + " AS " + compile.TypeSQL(t) + ")"
}

// without leaves out the columns of some names.
func without(s types.Struct, names []string) types.Struct {
	return types.Struct{Fields: slices.DeleteFunc(slices.Clone(s.Fields), func(f types.Field) bool { return keyIndex(names, f.Name) >= 0 })}
}

func keyIndex(keys []string, name string) int {
	for i, k := range keys {
		if strings.EqualFold(k, name) {
			return i
		}
	}
	return -1
}

// partitionKinds are the types that the values of a key are tried as, in Spark's order.
var partitionKinds = []struct {
	t    types.Type
	fits func(string) bool
}{
	{types.Int, func(v string) bool { _, err := strconv.ParseInt(v, 10, 32); return err == nil }},
	{types.Long, func(v string) bool { _, err := strconv.ParseInt(v, 10, 64); return err == nil }},
	{types.Double, func(v string) bool { _, err := strconv.ParseFloat(v, 64); return err == nil }},
	{types.Date, func(v string) bool { _, err := time.Parse("2006-01-02", v); return err == nil }},
	{types.Timestamp, func(v string) bool {
		_, long := time.Parse("2006-01-02 15:04:05", v)
		_, short := time.Parse("2006-01-02", v)
		return long == nil || short == nil
	}},
}

// partitionType is the first type that every value of a partition key has, else string.
func partitionType(files []string, key string) types.Type {
	var values []string
	for _, f := range files {
		_, rest, _ := strings.Cut(f, "/"+key+"=")
		value, _, _ := strings.Cut(rest, "/")
		if plain, err := url.PathUnescape(value); err == nil {
			value = plain
		}
		if value != noPartition {
			values = append(values, value)
		}
	}
	if len(values) == 0 {
		return types.String
	}
kinds:
	for _, k := range partitionKinds {
		for _, v := range values {
			if !k.fits(v) {
				continue kinds
			}
		}
		return k.t
	}
	return types.String
}
