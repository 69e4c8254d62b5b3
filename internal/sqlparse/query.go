package sqlparse

import (
	"strings"

	"github.com/millpond/millpond/internal/plan"
	"github.com/millpond/millpond/internal/sparkerr"
)

// Query reads a query; :name and ? take their values from named and pos.
func Query(src string, named map[string]plan.Expr, pos []plan.Expr) (plan.Relation, error) {
	p, err := newParser(src)
	if err != nil {
		return nil, err
	}
	if p.tok().kind == end {
		return nil, sparkerr.New(sparkerr.ClassParse, "PARSE_EMPTY_STATEMENT")
	}
	q, err := p.query()
	if err != nil {
		return nil, err
	}
	p.accept(";")
	if p.tok().kind != end {
		return nil, p.unexpected()
	}
	return bindParams(q, named, pos)
}

// isQuery says whether a query starts n tokens ahead.
func (p *parser) isQuery(n int) bool {
	for p.ahead(n).text == "(" && p.ahead(n).kind == symbol {
		n++
	}
	t := p.ahead(n)
	return t.kind == word && (t.text == "SELECT" || t.text == "WITH" || t.text == "VALUES" || t.text == "FROM")
}

func (p *parser) parenQuery() (plan.Relation, error) {
	if err := p.expect("("); err != nil {
		return nil, err
	}
	q, err := p.query()
	if err != nil {
		return nil, err
	}
	return q, p.expect(")")
}

func (p *parser) query() (plan.Relation, error) {
	if err := p.enter(); err != nil {
		return nil, err
	}
	defer p.leave()
	var with *plan.With
	if p.accept("WITH") {
		var err error
		if with, err = p.ctes(); err != nil {
			return nil, err
		}
	}
	q, err := p.setOps(0)
	if err != nil {
		return nil, err
	}
	if q, err = p.tail(q); err != nil {
		return nil, err
	}
	if q, err = p.pipe(q); err != nil {
		return nil, err
	}
	if with != nil {
		with.Root = q
		return with, nil
	}
	return q, nil
}

func (p *parser) ctes() (*plan.With, error) {
	w := &plan.With{}
	if p.accept("RECURSIVE") {
		return nil, sparkerr.Unsupported("WITH RECURSIVE")
	}
	for {
		name, columns, err := p.nameWithColumns()
		if err != nil {
			return nil, err
		}
		p.accept("AS")
		q, err := p.parenQuery()
		if err != nil {
			return nil, err
		}
		if len(columns) > 0 {
			q = &plan.Alias{Input: q, Name: name, Columns: columns}
		}
		for _, n := range w.Names {
			if strings.EqualFold(n, name) {
				return nil, sparkerr.New(sparkerr.ClassParse, "DUPLICATED_CTE_NAMES", "duplicateNames", "`"+strings.ToLower(name)+"`")
			}
		}
		w.Names, w.References = append(w.Names, name), append(w.References, q)
		if !p.accept(",") {
			return w, nil
		}
	}
}

func (p *parser) nameWithColumns() (string, []string, error) {
	name, err := p.identifier()
	if err != nil || !p.is("(") {
		return name, nil, err
	}
	p.next()
	var columns []string
	for {
		c, err := p.identifier()
		if err != nil {
			return "", nil, err
		}
		columns = append(columns, c)
		if !p.accept(",") {
			return name, columns, p.expect(")")
		}
	}
}

func (p *parser) identifier() (string, error) {
	if t := p.tok(); t.kind == word || t.kind == quoted {
		p.next()
		return t.raw, nil
	}
	return "", p.unexpected()
}

func (p *parser) name() ([]string, error) {
	first, err := p.identifier()
	if err != nil {
		return nil, err
	}
	parts := []string{first}
	for p.accept(".") {
		next, err := p.identifier()
		if err != nil {
			return nil, err
		}
		parts = append(parts, next)
	}
	return parts, nil
}

