package analyze

import (
	"github.com/millpond/millpond/internal/plan"
	"github.com/millpond/millpond/internal/types"
)

// liftFileName gives input_file_name() the file of each row where the rows are still as they were read,
// else a text of nothing.
func (a *Analyzer) liftFileName(n plan.Node, vals []plan.Value) (plan.Node, []plan.Value) {
	var file plan.Value
	out := plan.RewriteAll(vals, func(v plan.Value) (plan.Value, bool) {
		call, ok := v.(*plan.Apply)
		if !ok || call.Func != "input_file_name" {
			return nil, false
		}
		if file == nil {
			file = plan.Const{Literal: plan.Literal{Type: types.String, Value: ""}}
			at := a.attr("file", types.String, false)
			if in := withFile(n, at); in != nil {
				n, file = in, plan.Col{Attr: at}
			}
		}
		return file, true
	})
	return n, out
}

// withFile gives n with a column of the files that its rows lie in, nil if nobody knows them.
func withFile(n plan.Node, at plan.Attr) plan.Node {
	switch n := n.(type) {
	case *plan.Scan:
		if n.File == "" {
			return nil
		}
		c := *n
		c.Whole = nil // a copy does not know
		c.Attrs = append(append([]plan.Attr{}, n.Attrs...), at)
		c.Source = append(append([]string{}, n.Source...), "('file://' || replace("+n.File+", ' ', '%20'))")
		return &c
	case *plan.Select:
		if in := withFile(n.Input, at); in != nil {
			return &plan.Select{Input: in, Exprs: append(append([]plan.Named{}, n.Exprs...), plan.Named{Attr: at, Value: plan.Col{Attr: at}})}
		}
	case *plan.Where:
		if in := withFile(n.Input, at); in != nil {
			return &plan.Where{Input: in, Cond: n.Cond}
		}
	case *plan.RepartitionNode:
		if n.Stays {
			return under(*n, withFile(n.Input, at), func(c *plan.RepartitionNode, in plan.Node) { c.Input = in })
		}
	case *plan.TransformNode:
		return under(*n, withFile(n.Input, at), func(c *plan.TransformNode, in plan.Node) { c.Input = in })
	case *plan.SortNode: // which sends rows elsewhere, unless they stay in their partitions
		if n.Local {
			return under(*n, withFile(n.Input, at), func(c *plan.SortNode, in plan.Node) { c.Input = in })
		}
	case *plan.Slice:
		return under(*n, withFile(n.Input, at), func(c *plan.Slice, in plan.Node) { c.Input = in })
	case *plan.Unnest:
		return under(*n, withFile(n.Input, at), func(c *plan.Unnest, in plan.Node) { c.Input = in })
	case *plan.PythonEval:
		return under(*n, withFile(n.Input, at), func(c *plan.PythonEval, in plan.Node) { c.Input = in })
	}
	return nil
}

// under gives a copy of a node over another input, nil where there is none.
func under[N any, P interface {
	*N
	plan.Node
}](n N, in plan.Node, put func(*N, plan.Node)) plan.Node {
	if in == nil {
		return nil
	}
	put(&n, in)
	return P(&n)
}
