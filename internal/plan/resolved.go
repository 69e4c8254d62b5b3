package plan

import (
	"github.com/apache/arrow-go/v18/arrow"

	"github.com/millpond/millpond/internal/types"
)

// Attr is a column of a resolved node. ID is unique within one analysis and is the column's
// name inside the engine ("c12"); Name is what users see.
type Attr struct {
	ID        int
	Name      string
	Type      types.Type
	Nullable  bool
	Metadata  string
	Qualifier []string
	Twin      int // the column this one is a copy of, 0 for none: a name that means both is not ambiguous
}

// Field gives the attribute as a schema's field.
func (a Attr) Field() types.Field {
	return types.Field{Name: a.Name, Type: a.Type, Nullable: a.Nullable, Metadata: a.Metadata}
}

// SchemaOf gives the schema of a node's output.
func SchemaOf(attrs []Attr) types.Struct {
	s := types.Struct{Fields: make([]types.Field, len(attrs))}
	for i, a := range attrs {
		s.Fields[i] = a.Field()
	}
	return s
}

// Node is a resolved relational operator.
type Node interface {
	// Output lists the columns.
	Output() []Attr
	// Inputs lists the nodes below.
	Inputs() []Node
}

// Order is a resolved ordering.
type Order struct {
	Value            Value
	Desc, NullsFirst bool
}

// Named is a value with the attribute it makes.
type Named struct {
	Attr  Attr
	Value Value
}

// WholeScan names a scan before columns were pruned, so that a copy of the files' rows serves
// every query of them. Key changes with the files.
// LinesMark is what the SQL of Records calls their texts.
const LinesMark = "\x0elines\x0e"

type WholeScan struct {
	Key    string
	Source []string
}

