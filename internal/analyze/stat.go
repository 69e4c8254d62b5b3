package analyze

import (
	"context"
	"fmt"
	"math"
	"strconv"
	"strings"

	"github.com/millpond/millpond/internal/function"
	"github.com/millpond/millpond/internal/plan"
	"github.com/millpond/millpond/internal/sparkerr"
	"github.com/millpond/millpond/internal/types"
)

// statistics resolves describe, summary, df.stat.* and sampleBy, by rewriting them into plainer
// relations.
func (a *Analyzer) statistics(ctx context.Context, r plan.Relation) (*rel, error) {
	switch r := r.(type) {
	case *plan.SampleBy:
		return a.sampleBy(ctx, r)
	case *plan.Stat:
		in, err := a.resolve(ctx, r.Input, nil)
		if err != nil {
			return nil, err
		}
		switch r.Kind {
		case "describe":
			return a.summary(in, r.Columns, []string{"count", "mean", "stddev", "min", "max"})
		case "summary":
			stats := r.Statistics
			if len(stats) == 0 {
				stats = []string{"count", "mean", "stddev", "min", "25%", "50%", "75%", "max"}
			}
			return a.summary(in, nil, stats)
		case "corr", "cov":
			return a.pairStat(in, r)
		case "approx_quantile":
			return a.quantiles(in, r)
		case "freq_items":
			return a.frequentItems(in, r)
		case "crosstab":
			return a.crosstab(ctx, r)
		}
		return nil, sparkerr.Unsupported("the statistic %s", r.Kind)
	}
	return nil, sparkerr.Unsupported("the relation %T", r)
}

// summary makes a row a statistic, a column of text a column.
func (a *Analyzer) summary(in *rel, columns, stats []string) (*rel, error) {
	var cols []plan.Attr
	if len(columns) > 0 {
		places, err := some(in, columns)
		if err != nil {
			return nil, err
		}
		for _, i := range places {
			cols = append(cols, in.attrs[i])
		}
	} else {
		cols = in.attrs
	}
	var kept []plan.Attr
	for _, c := range cols {
		if types.IsNumeric(c.Type) || types.IsString(c.Type) {
			kept = append(kept, c)
		}
	}
	g := &plan.Group{Input: in.n}
	elem := types.Struct{Fields: []types.Field{{Name: "summary", Type: types.String, Nullable: true}}}
	for _, c := range kept {
		elem.Fields = append(elem.Fields, types.Field{Name: c.Name, Type: types.String, Nullable: true})
	}
	var cells []plan.Value
	for _, s := range stats {
		for _, c := range kept {
			v, err := a.statistic(s, c)
			if err != nil {
				return nil, err
			}
			at := a.attr(s, v.Type(), true)
			g.Aggs = append(g.Aggs, plan.Named{Attr: at, Value: v})
			cells = append(cells, function.As(plan.Col{Attr: at}, types.String))
		}
	}
	list := &plan.Apply{Func: "summary", Args: cells, Out: types.Array{Elem: elem}, SQL: func(s []string) string {
		rows := make([]string, len(stats))
		for i, name := range stats {
			parts := []string{"f0 := " + function.Quote(name)}
			for k := range kept {
				parts = append(parts, fmt.Sprintf("f%d := %s", k+1, s[i*len(kept)+k]))
			}
			rows[i] = "struct_pack(" + strings.Join(parts, ", ") + ")"
		}
		return "[" + strings.Join(rows, ", ") + "]"
	}}
	if len(kept) == 0 { // only the names of the statistics
		g.Aggs = []plan.Named{{Attr: a.attr("n", types.Long, false), Value: &plan.Apply{Func: "count", Out: types.Long, Aggregate: true, SQL: func([]string) string { return "count(*)" }}}}
	}
	u := &plan.Unnest{Input: g, List: list, Width: len(elem.Fields), Cols: a.attrs(elem)}
	return relOf(&plan.Select{Input: u, Exprs: pass(u.Cols)}), nil
}

