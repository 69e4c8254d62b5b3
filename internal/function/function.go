// Package function is the table of SQL functions: a name and resolved arguments come in, a typed
// call with its DuckDB text comes out, or Spark's error for a wrong call. One row is one
// function; adding one means adding a row to the file of its family and a case to its test.
// It never looks at data or relations.
package function

import (
	"fmt"
	"sort"
	"strconv"
	"strings"

	"github.com/millpond/millpond/internal/plan"
	"github.com/millpond/millpond/internal/sparkerr"
	"github.com/millpond/millpond/internal/types"
)

// Kind says where a function may stand.
type Kind int

const (
	Scalar    Kind = iota
	Aggregate      // also usable over a window
	Window         // only over a window
	Generator      // makes rows
)

// Arg is an argument as an emission sees it.
type Arg struct {
	SQL      string
	Type     types.Type
	Nullable bool
	Const    *plan.Literal // nil if not a literal
	Parsed   types.Type    // the call's result type
}

type nullRule int

const (
	nullIfAny nullRule = iota // null if an argument is
	neverNull
	maybeNull
	nullIfAll      // null if all arguments are
	nullOfFirst    // null if the first argument is
	nullOfList     // null if an argument is, or may hold a null
	nullOfElements // null if the argument is, or an element of it may be
	nullOfPlace    // null if an argument is, or the place may be outside or hold a null
	nullOfTest     // null if the argument is, or the lambda's answer may be
	nullOfValues   // of a conditional: null if a value it may choose is, or nothing may be chosen
)

// Row is one function. Args is a signature: a letter an argument, "?" after the first optional
// one, "*" for the last repeated: a any, n numeric, d double, i int, l bigint, I integral,
// s string, b boolean, t timestamp, D date, x date or timestamp, B binary, A array, M map,
// c common type of all c, f lambda.
type Row struct {
	Name, Aliases string
	Kind          Kind
	Args          string
	Result        func(args []plan.Value) (types.Type, error)
	Null          nullRule
	SQL           string               // template: {0}, {1}, {*} all, {1*} from the second on
	Build         func(a []Arg) string // where a template does not do
	Coerce        func(args []plan.Value) ([]plan.Value, error)
	// Lambda says what the parameters of the lambda that follows these arguments are; nil for an
	// array's element and its place.
	Lambda func(before []plan.Value) (LambdaShape, error)
}

// LambdaShape is a lambda as DuckDB is to see it. In the texts $ stands for a name of its own.
type LambdaShape struct {
	Params []string // between "lambda" and the colon
	Vars   []LambdaVar
	Result types.Type // what the body is cast to, nil for its own type
	Wrap   string     // SQL around the body, which {} stands for
}

// LambdaVar is a parameter as Spark counts them.
type LambdaVar struct {
	SQL  string
	Type types.Type
	Null bool
}

// Table finds functions by name.
type Table struct{ rows map[string]*Row }

// families are the rows, one list a file.
func families() [][]Row {
	return [][]Row{operators(), conditionals(), mathematics(), strings_(), datetimes(), collections(),
		aggregates(), moreAggregates(), windows(), generators(), miscellany(), lambdas(), maps(), jsons(), hashes(), moreStrings(), moreTimes(), tries(), vectors(), pandas(), vectorColumns()}
}

// Default is the table of all functions.
func Default() *Table {
	t := &Table{rows: map[string]*Row{}}
	for _, family := range families() {
		for i := range family {
			r := &family[i]
			for _, n := range append(strings.Fields(r.Aliases), r.Name) {
				t.rows[n] = r
			}
		}
	}
	return t
}

// Lookup finds a row by name, whatever its case.
func (t *Table) Lookup(name string) (*Row, bool) {
	r, ok := t.rows[strings.ToLower(name)]
	return r, ok
}

// Names lists every name, sorted.
func (t *Table) Names() []string {
	out := make([]string, 0, len(t.rows))
	for n := range t.rows {
		out = append(out, n)
	}
	sort.Strings(out)
	return out
}

// Resolve makes the typed call of a function by name.
func (t *Table) Resolve(name string, args []plan.Value) (*plan.Apply, *Row, error) {
	r, ok := t.Lookup(name)
	if !ok {
		return nil, nil, Unknown(name)
	}
	a, err := r.Apply(args)
	return a, r, err
}

// Unknown is the error for a name that is no row: Spark may have the function all the same.
func Unknown(name string) error {
	if unsupported(name) {
		return sparkerr.Unsupported("the function %s", strings.ToLower(name))
	}
	return sparkerr.Analysis("UNRESOLVED_ROUTINE", "routineName", types.Quote(name),
		"searchPath", "[`system`.`builtin`, `system`.`session`, `spark_catalog`.`default`]")
}

// Apply coerces the arguments and makes the call.
func (r *Row) Apply(args []plan.Value) (*plan.Apply, error) {
	var err error
	if r.Coerce != nil {
		args, err = r.Coerce(args)
	} else {
		args, err = coerceArgs(r, args)
	}
	if err != nil {
		return nil, err
	}
	out, err := r.Result(args)
	if err != nil {
		return nil, err
	}
	shapes := make([]Arg, len(args))
	null := r.Null == maybeNull
	for i, a := range args {
		shapes[i] = Arg{Type: a.Type(), Nullable: a.Nullable(), Parsed: out}
		if c, ok := Constant(a); ok {
			shapes[i].Const = &c
		}
		if r.Null == nullIfAny && a.Nullable() {
			null = true
		}
	}
	switch {
	case r.Null >= nullOfFirst && r.Null <= nullOfTest:
		null = collectionNull(r, args)
	case r.Null == nullIfAll:
		null = len(args) > 0
		for _, a := range args {
			null = null && a.Nullable()
		}
	case r.Null == nullOfValues:
		null = r.Name == "when" && len(args)%2 == 0
		for i, a := range args {
			chosen := i > 0 && (r.Name != "when" || i%2 == 1 || i == len(args)-1)
			null = null || chosen && a.Nullable()
		}
	case r.Kind == Aggregate && r.Null == nullIfAny:
		null = true
	}
	return &plan.Apply{Func: r.Name, Args: args, Out: out, Null: null, Aggregate: r.Kind == Aggregate,
		SQL: r.emitter(shapes)}, nil
}

