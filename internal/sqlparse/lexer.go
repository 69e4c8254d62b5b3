// Package sqlparse reads Spark SQL text into plan's unresolved relations and expressions, the
// same nodes that clients send. lexer.go cuts tokens, expr.go reads expressions, query.go
// queries, statement.go the commands. It never resolves a name and never panics.
package sqlparse

import (
	"fmt"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/millpond/millpond/internal/plan"
	"github.com/millpond/millpond/internal/sparkerr"
)

type kind int

const (
	end kind = iota
	word
	quoted // `name`
	text   // 'string'
	number
	symbol
	param // :name
)

type token struct {
	kind  kind
	text  string // upper case for words
	raw   string
	start int
	stop  int // after its last byte
}

// parser holds the tokens of one text and the place in them.
type parser struct {
	src   string
	toks  []token
	pos   int
	depth int
	marks int // ? parameters seen
}

const maxDepth = 400

func newParser(src string) (*parser, error) {
	p := &parser{src: src}
	for i := 0; ; {
		next, err := p.skip(i)
		if err != nil {
			return nil, err
		}
		i = next
		if i >= len(src) {
			p.toks = append(p.toks, token{kind: end, start: len(src)})
			return p, nil
		}
		t, after, err := p.scan(i)
		if err != nil {
			return nil, err
		}
		t.stop = after
		p.toks = append(p.toks, t)
		i = after
	}
}

// skip passes over blanks and comments.
func (p *parser) skip(i int) (int, error) {
	for i < len(p.src) {
		switch {
		case unicode.IsSpace(rune(p.src[i])):
			i++
		case strings.HasPrefix(p.src[i:], "--"):
			if nl := strings.IndexByte(p.src[i:], '\n'); nl >= 0 {
				i += nl
			} else {
				i = len(p.src)
			}
		case strings.HasPrefix(p.src[i:], "/*") && !strings.HasPrefix(p.src[i:], "/*+"):
			stop := strings.Index(p.src[i+2:], "*/")
			if stop < 0 {
				return 0, p.fail(i, "end of comment")
			}
			i += stop + 4
		default:
			return i, nil
		}
	}
	return i, nil
}

var symbols = []string{"<=>", ">>>", "|>", "/*+", "::", "->", "=>", "<>", "!=", "<=", ">=", "==", "||", "<<", ">>", "*/"}

func (p *parser) scan(i int) (token, int, error) {
	s := p.src
	c := s[i]
	switch {
	case c == '\'' || c == '"':
		return p.str(i)
	case (c == 'r' || c == 'R') && i+1 < len(s) && (s[i+1] == '\'' || s[i+1] == '"'):
		stop := strings.IndexByte(s[i+2:], s[i+1])
		if stop < 0 {
			return token{}, 0, p.fail(i, "end of string")
		}
		return token{kind: text, text: s[i+2 : i+2+stop], start: i}, i + stop + 3, nil
	case c == '`':
		return p.backquoted(i)
	case c >= '0' && c <= '9' || c == '.' && i+1 < len(s) && s[i+1] >= '0' && s[i+1] <= '9' && !p.afterName():
		return p.num(i)
	case c == ':' && i+1 < len(s) && isLetter(rune(s[i+1])):
		j := i + 1
		for j < len(s) && isWordByte(s[j]) {
			j++
		}
		return token{kind: param, text: s[i+1 : j], start: i}, j, nil
	}
	if r, size := utf8.DecodeRuneInString(s[i:]); isLetter(r) {
		j := i + size
		for j < len(s) {
			r, n := utf8.DecodeRuneInString(s[j:])
			if !isLetter(r) && (r < '0' || r > '9') {
				break
			}
			j += n
		}
		return token{kind: word, text: strings.ToUpper(s[i:j]), raw: s[i:j], start: i}, j, nil
	}
	for _, sym := range symbols {
		if strings.HasPrefix(s[i:], sym) {
			return token{kind: symbol, text: sym, raw: sym, start: i}, i + len(sym), nil
		}
	}
	return token{kind: symbol, text: string(c), raw: string(c), start: i}, i + 1, nil
}

// afterName says whether the token before is part of a dotted name.
func (p *parser) afterName() bool {
	if len(p.toks) == 0 {
		return false
	}
	k := p.toks[len(p.toks)-1].kind
	return k == word || k == quoted
}

func isLetter(r rune) bool { return r == '_' || unicode.IsLetter(r) }
func isWordByte(c byte) bool {
	return c == '_' || c >= '0' && c <= '9' || c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z'
}

var escapes = map[byte]string{'n': "\n", 't': "\t", 'r': "\r", '0': "\x00", 'b': "\b", 'Z': "\x1a", '%': `\%`, '_': `\_`}

