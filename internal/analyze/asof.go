package analyze

import (
	"context"
	"strings"

	"github.com/millpond/millpond/internal/function"
	"github.com/millpond/millpond/internal/plan"
	"github.com/millpond/millpond/internal/sparkerr"
	"github.com/millpond/millpond/internal/types"
)

// asOf is an as-of join being resolved: each row of the left side with the one row of the right whose
// value is nearest to its own. The engine finds the nearest value before or behind; of rows with
// equal values Spark takes the last one.
type asOf struct {
	a           *Analyzer
	r           *plan.AsOfJoin
	left, right *rel
	mine        plan.Attr       // the left side's value
	theirs      plan.Value      // the right side's
	equal       [][2]plan.Value // what must be equal besides, left and right
}

// asOfMatch is the right side's columns beside a row of the left: value is null where there is none, and
// ok says whether there is one within the tolerance.
type asOfMatch struct {
	value plan.Attr
	cols  []plan.Attr
	ok    plan.Value
}

var asOfJoins = map[plan.JoinType]string{plan.JoinRight: "RightOuter", plan.JoinFull: "FullOuter", plan.JoinSemi: "LeftSemi", plan.JoinAnti: "LeftAnti", plan.JoinCross: "Cross"}

func (a *Analyzer) asOfJoin(ctx context.Context, r *plan.AsOfJoin, outer *rel) (*rel, error) {
	if name, refused := asOfJoins[r.Type]; refused {
		return nil, sparkerr.Require("Unsupported as-of join type %s", name)
	}
	directions := map[string][]string{"backward": {"backward"}, "forward": {"forward"}, "nearest": {"backward", "forward"}}[r.Direction]
	if directions == nil {
		return nil, sparkerr.Analysis("AS_OF_JOIN.UNSUPPORTED_DIRECTION", "direction", r.Direction, "supported", "'forward', 'backward', 'nearest'")
	}
	left, right, err := a.sides(ctx, r.Left, r.Right, outer)
	if err != nil {
		return nil, err
	}
	j := &asOf{a: a, r: r, left: left, right: right}
	value, tolerance, err := j.values(ctx)
	if err != nil {
		return nil, err
	}
	j.mine = a.attr("left", value.Type(), true)
	var n plan.Node = &plan.Select{Input: left.node(), Exprs: append(pass(left.attrs), plan.Named{Attr: j.mine, Value: value})}
	var found []asOfMatch
	for _, d := range directions {
		var m asOfMatch
		if n, m, err = j.attach(n, d); err != nil {
			return nil, err
		}
		if m.ok, err = j.matched(m, d, tolerance); err != nil {
			return nil, err
		}
		found = append(found, m)
	}
	return j.finish(n, found)
}

// values resolves what is compared, and what must be equal.
func (j *asOf) values(ctx context.Context) (mine plan.Value, tolerance plan.Value, err error) {
	a := j.a
	if mine, err = a.over(ctx, j.left).value(j.r.LeftValue); err != nil {
		return nil, nil, err
	}
	if j.theirs, err = a.over(ctx, j.right).value(j.r.RightValue); err != nil {
		return nil, nil, err
	}
	if _, _, err = a.funcs.Resolve("-", []plan.Value{mine, j.theirs}); err != nil { // it must have a distance
		return nil, nil, err
	}
	if j.r.Tolerance != nil {
		if tolerance, err = a.over(ctx, relOf(&plan.One{})).value(j.r.Tolerance); err != nil {
			return nil, nil, err
		}
		if function.Negative(tolerance) {
			return nil, nil, sparkerr.Analysis("AS_OF_JOIN.TOLERANCE_IS_NON_NEGATIVE")
		}
	}
	lk, rk, err := usingKeys(j.left, j.right, j.r.Using)
	if err != nil {
		return nil, nil, err
	}
	for i := range lk {
		j.equal = append(j.equal, [2]plan.Value{plan.Col{Attr: lk[i]}, plan.Col{Attr: rk[i]}})
	}
	if j.r.Cond == nil {
		return mine, tolerance, nil
	}
	both := &rel{kids: []*rel{j.left, j.right}, attrs: append(append([]plan.Attr{}, j.left.attrs...), j.right.attrs...)}
	cond, err := a.joinCondition(ctx, both, j.r.Cond)
	if err != nil {
		return nil, nil, err
	}
	return mine, tolerance, j.split(cond)
}

