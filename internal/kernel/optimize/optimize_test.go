package optimize

import (
	"errors"
	"math"
	"testing"
)

// valley is Rosenbrock's function, least at (1, 1).
func valley(x, g []float64) float64 {
	a, b := 1-x[0], x[1]-x[0]*x[0]
	g[0], g[1] = -2*a-400*x[0]*b, 200*b
	return a*a + 100*b*b
}

func TestLBFGS(t *testing.T) {
	r, err := Minimize(valley, []float64{-1.2, 1}, Options{MaxIter: 200, Memory: 10, Tol: 1e-12})
	if err != nil || math.Abs(r.X[0]-1) > 1e-5 || math.Abs(r.X[1]-1) > 1e-5 {
		t.Errorf("%v, %v", r, err)
	}
	for i := range r.History[1:] {
		if r.History[i+1] > r.History[i] {
			t.Errorf("the value rises at %d: %v", i, r.History)
		}
	}
	r, err = Minimize(valley, []float64{-1.2, 1}, Options{MaxIter: 3, Memory: 10, Tol: 1e-12})
	if err != nil || len(r.History) != 4 || r.Reason != "max iterations reached" {
		t.Errorf("three iterations: %v, %v", r, err)
	}
}

// bowl is half the squared distance from (3, -0.5, 0.05).
func bowl(x, g []float64) float64 {
	v := 0.0
	for i, c := range []float64{3, -0.5, 0.05} {
		g[i] = x[i] - c
		v += g[i] * g[i] / 2
	}
	return v
}

func TestOWLQN(t *testing.T) {
	r, err := Minimize(bowl, make([]float64, 3), Options{MaxIter: 100, Memory: 10, Tol: 1e-10, L1: func(int) float64 { return 0.2 }})
	if err != nil {
		t.Fatal(err)
	}
	for i, want := range []float64{2.8, -0.3, 0} { // the soft threshold
		if math.Abs(r.X[i]-want) > 1e-4 {
			t.Errorf("x = %v", r.X)
		}
	}
	if r.X[2] != 0 {
		t.Error("a small variable is not exactly zero")
	}
}

func TestBounds(t *testing.T) {
	r, err := Minimize(valley, []float64{-1, 1.2}, Options{MaxIter: 200, Memory: 10, Tol: 1e-12,
		Lower: []float64{-2, -2}, Upper: []float64{0.5, 2}})
	if err != nil || math.Abs(r.X[0]-0.5) > 1e-6 || math.Abs(r.X[1]-0.25) > 1e-4 {
		t.Errorf("%v, %v", r, err)
	}
	if _, err := Minimize(valley, []float64{3, 0}, Options{Memory: 10, Lower: []float64{-2, -2}, Upper: []float64{0.5, 2}}); !errors.Is(err, errInfeasible) {
		t.Errorf("a start out of bounds: %v", err)
	}
}

func TestStop(t *testing.T) {
	want := errors.New("enough")
	n := 0
	_, err := Minimize(valley, []float64{-1.2, 1}, Options{MaxIter: 100, Memory: 10, Tol: 1e-12, Stop: func() error {
		if n++; n > 3 {
			return want
		}
		return nil
	}})
	if !errors.Is(err, want) {
		t.Errorf("not stopped: %v", err)
	}
}

func TestNaN(t *testing.T) {
	r, err := Minimize(func(x, g []float64) float64 { g[0] = math.NaN(); return math.NaN() }, []float64{1}, Options{MaxIter: 10, Memory: 5, Tol: 1e-6})
	if err != nil || r.Reason != "line search failed!" {
		t.Errorf("%v, %v", r, err)
	}
}