// setOps reads unions and differences; INTERSECT binds tighter.
func (p *parser) setOps(level int) (plan.Relation, error) {
	operand := p.queryPrimary
	if level == 0 {
		operand = func() (plan.Relation, error) { return p.setOps(1) }
	}
	left, err := operand()
	if err != nil {
		return nil, err
	}
	for {
		var op string
		switch {
		case level == 0 && p.accept("UNION"):
			op = "union"
		case level == 0 && (p.accept("EXCEPT") || p.accept("MINUS")):
			op = "except"
		case level == 1 && p.accept("INTERSECT"):
			op = "intersect"
		default:
			return left, nil
		}
		all := p.accept("ALL")
		if !all {
			p.accept("DISTINCT")
		}
		right, err := operand()
		if err != nil {
			return nil, err
		}
		left = &plan.SetOp{Left: left, Right: right, Op: op, All: all}
	}
}

func (p *parser) tail(q plan.Relation) (plan.Relation, error) {
	q, err := p.arranged(q)
	if err != nil {
		return nil, err
	}
	var limit plan.Expr
	if p.accept("LIMIT") && !p.accept("ALL") {
		if limit, err = p.expr(); err != nil {
			return nil, err
		}
	}
	if p.accept("OFFSET") {
		n, err := p.expr()
		if err != nil {
			return nil, err
		}
		q = &plan.Offset{Input: q, N: n}
	}
	if limit != nil {
		q = &plan.Limit{Input: q, N: limit}
	}
	return q, nil
}

func (p *parser) queryPrimary() (plan.Relation, error) {
	switch {
	case p.is("SELECT"):
		return p.selectQuery()
	case p.is("VALUES"):
		return p.values()
	case p.is("("):
		return p.parenQuery()
	case p.accept("TABLE"):
		first := p.pos
		n, err := p.name()
		t := &plan.Table{Name: n}
		p.placed(t, first)
		return t, err
	case p.is("FROM"):
		p.next()
		from, err := p.relations()
		if err != nil {
			return nil, err
		}
		if !p.is("SELECT") {
			return from, nil
		}
		return p.selectFrom(from)
	}
	return nil, p.unexpected()
}

func (p *parser) values() (plan.Relation, error) {
	p.next()
	v := &plan.Values{}
	for {
		e, err := p.expr()
		if err != nil {
			return nil, err
		}
		if f, ok := e.(*plan.Function); ok && f.Name == "struct" {
			v.Rows = append(v.Rows, f.Args)
		} else {
			v.Rows = append(v.Rows, []plan.Expr{e})
		}
		if !p.accept(",") {
			return p.aliased(v)
		}
	}
}

func (p *parser) selectQuery() (plan.Relation, error) { return p.selectFrom(nil) }

// selectFrom reads SELECT ... up to the ORDER BY; from is set if it came first.
func (p *parser) selectFrom(from plan.Relation) (plan.Relation, error) {
	first := p.pos
	p.next()
	hints, err := p.hints()
	if err != nil {
		return nil, err
	}
	distinct := p.accept("DISTINCT")
	if !distinct {
		p.accept("ALL")
	}
	list, err := p.selectList()
	if err != nil {
		return nil, err
	}
	if from == nil {
		if p.accept("FROM") {
			if from, err = p.relations(); err != nil {
				return nil, err
			}
		} else {
			from = &plan.OneRow{}
		}
	}
	if from, err = p.lateralViews(from); err != nil {
		return nil, err
	}
	below := from
	if p.accept("WHERE") {
		cond, err := p.expr()
		if err != nil {
			return nil, err
		}
		from = &plan.Filter{Input: from, Cond: cond}
	}
	q, err := p.grouped(from, list)
	if err != nil {
		return nil, err
	}
	if p.accept("QUALIFY") {
		if q, err = p.qualified(q); err != nil {
			return nil, err
		}
	}
	if q, err = p.windowClause(q); err != nil {
		return nil, err
	}
	if distinct {
		q = &plan.Dedup{Input: q}
	}
	p.placed(q, first)
	if from != below {
		p.placed(from, first)
	}
	for i := len(hints) - 1; i >= 0; i-- {
		hints[i].Input = q
		q = hints[i]
	}
	return q, nil
}

