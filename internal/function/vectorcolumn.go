package function

import (
	"fmt"
	"strings"

	"github.com/millpond/millpond/internal/plan"
	"github.com/millpond/millpond/internal/sparkerr"
	"github.com/millpond/millpond/internal/types"
)

// vectorColumns are the functions of columns of machine-learning vectors.
func vectorColumns() []Row {
	return []Row{
		{Name: "vector_to_array", Args: "a ?s", Coerce: vectorArg, Result: vectorElems, Null: neverNull, Build: vectorToArray},
		{Name: "array_to_vector", Coerce: doublesArg, Result: is(types.Vector), Null: maybeNull, Build: arrayToVector},
		{Name: "aggregate_metrics", Kind: Aggregate, Coerce: summaryArgs, Result: summaryType, Null: neverNull, Build: summary},
		{Name: "unwrap_udt", Coerce: udtArg, Result: func(a []plan.Value) (types.Type, error) { return a[0].Type().(*types.UDT).SQLType, nil }, Build: unwrap},
	}
}

const (
	noVector = "java.lang.IllegalArgumentException: function vector_to_array requires a non-null input argument and input type must be `org.apache.spark.ml.linalg.Vector` or `org.apache.spark.mllib.linalg.Vector`, but got "
	udfName  = "`InternalFunctionRegistration$$$Lambda`"
)

func vectorArg(a []plan.Value) ([]plan.Value, error) {
	if len(a) == 0 || !types.IsAnyVector(a[0].Type()) {
		got := "nothing"
		if len(a) > 0 {
			if got = a[0].Type().SimpleString(); a[0].Type() == types.Null {
				got = "null"
			}
		}
		return nil, sparkerr.New(sparkerr.ClassSpark, "FAILED_EXECUTE_UDF", "functionName", udfName, "signature", got, "result", "array<double>", "reason", noVector+got+".")
	}
	return a, nil
}

func vectorElems(a []plan.Value) (types.Type, error) {
	if len(a) == 2 {
		switch c, _ := Constant(a[1]); c.Value {
		case "float64":
		case "float32":
			return types.Array{Elem: types.Float}, nil
		default:
			return nil, sparkerr.Analysis("INVALID_PARAMETER_VALUE.DTYPE", "parameter", "`dtype`", "functionName", "`vector_to_array`", "invalidValue", `"`+LiteralText(c)+`"`)
		}
	}
	return types.Array{Elem: types.Double}, nil
}

func vectorToArray(a []Arg) string {
	list := fill("(CASE WHEN {0} IS NULL THEN "+failedUDF(types.Physical(types.Vector).SimpleString(), a[0].Parsed.SimpleString(), noVector+"null.")+" WHEN {0}['type'] = 1 THEN {0}['values'] ELSE "+
		"list_transform(range(0, {0}['size']), lambda i: coalesce({0}['values'][list_position({0}['indices'], CAST(i AS INTEGER))], 0.0)) END)", a)
	if types.Equal(a[0].Parsed, types.Array{Elem: types.Float}) {
		return "CAST(" + list + " AS FLOAT[])"
	}
	return list
}

func failedUDF(in, out, reason string) string {
	text := func(s string) string { return Quote(s) }
	return sparkerr.Raise("FAILED_EXECUTE_UDF", text(udfName), text(in), text(out), text(reason))
}

func doublesArg(a []plan.Value) ([]plan.Value, error) {
	if len(a) != 1 {
		return coerceArgs(&Row{Name: "array_to_vector", Args: "A"}, a)
	}
	l, ok := a[0].Type().(types.Array)
	if !ok || !types.IsNumeric(l.Elem) {
		elem := a[0].Type()
		if ok {
			elem = l.Elem
		}
		return nil, sparkerr.Analysis("CANNOT_UP_CAST_DATATYPE", "expression", "array element", "sourceType", `"`+elem.SQL()+`"`, "targetType", `"DOUBLE"`,
			"details", "The type path of the target object is:\n- array element class: \"double\"\n- root class: \"scala.collection.immutable.Seq\"\nYou can either add an explicit cast to the input data or choose a higher precision type of the field in the target object")
	}
	return []plan.Value{As(a[0], types.Array{Elem: types.Double, ContainsNull: l.ContainsNull})}, nil
}

func arrayToVector(a []Arg) string {
	failed := func(reason string) string {
		return failedUDF("array<double>", types.Physical(types.Vector).SimpleString(), reason)
	}
	return fill("(CASE WHEN {0} IS NULL THEN "+failed(`java.lang.NullPointerException: Cannot invoke "scala.collection.immutable.Seq.toArray(scala.reflect.ClassTag)" because "array" is null`)+
		" WHEN list_count({0}) < len({0}) THEN "+failed("org.apache.spark.SparkRuntimeException: [NOT_NULL_ASSERT_VIOLATION] NULL value appeared in non-nullable field.")+
		` ELSE struct_pack("type" := 1::TINYINT, "size" := NULL::INTEGER, "indices" := NULL::INTEGER[], "values" := {0}) END)`, a)
}

// unwrap gives the parts of a user-defined type the names that a struct's have.
func unwrap(a []Arg) string {
	s, ok := a[0].Parsed.(types.Struct)
	if !ok {
		return a[0].SQL
	}
	parts := make([]string, len(s.Fields))
	for i := range parts {
		parts[i] = fmt.Sprintf("f%d := struct_extract_at(%s, %d)", i, a[0].SQL, i+1)
	}
	return "(CASE WHEN " + a[0].SQL + " IS NOT NULL THEN struct_pack(" + strings.Join(parts, ", ") + ") END)"
}

func udtArg(a []plan.Value) ([]plan.Value, error) {
	if len(a) != 1 {
		return coerceArgs(&Row{Name: "unwrap_udt", Args: "a"}, a)
	}
	if _, ok := a[0].Type().(*types.UDT); !ok {
		return nil, sparkerr.New(sparkerr.ClassExtendedAnalysis, "DATATYPE_MISMATCH.UNEXPECTED_INPUT_TYPE", "sqlExpr", `"unwrap_udt(`+Describe(a[0])+`)"`, "paramIndex", "first",
			"inputSql", `"`+Describe(a[0])+`"`, "inputType", `"`+a[0].Type().SQL()+`"`, "requiredType", `"USERDEFINEDTYPE"`)
	}
	return a, nil
}
