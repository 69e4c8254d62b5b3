package analyze

import (
	"context"
	"strings"

	"github.com/millpond/millpond/internal/function"
	"github.com/millpond/millpond/internal/plan"
	"github.com/millpond/millpond/internal/sparkerr"
	"github.com/millpond/millpond/internal/types"
)

// rows resolves the relations that keep columns as they are and choose among rows.
func (a *Analyzer) rows(ctx context.Context, r plan.Relation, outer *rel) (*rel, error) {
	input := func(in plan.Relation, build func(*rel) (plan.Node, error)) (*rel, error) {
		res, err := a.resolve(ctx, in, outer)
		if err != nil {
			return nil, err
		}
		n, err := build(res)
		if err != nil {
			return nil, err
		}
		out := *res
		out.n, out.kids, out.hasID = n, []*rel{res}, false
		return &out, nil
	}
	switch r := r.(type) {
	case *plan.Limit:
		return input(r.Input, func(in *rel) (plan.Node, error) {
			n, err := a.count(ctx, r.N, "limit")
			return &plan.Slice{Input: in.n, Limit: n}, err
		})
	case *plan.Offset:
		return input(r.Input, func(in *rel) (plan.Node, error) {
			n, err := a.count(ctx, r.N, "offset")
			return &plan.Slice{Input: in.n, Limit: -1, Offset: n}, err
		})
	case *plan.Tail:
		return input(r.Input, func(in *rel) (plan.Node, error) { return &plan.Last{Input: in.n, N: r.N}, nil })
	case *plan.Dedup:
		return input(r.Input, func(in *rel) (plan.Node, error) { return dedup(in, r.Columns) })
	case *plan.Sample:
		return input(r.Input, func(in *rel) (plan.Node, error) { return sample(in, r) })
	case *plan.Repartition:
		return input(r.Input, func(in *rel) (plan.Node, error) { return a.repartition(ctx, in, r) })
	case *plan.Hint:
		asked, err := a.over(ctx, relOf(&plan.One{})).hinted(r)
		if err != nil {
			return nil, err
		}
		return a.resolve(ctx, asked, outer)
	case *plan.Observe:
		return input(r.Input, func(in *rel) (plan.Node, error) {
			_, err := a.aggregate(ctx, &plan.Aggregate{Input: r.Input, Kind: "groupby", Aggs: r.Metrics}, outer)
			return in.n, err
		})
	}
	return nil, sparkerr.Unsupported("the relation %T", r)
}

func (a *Analyzer) count(ctx context.Context, e plan.Expr, name string) (int64, error) {
	v, err := a.over(ctx, relOf(&plan.One{})).value(e)
	if err != nil {
		if _, column := e.(*plan.Attribute); column {
			return 0, sparkerr.Analysis("INVALID_LIMIT_LIKE_EXPRESSION.IS_UNFOLDABLE", "name", name, "expr", quoted(quoteParts(e.(*plan.Attribute).Parts)))
		}
		return 0, err
	}
	n, ok := number(v)
	if !ok || !types.IsIntegral(v.Type()) {
		return 0, sparkerr.Analysis("INVALID_LIMIT_LIKE_EXPRESSION.DATA_TYPE", "name", name, "expr", `"`+function.Describe(v)+`"`, "dataType", `"`+v.Type().SQL()+`"`)
	}
	if n < 0 {
		return 0, sparkerr.Analysis("INVALID_LIMIT_LIKE_EXPRESSION.IS_NEGATIVE", "name", name, "expr", `"`+function.Describe(v)+`"`, "v", itoa(int(n)))
	}
	return int64(n), nil
}

func dedup(in *rel, columns []string) (plan.Node, error) {
	if columns == nil {
		return &plan.Unique{Input: in.node()}, nil
	}
	u := &plan.Unique{Input: in.n, Keys: []plan.Attr{}}
	for _, c := range columns {
		found, _ := match(in.attrs, []string{c})
		if len(found) == 0 {
			return nil, absentAmong(c, in.attrs)
		}
		u.Keys = append(u.Keys, found...)
	}
	return u, nil
}

// roundOff is by how much Spark lets a fraction be off.
const roundOff = 1e-6

