package random

import "math"

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

// Bag draws how often each row is in each of trees subsamples of a partition, row by row:
// out[row*trees+tree]. It is BaggedPoint's sampling: Poisson counts with replacement, one or none
// without. The counts must not exceed 255.
func Bag(rows, trees int, rate float64, replacement bool, seed int64, partition int) []uint8 {
	out := make([]uint8, rows*trees)
	seed += int64(partition) + 1
	switch {
	case replacement:
		p := NewPoisson(rate, seed)
		for i := range out {
			out[i] = uint8(min(p.Sample(), math.MaxUint8))
		}
	case rate == 1:
		for i := range out {
			out[i] = 1
		}
	default:
		rng := NewXORShift(seed)
		for i := range out {
			if rng.NextDouble() < rate {
				out[i] = 1
			}
		}
	}
	return out
}
