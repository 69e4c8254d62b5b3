package analyze

import (
	"context"
	"strings"

	"github.com/millpond/millpond/internal/function"
	"github.com/millpond/millpond/internal/plan"
	"github.com/millpond/millpond/internal/sparkerr"
	"github.com/millpond/millpond/internal/types"
)

// hasAggregate says whether a value holds an aggregate that is not over a window.
func hasAggregate(v plan.Value) bool {
	found := false
	plan.Walk(v, func(x plan.Value) bool {
		switch x := x.(type) {
		case *plan.Over:
			for _, inner := range x.Reads() {
				found = found || hasAggregate(inner)
			}
			return false
		case *plan.Apply:
			found = found || x.Aggregate
		case *plan.Python:
			found = found || groupedEval[x.UDF.EvalType]
		}
		return !found
	})
	return found
}

// grouping is an aggregate being resolved.
type grouping struct {
	a     *Analyzer
	in    *rel
	x     *exprs
	keys  []plan.Named          // over the input
	byKey map[string]plan.Named // a key's text -> its column
	aggs  []plan.Named
	seen  map[string]plan.Attr // an aggregate's text -> its column
	pys   []plan.PythonCall
	extra []plan.Named // arguments of Python aggregates
}

func (a *Analyzer) aggregate(ctx context.Context, r *plan.Aggregate, outer *rel) (*rel, error) {
	g, items, err := a.grouping(ctx, r, outer)
	if err != nil {
		return nil, err
	}
	return g.finish(r, items, nil)
}

// having filters groups by a condition that may use aggregates, keys and aliases.
func (a *Analyzer) having(ctx context.Context, r *plan.Aggregate, cond plan.Expr, outer *rel) (*rel, error) {
	g, items, err := a.grouping(ctx, r, outer)
	if err != nil {
		return nil, err
	}
	v, err := g.x.value(substitute(cond, r.Aggs, g.in.attrs))
	if err != nil {
		return nil, err
	}
	return g.finish(r, items, function.As(v, types.Boolean))
}

func (a *Analyzer) grouping(ctx context.Context, r *plan.Aggregate, outer *rel) (*grouping, []item, error) {
	var in *rel
	var err error
	if r.Input == nil {
		in = relOf(&plan.One{})
	} else if in, err = a.resolve(ctx, r.Input, outer); err != nil {
		return nil, nil, err
	}
	in = in.within(outer)
	in, lists, err := a.windowColumn(ctx, in, r.Group, r.Aggs)
	if err != nil {
		return nil, nil, err
	}
	held := *r
	r = &held
	r.Group, r.Aggs = lists[0], lists[1]
	g := &grouping{a: a, in: in, x: a.over(ctx, in), byKey: map[string]plan.Named{}, seen: map[string]plan.Attr{}}
	if r.SQL && r.Kind == "pivot" {
		r.SQL = false
		r.Group = g.restKeys(r)
	}
	if err := g.addKeys(r); err != nil {
		return nil, nil, err
	}
	list := r.Aggs
	if r.Kind == "pivot" {
		if list, err = g.pivot(ctx, r); err != nil {
			return nil, nil, err
		}
	}
	list = fillGroupingID(list, r.Group)
	if !r.SQL {
		list = append(append([]plan.Expr{}, r.Group...), list...)
	}
	items, err := g.x.list(lateral(list, g.x))
	if err != nil {
		return nil, nil, err
	}
	if !r.SQL && len(r.Group) > 0 {
		for i := range r.Group {
			items[i].value, items[i].keep = g.keys[i].Value, nil
			if _, ok := g.keys[i].Value.(plan.Col); ok {
				at := g.keys[i].Attr
				items[i].keep = &at
			}
		}
	}
	return g, items, nil
}