func (a *Analyzer) statistic(name string, c plan.Attr) (plan.Value, error) {
	col := plan.Col{Attr: c}
	numeric := types.IsNumeric(c.Type)
	asNumber := func() plan.Value {
		if numeric {
			return col
		}
		return &plan.Convert{Child: col, To: types.Double, Mode: "try"}
	}
	resolve := func(f string, args ...plan.Value) (plan.Value, error) {
		v, _, err := a.funcs.Resolve(f, args)
		return v, err
	}
	switch name {
	case "count":
		return resolve("count", col)
	case "mean":
		return resolve("avg", asNumber())
	case "stddev":
		return resolve("stddev", asNumber())
	case "min", "max":
		return resolve(name, col)
	case "count_distinct":
		v, _, err := a.funcs.Resolve("count", []plan.Value{col})
		if err == nil {
			v.Distinct = true
		}
		return v, err
	case "approx_count_distinct":
		return resolve(name, col)
	}
	p, err := strconv.ParseFloat(strings.TrimSuffix(name, "%"), 64)
	if err != nil || !strings.HasSuffix(name, "%") {
		return nil, sparkerr.New(sparkerr.ClassIllegalArgument, "UNRECOGNIZED_STATISTIC", "stats", "'"+name+"'")
	}
	if p < 0 || p > 100 {
		return nil, sparkerr.Require("Percentiles must be in the range [0, 1]")
	}
	number := asNumber()
	if _, exact := c.Type.(types.Decimal); exact {
		number = function.As(number, types.Double)
	}
	return resolve("percentile_approx", number, plan.Const{Literal: plan.DoubleLit(p / 100)})
}

// numericColumn counts a null as nought, as Spark does in its pair statistics.
func (a *Analyzer) numericColumn(in *rel, name, of string) (plan.Value, error) {
	found, _ := match(in.attrs, []string{name})
	if len(found) == 0 {
		return nil, notIn(name, in.attrs)
	}
	if !types.IsNumeric(found[0].Type) {
		return nil, sparkerr.Require("Currently %s calculation for columns with dataType %s not supported.", of, found[0].Type.SimpleString())
	}
	v, _, err := a.funcs.Resolve("coalesce", []plan.Value{function.As(plan.Col{Attr: found[0]}, types.Double), plan.Const{Literal: plan.DoubleLit(0)}})
	return v, err
}

func (a *Analyzer) pairStat(in *rel, r *plan.Stat) (*rel, error) {
	of := "correlation"
	if r.Kind == "cov" {
		of = "covariance"
	}
	x, err := a.numericColumn(in, r.Columns[0], of)
	if err != nil {
		return nil, err
	}
	y, err := a.numericColumn(in, r.Columns[1], of)
	if err != nil {
		return nil, err
	}
	f := "corr"
	if r.Kind == "cov" {
		f = "covar_samp"
	} else if r.Method != "" && !strings.EqualFold(r.Method, "pearson") {
		return nil, sparkerr.Require("Currently only the calculation of the Pearson Correlation coefficient is supported.")
	}
	v, _, err := a.funcs.Resolve(f, []plan.Value{x, y})
	if err != nil {
		return nil, err
	}
	at := a.attr(r.Kind, types.Double, true)
	g := &plan.Group{Input: in.n, Aggs: []plan.Named{{Attr: at, Value: v}}}
	none := math.NaN() // of no pair of values
	if r.Kind == "cov" {
		none = 0
	}
	out := a.attr(r.Kind, types.Double, true)
	some, _, err := a.funcs.Resolve("coalesce", []plan.Value{plan.Col{Attr: at}, plan.Const{Literal: plan.DoubleLit(none)}})
	return relOf(&plan.Select{Input: g, Exprs: []plan.Named{{Attr: out, Value: some}}}), err
}

