// Package regression holds Spark ML's regressors, one to a file. What comes in are a features
// and a label column; what goes out is a model that adds a prediction column and knows how well
// it fits. Numbers are made in kernel/.
package regression

import (
	"context"
	"errors"
	"fmt"

	"github.com/apache/arrow-go/v18/arrow"

	"github.com/millpond/millpond/internal/kernel/linalg"
	"github.com/millpond/millpond/internal/kernel/optimize"
	"github.com/millpond/millpond/internal/ml"
	"github.com/millpond/millpond/internal/progress"
	"github.com/millpond/millpond/internal/sparkerr"
	"github.com/millpond/millpond/internal/types"
)

const pkg = "org.apache.spark.ml.regression."

// maxNormalFeatures is the number of features up to which normal equations are used.
const maxNormalFeatures = 4096

// LinearRegression fits a linear model to squared or Huber loss with elastic net.
type LinearRegression struct{ ml.Base }

// LinearRegressionModel is a fitted linear model.
type LinearRegressionModel struct {
	ml.Base
	coefficients ml.Vector
	dense        []float64 // the coefficients
	intercept    float64
	scale        float64
	summary      *LinearSummary
}

var linearParams = []ml.Param{
	{Name: "aggregationDepth", Doc: "suggested depth for treeAggregate (>= 2)", Type: ml.ParamInt, Default: 2, Check: ml.IntAtLeast(2)},
	{Name: "elasticNetParam", Doc: "the ElasticNet mixing parameter, in range [0, 1]. For alpha = 0, the penalty is an L2 penalty. For alpha = 1, it is an L1 penalty", Type: ml.ParamDouble, Default: 0.0, Check: ml.InRange(0, 1)},
	{Name: "epsilon", Doc: "The shape parameter to control the amount of robustness. Must be > 1.0.", Type: ml.ParamDouble, Default: 1.35, Check: ml.MoreThan(1)},
	ml.FeaturesColParam(),
	{Name: "fitIntercept", Doc: "whether to fit an intercept term", Type: ml.ParamBool, Default: true},
	ml.LabelColParam(),
	{Name: "loss", Doc: "The loss function to be optimized. Supported options: squaredError, huber. (Default squaredError)", Type: ml.ParamString, Default: "squaredError", Check: ml.OneOf("squaredError", "huber")},
	{Name: "maxBlockSizeInMB", Doc: "Maximum memory in MB for stacking input data into blocks. Data is stacked within partitions. If more than remaining data size in a partition then it is adjusted to the data size. Default 0.0 represents choosing optimal value, depends on specific algorithm. Must be >= 0.", Type: ml.ParamDouble, Default: 0.0, Check: ml.AtLeast(0)},
	ml.MaxIterParam(100), ml.PredictionColParam(),
	{Name: "regParam", Doc: "regularization parameter (>= 0)", Type: ml.ParamDouble, Default: 0.0, Check: ml.AtLeast(0)},
	{Name: "solver", Doc: "The solver algorithm for optimization. Supported options: auto, normal, l-bfgs. (Default auto)", Type: ml.ParamString, Default: "auto", Check: ml.OneOf("auto", "normal", "l-bfgs")},
	{Name: "standardization", Doc: "whether to standardize the training features before fitting the model", Type: ml.ParamBool, Default: true},
	ml.TolParam(1e-6), ml.WeightColParam(),
}

var linearSpec = ml.Register(&ml.Spec{Class: pkg + "LinearRegression", Kind: ml.KindEstimator, Params: linearParams})

var linearModelSpec = ml.Register(&ml.Spec{Class: pkg + "LinearRegressionModel", Kind: ml.KindModel, Params: linearParams})

func init() {
	linearModelSpec.Load = loadLinearModel
	linearSpec.New = func(uid string, p *ml.Params) ml.Operator {
		return &LinearRegression{ml.NewBase(linearSpec, uid, p)}
	}
}

// TransformSchema checks columns and parameters, and adds the prediction column.
func (e *LinearRegression) TransformSchema(in types.Struct) (types.Struct, error) {
	p := e.Params()
	if p.String("loss") == "huber" {
		if p.String("solver") == "normal" {
			return in, sparkerr.Require("LinearRegression with huber loss doesn't support normal solver, please change solver to auto or l-bfgs.")
		}
		if a := p.Double("elasticNetParam"); a != 0 {
			return in, sparkerr.Require("LinearRegression with huber loss only supports L2 regularization, but got elasticNetParam = %s.", ml.FormatDouble(a))
		}
	}
	if err := ml.CheckPredictor(in, p, true); err != nil {
		return in, err
	}
	return ml.AppendField(in, ml.PredictionField(p.String("predictionCol"), 0))
}

