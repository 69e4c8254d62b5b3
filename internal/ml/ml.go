// Package ml is the frame that Spark ML's algorithms are hung in: a Spec tells what an operator
// is called, what parameters it has and how to make it; a registry finds it by its Spark class
// name; Frame is the data it sees. Algorithms live one to a file in the packages below; numbers
// are made in kernel/. It never sees a plan, a protocol or a database.
package ml

import (
	"context"
	"iter"
	"slices"

	"github.com/apache/arrow-go/v18/arrow"

	"github.com/millpond/millpond/internal/types"
)

// Frame is a table that can be read again and again: columns of Arrow record batches whose
// schema is types.SchemaToArrow(Schema(), "UTC"). Batches live in Go memory and may be kept.
// Vectors lie as types.Vector says; see VectorView.
type Frame interface {
	Schema() types.Struct
	// Select narrows the frame to the named columns, in that order. A missing column is
	// Spark's UNRESOLVED_COLUMN error when the frame is read.
	Select(names ...string) Frame
	// Batches reads the rows, about 65,536 a batch; an error ends the sequence.
	Batches(ctx context.Context) iter.Seq2[arrow.RecordBatch, error]
	// Memo gives build's value for key, built at most once as long as the frame's rows are
	// known to stay the same (a cached relation); other frames build it every time.
	// Estimators keep their training layout here, so that fits of a tuning loop share it.
	Memo(key string, build func() (any, error)) (any, error)
}

// Recall gives build's small value for key, kept like Frame.Memo's, and also where the rows are
// models' answers to rows that stay the same: evaluators ask of the same predictions again.
func Recall[V any](data Frame, key string, build func() (V, error)) (V, error) {
	r, ok := data.(interface {
		Recall(key string, build func() (any, error)) (any, error)
	})
	if !ok {
		return build()
	}
	v, err := r.Recall(key, func() (any, error) { return build() })
	out, _ := v.(V)
	return out, err
}

// Kind says which of the wire's operators a Spec is.
type Kind int

const (
	KindEstimator Kind = iota + 1
	KindTransformer
	KindEvaluator
	KindModel
)

// Operator is what every estimator, transformer, evaluator and model has: a class, a uid and
// parameters.
type Operator interface {
	Spec() *Spec
	UID() string
	Params() *Params
}

// Estimator learns a Model from a frame.
type Estimator interface {
	Operator
	// TransformSchema checks the input's schema and gives the output's, with Spark's errors.
	TransformSchema(in types.Struct) (types.Struct, error)
	// Fit reads only the columns it needs (data.Select) and never changes data.
	Fit(ctx context.Context, data Frame) (Model, error)
}

// Transformer maps rows to rows: it appends columns, and may drop rows.
type Transformer interface {
	Operator
	TransformSchema(in types.Struct) (types.Struct, error)
	// Bind resolves the transformer against a schema. It must be cheap.
	Bind(in types.Struct) (*Transform, error)
}

// Transform is a transformer bound to a schema: which columns it reads and adds, and the work.
type Transform struct {
	Inputs  []string      // columns that Apply wants, in order
	Outputs []types.Field // columns that Apply makes; one of an existing name replaces it
	// Apply makes the output columns of one batch of n rows. It is called by several
	// goroutines at once. keep, if not nil, has n entries and tells which rows stay
	// (handleInvalid="skip"); the output columns still have n rows.
	Apply func(ctx context.Context, in []arrow.Array, n int) (out []arrow.Array, keep []bool, err error)
	// Only gives the transform that makes some of Outputs, one at least; nil where making all of
	// them costs little more.
	Only func(want []bool) *Transform
}

// Narrow gives the transform that makes some of Outputs, one at least; nil wants all.
func (t *Transform) Narrow(want []bool) *Transform {
	switch {
	case !slices.Contains(want, false):
		return t
	case t.Only != nil:
		return t.Only(want)
	}
	return &Transform{Inputs: t.Inputs, Outputs: Wanted(t.Outputs, want),
		Apply: func(ctx context.Context, in []arrow.Array, n int) ([]arrow.Array, []bool, error) {
			made, keep, err := t.Apply(ctx, in, n)
			if err != nil {
				return nil, nil, err
			}
			return Wanted(made, want), keep, nil
		}}
}

// Wanted gives what is wanted of a list.
func Wanted[T any](list []T, want []bool) []T {
	var out []T
	for i, x := range list {
		if want[i] {
			out = append(out, x)
		}
	}
	return out
}

// Model is a fitted transformer that knows things about itself.
type Model interface {
	Transformer
	// Attr answers a fetch of an attribute or method on Spark's allow list of this class;
	// args are literals (see Value) or Frames. The answer is a Value, a Frame, a Model,
	// []Model, or a Summary (of evaluate). An unknown name is CONNECT_ML.ATTRIBUTE_NOT_ALLOWED (see AttrTable).
	Attr(ctx context.Context, name string, args []any) (any, error)
	// Summary is the training summary, nil if the model has none.
	Summary() Summary
	// SizeBytes estimates the memory the model holds, for the cache's limits.
	SizeBytes() int64
	// WithParams gives a copy of the model with other parameters (predictionCol and so on).
	WithParams(p *Params) Model
}

// Summary answers fetches on a model's training summary, and on what evaluate returns.
type Summary interface {
	Attr(ctx context.Context, name string, args []any) (any, error)
}

// Evaluator gives a number for a frame of predictions.
type Evaluator interface {
	Operator
	Evaluate(ctx context.Context, data Frame) (float64, error)
}

// Value is a literal of the wire in Go form: nil, bool, int32, int64, float64, string, []float64,
// []int32, []string, [][]string, [][]float64, []bool, []any, Vector, Matrix, map[string]string.
type Value = any

// Vector is a dense (Indices nil) or sparse vector literal.
type Vector struct {
	Size    int
	Indices []int32 // nil for a dense vector
	Values  []float64
	Sparse  bool
}

// Matrix is a dense matrix literal: column major unless Transposed (row major).
type Matrix struct {
	Rows, Cols int
	Values     []float64
	Transposed bool
	Sparse     bool // Spark keeps and sends it sparsely; Values still holds every value
}
