package native

import (
	"encoding/base32"
	"encoding/base64"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/millpond/millpond/internal/sparkerr"
)

func strings_() []Func {
	one := func(name string, call func(string) Value) Func {
		return Func{Name: name, Args: []Kind{Text}, Result: Text, Call: func(a []Value) (Value, error) { return call(a[0].S), nil }}
	}
	return []Func{
		{Name: "spark_instr", Args: []Kind{Text, Text, Int, Int}, Result: Int, Call: func(a []Value) (Value, error) { return instr(a[0].S, a[1].S, a[2].I, a[3].I) }},
		one("spark_initcap", func(t string) Value { return s(initcap(t)) }),
		one("spark_soundex", func(t string) Value { return s(soundex(t)) }),
		one("spark_quote", func(t string) Value { return s("'" + strings.ReplaceAll(t, "'", "\\'") + "'") }),
		{Name: "spark_mask", Args: []Kind{Text, Text, Text, Text, Text}, Result: Text, SeesNull: true, Call: func(a []Value) (Value, error) { return mask(a), nil }},
		{Name: "spark_sentences", Args: []Kind{Text}, Result: Text, Call: func(a []Value) (Value, error) { return s(sentences(a[0].S)), nil }},
		{Name: "spark_luhn", Args: []Kind{Text}, Result: Bool, Call: func(a []Value) (Value, error) { return b(luhn(a[0].S)), nil }},
		{Name: "spark_base32", Args: []Kind{Bytes}, Result: Text, Call: func(a []Value) (Value, error) {
			return s(base32.StdEncoding.EncodeToString([]byte(a[0].S))), nil
		}},
		{Name: "spark_unbase32", Args: []Kind{Text}, Result: Bytes, Call: func(a []Value) (Value, error) {
			out, err := base32.StdEncoding.DecodeString(a[0].S)
			if err != nil {
				return null(), sparkerr.Raised("CONVERSION_INVALID_INPUT", "'"+a[0].S+"'", "BASE32", `"BINARY"`, "`try_to_binary`")
			}
			return s(string(out)), nil
		}},
		{Name: "spark_unbase64", Args: []Kind{Text}, Result: Bytes, Call: func(a []Value) (Value, error) { return unbase64(a[0].S) }},
		{Name: "spark_utf8_valid", Args: []Kind{Bytes}, Result: Bool, Call: func(a []Value) (Value, error) { return b(utf8.ValidString(a[0].S)), nil }},
		{Name: "spark_utf8_make", Args: []Kind{Bytes}, Result: Text, Call: func(a []Value) (Value, error) {
			return s(strings.ToValidUTF8(a[0].S, "\uFFFD")), nil
		}},
		{Name: "spark_encode", Args: []Kind{Text, Text}, Result: Bytes, Call: func(a []Value) (Value, error) { return encode(a[0].S, a[1].S) }},
		{Name: "spark_decode", Args: []Kind{Bytes, Text}, Result: Text, Call: func(a []Value) (Value, error) { return decode(a[0].S, a[1].S) }},
		{Name: "spark_reverse_bytes", Args: []Kind{Bytes}, Result: Bytes, Call: func(a []Value) (Value, error) {
			out := []byte(a[0].S)
			for x, y := 0, len(out)-1; x < y; x, y = x+1, y-1 {
				out[x], out[y] = out[y], out[x]
			}
			return s(string(out)), nil
		}},
	}
}

// initcap makes the first letter of each word upper case; words are parted by spaces.
func initcap(t string) string {
	var out strings.Builder
	first := true
	for _, r := range t {
		if first {
			out.WriteRune(unicode.ToTitle(r))
		} else {
			out.WriteRune(unicode.ToLower(r))
		}
		first = r == ' '
	}
	return out.String()
}

const soundexCodes = "01230120022455012623010202" // of A to Z; H and W part nothing, vowels do