// Fit solves the normal equations where it may, else iterates over the data.
func (e *LinearRegression) Fit(ctx context.Context, data ml.Frame) (ml.Model, error) {
	if _, err := e.TransformSchema(data.Schema()); err != nil {
		return nil, err
	}
	p := e.Params()
	in, err := ml.LoadInstances(ctx, data, p.String("featuresCol"), p.String("labelCol"), p.String("weightCol"), ml.RealLabels)
	if err != nil {
		return nil, err
	}
	if in.Rows.N == 0 {
		return nil, sparkerr.Plain("java.util.NoSuchElementException", "head of empty array")
	}
	m := &LinearRegressionModel{Base: e.ForModel(linearModelSpec), scale: 1}
	var history, diagInv []float64
	solver, squared := p.String("solver"), p.String("loss") == "squaredError"
	if squared && (solver == "normal" || solver == "auto" && in.Rows.D <= maxNormalFeatures) {
		history, diagInv, err = e.normal(ctx, in, m)
	} else {
		history, err = e.iterate(ctx, in, m)
	}
	if err != nil {
		return nil, err
	}
	m.dense = m.coefficients.Array()
	m.summary = &LinearSummary{model: m.named(), data: data, history: history, diagInv: diagInv}
	m.summary.measureInstances(in)
	return m, nil
}

func (e *LinearRegression) normal(ctx context.Context, in *ml.Instances, m *LinearRegressionModel) (history, diagInv []float64, err error) {
	if in.Rows.D > maxNormalFeatures {
		return nil, nil, sparkerr.Require("In order to take the normal equation approach efficiently, we set the max number of features to %d but got %d.", maxNormalFeatures, in.Rows.D)
	}
	p := e.Params()
	next, end := progress.Rounds(ctx, p.Int("maxIter"))
	defer end()
	ls := linalg.LeastSquares{FitIntercept: p.Bool("fitIntercept"), Standardize: p.Bool("standardization"), Reg: p.Double("regParam"),
		ElasticNet: p.Double("elasticNetParam"), MaxIter: p.Int("maxIter"), Tol: p.Double("tol"), Stop: next}
	fit, err := ls.Solve(in.Normal())
	if errors.Is(err, linalg.ErrConstantLabel) {
		return nil, nil, sparkerr.Require("%s", err)
	}
	if errors.Is(err, linalg.ErrZeroWeights) {
		return nil, nil, sparkerr.Plain("java.lang.AssertionError", "assertion failed: %s", err)
	}
	if err != nil {
		return nil, nil, err
	}
	m.coefficients, m.intercept = ml.Compressed(fit.Coefficients), fit.Intercept
	return fit.History, fit.DiagInv, nil
}

