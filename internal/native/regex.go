package native

import (
	"strings"
	"sync"
	"time"

	"github.com/dlclark/regexp2"

	"github.com/millpond/millpond/internal/sparkerr"
)

// patterns are Java's regular expressions, for what RE2 cannot say (references back, looking
// around) and for patterns that are not constants.
func patterns() []Func {
	return []Func{
		{Name: "spark_re_match", Args: []Kind{Text, Text}, Result: Bool, Call: func(a []Value) (Value, error) {
			re, err := regex("rlike", a[1].S)
			if err != nil {
				return null(), err
			}
			ok, err := re.MatchString(a[0].S)
			return b(ok), err
		}},
		{Name: "spark_re_extract", Args: []Kind{Text, Text, Int}, Result: Text, Call: func(a []Value) (Value, error) {
			all, err := extract("regexp_extract", a, true)
			if err != nil || len(all) == 0 {
				return s(""), err
			}
			return s(all[0]), nil
		}},
		{Name: "spark_re_extract_all", Args: []Kind{Text, Text, Int}, Result: Texts, Call: func(a []Value) (Value, error) {
			all, err := extract("regexp_extract_all", a, false)
			return texts(all), err
		}},
		{Name: "spark_re_replace", Args: []Kind{Text, Text, Text, Int}, Result: Text, Call: replace},
		{Name: "spark_re_split", Args: []Kind{Text, Text, Int}, Result: Texts, Call: func(a []Value) (Value, error) { return split(a[0].S, a[1].S, int(a[2].I)) }},
		{Name: "spark_re_instr", Args: []Kind{Text, Text}, Result: Int, Call: func(a []Value) (Value, error) {
			re, err := regex("regexp_instr", a[1].S)
			if err != nil {
				return null(), err
			}
			m, err := re.FindStringMatch(a[0].S)
			if m == nil {
				return i(0), err
			}
			return i(int64(m.Index) + 1), err
		}},
		{Name: "spark_re_count", Args: []Kind{Text, Text}, Result: Int, Call: func(a []Value) (Value, error) {
			all, err := extract("regexp_count", []Value{a[0], a[1], i(0)}, false)
			return i(int64(len(all))), err
		}},
	}
}

var regexes sync.Map

// matchTimeout ends a match that a pattern makes endless.
const matchTimeout = 30 * time.Second

func regex(function, pattern string) (*regexp2.Regexp, error) {
	if re, ok := regexes.Load(pattern); ok {
		return re.(*regexp2.Regexp), nil
	}
	re, err := regexp2.Compile(javaPattern(pattern), regexp2.None)
	if err != nil {
		return nil, sparkerr.Raised("INVALID_PARAMETER_VALUE.PATTERN", "regexp", "`"+function+"`", "'"+pattern+"'")
	}
	re.MatchTimeout = matchTimeout
	regexes.Store(pattern, re)
	return re, nil
}

// javaPattern writes what Java has and .NET's syntax has not in other words: \Q...\E, and
// possessive quantifiers, which are atomic groups.
func javaPattern(p string) string {
	var out []byte
	for k := 0; k < len(p); k++ {
		if strings.HasPrefix(p[k:], `\Q`) {
			end := strings.Index(p[k:], `\E`)
			text := p[k+2:]
			if end >= 0 {
				text = p[k+2 : k+end]
			}
			out = append(out, regexp2.Escape(text)...)
			k += len(text) + 3
			continue
		}
		if p[k] == '\\' && k+1 < len(p) {
			out = append(out, p[k:k+2]...)
			k++
			continue
		}
		if p[k] == '+' && k > 0 && strings.IndexByte("?*+}", p[k-1]) >= 0 && (k < 2 || p[k-2] != '\\') {
			at := atomStart(out)
			out = append(out[:at], "(?>"+string(out[at:])+")"...)
			continue
		}
		out = append(out, p[k])
	}
	return string(out)
}

