package native

import (
	"encoding/json"
	"strings"
	"unicode/utf16"
	"unicode/utf8"

	"github.com/millpond/millpond/internal/sparkerr"
)

func utf16Of(text string) []uint16 { return utf16.Encode([]rune(text)) }

func decode(data, charset string) (Value, error) {
	switch name := strings.ToLower(charset); name {
	case "utf-8":
		if !utf8.ValidString(data) {
			return null(), sparkerr.Raised("MALFORMED_CHARACTER_CODING", "`decode`", charset)
		}
		return s(data), nil
	case "us-ascii", "iso-8859-1":
		out := make([]rune, len(data))
		for k := range len(data) {
			if name == "us-ascii" && data[k] >= 0x80 {
				return null(), sparkerr.Raised("MALFORMED_CHARACTER_CODING", "`decode`", charset)
			}
			out[k] = rune(data[k])
		}
		return s(string(out)), nil
	case "utf-16", "utf-16be", "utf-16le":
		big := name != "utf-16le"
		if name == "utf-16" {
			if rest, ok := strings.CutPrefix(data, "\xfe\xff"); ok {
				data = rest
			} else if rest, ok := strings.CutPrefix(data, "\xff\xfe"); ok {
				data, big = rest, false
			}
		}
		units := make([]uint16, len(data)/2)
		for k := range units {
			x, y := uint16(data[2*k]), uint16(data[2*k+1])
			units[k] = x<<8 | y
			if !big {
				units[k] = y<<8 | x
			}
		}
		return s(string(utf16.Decode(units))), nil
	case "utf-32":
		var out strings.Builder
		for k := 0; k+3 < len(data); k += 4 {
			out.WriteRune(rune(data[k])<<24 | rune(data[k+1])<<16 | rune(data[k+2])<<8 | rune(data[k+3]))
		}
		return s(strings.TrimPrefix(out.String(), "\uFEFF")), nil
	}
	return null(), badCharset("decode", charset)
}

// JSONText prints plain data as compact JSON without escaping for HTML.
func JSONText(v any) string {
	var b strings.Builder
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	if err := e.Encode(v); err != nil {
		return "null"
	}
	return strings.TrimSuffix(b.String(), "\n")
}
