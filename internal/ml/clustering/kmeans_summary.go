package clustering

import (
	"context"

	"github.com/millpond/millpond/internal/ml"
)

// KMeansSummary tells of the training of a KMeansModel.
type KMeansSummary struct {
	model      *KMeansModel
	data       ml.Frame
	cost       float64
	iterations int
}

func (s *KMeansSummary) predictions() (ml.Frame, error) {
	t, err := s.model.Bind(s.data.Schema())
	if err != nil {
		return nil, err
	}
	return ml.Applied(s.data, t), nil
}

var kmeansSummaryAttrs = ml.AttrTable[*KMeansSummary]{
	"trainingCost":  ml.Getter(func(s *KMeansSummary) any { return s.cost }),
	"numIter":       ml.Getter(func(s *KMeansSummary) any { return int32(s.iterations) }),
	"k":             ml.Getter(func(s *KMeansSummary) any { return int32(s.model.Params().Int("k")) }),
	"featuresCol":   ml.Getter(func(s *KMeansSummary) any { return s.model.Params().String("featuresCol") }),
	"predictionCol": ml.Getter(func(s *KMeansSummary) any { return s.model.Params().String("predictionCol") }),
	"predictions": func(_ context.Context, s *KMeansSummary, _ []any) (any, error) {
		f, err := s.predictions()
		if err != nil { // not a nil Frame in an any
			return nil, err
		}
		return f, nil
	},
	"cluster": func(_ context.Context, s *KMeansSummary, _ []any) (any, error) {
		f, err := s.predictions()
		if err != nil {
			return nil, err
		}
		return f.Select(s.model.Params().String("predictionCol")), nil
	},
	"clusterSizes": func(ctx context.Context, s *KMeansSummary, _ []any) (any, error) {
		sizes := make([]int32, s.model.Params().Int("k"))
		for batch, err := range s.data.Select(s.model.Params().String("featuresCol")).Batches(ctx) {
			if err != nil {
				return nil, err
			}
			clusters, err := s.model.predict(ctx, batch.Column(0), int(batch.NumRows()))
			if err != nil {
				return nil, err
			}
			for _, k := range clusters {
				sizes[k]++
			}
		}
		return sizes, nil
	},
}

// Attr answers a fetch on the summary.
func (s *KMeansSummary) Attr(ctx context.Context, name string, args []any) (any, error) {
	return kmeansSummaryAttrs.Call(ctx, s, pkg+"KMeansSummary", name, args)
}
