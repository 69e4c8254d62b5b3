// Package stat holds the statistics of pyspark.ml.stat: frames come in, frames of results go out.
package stat

import (
	"context"
	"fmt"

	"github.com/apache/arrow-go/v18/arrow"

	"github.com/millpond/millpond/internal/kernel/linalg"
	"github.com/millpond/millpond/internal/ml"
	"github.com/millpond/millpond/internal/sparkerr"
)

// aborted is how an exception in a task of Spark's reaches the client.
func aborted(format string, args ...any) error {
	return sparkerr.Plain(sparkerr.ClassSpark, "Job aborted due to stage failure: "+format, args...)
}

// noMatch is the exception for a row with a value of a wrong kind.
func noMatch(row string) error {
	return aborted("scala.MatchError: [%s] (of class org.apache.spark.sql.catalyst.expressions.GenericRowWithSchema)", row)
}

// vectorsOf adds the vectors of a column to dense rows, which all must have their size.
func vectorsOf(rows *linalg.Rows, a arrow.Array, wrongSize func(want, got int) error, null func(i int) error) error {
	v, err := ml.NewVectorView(a)
	if err != nil {
		return err
	}
	for i := range v.Len() {
		if v.IsNull(i) {
			return null(i)
		}
		size := v.Size(i)
		if rows.N == 0 {
			rows.D = size
		}
		if size != rows.D {
			return wrongSize(rows.D, size)
		}
		at := len(rows.Dense)
		rows.Dense = append(rows.Dense, make([]float64, size)...)
		v.CopyTo(i, rows.Dense[at:])
		rows.N++
	}
	return nil
}

// each reads columns of a frame batch by batch.
func each(ctx context.Context, data ml.Frame, visit func(cols []arrow.Array) error, columns ...string) error {
	for b, err := range data.Select(columns...).Batches(ctx) {
		if err == nil {
			err = visit(b.Columns())
		}
		if err != nil {
			return fmt.Errorf("read %v: %w", columns, err)
		}
	}
	return nil
}
