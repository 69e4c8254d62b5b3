package engine

import (
	"context"
	"os"
	"path/filepath"
	"sort"
	"strings"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"
	"github.com/apache/arrow-go/v18/arrow/memory"

	"github.com/millpond/millpond/internal/catalog"
	"github.com/millpond/millpond/internal/plan"
	"github.com/millpond/millpond/internal/sparkerr"
	"github.com/millpond/millpond/internal/types"
)

type answerRows func(s *Session, ctx context.Context, a map[string]string) (types.Struct, [][]any, error)

func textField(n string) types.Field { return types.Field{Name: n, Type: types.String, Nullable: true} }
func boolField(n string) types.Field { return types.Field{Name: n, Type: types.Boolean} }

var (
	databaseSchema = types.Struct{Fields: []types.Field{textField("name"), textField("catalog"), textField("description"), textField("locationUri")}}
	tableSchema    = types.Struct{Fields: []types.Field{textField("name"), textField("catalog"), {Name: "namespace", Type: types.Array{Elem: types.String}, Nullable: true},
		textField("description"), textField("tableType"), boolField("isTemporary")}}
	functionSchema = types.Struct{Fields: []types.Field{textField("name"), textField("catalog"), {Name: "namespace", Type: types.Array{Elem: types.String}, Nullable: true},
		textField("description"), textField("className"), boolField("isTemporary")}}
	columnSchema = types.Struct{Fields: []types.Field{textField("name"), textField("description"), textField("dataType"), boolField("nullable"), boolField("isPartition"),
		boolField("isBucket"), boolField("isCluster")}}
)

