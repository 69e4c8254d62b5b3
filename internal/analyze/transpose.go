package analyze

import (
	"context"

	"github.com/millpond/millpond/internal/function"
	"github.com/millpond/millpond/internal/plan"
	"github.com/millpond/millpond/internal/sparkerr"
	"github.com/millpond/millpond/internal/types"
)

// transposeMost is how many rows may become columns: spark.sql.transposeMaxValues.
const transposeMost = 500

// transpose turns rows into columns, called by the values of an index column. They are read now:
// the schema needs them.
func (a *Analyzer) transpose(ctx context.Context, r *plan.Transpose) (*rel, error) {
	in, err := a.resolve(ctx, r.Input, nil)
	if err != nil {
		return nil, err
	}
	if len(in.attrs) == 0 {
		return in, nil
	}
	index, err := a.transposeIndex(ctx, in, r.Index)
	if err != nil {
		return nil, err
	}
	if !orderable(index.Type) {
		return nil, sparkerr.Analysis("TRANSPOSE_INVALID_INDEX_COLUMN", "reason", "Index column must be of atomic type, but found: "+index.Type.SimpleString())
	}
	var cells []plan.Value
	var names []string
	for _, at := range in.attrs {
		if at.ID != index.ID {
			cells, names = append(cells, plan.Col{Attr: at}), append(names, at.Name)
		}
	}
	t, err := function.CommonType("transpose", cells)
	if err != nil {
		return nil, sparkerr.Analysis("TRANSPOSE_NO_LEAST_COMMON_TYPE", "dt1", cells[0].Type().SQL(), "dt2", cells[len(cells)-1].Type().SQL())
	}
	columns, rows, err := a.transposed(ctx, in, index, function.AllAs(cells, t))
	if err != nil {
		return nil, err
	}
	n := &plan.Rows{Attrs: []plan.Attr{a.attr("key", types.String, false)}}
	for _, c := range columns {
		n.Attrs = append(n.Attrs, a.attr(c, t, true))
	}
	for i, name := range names {
		row := []plan.Value{plan.Const{Literal: plan.StringLit(name)}}
		for _, col := range rows {
			row = append(row, plan.Const{Literal: col[i]})
		}
		n.Rows = append(n.Rows, row)
	}
	if len(n.Rows) == 0 {
		return relOf(&plan.Data{Attrs: n.Attrs, Label: "LocalTable"}), nil
	}
	return relOf(n), nil
}

func (a *Analyzer) transposeIndex(ctx context.Context, in *rel, list []plan.Expr) (plan.Attr, error) {
	if len(list) == 0 {
		return in.attrs[0], nil
	}
	v, err := a.over(ctx, in).value(list[0])
	if err != nil {
		return plan.Attr{}, err
	}
	c, ok := v.(plan.Col)
	if !ok || len(list) > 1 {
		return plan.Attr{}, sparkerr.Analysis("TRANSPOSE_INVALID_INDEX_COLUMN", "reason", "Index column must be an atomic attribute")
	}
	return c.Attr, nil
}

// transposed reads the rows in the index' order: their names, and the values of each.
func (a *Analyzer) transposed(ctx context.Context, in *rel, index plan.Attr, cells []plan.Value) ([]string, [][]plan.Literal, error) {
	sorted := &plan.Slice{Limit: transposeMost + 1, Input: &plan.SortNode{Input: &plan.Where{Input: in.node(), Cond: anyNotNull([]plan.Attr{index})},
		Orders: []plan.Order{{Value: plan.Col{Attr: index}, NullsFirst: true}}}}
	name := a.attr("name", types.String, true)
	sel := &plan.Select{Input: sorted, Exprs: []plan.Named{{Attr: name, Value: function.As(plan.Col{Attr: index}, types.String)}}}
	for _, v := range cells {
		sel.Exprs = append(sel.Exprs, plan.Named{Attr: a.attr("cell", v.Type(), true), Value: v})
	}
	batches, err := a.env.Collect(ctx, sel)
	if err != nil {
		return nil, nil, err
	}
	var names []string
	var rows [][]plan.Literal
	for _, b := range batches {
		for i := range int(b.NumRows()) {
			n, err := LiteralAt(b.Column(0), i, types.String)
			if err != nil {
				return nil, nil, err
			}
			row := make([]plan.Literal, len(cells))
			for k, v := range cells {
				if row[k], err = LiteralAt(b.Column(k+1), i, v.Type()); err != nil {
					return nil, nil, err
				}
			}
			text, _ := n.Value.(string)
			names, rows = append(names, text), append(rows, row)
		}
	}
	if len(rows) > transposeMost {
		return nil, nil, sparkerr.Analysis("TRANSPOSE_EXCEED_ROW_LIMIT", "maxValues", itoa(transposeMost), "config", "spark.sql.transposeMaxValues")
	}
	return names, rows, nil
}

// frequentItems lists what is in more than a share of the rows of each column: every value where
// there are fewer than that share could tell apart.
func (a *Analyzer) frequentItems(in *rel, r *plan.Stat) (*rel, error) {
	support := r.Error
	if support == 0 {
		support = 0.01
	}
	if support < 1e-4 || support > 1 {
		return nil, sparkerr.Require("Support must be in [1e-4, 1], but got %v.", support)
	}
	most := int(1 / support)
	g := &plan.Group{Input: in.n}
	for _, name := range r.Columns {
		found, _ := match(in.attrs, []string{name})
		if len(found) == 0 {
			return nil, Unresolved([]string{name}, in.attrs)
		}
		t := types.Array{Elem: found[0].Type, ContainsNull: true}
		v := &plan.Apply{Func: "freq_items", Args: []plan.Value{plan.Col{Attr: found[0]}}, Out: t, Aggregate: true, SQL: func(s []string) string {
			return function.FrequentItems(s[0], most)
		}}
		g.Aggs = append(g.Aggs, plan.Named{Attr: a.attr(name+"_freqItems", t, false), Value: v})
	}
	return relOf(g), nil
}
