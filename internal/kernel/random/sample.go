package random

import (
	"math"
	"runtime"
	"sync/atomic"

	"github.com/millpond/millpond/internal/kernel/parallel"
)

// The largest fraction for which RDD.sample skips over rows instead of drawing for each, and the
// smallest number it takes the logarithm of.
const (
	maxGapFraction = 0.4
	gapEpsilon     = 5e-11
)

// Bernoulli keeps each of a run of rows with the same chance, as RDD.sample without replacement
// does in one partition.
type Bernoulli struct {
	rng      *Java
	fraction float64
	lnq      float64
	drop     int
}

// NewBernoulli makes the sampler that RDD.sample(false, fraction, seed) uses for a partition.
func NewBernoulli(fraction float64, seed int64, partition int) *Bernoulli {
	seeds := NewJava(seed)
	for range partition {
		seeds.NextLong()
	}
	b := &Bernoulli{rng: NewXORShift(seeds.NextLong()), fraction: fraction}
	if fraction > 0 && fraction <= maxGapFraction {
		b.lnq = math.Log1p(-fraction)
		b.advance()
	}
	return b
}

func (b *Bernoulli) advance() {
	b.drop = int(math.Log(max(b.rng.NextDouble(), gapEpsilon)) / b.lnq)
}

// Keep says whether the next row is in the sample.
func (b *Bernoulli) Keep() bool {
	switch {
	case b.fraction <= 0:
		return false
	case b.fraction >= 1:
		return true
	case b.fraction > maxGapFraction:
		return b.rng.NextDouble() <= b.fraction
	case b.drop > 0:
		b.drop--
		return false
	}
	b.advance()
	return true
}

// Reservoir draws k of the numbers 0 to n-1 as SamplingUtils.reservoirSampleAndCount does; all of
// them in order if n <= k.
func Reservoir(n, k int, seed int64) []int {
	out := make([]int, min(n, k))
	for i := range out {
		out[i] = i
	}
	if n <= k {
		return out
	}
	rng := NewXORShift(seed)
	for i, seen := k, int64(k); i < n; i++ {
		seen++
		if at := int64(rng.NextDouble() * float64(seen)); at < int64(k) {
			out[at] = i
		}
	}
	return out
}

// bagRows is how many rows Bag takes for a partition. Spark draws by partition, too; here it is
// what lets threads share the work without changing the draw.
const bagRows = 1 << 16

// Bag draws how often each row is in each of trees subsamples: out[tree*rows+row]. It is
// BaggedPoint's sampling, row by row, of partitions of bagRows rows: Poisson counts with
// replacement, one or none without.
func Bag(rows, trees int, rate float64, replacement bool, seed int64) []uint8 {
	out := make([]uint8, rows*trees)
	if !replacement && rate == 1 {
		for i := range out {
			out[i] = 1
		}
		return out
	}
	var next atomic.Int64
	parts := (rows + bagRows - 1) / bagRows
	parallel.Run(min(parts, runtime.GOMAXPROCS(0)), func() {
		for {
			p := int(next.Add(1)) - 1
			if p >= parts {
				return
			}
			draw := bagDraw(rate, replacement, seed+int64(p)+1)
			for r := p * bagRows; r < min(rows, (p+1)*bagRows); r++ {
				for at := r; at < len(out); at += rows {
					out[at] = draw()
				}
			}
		}
	})
	return out
}

func bagDraw(rate float64, replacement bool, seed int64) func() uint8 {
	if replacement {
		p := NewPoisson(rate, seed)
		return func() uint8 { return uint8(min(p.Sample(), math.MaxUint8)) }
	}
	rng := NewXORShift(seed)
	return func() uint8 {
		if rng.NextDouble() < rate {
			return 1
		}
		return 0
	}
}

// TakeSample draws k of n rows without replacement as RDD.takeSample does in one partition.
func TakeSample(n, k int, seed int64) []int {
	if n == 0 || k == 0 {
		return nil
	}
	rng := NewJava(seed)
	var picked []int
	if k >= n {
		picked = make([]int, n)
		for i := range picked {
			picked[i] = i
		}
	} else {
		fraction := sampleFraction(k, n)
		for {
			picked = picked[:0]
			b := NewBernoulli(fraction, int64(rng.NextInt32()), 0)
			for i := range n {
				if b.Keep() {
					picked = append(picked, i)
				}
			}
			if len(picked) >= k {
				break
			}
		}
	}
	rng.Shuffle(len(picked), func(i, j int) { picked[i], picked[j] = picked[j], picked[i] })
	return picked[:min(k, len(picked))]
}

// sampleFraction is the share of n rows that all but surely gives k.
func sampleFraction(k, n int) float64 {
	const delta = 1e-4
	fraction := float64(k) / float64(n)
	gamma := -math.Log(delta) / float64(n)
	return math.Min(1, fraction+gamma+math.Sqrt(gamma*gamma+2*gamma*fraction))
}
