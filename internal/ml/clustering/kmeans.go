// Package clustering holds Spark ML's clustering estimators, one to a file. What comes in is a
// column of features, what goes out is a model that tells each row's cluster. Numbers are made
// in kernel/cluster.
package clustering

import (
	"context"
	"errors"
	"fmt"
	"math"
	"runtime"
	"slices"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"
	"github.com/apache/arrow-go/v18/arrow/memory"

	"github.com/millpond/millpond/internal/kernel/cluster"
	"github.com/millpond/millpond/internal/kernel/linalg"
	"github.com/millpond/millpond/internal/ml"
	"github.com/millpond/millpond/internal/progress"
	"github.com/millpond/millpond/internal/sparkerr"
	"github.com/millpond/millpond/internal/types"
)

const pkg = "org.apache.spark.ml.clustering."

// KMeans groups rows round k centres.
type KMeans struct{ ml.Base }

// KMeansModel tells which centre a row is nearest to.
type KMeansModel struct {
	ml.Base
	centers *cluster.Centers
	summary *KMeansSummary
}

// The solvers and block sizes of Spark differ in how fast they are, not in what they find.
var kmeansParams = []ml.Param{
	{Name: "distanceMeasure", Doc: "The distance measure. Supported options: 'euclidean' and 'cosine'", Type: ml.ParamString, Default: "euclidean", Check: ml.OneOf("euclidean", "cosine")},
	ml.FeaturesColParam(),
	{Name: "initMode", Doc: "The initialization algorithm. Supported options: 'random' and 'k-means||'.", Type: ml.ParamString, Default: "k-means||", Check: ml.OneOf("random", "k-means||")},
	{Name: "initSteps", Doc: "The number of steps for k-means|| initialization mode. Must be > 0.", Type: ml.ParamInt, Default: 2, Check: ml.IntAtLeast(1)},
	{Name: "intermediateStorageLevel", Doc: "StorageLevel for intermediate datasets. Pass in a string representation of `StorageLevel`. Cannot be 'NONE'.", Type: ml.ParamString, Default: "MEMORY_AND_DISK"},
	{Name: "k", Doc: "The number of clusters to create. Must be > 1.", Type: ml.ParamInt, Default: 2, Check: ml.IntAtLeast(2)},
	{Name: "maxBlockSizeInMB", Doc: "Maximum memory in MB for stacking input data into blocks. Data is stacked within partitions. If more than remaining data size in a partition then it is adjusted to the data size. Default 0.0 represents choosing optimal value, depends on specific algorithm. Must be >= 0.", Type: ml.ParamDouble, Default: 0.0, Check: ml.AtLeast(0)},
	ml.MaxIterParam(20), ml.PredictionColParam(), ml.SeedParam(pkg + "KMeans"),
	{Name: "solver", Doc: "The solver algorithm for optimization. Supported options: row, block, auto. (Default auto)", Type: ml.ParamString, Default: "auto", Check: ml.OneOf("auto", "row", "block")},
	ml.TolParam(1e-4), ml.WeightColParam(),
}

var kmeansSpec = ml.Register(&ml.Spec{Class: pkg + "KMeans", Kind: ml.KindEstimator, Params: kmeansParams})

var kmeansModelSpec = ml.Register(&ml.Spec{Class: pkg + "KMeansModel", Kind: ml.KindModel, Params: kmeansParams})

func init() {
	kmeansModelSpec.Load = loadKMeansModel
	kmeansSpec.New = func(uid string, p *ml.Params) ml.Operator { return &KMeans{ml.NewBase(kmeansSpec, uid, p)} }
}

func kmeansSchema(in types.Struct, p *ml.Params, k int) (types.Struct, error) {
	if err := ml.CheckVectorLike(in, p.String("featuresCol")); err != nil {
		return in, err
	}
	return ml.AppendField(in, clusterField(p.String("predictionCol"), k))
}

