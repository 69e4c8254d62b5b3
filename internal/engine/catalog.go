package engine

import (
	"context"
	"os"
	"path/filepath"
	"regexp"
	"sort"
	"strings"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"
	"github.com/apache/arrow-go/v18/arrow/memory"

	"github.com/millpond/millpond/internal/plan"
	"github.com/millpond/millpond/internal/sparkerr"
	"github.com/millpond/millpond/internal/types"
)

var tableName = regexp.MustCompile(`^[A-Za-z0-9_]+$`)

// tableDir is where a table of the warehouse lies.
func (s *Session) tableDir(name string) (string, error) {
	parts := strings.Split(strings.ReplaceAll(name, "`", ""), ".")
	last := parts[len(parts)-1]
	if !tableName.MatchString(last) {
		return "", sparkerr.Plain(sparkerr.ClassAnalysis, "[INVALID_SCHEMA_OR_RELATION_NAME] %s is not a valid name for tables/schemas. Valid names only contain alphabet characters, numbers and _. SQLSTATE: 42602", types.Quote(last))
	}
	return filepath.Join(s.Warehouse(), strings.ToLower(last)), nil
}

// tableFiles finds a table of the warehouse.
func (s *Session) tableFiles(name string) (plan.Relation, bool) {
	dir, err := s.tableDir(name)
	if err != nil {
		return nil, false
	}
	files, err := filesUnder(dir)
	if err != nil || len(files) == 0 {
		return nil, false
	}
	format := strings.TrimPrefix(filepath.Ext(files[0]), ".")
	return &plan.Read{Format: format, Paths: []string{dir}, Options: map[string]string{}}, true
}

// DropTable removes a table of the warehouse and says whether it was there.
func (s *Session) DropTable(name string) (bool, error) {
	dir, err := s.tableDir(name)
	if err != nil {
		return false, err
	}
	if _, err := os.Stat(dir); err != nil {
		return false, nil
	}
	return true, os.RemoveAll(dir)
}

// catalogAnswers are the catalog questions that answer one value or a table of texts.
var catalogAnswers = map[string]func(s *Session, ctx context.Context, args []string) (types.Struct, [][]any, error){
	"currentDatabase": func(*Session, context.Context, []string) (types.Struct, [][]any, error) { return oneText("default") },
	"currentCatalog": func(*Session, context.Context, []string) (types.Struct, [][]any, error) {
		return oneText("spark_catalog")
	},
	"databaseExists": func(_ *Session, _ context.Context, a []string) (types.Struct, [][]any, error) {
		return oneBool(strings.EqualFold(a[0], "default"))
	},
	"tableExists": func(s *Session, ctx context.Context, a []string) (types.Struct, [][]any, error) {
		_, err := (&environment{s: s}).Table(ctx, strings.Split(strings.ReplaceAll(a[0], "`", ""), "."))
		return oneBool(err == nil)
	},
	"functionExists": func(s *Session, _ context.Context, a []string) (types.Struct, [][]any, error) {
		_, builtin := s.e.funcs.Lookup(a[0])
		return oneBool(builtin || (&environment{s: s}).Function(a[0]) != nil)
	},
	"listTables": (*Session).listTables,
	"isCached": func(s *Session, _ context.Context, a []string) (types.Struct, [][]any, error) {
		return oneBool(s.StorageLevel(&plan.Table{Name: []string{a[0]}}) != "")
	},
	"dropTempView": func(s *Session, _ context.Context, a []string) (types.Struct, [][]any, error) {
		return oneBool(s.DropView(a[0], false))
	},
	"dropGlobalTempView": func(s *Session, _ context.Context, a []string) (types.Struct, [][]any, error) {
		return oneBool(s.DropView(a[0], true))
	},
	"clearCache": func(s *Session, _ context.Context, _ []string) (types.Struct, [][]any, error) {
		s.ClearCache()
		return types.Struct{}, nil, nil
	},
	"cacheTable": func(s *Session, ctx context.Context, a []string) (types.Struct, [][]any, error) {
		return types.Struct{}, nil, s.Persist(ctx, &plan.Table{Name: []string{a[0]}}, "MEMORY_AND_DISK")
	},
	"uncacheTable": func(s *Session, _ context.Context, a []string) (types.Struct, [][]any, error) {
		s.Unpersist(&plan.Table{Name: []string{a[0]}})
		return types.Struct{}, nil, nil
	},
}

func oneText(v string) (types.Struct, [][]any, error) {
	return types.Struct{Fields: []types.Field{{Name: "value", Type: types.String}}}, [][]any{{v}}, nil
}

func oneBool(v bool) (types.Struct, [][]any, error) {
	return types.Struct{Fields: []types.Field{{Name: "value", Type: types.Boolean}}}, [][]any{{v}}, nil
}

func (s *Session) listTables(context.Context, []string) (types.Struct, [][]any, error) {
	text := func(n string) types.Field { return types.Field{Name: n, Type: types.String, Nullable: true} }
	schema := types.Struct{Fields: []types.Field{text("name"), text("catalog"), {Name: "namespace", Type: types.Array{Elem: types.String}, Nullable: true},
		text("description"), text("tableType"), {Name: "isTemporary", Type: types.Boolean}}}
	var rows [][]any
	s.mu.Lock()
	for name, v := range s.views {
		if !v.global {
			rows = append(rows, []any{name, nil, []string{}, nil, "TEMPORARY", true})
		}
	}
	s.mu.Unlock()
	entries, err := os.ReadDir(s.Warehouse())
	if err != nil && !os.IsNotExist(err) {
		return schema, nil, err
	}
	for _, e := range entries {
		if e.IsDir() && tableName.MatchString(e.Name()) {
			rows = append(rows, []any{e.Name(), "spark_catalog", []string{"default"}, nil, "MANAGED", false})
		}
	}
	sort.Slice(rows, func(i, j int) bool { return rows[i][0].(string) < rows[j][0].(string) })
	return schema, rows, nil
}

func (s *Session) catalog(ctx context.Context, c *plan.Catalog) (types.Struct, []arrow.RecordBatch, error) {
	answer, ok := catalogAnswers[c.Method]
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
