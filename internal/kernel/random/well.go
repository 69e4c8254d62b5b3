package random

import "math"

const wellWords = 624

// Well is the Well19937c generator of Apache Commons Math.
type Well struct {
	v    [wellWords]uint32 // the state; it is walked from the end to the start, round and round
	out  [wellWords]uint32 // what one round gives, in the order it is drawn
	used int
}

// NewWell makes a generator reseeded with a long.
func NewWell(seed int64) *Well {
	w := &Well{used: wellWords}
	w.v[0], w.v[1] = uint32(seed>>32), uint32(seed)
	for i := 2; i < wellWords; i++ {
		l := int64(int32(w.v[i-2]))
		w.v[i] = uint32(1812433253*(l^l>>30) + int64(i))
	}
	return w
}

// refill goes round the state once.
func (w *Well) refill() {
	v := &w.v
	i := 0
	for k := range w.out {
		prev := i - 1
		if prev < 0 {
			prev += wellWords
		}
		prev2 := prev - 1
		if prev2 < 0 {
			prev2 += wellWords
		}
		m1, m2, m3 := i+70, i+179, i+449
		if m1 >= wellWords {
			m1 -= wellWords
		}
		if m2 >= wellWords {
			m2 -= wellWords
		}
		if m3 >= wellWords {
			m3 -= wellWords
		}
		v0, v1, v2, v3 := v[i], v[m1], v[m2], v[m3]
		z0 := 0x80000000&v[prev] ^ 0x7fffffff&v[prev2]
		z1 := v0 ^ v0<<25 ^ v1 ^ v1>>27
		z2 := v2>>9 ^ v3 ^ v3>>1
		z3 := z1 ^ z2
		z4 := z0 ^ z1 ^ z1<<9 ^ z2 ^ z2<<21 ^ z3 ^ z3>>21
		v[i], v[prev] = z3, z4
		v[prev2] &= 0x80000000
		i = prev
		z4 ^= z4 << 7 & 0xe46e1700
		w.out[k] = z4 ^ z4<<15&0x9b868000
	}
	w.used = 0
}

// NextDouble gives 52 random bits between 0 and 1.
func (w *Well) NextDouble() float64 {
	if w.used == wellWords { // even, so that a pair never straddles a round
		w.refill()
	}
	high, low := w.out[w.used]>>6, w.out[w.used+1]>>6
	w.used += 2
	return float64(uint64(high)<<26|uint64(low)) * 0x1p-52
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
	w, p := d.w, d.p
	r := 1.0
	for n := 0; ; n++ {
		r *= w.NextDouble()
		if r < p {
			return n
		}
		if float64(n+1) >= 1000*d.mean {
			return n + 1
		}
	}
}
