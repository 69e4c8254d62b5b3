package analyze

import (
	"cmp"
	"context"
	"slices"
	"strings"

	"github.com/millpond/millpond/internal/function"
	"github.com/millpond/millpond/internal/plan"
	"github.com/millpond/millpond/internal/sparkerr"
	"github.com/millpond/millpond/internal/types"
)

func (a *Analyzer) join(ctx context.Context, r *plan.Join, outer *rel) (*rel, error) {
	left, err := a.resolve(ctx, r.Left, outer)
	if err != nil {
		return nil, err
	}
	rightOuter := outer
	if r.Lateral {
		rightOuter = left
	}
	right, err := a.resolve(ctx, r.Right, rightOuter)
	if err != nil {
		return nil, err
	}
	using := r.Using
	if r.Natural {
		for _, at := range left.attrs {
			if found, _ := match(right.attrs, []string{at.Name}); len(found) == 1 {
				using = append(using, at.Name)
			}
		}
	}
	both := &rel{kids: []*rel{left, right}, attrs: append(append([]plan.Attr{}, left.attrs...), right.attrs...)}
	both = both.within(outer)
	var cond plan.Value
	lk, rk, err := usingKeys(left, right, using)
	if err != nil {
		return nil, err
	}
	if len(using) > 0 {
		cond, err = a.equalities(lk, rk)
	} else if r.Cond != nil {
		cond, err = a.joinCondition(ctx, both, r.Cond)
	}
	if err != nil {
		return nil, err
	}
	cond, later, err := a.splitPython(cond, r.Type)
	if err != nil {
		return nil, err
	}
	n := &plan.JoinNode{Left: left.node(), Right: right.node(), Type: r.Type, Cond: cond, Lateral: r.Lateral}
	if r.Type == plan.JoinInner && cond == nil {
		n.Type = plan.JoinCross
	}
	n.Attrs = joined(left.attrs, right.attrs, r.Type)
	both.n, both.attrs = n, n.Attrs
	if later != nil {
		lifted, vals, err := a.lift(n, []plan.Value{later})
		if err != nil {
			return nil, err
		}
		both.n = &plan.Where{Input: lifted, Cond: vals[0]}
	}
	if len(using) > 0 {
		return a.mergeKeys(both, lk, rk, r.Type, len(left.attrs)), nil
	}
	return both, nil
}

func (a *Analyzer) joinCondition(ctx context.Context, both *rel, e plan.Expr) (plan.Value, error) {
	sides := *both
	sides.condition = true
	cond, err := a.over(ctx, &sides).value(e)
	if err != nil {
		return nil, err
	}
	if cond.Type() != types.Boolean && cond.Type() != types.Null {
		return nil, sparkerr.Plain(sparkerr.ClassAnalysis, "[JOIN_CONDITION_IS_NOT_BOOLEAN_TYPE] The join condition \"%s\" has the invalid type \"%s\", expected \"BOOLEAN\". SQLSTATE: 42K0E", function.Describe(cond), cond.Type().SQL())
	}
	return cond, nil
}

// splitPython takes the parts that call Python out of a join's condition: of an inner join they are
// a filter of its rows, which others cannot have.
func (a *Analyzer) splitPython(cond plan.Value, t plan.JoinType) (inside, later plan.Value, err error) {
	if cond == nil || !callsPython(cond) {
		return cond, nil, nil
	}
	if t != plan.JoinInner && t != plan.JoinCross {
		return nil, nil, sparkerr.Analysis("UNSUPPORTED_FEATURE.PYTHON_UDF_IN_ON_CLAUSE", "joinType", joinWords[t])
	}
	and, ok := cond.(*plan.Apply)
	if !ok || and.Func != "and" {
		return nil, cond, nil
	}
	for _, part := range and.Args {
		in, out, err := a.splitPython(part, t)
		if err != nil {
			return nil, nil, err
		}
		if inside, err = a.both(inside, in); err != nil {
			return nil, nil, err
		}
		if later, err = a.both(later, out); err != nil {
			return nil, nil, err
		}
	}
	return inside, later, nil
}

// both is the conjunction of two conditions, either of which may be absent.
func (a *Analyzer) both(x, y plan.Value) (plan.Value, error) {
	switch {
	case x == nil:
		return y, nil
	case y == nil:
		return x, nil
	}
	v, _, err := a.funcs.Resolve("and", []plan.Value{x, y})
	return v, err
}

func callsPython(v plan.Value) bool {
	found := false
	plan.Walk(v, func(v plan.Value) bool {
		_, python := v.(*plan.Python)
		found = found || python
		return !found
	})
	return found
}

