package analyze

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/millpond/millpond/internal/function"
	"github.com/millpond/millpond/internal/plan"
	"github.com/millpond/millpond/internal/sparkerr"
	"github.com/millpond/millpond/internal/types"
)

// unpivot makes a row of each value column, or of each group of them.
func (a *Analyzer) unpivot(ctx context.Context, r *plan.Unpivot) (*rel, error) {
	in, err := a.resolve(ctx, r.Input, nil)
	if err != nil {
		return nil, err
	}
	x := a.over(ctx, in)
	ids, err := x.list(r.Ids)
	if err != nil {
		return nil, err
	}
	groups, labels, err := x.unpivotGroups(r, ids)
	if err != nil {
		return nil, err
	}
	if r.Rest {
		ids = rest(in.attrs, groups)
	}
	names := r.ValueNames
	if len(names) == 0 {
		names = []string{r.ValueName}
	}
	if len(groups) == 0 {
		return nil, sparkerr.Analysis("UNPIVOT_REQUIRES_VALUE_COLUMNS")
	}
	elem := types.Struct{Fields: []types.Field{{Name: r.Variable, Type: types.String}}}
	var cells []plan.Value // row by row
	for k, name := range names {
		var column []plan.Value
		nullable := false
		for _, g := range groups {
			if len(g) != len(names) {
				return nil, sparkerr.Analysis("UNPIVOT_VALUE_SIZE_MISMATCH", "names", itoa(len(names)))
			}
			column = append(column, g[k].value)
			nullable = nullable || g[k].value.Nullable()
		}
		t, err := function.CommonType("unpivot", column)
		if err != nil || mixed(column) {
			return nil, sparkerr.Analysis("UNPIVOT_VALUE_DATA_TYPE_MISMATCH", "types", typesOf(groups, k))
		}
		cells = append(cells, function.AllAs(column, t)...)
		elem.Fields = append(elem.Fields, types.Field{Name: name, Type: t, Nullable: nullable})
	}
	list := &plan.Apply{Func: "unpivot", Args: cells, Out: types.Array{Elem: elem}, SQL: func(s []string) string {
		rows := make([]string, len(groups))
		for i := range rows {
			rows[i] = "struct_pack(f0 := " + function.Quote(labels[i])
			for k := range names {
				rows[i] += fmt.Sprintf(", f%d := %s", k+1, s[k*len(groups)+i])
			}
			rows[i] += ")"
		}
		return "[" + strings.Join(rows, ", ") + "]"
	}}
	u := &plan.Unnest{Input: in.n, List: list, Width: len(elem.Fields), Cols: a.attrs(elem)}
	var n plan.Node = u
	if r.DropNulls {
		n = &plan.Where{Input: u, Cond: anyNotNull(u.Cols[1:])}
	}
	named := make([]plan.Named, 0, len(ids)+len(u.Cols))
	for _, id := range ids {
		at := a.attr(id.name, id.value.Type(), id.value.Nullable())
		named = append(named, plan.Named{Attr: at, Value: id.value})
	}
	for _, c := range u.Cols {
		named = append(named, plan.Named{Attr: c, Value: plan.Col{Attr: c}})
	}
	return relOf(&plan.Select{Input: n, Exprs: named}, in), nil
}

// unpivotGroups are the value columns with their labels: those named, or all that are no ids.
func (x *exprs) unpivotGroups(r *plan.Unpivot, ids []item) ([][]item, []string, error) {
	var groups [][]item
	labels := r.Labels
	for _, g := range r.Groups {
		items, err := x.list(g)
		if err != nil {
			return nil, nil, err
		}
		groups = append(groups, items)
	}
	if r.Rest {
		return groups, labels, nil
	}
	var vals []item
	var err error
	if r.HasValues {
		if vals, err = x.list(r.Values); err != nil {
			return nil, nil, err
		}
	} else {
		isID := map[int]bool{}
		for _, id := range ids {
			if c, ok := id.value.(plan.Col); ok {
				isID[c.Attr.ID] = true
			}
		}
		for _, at := range x.in.attrs {
			if at := at; !isID[at.ID] {
				vals = append(vals, item{value: plan.Col{Attr: at}, name: at.Name, keep: &at})
			}
		}
	}
	for _, v := range vals {
		groups, labels = append(groups, []item{v}), append(labels, v.name)
	}
	return groups, labels, nil
}

// rest are the columns that no group holds.
func rest(attrs []plan.Attr, groups [][]item) []item {
	used := map[int]bool{}
	for _, g := range groups {
		for _, it := range g {
			if c, ok := it.value.(plan.Col); ok {
				used[c.Attr.ID] = true
			}
		}
	}
	var out []item
	for _, at := range attrs {
		if at := at; !used[at.ID] {
			out = append(out, item{value: plan.Col{Attr: at}, name: at.Name, keep: &at})
		}
	}
	return out
}

func anyNotNull(attrs []plan.Attr) plan.Value {
	args := make([]plan.Value, len(attrs))
	for i, at := range attrs {
		args[i] = plan.Col{Attr: at}
	}
	return &plan.Apply{Func: "anynotnull", Args: args, Out: types.Boolean, SQL: func(s []string) string {
		return "(" + strings.Join(s, " IS NOT NULL OR ") + " IS NOT NULL)"
	}}
}

// mixed says whether there are texts among other values: Spark makes nothing common of them here.
func mixed(vs []plan.Value) bool {
	texts, others := false, false
	for _, v := range vs {
		text := types.IsString(v.Type())
		texts = texts || text
		others = others || !text && v.Type() != types.Null
	}
	return texts && others
}

// typesOf lists the types of a value column with the columns that have each.
func typesOf(groups [][]item, column int) string {
	names := map[string][]string{}
	for _, g := range groups {
		t := quoted(g[column].value.Type().SQL())
		names[t] = append(names[t], types.Quote(g[column].name))
	}
	var parts []string
	for _, t := range slices.Sorted(maps.Keys(names)) {
		list := names[t]
		if len(list) > 3 {
			list = append(list[:3:3], "...")
		}
		parts = append(parts, t+" ("+strings.Join(list, ", ")+")")
	}
	return strings.Join(parts, ", ")
}
