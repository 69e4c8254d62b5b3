package sqlparse

import (
	"strings"

	"github.com/millpond/millpond/internal/sparkerr"
	"github.com/millpond/millpond/internal/types"
)

// ddl are the statements about databases, tables and views.
var ddl = []commandReader{
	{[]string{"CREATE", "DATABASE"}, createDatabase}, {[]string{"CREATE", "SCHEMA"}, createDatabase},
	{[]string{"DROP", "DATABASE"}, dropDatabase}, {[]string{"DROP", "SCHEMA"}, dropDatabase},
	{[]string{"CREATE", "OR", "REPLACE", "VIEW"}, createStored(true)}, {[]string{"CREATE", "VIEW"}, createStored(false)},
	{[]string{"CREATE", "OR", "REPLACE", "TABLE"}, createTable(true)}, {[]string{"CREATE", "TABLE"}, createTable(false)}, {[]string{"CREATE", "EXTERNAL", "TABLE"}, createTable(false)},
	{[]string{"SHOW", "TABLES"}, show("show_tables")}, {[]string{"SHOW", "VIEWS"}, show("show_views")}, {[]string{"SHOW", "DATABASES"}, show("show_databases")},
	{[]string{"SHOW", "SCHEMAS"}, show("show_databases")}, {[]string{"SHOW", "COLUMNS"}, show("show_columns")}, {[]string{"SHOW", "PARTITIONS"}, named("show_partitions")},
	{[]string{"SHOW", "CREATE", "TABLE"}, named("show_create")}, {[]string{"SHOW", "TBLPROPERTIES"}, named("show_properties")}, {[]string{"SHOW", "CATALOGS"}, bare("show_catalogs")},
	{[]string{"SHOW", "CURRENT", "DATABASE"}, bare("show_current")}, {[]string{"SHOW", "CURRENT", "SCHEMA"}, bare("show_current")}, {[]string{"SHOW", "CURRENT", "NAMESPACE"}, bare("show_current")},
	{[]string{"SHOW", "FUNCTIONS"}, show("show_functions")}, {[]string{"SHOW", "USER", "FUNCTIONS"}, show("show_user_functions")}, {[]string{"SHOW", "SYSTEM", "FUNCTIONS"}, show("show_functions")},
	{[]string{"TRUNCATE", "TABLE"}, named("truncate")}, {[]string{"REFRESH", "TABLE"}, named("refresh")}, {[]string{"MSCK", "REPAIR", "TABLE"}, named("refresh")},
	{[]string{"ANALYZE", "TABLE"}, analyzeTable}, {[]string{"ALTER", "TABLE"}, alterTable}, {[]string{"ALTER", "VIEW"}, alterTable},
	{[]string{"USE", "DATABASE"}, named("use")}, {[]string{"USE", "SCHEMA"}, named("use")}, {[]string{"DESCRIBE", "DATABASE"}, named("describe_database")}, {[]string{"DESC", "DATABASE"}, named("describe_database")},
	{[]string{"DESCRIBE", "SCHEMA"}, named("describe_database")}, {[]string{"SET", "TIME", "ZONE"}, setTimeZone},
}

func createDatabase(p *parser) (*Command, error) {
	c := &Command{Kind: "create_database", IfNot: p.accept("IF", "NOT", "EXISTS")}
	var err error
	if c.Name, err = p.name(); err != nil {
		return nil, err
	}
	for {
		switch {
		case p.accept("COMMENT"):
			c.Comment = p.next().text
		case p.accept("LOCATION"):
			c.Location = p.next().text
		case p.accept("WITH", "DBPROPERTIES"), p.accept("WITH", "PROPERTIES"):
			if c.Properties, err = p.properties(); err != nil {
				return nil, err
			}
		default:
			return c, nil
		}
	}
}

func dropDatabase(p *parser) (*Command, error) {
	c := &Command{Kind: "drop_database", IfNot: p.accept("IF", "EXISTS")}
	var err error
	c.Name, err = p.name()
	p.accept("RESTRICT")
	c.Cascade = p.accept("CASCADE")
	return c, err
}

// properties reads ('k' = 'v', ...).
func (p *parser) properties() (map[string]string, error) {
	if err := p.expect("("); err != nil {
		return nil, err
	}
	out := map[string]string{}
	for !p.accept(")") {
		key := p.next()
		name := key.text
		if key.kind == word || key.kind == quoted {
			name = key.raw
		}
		for p.accept(".") {
			name += "." + p.next().raw
		}
		p.accept("=")
		if key.kind == end || p.tok().kind == end {
			return nil, p.unexpected()
		}
		t := p.next()
		value := t.text
		if t.kind == word {
			value = strings.ToLower(t.raw)
		}
		out[name] = value
		p.accept(",")
	}
	return out, nil
}

// createStored reads a view that the catalog keeps: by its text.
func createStored(replace bool) func(*parser) (*Command, error) {
	return func(p *parser) (*Command, error) {
		c := &Command{Kind: "create_stored_view", Replace: replace, IfNot: p.accept("IF", "NOT", "EXISTS")}
		var err error
		if c.Name, err = p.name(); err != nil {
			return nil, err
		}
		if p.is("(") {
			p.pos++
			for !p.accept(")") {
				n, err := p.identifier()
				if err != nil {
					return nil, err
				}
				if p.accept("COMMENT") {
					p.next()
				}
				c.Columns = append(c.Columns, n)
				p.accept(",")
			}
		}
		if p.accept("COMMENT") {
			c.Comment = p.next().text
		}
		if p.accept("TBLPROPERTIES") {
			if c.Properties, err = p.properties(); err != nil {
				return nil, err
			}
		}
		if err := p.expect("AS"); err != nil {
			return nil, err
		}
		start := p.tok().start
		c.Query, err = p.query()
		c.Text = strings.TrimSuffix(strings.TrimSpace(p.src[start:]), ";")
		return c, err
	}
}

