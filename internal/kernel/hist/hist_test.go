package hist

import (
	"errors"
	"math"
	"slices"
	"testing"
)

type column []float64

func (c column) Len() int                          { return len(c) }
func (c column) Block(from, to int, dst []float64) { copy(dst, c[from:to]) }

func TestThresholdsLieBetweenDistinctValues(t *testing.T) {
	got := Thresholds([]Weighted{{3, 1}, {1, 1}, {3, 1}}, 4, 31) // one row of four is zero
	if !slices.Equal(got, []float64{0.5, 2}) {
		t.Errorf("got %v", got)
	}
	if got := Thresholds([]Weighted{{7, 1}, {7, 1}}, 2, 31); len(got) != 0 {
		t.Errorf("constant: %v", got)
	}
	var many []Weighted
	for i := range 1000 {
		many = append(many, Weighted{float64(i + 1), 1})
	}
	if got := Thresholds(many, 1000, 3); !slices.Equal(got, []float64{250.5, 500.5, 750.5}) {
		t.Errorf("quartiles: %v", got)
	}
}

func TestBinFindsTheBinOfEveryValue(t *testing.T) {
	var values column
	for i := range 3000 {
		values = append(values, float64(i*7919%1009)-300)
	}
	values = append(values, math.NaN(), math.Inf(1), math.Inf(-1))
	for _, bins := range []int{2, 5, 32, 256, 300} {
		table, err := Bin(values, Options{MaxBins: bins, Arity: []int{0}, Threads: 3})
		if err != nil {
			t.Fatal(err)
		}
		for i, v := range values {
			if got, want := table.Columns[0].At(i), FindBin(table.Thresholds[0], v); got != want {
				t.Fatalf("%d bins: value %v in bin %d, want %d", bins, v, got, want)
			}
		}
		if n := table.Bins[0]; n > bins || n < 2 {
			t.Errorf("%d bins of at most %d", n, bins)
		}
	}
}

func TestBinNamesTheFirstBadCategory(t *testing.T) {
	values := make(column, 5000)
	values[4000], values[2000], values[4500] = 3, 2.5, -1
	_, err := Bin(values, Options{MaxBins: 32, Arity: []int{2}, Threads: 2})
	var bad *BadCategory
	if !errors.As(err, &bad) || bad.Row != 2000 || bad.Value != 2.5 {
		t.Errorf("got %v", err)
	}
}
