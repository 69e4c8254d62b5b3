// Package native holds the functions that DuckDB's SQL cannot say: Java's datetime patterns and
// regular expressions, Spark's hashes, number formats and paths, and aggregates that gather vectors,
// bitmaps and histograms. A row's arguments come in, its result or Spark's error goes out. It knows no
// database; execute makes the tables callable.
package native

// Kind is how a value is stored.
type Kind int

const (
	Text Kind = iota
	Bytes
	Bool
	Int
	Long
	Double
	Texts   // a list of texts
	Doubles // a list of doubles
	Vector  // a machine-learning vector
)

// Value is one argument or result; the field of its kind holds it: S for texts and bytes, I for
// booleans and integers, F for doubles, L for lists of texts, D for lists of doubles. A vector's
// values are D; if it is sparse, their places are At and its size is I. What D and At point to is
// the engine's memory: nobody keeps or changes it.
type Value struct {
	Null bool
	S    string
	I    int64
	F    float64
	L    []Value
	D    []float64
	At   []int32 // nil for a dense vector
}

// Func is one function. SeesNull functions are called for null arguments too, others are null
// then. The last kind of a Variadic function's arguments repeats.
type Func struct {
	Name     string
	Args     []Kind
	Variadic bool
	Result   Kind
	SeesNull bool
	Call     func(a []Value) (Value, error)
}

// These make values.
func null() Value      { return Value{Null: true} }
func s(v string) Value { return Value{S: v} }
func i(v int64) Value  { return Value{I: v} }
func b(v bool) Value {
	if v {
		return Value{I: 1}
	}
	return Value{}
}

func texts(items []string) Value {
	out := Value{L: make([]Value, len(items))}
	for k, x := range items {
		out.L[k] = s(x)
	}
	return out
}

// Table lists every function.
func Table() []Func {
	var out []Func
	for _, family := range [][]Func{hashes(), datetimes(), intervals(), numbers(), decimals(), strings_(), patterns(), urls(), ciphers(), paths(), samples()} {
		out = append(out, family...)
	}
	return out
}
