package compile

import (
	"slices"

	"github.com/millpond/millpond/internal/plan"
)

// prune gives n with only the columns in need, and what must be there to make them: below a
// stage boundary every column that nobody reads would cost a copy.
func prune(n plan.Node, need map[int]bool) plan.Node {
	switch n := n.(type) {
	case *plan.Select:
		return pruneSelect(n, need)
	case *plan.Where:
		return &plan.Where{Input: prune(n.Input, with(need, n.Cond)), Cond: n.Cond}
	case *plan.JoinNode:
		return pruneJoin(n, need)
	case *plan.Group:
		return pruneGroup(n, need)
	case *plan.SortNode:
		more := with(need)
		for _, o := range n.Orders {
			plan.Columns(o.Value, more)
		}
		return &plan.SortNode{Input: prune(n.Input, more), Orders: n.Orders, Local: n.Local}
	case *plan.RepartitionNode:
		if n.Out == nil || !need[n.Out.ID] {
			return prune(n.Input, need)
		}
		c := *n
		c.Input = prune(n.Input, with(need, plan.Expressions(n)...))
		return &c
	case *plan.Slice:
		return &plan.Slice{Input: prune(n.Input, need), Limit: n.Limit, Offset: n.Offset}
	case *plan.Last:
		return &plan.Last{Input: prune(n.Input, need), N: n.N}
	case *plan.Unique:
		if n.Keys == nil {
			return &plan.Unique{Input: prune(n.Input, all(n.Input))}
		}
		return &plan.Unique{Input: prune(n.Input, withAttrs(need, n.Keys)), Keys: n.Keys}
	case *plan.Combine:
		return pruneCombine(n, need)
	case *plan.Unnest:
		c := *n
		c.Input = prune(n.Input, with(need, n.List))
		return &c
	case *plan.Scan:
		return pruneScan(n, need)
	case *plan.Records:
		c := *n
		c.Scan, c.Input = *pruneScan(&n.Scan, need), prune(n.Input, with(map[int]bool{}, plan.Col{Attr: n.Line}))
		return &c
	case *plan.Data:
		return pruneData(n, need)
	case *plan.Lazy:
		c := *n
		c.Attrs, c.Places = keepSome(n.Attrs, n.Places, need)
		return &c
	}
	return only(pruneStage(n, need), need)
}

// only drops the columns of a stage that nobody above it reads: what a transformer read need not
// be carried into a statement.
func only(n plan.Node, need map[int]bool) plan.Node {
	if saysSQL(n) {
		return n
	}
	out := n.Output()
	kept := &plan.Select{Input: n}
	for _, at := range out {
		if need[at.ID] {
			kept.Exprs = append(kept.Exprs, plan.Named{Attr: at, Value: plan.Col{Attr: at}})
		}
	}
	if len(kept.Exprs) == len(out) || len(out) == 0 {
		return n
	}
	if len(kept.Exprs) == 0 { // rows must be countable
		kept.Exprs = []plan.Named{{Attr: out[0], Value: plan.Col{Attr: out[0]}}}
	}
	return kept
}

func pruneStage(n plan.Node, need map[int]bool) plan.Node {
	switch n := n.(type) {
	case *plan.TransformNode:
		if !n.MayDrop && !wantsAny(n.Adds, need) {
			return prune(n.Input, need)
		}
		c := *n
		c.Input = prune(n.Input, withAttrs(need, n.Reads))
		if wantsAny(n.Adds, need) {
			c.Adds, c.Only = someAdds(n, need)
		}
		return &c
	case *plan.RandomColumns:
		c := &plan.RandomColumns{}
		for i, at := range n.Cols {
			if need[at.ID] {
				c.Cols, c.Rands = append(c.Cols, at), append(c.Rands, n.Rands[i])
			}
		}
		c.Input = prune(n.Input, need)
		if len(c.Cols) == 0 {
			return c.Input
		}
		return c
	case *plan.Draw:
		c := *n
		c.Input = prune(n.Input, need)
		return &c
	case *plan.PythonEval:
		return prunePython(n, need)
	case *plan.PythonWindow:
		return pruneWindow(n, need)
	case *plan.PythonMap:
		c := *n
		reads := withAttrs(map[int]bool{}, n.Reads)
		if n.Parts != nil {
			reads[n.Parts.By.ID] = true
		}
		c.Input = prune(n.Input, reads)
		return &c
	case *plan.PythonGroups:
		c := *n
		c.Input = prune(n.Input, withAttrs(map[int]bool{}, append(append([]plan.Attr{}, n.Keys...), n.Values...)))
		if n.Other != nil {
			c.Other = prune(n.Other, withAttrs(map[int]bool{}, append(append([]plan.Attr{}, n.OtherKeys...), n.OtherValues...)))
		}
		return &c
	}
	return n
}

// someAdds gives the columns of a transformer that are needed, and which of all its columns they are.
func someAdds(n *plan.TransformNode, need map[int]bool) (adds []plan.Attr, only []bool) {
	if only = slices.Clone(n.Only); only == nil {
		only = slices.Repeat([]bool{true}, len(n.Adds))
	}
	at := 0
	for i, made := range only {
		if !made {
			continue
		}
		if only[i] = need[n.Adds[at].ID]; only[i] {
			adds = append(adds, n.Adds[at])
		}
		at++
	}
	return adds, only
}

