package analyze

import (
	"github.com/millpond/millpond/internal/plan"
	"github.com/millpond/millpond/internal/sparkerr"
	"github.com/millpond/millpond/internal/types"
)

// lift takes Python functions, random numbers and the places of rows out of values: they become
// columns of nodes put on n or below it.
func (a *Analyzer) lift(n plan.Node, vals []plan.Value) (plan.Node, []plan.Value, error) {
	var err error
	n, vals = a.liftRandom(n, vals)
	n, vals = a.liftFileName(n, vals)
	n, vals = a.liftPartitionID(n, vals)
	n, vals = a.liftRowID(n, vals)
	n, vals, err = a.liftWindows(n, vals)
	for round := 0; err == nil; round++ {
		var more bool
		if n, vals, more, err = a.liftPython(n, vals); !more {
			break
		}
	}
	return n, vals, err
}

// liftRowID numbers the rows of n where a value asks for their places. In partitions they are
// numbered each from its own beginning.
func (a *Analyzer) liftRowID(n plan.Node, vals []plan.Value) (plan.Node, []plan.Value) {
	var at *plan.Attr
	out := plan.RewriteAll(vals, func(v plan.Value) (plan.Value, bool) {
		if _, ok := v.(plan.RowID); !ok {
			return nil, false
		}
		if at == nil {
			made := a.attr("id", types.Long, false)
			at = &made
		}
		return plan.Col{Attr: *at}, true
	})
	if at == nil {
		return n, vals
	}
	in, p := a.partitions(n)
	if p == nil || p.Free || p.Count == 1 {
		return numbered(n, *at), out
	}
	row := a.attr("row", types.Long, false)
	id := &plan.Apply{Func: "rowid", Out: types.Long, Args: []plan.Value{plan.Col{Attr: p.By}, plan.Col{Attr: row}}, SQL: func(args []string) string {
		return "((CAST(" + args[0] + " AS BIGINT) << 33) + row_number() OVER (PARTITION BY " + args[0] + " ORDER BY " + args[1] + ") - 1)"
	}}
	in = &plan.Select{Input: numbered(in, row), Exprs: append(pass(in.Output()), plan.Named{Attr: *at, Value: id})}
	return &plan.SortNode{Input: in, Orders: []plan.Order{{Value: plan.Col{Attr: *at}}}, Local: true}, out
}

// numbered appends the places of n's rows, from 0.
func numbered(n plan.Node, at plan.Attr) plan.Node {
	number := &plan.Apply{Func: "rowid", Out: types.Long, SQL: func([]string) string { return "(row_number() OVER () - 1)" }}
	return &plan.Select{Input: n, Exprs: append(pass(n.Output()), plan.Named{Attr: at, Value: number})}
}

func (a *Analyzer) liftRandom(n plan.Node, vals []plan.Value) (plan.Node, []plan.Value) {
	rc := &plan.RandomColumns{Input: n}
	out := plan.RewriteAll(vals, func(v plan.Value) (plan.Value, bool) {
		r, ok := v.(*plan.Random)
		if !ok {
			return nil, false
		}
		at := a.attr("rand", types.Double, false)
		rc.Cols, rc.Rands = append(rc.Cols, at), append(rc.Rands, r)
		return plan.Col{Attr: at}, true
	})
	if len(rc.Cols) == 0 {
		return n, vals
	}
	return rc, out
}

// liftPython takes out the innermost Python functions: those whose arguments hold no other.
func (a *Analyzer) liftPython(n plan.Node, vals []plan.Value) (plan.Node, []plan.Value, bool, error) {
	var calls []plan.PythonCall
	var windows []pythonWindow
	var extra []plan.Named
	place := func(v plan.Value) plan.Attr {
		if c, ok := v.(plan.Col); ok {
			return c.Attr
		}
		text := plan.Print(v)
		for _, e := range extra {
			if plan.Print(e.Value) == text {
				return e.Attr
			}
		}
		at := a.attr("arg", v.Type(), v.Nullable())
		extra = append(extra, plan.Named{Attr: at, Value: v})
		return at
	}
	outer := false
	var rewrite func(v plan.Value) (plan.Value, bool)
	rewrite = func(v plan.Value) (plan.Value, bool) {
		if o, ok := v.(*plan.Over); ok {
			if _, python := o.Func.(*plan.Python); !python {
				return nil, false
			}
			w, inner := a.pythonWindow(o, rewrite)
			if inner != nil {
				outer = true
				return inner, true
			}
			windows = append(windows, w)
			return plan.Col{Attr: w.out}, true
		}
		p, ok := v.(*plan.Python)
		if !ok {
			return nil, false
		}
		for _, arg := range p.Args {
			if holdsPython(arg) {
				outer = true
				return &plan.Python{UDF: p.UDF, Args: plan.RewriteAll(p.Args, rewrite)}, true
			}
		}
		call := plan.PythonCall{UDF: p.UDF, Out: a.attr(p.UDF.Name, p.UDF.Type, true)}
		for _, arg := range p.Args {
			call.Args = append(call.Args, place(arg))
		}
		calls = append(calls, call)
		return plan.Col{Attr: call.Out}, true
	}
	out := plan.RewriteAll(vals, rewrite)
	if len(calls)+len(windows) == 0 {
		return n, vals, false, nil
	}
	for _, c := range calls {
		if !scalarEval[c.UDF.EvalType] {
			return nil, nil, false, sparkerr.Unsupported("a Python function of eval type %d here", c.UDF.EvalType)
		}
	}
	if len(extra) > 0 {
		n = &plan.Select{Input: n, Exprs: append(pass(n.Output()), extra...)}
	}
	if len(calls) > 0 {
		n = &plan.PythonEval{Input: n, Calls: calls}
	}
	n, err := a.overWindows(n, windows)
	return n, out, outer, err
}

// scalarEval are the eval types that give one value a row.
var scalarEval = map[int]bool{100: true, 101: true, 200: true, 204: true, 250: true, 251: true}

// groupedEval are the eval types that give one value a group.
var groupedEval = map[int]bool{202: true, 217: true, 252: true, 254: true}

func holdsPython(v plan.Value) bool {
	found := false
	plan.Walk(v, func(x plan.Value) bool {
		_, ok := x.(*plan.Python)
		found = found || ok
		return !found
	})
	return found
}