// catalogAnswers are the catalog's methods by the names of their messages; each takes its
// message's fields.
func catalogAnswers() map[string]answerRows {
	done := func(err error) (types.Struct, [][]any, error) { return types.Struct{}, nil, err }
	return map[string]answerRows{
		"CurrentDatabase": func(s *Session, _ context.Context, _ map[string]string) (types.Struct, [][]any, error) {
			return oneText(s.Database())
		},
		"SetCurrentDatabase": func(s *Session, _ context.Context, a map[string]string) (types.Struct, [][]any, error) {
			return done(s.UseDatabase(a["db_name"]))
		},
		"CurrentCatalog": func(*Session, context.Context, map[string]string) (types.Struct, [][]any, error) {
			return oneText(catalogName)
		},
		"SetCurrentCatalog": func(_ *Session, _ context.Context, a map[string]string) (types.Struct, [][]any, error) {
			if !strings.EqualFold(a["catalog_name"], catalogName) {
				return done(sparkerr.Plain(sparkerr.ClassAnalysis, "[CATALOG_NOT_FOUND] The catalog %s not found. SQLSTATE: 42P08", types.Quote(a["catalog_name"])))
			}
			return done(nil)
		},
		"ListCatalogs": func(_ *Session, _ context.Context, a map[string]string) (types.Struct, [][]any, error) {
			var rows [][]any
			if like(a["pattern"], catalogName) {
				rows = [][]any{{catalogName, nil}}
			}
			return types.Struct{Fields: []types.Field{textField("name"), textField("description")}}, rows, nil
		},
		"ListDatabases": (*Session).listDatabases, "GetDatabase": (*Session).getDatabase,
		"DatabaseExists": func(s *Session, _ context.Context, a map[string]string) (types.Struct, [][]any, error) {
			name := nameParts(a["db_name"])
			_, ok := s.e.tables.Database(name[len(name)-1])
			return oneBool(ok)
		},
		"CreateDatabase": func(s *Session, _ context.Context, a map[string]string) (types.Struct, [][]any, error) {
			return done(s.createDatabase(catalog.Database{Name: a["db_name"]}, a["if_not_exists"] == "true"))
		},
		"DropDatabase": func(s *Session, _ context.Context, a map[string]string) (types.Struct, [][]any, error) {
			return done(s.dropDatabase(a["db_name"], a["if_exists"] == "true", a["cascade"] == "true"))
		},
		"ListTables": (*Session).listTables, "ListViews": (*Session).listViews, "GetTable": (*Session).getTable, "ListColumns": (*Session).listColumns,
		"TableExists": func(s *Session, ctx context.Context, a map[string]string) (types.Struct, [][]any, error) {
			_, err := (&environment{s: s}).Table(ctx, named(a))
			return oneBool(err == nil)
		},
		"ListFunctions": (*Session).listFunctions, "GetFunction": (*Session).getFunction,
		"FunctionExists": func(s *Session, _ context.Context, a map[string]string) (types.Struct, [][]any, error) {
			parts := nameParts(a["function_name"])
			_, builtin := s.e.funcs.Lookup(parts[len(parts)-1])
			return oneBool(builtin || (&environment{s: s}).Function(parts[len(parts)-1]) != nil)
		},
		"CreateTable": (*Session).catalogCreate, "CreateExternalTable": (*Session).catalogCreate,
		"DropTable": func(s *Session, ctx context.Context, a map[string]string) (types.Struct, [][]any, error) {
			return done(s.dropTable(a["table_name"], a["if_exists"] == "true"))
		},
		"DropView": func(s *Session, ctx context.Context, a map[string]string) (types.Struct, [][]any, error) {
			return done(s.dropView(nameParts(a["view_name"]), a["if_exists"] == "true"))
		},
		"DropTempView": func(s *Session, _ context.Context, a map[string]string) (types.Struct, [][]any, error) {
			return oneBool(s.DropView(a["view_name"], false))
		},
		"DropGlobalTempView": func(s *Session, _ context.Context, a map[string]string) (types.Struct, [][]any, error) {
			return oneBool(s.DropView(a["view_name"], true))
		},
		"IsCached": func(s *Session, ctx context.Context, a map[string]string) (types.Struct, [][]any, error) {
			if _, err := (&environment{s: s}).Table(ctx, named(a)); err != nil {
				return done(err)
			}
			return oneBool(s.StorageLevel(&plan.Table{Name: named(a)}) != "")
		},
		"CacheTable": func(s *Session, ctx context.Context, a map[string]string) (types.Struct, [][]any, error) {
			return done(s.Persist(ctx, &plan.Table{Name: named(a)}, "MEMORY_AND_DISK"))
		},
		"UncacheTable": func(s *Session, ctx context.Context, a map[string]string) (types.Struct, [][]any, error) {
			if _, err := (&environment{s: s}).Table(ctx, named(a)); err != nil {
				return done(err)
			}
			s.Unpersist(&plan.Table{Name: named(a)})
			return done(nil)
		},
		"ClearCache": func(s *Session, _ context.Context, _ map[string]string) (types.Struct, [][]any, error) {
			s.ClearCache()
			return done(nil)
		},
		"RefreshTable": (*Session).refresh, "RecoverPartitions": (*Session).refresh, "AnalyzeTable": (*Session).refresh,
		"RefreshByPath": func(s *Session, ctx context.Context, a map[string]string) (types.Struct, [][]any, error) {
			return done(s.RefreshPath(ctx, a["path"]))
		},
		"TruncateTable": func(s *Session, _ context.Context, a map[string]string) (types.Struct, [][]any, error) {
			return done(s.truncate(named(a)))
		},
		"ListPartitions": func(s *Session, ctx context.Context, a map[string]string) (types.Struct, [][]any, error) {
			rows, err := s.partitionRows(named(a))
			return types.Struct{Fields: []types.Field{textField("partition")}}, rows, err
		},
		"GetTableProperties": func(s *Session, _ context.Context, a map[string]string) (types.Struct, [][]any, error) {
			rows, err := s.propertyRows(named(a))
			return types.Struct{Fields: []types.Field{textField("key"), textField("value")}}, rows, err
		},
		"GetCreateTableString": func(s *Session, ctx context.Context, a map[string]string) (types.Struct, [][]any, error) {
			text, err := s.createText(ctx, named(a))
			return types.Struct{Fields: []types.Field{textField("createtab_stmt")}}, [][]any{{text}}, err
		},
	}
}

// named is the table that a method's fields name.
func named(a map[string]string) []string {
	parts := nameParts(a["table_name"])
	if db := a["db_name"]; db != "" {
		parts = append(nameParts(db), parts...)
	}
	return parts
}

func oneText(v string) (types.Struct, [][]any, error) {
	return types.Struct{Fields: []types.Field{{Name: "value", Type: types.String}}}, [][]any{{v}}, nil
}

func oneBool(v bool) (types.Struct, [][]any, error) {
	return types.Struct{Fields: []types.Field{{Name: "value", Type: types.Boolean}}}, [][]any{{v}}, nil
}

// like matches SHOW's patterns: * is anything, | parts alternatives, case does not matter.
func like(pattern, name string) bool {
	if pattern == "" {
		return true
	}
	for _, p := range strings.Split(pattern, "|") {
		if ok, err := filepath.Match(strings.ToLower(strings.TrimSpace(p)), strings.ToLower(name)); err == nil && ok {
			return true
		}
	}
	return false
}