// windowClause puts the windows named at the end of a query where they are used.
func (p *parser) windowClause(q plan.Relation) (plan.Relation, error) {
	if !p.accept("WINDOW") {
		return q, nil
	}
	named := map[string]*plan.Window{}
	for {
		n, err := p.identifier()
		if err != nil {
			return nil, err
		}
		if err := p.expect("AS"); err != nil {
			return nil, err
		}
		w, err := p.windowSpec()
		if err != nil {
			return nil, err
		}
		named[strings.ToLower(n)] = w
		if !p.accept(",") {
			break
		}
	}
	return rewriteRelation(q, func(e plan.Expr) (plan.Expr, error) {
		w, ok := e.(*plan.Window)
		if !ok || w.Name == "" {
			return e, nil
		}
		spec, ok := named[w.Name]
		if !ok {
			return e, nil
		}
		c := *spec
		c.Func = w.Func
		return &c, nil
	})
}

// qualified keeps the rows for which a condition over windows is true: it rides along as a column.
func (p *parser) qualified(q plan.Relation) (plan.Relation, error) {
	cond, err := p.expr()
	if err != nil {
		return nil, err
	}
	const name = "__qualify"
	item := plan.AliasExpr{Expr: cond, Names: []string{name}}
	in := q
	if f, ok := q.(*plan.Filter); ok && f.Having {
		in = f.Input
	}
	switch r := in.(type) {
	case *plan.Project:
		r.Exprs = append(r.Exprs[:len(r.Exprs):len(r.Exprs)], item)
	case *plan.Aggregate:
		r.Aggs = append(r.Aggs[:len(r.Aggs):len(r.Aggs)], item)
	}
	return &plan.Drop{Input: &plan.Filter{Input: q, Cond: plan.Name(name)}, Names: []string{name}}, nil
}

func (p *parser) selectList() ([]plan.Expr, error) {
	var out []plan.Expr
	for {
		e, err := p.selectItem()
		if err != nil {
			return nil, err
		}
		out = append(out, e)
		if !p.accept(",") {
			return out, nil
		}
	}
}

// clause are the words that end a select item or a table without being its alias.
var clause = map[string]bool{"FROM": true, "WHERE": true, "GROUP": true, "HAVING": true, "ORDER": true, "SORT": true, "LIMIT": true, "OFFSET": true,
	"UNION": true, "EXCEPT": true, "MINUS": true, "INTERSECT": true, "JOIN": true, "INNER": true, "LEFT": true, "RIGHT": true, "FULL": true,
	"CROSS": true, "SEMI": true, "ANTI": true, "NATURAL": true, "ON": true, "USING": true, "LATERAL": true, "WINDOW": true, "AS": true,
	"PIVOT": true, "UNPIVOT": true, "QUALIFY": true, "SELECT": true, "TABLESAMPLE": true, "WITH": true, "DISTRIBUTE": true, "CLUSTER": true}

func (p *parser) selectItem() (plan.Expr, error) {
	e, err := p.expr()
	if err != nil {
		return nil, err
	}
	if p.accept("AS") {
		if p.is("(") {
			_, columns, err := p.columnNames()
			return plan.AliasExpr{Expr: e, Names: columns}, err
		}
		n, err := p.aliasName()
		return plan.AliasExpr{Expr: e, Names: []string{n}}, err
	}
	_, star := e.(*plan.Star)
	if t := p.tok(); t.kind == quoted || t.kind == word && !clause[t.text] || !star && p.fromIsName() {
		p.next()
		return plan.AliasExpr{Expr: e, Names: []string{t.raw}}, nil
	}
	return e, nil
}

// fromIsName says whether FROM is an item's alias: the clause that comes next leaves no room for a
// table.
func (p *parser) fromIsName() bool {
	if p.is("FROM", "GROUP", "BY") || p.is("FROM", "ORDER", "BY") {
		return true
	}
	after := p.ahead(2)
	return (p.is("FROM", "WHERE") || p.is("FROM", "HAVING") || p.is("FROM", "LIMIT")) && after.kind != end && after.kind != symbol && !clause[after.text]
}

func (p *parser) columnNames() (string, []string, error) {
	p.pos-- // the word before stands for a name
	return p.nameWithColumns()
}

func (p *parser) aliasName() (string, error) {
	if t := p.tok(); t.kind == text {
		p.next()
		return t.text, nil
	}
	return p.identifier()
}