type (
	// Scan reads files. SQL is a DuckDB table expression with columns named as in Source.
	Scan struct {
		SQL     string
		Source  []string // DuckDB expressions, one an attribute
		Attrs   []Attr
		Files   []string
		Format  string
		File    string     // the DuckDB expression of a row's file, "" where nobody knows
		Corrupt string     // the column that holds malformed records, "" for none
		Whole   *WholeScan // nil where the rows are not to be copied
	}
	// Records is a Scan of the texts of a column, which its SQL calls LinesMark: a table of lines and
	// filenames.
	Records struct {
		Scan
		Input Node
		Line  Attr
	}
	// Data is rows in memory: local relations, cached ones, attributes of models.
	Data struct {
		Attrs   []Attr
		Batches []arrow.RecordBatch // columns as Attrs
		Places  []int               // which columns of the batches Attrs are, nil for all
		Label   string              // for explain
	}
	// Lazy is a relation kept in memory once somebody reads it.
	Lazy struct {
		Attrs  []Attr
		Places []int // which of the relation's columns Attrs are, nil for all
		Handle any   // the engine's cache entry
	}
	// Numbers is a range; One is a single row without columns.
	Numbers struct {
		Attr             Attr
		Start, End, Step int64
	}
	One struct{}
	// Rows is an inline table of constants.
	Rows struct {
		Attrs []Attr
		Rows  [][]Value
	}
	// Select computes columns.
	Select struct {
		Input Node
		Exprs []Named
	}
	// Where keeps rows.
	Where struct {
		Input Node
		Cond  Value
	}
	// JoinNode pairs rows.
	JoinNode struct {
		Left, Right Node
		Type        JoinType
		Cond        Value // nil for none
		Attrs       []Attr
		Lateral     bool
		AsOf        bool // only the right row nearest by the one inequality of Cond
	}
	// Group aggregates; Sets are grouping sets as places in Keys, nil for one set of all keys.
	Group struct {
		Input      Node
		Keys, Aggs []Named
		Sets       [][]int
	}
	// SortNode orders rows. Local says that rows stay in their partitions: Orders begins with their
	// numbers if there are several.
	SortNode struct {
		Input  Node
		Orders []Order
		Local  bool
	}
	// RepartitionNode says which of Count partitions each row is in: that which By gives, or by ranges
	// of Orders with equal rows together, or else one after the other. No row moves; where somebody
	// asks for the partitions' numbers, they are the column Out. If Free, Spark would choose another
	// count by the size of the data: few rows are one partition.
	RepartitionNode struct {
		Input  Node
		Count  int
		By     Value
		Orders []Order
		Free   bool
		Stays  bool // rows come as they were read: whole partitions are put together
		Out    *Attr
		Label  string // for explain
	}
	// Slice is limit and offset; Limit < 0 is none.
	Slice struct {
		Input         Node
		Limit, Offset int64
	}
	// Last keeps the last N rows.
	Last struct {
		Input Node
		N     int64
	}
	// Combine is a set operation on inputs of equal width: "union", "intersect", "except".
	Combine struct {
		Left, Right Node
		Op          string
		All         bool
		Attrs       []Attr
	}
	// Unique drops rows that agree in Keys (all columns if nil).
	Unique struct {
		Input Node
		Keys  []Attr
	}
	// Unnest makes a row of each element: Gen's columns are appended.
	Unnest struct {
		Input Node
		List  Value // an array of what becomes the rows: values, or structs of the columns
		Outer bool
		Cols  []Attr // appended columns
		Width int    // fields taken from a struct element; 0 means the element itself
		Pos   bool   // the first of Cols is the position
	}
	// RandomColumns appends columns of Spark's random numbers.
	RandomColumns struct {
		Input Node
		Cols  []Attr
		Rands []*Random
	}
	// Draw is a Bernoulli or Poisson sample with Spark's random numbers.
	Draw struct {
		Input        Node
		Lower, Upper float64
		Replace      bool
		Seed         int64
	}
	// Apply ML: appends the columns of a transformer. Bound is the engine's ml.Transform.
	TransformNode struct {
		Input   Node
		Reads   []Attr
		Adds    []Attr
		Only    []bool // which of the transformer's columns Adds are, nil for all
		Drops   []int  // ids of input columns that Adds replace
		MayDrop bool
		Key     string // same for transformers that answer the same
		Bound   any
	}
	// PythonEval appends the results of Python functions over batches. Whole says that every row
	// of the result will be read.
	PythonEval struct {
		Input Node
		Calls []PythonCall
		Whole bool
	}
	// PythonMap replaces rows by what a function yields (mapInPandas, mapInArrow). With Parts the
	// function is called once for each partition, else for parts as the workers like them.
	PythonMap struct {
		Input Node
		Reads []Attr // the columns that the function sees
		UDF   *PythonUDF
		Attrs []Attr
		Parts *Partitions
		Out   *Attr // the number of the partition that a row was made of, nil if nobody asks
		Whole bool
	}
	// PythonGroups applies a function to each group (and cogroup), or aggregates it.
	PythonGroups struct {
		Input, Other        Node
		Keys, OtherKeys     []Attr // columns of Input, Other; rows come sorted by them
		Values, OtherValues []Attr
		UDF                 *PythonUDF
		Attrs               []Attr
		Calls               []PythonCall // grouped aggregates: keys then results
	}
	// PythonWindow appends the results of Python functions over the windows of partitions. Input comes
	// sorted by the partitions and by the order within them.
	PythonWindow struct {
		Input     Node
		Partition []Attr
		Calls     []WindowCall
	}
)

// Partitions says how the rows of a node, which come in the order of By, are parted: Count
// partitions numbered from 0. If Free, rows of one number stay together, but several numbers may
// make one partition.
type Partitions struct {
	By    Attr
	Count int
	Free  bool
}

// WindowCall is one Python function over a window. A bounded one reads first where a row's frame
// begins and ends among the rows of its partition.
type WindowCall struct {
	PythonCall
	Bounded bool
}

// PythonCall is one Python function, the columns it reads, and the column it makes.
type PythonCall struct {
	UDF  *PythonUDF
	Args []Attr
	Out  Attr
}

// Len is how many numbers there are.
func (n *Numbers) Len() int64 {
	switch {
	case n.Step > 0 && n.Start < n.End:
		return int64((uint64(n.End)-uint64(n.Start)-1)/uint64(n.Step) + 1)
	case n.Step < 0 && n.Start > n.End:
		return int64((uint64(n.Start)-uint64(n.End)-1)/uint64(-n.Step) + 1)
	}
	return 0
}

func attrsOf(n []Named) []Attr {
	out := make([]Attr, len(n))
	for i, e := range n {
		out[i] = e.Attr
	}
	return out
}

func concat(a, b []Attr) []Attr { return append(append(make([]Attr, 0, len(a)+len(b)), a...), b...) }

