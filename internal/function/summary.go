package function

import (
	"fmt"
	"slices"
	"strings"

	"github.com/millpond/millpond/internal/native"
	"github.com/millpond/millpond/internal/plan"
	"github.com/millpond/millpond/internal/sparkerr"
	"github.com/millpond/millpond/internal/types"
)

// summaryArgs are the metrics' names, vectors and their weights.
func summaryArgs(a []plan.Value) ([]plan.Value, error) {
	if len(a) != 3 {
		return nil, sparkerr.Analysis("FAILED_FUNCTION_CALL", "funcName", "`aggregate_metrics`")
	}
	if !types.IsVector(a[1].Type()) {
		return nil, sparkerr.New(sparkerr.ClassExtendedAnalysis, "DATATYPE_MISMATCH.UNEXPECTED_INPUT_TYPE",
			"sqlExpr", `"aggregate_metrics(`+Describe(a[1])+", "+Describe(a[2])+`)"`, "paramIndex", "first", "inputSql", `"`+Describe(a[1])+`"`,
			"inputType", `"`+a[1].Type().SQL()+`"`, "requiredType", `UDT("`+types.Physical(types.Vector).SQL()+`")`)
	}
	return []plan.Value{a[0], a[1], As(a[2], types.Double)}, nil
}

// metricNames reads the names; the type of the answer depends on them.
func metricNames(v plan.Value) ([]string, error) {
	list, ok := v.(*plan.Apply)
	if !ok || list.Func != "array" {
		return nil, sparkerr.Analysis("FAILED_FUNCTION_CALL", "funcName", "`aggregate_metrics`")
	}
	var names []string
	for _, x := range list.Args {
		c, _ := Constant(x)
		name, _ := c.Value.(string)
		if name != "count" && !slices.Contains(native.Metrics, name) {
			return nil, sparkerr.Analysis("FAILED_FUNCTION_CALL", "funcName", "`aggregate_metrics`")
		}
		names = append(names, name)
	}
	if len(names) == 0 {
		return nil, sparkerr.Unsupported("a summary of no metrics")
	}
	return names, nil
}

func summaryType(a []plan.Value) (types.Type, error) {
	names, err := metricNames(a[0])
	if err != nil {
		return nil, err
	}
	out := types.Struct{}
	for _, name := range names {
		f := types.Field{Name: name, Type: types.Vector}
		if name == "count" {
			f.Type = types.Long
		}
		out.Fields = append(out.Fields, f)
	}
	return out, nil
}

// summary cuts the metrics that are wanted out of the list that holds all of them.
func summary(a []Arg) string {
	fields, counted := a[0].Parsed.(types.Struct).Fields, true
	parts := make([]string, len(fields))
	for i, f := range fields {
		value := "CAST(s[-1] AS BIGINT)"
		if k := slices.Index(native.Metrics, f.Name); k >= 0 {
			counted = false
			size := fmt.Sprintf("((len(s) - 1) // %d)", len(native.Metrics))
			value = fmt.Sprintf(`struct_pack("type" := 1::TINYINT, "size" := NULL::INTEGER, "indices" := NULL::INTEGER[], "values" := list_slice(s, %d * %s + 1, %d * %s))`, k, size, k+1, size)
		}
		parts[i] = fmt.Sprintf("f%d := %s", i, value)
	}
	made := "struct_pack(" + strings.Join(parts, ", ") + ")"
	if !counted {
		made = "CASE WHEN s[-1] = 0 THEN " + sparkerr.RaiseThrown(sparkerr.ClassSpark,
			"Job aborted due to stage failure: java.lang.IllegalArgumentException: requirement failed: Nothing has been added to this summarizer.") + " ELSE " + made + " END"
	}
	return "list_transform([" + call("spark_summary", a[1].SQL+", "+a[2].SQL) + "], lambda s: " + made + ")[1]"
}
