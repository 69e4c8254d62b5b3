package analyze

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/millpond/millpond/internal/function"
	"github.com/millpond/millpond/internal/plan"
	"github.com/millpond/millpond/internal/sparkerr"
	"github.com/millpond/millpond/internal/types"
)

// repartition says how rows lie in partitions from here on.
func (a *Analyzer) repartition(ctx context.Context, in *rel, r *plan.Repartition) (plan.Node, error) {
	out := &plan.RepartitionNode{}
	out.Count, out.Free = a.env.ShufflePartitions()
	if r.Partitions != nil {
		out.Count, out.Free = *r.Partitions, false
	}
	if out.Count <= 0 {
		return nil, sparkerr.Require("Number of partitions (%d) must be positive.", out.Count)
	}
	if r.Kind == "coalesce" {
		return a.coalesce(in.n, out), nil
	}
	x := a.over(ctx, in)
	orders, vals, err := x.partitioning(r.Exprs)
	if err != nil {
		return nil, err
	}
	if err := checkPartitioning(r, vals); err != nil {
		return nil, err
	}
	base, err := in.offer(x.hidden)
	if err != nil {
		return nil, err
	}
	if out.Input, vals, err = a.lift(base.n, vals); err != nil {
		return nil, err
	}
	out.Label = fmt.Sprintf("RepartitionByExpression [%s]", partedBy(orders, vals))
	switch {
	case r.Kind == "deal":
		out.Label = fmt.Sprintf("Repartition %d, true", out.Count)
	case r.Partitions != nil:
		out.Label += fmt.Sprintf(", %d", out.Count)
	}
	switch {
	case out.Count == 1:
		out.By = plan.Const{Literal: plan.IntLit(0)}
	case orders != nil:
		for i := range orders {
			orders[i].Value = vals[i]
		}
		out.Orders = orders
	case r.Kind == "id":
		out.By, err = a.remainder(out.Count, "coalesce", vals[0], plan.Const{Literal: plan.IntLit(0)})
	case slices.ContainsFunc(vals, func(v plan.Value) bool { return !hashes(v.Type()) }):
		out.By = &plan.Apply{Func: "place", Args: vals, Out: types.Int, SQL: func(args []string) string {
			return fmt.Sprintf("CAST(hash(%s) %% %d AS INTEGER)", strings.Join(args, ", "), out.Count)
		}}
	case len(vals) > 0:
		out.By, err = a.remainder(out.Count, "hash", vals...)
	}
	return out, err
}

// coalesce puts neighbouring partitions together where there are more than wanted.
func (a *Analyzer) coalesce(n plan.Node, out *plan.RepartitionNode) plan.Node {
	want := out.Count
	out.Label, out.Stays = fmt.Sprintf("Repartition %d, false", want), true
	in, p := a.partitions(n)
	if p == nil || p.Count == 1 || want == 1 {
		out.Input, out.Count, out.By = n, 1, plan.Const{Literal: plan.IntLit(0)}
		return out
	}
	out.Input, out.Count, out.Free, out.By = in, p.Count, p.Free, plan.Col{Attr: p.By}
	if want < p.Count && !p.Free {
		out.Count, out.By = want, slice(out.By, 0, 1, int64(p.Count), want)
	}
	return out
}

// slice is which of n contiguous slices a value is in, of all the values from start on by step, as
// Spark cuts them.
func slice(v plan.Value, start, step, all int64, n int) plan.Value {
	return &plan.Apply{Func: "slice", Args: []plan.Value{v}, Out: types.Int, SQL: func(args []string) string {
		return fmt.Sprintf("CAST(((CAST(%s AS HUGEINT) - %d) // %d * %d + %d) // %d AS INTEGER)", args[0], start, step, n, n-1, all)
	}}
}

// partitioning reads what rows are parted by: orders, or values that are hashed.
func (x *exprs) partitioning(by []plan.Expr) ([]plan.Order, []plan.Value, error) {
	var sorts []plan.SortOrder
	var orderNames, otherNames []string
	for _, e := range by {
		if o, ok := e.(plan.SortOrder); ok {
			sorts, orderNames = append(sorts, o), append(orderNames, "'"+x.nameOf(o.Expr)+direction(o.Desc, o.NullsFirst))
		} else {
			otherNames = append(otherNames, "'"+x.nameOf(e))
		}
	}
	if len(sorts) == 0 {
		vals, err := x.values(by)
		return nil, vals, err
	}
	if len(otherNames) > 0 {
		return nil, nil, sparkerr.Require("RepartitionByExpression expects that either all its `partitionExpressions` are of type `SortOrder`, which means `RangePartitioning`, or none of them are `SortOrder`, which means `HashPartitioning`. In this case we have:\nSortOrder: List(%s)\nNonSortOrder: List(%s)\n         ", strings.Join(orderNames, ", "), strings.Join(otherNames, ", "))
	}
	orders, err := x.orders(sorts)
	vals := make([]plan.Value, len(orders))
	for i, o := range orders {
		vals[i] = o.Value
	}
	return orders, vals, err
}

