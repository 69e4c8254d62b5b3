package sparkerr

import (
	"fmt"
	"strings"
	"unicode/utf8"
)

// Context is the piece of the user's query that an error is about: a part of a SQL text, or a call
// of the DataFrame API.
type Context struct {
	SQL         string // the whole text, "" for a call
	Start, Stop int    // the first and the last of the part's bytes in it
	Call        string // the method of the DataFrame API
	CallSite    string // where the user called it
}

// Fragment is the part of the text, or the method.
func (c *Context) Fragment() string {
	if c.SQL == "" {
		return c.Call
	}
	return c.SQL[c.Start : c.Stop+1]
}

// Range gives the first and last character of the part, from 0; -1 for nothing.
func (c *Context) Range() (first, last int) {
	if c.SQL == "" {
		return -1, -1
	}
	return utf8.RuneCountInString(c.SQL[:c.Start]), utf8.RuneCountInString(c.SQL[:c.Stop+1]) - 1
}

// place gives the line, from 1, and the character in it, from 0.
func (c *Context) place() (line, pos int) {
	before := c.SQL[:c.Start]
	return 1 + strings.Count(before, "\n"), utf8.RuneCountInString(before[strings.LastIndexByte(before, '\n')+1:])
}

// aside is how many characters beside the part a summary shows of its line.
const aside = 32

// Summary shows the part in its line, or the call.
func (c *Context) Summary() string {
	switch {
	case c.Call != "":
		return fmt.Sprintf("== DataFrame ==\n\"%s\" was called from\n%s\n", c.Call, c.CallSite)
	case c.SQL == "":
		return ""
	}
	text := []rune(c.SQL)
	first, last := c.Range()
	from, to := first, last // before the first character that is shown, and after the last one
	for from >= 0 && first-from <= aside && text[from] != '\n' {
		from--
	}
	for to < len(text) && to-last <= aside && text[to] != '\n' {
		to++
	}
	from++
	var head, tail string
	if first-from >= aside {
		head = "..."
	}
	if to-last > aside {
		tail = "..."
	}
	line, pos := c.place()
	var b strings.Builder
	fmt.Fprintf(&b, "== SQL (line %d, position %d) ==\n", line, pos+1)
	at := from - len(head)
	for _, shown := range strings.Split(head+string(text[from:to])+tail, "\n") {
		b.WriteString(shown + "\n")
		for range utf8.RuneCountInString(shown) {
			switch {
			case at < first:
				b.WriteByte(' ')
			case at <= last:
				b.WriteByte('^')
			}
			at++
		}
		at++ // the line's end
		b.WriteByte('\n')
	}
	return b.String()
}

// located are the conditions of running queries that tell where they arose; where that is not known,
// Spark gives an empty context.
var located = map[string]bool{"DIVIDE_BY_ZERO": true, "REMAINDER_BY_ZERO": true, "CAST_INVALID_INPUT": true, "ARITHMETIC_OVERFLOW": true, "INVALID_ARRAY_INDEX": true,
	"INVALID_ARRAY_INDEX_IN_ELEMENT_AT": true, "NUMERIC_VALUE_OUT_OF_RANGE.WITH_SUGGESTION": true, "INTERVAL_DIVIDED_BY_ZERO": true, "INVALID_INDEX_OF_ZERO": true,
	"SCALAR_SUBQUERY_TOO_MANY_ROWS": true}

// During gives an error of a running query its context.
func (e *Error) During(c *Context) *Error {
	if !located[e.Condition] || e.Condition == "ARITHMETIC_OVERFLOW" && e.Params["alternative"] == "" {
		return e
	}
	if c == nil {
		c = &Context{}
	}
	e.Context = c
	if s := c.Summary(); s != "" {
		e.Message += "\n" + s
	}
	return e
}

// At gives an error found before the query runs its context, unless it has one or is of another
// kind.
func (e *Error) At(c *Context) *Error {
	if c == nil || e.Context != nil || e.Class != ClassAnalysis && e.Class != ClassExtendedAnalysis || e.Condition == "" {
		return e
	}
	out := *e
	out.Context = c
	if c.SQL != "" {
		line, pos := c.place()
		out.Message += fmt.Sprintf("; line %d pos %d", line, pos)
	}
	return &out
}