// clusterField is the prediction column; k is 0 before the number of centres is known.
func clusterField(name string, k int) types.Field {
	f := types.Field{Name: name, Type: types.Int}
	if k > 0 {
		f.Metadata = ml.Attr{Type: ml.AttrNominal, NumVals: &k}.Metadata()
	}
	return f
}

func (e *KMeans) TransformSchema(in types.Struct) (types.Struct, error) {
	return kmeansSchema(in, e.Params(), 0)
}

func (e *KMeans) Fit(ctx context.Context, data ml.Frame) (ml.Model, error) {
	if _, err := e.TransformSchema(data.Schema()); err != nil {
		return nil, err
	}
	p := e.Params()
	names := []string{p.String("featuresCol")}
	if w := p.String("weightCol"); w != "" {
		if err := ml.CheckNumeric(data.Schema(), w); err != nil {
			return nil, err
		}
		names = append(names, w)
	}
	v, err := data.Memo(fmt.Sprintf("points:%q", names), func() (any, error) { return readPoints(ctx, data.Select(names...)) })
	if err != nil {
		return nil, err
	}
	points := v.([]cluster.Point)
	o := cluster.Options{K: p.Int("k"), MaxIter: p.Int("maxIter"), InitSteps: p.Int("initSteps"), Tol: p.Double("tol"),
		Seed: p.Long("seed"), RandomInit: p.String("initMode") == "random", Cosine: p.String("distanceMeasure") == "cosine",
		Width: points[0].Width(), Threads: runtime.GOMAXPROCS(0)}
	if o.Cosine && slices.ContainsFunc(points, func(p cluster.Point) bool { return p.IsZero() }) {
		return nil, sparkerr.Plain(sparkerr.ClassSpark, "Job aborted due to stage failure: java.lang.AssertionError: assertion failed: Cosine distance is not defined for zero-length vectors.")
	}
	next, end := progress.Rounds(ctx, o.MaxIter)
	defer end()
	o.Stop = next
	r, err := cluster.KMeans(ctx, points, o)
	if err != nil {
		return nil, err
	}
	m := &KMeansModel{Base: e.ForModel(kmeansModelSpec), centers: cluster.NewCenters(r.Centers, o.Cosine)}
	m.summary = &KMeansSummary{model: m, data: data, cost: r.Cost, iterations: r.Iterations}
	return m, nil
}

// readPoints reads a frame of features and maybe weights.
func readPoints(ctx context.Context, data ml.Frame) ([]cluster.Point, error) {
	var batches []arrow.RecordBatch
	rows := 0
	for batch, err := range data.Batches(ctx) {
		if err != nil {
			return nil, err
		}
		batches, rows = append(batches, batch), rows+int(batch.NumRows())
	}
	if rows == 0 {
		return nil, sparkerr.Plain(sparkerr.ClassSpark, "Job aborted due to stage failure: java.lang.IllegalArgumentException: requirement failed: Nothing has been added to this summarizer.")
	}
	points, at := make([]cluster.Point, rows), 0
	for _, batch := range batches {
		var weights []float64
		if batch.NumCols() > 1 {
			var err error
			if weights, err = ml.Floats(batch.Column(1)); err != nil {
				return nil, err
			}
			if err := ml.CheckWeights(batch.Column(1), weights); err != nil {
				return nil, err
			}
		}
		to := at + int(batch.NumRows())
		if err := fillPoints(points[at:to], batch.Column(0), weights); err != nil {
			return nil, err
		}
		at = to
	}
	for i := range points {
		if points[i].Width() != points[0].Width() {
			return nil, sizes(points[0].Width(), points[i].Width())
		}
	}
	return points, nil
}