// atomStart finds where the atom begins that the quantifier at the end is of.
func atomStart(p []byte) int {
	k := len(p) - 2 // before the quantifier
	if p[len(p)-1] == '}' {
		for k > 0 && p[k] != '{' {
			k--
		}
		k--
	}
	open, closing := byte(0), byte(0)
	if k >= 0 {
		switch p[k] {
		case ')':
			open, closing = '(', ')'
		case ']':
			open, closing = '[', ']'
		}
	}
	for depth := 0; open != 0 && k >= 0; k-- {
		if k > 0 && p[k-1] == '\\' {
			continue
		}
		switch p[k] {
		case closing:
			depth++
		case open:
			if depth--; depth == 0 {
				return k
			}
		}
	}
	if k > 0 && p[k-1] == '\\' {
		k--
	}
	return max(k, 0)
}

// Matches says whether a whole name matches a Java pattern, whatever its case.
func Matches(pattern, name string) (bool, error) {
	re, err := regexp2.Compile("^(?:"+javaPattern(pattern)+")$", regexp2.IgnoreCase)
	if err != nil {
		return false, err
	}
	return re.MatchString(name)
}

func extract(function string, a []Value, first bool) ([]string, error) {
	re, err := regex(function, a[1].S)
	if err != nil {
		return nil, err
	}
	group := int(a[2].I)
	if groups := len(re.GetGroupNumbers()) - 1; group < 0 || group > groups {
		return nil, sparkerr.Raised("INVALID_PARAMETER_VALUE.REGEX_GROUP_INDEX", "`idx`", "`"+function+"`", itoa(groups), itoa(group))
	}
	out := []string{}
	m, err := re.FindStringMatch(a[0].S)
	for ; m != nil && err == nil; m, err = re.FindNextMatch(m) {
		text := ""
		if g := m.GroupByNumber(group); g != nil && len(g.Captures) > 0 {
			text = g.String()
		}
		out = append(out, text)
		if first {
			break
		}
	}
	return out, err
}

// replace puts a replacement with Java's $1 and \$ for each match from a place on.
func replace(a []Value) (Value, error) {
	re, err := regex("regexp_replace", a[1].S)
	if err != nil {
		return null(), err
	}
	r := []rune(a[0].S)
	from := int(a[3].I) - 1
	if from < 0 || from >= len(r) && len(r) > 0 {
		return a[0], nil
	}
	out, err := re.Replace(string(r[from:]), dollars(a[2].S), -1, -1)
	return s(string(r[:from]) + out), err
}

// dollars writes Java's replacement in .NET's words: \x is x itself, $1 is ${1}.
func dollars(t string) string {
	var out strings.Builder
	for k := 0; k < len(t); k++ {
		switch {
		case t[k] == '\\' && k+1 < len(t):
			k++
			if t[k] == '$' {
				out.WriteByte('$')
			}
			out.WriteByte(t[k])
		case t[k] == '$' && k+1 < len(t) && t[k+1] >= '0' && t[k+1] <= '9':
			out.WriteString("${" + string(t[k+1]) + "}")
			k++
		default:
			out.WriteByte(t[k])
		}
	}
	return out.String()
}

// split is String.split with a limit; an empty match at the start parts nothing.
func split(text, pattern string, limit int) (Value, error) {
	re, err := regex("split", pattern)
	if err != nil {
		return null(), err
	}
	r := []rune(text)
	out, from := []string{}, 0
	m, err := re.FindRunesMatch(r)
	for ; m != nil && err == nil; m, err = re.FindNextMatch(m) {
		if limit > 0 && len(out) == limit-1 {
			break
		}
		if m.Length == 0 && (m.Index == 0 || m.Index == len(r)) {
			continue
		}
		out = append(out, string(r[from:m.Index]))
		from = m.Index + m.Length
	}
	return texts(append(out, string(r[from:]))), err
}
