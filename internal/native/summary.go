package native

import (
	"fmt"
	"strconv"

	"github.com/millpond/millpond/internal/kernel/linalg"
	"github.com/millpond/millpond/internal/sparkerr"
)

// Metrics are the statistics that spark_summary gives of weighted vectors: one number for each
// place of a vector, metric by metric, and last of all the number of rows.
var Metrics = []string{"mean", "sum", "variance", "std", "numNonZeros", "max", "min", "normL1", "normL2"}

// summary gathers statistics of weighted vectors.
type summary struct{ of *linalg.Summary }

func (s *summary) Add(row []Value) error {
	v, w := row[0], row[1].F // a weight that is null is 0
	if v.Null {
		return aborted("scala.MatchError", "null")
	}
	if w < 0 {
		return aborted("java.lang.IllegalArgumentException", "requirement failed: sample weight, "+javaDouble(w)+" has to be >= 0.0")
	}
	if w == 0 {
		return nil
	}
	size := len(v.D)
	if v.At != nil {
		size = int(v.I)
	}
	if err := s.fits(size, "when adding new sample"); err != nil {
		return err
	}
	if v.At != nil {
		s.of.AddSparse(v.At, v.D, w)
	} else {
		s.of.AddDense(v.D, w)
	}
	return nil
}

// fits makes the summary, or sees that it has the size.
func (s *summary) fits(size int, when string) error {
	if s.of == nil {
		s.of = linalg.NewSummary(size)
	}
	if s.of.Dim() != size {
		return aborted("java.lang.IllegalArgumentException", fmt.Sprintf("requirement failed: Dimensions mismatch %s. Expecting %d but got %d.", when, s.of.Dim(), size))
	}
	return nil
}

func (s *summary) Merge(other State) error {
	o := other.(*summary)
	if o.of == nil {
		return nil
	}
	if err := s.fits(o.of.Dim(), "when merging with another summarizer"); err != nil {
		return err
	}
	s.of.Merge(o.of)
	return nil
}

func (s *summary) Value() (Value, error) {
	if s.of == nil {
		return Value{D: []float64{0}}, nil
	}
	mean := s.of.Mean()
	sum, nonzeros := make([]float64, len(mean)), make([]float64, len(mean))
	for i, n := range s.of.NumNonzeros() {
		sum[i], nonzeros[i] = mean[i]*s.of.WeightSum, float64(n)
	}
	var out []float64
	for _, part := range [][]float64{mean, sum, s.of.Variance(), s.of.Std(), nonzeros, s.of.Max(), s.of.Min(), s.of.NormL1(), s.of.NormL2(), {float64(s.of.Count)}} {
		out = append(out, part...)
	}
	return Value{D: out}, nil
}

// aborted is how an exception in a task of Spark's reaches the client.
func aborted(class, message string) error {
	return sparkerr.Thrown(sparkerr.ClassSpark, "Job aborted due to stage failure: "+class+": "+message)
}

// javaDouble is a whole or short number as Java prints it.
func javaDouble(x float64) string {
	s := strconv.FormatFloat(x, 'f', -1, 64)
	if x == float64(int64(x)) {
		s += ".0"
	}
	return s
}
