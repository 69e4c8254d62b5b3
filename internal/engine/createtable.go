package engine

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"github.com/millpond/millpond/internal/catalog"
	"github.com/millpond/millpond/internal/plan"
	"github.com/millpond/millpond/internal/sparkerr"
	"github.com/millpond/millpond/internal/types"
)

// newTable is what CREATE TABLE, createTable and saveAsTable say of a table.
type newTable struct {
	table   catalog.Table
	schema  types.Struct
	ifNot   bool
	replace bool
}

// createTable makes an empty table.
func (s *Session) createTable(ctx context.Context, name []string, n newTable) error {
	database, table, err := s.place(name)
	if err != nil {
		return err
	}
	if _, ok := s.e.tables.Database(database); !ok {
		return schemaNotFound(database)
	}
	if _, there := s.stored(database, table); there {
		switch {
		case n.ifNot:
			return nil
		case !n.replace:
			return tableExists(database, table)
		}
		if _, err := s.DropTable(types.Quote(database) + "." + types.Quote(table)); err != nil {
			return err
		}
	}
	t := n.table
	t.Database, t.Name = database, table
	if t.Format = strings.ToLower(t.Format); t.Format == "" {
		t.Format = "parquet"
	}
	if _, ok := formats[t.Format]; !ok {
		return sparkerr.Analysis("DATA_SOURCE_NOT_FOUND", "provider", t.Format)
	}
	if err := s.locate(&t); err != nil {
		return err
	}
	if len(n.schema.Fields) == 0 { // an external table's files know their columns
		if n.schema, err = s.Schema(ctx, storedRelation(t)); err != nil {
			return err
		}
	}
	t.Schema = types.ToJSON(partitionsLast(nullable(n.schema), t.Partitions))
	if info, err := os.Stat(t.Location); err == nil && !info.IsDir() { // a table of one file
		return s.e.tables.PutTable(t)
	}
	if err := os.MkdirAll(t.Location, 0o755); err != nil {
		return fmt.Errorf("make the table's directory: %w", err)
	}
	return s.e.tables.PutTable(t)
}

// locate gives a table its directory: its own, or one of the warehouse.
func (s *Session) locate(t *catalog.Table) error {
	t.Kind = catalog.Managed
	if p := t.Options["path"]; p != "" && t.Location == "" {
		t.Location = p
	}
	if t.Location == "" {
		t.Location = filepath.Join(s.e.tables.Location(t.Database), t.Name)
		return nil
	}
	t.Kind = catalog.External
	var err error
	t.Location, err = localPath(t.Location)
	return err
}

// partitionsLast moves a table's partition columns behind the others, as Spark stores them.
func partitionsLast(s types.Struct, partitions []string) types.Struct {
	var rest, last []types.Field
	for _, f := range s.Fields {
		isPartition := false
		for _, p := range partitions {
			isPartition = isPartition || strings.EqualFold(p, f.Name)
		}
		if isPartition {
			last = append(last, f)
		} else {
			rest = append(rest, f)
		}
	}
	return types.Struct{Fields: append(rest, last...)}
}

// intoTable fits rows to a table that is there: by place for inserts, by name for appends.
func (s *Session) intoTable(ctx context.Context, w *WriteRequest, t catalog.Table, schema types.Struct) error {
	in, err := s.Schema(ctx, w.Input)
	if err != nil {
		return err
	}
	name := types.Quote(catalogName) + "." + types.Quote(t.Database) + "." + types.Quote(t.Name)
	targets := schema.Fields
	if len(w.Columns) > 0 {
		targets = nil
		for _, c := range w.Columns {
			i := schema.Index(c)
			if i < 0 {
				return sparkerr.Analysis("UNRESOLVED_COLUMN.WITH_SUGGESTION", "objectName", types.Quote(c), "proposal", strings.Join(schema.Names(), ", "))
			}
			targets = append(targets, schema.Fields[i])
		}
	}
	if len(in.Fields) != len(targets) {
		condition := "INSERT_COLUMN_ARITY_MISMATCH.NOT_ENOUGH_DATA_COLUMNS"
		if len(in.Fields) > len(targets) {
			condition = "INSERT_COLUMN_ARITY_MISMATCH.TOO_MANY_DATA_COLUMNS"
		}
		return sparkerr.Analysis(condition, "tableName", name, "tableColumns", quoteNames(targets), "dataColumns", quoteNames(in.Fields))
	}
	input := w.Input
	if w.Insert {
		names := make([]string, len(targets))
		for i, f := range targets {
			names[i] = f.Name
			if !storable(in.Fields[i].Type, f.Type) {
				return sparkerr.Analysis("INCOMPATIBLE_DATA_FOR_TABLE.CANNOT_SAFELY_CAST", "tableName", name, "colName", types.Quote(f.Name),
					"srcType", `"`+in.Fields[i].Type.SQL()+`"`, "targetType", `"`+f.Type.SQL()+`"`)
			}
		}
		input = &plan.ToDF{Input: input, Names: names}
	}
	exprs := make([]plan.Expr, len(schema.Fields))
	for i, f := range schema.Fields {
		var e plan.Expr = plan.NullLit()
		for _, target := range targets {
			if strings.EqualFold(target.Name, f.Name) {
				e = plan.Name(f.Name)
			}
		}
		exprs[i] = plan.AliasExpr{Expr: &plan.Cast{Expr: e, Type: f.Type}, Names: []string{f.Name}}
	}
	w.Input = &plan.Project{Input: input, Exprs: exprs}
	return nil
}

func quoteNames(fields []types.Field) string {
	names := make([]string, len(fields))
	for i, f := range fields {
		names[i] = types.Quote(f.Name)
	}
	return strings.Join(names, ", ")
}

// storable is ANSI's store assignment: text does not become a number or a date by itself.
func storable(from, to types.Type) bool {
	switch {
	case types.Equal(from, to), from == types.Null, types.IsString(to):
		return true
	case types.IsNumeric(from):
		return types.IsNumeric(to)
	case types.IsDatetime(from):
		return types.IsDatetime(to)
	}
	_, basic := from.(*types.Basic)
	return !basic
}
