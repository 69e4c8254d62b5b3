package engine

import (
	"context"
	"strings"

	"github.com/apache/arrow-go/v18/arrow"

	"github.com/millpond/millpond/internal/analyze"
	"github.com/millpond/millpond/internal/plan"
	"github.com/millpond/millpond/internal/sparkerr"
	"github.com/millpond/millpond/internal/sqlparse"
	"github.com/millpond/millpond/internal/types"
)

// Answer is a finished command's rows.
type Answer struct {
	Schema  types.Struct
	Batches []arrow.RecordBatch
}

// Statement runs SQL text if it is a command; it answers nil for a query, which is checked and
// left to be run.
func (s *Session) Statement(ctx context.Context, r plan.Relation) (*Answer, error) {
	q := r
	if w, ok := r.(*plan.With); ok && len(w.Names) == 0 {
		q = w.Root
	}
	sql, ok := q.(*plan.SQL)
	if !ok {
		_, err := s.Schema(ctx, r)
		return nil, err
	}
	cmd, err := sqlparse.Statement(sql.Query, sql.Named, sql.Pos)
	if err != nil {
		return nil, err
	}
	if cmd == nil {
		if _, err := analyze.Parse(sql); err != nil {
			return nil, err
		}
		_, err := s.Schema(ctx, r)
		return nil, err
	}
	return commandRunners[cmd.Kind](s, ctx, cmd)
}

var commandRunners = map[string]func(*Session, context.Context, *sqlparse.Command) (*Answer, error){
	"create_view": func(s *Session, ctx context.Context, c *sqlparse.Command) (*Answer, error) {
		if _, err := s.Schema(ctx, c.Query); err != nil {
			return nil, err
		}
		return nothing(s.CreateView(c.Name[len(c.Name)-1], c.Query, c.Global, c.Replace))
	},
	"drop_view": func(s *Session, _ context.Context, c *sqlparse.Command) (*Answer, error) {
		global := len(c.Name) > 1 && strings.EqualFold(c.Name[0], "global_temp")
		if !s.DropView(c.Name[len(c.Name)-1], global) && !c.IfNot {
			return nil, sparkerr.Analysis("TABLE_OR_VIEW_NOT_FOUND", "relationName", types.Quote(c.Name[len(c.Name)-1]))
		}
		return nothing(nil)
	},
	"drop_table": func(s *Session, _ context.Context, c *sqlparse.Command) (*Answer, error) {
		there, err := s.DropTable(c.Name[len(c.Name)-1])
		if err == nil && !there && !c.IfNot {
			err = sparkerr.Analysis("TABLE_OR_VIEW_NOT_FOUND", "relationName", types.Quote(c.Name[len(c.Name)-1]))
		}
		return nothing(err)
	},
	"create_table": func(s *Session, ctx context.Context, c *sqlparse.Command) (*Answer, error) {
		mode := "error"
		if c.IfNot {
			mode = "ignore"
		}
		if c.Replace {
			mode = "overwrite"
		}
		return nothing(s.Write(ctx, WriteRequest{Input: c.Query, Format: c.Format, Table: strings.Join(c.Name, "."), Mode: mode}))
	},
	"insert": func(s *Session, ctx context.Context, c *sqlparse.Command) (*Answer, error) {
		mode := "append"
		if c.Replace {
			mode = "overwrite"
		}
		return nothing(s.Write(ctx, WriteRequest{Input: c.Query, Table: strings.Join(c.Name, "."), Mode: mode, Insert: true}))
	},
	"show_tables": (*Session).showTables,
	"show_databases": func(*Session, context.Context, *sqlparse.Command) (*Answer, error) {
		return rowsOf([]string{"namespace"}, [][]any{{"default"}})
	},
	"describe": (*Session).describeTable,
	"set":      (*Session).setCommand,
	"reset": func(s *Session, _ context.Context, _ *sqlparse.Command) (*Answer, error) {
		for _, kv := range s.Conf.All("") {
			s.Conf.Unset(kv[0])
		}
		return nothing(nil)
	},
	"cache": func(s *Session, ctx context.Context, c *sqlparse.Command) (*Answer, error) {
		if c.Query != nil {
			if err := s.CreateView(c.Name[0], c.Query, false, false); err != nil {
				return nil, err
			}
		}
		return nothing(s.Persist(ctx, &plan.Table{Name: c.Name}, "MEMORY_AND_DISK"))
	},
	"uncache": func(s *Session, _ context.Context, c *sqlparse.Command) (*Answer, error) {
		s.Unpersist(&plan.Table{Name: c.Name})
		return nothing(nil)
	},
	"clear_cache": func(s *Session, _ context.Context, _ *sqlparse.Command) (*Answer, error) {
		s.ClearCache()
		return nothing(nil)
	},
	"explain": func(s *Session, ctx context.Context, c *sqlparse.Command) (*Answer, error) {
		text, err := s.Explain(ctx, c.Query, c.Replace)
		if err != nil {
			return nil, err
		}
		return rowsOf([]string{"plan"}, [][]any{{text}})
	},
	"use": func(_ *Session, _ context.Context, c *sqlparse.Command) (*Answer, error) {
		if !strings.EqualFold(c.Name[len(c.Name)-1], "default") && !strings.EqualFold(c.Name[len(c.Name)-1], "spark_catalog") {
			return nil, sparkerr.Analysis("SCHEMA_NOT_FOUND", "schemaName", types.Quote(c.Name[len(c.Name)-1]))
		}
		return nothing(nil)
	},
}

