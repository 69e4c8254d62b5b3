package sqlparse

import (
	"strings"

	"github.com/millpond/millpond/internal/plan"
	"github.com/millpond/millpond/internal/sparkerr"
)

// Expression reads one expression.
func Expression(src string) (plan.Expr, error) {
	p, err := newParser(src)
	if err != nil {
		return nil, err
	}
	e, err := p.expr()
	if err != nil {
		return nil, err
	}
	if p.tok().kind != end {
		return nil, p.unexpected()
	}
	return e, nil
}

// SelectItem reads one item of a select list: *, t.*, or an expression with an alias.
func SelectItem(src string) (plan.Expr, error) {
	p, err := newParser(src)
	if err != nil {
		return nil, err
	}
	e, err := p.selectItem()
	if err != nil {
		return nil, err
	}
	if p.tok().kind != end {
		return nil, p.unexpected()
	}
	return e, nil
}

// Name reads a dotted name; a part in backquotes may hold anything.
func Name(src string) ([]string, error) {
	p, err := newParser(src)
	if err != nil {
		return nil, err
	}
	parts, err := p.name()
	if err != nil {
		return nil, err
	}
	if p.tok().kind != end {
		return nil, p.unexpected()
	}
	return parts, nil
}

// binding powers, loosest first: https://spark.apache.org/docs/latest/sql-ref-operators.html
var infix = map[string]int{
	"OR": 1, "AND": 2,
	"=": 4, "==": 4, "<>": 4, "!=": 4, "<": 4, "<=": 4, ">": 4, ">=": 4, "<=>": 4,
	"|": 5, "^": 6, "&": 7, "<<": 8, ">>": 8, ">>>": 8, "+": 9, "-": 9, "||": 9, "*": 10, "/": 10, "%": 10, "DIV": 10,
}

const predicate = 4

func (p *parser) expr() (plan.Expr, error) { return p.binary(0) }

func (p *parser) binary(least int) (plan.Expr, error) {
	if err := p.enter(); err != nil {
		return nil, err
	}
	defer p.leave()
	first := p.pos
	left, err := p.prefix()
	if err != nil {
		return nil, err
	}
	for {
		p.placed(left, first)
		t := p.tok()
		if least <= predicate {
			if out, ok, err := p.predicate(left); err != nil {
				return nil, err
			} else if ok {
				left = out
				continue
			}
		}
		power, ok := infix[t.text]
		if !ok || t.kind != word && t.kind != symbol || power < least || power == 0 {
			return left, nil
		}
		p.next()
		right, err := p.binary(power + 1)
		if err != nil {
			return nil, err
		}
		left = plan.Call(strings.ToLower(t.text), left, right)
	}
}

func (p *parser) prefix() (plan.Expr, error) {
	first := p.pos
	switch {
	case p.is("NOT") || p.is("!"):
		p.next()
		e, err := p.binary(3)
		return plan.Call("not", e), err
	case p.accept("-"):
		if t := p.tok(); t.kind == number {
			p.next()
			l, err := p.numberLit("-" + t.text)
			if err != nil {
				return nil, err
			}
			return p.postfix(l, first)
		}
		e, err := p.binary(11)
		return plan.Call("-", e), err
	case p.accept("+"):
		e, err := p.binary(11)
		return plan.Call("positive", e), err
	case p.accept("~"):
		e, err := p.binary(11)
		return plan.Call("~", e), err
	case p.is("EXISTS", "(") && p.isQuery(2):
		p.next()
		q, err := p.parenQuery()
		return &plan.Subquery{Kind: "exists", Query: q}, err
	}
	e, err := p.primary()
	if err != nil {
		return nil, err
	}
	p.placed(e, first)
	return p.postfix(e, first)
}

