package compile

import (
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/millpond/millpond/internal/plan"
	"github.com/millpond/millpond/internal/types"
)

// Pick keeps the rows of a stage of which a condition is true. It stands for conditions that are so
// plain that nothing need go through the engine: those by which cross-validation makes its folds.
type Pick struct {
	Input Stage
	Cond  Condition
	Attrs []plan.Attr
	IDs   []int // of the input's columns that Attrs are
}

// Columns lists what the stage gives.
func (p *Pick) Columns() []plan.Attr { return p.Attrs }

// Condition compares a column of doubles with a number, or joins such conditions, with Spark's rules
// for nulls and NaN.
type Condition struct {
	Op     string      // "and", "or" or "not", or a comparison: "=", "!=", "<", "<=", ">" or ">="
	Args   []Condition // of and, or, not
	Column int         // id
	Number float64
}

// String gives the condition as SQL says it.
func (c Condition) String() string {
	if len(c.Args) == 0 {
		return Column(c.Column) + " " + c.Op + " " + strconv.FormatFloat(c.Number, 'g', -1, 64)
	}
	args := make([]string, len(c.Args))
	for i, a := range c.Args {
		args[i] = a.String()
	}
	if c.Op == "not" {
		return "NOT (" + args[0] + ")"
	}
	return "(" + strings.Join(args, " "+strings.ToUpper(c.Op)+" ") + ")"
}

// pick compiles a chain of filters, and of selections that compute nothing, over a stage that is not
// SQL. It answers nil where that is not so, or a filter is not plain.
func (c *compiler) pick(n plan.Node) (*Pick, error) {
	leaf, filters, ok := chain(n)
	if !ok || !filters {
		return nil, nil
	}
	origins, ids := passed(n, leaf), []int{}
	for _, at := range n.Output() {
		id, through := origins[at.ID]
		if !through {
			return nil, nil
		}
		ids = append(ids, id)
	}
	var conds []Condition
	for x := n; x != leaf; x = x.Inputs()[0] {
		if w, is := x.(*plan.Where); is {
			cond, plain := condition(w.Cond, passed(w.Input, leaf))
			if !plain {
				return nil, nil
			}
			conds = append(conds, cond)
		}
	}
	if len(conds) > 1 {
		conds = []Condition{{Op: "and", Args: conds}}
	}
	in, err := c.stage(leaf)
	if err != nil {
		return nil, fmt.Errorf("what a filter reads: %w", err)
	}
	return &Pick{Input: in, Cond: conds[0], Attrs: n.Output(), IDs: ids}, nil
}

// mirrored are the comparisons with their sides changed.
var mirrored = map[string]string{"=": "=", "!=": "!=", "<": ">", "<=": ">=", ">": "<", ">=": "<="}

// condition gives an expression as a Condition on a stage's columns, which origins names.
func condition(v plan.Value, origins map[int]int) (Condition, bool) {
	call, ok := v.(*plan.Apply)
	if !ok || call.Aggregate {
		return Condition{}, false
	}
	op := call.Func
	if op == "and" || op == "or" || op == "not" {
		out := Condition{Op: op}
		for _, a := range call.Args {
			arg, plain := condition(a, origins)
			if !plain {
				return Condition{}, false
			}
			out.Args = append(out.Args, arg)
		}
		return out, true
	}
	if mirrored[op] == "" || len(call.Args) != 2 {
		return Condition{}, false
	}
	args := slices.Clone(call.Args)
	if _, first := number(args[0]); first {
		op = mirrored[op]
		slices.Reverse(args)
	}
	col, isCol := args[0].(plan.Col)
	x, isNumber := number(args[1])
	id, through := origins[col.Attr.ID]
	return Condition{Op: op, Column: id, Number: x}, isCol && col.Attr.Type == types.Double && isNumber && through
}

// number gives a literal double, or a whole number that is made one.
func number(v plan.Value) (float64, bool) {
	if c, ok := v.(*plan.Convert); ok && c.To == types.Double && types.IsIntegral(c.Child.Type()) {
		v = c.Child
	}
	c, ok := v.(plan.Const)
	if !ok {
		return 0, false
	}
	switch x := c.Literal.Value.(type) {
	case float64:
		return x, c.Literal.Type == types.Double
	case int32:
		return float64(x), true
	case int64:
		return float64(x), true
	}
	return 0, false
}
