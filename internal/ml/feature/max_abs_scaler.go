package feature

import (
	"context"
	"fmt"
	"math"

	"github.com/millpond/millpond/internal/ml"
	"github.com/millpond/millpond/internal/types"
)

// MaxAbsScaler learns each feature's greatest absolute value.
type MaxAbsScaler struct{ ml.Base }

// MaxAbsScalerModel divides features by it.
type MaxAbsScalerModel struct {
	ml.Base
	maxAbs []float64
}

var maxAbsParams = []ml.Param{ml.InputColParam(), ml.OutputColParam()}

var maxAbsSpec = ml.Register(&ml.Spec{Class: pkg + "MaxAbsScaler", Kind: ml.KindEstimator, Params: maxAbsParams})

var maxAbsModelSpec = ml.Register(&ml.Spec{Class: pkg + "MaxAbsScalerModel", Kind: ml.KindModel, Params: maxAbsParams})

func init() {
	maxAbsModelSpec.Load = loadMaxAbsModel
	maxAbsSpec.New = func(uid string, p *ml.Params) ml.Operator { return &MaxAbsScaler{ml.NewBase(maxAbsSpec, uid, p)} }
}

func (e *MaxAbsScaler) TransformSchema(in types.Struct) (types.Struct, error) {
	return scalerSchema(&e.Base, in, -1)
}

func (e *MaxAbsScaler) Fit(ctx context.Context, data ml.Frame) (ml.Model, error) {
	if _, err := e.TransformSchema(data.Schema()); err != nil {
		return nil, err
	}
	s, err := summarize(ctx, data, e.Params().String("inputCol"))
	if err != nil {
		return nil, err
	}
	lo, hi := s.Min(), s.Max()
	out := make([]float64, len(lo))
	for j := range out {
		out[j] = math.Max(math.Abs(lo[j]), math.Abs(hi[j]))
	}
	return &MaxAbsScalerModel{e.ForModel(maxAbsModelSpec), out}, nil
}

func (m *MaxAbsScalerModel) TransformSchema(in types.Struct) (types.Struct, error) {
	return scalerSchema(&m.Base, in, len(m.maxAbs))
}

func (m *MaxAbsScalerModel) Bind(in types.Struct) (*ml.Transform, error) {
	if _, err := m.TransformSchema(in); err != nil {
		return nil, err
	}
	scale := make([]float64, len(m.maxAbs))
	for j, x := range m.maxAbs {
		if scale[j] = 1; x != 0 {
			scale[j] = 1 / x
		}
	}
	return scaled("StandardScalerModel$", &m.Base, len(scale), nil, scale), nil
}

var maxAbsAttrs = ml.AttrTable[*MaxAbsScalerModel]{
	"toString": ml.Text(func(m *MaxAbsScalerModel) []string { return []string{fmt.Sprintf("numFeatures=%d", len(m.maxAbs))} }),
	"maxAbs":   ml.Getter(func(m *MaxAbsScalerModel) any { return ml.Compressed(m.maxAbs) }),
}

func (m *MaxAbsScalerModel) Attr(ctx context.Context, name string, args []any) (any, error) {
	return maxAbsAttrs.Call(ctx, m, m.Spec().Class, name, args)
}

func (m *MaxAbsScalerModel) Summary() ml.Summary { return nil }
func (m *MaxAbsScalerModel) SizeBytes() int64    { return int64(256 + 8*len(m.maxAbs)) }
func (m *MaxAbsScalerModel) WithParams(p *ml.Params) ml.Model {
	return &MaxAbsScalerModel{m.With(p), m.maxAbs}
}

// Save writes the vector as Spark does.
func (m *MaxAbsScalerModel) Save(dir string) (map[string]any, error) {
	return nil, ml.WriteRows(dir, "data", vectorsSchema("maxAbs"), []any{ml.Compressed(m.maxAbs)})
}

func loadMaxAbsModel(dir string, meta ml.Metadata) (ml.Operator, error) {
	b, v, err := loadVectors(dir, maxAbsModelSpec, meta, "maxAbs")
	if err != nil {
		return nil, err
	}
	return &MaxAbsScalerModel{b, v[0]}, nil
}
