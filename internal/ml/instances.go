package ml

import (
	"context"
	"errors"
	"strings"
	"sync"

	"github.com/apache/arrow-go/v18/arrow"

	"github.com/millpond/millpond/internal/kernel/linalg"
	"github.com/millpond/millpond/internal/types"
)

// Instances is a frame's training data in the kernels' layout. It is shared between fits and
// must not be changed.
type Instances struct {
	Rows    linalg.Rows
	Labels  []float64
	Weights []float64 // nil if all are 1

	normal func() *linalg.Normal
}

// Normal gives the moments that least squares need, gathered once: fits of a tuning loop share them.
func (in *Instances) Normal() *linalg.Normal { return in.normal() }

// LabelKind says what an estimator demands of its labels.
type LabelKind int

const (
	RealLabels  LabelKind = iota // finite numbers
	ClassLabels                  // whole numbers from 0
	NoLabels
)

// LoadVectors reads a column of vectors into the training layout, once per frame. They may hold NaN
// and infinities; odd says what is wrong with the first that does. A null vector is refused as
// where Spark's own reading of rows meets it.
func LoadVectors(ctx context.Context, data Frame, column string) (rows *linalg.Rows, odd, err error) {
	r, err := loadRows(ctx, data.Select(column))
	if errors.Is(err, errNullVector) {
		err = JobAborted("scala.MatchError: [null] (of class org.apache.spark.sql.catalyst.expressions.GenericRowWithSchema)")
	}
	if err != nil {
		return nil, nil, err
	}
	return &r.Rows, r.odd, nil
}

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
	v, err := data.Memo(key, func() (any, error) { return readInstances(ctx, data, cols, kind, weight != "", limit) })
	if err != nil {
		return nil, err
	}
	return v.(*Instances), nil
}

func readInstances(ctx context.Context, data Frame, cols []string, kind LabelKind, weighted bool, limit int) (*Instances, error) {
	features, in := data.Select(cols[0]), &Instances{}
	read := in.readAtOnce
	if len(cols) == 1 || keepsRows(features) { // fits to other labels share the rows
		rows, err := loadRows(ctx, features)
		if err == nil {
			err = rows.odd
		}
		if err != nil {
			return nil, err
		}
		in.Rows, cols, read = rows.Rows, cols[1:], in.readTargets
	}
	if len(cols) > 0 {
		add := func(targets []arrow.Array) error { return in.addTargets(targets, kind, weighted, limit) }
		if err := read(ctx, data.Select(cols...), add); err != nil {
			return nil, err
		}
	}
	in.normal = sync.OnceValue(func() *linalg.Normal { return linalg.NormalOf(&in.Rows, in.Labels, in.Weights) })
	return in, nil
}

// readTargets reads a frame of labels and weights.
func (in *Instances) readTargets(ctx context.Context, data Frame, add func(targets []arrow.Array) error) error {
	for batch, err := range data.Batches(ctx) {
		if err == nil {
			err = add(batch.Columns())
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// readAtOnce reads a frame of features, labels and weights whose rows may come otherwise next time.
func (in *Instances) readAtOnce(ctx context.Context, data Frame, add func(targets []arrow.Array) error) error {
	var vectors Vectors
	err := in.readTargets(ctx, data, func(cols []arrow.Array) error {
		v, err := NewVectorView(cols[0])
		if err != nil {
			return err
		}
		vectors.Add(v)
		return add(cols[1:])
	})
	if err != nil {
		return err
	}
	rows, err := rowsOf(&vectors)
	if err != nil {
		return err
	}
	in.Rows = rows.Rows
	return rows.odd
}

// keepsRows says whether the frame's rows stay as they are, in their order.
func keepsRows(data Frame) bool {
	k, ok := data.(interface{ KeepsRows() bool })
	return ok && k.KeepsRows()
}

// loadRows reads a frame of a column of vectors, once.
func loadRows(ctx context.Context, data Frame) (*featureRows, error) {
	v, err := data.Memo("rows", func() (any, error) {
		vectors, err := ReadVectors(ctx, data)
		if err != nil {
			return nil, err
		}
		return rowsOf(vectors)
	})
	if err != nil {
		return nil, err
	}
	return v.(*featureRows), nil
}

// addTargets adds a batch's labels and weights.
func (in *Instances) addTargets(cols []arrow.Array, kind LabelKind, weighted bool, limit int) error {
	if kind != NoLabels {
		values, err := Floats(cols[0])
		if err == nil && kind == RealLabels {
			err = CheckLabels(cols[0], values)
		} else if err == nil {
			err = CheckClasses(cols[0], values, limit)
		}
		if err != nil {
			return err
		}
		in.Labels, cols = append(in.Labels, values...), cols[1:]
	}
	if !weighted {
		return nil
	}
	values, err := Floats(cols[0])
	if err == nil {
		err = CheckWeights(cols[0], values)
	}
	in.Weights = append(in.Weights, values...)
	return err
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
