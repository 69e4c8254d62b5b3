package native

import (
	"math/big"
	"strings"
)

// numberFormat is a format of to_number and to_char: digits (9 and 0), grouping, a point, a
// currency sign, a sign.
type numberFormat struct {
	whole, frac    string // of 9, 0 and ,
	currency       bool
	leading, after string // S or MI before or after, PR after
	point          bool
}

func readFormat(format string) numberFormat {
	var nf numberFormat
	f := strings.ToUpper(format)
	for {
		switch {
		case strings.HasPrefix(f, "MI"):
			nf.leading, f = "MI", f[2:]
			continue
		case strings.HasPrefix(f, "S"):
			nf.leading, f = "S", f[1:]
			continue
		case strings.HasPrefix(f, "$"):
			nf.currency, f = true, f[1:]
			continue
		}
		break
	}
	for _, tail := range []string{"MI", "PR", "S"} {
		if rest, ok := strings.CutSuffix(f, tail); ok {
			nf.after, f = tail, rest
			break
		}
	}
	if rest, ok := strings.CutSuffix(f, "$"); ok {
		nf.currency, f = true, rest
	}
	f = strings.ReplaceAll(strings.ReplaceAll(f, "D", "."), "G", ",")
	nf.whole, nf.frac, nf.point = strings.Cut(f, ".")
	return nf
}

// numberPrecision gives the decimal type that a format's numbers have.
func numberPrecision(format string) (precision, scale int) {
	nf := readFormat(format)
	digits := func(s string) int { return strings.Count(s, "9") + strings.Count(s, "0") }
	return digits(nf.whole) + digits(nf.frac), digits(nf.frac)
}

// NumberPrecision gives the precision and scale of the decimals that a format of to_number reads.
func NumberPrecision(format string) (precision, scale int) { return numberPrecision(format) }

// toNumber reads a text by a format into a decimal's text.
func toNumber(text, format string) (string, bool) {
	nf := readFormat(format)
	t := strings.TrimSpace(text)
	negative := false
	switch {
	case nf.after == "PR" && strings.HasPrefix(t, "<") && strings.HasSuffix(t, ">"):
		negative, t = true, t[1:len(t)-1]
	case nf.leading != "" && strings.HasPrefix(t, "-"):
		negative, t = true, t[1:]
	case nf.leading == "S" && strings.HasPrefix(t, "+"):
		t = t[1:]
	case (nf.after == "MI" || nf.after == "S") && strings.HasSuffix(t, "-"):
		negative, t = true, t[:len(t)-1]
	case nf.after == "S" && strings.HasSuffix(t, "+"):
		t = t[:len(t)-1]
	}
	if nf.currency {
		rest, ok := strings.CutPrefix(t, "$")
		if !ok {
			return "", false
		}
		t = rest
	}
	whole, frac, point := strings.Cut(t, ".")
	if point && !nf.point || len(frac) > len(nf.frac) {
		return "", false
	}
	// Digits line up with the format from the right, commas with commas.
	k := len(nf.whole) - 1
	for j := len(whole) - 1; j >= 0; j-- {
		if k < 0 {
			return "", false
		}
		isDigit := whole[j] >= '0' && whole[j] <= '9'
		if isDigit == (nf.whole[k] == ',') || !isDigit && whole[j] != ',' {
			return "", false
		}
		k--
	}
	for _, c := range frac {
		if c < '0' || c > '9' {
			return "", false
		}
	}
	whole = strings.ReplaceAll(whole, ",", "")
	if whole == "" && frac == "" {
		return "", false
	}
	out := whole
	if out == "" {
		out = "0"
	}
	if frac != "" {
		out += "." + frac
	}
	if negative {
		out = "-" + out
	}
	return out, true
}

// toChar prints a decimal's text by a format; what does not fit is all #.
func toChar(text, format string) (Value, error) {
	nf := readFormat(format)
	r, ok := new(big.Rat).SetString(text)
	if !ok {
		return null(), nil
	}
	plain := new(big.Rat).Abs(r).FloatString(strings.Count(nf.frac, "9") + strings.Count(nf.frac, "0"))
	whole, frac, _ := strings.Cut(plain, ".")
	if whole == "0" {
		whole = ""
	}
	room := strings.Count(nf.whole, "9") + strings.Count(nf.whole, "0")
	if len(whole) > room {
		return s(strings.NewReplacer("9", "#", "0", "#", "S", "", "MI", "").Replace(strings.ToUpper(format))), nil
	}
	out := make([]byte, len(nf.whole))
	j, started := len(whole)-1, 0
	for k := len(nf.whole) - 1; k >= 0; k-- {
		switch c := nf.whole[k]; {
		case c == ',':
			out[k] = ','
		case j >= 0:
			out[k], started = whole[j], k
			j--
		case strings.IndexByte(nf.whole[:k+1], '0') >= 0:
			out[k], started = '0', k
		default:
			out[k] = ' '
		}
	}
	if whole == "" && strings.IndexByte(nf.whole, '0') < 0 {
		started = len(nf.whole)
	}
	for k := 0; k < started; k++ {
		if out[k] == ',' {
			out[k] = ' '
		}
	}
	body := string(out)
	if nf.point {
		body += "." + frac
	}
	return s(withSign(nf, body, r.Sign() < 0)), nil
}

func withSign(nf numberFormat, body string, negative bool) string {
	blank := len(body) - len(strings.TrimLeft(body, " "))
	digits := body[blank:]
	if nf.currency {
		digits = "$" + digits
	}
	pad := strings.Repeat(" ", blank)
	switch {
	case nf.leading == "S":
		digits = map[bool]string{true: "-", false: "+"}[negative] + digits
	case nf.leading == "MI":
		digits = map[bool]string{true: "-", false: " "}[negative] + digits
	case nf.after == "S":
		digits += map[bool]string{true: "-", false: "+"}[negative]
	case nf.after == "MI":
		digits += map[bool]string{true: "-", false: " "}[negative]
	case nf.after == "PR" && negative:
		digits = "<" + digits + ">"
	}
	return pad + digits
}
