package native

import (
	"fmt"
	"math/big"
	"strconv"
	"strings"

	"github.com/millpond/millpond/internal/sparkerr"
)

func numbers() []Func {
	return []Func{
		{Name: "spark_conv", Args: []Kind{Text, Int, Int}, Result: Text, Call: func(a []Value) (Value, error) { return conv(a[0].S, int(a[1].I), int(a[2].I)), nil }},
		{Name: "spark_format_number", Args: []Kind{Text, Int}, Result: Text, Call: func(a []Value) (Value, error) { return formatNumber(a[0].S, int(a[1].I)), nil }},
		{Name: "spark_format_string", Args: []Kind{Text}, Variadic: true, Result: Text, SeesNull: true, Call: formatString},
		{Name: "spark_to_char", Args: []Kind{Text, Text}, Result: Text, Call: func(a []Value) (Value, error) { return toChar(a[0].S, a[1].S) }},
		{Name: "spark_to_number", Args: []Kind{Text, Text}, Result: Text, Call: func(a []Value) (Value, error) {
			if v, ok := toNumber(a[0].S, a[1].S); ok {
				return s(v), nil
			}
			return null(), sparkerr.Raised("INVALID_FORMAT.MISMATCH_INPUT", a[1].S, `"STRING"`, a[0].S)
		}},
		{Name: "spark_try_to_number", Args: []Kind{Text, Text}, Result: Text, Call: func(a []Value) (Value, error) {
			if v, ok := toNumber(a[0].S, a[1].S); ok {
				return s(v), nil
			}
			return null(), nil
		}},
		{Name: "spark_unhex", Args: []Kind{Text}, Result: Bytes, Call: func(a []Value) (Value, error) { return unhex(a[0].S), nil }},
	}
}

// conv reads a number in one base, as far as its digits go, and prints it in another; a negative
// target base prints signed.
func conv(text string, from, to int) Value {
	text = strings.TrimSpace(text)
	target := max(to, -to)
	if from < 2 || from > 36 || target < 2 || target > 36 || text == "" {
		return null()
	}
	negative := strings.HasPrefix(text, "-")
	text = strings.TrimPrefix(text, "-")
	v, any := new(big.Int), false
	for _, c := range strings.ToLower(text) {
		d := strings.IndexRune("0123456789abcdefghijklmnopqrstuvwxyz", c)
		if d < 0 || d >= from {
			break
		}
		v.Add(v.Mul(v, big.NewInt(int64(from))), big.NewInt(int64(d)))
		any = true
	}
	if !any {
		return s("0")
	}
	most := new(big.Int).SetUint64(1<<64 - 1)
	if v.Cmp(most) > 0 {
		v = most
	}
	u := v.Uint64()
	if negative && to > 0 {
		u = -u
	}
	if to < 0 {
		n := int64(u)
		if negative {
			n = -n
		}
		return s(strings.ToUpper(strconv.FormatInt(n, target)))
	}
	return s(strings.ToUpper(strconv.FormatUint(u, target)))
}

// formatNumber groups thousands and rounds half to even at places.
func formatNumber(text string, places int) Value {
	if places < 0 {
		return null()
	}
	r, ok := new(big.Rat).SetString(text)
	if !ok {
		return s(text) // NaN, Infinity
	}
	scale := new(big.Int).Exp(big.NewInt(10), big.NewInt(int64(places)), nil)
	scaled := new(big.Rat).Mul(r, new(big.Rat).SetInt(scale))
	q, rest := new(big.Int).QuoRem(new(big.Int).Abs(scaled.Num()), scaled.Denom(), new(big.Int))
	switch rest.Lsh(rest, 1).Cmp(scaled.Denom()) {
	case 1:
		q.Add(q, big.NewInt(1))
	case 0:
		if q.Bit(0) == 1 {
			q.Add(q, big.NewInt(1))
		}
	}
	digits := q.String()
	if len(digits) <= places {
		digits = strings.Repeat("0", places-len(digits)+1) + digits
	}
	whole, frac := digits[:len(digits)-places], digits[len(digits)-places:]
	var b strings.Builder
	if scaled.Sign() < 0 {
		b.WriteByte('-')
	}
	for k, c := range whole {
		if k > 0 && (len(whole)-k)%3 == 0 {
			b.WriteByte(',')
		}
		b.WriteRune(c)
	}
	if places > 0 {
		b.WriteString("." + frac)
	}
	return s(b.String())
}

