package classification

import (
	"context"
	"fmt"
	"math"

	"github.com/apache/arrow-go/v18/arrow"

	"github.com/millpond/millpond/internal/ml"
	"github.com/millpond/millpond/internal/sparkerr"
	"github.com/millpond/millpond/internal/types"
)

// LogisticRegressionModel is a fitted logistic model.
type LogisticRegressionModel struct {
	ml.Base
	matrix      ml.Matrix // a row for each set of coefficients
	intercepts  ml.Vector
	numClasses  int
	multinomial bool
	bias        []float64 // the intercepts
	summary     *LogisticSummary
}

var logisticModelSpec = ml.Register(&ml.Spec{Class: pkg + "LogisticRegressionModel", Kind: ml.KindModel, Params: logisticParams})

func init() { logisticModelSpec.Load = loadLogisticModel }

func (m *LogisticRegressionModel) finish() {
	m.bias = m.intercepts.Array()
	if !m.matrix.Transposed { // rows are what predictions walk along
		t := ml.Matrix{Rows: m.matrix.Rows, Cols: m.matrix.Cols, Values: make([]float64, len(m.matrix.Values)), Transposed: true}
		for i := range t.Rows {
			for j := range t.Cols {
				t.Values[i*t.Cols+j] = m.matrix.At(i, j)
			}
		}
		m.matrix = t
	}
}

// published gives the coefficient matrix in the smallest of the forms that Spark's
// Matrix.compressed chooses from: dense by rows, sparse by columns, sparse by rows.
func (m *LogisticRegressionModel) published() ml.Matrix {
	out, nnz := m.matrix, 0
	for _, v := range out.Values {
		if v != 0 {
			nnz++
		}
	}
	dense := 8*len(out.Values) + 13
	byCols, byRows := 12*nnz+4*(out.Cols+1)+37, 12*nnz+4*(out.Rows+1)+37
	if dense <= min(byCols, byRows) {
		return out
	}
	out.Sparse = true
	if byCols > byRows {
		return out
	}
	out.Transposed, out.Values = false, make([]float64, len(m.matrix.Values))
	for i := range out.Rows {
		for j := range out.Cols {
			out.Values[j*out.Rows+i] = m.matrix.At(i, j)
		}
	}
	return out
}

// width is the number of a row's margins and probabilities.
func (m *LogisticRegressionModel) width() int {
	if m.multinomial {
		return len(m.bias)
	}
	return 2
}

// row gives the coefficients of set k.
func (m *LogisticRegressionModel) row(k int) []float64 {
	return m.matrix.Values[k*m.matrix.Cols : (k+1)*m.matrix.Cols]
}

// appendPredictions adds the columns that have a name; which tells raw, probability, prediction.
func appendPredictions(in types.Struct, p *ml.Params, classes int) (out types.Struct, fields []types.Field, err error) {
	out = in
	size := classes
	if classes == 0 {
		size = -1
	}
	add := func(f types.Field) {
		if err == nil && f.Name != "" {
			out, err = ml.AppendField(out, f)
			fields = append(fields, f)
		}
	}
	add(ml.VectorField(p.String("rawPredictionCol"), size))
	add(ml.VectorField(p.String("probabilityCol"), size))
	add(ml.PredictionField(p.String("predictionCol"), classes))
	return out, fields, err
}

func (m *LogisticRegressionModel) TransformSchema(in types.Struct) (types.Struct, error) {
	out, _, err := m.schema(in)
	return out, err
}

func (m *LogisticRegressionModel) schema(in types.Struct) (types.Struct, []types.Field, error) {
	if err := checkThresholds(m.Params()); err != nil {
		return in, nil, err
	}
	if err := ml.CheckPredictor(in, m.Params(), false); err != nil {
		return in, nil, err
	}
	if t := m.Params().Doubles("thresholds"); m.Params().IsSet("thresholds") && len(t) != m.numClasses {
		return in, nil, sparkerr.Require("LogisticRegressionModel.transform() called with non-matching numClasses and thresholds.length. numClasses=%d, but thresholds has length %d", m.numClasses, len(t))
	}
	return appendPredictions(in, m.Params(), m.numClasses)
}

