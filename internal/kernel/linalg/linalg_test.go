package linalg

import (
	"math"
	"math/rand/v2"
	"runtime"
	"slices"
	"testing"

	"github.com/millpond/millpond/internal/kernel/optimize"
)

// random makes the same rows densely and sparsely, with labels.
func random(n, d int) (dense, sparse *Rows, labels []float64) {
	r := rand.New(rand.NewPCG(1, 2))
	dense, sparse = &Rows{N: n, D: d}, &Rows{N: n, D: d, Ptr: []int{0}}
	for range n {
		y := 0.1 * r.NormFloat64()
		for j := range d {
			x := 0.0
			if j < 2 || r.IntN(4) == 0 {
				x = r.NormFloat64() + float64(j)
			}
			dense.Dense = append(dense.Dense, x)
			if x != 0 {
				sparse.Idx, sparse.Val = append(sparse.Idx, int32(j)), append(sparse.Val, x)
			}
			y += x * float64(j%3-1)
		}
		sparse.Ptr = append(sparse.Ptr, len(sparse.Val))
		labels = append(labels, y)
	}
	return dense, sparse, labels
}

func TestThreadsGiveTheSameBits(t *testing.T) {
	dense, sparse, labels := random(60000, 9)
	classes := make([]float64, len(labels))
	for i, y := range labels {
		if y > 0 {
			classes[i] = 1
		}
	}
	for _, rows := range []*Rows{dense, sparse} {
		fit := func() []float64 {
			ls := LeastSquares{FitIntercept: true, Standardize: true, Reg: 0.1, ElasticNet: 0.5, MaxIter: 50, Tol: 1e-6}
			f, err := ls.Solve(NormalOf(rows, labels, nil))
			if err != nil {
				t.Fatal(err)
			}
			p := &Problem{Rows: rows, Labels: classes, Center: true, Reg: 0.1}
			s := rows.Summarize(nil)
			p.Standardize(s.Mean(), s.Std())
			r, err := optimize.Minimize(p.Binomial(true), make([]float64, rows.D+1), optimize.Options{MaxIter: 20, Memory: 10, Tol: 1e-6})
			if err != nil {
				t.Fatal(err)
			}
			m, err := optimize.Minimize(p.Multinomial(2, true), make([]float64, 2*rows.D+2), optimize.Options{MaxIter: 20, Memory: 10, Tol: 1e-6})
			if err != nil {
				t.Fatal(err)
			}
			return slices.Concat(f.Coefficients, r.X, m.X)
		}
		old := runtime.GOMAXPROCS(1)
		one := fit()
		runtime.GOMAXPROCS(4)
		four := fit()
		runtime.GOMAXPROCS(old)
		if !slices.Equal(one, four) {
			t.Errorf("one thread %v\nfour %v", one, four)
		}
	}
}

func TestSparseIsDense(t *testing.T) {
	dense, sparse, labels := random(500, 30)
	weights := make([]float64, 500)
	for i := range weights {
		weights[i] = float64(i%3) / 2
	}
	a, b := NormalOf(dense, labels, weights), NormalOf(sparse, labels, weights)
	for _, pair := range [][2][]float64{{a.AA, b.AA}, {a.AB, b.AB}, {a.A, b.A}, {dense.Summarize(weights).Std(), sparse.Summarize(weights).Std()}} {
		for i, x := range pair[0] {
			if math.Abs(x-pair[1][i]) > 1e-9*(1+math.Abs(x)) {
				t.Fatalf("%v and %v", x, pair[1][i])
			}
		}
	}
}

// TestGradients compares every loss with its differences.
func TestGradients(t *testing.T) {
	dense, _, labels := random(40, 4)
	classes := make([]float64, len(labels))
	for i := range classes {
		classes[i] = float64(i % 3)
	}
	s := dense.Summarize(nil)
	for _, center := range []bool{true, false} {
		real := &Problem{Rows: dense, Labels: labels, Center: center, Reg: 0.3, RegStd: s.Std()}
		real.Standardize(s.Mean(), s.Std())
		class := &Problem{Rows: dense, Labels: classes, Center: center, Reg: 0.3}
		class.Standardize(s.Mean(), s.Std())
		binary := &Problem{Rows: dense, Labels: make([]float64, 40), Center: center}
		for i := range binary.Labels {
			binary.Labels[i] = float64(i % 2)
		}
		binary.Standardize(s.Mean(), s.Std())
		for name, c := range map[string]struct {
			f optimize.Func
			n int
		}{"squared": {real.Squared(1, 2), 4}, "huber": {real.Huber(1.35, true), 6}, "binomial": {binary.Binomial(true), 5},
			"multinomial": {class.Multinomial(3, true), 15}, "huber without intercept": {real.Huber(1.35, false), 5}} {
			x := make([]float64, c.n)
			for i := range x {
				x[i] = 0.3 + float64(i)/10
			}
			grad, scratch := make([]float64, c.n), make([]float64, c.n)
			c.f(x, grad)
			for i := range x {
				const h = 1e-6
				at := x[i]
				x[i] = at + h
				up := c.f(x, scratch)
				x[i] = at - h
				down := c.f(x, scratch)
				x[i] = at
				if d := (up - down) / (2 * h); math.Abs(d-grad[i]) > 1e-5*(1+math.Abs(d)) {
					t.Errorf("%s (center %t): gradient %d is %v, differences say %v", name, center, i, grad[i], d)
				}
			}
		}
	}
}

func TestCholesky(t *testing.T) {
	// [[4 2 0] [2 5 1] [0 1 3]], packed by columns of the upper triangle.
	a := []float64{4, 2, 5, 0, 1, 3}
	u := slices.Clone(a)
	x, ok := CholeskySolve(u, []float64{8, 15, 11})
	if !ok {
		t.Fatal("not positive definite")
	}
	for i, v := range PackedMul(a, x) {
		if math.Abs(v-[]float64{8, 15, 11}[i]) > 1e-12 {
			t.Errorf("A x = %v", PackedMul(a, x))
		}
	}
	d := CholeskyInverseDiag(u, 3) // by Cramer's rule: minors over the determinant 44
	for i, want := range []float64{14. / 44, 12. / 44, 16. / 44} {
		if math.Abs(d[i]-want) > 1e-12 {
			t.Errorf("diagonal of the inverse %v", d)
		}
	}
	if _, ok := CholeskySolve([]float64{1, 1, 1}, []float64{1, 1}); ok {
		t.Error("a singular matrix was solved")
	}
}
