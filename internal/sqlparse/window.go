package sqlparse

import (
	"strings"

	"github.com/millpond/millpond/internal/plan"
)

func (p *parser) over(f plan.Expr) (plan.Expr, error) {
	if t := p.tok(); t.kind == word || t.kind == quoted {
		p.next()
		return &plan.Window{Func: f, Name: strings.ToLower(t.raw)}, nil
	}
	w, err := p.windowSpec()
	if err != nil {
		return nil, err
	}
	w.Func = f
	return w, nil
}

func (p *parser) windowSpec() (*plan.Window, error) {
	w := &plan.Window{}
	if err := p.expect("("); err != nil {
		return nil, err
	}
	var err error
	if p.accept("PARTITION", "BY") || p.accept("DISTRIBUTE", "BY") {
		if w.Partition, err = p.exprList(); err != nil {
			return nil, err
		}
	}
	if p.accept("ORDER", "BY") || p.accept("SORT", "BY") {
		if w.Order, err = p.sortItems(); err != nil {
			return nil, err
		}
	}
	if p.is("ROWS") || p.is("RANGE") {
		if w.Frame, err = p.frame(); err != nil {
			return nil, err
		}
	}
	return w, p.expect(")")
}

func (p *parser) frame() (*plan.Frame, error) {
	f := &plan.Frame{Rows: p.next().text == "ROWS"}
	var err error
	if p.accept("BETWEEN") {
		if f.Lower, err = p.bound(); err != nil {
			return nil, err
		}
		if err := p.expect("AND"); err != nil {
			return nil, err
		}
		f.Upper, err = p.bound()
		return f, err
	}
	f.Lower, err = p.bound()
	return f, err
}

func (p *parser) bound() (plan.Bound, error) {
	switch {
	case p.accept("UNBOUNDED", "PRECEDING"), p.accept("UNBOUNDED", "FOLLOWING"):
		return plan.Bound{Unbounded: true}, nil
	case p.accept("CURRENT", "ROW"):
		return plan.Bound{}, nil
	}
	e, err := p.binary(predicate + 1)
	if err != nil {
		return plan.Bound{}, err
	}
	if p.accept("PRECEDING") {
		return plan.Bound{Offset: plan.Call("negative", e)}, nil
	}
	return plan.Bound{Offset: e}, p.expect("FOLLOWING")
}

func (p *parser) sortItems() ([]plan.SortOrder, error) {
	var out []plan.SortOrder
	for {
		o := plan.SortOrder{}
		if len(out) == 0 && p.orderAll() {
			o.Expr = &plan.Star{}
		} else {
			e, err := p.expr()
			if err != nil {
				return nil, err
			}
			o.Expr = e
		}
		if p.accept("DESC") {
			o.Desc = true
		} else {
			p.accept("ASC")
		}
		o.NullsFirst = !o.Desc
		if p.accept("NULLS", "FIRST") {
			o.NullsFirst = true
		} else if p.accept("NULLS", "LAST") {
			o.NullsFirst = false
		}
		out = append(out, o)
		if !p.accept(",") {
			return out, nil
		}
	}
}

// orderAll takes the word of ORDER BY ALL, which may be a column's name too.
func (p *parser) orderAll() bool {
	if next := p.ahead(1); p.is("ALL") && (next.kind == end || next.text == "ASC" || next.text == "DESC" || next.text == "NULLS" || next.text == ")" || clause[next.text]) {
		p.next()
		return true
	}
	return false
}
