package analyze

import (
	"fmt"
	"strings"

	"github.com/millpond/millpond/internal/function"
	"github.com/millpond/millpond/internal/plan"
	"github.com/millpond/millpond/internal/sparkerr"
	"github.com/millpond/millpond/internal/types"
)

// arguments resolves a call's arguments; lambdas take their parameters' types from those before.
func (x *exprs) arguments(row *function.Row, args []plan.Expr) ([]plan.Value, error) {
	out := make([]plan.Value, len(args))
	for i, arg := range args {
		if n, ok := arg.(*plan.NamedArg); ok {
			arg = n.Value
		}
		var err error
		if l, ok := arg.(*plan.Lambda); ok {
			out[i], err = x.lambda(row, l, out[:i])
		} else {
			out[i], err = x.value(arg)
		}
		if err != nil {
			return nil, err
		}
	}
	return out, nil
}

func (x *exprs) lambda(row *function.Row, l *plan.Lambda, before []plan.Value) (plan.Value, error) {
	if len(before) == 0 {
		return nil, sparkerr.Unsupported("a lambda as the first argument of %s", row.Name)
	}
	shape, err := shapeOf(row, l, before)
	if err != nil {
		return nil, err
	}
	if len(l.Params) > len(shape.Vars) {
		return nil, sparkerr.Analysis("INVALID_LAMBDA_FUNCTION_CALL.NUM_ARGS_MISMATCH", "expectedNumArgs", itoa(len(l.Params)), "actualNumArgs", itoa(len(shape.Vars)))
	}
	x.a.ids++
	own := fmt.Sprintf("l%d", x.a.ids)
	vars := map[string]*plan.LambdaRef{}
	for i, name := range l.Params {
		v := shape.Vars[i]
		vars[name] = &plan.LambdaRef{Name: strings.ReplaceAll(v.SQL, "$", own), T: v.Type, Null: v.Null}
	}
	out := &plan.LambdaFn{Wrap: strings.ReplaceAll(shape.Wrap, "$", own)}
	for _, p := range shape.Params {
		out.Vars = append(out.Vars, &plan.LambdaRef{Name: strings.ReplaceAll(p, "$", own)})
	}
	x.lambdas = append(x.lambdas, vars)
	defer func() { x.lambdas = x.lambdas[:len(x.lambdas)-1] }()
	if out.Body, err = x.value(l.Body); err != nil {
		return nil, err
	}
	if shape.Result != nil {
		out.Body = function.As(out.Body, shape.Result)
	}
	return out, nil
}

// shapeOf is the row's own shape, or that over an array's elements and their places, which DuckDB
// counts from one.
func shapeOf(row *function.Row, l *plan.Lambda, before []plan.Value) (function.LambdaShape, error) {
	if row.Lambda != nil {
		return row.Lambda(before)
	}
	list, ok := before[0].Type().(types.Array)
	if !ok {
		return function.LambdaShape{}, sparkerr.New(sparkerr.ClassExtendedAnalysis, "DATATYPE_MISMATCH.UNEXPECTED_INPUT_TYPE", "sqlExpr", quoted(row.Name), "paramIndex", "first",
			"inputSql", quoted(function.Describe(before[0])), "inputType", quoted(before[0].Type().SQL()), "requiredType", `"ARRAY"`)
	}
	shape := function.LambdaShape{Params: []string{"$"}, Vars: []function.LambdaVar{{SQL: "$", Type: list.Elem, Null: list.ContainsNull},
		{SQL: "CAST($i - 1 AS INTEGER)", Type: types.Int}}}
	if len(l.Params) > 1 {
		shape.Params = append(shape.Params, "$i")
	}
	return shape, nil
}
