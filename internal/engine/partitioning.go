package engine

import (
	"context"
	"net/url"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"time"

	"github.com/millpond/millpond/internal/compile"
	"github.com/millpond/millpond/internal/plan"
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

// partitioned opens files whose directories hold more columns, behind those of the files.
func partitioned(open opener) opener {
	return func(s *Session, ctx context.Context, r *plan.Read, files []string) (*plan.Scan, error) {
		keys := partitions(r, files)
		if len(keys) == 0 {
			return open(s, ctx, r, files)
		}
		want, err := userSchema(r.Schema)
		if err != nil {
			return nil, err
		}
		kinds := make([]types.Type, len(keys))
		for i, k := range keys {
			kinds[i] = partitionType(files, k)
		}
		inFiles := *r
		if want != nil {
			var rest types.Struct
			for _, f := range want.Fields {
				if i := keyIndex(keys, f.Name); i >= 0 {
					kinds[i] = f.Type
				} else {
					rest.Fields = append(rest.Fields, f)
				}
			}
			inFiles.Schema = types.ToJSON(rest)
		}
		scan, err := open(s, ctx, &inFiles, files)
		if err != nil {
			return nil, err
		}
		for i, k := range keys {
			value := "nullif(url_decode(regexp_extract(filename, " + quoteSQL("/"+regexp.QuoteMeta(k)+"=([^/]*)/") + ", 1)), " + quoteSQL(noPartition) + ")"
			scan.Source = append(scan.Source, "CAST("+value+" AS "+compile.TypeSQL(kinds[i])+")")
			scan.Attrs = append(scan.Attrs, plan.Attr{Name: k, Type: kinds[i], Nullable: true})
		}
		return scan, nil
	}
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
