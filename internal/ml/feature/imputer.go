package feature

import (
	"context"
	"fmt"
	"math"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"
	"github.com/apache/arrow-go/v18/arrow/decimal128"
	"github.com/apache/arrow-go/v18/arrow/memory"

	"github.com/millpond/millpond/internal/kernel/quantile"
	"github.com/millpond/millpond/internal/ml"
	"github.com/millpond/millpond/internal/sparkerr"
	"github.com/millpond/millpond/internal/types"
)

// Imputer finds a value to stand for what is missing in numeric columns.
type Imputer struct{ ml.Base }

// ImputerModel replaces nulls and missing values by the values found.
type ImputerModel struct {
	ml.Base
	columns    []string // as fitted: the surrogates' names
	surrogates []float64
}

var imputerParams = []ml.Param{ml.InputColParam(), ml.OutputColParam(), ml.InputColsParam(), ml.OutputColsParam(),
	{Name: "strategy", Doc: "strategy for imputation. If mean, then replace missing values using the mean value of the feature. If median, then replace missing values using the median value of the feature. If mode, then replace missing using the most frequent value of the feature.",
		Type: ml.ParamString, Default: "mean", Check: ml.OneOf("mean", "median", "mode")},
	{Name: "missingValue", Doc: "The placeholder for the missing values. All occurrences of missingValue will be imputed.", Type: ml.ParamDouble, Default: math.NaN()},
	{Name: "relativeError", Doc: "the relative target precision for the approximate quantile algorithm. Must be in the range [0, 1]", Type: ml.ParamDouble, Default: 0.001, Check: ml.InRange(0, 1)}}

var imputerSpec = ml.Register(&ml.Spec{Class: pkg + "Imputer", Kind: ml.KindEstimator, Params: imputerParams})

var imputerModelSpec = ml.Register(&ml.Spec{Class: pkg + "ImputerModel", Kind: ml.KindModel,
	Params: imputerParams})

func init() {
	imputerModelSpec.Load = loadImputerModel
	imputerSpec.New = func(uid string, p *ml.Params) ml.Operator { return &Imputer{ml.NewBase(imputerSpec, uid, p)} }
}

func imputerSchema(op ml.Operator, in types.Struct) (types.Struct, error) {
	if err := checkSingleVsMulti(op, []string{"outputCol"}, []string{"outputCols"}); err != nil {
		return in, err
	}
	ins, outs := inOutCols(op)
	if err := distinct("inputCols", ins); err != nil {
		return in, err
	}
	if err := distinct("outputCols", outs); err != nil {
		return in, err
	}
	if len(ins) != len(outs) {
		return in, sparkerr.Require("inputCols(%d) and outputCols(%d) should have the same length", len(ins), len(outs))
	}
	out := in
	for k, name := range ins {
		if err := ml.CheckNumeric(in, name); err != nil {
			return in, err
		}
		f := in.Fields[in.Index(name)]
		out = ml.WithFields(out, types.Field{Name: outs[k], Type: f.Type, Nullable: true})
	}
	return out, nil
}

func distinct(param string, names []string) error {
	seen := map[string]bool{}
	for _, n := range names {
		if seen[n] {
			return sparkerr.Require("%s contains duplicates: (%s)", param, join(names))
		}
		seen[n] = true
	}
	return nil
}

func (e *Imputer) TransformSchema(in types.Struct) (types.Struct, error) { return imputerSchema(e, in) }

// Fit finds every column's surrogate in one pass.
func (e *Imputer) Fit(ctx context.Context, data ml.Frame) (ml.Model, error) {
	if _, err := e.TransformSchema(data.Schema()); err != nil {
		return nil, err
	}
	ins, _ := inOutCols(e)
	p, rows := e.Params(), data.Select(ins...)
	key := fmt.Sprint("surrogates ", p.String("strategy"), p.Double("relativeError"), p.Double("missingValue"))
	surrogates, err := ml.Recall(rows, key, func() ([]float64, error) { return e.surrogates(ctx, rows, ins) })
	if err != nil {
		return nil, err
	}
	return &ImputerModel{Base: e.ForModel(imputerModelSpec), columns: ins, surrogates: surrogates}, nil
}

