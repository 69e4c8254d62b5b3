package analyze

import (
	"strings"

	"github.com/millpond/millpond/internal/function"
	"github.com/millpond/millpond/internal/plan"
	"github.com/millpond/millpond/internal/sparkerr"
	"github.com/millpond/millpond/internal/types"
)

// call resolves a function call by name.
func (x *exprs) call(e *plan.Function) (plan.Value, error) {
	windowed := x.windowed
	x.windowed = false
	name := strings.ToLower(e.Name)
	if udf := x.a.env.Function(e.Name); udf != nil {
		c := *udf
		c.Args = e.Args
		return x.pythonUDF(&c)
	}
	if f := x.a.env.SQLFunction(e.Name); f != nil {
		return x.sqlFunction(f, e)
	}
	if v, done, err := x.special(name, e); done || err != nil {
		return v, err
	}
	row, ok := x.a.funcs.Lookup(name)
	if !ok {
		return nil, function.Unknown(e.Name)
	}
	args, err := x.arguments(row, e.Args)
	if err != nil {
		return nil, err
	}
	if err := x.checkCall(row, e, args, windowed); err != nil {
		return nil, err
	}
	if !x.a.env.Ansi() {
		args = legacyArgs(row.Name, args)
	}
	v, err := row.Apply(args)
	if err != nil {
		return nil, x.asCalled(err, row, e)
	}
	v.Distinct = e.Distinct
	v.Null = v.Null || mayFail[row.Name] && !x.a.env.Ansi()
	if v.Order, err = x.orders(e.Order); err != nil {
		return nil, err
	}
	if e.Filter != nil {
		if v.Filter, err = x.value(e.Filter); err != nil {
			return nil, err
		}
		if err := x.checkFilter(e.Filter, v.Filter); err != nil {
			return nil, err
		}
	}
	return v, nil
}

// special are the calls that the table cannot say.
func (x *exprs) special(name string, e *plan.Function) (plan.Value, bool, error) {
	switch name {
	case "rand", "random", "randn":
		seed, err := x.seed(e)
		return &plan.Random{Normal: name == "randn", Seed: seed}, true, err
	case "count":
		if len(e.Args) == 1 {
			if isStar(e.Args[0]) {
				v, err := x.call(&plan.Function{Name: "count", Args: []plan.Expr{plan.IntLit(1)}, Filter: e.Filter})
				return v, true, err
			}
		}
	case "struct", "array", "concat", "coalesce", "greatest", "least", "named_struct", "hash", "xxhash64":
		for _, arg := range e.Args {
			if isStar(arg) {
				items, err := x.list(e.Args)
				if err != nil {
					return nil, true, err
				}
				args := make([]plan.Value, len(items))
				for i, it := range items {
					args[i] = it.value
				}
				v, _, err := x.a.funcs.Resolve(name, args)
				return v, true, err
			}
		}
		if name == "struct" {
			v, err := x.structOf(e.Args)
			return v, true, err
		}
	case "spark_partition_id":
		return plan.PartitionID{}, len(e.Args) == 0, nil
	case "monotonically_increasing_id", "distributed_id", "distributed_sequence_id":
		return plan.RowID{}, len(e.Args) == 0 || name == "distributed_sequence_id", nil
	case "assert_true":
		if len(e.Args) == 1 {
			v, err := x.call(&plan.Function{Name: name, Args: []plan.Expr{e.Args[0], plan.StringLit("'" + x.nameOf(e.Args[0]) + "' is not true!")}})
			return v, true, err
		}
	case "current_database", "current_schema":
		return plan.Const{Literal: plan.StringLit(x.a.env.Database())}, true, nil
	}
	return nil, false, nil
}

// isStar says whether an argument is *, which expr("*") may hide in text.
func isStar(e plan.Expr) bool {
	if t, ok := e.(*plan.Text); ok {
		return strings.TrimSpace(t.SQL) == "*"
	}
	_, star := e.(*plan.Star)
	return star
}

