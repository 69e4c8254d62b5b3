package connect

import (
	"strings"

	pb "github.com/millpond/millpond/internal/gen/spark/connect"
	"github.com/millpond/millpond/internal/plan"
	"github.com/millpond/millpond/internal/sparkerr"
)

// nameParts splits an unparsed identifier at dots outside backquotes.
func nameParts(s string) []string {
	var parts []string
	var b strings.Builder
	quoted := false
	for i := 0; i < len(s); i++ {
		switch c := s[i]; {
		case c == '`' && quoted && i+1 < len(s) && s[i+1] == '`':
			b.WriteByte('`')
			i++
		case c == '`':
			quoted = !quoted
		case c == '.' && !quoted:
			parts = append(parts, b.String())
			b.Reset()
		default:
			b.WriteByte(c)
		}
	}
	return append(parts, b.String())
}

func (d *decoder) exprs(ps []*pb.Expression) ([]plan.Expr, error) {
	out := make([]plan.Expr, len(ps))
	for i, p := range ps {
		e, err := d.expr(p)
		if err != nil {
			return nil, err
		}
		out[i] = e
	}
	return out, nil
}

// expr reads an expression off the wire, with the place where the user called for it.
func (d *decoder) expr(p *pb.Expression) (plan.Expr, error) {
	if err := d.enter(); err != nil {
		return nil, err
	}
	defer d.leave()
	e, err := d.bareExpr(p)
	if o := p.GetCommon().GetOrigin().GetPythonOrigin(); o != nil && err == nil {
		plan.Place(e, &sparkerr.Context{Call: o.Fragment, CallSite: o.CallSite})
	}
	return e, err
}

func (d *decoder) bareExpr(p *pb.Expression) (plan.Expr, error) {
	switch k := p.GetExprType().(type) {
	case *pb.Expression_Literal_:
		l, err := literal(k.Literal)
		return l, err
	case *pb.Expression_UnresolvedAttribute_:
		a := &plan.Attribute{Parts: nameParts(k.UnresolvedAttribute.UnparsedIdentifier)}
		if id := k.UnresolvedAttribute.PlanId; id != nil {
			a.PlanID, a.HasPlanID = *id, true
		}
		return a, nil
	case *pb.Expression_UnresolvedFunction_:
		f := k.UnresolvedFunction
		args, err := d.exprs(f.Arguments)
		return &plan.Function{Name: f.FunctionName, Args: args, Distinct: f.IsDistinct}, err
	case *pb.Expression_CallFunction:
		args, err := d.exprs(k.CallFunction.Arguments)
		parts := nameParts(k.CallFunction.FunctionName)
		return &plan.Function{Name: parts[len(parts)-1], Args: args}, err
	case *pb.Expression_ExpressionString_:
		return &plan.Text{SQL: k.ExpressionString.Expression}, nil
	case *pb.Expression_UnresolvedStar_:
		s := &plan.Star{}
		if t := k.UnresolvedStar.UnparsedTarget; t != nil {
			s.Target = nameParts(strings.TrimSuffix(*t, ".*"))
		}
		if id := k.UnresolvedStar.PlanId; id != nil {
			s.PlanID, s.HasPlanID = *id, true
		}
		return s, nil
	case *pb.Expression_UnresolvedRegex_:
		r := &plan.Regex{Pattern: k.UnresolvedRegex.ColName}
		if id := k.UnresolvedRegex.PlanId; id != nil {
			r.PlanID, r.HasPlanID = *id, true
		}
		return r, nil
	case *pb.Expression_Alias_:
		e, err := d.alias(k.Alias)
		return e, err
	case *pb.Expression_Cast_:
		return d.cast(k.Cast)
	case *pb.Expression_SortOrder_:
		o, err := d.order(k.SortOrder)
		return o, err
	}
	return d.rareExpr(p)
}

func (d *decoder) rareExpr(p *pb.Expression) (plan.Expr, error) {
	switch k := p.GetExprType().(type) {
	case *pb.Expression_LambdaFunction_:
		body, err := d.expr(k.LambdaFunction.Function)
		l := &plan.Lambda{Body: body}
		for _, a := range k.LambdaFunction.Arguments {
			l.Params = append(l.Params, strings.Join(a.NameParts, "."))
		}
		return l, err
	case *pb.Expression_UnresolvedNamedLambdaVariable_:
		return &plan.LambdaVar{Name: strings.Join(k.UnresolvedNamedLambdaVariable.NameParts, ".")}, nil
	case *pb.Expression_Window_:
		return d.window(k.Window)
	case *pb.Expression_UnresolvedExtractValue_:
		child, err := d.expr(k.UnresolvedExtractValue.Child)
		if err != nil {
			return nil, err
		}
		key, err := d.expr(k.UnresolvedExtractValue.Extraction)
		return &plan.Extract{Child: child, Key: key}, err
	case *pb.Expression_UpdateFields_:
		s, err := d.expr(k.UpdateFields.StructExpression)
		if err != nil {
			return nil, err
		}
		u := &plan.UpdateFields{Struct: s, Field: k.UpdateFields.FieldName}
		if k.UpdateFields.ValueExpression != nil {
			u.Value, err = d.expr(k.UpdateFields.ValueExpression)
		}
		return u, err
	case *pb.Expression_CommonInlineUserDefinedFunction:
		return d.udf(k.CommonInlineUserDefinedFunction)
	case *pb.Expression_NamedArgumentExpression:
		v, err := d.expr(k.NamedArgumentExpression.Value)
		return &plan.NamedArg{Key: k.NamedArgumentExpression.Key, Value: v}, err
	case *pb.Expression_SubqueryExpression:
		return d.subquery(k.SubqueryExpression)
	case nil:
		return nil, notSet("spark.connect.Expression", "EXPRTYPE_NOT_SET")
	}
	return nil, sparkerr.Unsupported("the expression %s", strings.TrimPrefix(typeName(p.GetExprType()), "Expression_"))
}

