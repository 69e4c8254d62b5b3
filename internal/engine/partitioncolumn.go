package engine

import (
	"context"
	"strings"

	"github.com/millpond/millpond/internal/compile"
	"github.com/millpond/millpond/internal/plan"
	"github.com/millpond/millpond/internal/sparkerr"
	"github.com/millpond/millpond/internal/types"
)

// lined are the formats whose readers know nothing of directories.
var lined = map[string]bool{"csv": true, "json": true, "text": true}

// open opens files in a format. The key=value directories that text files lie in are columns behind
// those that are in the files.
func (s *Session) open(ctx context.Context, r *plan.Read, format string, files []string) (*plan.Scan, error) {
	roots, err := localRoots(r.Paths)
	if err != nil {
		return nil, err
	}
	keys := partitions(roots, files)
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
		for _, old := range scan.Attrs {
			if strings.EqualFold(old.Name, f.Name) {
				return nil, sparkerr.Unsupported("a column %s that is in the files and in their directories' names", f.Name)
			}
		}
		scan.Attrs, scan.Source = append(scan.Attrs, plan.Attr{Name: f.Name, Type: f.Type, Nullable: true}), append(scan.Source, partitionValue(f.Name, f.Type))
	}
	return scan, nil
}

// partitionFields are the columns of directories, in the types that the reader wants, if it says so.
func partitionFields(want *types.Struct, files, keys []string) []types.Field {
	var out []types.Field
	for _, key := range keys {
		f := types.Field{Name: key, Nullable: true}
		if want != nil && want.Index(key) >= 0 {
			f.Type = want.Fields[want.Index(key)].Type
		}
		if f.Type == nil {
			f.Type = partitionType(files, key)
		}
		out = append(out, f)
	}
	return out
}

// noPartition is what a directory is called whose rows have no value of the key.
const noPartition = "__HIVE_DEFAULT_PARTITION__"

func partitionValue(key string, t types.Type) string {
	text := "nullif(url_decode(regexp_extract(filename, " + quoteSQL("/"+key+"=([^/]*)/") + ", 1)), " + quoteSQL(noPartition) + ")"
	return "CAST(" + text + " AS " + compile.TypeSQL(t) + ")"
}

// without leaves out the columns of some names.
func without(s types.Struct, names []string) types.Struct {
	out := types.Struct{}
	for _, f := range s.Fields {
		named := false
		for _, n := range names {
			named = named || strings.EqualFold(f.Name, n)
		}
		if !named {
			out.Fields = append(out.Fields, f)
		}
	}
	return out
}