// checkPartitioning refuses what rows cannot be parted by.
func checkPartitioning(r *plan.Repartition, vals []plan.Value) error {
	for _, v := range vals {
		if hasAggregate(v) || hasWindow(v) {
			return sparkerr.New(sparkerr.ClassExtendedAnalysis, "UNSUPPORTED_EXPR_FOR_OPERATOR", "operator", "RepartitionByExpression", "invalidExprSqls", quoted(function.Describe(v)))
		}
		if r.Kind == "id" && v.Type() != types.Int {
			name := function.Describe(v)
			return sparkerr.New(sparkerr.ClassExtendedAnalysis, "DATATYPE_MISMATCH.UNEXPECTED_INPUT_TYPE", "sqlExpr", quoted("direct_shuffle_partition_id("+name+")"), "paramIndex", "first",
				"inputSql", quoted(name), "inputType", quoted(v.Type().SQL()), "requiredType", quoted(types.Int.SQL()))
		}
	}
	return nil
}

// hashes says whether Spark's hash of a type is known. Values of other types meet their equals all
// the same, but not in Spark's place.
func hashes(t types.Type) bool {
	switch t := types.Physical(t).(type) {
	case types.Decimal:
		return t.Precision <= 18
	case types.Map:
		return false
	case types.Array:
		return hashes(t.Elem)
	case types.Struct:
		return !slices.ContainsFunc(t.Fields, func(f types.Field) bool { return !hashes(f.Type) })
	}
	return true
}

// remainder is a function's result modulo n, never negative.
func (a *Analyzer) remainder(n int, fn string, args ...plan.Value) (plan.Value, error) {
	v, _, err := a.funcs.Resolve(fn, args)
	if err != nil {
		return nil, err
	}
	v, _, err = a.funcs.Resolve("pmod", []plan.Value{v, plan.Const{Literal: plan.IntLit(int32(n))}})
	if err != nil {
		return nil, err
	}
	return function.As(v, types.Int), nil
}

// partedBy prints what rows are parted by, for explain.
func partedBy(orders []plan.Order, vals []plan.Value) string {
	list := make([]string, len(vals))
	for i, v := range vals {
		list[i] = function.Describe(v)
		if c, ok := v.(plan.Col); ok {
			list[i] = fmt.Sprintf("%s#%d", c.Attr.Name, c.Attr.ID)
		}
		if orders != nil {
			list[i] += direction(orders[i].Desc, orders[i].NullsFirst)
		}
	}
	return strings.Join(list, ", ")
}

// hinted is what a hint asks for.
func (x *exprs) hinted(h *plan.Hint) (plan.Relation, error) {
	name := strings.ToUpper(h.Name)
	switch name {
	case "COALESCE", "REPARTITION", "REPARTITION_BY_RANGE", "REBALANCE":
	default:
		return h.Input, nil
	}
	out := &plan.Repartition{Input: h.Input, Kind: "by"}
	for i, e := range h.Params {
		l, literal := e.(plan.Literal)
		switch v := l.Value.(type) {
		case int32:
			if n := int(v); i == 0 {
				out.Partitions = &n
				continue
			}
		case string:
			e, literal = plan.Name(v), false
		}
		if _, column := e.(*plan.Attribute); literal || !column && name != "COALESCE" {
			return nil, sparkerr.Legacy("1047", "<hintName> Hint parameters should include an optional integral partitionNum and/or columns, but <invalidParams> can not be recognized as either partitionNum or columns.",
				"hintName", name, "invalidParams", quoted(x.nameOf(e)))
		}
		if name == "REPARTITION_BY_RANGE" {
			e = plan.SortOrder{Expr: e, NullsFirst: true}
		}
		out.Exprs = append(out.Exprs, e)
	}
	switch {
	case name == "COALESCE" && (out.Partitions == nil || len(out.Exprs) > 0):
		return nil, sparkerr.Legacy("1048", "<hintName> Hint expects a partition number as a parameter.", "hintName", name)
	case name == "COALESCE":
		out.Kind = "coalesce"
	case name == "REPARTITION" && len(out.Exprs) == 0 && out.Partitions != nil:
		out.Kind = "deal"
	case name == "REBALANCE": // as many partitions as the size of the data asks for
		out.Partitions = nil
	}
	return out, nil
}

// numbers resolves a range; its partitions are contiguous slices.
func (a *Analyzer) numbers(r *plan.Range) (*rel, error) {
	if r.Step == 0 {
		return nil, sparkerr.IllegalArgument("requirement failed: step (0) cannot be 0")
	}
	n := &plan.Numbers{Attr: a.attr("id", types.Long, false), Start: r.Start, End: r.End, Step: r.Step}
	if r.Partitions == nil {
		return relOf(n), nil
	}
	count := *r.Partitions
	if count <= 0 {
		return nil, sparkerr.IllegalArgument("Positive number of partitions required")
	}
	return relOf(&plan.RepartitionNode{Input: n, Count: count, Label: fmt.Sprintf("Slices %d", count),
		By: slice(plan.Col{Attr: n.Attr}, r.Start, r.Step, n.Len(), count)}), nil
}
