package sqlparse

import (
	"github.com/millpond/millpond/internal/plan"
	"github.com/millpond/millpond/internal/sparkerr"
)

// pipe reads the |> operators after a query.
func (p *parser) pipe(q plan.Relation) (plan.Relation, error) {
	for p.accept("|>") {
		var err error
		if q, err = p.pipeStep(q); err != nil {
			return nil, err
		}
	}
	return q, nil
}

func (p *parser) pipeStep(q plan.Relation) (plan.Relation, error) {
	switch {
	case p.accept("WHERE"):
		cond, err := p.expr()
		return &plan.Filter{Input: q, Cond: cond}, err
	case p.accept("SELECT"):
		distinct := p.accept("DISTINCT")
		list, err := p.selectList()
		var out plan.Relation = &plan.Project{Input: q, Exprs: list}
		if distinct {
			out = &plan.Dedup{Input: out}
		}
		return out, err
	case p.accept("EXTEND"):
		list, err := p.selectList()
		return &plan.Project{Input: q, Exprs: append([]plan.Expr{&plan.Star{}}, list...)}, err
	case p.accept("SET"):
		return p.pipeSet(q)
	case p.accept("DROP"):
		names, err := p.identifiers()
		return &plan.Drop{Input: q, Names: names}, err
	case p.accept("AS"):
		n, err := p.identifier()
		return &plan.Alias{Input: q, Name: n}, err
	case p.accept("AGGREGATE"):
		return p.pipeAggregate(q)
	case p.is("ORDER") || p.is("SORT") || p.is("LIMIT") || p.is("OFFSET") || p.is("DISTRIBUTE") || p.is("CLUSTER"):
		return p.tail(q)
	case p.is("UNION") || p.is("EXCEPT") || p.is("MINUS") || p.is("INTERSECT"):
		return p.pipeSetOp(q)
	}
	if out, ok, err := p.pivoted(q); ok || err != nil {
		return out, err
	}
	return p.joinsOnto(q)
}

func (p *parser) identifiers() ([]string, error) {
	var out []string
	for {
		n, err := p.identifier()
		if err != nil {
			return nil, err
		}
		out = append(out, n)
		if !p.accept(",") {
			return out, nil
		}
	}
}

func (p *parser) pipeSet(q plan.Relation) (plan.Relation, error) {
	w := &plan.WithColumns{Input: q}
	for {
		n, err := p.identifier()
		if err != nil {
			return nil, err
		}
		if err := p.expect("="); err != nil {
			return nil, err
		}
		e, err := p.expr()
		if err != nil {
			return nil, err
		}
		w.Exprs = append(w.Exprs, plan.AliasExpr{Expr: e, Names: []string{n}})
		if !p.accept(",") {
			return w, nil
		}
	}
}

// pipeAggregate answers the keys, then the aggregates.
func (p *parser) pipeAggregate(q plan.Relation) (plan.Relation, error) {
	a := &plan.Aggregate{Input: q, Kind: "groupby"}
	var err error
	if !p.is("GROUP") {
		if a.Aggs, err = p.selectList(); err != nil {
			return nil, err
		}
	}
	if p.accept("GROUP", "BY") {
		if a.Group, err = p.selectList(); err != nil {
			return nil, err
		}
	}
	return a, nil
}

func (p *parser) pipeSetOp(q plan.Relation) (plan.Relation, error) {
	op := map[string]string{"UNION": "union", "EXCEPT": "except", "MINUS": "except", "INTERSECT": "intersect"}[p.next().text]
	all := p.accept("ALL")
	if !all {
		p.accept("DISTINCT")
	}
	right, err := p.queryPrimary()
	if err != nil {
		return nil, err
	}
	if right == nil {
		return nil, sparkerr.Unsupported("this set operation in a pipe")
	}
	return &plan.SetOp{Left: q, Right: right, Op: op, All: all}, nil
}