func checkFraction(fraction float64, replace bool) error {
	switch {
	case replace && fraction < -roundOff:
		return sparkerr.Require("Sampling fraction (%s) must be nonnegative with replacement", types.FormatDouble(fraction, 64))
	case !replace && (fraction < -roundOff || fraction > 1+roundOff):
		return sparkerr.Require("Sampling fraction (%s) must be on interval [0, 1] without replacement", types.FormatDouble(fraction, 64))
	}
	return nil
}

func sample(in *rel, r *plan.Sample) (plan.Node, error) {
	if err := checkFraction(r.Upper-r.Lower, r.Replace); err != nil {
		return nil, err
	}
	n := in.n
	if r.Ordered && !stable(n) { // so that the parts of one split cover every row once, whatever order rows come in
		var orders []plan.Order
		for _, at := range in.attrs {
			if orderable(at.Type) {
				orders = append(orders, plan.Order{Value: plan.Col{Attr: at}, NullsFirst: true})
			}
		}
		if len(orders) > 0 {
			n = &plan.SortNode{Input: n, Orders: orders}
		}
	}
	return &plan.Draw{Input: n, Lower: r.Lower, Upper: r.Upper, Replace: r.Replace, Seed: r.Seed}, nil
}

// stable says whether a node gives its rows in the same order each time it is run: reading files
// and rows in memory does, grouping and joining does not.
func stable(n plan.Node) bool {
	switch n.(type) {
	case *plan.JoinNode, *plan.Group, *plan.Combine, *plan.Unique, *plan.PythonGroups, *plan.PythonMap:
		return false
	}
	for _, in := range n.Inputs() {
		if !stable(in) {
			return false
		}
	}
	return true
}

func orderable(t types.Type) bool {
	switch t := t.(type) {
	case types.Map, *types.UDT:
		return false
	case types.Array:
		return orderable(t.Elem)
	case types.Struct:
		for _, f := range t.Fields {
			if !orderable(f.Type) {
				return false
			}
		}
	}
	return true
}

// columns resolves the relations that rename, add, drop or cast columns.
func (a *Analyzer) columns(ctx context.Context, r plan.Relation, outer *rel) (*rel, error) {
	switch r := r.(type) {
	case *plan.Alias:
		return a.alias(ctx, r, outer)
	case *plan.ToDF:
		in, err := a.resolve(ctx, r.Input, outer)
		if err != nil {
			return nil, err
		}
		if len(r.Names) != len(in.attrs) { // Spark, too, says the numbers the other way round
			return nil, sparkerr.Plain(sparkerr.ClassAnalysis, "[ASSIGNMENT_ARITY_MISMATCH] The number of columns or variables assigned or aliased: %d does not match the number of source expressions: %d. SQLSTATE: 42802", len(in.attrs), len(r.Names))
		}
		return a.renamed(in, func(i int, _ string) string { return r.Names[i] }), nil
	case *plan.Rename:
		in, err := a.resolve(ctx, r.Input, outer)
		if err != nil {
			return nil, err
		}
		return a.renamed(in, func(_ int, name string) string {
			for k := range r.From {
				if strings.EqualFold(r.From[k], name) {
					name = r.To[k]
				}
			}
			return name
		}), nil
	case *plan.WithColumns:
		return a.withColumns(ctx, r, outer)
	case *plan.Drop:
		return a.drop(ctx, r, outer)
	case *plan.ToSchema:
		return a.toSchema(ctx, r, outer)
	}
	return nil, sparkerr.Unsupported("the relation %T", r)
}

func (a *Analyzer) alias(ctx context.Context, r *plan.Alias, outer *rel) (*rel, error) {
	in, err := a.resolve(ctx, r.Input, outer)
	if err != nil {
		return nil, err
	}
	if len(r.Columns) > 0 {
		if len(r.Columns) != len(in.attrs) {
			return nil, sparkerr.Plain(sparkerr.ClassAnalysis, "Number of column aliases does not match number of columns. Number of column aliases: %d; number of columns: %d.", len(r.Columns), len(in.attrs))
		}
		in = a.renamed(in, func(i int, _ string) string { return r.Columns[i] })
	}
	out := *in
	out.attrs = append([]plan.Attr{}, in.attrs...)
	for i := range out.attrs {
		out.attrs[i].Qualifier = []string{r.Name}
	}
	out.kids, out.hasID, out.opaque = []*rel{in}, false, true
	return &out, nil
}

