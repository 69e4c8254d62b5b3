package engine

import (
	"context"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"sort"
	"strings"

	"github.com/apache/arrow-go/v18/arrow"

	"github.com/millpond/millpond/internal/catalog"
	"github.com/millpond/millpond/internal/plan"
	"github.com/millpond/millpond/internal/sparkerr"
	"github.com/millpond/millpond/internal/sqlparse"
	"github.com/millpond/millpond/internal/types"
)

type commandRunner func(*Session, context.Context, *sqlparse.Command) (*Answer, error)

// runnerOf finds what runs a kind of command.
func runnerOf(kind string) commandRunner {
	if r, ok := commandRunners[kind]; ok {
		return r
	}
	return ddlRunners[kind]
}

// ddlRunners are the commands about databases, tables and views.
var ddlRunners = map[string]commandRunner{
	"create_database": func(s *Session, _ context.Context, c *sqlparse.Command) (*Answer, error) {
		if c.Location != "" {
			return nil, sparkerr.Unsupported("CREATE DATABASE with a LOCATION")
		}
		return nothing(s.createDatabase(catalog.Database{Name: c.Name[len(c.Name)-1], Comment: c.Comment, Properties: c.Properties}, c.IfNot))
	},
	"drop_database": func(s *Session, _ context.Context, c *sqlparse.Command) (*Answer, error) {
		return nothing(s.dropDatabase(c.Name[len(c.Name)-1], c.IfNot, c.Cascade))
	},
	"use": func(s *Session, _ context.Context, c *sqlparse.Command) (*Answer, error) {
		if strings.EqualFold(c.Name[len(c.Name)-1], catalogName) {
			return nothing(nil)
		}
		return nothing(s.UseDatabase(c.Name[len(c.Name)-1]))
	},
	"create_table": (*Session).runCreateTable, "create_stored_view": (*Session).runCreateView,
	"insert": func(s *Session, ctx context.Context, c *sqlparse.Command) (*Answer, error) {
		mode := "append"
		if c.Replace {
			mode = "overwrite"
		}
		return nothing(s.Write(ctx, WriteRequest{Input: c.Query, Table: quoteParts(c.Name), Mode: mode, Insert: true, Columns: c.Columns}))
	},
	"drop_view": func(s *Session, _ context.Context, c *sqlparse.Command) (*Answer, error) {
		return nothing(s.dropView(c.Name, c.IfNot))
	},
	"drop_table": func(s *Session, _ context.Context, c *sqlparse.Command) (*Answer, error) {
		return nothing(s.dropTable(quoteParts(c.Name), c.IfNot))
	},
	"rename_table": (*Session).runRename, "alter": (*Session).runAlter,
	"truncate": func(s *Session, _ context.Context, c *sqlparse.Command) (*Answer, error) {
		return nothing(s.truncate(c.Name))
	},
	"refresh": func(s *Session, ctx context.Context, c *sqlparse.Command) (*Answer, error) {
		if _, err := (&environment{s: s}).Table(ctx, c.Name); err != nil {
			return nil, err
		}
		return nothing(s.Refresh(ctx, &plan.Table{Name: c.Name}))
	},
	"show_tables": (*Session).runShowTables,
	"show_views": func(s *Session, ctx context.Context, c *sqlparse.Command) (*Answer, error) {
		_, list, err := s.listViews(ctx, showArgs(c))
		return s.tableList("viewName", list, err)
	},
	"show_databases": func(s *Session, ctx context.Context, c *sqlparse.Command) (*Answer, error) {
		var rows [][]any
		for _, d := range s.e.tables.Databases() {
			if like(c.Value, d.Name) {
				rows = append(rows, []any{d.Name})
			}
		}
		return firmRows([]string{"namespace"}, rows)
	},
	"show_columns": func(s *Session, ctx context.Context, c *sqlparse.Command) (*Answer, error) {
		schema, err := s.Schema(ctx, &plan.Table{Name: c.Name})
		if err != nil {
			return nil, err
		}
		var rows [][]any
		for _, f := range schema.Fields {
			rows = append(rows, []any{f.Name})
		}
		return firmRows([]string{"col_name"}, rows)
	},
	"show_partitions": func(s *Session, _ context.Context, c *sqlparse.Command) (*Answer, error) {
		rows, err := s.partitionRows(c.Name)
		if err != nil {
			return nil, err
		}
		return firmRows([]string{"partition"}, rows)
	},
	"show_properties": func(s *Session, _ context.Context, c *sqlparse.Command) (*Answer, error) {
		rows, err := s.propertyRows(c.Name)
		if err != nil {
			return nil, err
		}
		return firmRows([]string{"key", "value"}, rows)
	},
	"show_create": func(s *Session, ctx context.Context, c *sqlparse.Command) (*Answer, error) {
		text, err := s.createText(ctx, c.Name)
		if err != nil {
			return nil, err
		}
		return firmRows([]string{"createtab_stmt"}, [][]any{{text}})
	},
	"show_catalogs": func(*Session, context.Context, *sqlparse.Command) (*Answer, error) {
		return firmRows([]string{"catalog"}, [][]any{{catalogName}})
	},
	"show_current": func(s *Session, _ context.Context, _ *sqlparse.Command) (*Answer, error) {
		return firmRows([]string{"catalog", "namespace"}, [][]any{{catalogName, s.Database()}})
	},
	"show_functions": func(s *Session, ctx context.Context, c *sqlparse.Command) (*Answer, error) {
		_, list, err := s.listFunctions(ctx, map[string]string{"pattern": c.Value})
		if err != nil {
			return nil, err
		}
		var rows [][]any
		for _, r := range list {
			rows = append(rows, []any{r[0]})
		}
		return firmRows([]string{"function"}, rows)
	},
	"show_user_functions": func(s *Session, _ context.Context, c *sqlparse.Command) (*Answer, error) {
		var rows [][]any
		s.mu.Lock()
		for n := range s.udfs {
			if like(c.Value, n) {
				rows = append(rows, []any{n})
			}
		}
		s.mu.Unlock()
		return firmRows([]string{"function"}, rows)
	},
	"describe_database": func(s *Session, _ context.Context, c *sqlparse.Command) (*Answer, error) {
		d, ok := s.e.tables.Database(c.Name[len(c.Name)-1])
		if !ok {
			return nil, schemaNotFound(c.Name[len(c.Name)-1])
		}
		return firmRows([]string{"info_name", "info_value"}, [][]any{{"Catalog Name", catalogName}, {"Namespace Name", d.Name}, {"Comment", d.Comment}, {"Location", "file:" + s.e.tables.Location(d.Name)}})
	},
}

