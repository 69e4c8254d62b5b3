package evaluation

import (
	"context"

	"github.com/apache/arrow-go/v18/arrow"

	"github.com/millpond/millpond/internal/kernel/metric"
	"github.com/millpond/millpond/internal/ml"
	"github.com/millpond/millpond/internal/sparkerr"
)

// ClusteringEvaluator measures how well points lie in their clusters: the silhouette.
type ClusteringEvaluator struct{ ml.Base }

var clusteringSpec = ml.Register(&ml.Spec{Class: pkg + "ClusteringEvaluator", Kind: ml.KindEvaluator, Params: []ml.Param{
	{Name: "distanceMeasure", Doc: "distance measure in evaluation. Supported options: 'squaredEuclidean', 'cosine'", Type: ml.ParamString, Default: "squaredEuclidean", Check: ml.OneOf("squaredEuclidean", "cosine")},
	ml.FeaturesColParam(),
	{Name: "metricName", Doc: "metric name in evaluation (silhouette)", Type: ml.ParamString, Default: "silhouette", Check: ml.OneOf("silhouette")},
	ml.PredictionColParam(), ml.WeightColParam(),
}})

func init() {
	clusteringSpec.New = func(uid string, p *ml.Params) ml.Operator {
		return &ClusteringEvaluator{ml.NewBase(clusteringSpec, uid, p)}
	}
}

// part is a batch that is looked at twice.
type part struct {
	rows              *ml.FeatureRows
	clusters, weights []float64
}

func (e *ClusteringEvaluator) Evaluate(ctx context.Context, data ml.Frame) (float64, error) {
	p, in := e.Params(), data.Schema()
	features, prediction := p.String("featuresCol"), p.String("predictionCol")
	if err := ml.CheckVectorLike(in, features); err != nil {
		return 0, err
	}
	if err := ml.CheckNumeric(in, prediction); err != nil {
		return 0, err
	}
	if err := checkWeight(in, p); err != nil {
		return 0, err
	}
	s := metric.NewSilhouette(p.String("distanceMeasure") == "cosine")
	var parts []part
	width := -1
	err := each(ctx, data, p, []string{features, prediction}, func(cols []arrow.Array, weights []float64) error {
		rows, err := ml.NewFeatureRows(cols[0])
		if err != nil {
			return err
		}
		clusters, err := numbers(cols[1])
		if err != nil {
			return err
		}
		one := part{rows, clusters, weights}
		parts = append(parts, one)
		return one.each(&width, s.Add)
	})
	if err != nil {
		return 0, err
	}
	if s.Clusters() < 2 {
		return 0, sparkerr.Plain("java.lang.AssertionError", "assertion failed: Number of clusters must be greater than one.")
	}
	for _, one := range parts {
		if err := one.each(&width, s.Score); err != nil {
			return 0, err
		}
	}
	return s.Mean()
}

func (p *part) each(width *int, visit func(point []float64, cluster, weight float64)) error {
	var scratch []float64
	for i, c := range p.clusters {
		if p.rows.IsNull(i) {
			return sparkerr.Plain(sparkerr.ClassSpark, "Job aborted due to stage failure: scala.MatchError: a row to evaluate holds null")
		}
		point := p.rows.Row(i, &scratch)
		if *width < 0 {
			*width = len(point)
		}
		if len(point) != *width {
			return sparkerr.Require("The vectors to evaluate must have one size, found %d and %d.", *width, len(point))
		}
		w := 1.0
		if p.weights != nil {
			w = p.weights[i]
		}
		visit(point, c, w)
	}
	return nil
}
