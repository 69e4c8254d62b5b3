package types

import (
	"fmt"
	"strconv"
	"strings"
	"unicode"
)

// ParseDDL reads a schema ("a INT NOT NULL, b STRING COMMENT 'x'", also "a: int") or a single
// type ("array<int>"); a single type that is not a struct is an error of the caller's making.
func ParseDDL(text string) (Type, error) {
	if t, err := ParseType(text); err == nil {
		return t, nil
	}
	p := &ddl{text: text}
	p.next()
	s, err := p.fields("")
	if err != nil {
		return nil, err
	}
	if p.tok != "" {
		return nil, p.unexpected()
	}
	return Struct{s}, nil
}

// ParseType reads one type by its DDL name.
func ParseType(text string) (Type, error) {
	p := &ddl{text: text}
	p.next()
	t, err := p.parse(0)
	if err != nil {
		return nil, err
	}
	if p.tok != "" {
		return nil, p.unexpected()
	}
	return t, nil
}

// ddl is a scanner over DDL text; tok is the current token, "" at the end.
type ddl struct {
	text   string
	pos    int
	tok    string
	quoted bool
}

func (p *ddl) next() {
	for p.pos < len(p.text) && unicode.IsSpace(rune(p.text[p.pos])) {
		p.pos++
	}
	p.tok, p.quoted = "", false
	if p.pos >= len(p.text) {
		return
	}
	start := p.pos
	switch c := p.text[p.pos]; {
	case c == '`' || c == '\'' || c == '"':
		p.quotedToken(c)
	case isWord(c):
		for p.pos < len(p.text) && isWord(p.text[p.pos]) {
			p.pos++
		}
		p.tok = p.text[start:p.pos]
	default:
		p.pos++
		p.tok = p.text[start:p.pos]
	}
}

func (p *ddl) quotedToken(quote byte) {
	var b strings.Builder
	for p.pos++; p.pos < len(p.text); p.pos++ {
		c := p.text[p.pos]
		if c == quote {
			if quote == '`' && p.pos+1 < len(p.text) && p.text[p.pos+1] == '`' {
				p.pos++
			} else {
				p.pos++
				p.tok, p.quoted = b.String(), true
				if p.tok == "" {
					p.tok = " "
				}
				return
			}
		} else if c == '\\' && quote != '`' && p.pos+1 < len(p.text) {
			p.pos++
			c = p.text[p.pos]
		}
		b.WriteByte(c)
	}
	p.tok, p.quoted = b.String(), true
}

func isWord(c byte) bool {
	return c == '_' || c >= '0' && c <= '9' || c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c >= 0x80
}

func (p *ddl) unexpected() error {
	if p.tok == "" {
		return fmt.Errorf("unexpected end of schema %q", p.text)
	}
	return fmt.Errorf("unexpected %q in schema %q", p.tok, p.text)
}

func (p *ddl) is(word string) bool { return !p.quoted && strings.EqualFold(p.tok, word) }

func (p *ddl) expect(word string) error {
	if !p.is(word) {
		return p.unexpected()
	}
	p.next()
	return nil
}

// fields reads columns up to (not including) the closing token.
func (p *ddl) fields(end string) ([]Field, error) {
	var out []Field
	for p.tok != "" && !p.is(end) || end == "" && p.tok != "" {
		if !p.quoted && !isWord(p.tok[0]) {
			return nil, p.unexpected()
		}
		f := Field{Name: p.tok, Nullable: true}
		p.next()
		if p.is(":") {
			p.next()
		}
		t, err := p.parse(1)
		if err != nil {
			return nil, err
		}
		f.Type = t
		if err := p.fieldOptions(&f); err != nil {
			return nil, err
		}
		out = append(out, f)
		if !p.is(",") {
			break
		}
		if p.next(); p.tok == "" || p.is(end) {
			return nil, p.unexpected()
		}
	}
	if len(out) == 0 && end == "" {
		return nil, p.unexpected()
	}
	return out, nil
}

func (p *ddl) fieldOptions(f *Field) error {
	for {
		switch {
		case p.is("not"):
			p.next()
			if err := p.expect("null"); err != nil {
				return err
			}
			f.Nullable = false
		case p.is("comment"):
			p.next()
			f.Metadata = `{"comment":` + strconv.Quote(p.tok) + `}`
			p.next()
		default:
			return nil
		}
	}
}