func soundex(t string) string {
	if t == "" {
		return t
	}
	up := strings.ToUpper(t)
	if up[0] < 'A' || up[0] > 'Z' {
		return t
	}
	out := []byte{up[0], '0', '0', '0'}
	last, n := soundexCodes[up[0]-'A'], 1
	for k := 1; k < len(up) && n < 4; k++ {
		c := up[k]
		if c < 'A' || c > 'Z' {
			last = '0'
			continue
		}
		if c == 'H' || c == 'W' {
			continue
		}
		code := soundexCodes[c-'A']
		if code != '0' && code != last {
			out[n] = code
			n++
		}
		last = code
	}
	return string(out)
}

// mask replaces upper case letters, lower case ones, digits and others; a null keeps them.
func mask(a []Value) Value {
	if a[0].Null {
		return null()
	}
	var out strings.Builder
	for _, r := range a[0].S {
		k := 4
		switch {
		case unicode.IsUpper(r):
			k = 1
		case unicode.IsLower(r):
			k = 2
		case unicode.IsDigit(r):
			k = 3
		}
		if a[k].Null {
			out.WriteRune(r)
		} else {
			out.WriteString(a[k].S)
		}
	}
	return s(out.String())
}

// sentences answers lists of words as JSON text.
func sentences(t string) string {
	var all [][]string
	var words []string
	var word strings.Builder
	flush := func() {
		if word.Len() > 0 {
			words = append(words, word.String())
			word.Reset()
		}
	}
	end := func() {
		flush()
		if len(words) > 0 {
			all = append(all, words)
			words = nil
		}
	}
	for _, r := range t {
		switch {
		case unicode.IsLetter(r) || unicode.IsDigit(r) || r == '\'':
			word.WriteRune(r)
		case r == '.' || r == '!' || r == '?':
			end()
		default:
			flush()
		}
	}
	end()
	return JSONText(all)
}

func luhn(t string) bool {
	sum, double := 0, false
	if t == "" {
		return false
	}
	for k := len(t) - 1; k >= 0; k-- {
		d := int(t[k] - '0')
		if d < 0 || d > 9 {
			return false
		}
		if double {
			if d *= 2; d > 9 {
				d -= 9
			}
		}
		sum, double = sum+d, !double
	}
	return sum%10 == 0
}

func unbase64(t string) (Value, error) {
	clean := strings.Map(func(r rune) rune {
		if r == '\n' || r == '\r' || r == ' ' {
			return -1
		}
		return r
	}, t)
	out, err := base64.StdEncoding.DecodeString(clean)
	if err != nil {
		if out, err = base64.RawStdEncoding.DecodeString(strings.TrimRight(clean, "=")); err != nil {
			return null(), sparkerr.Raised("CONVERSION_INVALID_INPUT", "'"+t+"'", "BASE64", `"BINARY"`, "`try_to_binary`")
		}
	}
	return s(string(out)), nil
}

const charsets = "iso-8859-1, us-ascii, utf-16, utf-16be, utf-16le, utf-32, utf-8"

func badCharset(function, charset string) error {
	return sparkerr.Raised("INVALID_PARAMETER_VALUE.CHARSET", "`charset`", "`"+function+"`", charsets, charset)
}

func encode(text, charset string) (Value, error) {
	var out []byte
	unit := func(v uint16, big bool) {
		if big {
			out = append(out, byte(v>>8), byte(v))
		} else {
			out = append(out, byte(v), byte(v>>8))
		}
	}
	switch name := strings.ToLower(charset); name {
	case "utf-8":
		return s(text), nil
	case "us-ascii", "iso-8859-1":
		limit := map[string]rune{"us-ascii": 0x80, "iso-8859-1": 0x100}[name]
		for _, r := range text {
			if r >= limit {
				return null(), sparkerr.Raised("MALFORMED_CHARACTER_CODING", "`encode`", charset)
			}
			out = append(out, byte(r))
		}
	case "utf-16", "utf-16be", "utf-16le":
		if name == "utf-16" {
			out = append(out, 0xfe, 0xff)
		}
		for _, v := range utf16Of(text) {
			unit(v, name != "utf-16le")
		}
	case "utf-32":
		for _, r := range text {
			out = append(out, byte(r>>24), byte(r>>16), byte(r>>8), byte(r))
		}
	default:
		return null(), badCharset("encode", charset)
	}
	return s(string(out)), nil
}
