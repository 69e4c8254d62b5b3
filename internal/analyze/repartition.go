package analyze

import (
	"context"
	"fmt"
	"strings"

	"github.com/millpond/millpond/internal/function"
	"github.com/millpond/millpond/internal/plan"
	"github.com/millpond/millpond/internal/sparkerr"
	"github.com/millpond/millpond/internal/types"
)

// repartition says how rows lie in partitions from here on.
func (a *Analyzer) repartition(ctx context.Context, in *rel, r *plan.Repartition) (plan.Node, error) {
	out := &plan.RepartitionNode{}
	out.Count, out.Free = a.env.ShufflePartitions()
	if r.Partitions != nil {
		out.Count, out.Free = *r.Partitions, false
	}
	if out.Count <= 0 {
		return nil, sparkerr.Require("Number of partitions (%d) must be positive.", out.Count)
	}
	if r.Kind == "coalesce" {
		return a.coalesce(in.n, out), nil
	}
	x := a.over(ctx, in)
	orders, vals, err := x.partitioning(r.Exprs)
	if err != nil {
		return nil, err
	}
	base, err := in.offer(x.hidden)
	if err != nil {
		return nil, err
	}
	if out.Input, vals, err = a.lift(base.n, vals); err != nil {
		return nil, err
	}
	out.Label = fmt.Sprintf("RepartitionByExpression [%s]", partedBy(orders, vals))
	switch {
	case r.Kind == "deal":
		out.Label = fmt.Sprintf("Repartition %d, true", out.Count)
	case r.Partitions != nil:
		out.Label += fmt.Sprintf(", %d", out.Count)
	}
	switch {
	case out.Count == 1:
		out.By = plan.Const{Literal: plan.IntLit(0)}
	case orders != nil:
		for i := range orders {
			orders[i].Value = vals[i]
		}
		out.Orders = orders
	case r.Kind == "id":
		out.By, err = a.remainder(out.Count, "coalesce", vals[0], plan.Const{Literal: plan.IntLit(0)})
	case len(vals) > 0:
		out.By, err = a.remainder(out.Count, "hash", vals...)
	}
	return out, err
}

// coalesce puts neighbouring partitions together where there are more than wanted.
func (a *Analyzer) coalesce(n plan.Node, out *plan.RepartitionNode) plan.Node {
	want := out.Count
	out.Label = fmt.Sprintf("Repartition %d, false", want)
	in, p := a.partitions(n)
	if p == nil || p.Count == 1 || want == 1 {
		out.Input, out.Count, out.By = n, 1, plan.Const{Literal: plan.IntLit(0)}
		return out
	}
	out.Input, out.Count, out.Free, out.By = in, p.Count, p.Free, plan.Col{Attr: p.By}
	if want < p.Count && !p.Free {
		out.Count, out.By = want, slice(out.By, 0, 1, int64(p.Count), want)
	}
	return out
}

// slice is which of n contiguous slices a value is in, of all the values from start on by step, as
// Spark cuts them.
func slice(v plan.Value, start, step, all int64, n int) plan.Value {
	return &plan.Apply{Func: "slice", Args: []plan.Value{v}, Out: types.Int, SQL: func(args []string) string {
		return fmt.Sprintf("CAST(((CAST(%s AS HUGEINT) - %d) // %d * %d + %d) // %d AS INTEGER)", args[0], start, step, n, n-1, all)
	}}
}

// partitioning reads what rows are parted by: orders, or values that are hashed.
func (x *exprs) partitioning(by []plan.Expr) ([]plan.Order, []plan.Value, error) {
	var sorts []plan.SortOrder
	for _, e := range by {
		if o, ok := e.(plan.SortOrder); ok {
			sorts = append(sorts, o)
		}
	}
	if len(sorts) == 0 {
		vals, err := x.values(by)
		return nil, vals, err
	}
	if len(sorts) < len(by) {
		return nil, nil, sparkerr.Require("FIXME")
	}
	orders, err := x.orders(sorts)
	vals := make([]plan.Value, len(orders))
	for i, o := range orders {
		vals[i] = o.Value
	}
	return orders, vals, err
}

