package feature

import (
	"context"
	"fmt"

	"github.com/millpond/millpond/internal/ml"
	"github.com/millpond/millpond/internal/sparkerr"
	"github.com/millpond/millpond/internal/types"
)

// StandardScaler learns each feature's mean and standard deviation.
type StandardScaler struct{ ml.Base }

// StandardScalerModel brings features to unit deviation and, if asked, zero mean.
type StandardScalerModel struct {
	ml.Base
	std, mean []float64
}

var standardScalerParams = []ml.Param{ml.InputColParam(), ml.OutputColParam(),
	{Name: "withMean", Doc: "Whether to center data with mean", Type: ml.ParamBool, Default: false},
	{Name: "withStd", Doc: "Whether to scale the data to unit standard deviation", Type: ml.ParamBool, Default: true}}

var standardScalerSpec = ml.Register(&ml.Spec{Class: pkg + "StandardScaler", Kind: ml.KindEstimator, Params: standardScalerParams})

var standardScalerModelSpec = ml.Register(&ml.Spec{Class: pkg + "StandardScalerModel", Kind: ml.KindModel,
	Params: standardScalerParams})

func init() {
	standardScalerModelSpec.Load = loadStandardScalerModel
	standardScalerSpec.New = func(uid string, p *ml.Params) ml.Operator {
		return &StandardScaler{ml.NewBase(standardScalerSpec, uid, p)}
	}
}

func (e *StandardScaler) TransformSchema(in types.Struct) (types.Struct, error) {
	inCol, outCol := e.InOut()
	if err := checkVectorInOut(in, inCol, outCol); err != nil {
		return in, err
	}
	return vectorField(in, outCol, -1), nil
}

func (e *StandardScaler) Fit(ctx context.Context, data ml.Frame) (ml.Model, error) {
	if _, err := e.TransformSchema(data.Schema()); err != nil {
		return nil, err
	}
	s, err := summarize(ctx, data, e.Params().String("inputCol"))
	if err != nil {
		return nil, err
	}
	return &StandardScalerModel{e.ForModel(standardScalerModelSpec), s.Std(), s.Mean()}, nil
}

func (m *StandardScalerModel) TransformSchema(in types.Struct) (types.Struct, error) {
	inCol, outCol := m.InOut()
	if err := checkVectorInOut(in, inCol, outCol); err != nil {
		return in, err
	}
	if g := ml.GroupOf(in.Fields[in.Index(inCol)]); g.Size >= 0 && g.Size != len(m.mean) {
		return in, wrongSize(inCol, g.Size, len(m.mean))
	}
	return vectorField(in, outCol, len(m.mean)), nil
}

func wrongSize(column string, got, want int) error {
	return sparkerr.Require("The vector column %s has size %d, but the model was fitted on vectors of size %d.", column, got, want)
}

func (m *StandardScalerModel) Bind(in types.Struct) (*ml.Transform, error) {
	if _, err := m.TransformSchema(in); err != nil {
		return nil, err
	}
	var shift, scale []float64
	if m.Params().Bool("withStd") {
		scale = inverses(m.std)
	}
	if m.Params().Bool("withMean") {
		shift = m.mean
	}
	return scaled("StandardScalerModel$", &m.Base, len(m.mean), shift, scale), nil
}

// inverses gives 1/x of each x but zero, which stays.
func inverses(v []float64) []float64 {
	out := make([]float64, len(v))
	for i, x := range v {
		if x != 0 {
			out[i] = 1 / x
		}
	}
	return out
}

var standardScalerAttrs = ml.AttrTable[*StandardScalerModel]{
	"toString": ml.Text(func(m *StandardScalerModel) []string {
		return []string{fmt.Sprintf("numFeatures=%d", len(m.mean)), "withMean", "withStd"}
	}),
	"mean": ml.Getter(func(m *StandardScalerModel) any { return ml.Compressed(m.mean) }),
	"std":  ml.Getter(func(m *StandardScalerModel) any { return ml.Compressed(m.std) }),
}

func (m *StandardScalerModel) Attr(ctx context.Context, name string, args []any) (any, error) {
	return standardScalerAttrs.Call(ctx, m, m.Spec().Class, name, args)
}

func (m *StandardScalerModel) Summary() ml.Summary { return nil }
func (m *StandardScalerModel) SizeBytes() int64    { return int64(256 + 16*len(m.std)) }
func (m *StandardScalerModel) WithParams(p *ml.Params) ml.Model {
	return &StandardScalerModel{m.With(p), m.std, m.mean}
}

// vectorsSchema is a row of vectors, as most scalers are saved.
func vectorsSchema(names ...string) types.Struct {
	s := types.Struct{}
	for _, n := range names {
		s.Fields = append(s.Fields, types.Field{Name: n, Type: types.Vector, Nullable: true})
	}
	return s
}

// loadVectors reads a model that is a row of vectors.
func loadVectors(dir string, spec *ml.Spec, meta ml.Metadata, names ...string) (ml.Base, [][]float64, error) {
	b, err := meta.Base(spec)
	if err != nil {
		return b, nil, err
	}
	t, err := ml.ReadTable(dir, "data")
	if err != nil {
		return b, nil, err
	}
	out := make([][]float64, len(names))
	for k, n := range names {
		v, err := ml.Read[ml.Vector](t, n, 0)
		if err != nil {
			return b, nil, err
		}
		out[k] = v.Array()
		if len(out[k]) != len(out[0]) {
			return b, nil, wrongSize(n, len(out[k]), len(out[0]))
		}
	}
	return b, out, nil
}

// Save writes both vectors as Spark does.
func (m *StandardScalerModel) Save(dir string) (map[string]any, error) {
	return nil, ml.WriteRows(dir, "data", vectorsSchema("std", "mean"), []any{ml.Compressed(m.std), ml.Compressed(m.mean)})
}

func loadStandardScalerModel(dir string, meta ml.Metadata) (ml.Operator, error) {
	b, v, err := loadVectors(dir, standardScalerModelSpec, meta, "std", "mean")
	if err != nil {
		return nil, err
	}
	return &StandardScalerModel{b, v[0], v[1]}, nil
}
