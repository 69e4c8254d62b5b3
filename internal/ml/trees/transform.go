package trees

import (
	"context"
	"fmt"
	"math"

	"github.com/apache/arrow-go/v18/arrow"

	"github.com/millpond/millpond/internal/ml"
	"github.com/millpond/millpond/internal/sparkerr"
	"github.com/millpond/millpond/internal/types"
)

// Bind resolves the model against a schema.
func (m *Model) Bind(in types.Struct) (*ml.Transform, error) {
	if _, err := m.TransformSchema(in); err != nil {
		return nil, err
	}
	thresholds, err := m.thresholds("transform")
	if err != nil {
		return nil, err
	}
	return m.transform(thresholds, m.outputs()), nil
}

// transform makes some of the model's columns.
func (m *Model) transform(thresholds []float64, fields []types.Field) *ml.Transform {
	w := &writer{m: m, thresholds: thresholds}
	for _, f := range fields {
		w.columns = append(w.columns, m.columnOf(f.Name))
	}
	return &ml.Transform{Inputs: []string{m.Params().String("featuresCol")}, Outputs: fields, Apply: w.apply,
		Only: func(want []bool) *ml.Transform { return m.transform(thresholds, ml.Wanted(fields, want)) }}
}

// thresholds gives the thresholds to predict with, nil if there are none.
func (m *Model) thresholds(call string) ([]float64, error) {
	if !m.kind.Classifier || !m.Params().IsDefined("thresholds") {
		return nil, nil
	}
	t := m.Params().Doubles("thresholds")
	if len(t) != m.Classes {
		return nil, sparkerr.Require("%s.%s() called with non-matching numClasses and thresholds.length. numClasses=%d, but thresholds has length %d",
			m.Spec().ShortName(), call, m.Classes, len(t))
	}
	return t, nil
}

// column is one of the columns a model makes.
type column int

const (
	rawColumn column = iota
	probabilityColumn
	predictionColumn
	varianceColumn
	leafColumn
)

func (m *Model) columnOf(name string) column {
	for c, param := range map[column]string{rawColumn: "rawPredictionCol", probabilityColumn: "probabilityCol",
		varianceColumn: "varianceCol", leafColumn: "leafCol"} {
		if m.Params().String(param) == name {
			return c
		}
	}
	return predictionColumn
}

// writer makes output columns; it is shared by goroutines and holds nothing of a batch.
type writer struct {
	m          *Model
	thresholds []float64
	columns    []column
}

// result holds one batch's output as it is made.
type result struct {
	raw, probability, leaf        []float64 // row-major
	prediction, variance, scratch []float64
	leafWidth                     int
}

func (w *writer) apply(ctx context.Context, in []arrow.Array, n int) ([]arrow.Array, []bool, error) {
	r, err := w.fill(ctx, in[0], n)
	if err != nil {
		return nil, nil, err
	}
	return w.arrays(r, n), nil, nil
}

// fill predicts a batch.
func (w *writer) fill(ctx context.Context, features arrow.Array, n int) (*result, error) {
	v, err := ml.NewVectorView(features)
	if err != nil {
		return nil, err
	}
	r := w.room(n)
	row := make([]float64, 0, w.m.Features)
	for i := range n {
		if i&4095 == 0 && ctx.Err() != nil {
			return nil, ctx.Err()
		}
		if v.IsNull(i) {
			return nil, w.failed("java.lang.NullPointerException")
		}
		x := v.Values(i)
		if !v.Dense(i) {
			row = grow(row, v.Size(i))
			v.CopyTo(i, row)
			x = row
		}
		if len(x) < w.m.Features {
			if f := w.m.missing(x); f >= 0 {
				return nil, w.failed(fmt.Sprintf("java.lang.ArrayIndexOutOfBoundsException: Index %d out of bounds for length %d", f, len(x)))
			}
		}
		w.row(r, i, x)
	}
	return r, nil
}