func (s *Session) databaseRow(d catalog.Database) []any {
	return []any{d.Name, catalogName, d.Comment, "file:" + s.e.tables.Location(d.Name)}
}

func (s *Session) listDatabases(_ context.Context, a map[string]string) (types.Struct, [][]any, error) {
	var rows [][]any
	for _, d := range s.e.tables.Databases() {
		if like(a["pattern"], d.Name) {
			rows = append(rows, s.databaseRow(d))
		}
	}
	return databaseSchema, rows, nil
}

func (s *Session) getDatabase(_ context.Context, a map[string]string) (types.Struct, [][]any, error) {
	parts := nameParts(a["db_name"])
	d, ok := s.e.tables.Database(parts[len(parts)-1])
	if !ok {
		return databaseSchema, nil, schemaNotFound(a["db_name"])
	}
	return databaseSchema, [][]any{s.databaseRow(d)}, nil
}

// tablesIn lists a database's tables, those without an entry in the catalog too.
func (s *Session) tablesIn(database string) []catalog.Table {
	list := s.e.tables.Tables(database)
	seen := map[string]bool{}
	for _, t := range list {
		seen[t.Name] = true
	}
	entries, err := os.ReadDir(s.e.tables.Location(database))
	if err != nil {
		return list
	}
	for _, e := range entries {
		if e.IsDir() && tableName.MatchString(e.Name()) && !seen[e.Name()] {
			if t, ok := s.stored(database, e.Name()); ok {
				list = append(list, t)
			}
		}
	}
	sort.Slice(list, func(i, j int) bool { return list[i].Name < list[j].Name })
	return list
}

func tableRow(t catalog.Table) []any {
	var comment any
	if t.Comment != "" {
		comment = t.Comment
	}
	return []any{t.Name, catalogName, []string{t.Database}, comment, t.Kind, false}
}

func (s *Session) listTables(_ context.Context, a map[string]string) (types.Struct, [][]any, error) {
	database := s.Database()
	if a["db_name"] != "" {
		parts := nameParts(a["db_name"])
		database = parts[len(parts)-1]
	}
	if _, ok := s.e.tables.Database(database); !ok {
		return tableSchema, nil, schemaNotFound(database)
	}
	var rows [][]any
	for _, t := range s.tablesIn(database) {
		if like(a["pattern"], t.Name) {
			rows = append(rows, tableRow(t))
		}
	}
	s.mu.Lock()
	var views []string
	for name, v := range s.views {
		if !v.global && like(a["pattern"], name) {
			views = append(views, name)
		}
	}
	s.mu.Unlock()
	sort.Strings(views)
	for _, name := range views {
		rows = append(rows, []any{name, nil, []string{}, nil, "TEMPORARY", true})
	}
	return tableSchema, rows, nil
}

func (s *Session) listViews(ctx context.Context, a map[string]string) (types.Struct, [][]any, error) {
	schema, rows, err := s.listTables(ctx, a)
	var out [][]any
	for _, r := range rows {
		if r[4] == catalog.View || r[5] == true {
			out = append(out, r)
		}
	}
	return schema, out, err
}

// find gives the stored table of a name.
func (s *Session) find(parts []string) (catalog.Table, error) {
	database, name, err := s.place(parts)
	if err != nil {
		return catalog.Table{}, err
	}
	t, ok := s.stored(database, name)
	if !ok {
		return t, tableNotFound(parts, s.Database())
	}
	return t, nil
}

func (s *Session) getTable(_ context.Context, a map[string]string) (types.Struct, [][]any, error) {
	parts := named(a)
	if s.hasView(parts) {
		return tableSchema, [][]any{{parts[len(parts)-1], nil, []string{}, nil, "TEMPORARY", true}}, nil
	}
	t, err := s.find(parts)
	if err != nil {
		return tableSchema, nil, err
	}
	return tableSchema, [][]any{tableRow(t)}, nil
}

func (s *Session) hasView(parts []string) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	_, ok := s.views[strings.ToLower(strings.Join(parts, "."))]
	return ok
}

func (s *Session) listColumns(ctx context.Context, a map[string]string) (types.Struct, [][]any, error) {
	parts := named(a)
	schema, err := s.Schema(ctx, &plan.Table{Name: parts})
	if err != nil {
		return columnSchema, nil, err
	}
	partition := map[string]bool{}
	if t, err := s.find(parts); err == nil && !s.hasView(parts) {
		for _, p := range t.Partitions {
			partition[strings.ToLower(p)] = true
		}
	}
	var rows [][]any
	for _, f := range schema.Fields {
		rows = append(rows, []any{f.Name, commentOf(f), f.Type.SimpleString(), f.Nullable, partition[strings.ToLower(f.Name)], false, false})
	}
	return columnSchema, rows, nil
}

