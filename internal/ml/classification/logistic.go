// Package classification holds Spark ML's classifiers, one to a file. What comes in are a
// features and a label column of whole numbers; what goes out is a model that adds raw
// predictions, probabilities and predictions. Numbers are made in kernel/.
package classification

import (
	"context"
	"math"
	"strings"

	"github.com/millpond/millpond/internal/kernel/linalg"
	"github.com/millpond/millpond/internal/kernel/optimize"
	"github.com/millpond/millpond/internal/ml"
	"github.com/millpond/millpond/internal/progress"
	"github.com/millpond/millpond/internal/sparkerr"
	"github.com/millpond/millpond/internal/types"
)

const pkg = "org.apache.spark.ml.classification."

// LogisticRegression fits a binomial or multinomial logistic model with elastic net.
type LogisticRegression struct{ ml.Base }

var logisticParams = []ml.Param{
	{Name: "aggregationDepth", Doc: "suggested depth for treeAggregate (>= 2)", Type: ml.ParamInt, Default: 2, Check: ml.IntAtLeast(2)},
	{Name: "elasticNetParam", Doc: "the ElasticNet mixing parameter, in range [0, 1]. For alpha = 0, the penalty is an L2 penalty. For alpha = 1, it is an L1 penalty", Type: ml.ParamDouble, Default: 0.0, Check: ml.InRange(0, 1)},
	{Name: "family", Doc: "The name of family which is a description of the label distribution to be used in the model. Supported options: auto, binomial, multinomial.", Type: ml.ParamString, Default: "auto", Check: ml.OneOf("auto", "binomial", "multinomial")},
	ml.FeaturesColParam(),
	{Name: "fitIntercept", Doc: "whether to fit an intercept term", Type: ml.ParamBool, Default: true},
	ml.LabelColParam(),
	{Name: "lowerBoundsOnCoefficients", Doc: "The lower bounds on coefficients if fitting under bound constrained optimization.", Type: ml.ParamMatrix},
	{Name: "lowerBoundsOnIntercepts", Doc: "The lower bounds on intercepts if fitting under bound constrained optimization.", Type: ml.ParamVector},
	{Name: "maxBlockSizeInMB", Doc: "Maximum memory in MB for stacking input data into blocks. Data is stacked within partitions. If more than remaining data size in a partition then it is adjusted to the data size. Default 0.0 represents choosing optimal value, depends on specific algorithm. Must be >= 0.", Type: ml.ParamDouble, Default: 0.0, Check: ml.AtLeast(0)},
	ml.MaxIterParam(100), ml.PredictionColParam(), ml.ProbabilityColParam(), ml.RawPredictionColParam(),
	{Name: "regParam", Doc: "regularization parameter (>= 0)", Type: ml.ParamDouble, Default: 0.0, Check: ml.AtLeast(0)},
	{Name: "standardization", Doc: "whether to standardize the training features before fitting the model", Type: ml.ParamBool, Default: true},
	{Name: "threshold", Doc: "threshold in binary classification prediction, in range [0, 1]", Type: ml.ParamDouble, Default: 0.5, Check: ml.InRange(0, 1)},
	ml.ThresholdsParam(), ml.TolParam(1e-6),
	{Name: "upperBoundsOnCoefficients", Doc: "The upper bounds on coefficients if fitting under bound constrained optimization.", Type: ml.ParamMatrix},
	{Name: "upperBoundsOnIntercepts", Doc: "The upper bounds on intercepts if fitting under bound constrained optimization.", Type: ml.ParamVector},
	ml.WeightColParam(),
}

var logisticSpec = ml.Register(&ml.Spec{Class: pkg + "LogisticRegression", Kind: ml.KindEstimator, Params: logisticParams})

func init() {
	logisticSpec.New = func(uid string, p *ml.Params) ml.Operator {
		return &LogisticRegression{ml.NewBase(logisticSpec, uid, p)}
	}
}

// TransformSchema checks columns and parameters, and adds the columns that have a name.
func (e *LogisticRegression) TransformSchema(in types.Struct) (types.Struct, error) {
	if err := checkThresholds(e.Params()); err != nil {
		return in, err
	}
	if err := ml.CheckPredictor(in, e.Params(), true); err != nil {
		return in, err
	}
	if bounded(e.Params()) && e.Params().Double("elasticNetParam") != 0 {
		return in, sparkerr.Require("Fitting under bound constrained optimization only supports L2 regularization, but got elasticNetParam = %s.", ml.FormatDouble(e.Params().Double("elasticNetParam")))
	}
	if !e.Params().Bool("fitIntercept") && (e.Params().IsSet("lowerBoundsOnIntercepts") || e.Params().IsSet("upperBoundsOnIntercepts")) {
		return in, sparkerr.Require("Please don't set bounds on intercepts if fitting without intercept.")
	}
	out, _, err := appendPredictions(in, e.Params(), 0)
	return out, err
}