func (w *writer) arrays(r *result, n int) []arrow.Array {
	out := make([]arrow.Array, len(w.columns))
	for k, c := range w.columns {
		switch c {
		case rawColumn:
			out[k] = vectors(r.raw, w.m.Classes, n)
		case probabilityColumn:
			out[k] = vectors(r.probability, w.m.Classes, n)
		case predictionColumn:
			out[k] = ml.NumberColumn(r.prediction)
		case varianceColumn:
			out[k] = ml.NumberColumn(r.variance)
		case leafColumn:
			if w.m.kind.Child == "" {
				out[k] = ml.NumberColumn(r.leaf)
			} else {
				out[k] = vectors(r.leaf, len(w.m.Trees), n)
			}
		}
	}
	return out
}

func grow(s []float64, n int) []float64 {
	if cap(s) < n {
		return make([]float64, n)
	}
	return s[:n]
}

func (w *writer) room(n int) *result {
	r := &result{scratch: make([]float64, w.m.Classes)}
	for _, c := range w.columns {
		switch c {
		case rawColumn:
			r.raw = make([]float64, n*w.m.Classes)
		case probabilityColumn:
			r.probability = make([]float64, n*w.m.Classes)
		case predictionColumn:
			r.prediction = make([]float64, n)
		case varianceColumn:
			r.variance = make([]float64, n)
		case leafColumn:
			r.leafWidth = len(w.m.Trees)
			r.leaf = make([]float64, n*r.leafWidth)
		}
	}
	return r
}

func (w *writer) row(r *result, i int, x []float64) {
	m := w.m
	if m.kind.Classifier {
		w.classify(r, i, x)
	} else if r.prediction != nil {
		r.prediction[i] = m.kind.Predict(m, x)
	}
	if r.variance != nil {
		t := m.Trees[0]
		n := &t.Nodes[t.Find(x)]
		r.variance[i] = Variance(n.Stats)
	}
	for k := range r.leafWidth {
		t := m.Trees[k]
		r.leaf[i*r.leafWidth+k] = float64(t.LeafIndex(t.Find(x)))
	}
}

func (w *writer) classify(r *result, i int, x []float64) {
	k := w.m.Classes
	raw := r.scratch
	if r.raw == nil && r.probability == nil && r.prediction == nil {
		return
	}
	w.m.kind.Raw(w.m, x, raw)
	if r.raw != nil {
		copy(r.raw[i*k:], raw)
	}
	if r.prediction != nil && w.thresholds == nil {
		r.prediction[i] = float64(argmax(raw))
	}
	if r.probability != nil || r.prediction != nil && w.thresholds != nil {
		w.m.kind.ToProbability(raw)
	}
	if r.probability != nil {
		copy(r.probability[i*k:], raw)
	}
	if r.prediction != nil && w.thresholds != nil {
		r.prediction[i] = float64(Decide(raw, w.thresholds))
	}
}

// Decide gives the class whose probability is largest beside its threshold.
func Decide(probability, thresholds []float64) int {
	best, most := 0, math.Inf(-1)
	for k, p := range probability {
		s := p / thresholds[k]
		if thresholds[k] == 0 {
			s = math.Inf(1)
		}
		if s > most {
			best, most = k, s
		}
	}
	return best
}

func argmax(v []float64) int {
	best := 0
	for i, x := range v {
		if x > v[best] {
			best = i
		}
	}
	return best
}

// Variance is the variance of a regression node's labels.
func Variance(stats []float64) float64 {
	if stats[0] == 0 {
		return 0
	}
	return (stats[2] - stats[1]*stats[1]/stats[0]) / stats[0]
}

// missing gives the first feature the trees look at that the row is too short for, or -1.
func (m *Model) missing(row []float64) int {
	for _, t := range m.Trees {
		if f := t.Missing(row); f >= 0 {
			return f
		}
	}
	return -1
}

func (w *writer) failed(cause string) error {
	if w.m.kind.Classifier {
		return ml.UDFError("ProbabilisticClassificationModel", "("+ml.VectorSQL+") => "+ml.VectorSQL, cause)
	}
	return ml.UDFError(w.m.Spec().ShortName(), "("+ml.VectorSQL+") => double", cause)
}

// vectors makes a column of n dense vectors of the given width.
func vectors(values []float64, width, n int) arrow.Array {
	b := ml.NewVectorBuilder(n, width)
	for i := range n {
		b.Dense(values[i*width : (i+1)*width])
	}
	return b.Array()
}