func (a *Analyzer) quantiles(in *rel, r *plan.Stat) (*rel, error) {
	probs := make([]any, len(r.Probabilities))
	for i, p := range r.Probabilities {
		if p < 0 || p > 1 {
			return nil, sparkerr.Require("p must be in the range [0, 1]")
		}
		probs[i] = p
	}
	if r.Error < 0 {
		return nil, sparkerr.Require("Relative Error must be non-negative")
	}
	g := &plan.Group{Input: in.n}
	list := types.Array{Elem: types.Double}
	var cells []plan.Value
	for _, name := range r.Columns {
		found, _ := match(in.attrs, []string{name})
		if len(found) == 0 {
			return nil, Unresolved([]string{name}, in.attrs)
		}
		if !types.IsNumeric(found[0].Type) {
			return nil, sparkerr.Require("Quantile calculation for column %s with data type %s is not supported.", name, types.ScalaText(found[0].Type))
		}
		v := &plan.Apply{Func: "approx_quantile", Args: []plan.Value{function.As(plan.Col{Attr: found[0]}, types.Double)}, Out: list, Aggregate: true, Null: true,
			SQL: func(s []string) string { return quantileSQL(s[0], r.Probabilities) }}
		at := a.attr(name, list, true)
		g.Aggs = append(g.Aggs, plan.Named{Attr: at, Value: v})
		cells = append(cells, plan.Col{Attr: at})
	}
	out := &plan.Apply{Func: "array", Args: cells, Out: types.Array{Elem: list}, SQL: func(s []string) string { return "[" + strings.Join(s, ", ") + "]" }}
	at := a.attr("approx_quantile", out.Out, true)
	return relOf(&plan.Select{Input: g, Exprs: []plan.Named{{Attr: at, Value: out}}}), nil
}

// quantileSQL answers the exact quantiles, which satisfy any relative error: the value of rank
// ceil(p * n) among those that are neither null nor NaN.
func quantileSQL(col string, probs []float64) string {
	parts := make([]string, len(probs))
	for i, p := range probs {
		parts[i] = strconv.FormatFloat(p, 'g', -1, 64) + "::DOUBLE"
	}
	return "coalesce(quantile_disc(" + col + ", [" + strings.Join(parts, ", ") + "]) FILTER (WHERE NOT isnan(" + col + ")), CAST([] AS DOUBLE[]))"
}

// crosstab counts pairs of values.
func (a *Analyzer) crosstab(ctx context.Context, r *plan.Stat) (*rel, error) {
	c1, c2 := r.Columns[0], r.Columns[1]
	text := func(name string) plan.Expr {
		return plan.Call("coalesce", &plan.Cast{Expr: plan.Name(name), Type: types.String}, plan.StringLit("null"))
	}
	pairs := &plan.Project{Input: r.Input, Exprs: []plan.Expr{
		plan.AliasExpr{Expr: text(c1), Names: []string{c1 + "_" + c2}}, plan.AliasExpr{Expr: text(c2), Names: []string{"__value"}}}}
	agg := &plan.Aggregate{Input: pairs, Kind: "pivot", Group: []plan.Expr{plan.Name(c1 + "_" + c2)},
		Aggs: []plan.Expr{plan.Call("count", plan.IntLit(1))}, PivotCol: plan.Name("__value")}
	return a.resolve(ctx, &plan.FillNA{Input: agg, Values: []plan.Literal{plan.LongLit(0)}}, nil)
}

func (a *Analyzer) sampleBy(ctx context.Context, r *plan.SampleBy) (*rel, error) {
	args := []plan.Expr{}
	for i, s := range r.Strata {
		if f := r.Fractions[i]; f < 0 || f > 1 {
			return nil, sparkerr.Require("Fractions must be in [0, 1], but got Map")
		}
		args = append(args, plan.Call("<=>", r.Col, s), plan.DoubleLit(r.Fractions[i]))
	}
	args = append(args, plan.DoubleLit(0))
	cond := plan.Call("<", plan.Call("rand", plan.LongLit(r.Seed)), plan.Call("when", args...))
	return a.resolve(ctx, &plan.Filter{Input: r.Input, Cond: cond}, nil)
}