// addKeys resolves the grouping expressions; a number means a column of the select list, a name
// may mean its alias.
func (g *grouping) addKeys(r *plan.Aggregate) error {
	for _, e := range r.Group {
		if l, ok := e.(plan.Literal); ok && r.SQL {
			if n, ok := l.Value.(int32); ok {
				if n < 1 || int(n) > len(r.Aggs) {
					return sparkerr.Analysis("GROUP_BY_POS_OUT_OF_RANGE", "index", function.LiteralText(l), "size", function.LiteralText(plan.IntLit(int32(len(r.Aggs)))))
				}
				e = r.Aggs[n-1]
			}
		}
		if r.SQL {
			e = substitute(e, r.Aggs, g.in.attrs)
		}
		items, err := g.x.items(e)
		if err != nil {
			return err
		}
		for _, it := range items {
			v := it.value
			if hasAggregate(v) {
				return sparkerr.Analysis("GROUP_BY_AGGREGATE", "sqlExpr", g.x.nameOf(e))
			}
			text := plan.Print(v)
			k, ok := g.byKey[text]
			if !ok {
				at := g.a.attr(it.name, v.Type(), v.Nullable())
				if it.keep != nil {
					at = *it.keep
				}
				at.Nullable = at.Nullable || r.Kind == "rollup" || r.Kind == "cube" || r.Kind == "sets"
				k = plan.Named{Attr: at, Value: v}
				g.byKey[text] = k
			}
			g.keys = append(g.keys, k)
		}
	}
	return nil
}

// finish builds the nodes: keys and arguments, the Group, the filter, the select list.
func (g *grouping) finish(r *plan.Aggregate, items []item, having plan.Value) (*rel, error) {
	base, err := g.in.offer(g.x.hidden)
	if err != nil {
		return nil, err
	}
	for i := range items {
		if items[i].value, err = g.above(items[i].value); err != nil {
			return nil, err
		}
		if c, ok := items[i].value.(plan.Col); ok && items[i].keep != nil {
			c.Attr.Name = items[i].keep.Name
			items[i].keep = &c.Attr
		}
	}
	if having != nil {
		if having, err = g.above(having); err != nil {
			if e := sparkerr.As(err); e != nil && e.Condition == "MISSING_AGGREGATION" { // a HAVING clause sees groups only
				err = Unresolved([]string{strings.Trim(e.Params["expression"], `"`)}, attrsOfNamed(g.keys))
			}
			return nil, err
		}
	}
	if err := g.checkGroupings(r.Kind); err != nil {
		return nil, err
	}
	n, err := g.group(base.n, r)
	if err != nil {
		return nil, err
	}
	if having != nil {
		n = &plan.Where{Input: n, Cond: having}
	}
	over := &rel{n: n, attrs: n.Output(), kids: []*rel{g.in}, opaque: true}
	out, err := g.a.selectItems(over, &exprs{a: g.a, in: over}, items)
	if err != nil {
		return nil, err
	}
	return out, nil
}

// above rewrites a value to read the Group's output: keys and aggregates become its columns.
func (g *grouping) above(v plan.Value) (plan.Value, error) {
	var failed error
	out := plan.Rewrite(v, func(v plan.Value) (plan.Value, bool) {
		if k, ok := g.byKey[plan.Print(v)]; ok {
			return plan.Col{Attr: k.Attr}, true
		}
		switch v := v.(type) {
		case *plan.Apply:
			if v.Aggregate {
				return plan.Col{Attr: g.aggregateColumn(v)}, true
			}
		case *plan.Over:
			return v.Reading(func(read plan.Value) plan.Value { // the windowed function itself is no aggregate of the group
				x, err := g.above(read)
				if err != nil {
					failed = err
				}
				return x
			}), true
		case *plan.Python:
			if groupedEval[v.UDF.EvalType] {
				return plan.Col{Attr: g.pythonColumn(v)}, true
			}
		case plan.Col:
			if _, outside := g.in.byID(v.Attr.ID); !outside && !g.hides(v.Attr.ID) {
				return v, true // a column of an enclosing query
			}
			for _, k := range g.keys {
				if k.Attr.ID == v.Attr.ID {
					return plan.Col{Attr: k.Attr}, true
				}
			}
			if failed == nil && len(g.keys) == 0 {
				failed = sparkerr.New(sparkerr.ClassExtendedAnalysis, "MISSING_GROUP_BY")
			}
			if failed == nil {
				failed = sparkerr.New(sparkerr.ClassExtendedAnalysis, "MISSING_AGGREGATION", "expression", `"`+v.Attr.Name+`"`, "expressionAnyValue", `"any_value(`+v.Attr.Name+`)"`)
			}
			return v, true
		}
		return nil, false
	})
	return out, failed
}