// postfix reads what may follow a primary: .field, [index], ::type.
func (p *parser) postfix(e plan.Expr, first int) (plan.Expr, error) {
	for {
		p.placed(e, first)
		switch {
		case p.accept("["):
			k, err := p.expr()
			if err != nil {
				return nil, err
			}
			if err := p.expect("]"); err != nil {
				return nil, err
			}
			e = &plan.Extract{Child: e, Key: k}
		case p.is(".") && (p.ahead(1).kind == word || p.ahead(1).kind == quoted):
			p.next()
			e = &plan.Extract{Child: e, Key: plan.StringLit(p.next().raw)}
		case p.accept("::"):
			t, err := p.dataType()
			if err != nil {
				return nil, err
			}
			e = &plan.Cast{Expr: e, Type: t}
		default:
			return e, nil
		}
	}
}

// predicate reads IS, IN, BETWEEN, LIKE and their kin after left.
func (p *parser) predicate(left plan.Expr) (plan.Expr, bool, error) {
	start := p.pos
	if p.accept("IS") {
		return p.isPredicate(left)
	}
	not := p.accept("NOT")
	wrap := func(e plan.Expr, err error) (plan.Expr, bool, error) {
		if not && err == nil {
			e = plan.Call("not", e)
		}
		return e, true, err
	}
	switch {
	case p.accept("IN"):
		return wrap(p.inList(left))
	case p.accept("BETWEEN"):
		low, err := p.binary(predicate + 1)
		if err != nil {
			return nil, false, err
		}
		if err := p.expect("AND"); err != nil {
			return nil, false, err
		}
		high, err := p.binary(predicate + 1)
		return wrap(plan.Call("between", left, low, high), err)
	case p.is("LIKE") || p.is("ILIKE"):
		name := strings.ToLower(p.next().text)
		if some := p.is("ANY", "(") || p.is("SOME", "("); some || p.is("ALL", "(") {
			p.next()
			list, err := p.parenList()
			if err != nil {
				return nil, false, err
			}
			e := likeMany(name, some, not, left, list)
			return e, true, nil
		}
		pattern, err := p.binary(predicate + 1)
		if err != nil {
			return nil, false, err
		}
		args := []plan.Expr{left, pattern}
		if p.accept("ESCAPE") {
			escape := p.next().text
			if len([]rune(escape)) != 1 {
				return nil, false, sparkerr.New(sparkerr.ClassParse, "INVALID_ESC", "invalidEscape", "'"+escape+"'")
			}
			args = append(args, plan.StringLit(escape))
		}
		return wrap(plan.Call(name, args...), nil)
	case p.is("RLIKE") || p.is("REGEXP"):
		p.next()
		pattern, err := p.binary(predicate + 1)
		return wrap(plan.Call("rlike", left, pattern), err)
	}
	p.pos = start
	return nil, false, nil
}

// likeMany is LIKE ANY or ALL; NOT goes to each pattern.
func likeMany(name string, some, not bool, left plan.Expr, patterns []plan.Expr) plan.Expr {
	var out plan.Expr
	for _, pattern := range patterns {
		var one plan.Expr = plan.Call(name, left, pattern)
		if not {
			one = plan.Call("not", one)
		}
		switch {
		case out == nil:
			out = one
		case some:
			out = plan.Call("or", out, one)
		default:
			out = plan.Call("and", out, one)
		}
	}
	return out
}

func (p *parser) isPredicate(left plan.Expr) (plan.Expr, bool, error) {
	not := p.accept("NOT")
	var e plan.Expr
	switch {
	case p.accept("NULL"):
		if not {
			return plan.Call("isnotnull", left), true, nil
		}
		return plan.Call("isnull", left), true, nil
	case p.accept("TRUE"):
		e = plan.Call("istrue", left)
	case p.accept("FALSE"):
		e = plan.Call("isfalse", left)
	case p.accept("DISTINCT"):
		if err := p.expect("FROM"); err != nil {
			return nil, false, err
		}
		right, err := p.binary(predicate + 1)
		if err != nil {
			return nil, false, err
		}
		e = plan.Call("<=>", left, right)
		not = !not
	default:
		return nil, false, p.unexpected()
	}
	if not {
		e = plan.Call("not", e)
	}
	return e, true, nil
}

