package rest

import (
	"fmt"
	"path"
	"strings"
	"unicode"
	"unicode/utf8"
)

// CheckName checks the name of a metric, parameter or tag, which the request
// has at a path.
func CheckName(name, at string) error {
	if strings.ContainsFunc(name, func(r rune) bool {
		return !(unicode.IsLetter(r) || unicode.IsDigit(r) || unicode.Is(unicode.Mn, r) || unicode.Is(unicode.Mc, r) || strings.ContainsRune("/_.- :", r))
	}) || !utf8.ValidString(name) {
		return InvalidValue(at, name, "Names may only contain alphanumerics, underscores (_), dashes (-), periods (.), "+
			"spaces ( ), colon(:) and slashes (/).")
	}
	if clean := normalPath(name); clean != name || clean == "." || strings.HasPrefix(clean, "..") || strings.HasPrefix(clean, "/") {
		return InvalidValue(at, name, fmt.Sprintf("Names may be treated as files in certain cases, and must not resolve "+
			"to other names when treated as such. This name would resolve to '%s'", clean))
	}
	return nil
}

func normalPath(name string) string {
	if name == "" {
		return "."
	}
	return path.Clean(name)
}

// Cut shortens a value to at most limit characters.
func Cut(value string, limit int) string {
	if len(value) <= limit {
		return value
	}
	n := 0
	for i := range value {
		if n == limit {
			return value[:i]
		}
		n++
	}
	return value
}
