package trees

import (
	"context"
	"errors"
	"fmt"
	"sync"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"

	"github.com/millpond/millpond/internal/kernel/hist"
	"github.com/millpond/millpond/internal/kernel/random"
	"github.com/millpond/millpond/internal/ml"
	"github.com/millpond/millpond/internal/sparkerr"
	"github.com/millpond/millpond/internal/types"
)

// Labels says what a label column may hold.
type Labels int

const (
	AnyLabels    Labels = iota // a regressor's
	ClassLabels                // whole numbers from 0
	BinaryLabels               // 0 and 1
)

// Training is a frame's rows ready for the kernel: binned features, labels, weights.
type Training struct {
	*Binned
	Labels  []float64
	Weights []float64 // nil if there is no weight column
	Classes int       // number of classes of ClassLabels
	// Held-out rows (where the validation column is true), features row-major.
	HeldOut        []float64
	HeldOutLabels  []float64
	HeldOutWeights []float64
}

// Binned is binned features, which fits to other labels share.
type Binned struct {
	Table *hist.Table

	mu     sync.Mutex
	bagKey string
	bag    []uint8
}

// Bag draws the rows of each tree's sample. The last draw is kept: a tuning loop asks for the
// same one again and again.
func (t *Binned) Bag(trees int, rate float64, replacement bool, seed int64) []uint8 {
	key := fmt.Sprint(trees, rate, replacement, seed)
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.bagKey != key {
		t.bag, t.bagKey = random.Bag(t.Table.Rows, trees, rate, replacement, seed), key
	}
	return t.bag
}

// maxClasses is the most classes Spark infers from labels.
const maxClasses = 100

// Load reads the rows that an estimator's parameters name. The result is shared by fits over
// the same cached frame: its slices must not be changed.
func Load(ctx context.Context, data ml.Frame, p *ml.Params, kind Labels) (*Training, error) {
	l := &loader{params: p, kind: kind, weightCol: p.String("weightCol"), validationCol: p.String("validationIndicatorCol")}
	names := []string{p.String("featuresCol"), p.String("labelCol")}
	if l.weightCol != "" {
		names = append(names, l.weightCol)
	}
	if l.validationCol != "" {
		names = append(names, l.validationCol)
	}
	field, err := ml.Column(data.Schema(), names[0])
	if err != nil {
		return nil, err
	}
	if l.arity, err = ml.Arities(field); err != nil {
		return nil, err
	}
	label, err := ml.Column(data.Schema(), names[1])
	if err != nil {
		return nil, err
	}
	l.classes = ml.NumClasses(label)
	key := fmt.Sprintf("trees:%q bins=%d seed=%d labels=%d/%d arity=%v", append(names, l.validationCol), p.Int("maxBins"), p.Long("seed"), kind, l.classes, l.arity)
	v, err := data.Memo(key, func() (any, error) { return l.load(ctx, data.Select(names...)) })
	if err != nil {
		return nil, err
	}
	return v.(*Training), nil
}

type loader struct {
	params                   *ml.Params
	kind                     Labels
	weightCol, validationCol string
	arity                    map[int]int
	classes                  int
	rows                     rows
	out                      Training
}

// rows is a hist.Source over vectors, all of them or the chosen ones.
type rows struct {
	ml.Vectors
	width  int
	chosen []int32
}

func (r *rows) Len() int {
	if r.chosen != nil {
		return len(r.chosen)
	}
	return r.Vectors.Len()
}

func (r *rows) Block(from, to int, dst []float64) {
	if r.chosen != nil {
		for k, row := range r.chosen[from:to] {
			r.block(int(row), int(row)+1, dst[k*r.width:])
		}
		return
	}
	r.block(from, to, dst)
}

func (r *rows) block(from, to int, dst []float64) {
	_ = r.Each(from, to, func(row int, v *ml.VectorView, i int) error { // copying cannot fail
		at := (row - from) * r.width
		v.CopyTo(i, dst[at:at+r.width])
		return nil
	})
}