// split takes a condition apart: equalities of both sides, and what the right side alone must meet.
func (j *asOf) split(cond plan.Value) error {
	call, ok := cond.(*plan.Apply)
	if ok && call.Func == "and" {
		if err := j.split(call.Args[0]); err != nil {
			return err
		}
		return j.split(call.Args[1])
	}
	if !j.reads(cond, j.left) { // the right side alone
		j.right = &rel{n: &plan.Where{Input: j.right.n, Cond: cond}, attrs: j.right.attrs, kids: []*rel{j.right}}
		return nil
	}
	if ok && call.Func == "=" {
		for i := range 2 {
			l, r := call.Args[i], call.Args[1-i]
			if !j.reads(l, j.right) && !j.reads(r, j.left) {
				j.equal = append(j.equal, [2]plan.Value{l, r})
				return nil
			}
		}
	}
	return sparkerr.Unsupported("an as-of join by other conditions than equality")
}

func (j *asOf) reads(v plan.Value, side *rel) bool {
	used := map[int]bool{}
	plan.Columns(v, used)
	for id := range used {
		if _, ok := side.byID(id); ok {
			return true
		}
	}
	return false
}

// attach puts the nearest row of one direction beside each row of n.
func (j *asOf) attach(n plan.Node, direction string) (plan.Node, asOfMatch, error) {
	value := j.a.attr("right", j.theirs.Type(), true)
	exprs := []plan.Named{{Attr: value, Value: j.theirs}}
	var cond plan.Value
	keys := []plan.Value{plan.Col{Attr: value}}
	add := func(name string, l, r plan.Value) error {
		v, _, err := j.a.funcs.Resolve(name, []plan.Value{l, r})
		if err == nil {
			cond, err = j.a.both(cond, v)
		}
		return err
	}
	for _, e := range j.equal {
		at := j.a.attr("key", e[1].Type(), true)
		exprs = append(exprs, plan.Named{Attr: at, Value: e[1]})
		keys = append(keys, plan.Col{Attr: at})
		if err := add("=", e[0], plan.Col{Attr: at}); err != nil {
			return nil, asOfMatch{}, err
		}
	}
	op := map[string]string{"backward": ">", "forward": "<"}[direction]
	if j.r.Exact {
		op += "="
	}
	if err := add(op, plan.Col{Attr: j.mine}, plan.Col{Attr: value}); err != nil {
		return nil, asOfMatch{}, err
	}
	m := asOfMatch{value: value}
	for _, at := range j.right.attrs {
		c := j.a.attr(at.Name, at.Type, true)
		m.cols = append(m.cols, c)
		exprs = append(exprs, plan.Named{Attr: c, Value: plan.Col{Attr: at}})
	}
	theirs := j.last(&plan.Select{Input: j.right.node(), Exprs: exprs}, keys)
	node := &plan.JoinNode{Left: n, Right: theirs, Type: plan.JoinLeft, AsOf: true, Cond: cond}
	node.Attrs = append(append([]plan.Attr{}, n.Output()...), theirs.Output()...)
	return node, m, nil
}

// last keeps the last of the rows that agree in keys.
func (j *asOf) last(n plan.Node, keys []plan.Value) plan.Node {
	row := j.a.attr("row", types.Long, false)
	place := j.a.attr("place", types.Long, false)
	attrs := n.Output()
	n = numbered(n, row)
	backward := &plan.Apply{Func: "place", Out: types.Long, Args: append(keys, plan.Col{Attr: row}), SQL: func(args []string) string {
		k := len(args) - 1
		return "row_number() OVER (PARTITION BY " + strings.Join(args[:k], ", ") + " ORDER BY " + args[k] + " DESC)"
	}}
	n = &plan.Select{Input: n, Exprs: append(pass(attrs), plan.Named{Attr: place, Value: backward})}
	first := &plan.Apply{Func: "first", Out: types.Boolean, Args: []plan.Value{plan.Col{Attr: place}}, SQL: func(args []string) string { return args[0] + " = 1" }}
	return &plan.Select{Input: &plan.Where{Input: n, Cond: first}, Exprs: pass(attrs)}
}

