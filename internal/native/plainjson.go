package native

import (
	"bytes"
	"encoding/json"
	"regexp"
	"strings"
)

// plainJSON checks a text; what Spark takes beyond JSON, names and texts in single quotes and
// numbers that are none, is rewritten, the numbers as texts or as another that is given; so is what
// options allow.
func plainJSON(raw json.RawMessage, number string, options map[string]string) (json.RawMessage, bool) {
	if json.Valid(raw) {
		return raw, true
	}
	var b bytes.Buffer
	for i := 0; i < len(raw); {
		switch q := raw[i]; q {
		case '\'', '"':
			end := i + 1
			for end < len(raw) && raw[end] != q {
				if raw[end] == '\\' {
					end++
				}
				end++
			}
			if end >= len(raw) {
				return nil, false
			}
			inner := raw[i+1 : end]
			if q == '\'' {
				inner = bytes.ReplaceAll(bytes.ReplaceAll(inner, []byte(`\'`), []byte(`'`)), []byte(`"`), []byte(`\"`))
			}
			b.WriteByte('"')
			b.Write(inner)
			b.WriteByte('"')
			i = end + 1
		default:
			word := len(notNumbers.Find(raw[i:]))
			if word > 0 {
				if number != "" {
					b.WriteString(number)
				} else {
					b.WriteString(`"` + string(raw[i:i+word]) + `"`)
				}
				i += word
				continue
			}
			if n := allowed(raw[i:], b.Bytes(), options, &b); n > 0 {
				i += n
				continue
			}
			b.WriteByte(q)
			i++
		}
	}
	return b.Bytes(), json.Valid(b.Bytes())
}

// PlainJSON rewrites what Spark takes beyond JSON.
func PlainJSON(raw []byte, options map[string]string) ([]byte, bool) {
	return plainJSON(raw, "0.5", options)
}

var (
	bareName     = regexp.MustCompile(`^[A-Za-z_$][\w$]*`)
	leadingZeros = regexp.MustCompile(`^0+\d`)
)

// allowed writes a field's name without quotes, or a number without its leading zeros, and says how
// much of raw that was; before is what stands before it.
func allowed(raw, before []byte, options map[string]string, b *bytes.Buffer) int {
	before = bytes.TrimRight(before, " \t\r\n")
	if len(before) == 0 {
		return 0
	}
	last := before[len(before)-1]
	if name := bareName.Find(raw); name != nil && strings.EqualFold(options["allowunquotedfieldnames"], "true") && (last == '{' || last == ',') {
		if rest := bytes.TrimLeft(raw[len(name):], " \t\r\n"); len(rest) > 0 && rest[0] == ':' {
			b.WriteString(`"` + string(name) + `"`)
			return len(name)
		}
	}
	if zeros := leadingZeros.Find(raw); zeros != nil && strings.EqualFold(options["allownumericleadingzeros"], "true") && strings.IndexByte(":[,", last) >= 0 {
		return len(zeros) - 1
	}
	return 0
}

// sampleJSON gives a record, or a list of them, as JSON whose types are to be inferred; null if it is
// malformed.
func sampleJSON(text string) Value {
	raw, ok := plainJSON(json.RawMessage(strings.TrimSpace(text)), "0.5", nil)
	if !ok || raw[0] != '{' && raw[0] != '[' {
		return null()
	}
	return s(string(raw))
}

var notNumbers = regexp.MustCompile(`^(NaN|[+-]?INF|[+-]?Infinity)\b`)

// members visits an object's members.
func members(raw json.RawMessage, each func(key string, value json.RawMessage)) {
	for i := 1; i < len(raw); i++ { // past the brace or comma
		i = blanks(raw, i)
		if raw[i] == '}' {
			return
		}
		end := valueEnd(raw, i)
		key := unquoted(raw[i:end])
		i = blanks(raw, blanks(raw, end)+1) // past the colon
		end = valueEnd(raw, i)
		each(key, raw[i:end])
		i = blanks(raw, end)
	}
}

func blanks(raw []byte, i int) int {
	for i < len(raw) && raw[i] <= ' ' {
		i++
	}
	return i
}

// valueEnd finds the end of the JSON value that begins at i.
func valueEnd(raw []byte, i int) int {
	depth := 0
	for ; i < len(raw); i++ {
		switch raw[i] {
		case '"':
			for i++; raw[i] != '"'; i++ {
				if raw[i] == '\\' {
					i++
				}
			}
			if depth == 0 {
				return i + 1
			}
		case '{', '[':
			depth++
		case '}', ']':
			if depth == 0 {
				return i
			}
			if depth--; depth == 0 {
				return i + 1
			}
		case ',', ':', ' ', '\t', '\n', '\r':
			if depth == 0 {
				return i
			}
		}
	}
	return i
}

// unquoted gives the text of a JSON string.
func unquoted(raw []byte) string {
	if bytes.IndexByte(raw, '\\') < 0 {
		return string(raw[1 : len(raw)-1])
	}
	var text string
	_ = json.Unmarshal(raw, &text) // it is known to be JSON
	return text
}