// fillPoints makes points of a batch's features; weights may be nil for all 1.
func fillPoints(points []cluster.Point, a arrow.Array, weights []float64) error {
	weight := func(i int) float64 {
		if weights == nil {
			return 1
		}
		return weights[i]
	}
	if v, err := ml.NewVectorView(a); err == nil {
		return linalg.EachChunk(len(points), 4096, func(lo, hi int) error {
			for i := lo; i < hi; i++ {
				if err := ml.CheckFeaturesAt(v, i); err != nil {
					return err
				}
				points[i] = cluster.NewSizedPoint(v.Size(i), v.Indices(i), v.Values(i), weight(i))
			}
			return nil
		})
	}
	rows, err := ml.NewFeatureRows(a)
	if err != nil {
		return err
	}
	for i := range rows.Len() {
		if rows.IsNull(i) {
			return ml.Raised("Vectors MUST NOT be Null")
		}
		var own []float64 // lists of floats are widened into it
		row := rows.Row(i, &own)
		for _, x := range row {
			if x-x != 0 {
				return ml.Raised("Vector values MUST NOT be NaN or Infinity, but got %s", ml.FormatValue(row))
			}
		}
		points[i] = cluster.NewPoint(row, weight(i))
	}
	return nil
}

func sizes(want, got int) error {
	return sparkerr.Require("Both vectors should have same length, found v1 is %d while v2 is %d", want, got)
}

func (m *KMeansModel) TransformSchema(in types.Struct) (types.Struct, error) {
	out, err := kmeansSchema(in, m.Params(), len(m.centers.At))
	if err != nil {
		return in, err
	}
	name := m.Params().String("featuresCol")
	if g := ml.GroupOf(in.Fields[in.Index(name)]); g.Size >= 0 && g.Size != m.width() {
		return in, sizes(m.width(), g.Size)
	}
	return out, nil
}

func (m *KMeansModel) width() int { return len(m.centers.At[0]) }

func (m *KMeansModel) Bind(in types.Struct) (*ml.Transform, error) {
	if _, err := m.TransformSchema(in); err != nil {
		return nil, err
	}
	return &ml.Transform{Inputs: []string{m.Params().String("featuresCol")},
		Outputs: []types.Field{clusterField(m.Params().String("predictionCol"), len(m.centers.At))},
		Apply: func(ctx context.Context, in []arrow.Array, n int) ([]arrow.Array, []bool, error) {
			out, err := m.predict(ctx, in[0], n)
			if err != nil {
				return nil, nil, err
			}
			return []arrow.Array{array.NewInt32Data(array.NewData(arrow.PrimitiveTypes.Int32, n,
				[]*memory.Buffer{nil, memory.NewBufferBytes(arrow.Int32Traits.CastToBytes(out))}, nil, 0, 0))}, nil, nil
		}}, nil
}

// predict gives the cluster of each row of a batch.
func (m *KMeansModel) predict(ctx context.Context, a arrow.Array, n int) ([]int32, error) {
	const types = "(" + ml.VectorSQL + ") => int"
	rows, err := ml.NewFeatureRows(a)
	if err != nil {
		return nil, err
	}
	out := make([]int32, n)
	var scratch []float64
	for i := range out {
		if i&4095 == 0 && ctx.Err() != nil {
			return nil, ctx.Err()
		}
		if rows.IsNull(i) {
			return nil, ml.UDFError("KMeansModel", types, "java.lang.NullPointerException")
		}
		row := rows.Row(i, &scratch)
		if len(row) != m.width() {
			return nil, ml.UDFError("KMeansModel", types, "java.lang.IllegalArgumentException: "+sizes(m.width(), len(row)).Error())
		}
		p := cluster.NewPoint(row, 1)
		if m.centers.Cosine && p.IsZero() {
			return nil, ml.UDFError("KMeansModel", types, "java.lang.AssertionError: assertion failed: Cosine distance is not defined for zero-length vectors.")
		}
		k, _ := m.centers.Closest(&p)
		out[i] = int32(k)
	}
	return out, nil
}

