package sqlparse

import (
	"github.com/millpond/millpond/internal/plan"
	"github.com/millpond/millpond/internal/sparkerr"
	"github.com/millpond/millpond/internal/types"
)

// variables are the statements about session variables and SQL functions.
var variables = []commandReader{
	{[]string{"DECLARE", "OR", "REPLACE"}, declare(true)}, {[]string{"DECLARE"}, declare(false)},
	{[]string{"SET", "VARIABLE"}, setVariable}, {[]string{"SET", "VAR"}, setVariable},
	{[]string{"DROP", "TEMPORARY", "VARIABLE"}, drop("drop_variable")}, {[]string{"DROP", "TEMP", "VARIABLE"}, drop("drop_variable")},
	{[]string{"CREATE", "OR", "REPLACE", "TEMPORARY", "FUNCTION"}, createFunction(true)}, {[]string{"CREATE", "OR", "REPLACE", "TEMP", "FUNCTION"}, createFunction(true)},
	{[]string{"CREATE", "TEMPORARY", "FUNCTION"}, createFunction(false)}, {[]string{"CREATE", "TEMP", "FUNCTION"}, createFunction(false)},
	{[]string{"DROP", "TEMPORARY", "FUNCTION"}, drop("drop_function")}, {[]string{"DROP", "TEMP", "FUNCTION"}, drop("drop_function")},
}

// declare reads DECLARE [VARIABLE] name [type] [DEFAULT value | = value].
func declare(replace bool) func(*parser) (*Command, error) {
	return func(p *parser) (*Command, error) {
		if !p.accept("VARIABLE") {
			p.accept("VAR")
		}
		c := &Command{Kind: "declare", Replace: replace}
		var err error
		if c.Name, err = p.name(); err != nil {
			return nil, err
		}
		if t := p.tok(); t.kind == word && t.text != "DEFAULT" {
			typ, err := p.dataType()
			if err != nil {
				return nil, err
			}
			c.Schema.Fields = []types.Field{{Name: c.Name[len(c.Name)-1], Type: typ, Nullable: true}}
		}
		var value plan.Expr = plan.NullLit()
		if p.accept("DEFAULT") || p.accept("=") {
			if value, err = p.expr(); err != nil {
				return nil, err
			}
		}
		c.Query = &plan.Project{Input: &plan.OneRow{}, Exprs: []plan.Expr{value}}
		return c, nil
	}
}

// setVariable reads SET VAR a = x, b = y or SET VAR (a, b) = (query); no value means the default.
func setVariable(p *parser) (*Command, error) {
	c := &Command{Kind: "set_variable"}
	var err error
	if p.is("(") {
		p.pos++ // usingNames steps back
		if _, c.Columns, err = p.usingNames(); err != nil {
			return nil, err
		}
		if err := p.expect("="); err != nil {
			return nil, err
		}
		c.Query, err = p.parenQuery()
		c.HasValue = true
		return c, err
	}
	q := &plan.Project{Input: &plan.OneRow{}}
	for {
		n, err := p.name()
		if err != nil {
			return nil, err
		}
		if err := p.expect("="); err != nil {
			return nil, err
		}
		if p.accept("DEFAULT") {
			c.Partitions = append(c.Partitions, n[len(n)-1]) // those that go back to their default
		} else {
			e, err := p.expr()
			if err != nil {
				return nil, err
			}
			c.Columns = append(c.Columns, n[len(n)-1])
			q.Exprs = append(q.Exprs, e)
		}
		if !p.accept(",") {
			break
		}
	}
	if len(q.Exprs) > 0 {
		c.Query = q
	}
	return c, nil
}

// createFunction reads a SQL function: its body is kept as text.
func createFunction(replace bool) func(*parser) (*Command, error) {
	return func(p *parser) (*Command, error) {
		c := &Command{Kind: "create_function", Replace: replace, IfNot: p.accept("IF", "NOT", "EXISTS")}
		var err error
		if c.Name, err = p.name(); err != nil {
			return nil, err
		}
		f := &plan.SQLFunction{Name: c.Name[len(c.Name)-1]}
		if p.accept("AS") {
			return nil, sparkerr.Unsupported("functions of Java classes")
		}
		if err := p.expect("("); err != nil {
			return nil, err
		}
		for !p.accept(")") {
			a := plan.FunctionParam{}
			if a.Name, err = p.identifier(); err != nil {
				return nil, err
			}
			if a.Type, err = p.dataType(); err != nil {
				return nil, err
			}
			if p.accept("DEFAULT") {
				if a.Default, err = p.expr(); err != nil {
					return nil, err
				}
			}
			f.Params = append(f.Params, a)
			p.accept(",")
		}
		if p.accept("RETURNS") {
			if p.is("TABLE") {
				return nil, sparkerr.Unsupported("SQL functions that return tables")
			}
			if f.Returns, err = p.dataType(); err != nil {
				return nil, err
			}
		}
		if err := p.expect("RETURN"); err != nil {
			return nil, err
		}
		f.Body, err = p.expr()
		c.Function = f
		return c, err
	}
}