// remainder is a function's result modulo n, never negative.
func (a *Analyzer) remainder(n int, fn string, args ...plan.Value) (plan.Value, error) {
	v, _, err := a.funcs.Resolve(fn, args)
	if err != nil {
		return nil, err
	}
	v, _, err = a.funcs.Resolve("pmod", []plan.Value{v, plan.Const{Literal: plan.IntLit(int32(n))}})
	if err != nil {
		return nil, err
	}
	return function.As(v, types.Int), nil
}

// partedBy prints what rows are parted by, for explain.
func partedBy(orders []plan.Order, vals []plan.Value) string {
	list := make([]string, len(vals))
	for i, v := range vals {
		list[i] = function.Describe(v)
		if c, ok := v.(plan.Col); ok {
			list[i] = fmt.Sprintf("%s#%d", c.Attr.Name, c.Attr.ID)
		}
		if orders != nil {
			way, nulls := "ASC", "LAST"
			if orders[i].Desc {
				way = "DESC"
			}
			if orders[i].NullsFirst {
				nulls = "FIRST"
			}
			list[i] += " " + way + " NULLS " + nulls
		}
	}
	return strings.Join(list, ", ")
}

// partitions gives n with the column of the numbers of the partitions that its rows are in; nil if
// no repartitioning says so.
func (a *Analyzer) partitions(n plan.Node) (plan.Node, *plan.Partitions) {
	number := func(out *plan.Attr) *plan.Attr {
		if out == nil {
			made := a.attr("partition", types.Int, false)
			out = &made
		}
		return out
	}
	switch n := n.(type) {
	case *plan.RepartitionNode:
		c := *n
		c.Out = number(n.Out)
		return &c, &plan.Partitions{By: *c.Out, Count: n.Count, Free: n.Free}
	case *plan.PythonMap:
		if n.Parts == nil {
			return n, nil
		}
		c := *n
		c.Out = number(n.Out)
		return &c, &plan.Partitions{By: *c.Out, Count: n.Parts.Count, Free: n.Parts.Free}
	case *plan.Combine:
		return a.unitedPartitions(n)
	}
	below, onto := rowLocal(n)
	if below == nil {
		return n, nil
	}
	in, p := a.partitions(below)
	if p == nil {
		return n, nil
	}
	return onto(in, p.By), p
}

// unitedPartitions are those of a union: the left side's, then the right side's.
func (a *Analyzer) unitedPartitions(n *plan.Combine) (plan.Node, *plan.Partitions) {
	left, l := a.partitions(n.Left)
	right, r := a.partitions(n.Right)
	if n.Op != "union" || !n.All || l == nil && r == nil {
		return n, nil
	}
	at := a.attr("partition", types.Int, false)
	before := 0
	side := func(n, in plan.Node, p *plan.Partitions) plan.Node {
		var v plan.Value = plan.Const{Literal: plan.IntLit(int32(before))}
		if p == nil || p.Free {
			before++
		} else {
			v = plus(plan.Col{Attr: p.By}, before)
			before += p.Count
		}
		number := a.attr("partition", types.Int, false)
		return &plan.Select{Input: in, Exprs: append(pass(n.Output()), plan.Named{Attr: number, Value: v})}
	}
	c := *n
	c.Left, c.Right = side(n.Left, left, l), side(n.Right, right, r)
	c.Attrs = append(c.Attrs[:len(c.Attrs):len(c.Attrs)], at)
	return &c, &plan.Partitions{By: at, Count: before}
}

func plus(v plan.Value, n int) plan.Value {
	return &plan.Apply{Func: "plus", Args: []plan.Value{v}, Out: types.Int, SQL: func(args []string) string { return fmt.Sprintf("(%s + %d)", args[0], n) }}
}

