package feature

import (
	"context"
	"fmt"

	"github.com/apache/arrow-go/v18/arrow"

	"github.com/millpond/millpond/internal/ml"
	"github.com/millpond/millpond/internal/types"
)

// scaled is a transform that takes shift (nil for none) from each vector and multiplies it by scale
// (nil for none); without a shift sparse vectors stay sparse. As with Spark a vector may be shorter
// than the model, and one that is longer fails where it reaches beyond.
func scaled(class string, b *ml.Base, size int, shift, scale []float64) *ml.Transform {
	inCol, outCol := b.InOut()
	out := ml.VectorField(outCol, size)
	if shift == nil && scale == nil {
		return &ml.Transform{Inputs: []string{inCol}, Outputs: []types.Field{out},
			Apply: func(_ context.Context, in []arrow.Array, _ int) ([]arrow.Array, []bool, error) {
				in[0].Retain()
				return in[:1], nil, nil
			}}
	}
	return perVector(class, inCol, out, func(v *ml.VectorView, i int, b *ml.VectorBuilder) error {
		if v.Dense(i) || shift != nil {
			if v.Size(i) > size {
				return outOfBounds(class, size, size)
			}
			scaleDense(v, i, b.Grow(v.Size(i)), shift, scale)
			return nil
		}
		return scaleSparse(class, v, i, b, scale)
	})
}

func scaleSparse(class string, v *ml.VectorView, i int, b *ml.VectorBuilder, scale []float64) error {
	val := v.Values(i)
	out := make([]float64, len(val))
	for k, j := range v.Indices(i) {
		if int(j) >= len(scale) {
			return outOfBounds(class, int(j), len(scale))
		}
		out[k] = val[k] * scale[j]
	}
	b.Sparse(v.Size(i), v.Indices(i), out)
	return nil
}

func scaleDense(v *ml.VectorView, i int, dst, shift, scale []float64) {
	v.CopyTo(i, dst)
	for j, x := range dst {
		if shift != nil {
			x -= shift[j]
		}
		if scale != nil {
			x *= scale[j]
		}
		dst[j] = x
	}
}

func outOfBounds(class string, index, size int) error {
	return ml.UDFError(class, "("+ml.VectorSQL+") => "+ml.VectorSQL,
		fmt.Sprintf("java.lang.ArrayIndexOutOfBoundsException: Index %d out of bounds for length %d", index, size))
}
