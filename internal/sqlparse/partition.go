package sqlparse

import (
	"strings"

	"github.com/millpond/millpond/internal/plan"
	"github.com/millpond/millpond/internal/sparkerr"
)

// hintKept are the hints that ask for a partitioning; the rest is advice that nobody takes.
var hintKept = map[string]bool{"COALESCE": true, "REPARTITION": true, "REPARTITION_BY_RANGE": true, "REBALANCE": true}

// hints reads what stands between /*+ and */, if it is there.
func (p *parser) hints() ([]*plan.Hint, error) {
	if !p.accept("/*+") {
		return nil, nil
	}
	var out []*plan.Hint
	for {
		name, err := p.identifier()
		if err != nil {
			return nil, err
		}
		h := &plan.Hint{Name: name}
		if p.accept("(") {
			for len(h.Params) == 0 || p.accept(",") {
				e, err := p.prefix()
				if err != nil {
					return nil, err
				}
				h.Params = append(h.Params, e)
			}
			if err := p.expect(")"); err != nil {
				return nil, err
			}
		}
		if hintKept[strings.ToUpper(name)] {
			out = append(out, h)
		}
		if p.accept("*/") {
			return out, nil
		}
		p.accept(",")
	}
}

// arranged reads what says how rows are sorted or parted: ORDER BY, CLUSTER BY, or DISTRIBUTE BY and
// SORT BY.
func (p *parser) arranged(q plan.Relation) (plan.Relation, error) {
	var order, sorts []plan.SortOrder
	var cluster, distribute []plan.Expr
	var err error
	if p.accept("ORDER", "BY") {
		if order, err = p.sortItems(); err != nil {
			return nil, err
		}
	}
	if p.accept("CLUSTER", "BY") {
		if cluster, err = p.exprList(); err != nil {
			return nil, err
		}
	}
	if p.accept("DISTRIBUTE", "BY") {
		if distribute, err = p.exprList(); err != nil {
			return nil, err
		}
	}
	if p.accept("SORT", "BY") {
		if sorts, err = p.sortItems(); err != nil {
			return nil, err
		}
	}
	rest := distribute != nil || sorts != nil
	if order != nil && (cluster != nil || rest) || cluster != nil && rest {
		return nil, sparkerr.New(sparkerr.ClassParse, "UNSUPPORTED_FEATURE.COMBINATION_QUERY_RESULT_CLAUSES")
	}
	if order != nil {
		return &plan.Sort{Input: q, Orders: order, Global: true}, nil
	}
	for _, e := range cluster {
		sorts = append(sorts, plan.SortOrder{Expr: e, NullsFirst: true})
	}
	if by := append(distribute, cluster...); by != nil {
		q = &plan.Repartition{Input: q, Kind: "by", Exprs: by}
	}
	if sorts != nil {
		q = &plan.Sort{Input: q, Orders: sorts}
	}
	return q, nil
}