// iterate minimises the loss over the data by L-BFGS, OWL-QN or, for Huber loss, L-BFGS-B.
func (e *LinearRegression) iterate(ctx context.Context, in *ml.Instances, m *LinearRegressionModel) ([]float64, error) {
	p := e.Params()
	intercept, squared := p.Bool("fitIntercept"), p.String("loss") == "squaredError"
	labels := linalg.NewSummary(1)
	for i := range in.Labels {
		labels.AddDense(in.Labels[i:i+1], in.Weight(i))
	}
	if labels.WeightSum == 0 {
		return nil, sparkerr.Require("Nothing has been added to this summarizer.")
	}
	d := in.Rows.D
	yMean, yStd := labels.Mean()[0], labels.Std()[0]
	if yStd == 0 {
		if intercept || yMean == 0 {
			m.coefficients, m.intercept = ml.Vector{Size: d, Sparse: true, Indices: []int32{}, Values: []float64{}}, yMean
			return []float64{0}, nil
		}
		if p.Double("regParam") != 0 {
			return nil, sparkerr.Require("The standard deviation of the label is zero. Model cannot be regularized.")
		}
		if yStd = yMean; yStd < 0 {
			yStd = -yStd
		}
	}
	stats := in.Rows.Summarize(in.Weights)
	mean, std := stats.Mean(), stats.Std()
	reg := p.Double("regParam")
	if squared {
		reg /= yStd
	}
	prob := &linalg.Problem{Rows: &in.Rows, Labels: in.Labels, Weights: in.Weights, Center: intercept, Reg: (1 - p.Double("elasticNetParam")) * reg}
	prob.Standardize(mean, std)
	if !p.Bool("standardization") {
		prob.RegStd = std
	}
	next, end := progress.Rounds(ctx, p.Int("maxIter"))
	defer end()
	opt := optimize.Options{MaxIter: p.Int("maxIter"), Memory: 10, Tol: p.Double("tol"), Stop: next}
	if !squared {
		return e.huber(prob, opt, std, m)
	}
	if l1 := p.Double("elasticNetParam") * reg; l1 != 0 {
		opt.L1 = func(i int) float64 {
			switch {
			case p.Bool("standardization"):
				return l1
			case std[i] != 0:
				return l1 / std[i]
			}
			return 0
		}
	}
	r, err := optimize.Minimize(prob.Squared(yMean, yStd), make([]float64, d), opt)
	if err != nil {
		return nil, err
	}
	for i := range r.X {
		r.X[i] *= yStd * prob.InvStd[i]
		if intercept {
			m.intercept -= r.X[i] * mean[i]
		}
	}
	if intercept {
		m.intercept += yMean
	}
	m.coefficients = ml.Compressed(r.X)
	return r.History, nil
}

func (e *LinearRegression) huber(prob *linalg.Problem, opt optimize.Options, std []float64, m *LinearRegressionModel) ([]float64, error) {
	p := e.Params()
	intercept, d := p.Bool("fitIntercept"), prob.Rows.D
	n := d + 1
	if intercept {
		n++
	}
	x0 := make([]float64, n)
	opt.Lower, opt.Upper = make([]float64, n), make([]float64, n)
	for i := range x0 {
		x0[i], opt.Lower[i], opt.Upper[i] = 1, -maxDouble, maxDouble
	}
	opt.Lower[n-1] = minDouble
	if intercept {
		for j, v := range prob.ScaledMean {
			x0[d] += x0[j] * v
		}
	}
	r, err := optimize.Minimize(prob.Huber(p.Double("epsilon"), intercept), x0, opt)
	if err != nil {
		return nil, err
	}
	if intercept {
		m.intercept = r.X[d]
		for j, v := range prob.ScaledMean {
			m.intercept -= r.X[j] * v
		}
	}
	for j := range d {
		r.X[j] *= prob.InvStd[j]
	}
	m.coefficients, m.scale = ml.Compressed(r.X[:d]), r.X[n-1]
	return r.History, nil
}

func (m *LinearRegressionModel) TransformSchema(in types.Struct) (types.Struct, error) {
	if err := ml.CheckPredictor(in, m.Params(), false); err != nil {
		return in, err
	}
	col := m.Params().String("predictionCol")
	if col == "" {
		return in, nil
	}
	return ml.AppendField(in, ml.PredictionField(col, 0))
}

func (m *LinearRegressionModel) Bind(in types.Struct) (*ml.Transform, error) {
	if _, err := m.TransformSchema(in); err != nil {
		return nil, err
	}
	col := m.Params().String("predictionCol")
	t := &ml.Transform{Inputs: []string{m.Params().String("featuresCol")}}
	if col != "" {
		t.Outputs = []types.Field{ml.PredictionField(col, 0)}
	}
	t.Apply = func(ctx context.Context, in []arrow.Array, n int) ([]arrow.Array, []bool, error) {
		if col == "" {
			return nil, nil, nil
		}
		v, err := ml.NewVectorView(in[0])
		if err != nil {
			return nil, nil, err
		}
		out := make([]float64, n)
		for i := range out {
			if err := checkRow(v, i, len(m.dense)); err != nil {
				return nil, nil, err
			}
			out[i] = v.Dot(i, m.dense) + m.intercept
		}
		return []arrow.Array{ml.NumberColumn(out)}, nil, ctx.Err()
	}
	return t, nil
}

