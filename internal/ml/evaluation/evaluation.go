// Package evaluation holds Spark ML's evaluators, one to a file. What comes in is a frame of
// predictions, what goes out is a number. The mathematics lie in kernel/metric.
package evaluation

import (
	"context"
	"fmt"
	"slices"

	"github.com/apache/arrow-go/v18/arrow"

	"github.com/millpond/millpond/internal/ml"
	"github.com/millpond/millpond/internal/sparkerr"
	"github.com/millpond/millpond/internal/types"
)

const pkg = "org.apache.spark.ml.evaluation."

// checkWeight demands that the weight column, if there is one, is numeric.
func checkWeight(in types.Struct, p *ml.Params) error {
	if w := p.String("weightCol"); w != "" {
		return ml.CheckNumeric(in, w)
	}
	return nil
}

// recall gives what build sums up of the named columns and the weight column: once for all the
// metrics that are asked of the same rows.
func recall[V any](data ml.Frame, p *ml.Params, names []string, build func(names []string) (V, error)) (V, error) {
	var sums V
	key := fmt.Sprintf("%T %q %q", sums, names, p.String("weightCol"))
	if p.Spec().Param("numBins") != nil {
		key += fmt.Sprint(p.Int("numBins"))
	}
	read := names
	if w := p.String("weightCol"); w != "" {
		read = append(slices.Clone(names), w)
	}
	return ml.Recall(data.Select(read...), key, func() (V, error) { return build(names) })
}

// each reads the named columns and the weight column if there is one; weights are nil if not.
func each(ctx context.Context, data ml.Frame, p *ml.Params, names []string, visit func(cols []arrow.Array, weights []float64) error) error {
	n := len(names)
	if w := p.String("weightCol"); w != "" {
		names = append(names, w)
	}
	for batch, err := range data.Select(names...).Batches(ctx) {
		if err != nil {
			return err
		}
		var weights []float64
		cols := batch.Columns()
		if len(names) > n {
			if weights, err = ml.Floats(cols[n]); err != nil {
				return err
			}
			if err := ml.CheckWeights(cols[n], weights); err != nil {
				return err
			}
		}
		if err := visit(cols[:n], weights); err != nil {
			return err
		}
	}
	return nil
}

// numbers gives a column of numbers; a null is the error Spark fails with.
func numbers(a arrow.Array) ([]float64, error) {
	if a.NullN() > 0 {
		return nil, sparkerr.Plain(sparkerr.ClassSpark, "Job aborted due to stage failure: scala.MatchError: a row to evaluate holds null")
	}
	return ml.Floats(a)
}

func twoNumbers(cols []arrow.Array) (a, b []float64, err error) {
	if a, err = numbers(cols[0]); err != nil {
		return nil, nil, err
	}
	b, err = numbers(cols[1])
	return a, b, err
}
