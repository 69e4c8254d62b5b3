package evaluation

import (
	"context"

	"github.com/apache/arrow-go/v18/arrow/array"

	"github.com/millpond/millpond/internal/kernel/metric"
	"github.com/millpond/millpond/internal/ml"
	"github.com/millpond/millpond/internal/sparkerr"
	"github.com/millpond/millpond/internal/types"
)

// RankingEvaluator measures ordered predictions against relevant labels.
type RankingEvaluator struct{ ml.Base }

var rankingMetrics = map[string]func(r *metric.Ranking) float64{
	"meanAveragePrecision": (*metric.Ranking).MeanAveragePrecision, "meanAveragePrecisionAtK": (*metric.Ranking).MeanAveragePrecisionAtK,
	"precisionAtK": (*metric.Ranking).PrecisionAtK, "ndcgAtK": (*metric.Ranking).NDCGAtK, "recallAtK": (*metric.Ranking).RecallAtK,
}

var rankingSpec = ml.Register(&ml.Spec{Class: pkg + "RankingEvaluator", Kind: ml.KindEvaluator, Params: []ml.Param{
	{Name: "k", Doc: "The ranking position value used in (meanAveragePrecisionAtK|precisionAtK|ndcgAtK|recallAtK)  Must be > 0. The default value is 10.", Type: ml.ParamInt, Default: 10, Check: ml.IntAtLeast(1)},
	ml.LabelColParam(),
	{Name: "metricName", Doc: "metric name in evaluation (meanAveragePrecision|meanAveragePrecisionAtK|precisionAtK|ndcgAtK|recallAtK)", Type: ml.ParamString, Default: "meanAveragePrecision",
		Check: func(v any) bool { _, ok := rankingMetrics[v.(string)]; return ok }},
	ml.PredictionColParam(),
}})

func init() {
	rankingSpec.New = func(uid string, p *ml.Params) ml.Operator {
		return &RankingEvaluator{ml.NewBase(rankingSpec, uid, p)}
	}
}

func (e *RankingEvaluator) Evaluate(ctx context.Context, data ml.Frame) (float64, error) {
	r := metric.Ranking{K: e.Params().Int("k")}
	if err := eachLists(ctx, data, e.Params(), r.Add); err != nil {
		return 0, err
	}
	return rankingMetrics[e.Params().String("metricName")](&r), nil
}

// eachLists reads the columns of predicted and true lists.
func eachLists(ctx context.Context, data ml.Frame, p *ml.Params, visit func(predictions, labels []float64)) error {
	names := []string{p.String("predictionCol"), p.String("labelCol")}
	for _, n := range names {
		if err := ml.CheckTypeIn(data.Schema(), n, types.Array{Elem: types.Double}, types.Array{Elem: types.Double, ContainsNull: true}); err != nil {
			return err
		}
	}
	for batch, err := range data.Select(names...).Batches(ctx) {
		if err != nil {
			return err
		}
		var rows [2]*ml.FeatureRows
		for k := range rows {
			if rows[k], err = ml.NewFeatureRows(batch.Column(k)); err != nil {
				return err
			}
			l, ok := batch.Column(k).(*array.List)
			if !ok || l.NullN() > 0 || l.ListValues().NullN() > 0 {
				return sparkerr.Plain(sparkerr.ClassSpark, "Job aborted due to stage failure: scala.MatchError: a row to evaluate holds null")
			}
		}
		for i := range int(batch.NumRows()) {
			visit(rows[0].Row(i, nil), rows[1].Row(i, nil))
		}
	}
	return nil
}
