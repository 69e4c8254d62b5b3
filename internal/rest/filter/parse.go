// Package filter reads the search filters and orderings of MLflow's REST API:
//
//	metrics.accuracy > 0.9 AND params.`max depth` = '5' AND run_id IN ('a', 'b')
//
// Beyond MLflow's grammar, choices may stand in parentheses:
//
//	(metrics.accuracy > 0.9 OR tags.team = 'blue') AND status = 'FINISHED'
//
// An OR outside parentheses is refused as MLflow refuses it: clients count on
// that, and readers differ about what it would mean beside an AND.
//
// In comes text; out goes a tree of comparisons that prints back to equivalent
// text. A [Grammar] then says which entities, keys and comparators one kind of
// search has, and [Where] turns resolved comparisons into SQL text with
// arguments. The package never touches a database; whatever the text, it
// answers with a tree or an error whose message can be shown to the client.
package filter

import (
	"fmt"
	"strings"
)

// Op is a comparator.
type Op string

// The comparators.
const (
	Eq        Op = "="
	Ne        Op = "!="
	Lt        Op = "<"
	Le        Op = "<="
	Gt        Op = ">"
	Ge        Op = ">="
	Like      Op = "LIKE"
	ILike     Op = "ILIKE"
	In        Op = "IN"
	NotIn     Op = "NOT IN"
	IsNull    Op = "IS NULL"
	IsNotNull Op = "IS NOT NULL"
)

// Kind says what a Value is.
type Kind int

// The kinds of values.
const (
	None   Kind = iota // IS NULL and IS NOT NULL have no value
	Number             // Text holds it as written
	String
	List
)

// Value is the right-hand side of a comparison.
type Value struct {
	Kind Kind
	Text string
	List []string
}

// Comparison is one clause: Entity is what stands before the dot ("" if there
// is none), Key what stands behind it.
type Comparison struct {
	Entity string
	Key    string
	Op     Op
	Value  Value
}

// Filter is a conjunction of clauses.
type Filter []Clause

// Clause is a comparison or, if Any is not nil, a choice: one of Any holds.
type Clause struct {
	Comparison
	Any []Filter
}

// Limits keep a hostile filter from costing much, and a query within what
// databases take: some 32,000 arguments, 64 joins, 1,000 levels of expressions.
const (
	maxLength = 1 << 20
	maxValues = 30000
	maxTerms  = 500
	maxOrders = 30
	maxDepth  = 50 // of parentheses
)

// Parse reads a filter. The empty text is the filter that everything passes.
func Parse(text string) (Filter, error) {
	if text == "" {
		return nil, nil
	}
	if len(text) > maxLength {
		return nil, fmt.Errorf("Invalid filter: longer than %d characters.", maxLength)
	}
	if strings.TrimSpace(text) == "" {
		return nil, fmt.Errorf("Invalid filter '%s'. Could not be parsed.", text)
	}
	tokens, err := lex(text)
	if err != nil {
		return nil, err
	}
	p := &parser{text: text, tokens: tokens}
	out, err := p.all(0)
	if err == nil && p.peek().kind != end {
		err = p.invalid(p.peek().at)
	}
	if err != nil {
		return nil, err
	}
	return out, nil
}

// all reads clauses joined by AND.
func (p *parser) all(depth int) (Filter, error) {
	var out Filter
	for {
		clauses, err := p.clause(depth)
		if err != nil {
			return nil, err
		}
		out = append(out, clauses...)
		if !p.peek().keyword("AND") {
			return out, nil
		}
		p.next()
	}
}

// clause reads a comparison or what stands in parentheses. Parentheses without
// a choice in them add nothing: their clauses join those around.
func (p *parser) clause(depth int) (Filter, error) {
	start := p.peek()
	if start.kind != open {
		c, err := p.comparison()
		if p.terms++; err == nil && p.terms > maxTerms {
			err = fmt.Errorf("Invalid filter: more than %d comparisons.", maxTerms)
		}
		return Filter{{Comparison: c}}, err
	}
	if depth == maxDepth {
		return nil, fmt.Errorf("Invalid filter: parentheses are nested more than %d deep.", maxDepth)
	}
	var choices []Filter
	for {
		p.next() // the parenthesis, or OR
		choice, err := p.all(depth + 1)
		if err != nil {
			return nil, err
		}
		choices = append(choices, choice)
		if !p.peek().keyword("OR") {
			break
		}
	}
	if p.next().kind != shut {
		return nil, p.invalid(start.at)
	}
	if len(choices) == 1 {
		return choices[0], nil
	}
	return Filter{{Any: choices}}, nil
}

type parser struct {
	text   string
	tokens []token
	pos    int
	values int // in lists, so far
	terms  int // comparisons so far
}

func (p *parser) peek() token { return p.tokens[p.pos] }

func (p *parser) next() token {
	t := p.tokens[p.pos]
	if t.kind != end {
		p.pos++
	}
	return t
}

