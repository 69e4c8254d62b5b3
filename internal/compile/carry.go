package compile

import (
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
// nested types pass through it untouched. It answers nil where that is not so.
func (c *compiler) carry(n plan.Node) (*Carry, error) {
	leaf, filters, ok := chain(n)
	if !ok || filters && !inMemory(leaf) {
		return nil, nil
	}
	out := n.Output()
	places, need := make([]int, len(out)), map[int]bool{}
	origins := passed(n, leaf)
	nested := false
	for i, at := range out {
		origin, through := origins[at.ID]
		if !through {
			places[i], need[at.ID] = -1, true
			continue
		}
		places[i] = origin
		nested = nested || isNested(at.Type)
	}
	if !nested || len(need) == 0 && !filters {
		return nil, nil
	}
	in, err := c.stage(leaf)
	if err != nil {
		return nil, err
	}
	return c.carried(&Carry{Input: in, Attrs: out, Places: places}, n, leaf, need)
}

// carried adds the statement to a stage.
func (c *compiler) carried(s *Carry, n, leaf plan.Node, need map[int]bool) (*Carry, error) {
	careful := c.careful(n)
	s.Row = plan.Attr{ID: unused(n, leaf), Name: "row", Type: types.Long}
	reads := map[int]bool{s.Row.ID: true}
	n = numbered(n, leaf, s.Row, need, reads)
	for _, at := range leaf.Output() {
		if reads[at.ID] {
			s.Reads = append(s.Reads, at)
		}
	}
	inner := &compiler{Options: c.Options, limited: c.limited}
	text, err := inner.sql(replaceLeaf(n, leaf, &plan.Data{Attrs: append(append([]plan.Attr{}, s.Reads...), s.Row)}))
	if err != nil {
		return nil, err
	}
	if c.Lenient {
		text = lenient(text)
	}
	s.From = inner.sources[0].Name
	var attrs []plan.Attr
	for i, at := range s.Attrs {
		if s.Places[i] < 0 {
			attrs = append(attrs, at)
		}
	}
	s.Query = &Query{SQL: text, Attrs: append(attrs, s.Row), Contexts: inner.contexts, Scalars: inner.scalars, Careful: careful}
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

// numbered rebuilds the chain with only the columns in need and the rows' numbers; reads takes
// what it needs of leaf.
func numbered(n, leaf plan.Node, row plan.Attr, need, reads map[int]bool) plan.Node {
	switch n := n.(type) {
	case *plan.Where:
		if plan.Node(n) != leaf {
			return &plan.Where{Input: numbered(n.Input, leaf, row, with(need, n.Cond), reads), Cond: n.Cond}
		}
	case *plan.Select:
		if plan.Node(n) == leaf {
			break
		}
		kept, below := &plan.Select{}, map[int]bool{}
		for _, e := range n.Exprs {
			if need[e.Attr.ID] {
				kept.Exprs = append(kept.Exprs, e)
				plan.Columns(e.Value, below)
			}
		}
		kept.Exprs = append(kept.Exprs, plan.Named{Attr: row, Value: plan.Col{Attr: row}})
		kept.Input = numbered(n.Input, leaf, row, below, reads)
		return kept
	}
	for id := range need {
		reads[id] = true
	}
	return leaf
}

func replaceLeaf(n, leaf, by plan.Node) plan.Node {
	switch x := n.(type) {
	case *plan.Where:
		if n != leaf {
			return &plan.Where{Input: replaceLeaf(x.Input, leaf, by), Cond: x.Cond}
		}
	case *plan.Select:
		if n != leaf {
			return &plan.Select{Input: replaceLeaf(x.Input, leaf, by), Exprs: x.Exprs}
		}
	}
	return by
}
