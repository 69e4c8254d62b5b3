// Package feature holds Spark ML's feature estimators and transformers, one to a file. What
// comes in are columns of Arrow batches; what goes out are more columns, with the ml_attr
// metadata that Spark writes. It never sees a plan or a connection.
package feature

import (
	"cmp"
	"context"
	"fmt"
	"slices"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"
	"github.com/apache/arrow-go/v18/arrow/memory"

	"github.com/millpond/millpond/internal/kernel/linalg"
	"github.com/millpond/millpond/internal/ml"
	"github.com/millpond/millpond/internal/sparkerr"
	"github.com/millpond/millpond/internal/types"
)

const pkg = "org.apache.spark.ml.feature."

// doubles makes a column of doubles; valid may be nil.
func doubles(values []float64, valid []bool) arrow.Array {
	n := len(values)
	var bits *memory.Buffer
	nulls := 0
	if valid != nil {
		b := make([]byte, (n+7)/8)
		for i, ok := range valid {
			if ok {
				b[i/8] |= 1 << (i % 8)
			} else {
				nulls++
			}
		}
		if nulls > 0 {
			bits = memory.NewBufferBytes(b)
		}
	}
	return array.NewFloat64Data(array.NewData(arrow.PrimitiveTypes.Float64, n,
		[]*memory.Buffer{bits, memory.NewBufferBytes(arrow.Float64Traits.CastToBytes(values))}, nil, nulls, 0))
}

// vectorField replaces or adds a vector column in a schema.
func vectorField(in types.Struct, name string, size int) types.Struct {
	return ml.WithFields(in, ml.VectorField(name, size))
}

// checkVectorInOut is validateAndTransformSchema of the transformers that take a vector column.
func checkVectorInOut(in types.Struct, inputCol, outputCol string) error {
	if err := ml.CheckVector(in, inputCol); err != nil {
		return err
	}
	return newColumn(in, outputCol)
}

// newColumn refuses a name that is taken.
func newColumn(in types.Struct, name string) error {
	if in.Index(name) >= 0 {
		return sparkerr.Require("Output column %s already exists.", name)
	}
	return nil
}

// nullVector is what Spark's transformers throw at a null vector, where that is not just a
// NullPointerException.
var nullVector = map[string]string{
	"MinMaxScalerModel":   nullOf("org.apache.spark.ml.linalg.Vector.size()", "vector"),
	"PCAModel":            nullOf("org.apache.spark.ml.linalg.Vector.size()", "x"),
	"VectorIndexerModel":  nullOf("org.apache.spark.ml.linalg.Vector.size()", "v"),
	"ElementwiseProduct":  nullOf("org.apache.spark.ml.linalg.Vector.size()", "vector"),
	"Binarizer":           nullOf("org.apache.spark.ml.linalg.Vector.foreachNonZero(scala.Function2)", "vector"),
	"Normalizer":          "scala.MatchError: null",
	"VectorSlicer":        "scala.MatchError: null",
	"PolynomialExpansion": "java.lang.IllegalArgumentException",
}

// nullOf is how Java says that a method was called on a variable that is null.
func nullOf(method, variable string) string {
	return fmt.Sprintf("java.lang.NullPointerException: Cannot invoke %q because %q is null", method, variable)
}

// perVector is a Transform that makes a vector of each vector; each adds exactly one row to b.
func perVector(class, inputCol string, out types.Field, each func(v *ml.VectorView, i int, b *ml.VectorBuilder) error) *ml.Transform {
	return &ml.Transform{
		Inputs: []string{inputCol}, Outputs: []types.Field{out},
		Apply: func(ctx context.Context, in []arrow.Array, n int) ([]arrow.Array, []bool, error) {
			v, err := ml.NewVectorView(in[0])
			if err != nil {
				return nil, nil, err
			}
			width := 0
			if n > 0 {
				width = len(v.Values(0))
			}
			b := ml.NewVectorBuilder(n, width)
			for i := range n {
				if v.IsNull(i) {
					return nil, nil, ml.UDFError(class, "("+ml.VectorSQL+") => "+ml.VectorSQL, cmp.Or(nullVector[class], "java.lang.NullPointerException"))
				}
				if err := each(v, i, b); err != nil {
					return nil, nil, err
				}
			}
			return []arrow.Array{b.Array()}, nil, ctx.Err()
		},
	}
}

