package quantile

import (
	"math"
	"math/rand/v2"
	"slices"
	"testing"
)

func TestRankError(t *testing.T) {
	r := rand.New(rand.NewPCG(3, 4))
	values := make([]float64, 200000)
	for i := range values {
		values[i] = math.Floor(r.ExpFloat64() * 1000)
	}
	sorted := slices.Sorted(slices.Values(values))
	for _, eps := range []float64{0, 0.001, 0.01, 0.2} {
		whole, a, b := New(eps), New(eps), New(eps)
		for i, x := range values {
			whole.Insert(x)
			if i%3 == 0 {
				a.Insert(x)
			} else {
				b.Insert(x)
			}
		}
		a.Compress()
		b.Compress()
		qs := []float64{0.9, 0, 0.5, 0.001, 1, 0.25}
		for name, s := range map[string]*Summary{"whole": whole, "merged": a.Merge(b)} {
			if s.Count() != int64(len(values)) {
				t.Errorf("%s counts %d", name, s.Count())
			}
			for i, x := range s.Query(qs...) {
				lo, _ := slices.BinarySearch(sorted, x)
				hi, _ := slices.BinarySearch(sorted, x+0.5)
				rank, slack := qs[i]*float64(len(values)), 2*eps*float64(len(values))+1
				if float64(hi)+slack < rank || float64(lo)-slack > rank {
					t.Errorf("%s eps %v: quantile %v is %v with ranks %d to %d, want about %.0f", name, eps, qs[i], x, lo, hi, rank)
				}
			}
		}
	}
	if New(0.1).Query(0.5) != nil {
		t.Error("a quantile of nothing")
	}
}
