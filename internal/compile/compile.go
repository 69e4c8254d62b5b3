// Package compile cuts a resolved plan into stages: a maximal region that SQL can say becomes
// one DuckDB statement, with explicit casts and Spark's conditions raised by name; what SQL
// cannot say (models, Python, Spark's random numbers, rows in memory) becomes a stage of its
// own. Statements are pure text: no database is needed to make or test them.
package compile

import (
	"fmt"
	"strings"

	"github.com/millpond/millpond/internal/plan"
	"github.com/millpond/millpond/internal/sparkerr"
)

// Stage makes a stream of columns, called by their ids.
type Stage interface{ Columns() []plan.Attr }

type (
	// Query is one statement; its Sources are to be there under their names.
	Query struct {
		SQL      string
		Sources  []Source
		Contexts []*sparkerr.Context // of the conditions that the statement raises, by their numbers
		Scalars  []*sparkerr.Context // of the scalar subqueries
		Attrs    []plan.Attr
		Careful  func() (*Query, error) // makes one that says what overflowed; nil if this one does, or nothing can
	}
	// Memory gives the columns of a plan.Data or plan.Lazy.
	Memory struct {
		Node  plan.Node
		Attrs []plan.Attr
	}
	// Operator applies a node that SQL cannot say to its inputs.
	Operator struct {
		Node   plan.Node
		Inputs []Stage
		Attrs  []plan.Attr
	}
	// Head keeps some of the first rows of a stage that is not SQL.
	Head struct {
		Input         Stage
		Limit, Offset int64
	}
	// Narrow picks columns of a stage.
	Narrow struct {
		Input Stage
		Attrs []plan.Attr // as they are to be called outside
		IDs   []int       // the input's columns
	}
)

// Source is a stage whose rows a statement reads under a name.
type Source struct {
	Name  string
	Stage Stage
}

func (q *Query) Columns() []plan.Attr    { return q.Attrs }
func (m *Memory) Columns() []plan.Attr   { return m.Attrs }
func (o *Operator) Columns() []plan.Attr { return o.Attrs }
func (h *Head) Columns() []plan.Attr     { return h.Input.Columns() }
func (n *Narrow) Columns() []plan.Attr   { return n.Attrs }

// Plan compiles a resolved plan; the result has exactly the plan's output columns.
func Plan(n plan.Node, o Options) (Stage, error) {
	want := n.Output()
	c := &compiler{Options: o}
	n = windowOrder(n)
	stage, err := c.stage(prune(n, all(n)))
	if err != nil {
		return nil, err
	}
	return narrow(stage, want), nil
}

// Pruned is a plan without the columns that nobody reads, which is what gets compiled.
func Pruned(n plan.Node) plan.Node { return prune(n, all(n)) }

// narrow makes a stage answer exactly these columns in this order.
func narrow(s Stage, want []plan.Attr) Stage {
	have := s.Columns()
	same := len(have) == len(want)
	for i := 0; same && i < len(want); i++ {
		same = have[i].ID == want[i].ID
	}
	if same {
		if q, ok := s.(*Query); ok {
			q.Attrs = want
		}
		return s
	}
	ids := make([]int, len(want))
	for i, at := range want {
		ids[i] = at.ID
	}
	return &Narrow{Input: s, Attrs: want, IDs: ids}
}

// Options of a compilation.
type Options struct {
	Names   func() string               // makes source names that are unique in the database
	Lenient bool                        // without ANSI mode: null instead of an error
	Careful bool                        // say which operation overflows
	Scan    func(*plan.Scan) *plan.Scan // gives the scan to run instead of another; nil for each itself
}

type compiler struct {
	Options
	sources  []Source
	contexts []*sparkerr.Context
	scalars  []*sparkerr.Context
	limited  bool // the rows made here may not all be read
}

// placed marks the conditions that a value's SQL raises with the value's place in the user's query.
func (c *compiler) placed(sql string, o plan.Origin) string {
	if o.Where == nil || c.Lenient {
		return sql
	}
	out := sparkerr.Place(sql, len(c.contexts))
	if len(out) > len(sql) {
		c.contexts = append(c.contexts, o.Where)
	}
	return out
}