func quoteParts(parts []string) string {
	q := make([]string, len(parts))
	for i, p := range parts {
		q[i] = types.Quote(p)
	}
	return strings.Join(q, ".")
}

// firmRows are rows of texts that are never null.
func firmRows(names []string, rows [][]any) (*Answer, error) {
	a, err := rowsOf(names, rows)
	if err == nil {
		for i := range a.Schema.Fields {
			a.Schema.Fields[i].Nullable = false
		}
	}
	return a, err
}

func describeSchema(rows [][]any) (*Answer, error) {
	a, err := rowsOf([]string{"col_name", "data_type", "comment"}, rows)
	if err == nil {
		a.Schema.Fields[0].Nullable, a.Schema.Fields[1].Nullable = false, false
	}
	return a, err
}

// commentOf is a column's comment, which its metadata carries, or nil.
func commentOf(f types.Field) any {
	m := map[string]any{}
	if f.Metadata == "" || json.Unmarshal([]byte(f.Metadata), &m) != nil {
		return nil
	}
	return m["comment"]
}

func (s *Session) describePartitions(name []string, schema types.Struct) [][]any {
	t, err := s.find(name)
	if err != nil || len(t.Partitions) == 0 {
		return nil
	}
	rows := [][]any{{"# Partition Information", "", ""}, {"# col_name", "data_type", "comment"}}
	for _, p := range t.Partitions {
		if i := schema.Index(p); i >= 0 {
			rows = append(rows, []any{schema.Fields[i].Name, schema.Fields[i].Type.SimpleString(), commentOf(schema.Fields[i])})
		}
	}
	return rows
}

func (s *Session) runCreateTable(ctx context.Context, c *sqlparse.Command) (*Answer, error) {
	if c.Query == nil {
		return nothing(s.createTable(ctx, c.Name, newTable{schema: c.Schema, ifNot: c.IfNot, replace: c.Replace,
			table: catalog.Table{Format: c.Format, Location: c.Location, Comment: c.Comment, Options: c.Options, Properties: c.Properties, Partitions: c.Partitions}}))
	}
	mode := "error"
	if c.IfNot {
		mode = "ignore"
	}
	if c.Replace {
		mode = "overwrite"
	}
	return nothing(s.Write(ctx, WriteRequest{Input: c.Query, Format: c.Format, Table: quoteParts(c.Name), Mode: mode, Path: c.Location, Options: c.Options,
		Partitions: c.Partitions, Comment: c.Comment, Properties: c.Properties}))
}