// joinWords are what messages call the kinds of joins.
var joinWords = map[plan.JoinType]string{plan.JoinLeft: "LEFT OUTER", plan.JoinRight: "RIGHT OUTER", plan.JoinFull: "FULL OUTER", plan.JoinSemi: "LEFT SEMI", plan.JoinAnti: "LEFT ANTI"}

// joined gives a join's columns: outer joins make the other side nullable.
func joined(left, right []plan.Attr, t plan.JoinType) []plan.Attr {
	out := append([]plan.Attr{}, left...)
	if t == plan.JoinSemi || t == plan.JoinAnti {
		return out
	}
	for i := range out {
		out[i].Nullable = out[i].Nullable || t == plan.JoinRight || t == plan.JoinFull
	}
	for _, at := range right {
		at.Nullable = at.Nullable || t == plan.JoinLeft || t == plan.JoinFull
		out = append(out, at)
	}
	return out
}

func usingKeys(left, right *rel, using []string) (lk, rk []plan.Attr, err error) {
	for _, name := range using {
		l, err := usingKey(left, name, "left")
		if err != nil {
			return nil, nil, err
		}
		r, err := usingKey(right, name, "right")
		if err != nil {
			return nil, nil, err
		}
		lk, rk = append(lk, l), append(rk, r)
	}
	return lk, rk, nil
}

func usingKey(r *rel, name, side string) (plan.Attr, error) {
	found, _ := match(r.attrs, []string{name})
	switch len(found) {
	case 0:
		return plan.Attr{}, sparkerr.Analysis("UNRESOLVED_USING_COLUMN_FOR_JOIN", "colName", types.Quote(name), "side", side,
			"suggestion", quotedNames(r.attrs))
	case 1:
		return found[0], nil
	}
	return plan.Attr{}, ambiguous([]string{name}, found)
}

func (a *Analyzer) equalities(lk, rk []plan.Attr) (plan.Value, error) {
	var cond plan.Value
	for i := range lk {
		eq, _, err := a.funcs.Resolve("=", []plan.Value{plan.Col{Attr: lk[i]}, plan.Col{Attr: rk[i]}})
		if err != nil {
			return nil, err
		}
		if cond == nil {
			cond = eq
			continue
		}
		if cond, _, err = a.funcs.Resolve("and", []plan.Value{cond, eq}); err != nil {
			return nil, err
		}
	}
	return cond, nil
}

// mergeKeys puts the join keys first, one column each, as USING does.
func (a *Analyzer) mergeKeys(both *rel, lk, rk []plan.Attr, t plan.JoinType, leftWidth int) *rel {
	isKey := map[int]bool{}
	for i := range lk {
		isKey[lk[i].ID], isKey[rk[i].ID] = true, true
	}
	var exprs []plan.Named
	for i := range lk {
		l, _ := both.byID(lk[i].ID)
		switch t {
		case plan.JoinRight:
			r, _ := both.byID(rk[i].ID)
			exprs = append(exprs, plan.Named{Attr: r, Value: plan.Col{Attr: r}})
		case plan.JoinFull:
			r, _ := both.byID(rk[i].ID)
			v, _, err := a.funcs.Resolve("coalesce", []plan.Value{plan.Col{Attr: l}, plan.Col{Attr: r}})
			if err != nil { // the condition has compared them already
				continue
			}
			exprs = append(exprs, plan.Named{Attr: a.attr(l.Name, v.Out, true), Value: v})
		default:
			exprs = append(exprs, plan.Named{Attr: l, Value: plan.Col{Attr: l}})
		}
	}
	for _, at := range both.attrs {
		if !isKey[at.ID] {
			exprs = append(exprs, plan.Named{Attr: at, Value: plan.Col{Attr: at}})
		}
	}
	return relOf(&plan.Select{Input: both.n, Exprs: exprs}, both)
}

// sides resolves the two relations that are put together.
func (a *Analyzer) sides(ctx context.Context, l, r plan.Relation, outer *rel) (left, right *rel, err error) {
	if left, err = a.resolve(ctx, l, outer); err != nil {
		return nil, nil, err
	}
	right, err = a.resolve(ctx, r, outer)
	return left, right, err
}