// collectionNull is the null rule of functions over arrays and maps.
func collectionNull(r *Row, args []plan.Value) bool {
	null, rule := args[0].Nullable(), r.Null
	switch rule {
	case nullOfFirst:
		return null
	case nullOfTest:
		return null || args[1].Nullable()
	}
	holds := false
	for _, a := range args {
		null = null || a.Nullable()
		l, list := a.Type().(types.Array)
		holds = holds || list && l.ContainsNull
	}
	if rule != nullOfPlace {
		return null || holds
	}
	// A literal place in an array that is spelled out is known to be there.
	c, fixed := args[1].(plan.Const)
	list, spelled := args[0].(*plan.Apply)
	if !fixed || !spelled || list.Func != "array" {
		return true
	}
	n, ok := c.Literal.Value.(int32)
	if r.Name == "get" && n >= 0 { // counts from zero
		n++
	} else if r.Name == "get" {
		return true
	}
	if !ok || int(n) > len(list.Args) || -int(n) > len(list.Args) {
		return true
	}
	return null || holds
}

func (r *Row) emitter(shapes []Arg) func([]string) string {
	return func(text []string) string {
		a := make([]Arg, len(shapes))
		copy(a, shapes)
		for i := range a {
			a[i].SQL = text[i]
		}
		if r.Build != nil {
			return r.Build(a)
		}
		return fill(r.SQL, a)
	}
}

// Constant unwraps a literal, through the casts that coercion put around it.
func Constant(v plan.Value) (plan.Literal, bool) {
	switch v := v.(type) {
	case plan.Const:
		return v.Literal, true
	case *plan.Convert:
		return Constant(v.Child)
	}
	return plan.Literal{}, false
}

func fill(template string, a []Arg) string {
	var b strings.Builder
	for i := 0; i < len(template); i++ {
		if template[i] != '{' {
			b.WriteByte(template[i])
			continue
		}
		end := strings.IndexByte(template[i:], '}')
		key := template[i+1 : i+end]
		i += end
		if strings.HasSuffix(key, "*") {
			from, _ := strconv.Atoi(strings.TrimSuffix(key, "*"))
			b.WriteString(joinSQL(a[min(from, len(a)):]))
			continue
		}
		if n, err := strconv.Atoi(key); err == nil && n < len(a) {
			b.WriteString(a[n].SQL)
		}
	}
	return b.String()
}

func joinSQL(a []Arg) string {
	parts := make([]string, len(a))
	for i, x := range a {
		parts[i] = x.SQL
	}
	return strings.Join(parts, ", ")
}

// Result-type rules.

func is(t types.Type) func([]plan.Value) (types.Type, error) {
	return func([]plan.Value) (types.Type, error) { return t, nil }
}

func same(i int) func([]plan.Value) (types.Type, error) {
	return func(a []plan.Value) (types.Type, error) {
		if i >= len(a) {
			return types.Null, nil
		}
		return a[i].Type(), nil
	}
}

func listOf(i int) func([]plan.Value) (types.Type, error) {
	return func(a []plan.Value) (types.Type, error) {
		if i >= len(a) {
			return types.Array{Elem: types.Null}, nil
		}
		null := false
		for _, x := range a[i:] {
			null = null || x.Nullable()
		}
		return types.Array{Elem: a[i].Type(), ContainsNull: null}, nil
	}
}

func listOfNoNull(i int) func([]plan.Value) (types.Type, error) {
	return func(a []plan.Value) (types.Type, error) { return types.Array{Elem: a[i].Type()}, nil }
}

func elem(i int) func([]plan.Value) (types.Type, error) {
	return func(a []plan.Value) (types.Type, error) {
		if l, ok := a[i].Type().(types.Array); ok {
			return l.Elem, nil
		}
		return types.Null, nil
	}
}

func wrongType(name string, i int, v plan.Value, want string) error {
	ordinal := [...]string{"first", "second", "third", "fourth", "fifth"}
	place := fmt.Sprintf("%dth", i+1)
	if i < len(ordinal) {
		place = ordinal[i]
	}
	return sparkerr.New(sparkerr.ClassExtendedAnalysis, "DATATYPE_MISMATCH.UNEXPECTED_INPUT_TYPE",
		"sqlExpr", `"`+name+`"`, "paramIndex", place, "inputSql", `"`+Describe(v)+`"`,
		"inputType", `"`+v.Type().SQL()+`"`, "requiredType", want)
}

// Describe names a value in messages: a column by its name, a constant by its text.
func Describe(v plan.Value) string {
	switch v := v.(type) {
	case plan.Col:
		return v.Attr.Name
	case plan.Const:
		return LiteralText(v.Literal)
	case *plan.Convert:
		return Describe(v.Child)
	case *plan.Apply:
		parts := make([]string, len(v.Args))
		for i, a := range v.Args {
			parts[i] = Describe(a)
		}
		if len(parts) == 2 && !isWordName(v.Func) {
			return "(" + parts[0] + " " + v.Func + " " + parts[1] + ")"
		}
		return v.Func + "(" + strings.Join(parts, ", ") + ")"
	}
	return "expression"
}

func isWordName(s string) bool { return s != "" && (s[0] >= 'a' && s[0] <= 'z' || s[0] == '_') }