func (s *Session) listFunctions(_ context.Context, a map[string]string) (types.Struct, [][]any, error) {
	var rows [][]any
	for _, n := range s.e.funcs.Names() {
		if like(a["pattern"], n) {
			rows = append(rows, []any{n, nil, []string{}, nil, "org.apache.spark.sql.catalyst.expressions." + n, true})
		}
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	for n := range s.udfs {
		if like(a["pattern"], n) {
			rows = append(rows, []any{n, nil, []string{}, nil, "org.apache.spark.sql.UserDefinedPythonFunction", true})
		}
	}
	sort.Slice(rows, func(i, j int) bool { return rows[i][0].(string) < rows[j][0].(string) })
	return functionSchema, rows, nil
}

func (s *Session) getFunction(ctx context.Context, a map[string]string) (types.Struct, [][]any, error) {
	parts := nameParts(a["function_name"])
	name := strings.ToLower(parts[len(parts)-1])
	_, rows, _ := s.listFunctions(ctx, map[string]string{"pattern": name})
	if len(rows) == 0 {
		return functionSchema, nil, sparkerr.Analysis("UNRESOLVED_ROUTINE", "routineName", types.Quote(name), "searchPath", "[`system`.`builtin`, `system`.`session`, `spark_catalog`.`default`]")
	}
	return functionSchema, rows[:1], nil
}

func (s *Session) catalogCreate(ctx context.Context, a map[string]string) (types.Struct, [][]any, error) {
	n := newTable{table: catalog.Table{Format: a["source"], Location: a["path"], Comment: a["description"], Options: optionsOf(a)}}
	if a["schema"] != "" {
		st, err := userSchema(a["schema"])
		if err != nil {
			return types.Struct{}, nil, err
		}
		n.schema = *st
	}
	if err := s.createTable(ctx, nameParts(a["table_name"]), n); err != nil {
		return types.Struct{}, nil, err
	}
	t, err := s.find(nameParts(a["table_name"]))
	if err != nil {
		return types.Struct{}, nil, err
	}
	node, err := s.Analyze(ctx, storedRelation(t))
	if err != nil {
		return types.Struct{}, nil, err
	}
	return plan.SchemaOf(node.Output()), nil, nil
}

// optionsOf are the entries of a message's map of options.
func optionsOf(a map[string]string) map[string]string {
	out := map[string]string{}
	for k, v := range a {
		if name, ok := strings.CutPrefix(k, "options."); ok {
			out[name] = v
		}
	}
	return out
}

func (s *Session) refresh(ctx context.Context, a map[string]string) (types.Struct, [][]any, error) {
	if _, err := (&environment{s: s}).Table(ctx, named(a)); err != nil {
		return types.Struct{}, nil, err
	}
	return types.Struct{}, nil, s.Refresh(ctx, &plan.Table{Name: named(a)})
}

func (s *Session) catalog(ctx context.Context, c *plan.Catalog) (types.Struct, []arrow.RecordBatch, error) {
	answer, ok := catalogAnswers()[c.Method]
	if !ok {
		return types.Struct{}, nil, sparkerr.Unsupported("the catalog method %s", c.Method)
	}
	schema, rows, err := answer(s, ctx, c.Args)
	if err != nil {
		return types.Struct{}, nil, err
	}
	b, err := tableOf(schema, rows)
	if err != nil {
		return types.Struct{}, nil, err
	}
	return schema, []arrow.RecordBatch{b}, nil
}

// tableOf makes a batch of rows of texts, booleans and lists of texts.
func tableOf(schema types.Struct, rows [][]any) (arrow.RecordBatch, error) {
	as, err := types.SchemaToArrow(schema, "UTC")
	if err != nil {
		return nil, err
	}
	b := array.NewRecordBuilder(memory.DefaultAllocator, as)
	for _, row := range rows {
		for i, v := range row {
			switch v := v.(type) {
			case string:
				b.Field(i).(*array.StringBuilder).Append(v)
			case bool:
				b.Field(i).(*array.BooleanBuilder).Append(v)
			case []string:
				lb := b.Field(i).(*array.ListBuilder)
				lb.Append(true)
				for _, x := range v {
					lb.ValueBuilder().(*array.StringBuilder).Append(x)
				}
			default:
				b.Field(i).AppendNull()
			}
		}
	}
	return b.NewRecordBatch(), nil
}
