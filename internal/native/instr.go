package native

import (
	"strconv"
	"strings"

	"github.com/millpond/millpond/internal/sparkerr"
)

// instr finds the occurrence-th place, from 1, at which part stands in text: from start on, or from
// there backward where start counts from the end; 0 for none.
func instr(text, part string, start, occurrence int64) (Value, error) {
	if occurrence <= 0 {
		return null(), sparkerr.Raised("INVALID_PARAMETER_VALUE.OCCURRENCE", "`occurrence`", "`instr`", strconv.FormatInt(occurrence, 10))
	}
	runes := []rune(text)
	at, step := start-1, int64(1)
	if start < 0 {
		at, step = int64(len(runes))+start, -1
	}
	for ; start != 0 && at >= 0 && at < int64(len(runes)); at += step {
		if strings.HasPrefix(string(runes[at:]), part) {
			if occurrence--; occurrence == 0 {
				return i(at + 1), nil
			}
		}
	}
	return i(0), nil
}
