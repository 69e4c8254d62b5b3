package plan

import "github.com/millpond/millpond/internal/types"

// Value is a resolved expression.
type Value interface {
	Type() types.Type
	Nullable() bool
}

type (
	// Const is a literal.
	Const struct{ Literal Literal }
	// Col is a column of the input.
	Col struct{ Attr Attr }
	// Apply is a call of a function of the table; SQL makes its DuckDB text of its arguments'.
	Apply struct {
		Origin
		Func      string // canonical name
		Args      []Value
		Out       types.Type
		Null      bool
		SQL       func(args []string) string
		Aggregate bool
		Distinct  bool
		Filter    Value
		Order     []Order // of an ordered aggregate
	}
	// Convert is a cast, explicit or by coercion. Mode is "ansi", "try", "literal": of a literal that
	// was found to be good, or "show": to a text for a table that is shown.
	Convert struct {
		Origin
		Child Value
		To    types.Type
		Mode  string
	}
	// Over is a window expression. Func is an Apply, or a Python that the analyzer moves into a
	// PythonWindow.
	Over struct {
		Func      Value
		Partition []Value
		Order     []Order
		Frame     string // DuckDB frame clause, "" for the default
		Null      bool
	}
	// LambdaFn is a lambda with its variables' SQL names.
	LambdaFn struct {
		Vars []*LambdaRef
		Body Value
		Wrap string // SQL around the body, which {} stands for; "" for none
	}
	// LambdaRef is a use of a lambda variable.
	LambdaRef struct {
		Name string
		T    types.Type
		Null bool
	}
	// SubqueryValue is a scalar, exists or in subquery.
	SubqueryValue struct {
		Origin
		Kind   string
		Query  Node
		Values []Value
		T      types.Type
	}
	// Python is a Python function call; the analyzer moves it into a PythonEval.
	Python struct {
		UDF  *PythonUDF
		Args []Value
	}
	// RowID is the place of a row, from 0; the analyzer moves it into a window below.
	RowID struct{}
	// PartitionID is the number of the partition that a row is in; the analyzer finds its column.
	PartitionID struct{}
	// Random is rand(seed) or randn(seed); the analyzer moves it into a RandomColumns.
	Random struct {
		Normal bool
		Seed   int64
	}
)

func (c Const) Type() types.Type    { return c.Literal.Type }
func (c Const) Nullable() bool      { return c.Literal.Value == nil }
func (c Col) Type() types.Type      { return c.Attr.Type }
func (c Col) Nullable() bool        { return c.Attr.Nullable }
func (a *Apply) Type() types.Type   { return a.Out }
func (a *Apply) Nullable() bool     { return a.Null }
func (c *Convert) Type() types.Type { return c.To }

// Nullable as Spark declares it: a cast that may not succeed is nullable, even where that is an error.
func (c *Convert) Nullable() bool {
	if c.Mode == "literal" {
		return false
	}
	return c.Mode == "try" || c.Child.Nullable() || mayFail(c.Child.Type(), c.To)
}

func mayFail(from, to types.Type) bool {
	d, toDecimal := to.(types.Decimal)
	_, fromDecimal := from.(types.Decimal)
	switch {
	case from == types.Null || types.Equal(from, to) || types.IsString(to) || types.IsString(from) && to == types.Binary:
		return false
	case types.IsString(from):
		return true
	case types.IsDatetime(from) && types.IsDatetime(to):
		return false
	case to == types.Date || from == types.Date || types.IsFractional(from) && to == types.Timestamp:
		return true
	case toDecimal:
		f, ok := types.AsDecimal(from)
		whole := d.Precision - d.Scale - (f.Precision - f.Scale)
		return !ok || whole < 0 || whole == 0 && f.Scale > d.Scale
	}
	return (types.IsFractional(from) || fromDecimal) && types.IsIntegral(to)
}

func (o *Over) Type() types.Type          { return o.Func.Type() }
func (o *Over) Nullable() bool            { return o.Null }
func (l *LambdaFn) Type() types.Type      { return l.Body.Type() }
func (l *LambdaFn) Nullable() bool        { return l.Body.Nullable() }
func (l *LambdaRef) Type() types.Type     { return l.T }
func (l *LambdaRef) Nullable() bool       { return l.Null }
func (s *SubqueryValue) Type() types.Type { return s.T }
func (s *SubqueryValue) Nullable() bool   { return s.Kind != "exists" }
func (p *Python) Type() types.Type        { return p.UDF.Type }
func (p *Python) Nullable() bool          { return true }
func (RowID) Type() types.Type            { return types.Long }
func (RowID) Nullable() bool              { return false }
func (PartitionID) Type() types.Type      { return types.Int }
func (PartitionID) Nullable() bool        { return false }
func (r *Random) Type() types.Type        { return types.Double }
func (r *Random) Nullable() bool          { return false }
