package compile

import (
	"slices"

	"github.com/millpond/millpond/internal/plan"
	"github.com/millpond/millpond/internal/types"
)

// Carry is a statement that computes columns and picks rows of one input, while the input's other
// columns go past it: a vector that nobody looks at is not copied into the engine and out again.
type Carry struct {
	Input  Stage
	Query  *Query      // its source, From, gives Reads and Row; its last column is Row
	From   string      // the source's name
	Reads  []plan.Attr // the input's columns that the statement reads
	Row    plan.Attr   // the rows' numbers, from 0, in ascending order
	Attrs  []plan.Attr
	Places []int // for each of Attrs: the id of the input's column, or -1 if the statement gives it
}

// Columns lists what the stage gives.
func (c *Carry) Columns() []plan.Attr { return c.Attrs }

// carry compiles a chain of selections and filters over a stage that is not SQL, if columns of
// nested types pass through it untouched, or several columns pass a filter. It answers nil where
// that is not so.
func (c *compiler) carry(n plan.Node) (*Carry, error) {
	leaf, filters, ok := chain(n)
	if !ok || filters && !inMemory(leaf) {
		return nil, nil
	}
	out := n.Output()
	places, need := make([]int, len(out)), map[int]bool{}
	origins := passed(n, leaf)
	nested, through := false, 0
	for i, at := range out {
		origin, passes := origins[at.ID]
		if !passes {
			places[i], need[at.ID] = -1, true
			continue
		}
		places[i] = origin
		nested = nested || isNested(at.Type)
		through++
	}
	if len(need) == 0 && !filters || !nested && !(filters && through > 1) {
		return nil, nil
	}
	in, err := c.stage(leaf)
	if err != nil {
		return nil, err
	}
	return c.carried(&Carry{Input: in, Attrs: out, Places: places}, n, leaf, need)
}

// carried adds the statement to a stage: the chain over numbered rows of leaf, without the columns
// that go past it.
func (c *compiler) carried(s *Carry, n, leaf plan.Node, need map[int]bool) (*Carry, error) {
	s.Row = plan.Attr{ID: unused(n, leaf), Name: "row", Type: types.Long}
	need[s.Row.ID] = true
	rows := &plan.Data{Attrs: append(slices.Clone(leaf.Output()), s.Row)}
	q, err := c.query(prune(onto(n, leaf, rows, s.Row), need))
	if err != nil {
		return nil, err
	}
	from := q.Sources[0]
	s.From, s.Reads = from.Name, from.Stage.Columns()
	s.Reads = s.Reads[:len(s.Reads)-1] // the last is Row
	q.Sources, q.Attrs, q.Careful = nil, nil, c.careful(n)
	for i, at := range s.Attrs {
		if s.Places[i] < 0 {
			q.Attrs = append(q.Attrs, at)
		}
	}
	q.Attrs = append(q.Attrs, s.Row)
	s.Query = q
	return s, nil
}

// chain finds the stage that a chain of selections and filters stands on, and says whether any
// filters. It refuses expressions that look at other rows.
func chain(n plan.Node) (leaf plan.Node, filters, ok bool) {
	for depth := 0; ; depth++ {
		if !saysSQL(n) {
			return n, filters, depth > 0
		}
		switch x := n.(type) {
		case *plan.Select:
			for _, e := range x.Exprs {
				if !rowWise(e.Value) {
					return nil, false, false
				}
			}
			n = x.Input
		case *plan.Where:
			if !rowWise(x.Cond) {
				return nil, false, false
			}
			n, filters = x.Input, true
		default:
			return nil, false, false
		}
	}
}

func rowWise(v plan.Value) bool {
	ok := true
	plan.Walk(v, func(x plan.Value) bool {
		switch x := x.(type) {
		case *plan.Over, *plan.SubqueryValue, *plan.Python, plan.RowID, *plan.Random:
			ok = false
		case *plan.Apply:
			ok = ok && !x.Aggregate
		}
		return ok
	})
	return ok
}

// inMemory says whether a stage's rows stay in memory anyway, so that they can wait for a filter
// without costing more of it.
func inMemory(n plan.Node) bool {
	switch n := n.(type) {
	case *plan.Data, *plan.Lazy:
		return true
	case *plan.RandomColumns:
		return inMemory(n.Input)
	case *plan.Select:
		return inMemory(n.Input)
	}
	return false
}

func isNested(t types.Type) bool {
	switch t.(type) {
	case types.Array, types.Map, types.Struct, *types.UDT:
		return true
	}
	return false
}

// passed maps the columns of n that are columns of leaf, untouched, to those.
func passed(n, leaf plan.Node) map[int]int {
	if n == leaf {
		out := map[int]int{}
		for _, at := range leaf.Output() {
			out[at.ID] = at.ID
		}
		return out
	}
	s, ok := n.(*plan.Select)
	if !ok {
		return passed(n.Inputs()[0], leaf)
	}
	below, out := passed(s.Input, leaf), map[int]int{}
	for _, e := range s.Exprs {
		if col, ok := e.Value.(plan.Col); ok {
			if origin, ok := below[col.Attr.ID]; ok {
				out[e.Attr.ID] = origin
			}
		}
	}
	return out
}

// unused gives an id that no column of the chain has.
func unused(n, leaf plan.Node) int {
	id := 0
	for {
		for _, at := range n.Output() {
			id = max(id, at.ID+1)
		}
		if n == leaf {
			return id
		}
		n = n.Inputs()[0]
	}
}

// onto rebuilds a chain on rows instead of leaf, and hands their numbers up.
func onto(n, leaf, rows plan.Node, row plan.Attr) plan.Node {
	if n == leaf {
		return rows
	}
	if w, ok := n.(*plan.Where); ok {
		return &plan.Where{Input: onto(w.Input, leaf, rows, row), Cond: w.Cond}
	}
	s := n.(*plan.Select) // a chain holds nothing else
	exprs := append(slices.Clone(s.Exprs), plan.Named{Attr: row, Value: plan.Col{Attr: row}})
	return &plan.Select{Input: onto(s.Input, leaf, rows, row), Exprs: exprs}
}
