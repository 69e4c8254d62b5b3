package feature

import (
	"context"
	"math"
	"strings"

	"github.com/google/uuid"

	"github.com/millpond/millpond/internal/kernel/quantile"
	"github.com/millpond/millpond/internal/ml"
	"github.com/millpond/millpond/internal/sparkerr"
	"github.com/millpond/millpond/internal/types"
)

// QuantileDiscretizer finds splits that cut columns into buckets of about the same number of rows.
// Its model is a Bucketizer.
type QuantileDiscretizer struct{ ml.Base }

var quantileDiscretizerSpec = ml.Register(&ml.Spec{Class: pkg + "QuantileDiscretizer", Kind: ml.KindEstimator,
	Params: []ml.Param{ml.InputColParam(), ml.OutputColParam(), ml.InputColsParam(), ml.OutputColsParam(),
		ml.HandleInvalidParam("how to handle invalid entries. Options are skip (filter out rows with invalid values), error (throw an error), or keep (keep invalid values in a special additional bucket). Note that in the multiple columns case, the invalid handling is applied to all columns. That said for 'error' it will throw an error if any invalids are found in any columns, for 'skip' it will skip rows with any invalids in any columns, etc.", "error", "skip", "error", "keep"),
		{Name: "numBuckets", Doc: "Maximum number of buckets (quantiles, or categories) into which data points are grouped. Must be >= 2.", Type: ml.ParamInt, Default: 2, Check: ml.IntAtLeast(2)},
		{Name: "numBucketsArray", Doc: "Array of number of buckets (quantiles, or categories) into which data points are grouped. This is for multiple columns input. If transforming multiple columns and numBucketsArray is not set, but numBuckets is set, then numBuckets will be applied across all columns.",
			Type: ml.ParamIntArray, Check: func(v any) bool {
				for _, n := range v.([]int) {
					if n < 2 {
						return false
					}
				}
				return true
			}},
		{Name: "relativeError", Doc: "The relative target precision for the approximate quantile algorithm used to generate buckets. Must be in the range [0, 1].", Type: ml.ParamDouble, Default: 0.001, Check: ml.InRange(0, 1)}}})

func init() {
	quantileDiscretizerSpec.New = func(uid string, p *ml.Params) ml.Operator {
		return &QuantileDiscretizer{ml.NewBase(quantileDiscretizerSpec, uid, p)}
	}
}

func (e *QuantileDiscretizer) TransformSchema(in types.Struct) (types.Struct, error) {
	if err := checkSingleVsMulti(e, []string{"outputCol"}, []string{"outputCols"}); err != nil {
		return in, err
	}
	ins, outs := inOutCols(e)
	if len(ins) != len(outs) {
		return in, sparkerr.Require("QuantileDiscretizer %s has mismatched Params for multi-column transform. Params (inputCols, outputCols) should have equal lengths, but they have different lengths: (%d, %d).", e.UID(), len(ins), len(outs))
	}
	if n := e.Params().Ints("numBucketsArray"); e.Params().IsSet("inputCols") && e.Params().IsSet("numBucketsArray") && len(n) != len(ins) {
		return in, sparkerr.Require("QuantileDiscretizer %s has mismatched Params for multi-column transform. Params (inputCols, outputCols, numBucketsArray) should have equal lengths, but they have different lengths: (%d, %d, %d).", e.UID(), len(ins), len(outs), len(n))
	}
	switch {
	case e.Params().IsSet("inputCol") && e.Params().IsSet("numBucketsArray"):
		return in, sparkerr.Require("numBucketsArray can't be set for single-column QuantileDiscretizer.")
	case e.Params().IsSet("numBuckets") && e.Params().IsSet("numBucketsArray"):
		return in, sparkerr.Require("exactly one of numBuckets, numBucketsArray Params to be set, but both are set.")
	}
	out := in
	for k, name := range ins {
		if err := ml.CheckNumeric(in, name); err != nil {
			return in, err
		}
		var err error
		a := ml.Attr{Type: ml.AttrNominal}
		if err = newColumn(out, outs[k]); err != nil {
			return in, err
		}
		out = ml.WithFields(out, types.Field{Name: outs[k], Type: types.Double, Metadata: a.Metadata()})
	}
	return out, nil
}

// Fit asks a quantile summary of each column, made in one pass.
func (e *QuantileDiscretizer) Fit(ctx context.Context, data ml.Frame) (ml.Model, error) {
	if _, err := e.TransformSchema(data.Schema()); err != nil {
		return nil, err
	}
	p := e.Params()
	ins, _ := inOutCols(e)
	sums := make([]*quantile.Summary, len(ins))
	for k := range sums {
		sums[k] = quantile.New(p.Double("relativeError"))
	}
	for batch, err := range data.Select(ins...).Batches(ctx) {
		if err != nil {
			return nil, err
		}
		for k := range ins {
			a := batch.Column(k)
			values, err := ml.Floats(a)
			if err != nil {
				return nil, err
			}
			nulls := a.NullN() > 0
			for i, x := range values {
				if !math.IsNaN(x) && !(nulls && a.IsNull(i)) {
					sums[k].Insert(x)
				}
			}
		}
	}
	splits := make([][]float64, len(ins))
	for k := range ins {
		n := p.Int("numBuckets")
		if list := p.Ints("numBucketsArray"); p.IsSet("inputCols") && p.IsSet("numBucketsArray") {
			n = list[k]
		}
		if splits[k] = distinctSplits(sums[k], n); splits[k] == nil {
			return nil, sparkerr.Plain("java.lang.ArrayIndexOutOfBoundsException", "Index 0 out of bounds for length 0")
		}
	}
	return e.bucketizer(splits)
}

// distinctSplits cuts at the quantiles that differ, and makes the outer buckets endless; nil without values.
func distinctSplits(s *quantile.Summary, buckets int) []float64 {
	fractions := make([]float64, buckets+1)
	for i := range fractions {
		fractions[i] = float64(i) / float64(buckets)
	}
	splits := s.Query(fractions...)
	if len(splits) == 0 {
		return nil
	}
	splits[0], splits[buckets] = math.Inf(-1), math.Inf(1)
	out := splits[:1]
	for _, x := range splits[1:] {
		if x == 0 {
			x = 0 // not -0
		}
		if x != out[len(out)-1] {
			out = append(out, x)
		}
	}
	if len(out) == 2 { // Spark's Bucketizer wants three
		return []float64{out[0], 0, out[1]}
	}
	return out
}

// bucketizer makes the model: a Bucketizer of its own uid, as in Spark, whose outputCol
// defaults to the estimator's.
func (e *QuantileDiscretizer) bucketizer(splits [][]float64) (ml.Model, error) {
	p := ml.NewParams(bucketizerSpec)
	uid := "Bucketizer_" + strings.ReplaceAll(uuid.NewString(), "-", "")[:12]
	values := map[string]any{"handleInvalid": e.Params().String("handleInvalid")}
	if e.Params().IsSet("inputCols") {
		values["splitsArray"] = splits
		values["inputCols"], values["outputCols"] = e.Params().Strings("inputCols"), e.Params().Strings("outputCols")
	} else {
		values["splits"] = splits[0]
		values["inputCol"], values["outputCol"] = e.Params().String("inputCol"), e.Params().String("outputCol")
	}
	for k, v := range values {
		if err := p.Set(uid, k, v); err != nil {
			return nil, err
		}
	}
	return &Bucketizer{ml.NewBase(bucketizerSpec, uid, p)}, nil
}