// Bind makes the columns of one batch in one pass.
func (m *LogisticRegressionModel) Bind(in types.Struct) (*ml.Transform, error) {
	_, fields, err := m.schema(in)
	if err != nil {
		return nil, err
	}
	return m.transform(fields), nil
}

// transform makes some of the model's columns.
func (m *LogisticRegressionModel) transform(fields []types.Field) *ml.Transform {
	return &ml.Transform{Inputs: []string{m.Params().String("featuresCol")}, Outputs: fields,
		Apply: func(ctx context.Context, cols []arrow.Array, n int) ([]arrow.Array, []bool, error) {
			v, err := ml.NewVectorView(cols[0])
			if err != nil {
				return nil, nil, err
			}
			out, err := m.predict(v, n, fields)
			if err != nil {
				return nil, nil, err
			}
			return out, nil, ctx.Err()
		},
		Only: func(want []bool) *ml.Transform { return m.transform(ml.Wanted(fields, want)) }}
}

// predict makes the columns that fields names of n vectors.
func (m *LogisticRegressionModel) predict(v *ml.VectorView, n int, fields []types.Field) ([]arrow.Array, error) {
	p, width := m.Params(), m.width()
	rawCol, probCol := p.String("rawPredictionCol"), p.String("probabilityCol")
	var raws, probs *ml.VectorBuilder // nil where they are not asked for
	for _, f := range fields {
		switch f.Name {
		case rawCol:
			raws = ml.NewVectorBuilder(n, width)
		case probCol:
			probs = ml.NewVectorBuilder(n, width)
		}
	}
	preds := make([]float64, n)
	decide, needProb := m.decider()
	needProb = needProb || probs != nil
	raw, prob := make([]float64, width), make([]float64, width)
	for i := range n {
		if err := m.checkRow(v, i); err != nil {
			return nil, err
		}
		m.raw(func(k int) float64 { return v.Dot(i, m.row(k)) }, raw)
		if raws != nil {
			raws.Dense(raw)
		}
		if needProb {
			m.probability(raw, prob)
		}
		if probs != nil {
			probs.Dense(prob)
		}
		preds[i] = decide(raw, prob)
	}
	out := make([]arrow.Array, len(fields))
	for i, f := range fields {
		switch f.Name {
		case rawCol:
			out[i] = raws.Array()
		case probCol:
			out[i] = probs.Array()
		default:
			out[i] = ml.NumberColumn(preds)
		}
	}
	return out, nil
}

func (m *LogisticRegressionModel) checkRow(v *ml.VectorView, i int) error {
	sig := "(" + ml.VectorSQL + ") => " + ml.VectorSQL
	if v.IsNull(i) {
		return ml.UDFError("ProbabilisticClassificationModel", sig, "java.lang.NullPointerException")
	}
	if n := v.Size(i); n != m.matrix.Cols {
		return ml.UDFError("ProbabilisticClassificationModel", sig, "java.lang.IllegalArgumentException: requirement failed: BLAS.dot(x: Vector, y:Vector) was given Vectors with non-matching sizes: x.size = "+
			ml.FormatValue(n)+", y.size = "+ml.FormatValue(m.matrix.Cols))
	}
	return nil
}

// raw fills the margins of a row, whose product with a set of coefficients dot gives.
func (m *LogisticRegressionModel) raw(dot func(k int) float64, raw []float64) {
	if !m.multinomial {
		x := dot(0) + m.bias[0]
		raw[0], raw[1] = -x, x
		return
	}
	for k := range raw {
		raw[k] = dot(k) + m.bias[k]
	}
}

func (m *LogisticRegressionModel) probability(raw, prob []float64) {
	if !m.multinomial {
		prob[0] = 1 / (1 + math.Exp(-raw[0]))
		prob[1] = 1 - prob[0]
		return
	}
	softmax(raw, prob)
}

func softmax(raw, prob []float64) {
	most := math.Inf(-1)
	for _, x := range raw {
		most = math.Max(most, x)
	}
	if math.IsInf(most, 1) {
		for k, x := range raw {
			if prob[k] = 0; math.IsInf(x, 1) {
				prob[k] = 1
			}
		}
		return
	}
	sum := 0.0
	for k, x := range raw {
		prob[k] = math.Exp(x - most)
		sum += prob[k]
	}
	for k := range prob {
		prob[k] /= sum
	}
}