var ddlBasic = map[string]Type{
	"void": Null, "null": Null, "boolean": Boolean, "tinyint": Byte, "byte": Byte, "smallint": Short, "short": Short,
	"int": Int, "integer": Int, "bigint": Long, "long": Long, "float": Float, "real": Float, "double": Double,
	"string": String, "binary": Binary, "date": Date, "timestamp": Timestamp, "timestamp_ltz": Timestamp,
	"timestamp_ntz": TimestampNTZ, "variant": Variant,
}

func (p *ddl) parse(depth int) (Type, error) {
	if depth > maxDepth {
		return nil, fmt.Errorf("type nested deeper than %d", maxDepth)
	}
	if p.tok == "" || p.quoted {
		return nil, p.unexpected()
	}
	name := strings.ToLower(p.tok)
	switch name {
	case "decimal", "dec", "numeric":
		p.next()
		args, err := p.numbers()
		if err != nil {
			return nil, err
		}
		d := Decimal{10, 0}
		if len(args) > 0 {
			d.Precision = args[0]
		}
		if len(args) > 1 {
			d.Scale = args[1]
		}
		if d.Precision < 1 || d.Precision > 38 || d.Scale < 0 || d.Scale > d.Precision {
			return nil, fmt.Errorf("decimal precision %d, scale %d is out of range", d.Precision, d.Scale)
		}
		return d, nil
	case "char", "character", "varchar":
		p.next()
		args, err := p.numbers()
		if err != nil || len(args) != 1 {
			return nil, fmt.Errorf("%s needs a length", name)
		}
		if name == "varchar" {
			return Varchar{args[0]}, nil
		}
		return Char{args[0]}, nil
	case "array":
		return p.arrayType(depth)
	case "map":
		return p.mapType(depth)
	case "struct":
		return p.structType()
	case "interval":
		return p.intervalType()
	}
	t, ok := ddlBasic[name]
	if !ok {
		return nil, &UnknownTypeError{p.tok}
	}
	p.next()
	return t, nil
}

func (p *ddl) arrayType(depth int) (Type, error) {
	p.next()
	if err := p.expect("<"); err != nil {
		return nil, err
	}
	e, err := p.parse(depth + 1)
	if err != nil {
		return nil, err
	}
	return Array{e, true}, p.expect(">")
}

func (p *ddl) mapType(depth int) (Type, error) {
	p.next()
	if err := p.expect("<"); err != nil {
		return nil, err
	}
	k, err := p.parse(depth + 1)
	if err != nil {
		return nil, err
	}
	if err := p.expect(","); err != nil {
		return nil, err
	}
	v, err := p.parse(depth + 1)
	if err != nil {
		return nil, err
	}
	return Map{k, v, true}, p.expect(">")
}

func (p *ddl) structType() (Type, error) {
	p.next()
	if err := p.expect("<"); err != nil {
		return nil, err
	}
	f, err := p.fields(">")
	if err != nil {
		return nil, err
	}
	return Struct{f}, p.expect(">")
}

func (p *ddl) numbers() ([]int, error) {
	if !p.is("(") {
		return nil, nil
	}
	var out []int
	for {
		p.next()
		n, err := strconv.Atoi(p.tok)
		if err != nil {
			return nil, p.unexpected()
		}
		out = append(out, n)
		p.next()
		if p.is(")") {
			p.next()
			return out, nil
		}
		if !p.is(",") {
			return nil, p.unexpected()
		}
	}
}

func (p *ddl) intervalType() (Type, error) {
	p.next()
	name := "interval"
	for range 3 {
		if w := strings.ToLower(p.tok); w == "to" || index(dayTimeFields, w) >= 0 || index(yearMonthFields, w) >= 0 {
			name += " " + w
			p.next()
		}
	}
	if name == "interval" {
		return CalendarInterval, nil
	}
	if t, ok := intervalByName(name); ok {
		return t, nil
	}
	return nil, &UnknownTypeError{name}
}

func index(list []string, s string) int {
	for i, x := range list {
		if x == s {
			return i
		}
	}
	return -1
}

// ToDDL prints a schema as "a BIGINT,b STRING NOT NULL", any other type by its SQL name.
func ToDDL(t Type) string {
	s, ok := t.(Struct)
	if !ok {
		return t.SQL()
	}
	parts := make([]string, len(s.Fields))
	for i, f := range s.Fields {
		parts[i] = QuoteIfNeeded(f.Name) + " " + f.Type.SQL()
		if !f.Nullable {
			parts[i] += " NOT NULL"
		}
	}
	return strings.Join(parts, ",")
}

// UnknownTypeError says that DDL names a type that Spark does not have.
type UnknownTypeError struct{ Name string }

func (e *UnknownTypeError) Error() string { return fmt.Sprintf("unknown type %q", e.Name) }
