package feature

import (
	"context"
	"math"
	"slices"
	"sort"

	"github.com/apache/arrow-go/v18/arrow"

	"github.com/millpond/millpond/internal/ml"
	"github.com/millpond/millpond/internal/sparkerr"
	"github.com/millpond/millpond/internal/types"
)

// Bucketizer maps numbers to the number of the interval that they lie in.
type Bucketizer struct{ ml.Base }

const invalidBuckets = "how to handle invalid entries containing NaN values. Values outside the splits will always be treated as errors. Options are 'skip' (filter out rows with invalid values), 'error' (throw an error), or 'keep' (keep invalid values in a special additional bucket)."

var bucketizerSpec = ml.Register(&ml.Spec{Class: pkg + "Bucketizer", Kind: ml.KindTransformer,
	Params: []ml.Param{ml.InputColParam(), ml.OutputColParam(), ml.InputColsParam(), ml.OutputColsParam(),
		ml.HandleInvalidParam(invalidBuckets, "error", "skip", "error", "keep"),
		{Name: "splits", Doc: "Split points for mapping continuous features into buckets. With n+1 splits, there are n buckets. A bucket defined by splits x,y holds values in the range [x,y) except the last bucket, which also includes y. The splits should be of length >= 3 and strictly increasing. Values at -inf, inf must be explicitly provided to cover all Double values; otherwise, values outside the splits specified will be treated as errors.",
			Type: ml.ParamDoubleArray, Check: func(v any) bool { return goodSplits(v.([]float64)) }},
		{Name: "splitsArray", Doc: "The array of split points for mapping continuous features into buckets for multiple columns.",
			Type: ml.ParamDoubleArray2, Check: func(v any) bool {
				return !slices.ContainsFunc(v.([][]float64), func(s []float64) bool { return !goodSplits(s) })
			}}}})

func init() {
	bucketizerSpec.New = func(uid string, p *ml.Params) ml.Operator {
		return &Bucketizer{ml.NewBase(bucketizerSpec, uid, p)}
	}
}

func goodSplits(s []float64) bool {
	if len(s) < 3 {
		return false
	}
	for i := range s[1:] {
		if !(s[i] < s[i+1]) {
			return false
		}
	}
	return true
}

// columns gives inputs, outputs and the splits of each.
func (t *Bucketizer) columns() (ins, outs []string, splits [][]float64) {
	ins, outs = inOutCols(t)
	if t.Params().IsSet("inputCols") {
		return ins, outs, t.Params().Doubles2("splitsArray")
	}
	return ins, outs, [][]float64{t.Params().Doubles("splits")}
}

func (t *Bucketizer) TransformSchema(in types.Struct) (types.Struct, error) {
	if err := checkSingleVsMulti(t, []string{"outputCol", "splits"}, []string{"outputCols", "splitsArray"}); err != nil {
		return in, err
	}
	ins, outs, splits := t.columns()
	if len(ins) != len(outs) || len(ins) != len(splits) {
		return in, sparkerr.Require("Bucketizer %s has mismatched Params for multi-column transform. Params (inputCols, outputCols, splitsArray) should have equal lengths, but they have different lengths: (%d, %d, %d).", t.UID(), len(ins), len(outs), len(splits))
	}
	out := in
	for k, name := range ins {
		if err := ml.CheckNumeric(in, name); err != nil {
			return in, err
		}
		f := types.Field{Name: outs[k], Type: types.Double, Nullable: in.Fields[in.Index(name)].Nullable, Metadata: bucketAttr(splits[k]).Metadata()}
		var err error
		if out, err = ml.AppendField(out, f); err != nil {
			return in, err
		}
	}
	return out, nil
}

// bucketAttr names each bucket by its ends.
func bucketAttr(splits []float64) ml.Attr {
	ordinal := true
	a := ml.Attr{Type: ml.AttrNominal, Ordinal: &ordinal, Vals: []string{}}
	for i := range len(splits) - 1 {
		a.Vals = append(a.Vals, ml.FormatDouble(splits[i])+", "+ml.FormatDouble(splits[i+1]))
	}
	return a
}

