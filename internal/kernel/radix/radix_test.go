package radix

import (
	"math"
	"math/rand/v2"
	"slices"
	"testing"
)

func cases() map[string][]float64 {
	r := rand.New(rand.NewPCG(1, 2))
	draw := func(n int, next func() float64) []float64 {
		out := make([]float64, n)
		for i := range out {
			out[i] = next()
		}
		return out
	}
	return map[string][]float64{
		"none":      {},
		"one":       {3},
		"equal":     {2, 2, 2},
		"edges":     {math.Inf(1), 0, -1, math.MaxFloat64, math.SmallestNonzeroFloat64, math.Inf(-1), -math.MaxFloat64, 1},
		"normal":    draw(5000, r.NormFloat64),
		"minutes":   draw(5000, func() float64 { return float64(r.IntN(700) - 20) }),
		"any bits":  draw(5000, func() float64 { return Value(max(1<<52, r.Uint64()>>1)) }),
		"both ends": draw(3000, func() float64 { return math.Float64frombits(r.Uint64() &^ (1 << 62)) }),
	}
}

func TestSort(t *testing.T) {
	for name, values := range cases() {
		want := slices.Clone(values)
		slices.Sort(want)
		got := slices.Clone(values)
		Sort(got)
		if !slices.Equal(got, want) {
			t.Errorf("%s: %v, want %v", name, got[:min(len(got), 10)], want[:min(len(want), 10)])
		}
	}
}

func TestOrder(t *testing.T) {
	for name, values := range cases() {
		want := make([]int32, len(values))
		for i := range want {
			want[i] = int32(i)
		}
		slices.SortStableFunc(want, func(a, b int32) int {
			switch x, y := values[a], values[b]; {
			case x < y:
				return -1
			case x > y:
				return 1
			}
			return 0
		})
		if got := Order(values); !slices.Equal(got, want) {
			t.Errorf("%s: %v, want %v", name, got[:min(len(got), 10)], want[:min(len(want), 10)])
		}
	}
}

func TestNaNComesFirst(t *testing.T) {
	order := Order([]float64{1, math.NaN(), math.Inf(-1), math.Copysign(math.NaN(), -1), math.Copysign(0, -1), 0})
	for i, want := range []int32{1, 3, 2, 4, 5, 0} {
		if order[i] != want {
			t.Fatalf("%v", order)
		}
	}
}

func BenchmarkSort(b *testing.B) {
	values := cases()["normal"]
	for len(values) < 50000 {
		values = append(values, values...)
	}
	work := make([]float64, 50000)
	for name, sort := range map[string]func([]float64){"radix": Sort, "slices": func(v []float64) { slices.Sort(v) }} {
		b.Run(name, func(b *testing.B) {
			for b.Loop() {
				copy(work, values)
				sort(work)
			}
		})
	}
}
