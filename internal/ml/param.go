package ml

import (
	"fmt"
	"maps"
	"math"
	"slices"
	"strings"

	"github.com/millpond/millpond/internal/sparkerr"
)

// ParamType is the declared type of a parameter; wire values are coerced to its Go form.
type ParamType int

const (
	ParamBool         ParamType = iota // bool
	ParamInt                           // int
	ParamLong                          // int64
	ParamFloat                         // float64 (a Float in Spark)
	ParamDouble                        // float64
	ParamString                        // string
	ParamStringArray                   // []string
	ParamDoubleArray                   // []float64
	ParamIntArray                      // []int
	ParamDoubleArray2                  // [][]float64
	ParamVector                        // Vector
	ParamMatrix                        // Matrix
)

// Param is one row of a Spec's table.
type Param struct {
	Name, Doc string
	Type      ParamType
	Default   any              // in the Go form of Type, or a UIDDefault; nil if the parameter has no default
	Check     func(v any) bool // nil if every value is valid
}

// Spec describes an operator: one value per estimator, transformer, evaluator or model.
type Spec struct {
	Class  string // Spark's Java class name
	Kind   Kind
	Params []Param
	New    func(uid string, p *Params) Operator // nil for models, which only Fit and Load make
	// Load reads what Save wrote; nil if the operator is its parameters alone (then New does).
	Load func(dir string, meta Metadata) (Operator, error)
}

// Param finds a row of the table by name, or nil.
func (s *Spec) Param(name string) *Param {
	for i := range s.Params {
		if s.Params[i].Name == name {
			return &s.Params[i]
		}
	}
	return nil
}

// ShortName is the class name without its package.
func (s *Spec) ShortName() string { return s.Class[strings.LastIndexByte(s.Class, '.')+1:] }

var registry = map[string]*Spec{}

// Register enters a Spec in the registry; used as `var _ = ml.Register(...)` in the operator's
// file. It panics on a second Spec of the same class, which is a mistake in the program.
func Register(s *Spec) *Spec {
	if _, twice := registry[s.Class]; twice {
		panic("ml: " + s.Class + " is registered twice")
	}
	registry[s.Class] = s
	return s
}

// Lookup finds the Spec of a Java class name.
func Lookup(class string) (*Spec, error) {
	if s, ok := registry[class]; ok {
		return s, nil
	}
	return nil, sparkerr.New(sparkerr.ClassSpark, "CONNECT_ML.UNSUPPORTED_EXCEPTION", "message",
		class[strings.LastIndexByte(class, '.')+1:]+" is not supported by Millpond yet ("+class+")")
}

// Specs lists the registry by class name.
func Specs() []*Spec {
	return slices.SortedFunc(maps.Values(registry), func(a, b *Spec) int { return strings.Compare(a.Class, b.Class) })
}

// UIDDefault is a default that is the operator's uid with this suffix, as Spark's outputCol is
// the uid with "__output".
type UIDDefault string

// OutputSuffix is the default of every outputCol.
const OutputSuffix UIDDefault = "__output"

// Params holds the explicitly set values of an operator over its Spec's defaults.
type Params struct {
	spec     *Spec
	uid      string // for defaults made of it; NewBase fills it in
	set      map[string]any
	defaults map[string]any // of a saved operator, where they are not the Spec's
}

// NewParams makes an empty set of values for a spec.
func NewParams(s *Spec) *Params {
	return &Params{spec: s, set: map[string]any{}, defaults: map[string]any{}}
}

// Set coerces v (a Value) to the declared type, checks it, and keeps it.
func (p *Params) Set(uid, name string, v any) error {
	c, err := p.checked(uid, name, v)
	if err != nil {
		return err
	}
	p.set[name] = c
	return nil
}

// SetDefault is Set for the value that holds while none is set.
func (p *Params) SetDefault(uid, name string, v any) error {
	c, err := p.checked(uid, name, v)
	if err != nil {
		return err
	}
	p.defaults[name] = c
	return nil
}

func (p *Params) checked(uid, name string, v any) (any, error) {
	d := p.spec.Param(name)
	if d == nil {
		return nil, sparkerr.Plain(sparkerr.ClassNoSuchElement, "Param %s does not exist.", name)
	}
	c, ok := coerce(d.Type, v)
	if !ok {
		return nil, sparkerr.IllegalArgument("%s parameter %s given invalid value %v.", uid, name, v)
	}
	if d.Check != nil && !d.Check(c) {
		return nil, sparkerr.IllegalArgument("%s parameter %s given invalid value %s.", uid, name, FormatValue(c))
	}
	return c, nil
}

// Copy gives an independent copy.
func (p *Params) Copy() *Params {
	return &Params{spec: p.spec, uid: p.uid, set: maps.Clone(p.set), defaults: maps.Clone(p.defaults)}
}

// For gives the values that spec also knows, under spec: an estimator's for its model.
func (p *Params) For(spec *Spec) *Params {
	out := NewParams(spec)
	out.uid = p.uid
	for _, of := range []struct{ from, to map[string]any }{{p.set, out.set}, {p.defaults, out.defaults}} {
		for k, v := range of.from {
			if spec.Param(k) != nil {
				of.to[k] = v
			}
		}
	}
	return out
}

// Spec gives the table that p is over.
func (p *Params) Spec() *Spec { return p.spec }

// IsSet says whether a value was set explicitly.
func (p *Params) IsSet(name string) bool { _, ok := p.set[name]; return ok }

// IsDefined says whether there is a value or a default.
func (p *Params) IsDefined(name string) bool {
	return p.IsSet(name) || p.Default(name) != nil
}

