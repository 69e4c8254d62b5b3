package random

import "math"

const wellWords = 624

// Well is the Well19937c generator of Apache Commons Math.
type Well struct {
	v [wellWords]int32
	i int
}

// NewWell makes a generator reseeded with a long.
func NewWell(seed int64) *Well {
	w := &Well{}
	w.v[0], w.v[1] = int32(seed>>32), int32(seed)
	for i := 2; i < wellWords; i++ {
		l := int64(w.v[i-2])
		w.v[i] = int32((1812433253*(l^l>>30) + int64(i)) & 0xffffffff)
	}
	return w
}

func (w *Well) next(bits uint) int32 {
	at := func(k int) uint32 {
		if k >= wellWords {
			k -= wellWords
		}
		return uint32(w.v[k])
	}
	prev, prev2 := (w.i+wellWords-1)%wellWords, (w.i+wellWords-2)%wellWords
	v0, m1, m2, m3 := at(w.i), at(w.i+70), at(w.i+179), at(w.i+449)
	z0 := 0x80000000&uint32(w.v[prev]) ^ 0x7fffffff&uint32(w.v[prev2])
	z1 := v0 ^ v0<<25 ^ m1 ^ m1>>27
	z2 := m2>>9 ^ m3 ^ m3>>1
	z3 := z1 ^ z2
	z4 := z0 ^ z1 ^ z1<<9 ^ z2 ^ z2<<21 ^ z3 ^ z3>>21
	w.v[w.i], w.v[prev] = int32(z3), int32(z4)
	w.v[prev2] = int32(uint32(w.v[prev2]) & 0x80000000)
	w.i = prev
	z4 ^= z4 << 7 & 0xe46e1700
	z4 ^= z4 << 15 & 0x9b868000
	return int32(z4 >> (32 - bits))
}

// NextDouble gives 52 random bits between 0 and 1.
func (w *Well) NextDouble() float64 {
	high := int64(w.next(26)) << 26
	return float64(high|int64(w.next(26))) * 0x1p-52
}

// Poisson draws Poisson numbers of a small mean (below 40, as bagging's sampling rates are) as
// commons-math's PoissonDistribution does.
type Poisson struct {
	w       *Well
	mean, p float64
}

// NewPoisson makes a sampler of mean, reseeded with seed.
func NewPoisson(mean float64, seed int64) *Poisson {
	if !(mean > 0 && mean < 40) {
		panic("random: a Poisson mean must lie between 0 and 40")
	}
	return &Poisson{NewWell(seed), mean, math.Exp(-mean)}
}

// Sample draws a number.
func (d *Poisson) Sample() int {
	r := 1.0
	for n := 0; ; n++ {
		if float64(n) >= 1000*d.mean {
			return n
		}
		r *= d.w.NextDouble()
		if r < d.p {
			return n
		}
	}
}
