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
	return t.kind == word && (t.text == "SELECT" || t.text == "WITH" || t.text == "VALUES")
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
	if p.accept("ORDER", "BY") || p.accept("SORT", "BY") {
		o, err := p.sortItems()
		if err != nil {
			return nil, err
		}
		q = &plan.Sort{Input: q, Orders: o, Global: true}
	}
	var limit plan.Expr
	var err error
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
		n, err := p.name()
		return &plan.Table{Name: n}, err
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
	p.next()
	if p.accept("/*+") {
		for !p.accept("*/") {
			if p.next().kind == end {
				return nil, p.unexpected()
			}
		}
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
	if q, err = p.windowClause(q); err != nil {
		return nil, err
	}
	if distinct {
		q = &plan.Dedup{Input: q}
	}
	return q, nil
}

func (p *parser) lateralViews(from plan.Relation) (plan.Relation, error) {
	for p.accept("LATERAL", "VIEW") {
		v := &plan.LateralView{Input: from, Outer: p.accept("OUTER")}
		gen, err := p.reference()
		if err != nil {
			return nil, err
		}
		v.Gen = gen
		if t := p.tok(); (t.kind == word || t.kind == quoted) && !p.is("AS") && !clause[t.text] {
			v.Alias = p.next().raw
		}
		if p.accept("AS") {
			for {
				c, err := p.identifier()
				if err != nil {
					return nil, err
				}
				v.Columns = append(v.Columns, c)
				if !p.accept(",") {
					break
				}
			}
		}
		from = v
	}
	return from, nil
}

func (p *parser) grouped(from plan.Relation, list []plan.Expr) (plan.Relation, error) {
	var q plan.Relation = &plan.Project{Input: from, Exprs: list}
	if p.accept("GROUP", "BY") {
		a := &plan.Aggregate{Input: from, Kind: "groupby", Aggs: list, SQL: true}
		if err := p.groupBy(a); err != nil {
			return nil, err
		}
		q = a
	}
	if p.accept("HAVING") {
		cond, err := p.expr()
		if err != nil {
			return nil, err
		}
		if _, ok := q.(*plan.Aggregate); !ok {
			q = &plan.Aggregate{Input: from, Kind: "groupby", Aggs: list, SQL: true}
		}
		q = &plan.Filter{Input: q, Cond: cond, Having: true}
	}
	return q, nil
}

func (p *parser) groupBy(a *plan.Aggregate) error {
	var err error
	switch {
	case p.is("ROLLUP", "(") || p.is("CUBE", "("):
		a.Kind = strings.ToLower(p.next().text)
		a.Group, err = p.parenList()
		return err
	case p.accept("GROUPING", "SETS"):
		return p.groupingSets(a)
	case p.accept("ALL"):
		for _, e := range a.Aggs {
			if !mayAggregate(e) {
				if al, ok := e.(plan.AliasExpr); ok {
					e = al.Expr
				}
				a.Group = append(a.Group, e)
			}
		}
		return nil
	}
	if a.Group, err = p.exprList(); err != nil {
		return err
	}
	switch {
	case p.accept("WITH", "ROLLUP"):
		a.Kind = "rollup"
	case p.accept("WITH", "CUBE"):
		a.Kind = "cube"
	case p.accept("GROUPING", "SETS"):
		return p.groupingSets(a)
	}
	return nil
}

// mayAggregate says whether an item of GROUP BY ALL is a call that could aggregate.
func mayAggregate(e plan.Expr) bool {
	if al, ok := e.(plan.AliasExpr); ok {
		e = al.Expr
	}
	_, call := e.(*plan.Function)
	return call
}

func (p *parser) groupingSets(a *plan.Aggregate) error {
	a.Kind = "sets"
	if err := p.expect("("); err != nil {
		return err
	}
	seen := map[string]bool{}
	for {
		var set []plan.Expr
		if p.accept("(") {
			if !p.is(")") {
				list, err := p.exprList()
				if err != nil {
					return err
				}
				set = list
			}
			if err := p.expect(")"); err != nil {
				return err
			}
		} else {
			e, err := p.expr()
			if err != nil {
				return err
			}
			set = []plan.Expr{e}
		}
		a.Sets = append(a.Sets, set)
		for _, e := range set {
			if at, ok := e.(*plan.Attribute); ok {
				if key := strings.ToLower(strings.Join(at.Parts, ".")); !seen[key] {
					seen[key] = true
					if !groupHas(a.Group, key) {
						a.Group = append(a.Group, e)
					}
				}
			}
		}
		if !p.accept(",") {
			return p.expect(")")
		}
	}
}

func groupHas(group []plan.Expr, key string) bool {
	for _, g := range group {
		if at, ok := g.(*plan.Attribute); ok && strings.ToLower(strings.Join(at.Parts, ".")) == key {
			return true
		}
	}
	return false
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
	"PIVOT": true, "UNPIVOT": true, "TABLESAMPLE": true, "WITH": true, "DISTRIBUTE": true, "CLUSTER": true}

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
	if t := p.tok(); t.kind == quoted || t.kind == word && !clause[t.text] {
		p.next()
		return plan.AliasExpr{Expr: e, Names: []string{t.raw}}, nil
	}
	return e, nil
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