func (a *Analyzer) setOp(ctx context.Context, r *plan.SetOp, outer *rel) (*rel, error) {
	left, right, err := a.sides(ctx, r.Left, r.Right, outer)
	if err != nil {
		return nil, err
	}
	if r.ByName {
		if left, right, err = a.alignNames(left, right, r.Missing); err != nil {
			return nil, err
		}
	}
	if len(left.attrs) != len(right.attrs) {
		return nil, sparkerr.New(sparkerr.ClassExtendedAnalysis, "NUM_COLUMNS_MISMATCH", "operator", strings.ToUpper(r.Op),
			"firstNumColumns", itoa(len(left.attrs)), "invalidOrdinalNum", "second", "invalidNumColumns", itoa(len(right.attrs)))
	}
	attrs, first := make([]plan.Attr, len(left.attrs)), map[int]int{} // first: the place of each column of the left side
	lv, rv := make([]plan.Named, len(attrs)), make([]plan.Named, len(attrs))
	for i := range attrs {
		l, rt := left.attrs[i], right.attrs[i]
		t, ok := types.Common(l.Type, rt.Type)
		if !ok {
			return nil, sparkerr.New(sparkerr.ClassExtendedAnalysis, "INCOMPATIBLE_COLUMN_TYPE", "tableOrdinalNumber", "second", "columnOrdinalNumber", ordinal(i),
				"dataType2", `"`+l.Type.SQL()+`"`, "operator", strings.ToUpper(r.Op), "hint", "", "dataType1", `"`+rt.Type.SQL()+`"`)
		}
		null := l.Nullable || rt.Nullable
		switch r.Op { // what is kept is of the left, or of both
		case "except":
			null = l.Nullable
		case "intersect":
			null = l.Nullable && rt.Nullable
		}
		attrs[i] = a.attr(l.Name, t, null)
		attrs[i].Metadata = l.Metadata
		if id := cmp.Or(l.Twin, l.ID); first[id] > 0 { // a column that comes twice is one to names
			attrs[i].Twin = attrs[first[id]-1].ID
		} else {
			first[id] = i + 1
		}
		lv[i] = plan.Named{Attr: a.attr(l.Name, t, l.Nullable), Value: function.As(plan.Col{Attr: l}, t)}
		rv[i] = plan.Named{Attr: a.attr(rt.Name, t, rt.Nullable), Value: function.As(plan.Col{Attr: rt}, t)}
	}
	n := &plan.Combine{Left: &plan.Select{Input: left.n, Exprs: lv}, Right: &plan.Select{Input: right.n, Exprs: rv}, Op: r.Op, All: r.All, Attrs: attrs}
	out := relOf(n, left, right)
	out.opaque = true
	// A plan id of the left input still means its columns by name.
	shadow := *left
	shadow.attrs = attrs
	for i := range shadow.attrs {
		shadow.attrs[i].Qualifier = left.attrs[i].Qualifier
	}
	out.kids = []*rel{&shadow}
	return out, nil
}

func itoa(n int) string { return function.LiteralText(plan.IntLit(int32(n))) }

func ordinal(i int) string {
	names := []string{"first", "second", "third", "fourth", "fifth", "sixth", "seventh", "eighth", "ninth", "tenth"}
	if i < len(names) {
		return names[i]
	}
	return itoa(i+1) + "th"
}

// alignNames orders the right side's columns by the left's names.
func (a *Analyzer) alignNames(left, right *rel, missing bool) (*rel, *rel, error) {
	pick := func(from *rel, at plan.Attr) (plan.Named, error) {
		found, _ := match(from.attrs, []string{at.Name})
		if len(found) > 0 {
			return plan.Named{Attr: found[0], Value: plan.Col{Attr: found[0]}}, nil
		}
		if !missing {
			return plan.Named{}, absentAmong(at.Name, from.attrs)
		}
		null := plan.Const{Literal: plan.NullLit()}
		return plan.Named{Attr: a.attr(at.Name, at.Type, true), Value: function.As(null, at.Type)}, nil
	}
	var r []plan.Named
	for _, at := range left.attrs {
		e, err := pick(right, at)
		if err != nil {
			return nil, nil, err
		}
		r = append(r, e)
	}
	l := pass(left.attrs)
	for _, at := range right.attrs {
		if found, _ := match(left.attrs, []string{at.Name}); len(found) > 0 {
			continue
		}
		if !missing {
			return nil, nil, absentAmong(at.Name, left.attrs)
		}
		e, err := pick(left, at)
		if err != nil {
			return nil, nil, err
		}
		l = append(l, e)
		r = append(r, plan.Named{Attr: at, Value: plan.Col{Attr: at}})
	}
	return relOf(&plan.Select{Input: left.n, Exprs: l}, left), relOf(&plan.Select{Input: right.n, Exprs: r}, right), nil
}

// quotedNames lists columns as messages do.
func quotedNames(attrs []plan.Attr) string {
	names := make([]string, len(attrs))
	for i, at := range attrs {
		names[i] = types.Quote(at.Name)
	}
	slices.Sort(names)
	return strings.Join(names, ", ")
}