func (e *Imputer) surrogates(ctx context.Context, data ml.Frame, columns []string) ([]float64, error) {
	missing := e.Params().Double("missingValue")
	stats := make([]imputing, len(columns))
	for k := range stats {
		stats[k] = newImputing(e.Params().String("strategy"), e.Params().Double("relativeError"))
	}
	for batch, err := range data.Batches(ctx) {
		if err != nil {
			return nil, err
		}
		for k := range columns {
			if err := stats[k].addAll(batch.Column(k), missing); err != nil {
				return nil, err
			}
		}
	}
	out := make([]float64, len(columns))
	for k, name := range columns {
		var ok bool
		if out[k], ok = stats[k].surrogate(); !ok {
			return nil, sparkerr.Plain(sparkerr.ClassSpark, "surrogate cannot be computed. All the values in %s are Null, Nan or missingValue(%s)", name, ml.FormatDouble(missing))
		}
	}
	return out, nil
}

// imputing gathers one column's present values.
type imputing struct {
	sum, n   float64
	quantile *quantile.Summary
	counts   map[float64]int64
}

func newImputing(strategy string, relativeError float64) imputing {
	switch strategy {
	case "median":
		return imputing{quantile: quantile.New(relativeError)}
	case "mode":
		return imputing{counts: map[float64]int64{}}
	}
	return imputing{}
}

// addAll adds the values of a column that are there.
func (s *imputing) addAll(a arrow.Array, missing float64) error {
	values, err := ml.Floats(a)
	if err != nil {
		return err
	}
	nulls := a.NullN() > 0
	for i, x := range values {
		if !math.IsNaN(x) && x != missing && !(nulls && a.IsNull(i)) {
			s.add(x)
		}
	}
	return nil
}

func (s *imputing) add(x float64) {
	s.n++
	switch {
	case s.quantile != nil:
		s.quantile.Insert(x)
	case s.counts != nil:
		s.counts[x]++
	default:
		s.sum += x
	}
}

func (s *imputing) surrogate() (float64, bool) {
	if s.n == 0 {
		return 0, false
	}
	switch {
	case s.quantile != nil:
		return s.quantile.Query(0.5)[0], true
	case s.counts != nil:
		best, most := 0.0, int64(0)
		for x, n := range s.counts {
			if n > most || n == most && x < best {
				best, most = x, n
			}
		}
		return best, true
	}
	return s.sum / s.n, true
}

func (m *ImputerModel) TransformSchema(in types.Struct) (types.Struct, error) {
	return imputerSchema(m, in)
}

func (m *ImputerModel) Bind(in types.Struct) (*ml.Transform, error) {
	out, err := m.TransformSchema(in)
	if err != nil {
		return nil, err
	}
	ins, outs := inOutCols(m)
	surrogates := make([]float64, len(ins))
	for k, name := range ins {
		found := false
		for j, c := range m.columns {
			if c == name {
				surrogates[k], found = m.surrogates[j], true
			}
		}
		if !found {
			return nil, sparkerr.Require("cannot find the surrogate of column %s", name)
		}
	}
	t := &ml.Transform{Inputs: ins}
	for _, name := range outs {
		t.Outputs = append(t.Outputs, out.Fields[out.Index(name)])
	}
	missing := m.Params().Double("missingValue")
	t.Apply = func(ctx context.Context, cols []arrow.Array, n int) ([]arrow.Array, []bool, error) {
		result := make([]arrow.Array, len(cols))
		for k, a := range cols {
			filled, err := fill(a, missing, surrogates[k])
			if err != nil {
				return nil, nil, err
			}
			result[k] = filled
		}
		return result, nil, ctx.Err()
	}
	return t, nil
}