// threshold is the probability above which a binomial model predicts 1.
func (m *LogisticRegressionModel) threshold() float64 {
	if t := m.Params().Doubles("thresholds"); m.Params().IsSet("thresholds") && len(t) == 2 {
		return 1 / (1 + t[0]/t[1])
	}
	return m.Params().Double("threshold")
}

// decider gives the function that predicts: by the margin if there is a raw prediction column,
// else by the probability, which byProb says.
func (m *LogisticRegressionModel) decider() (decide func(raw, prob []float64) float64, byProb bool) {
	p := m.Params()
	if m.multinomial {
		t := p.Doubles("thresholds")
		if !p.IsSet("thresholds") {
			return func(raw, _ []float64) float64 { return float64(argmax(raw)) }, false
		}
		return func(_, prob []float64) float64 {
			scaled := make([]float64, len(prob))
			for k, x := range prob {
				if scaled[k] = x / t[k]; t[k] == 0 {
					scaled[k] = math.Inf(1)
				}
			}
			return float64(argmax(scaled))
		}, true
	}
	t := m.threshold()
	margin := math.Log(t / (1 - t)) // -Inf and +Inf at 0 and 1
	byRaw := p.String("rawPredictionCol") != ""
	return func(raw, prob []float64) float64 {
		if byRaw && raw[1] > margin || !byRaw && prob[1] > t {
			return 1
		}
		return 0
	}, !byRaw
}

func argmax(x []float64) int {
	best := 0
	for k, v := range x {
		if v > x[best] {
			best = k
		}
	}
	return best
}

// one gives raw prediction and probability of a vector that is an argument.
func (m *LogisticRegressionModel) one(name string, args []any) (raw, prob []float64, err error) {
	v, err := ml.Arg[ml.Vector](name, args, 0)
	if err != nil {
		return nil, nil, err
	}
	x := v.Array()
	if len(x) != m.matrix.Cols {
		return nil, nil, sparkerr.Require("BLAS.dot(x: Vector, y:Vector) was given Vectors with non-matching sizes: x.size = %d, y.size = %d", len(x), m.matrix.Cols)
	}
	raw = make([]float64, m.width())
	m.raw(func(k int) float64 {
		s := 0.0
		for j, c := range m.row(k) {
			s += c * x[j]
		}
		return s
	}, raw)
	prob = make([]float64, len(raw))
	m.probability(raw, prob)
	return raw, prob, nil
}

var logisticAttrs = ml.AttrTable[*LogisticRegressionModel]{
	"coefficients": func(_ context.Context, m *LogisticRegressionModel, _ []any) (any, error) {
		if m.multinomial {
			return nil, sparkerr.Plain(sparkerr.ClassSpark, "Multinomial models contain a matrix of coefficients, use coefficientMatrix instead.")
		}
		v := ml.DenseVector(m.matrix.Values)
		if m.published().Sparse {
			v = ml.SparseVector(m.matrix.Values)
		}
		return v, nil
	},
	"intercept": func(_ context.Context, m *LogisticRegressionModel, _ []any) (any, error) {
		if m.multinomial {
			return nil, sparkerr.Plain(sparkerr.ClassSpark, "Multinomial models contain a vector of intercepts, use interceptVector instead.")
		}
		return m.bias[0], nil
	},
	"toString": ml.Text(func(m *LogisticRegressionModel) []string {
		return []string{fmt.Sprintf("numClasses=%d", m.numClasses), fmt.Sprintf("numFeatures=%d", m.matrix.Cols)}
	}),
	"coefficientMatrix": ml.Getter(func(m *LogisticRegressionModel) any { return m.published() }),
	"interceptVector":   ml.Getter(func(m *LogisticRegressionModel) any { return m.intercepts }),
	"numClasses":        ml.Getter(func(m *LogisticRegressionModel) any { return int32(m.numClasses) }),
	"numFeatures":       ml.Getter(func(m *LogisticRegressionModel) any { return int32(m.matrix.Cols) }),
	"predict": func(_ context.Context, m *LogisticRegressionModel, args []any) (any, error) {
		raw, prob, err := m.one("predict", args)
		if err != nil {
			return nil, err
		}
		if !m.multinomial { // by the score, whatever the columns
			if prob[1] > m.threshold() {
				return 1.0, nil
			}
			return 0.0, nil
		}
		decide, _ := m.decider()
		return decide(raw, prob), nil
	},
	"predictRaw": func(_ context.Context, m *LogisticRegressionModel, args []any) (any, error) {
		raw, _, err := m.one("predictRaw", args)
		return ml.DenseVector(raw), err
	},
	"predictProbability": func(_ context.Context, m *LogisticRegressionModel, args []any) (any, error) {
		_, prob, err := m.one("predictProbability", args)
		return ml.DenseVector(prob), err
	},
	"evaluate": func(ctx context.Context, m *LogisticRegressionModel, args []any) (any, error) {
		data, err := ml.Arg[ml.Frame]("evaluate", args, 0)
		if err != nil {
			return nil, err
		}
		s := &LogisticSummary{model: m.named(), data: data}
		return s, s.measure(ctx)
	},
}

