package hypothesis

import (
	"math"
	"slices"

	"gonum.org/v1/gonum/mat"
)

// KolmogorovSmirnov compares a sample with a distribution: the greatest distance between the two
// distribution functions, and the probability of a greater one. The sample is sorted in place.
func KolmogorovSmirnov(sample []float64, distribution func(float64) float64) (statistic, pValue float64) {
	slices.Sort(sample)
	n := float64(len(sample))
	statistic = -math.MaxFloat64
	for i, x := range sample {
		p := distribution(x)
		statistic = max(statistic, p-float64(i)/n, float64(i+1)/n-p)
	}
	return statistic, 1 - kolmogorov(statistic, len(sample))
}

// exactRows is the size of sample up to which the distribution is computed by powers of a matrix,
// not by a series.
const exactRows = 140

// kolmogorov is the probability that the statistic of n numbers of the distribution is at most d.
func kolmogorov(d float64, n int) float64 {
	each := 1 / float64(n)
	switch {
	case d <= each/2:
		return 0
	case d <= each:
		out := 1.0
		for i := range n {
			out *= float64(i+1) * (2*d - each)
		}
		return out
	case d >= 1:
		return 1
	case d >= 1-each:
		return 1 - 2*math.Pow(1-d, float64(n))
	case n <= exactRows:
		return marsaglia(d, n)
	}
	return pelzGood(d, float64(n))
}

// marsaglia is the distribution by Marsaglia, Tsang and Wang, "Evaluating Kolmogorov's
// distribution" (2003).
func marsaglia(d float64, n int) float64 {
	nd := float64(n) * d
	k := int(math.Ceil(nd))
	m, h := 2*k-1, float64(k)-nd
	H := mat.NewDense(m, m, nil)
	for i := range m {
		for j := range min(i+2, m) {
			H.Set(i, j, 1)
		}
	}
	for i := range m {
		power := math.Pow(h, float64(i+1))
		H.Set(i, 0, H.At(i, 0)-power)
		H.Set(m-1, m-1-i, H.At(m-1, m-1-i)-power)
	}
	if h > 0.5 { // the corner lost both
		H.Set(m-1, 0, H.At(m-1, 0)+math.Pow(2*h-1, float64(m)))
	}
	for i := range m {
		for j := range min(i+2, m) {
			for g := 2; g <= i-j+1; g++ {
				H.Set(i, j, H.At(i, j)/float64(g))
			}
		}
	}
	var power mat.Dense
	power.Pow(H, n)
	out := power.At(k-1, k-1)
	for i := 1; i <= n; i++ {
		out *= float64(i) / float64(n)
	}
	return out
}

// pelzGood is the distribution by the series of Pelz and Good as Simard and L'Ecuyer give it,
// "Computing the two-sided Kolmogorov-Smirnov distribution" (2011).
func pelzGood(d, n float64) float64 {
	z := math.Sqrt(n) * d
	z2, z4, z6, z8 := z*z, math.Pow(z, 4), math.Pow(z, 6), math.Pow(z, 8)
	const pi2 = math.Pi * math.Pi
	// A sum over half numbers h = 1/2, 3/2, ... and one over whole numbers 1, 2, ..., both sides of
	// zero counted.
	half := func(term func(h2 float64) float64) float64 {
		return series(0.5, func(h2 float64) float64 { return term(h2) * math.Exp(-pi2*h2/(2*z2)) })
	}
	whole := func(term func(k2 float64) float64) float64 {
		return series(1, func(k2 float64) float64 { return term(k2) * math.Exp(-pi2*k2/(2*z2)) })
	}
	k0 := math.Sqrt(2*math.Pi) / z * half(func(float64) float64 { return 1 }) / 2
	c := math.Sqrt(math.Pi / 2)
	k1 := c / (6 * z4) * half(func(h2 float64) float64 { return pi2*h2 - z2 })
	k2 := c/(72*z*z6)*half(func(h2 float64) float64 {
		return 6*z6 + 2*z4 + pi2*(2*z4-5*z2)*h2 + pi2*pi2*(1-2*z2)*h2*h2
	}) - c/(36*z*z2)*whole(func(k2 float64) float64 { return pi2 * k2 })
	k3 := c/(6480*z8*z2)*half(func(h2 float64) float64 {
		return pi2*pi2*pi2*h2*h2*h2*(5-30*z2) + pi2*pi2*h2*h2*(-60*z2+212*z4) + pi2*h2*(135*z4-96*z6) - 30*z6 - 90*z8
	}) + c/(216*z6)*whole(func(k2 float64) float64 { return -pi2*pi2*k2*k2 + 3*pi2*k2*z2 })
	return k0 + k1/math.Sqrt(n) + k2/n + k3/(n*math.Sqrt(n))
}

// series sums twice the terms of the squares of from, from+1, ... until they vanish.
func series(from float64, term func(square float64) float64) float64 {
	sum := 0.0
	for k := from; k < 100000; k++ {
		t := term(k * k)
		sum += 2 * t
		if k > 3 && math.Abs(t) <= 1e-18*math.Abs(sum) || t == 0 {
			break
		}
	}
	return sum
}