func (l *loader) load(ctx context.Context, data ml.Frame) (*Training, error) {
	var validation []bool
	for b, err := range data.Batches(ctx) {
		if err != nil {
			return nil, err
		}
		if err := l.batch(b, &validation); err != nil {
			return nil, err
		}
	}
	if l.validationCol != "" {
		l.holdOut(validation)
	}
	n := l.rows.Len()
	if n == 0 {
		if l.kind == ClassLabels && l.classes == 0 {
			return nil, sparkerr.Plain(sparkerr.ClassSpark, "ML algorithm was given empty dataset.")
		}
		return nil, sparkerr.IllegalArgument("DecisionTree requires size of input RDD > 0, but was given by empty one.")
	}
	if l.rows.width == 0 {
		return nil, sparkerr.Require("DecisionTree requires number of features > 0, but was given an empty features vector")
	}
	l.out.Classes = l.classes
	if l.kind == ClassLabels && l.classes == 0 {
		for _, y := range l.out.Labels {
			l.out.Classes = max(l.out.Classes, int(y)+1)
		}
	}
	if l.weightCol != "" || l.validationCol != "" {
		var err error
		l.out.Binned, err = l.bin()
		return &l.out, err
	}
	key := fmt.Sprintf("bins:%d seed=%d arity=%v", l.params.Int("maxBins"), l.params.Long("seed"), l.arity)
	v, err := data.Select(l.params.String("featuresCol")).Memo(key, func() (any, error) { return l.bin() })
	if err != nil {
		return nil, err
	}
	l.out.Binned = v.(*Binned)
	return &l.out, nil
}

// batch takes a batch's columns and checks them as Spark does.
func (l *loader) batch(b arrow.RecordBatch, validation *[]bool) error {
	n := int(b.NumRows())
	if n == 0 {
		return nil
	}
	labels, err := ml.Floats(b.Column(1))
	if err != nil {
		return err
	}
	switch l.kind {
	case AnyLabels:
		err = ml.CheckLabels(b.Column(1), labels)
	case ClassLabels:
		limit := l.classes
		if limit == 0 {
			limit = maxClasses
		}
		err = ml.CheckClasses(b.Column(1), labels, limit)
	case BinaryLabels:
		err = checkBinary(b.Column(1), labels)
	}
	if err != nil {
		return err
	}
	l.out.Labels = append(l.out.Labels, labels...)
	at := 2
	if l.weightCol != "" {
		w, err := ml.Floats(b.Column(at))
		if err != nil {
			return err
		}
		if err := ml.CheckWeights(b.Column(at), w); err != nil {
			return err
		}
		l.out.Weights = append(l.out.Weights, w...)
		at++
	}
	if l.validationCol != "" {
		flags, ok := b.Column(at).(*array.Boolean)
		if !ok {
			return fmt.Errorf("column %s of type %s is not boolean", l.validationCol, b.Column(at).DataType())
		}
		for i := range n {
			*validation = append(*validation, flags.Value(i) && !flags.IsNull(i))
		}
	}
	return l.features(b.Column(0))
}

func (l *loader) features(a arrow.Array) error {
	v, err := ml.NewVectorView(a)
	if err != nil {
		return err
	}
	if err := ml.CheckFeatures(v); err != nil {
		return err
	}
	r := &l.rows
	if r.Vectors.Len() == 0 {
		r.width = v.Size(0)
	}
	for i := range v.Len() {
		if v.Size(i) != r.width {
			return sparkerr.Require("The vectors of column %s must have one size, found %d and %d.", l.params.String("featuresCol"), r.width, v.Size(i))
		}
	}
	r.Add(v)
	return nil
}

// checkBinary refuses what a binary classifier's label column must not hold.
func checkBinary(a arrow.Array, labels []float64) error {
	nulls := a.NullN() > 0
	for i, y := range labels {
		if nulls && a.IsNull(i) || y != y {
			return ml.Raised("Labels MUST NOT be Null or NaN")
		}
		if y != 0 && y != 1 {
			return ml.Raised("Labels MUST be in {0, 1}, but got %s", ml.FormatDouble(y))
		}
	}
	return nil
}

