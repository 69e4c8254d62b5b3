package feature

import (
	"context"
	"fmt"
	"math"

	"github.com/millpond/millpond/internal/kernel/quantile"
	"github.com/millpond/millpond/internal/ml"
	"github.com/millpond/millpond/internal/sparkerr"
	"github.com/millpond/millpond/internal/types"
)

// RobustScaler learns each feature's median and the range between two quantiles.
type RobustScaler struct{ ml.Base }

// RobustScalerModel divides features by that range and, if asked, takes away the median.
type RobustScalerModel struct {
	ml.Base
	span, median []float64
}

var robustParams = []ml.Param{ml.InputColParam(), ml.OutputColParam(),
	{Name: "lower", Doc: "Lower quantile to calculate quantile range", Type: ml.ParamDouble, Default: 0.25, Check: func(v any) bool { f := v.(float64); return f > 0 && f < 1 }},
	{Name: "upper", Doc: "Upper quantile to calculate quantile range", Type: ml.ParamDouble, Default: 0.75, Check: func(v any) bool { f := v.(float64); return f > 0 && f < 1 }},
	{Name: "withCentering", Doc: "Whether to center data with median", Type: ml.ParamBool, Default: false},
	{Name: "withScaling", Doc: "Whether to scale the data to quantile range", Type: ml.ParamBool, Default: true},
	{Name: "relativeError", Doc: "the relative target precision for the approximate quantile algorithm. Must be in the range [0, 1]", Type: ml.ParamDouble, Default: 0.001, Check: ml.InRange(0, 1)}}

var robustSpec = ml.Register(&ml.Spec{Class: pkg + "RobustScaler", Kind: ml.KindEstimator, Params: robustParams})

var robustModelSpec = ml.Register(&ml.Spec{Class: pkg + "RobustScalerModel", Kind: ml.KindModel, Params: robustParams})

func init() {
	robustModelSpec.Load = loadRobustModel
	robustSpec.New = func(uid string, p *ml.Params) ml.Operator { return &RobustScaler{ml.NewBase(robustSpec, uid, p)} }
}

func robustSchema(b *ml.Base, in types.Struct, size int) (types.Struct, error) {
	if lo, hi := b.Params().Double("lower"), b.Params().Double("upper"); !(lo < hi) {
		return in, sparkerr.Require("The specified lower quantile(%s) is larger or equal to upper quantile(%s)", ml.FormatDouble(lo), ml.FormatDouble(hi))
	}
	return scalerSchema(b, in, size)
}

func (e *RobustScaler) TransformSchema(in types.Struct) (types.Struct, error) {
	return robustSchema(&e.Base, in, -1)
}

// Fit keeps a quantile summary of every feature.
func (e *RobustScaler) Fit(ctx context.Context, data ml.Frame) (ml.Model, error) {
	if _, err := e.TransformSchema(data.Schema()); err != nil {
		return nil, err
	}
	p := e.Params()
	rows, _, err := ml.LoadVectors(ctx, data, p.String("inputCol"))
	if err != nil {
		return nil, err
	}
	if rows.N == 0 {
		return nil, sparkerr.Plain("java.util.NoSuchElementException", "head of empty array")
	}
	m := &RobustScalerModel{Base: e.ForModel(robustModelSpec), span: make([]float64, rows.D), median: make([]float64, rows.D)}
	columns := make([]*quantile.Summary, rows.D)
	for j := range columns {
		columns[j] = quantile.New(p.Double("relativeError"))
	}
	row := make([]float64, rows.D)
	for i := range rows.N {
		clear(row)
		rows.AddTo(i, 1, row)
		for j, x := range row {
			if !math.IsNaN(x) { // as quantiles of columns pass over them
				columns[j].Insert(x)
			}
		}
	}
	for j, s := range columns {
		q := s.Query(p.Double("lower"), 0.5, p.Double("upper"))
		m.span[j], m.median[j] = q[2]-q[0], q[1]
	}
	return m, nil
}

func (m *RobustScalerModel) TransformSchema(in types.Struct) (types.Struct, error) {
	return robustSchema(&m.Base, in, len(m.span))
}

func (m *RobustScalerModel) Bind(in types.Struct) (*ml.Transform, error) {
	if _, err := m.TransformSchema(in); err != nil {
		return nil, err
	}
	var shift, scale []float64
	if m.Params().Bool("withScaling") {
		scale = inverses(m.span)
	}
	if m.Params().Bool("withCentering") {
		shift = m.median
	}
	return scaled("StandardScalerModel$", &m.Base, len(m.span), shift, scale), nil
}

var robustAttrs = ml.AttrTable[*RobustScalerModel]{
	"toString": ml.Text(func(m *RobustScalerModel) []string {
		return []string{fmt.Sprintf("numFeatures=%d", len(m.median)), "withCentering", "withScaling"}
	}),
	"median": ml.Getter(func(m *RobustScalerModel) any { return ml.Compressed(m.median) }),
	"range":  ml.Getter(func(m *RobustScalerModel) any { return ml.Compressed(m.span) }),
}

func (m *RobustScalerModel) Attr(ctx context.Context, name string, args []any) (any, error) {
	return robustAttrs.Call(ctx, m, m.Spec().Class, name, args)
}

func (m *RobustScalerModel) Summary() ml.Summary { return nil }
func (m *RobustScalerModel) SizeBytes() int64    { return int64(256 + 16*len(m.span)) }
func (m *RobustScalerModel) WithParams(p *ml.Params) ml.Model {
	return &RobustScalerModel{m.With(p), m.span, m.median}
}

// Save writes both vectors as Spark does.
func (m *RobustScalerModel) Save(dir string) (map[string]any, error) {
	return nil, ml.WriteRows(dir, "data", vectorsSchema("range", "median"), []any{ml.Compressed(m.span), ml.Compressed(m.median)})
}

func loadRobustModel(dir string, meta ml.Metadata) (ml.Operator, error) {
	b, v, err := loadVectors(dir, robustModelSpec, meta, "range", "median")
	if err != nil {
		return nil, err
	}
	return &RobustScalerModel{b, v[0], v[1]}, nil
}