// checkThresholds refuses a threshold and thresholds that contradict each other.
func checkThresholds(p *ml.Params) error {
	t := p.Doubles("thresholds")
	if !p.IsSet("threshold") || !p.IsSet("thresholds") {
		return nil
	}
	if len(t) != 2 {
		return sparkerr.Require("Logistic Regression found inconsistent values for threshold and thresholds.  Param threshold is set (%s), indicating binary classification, but Param thresholds is set with length %d. Clear one Param value to fix this problem.", ml.FormatDouble(p.Double("threshold")), len(t))
	}
	want := 1 / (1 + t[0]/t[1])
	if math.Abs(p.Double("threshold")-want) >= 1e-5 {
		return sparkerr.Require("Logistic Regression getThreshold found inconsistent values for threshold (%s) and thresholds (equivalent to %s)", ml.FormatDouble(p.Double("threshold")), ml.FormatDouble(want))
	}
	return nil
}

func bounded(p *ml.Params) bool {
	return p.IsSet("lowerBoundsOnCoefficients") || p.IsSet("upperBoundsOnCoefficients") ||
		p.IsSet("lowerBoundsOnIntercepts") || p.IsSet("upperBoundsOnIntercepts")
}

// maxClasses bounds the number of classes, whose labels are counted in a slice.
const maxClasses = 1 << 24

// Fit minimises the log loss by L-BFGS, OWL-QN or, within bounds, L-BFGS-B.
func (e *LogisticRegression) Fit(ctx context.Context, data ml.Frame) (ml.Model, error) {
	schema := data.Schema()
	if _, err := e.TransformSchema(schema); err != nil {
		return nil, err
	}
	p := e.Params()
	in, err := ml.LoadInstances(ctx, data, p.String("featuresCol"), p.String("labelCol"), p.String("weightCol"), ml.ClassLabels)
	if err != nil {
		return nil, err
	}
	if in.Rows.N == 0 {
		return nil, sparkerr.Plain(sparkerr.ClassSpark, "ML algorithm was given empty dataset.")
	}
	hist, err := histogram(in)
	if err != nil {
		return nil, err
	}
	classes := len(hist)
	if n := ml.NumClasses(schema.Fields[schema.Index(p.String("labelCol"))]); n > 0 {
		if n < classes {
			return nil, sparkerr.Require("Specified number of classes %d was less than the number of unique labels %d.", n, classes)
		}
		classes = n
		hist = append(hist, make([]float64, n-len(hist))...)
	}
	f := &logisticFit{p: p, in: in, hist: hist, classes: classes, sets: 1}
	switch p.String("family") {
	case "binomial":
		if classes > 2 {
			return nil, sparkerr.Require("Binomial family only supports 1 or 2 outcome classes but found %d.", classes)
		}
	case "multinomial":
		f.multinomial = true
	default:
		f.multinomial = classes > 2
	}
	if f.multinomial {
		f.sets = classes
	}
	if err := f.check(); err != nil {
		return nil, err
	}
	m := &LogisticRegressionModel{Base: e.ForModel(logisticModelSpec), numClasses: classes, multinomial: f.multinomial}
	history, err := f.run(ctx, m)
	if err != nil {
		return nil, err
	}
	m.finish()
	m.summary = &LogisticSummary{model: m.named(), data: data, history: history}
	m.summary.measureInstances(in)
	return m, nil
}

// histogram sums the weights of each class.
func histogram(in *ml.Instances) ([]float64, error) {
	most := -1
	for i, y := range in.Labels {
		if in.Weight(i) > 0 {
			most = max(most, int(y))
		}
	}
	if most >= maxClasses {
		return nil, sparkerr.Unsupported("a classification label of %d", most)
	}
	out := make([]float64, most+1)
	for i, y := range in.Labels {
		if w := in.Weight(i); w > 0 {
			out[int(y)] += w
		}
	}
	if len(out) == 0 {
		return nil, sparkerr.Require("Nothing has been added to this summarizer.")
	}
	return out, nil
}

