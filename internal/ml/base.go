package ml

import (
	"context"
	"fmt"
	"strings"

	"github.com/millpond/millpond/internal/sparkerr"
)

// Base is what every operator embeds: its spec, uid and parameters.
type Base struct {
	spec   *Spec
	uid    string
	params *Params
}

// NewBase makes the common part of an operator. It keeps p, and lets p know the uid.
func NewBase(spec *Spec, uid string, p *Params) Base {
	if p == nil {
		p = NewParams(spec)
	}
	if p.uid != uid || p.spec != spec {
		p = p.For(spec)
		p.uid = uid
	}
	return Base{spec, uid, p}
}

func (b *Base) Spec() *Spec     { return b.spec }
func (b *Base) UID() string     { return b.uid }
func (b *Base) Params() *Params { return b.params }

// With gives a copy of the base with other parameters, for Model.WithParams.
func (b *Base) With(p *Params) Base { return NewBase(b.spec, b.uid, p) }

// ForModel gives the base of the model that an estimator of this base fits: the same uid and
// the estimator's parameters, as Spark copies them.
func (b *Base) ForModel(model *Spec) Base { return NewBase(model, b.uid, b.params) }

// InOut is the pair of column names that one-column transformers have.
func (b *Base) InOut() (in, out string) {
	return b.params.String("inputCol"), b.params.String("outputCol")
}

// AttrTable answers a model's attributes and methods by name.
type AttrTable[T any] map[string]func(ctx context.Context, of T, args []any) (any, error)

// Call answers one attribute; class is the Java class that the error names.
func (t AttrTable[T]) Call(ctx context.Context, of T, class, name string, args []any) (any, error) {
	f, ok := t[name]
	if !ok {
		return nil, NotAllowed(class, name)
	}
	return f(ctx, of, args)
}

// NotAllowed is the error of an attribute that Spark Connect does not serve.
func NotAllowed(class, name string) error {
	return sparkerr.New(sparkerr.ClassSpark, "CONNECT_ML.ATTRIBUTE_NOT_ALLOWED",
		"attribute", name, "className", class)
}

// Getter makes the entry of an AttrTable that only looks at the model.
func Getter[T any](f func(of T) any) func(context.Context, T, []any) (any, error) {
	return func(_ context.Context, of T, _ []any) (any, error) { return f(of), nil }
}

// Arg gives the i-th argument of an attribute call as a T.
func Arg[T any](name string, args []any, i int) (T, error) {
	var zero T
	if i >= len(args) {
		return zero, sparkerr.IllegalArgument("%s wants at least %d arguments, got %d", name, i+1, len(args))
	}
	v, ok := args[i].(T)
	if ok {
		return v, nil
	}
	switch any(zero).(type) { // numbers come in whatever width the client chose
	case float64:
		if f, ok := asFloat(args[i]); ok {
			return any(f).(T), nil
		}
	case int:
		if n, ok := asInt(args[i]); ok {
			return any(int(n)).(T), nil
		}
	}
	return zero, sparkerr.IllegalArgument("%s: argument %d has the wrong type: %T", name, i+1, args[i])
}

// FrameBinder is a Transformer whose output schema may depend on the data, as VectorAssembler's
// does when a vector column has no size in its metadata: Spark then looks at the first row.
// BindFrame is Bind that may read from data.
type FrameBinder interface {
	BindFrame(ctx context.Context, data Frame) (*Transform, error)
}

// SeedDefault is the default of a seed parameter: Java's hash of the class name.
func SeedDefault(class string) int64 {
	var h int32
	for _, c := range []byte(class) { // class names are ASCII
		h = 31*h + int32(c)
	}
	return int64(h)
}

// Text makes the toString entry of an AttrTable: "Class: uid=..., " and what facts gives; a fact
// that is a parameter's name gets its value, another is taken as it is.
func Text[T Operator](facts func(of T) []string) func(context.Context, T, []any) (any, error) {
	return func(_ context.Context, of T, _ []any) (any, error) {
		p := of.Params()
		out := of.Spec().ShortName() + ": uid=" + of.UID()
		for _, f := range facts(of) {
			switch {
			case of.Spec().Param(f) == nil:
				out += ", " + f
			case f == "inputCols" || f == "outputCols":
				if p.IsSet(f) {
					out += fmt.Sprintf(", num%s=%d", strings.ToUpper(f[:1])+f[1:], len(p.Strings(f)))
				}
			default:
				out += ", " + f + "=" + FormatValue(p.Get(f))
			}
		}
		return out, nil
	}
}
