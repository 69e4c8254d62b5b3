package plan

import (
	"github.com/millpond/millpond/internal/sparkerr"
	"github.com/millpond/millpond/internal/types"
)

// Expr is an unresolved expression.
type Expr interface{ expr() }

// Origin is where in the user's query an expression or table stands, for errors.
type Origin struct{ Where *sparkerr.Context }

func (o *Origin) origin() *Origin { return o }

// Place tells an expression or relation where it stands, unless it knows.
func Place(e any, c *sparkerr.Context) {
	if p, ok := e.(interface{ origin() *Origin }); ok && p.origin().Where == nil {
		p.origin().Where = c
	}
}

// WhereOf tells where an expression or relation stands, nil if nobody knows.
func WhereOf(e any) *sparkerr.Context {
	if p, ok := e.(interface{ origin() *Origin }); ok {
		return p.origin().Where
	}
	return nil
}

type (
	// Literal is a constant. Value is nil, bool, int8..int64, float32, float64, string, []byte,
	// *big.Int scaled by the type (Decimal), types-shaped []any for arrays and structs, MapValue;
	// days for Date, microseconds for timestamps and day-time intervals, months for year-month ones.
	Literal struct {
		Value any
		Type  types.Type
	}
	// Attribute is a column by name, perhaps of the relation with PlanID.
	Attribute struct {
		Origin
		Parts     []string
		PlanID    int64
		HasPlanID bool
	}
	// Star is *, t.* or df["*"].
	Star struct {
		Target    []string
		PlanID    int64
		HasPlanID bool
		Except    []string
	}
	// Regex is a column pattern.
	Regex struct {
		Pattern   string
		PlanID    int64
		HasPlanID bool
	}
	// Function is a call by name.
	Function struct {
		Origin
		Name        string
		Args        []Expr
		Distinct    bool
		Filter      Expr // FILTER (WHERE ...)
		IgnoreNulls bool
		Order       []SortOrder // WITHIN GROUP (ORDER BY ...)
	}
	// Text is SQL text of an expression.
	Text struct{ SQL string }
	// AliasExpr names an expression (or several columns of a generator).
	AliasExpr struct {
		Expr     Expr
		Names    []string
		Metadata string
	}
	// Cast converts; Mode is "", "try", "ansi" or "legacy". Type or TypeText is set.
	Cast struct {
		Origin
		Expr     Expr
		Type     types.Type
		TypeText string
		Mode     string
	}
	// SortOrder is an ordering; nulls are first when NullsFirst.
	SortOrder struct {
		Expr             Expr
		Desc, NullsFirst bool
	}
	// Lambda is x -> body.
	Lambda struct {
		Params []string
		Body   Expr
	}
	// LambdaVar is a use of a lambda's parameter.
	LambdaVar struct{ Name string }
	// Window is a function OVER a window.
	Window struct {
		Func      Expr
		Partition []Expr
		Order     []SortOrder
		Frame     *Frame
		Name      string // a window named by the WINDOW clause
	}
	// Extract is struct.field, array[i], map[key].
	Extract struct {
		Origin
		Child, Key Expr
	}
	// UpdateFields is withField (Value set) or dropFields (nil).
	UpdateFields struct {
		Struct Expr
		Field  string
		Value  Expr
	}
	// PythonUDF is a Python function; Command is the client's pickle, passed through untouched.
	PythonUDF struct {
		Name          string
		Args          []Expr
		Names         []string // of keyword arguments, "" for positional ones
		Type          types.Type
		EvalType      int
		Command       []byte
		PythonVer     string
		Deterministic bool
		Distinct      bool
		Includes      []string
	}
	// Subquery is "scalar", "exists" or "in".
	Subquery struct {
		Origin
		Kind   string
		Query  Relation
		PlanID int64
		Values []Expr
	}
	// SQLFunction is a function that CREATE FUNCTION made of an expression.
	SQLFunction struct {
		Name    string
		Params  []FunctionParam
		Returns types.Type // nil for the body's own
		Body    Expr
	}
	// FunctionParam is one of its parameters; Default is nil where an argument is needed.
	FunctionParam struct {
		Name    string
		Type    types.Type
		Default Expr
	}
	// NamedArg is key => value.
	NamedArg struct {
		Key   string
		Value Expr
	}
	// Param is :name or ? of a SQL query, before its argument replaces it.
	Param struct {
		Name string
		Pos  int
	}
)

// Frame is a window's frame. Bound offsets are literals; nil Offset with Unbounded false is the
// current row. A negative offset precedes.
type Frame struct {
	Rows         bool
	Lower, Upper Bound
}

// Bound is one end of a Frame.
type Bound struct {
	Unbounded bool
	Offset    Expr
}

// MapValue is a map literal's value.
type MapValue struct{ Keys, Values []any }

func (Literal) expr()       {}
func (*Attribute) expr()    {}
func (*Star) expr()         {}
func (*Regex) expr()        {}
func (*Function) expr()     {}
func (*Text) expr()         {}
func (AliasExpr) expr()     {}
func (*Cast) expr()         {}
func (SortOrder) expr()     {}
func (*Lambda) expr()       {}
func (*LambdaVar) expr()    {}
func (*Window) expr()       {}
func (*Extract) expr()      {}
func (*UpdateFields) expr() {}
func (*PythonUDF) expr()    {}
func (*Subquery) expr()     {}
func (*NamedArg) expr()     {}
func (*Param) expr()        {}

// Call makes a function call.
func Call(name string, args ...Expr) *Function { return &Function{Name: name, Args: args} }

// Name makes an attribute of one part, taken as it is.
func Name(name string) *Attribute { return &Attribute{Parts: []string{name}} }

// IntLit, StringLit, BoolLit, DoubleLit and NullLit make literals.
func IntLit(v int32) Literal      { return Literal{v, types.Int} }
func LongLit(v int64) Literal     { return Literal{v, types.Long} }
func StringLit(v string) Literal  { return Literal{v, types.String} }
func BoolLit(v bool) Literal      { return Literal{v, types.Boolean} }
func DoubleLit(v float64) Literal { return Literal{v, types.Double} }
func NullLit() Literal            { return Literal{nil, types.Null} }
