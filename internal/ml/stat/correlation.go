package stat

import (
	"context"

	"github.com/apache/arrow-go/v18/arrow"

	"github.com/millpond/millpond/internal/kernel/linalg"
	"github.com/millpond/millpond/internal/ml"
	"github.com/millpond/millpond/internal/sparkerr"
	"github.com/millpond/millpond/internal/types"
)

// Correlation gives the matrix of correlations between the places of a column's vectors, by the
// method pearson or spearman.
func Correlation(ctx context.Context, data ml.Frame, column, method string) (ml.Frame, error) {
	rows := &linalg.Rows{}
	err := each(ctx, data, func(cols []arrow.Array) error {
		if i := data.Schema().Index(column); !types.IsVector(data.Schema().Fields[i].Type) {
			return noMatch(firstOf(cols[0]))
		}
		return vectorsOf(rows, cols[0], func(want, got int) error {
			return aborted("java.lang.IllegalArgumentException: requirement failed: Dimensions mismatch when adding new sample. Expecting %d but got %d.", want, got)
		}, func(int) error { return noMatch("null") })
	}, column)
	if err != nil {
		return nil, err
	}
	if method != "pearson" && method != "spearman" {
		return nil, sparkerr.IllegalArgument("Unrecognized method name. Supported correlations: pearson, spearman")
	}
	switch rows.N {
	case 0:
		return nil, sparkerr.Plain("java.lang.RuntimeException", "Cannot determine the number of cols because it is not specified in the constructor and the rows RDD is empty.")
	case 1:
		return nil, sparkerr.Require("RowMatrix.computeCovariance called on matrix with only 1 rows.  Cannot compute the covariance of a RowMatrix with <= 1 row.")
	}
	if method == "spearman" {
		linalg.RankColumns(rows)
	}
	matrix := ml.Matrix{Rows: rows.D, Cols: rows.D, Values: linalg.Correlation(rows)}
	schema := types.Struct{Fields: []types.Field{{Name: method + "(" + column + ")", Type: types.Matrix}}}
	return ml.FrameOfRows(schema, [][]any{{matrix}}, 0)
}

// firstOf prints the first value of a column that should hold vectors.
func firstOf(a arrow.Array) string {
	if values, err := ml.Floats(a); err == nil && a.DataType().ID() == arrow.FLOAT64 && a.IsValid(0) {
		return ml.FormatValue(values[0])
	}
	return a.ValueStr(0)
}
