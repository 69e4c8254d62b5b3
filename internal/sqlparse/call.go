package sqlparse

import (
	"strings"

	"github.com/millpond/millpond/internal/plan"
	"github.com/millpond/millpond/internal/sparkerr"
	"github.com/millpond/millpond/internal/types"
)

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
	if name, ok := unitFunctions[strings.ToLower(f.Name)]; ok && len(f.Args) == 3 {
		if unit, ok := f.Args[0].(*plan.Attribute); ok && len(unit.Parts) == 1 {
			f.Name, f.Args[0] = name, plan.StringLit(unit.Parts[0])
		}
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

// unitFunctions take a unit, written as a name, before two other arguments.
var unitFunctions = map[string]string{"timestampdiff": "timestampdiff", "datediff": "timestampdiff", "date_diff": "timestampdiff",
	"timestampadd": "timestampadd", "dateadd": "timestampadd", "date_add": "timestampadd"}

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