// stage compiles a node to the stage that makes its rows.
func (c *compiler) stage(n plan.Node) (Stage, error) {
	switch n := n.(type) {
	case *plan.Data:
		return &Memory{Node: n, Attrs: n.Attrs}, nil
	case *plan.Lazy:
		return &Memory{Node: n, Attrs: n.Attrs}, nil
	case *plan.TransformNode, *plan.RandomColumns, *plan.Draw, *plan.PythonEval, *plan.PythonMap, *plan.PythonGroups, *plan.PythonWindow:
		return c.operator(n)
	case *plan.RepartitionNode:
		if n.Out == nil { // in a subquery, which is not pruned
			return c.stage(n.Input)
		}
	case *plan.Slice:
		if !saysSQL(n.Input) {
			limited := *c
			limited.limited = c.limited || n.Limit >= 0
			in, err := limited.stage(n.Input)
			return &Head{Input: in, Limit: n.Limit, Offset: n.Offset}, err
		}
	case *plan.Select:
		if ids, ok := onlyColumns(n); ok && !saysSQL(n.Input) {
			in, err := c.stage(n.Input)
			return &Narrow{Input: in, Attrs: n.Output(), IDs: ids}, err
		}
	}
	if s, err := c.pick(n); s != nil || err != nil {
		return s, err
	}
	if s, err := c.carry(n); s != nil || err != nil {
		return s, err
	}
	q, err := c.query(n)
	if err != nil {
		return nil, err
	}
	q.Careful = c.careful(n)
	return q, nil
}

// careful gives what compiles a node's statement so that it says what overflows, nil where it does
// already or nothing can.
func (c *compiler) careful(n plan.Node) func() (*Query, error) {
	if c.Lenient || c.Careful {
		return nil
	}
	return func() (*Query, error) {
		again := &compiler{Options: c.Options, limited: c.limited}
		again.Careful = true
		return again.query(n)
	}
}

func (c *compiler) query(n plan.Node) (*Query, error) {
	inner := &compiler{Options: c.Options, limited: c.limited}
	text, err := inner.sql(n)
	if err != nil {
		return nil, err
	}
	if c.Lenient {
		text = lenient(text)
	}
	return &Query{SQL: text, Sources: inner.sources, Contexts: inner.contexts, Scalars: inner.scalars, Attrs: n.Output()}, nil
}

// saysSQL says whether a node is part of a statement rather than a stage of its own.
func saysSQL(n plan.Node) bool {
	switch n := n.(type) {
	case *plan.Data, *plan.Lazy, *plan.TransformNode, *plan.RandomColumns, *plan.Draw, *plan.PythonEval, *plan.PythonMap, *plan.PythonGroups, *plan.PythonWindow:
		return false
	case *plan.Slice:
		return saysSQL(n.Input)
	case *plan.RepartitionNode:
		return n.Out != nil || saysSQL(n.Input)
	case *plan.Select:
		_, plain := onlyColumns(n)
		return !plain || saysSQL(n.Input)
	}
	return true
}

// onlyColumns gives the ids of a select list that computes nothing.
func onlyColumns(n *plan.Select) ([]int, bool) {
	ids := make([]int, len(n.Exprs))
	for i, e := range n.Exprs {
		col, ok := e.Value.(plan.Col)
		if !ok {
			return nil, false
		}
		ids[i] = col.Attr.ID
	}
	return ids, len(ids) > 0
}

// whole tells a Python function if every row it makes will be read.
func (c *compiler) whole(n plan.Node) plan.Node {
	switch x := n.(type) {
	case *plan.PythonEval:
		out := *x
		out.Whole = !c.limited
		return &out
	case *plan.PythonMap:
		out := *x
		out.Whole = !c.limited
		return &out
	}
	return n
}

func (c *compiler) operator(n plan.Node) (Stage, error) {
	o := &Operator{Node: c.whole(n), Attrs: n.Output()}
	for _, in := range n.Inputs() {
		if g, ok := n.(*plan.PythonGroups); ok { // groups come together, in the order of their keys
			keys := g.Keys
			if g.Other != nil && in == g.Other {
				keys = g.OtherKeys
			}
			var orders []plan.Order
			for _, k := range keys {
				orders = append(orders, plan.Order{Value: plan.Col{Attr: k}, NullsFirst: true})
			}
			if len(orders) > 0 {
				in = &plan.SortNode{Input: in, Orders: orders}
			}
		}
		s, err := c.stage(in)
		if err != nil {
			return nil, err
		}
		o.Inputs = append(o.Inputs, s)
	}
	return o, nil
}

// source compiles a node that is not SQL and gives the text that reads its rows.
func (c *compiler) source(n plan.Node) (string, error) {
	s, err := c.stage(n)
	if err != nil {
		return "", err
	}
	name := c.Names()
	c.sources = append(c.sources, Source{name, s})
	return "SELECT * FROM " + name, nil
}