func (s *Scan) Output() []Attr          { return s.Attrs }
func (d *Data) Output() []Attr          { return d.Attrs }
func (l *Lazy) Output() []Attr          { return l.Attrs }
func (n *Numbers) Output() []Attr       { return []Attr{n.Attr} }
func (*One) Output() []Attr             { return nil }
func (r *Rows) Output() []Attr          { return r.Attrs }
func (s *Select) Output() []Attr        { return attrsOf(s.Exprs) }
func (w *Where) Output() []Attr         { return w.Input.Output() }
func (j *JoinNode) Output() []Attr      { return j.Attrs }
func (g *Group) Output() []Attr         { return concat(attrsOf(g.Keys), attrsOf(g.Aggs)) }
func (s *SortNode) Output() []Attr      { return s.Input.Output() }
func (s *Slice) Output() []Attr         { return s.Input.Output() }
func (l *Last) Output() []Attr          { return l.Input.Output() }
func (c *Combine) Output() []Attr       { return c.Attrs }
func (u *Unique) Output() []Attr        { return u.Input.Output() }
func (u *Unnest) Output() []Attr        { return concat(u.Input.Output(), u.Cols) }
func (r *RandomColumns) Output() []Attr { return concat(r.Input.Output(), r.Cols) }
func (d *Draw) Output() []Attr          { return d.Input.Output() }
func (p *PythonGroups) Output() []Attr  { return p.Attrs }

func (r *RepartitionNode) Output() []Attr { return withOptional(r.Input.Output(), r.Out) }
func (p *PythonMap) Output() []Attr       { return withOptional(p.Attrs, p.Out) }

func withOptional(attrs []Attr, more *Attr) []Attr {
	if more == nil {
		return attrs
	}
	return concat(attrs, []Attr{*more})
}

func (p *PythonEval) Output() []Attr {
	out := concat(p.Input.Output(), nil)
	for _, c := range p.Calls {
		out = append(out, c.Out)
	}
	return out
}

func (p *PythonWindow) Output() []Attr {
	out := concat(p.Input.Output(), nil)
	for _, c := range p.Calls {
		out = append(out, c.Out)
	}
	return out
}

// Output keeps the input's order; a replaced column's place goes to its replacement.
func (t *TransformNode) Output() []Attr {
	var out []Attr
	added := map[string]bool{}
	for _, a := range t.Input.Output() {
		dropped := false
		for _, d := range t.Drops {
			dropped = dropped || d == a.ID
		}
		if !dropped {
			out = append(out, a)
			continue
		}
		for _, n := range t.Adds {
			if n.Name == a.Name {
				out, added[n.Name] = append(out, n), true
			}
		}
	}
	for _, n := range t.Adds {
		if !added[n.Name] {
			out = append(out, n)
		}
	}
	return out
}

func (*Scan) Inputs() []Node              { return nil }
func (r *Records) Inputs() []Node         { return []Node{r.Input} }
func (*Data) Inputs() []Node              { return nil }
func (*Lazy) Inputs() []Node              { return nil }
func (*Numbers) Inputs() []Node           { return nil }
func (*One) Inputs() []Node               { return nil }
func (*Rows) Inputs() []Node              { return nil }
func (s *Select) Inputs() []Node          { return []Node{s.Input} }
func (w *Where) Inputs() []Node           { return []Node{w.Input} }
func (j *JoinNode) Inputs() []Node        { return []Node{j.Left, j.Right} }
func (g *Group) Inputs() []Node           { return []Node{g.Input} }
func (s *SortNode) Inputs() []Node        { return []Node{s.Input} }
func (s *Slice) Inputs() []Node           { return []Node{s.Input} }
func (l *Last) Inputs() []Node            { return []Node{l.Input} }
func (c *Combine) Inputs() []Node         { return []Node{c.Left, c.Right} }
func (u *Unique) Inputs() []Node          { return []Node{u.Input} }
func (u *Unnest) Inputs() []Node          { return []Node{u.Input} }
func (r *RandomColumns) Inputs() []Node   { return []Node{r.Input} }
func (d *Draw) Inputs() []Node            { return []Node{d.Input} }
func (t *TransformNode) Inputs() []Node   { return []Node{t.Input} }
func (p *PythonEval) Inputs() []Node      { return []Node{p.Input} }
func (p *PythonMap) Inputs() []Node       { return []Node{p.Input} }
func (p *PythonWindow) Inputs() []Node    { return []Node{p.Input} }
func (r *RepartitionNode) Inputs() []Node { return []Node{r.Input} }
func (p *PythonGroups) Inputs() []Node {
	if p.Other != nil {
		return []Node{p.Input, p.Other}
	}
	return []Node{p.Input}
}