func prunePython(n *plan.PythonEval, need map[int]bool) plan.Node {
	c := &plan.PythonEval{}
	more := with(need)
	for _, call := range n.Calls {
		if need[call.Out.ID] {
			c.Calls = append(c.Calls, call)
			more = withAttrs(more, call.Args)
		}
	}
	c.Input = prune(n.Input, more)
	if len(c.Calls) == 0 {
		return c.Input
	}
	return c
}

func pruneWindow(n *plan.PythonWindow, need map[int]bool) plan.Node {
	c := &plan.PythonWindow{Partition: n.Partition}
	more := withAttrs(need, n.Partition)
	for _, call := range n.Calls {
		if need[call.Out.ID] {
			c.Calls = append(c.Calls, call)
			more = withAttrs(more, call.Args)
		}
	}
	if len(c.Calls) == 0 {
		return prune(n.Input, need)
	}
	c.Input = prune(n.Input, more)
	return c
}

func pruneSelect(n *plan.Select, need map[int]bool) plan.Node {
	var kept []plan.Named
	more := map[int]bool{}
	for _, e := range n.Exprs {
		if need[e.Attr.ID] {
			kept = append(kept, e)
			plan.Columns(e.Value, more)
		}
	}
	return &plan.Select{Input: prune(n.Input, more), Exprs: kept}
}

func pruneJoin(n *plan.JoinNode, need map[int]bool) plan.Node {
	c := *n
	more := with(need)
	if n.Cond != nil {
		plan.Columns(n.Cond, more)
	}
	if n.Lateral { // the right side may read any column of the left
		more = withAttrs(more, n.Left.Output())
	}
	c.Left, c.Right = prune(n.Left, more), prune(n.Right, more)
	c.Attrs = nil
	for _, at := range n.Attrs {
		if need[at.ID] {
			c.Attrs = append(c.Attrs, at)
		}
	}
	return &c
}

func pruneGroup(n *plan.Group, need map[int]bool) plan.Node {
	c := *n
	c.Aggs = nil
	more := map[int]bool{}
	for _, k := range n.Keys {
		plan.Columns(k.Value, more)
	}
	for _, a := range n.Aggs {
		if need[a.Attr.ID] {
			c.Aggs = append(c.Aggs, a)
			plan.Columns(a.Value, more)
		}
	}
	if len(c.Keys) == 0 && len(c.Aggs) == 0 && len(n.Aggs) > 0 {
		c.Aggs = n.Aggs[:1]
		plan.Columns(n.Aggs[0].Value, more)
	}
	c.Input = prune(n.Input, more)
	return &c
}

func pruneCombine(n *plan.Combine, need map[int]bool) plan.Node {
	l, lok := n.Left.(*plan.Select)
	r, rok := n.Right.(*plan.Select)
	if n.Op != "union" || !n.All || !lok || !rok {
		c := *n
		c.Left, c.Right = prune(n.Left, all(n.Left)), prune(n.Right, all(n.Right))
		return &c
	}
	c := &plan.Combine{Op: n.Op, All: true}
	nl, nr := &plan.Select{Input: l.Input}, &plan.Select{Input: r.Input}
	for i, at := range n.Attrs {
		if need[at.ID] || len(n.Attrs) == 1 {
			c.Attrs = append(c.Attrs, at)
			nl.Exprs, nr.Exprs = append(nl.Exprs, l.Exprs[i]), append(nr.Exprs, r.Exprs[i])
		}
	}
	if len(c.Attrs) == 0 {
		c.Attrs, nl.Exprs, nr.Exprs = n.Attrs[:1], l.Exprs[:1], r.Exprs[:1]
	}
	c.Left, c.Right = prune(nl, all(nl)), prune(nr, all(nr))
	return c
}

func pruneScan(n *plan.Scan, need map[int]bool) *plan.Scan {
	c := *n
	c.Attrs, c.Source = nil, nil
	for i, at := range n.Attrs {
		if need[at.ID] {
			c.Attrs, c.Source = append(c.Attrs, at), append(c.Source, n.Source[i])
		}
	}
	return &c
}

func pruneData(n *plan.Data, need map[int]bool) plan.Node {
	c := *n
	c.Attrs, c.Places = keepSome(n.Attrs, n.Places, need)
	return &c
}

// keepSome keeps the needed columns, one at least where there is any: rows must be countable.
// places tells which columns of the data attrs are, nil for all of them.
func keepSome(attrs []plan.Attr, places []int, need map[int]bool) ([]plan.Attr, []int) {
	out, at := []plan.Attr{}, []int{}
	add := func(i int) {
		p := i
		if places != nil {
			p = places[i]
		}
		out, at = append(out, attrs[i]), append(at, p)
	}
	for i := range attrs {
		if need[attrs[i].ID] {
			add(i)
		}
	}
	if len(out) == 0 && len(attrs) > 0 {
		add(0)
	}
	return out, at
}

func wantsAny(attrs []plan.Attr, need map[int]bool) bool {
	for _, at := range attrs {
		if need[at.ID] {
			return true
		}
	}
	return false
}

func all(n plan.Node) map[int]bool { return withAttrs(map[int]bool{}, n.Output()) }

func with(need map[int]bool, vs ...plan.Value) map[int]bool {
	out := make(map[int]bool, len(need)+4)
	for k, v := range need {
		out[k] = v
	}
	for _, v := range vs {
		plan.Columns(v, out)
	}
	return out
}

func withAttrs(need map[int]bool, attrs []plan.Attr) map[int]bool {
	out := with(need)
	for _, at := range attrs {
		out[at.ID] = true
	}
	return out
}