func (s *Session) runCreateView(ctx context.Context, c *sqlparse.Command) (*Answer, error) {
	database, name, err := s.place(c.Name)
	if err != nil {
		return nil, err
	}
	if _, ok := s.e.tables.Database(database); !ok {
		return nil, schemaNotFound(database)
	}
	if t, there := s.stored(database, name); there {
		switch {
		case c.IfNot:
			return nothing(nil)
		case !c.Replace || t.Kind != catalog.View:
			return nil, tableExists(database, name)
		}
	}
	schema, err := s.Schema(ctx, c.Query)
	if err != nil {
		return nil, err
	}
	text := c.Text
	if len(c.Columns) > 0 {
		if len(c.Columns) != len(schema.Fields) {
			return nil, sparkerr.Unsupported("a view whose columns are not as many as its query's")
		}
		text = "SELECT * FROM (" + text + ") AS t(" + strings.Join(quotedAll(c.Columns), ", ") + ")"
		for i := range schema.Fields {
			schema.Fields[i].Name = c.Columns[i]
		}
	}
	return nothing(s.e.tables.PutTable(catalog.Table{Database: database, Name: name, Kind: catalog.View, Query: text, Schema: types.ToJSON(schema), Comment: c.Comment, Properties: c.Properties}))
}

func quotedAll(names []string) []string {
	out := make([]string, len(names))
	for i, n := range names {
		out[i] = types.Quote(n)
	}
	return out
}

func (s *Session) dropTable(name string, ifThere bool) error {
	if parts := nameParts(name); len(parts) == 1 && s.DropView(parts[0], false) { // a temporary view goes by DROP TABLE too
		return nil
	}
	there, err := s.DropTable(name)
	if err == nil && !there && !ifThere {
		err = tableNotFound(nameParts(name), s.Database())
	}
	return err
}

func (s *Session) dropView(parts []string, ifThere bool) error {
	last := parts[len(parts)-1]
	if len(parts) > 1 && strings.EqualFold(parts[0], "global_temp") {
		if !s.DropView(last, true) && !ifThere {
			return tableNotFound(parts, s.Database())
		}
		return nil
	}
	if len(parts) == 1 && s.DropView(last, false) {
		return nil
	}
	there, err := s.dropStoredView(quoteParts(parts))
	if err == nil && !there && !ifThere {
		err = tableNotFound(parts, s.Database())
	}
	return err
}

func (s *Session) runRename(_ context.Context, c *sqlparse.Command) (*Answer, error) {
	t, err := s.find(c.Name)
	if err != nil {
		return nil, err
	}
	database, name, err := s.place(c.Columns)
	if err != nil {
		return nil, err
	}
	if len(c.Columns) == 1 {
		database = t.Database
	}
	if _, there := s.stored(database, name); there {
		return nil, tableExists(database, name)
	}
	old := t
	t.Database, t.Name = database, name
	if t.Kind == catalog.Managed {
		t.Location = filepath.Join(s.e.tables.Location(database), name)
		if err := os.Rename(old.Location, t.Location); err != nil {
			return nil, fmt.Errorf("rename the table: %w", err)
		}
	}
	if err := s.e.tables.PutTable(t); err != nil {
		return nil, err
	}
	return nothing(s.e.tables.DropTable(old.Database, old.Name))
}

func (s *Session) runAlter(_ context.Context, c *sqlparse.Command) (*Answer, error) {
	t, err := s.find(c.Name)
	if err != nil {
		return nil, err
	}
	if c.Location != "" {
		return nil, sparkerr.Unsupported("ALTER TABLE SET LOCATION")
	}
	all := map[string]string{}
	for _, m := range []map[string]string{t.Properties, c.Properties} {
		for k, v := range m {
			all[k] = v
		}
	}
	t.Properties = all
	return nothing(s.e.tables.PutTable(t))
}

// truncate empties a table.
func (s *Session) truncate(name []string) error {
	t, err := s.find(name)
	if err != nil {
		return err
	}
	if t.Kind != catalog.Managed || t.Schema == "" {
		return sparkerr.Unsupported("TRUNCATE of a table that is not the warehouse's own")
	}
	if err := os.RemoveAll(t.Location); err != nil {
		return fmt.Errorf("truncate: %w", err)
	}
	return os.MkdirAll(t.Location, 0o755)
}

