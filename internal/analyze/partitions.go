package analyze

import (
	"context"
	"fmt"
	"slices"

	"github.com/millpond/millpond/internal/plan"
	"github.com/millpond/millpond/internal/types"
)

// liftPartitionID finds the numbers of the partitions where a value asks for them; what was never
// repartitioned is one partition.
func (a *Analyzer) liftPartitionID(n plan.Node, vals []plan.Value) (plan.Node, []plan.Value) {
	var id plan.Value
	out := plan.RewriteAll(vals, func(v plan.Value) (plan.Value, bool) {
		if _, ok := v.(plan.PartitionID); !ok {
			return nil, false
		}
		if id == nil {
			id = plan.Const{Literal: plan.IntLit(0)}
			if in, p := a.partitions(n); p != nil && !p.Free {
				n, id = in, plan.Col{Attr: p.By}
			}
		}
		return id, true
	})
	return n, out
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
	out, input := rowLocal(n)
	if out == nil {
		return n, nil
	}
	in, p := a.partitions(*input)
	if p == nil {
		return n, nil
	}
	*input = in
	if slices.ContainsFunc(out.Output(), func(at plan.Attr) bool { return at.ID == p.By.ID }) {
		return out, p
	}
	switch out := out.(type) {
	case *plan.Select:
		out.Exprs = append(out.Exprs[:len(out.Exprs):len(out.Exprs)], pass([]plan.Attr{p.By})...)
	case *plan.JoinNode:
		out.Attrs = append(out.Attrs[:len(out.Attrs):len(out.Attrs)], p.By)
	}
	return out, p
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

// rowLocal gives a copy of a node that leaves rows in their partitions, and where its input is; nil
// of another.
func rowLocal(n plan.Node) (plan.Node, *plan.Node) {
	switch n := n.(type) {
	case *plan.Select:
		for _, e := range n.Exprs {
			if hasWindow(e.Value) { // which moves rows to the partitions of its own
				return nil, nil
			}
		}
		c := *n
		return &c, &c.Input
	case *plan.SortNode:
		c := *n
		if c.Local {
			return &c, &c.Input
		}
	case *plan.Where:
		c := *n
		return &c, &c.Input
	case *plan.Draw:
		c := *n
		return &c, &c.Input
	case *plan.RandomColumns:
		c := *n
		return &c, &c.Input
	case *plan.PythonEval:
		c := *n
		return &c, &c.Input
	case *plan.TransformNode:
		c := *n
		return &c, &c.Input
	case *plan.Unnest:
		c := *n
		return &c, &c.Input
	case *plan.JoinNode: // as if the right side were small and sent to each partition
		c := *n
		if n.Type != plan.JoinRight && n.Type != plan.JoinFull {
			return &c, &c.Left
		}
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

// kept resolves a relation whose rows are kept: they lie in their partitions still.
func (a *Analyzer) kept(handle any, rows plan.Node) *rel {
	made := rows.Output()
	lazy := &plan.Lazy{Attrs: a.attrs(plan.SchemaOf(made)), Handle: handle}
	is := map[int]plan.Attr{} // columns where the walk is -> those of lazy
	for i, at := range made {
		is[at.ID] = lazy.Attrs[i]
	}
	for input := &rows; input != nil; _, input = rowLocal(*input) {
		switch n := (*input).(type) {
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