func attrsOfNamed(list []plan.Named) []plan.Attr {
	out := make([]plan.Attr, len(list))
	for i, n := range list {
		out[i] = n.Attr
	}
	return out
}

func (g *grouping) hides(id int) bool {
	for _, h := range g.x.hidden {
		if h.ID == id {
			return true
		}
	}
	return false
}

func (g *grouping) aggregateColumn(v *plan.Apply) plan.Attr {
	text := plan.Print(v)
	if at, ok := g.seen[text]; ok {
		return at
	}
	at := g.a.attr(v.Func, v.Out, v.Null)
	g.seen[text] = at
	g.aggs = append(g.aggs, plan.Named{Attr: at, Value: v})
	return at
}

func (g *grouping) pythonColumn(v *plan.Python) plan.Attr {
	call := plan.PythonCall{UDF: v.UDF, Out: g.a.attr(v.UDF.Name, v.UDF.Type, true)}
	for _, arg := range v.Args {
		if c, ok := arg.(plan.Col); ok {
			call.Args = append(call.Args, c.Attr)
			continue
		}
		at := g.a.attr("arg", arg.Type(), arg.Nullable())
		g.extra = append(g.extra, plan.Named{Attr: at, Value: arg})
		call.Args = append(call.Args, at)
	}
	g.pys = append(g.pys, call)
	return call.Out
}

// group puts the Group (or the Python groups) on the input.
func (g *grouping) group(n plan.Node, r *plan.Aggregate) (plan.Node, error) {
	// What goes in: keys that are not columns, arguments, and what is Python or random in them.
	var vals []plan.Value
	for _, k := range g.keys {
		vals = append(vals, k.Value)
	}
	for _, ag := range g.aggs {
		vals = append(vals, ag.Value.(*plan.Apply).Args...)
	}
	n, vals, err := g.a.lift(n, vals)
	if err != nil {
		return nil, err
	}
	have := map[int]bool{}
	for _, at := range n.Output() {
		have[at.ID] = true
	}
	var more []plan.Named
	keys := make([]plan.Named, 0, len(g.keys))
	done := map[int]bool{}
	for i, k := range g.keys {
		if !have[k.Attr.ID] && !done[k.Attr.ID] {
			more = append(more, plan.Named{Attr: k.Attr, Value: vals[i]})
		}
		if !done[k.Attr.ID] {
			keys = append(keys, plan.Named{Attr: k.Attr, Value: plan.Col{Attr: k.Attr}})
		}
		done[k.Attr.ID] = true
	}
	aggs, at := make([]plan.Named, len(g.aggs)), len(g.keys)
	for i, ag := range g.aggs {
		c := *ag.Value.(*plan.Apply)
		c.Args = vals[at : at+len(c.Args)]
		at += len(c.Args)
		aggs[i] = plan.Named{Attr: ag.Attr, Value: &c}
	}
	if more = append(more, g.extra...); len(more) > 0 {
		n = &plan.Select{Input: n, Exprs: append(pass(n.Output()), more...)}
	}
	sets := g.sets(r)
	if len(g.pys) > 0 {
		if len(aggs) > 0 || sets != nil {
			return nil, sparkerr.Plain(sparkerr.ClassAnalysis, "The group aggregate pandas UDF `%s` cannot be invoked together with as other, non-pandas aggregate functions.", g.pys[0].UDF.Name)
		}
		return g.pythonGroups(n, keys), nil
	}
	return &plan.Group{Input: n, Keys: keys, Aggs: aggs, Sets: sets}, nil
}

func (g *grouping) pythonGroups(n plan.Node, keys []plan.Named) plan.Node {
	p := &plan.PythonGroups{Input: n, Calls: g.pys}
	for _, k := range keys {
		p.Keys = append(p.Keys, k.Attr)
		p.Attrs = append(p.Attrs, k.Attr)
	}
	seen := map[int]bool{}
	for _, c := range g.pys {
		p.Attrs = append(p.Attrs, c.Out)
		for _, at := range c.Args {
			if !seen[at.ID] {
				seen[at.ID] = true
				p.Values = append(p.Values, at)
			}
		}
	}
	return p
}
