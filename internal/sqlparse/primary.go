package sqlparse

import (
	"strings"

	"github.com/millpond/millpond/internal/plan"
	"github.com/millpond/millpond/internal/sparkerr"
)

func (p *parser) primary() (plan.Expr, error) {
	t := p.tok()
	switch t.kind {
	case number:
		p.next()
		return p.numberLit(t.text)
	case text:
		p.next()
		s := t.text
		for p.tok().kind == text {
			s += p.next().text
		}
		return plan.StringLit(s), nil
	case param:
		p.next()
		return &plan.Param{Name: t.text}, nil
	case symbol:
		return p.symbolPrimary(t)
	case quoted:
		return p.reference()
	case word:
		return p.wordPrimary(t)
	}
	return nil, p.unexpected()
}

func (p *parser) symbolPrimary(t token) (plan.Expr, error) {
	switch t.text {
	case "(":
		if p.isQuery(1) {
			q, err := p.parenQuery()
			return &plan.Subquery{Kind: "scalar", Query: q}, err
		}
		if l, ok, err := p.lambdaParams(); ok || err != nil {
			return l, err
		}
		items, err := p.parenItems()
		if err != nil {
			return nil, err
		}
		if len(items) == 1 {
			return items[0], nil
		}
		return plan.Call("struct", items...), nil
	case "*":
		p.next()
		except, err := p.starExcept()
		return &plan.Star{Except: except}, err
	case "?":
		p.next()
		p.marks++
		return &plan.Param{Pos: p.marks}, nil
	}
	return nil, p.unexpected()
}

func (p *parser) parenItems() ([]plan.Expr, error) { return p.parenList() }

// lambdaParams reads (x, y) -> body.
func (p *parser) lambdaParams() (plan.Expr, bool, error) {
	start := p.pos
	p.next()
	var names []string
	for p.tok().kind == word || p.tok().kind == quoted {
		names = append(names, p.next().raw)
		if !p.accept(",") {
			break
		}
	}
	if len(names) > 0 && p.accept(")") && p.accept("->") {
		body, err := p.expr()
		return &plan.Lambda{Params: names, Body: body}, true, err
	}
	p.pos = start
	return nil, false, nil
}

func (p *parser) wordPrimary(t token) (plan.Expr, error) {
	switch t.text {
	case "NULL":
		p.next()
		return plan.NullLit(), nil
	case "TRUE", "FALSE":
		p.next()
		return plan.BoolLit(t.text == "TRUE"), nil
	case "CASE":
		return p.caseExpr()
	case "CAST", "TRY_CAST":
		if p.ahead(1).text == "(" {
			return p.castExpr()
		}
	case "INTERVAL":
		if k := p.ahead(1).kind; k == text || k == number || p.ahead(1).text == "-" {
			return p.interval()
		}
	case "DATE", "TIMESTAMP", "TIMESTAMP_NTZ", "TIMESTAMP_LTZ", "X":
		if p.ahead(1).kind == text {
			return p.typedLiteral()
		}
	case "EXTRACT":
		if p.ahead(1).text == "(" {
			return p.extractExpr()
		}
	case "POSITION", "TRIM", "SUBSTRING", "SUBSTR", "OVERLAY":
		if p.ahead(1).text == "(" {
			if e, ok, err := p.keywordCall(t.text); ok || err != nil {
				return e, err
			}
		}
	case "SELECT", "FROM", "WHERE", "GROUP", "HAVING", "ORDER", "UNION", "AND", "OR", "THEN", "ELSE", "END", "WHEN", "AS", "ON":
		return nil, p.unexpected()
	}
	if p.ahead(1).text == "->" && p.ahead(1).kind == symbol {
		p.pos += 2
		body, err := p.expr()
		return &plan.Lambda{Params: []string{t.raw}, Body: body}, err
	}
	if noParens[t.text] && p.ahead(1).text != "(" {
		p.next()
		return plan.Call(strings.ToLower(t.text)), nil
	}
	return p.reference()
}

// noParens are the functions that need no parentheses.
var noParens = map[string]bool{"CURRENT_DATE": true, "CURRENT_TIMESTAMP": true, "CURRENT_USER": true, "LOCALTIMESTAMP": true}

// functionSpace are the qualifiers that functions may have.
var functionSpace = map[string]bool{"builtin": true, "session": true, "default": true}

// identifierClause reads identifier('name'), whose text is a name.
func (p *parser) identifierClause() ([]string, error) {
	p.next()
	t := p.next()
	if t.kind != text {
		return nil, sparkerr.Unsupported("identifier() of what is not a literal")
	}
	parts, err := Name(t.text)
	if err != nil {
		return nil, err
	}
	return parts, p.expect(")")
}

// starExcept reads EXCEPT (columns) after a star.
func (p *parser) starExcept() ([]string, error) {
	if !p.is("EXCEPT", "(") || p.isQuery(2) {
		return nil, nil
	}
	p.next()
	p.next()
	out, err := p.identifiers()
	if err != nil {
		return nil, err
	}
	return out, p.expect(")")
}

// reference reads a name, a call, or t.*.
func (p *parser) reference() (plan.Expr, error) {
	parts := []string{p.next().raw}
	for p.is(".") {
		if k := p.ahead(1); k.kind == word || k.kind == quoted {
			p.next()
			parts = append(parts, p.next().raw)
			continue
		}
		if p.ahead(1).text == "*" {
			p.pos += 2
			except, err := p.starExcept()
			return &plan.Star{Target: parts, Except: except}, err
		}
		break
	}
	if p.is("(") && len(parts) == 1 && strings.EqualFold(parts[0], "identifier") {
		named, err := p.identifierClause()
		return &plan.Attribute{Parts: named}, err
	}
	if p.is("(") {
		name := parts[len(parts)-1]
		if n := len(parts); n > 1 && !functionSpace[strings.ToLower(parts[n-2])] {
			name = strings.Join(parts, ".")
		}
		return p.call(name)
	}
	return &plan.Attribute{Parts: parts}, nil
}
