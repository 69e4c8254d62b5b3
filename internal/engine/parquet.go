package engine

import (
	"context"
	"fmt"
	"strings"

	"github.com/apache/arrow-go/v18/parquet/file"
	"github.com/apache/arrow-go/v18/parquet/pqarrow"

	"github.com/millpond/millpond/internal/compile"
	"github.com/millpond/millpond/internal/plan"
	"github.com/millpond/millpond/internal/sparkerr"
	"github.com/millpond/millpond/internal/types"
)

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
	keys := partitions(r, files)
	table := fmt.Sprintf("read_parquet(%s, union_by_name=%t, hive_partitioning=%t)", listSQL(files), len(files) > 1, len(keys) > 0)
	for _, k := range keys {
		if schema.Index(k) < 0 {
			schema.Fields = append(append([]types.Field{}, schema.Fields...), types.Field{Name: k, Type: partitionType(files, k), Nullable: true})
		}
	}
	scan := &plan.Scan{SQL: table}
	if want != nil {
		all := without(*want, keys)
		all.Fields = append(all.Fields, partitionFields(want, files, keys)...)
		scan.Attrs = attrsOf(all)
		key := types.ToJSON(all) + "\n" + stamp(files)
		scan.Source, err = s.e.reads.get(key, func() ([]string, error) { return asWanted(all, files, keys) })
		return scan, err
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