func createTable(replace bool) func(*parser) (*Command, error) {
	return func(p *parser) (*Command, error) {
		c := &Command{Kind: "create_table", Replace: replace, IfNot: p.accept("IF", "NOT", "EXISTS")}
		var err error
		if c.Name, err = p.name(); err != nil {
			return nil, err
		}
		if p.is("(") {
			if c.Schema, err = p.columns(); err != nil {
				return nil, err
			}
		}
		if err := p.tableClauses(c); err != nil {
			return nil, err
		}
		if p.accept("AS") || p.isQuery(0) {
			c.Query, err = p.query()
		}
		return c, err
	}
}

func (p *parser) tableClauses(c *Command) error {
	for {
		var err error
		switch {
		case p.accept("USING"):
			c.Format, err = p.identifier()
		case p.accept("OPTIONS"):
			c.Options, err = p.properties()
		case p.accept("TBLPROPERTIES"):
			c.Properties, err = p.properties()
		case p.accept("PARTITIONED", "BY"):
			c.Partitions, err = p.partitioning(c)
		case p.accept("COMMENT"):
			c.Comment = p.next().text
		case p.accept("LOCATION"):
			c.Location = p.next().text
		default:
			return nil
		}
		if err != nil {
			return err
		}
	}
}

// partitioning reads names, or columns with types, which join the schema.
func (p *parser) partitioning(c *Command) ([]string, error) {
	if k := p.ahead(2); k.kind == word && k.text != ")" {
		s, err := p.columns()
		if err != nil {
			return nil, err
		}
		c.Schema.Fields = append(c.Schema.Fields, s.Fields...)
		return s.Names(), nil
	}
	p.pos++ // usingNames steps back
	_, names, err := p.usingNames()
	return names, err
}

// columns reads (name type [NOT NULL] [COMMENT 'text'], ...) as DDL.
func (p *parser) columns() (types.Struct, error) {
	if err := p.expect("("); err != nil {
		return types.Struct{}, err
	}
	start, depth := p.tok().start, 1
	for depth > 0 {
		switch t := p.next(); {
		case t.kind == end:
			return types.Struct{}, p.unexpected()
		case t.kind == symbol && t.text == "(":
			depth++
		case t.kind == symbol && t.text == ")":
			depth--
		}
	}
	src := p.src[start:p.toks[p.pos-1].start]
	t, err := types.ParseDDL(src)
	s, ok := t.(types.Struct)
	if err != nil || !ok {
		if words := strings.Fields(strings.Trim(src, ", ")); len(words) == 2 { // one column: its type is what is wrong
			if _, err := types.ParseType(words[1]); err != nil {
				return types.Struct{}, TypeError(words[1])
			}
		}
		return types.Struct{}, p.unexpected()
	}
	seen := map[string]bool{}
	for _, f := range s.Fields {
		if seen[strings.ToLower(f.Name)] {
			return types.Struct{}, sparkerr.Analysis("COLUMN_ALREADY_EXISTS", "columnName", types.Quote(strings.ToLower(f.Name)))
		}
		seen[strings.ToLower(f.Name)] = true
	}
	return s, nil
}

// show reads SHOW x [IN|FROM name] [[LIKE] 'pattern'].
func show(kind string) func(*parser) (*Command, error) {
	return func(p *parser) (*Command, error) {
		c := &Command{Kind: kind}
		var err error
		for p.accept("IN") || p.accept("FROM") {
			n, err := p.name()
			if err != nil {
				return nil, err
			}
			c.Name = append(n[:len(n):len(n)], c.Name...)
		}
		p.accept("LIKE")
		switch t := p.tok(); t.kind {
		case text:
			c.Value = p.next().text
		case word, quoted:
			c.Value = p.next().raw
		}
		return c, err
	}
}

func analyzeTable(p *parser) (*Command, error) {
	n, err := p.name()
	for err == nil && p.tok().kind != end {
		p.next()
	}
	return &Command{Kind: "refresh", Name: n}, err
}

func alterTable(p *parser) (*Command, error) {
	n, err := p.name()
	if err != nil {
		return nil, err
	}
	c := &Command{Kind: "alter", Name: n}
	switch {
	case p.accept("RENAME", "TO"):
		c.Kind = "rename_table"
		c.Columns, err = p.name()
	case p.accept("SET", "TBLPROPERTIES"):
		c.Properties, err = p.properties()
	case p.accept("SET", "LOCATION"):
		c.Location = p.next().text
	default:
		return nil, unsupportedAlter(p)
	}
	return c, err
}

func setTimeZone(p *parser) (*Command, error) {
	c := &Command{Kind: "set", Key: "spark.sql.session.timeZone", HasValue: true}
	if p.accept("LOCAL") {
		return nil, unsupportedAlter(p)
	}
	c.Value = p.next().text
	return c, nil
}

func unsupportedAlter(p *parser) error {
	return sparkerr.Unsupported("this clause of %s %s: %s", p.toks[0].text, p.toks[1].text, p.tok().raw)
}
