package sqlparse

import (
	"math/rand/v2"
	"strconv"
	"strings"

	"github.com/millpond/millpond/internal/plan"
	"github.com/millpond/millpond/internal/sparkerr"
)

// pivoted reads PIVOT, UNPIVOT and TABLESAMPLE after a relation; ok is false if none is there.
func (p *parser) pivoted(r plan.Relation) (out plan.Relation, ok bool, err error) {
	switch {
	case p.accept("PIVOT", "("):
		out, err = p.pivot(r)
	case p.is("UNPIVOT"):
		p.next()
		out, err = p.unpivot(r)
	case p.is("TABLESAMPLE"):
		if _, function := r.(*plan.TableFunction); function {
			return nil, false, p.unexpected()
		}
		p.next()
		out, err = p.tableSample(r)
	default:
		return r, false, nil
	}
	return out, true, err
}

// pivot reads PIVOT ( aggregates FOR column IN (values) ).
func (p *parser) pivot(r plan.Relation) (plan.Relation, error) {
	a := &plan.Aggregate{Input: r, Kind: "pivot", SQL: true}
	var err error
	if a.Aggs, err = p.aliasedList("FOR"); err != nil {
		return nil, err
	}
	if err := p.expect("FOR"); err != nil {
		return nil, err
	}
	if p.is("(") {
		list, err := p.parenList()
		if err != nil {
			return nil, err
		}
		a.PivotCol = plan.Call("struct", list...)
		if len(list) == 1 {
			a.PivotCol = list[0]
		}
	} else if a.PivotCol, err = p.reference(); err != nil {
		return nil, err
	}
	if err := p.expect("IN"); err != nil {
		return nil, err
	}
	if err := p.expect("("); err != nil {
		return nil, err
	}
	if a.PivotValues, err = p.aliasedList(")"); err != nil {
		return nil, err
	}
	if err := p.expect(")"); err != nil {
		return nil, err
	}
	return a, p.expect(")")
}

// aliasedList reads expressions with or without a name, up to a word.
func (p *parser) aliasedList(stop string) ([]plan.Expr, error) {
	var out []plan.Expr
	for {
		e, err := p.expr()
		if err != nil {
			return nil, err
		}
		named := p.accept("AS")
		if t := p.tok(); named || (t.kind == word || t.kind == quoted) && !p.is(stop) {
			n, err := p.identifier()
			if err != nil {
				return nil, err
			}
			e = plan.AliasExpr{Expr: e, Names: []string{n}}
		}
		out = append(out, e)
		if !p.accept(",") {
			return out, nil
		}
	}
}

// unpivot reads UNPIVOT [INCLUDE|EXCLUDE NULLS] ( value FOR name IN (columns) ), one value a row or several.
func (p *parser) unpivot(r plan.Relation) (plan.Relation, error) {
	u := &plan.Unpivot{Input: r, HasValues: true, DropNulls: true, Rest: true}
	if p.accept("INCLUDE", "NULLS") {
		u.DropNulls = false
	}
	p.accept("EXCLUDE", "NULLS")
	if err := p.expect("("); err != nil {
		return nil, err
	}
	var err error
	if p.is("(") {
		p.pos++ // usingNames steps back
		if _, u.ValueNames, err = p.usingNames(); err != nil {
			return nil, err
		}
	} else {
		n, err := p.identifier()
		if err != nil {
			return nil, err
		}
		u.ValueNames = []string{n}
	}
	if err := p.expect("FOR"); err != nil {
		return nil, err
	}
	if u.Variable, err = p.identifier(); err != nil {
		return nil, err
	}
	if err := p.expect("IN"); err != nil {
		return nil, err
	}
	if err := p.expect("("); err != nil {
		return nil, err
	}
	items, err := p.aliasedList(")")
	if err != nil {
		return nil, err
	}
	for _, it := range items {
		label := ""
		if al, ok := it.(plan.AliasExpr); ok {
			label, it = al.Names[0], al.Expr
		}
		group := []plan.Expr{it}
		if f, ok := it.(*plan.Function); ok && f.Name == "struct" {
			group = f.Args
		}
		if label == "" {
			label = columnLabel(group)
		}
		u.Groups, u.Labels = append(u.Groups, group), append(u.Labels, label)
	}
	if err := p.expect(")"); err != nil {
		return nil, err
	}
	return u, p.expect(")")
}

func columnLabel(group []plan.Expr) string {
	parts := make([]string, len(group))
	for i, e := range group {
		if at, ok := e.(*plan.Attribute); ok {
			parts[i] = at.Parts[len(at.Parts)-1]
		}
	}
	return strings.Join(parts, "_")
}

// tableSample reads TABLESAMPLE ( n ROWS | x PERCENT | BUCKET x OUT OF y ) [REPEATABLE (seed)].
func (p *parser) tableSample(r plan.Relation) (plan.Relation, error) {
	p.accept("SYSTEM")
	p.accept("BERNOULLI")
	if err := p.expect("("); err != nil {
		return nil, err
	}
	s := &plan.Sample{Input: r, Seed: rand.Int64()}
	if p.accept("BUCKET") {
		x, ok1 := p.plainNumber()
		if err := p.expect("OUT"); err != nil {
			return nil, err
		}
		if err := p.expect("OF"); err != nil {
			return nil, err
		}
		y, ok2 := p.plainNumber()
		if !ok1 || !ok2 || y == 0 {
			return nil, p.unexpected()
		}
		s.Upper = x / y
	} else {
		rows := p.pos
		n, ok := p.plainNumber()
		switch {
		case p.accept("PERCENT") && ok:
			s.Upper = n / 100
		default:
			p.pos = rows
			e, err := p.expr()
			if err != nil {
				return nil, err
			}
			if err := p.expect("ROWS"); err != nil {
				return nil, err
			}
			return &plan.Limit{Input: r, N: e}, p.expect(")")
		}
	}
	if s.Upper < 0 || s.Upper > 1 {
		return nil, sparkerr.Plain(sparkerr.ClassParse, "Sampling fraction (%v) must be on interval [0, 1]", s.Upper)
	}
	if err := p.expect(")"); err != nil {
		return nil, err
	}
	if p.accept("REPEATABLE", "(") {
		n, ok := p.plainNumber()
		if !ok {
			return nil, p.unexpected()
		}
		s.Seed = int64(n)
		return s, p.expect(")")
	}
	return s, nil
}

// plainNumber takes a number, negated perhaps.
func (p *parser) plainNumber() (float64, bool) {
	sign := 1.0
	if p.accept("-") {
		sign = -1
	}
	if p.tok().kind != number {
		return 0, false
	}
	n, err := strconv.ParseFloat(p.next().text, 64)
	return sign * n, err == nil
}