// rowLocal gives the input of a node that leaves rows in their partitions, nil if it does not; onto
// puts the node on another input, from which it passes the column more.
func rowLocal(n plan.Node) (below plan.Node, onto func(in plan.Node, more plan.Attr) plan.Node) {
	switch n := n.(type) {
	case *plan.Select:
		for _, e := range n.Exprs {
			if hasWindow(e.Value) { // which moves rows to the partitions of its own
				return nil, nil
			}
		}
		return n.Input, func(in plan.Node, more plan.Attr) plan.Node {
			for _, e := range n.Exprs {
				if e.Attr.ID == more.ID {
					return n
				}
			}
			return &plan.Select{Input: in, Exprs: append(n.Exprs[:len(n.Exprs):len(n.Exprs)], pass([]plan.Attr{more})...)}
		}
	case *plan.Where:
		return n.Input, func(in plan.Node, _ plan.Attr) plan.Node { return &plan.Where{Input: in, Cond: n.Cond} }
	case *plan.SortNode:
		if !n.Local {
			return nil, nil
		}
		return n.Input, func(in plan.Node, _ plan.Attr) plan.Node {
			return &plan.SortNode{Input: in, Orders: n.Orders, Local: true}
		}
	case *plan.Draw:
		return n.Input, func(in plan.Node, _ plan.Attr) plan.Node { c := *n; c.Input = in; return &c }
	case *plan.RandomColumns:
		return n.Input, func(in plan.Node, _ plan.Attr) plan.Node { c := *n; c.Input = in; return &c }
	case *plan.PythonEval:
		return n.Input, func(in plan.Node, _ plan.Attr) plan.Node { c := *n; c.Input = in; return &c }
	case *plan.TransformNode:
		return n.Input, func(in plan.Node, _ plan.Attr) plan.Node { c := *n; c.Input = in; return &c }
	case *plan.Unnest:
		return n.Input, func(in plan.Node, _ plan.Attr) plan.Node { c := *n; c.Input = in; return &c }
	}
	return nil, nil
}

// inPartitions brings rows into the order of their partitions, in which they keep the order they
// have.
func (a *Analyzer) inPartitions(n plan.Node) (plan.Node, *plan.Partitions) {
	in, p := a.partitions(n)
	if p == nil || p.Count == 1 {
		return n, p
	}
	row := a.attr("row", types.Long, false)
	return &plan.SortNode{Input: numbered(in, row), Orders: []plan.Order{{Value: plan.Col{Attr: p.By}}, {Value: plan.Col{Attr: row}}}}, p
}

// sortedWithin is a sort's input and orders, so that it sorts each partition.
func (a *Analyzer) sortedWithin(n plan.Node, orders []plan.Order) (plan.Node, []plan.Order) {
	in, p := a.partitions(n)
	if p == nil || p.Free || p.Count == 1 {
		return n, orders
	}
	return in, append([]plan.Order{{Value: plan.Col{Attr: p.By}}}, orders...)
}

// Partitioned resolves a whole plan. If its rows are in partitions, it gives a plan of the same
// rows in the order of those, too, with the column of their numbers.
func (a *Analyzer) Partitioned(ctx context.Context, r plan.Relation) (n, parted plan.Node, p *plan.Partitions, err error) {
	if n, err = a.Relation(ctx, r); err != nil {
		return nil, nil, nil, err
	}
	parted, p = a.inPartitions(n)
	return n, parted, p, nil
}