func (p *parser) inList(left plan.Expr) (plan.Expr, error) {
	if p.is("(") && p.isQuery(1) {
		q, err := p.parenQuery()
		return &plan.Subquery{Kind: "in", Query: q, Values: []plan.Expr{left}}, err
	}
	items, err := p.parenList()
	if err != nil {
		return nil, err
	}
	return plan.Call("in", append([]plan.Expr{left}, items...)...), nil
}

func (p *parser) parenList() ([]plan.Expr, error) {
	if err := p.expect("("); err != nil {
		return nil, err
	}
	list, err := p.exprList()
	if err != nil {
		return nil, err
	}
	return list, p.expect(")")
}

func (p *parser) exprList() ([]plan.Expr, error) {
	var out []plan.Expr
	for {
		e, err := p.expr()
		if err != nil {
			return nil, err
		}
		out = append(out, e)
		if !p.accept(",") {
			return out, nil
		}
	}
}

// keywordCall reads substring(x FROM a FOR b), trim(BOTH x FROM y), position(a IN b).
func (p *parser) keywordCall(name string) (plan.Expr, bool, error) {
	start := p.pos
	p.pos += 2
	give := func(e plan.Expr, err error) (plan.Expr, bool, error) {
		if err == nil {
			err = p.expect(")")
		}
		return e, true, err
	}
	if name == "TRIM" {
		f := "trim"
		switch {
		case p.accept("LEADING"):
			f = "ltrim"
		case p.accept("TRAILING"):
			f = "rtrim"
		case p.accept("BOTH"):
		default:
			return p.trimFrom(start)
		}
		var args []plan.Expr
		if !p.is("FROM") {
			what, err := p.expr()
			if err != nil {
				return nil, true, err
			}
			args = append(args, what)
		}
		if err := p.expect("FROM"); err != nil {
			return nil, true, err
		}
		s, err := p.expr()
		return give(plan.Call(f, append(args, s)...), err)
	}
	first, err := p.binary(predicate + 1)
	if err != nil {
		p.pos = start
		return nil, false, nil
	}
	switch {
	case name == "POSITION" && p.accept("IN"):
		in, err := p.expr()
		return give(plan.Call("locate", first, in), err)
	case name == "OVERLAY" && p.accept("PLACING"):
		return p.overlay(first)
	case strings.HasPrefix(name, "SUBST") && p.accept("FROM"):
		from, err := p.expr()
		if err != nil {
			return nil, true, err
		}
		args := []plan.Expr{first, from}
		if p.accept("FOR") {
			n, err := p.expr()
			if err != nil {
				return nil, true, err
			}
			args = append(args, n)
		}
		return give(plan.Call("substring", args...), nil)
	}
	p.pos = start
	return nil, false, nil
}

// trimFrom reads trim(what FROM text), whose parenthesis is open; start is where the call began.
func (p *parser) trimFrom(start int) (plan.Expr, bool, error) {
	what, err := p.binary(predicate + 1)
	if err != nil || !p.accept("FROM") {
		p.pos = start
		return nil, false, nil
	}
	s, err := p.expr()
	if err != nil {
		return nil, true, err
	}
	return plan.Call("trim", what, s), true, p.expect(")")
}

// overlay reads the rest of overlay(text PLACING other FROM place [FOR length]).
func (p *parser) overlay(in plan.Expr) (plan.Expr, bool, error) {
	with, err := p.expr()
	if err != nil {
		return nil, true, err
	}
	if err := p.expect("FROM"); err != nil {
		return nil, true, err
	}
	from, err := p.expr()
	if err != nil {
		return nil, true, err
	}
	args := []plan.Expr{in, with, from}
	if p.accept("FOR") {
		n, err := p.expr()
		if err != nil {
			return nil, true, err
		}
		args = append(args, n)
	}
	return plan.Call("overlay", args...), true, p.expect(")")
}