func checkRow(v *ml.VectorView, i, size int) error {
	sig := "(" + ml.VectorSQL + ") => double"
	if v.IsNull(i) {
		return ml.UDFError("PredictionModel", sig, "java.lang.NullPointerException")
	}
	if n := v.Size(i); n != size {
		return ml.UDFError("PredictionModel", sig, "java.lang.IllegalArgumentException: requirement failed: BLAS.dot(x: Vector, y:Vector) was given Vectors with non-matching sizes: x.size = "+
			ml.FormatValue(n)+", y.size = "+ml.FormatValue(size))
	}
	return nil
}

var linearAttrs = ml.AttrTable[*LinearRegressionModel]{
	"toString": ml.Text(func(m *LinearRegressionModel) []string {
		return []string{fmt.Sprintf("numFeatures=%d", len(m.dense))}
	}),
	"coefficients": ml.Getter(func(m *LinearRegressionModel) any { return m.coefficients }),
	"intercept":    ml.Getter(func(m *LinearRegressionModel) any { return m.intercept }),
	"scale":        ml.Getter(func(m *LinearRegressionModel) any { return m.scale }),
	"numFeatures":  ml.Getter(func(m *LinearRegressionModel) any { return int32(len(m.dense)) }),
	"predict": func(_ context.Context, m *LinearRegressionModel, args []any) (any, error) {
		v, err := ml.Arg[ml.Vector]("predict", args, 0)
		if err != nil {
			return nil, err
		}
		x := v.Array()
		if len(x) != len(m.dense) {
			return nil, sparkerr.Require("BLAS.dot(x: Vector, y:Vector) was given Vectors with non-matching sizes: x.size = %d, y.size = %d", len(x), len(m.dense))
		}
		sum := 0.0
		for i, c := range m.dense {
			sum += c * x[i]
		}
		return sum + m.intercept, nil
	},
	"evaluate": func(ctx context.Context, m *LinearRegressionModel, args []any) (any, error) {
		data, err := ml.Arg[ml.Frame]("evaluate", args, 0)
		if err != nil {
			return nil, err
		}
		s := &LinearSummary{model: m.named(), data: data, diagInv: []float64{0}}
		return s, s.measure(ctx)
	},
}

func (m *LinearRegressionModel) Attr(ctx context.Context, name string, args []any) (any, error) {
	return linearAttrs.Call(ctx, m, m.Spec().Class, name, args)
}

// named is the model itself, or a copy with a prediction column if it has none, as a summary
// needs one.
func (m *LinearRegressionModel) named() *LinearRegressionModel {
	c := *m
	c.summary = nil
	if p := m.Params().Copy(); p.String("predictionCol") == "" {
		if err := p.Set(m.UID(), "predictionCol", "prediction_"+m.UID()); err == nil {
			c.Base = m.With(p)
		}
	}
	return &c
}

func (m *LinearRegressionModel) Summary() ml.Summary {
	if m.summary == nil {
		return nil
	}
	return m.summary
}

func (m *LinearRegressionModel) SizeBytes() int64 { return int64(512 + 16*len(m.dense)) }

func (m *LinearRegressionModel) WithParams(p *ml.Params) ml.Model {
	c := *m
	c.Base = m.With(p)
	return &c
}

var linearSchema = types.Struct{Fields: []types.Field{{Name: "intercept", Type: types.Double},
	{Name: "coefficients", Type: types.Vector, Nullable: true}, {Name: "scale", Type: types.Double}}}

// Save writes the coefficients as Spark does; a summary is not saved.
func (m *LinearRegressionModel) Save(dir string) (map[string]any, error) {
	return nil, ml.WriteRows(dir, "data", linearSchema, []any{m.intercept, m.coefficients, m.scale})
}

func loadLinearModel(dir string, meta ml.Metadata) (ml.Operator, error) {
	b, err := meta.Base(linearModelSpec)
	if err != nil {
		return nil, err
	}
	t, err := ml.ReadTable(dir, "data")
	if err != nil {
		return nil, err
	}
	m := &LinearRegressionModel{Base: b, scale: 1}
	if m.coefficients, err = ml.Read[ml.Vector](t, "coefficients", 0); err != nil {
		return nil, err
	}
	if m.intercept, err = ml.Read[float64](t, "intercept", 0); err != nil {
		return nil, err
	}
	if t.Has("scale") { // since Spark 2.3
		if m.scale, err = ml.Read[float64](t, "scale", 0); err != nil {
			return nil, err
		}
	}
	m.dense = m.coefficients.Array()
	return m, nil
}
