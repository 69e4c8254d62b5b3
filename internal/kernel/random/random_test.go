package random

import (
	"encoding/json"
	"fmt"
	"math"
	"os"
	"slices"
	"strconv"
	"strings"
	"testing"
)

type draws struct {
	Ints, Bounded      []int32
	Longs              []int64
	Doubles, Gaussians []float64
	Booleans           []bool
}

type recording struct {
	Java, XORShift map[string]draws
	Poisson        map[string][]int
	Sample         map[string][]int
	Rand, Randn    map[string][]float64
}

func load(t *testing.T) recording {
	t.Helper()
	text, err := os.ReadFile("../../../spec/ml/random.json")
	if err != nil {
		t.Fatal(err)
	}
	var r recording
	if err := json.Unmarshal(text, &r); err != nil {
		t.Fatal(err)
	}
	return r
}

func seedOf(t *testing.T, s string) int64 {
	n, err := strconv.ParseInt(s, 10, 64)
	if err != nil {
		t.Fatal(err)
	}
	return n
}

func TestGeneratorsGiveJavasNumbers(t *testing.T) {
	r := load(t)
	check := func(kind string, want map[string]draws, make func(int64) *Java) {
		if len(want) == 0 {
			t.Fatalf("%s: nothing recorded", kind)
		}
		for s, w := range want {
			g := make(seedOf(t, s))
			for i, x := range w.Ints {
				if got := g.NextInt32(); got != x {
					t.Fatalf("%s(%s) int %d: got %d, want %d", kind, s, i, got, x)
				}
			}
			for i, n := range []int{1, 7, 10, 64, 1000, 1<<30 + 1} {
				if got := g.NextInt(n); got != int(w.Bounded[i]) {
					t.Fatalf("%s(%s) nextInt(%d): got %d, want %d", kind, s, n, got, w.Bounded[i])
				}
			}
			for i, x := range w.Longs {
				if got := g.NextLong(); got != x {
					t.Fatalf("%s(%s) long %d: got %d, want %d", kind, s, i, got, x)
				}
			}
			for i, x := range w.Doubles {
				if got := g.NextDouble(); got != x {
					t.Fatalf("%s(%s) double %d: got %v, want %v", kind, s, i, got, x)
				}
			}
			for i, x := range w.Gaussians {
				if got := g.NextGaussian(); math.Abs(got-x) > 1e-15*math.Abs(x) {
					t.Fatalf("%s(%s) gaussian %d: got %v, want %v", kind, s, i, got, x)
				}
			}
			for i, x := range w.Booleans {
				if got := g.NextBoolean(); got != x {
					t.Fatalf("%s(%s) boolean %d: got %v", kind, s, i, got)
				}
			}
		}
	}
	check("java", r.Java, NewJava)
	check("xorshift", r.XORShift, NewXORShift)
}

func TestSQLRandIsXORShift(t *testing.T) {
	r := load(t)
	for s, want := range r.Rand {
		g := NewXORShift(seedOf(t, s))
		for i, x := range want {
			if got := g.NextDouble(); got != x {
				t.Errorf("rand(%s) row %d: got %v, want %v", s, i, got, x)
			}
		}
	}
	for s, want := range r.Randn {
		g := NewXORShift(seedOf(t, s))
		for i, x := range want {
			if got := g.NextGaussian(); math.Abs(got-x) > 1e-15 {
				t.Errorf("randn(%s) row %d: got %v, want %v", s, i, got, x)
			}
		}
	}
}

func TestPoissonAndBernoulliDrawAsSpark(t *testing.T) {
	r := load(t)
	for key, want := range r.Poisson {
		mean, seed, _ := strings.Cut(key, ",")
		m, _ := strconv.ParseFloat(mean, 64)
		p := NewPoisson(m, seedOf(t, seed))
		got := make([]int, len(want))
		for i := range got {
			got[i] = p.Sample()
		}
		if !slices.Equal(got, want) {
			t.Errorf("poisson %s: got %v, want %v", key, got, want)
		}
	}
	for key, want := range r.Sample {
		fraction, seed, _ := strings.Cut(key, ",")
		f, _ := strconv.ParseFloat(fraction, 64)
		b := NewBernoulli(f, seedOf(t, seed), 0)
		var got []int
		for i := range 2000 {
			if b.Keep() {
				got = append(got, i)
			}
		}
		if !slices.Equal(got, want) {
			t.Errorf("sample %s: got %d rows %v..., want %d %v...", key, len(got), head(got), len(want), head(want))
		}
	}
}

func head(x []int) []int { return x[:min(len(x), 8)] }

func TestReservoirTakesDistinctNumbers(t *testing.T) {
	if got := Reservoir(3, 5, 1); fmt.Sprint(got) != "[0 1 2]" {
		t.Errorf("fewer than asked: %v", got)
	}
	counts := make([]int, 10)
	for seed := range int64(5000) {
		got := Reservoir(10, 4, seed)
		slices.Sort(got)
		if len(slices.Compact(got)) != 4 {
			t.Fatalf("seed %d: %v", seed, got)
		}
		for _, x := range got {
			counts[x]++
		}
	}
	for i, c := range counts {
		if math.Abs(float64(c)-2000) > 200 {
			t.Errorf("%d drawn %d times of about 2000", i, c)
		}
	}
}

func BenchmarkBag(b *testing.B) {
	for b.Loop() {
		Bag(100000, 20, 1, true, 42)
	}
}
