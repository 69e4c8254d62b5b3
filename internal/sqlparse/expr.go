package sqlparse

import (
	"strings"

	"github.com/millpond/millpond/internal/plan"
	"github.com/millpond/millpond/internal/sparkerr"
	"github.com/millpond/millpond/internal/types"
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
	"|": 5, "^": 6, "&": 7, "<<": 8, ">>": 8, "+": 9, "-": 9, "||": 9, "*": 10, "/": 10, "%": 10, "DIV": 10,
}

const predicate = 4

func (p *parser) expr() (plan.Expr, error) { return p.binary(0) }

func (p *parser) binary(least int) (plan.Expr, error) {
	if err := p.enter(); err != nil {
		return nil, err
	}
	defer p.leave()
	left, err := p.prefix()
	if err != nil {
		return nil, err
	}
	for {
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
			return p.postfix(l)
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
	return p.postfix(e)
}

// postfix reads what may follow a primary: .field, [index], ::type.
func (p *parser) postfix(e plan.Expr) (plan.Expr, error) {
	for {
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
		pattern, err := p.binary(predicate + 1)
		if err != nil {
			return nil, false, err
		}
		args := []plan.Expr{left, pattern}
		if p.accept("ESCAPE") {
			args = append(args, plan.StringLit(p.next().text))
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
		return &plan.Star{}, nil
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
			return &plan.Star{Target: parts}, nil
		}
		break
	}
	if p.is("(") {
		return p.call(parts[len(parts)-1])
	}
	return &plan.Attribute{Parts: parts}, nil
}

func (p *parser) call(name string) (plan.Expr, error) {
	p.next()
	f := &plan.Function{Name: name}
	f.Distinct = p.accept("DISTINCT")
	if !f.Distinct {
		p.accept("ALL")
	}
	for !p.is(")") {
		if p.tok().kind == word && p.ahead(1).text == "=>" {
			key := p.next().raw
			p.next()
			v, err := p.expr()
			if err != nil {
				return nil, err
			}
			f.Args = append(f.Args, &plan.NamedArg{Key: key, Value: v})
		} else {
			e, err := p.expr()
			if err != nil {
				return nil, err
			}
			f.Args = append(f.Args, e)
		}
		if !p.accept(",") {
			break
		}
	}
	if p.accept("IGNORE", "NULLS") {
		f.Args = append(f.Args, plan.BoolLit(true))
	}
	if err := p.expect(")"); err != nil {
		return nil, err
	}
	return p.afterCall(f)
}

// afterCall reads FILTER, IGNORE NULLS and OVER.
func (p *parser) afterCall(f *plan.Function) (plan.Expr, error) {
	if p.accept("WITHIN", "GROUP", "(", "ORDER", "BY") {
		if err := p.withinGroup(f); err != nil {
			return nil, err
		}
	}
	if p.accept("FILTER", "(", "WHERE") {
		e, err := p.expr()
		if err != nil {
			return nil, err
		}
		f.Filter = e
		if err := p.expect(")"); err != nil {
			return nil, err
		}
	}
	if p.accept("IGNORE", "NULLS") {
		f.Args = append(f.Args, plan.BoolLit(true))
	}
	p.accept("RESPECT", "NULLS")
	var out plan.Expr = f
	switch strings.ToLower(f.Name) {
	case "if", "iff":
		f.Name = "if"
	case "struct", "named_struct", "array", "map":
		f.Name = strings.ToLower(f.Name)
	}
	if t, ok := castFunctions[strings.ToLower(f.Name)]; ok && len(f.Args) == 1 {
		out = &plan.Cast{Expr: f.Args[0], Type: t, Mode: "function"}
	}
	if p.accept("OVER") {
		return p.over(out)
	}
	return out, nil
}

// withinGroup reads what an aggregate orders its rows by; percentiles and modes are of that.
func (p *parser) withinGroup(f *plan.Function) error {
	orders, err := p.sortItems()
	if err != nil {
		return err
	}
	switch strings.ToLower(f.Name) {
	case "percentile_cont", "percentile_disc":
		if len(f.Args) != 1 || len(orders) != 1 {
			return p.unexpected()
		}
		if orders[0].Desc {
			if strings.EqualFold(f.Name, "percentile_disc") {
				return sparkerr.Unsupported("percentile_disc in descending order")
			}
			f.Args[0] = plan.Call("-", plan.DoubleLit(1), f.Args[0])
		}
		f.Args = []plan.Expr{orders[0].Expr, f.Args[0]}
	case "mode":
		if len(orders) != 1 {
			return p.unexpected()
		}
		f.Args = []plan.Expr{orders[0].Expr}
	default:
		f.Order = orders
	}
	return p.expect(")")
}

// castFunctions are types used as functions: int(x), double(x).
var castFunctions = map[string]types.Type{"int": types.Int, "bigint": types.Long, "smallint": types.Short, "tinyint": types.Byte,
	"double": types.Double, "float": types.Float, "string": types.String, "boolean": types.Boolean, "binary": types.Binary,
	"date": types.Date, "timestamp": types.Timestamp, "decimal": types.Decimal{Precision: 10}}

func (p *parser) caseExpr() (plan.Expr, error) {
	p.next()
	var subject plan.Expr
	var err error
	if !p.is("WHEN") {
		if subject, err = p.expr(); err != nil {
			return nil, err
		}
	}
	f := &plan.Function{Name: "when"}
	for p.accept("WHEN") {
		c, err := p.expr()
		if err != nil {
			return nil, err
		}
		if subject != nil {
			c = plan.Call("=", subject, c)
		}
		if err := p.expect("THEN"); err != nil {
			return nil, err
		}
		v, err := p.expr()
		if err != nil {
			return nil, err
		}
		f.Args = append(f.Args, c, v)
	}
	if len(f.Args) == 0 {
		return nil, p.unexpected()
	}
	if p.accept("ELSE") {
		v, err := p.expr()
		if err != nil {
			return nil, err
		}
		f.Args = append(f.Args, v)
	}
	return f, p.expect("END")
}

func (p *parser) castExpr() (plan.Expr, error) {
	mode := ""
	if p.next().text == "TRY_CAST" {
		mode = "try"
	}
	p.next()
	e, err := p.expr()
	if err != nil {
		return nil, err
	}
	if err := p.expect("AS"); err != nil {
		return nil, err
	}
	t, err := p.dataType()
	if err != nil {
		return nil, err
	}
	return &plan.Cast{Expr: e, Type: t, Mode: mode}, p.expect(")")
}

// dataType takes the tokens of a type and reads them as DDL.
func (p *parser) dataType() (types.Type, error) {
	start := p.tok().start
	first := p.next()
	if first.kind != word {
		p.pos--
		return nil, p.unexpected()
	}
	depth := 0
	for {
		t := p.tok()
		switch {
		case t.text == "(" || t.text == "<":
			depth++
		case t.text == ")" || t.text == ">":
			depth--
		case t.text == ">>":
			depth -= 2
		case depth == 0 && first.text == "INTERVAL" && (t.text == "TO" || intervalUnits[strings.TrimSuffix(t.text, "S")] != ""):
		case depth == 0:
			return p.typeText(start, t)
		}
		if depth < 0 || t.kind == end {
			return p.typeText(start, t)
		}
		p.next()
	}
}

func (p *parser) typeText(start int, stop token) (types.Type, error) {
	src := strings.TrimSpace(p.src[start:stop.start])
	t, err := types.ParseType(src)
	if err != nil {
		return nil, sparkerr.New(sparkerr.ClassParse, "UNSUPPORTED_DATATYPE", "typeName", `"`+strings.ToUpper(src)+`"`)
	}
	return t, nil
}

func (p *parser) extractExpr() (plan.Expr, error) {
	p.pos += 2
	unit := p.next()
	if err := p.expect("FROM"); err != nil {
		return nil, err
	}
	e, err := p.expr()
	if err != nil {
		return nil, err
	}
	return plan.Call("extract", plan.StringLit(unit.raw), e), p.expect(")")
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
			p.pos = start
			return nil, false, nil
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
