package feature

import (
	"math"

	"github.com/millpond/millpond/internal/ml"
	"github.com/millpond/millpond/internal/types"
)

// Normalizer divides each vector by its p-norm.
type Normalizer struct{ ml.Base }

var normalizerSpec = ml.Register(&ml.Spec{Class: pkg + "Normalizer", Kind: ml.KindTransformer,
	Params: []ml.Param{ml.InputColParam(), ml.OutputColParam(),
		{Name: "p", Doc: "the p norm value.", Type: ml.ParamDouble, Default: 2.0, Check: ml.AtLeast(1)}}})

func init() {
	normalizerSpec.New = func(uid string, p *ml.Params) ml.Operator {
		return &Normalizer{ml.NewBase(normalizerSpec, uid, p)}
	}
}

// sizeOf is the size that a vector column's metadata tells, -1 if none.
func sizeOf(in types.Struct, column string) int { return ml.GroupOf(in.Fields[in.Index(column)]).Size }

func (t *Normalizer) TransformSchema(in types.Struct) (types.Struct, error) {
	inCol, outCol := t.InOut()
	if err := checkVectorInOut(in, inCol, outCol); err != nil {
		return in, err
	}
	return vectorField(in, outCol, sizeOf(in, inCol)), nil
}

func (t *Normalizer) Bind(in types.Struct) (*ml.Transform, error) {
	if _, err := t.TransformSchema(in); err != nil {
		return nil, err
	}
	inCol, outCol := t.InOut()
	p := t.Params().Double("p")
	return perVector("Normalizer", inCol, ml.VectorField(outCol, sizeOf(in, inCol)), func(v *ml.VectorView, i int, b *ml.VectorBuilder) error {
		val := v.Values(i)
		out := val
		if n := norm(val, p); n != 0 {
			out = make([]float64, len(val))
			for k, x := range val {
				out[k] = x / n
			}
		}
		if v.Dense(i) {
			b.Dense(out)
		} else {
			b.Sparse(v.Size(i), v.Indices(i), out)
		}
		return nil
	}), nil
}

func norm(x []float64, p float64) float64 {
	s := 0.0
	switch {
	case p == 1:
		for _, v := range x {
			s += math.Abs(v)
		}
		return s
	case p == 2:
		for _, v := range x {
			s += v * v
		}
		return math.Sqrt(s)
	case math.IsInf(p, 1):
		for _, v := range x {
			s = math.Max(s, math.Abs(v))
		}
		return s
	}
	for _, v := range x {
		s += math.Pow(math.Abs(v), p)
	}
	return math.Pow(s, 1/p)
}