// hinted is what a hint asks for.
func hinted(h *plan.Hint) (plan.Relation, error) {
	out := &plan.Repartition{Input: h.Input, Kind: "by", Exprs: h.Params}
	name := strings.ToUpper(h.Name)
	switch name {
	case "COALESCE", "REPARTITION", "REPARTITION_BY_RANGE", "REBALANCE":
	default:
		return h.Input, nil
	}
	if len(h.Params) > 0 {
		if l, ok := h.Params[0].(plan.Literal); ok {
			if n, ok := l.Value.(int32); ok {
				many := int(n)
				out.Partitions, out.Exprs = &many, h.Params[1:]
			}
		}
	}
	var wrong []string
	for _, e := range out.Exprs {
		if _, ok := e.(*plan.Attribute); !ok {
			wrong = append(wrong, fmt.Sprint(e))
		}
	}
	switch {
	case name == "COALESCE" && (out.Partitions == nil || len(out.Exprs) > 0):
		return nil, sparkerr.Legacy("1048", "<hintName> Hint expects a partition number as a parameter.", "hintName", name)
	case len(wrong) > 0:
		return nil, sparkerr.Legacy("1047", "<hintName> Hint parameters should include an optional integral partitionNum and/or columns, but <invalidParams> can not be recognized as either partitionNum or columns.",
			"hintName", name, "invalidParams", strings.Join(wrong, ", "))
	case name == "COALESCE":
		out.Kind = "coalesce"
	case name == "REBALANCE": // as many partitions as the size of the data asks for
		out.Partitions = nil
	case name == "REPARTITION" && len(out.Exprs) == 0 && out.Partitions != nil:
		out.Kind = "deal"
	case name == "REPARTITION_BY_RANGE":
		by := out.Exprs
		out.Exprs = make([]plan.Expr, len(by))
		for i, e := range by {
			out.Exprs[i] = plan.SortOrder{Expr: e, NullsFirst: true}
		}
	}
	return out, nil
}

// numbers resolves a range; its partitions are contiguous slices.
func (a *Analyzer) numbers(r *plan.Range) (*rel, error) {
	if r.Step == 0 {
		return nil, sparkerr.IllegalArgument("requirement failed: step (0) cannot be 0")
	}
	n := &plan.Numbers{Attr: a.attr("id", types.Long, false), Start: r.Start, End: r.End, Step: r.Step}
	if r.Partitions == 0 {
		return relOf(n), nil
	}
	out := &plan.RepartitionNode{Input: n, Count: r.Partitions, Label: fmt.Sprintf("Slices %d", r.Partitions)}
	out.By = slice(plan.Col{Attr: n.Attr}, r.Start, r.Step, n.Len(), r.Partitions)
	return relOf(out), nil
}

// kept resolves a relation whose rows are kept: they lie in their partitions still.
func (a *Analyzer) kept(handle any, rows plan.Node) *rel {
	made := rows.Output()
	lazy := &plan.Lazy{Attrs: a.attrs(plan.SchemaOf(made)), Handle: handle}
	is := map[int]plan.Attr{} // columns where the walk is -> those of lazy
	for i, at := range made {
		is[at.ID] = lazy.Attrs[i]
	}
	for n := rows; n != nil; n, _ = rowLocal(n) {
		switch n := n.(type) {
		case *plan.Select:
			below := map[int]plan.Attr{}
			for _, e := range n.Exprs {
				at, shown := is[e.Attr.ID]
				if c, ok := e.Value.(plan.Col); ok && shown {
					below[c.Attr.ID] = at
				}
			}
			is = below
		case *plan.RepartitionNode:
			return relOf(moved(n, lazy, is))
		}
	}
	if _, p := a.partitions(rows); p != nil {
		return relOf(&plan.RepartitionNode{Input: lazy, Count: p.Count, Free: p.Free, Label: fmt.Sprintf("Partitions %d", p.Count)})
	}
	return relOf(lazy)
}

// moved is a repartitioning put on kept rows. Where they lack a column that it reads, rows are dealt
// one after the other: as many partitions, but not the same rows in each.
func moved(r *plan.RepartitionNode, lazy *plan.Lazy, is map[int]plan.Attr) plan.Node {
	out := &plan.RepartitionNode{Input: lazy, Count: r.Count, Free: r.Free, Label: r.Label}
	reads := map[int]bool{}
	for _, v := range plan.Expressions(r) {
		plan.Columns(v, reads)
	}
	for id := range reads {
		if _, ok := is[id]; !ok {
			return out
		}
	}
	move := func(v plan.Value) plan.Value {
		return plan.Rewrite(v, func(v plan.Value) (plan.Value, bool) {
			c, ok := v.(plan.Col)
			return plan.Col{Attr: is[c.Attr.ID]}, ok
		})
	}
	if r.By != nil {
		out.By = move(r.By)
	}
	for _, o := range r.Orders {
		out.Orders = append(out.Orders, plan.Order{Value: move(o.Value), Desc: o.Desc, NullsFirst: o.NullsFirst})
	}
	return out
}
