package evaluation

import (
	"context"
	"slices"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"

	"github.com/millpond/millpond/internal/kernel/metric"
	"github.com/millpond/millpond/internal/ml"
	"github.com/millpond/millpond/internal/sparkerr"
	"github.com/millpond/millpond/internal/types"
)

// BinaryClassificationEvaluator measures how well scores tell two classes apart.
type BinaryClassificationEvaluator struct{ ml.Base }

var binarySpec = ml.Register(&ml.Spec{Class: pkg + "BinaryClassificationEvaluator", Kind: ml.KindEvaluator, Params: []ml.Param{
	ml.LabelColParam(),
	{Name: "metricName", Doc: "metric name in evaluation (areaUnderROC|areaUnderPR)", Type: ml.ParamString, Default: "areaUnderROC", Check: ml.OneOf("areaUnderROC", "areaUnderPR")},
	{Name: "numBins", Doc: "Number of bins to down-sample the curves (ROC curve, PR curve) in area computation. If 0, no down-sampling will occur. Must be >= 0.", Type: ml.ParamInt, Default: 1000, Check: ml.IntAtLeast(0)},
	ml.RawPredictionColParam(), ml.WeightColParam(),
}})

func init() {
	binarySpec.New = func(uid string, p *ml.Params) ml.Operator {
		return &BinaryClassificationEvaluator{ml.NewBase(binarySpec, uid, p)}
	}
}

func (e *BinaryClassificationEvaluator) Evaluate(ctx context.Context, data ml.Frame) (float64, error) {
	p, in := e.Params(), data.Schema()
	raw, label := p.String("rawPredictionCol"), p.String("labelCol")
	if err := ml.CheckTypeIn(in, raw, types.Double, types.Vector); err != nil {
		return 0, err
	}
	if n := ml.GroupOf(in.Fields[in.Index(raw)]).Size; n >= 0 && n != 2 {
		return 0, sparkerr.Require("rawPredictionCol vectors must have length=2, but got %d", n)
	}
	if err := ml.CheckNumeric(in, label); err != nil {
		return 0, err
	}
	if err := checkWeight(in, p); err != nil {
		return 0, err
	}
	b, err := e.curve(ctx, data, []string{raw, label})
	if err != nil {
		return 0, err
	}
	if p.String("metricName") == "areaUnderPR" {
		if b.Len() == 0 {
			return 0, sparkerr.Plain("java.lang.UnsupportedOperationException", "empty collection")
		}
		return b.AreaUnderPR(), nil
	}
	return b.AreaUnderROC(), nil
}

// curve makes the curve that both metrics are areas under. One with a point for each score is too
// large to be kept.
func (e *BinaryClassificationEvaluator) curve(ctx context.Context, data ml.Frame, names []string) (*metric.Binary, error) {
	p := e.Params()
	bins := p.Int("numBins")
	build := func(names []string) (*metric.Binary, error) {
		var scores, labels, weights []float64
		err := each(ctx, data, p, names, func(cols []arrow.Array, w []float64) error {
			y, err := numbers(cols[1])
			if err != nil {
				return err
			}
			labels, weights = append(labels, y...), append(weights, w...)
			scores, err = appendScores(scores, cols[0])
			return err
		})
		if len(weights) == 0 {
			weights = nil
		}
		if err != nil {
			return nil, err
		}
		return metric.NewBinary(scores, labels, weights, bins), nil
	}
	if bins == 0 || bins > 10_000 {
		return build(names)
	}
	return recall(data, p, names, build)
}

// appendScores adds a column's scores: doubles, or the second value of vectors.
func appendScores(scores []float64, a arrow.Array) ([]float64, error) {
	if d, ok := a.(*array.Float64); ok {
		v, err := numbers(d)
		return append(scores, v...), err
	}
	v, err := ml.NewVectorView(a)
	if err != nil {
		return nil, err
	}
	var all []float64
	for i := range v.Len() {
		if v.IsNull(i) {
			return nil, sparkerr.Plain(sparkerr.ClassSpark, "Job aborted due to stage failure: scala.MatchError: a row to evaluate holds null")
		}
		n := v.Size(i)
		if n < 2 {
			return nil, ml.JobAborted("java.lang.ArrayIndexOutOfBoundsException: Index 1 out of bounds for length %d", n)
		}
		all = slices.Grow(all[:0], n)[:n]
		v.CopyTo(i, all)
		scores = append(scores, all[1])
	}
	return scores, nil
}
