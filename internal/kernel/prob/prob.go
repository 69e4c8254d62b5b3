// Package prob holds the distributions that test statistics are held against. Numbers in,
// numbers out.
package prob

import "gonum.org/v1/gonum/stat/distuv"

// TwoSidedT is the probability that a Student's t with dof degrees of freedom lies further from
// zero than t.
func TwoSidedT(t, dof float64) float64 {
	if t < 0 {
		t = -t
	}
	return 2 * distuv.StudentsT{Sigma: 1, Nu: dof}.CDF(-t)
}

// ChiSquaredAbove is the probability that a chi-squared number with dof degrees of freedom is
// greater than x.
func ChiSquaredAbove(x, dof float64) float64 {
	return distuv.ChiSquared{K: dof}.Survival(x)
}

// Normal is the probability that a normal number is at most x.
func Normal(x, mean, deviation float64) float64 {
	return distuv.Normal{Mu: mean, Sigma: deviation}.CDF(x)
}
