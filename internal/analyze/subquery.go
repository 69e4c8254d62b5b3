package analyze

import (
	"strings"

	"github.com/millpond/millpond/internal/function"
	"github.com/millpond/millpond/internal/plan"
	"github.com/millpond/millpond/internal/sparkerr"
	"github.com/millpond/millpond/internal/types"
)

func (x *exprs) subquery(e *plan.Subquery) (plan.Value, error) {
	q := e.Query
	if q == nil {
		for i := len(x.a.refs) - 1; i >= 0 && q == nil; i-- {
			for _, r := range x.a.refs[i].References {
				if c := plan.CommonOf(r); c.HasPlanID && c.PlanID == e.PlanID {
					q = r
				}
			}
		}
	}
	sub, err := x.a.resolve(x.ctx, q, x.in)
	if err != nil {
		return nil, err
	}
	out := &plan.SubqueryValue{Kind: e.Kind, Query: sub.node(), T: types.Boolean}
	switch e.Kind {
	case "scalar":
		if len(sub.attrs) != 1 {
			return nil, sparkerr.Analysis("INVALID_SUBQUERY_EXPRESSION.SCALAR_SUBQUERY_RETURN_MORE_THAN_ONE_OUTPUT_COLUMN", "number", itoa(len(sub.attrs)))
		}
		out.T = sub.attrs[0].Type
	case "in":
		if err := x.inSubquery(e, sub, out); err != nil {
			return nil, err
		}
	}
	return out, nil
}

// inSubquery pairs the values before IN with the query's columns, under types they share.
func (x *exprs) inSubquery(e *plan.Subquery, sub *rel, out *plan.SubqueryValue) error {
	list := e.Values
	if len(list) == 1 && len(sub.attrs) > 1 {
		if f, ok := list[0].(*plan.Function); ok && f.Name == "struct" {
			list = f.Args
		}
	}
	vals, err := x.values(list)
	if err != nil {
		return err
	}
	if len(vals) != len(sub.attrs) {
		return sparkerr.New(sparkerr.ClassExtendedAnalysis, "DATATYPE_MISMATCH.IN_SUBQUERY_LENGTH_MISMATCH", "sqlExpr", quoted(x.names(list)+" IN (listquery())"),
			"leftLength", itoa(len(vals)), "leftColumns", quoted(x.names(list)), "rightLength", itoa(len(sub.attrs)), "rightColumns", strings.Join(plan.SchemaOf(sub.attrs).Names(), ", "))
	}
	cast := make([]plan.Named, len(vals))
	same := true
	for i, at := range sub.attrs {
		t, ok := types.Common(vals[i].Type(), at.Type)
		if !ok {
			return sparkerr.New(sparkerr.ClassExtendedAnalysis, "DATATYPE_MISMATCH.DATA_DIFF_TYPES", "sqlExpr", quoted(x.names(list)+" IN (listquery())"),
				"functionName", "`in`", "dataType", "("+quoted(vals[i].Type().SQL())+" or "+quoted(at.Type.SQL())+")")
		}
		vals[i] = function.As(vals[i], t)
		cast[i] = plan.Named{Attr: at, Value: plan.Col{Attr: at}}
		if !types.Equal(t, at.Type) {
			same = false
			cast[i] = plan.Named{Attr: x.a.attr(at.Name, t, at.Nullable), Value: function.As(plan.Col{Attr: at}, t)}
		}
	}
	out.Values = vals
	if !same {
		out.Query = &plan.Select{Input: out.Query, Exprs: cast}
	}
	return nil
}