// Explicit gives the explicitly set values; the map is a copy.
func (p *Params) Explicit() map[string]any { return maps.Clone(p.set) }

// All gives every value that is set or has a default, in the Go form of its type.
func (p *Params) All() map[string]any {
	out := map[string]any{}
	for _, d := range p.spec.Params {
		if v := p.Get(d.Name); v != nil {
			out[d.Name] = v
		}
	}
	return out
}

// Get gives the value or the default, nil if there is neither.
func (p *Params) Get(name string) any {
	if v, ok := p.set[name]; ok {
		return v
	}
	return p.Default(name)
}

// Default gives the value that holds while none is set, nil if there is none.
func (p *Params) Default(name string) any {
	if v, ok := p.defaults[name]; ok {
		return v
	}
	if d := p.spec.Param(name); d != nil {
		if suffix, ok := d.Default.(UIDDefault); ok {
			return p.uid + string(suffix)
		}
		return d.Default
	}
	return nil
}

// Vector gives a parameter of type ParamVector, and whether it has a value.
func (p *Params) Vector(name string) (Vector, bool) { v, ok := p.Get(name).(Vector); return v, ok }

// Matrix gives a parameter of type ParamMatrix, and whether it has a value.
func (p *Params) Matrix(name string) (Matrix, bool) { v, ok := p.Get(name).(Matrix); return v, ok }

// Doubles2 gives a parameter of type ParamDoubleArray2.
func (p *Params) Doubles2(name string) [][]float64 { v, _ := p.Get(name).([][]float64); return v }

// The typed getters give the zero value for a parameter that has neither value nor default.

func (p *Params) Bool(name string) bool         { v, _ := p.Get(name).(bool); return v }
func (p *Params) Int(name string) int           { v, _ := p.Get(name).(int); return v }
func (p *Params) Long(name string) int64        { v, _ := p.Get(name).(int64); return v }
func (p *Params) Double(name string) float64    { v, _ := p.Get(name).(float64); return v }
func (p *Params) String(name string) string     { v, _ := p.Get(name).(string); return v }
func (p *Params) Strings(name string) []string  { v, _ := p.Get(name).([]string); return v }
func (p *Params) Doubles(name string) []float64 { v, _ := p.Get(name).([]float64); return v }
func (p *Params) Ints(name string) []int        { v, _ := p.Get(name).([]int); return v }

func coerce(t ParamType, v any) (any, bool) {
	switch t {
	case ParamBool:
		b, ok := v.(bool)
		return b, ok
	case ParamInt:
		n, ok := asInt(v)
		return int(n), ok && n >= math.MinInt32 && n <= math.MaxInt32
	case ParamLong:
		n, ok := asInt(v)
		return n, ok
	case ParamFloat, ParamDouble:
		f, ok := asFloat(v)
		return f, ok
	case ParamString:
		s, ok := v.(string)
		return s, ok
	case ParamStringArray:
		return coerceSlice(v, func(x any) (string, bool) { s, ok := x.(string); return s, ok })
	case ParamDoubleArray:
		return coerceSlice(v, asFloat)
	case ParamIntArray:
		return coerceSlice(v, func(x any) (int, bool) { n, ok := asInt(x); return int(n), ok })
	case ParamDoubleArray2:
		return coerceSlice(v, func(x any) ([]float64, bool) {
			s, ok := coerceSlice(x, asFloat)
			f, _ := s.([]float64)
			return f, ok
		})
	case ParamVector:
		x, ok := v.(Vector)
		return x, ok
	case ParamMatrix:
		x, ok := v.(Matrix)
		return x, ok
	}
	return nil, false
}

func asInt(v any) (int64, bool) {
	switch v := v.(type) {
	case int:
		return int64(v), true
	case int32:
		return int64(v), true
	case int64:
		return v, true
	}
	return 0, false
}

func asFloat(v any) (float64, bool) {
	switch v := v.(type) {
	case float64:
		return v, true
	case float32:
		return float64(v), true
	}
	n, ok := asInt(v)
	return float64(n), ok
}

// coerceSlice turns a slice of any of the forms a literal array decodes to into []T.
func coerceSlice[T any](v any, each func(any) (T, bool)) (any, bool) {
	var in []any
	switch v := v.(type) {
	case []T:
		return v, true
	case []any:
		in = v
	case []string:
		in = toAny(v)
	case []float64:
		in = toAny(v)
	case []int32:
		in = toAny(v)
	case [][]float64:
		in = toAny(v)
	default:
		return nil, false
	}
	out := make([]T, len(in))
	for i, x := range in {
		y, ok := each(x)
		if !ok {
			return nil, false
		}
		out[i] = y
	}
	return out, true
}

func toAny[T any](v []T) []any {
	out := make([]any, len(v))
	for i, x := range v {
		out[i] = x
	}
	return out
}

// FormatValue prints a parameter's value as Scala's toString would in Spark's messages.
func FormatValue(v any) string {
	switch v := v.(type) {
	case float64:
		return FormatDouble(v)
	case []string:
		return "[" + strings.Join(v, ",") + "]"
	case []float64:
		return "[" + joinValues(v) + "]"
	case []int:
		return "[" + joinValues(v) + "]"
	case [][]float64:
		return "[" + joinValues(v) + "]"
	}
	return fmt.Sprint(v)
}

func joinValues[T any](v []T) string {
	parts := make([]string, len(v))
	for i, x := range v {
		parts[i] = FormatValue(x)
	}
	return strings.Join(parts, ",")
}