// summarize reads a vector column once and gives its statistics, which are shared: they must not be
// changed.
func summarize(ctx context.Context, data ml.Frame, column string) (*linalg.Summary, error) {
	rows := data.Select(column)
	return ml.Recall(rows, "summary", func() (*linalg.Summary, error) {
		var sum *linalg.Summary
		part := func(v *ml.Vectors, lo, hi int) (*linalg.Summary, error) { return summarizeRows(v, lo, hi) }
		err := ml.FoldVectors(ctx, rows, 16384, part, func(s *linalg.Summary) error {
			switch {
			case sum == nil:
				sum = s
			case s.Dim() != sum.Dim():
				return sizeMismatch(sum, s.Dim())
			default:
				sum.Merge(s)
			}
			return nil
		})
		if err == nil && sum == nil {
			err = ml.JobAborted("java.lang.IllegalArgumentException: requirement failed: Nothing has been added to this summarizer.")
		}
		return sum, err
	})
}

// summarizeRows gives the statistics of some rows.
func summarizeRows(rows *ml.Vectors, lo, hi int) (s *linalg.Summary, err error) {
	err = rows.Each(lo, hi, func(_ int, v *ml.VectorView, i int) error {
		if v.IsNull(i) {
			return ml.JobAborted("scala.MatchError: null")
		}
		if s == nil {
			s = linalg.NewSummary(v.Size(i))
		}
		if v.Size(i) != s.Dim() {
			return sizeMismatch(s, v.Size(i))
		}
		if v.Dense(i) {
			s.AddDense(v.Values(i), 1)
		} else {
			s.AddSparse(v.Indices(i), v.Values(i), 1)
		}
		return nil
	})
	return s, err
}

func sizeMismatch(s *linalg.Summary, got int) error {
	return ml.JobAborted("java.lang.IllegalArgumentException: requirement failed: Dimensions mismatch when merging with another summarizer. Expecting %d but got %d.", s.Dim(), got)
}

// inOutCols gives the columns of an operator that takes one (inputCol) or several (inputCols).
func inOutCols(op ml.Operator) (ins, outs []string) {
	p := op.Params()
	if p.IsSet("inputCol") || p.Spec().Param("inputCols") == nil {
		return []string{p.String("inputCol")}, []string{p.String("outputCol")}
	}
	return p.Strings("inputCols"), p.Strings("outputCols")
}

// checkSingleVsMulti is ParamValidators.checkSingleVsMultiColumnParams.
func checkSingleVsMulti(op ml.Operator, single, multi []string) error {
	p, name := op.Params(), op.Spec().ShortName()
	one, many := p.IsSet("inputCol"), p.IsSet("inputCols")
	switch {
	case one && many:
		return sparkerr.Require("%s %s requires exactly one of inputCol, inputCols Params to be set, but both are set.", name, op.UID())
	case !one && !many:
		return sparkerr.IllegalArgument("%s %s requires exactly one of inputCol, inputCols Params to be set, but neither is set.", name, op.UID())
	case one:
		return exclusive(op, "Single", single, multi)
	}
	return exclusive(op, "Multi", multi, single)
}

// exclusive demands that the required parameters are defined and the excluded ones are not set.
func exclusive(op ml.Operator, form string, required, excluded []string) error {
	p, name := op.Params(), op.Spec().ShortName()
	var wrong, missing []string
	for _, e := range excluded {
		if p.IsSet(e) {
			wrong = append(wrong, e)
		}
	}
	for _, r := range required {
		if !p.IsDefined(r) {
			missing = append(missing, r)
		}
	}
	prefix := fmt.Sprintf("%s %s has the %s set for %s-column transform. ", name, op.UID(),
		map[string]string{"Single": "inputCol Param", "Multi": "inputCols Param"}[form], map[string]string{"Single": "single", "Multi": "multi"}[form])
	if len(wrong) > 0 {
		slices.Sort(wrong)
		return sparkerr.Require("%sThe following Params are not applicable and should not be set: %s.", prefix, join(wrong))
	}
	if len(missing) > 0 {
		return sparkerr.Require("%sThe following Params must be defined but are not set: %s.", prefix, join(missing))
	}
	return nil
}

func join(names []string) string {
	s := ""
	for i, n := range names {
		if i > 0 {
			s += ", "
		}
		s += n
	}
	return s
}
