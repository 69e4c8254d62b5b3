package engine

import (
	"context"

	"github.com/apache/arrow-go/v18/arrow"

	"github.com/millpond/millpond/internal/analyze"
	"github.com/millpond/millpond/internal/evidence"
	"github.com/millpond/millpond/internal/plan"
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
	s.tell(func() evidence.Event { return evidence.Statement{Text: sql.Query, Input: s.lineage(r)} })
	if cmd == nil {
		if _, err := analyze.Parse(sql); err != nil {
			return nil, err
		}
		_, err := s.Schema(ctx, r)
		return nil, err
	}
	return runnerOf(cmd.Kind)(s, ctx, cmd)
}

var commandRunners = map[string]func(*Session, context.Context, *sqlparse.Command) (*Answer, error){
	"create_view": func(s *Session, ctx context.Context, c *sqlparse.Command) (*Answer, error) {
		if _, err := s.Schema(ctx, c.Query); err != nil {
			return nil, err
		}
		return nothing(s.CreateView(c.Name[len(c.Name)-1], c.Query, c.Global, c.Replace))
	},
	"describe": (*Session).describeTable,
	"set":      (*Session).setCommand,
	"declare":  (*Session).runDeclare, "set_variable": (*Session).runSetVariable, "drop_variable": (*Session).runDropVariable,
	"create_function": (*Session).runCreateFunction, "drop_function": (*Session).runDropFunction,
	"reset": func(s *Session, _ context.Context, c *sqlparse.Command) (*Answer, error) {
		if c.Key != "" {
			s.Conf.Unset(c.Key)
			return nothing(nil)
		}
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

func (s *Session) describeTable(ctx context.Context, c *sqlparse.Command) (*Answer, error) {
	schema, err := s.Schema(ctx, c.Query)
	if err != nil {
		return nil, err
	}
	rows := make([][]any, 0, len(schema.Fields))
	for _, f := range schema.Fields {
		rows = append(rows, []any{f.Name, f.Type.SimpleString(), commentOf(f)})
	}
	if t, ok := c.Query.(*plan.Table); ok && !s.hasView(t.Name) {
		rows = append(rows, s.describePartitions(t.Name, schema)...)
	}
	return describeSchema(rows)
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
	return firmRows([]string{"key", "value"}, rows)
}
