package analyze

import (
	"fmt"
	"strings"

	"github.com/millpond/millpond/internal/function"
	"github.com/millpond/millpond/internal/plan"
	"github.com/millpond/millpond/internal/sparkerr"
	"github.com/millpond/millpond/internal/types"
)

// windowEval are the eval types of functions over groups, and what they are over windows.
var windowEval = map[int]int{202: 203, 252: 253}

// pythonWindow is a Python function over a window, whose result becomes the column out.
type pythonWindow struct {
	over *plan.Over
	out  plan.Attr
}

// pythonWindow takes out a window that reads no other Python function. Otherwise it answers the
// window with those taken out by rewrite; a later round takes the window itself.
func (a *Analyzer) pythonWindow(o *plan.Over, rewrite func(plan.Value) (plan.Value, bool)) (pythonWindow, plan.Value) {
	for _, v := range o.Reads() {
		if holdsPython(v) {
			return pythonWindow{}, o.Reading(func(v plan.Value) plan.Value { return plan.Rewrite(v, rewrite) })
		}
	}
	f, _ := o.Func.(*plan.Python)
	return pythonWindow{over: o, out: a.attr(f.UDF.Name, f.UDF.Type, true)}, nil
}

// overWindows puts the nodes on n that compute windows: one for each partition and order.
func (a *Analyzer) overWindows(n plan.Node, windows []pythonWindow) (plan.Node, error) {
	var specs []string
	bySpec := map[string][]pythonWindow{}
	for _, w := range windows {
		bare := *w.over
		bare.Func, bare.Frame = plan.Const{Literal: plan.Literal{Type: types.Null}}, ""
		spec := plan.Print(&bare)
		if bySpec[spec] == nil {
			specs = append(specs, spec)
		}
		bySpec[spec] = append(bySpec[spec], w)
	}
	for _, spec := range specs {
		var err error
		if n, err = a.overWindow(n, bySpec[spec]); err != nil {
			return nil, err
		}
	}
	return n, nil
}

// overWindow computes functions over windows of one partition and order. The engine numbers the
// rows of each partition and says where each row's frame begins and ends; a worker is given a
// partition at a time with those places.
func (a *Analyzer) overWindow(n plan.Node, windows []pythonWindow) (plan.Node, error) {
	spec := windows[0].over
	named := &computed{a: a, list: pass(n.Output())}
	node := &plan.PythonWindow{}
	part := make([]plan.Value, len(spec.Partition))
	for i, p := range spec.Partition {
		at := named.column("partition", p)
		node.Partition = append(node.Partition, at)
		part[i] = plan.Col{Attr: at}
	}
	orders := make([]plan.Order, len(spec.Order))
	for i, o := range spec.Order {
		o.Value = plan.Col{Attr: named.column("order", o.Value)}
		orders[i] = o
	}
	row := named.column("row", &plan.Over{Func: windowFunction("row_number", types.Int), Partition: spec.Partition, Order: spec.Order})
	for _, w := range windows {
		f, _ := w.over.Func.(*plan.Python)
		udf := *f.UDF
		udf.EvalType = windowEval[f.UDF.EvalType]
		if udf.EvalType == 0 {
			return nil, sparkerr.Unsupported("a Python function of eval type %d over a window", f.UDF.EvalType)
		}
		call := plan.WindowCall{PythonCall: plan.PythonCall{UDF: &udf, Out: w.out}}
		for _, arg := range f.Args {
			call.Args = append(call.Args, named.column("arg", arg))
		}
		node.Calls = append(node.Calls, call)
	}
	frames := &computed{a: a, list: pass(attrsOfNamed(named.list))}
	for i, w := range windows {
		frame := w.over.Frame
		if wholePartition(frame, orders) {
			continue
		}
		call := &node.Calls[i]
		call.Bounded = true
		by := orders
		if rowFrame(frame) { // rows that the order does not tell apart must not change places
			by = []plan.Order{{Value: plan.Col{Attr: row}}}
		}
		edge := func(of string, less int) plan.Attr {
			over := &plan.Over{Func: windowFunction(of, types.Int, plan.Col{Attr: row}), Partition: part, Order: by, Frame: frame, Null: true}
			return frames.column("edge", place(over, less))
		}
		call.Args = append([]plan.Attr{edge("min", 1), edge("max", 0)}, call.Args...)
		call.UDF.Names = append([]string{"", ""}, call.UDF.Names...)
	}
	sorted := &plan.SortNode{Input: &plan.Select{Input: &plan.Select{Input: n, Exprs: named.list}, Exprs: frames.list}}
	for _, p := range part {
		sorted.Orders = append(sorted.Orders, plan.Order{Value: p, NullsFirst: true})
	}
	sorted.Orders = append(sorted.Orders, plan.Order{Value: plan.Col{Attr: row}})
	node.Input = sorted
	return node, nil
}

// computed is a select list that grows: equal values share a column.
type computed struct {
	a    *Analyzer
	list []plan.Named
}

func (c *computed) column(name string, v plan.Value) plan.Attr {
	text := plan.Print(v)
	for _, e := range c.list {
		if plan.Print(e.Value) == text {
			return e.Attr
		}
	}
	at := c.a.attr(name, v.Type(), v.Nullable())
	c.list = append(c.list, plan.Named{Attr: at, Value: v})
	return at
}

func windowFunction(name string, t types.Type, args ...plan.Value) *plan.Apply {
	return &plan.Apply{Func: name, Args: args, Out: t, Aggregate: len(args) > 0, SQL: func(s []string) string {
		return function.Call(name, strings.Join(s, ", "))
	}}
}

// wholePartition says whether the frame of every row is its partition.
func wholePartition(frame string, order []plan.Order) bool {
	return frame == "" && len(order) == 0 || strings.HasSuffix(frame, "BETWEEN UNBOUNDED PRECEDING AND UNBOUNDED FOLLOWING")
}

func rowFrame(frame string) bool { return strings.HasPrefix(frame, "ROWS ") }

// place turns the number of a frame's first or last row into a place from 0; a frame without rows is
// at 0.
func place(v plan.Value, less int) plan.Value {
	return &plan.Apply{Func: fmt.Sprintf("place%d", less), Args: []plan.Value{v}, Out: types.Int, SQL: func(s []string) string {
		return fmt.Sprintf("CAST(coalesce(%s - %d, 0) AS INTEGER)", s[0], less)
	}}
}