// invalid is the error for text that fits no rule, shown from the offset on.
func (p *parser) invalid(at int) error {
	rest := p.text[at:]
	if rest == "" {
		return fmt.Errorf("Invalid clause(s) in filter string: '%s' ends too early", p.text)
	}
	return fmt.Errorf("Invalid clause(s) in filter string: '%s'", rest)
}

func (p *parser) comparison() (Comparison, error) {
	start := p.peek()
	if start.kind == number || start.kind == singleQuoted {
		return Comparison{}, fmt.Errorf("Invalid comparison clause. Expected 'Identifier' found '%s'", start.raw)
	}
	var c Comparison
	var ok bool
	if c.Entity, c.Key, ok = p.identifier(); !ok {
		return c, p.invalid(start.at)
	}
	op := p.next()
	switch {
	case op.kind == operator:
		c.Op = Op(op.text)
	case op.keyword("LIKE"):
		c.Op = Like
	case op.keyword("ILIKE"):
		c.Op = ILike
	case op.keyword("IN"):
		c.Op = In
	case op.keyword("NOT") && p.peek().keyword("IN"):
		p.next()
		c.Op = NotIn
	case op.keyword("IS") && p.peek().keyword("NULL"):
		p.next()
		c.Op = IsNull
		return c, nil
	case op.keyword("IS") && p.peek().keyword("NOT") && p.tokens[p.pos+1].keyword("NULL"):
		p.next()
		p.next()
		c.Op = IsNotNull
		return c, nil
	default:
		return c, p.invalid(start.at)
	}
	var err error
	c.Value, err = p.value(start.at)
	if err == nil && (c.Value.Kind == List) != (c.Op == In || c.Op == NotIn) {
		err = p.invalid(start.at)
	}
	return c, err
}

// identifier reads [entity.]key. A key may itself have dots: tags.a.b is the
// tag a.b, as is tags.`a.b`.
func (p *parser) identifier() (entity, key string, ok bool) {
	first := p.next()
	if first.kind != word && first.kind != backquoted && first.kind != doubleQuoted {
		return "", "", false
	}
	if p.peek().kind != dot {
		return "", first.text, true
	}
	var parts []string
	for p.peek().kind == dot {
		p.next()
		t := p.next()
		switch t.kind {
		case word, backquoted, doubleQuoted, singleQuoted:
			parts = append(parts, t.text)
		default:
			return "", "", false
		}
	}
	return first.text, strings.Join(parts, "."), true
}

func (p *parser) value(from int) (Value, error) {
	t := p.next()
	switch t.kind {
	case number:
		return Value{Kind: Number, Text: strings.TrimPrefix(t.text, "+")}, nil
	case singleQuoted, doubleQuoted:
		return Value{Kind: String, Text: t.text}, nil
	case open:
		return p.list(from)
	case word, backquoted:
		return Value{}, fmt.Errorf("Parameter value is either not quoted or unidentified quote types used for "+
			"string value %s. Use either single or double quotes.", t.raw)
	}
	return Value{}, p.invalid(from)
}

func (p *parser) list(from int) (Value, error) {
	if p.peek().kind == shut {
		return Value{}, fmt.Errorf("While parsing a list in the query, expected a non-empty list of string values, but got empty list")
	}
	v := Value{Kind: List}
	for {
		t := p.next()
		switch t.kind {
		case singleQuoted, doubleQuoted:
			v.List = append(v.List, t.text)
			if p.values++; p.values > maxValues {
				return v, fmt.Errorf("Invalid filter: lists have more than %d values.", maxValues)
			}
		case number, word, backquoted:
			return v, fmt.Errorf("While parsing a list in the query, expected string value, punctuation, or whitespace, but got different type in list: %s", t.raw)
		default:
			return v, p.invalid(from)
		}
		switch t = p.next(); {
		case t.kind == shut:
			return v, nil
		case t.kind == comma && p.peek().kind == shut: // ('a',) is how Python writes a tuple of one
			p.next()
			return v, nil
		case t.kind != comma:
			return v, p.invalid(from)
		}
	}
}

// Ordering is one order_by clause.
type Ordering struct {
	Entity string
	Key    string
	Desc   bool
}

// ParseOrder reads an order_by clause such as "metrics.`a b` DESC".
func ParseOrder(clause string) (Ordering, error) {
	bad := fmt.Errorf("Invalid order_by clause '%s'. Could not be parsed.", clause)
	if len(clause) > maxLength {
		return Ordering{}, bad
	}
	tokens, err := lex(clause)
	if err != nil {
		return Ordering{}, bad
	}
	p := &parser{text: clause, tokens: tokens}
	var o Ordering
	var ok bool
	if o.Entity, o.Key, ok = p.identifier(); !ok {
		return o, bad
	}
	switch t := p.next(); {
	case t.kind == end:
		return o, nil
	case t.keyword("DESC"):
		o.Desc = true
	case t.kind == word && !t.keyword("ASC") && p.peek().kind == end:
		return o, fmt.Errorf("Invalid ordering key in order_by clause '%s'.", clause)
	case !t.keyword("ASC"):
		return o, bad
	}
	if p.peek().kind != end {
		return o, bad
	}
	return o, nil
}
