package ml

import (
	"context"
	"slices"
	"strings"

	"github.com/millpond/millpond/internal/kernel/linalg"
	"github.com/millpond/millpond/internal/sparkerr"
	"github.com/millpond/millpond/internal/types"
)

// Instances is a frame's training data in the kernels' layout. It is shared between fits and
// must not be changed.
type Instances struct {
	Rows    linalg.Rows
	Labels  []float64
	Weights []float64 // nil if all are 1
}

// LabelKind says what an estimator demands of its labels.
type LabelKind int

const (
	RealLabels  LabelKind = iota // finite numbers
	ClassLabels                  // whole numbers from 0
	NoLabels
)

// denseShare is the share of nonzero values above which rows are kept densely.
const denseShare = 0.4

// sampleRows is how many rows decide between dense and sparse.
const sampleRows = 1024

// LoadInstances reads the columns into the training layout, once per frame (see Frame.Memo),
// refusing nulls, NaN and infinities as Spark does. label is ignored with NoLabels; weight may
// be "". A frame without rows gives Rows.N == 0.
func LoadInstances(ctx context.Context, data Frame, features, label, weight string, kind LabelKind) (*Instances, error) {
	cols := []string{features}
	if kind != NoLabels {
		cols = append(cols, label)
	}
	if weight != "" {
		cols = append(cols, weight)
	}
	key := "instances\x00" + strings.Join(cols, "\x00") + "\x00" + string(rune('0'+kind)) + string(rune('0'+len(cols)))
	limit := 0
	if i := data.Schema().Index(label); kind == ClassLabels && i >= 0 && NumClasses(data.Schema().Fields[i]) == 0 {
		limit = MaxClasses
	}
	v, err := data.Memo(key, func() (any, error) { return readInstances(ctx, data.Select(cols...), kind, weight != "", limit) })
	if err != nil {
		return nil, err
	}
	return v.(*Instances), nil
}

func readInstances(ctx context.Context, data Frame, kind LabelKind, weighted bool, limit int) (*Instances, error) {
	b := &instanceBuilder{kind: kind, weighted: weighted}
	b.in.Rows.Ptr = []int{0}
	for batch, err := range data.Batches(ctx) {
		if err != nil {
			return nil, err
		}
		at := 1
		if kind != NoLabels {
			a := batch.Column(at)
			at++
			values, err := Floats(a)
			if err == nil && kind == RealLabels {
				err = CheckLabels(a, values)
			} else if err == nil {
				err = CheckClasses(a, values, limit)
			}
			if err != nil {
				return nil, err
			}
			b.in.Labels = append(b.in.Labels, values...)
		}
		if weighted {
			a := batch.Column(at)
			values, err := Floats(a)
			if err == nil {
				err = CheckWeights(a, values)
			}
			if err != nil {
				return nil, err
			}
			b.in.Weights = append(b.in.Weights, values...)
		}
		v, err := NewVectorView(batch.Column(0))
		if err != nil {
			return nil, err
		}
		if err := CheckFeatures(v); err != nil {
			return nil, err
		}
		if err := b.add(v); err != nil {
			return nil, err
		}
	}
	if !b.decided {
		b.decide()
	}
	return &b.in, nil
}

type instanceBuilder struct {
	in       Instances
	kind     LabelKind
	weighted bool
	decided  bool
}

// add appends a batch of vectors; the first rows decide the form of all, so that the layout does
// not depend on how rows are cut into batches.
func (b *instanceBuilder) add(v *VectorView) error {
	r := &b.in.Rows
	for i := range v.Len() {
		size := v.Size(i)
		if r.N == 0 {
			r.D = size
		}
		if size != r.D {
			return sparkerr.Require("Dimensions mismatch when adding new sample. Expecting %d but got %d.", r.D, size)
		}
		if r.N == sampleRows {
			b.decide()
		}
		r.N++
		if r.Dense != nil {
			r.Dense = appendDense(r.Dense, v, i, size)
			continue
		}
		appendSparse(r, v, i)
	}
	return nil
}

// appendSparse appends what is not zero of row i.
func appendSparse(r *linalg.Rows, v *VectorView, i int) {
	val, at := v.Values(i), len(r.Val)
	r.Idx, r.Val = reserve(r.Idx, len(val)), reserve(r.Val, len(val))
	toIdx, toVal := r.Idx[at:at+len(val)], r.Val[at:at+len(val)]
	n := 0
	if v.Dense(i) {
		for j, x := range val {
			if x != 0 {
				toIdx[n], toVal[n] = int32(j), x
				n++
			}
		}
	} else {
		for k, j := range v.Indices(i)[:len(val)] {
			if x := val[k]; x != 0 {
				toIdx[n], toVal[n] = j, x
				n++
			}
		}
	}
	r.Idx, r.Val = r.Idx[:at+n], r.Val[:at+n]
	r.Ptr = append(reserve(r.Ptr, 1), len(r.Val))
}

// reserve makes room for n more. Room is doubled, so that no row is copied often.
func reserve[T any](s []T, n int) []T {
	if cap(s)-len(s) >= n {
		return s
	}
	return slices.Grow(s, max(n, len(s)))
}

func appendDense(dst []float64, v *VectorView, i, size int) []float64 {
	dst = reserve(dst, size)
	if v.Dense(i) {
		return append(dst, v.Values(i)...)
	}
	at := len(dst)
	dst = dst[:at+size]
	clear(dst[at:])
	val := v.Values(i)
	for k, j := range v.Indices(i) {
		dst[at+int(j)] = val[k]
	}
	return dst
}

func (b *instanceBuilder) decide() {
	if b.decided {
		return
	}
	b.decided = true
	r := &b.in.Rows
	if float64(len(r.Val)) < denseShare*float64(r.N*r.D) || r.N == 0 {
		return
	}
	dense := make([]float64, r.N*r.D)
	for i := range r.N {
		idx, val := r.SparseRow(i)
		for k, j := range idx {
			dense[i*r.D+int(j)] = val[k]
		}
	}
	r.Dense, r.Ptr, r.Idx, r.Val = dense, nil, nil, nil
}

// WeightSum is the sum of all weights.
func (in *Instances) WeightSum() float64 {
	if in.Weights == nil {
		return float64(in.Rows.N)
	}
	s := 0.0
	for _, w := range in.Weights {
		s += w
	}
	return s
}

// Weight is the weight of row i.
func (in *Instances) Weight(i int) float64 {
	if in.Weights == nil {
		return 1
	}
	return in.Weights[i]
}

// CheckPredictor is what every predictor's estimator checks: features, label and weight columns.
func CheckPredictor(in types.Struct, p *Params, fitting bool) error {
	if err := CheckVector(in, p.String("featuresCol")); err != nil {
		return err
	}
	if !fitting {
		return nil
	}
	if err := CheckNumeric(in, p.String("labelCol")); err != nil {
		return err
	}
	if w := p.String("weightCol"); w != "" {
		return CheckNumeric(in, w)
	}
	return nil
}
