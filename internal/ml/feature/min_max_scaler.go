package feature

import (
	"context"
	"fmt"
	"math"

	"github.com/millpond/millpond/internal/ml"
	"github.com/millpond/millpond/internal/sparkerr"
	"github.com/millpond/millpond/internal/types"
)

// MinMaxScaler learns each feature's least and greatest value.
type MinMaxScaler struct{ ml.Base }

// MinMaxScalerModel brings features into a given range.
type MinMaxScalerModel struct {
	ml.Base
	low, high []float64
}

var minMaxParams = []ml.Param{ml.InputColParam(), ml.OutputColParam(),
	{Name: "min", Doc: "Lower bound of the output feature range", Type: ml.ParamDouble, Default: 0.0},
	{Name: "max", Doc: "Upper bound of the output feature range", Type: ml.ParamDouble, Default: 1.0}}

var minMaxSpec = ml.Register(&ml.Spec{Class: pkg + "MinMaxScaler", Kind: ml.KindEstimator, Params: minMaxParams})

var minMaxModelSpec = ml.Register(&ml.Spec{Class: pkg + "MinMaxScalerModel", Kind: ml.KindModel, Params: minMaxParams})

func init() {
	minMaxModelSpec.Load = loadMinMaxModel
	minMaxSpec.New = func(uid string, p *ml.Params) ml.Operator { return &MinMaxScaler{ml.NewBase(minMaxSpec, uid, p)} }
}

func minMaxSchema(b *ml.Base, in types.Struct, size int) (types.Struct, error) {
	if lo, hi := b.Params().Double("min"), b.Params().Double("max"); !(lo < hi) {
		return in, sparkerr.Require("The specified min(%s) is larger or equal to max(%s)", ml.FormatDouble(lo), ml.FormatDouble(hi))
	}
	return scalerSchema(b, in, size)
}

// scalerSchema is that of the transformers that map a vector column of known size.
func scalerSchema(b *ml.Base, in types.Struct, size int) (types.Struct, error) {
	inCol, outCol := b.InOut()
	if err := checkVectorInOut(in, inCol, outCol); err != nil {
		return in, err
	}
	if g := ml.GroupOf(in.Fields[in.Index(inCol)]); size >= 0 && g.Size >= 0 && g.Size != size {
		return in, wrongSize(inCol, g.Size, size)
	}
	return vectorField(in, outCol, size), nil
}

// checkSize refuses a vector of another size than the model's.
func checkSize(class, requirement string, v *ml.VectorView, i, want int) error {
	if n := v.Size(i); n != want {
		return ml.UDFError(class, "("+ml.VectorSQL+") => "+ml.VectorSQL,
			"java.lang.IllegalArgumentException: requirement failed: "+fmt.Sprintf(requirement, want, n))
	}
	return nil
}

// emitCompressed adds values in the smaller of the dense and the sparse form.
func emitCompressed(b *ml.VectorBuilder, values []float64) {
	if v := ml.Compressed(values); v.Sparse {
		b.Sparse(v.Size, v.Indices, v.Values)
		return
	}
	b.Dense(values)
}

func (e *MinMaxScaler) TransformSchema(in types.Struct) (types.Struct, error) {
	return minMaxSchema(&e.Base, in, -1)
}

func (e *MinMaxScaler) Fit(ctx context.Context, data ml.Frame) (ml.Model, error) {
	if _, err := e.TransformSchema(data.Schema()); err != nil {
		return nil, err
	}
	s, err := summarize(ctx, data, e.Params().String("inputCol"))
	if err != nil {
		return nil, err
	}
	return &MinMaxScalerModel{e.ForModel(minMaxModelSpec), s.Min(), s.Max()}, nil
}

func (m *MinMaxScalerModel) TransformSchema(in types.Struct) (types.Struct, error) {
	return minMaxSchema(&m.Base, in, len(m.low))
}

func (m *MinMaxScalerModel) Bind(in types.Struct) (*ml.Transform, error) {
	if _, err := m.TransformSchema(in); err != nil {
		return nil, err
	}
	inCol, outCol := m.InOut()
	lo, hi := m.Params().Double("min"), m.Params().Double("max")
	n := len(m.low)
	scale := make([]float64, n)
	for j := range scale {
		if r := m.high[j] - m.low[j]; r != 0 {
			scale[j] = (hi - lo) / r
		}
	}
	constant := (lo + hi) / 2
	return perVector("MinMaxScalerModel", inCol, ml.VectorField(outCol, n), func(v *ml.VectorView, i int, b *ml.VectorBuilder) error {
		if err := checkSize("MinMaxScalerModel", "Number of features must be %d but got %d", v, i, n); err != nil {
			return err
		}
		out := make([]float64, n)
		v.CopyTo(i, out)
		for j, x := range out {
			switch {
			case math.IsNaN(x):
			case scale[j] != 0:
				out[j] = (x-m.low[j])*scale[j] + lo
			default:
				out[j] = constant
			}
		}
		emitCompressed(b, out)
		return nil
	}), nil
}

var minMaxAttrs = ml.AttrTable[*MinMaxScalerModel]{
	"toString": ml.Text(func(m *MinMaxScalerModel) []string {
		return []string{fmt.Sprintf("numFeatures=%d", len(m.low)), "min", "max"}
	}),
	"originalMin": ml.Getter(func(m *MinMaxScalerModel) any { return ml.Compressed(m.low) }),
	"originalMax": ml.Getter(func(m *MinMaxScalerModel) any { return ml.Compressed(m.high) }),
}

func (m *MinMaxScalerModel) Attr(ctx context.Context, name string, args []any) (any, error) {
	return minMaxAttrs.Call(ctx, m, m.Spec().Class, name, args)
}

func (m *MinMaxScalerModel) Summary() ml.Summary { return nil }
func (m *MinMaxScalerModel) SizeBytes() int64    { return int64(256 + 16*len(m.low)) }
func (m *MinMaxScalerModel) WithParams(p *ml.Params) ml.Model {
	return &MinMaxScalerModel{m.With(p), m.low, m.high}
}

// Save writes both vectors as Spark does.
func (m *MinMaxScalerModel) Save(dir string) (map[string]any, error) {
	return nil, ml.WriteRows(dir, "data", vectorsSchema("originalMin", "originalMax"), []any{ml.Compressed(m.low), ml.Compressed(m.high)})
}

func loadMinMaxModel(dir string, meta ml.Metadata) (ml.Operator, error) {
	b, v, err := loadVectors(dir, minMaxModelSpec, meta, "originalMin", "originalMax")
	if err != nil {
		return nil, err
	}
	return &MinMaxScalerModel{b, v[0], v[1]}, nil
}