func (d *decoder) alias(a *pb.Expression_Alias) (plan.AliasExpr, error) {
	e, err := d.expr(a.Expr)
	return plan.AliasExpr{Expr: e, Names: a.Name, Metadata: a.GetMetadata()}, err
}

func (d *decoder) cast(c *pb.Expression_Cast) (plan.Expr, error) {
	e, err := d.expr(c.Expr)
	if err != nil {
		return nil, err
	}
	out := &plan.Cast{Expr: e}
	switch t := c.CastToType.(type) {
	case *pb.Expression_Cast_Type:
		if out.Type, err = typeFromProto(t.Type); err != nil {
			return nil, err
		}
	case *pb.Expression_Cast_TypeStr:
		out.TypeText = t.TypeStr
	}
	if c.EvalMode == pb.Expression_Cast_EVAL_MODE_TRY {
		out.Mode = "try"
	}
	return out, nil
}

func (d *decoder) order(o *pb.Expression_SortOrder) (plan.SortOrder, error) {
	e, err := d.expr(o.Child)
	out := plan.SortOrder{Expr: e, Desc: o.Direction == pb.Expression_SortOrder_SORT_DIRECTION_DESCENDING}
	switch o.NullOrdering {
	case pb.Expression_SortOrder_SORT_NULLS_FIRST:
		out.NullsFirst = true
	case pb.Expression_SortOrder_SORT_NULLS_LAST:
	default:
		out.NullsFirst = !out.Desc
	}
	return out, err
}

func (d *decoder) orders(os []*pb.Expression_SortOrder) ([]plan.SortOrder, error) {
	out := make([]plan.SortOrder, len(os))
	for i, o := range os {
		x, err := d.order(o)
		if err != nil {
			return nil, err
		}
		out[i] = x
	}
	return out, nil
}

func (d *decoder) window(w *pb.Expression_Window) (plan.Expr, error) {
	fn, err := d.expr(w.WindowFunction)
	if err != nil {
		return nil, err
	}
	out := &plan.Window{Func: fn}
	if out.Partition, err = d.exprs(w.PartitionSpec); err != nil {
		return nil, err
	}
	if out.Order, err = d.orders(w.OrderSpec); err != nil {
		return nil, err
	}
	if f := w.FrameSpec; f != nil {
		frame := &plan.Frame{Rows: f.FrameType == pb.Expression_Window_WindowFrame_FRAME_TYPE_ROW}
		if frame.Lower, err = d.bound(f.Lower); err != nil {
			return nil, err
		}
		if frame.Upper, err = d.bound(f.Upper); err != nil {
			return nil, err
		}
		out.Frame = frame
	}
	return out, nil
}

func (d *decoder) bound(b *pb.Expression_Window_WindowFrame_FrameBoundary) (plan.Bound, error) {
	switch k := b.GetBoundary().(type) {
	case *pb.Expression_Window_WindowFrame_FrameBoundary_Unbounded:
		return plan.Bound{Unbounded: true}, nil
	case *pb.Expression_Window_WindowFrame_FrameBoundary_Value:
		e, err := d.expr(k.Value)
		return plan.Bound{Offset: e}, err
	}
	return plan.Bound{}, nil
}

func (d *decoder) udf(f *pb.CommonInlineUserDefinedFunction) (*plan.PythonUDF, error) {
	p := f.GetPythonUdf()
	if p == nil {
		return nil, sparkerr.Unsupported("functions of Scala and Java")
	}
	t, err := typeFromProto(p.OutputType)
	if err != nil {
		return nil, err
	}
	out := &plan.PythonUDF{Name: f.FunctionName, Type: t, EvalType: int(p.EvalType), Command: p.Command, PythonVer: p.PythonVer,
		Deterministic: f.Deterministic, Distinct: f.IsDistinct, Includes: p.AdditionalIncludes}
	for _, a := range f.Arguments {
		e, err := d.expr(a)
		if err != nil {
			return nil, err
		}
		name := ""
		if n, ok := e.(*plan.NamedArg); ok {
			name, e = n.Key, n.Value
		}
		out.Args, out.Names = append(out.Args, e), append(out.Names, name)
	}
	return out, nil
}

func (d *decoder) subquery(s *pb.SubqueryExpression) (plan.Expr, error) {
	kinds := map[pb.SubqueryExpression_SubqueryType]string{pb.SubqueryExpression_SUBQUERY_TYPE_SCALAR: "scalar",
		pb.SubqueryExpression_SUBQUERY_TYPE_EXISTS: "exists", pb.SubqueryExpression_SUBQUERY_TYPE_IN: "in"}
	kind, ok := kinds[s.SubqueryType]
	if !ok {
		return nil, sparkerr.Unsupported("the subquery %s", s.SubqueryType)
	}
	vals, err := d.exprs(s.InSubqueryValues)
	return &plan.Subquery{Kind: kind, PlanID: s.PlanId, Values: vals}, err
}