// formatString is Java's formatter. An argument comes as its kind's letter and its text: "i5",
// "f1.5", "sabc", "b true".
func formatString(a []Value) (Value, error) {
	if a[0].Null {
		return null(), nil
	}
	format, next := a[0].S, 1
	var b strings.Builder
	for k := 0; k < len(format); k++ {
		if format[k] != '%' {
			b.WriteByte(format[k])
			continue
		}
		end := k + 1
		for end < len(format) && strings.IndexByte("-#+ 0,(.123456789$<", format[end]) >= 0 {
			end++
		}
		if end == len(format) {
			return null(), fmt.Errorf("the format %q ends within a conversion", format)
		}
		spec, verb := format[k+1:end], format[end]
		k = end
		switch verb {
		case '%':
			b.WriteByte('%')
			continue
		case 'n':
			b.WriteByte('\n')
			continue
		}
		if place, rest, ok := strings.Cut(spec, "$"); ok {
			n, err := strconv.Atoi(place)
			if err != nil || n < 1 || n >= len(a) {
				return null(), sparkerr.Raised("INVALID_PARAMETER_VALUE.PATTERN", "format", "`format_string`", format)
			}
			b.WriteString(formatOne(rest, verb, a[n]))
			continue
		}
		if next >= len(a) {
			return null(), fmt.Errorf("java.util.MissingFormatArgumentException: Format specifier '%%%s%c'", spec, verb)
		}
		b.WriteString(formatOne(spec, verb, a[next]))
		next++
	}
	return s(b.String()), nil
}

func formatOne(spec string, verb byte, v Value) string {
	kind, text := byte('s'), "null"
	if !v.Null && v.S != "" {
		kind, text = v.S[0], v.S[1:]
	}
	comma := strings.Contains(spec, ",")
	spec = strings.ReplaceAll(spec, ",", "")
	upper := verb >= 'A' && verb <= 'Z'
	var out string
	switch n, err := strconv.ParseInt(text, 10, 64); {
	case strings.IndexByte("dxXo", verb) >= 0 && err == nil:
		if verb != 'd' && n < 0 {
			bits := uint64(n)
			if kind == 'i' {
				bits &= 0xffffffff
			}
			out = fmt.Sprintf("%"+spec+string(verb), bits)
		} else if comma {
			grouped := formatNumber(text, 0).S
			out = fmt.Sprintf("%"+strings.TrimPrefix(spec, "0")+"s", grouped)
		} else {
			out = fmt.Sprintf("%"+spec+string(verb), n)
		}
		return out
	case strings.IndexByte("feEgG", verb) >= 0:
		x, err := strconv.ParseFloat(text, 64)
		if err != nil {
			return fmt.Sprintf("%"+strings.SplitN(spec, ".", 2)[0]+"s", text)
		}
		if comma {
			places := 6
			if _, p, ok := strings.Cut(spec, "."); ok {
				places, _ = strconv.Atoi(p)
			}
			return formatNumber(text, places).S
		}
		return fmt.Sprintf("%"+spec+string(verb), x)
	case verb == 'c' && err == nil:
		text = string(rune(n))
	}
	out = fmt.Sprintf("%"+strings.TrimLeft(spec, "0+#")+"s", text)
	if upper {
		out = strings.ToUpper(out)
	}
	return out
}

func unhex(text string) Value {
	if len(text)%2 == 1 {
		text = "0" + text
	}
	out := make([]byte, len(text)/2)
	for k := range out {
		v, err := strconv.ParseUint(text[2*k:2*k+2], 16, 8)
		if err != nil {
			return null()
		}
		out[k] = byte(v)
	}
	return s(string(out))
}
