package sqlparse

import (
	"strings"

	"github.com/millpond/millpond/internal/plan"
	"github.com/millpond/millpond/internal/sparkerr"
	"github.com/millpond/millpond/internal/types"
)

// Command is a statement that is not a query.
type Command struct {
	Kind     string // create_view, drop_view, drop_table, create_table, insert, show_tables, show_databases, describe, set, reset, cache, uncache, clear_cache, explain, use
	Name     []string
	Query    plan.Relation
	Replace  bool // OR REPLACE, OVERWRITE
	Global   bool
	IfNot    bool // IF [NOT] EXISTS
	Format   string
	Key      string
	Value    string
	HasValue bool
	Cascade  bool

	Schema     types.Struct
	Function   *plan.SQLFunction
	Columns    []string // of a view, of INSERT; the new name of a renamed table
	Partitions []string
	Location   string
	Comment    string
	Text       string // a view's query as written
	Options    map[string]string
	Properties map[string]string
}

// Statement reads a command; it answers nil if the text is a query.
func Statement(src string, named map[string]plan.Expr, pos []plan.Expr) (*Command, error) {
	p, err := newParser(src)
	if err != nil {
		return nil, err
	}
	for _, c := range append(append(append([]commandReader{}, variables...), ddl...), commands...) {
		if p.accept(c.words...) {
			cmd, err := c.read(p)
			if err != nil {
				return nil, err
			}
			p.accept(";")
			if p.tok().kind != end {
				return nil, p.unexpected()
			}
			if cmd.Query != nil {
				cmd.Query, err = bindParams(cmd.Query, named, pos)
			}
			return cmd, err
		}
	}
	if t := p.tok(); t.kind == word && unsupportedCommands[t.text] {
		return nil, sparkerr.Unsupported("the SQL command %s", t.text)
	}
	return nil, nil
}

// unsupportedCommands are known to Spark and not to this engine.
var unsupportedCommands = map[string]bool{"ALTER": true, "ANALYZE": true, "MERGE": true, "UPDATE": true, "DELETE": true, "TRUNCATE": true,
	"REFRESH": true, "MSCK": true, "LOAD": true, "ADD": true, "LIST": true, "CREATE": true, "DROP": true, "SHOW": true, "COMMENT": true, "DECLARE": true, "EXECUTE": true, "BEGIN": true, "CALL": true}

type commandReader struct {
	words []string
	read  func(p *parser) (*Command, error)
}

var commands = []commandReader{
	{[]string{"CREATE", "OR", "REPLACE", "TEMPORARY", "VIEW"}, createView(true, false)},
	{[]string{"CREATE", "OR", "REPLACE", "TEMP", "VIEW"}, createView(true, false)},
	{[]string{"CREATE", "OR", "REPLACE", "GLOBAL", "TEMPORARY", "VIEW"}, createView(true, true)},
	{[]string{"CREATE", "OR", "REPLACE", "GLOBAL", "TEMP", "VIEW"}, createView(true, true)},
	{[]string{"CREATE", "TEMPORARY", "VIEW"}, createView(false, false)},
	{[]string{"CREATE", "TEMP", "VIEW"}, createView(false, false)},
	{[]string{"CREATE", "GLOBAL", "TEMPORARY", "VIEW"}, createView(false, true)},
	{[]string{"CREATE", "GLOBAL", "TEMP", "VIEW"}, createView(false, true)},
	{[]string{"DROP", "VIEW"}, drop("drop_view")},
	{[]string{"DROP", "TABLE"}, drop("drop_table")},
	{[]string{"INSERT", "INTO"}, insert(false)},
	{[]string{"INSERT", "OVERWRITE"}, insert(true)},
	{[]string{"DESCRIBE"}, describe}, {[]string{"DESC"}, describe},
	{[]string{"EXPLAIN"}, explain},
	{[]string{"CACHE", "LAZY", "TABLE"}, named("cache")}, {[]string{"CACHE", "TABLE"}, named("cache")},
	{[]string{"UNCACHE", "TABLE"}, drop("uncache")},
	{[]string{"CLEAR", "CACHE"}, bare("clear_cache")},
	{[]string{"SET"}, setting}, {[]string{"RESET"}, reset},
	{[]string{"USE"}, named("use")},
}

func bare(kind string) func(*parser) (*Command, error) {
	return func(*parser) (*Command, error) { return &Command{Kind: kind}, nil }
}

func named(kind string) func(*parser) (*Command, error) {
	return func(p *parser) (*Command, error) {
		n, err := p.name()
		c := &Command{Kind: kind, Name: n}
		if err == nil && kind == "cache" && p.accept("AS") {
			c.Query, err = p.query()
		}
		return c, err
	}
}

