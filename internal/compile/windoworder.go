package compile

import "github.com/millpond/millpond/internal/plan"

// hiddenIDs are ids of columns that no analysis makes.
const hiddenIDs = 1 << 30

// windowOrder gives the rows of a plan whose last work is a partitioned window in the order of its
// partitions, as Spark's sort for the window leaves them. Under a limit that is a cheap top-n.
func windowOrder(n plan.Node) plan.Node {
	switch n := n.(type) {
	case *plan.Slice:
		return &plan.Slice{Input: windowOrder(n.Input), Limit: n.Limit, Offset: n.Offset}
	case *plan.Where:
		return &plan.Where{Input: windowOrder(n.Input), Cond: n.Cond}
	case *plan.Select:
		last := lastWindow(n)
		if last == nil {
			return &plan.Select{Input: windowOrder(n.Input), Exprs: n.Exprs}
		}
		if len(last.Partition) == 0 {
			return n
		}
		return orderedBy(n, last)
	}
	return n
}

func lastWindow(n *plan.Select) *plan.Over {
	var last *plan.Over
	for _, e := range n.Exprs {
		plan.Walk(e.Value, func(v plan.Value) bool {
			if o, ok := v.(*plan.Over); ok {
				last = o
				return false
			}
			return true
		})
	}
	return last
}

// orderedBy carries a window's keys along as columns, sorts by them and drops them.
func orderedBy(n *plan.Select, w *plan.Over) plan.Node {
	orders := make([]plan.Order, 0, len(w.Partition)+len(w.Order))
	for _, p := range w.Partition {
		orders = append(orders, plan.Order{Value: p, NullsFirst: true})
	}
	orders = append(orders, w.Order...)
	inner := &plan.Select{Input: n.Input, Exprs: append([]plan.Named{}, n.Exprs...)}
	for i, o := range orders {
		at := plan.Attr{ID: hiddenIDs + i, Name: "key", Type: o.Value.Type(), Nullable: true}
		inner.Exprs = append(inner.Exprs, plan.Named{Attr: at, Value: o.Value})
		orders[i].Value = plan.Col{Attr: at}
	}
	outer := &plan.Select{Input: &plan.SortNode{Input: inner, Orders: orders}, Exprs: make([]plan.Named, len(n.Exprs))}
	for i, e := range n.Exprs {
		outer.Exprs[i] = plan.Named{Attr: e.Attr, Value: plan.Col{Attr: e.Attr}}
	}
	return outer
}
