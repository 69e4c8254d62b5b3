package linalg

import (
	"math"
	"testing"
)

func TestExp(t *testing.T) {
	for x := -699.9; x < 700; x += 0.0173 {
		if got, want := exp(x), math.Exp(x); math.Abs(got-want) > 5e-16*want {
			t.Fatalf("exp(%v) = %v, want %v", x, got, want)
		}
	}
	for _, x := range []float64{0, -1e-300, 1e-17, 709, -745, 1e9, -1e9, math.Inf(1), math.Inf(-1)} {
		if got, want := exp(x), math.Exp(x); got != want {
			t.Errorf("exp(%v) = %v, want %v", x, got, want)
		}
	}
	if !math.IsNaN(exp(math.NaN())) {
		t.Error("exp(NaN) is a number")
	}
}

var sink float64

func BenchmarkExp(b *testing.B) {
	for i := range b.N {
		sink += exp(-float64(i%1000) / 100)
	}
}

func BenchmarkMathExp(b *testing.B) {
	for i := range b.N {
		sink += math.Exp(-float64(i%1000) / 100)
	}
}