var kmeansAttrs = ml.AttrTable[*KMeansModel]{
	"toString": ml.Text(func(m *KMeansModel) []string {
		return []string{"k", "distanceMeasure", fmt.Sprintf("numFeatures=%d", m.width())}
	}),
	"clusterCenterMatrix": ml.Getter(func(m *KMeansModel) any {
		return ml.Matrix{Rows: len(m.centers.At), Cols: m.width(), Values: slices.Concat(m.centers.At...), Transposed: true}
	}),
	"numFeatures": ml.Getter(func(m *KMeansModel) any { return int32(m.width()) }),
	"k":           ml.Getter(func(m *KMeansModel) any { return int32(len(m.centers.At)) }),
	"hasSummary":  ml.Getter(func(m *KMeansModel) any { return m.summary != nil }),
	"predict": func(_ context.Context, m *KMeansModel, args []any) (any, error) {
		v, err := ml.Arg[ml.Vector]("predict", args, 0)
		if err != nil {
			return nil, err
		}
		row := v.Array()
		if len(row) != m.width() {
			return nil, sizes(m.width(), len(row))
		}
		p := cluster.NewPoint(row, 1)
		if m.centers.Cosine && p.IsZero() {
			return nil, sparkerr.Plain("java.lang.AssertionError", "assertion failed: Cosine distance is not defined for zero-length vectors.")
		}
		k, _ := m.centers.Closest(&p)
		return int32(k), nil
	},
}

func (m *KMeansModel) Attr(ctx context.Context, name string, args []any) (any, error) {
	return kmeansAttrs.Call(ctx, m, m.Spec().Class, name, args)
}

func (m *KMeansModel) Summary() ml.Summary {
	if m.summary == nil { // not a nil *KMeansSummary in a Summary
		return nil
	}
	return m.summary
}

func (m *KMeansModel) SizeBytes() int64 { return int64(1024 + 8*len(m.centers.At)*m.width()) }

func (m *KMeansModel) WithParams(p *ml.Params) ml.Model {
	return &KMeansModel{m.With(p), m.centers, m.summary}
}

var kmeansDataSchema = types.Struct{Fields: []types.Field{{Name: "clusterIdx", Type: types.Int}, {Name: "clusterCenter", Type: types.Vector, Nullable: true}}}

// Save writes a row per centre as Spark does.
func (m *KMeansModel) Save(dir string) (map[string]any, error) {
	rows := make([][]any, len(m.centers.At))
	for k, c := range m.centers.At {
		rows[k] = []any{k, ml.DenseVector(c)}
	}
	return nil, ml.WriteRows(dir, "data", kmeansDataSchema, rows...)
}

func loadKMeansModel(dir string, meta ml.Metadata) (ml.Operator, error) {
	base, err := meta.Base(kmeansModelSpec)
	if err != nil {
		return nil, err
	}
	t, err := ml.ReadTable(dir, "data")
	if err != nil {
		return nil, err
	}
	if t.Rows == 0 {
		return nil, errors.New("a model without centres")
	}
	at := make([][]float64, t.Rows)
	for i := range t.Rows {
		k, err := ml.Read[int32](t, "clusterIdx", i)
		if err != nil {
			return nil, err
		}
		v, err := ml.Read[ml.Vector](t, "clusterCenter", i)
		if err != nil {
			return nil, err
		}
		if k < 0 || int(k) >= len(at) || at[k] != nil {
			return nil, fmt.Errorf("centre %d of %d is there twice or out of range", k, len(at))
		}
		at[k] = v.Array()
	}
	for _, c := range at {
		if len(c) != len(at[0]) || len(c) == 0 {
			return nil, fmt.Errorf("centres of %d and %d features", len(at[0]), len(c))
		}
		for _, x := range c {
			if math.IsNaN(x) {
				return nil, errors.New("a centre that is not a number")
			}
		}
	}
	return &KMeansModel{Base: base, centers: cluster.NewCenters(at, base.Params().String("distanceMeasure") == "cosine")}, nil
}