func nothing(err error) (*Answer, error) {
	if err != nil {
		return nil, err
	}
	return rowsOf(nil, nil)
}

// rowsOf makes an answer of text columns.
func rowsOf(names []string, rows [][]any) (*Answer, error) {
	schema := types.Struct{}
	for _, n := range names {
		schema.Fields = append(schema.Fields, types.Field{Name: n, Type: types.String, Nullable: true})
	}
	b, err := tableOf(schema, rows)
	if err != nil {
		return nil, err
	}
	return &Answer{schema, []arrow.RecordBatch{b}}, nil
}

func (s *Session) showTables(ctx context.Context, _ *sqlparse.Command) (*Answer, error) {
	_, list, err := s.listTables(ctx, nil)
	if err != nil {
		return nil, err
	}
	schema := types.Struct{Fields: []types.Field{{Name: "namespace", Type: types.String}, {Name: "tableName", Type: types.String}, {Name: "isTemporary", Type: types.Boolean}}}
	var rows [][]any
	for _, r := range list {
		ns := "default"
		if r[5] == true {
			ns = ""
		}
		rows = append(rows, []any{ns, r[0], r[5]})
	}
	b, err := tableOf(schema, rows)
	return &Answer{schema, []arrow.RecordBatch{b}}, err
}

func (s *Session) describeTable(ctx context.Context, c *sqlparse.Command) (*Answer, error) {
	schema, err := s.Schema(ctx, c.Query)
	if err != nil {
		return nil, err
	}
	var rows [][]any
	for _, f := range schema.Fields {
		rows = append(rows, []any{f.Name, f.Type.SimpleString(), nil})
	}
	return rowsOf([]string{"col_name", "data_type", "comment"}, rows)
}

func (s *Session) setCommand(_ context.Context, c *sqlparse.Command) (*Answer, error) {
	var rows [][]any
	switch {
	case c.HasValue:
		if err := s.Conf.Set(c.Key, c.Value); err != nil {
			return nil, err
		}
		rows = [][]any{{c.Key, c.Value}}
	case c.Key != "":
		v, ok := s.Conf.Get(c.Key)
		if !ok {
			v = "<undefined>"
		}
		rows = [][]any{{c.Key, v}}
	default:
		for _, kv := range s.Conf.All("") {
			rows = append(rows, []any{kv[0], kv[1]})
		}
	}
	return rowsOf([]string{"key", "value"}, rows)
}
