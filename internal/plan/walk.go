package plan

import (
	"fmt"
	"strings"
)

// Rewrite replaces values from the top down: where f answers true its value stands and is not
// looked into; elsewhere the children are rewritten.
func Rewrite(v Value, f func(Value) (Value, bool)) Value {
	if v == nil {
		return nil
	}
	if out, done := f(v); done {
		return out
	}
	switch v := v.(type) {
	case *Apply:
		c := *v
		c.Args = RewriteAll(v.Args, f)
		c.Filter = Rewrite(v.Filter, f)
		c.Order = rewriteOrders(v.Order, f)
		return &c
	case *Convert:
		return &Convert{v.Origin, Rewrite(v.Child, f), v.To, v.Mode}
	case *Over:
		c := *v
		c.Func, c.Partition, c.Order = Rewrite(v.Func, f), RewriteAll(v.Partition, f), rewriteOrders(v.Order, f)
		return &c
	case *LambdaFn:
		return &LambdaFn{v.Vars, Rewrite(v.Body, f), v.Wrap}
	case *Python:
		return &Python{v.UDF, RewriteAll(v.Args, f)}
	case *SubqueryValue:
		c := *v
		c.Values = RewriteAll(v.Values, f)
		return &c
	}
	return v
}

// RewriteAll rewrites each value.
func RewriteAll(vs []Value, f func(Value) (Value, bool)) []Value {
	out := make([]Value, len(vs))
	for i, v := range vs {
		out[i] = Rewrite(v, f)
	}
	return out
}

// Reads lists what a window reads: its function's arguments, its partition and its order.
func (o *Over) Reads() []Value {
	var out []Value
	switch f := o.Func.(type) {
	case *Apply:
		out = append(out, f.Args...)
	case *Python:
		out = append(out, f.Args...)
	}
	out = append(out, o.Partition...)
	for _, by := range o.Order {
		out = append(out, by.Value)
	}
	return out
}

// Reading gives a window with f applied to each of the values that Reads lists.
func (o *Over) Reading(f func(Value) Value) *Over {
	c := *o
	all := func(vs []Value) []Value {
		out := make([]Value, len(vs))
		for i, v := range vs {
			out[i] = f(v)
		}
		return out
	}
	switch fn := o.Func.(type) {
	case *Apply:
		a := *fn
		a.Args = all(fn.Args)
		c.Func = &a
	case *Python:
		c.Func = &Python{UDF: fn.UDF, Args: all(fn.Args)}
	}
	c.Partition = all(o.Partition)
	c.Order = make([]Order, len(o.Order))
	for i, by := range o.Order {
		c.Order[i] = Order{f(by.Value), by.Desc, by.NullsFirst}
	}
	return &c
}

func rewriteOrders(o []Order, f func(Value) (Value, bool)) []Order {
	out := make([]Order, len(o))
	for i, x := range o {
		out[i] = Order{Rewrite(x.Value, f), x.Desc, x.NullsFirst}
	}
	return out
}

// Walk visits a value and all below it until f answers false.
func Walk(v Value, f func(Value) bool) {
	Rewrite(v, func(x Value) (Value, bool) { return x, !f(x) })
}

// Columns adds the ids of the columns that a value reads to set, subqueries' outer columns too.
func Columns(v Value, set map[int]bool) {
	Walk(v, func(x Value) bool {
		switch x := x.(type) {
		case Col:
			set[x.Attr.ID] = true
		case *SubqueryValue:
			nodeColumns(x.Query, set)
		}
		return true
	})
}

// nodeColumns adds every column that a subquery mentions: what it does not make itself comes
// from outside.
func nodeColumns(n Node, set map[int]bool) {
	for _, v := range Expressions(n) {
		Columns(v, set)
	}
	for _, c := range n.Inputs() {
		nodeColumns(c, set)
	}
}

// Expressions lists the expressions of a node.
func Expressions(n Node) []Value {
	var out []Value
	named := func(list []Named) {
		for _, e := range list {
			out = append(out, e.Value)
		}
	}
	switch n := n.(type) {
	case *Select:
		named(n.Exprs)
	case *Where:
		out = append(out, n.Cond)
	case *JoinNode:
		if n.Cond != nil {
			out = append(out, n.Cond)
		}
	case *Group:
		named(n.Keys)
		named(n.Aggs)
	case *SortNode:
		for _, o := range n.Orders {
			out = append(out, o.Value)
		}
	case *RepartitionNode:
		if n.By != nil {
			out = append(out, n.By)
		}
		for _, o := range n.Orders {
			out = append(out, o.Value)
		}
	case *Unnest:
		out = append(out, n.List)
	case *Rows:
		for _, r := range n.Rows {
			out = append(out, r...)
		}
	}
	return out
}

// Print gives a canonical text of a value: equal texts mean equal values.
func Print(v Value) string {
	switch v := v.(type) {
	case Const:
		return fmt.Sprintf("%v:%s", v.Literal.Value, v.Literal.Type.SimpleString())
	case Col:
		return fmt.Sprintf("#%d", v.Attr.ID)
	case *Apply:
		tail := ""
		if v.Distinct {
			tail += " distinct"
		}
		if v.Filter != nil {
			tail += " filter " + Print(v.Filter)
		}
		return v.Func + "(" + printAll(v.Args) + tail + ")"
	case *Convert:
		return v.Mode + "cast(" + Print(v.Child) + " as " + v.To.SimpleString() + ")"
	case *Over:
		return Print(v.Func) + " over(" + printAll(v.Partition) + "|" + printOrders(v.Order) + "|" + v.Frame + ")"
	case *LambdaFn:
		return "lambda(" + Print(v.Body) + ")"
	case *LambdaRef:
		return v.Name
	}
	return fmt.Sprintf("%p", v)
}

func printAll(vs []Value) string {
	parts := make([]string, len(vs))
	for i, v := range vs {
		parts[i] = Print(v)
	}
	return strings.Join(parts, ",")
}

func printOrders(o []Order) string {
	parts := make([]string, len(o))
	for i, x := range o {
		parts[i] = fmt.Sprintf("%s %v %v", Print(x.Value), x.Desc, x.NullsFirst)
	}
	return strings.Join(parts, ",")
}
