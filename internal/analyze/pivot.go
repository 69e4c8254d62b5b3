package analyze

import (
	"context"
	"fmt"
	"strconv"
	"strings"

	"github.com/millpond/millpond/internal/function"
	"github.com/millpond/millpond/internal/plan"
	"github.com/millpond/millpond/internal/sparkerr"
	"github.com/millpond/millpond/internal/sqlparse"
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
		matches, text, err := pivotMatch(r.PivotCol, v)
		if err != nil {
			return nil, err
		}
		if name == "" {
			name = text
		}
		for _, agg := range r.Aggs {
			label, inner := "", agg
			if t, ok := agg.(*plan.Text); ok {
				parsed, err := sqlparse.SelectItem(t.SQL)
				if err != nil {
					return nil, err
				}
				agg, inner = parsed, parsed
			}
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
			c.Filter = matches
			there := plan.Call(">", &plan.Function{Name: "count", Args: []plan.Expr{plan.IntLit(1)}, Filter: matches}, plan.IntLit(0))
			column := name
			if len(r.Aggs) > 1 {
				column += "_" + label
			}
			out = append(out, plan.AliasExpr{Expr: plan.Call("when", there, &c), Names: []string{column}})
		}
	}
	return out, nil
}

func (a *Analyzer) pivotValues(ctx context.Context, r *plan.Aggregate) ([]plan.Expr, error) {
	distinct := &plan.Dedup{Input: &plan.Project{Input: r.Input, Exprs: []plan.Expr{plan.AliasExpr{Expr: r.PivotCol, Names: []string{"v"}}}}}
	q := &plan.Sort{Input: &plan.Limit{Input: distinct, N: plan.IntLit(maxPivotValues + 1)}, Orders: []plan.SortOrder{{Expr: plan.Name("v"), NullsFirst: true}}, Global: true}
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
			v, err := LiteralAt(b.Column(0), i, res.attrs[0].Type)
			if err != nil {
				return nil, err
			}
			out = append(out, v)
		}
	}
	if len(out) > maxPivotValues {
		column := "expression"
		if at, ok := r.PivotCol.(*plan.Attribute); ok {
			column = strings.Join(at.Parts, ".")
		}
		return nil, sparkerr.Legacy("1324", "The pivot column <pivotColumn> has more than <maxValues> distinct values, this could indicate an error. If this was intended, set <config> to at least the number of distinct values of the pivot column.",
			"pivotColumn", column, "maxValues", strconv.Itoa(maxPivotValues), "config", "spark.sql.pivotMaxValues")
	}
	return out, nil
}

// maxPivotValues is Spark's limit of columns that a pivot without given values may make.
const maxPivotValues = 10_000

// pivotMatch is the condition that a row has a pivot value, and the value's text. Several pivot
// columns are compared with as many values.
func pivotMatch(col, v plan.Expr) (plan.Expr, string, error) {
	cols, vals := []plan.Expr{col}, []plan.Expr{v}
	if f, ok := v.(*plan.Function); ok && f.Name == "struct" {
		c, ok := col.(*plan.Function)
		if !ok || len(c.Args) != len(f.Args) {
			return nil, "", sparkerr.Analysis("PIVOT_VALUE_DATA_TYPE_MISMATCH", "value", "struct", "valueType", "struct", "pivotType", "other")
		}
		cols, vals = c.Args, f.Args
	}
	var cond plan.Expr
	var texts []string
	for i, x := range vals {
		lit, ok := x.(plan.Literal)
		if !ok {
			return nil, "", sparkerr.Analysis("NON_LITERAL_PIVOT_VALUES", "expression", quoted(fmt.Sprintf("%T", x)))
		}
		text := function.LiteralText(lit)
		if lit.Value == nil {
			text = "null"
		}
		texts = append(texts, text)
		var one plan.Expr = plan.Call("<=>", cols[i], lit)
		if cond != nil {
			one = plan.Call("and", cond, one)
		}
		cond = one
	}
	if len(texts) > 1 {
		return cond, "{" + strings.Join(texts, ", ") + "}", nil
	}
	return cond, texts[0], nil
}

// restKeys are the columns that neither a SQL pivot's aggregates nor its pivot columns mention: it
// groups by them.
func (g *grouping) restKeys(r *plan.Aggregate) []plan.Expr {
	used := map[int]bool{}
	for _, e := range append(append([]plan.Expr{}, r.Aggs...), r.PivotCol) {
		mapExpr(e, func(e plan.Expr) (plan.Expr, bool) {
			if at, ok := e.(*plan.Attribute); ok {
				found, _ := match(g.in.attrs, at.Parts)
				for _, f := range found {
					used[f.ID] = true
				}
			}
			return nil, false
		})
	}
	var out []plan.Expr
	for _, at := range g.in.attrs {
		if !used[at.ID] {
			out = append(out, plan.Name(at.Name))
		}
	}
	return out
}