// fill replaces nulls and missing by the surrogate, cast to the column's type.
func fill(a arrow.Array, missing, with float64) (arrow.Array, error) {
	switch a := a.(type) {
	case *array.Float64:
		return filled(a, a.Float64Values(), missing, with), nil
	case *array.Float32:
		return filled(a, a.Float32Values(), missing, float32(with)), nil
	case *array.Int8:
		return filled(a, a.Int8Values(), missing, int8(with)), nil
	case *array.Int16:
		return filled(a, a.Int16Values(), missing, int16(with)), nil
	case *array.Int32:
		return filled(a, a.Int32Values(), missing, int32(with)), nil
	case *array.Int64:
		return filled(a, a.Int64Values(), missing, int64(with)), nil
	case *array.Decimal128:
		dt := a.DataType().(*arrow.Decimal128Type)
		d, err := decimal128.FromFloat64(with, dt.Precision, dt.Scale)
		if err != nil {
			return nil, fmt.Errorf("surrogate %v does not fit %s: %w", with, dt, err)
		}
		b := array.NewDecimal128Builder(memory.DefaultAllocator, dt)
		for i := range a.Len() {
			if a.IsNull(i) || a.Value(i).ToFloat64(dt.Scale) == missing {
				b.Append(d)
			} else {
				b.Append(a.Value(i))
			}
		}
		return b.NewArray(), nil
	}
	return nil, fmt.Errorf("column of type %s is not numeric", a.DataType())
}

func filled[T int8 | int16 | int32 | int64 | float32 | float64](a arrow.Array, values []T, missing float64, with T) arrow.Array {
	out := make([]T, len(values))
	nulls, nan := a.NullN() > 0, math.IsNaN(missing)
	for i, x := range values {
		if nulls && a.IsNull(i) || float64(x) == missing || nan && x != x {
			x = with
		}
		out[i] = x
	}
	bytes := arrow.GetBytes(out)
	return array.MakeFromData(array.NewData(a.DataType(), len(out), []*memory.Buffer{nil, memory.NewBufferBytes(bytes)}, nil, 0, 0))
}

var imputerAttrs = ml.AttrTable[*ImputerModel]{
	"toString": ml.Text(func(m *ImputerModel) []string { return []string{"strategy", "missingValue", "inputCols", "outputCols"} }),
	"surrogateDF": func(_ context.Context, m *ImputerModel, _ []any) (any, error) {
		s := m.schemaOnDisk()
		cols := make([]arrow.Array, len(m.surrogates))
		for k, x := range m.surrogates {
			cols[k] = doubles([]float64{x}, nil)
		}
		return ml.FrameOfColumns(s, 1, cols...)
	},
}

func (m *ImputerModel) schemaOnDisk() types.Struct {
	s := types.Struct{}
	for _, c := range m.columns {
		s.Fields = append(s.Fields, types.Field{Name: c, Type: types.Double})
	}
	return s
}

func (m *ImputerModel) Attr(ctx context.Context, name string, args []any) (any, error) {
	return imputerAttrs.Call(ctx, m, m.Spec().Class, name, args)
}

func (m *ImputerModel) Summary() ml.Summary { return nil }
func (m *ImputerModel) SizeBytes() int64    { return int64(256 + 64*len(m.columns)) }
func (m *ImputerModel) WithParams(p *ml.Params) ml.Model {
	return &ImputerModel{m.With(p), m.columns, m.surrogates}
}

// Save writes one row with a column for each surrogate, as Spark does.
func (m *ImputerModel) Save(dir string) (map[string]any, error) {
	row := make([]any, len(m.surrogates))
	for k, x := range m.surrogates {
		row[k] = x
	}
	return nil, ml.WriteRows(dir, "data", m.schemaOnDisk(), row)
}

func loadImputerModel(dir string, meta ml.Metadata) (ml.Operator, error) {
	b, err := meta.Base(imputerModelSpec)
	if err != nil {
		return nil, err
	}
	t, err := ml.ReadTable(dir, "data")
	if err != nil {
		return nil, err
	}
	m := &ImputerModel{Base: b}
	m.columns, _ = inOutCols(m)
	for _, c := range m.columns {
		x, err := ml.Read[float64](t, c, 0)
		if err != nil {
			return nil, err
		}
		m.surrogates = append(m.surrogates, x)
	}
	return m, nil
}
