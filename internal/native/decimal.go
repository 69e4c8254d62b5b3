package native

import (
	"math/big"
	"strconv"
	"strings"

	"github.com/millpond/millpond/internal/sparkerr"
)

// decimals are the sums of fixed-point numbers that need more digits on the way than DuckDB has.
// Arguments: operator, left, right, precision and scale of the result.
func decimals() []Func {
	args := []Kind{Text, Text, Text, Int, Int}
	return []Func{
		{Name: "spark_decimal", Args: args, Result: Text, Call: func(a []Value) (Value, error) {
			text, fits := decimal(a[0].S, a[1].S, a[2].S, int(a[3].I), int(a[4].I))
			if !fits {
				return null(), sparkerr.Raised("NUMERIC_VALUE_OUT_OF_RANGE.WITH_SUGGESTION", text, strconv.FormatInt(a[3].I, 10), strconv.FormatInt(a[4].I, 10))
			}
			return s(text), nil
		}},
		{Name: "spark_try_decimal", Args: args, Result: Text, Call: func(a []Value) (Value, error) {
			text, fits := decimal(a[0].S, a[1].S, a[2].S, int(a[3].I), int(a[4].I))
			if !fits || text == "" {
				return null(), nil
			}
			return s(text), nil
		}},
		{Name: "spark_floor", Args: []Kind{Text, Text, Int, Int}, Result: Text, Call: func(a []Value) (Value, error) {
			v, scale := unscaled(a[1].S)
			if v == nil {
				return null(), nil
			}
			to := int(a[2].I)
			return s(placed(rounded(towards(v, scale, to, a[0].S == "ceil"), to, int(a[3].I)), int(a[3].I))), nil
		}},
		{Name: "spark_bround", Args: []Kind{Text, Int, Int}, Result: Text, Call: func(a []Value) (Value, error) {
			v, scale := unscaled(a[0].S)
			if v == nil {
				return null(), nil
			}
			return s(placed(rounded(halfEven(v, scale, int(a[1].I)), int(a[1].I), int(a[2].I)), int(a[2].I))), nil
		}},
	}
}

// towards brings a number down to a scale, up or down.
func towards(v *big.Int, from, to int, up bool) *big.Int {
	if to >= from {
		return v.Mul(v, power(to-from))
	}
	unit := power(from - to)
	q, rest := new(big.Int).DivMod(v, unit, new(big.Int)) // the rest is never negative
	if up && rest.Sign() > 0 {
		q.Add(q, big.NewInt(1))
	}
	return q
}

// halfEven brings a number down to a scale, halves to the even neighbour.
func halfEven(v *big.Int, from, to int) *big.Int {
	if to >= from {
		return v.Mul(v, power(to-from))
	}
	unit := power(from - to)
	q, rest := new(big.Int).QuoRem(v, unit, new(big.Int))
	switch c := new(big.Int).Abs(rest.Mul(rest, big.NewInt(2))).Cmp(unit); {
	case c > 0, c == 0 && q.Bit(0) == 1:
		q.Add(q, big.NewInt(int64(v.Sign())))
	}
	return q
}

// decimal answers "" for a division by zero, which the caller has seen to.
func decimal(op, left, right string, precision, scale int) (text string, fits bool) {
	x, xs := unscaled(left)
	y, ys := unscaled(right)
	if x == nil || y == nil {
		return "", true
	}
	at := max(xs, ys)
	switch op {
	case "*":
		x.Mul(x, y)
		at = xs + ys
	case "+", "-", "%":
		x.Mul(x, power(at-xs))
		y.Mul(y, power(at-ys))
		switch {
		case op == "+":
			x.Add(x, y)
		case op == "-":
			x.Sub(x, y)
		case y.Sign() == 0:
			return "", true
		default:
			x.Rem(x, y)
		}
	case "/":
		if y.Sign() == 0 {
			return "", true
		}
		// One digit more than is asked for, and an odd one where something is left, rounds rightly.
		at = scale + 1
		if shift := at + ys - xs; shift >= 0 {
			x.Mul(x, power(shift))
		} else {
			y.Mul(y, power(-shift))
		}
		rest := new(big.Int)
		x.QuoRem(x, y, rest)
	}
	x = rounded(x, at, scale)
	text = placed(x, scale)
	return text, len(new(big.Int).Abs(x).String()) <= precision
}

// unscaled reads a decimal as a whole number and its scale.
func unscaled(text string) (*big.Int, int) {
	whole, frac, _ := strings.Cut(text, ".")
	v, ok := new(big.Int).SetString(whole+frac, 10)
	if !ok {
		return nil, 0
	}
	return v, len(frac)
}

func power(n int) *big.Int { return new(big.Int).Exp(big.NewInt(10), big.NewInt(int64(n)), nil) }

// rounded brings a number from one scale to another, halves away from zero.
func rounded(v *big.Int, from, to int) *big.Int {
	if to >= from {
		return v.Mul(v, power(to-from))
	}
	unit := power(from - to)
	half := new(big.Int).Quo(unit, big.NewInt(2))
	if v.Sign() < 0 {
		half.Neg(half)
	}
	return v.Quo(v.Add(v, half), unit)
}

// placed prints a whole number with its point put in.
func placed(v *big.Int, scale int) string {
	text := new(big.Int).Abs(v).String()
	if scale > 0 {
		if len(text) <= scale {
			text = strings.Repeat("0", scale-len(text)+1) + text
		}
		text = text[:len(text)-scale] + "." + text[len(text)-scale:]
	}
	if v.Sign() < 0 {
		return "-" + text
	}
	return text
}
