// Package quantile finds approximate quantiles of a stream of numbers with a bounded error of
// rank, by the summary of Greenwald and Khanna in the variant that Spark uses: values are
// buffered, sorted, inserted and then compressed. What comes in are float64 values; NaN must be
// left out by the caller.
package quantile

import (
	"math"
	"slices"

	"github.com/millpond/millpond/internal/kernel/radix"
)

const (
	headSize          = 50000 // values buffered before they are inserted
	compressThreshold = 10000 // samples kept before they are compressed
)

// DefaultAccuracy is the accuracy of SQL's percentile_approx; its relative error is 1/accuracy.
const DefaultAccuracy = 10000

type sample struct {
	value    float64
	g, delta int64
}

// Summary is a sketch of the values inserted so far.
type Summary struct {
	relativeError float64
	count         int64
	sampled       []sample
	head          []float64
}

// New makes an empty summary. A relativeError of 0 makes it exact, keeping every value.
func New(relativeError float64) *Summary { return &Summary{relativeError: relativeError} }

// Count is the number of values inserted.
func (s *Summary) Count() int64 { return s.count + int64(len(s.head)) }

// Insert adds a value.
func (s *Summary) Insert(x float64) {
	if s.head == nil {
		s.head = make([]float64, 0, 1024)
	}
	s.head = append(s.head, x)
	if len(s.head) >= headSize {
		s.flush()
		if len(s.sampled) >= compressThreshold {
			s.compress()
		}
	}
}

// Compress brings the summary into the form that can be merged and asked.
func (s *Summary) Compress() {
	s.flush()
	s.compress()
}

func (s *Summary) flush() {
	if len(s.head) == 0 {
		return
	}
	radix.Sort(s.head)
	out := make([]sample, 0, len(s.sampled)+len(s.head))
	at := 0
	for k, x := range s.head {
		for at < len(s.sampled) && s.sampled[at].value <= x {
			out = append(out, s.sampled[at])
			at++
		}
		s.count++
		var delta int64
		if len(out) > 0 && (at < len(s.sampled) || k < len(s.head)-1) {
			delta = int64(math.Floor(2 * s.relativeError * float64(s.count)))
		}
		out = append(out, sample{x, 1, delta})
	}
	s.sampled = append(out, s.sampled[at:]...)
	s.head = s.head[:0]
}

func (s *Summary) compress() {
	s.sampled = compressed(s.sampled, 2*s.relativeError*float64(s.count))
}

// compressed joins neighbours as long as their rank stays known within the threshold; the least
// and the greatest sample stay.
func compressed(in []sample, threshold float64) []sample {
	if len(in) == 0 {
		return nil
	}
	out := make([]sample, 0, 64)
	head := in[len(in)-1]
	for i := len(in) - 2; i >= 1; i-- {
		if float64(in[i].g+head.g+head.delta) < threshold {
			head.g += in[i].g
			continue
		}
		out = append(out, head)
		head = in[i]
	}
	out = append(out, head)
	if len(in) > 1 && in[0].value <= head.value {
		out = append(out, in[0])
	}
	slices.Reverse(out)
	return out
}

// Merge gives the summary of both, which must be compressed.
func (s *Summary) Merge(o *Summary) *Summary {
	if o.count == 0 {
		return s
	}
	if s.count == 0 {
		return o
	}
	m := &Summary{relativeError: math.Max(s.relativeError, o.relativeError), count: s.count + o.count}
	own := int64(math.Floor(2 * o.relativeError * float64(o.count)))
	others := int64(math.Floor(2 * s.relativeError * float64(s.count)))
	all := make([]sample, 0, len(s.sampled)+len(o.sampled))
	i, j := 0, 0
	for i < len(s.sampled) && j < len(o.sampled) {
		if x := s.sampled[i]; x.value < o.sampled[j].value {
			if j > 0 {
				x.delta += own
			}
			all = append(all, x)
			i++
			continue
		}
		x := o.sampled[j]
		if i > 0 {
			x.delta += others
		}
		all = append(all, x)
		j++
	}
	all = append(append(all, s.sampled[i:]...), o.sampled[j:]...)
	m.sampled = compressed(all, 2*m.relativeError*float64(m.count))
	return m
}

// Query gives the value at each of the given fractions (0 to 1), or nil if there are no values.
func (s *Summary) Query(fractions ...float64) []float64 {
	s.Compress()
	if len(s.sampled) == 0 {
		return nil
	}
	order := make([]int, len(fractions))
	for i := range order {
		order[i] = i
	}
	slices.SortStableFunc(order, func(a, b int) int {
		switch {
		case fractions[a] < fractions[b]:
			return -1
		case fractions[a] > fractions[b]:
			return 1
		}
		return 0
	})
	var widest int64
	for _, x := range s.sampled {
		widest = max(widest, x.delta+x.g)
	}
	out := make([]float64, len(fractions))
	at, minRank := 0, s.sampled[0].g
	for _, pos := range order {
		q := fractions[pos]
		switch {
		case q <= s.relativeError || len(s.sampled) == 1:
			out[pos] = s.sampled[0].value
		case q >= 1-s.relativeError:
			out[pos] = s.sampled[len(s.sampled)-1].value
		default:
			at, minRank, out[pos] = s.find(at, minRank, float64(widest)/2, q)
		}
	}
	return out
}

// find walks from sample at, whose least rank is minRank, to the first that answers q.
func (s *Summary) find(at int, minRank int64, targetError, q float64) (int, int64, float64) {
	rank := math.Ceil(q * float64(s.count))
	for i := at; i < len(s.sampled)-1; i++ {
		maxRank := minRank + s.sampled[i].delta
		if float64(maxRank)-targetError <= rank && rank <= float64(minRank)+targetError {
			return i, minRank, s.sampled[i].value
		}
		minRank += s.sampled[i+1].g
	}
	return len(s.sampled) - 1, 0, s.sampled[len(s.sampled)-1].value
}