// logisticFit is the work of one fit.
type logisticFit struct {
	p             *ml.Params
	in            *ml.Instances
	hist          []float64
	classes, sets int
	multinomial   bool
}

// check refuses thresholds and bounds of the wrong shape.
func (f *logisticFit) check() error {
	if f.p.IsSet("thresholds") && len(f.p.Doubles("thresholds")) != f.classes {
		return sparkerr.Require("LogisticRegression.train() called with non-matching numClasses and thresholds.length. numClasses=%d, but thresholds has length %d", f.classes, len(f.p.Doubles("thresholds")))
	}
	for _, name := range []string{"lowerBoundsOnCoefficients", "upperBoundsOnCoefficients"} {
		if m, ok := f.p.Matrix(name); ok && (m.Rows != f.sets || m.Cols != f.in.Rows.D) {
			return sparkerr.Require("The shape of %s must be compatible with (1, number of features) for binomial regression, or (number of classes, number of features) for multinomial regression, but found: (%d, %d).", strings.Replace(name, "lower", "Lower", 1), m.Rows, m.Cols)
		}
	}
	for _, name := range []string{"lowerBoundsOnIntercepts", "upperBoundsOnIntercepts"} {
		if v, ok := f.p.Vector(name); ok && v.Size != f.sets {
			return sparkerr.Require("The size of %s must be equal to 1 for binomial regression, or the number of classes for multinomial regression, but found: %d.", name, v.Size)
		}
	}
	return nil
}

func (f *logisticFit) constant() bool {
	n := 0
	for _, w := range f.hist {
		if w != 0 {
			n++
		}
	}
	return n == 1
}

func (f *logisticFit) run(ctx context.Context, m *LogisticRegressionModel) ([]float64, error) {
	d, intercept := f.in.Rows.D, f.p.Bool("fitIntercept")
	if intercept && f.constant() && !bounded(f.p) {
		f.constantModel(m)
		return []float64{0}, nil
	}
	stats := f.in.Rows.Summarize(f.in.Weights)
	std := stats.Std()
	prob := &linalg.Problem{Rows: &f.in.Rows, Labels: f.in.Labels, Weights: f.in.Weights,
		Reg: (1 - f.p.Double("elasticNetParam")) * f.p.Double("regParam"), Center: intercept && f.freeIntercepts()}
	prob.Standardize(stats.Mean(), std)
	if !f.p.Bool("standardization") {
		prob.RegStd = std
	}
	next, end := progress.Rounds(ctx, f.p.Int("maxIter"))
	defer end()
	opt := optimize.Options{MaxIter: f.p.Int("maxIter"), Memory: 10, Tol: f.p.Double("tol"), Stop: next, L1: f.l1(std)}
	if bounded(f.p) {
		opt.Lower, opt.Upper = f.bounds(std)
		if err := checkBounds(opt); err != nil {
			return nil, err
		}
	}
	x := f.start(opt)
	f.center(prob, x, 1)
	cost := prob.Binomial(intercept)
	if f.multinomial {
		cost = prob.Multinomial(f.classes, intercept)
	}
	r, err := optimize.Minimize(cost, x, opt)
	if err != nil {
		return nil, err
	}
	f.center(prob, r.X, -1)
	f.keep(m, r.X, std, d, intercept)
	return r.History, nil
}

// constantModel is that of labels of a single class: no coefficients, an endless intercept.
func (f *logisticFit) constantModel(m *LogisticRegressionModel) {
	m.matrix = ml.Matrix{Rows: f.sets, Cols: f.in.Rows.D, Values: make([]float64, f.sets*f.in.Rows.D), Transposed: true}
	if !f.multinomial {
		at := math.Inf(-1)
		if f.classes == 2 { // even if all labels are 0, as metadata can have it: Spark asks no more
			at = math.Inf(1)
		}
		m.intercepts = ml.DenseVector([]float64{at})
		return
	}
	for k, w := range f.hist {
		if w != 0 {
			m.intercepts = ml.Vector{Size: f.classes, Sparse: true, Indices: []int32{int32(k)}, Values: []float64{math.Inf(1)}}
		}
	}
}

// freeIntercepts says whether no bound is on the intercepts; only then may data be centered.
func (f *logisticFit) freeIntercepts() bool {
	for name, free := range map[string]float64{"lowerBoundsOnIntercepts": math.Inf(-1), "upperBoundsOnIntercepts": math.Inf(1)} {
		if v, ok := f.p.Vector(name); ok {
			for _, x := range v.Array() {
				if x != free {
					return false
				}
			}
		}
	}
	return true
}

