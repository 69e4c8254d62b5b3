package analyze

import (
	"context"

	"github.com/millpond/millpond/internal/function"
	"github.com/millpond/millpond/internal/plan"
	"github.com/millpond/millpond/internal/sparkerr"
)

// pivot turns the pivoted aggregates into filtered ones: one an aggregate and value.
func (g *grouping) pivot(ctx context.Context, r *plan.Aggregate) ([]plan.Expr, error) {
	values := r.PivotValues
	if len(values) == 0 {
		var err error
		if values, err = g.a.pivotValues(ctx, r); err != nil {
			return nil, err
		}
	}
	var out []plan.Expr
	for _, v := range values {
		name := ""
		if al, ok := v.(plan.AliasExpr); ok {
			name, v = al.Names[0], al.Expr
		}
		lit, ok := v.(plan.Literal)
		if !ok {
			return nil, sparkerr.Unsupported("a pivot value that is not a literal")
		}
		if name == "" {
			if name = function.LiteralText(lit); lit.Value == nil {
				name = "null"
			}
		}
		for _, agg := range r.Aggs {
			label, inner := "", agg
			if al, ok := agg.(plan.AliasExpr); ok {
				label, inner = al.Names[0], al.Expr
			} else if len(r.Aggs) > 1 {
				label = g.x.nameOf(agg)
			}
			f, ok := inner.(*plan.Function)
			if !ok {
				return nil, sparkerr.Unsupported("a pivot over %T", inner)
			}
			c := *f
			c.Filter = plan.Call("<=>", r.PivotCol, lit)
			column := name
			if len(r.Aggs) > 1 {
				column += "_" + label
			}
			out = append(out, plan.AliasExpr{Expr: &c, Names: []string{column}})
		}
	}
	return out, nil
}

func (a *Analyzer) pivotValues(ctx context.Context, r *plan.Aggregate) ([]plan.Expr, error) {
	q := &plan.Sort{Input: &plan.Dedup{Input: &plan.Project{Input: r.Input, Exprs: []plan.Expr{plan.AliasExpr{Expr: r.PivotCol, Names: []string{"v"}}}}},
		Orders: []plan.SortOrder{{Expr: plan.Name("v"), NullsFirst: true}}, Global: true}
	res, err := a.resolve(ctx, q, nil)
	if err != nil {
		return nil, err
	}
	batches, err := a.env.Collect(ctx, res.node())
	if err != nil {
		return nil, err
	}
	var out []plan.Expr
	for _, b := range batches {
		for i := range int(b.NumRows()) {
			v, err := literalAt(b.Column(0), i, res.attrs[0].Type)
			if err != nil {
				return nil, err
			}
			out = append(out, v)
		}
	}
	return out, nil
}