// sql prints the statement that makes a node's rows.
func (c *compiler) sql(n plan.Node) (string, error) {
	if !saysSQL(n) {
		if s, ok := n.(*plan.Slice); ok && saysSQL(s.Input) {
			return c.slice(s)
		}
		return c.source(n)
	}
	if readsAll(n) {
		defer func(was bool) { c.limited = was }(c.limited)
		c.limited = false
	}
	switch n := n.(type) {
	case *plan.Scan:
		if len(n.Attrs) == 1 && n.Attrs[0].Name == n.Corrupt {
			return "", sparkerr.Analysis("UNSUPPORTED_FEATURE.QUERY_ONLY_CORRUPT_RECORD_COLUMN")
		}
		if c.Scan != nil {
			n = c.Scan(n)
		}
		return scan(n), nil
	case *plan.Records:
		return c.wrap(n.Input, func(in string) (string, error) {
			lines := "(SELECT " + Column(n.Line.ID) + " AS line, '' AS filename FROM (" + in + "))"
			return strings.ReplaceAll(scan(&n.Scan), plan.LinesMark, lines), nil
		})
	case *plan.Numbers:
		return fmt.Sprintf("SELECT range AS %s FROM range(%d, %d, %d)", Column(n.Attr.ID), n.Start, n.End, n.Step), nil
	case *plan.One:
		return "SELECT 1 AS z", nil
	case *plan.Rows:
		return c.rows(n)
	case *plan.Select:
		return c.selectList(n)
	case *plan.Where:
		return c.wrap(n.Input, func(in string) (string, error) {
			cond, err := c.value(n.Cond)
			return "SELECT * FROM (" + in + ") WHERE " + cond, err
		})
	case *plan.JoinNode:
		return c.join(n)
	case *plan.Group:
		return c.group(n)
	case *plan.SortNode:
		return c.wrap(n.Input, func(in string) (string, error) {
			o, err := c.orders(n.Orders)
			return "SELECT * FROM (" + in + ") ORDER BY " + o, err
		})
	case *plan.Slice:
		return c.slice(n)
	case *plan.Last:
		return c.wrap(n.Input, func(in string) (string, error) {
			return fmt.Sprintf("SELECT * EXCLUDE (rn, rc) FROM (SELECT *, row_number() OVER () AS rn, count(*) OVER () AS rc FROM (%s)) WHERE rn > rc - %d ORDER BY rn", in, n.N), nil
		})
	case *plan.Combine:
		return c.combine(n)
	case *plan.Unique:
		return c.wrap(n.Input, func(in string) (string, error) {
			if n.Keys == nil {
				return "SELECT DISTINCT " + columnsOf(n.Input.Output()) + " FROM (" + in + ")", nil
			}
			if len(n.Keys) == 0 {
				return "SELECT * FROM (" + in + ") LIMIT 1", nil
			}
			return "SELECT DISTINCT ON (" + columnsOf(n.Keys) + ") * FROM (" + in + ")", nil
		})
	case *plan.Unnest:
		return c.unnest(n)
	case *plan.RepartitionNode:
		return c.repartition(n)
	}
	return "", sparkerr.Unsupported("the operator %T", n)
}

// readsAll says whether a node reads all of its input before it gives a row.
func readsAll(n plan.Node) bool {
	switch n := n.(type) {
	case *plan.Group, *plan.SortNode, *plan.Last:
		return true
	case *plan.RepartitionNode:
		return n.Orders != nil
	}
	return false
}

func (c *compiler) wrap(input plan.Node, f func(in string) (string, error)) (string, error) {
	in, err := c.sql(input)
	if err != nil {
		return "", err
	}
	return f(in)
}

func scan(n *plan.Scan) string {
	list := make([]string, len(n.Attrs))
	for i, at := range n.Attrs {
		list[i] = n.Source[i] + " AS " + Column(at.ID)
	}
	return "SELECT " + orNothing(list) + " FROM " + n.SQL
}

func orNothing(list []string) string {
	if len(list) == 0 {
		return "1 AS z"
	}
	return strings.Join(list, ", ")
}

func columnsOf(attrs []plan.Attr) string {
	list := make([]string, len(attrs))
	for i, at := range attrs {
		list[i] = Column(at.ID)
	}
	return orNothing(list)
}

func (c *compiler) named(list []plan.Named) ([]string, error) {
	out := make([]string, len(list))
	for i, e := range list {
		text, err := c.value(e.Value)
		if err != nil {
			return nil, err
		}
		out[i] = text
		if name := Column(e.Attr.ID); text != name {
			out[i] += " AS " + name
		}
	}
	return out, nil
}

func (c *compiler) selectList(n *plan.Select) (string, error) {
	return c.wrap(n.Input, func(in string) (string, error) {
		list, err := c.named(n.Exprs)
		return "SELECT " + orNothing(list) + " FROM (" + in + ")", err
	})
}

func (c *compiler) slice(n *plan.Slice) (string, error) {
	defer func(was bool) { c.limited = was }(c.limited)
	c.limited = c.limited || n.Limit >= 0
	return c.wrap(n.Input, func(in string) (string, error) {
		out := "SELECT * FROM (" + in + ")"
		if n.Limit >= 0 {
			out += fmt.Sprintf(" LIMIT %d", n.Limit)
		}
		if n.Offset > 0 {
			out += fmt.Sprintf(" OFFSET %d", n.Offset)
		}
		return out, nil
	})
}
