package feature

import (
	"github.com/millpond/millpond/internal/ml"
	"github.com/millpond/millpond/internal/sparkerr"
	"github.com/millpond/millpond/internal/types"
)

// ElementwiseProduct multiplies each vector by a given one, place by place.
type ElementwiseProduct struct{ ml.Base }

var elementwiseSpec = ml.Register(&ml.Spec{Class: pkg + "ElementwiseProduct", Kind: ml.KindTransformer,
	Params: []ml.Param{ml.InputColParam(), ml.OutputColParam(),
		{Name: "scalingVec", Doc: "Vector for hadamard product.", Type: ml.ParamVector}}})

func init() {
	elementwiseSpec.New = func(uid string, p *ml.Params) ml.Operator {
		return &ElementwiseProduct{ml.NewBase(elementwiseSpec, uid, p)}
	}
}

func (t *ElementwiseProduct) TransformSchema(in types.Struct) (types.Struct, error) {
	v, ok := t.Params().Vector("scalingVec")
	if !ok {
		return in, sparkerr.Require("transformation requires a weight vector")
	}
	inCol, outCol := t.InOut()
	if err := checkVectorInOut(in, inCol, outCol); err != nil {
		return in, err
	}
	return vectorField(in, outCol, v.Size), nil
}

func (t *ElementwiseProduct) Bind(in types.Struct) (*ml.Transform, error) {
	if _, err := t.TransformSchema(in); err != nil {
		return nil, err
	}
	v, _ := t.Params().Vector("scalingVec")
	factors := v.Array()
	inCol, outCol := t.InOut()
	return perVector("ElementwiseProduct", inCol, ml.VectorField(outCol, len(factors)), func(v *ml.VectorView, i int, b *ml.VectorBuilder) error {
		if err := checkSize("ElementwiseProduct", "vector sizes do not match: Expected %d but found %d", v, i, len(factors)); err != nil {
			return err
		}
		if v.Dense(i) {
			scaleDense(v, i, b.Grow(len(factors)), nil, factors)
			return nil
		}
		return scaleSparse("ElementwiseProduct", v, i, b, factors)
	}), nil
}
