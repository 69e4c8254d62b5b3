// Package random holds the random number generators that Spark draws with, so that a seed gives
// the numbers it gives in Spark: java.util.Random, Spark's XORShiftRandom, the Well19937c of
// commons-math with its Poisson sampler, and the samplers built on them. Seeds come in, numbers
// go out; it never reads a clock and no generator is safe for use by several goroutines.
package random

import "math"

// bitSource gives the next bits (at most 32) of a generator in java.util.Random's manner.
type bitSource interface{ next(bits uint) int32 }

// Java is java.util.Random: everything but where the bits come from. Scala's Random is the same.
type Java struct {
	src      bitSource
	gaussian float64
	haveNext bool
}

type lcg struct{ seed int64 }

const lcgMask = 1<<48 - 1

func (g *lcg) next(bits uint) int32 {
	g.seed = (g.seed*0x5DEECE66D + 0xB) & lcgMask
	return int32(g.seed >> (48 - bits))
}

// NewJava makes java.util.Random(seed).
func NewJava(seed int64) *Java {
	return &Java{src: &lcg{(seed ^ 0x5DEECE66D) & lcgMask}}
}

type xorShift struct{ seed int64 }

func (g *xorShift) next(bits uint) int32 {
	s := g.seed ^ g.seed<<21
	s ^= int64(uint64(s) >> 35)
	s ^= s << 4
	g.seed = s
	return int32(s & (1<<bits - 1))
}

// NewXORShift makes Spark's XORShiftRandom(seed), which SQL's rand() and randn(), sample() and
// most of Spark ML draw from.
func NewXORShift(seed int64) *Java {
	return &Java{src: &xorShift{HashSeed(seed)}}
}

// NextInt32 is nextInt(): any int.
func (r *Java) NextInt32() int32 { return r.src.next(32) }

// NextInt is nextInt(n): 0 to n-1. It panics if n is not positive, as Java throws.
func (r *Java) NextInt(n int) int {
	if n <= 0 || n > math.MaxInt32 {
		panic("random: bound must be positive")
	}
	bound := int32(n)
	bits := r.src.next(31)
	if bound&(bound-1) == 0 {
		return int(int64(bound) * int64(bits) >> 31)
	}
	value := bits % bound
	for bits-value+(bound-1) < 0 { // wraps: the last incomplete run of the range is drawn again
		bits = r.src.next(31)
		value = bits % bound
	}
	return int(value)
}

// NextLong is nextLong().
func (r *Java) NextLong() int64 {
	high := int64(r.src.next(32)) << 32
	return high + int64(r.src.next(32))
}

// NextDouble is nextDouble(): 0 to 1, without 1.
func (r *Java) NextDouble() float64 {
	high := int64(r.src.next(26)) << 27
	return float64(high+int64(r.src.next(27))) * 0x1p-53
}

// NextFloat is nextFloat().
func (r *Java) NextFloat() float32 { return float32(r.src.next(24)) / (1 << 24) }

// NextBoolean is nextBoolean().
func (r *Java) NextBoolean() bool { return r.src.next(1) != 0 }

// NextGaussian is nextGaussian(): Marsaglia's polar method, two numbers at a time.
func (r *Java) NextGaussian() float64 {
	if r.haveNext {
		r.haveNext = false
		return r.gaussian
	}
	for {
		v1 := 2*r.NextDouble() - 1
		v2 := 2*r.NextDouble() - 1
		s := float64(v1*v1) + float64(v2*v2)
		if s >= 1 || s == 0 {
			continue
		}
		m := math.Sqrt(-2 * math.Log(s) / s)
		r.gaussian, r.haveNext = v2*m, true
		return v1 * m
	}
}

// Shuffle is scala.util.Random.shuffle on a slice.
func (r *Java) Shuffle(n int, swap func(i, j int)) {
	for i := n; i >= 2; i-- {
		swap(i-1, r.NextInt(i))
	}
}
