package stat

import (
	"context"
	"math"
	"slices"
	"strconv"

	"github.com/apache/arrow-go/v18/arrow"

	"github.com/millpond/millpond/internal/kernel/hypothesis"
	"github.com/millpond/millpond/internal/kernel/prob"
	"github.com/millpond/millpond/internal/ml"
	"github.com/millpond/millpond/internal/sparkerr"
	"github.com/millpond/millpond/internal/types"
)

// KolmogorovSmirnovTest compares a column of numbers with a distribution: "norm" with its mean and
// standard deviation, the standard one where they are left out.
func KolmogorovSmirnovTest(ctx context.Context, data ml.Frame, column, distribution string, params []float64) (ml.Frame, error) {
	if err := ml.CheckNumeric(data.Schema(), column); err != nil {
		return nil, err
	}
	if distribution != "norm" {
		return nil, sparkerr.Plain(sparkerr.ClassJavaUnsupported, "%s not yet supported through convenience method. Current options are:['norm'].", distribution)
	}
	switch {
	case len(params) == 0:
		params = []float64{0, 1}
	case len(params) != 2:
		return nil, sparkerr.Require("Normal distribution requires mean and standard deviation as parameters")
	case params[1] <= 0:
		return nil, sparkerr.IllegalArgument("standard deviation (%s)", strconv.FormatFloat(params[1], 'g', -1, 64))
	}
	var sample []float64
	err := each(ctx, data, func(cols []arrow.Array) error {
		if cols[0].NullN() > 0 {
			return sparkerr.New(sparkerr.ClassRuntime, "NOT_NULL_ASSERT_VIOLATION", "walkedTypePath", "\n- root class: \"double\"\n")
		}
		values, err := ml.Floats(cols[0])
		sample = append(sample, values...)
		return err
	}, column)
	if err != nil {
		return nil, err
	}
	if slices.ContainsFunc(sample, math.IsNaN) { // what Spark's arithmetic comes to
		return nil, sparkerr.Plain("java.lang.NegativeArraySizeException", "-1")
	}
	statistic, p := hypothesis.KolmogorovSmirnov(sample, func(x float64) float64 { return prob.Normal(x, params[0], params[1]) })
	schema := types.Struct{Fields: []types.Field{{Name: "pValue", Type: types.Double}, {Name: "statistic", Type: types.Double}}}
	return ml.FrameOfRows(schema, [][]any{{p, statistic}}, 0)
}