func (x *exprs) seed(e *plan.Function) (int64, error) {
	if len(e.Args) == 0 {
		return randomSeed(), nil
	}
	v, err := x.value(e.Args[0])
	if err != nil {
		return 0, err
	}
	c, ok := function.Constant(v)
	if !ok {
		return 0, sparkerr.New(sparkerr.ClassExtendedAnalysis, "SEED_EXPRESSION_IS_UNFOLDABLE", "seedExpr", quoted(x.nameOf(e.Args[0])), "exprWithSeed", quoted(x.nameOf(e)))
	}
	switch n := c.Value.(type) {
	case int32:
		return int64(n), nil
	case int64:
		return n, nil
	case nil:
		return 0, nil
	}
	return 0, sparkerr.New(sparkerr.ClassExtendedAnalysis, "DATATYPE_MISMATCH.UNEXPECTED_INPUT_TYPE", "sqlExpr", quoted(x.nameOf(e)), "paramIndex", "first", "inputSql", quoted(x.nameOf(e.Args[0])),
		"inputType", quoted(c.Type.SQL()), "requiredType", `("INT" or "BIGINT")`)
}

// legacyArgs are a call's arguments without ANSI mode: beside a number in arithmetic or a
// comparison, a text is a double.
func legacyArgs(name string, args []plan.Value) []plan.Value {
	if len(args) != 2 || !legacyOperators[name] {
		return args
	}
	out := append([]plan.Value{}, args...)
	for i, v := range out {
		other := out[1-i].Type()
		if types.IsString(v.Type()) && (types.IsNumeric(other) || types.IsString(other) && arithmeticOperators[name]) {
			out[i] = &plan.Convert{Child: v, To: types.Double, Mode: "try"}
		}
	}
	return out
}

var arithmeticOperators = map[string]bool{"+": true, "-": true, "*": true, "/": true, "%": true}

var legacyOperators = map[string]bool{"+": true, "-": true, "*": true, "/": true, "%": true, "=": true, "<": true, "<=": true, ">": true, ">=": true, "!=": true, "<=>": true}

// mayFail are the functions that answer null without ANSI mode where they fail in it.
var mayFail = map[string]bool{
	"to_timestamp": true, "to_timestamp_ltz": true, "to_timestamp_ntz": true, "to_date": true, "make_date": true, "make_timestamp": true,
	"make_timestamp_ntz": true, "unix_timestamp": true, "to_unix_timestamp": true, "next_day": true, "element_at": true,
}

// sqlFunction puts the arguments into a SQL function's body.
func (x *exprs) sqlFunction(f *plan.SQLFunction, e *plan.Function) (plan.Value, error) {
	args := map[string]plan.Expr{}
	for i, p := range f.Params {
		value := p.Default
		if i < len(e.Args) {
			value = e.Args[i]
		}
		for _, arg := range e.Args {
			if n, ok := arg.(*plan.NamedArg); ok && strings.EqualFold(n.Key, p.Name) {
				value = n.Value
			}
		}
		if value == nil || len(e.Args) > len(f.Params) {
			return nil, sparkerr.Analysis("WRONG_NUM_ARGS.WITHOUT_SUGGESTION", "functionName", types.Quote(f.Name), "expectedNum", itoa(len(f.Params)), "actualNum", itoa(len(e.Args)), "docroot", "https://spark.apache.org/docs/latest")
		}
		args[strings.ToLower(p.Name)] = &plan.Cast{Expr: value, Type: p.Type}
	}
	body := mapExpr(f.Body, func(e plan.Expr) (plan.Expr, bool) {
		at, ok := e.(*plan.Attribute)
		if !ok || len(at.Parts) > 2 || len(at.Parts) == 2 && !strings.EqualFold(at.Parts[0], f.Name) {
			return nil, false
		}
		v, ok := args[strings.ToLower(at.Parts[len(at.Parts)-1])]
		return v, ok
	})
	if f.Returns != nil {
		body = &plan.Cast{Expr: body, Type: f.Returns}
	}
	return x.value(body)
}
