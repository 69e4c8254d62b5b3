package engine

import (
	"context"
	"strconv"
	"strings"

	"github.com/millpond/millpond/internal/analyze"
	"github.com/millpond/millpond/internal/plan"
	"github.com/millpond/millpond/internal/sparkerr"
	"github.com/millpond/millpond/internal/sqlparse"
	"github.com/millpond/millpond/internal/types"
)

// variable is a session variable: its value, and the one it goes back to.
type variable struct{ value, initial plan.Literal }

func variablePath(name string) string { return "`system`.`session`." + types.Quote(name) }

func (s *Session) runDeclare(ctx context.Context, c *sqlparse.Command) (*Answer, error) {
	name := strings.ToLower(c.Name[len(c.Name)-1])
	values, err := s.oneRow(ctx, c.Query)
	if err != nil {
		return nil, err
	}
	v := values[0]
	if len(c.Schema.Fields) > 0 {
		if v, err = s.castLiteral(ctx, v, c.Schema.Fields[0].Type); err != nil {
			return nil, err
		}
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if _, there := s.variables[name]; there && !c.Replace {
		return nil, sparkerr.Analysis("VARIABLE_ALREADY_EXISTS", "variableName", variablePath(name))
	}
	s.variables[name] = &variable{value: v, initial: v}
	return nothing(nil)
}

func (s *Session) runSetVariable(ctx context.Context, c *sqlparse.Command) (*Answer, error) {
	for _, n := range append(append([]string{}, c.Columns...), c.Partitions...) {
		if _, ok := s.variable(n); !ok {
			return nil, sparkerr.Analysis("UNRESOLVED_VARIABLE", "variableName", types.Quote(n), "searchPath", "`system`.`session`")
		}
	}
	var values []plan.Literal
	var err error
	if c.Query != nil {
		if values, err = s.oneRow(ctx, c.Query); err != nil {
			return nil, err
		}
	}
	if len(values) != len(c.Columns) {
		return nil, sparkerr.Analysis("ASSIGNMENT_ARITY_MISMATCH", "numTarget", strconv.Itoa(len(c.Columns)), "numExpr", strconv.Itoa(len(values)))
	}
	for i, n := range c.Columns {
		old, _ := s.variable(n)
		if values[i], err = s.castLiteral(ctx, values[i], old.Type); err != nil {
			return nil, err
		}
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	for i, n := range c.Columns {
		s.variables[strings.ToLower(n)].value = values[i]
	}
	for _, n := range c.Partitions {
		v := s.variables[strings.ToLower(n)]
		v.value = v.initial
	}
	return nothing(nil)
}

func (s *Session) runDropVariable(_ context.Context, c *sqlparse.Command) (*Answer, error) {
	name := strings.ToLower(c.Name[len(c.Name)-1])
	s.mu.Lock()
	defer s.mu.Unlock()
	if _, there := s.variables[name]; !there && !c.IfNot {
		return nil, sparkerr.Analysis("VARIABLE_NOT_FOUND", "variableName", variablePath(name))
	}
	delete(s.variables, name)
	return nothing(nil)
}

// variable answers a variable's value.
func (s *Session) variable(name string) (plan.Literal, bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	v, ok := s.variables[strings.ToLower(name)]
	if !ok {
		return plan.Literal{}, false
	}
	return v.value, true
}

// oneRow runs a query of one row at most; no row means nulls.
func (s *Session) oneRow(ctx context.Context, q plan.Relation) ([]plan.Literal, error) {
	n, err := s.Analyze(ctx, q)
	if err != nil {
		return nil, err
	}
	batches, err := s.collect(ctx, n)
	if err != nil {
		return nil, err
	}
	attrs := n.Output()
	out := make([]plan.Literal, len(attrs))
	for i, at := range attrs {
		out[i] = plan.Literal{Type: at.Type}
	}
	rows := 0
	for _, b := range batches {
		for r := range int(b.NumRows()) {
			if rows++; rows > 1 {
				return nil, sparkerr.New(sparkerr.ClassSpark, "ROW_SUBQUERY_TOO_MANY_ROWS")
			}
			for i, at := range attrs {
				if out[i], err = analyze.LiteralAt(b.Column(i), r, at.Type); err != nil {
					return nil, err
				}
			}
		}
	}
	return out, nil
}

func (s *Session) castLiteral(ctx context.Context, l plan.Literal, t types.Type) (plan.Literal, error) {
	if types.Equal(l.Type, t) {
		return l, nil
	}
	out, err := s.oneRow(ctx, &plan.Project{Input: &plan.OneRow{}, Exprs: []plan.Expr{&plan.Cast{Expr: l, Type: t}}})
	if err != nil {
		return plan.Literal{}, err
	}
	return out[0], nil
}

func (s *Session) runCreateFunction(_ context.Context, c *sqlparse.Command) (*Answer, error) {
	name := strings.ToLower(c.Function.Name)
	s.mu.Lock()
	defer s.mu.Unlock()
	_, there := s.functions[name]
	switch {
	case there && c.IfNot:
		return nothing(nil)
	case there && !c.Replace:
		return nil, sparkerr.Analysis("ROUTINE_ALREADY_EXISTS", "routineName", types.Quote(name), "newRoutineType", "routine", "existingRoutineType", "routine")
	}
	s.functions[name] = c.Function
	return nothing(nil)
}

func (s *Session) runDropFunction(_ context.Context, c *sqlparse.Command) (*Answer, error) {
	name := strings.ToLower(c.Name[len(c.Name)-1])
	s.mu.Lock()
	defer s.mu.Unlock()
	_, sql := s.functions[name]
	_, python := s.udfs[name]
	if !sql && !python && !c.IfNot {
		return nil, sparkerr.Analysis("ROUTINE_NOT_FOUND", "routineName", types.Quote(name))
	}
	delete(s.functions, name)
	delete(s.udfs, name)
	return nothing(nil)
}