func (m *LogisticRegressionModel) Attr(ctx context.Context, name string, args []any) (any, error) {
	return logisticAttrs.Call(ctx, m, m.Spec().Class, name, args)
}

// named is the model with a name for the columns that a summary needs, where it has none.
func (m *LogisticRegressionModel) named() *LogisticRegressionModel {
	c := *m
	c.summary = nil
	p := m.Params().Copy()
	for col, prefix := range map[string]string{"predictionCol": "prediction_", "probabilityCol": "probability_"} {
		if p.String(col) == "" {
			if err := p.Set(m.UID(), col, prefix+m.UID()); err == nil {
				c.Base = m.With(p)
			}
		}
	}
	return &c
}

func (m *LogisticRegressionModel) Summary() ml.Summary {
	if m.summary == nil {
		return nil
	}
	return m.summary
}

func (m *LogisticRegressionModel) SizeBytes() int64 { return int64(512 + 8*len(m.matrix.Values)) }

func (m *LogisticRegressionModel) WithParams(p *ml.Params) ml.Model {
	c := *m
	c.Base = m.With(p)
	return &c
}

var logisticSchema = types.Struct{Fields: []types.Field{{Name: "numClasses", Type: types.Int}, {Name: "numFeatures", Type: types.Int},
	{Name: "interceptVector", Type: types.Vector, Nullable: true}, {Name: "coefficientMatrix", Type: types.Matrix, Nullable: true},
	{Name: "isMultinomial", Type: types.Boolean}}}

// Save writes coefficients and intercepts as Spark does; a summary is not saved.
func (m *LogisticRegressionModel) Save(dir string) (map[string]any, error) {
	return nil, ml.WriteRows(dir, "data", logisticSchema, []any{m.numClasses, m.matrix.Cols, m.intercepts, m.matrix, m.multinomial})
}

func loadLogisticModel(dir string, meta ml.Metadata) (ml.Operator, error) {
	b, err := meta.Base(logisticModelSpec)
	if err != nil {
		return nil, err
	}
	t, err := ml.ReadTable(dir, "data")
	if err != nil {
		return nil, err
	}
	m := &LogisticRegressionModel{Base: b}
	n, err := ml.Read[int32](t, "numClasses", 0)
	if err != nil {
		return nil, err
	}
	m.numClasses = int(n)
	if m.intercepts, err = ml.Read[ml.Vector](t, "interceptVector", 0); err != nil {
		return nil, err
	}
	if m.matrix, err = ml.Read[ml.Matrix](t, "coefficientMatrix", 0); err != nil {
		return nil, err
	}
	if m.multinomial, err = ml.Read[bool](t, "isMultinomial", 0); err != nil {
		return nil, err
	}
	if m.matrix.Rows != m.intercepts.Size || !m.multinomial && m.matrix.Rows != 1 {
		return nil, sparkerr.Require("Dimension mismatch! Expected coefficientMatrix.numRows == interceptVector.size, but %d != %d", m.matrix.Rows, m.intercepts.Size)
	}
	m.finish()
	return m, nil
}
