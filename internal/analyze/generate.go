package analyze

import (
	"strings"

	"github.com/millpond/millpond/internal/function"
	"github.com/millpond/millpond/internal/plan"
	"github.com/millpond/millpond/internal/sparkerr"
	"github.com/millpond/millpond/internal/types"
)

func isGenerator(v plan.Value, t *function.Table) bool {
	a, ok := v.(*plan.Apply)
	if !ok {
		return false
	}
	row, ok := t.Lookup(a.Func)
	return ok && row.Kind == function.Generator
}

// generate takes a generator out of a select list: its columns come from an Unnest below.
func (a *Analyzer) generate(n plan.Node, items []item) (plan.Node, []item, error) {
	var out []item
	found := false
	for _, it := range items {
		if !isGenerator(it.value, a.funcs) {
			out = append(out, it)
			continue
		}
		if found {
			return nil, nil, sparkerr.Plain(sparkerr.ClassExtendedAnalysis, "[UNSUPPORTED_GENERATOR.MULTI_GENERATOR] The generator is not supported: only one generator allowed per SELECT clause. SQLSTATE: 42K0E")
		}
		found = true
		unnest, err := a.unnest(n, it.value.(*plan.Apply), it.names)
		if err != nil {
			return nil, nil, err
		}
		n = unnest
		for _, at := range unnest.Cols {
			at := at
			out = append(out, item{value: plan.Col{Attr: at}, name: at.Name, keep: &at})
		}
	}
	return n, out, nil
}

// unnest makes the node of a generator call; names replace the columns' own.
func (a *Analyzer) unnest(n plan.Node, g *plan.Apply, names []string) (*plan.Unnest, error) {
	list, ok := g.Out.(types.Array)
	if !ok {
		return nil, sparkerr.Unsupported("the generator %s of %s", g.Func, g.Out.SimpleString())
	}
	u := &plan.Unnest{Input: n, Outer: strings.HasSuffix(g.Func, "_outer"), List: g.Args[0]}
	made := g.Func == "json_tuple" || g.Func == "stack" // the call itself makes the list
	if made {
		u.List = g
	}
	if strings.HasPrefix(g.Func, "posexplode") {
		u.Pos = true
		u.Cols = append(u.Cols, a.attr("pos", types.Int, u.Outer))
	}
	s, isStruct := list.Elem.(types.Struct)
	_, isMap := g.Args[0].Type().(types.Map)
	if isStruct && (strings.HasPrefix(g.Func, "inline") || isMap || made) {
		u.Width = len(s.Fields)
		for _, f := range s.Fields {
			u.Cols = append(u.Cols, a.attr(f.Name, f.Type, f.Nullable || u.Outer))
		}
	} else {
		u.Cols = append(u.Cols, a.attr("col", list.Elem, list.ContainsNull || u.Outer))
	}
	if isMap {
		m := g.Args[0]
		u.List = &plan.Apply{Func: "map_entries", Args: []plan.Value{m}, Out: list, Null: true, SQL: func(s []string) string { return "map_entries(" + s[0] + ")" }}
	}
	if len(names) > 0 {
		if len(names) != len(u.Cols) {
			return nil, sparkerr.Plain(sparkerr.ClassAnalysis, "[UDTF_ALIAS_NUMBER_MISMATCH] The number of aliases supplied in the AS clause does not match the number of columns output by the UDTF. Expected %d aliases, but got %s. SQLSTATE: 42802", len(u.Cols), strings.Join(names, ","))
		}
		for i := range u.Cols {
			u.Cols[i].Name = names[i]
		}
	}
	return u, nil
}
