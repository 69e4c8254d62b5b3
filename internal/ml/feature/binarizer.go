package feature

import (
	"context"

	"github.com/apache/arrow-go/v18/arrow"

	"github.com/millpond/millpond/internal/ml"
	"github.com/millpond/millpond/internal/sparkerr"
	"github.com/millpond/millpond/internal/types"
)

// Binarizer maps numbers, or the values of vectors, to 1 if they are above a threshold, else 0.
type Binarizer struct{ ml.Base }

var binarizerSpec = ml.Register(&ml.Spec{Class: pkg + "Binarizer", Kind: ml.KindTransformer,
	Params: []ml.Param{ml.InputColParam(), ml.OutputColParam(), ml.InputColsParam(), ml.OutputColsParam(),
		{Name: "threshold", Doc: "Param for threshold used to binarize continuous features. The features greater than the threshold will be binarized to 1.0. The features equal to or less than the threshold will be binarized to 0.0", Type: ml.ParamDouble, Default: 0.0},
		{Name: "thresholds", Doc: "Param for array of threshold used to binarize continuous features. This is for multiple columns input. If transforming multiple columns and thresholds is not set, but threshold is set, then threshold will be applied across all columns.", Type: ml.ParamDoubleArray}}})

func init() {
	binarizerSpec.New = func(uid string, p *ml.Params) ml.Operator { return &Binarizer{ml.NewBase(binarizerSpec, uid, p)} }
}

func (t *Binarizer) TransformSchema(in types.Struct) (types.Struct, error) {
	if err := checkSingleVsMulti(t, []string{"outputCol"}, []string{"outputCols"}); err != nil {
		return in, err
	}
	ins, outs := inOutCols(t)
	if len(ins) != len(outs) {
		return in, sparkerr.Require("Binarizer %s has mismatched Params for multi-column transform. Params (inputCols, outputCols) should have equal lengths, but they have different lengths: (%d, %d).", t.UID(), len(ins), len(outs))
	}
	if n := len(t.Params().Doubles("thresholds")); t.Params().IsSet("inputCols") && t.Params().IsSet("thresholds") && n != len(ins) {
		return in, sparkerr.Require("Binarizer %s has mismatched Params for multi-column transform. Params (inputCols, outputCols, thresholds) should have equal lengths, but they have different lengths: (%d, %d, %d).", t.UID(), len(ins), len(outs), n)
	}
	out := in
	for k, name := range ins {
		f, err := ml.Column(in, name)
		if err != nil {
			return in, err
		}
		if err := newColumn(in, outs[k]); err != nil {
			return in, err
		}
		switch {
		case types.IsVector(f.Type):
			out = vectorField(out, outs[k], sizeOf(in, name))
		case f.Type == types.Double:
			out = ml.WithFields(out, types.Field{Name: outs[k], Type: types.Double, Metadata: ml.Attr{Type: ml.AttrBinary}.Metadata()})
		default:
			return in, sparkerr.IllegalArgument("Data type %s is not supported.", scalaToString(f.Type))
		}
	}
	return out, nil
}

func (t *Binarizer) Bind(in types.Struct) (*ml.Transform, error) {
	out, err := t.TransformSchema(in)
	if err != nil {
		return nil, err
	}
	ins, outs := inOutCols(t)
	b := &ml.Transform{Inputs: ins}
	limits := make([]float64, len(ins))
	for k, name := range outs {
		b.Outputs = append(b.Outputs, out.Fields[out.Index(name)])
		limits[k] = t.Params().Double("threshold")
		if t.Params().IsSet("inputCols") && t.Params().IsSet("thresholds") {
			limits[k] = t.Params().Doubles("thresholds")[k]
		}
	}
	b.Apply = func(ctx context.Context, cols []arrow.Array, n int) ([]arrow.Array, []bool, error) {
		result := make([]arrow.Array, len(cols))
		for k, a := range cols {
			if a.DataType().ID() == arrow.STRUCT {
				made, err := binarizeVectors(a, limits[k])
				if err != nil {
					return nil, nil, err
				}
				result[k] = made
				continue
			}
			values, err := ml.Floats(a)
			if err != nil {
				return nil, nil, err
			}
			ones := make([]float64, n)
			for i, x := range values { // a null is not above it
				if x > limits[k] && a.IsValid(i) {
					ones[i] = 1
				}
			}
			result[k] = doubles(ones, nil)
		}
		return result, nil, ctx.Err()
	}
	return b, nil
}

func binarizeVectors(a arrow.Array, limit float64) (arrow.Array, error) {
	v, err := ml.NewVectorView(a)
	if err != nil {
		return nil, err
	}
	b := ml.NewVectorBuilder(v.Len(), 8)
	for i := range v.Len() {
		if v.IsNull(i) {
			return nil, ml.UDFError("Binarizer", "("+ml.VectorSQL+") => "+ml.VectorSQL, nullVector["Binarizer"])
		}
		out := make([]float64, v.Size(i))
		v.CopyTo(i, out)
		for j, x := range out {
			if out[j] = 0; x > limit {
				out[j] = 1
			}
		}
		emitCompressed(b, out)
	}
	return b.Array(), nil
}
