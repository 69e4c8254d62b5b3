package rest

import (
	"bytes"
	"encoding/json"
	"fmt"
	"math"
	"runtime/debug"
	"strconv"
	"strings"
)

func stack() string { return string(debug.Stack()) }

// Int64 is an integer that clients send as a number or as a string.
type Int64 int64

// UnmarshalJSON implements json.Unmarshaler.
func (i *Int64) UnmarshalJSON(b []byte) error {
	if string(b) == "null" {
		return nil // as if it were not there
	}
	text := unquote(b)
	if n, err := strconv.ParseInt(text, 10, 64); err == nil {
		*i = Int64(n)
		return nil
	}
	// 1e3 and 5.0 are integers too, as far as they are exact.
	f, err := strconv.ParseFloat(text, 64)
	if err != nil || f != math.Trunc(f) || math.Abs(f) >= 1<<63 {
		return fmt.Errorf("not an integer: %s", b)
	}
	*i = Int64(f)
	return nil
}

// Float is a number that may also be NaN or infinite: these travel as strings.
type Float float64

// UnmarshalJSON implements json.Unmarshaler.
func (f *Float) UnmarshalJSON(b []byte) error {
	if string(b) == "null" {
		return nil // as if it were not there
	}
	text := unquote(b)
	switch text {
	case "NaN":
		*f = Float(math.NaN())
		return nil
	case "Infinity":
		*f = Float(math.Inf(1))
		return nil
	case "-Infinity":
		*f = Float(math.Inf(-1))
		return nil
	}
	v, err := strconv.ParseFloat(text, 64)
	if err != nil || strings.ContainsAny(text, "xXpP_nN") { // Go reads more than JSON: hex, "inf"
		return fmt.Errorf("not a number: %s", b)
	}
	*f = Float(v)
	return nil
}

// MarshalJSON implements json.Marshaler.
func (f Float) MarshalJSON() ([]byte, error) { return f.AppendJSON(nil), nil }

// AppendJSON implements [Appender].
func (f Float) AppendJSON(b []byte) []byte {
	v := float64(f)
	switch {
	case math.IsNaN(v):
		return append(b, `"NaN"`...)
	case math.IsInf(v, 1):
		return append(b, `"Infinity"`...)
	case math.IsInf(v, -1):
		return append(b, `"-Infinity"`...)
	}
	format := byte('f')
	if abs := math.Abs(v); abs != 0 && (abs < 1e-6 || abs >= 1e16) {
		format = 'e'
	}
	n := len(b)
	b = strconv.AppendFloat(b, v, format, -1, 64)
	if format == 'f' && !bytes.ContainsRune(b[n:], '.') {
		b = append(b, ".0"...) // a reader that keeps integers and floats apart must see a float
	}
	return b
}

// Enum is a name from a fixed list that clients send by name or by number.
type Enum string

// UnmarshalJSON implements json.Unmarshaler.
func (e *Enum) UnmarshalJSON(b []byte) error {
	if string(b) == "null" {
		return nil // as if it were not there
	}
	*e = Enum(unquote(b))
	return nil
}

// Resolve finds the enum's name: numbers maps numbers to names. It reports
// whether there is one.
func (e Enum) Resolve(numbers map[int]string) (string, bool) {
	for n, name := range numbers {
		if string(e) == name || string(e) == strconv.Itoa(n) {
			return name, true
		}
	}
	return "", false
}

// unquote takes the quotes off a JSON string, if it is one.
func unquote(b []byte) string {
	if len(b) > 0 && b[0] == '"' {
		var s string
		if json.Unmarshal(b, &s) == nil {
			return s
		}
	}
	return string(b)
}
