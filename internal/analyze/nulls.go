package analyze

import (
	"context"
	"math"

	"github.com/millpond/millpond/internal/function"
	"github.com/millpond/millpond/internal/plan"
	"github.com/millpond/millpond/internal/sparkerr"
	"github.com/millpond/millpond/internal/types"
)

// nulls resolves df.na.* and unpivot.
func (a *Analyzer) nulls(ctx context.Context, r plan.Relation) (*rel, error) {
	switch r := r.(type) {
	case *plan.FillNA:
		return a.fillNA(ctx, r)
	case *plan.DropNA:
		return a.dropNA(ctx, r)
	case *plan.ReplaceNA:
		return a.replaceNA(ctx, r)
	case *plan.Unpivot:
		return a.unpivot(ctx, r)
	}
	return nil, sparkerr.Unsupported("the relation %T", r)
}

// some gives the places of the named columns, all of them if none is named.
func some(in *rel, names []string) ([]int, error) {
	var out []int
	if len(names) == 0 {
		for i := range in.attrs {
			out = append(out, i)
		}
		return out, nil
	}
	for _, n := range names {
		found, _ := match(in.attrs, []string{n})
		if len(found) == 0 {
			return nil, notIn(n, in.attrs)
		}
		for i, at := range in.attrs {
			if at.ID == found[0].ID {
				out = append(out, i)
			}
		}
	}
	return out, nil
}

// fills says whether a fill value is meant for a column of a type: numbers fill numbers, strings
// strings, booleans booleans.
func fills(value, column types.Type) bool {
	switch {
	case types.IsNumeric(value):
		return types.IsNumeric(column)
	case types.IsString(value):
		return types.IsString(column)
	}
	return types.Equal(value, column)
}

// whole says whether a value can be a whole number's.
func whole(v any) bool {
	f, ok := v.(float64)
	return !ok || f == math.Trunc(f) && !math.IsInf(f, 0)
}

func (a *Analyzer) rebuild(in *rel, change map[int]plan.Value) *rel {
	exprs := make([]plan.Named, len(in.attrs))
	for i, at := range in.attrs {
		exprs[i] = plan.Named{Attr: at, Value: plan.Col{Attr: at}}
		if v, ok := change[i]; ok {
			out := a.attr(at.Name, v.Type(), v.Nullable())
			out.Qualifier = at.Qualifier
			exprs[i] = plan.Named{Attr: out, Value: v}
		}
	}
	return relOf(&plan.Select{Input: in.n, Exprs: exprs}, in)
}

func (a *Analyzer) fillNA(ctx context.Context, r *plan.FillNA) (*rel, error) {
	in, err := a.resolve(ctx, r.Input, nil)
	if err != nil {
		return nil, err
	}
	places, err := some(in, r.Columns)
	if err != nil {
		return nil, err
	}
	change := map[int]plan.Value{}
	for k, i := range places {
		lit := r.Values[0]
		if len(r.Values) > 1 {
			lit = r.Values[k]
		}
		t := in.attrs[i].Type
		if !fills(lit.Type, t) {
			continue
		}
		name := "coalesce"
		args := []plan.Value{plan.Col{Attr: in.attrs[i]}, function.As(plan.Const{Literal: lit}, t)}
		if types.IsFractional(t) { // NaN is filled as well
			nan, _, err := a.funcs.Resolve("nanvl", []plan.Value{args[0], plan.Const{Literal: plan.Literal{Value: nil, Type: types.Double}}})
			if err != nil {
				return nil, err
			}
			args[0] = function.As(nan, t)
		}
		v, _, err := a.funcs.Resolve(name, args)
		if err != nil {
			return nil, err
		}
		v.Null = false
		change[i] = v
	}
	return a.rebuild(in, change), nil
}

func (a *Analyzer) dropNA(ctx context.Context, r *plan.DropNA) (*rel, error) {
	in, err := a.resolve(ctx, r.Input, nil)
	if err != nil {
		return nil, err
	}
	places, err := some(in, r.Columns)
	if err != nil {
		return nil, err
	}
	least := len(places)
	if r.MinNonNulls != nil {
		least = *r.MinNonNulls
	}
	args := make([]plan.Value, len(places))
	for k, i := range places {
		args[k] = plan.Col{Attr: in.attrs[i]}
	}
	cond := &plan.Apply{Func: "atleastnnonnulls", Args: args, Out: types.Boolean, SQL: func(s []string) string {
		return nonNulls(s, args, least)
	}}
	out := *in
	out.n, out.kids, out.hasID = &plan.Where{Input: in.n, Cond: cond}, []*rel{in}, false
	return &out, nil
}

func nonNulls(s []string, args []plan.Value, least int) string {
	sum, all := "0", "true"
	for i, text := range s {
		is := text + " IS NOT NULL"
		if types.IsFractional(args[i].Type()) {
			is = "(" + is + " AND NOT isnan(" + text + "))"
		}
		all += " AND " + is
		sum += " + CAST(" + is + " AS INTEGER)"
	}
	if least >= len(s) {
		return "(" + all + ")"
	}
	return "(" + sum + " >= " + itoa(least) + ")"
}

func (a *Analyzer) replaceNA(ctx context.Context, r *plan.ReplaceNA) (*rel, error) {
	in, err := a.resolve(ctx, r.Input, nil)
	if err != nil {
		return nil, err
	}
	places, err := some(in, r.Columns)
	if err != nil {
		return nil, err
	}
	change := map[int]plan.Value{}
	for _, i := range places {
		at := in.attrs[i]
		var args []plan.Value
		for k := range r.Old {
			if r.Old[k].Type != types.Null && !fills(r.Old[k].Type, at.Type) || types.IsIntegral(at.Type) && !whole(r.Old[k].Value) {
				continue
			}
			eq, _, err := a.funcs.Resolve("<=>", []plan.Value{plan.Col{Attr: at}, function.As(plan.Const{Literal: r.Old[k]}, at.Type)})
			if err != nil {
				return nil, err
			}
			args = append(args, eq, function.As(plan.Const{Literal: r.New[k]}, at.Type))
		}
		if len(args) == 0 {
			continue
		}
		v, _, err := a.funcs.Resolve("when", append(args, plan.Col{Attr: at}))
		if err != nil {
			return nil, err
		}
		v.Null = true
		change[i] = v
	}
	return a.rebuild(in, change), nil
}