// holdOut moves the rows marked for validation aside.
func (l *loader) holdOut(validation []bool) {
	o := &l.out
	o.HeldOut, o.HeldOutLabels = []float64{}, []float64{}
	l.rows.chosen = []int32{}
	labels, weights := o.Labels, o.Weights
	o.Labels = nil
	if weights != nil {
		o.Weights = []float64{}
	}
	row := make([]float64, l.rows.width)
	for i, v := range validation {
		if !v {
			l.rows.chosen = append(l.rows.chosen, int32(i))
			o.Labels = append(o.Labels, labels[i])
			if weights != nil {
				o.Weights = append(o.Weights, weights[i])
			}
			continue
		}
		l.rows.block(i, i+1, row)
		o.HeldOut, o.HeldOutLabels = append(o.HeldOut, row...), append(o.HeldOutLabels, labels[i])
		if weights != nil {
			o.HeldOutWeights = append(o.HeldOutWeights, weights[i])
		}
	}
}

func (l *loader) bin() (*Binned, error) {
	n, maxBins := l.rows.Len(), l.params.Int("maxBins")
	arity := make([]int, l.rows.width)
	most, at := 0, 0
	for f := range arity {
		if arity[f] = l.arity[f]; arity[f] > most {
			most, at = arity[f], f
		}
	}
	if possible := min(maxBins, n); most > possible {
		return nil, sparkerr.Require("DecisionTree requires maxBins (= %d) to be at least as large as the number of values in each categorical feature, but categorical feature %d has %d values. Consider removing this and other categorical features with a large number of values, or add more training examples.", possible, at, most)
	}
	if maxBins > hist.MaxBins && n > hist.MaxBins {
		return nil, sparkerr.Unsupported("maxBins above %d", hist.MaxBins)
	}
	t, err := hist.Bin(&l.rows, hist.Options{MaxBins: maxBins, Seed: l.params.Long("seed"), Arity: arity, Weights: l.out.Weights, Threads: Threads()})
	var bad *hist.BadCategory
	if errors.As(err, &bad) {
		w := 1.0
		if l.out.Weights != nil {
			w = l.out.Weights[bad.Row]
		}
		row := make([]float64, l.rows.width)
		l.rows.Block(bad.Row, bad.Row+1, row)
		return nil, sparkerr.Plain(sparkerr.ClassSpark, "Job aborted due to stage failure: java.lang.IllegalArgumentException: DecisionTree given invalid data: Feature %d is categorical with values in {0,...,%d, but a data point gives it value %s.\n  Bad data point: Instance(%s,%s,%s)",
			bad.Feature, bad.Arity-1, ml.FormatDouble(bad.Value), ml.FormatDouble(l.out.Labels[bad.Row]), ml.FormatDouble(w), ml.FormatValue(row))
	}
	return &Binned{Table: t}, err
}

// CheckInput is what a tree learner demands of its input's schema.
func CheckInput(in types.Struct, p *ml.Params) error {
	if err := ml.CheckVector(in, p.String("featuresCol")); err != nil {
		return err
	}
	if err := ml.CheckNumeric(in, p.String("labelCol")); err != nil {
		return err
	}
	if w := p.String("weightCol"); w != "" {
		if err := ml.CheckNumeric(in, w); err != nil {
			return err
		}
	}
	if v := p.String("validationIndicatorCol"); v != "" {
		f, err := ml.Column(in, v)
		if err != nil {
			return err
		}
		if !types.Equal(f.Type, types.Boolean) {
			return sparkerr.Analysis("DATATYPE_MISMATCH.UNEXPECTED_INPUT_TYPE", "sqlExpr", "\"(NOT "+v+")\"",
				"paramIndex", "first", "requiredType", "\"BOOLEAN\"", "inputSql", "\""+v+"\"", "inputType", "\""+f.Type.SQL()+"\"")
		}
	}
	return nil
}
