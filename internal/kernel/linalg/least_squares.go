package linalg

import (
	"errors"
	"math"

	"github.com/millpond/millpond/internal/kernel/optimize"
)

// LeastSquares is how weighted least squares are solved from moments. Labels are standardised;
// the penalty is on coefficients of features of unit deviation if Standardize, else of features
// as they are.
type LeastSquares struct {
	FitIntercept, Standardize bool
	Reg, ElasticNet           float64
	MaxIter                   int
	Tol                       float64
	Stop                      func() error
}

// LeastSquaresFit is a solution. DiagInv is the diagonal of the inverse of A'WA, intercept
// last; it and an exact solution are missing (a single 0) if an iterative method was used.
type LeastSquaresFit struct {
	Coefficients []float64
	Intercept    float64
	DiagInv      []float64
	History      []float64
}

// ErrConstantLabel says that labels of no deviation cannot be fitted with a penalty and no intercept.
var ErrConstantLabel = errors.New("The standard deviation of the label is zero. Model cannot be regularized when labels are standardized.")

// ErrZeroWeights says that there is nothing to fit.
var ErrZeroWeights = errors.New("Sum of weights cannot be zero.")

// scaled is the moments of standardised features and labels.
type scaled struct {
	bBar, bb, bStd float64
	aBar, aStd     []float64
	ab, aa         []float64
	l1             func(i int) float64
}

// Solve finds the coefficients by Cholesky decomposition, or by a quasi-Newton method if there
// is an L1 penalty or the matrix is singular.
func (ls *LeastSquares) Solve(n *Normal) (LeastSquaresFit, error) {
	if !(n.W > 0) {
		return LeastSquaresFit{}, ErrZeroWeights
	}
	if n.BStd() == 0 {
		if ls.FitIntercept || n.B == 0 {
			return LeastSquaresFit{make([]float64, n.K), n.B / n.W, []float64{0}, []float64{0}}, nil
		}
		if ls.Reg > 0 {
			return LeastSquaresFit{}, ErrConstantLabel
		}
	}
	s := ls.scale(n)
	var fit LeastSquaresFit
	var x []float64
	exact := false
	if ls.ElasticNet == 0 || ls.Reg == 0 {
		u, ab := s.system(ls.FitIntercept)
		if x, exact = CholeskySolve(u, ab); exact {
			fit.History = []float64{0}
			fit.DiagInv = CholeskyInverseDiag(u, len(x))
			for i := range fit.DiagInv {
				m := 1.0
				if i < n.K {
					m = s.aStd[i] * s.aStd[i]
				}
				fit.DiagInv[i] /= n.W * m
			}
		} else {
			s.l1 = nil // as Spark falls back, without the penalty
		}
	}
	if !exact {
		r, err := ls.quasiNewton(s)
		if err != nil {
			return fit, err
		}
		x, fit.History, fit.DiagInv = r.X, r.History, []float64{0}
	}
	if ls.FitIntercept {
		fit.Intercept = x[n.K] * s.bStd
		x = x[:n.K]
	}
	for i := range x {
		if s.aStd[i] == 0 {
			x[i] = 0
		} else {
			x[i] *= s.bStd / s.aStd[i]
		}
	}
	fit.Coefficients = x
	return fit, nil
}

func (ls *LeastSquares) scale(n *Normal) *scaled {
	s := &scaled{bStd: n.BStd(), aStd: n.AStd(), aBar: make([]float64, n.K), ab: make([]float64, n.K), aa: make([]float64, len(n.AA))}
	if s.bStd == 0 {
		s.bStd = math.Abs(n.B / n.W)
	}
	s.bBar, s.bb = n.B/n.W/s.bStd, n.BB/n.W/(s.bStd*s.bStd)
	at := 0
	for j, sj := range s.aStd {
		if sj != 0 {
			s.aBar[j] = n.A[j] / n.W / sj
			s.ab[j] = n.AB[j] / n.W / (sj * s.bStd)
		}
		for i := 0; i <= j; i++ {
			if si := s.aStd[i]; si != 0 && sj != 0 {
				s.aa[at] = n.AA[at] / n.W / (si * sj)
			}
			at++
		}
	}
	reg := ls.Reg / s.bStd
	l1, l2 := ls.ElasticNet*reg, (1-ls.ElasticNet)*reg
	for j, sj := range s.aStd {
		d := l2
		if !ls.Standardize {
			if d = 0; sj != 0 {
				d = l2 / (sj * sj)
			}
		}
		s.aa[j*(j+1)/2+j] += d
	}
	if l1 != 0 {
		s.l1 = func(i int) float64 {
			switch {
			case i == n.K:
				return 0
			case ls.Standardize:
				return l1
			case s.aStd[i] != 0:
				return l1 / s.aStd[i]
			}
			return 0
		}
	}
	return s
}

// system gives copies of A'WA and A'Wb, with a last row for the intercept if there is one.
func (s *scaled) system(intercept bool) (aa, ab []float64) {
	aa, ab = append([]float64(nil), s.aa...), append([]float64(nil), s.ab...)
	if intercept {
		aa = append(append(aa, s.aBar...), 1)
		ab = append(ab, s.bBar)
	}
	return aa, ab
}

func (ls *LeastSquares) quasiNewton(s *scaled) (optimize.Result, error) {
	aa, ab := s.system(ls.FitIntercept)
	k := len(s.ab)
	start := make([]float64, len(ab))
	if ls.FitIntercept {
		start[k] = s.bBar
	}
	cost := func(x, grad []float64) float64 {
		if ls.FitIntercept { // the intercept has a closed form given the rest
			d := 0.0
			for j, m := range s.aBar {
				d += x[j] * m
			}
			x[k] = s.bBar - d
		}
		aax := PackedMul(aa, x)
		loss := 0.5 * s.bb
		for i, v := range x {
			loss += -ab[i]*v + 0.5*v*aax[i]
			grad[i] = aax[i] - ab[i]
		}
		return loss
	}
	return optimize.Minimize(cost, start, optimize.Options{MaxIter: ls.MaxIter, Memory: 10, Tol: ls.Tol, L1: s.l1, Stop: ls.Stop})
}
