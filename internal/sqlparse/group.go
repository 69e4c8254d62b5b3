package sqlparse

import (
	"strings"

	"github.com/millpond/millpond/internal/plan"
)

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