func (t *Bucketizer) Bind(in types.Struct) (*ml.Transform, error) {
	out, err := t.TransformSchema(in)
	if err != nil {
		return nil, err
	}
	ins, outs, splits := t.columns()
	b := &ml.Transform{Inputs: ins}
	for _, name := range outs {
		b.Outputs = append(b.Outputs, out.Fields[out.Index(name)])
	}
	invalid := t.Params().String("handleInvalid")
	b.Apply = func(ctx context.Context, cols []arrow.Array, n int) ([]arrow.Array, []bool, error) {
		var keep []bool
		result := make([]arrow.Array, len(cols))
		if invalid == "skip" { // rows with NaN in any column go first, whatever else they hold
			for _, a := range cols {
				values, err := ml.Floats(a)
				if err != nil {
					return nil, nil, err
				}
				for i, x := range values {
					if math.IsNaN(x) || a.IsNull(i) {
						if keep == nil {
							keep = slices.Repeat([]bool{true}, n)
						}
						keep[i] = false
					}
				}
			}
		}
		for k, a := range cols {
			made, err := bucketColumn(a, splits[k], invalid, keep)
			if err != nil {
				return nil, nil, err
			}
			result[k] = made
		}
		return result, keep, ctx.Err()
	}
	return b, nil
}

func bucketColumn(a arrow.Array, splits []float64, invalid string, keep []bool) (arrow.Array, error) {
	values, err := ml.Floats(a)
	if err != nil {
		return nil, err
	}
	out := make([]float64, len(values))
	var valid []bool
	if a.NullN() > 0 {
		valid = make([]bool, len(values))
		for i := range valid {
			valid[i] = a.IsValid(i)
		}
	}
	for i, x := range values {
		if valid != nil && !valid[i] || keep != nil && !keep[i] {
			continue
		}
		if out[i], err = bucket(splits, x, invalid == "keep"); err != nil {
			return nil, err
		}
	}
	return doubles(out, valid), nil
}

// bucket finds the interval of x: closed below, open above, the last closed on both ends.
func bucket(splits []float64, x float64, keepNaN bool) (float64, error) {
	const sig = "(double) => double"
	last := len(splits) - 1
	switch {
	case math.IsNaN(x):
		if keepNaN {
			return float64(last), nil
		}
		return 0, ml.UDFError("Bucketizer", sig, "org.apache.spark.SparkException: Bucketizer encountered NaN value. To handle or skip NaNs, try setting Bucketizer.handleInvalid.")
	case x == splits[last]:
		return float64(last - 1), nil
	case x < splits[0] || x > splits[last]:
		return 0, ml.UDFError("Bucketizer", sig, "org.apache.spark.SparkException: Feature value "+ml.FormatDouble(x)+" out of Bucketizer bounds ["+
			ml.FormatDouble(splits[0])+", "+ml.FormatDouble(splits[last])+"]. Check your features, or loosen the lower/upper bound constraints.")
	}
	return float64(sort.Search(len(splits), func(k int) bool { return splits[k] > x }) - 1), nil
}

// The clients take a Bucketizer for the model of QuantileDiscretizer, so it is a Model as well.

// Attr answers what clients ask of a fitted QuantileDiscretizer.
func (t *Bucketizer) Attr(_ context.Context, name string, _ []any) (any, error) {
	switch name {
	case "getSplits":
		return t.Params().Doubles("splits"), nil
	case "getSplitsArray":
		return t.Params().Get("splitsArray"), nil
	}
	return nil, ml.NotAllowed(t.Spec().Class, name)
}
func (t *Bucketizer) Summary() ml.Summary              { return nil }
func (t *Bucketizer) SizeBytes() int64                 { return 1024 }
func (t *Bucketizer) WithParams(p *ml.Params) ml.Model { return &Bucketizer{t.With(p)} }