func (p *parser) str(i int) (token, int, error) {
	var b strings.Builder
	q := p.src[i]
	for j := i + 1; j < len(p.src); j++ {
		c := p.src[j]
		switch {
		case c == '\\' && j+1 < len(p.src):
			j++
			if e, ok := escapes[p.src[j]]; ok {
				b.WriteString(e)
			} else {
				b.WriteByte(p.src[j])
			}
		case c == q && j+1 < len(p.src) && p.src[j+1] == q:
			b.WriteByte(q)
			j++
		case c == q:
			return token{kind: text, text: b.String(), raw: p.src[i : j+1], start: i}, j + 1, nil
		default:
			b.WriteByte(c)
		}
	}
	return token{}, 0, p.fail(i, "end of string")
}

func (p *parser) backquoted(i int) (token, int, error) {
	var b strings.Builder
	for j := i + 1; j < len(p.src); j++ {
		if p.src[j] != '`' {
			b.WriteByte(p.src[j])
			continue
		}
		if j+1 < len(p.src) && p.src[j+1] == '`' {
			b.WriteByte('`')
			j++
			continue
		}
		return token{kind: quoted, text: b.String(), raw: b.String(), start: i}, j + 1, nil
	}
	return token{}, 0, p.fail(i, "end of name")
}

func (p *parser) num(i int) (token, int, error) {
	s := p.src
	j := i
	digits := func() {
		for j < len(s) && s[j] >= '0' && s[j] <= '9' {
			j++
		}
	}
	digits()
	if j < len(s) && s[j] == '.' {
		j++
		digits()
	}
	if j < len(s) && (s[j] == 'e' || s[j] == 'E') {
		k := j + 1
		if k < len(s) && (s[k] == '+' || s[k] == '-') {
			k++
		}
		if k < len(s) && s[k] >= '0' && s[k] <= '9' {
			j = k
			digits()
		}
	}
	for _, suffix := range []string{"BD", "L", "S", "Y", "D", "F"} {
		if n := len(suffix); j+n <= len(s) && strings.EqualFold(s[j:j+n], suffix) && (j+n == len(s) || !isWordByte(s[j+n])) {
			j += n
			break
		}
	}
	if j < len(s) && isWordByte(s[j]) {
		return token{}, 0, p.fail(j, s[i:j+1])
	}
	return token{kind: number, text: strings.ToUpper(s[i:j]), raw: s[i:j], start: i}, j, nil
}

// fail is Spark's syntax error at a place of the text.
func (p *parser) fail(at int, near string) error {
	line, col := 1, at
	if at > len(p.src) {
		at = len(p.src)
	}
	if nl := strings.LastIndexByte(p.src[:at], '\n'); nl >= 0 {
		line, col = 1+strings.Count(p.src[:at], "\n"), at-nl-1
	}
	near = "'" + near + "'"
	if at >= len(p.src) {
		near = "end of input"
	}
	e := sparkerr.New(sparkerr.ClassParse, "PARSE_SYNTAX_ERROR", "error", near, "hint", "")
	e.Message += fmt.Sprintf(" (line %d, pos %d)\n\n== SQL ==\n%s\n%s^^^\n", line, col, p.src, strings.Repeat("-", col))
	return e
}

// placed tells an expression or table that it stands from a token on, given by its number, up to
// the last one read.
func (p *parser) placed(e any, first int) {
	if p.pos > first {
		plan.Place(e, &sparkerr.Context{SQL: p.src, Start: p.toks[first].start, Stop: p.toks[p.pos-1].stop - 1})
	}
}

func (p *parser) tok() token { return p.toks[p.pos] }
func (p *parser) ahead(n int) token {
	if p.pos+n < len(p.toks) {
		return p.toks[p.pos+n]
	}
	return p.toks[len(p.toks)-1]
}

func (p *parser) next() token {
	t := p.toks[p.pos]
	if t.kind != end {
		p.pos++
	}
	return t
}

func (p *parser) unexpected() error {
	t := p.tok()
	near := t.raw
	if t.kind == text {
		near = t.raw
	}
	return p.fail(t.start, near)
}

// is says whether the next tokens are these words or symbols.
func (p *parser) is(words ...string) bool {
	for i, w := range words {
		t := p.ahead(i)
		if t.kind != word && t.kind != symbol || t.text != w {
			return false
		}
	}
	return true
}

// accept takes the words if they come next.
func (p *parser) accept(words ...string) bool {
	if !p.is(words...) {
		return false
	}
	p.pos += len(words)
	return true
}

func (p *parser) expect(w string) error {
	if !p.accept(w) {
		return p.unexpected()
	}
	return nil
}

func (p *parser) enter() error {
	if p.depth++; p.depth > maxDepth {
		return sparkerr.Unsupported("SQL nested deeper than %d", maxDepth)
	}
	return nil
}

func (p *parser) leave() { p.depth-- }
