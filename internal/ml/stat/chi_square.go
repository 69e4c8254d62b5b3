package stat

import (
	"context"
	"errors"
	"fmt"

	"github.com/apache/arrow-go/v18/arrow"

	"github.com/millpond/millpond/internal/kernel/hypothesis"
	"github.com/millpond/millpond/internal/kernel/linalg"
	"github.com/millpond/millpond/internal/ml"
	"github.com/millpond/millpond/internal/sparkerr"
	"github.com/millpond/millpond/internal/types"
)

// ChiSquareTest tests each place of a column's vectors for independence of the labels: one row
// for each place if flatten, else one row for all.
func ChiSquareTest(ctx context.Context, data ml.Frame, features, label string, flatten bool) (ml.Frame, error) {
	if err := ml.CheckVector(data.Schema(), features); err != nil {
		return nil, err
	}
	if err := ml.CheckNumeric(data.Schema(), label); err != nil {
		return nil, err
	}
	rows, labels := &linalg.Rows{}, []float64(nil)
	err := each(ctx, data, func(cols []arrow.Array) error {
		if cols[1].NullN() > 0 {
			return noMatch("null,...")
		}
		values, err := ml.Floats(cols[1])
		if err != nil {
			return err
		}
		labels = append(labels, values...)
		return vectorsOf(rows, cols[0], func(want, got int) error {
			return aborted("java.lang.IllegalArgumentException: requirement failed: Number of features must be %d but got %d", want, got)
		}, func(i int) error { return noMatch(ml.FormatValue(values[i]) + ",null") })
	}, features, label)
	if err != nil {
		return nil, err
	}
	if rows.N == 0 {
		return nil, sparkerr.Plain(sparkerr.ClassUnsupported, "empty collection")
	}
	tests, column, err := hypothesis.ChiSquares(rows, labels)
	if err != nil {
		return nil, notCategories(err, column)
	}
	if flatten {
		return flatTests(tests)
	}
	return oneTest(tests)
}

// notCategories is the error of a column, -1 for the labels, that is no categories.
func notCategories(err error, column int) error {
	if errors.Is(err, hypothesis.ErrNaN) {
		return aborted("java.util.NoSuchElementException: key not found: NaN")
	}
	where := fmt.Sprintf("values in column %d", column)
	if column < 0 {
		where = "label values"
	}
	return aborted("org.apache.spark.SparkException: Chi-square test expect factors (categorical values) but found more than %d distinct %s.", hypothesis.MaxCategories, where)
}

func flatTests(tests []hypothesis.ChiSquare) (ml.Frame, error) {
	schema := types.Struct{Fields: []types.Field{{Name: "featureIndex", Type: types.Int}, {Name: "pValue", Type: types.Double},
		{Name: "degreesOfFreedom", Type: types.Int}, {Name: "statistic", Type: types.Double}}}
	out := make([][]any, len(tests))
	for i, t := range tests {
		out[i] = []any{int32(i), t.PValue, int32(t.DegreesOfFreedom), t.Statistic}
	}
	return ml.FrameOfRows(schema, out, 0)
}

func oneTest(tests []hypothesis.ChiSquare) (ml.Frame, error) {
	schema := types.Struct{Fields: []types.Field{{Name: "pValues", Type: types.Vector, Nullable: true},
		{Name: "degreesOfFreedom", Type: types.Array{Elem: types.Int}, Nullable: true}, {Name: "statistics", Type: types.Vector, Nullable: true}}}
	p, statistics, dof := make([]float64, len(tests)), make([]float64, len(tests)), make([]int32, len(tests))
	for i, t := range tests {
		p[i], statistics[i], dof[i] = t.PValue, t.Statistic, int32(t.DegreesOfFreedom)
	}
	return ml.FrameOfRows(schema, [][]any{{ml.DenseVector(p), dof, ml.DenseVector(statistics)}}, 0)
}