func createView(replace, global bool) func(*parser) (*Command, error) {
	return func(p *parser) (*Command, error) {
		n, err := p.name()
		if err != nil {
			return nil, err
		}
		c := &Command{Kind: "create_view", Name: n, Replace: replace, Global: global}
		if p.is("USING") {
			return c, p.fileView(c)
		}
		if err := p.expect("AS"); err != nil {
			return nil, err
		}
		c.Query, err = p.query()
		return c, err
	}
}

// fileView reads the rest of a view of files: USING csv OPTIONS (path '…').
func (p *parser) fileView(c *Command) error {
	if err := p.tableClauses(c); err != nil {
		return err
	}
	read := &plan.Read{Format: c.Format, Options: map[string]string{}}
	for k, v := range c.Options {
		read.Options[strings.ToLower(k)] = v
	}
	c.Query = read
	return nil
}

func drop(kind string) func(*parser) (*Command, error) {
	return func(p *parser) (*Command, error) {
		c := &Command{Kind: kind, IfNot: p.accept("IF", "EXISTS")}
		var err error
		c.Name, err = p.name()
		return c, err
	}
}

func insert(overwrite bool) func(*parser) (*Command, error) {
	return func(p *parser) (*Command, error) {
		p.accept("TABLE")
		n, err := p.name()
		if err != nil {
			return nil, err
		}
		c := &Command{Kind: "insert", Name: n, Replace: overwrite}
		if p.is("(") && !p.isQuery(1) {
			p.pos++ // usingNames steps back
			if _, c.Columns, err = p.usingNames(); err != nil {
				return nil, err
			}
		}
		var fixed []plan.Expr
		if p.accept("PARTITION") {
			if fixed, err = p.partitionValues(overwrite); err != nil {
				return nil, err
			}
		}
		c.Query, err = p.query()
		if len(fixed) > 0 && err == nil {
			c.Query = &plan.Project{Input: c.Query, Exprs: append([]plan.Expr{&plan.Star{}}, fixed...)}
		}
		return c, err
	}
}

// partitionValues reads PARTITION (k = v, ...): the values come behind the query's columns, as
// partition columns do in a table. A key without a value is one of the query's own columns.
func (p *parser) partitionValues(overwrite bool) ([]plan.Expr, error) {
	if err := p.expect("("); err != nil {
		return nil, err
	}
	var fixed []plan.Expr
	open := false
	for {
		name, err := p.identifier()
		if err != nil {
			return nil, err
		}
		if p.accept("=") {
			v, err := p.expr()
			if err != nil {
				return nil, err
			}
			fixed = append(fixed, plan.AliasExpr{Expr: v, Names: []string{name}})
		} else {
			open = true
		}
		if !p.accept(",") {
			break
		}
	}
	if len(fixed) > 0 && (open || overwrite) {
		return nil, sparkerr.Unsupported("INSERT into partitions of which only some are given, or OVERWRITE of a partition")
	}
	return fixed, p.expect(")")
}

func describe(p *parser) (*Command, error) {
	p.accept("QUERY")
	p.accept("TABLE")
	p.accept("EXTENDED")
	if p.isQuery(0) {
		q, err := p.query()
		return &Command{Kind: "describe", Query: q}, err
	}
	n, err := p.name()
	return &Command{Kind: "describe", Query: &plan.Table{Name: n}}, err
}

func explain(p *parser) (*Command, error) {
	c := &Command{Kind: "explain"}
	for _, w := range []string{"EXTENDED", "FORMATTED", "CODEGEN", "COST"} {
		c.Replace = p.accept(w) || c.Replace
	}
	var err error
	c.Query, err = p.query()
	return c, err
}

// reset reads RESET [key].
func reset(p *parser) (*Command, error) {
	rest := strings.TrimSuffix(strings.TrimSpace(p.src[p.tok().start:]), ";")
	p.pos = len(p.toks) - 1
	return &Command{Kind: "reset", Key: strings.Trim(rest, "`")}, nil
}

// setting takes the rest of the text as it is: keys and values are not SQL.
func setting(p *parser) (*Command, error) {
	rest := strings.TrimSuffix(strings.TrimSpace(p.src[p.tok().start:]), ";")
	p.pos = len(p.toks) - 1
	key, value, ok := strings.Cut(rest, "=")
	value = strings.Trim(strings.TrimSpace(value), "'\"")
	return &Command{Kind: "set", Key: strings.Trim(strings.TrimSpace(key), "`"), Value: value, HasValue: ok}, nil
}
