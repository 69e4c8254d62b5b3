package filter

import (
	"fmt"
	"strings"
	"unicode"
	"unicode/utf8"
)

type kind int

const (
	end kind = iota
	word
	backquoted   // `text`
	singleQuoted // 'text'
	doubleQuoted // "text"
	number
	operator // = != < <= > >=
	dot
	comma
	open
	shut
)

// token is one lexeme: text is its meaning, raw how it was written.
type token struct {
	kind kind
	text string
	raw  string
	at   int // byte offset
}

// keyword reports whether the token is the unquoted word, in any case.
func (t token) keyword(w string) bool { return t.kind == word && strings.EqualFold(t.text, w) }

// lex cuts the text into tokens, the last of which is an end token.
func lex(s string) ([]token, error) {
	var out []token
	for i := 0; i < len(s); {
		r, size := utf8.DecodeRuneInString(s[i:])
		switch {
		case unicode.IsSpace(r):
			i += size
			continue
		case r == '\'' || r == '"' || r == '`':
			t, err := lexQuoted(s, i)
			if err != nil {
				return nil, err
			}
			out = append(out, t)
		case strings.ContainsRune("=<>!", r):
			op := s[i : i+1]
			if i+1 < len(s) && (s[i+1] == '=' && op != "=" || op == "<" && s[i+1] == '>') {
				op = s[i : i+2]
			}
			t := token{operator, op, op, i}
			if op == "<>" {
				t.text = "!="
			}
			if op == "!" {
				return nil, fmt.Errorf("Invalid clause(s) in filter string: '!'")
			}
			out = append(out, t)
		case r == '.' && !(i+1 < len(s) && isDigit(s[i+1]) && !afterName(out)):
			out = append(out, token{dot, ".", ".", i})
		case r == ',':
			out = append(out, token{comma, ",", ",", i})
		case r == '(':
			out = append(out, token{open, "(", "(", i})
		case r == ')':
			out = append(out, token{shut, ")", ")", i})
		case isDigit(s[i]) && !afterDot(out) || (r == '-' || r == '+' || r == '.') && startsNumber(s[i:]):
			n := numberLength(s[i:])
			out = append(out, token{number, s[i : i+n], s[i : i+n], i})
		case wordRune(r):
			n := wordLength(s[i:])
			out = append(out, token{word, s[i : i+n], s[i : i+n], i})
		default:
			return nil, fmt.Errorf("Invalid clause(s) in filter string: %q", string(r))
		}
		i += len(out[len(out)-1].raw)
	}
	return append(out, token{kind: end, at: len(s)}), nil
}

// lexQuoted reads a quoted text; a doubled quote stands for one.
func lexQuoted(s string, at int) (token, error) {
	q := s[at]
	kinds := map[byte]kind{'\'': singleQuoted, '"': doubleQuoted, '`': backquoted}
	var text strings.Builder
	for i := at + 1; i < len(s); i++ {
		if s[i] != q {
			text.WriteByte(s[i])
			continue
		}
		if i+1 < len(s) && s[i+1] == q {
			text.WriteByte(q)
			i++
			continue
		}
		return token{kinds[q], text.String(), s[at : i+1], at}, nil
	}
	return token{}, fmt.Errorf("Invalid clause(s) in filter string: unterminated quote %s", s[at:])
}

func isDigit(c byte) bool { return c >= '0' && c <= '9' }

func afterDot(out []token) bool { return len(out) > 0 && out[len(out)-1].kind == dot }

// afterName tells the dot of "params.1" from the one that begins ".1".
func afterName(out []token) bool {
	if len(out) == 0 {
		return false
	}
	k := out[len(out)-1].kind
	return k == word || k == backquoted || k == doubleQuoted
}

func startsNumber(s string) bool {
	s = strings.TrimLeft(s, "+-")
	return s != "" && (isDigit(s[0]) || len(s) > 1 && s[0] == '.' && isDigit(s[1]))
}

func numberLength(s string) int {
	i := 0
	if s[i] == '-' || s[i] == '+' {
		i++
	}
	digits := func() {
		for i < len(s) && isDigit(s[i]) {
			i++
		}
	}
	digits()
	if i < len(s) && s[i] == '.' {
		i++
		digits()
	}
	if i < len(s) && (s[i] == 'e' || s[i] == 'E') {
		j := i + 1
		if j < len(s) && (s[j] == '-' || s[j] == '+') {
			j++
		}
		if j < len(s) && isDigit(s[j]) {
			i = j
			digits()
		}
	}
	return max(i, 1)
}

func wordRune(r rune) bool {
	return r == '_' || r == '-' || r == '/' || r == ':' || r == '$' || r == '@' ||
		r != utf8.RuneError && (unicode.IsLetter(r) || unicode.IsDigit(r))
}

func wordLength(s string) int {
	for i, r := range s {
		if !wordRune(r) {
			return i
		}
	}
	return len(s)
}