func showArgs(c *sqlparse.Command) map[string]string {
	a := map[string]string{"pattern": c.Value}
	if len(c.Name) > 0 {
		a["db_name"] = quoteParts(c.Name)
	}
	return a
}

func (s *Session) runShowTables(ctx context.Context, c *sqlparse.Command) (*Answer, error) {
	_, list, err := s.listTables(ctx, showArgs(c))
	return s.tableList("tableName", list, err)
}

func (s *Session) tableList(column string, list [][]any, err error) (*Answer, error) {
	if err != nil {
		return nil, err
	}
	schema := types.Struct{Fields: []types.Field{{Name: "namespace", Type: types.String}, {Name: column, Type: types.String}, {Name: "isTemporary", Type: types.Boolean}}}
	var rows [][]any
	for _, r := range list {
		ns := ""
		if parts, ok := r[2].([]string); ok && len(parts) > 0 {
			ns = parts[0]
		}
		rows = append(rows, []any{ns, r[0], r[5]})
	}
	b, err := tableOf(schema, rows)
	return &Answer{schema, []arrow.RecordBatch{b}}, err
}

// partitionRows lists the partitions that a table's directories make.
func (s *Session) partitionRows(name []string) ([][]any, error) {
	t, err := s.find(name)
	if err != nil {
		return nil, err
	}
	if len(t.Partitions) == 0 {
		return nil, sparkerr.Plain(sparkerr.ClassAnalysis, "[INVALID_PARTITION_OPERATION.PARTITION_SCHEMA_IS_EMPTY] The partition command is invalid. Table %s is not partitioned. SQLSTATE: 42601", types.Quote(catalogName)+"."+types.Quote(t.Database)+"."+types.Quote(t.Name))
	}
	files, err := listing{}.under(t.Location)
	if err != nil {
		return nil, err
	}
	seen := map[string]bool{}
	var rows [][]any
	for _, f := range files {
		rel, err := filepath.Rel(t.Location, filepath.Dir(f))
		if err == nil && rel != "." && !seen[rel] {
			seen[rel] = true
			rows = append(rows, []any{rel})
		}
	}
	sort.Slice(rows, func(i, j int) bool { return rows[i][0].(string) < rows[j][0].(string) })
	return rows, nil
}

func (s *Session) propertyRows(name []string) ([][]any, error) {
	t, err := s.find(name)
	if err != nil {
		return nil, err
	}
	keys := make([]string, 0, len(t.Properties))
	for k := range t.Properties {
		keys = append(keys, k)
	}
	sort.Strings(keys)
	rows := make([][]any, len(keys))
	for i, k := range keys {
		rows[i] = []any{k, t.Properties[k]}
	}
	return rows, nil
}

// createText is the statement that would make a table.
func (s *Session) createText(ctx context.Context, name []string) (string, error) {
	t, err := s.find(name)
	if err != nil {
		return "", err
	}
	schema, err := s.storedSchema(ctx, t)
	if err != nil {
		return "", err
	}
	full := catalogName + "." + types.QuoteIfNeeded(t.Database) + "." + types.QuoteIfNeeded(t.Name)
	if t.Kind == catalog.View {
		return "CREATE VIEW " + full + " (\n  " + strings.Join(schema.Names(), ",\n  ") + ")\nAS " + t.Query + "\n", nil
	}
	lines := make([]string, len(schema.Fields))
	for i, f := range schema.Fields {
		lines[i] = types.QuoteIfNeeded(f.Name) + " " + f.Type.SQL()
		if c, ok := commentOf(f).(string); ok {
			lines[i] += " COMMENT '" + c + "'"
		}
	}
	text := "CREATE TABLE " + full + " (\n  " + strings.Join(lines, ",\n  ") + ")\nUSING " + t.Format + "\n"
	if len(t.Partitions) > 0 {
		text += "PARTITIONED BY (" + strings.Join(t.Partitions, ", ") + ")\n"
	}
	if t.Comment != "" {
		text += "COMMENT '" + t.Comment + "'\n"
	}
	if t.Kind == catalog.External {
		text += "LOCATION 'file:" + t.Location + "'\n"
	}
	if len(t.Properties) > 0 {
		rows, _ := s.propertyRows(name)
		parts := make([]string, len(rows))
		for i, r := range rows {
			parts[i] = fmt.Sprintf("\n  '%s' = '%s'", r[0], r[1])
		}
		text += "TBLPROPERTIES (" + strings.Join(parts, ",") + ")\n"
	}
	return text, nil
}
