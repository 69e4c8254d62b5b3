package native

import (
	"math/big"
	"testing"
)

func TestDecimalIsExact(t *testing.T) {
	for _, c := range []struct {
		op, left, right  string
		precision, scale int
		want             string
		fits             bool
	}{
		{"+", "99999999999999999999999999999999999999", "1", 38, 0, "100000000000000000000000000000000000000", false},
		{"-", "1.5", "2.25", 5, 2, "-0.75", true},
		{"*", "123456789012345678.12", "98765432109876543.21", 38, 2, "12193263113702179445337600965408931.57", true},
		{"/", "1", "3", 38, 6, "0.333333", true},
		{"/", "2", "3", 38, 6, "0.666667", true},
		{"/", "-1", "8", 38, 2, "-0.13", true},
		{"%", "-7.5", "2", 3, 1, "-1.5", true},
		{"/", "1", "0", 38, 6, "", true},
	} {
		got, fits := decimal(c.op, c.left, c.right, c.precision, c.scale)
		if got != c.want || fits != c.fits {
			t.Errorf("%s %s %s = %q, %v; want %q, %v", c.left, c.op, c.right, got, fits, c.want, c.fits)
		}
	}
}

func TestHalvesGoToTheEvenNeighbour(t *testing.T) {
	for in, want := range map[int64]int64{25: 2, 35: 4, -25: -2, -35: -4, 26: 3, 24: 2} {
		if got := halfEven(big.NewInt(in), 1, 0); got.Int64() != want {
			t.Errorf("%d tenths round to %v, want %d", in, got, want)
		}
	}
}

func TestTowards(t *testing.T) {
	for _, c := range []struct {
		in, want int64
		up       bool
	}{{31411, 4, true}, {31411, 3, false}, {-31411, -3, true}, {-31411, -4, false}, {30000, 3, true}} {
		if got := towards(big.NewInt(c.in), 4, 0, c.up); got.Int64() != c.want {
			t.Errorf("%d ten-thousandths, up %v: %v, want %d", c.in, c.up, got, c.want)
		}
	}
}