func (p *parser) relations() (plan.Relation, error) {
	left, err := p.joins()
	if err != nil {
		return nil, err
	}
	for p.accept(",") {
		lateral := p.accept("LATERAL")
		right, err := p.joins()
		if err != nil {
			return nil, err
		}
		left = &plan.Join{Left: left, Right: right, Type: plan.JoinCross, Lateral: lateral}
	}
	return left, nil
}

func (p *parser) joins() (plan.Relation, error) {
	left, err := p.tableRef()
	if err != nil {
		return nil, err
	}
	for {
		natural := p.accept("NATURAL")
		t, ok := p.joinType()
		if !ok {
			if natural {
				return nil, p.unexpected()
			}
			return left, nil
		}
		j := &plan.Join{Left: left, Type: t, Natural: natural, Lateral: p.accept("LATERAL")}
		if j.Right, err = p.tableRef(); err != nil {
			return nil, err
		}
		switch {
		case p.accept("ON"):
			if j.Cond, err = p.expr(); err != nil {
				return nil, err
			}
		case p.accept("USING"):
			p.pos++ // so that columnNames may step back onto a name
			if _, j.Using, err = p.usingNames(); err != nil {
				return nil, err
			}
		}
		left = j
	}
}

func (p *parser) usingNames() (string, []string, error) {
	p.pos--
	if err := p.expect("("); err != nil {
		return "", nil, err
	}
	var out []string
	for {
		c, err := p.identifier()
		if err != nil {
			return "", nil, err
		}
		out = append(out, c)
		if !p.accept(",") {
			return "", out, p.expect(")")
		}
	}
}

func (p *parser) joinType() (plan.JoinType, bool) {
	forms := []struct {
		words []string
		t     plan.JoinType
	}{
		{[]string{"JOIN"}, plan.JoinInner}, {[]string{"INNER", "JOIN"}, plan.JoinInner}, {[]string{"CROSS", "JOIN"}, plan.JoinCross},
		{[]string{"LEFT", "OUTER", "JOIN"}, plan.JoinLeft}, {[]string{"LEFT", "SEMI", "JOIN"}, plan.JoinSemi}, {[]string{"LEFT", "ANTI", "JOIN"}, plan.JoinAnti},
		{[]string{"LEFT", "JOIN"}, plan.JoinLeft}, {[]string{"SEMI", "JOIN"}, plan.JoinSemi}, {[]string{"ANTI", "JOIN"}, plan.JoinAnti},
		{[]string{"RIGHT", "OUTER", "JOIN"}, plan.JoinRight}, {[]string{"RIGHT", "JOIN"}, plan.JoinRight},
		{[]string{"FULL", "OUTER", "JOIN"}, plan.JoinFull}, {[]string{"FULL", "JOIN"}, plan.JoinFull},
	}
	for _, f := range forms {
		if p.accept(f.words...) {
			return f.t, true
		}
	}
	return "", false
}

func (p *parser) tableRef() (plan.Relation, error) {
	if err := p.enter(); err != nil {
		return nil, err
	}
	defer p.leave()
	var r plan.Relation
	var err error
	switch {
	case p.is("("):
		if p.isQuery(1) {
			r, err = p.parenQuery()
		} else {
			p.next()
			if r, err = p.relations(); err == nil {
				err = p.expect(")")
			}
		}
	case p.is("VALUES"):
		return p.values()
	default:
		r, err = p.namedTable()
	}
	if err != nil {
		return nil, err
	}
	return p.aliased(r)
}

func (p *parser) namedTable() (plan.Relation, error) {
	parts, err := p.name()
	if err != nil {
		return nil, err
	}
	if p.is("(") && len(parts) == 1 {
		p.next()
		f := &plan.TableFunction{Name: parts[0]}
		if !p.is(")") {
			if f.Args, err = p.exprList(); err != nil {
				return nil, err
			}
		}
		return f, p.expect(")")
	}
	if len(parts) == 2 && fileFormats[strings.ToLower(parts[0])] && strings.ContainsAny(parts[1], "/.") {
		return &plan.Read{Format: strings.ToLower(parts[0]), Paths: []string{parts[1]}}, nil
	}
	return &plan.Table{Name: parts}, nil
}

// fileFormats may be read as tables: parquet.`path`.
var fileFormats = map[string]bool{"parquet": true, "csv": true, "json": true, "text": true}

// aliased reads TABLESAMPLE, PIVOT and an alias after a table.
func (p *parser) aliased(r plan.Relation) (plan.Relation, error) {
	if p.is("TABLESAMPLE") || p.is("PIVOT") || p.is("UNPIVOT") {
		return nil, sparkerr.Unsupported("%s in SQL text", p.tok().text)
	}
	p.accept("AS")
	if t := p.tok(); t.kind == quoted || t.kind == word && !clause[t.text] {
		name, columns, err := p.nameWithColumns()
		if err != nil {
			return nil, err
		}
		if v, ok := r.(*plan.Values); ok && len(columns) > 0 {
			c := *v
			c.Names = columns
			return &plan.Alias{Input: &c, Name: name}, nil
		}
		return &plan.Alias{Input: r, Name: name, Columns: columns}, nil
	}
	return r, nil
}
