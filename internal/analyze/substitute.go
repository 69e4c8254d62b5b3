package analyze

import (
	"strings"

	"github.com/millpond/millpond/internal/plan"
)

// substitute replaces names of select-list aliases by what they stand for.
func substitute(e plan.Expr, list []plan.Expr, attrs []plan.Attr) plan.Expr {
	alias := map[string]plan.Expr{}
	for _, l := range list {
		if al, ok := l.(plan.AliasExpr); ok && len(al.Names) == 1 {
			alias[strings.ToLower(al.Names[0])] = al.Expr
		}
	}
	return mapExpr(e, func(e plan.Expr) (plan.Expr, bool) {
		at, ok := e.(*plan.Attribute)
		if !ok || len(at.Parts) != 1 || at.HasPlanID {
			return nil, false
		}
		if found, _ := match(attrs, at.Parts); len(found) > 0 {
			return e, true
		}
		if to, ok := alias[strings.ToLower(at.Parts[0])]; ok {
			return to, true
		}
		return e, true
	})
}

// mapExpr rewrites an unresolved expression from the top down.
func mapExpr(e plan.Expr, f func(plan.Expr) (plan.Expr, bool)) plan.Expr {
	if out, done := f(e); done {
		return out
	}
	all := func(es []plan.Expr) []plan.Expr {
		out := make([]plan.Expr, len(es))
		for i, x := range es {
			out[i] = mapExpr(x, f)
		}
		return out
	}
	switch e := e.(type) {
	case *plan.Function:
		c := *e
		c.Args = all(e.Args)
		return &c
	case plan.AliasExpr:
		e.Expr = mapExpr(e.Expr, f)
		return e
	case *plan.Cast:
		c := *e
		c.Expr = mapExpr(e.Expr, f)
		return &c
	case plan.SortOrder:
		e.Expr = mapExpr(e.Expr, f)
		return e
	case *plan.Window:
		c := *e
		c.Func, c.Partition = mapExpr(e.Func, f), all(e.Partition)
		c.Order = make([]plan.SortOrder, len(e.Order))
		for i, o := range e.Order {
			c.Order[i] = mapExpr(o, f).(plan.SortOrder)
		}
		return &c
	case *plan.Extract:
		return &plan.Extract{Child: mapExpr(e.Child, f), Key: mapExpr(e.Key, f)}
	case *plan.PythonUDF:
		c := *e
		c.Args = all(e.Args)
		return &c
	}
	return e
}

// lateral lets an item of a select list use the aliases of those before it, where no column is
// called so.
func lateral(list []plan.Expr, x *exprs) []plan.Expr {
	var out []plan.Expr
	named := false
	for _, e := range list {
		if named {
			e = lateralItem(e, out, x)
		}
		al, ok := e.(plan.AliasExpr)
		named = named || ok && len(al.Names) == 1
		out = append(out, e)
	}
	return out
}

func lateralItem(e plan.Expr, before []plan.Expr, x *exprs) plan.Expr {
	alias := map[string]plan.Expr{}
	for _, l := range before {
		if al, ok := l.(plan.AliasExpr); ok && len(al.Names) == 1 {
			alias[strings.ToLower(al.Names[0])] = al.Expr
		}
	}
	changed := false
	out := mapExpr(e, func(e plan.Expr) (plan.Expr, bool) {
		if _, lambda := e.(*plan.Lambda); lambda {
			return e, true
		}
		at, ok := e.(*plan.Attribute)
		if !ok || at.HasPlanID {
			return nil, false
		}
		to, named := alias[strings.ToLower(at.Parts[0])]
		if !named {
			return e, true
		}
		if found, _ := match(x.in.attrs, at.Parts); len(found) > 0 {
			return e, true
		}
		if _, _, err := x.in.column(at); err == nil {
			return e, true
		}
		changed = true
		for _, field := range at.Parts[1:] {
			to = &plan.Extract{Child: to, Key: plan.StringLit(field)}
		}
		return to, true
	})
	if _, named := out.(plan.AliasExpr); changed && !named {
		return plan.AliasExpr{Expr: out, Names: []string{x.nameOf(e)}}
	}
	return out
}