func (f *logisticFit) l1(std []float64) func(int) float64 {
	l1 := f.p.Double("elasticNetParam") * f.p.Double("regParam")
	if l1 == 0 {
		return nil
	}
	standardization, d := f.p.Bool("standardization"), len(std)
	return func(i int) float64 {
		switch {
		case i >= d*f.sets:
			return 0
		case standardization:
			return l1
		case std[i/f.sets] != 0:
			return l1 / std[i/f.sets]
		}
		return 0
	}
}

func (f *logisticFit) size() int {
	n := f.in.Rows.D * f.sets
	if f.p.Bool("fitIntercept") {
		n += f.sets
	}
	return n
}

func (f *logisticFit) bounds(std []float64) (lower, upper []float64) {
	n, d := f.size(), len(std)
	lower, upper = make([]float64, n), make([]float64, n)
	for i := range n {
		lower[i], upper[i] = math.Inf(-1), math.Inf(1)
		set, j := i%f.sets, i/f.sets
		if j < d {
			if m, ok := f.p.Matrix("lowerBoundsOnCoefficients"); ok {
				lower[i] = m.At(set, j) * std[j]
			}
			if m, ok := f.p.Matrix("upperBoundsOnCoefficients"); ok {
				upper[i] = m.At(set, j) * std[j]
			}
			continue
		}
		if v, ok := f.p.Vector("lowerBoundsOnIntercepts"); ok {
			lower[i] = v.Array()[set]
		}
		if v, ok := f.p.Vector("upperBoundsOnIntercepts"); ok {
			upper[i] = v.Array()[set]
		}
	}
	return lower, upper
}

func checkBounds(opt optimize.Options) error {
	for i, lo := range opt.Lower {
		if !(lo <= opt.Upper[i]) {
			return sparkerr.Require("Lower bounds should always be less than or equal to upper bounds, but found: %s > %s.", ml.FormatDouble(lo), ml.FormatDouble(opt.Upper[i]))
		}
	}
	return nil
}

// start is the initial solution: intercepts that follow the classes' shares.
func (f *logisticFit) start(opt optimize.Options) []float64 {
	x := make([]float64, f.size())
	at := f.in.Rows.D * f.sets
	switch {
	case !f.p.Bool("fitIntercept"):
	case f.multinomial:
		mean := 0.0
		for k, w := range f.hist {
			x[at+k] = math.Log1p(w)
			mean += x[at+k]
		}
		mean /= float64(f.classes)
		for k := range f.hist {
			x[at+k] -= mean
		}
	default:
		x[at] = math.Log(f.hist[1] / f.hist[0])
	}
	if opt.Lower != nil {
		for i := range x {
			x[i] = math.Max(math.Min(x[i], opt.Upper[i]), opt.Lower[i])
		}
	}
	return x
}

// center moves the intercepts between centered (sign 1) and plain features (sign -1).
func (f *logisticFit) center(prob *linalg.Problem, x []float64, sign float64) {
	if !prob.Center {
		return
	}
	at := f.in.Rows.D * f.sets
	for k := range f.sets {
		s := 0.0
		for j, mean := range prob.ScaledMean {
			s += x[j*f.sets+k] * mean
		}
		x[at+k] += sign * s
	}
}

// keep stores the solution in the model, in the features' own scale.
func (f *logisticFit) keep(m *LogisticRegressionModel, x, std []float64, d int, intercept bool) {
	m.matrix = ml.Matrix{Rows: f.sets, Cols: d, Values: make([]float64, f.sets*d), Transposed: true}
	for k := range f.sets {
		for j, s := range std {
			if s != 0 {
				m.matrix.Values[k*d+j] = x[j*f.sets+k] / s
			}
		}
	}
	intercepts := make([]float64, f.sets)
	if intercept {
		copy(intercepts, x[d*f.sets:])
	}
	if f.multinomial && !bounded(f.p) {
		if f.p.Double("regParam") == 0 { // coefficients are only known up to a constant
			for j := range d {
				mean := 0.0
				for k := range f.sets {
					mean += m.matrix.Values[k*d+j]
				}
				mean /= float64(f.sets)
				for k := range f.sets {
					m.matrix.Values[k*d+j] -= mean
				}
			}
		}
		if intercept {
			mean := 0.0
			for _, v := range intercepts {
				mean += v
			}
			mean /= float64(f.sets)
			for k := range intercepts {
				intercepts[k] -= mean
			}
		}
	}
	m.intercepts = ml.Compressed(intercepts)
}
