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
		if in := withFile(n.Input, at); in != nil {
			c := *n
			c.Input = in
			return &c
		}
	}
	return nil
}
