package connect

import (
	"strings"

	pb "github.com/millpond/millpond/internal/gen/spark/connect"
	"github.com/millpond/millpond/internal/plan"
	"github.com/millpond/millpond/internal/sparkerr"
)

var joinTypes = map[pb.Join_JoinType]plan.JoinType{pb.Join_JOIN_TYPE_INNER: plan.JoinInner, pb.Join_JOIN_TYPE_FULL_OUTER: plan.JoinFull,
	pb.Join_JOIN_TYPE_LEFT_OUTER: plan.JoinLeft, pb.Join_JOIN_TYPE_RIGHT_OUTER: plan.JoinRight, pb.Join_JOIN_TYPE_LEFT_ANTI: plan.JoinAnti,
	pb.Join_JOIN_TYPE_LEFT_SEMI: plan.JoinSemi, pb.Join_JOIN_TYPE_CROSS: plan.JoinCross}

// sides are the two relations that are put together.
func (d *decoder) sides(l, r *pb.Relation) (left, right plan.Relation, err error) {
	if left, err = d.relation(l); err != nil {
		return nil, nil, err
	}
	right, err = d.relation(r)
	return left, right, err
}

func (d *decoder) join(j *pb.Join) (plan.Relation, error) {
	left, right, err := d.sides(j.Left, j.Right)
	if err != nil {
		return nil, err
	}
	t, ok := joinTypes[j.JoinType]
	if !ok {
		return nil, badEnum("spark.connect.Join.JoinType", j.JoinType)
	}
	out := &plan.Join{Left: left, Right: right, Type: t, Using: j.UsingColumns}
	if j.JoinCondition != nil {
		out.Cond, err = d.expr(j.JoinCondition)
	}
	return out, err
}

func (d *decoder) lateral(j *pb.LateralJoin) (plan.Relation, error) {
	r, err := d.join(&pb.Join{Left: j.Left, Right: j.Right, JoinCondition: j.JoinCondition, JoinType: j.JoinType})
	if err != nil {
		return nil, err
	}
	r.(*plan.Join).Lateral = true
	return r, nil
}

// asOfTypes are the names that clients give to joins, without underscores.
var asOfTypes = map[string]plan.JoinType{"inner": plan.JoinInner, "left": plan.JoinLeft, "leftouter": plan.JoinLeft, "right": plan.JoinRight, "rightouter": plan.JoinRight,
	"outer": plan.JoinFull, "full": plan.JoinFull, "fullouter": plan.JoinFull, "semi": plan.JoinSemi, "leftsemi": plan.JoinSemi, "anti": plan.JoinAnti, "leftanti": plan.JoinAnti, "cross": plan.JoinCross}

func (d *decoder) asOf(j *pb.AsOfJoin) (plan.Relation, error) {
	left, right, err := d.sides(j.Left, j.Right)
	if err != nil {
		return nil, err
	}
	t, ok := asOfTypes[strings.ReplaceAll(strings.ToLower(j.JoinType), "_", "")]
	if !ok {
		return nil, sparkerr.Analysis("UNSUPPORTED_JOIN_TYPE", "typ", j.JoinType, "supported", "'inner', 'leftouter', 'left'")
	}
	out := &plan.AsOfJoin{Left: left, Right: right, Using: j.UsingColumns, Type: t, Direction: j.Direction, Exact: j.AllowExactMatches}
	for _, e := range []struct {
		from *pb.Expression
		to   *plan.Expr
	}{{j.LeftAsOf, &out.LeftValue}, {j.RightAsOf, &out.RightValue}, {j.JoinExpr, &out.Cond}, {j.Tolerance, &out.Tolerance}} {
		if e.from == nil {
			continue
		}
		if *e.to, err = d.expr(e.from); err != nil {
			return nil, err
		}
	}
	return out, nil
}

func (d *decoder) setOp(s *pb.SetOperation) (plan.Relation, error) {
	left, right, err := d.sides(s.LeftInput, s.RightInput)
	if err != nil {
		return nil, err
	}
	ops := map[pb.SetOperation_SetOpType]string{pb.SetOperation_SET_OP_TYPE_UNION: "union", pb.SetOperation_SET_OP_TYPE_INTERSECT: "intersect", pb.SetOperation_SET_OP_TYPE_EXCEPT: "except"}
	op, ok := ops[s.SetOpType]
	if !ok {
		return nil, badEnum("spark.connect.SetOperation.SetOpType", s.SetOpType)
	}
	return &plan.SetOp{Left: left, Right: right, Op: op, All: s.GetIsAll(), ByName: s.GetByName(), Missing: s.GetAllowMissingColumns()}, nil
}

func (d *decoder) aggregate(a *pb.Aggregate) (plan.Relation, error) {
	in, err := d.relation(a.Input)
	if err != nil {
		return nil, err
	}
	kinds := map[pb.Aggregate_GroupType]string{pb.Aggregate_GROUP_TYPE_GROUPBY: "groupby", pb.Aggregate_GROUP_TYPE_ROLLUP: "rollup",
		pb.Aggregate_GROUP_TYPE_CUBE: "cube", pb.Aggregate_GROUP_TYPE_PIVOT: "pivot", pb.Aggregate_GROUP_TYPE_GROUPING_SETS: "sets"}
	out := &plan.Aggregate{Input: in, Kind: kinds[a.GroupType]}
	if out.Kind == "" {
		return nil, badEnum("spark.connect.Aggregate.GroupType", a.GroupType)
	}
	if out.Group, err = d.exprs(a.GroupingExpressions); err != nil {
		return nil, err
	}
	if out.Aggs, err = d.exprs(a.AggregateExpressions); err != nil {
		return nil, err
	}
	for _, s := range a.GroupingSets {
		es, err := d.exprs(s.GroupingSet)
		if err != nil {
			return nil, err
		}
		out.Sets = append(out.Sets, es)
	}
	if a.Pivot != nil {
		if out.PivotCol, err = d.expr(a.Pivot.Col); err != nil {
			return nil, err
		}
		vals, err := plainLiterals(a.Pivot.Values)
		if err != nil {
			return nil, err
		}
		for _, v := range vals {
			out.PivotValues = append(out.PivotValues, v)
		}
	}
	return out, nil
}