func (a *Analyzer) renamed(in *rel, name func(i int, old string) string) *rel {
	exprs := make([]plan.Named, len(in.attrs))
	for i, at := range in.attrs {
		to := name(i, at.Name)
		out := at
		if to != at.Name {
			out = a.attr(to, at.Type, at.Nullable)
			out.Metadata = at.Metadata
		}
		exprs[i] = plan.Named{Attr: out, Value: plan.Col{Attr: at}}
	}
	return relOf(&plan.Select{Input: in.n, Exprs: exprs}, in)
}

func (a *Analyzer) withColumns(ctx context.Context, r *plan.WithColumns, outer *rel) (*rel, error) {
	in, err := a.resolve(ctx, r.Input, outer)
	if err != nil {
		return nil, err
	}
	x := a.over(ctx, in)
	added := make([]item, len(r.Exprs))
	seen := map[string]bool{}
	var before []plan.Expr
	for i, e := range r.Exprs {
		name := e.Names[0]
		if seen[strings.ToLower(name)] {
			return nil, sparkerr.Analysis("COLUMN_ALREADY_EXISTS", "columnName", types.Quote(name))
		}
		seen[strings.ToLower(name)] = true
		named := plan.AliasExpr{Expr: e.Expr, Names: e.Names, Metadata: e.Metadata}
		its, err := x.items(lateralItem(named, before, x))
		if err != nil {
			return nil, err
		}
		added[i], before = its[0], append(before, named)
	}
	var items []item
	placed := make([]bool, len(added))
	for _, at := range in.attrs {
		at := at
		replaced := false
		for i, it := range added {
			if strings.EqualFold(it.name, at.Name) {
				items, replaced, placed[i] = append(items, it), true, true
			}
		}
		if !replaced {
			items = append(items, item{value: plan.Col{Attr: at}, name: at.Name, keep: &at, metadata: at.Metadata})
		}
	}
	for i, it := range added {
		if !placed[i] {
			items = append(items, it)
		}
	}
	return a.selectItems(in, x, items)
}

func (a *Analyzer) drop(ctx context.Context, r *plan.Drop, outer *rel) (*rel, error) {
	in, err := a.resolve(ctx, r.Input, outer)
	if err != nil {
		return nil, err
	}
	gone := map[int]bool{}
	for _, name := range r.Names {
		for _, at := range in.attrs {
			if strings.EqualFold(at.Name, name) {
				gone[at.ID] = true
			}
		}
	}
	for _, e := range r.Exprs {
		if at, ok := e.(*plan.Attribute); ok {
			if v, hidden, err := in.column(at); err == nil && !hidden {
				if c, ok := v.(plan.Col); ok {
					gone[c.Attr.ID] = true
				}
			}
		}
	}
	out := *in
	out.attrs = nil
	for _, at := range in.attrs {
		if !gone[at.ID] {
			out.attrs = append(out.attrs, at)
		}
	}
	out.kids, out.hasID = []*rel{in}, false
	return &out, nil
}

func (a *Analyzer) toSchema(ctx context.Context, r *plan.ToSchema, outer *rel) (*rel, error) {
	in, err := a.resolve(ctx, r.Input, outer)
	if err != nil {
		return nil, err
	}
	exprs := make([]plan.Named, len(r.Schema.Fields))
	for i, f := range r.Schema.Fields {
		found, _ := match(in.attrs, []string{f.Name})
		if len(found) == 0 {
			return nil, Unresolved([]string{f.Name}, in.attrs)
		}
		at := a.attr(f.Name, f.Type, found[0].Nullable)
		at.Metadata = f.Metadata
		exprs[i] = plan.Named{Attr: at, Value: function.As(plan.Col{Attr: found[0]}, f.Type)}
	}
	return relOf(&plan.Select{Input: in.n, Exprs: exprs}, in), nil
}
