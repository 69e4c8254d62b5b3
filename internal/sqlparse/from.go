package sqlparse

import (
	"strings"

	"github.com/millpond/millpond/internal/plan"
)

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
	return p.joinsOnto(left)
}

// joinsOnto reads the joins that follow a relation.
func (p *parser) joinsOnto(left plan.Relation) (plan.Relation, error) {
	var err error
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
		first := p.pos
		if r, err = p.namedTable(); err == nil {
			p.placed(r, first)
		}
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
	if p.is("(") && len(parts) == 1 && strings.EqualFold(parts[0], "identifier") {
		named, err := p.identifierClause()
		return &plan.Table{Name: named}, err
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
	if out, ok, err := p.pivoted(r); err != nil {
		return nil, err
	} else if ok {
		return p.aliased(out)
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
			r, columns = &c, nil
		}
		out, ok, err := p.pivoted(&plan.Alias{Input: r, Name: name, Columns: columns})
		if err != nil || !ok {
			return out, err
		}
		return p.aliased(out)
	}
	return r, nil
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