// finish chooses among the matches.
func (j *asOf) finish(n plan.Node, found []asOfMatch) (*rel, error) {
	one := found[0]
	choose, matched := func(i int) plan.Value { return choice(one.ok, plan.Col{Attr: one.cols[i]}, nil) }, one.ok
	if len(found) == 2 {
		other := found[1]
		second, err := j.nearer(one, other)
		if err != nil {
			return nil, err
		}
		choose = func(i int) plan.Value {
			return choice(second, plan.Col{Attr: other.cols[i]}, choice(one.ok, plan.Col{Attr: one.cols[i]}, nil))
		}
		matched = logical("OR", one.ok, other.ok)
	}
	if j.r.Type == plan.JoinInner {
		n = &plan.Where{Input: n, Cond: matched}
	}
	exprs := pass(j.left.attrs)
	for i, at := range j.right.attrs {
		at.Nullable = at.Nullable || j.r.Type == plan.JoinLeft
		exprs = append(exprs, plan.Named{Attr: at, Value: choose(i)})
	}
	return relOf(&plan.Select{Input: n, Exprs: exprs}, j.left, j.right), nil
}

// matched says whether there is a match within the tolerance.
func (j *asOf) matched(m asOfMatch, direction string, tolerance plan.Value) (plan.Value, error) {
	there := plan.Value(&plan.Apply{Func: "matched", Out: types.Boolean, Args: []plan.Value{plan.Col{Attr: m.value}}, SQL: func(args []string) string { return "(" + args[0] + " IS NOT NULL)" }})
	if tolerance == nil {
		return there, nil
	}
	op, within := "-", ">" // how far back the right side's value may be
	if direction == "forward" {
		op, within = "+", "<"
	}
	limit, _, err := j.a.funcs.Resolve(op, []plan.Value{plan.Col{Attr: j.mine}, tolerance})
	if err != nil {
		return nil, err
	}
	if j.r.Exact {
		within += "="
	}
	near, _, err := j.a.funcs.Resolve(within, []plan.Value{plan.Col{Attr: m.value}, limit})
	if err != nil {
		return nil, err
	}
	return logical("AND", there, near), nil
}

// nearer says whether the match behind is to be taken: it is no farther than the one before.
func (j *asOf) nearer(before, behind asOfMatch) (plan.Value, error) {
	distance := func(a, b plan.Attr) (plan.Value, error) {
		v, _, err := j.a.funcs.Resolve("-", []plan.Value{plan.Col{Attr: a}, plan.Col{Attr: b}})
		return v, err
	}
	back, err := distance(j.mine, before.value)
	if err != nil {
		return nil, err
	}
	on, err := distance(behind.value, j.mine)
	if err != nil {
		return nil, err
	}
	less, _, err := j.a.funcs.Resolve("<=", []plan.Value{on, back})
	if err != nil {
		return nil, err
	}
	return &plan.Apply{Func: "nearer", Out: types.Boolean, Args: []plan.Value{before.ok, behind.ok, less}, SQL: func(args []string) string {
		return "(" + args[1] + " AND (NOT coalesce(" + args[0] + ", false) OR " + args[2] + "))"
	}}, nil
}

func logical(op string, a, b plan.Value) plan.Value {
	return &plan.Apply{Func: op, Out: types.Boolean, Null: true, Args: []plan.Value{a, b}, SQL: func(args []string) string { return "(" + args[0] + " " + op + " " + args[1] + ")" }}
}

// choice is a value where a condition holds, else another, or null.
func choice(cond, then, other plan.Value) plan.Value {
	args := []plan.Value{cond, then}
	if other != nil {
		args = append(args, other)
	}
	return &plan.Apply{Func: "choice", Out: then.Type(), Null: true, Args: args, SQL: func(args []string) string {
		out := "(CASE WHEN " + args[0] + " THEN " + args[1]
		if len(args) == 3 {
			out += " ELSE " + args[2]
		}
		return out + " END)"
	}}
}
