package function

import (
	"fmt"
	"strings"

	"github.com/millpond/millpond/internal/plan"
	"github.com/millpond/millpond/internal/sparkerr"
	"github.com/millpond/millpond/internal/types"
)

// moreAggregates are the rarer aggregates.
func moreAggregates() []Row {
	pair := func(name, sql string) Row {
		return Row{Name: name, Kind: Aggregate, Args: "d d", Result: is(types.Double), SQL: sql}
	}
	// Only pairs without a null count.
	both := func(f, arg string) string { return callWhere(f, arg, "{0} IS NOT NULL AND {1} IS NOT NULL") }
	return []Row{
		pair("regr_avgx", both("avg", "{1}")), pair("regr_avgy", both("avg", "{0}")), pair("regr_sxx", call("regr_sxx", "{0}, {1}")),
		pair("regr_sxy", call("regr_sxy", "{0}, {1}")), pair("regr_syy", call("regr_syy", "{0}, {1}")),
		{Name: "listagg", Aliases: "string_agg", Kind: Aggregate, Args: "a ?a", Result: listaggType, Build: func(a []Arg) string {
			if a[0].Type == types.Binary {
				return listaggBytes(a)
			}
			sep := "''"
			if len(a) == 2 && (a[1].Const == nil || a[1].Const.Value != nil) {
				sep = a[1].SQL
			}
			return "array_to_string(" + callWhere("list", "CAST("+a[0].SQL+" AS VARCHAR)", a[0].SQL+" IS NOT NULL") + ", " + sep + ")"
		}},
		{Name: "mode", Kind: Aggregate, Args: "a ?b", Result: same(0), Build: func(a []Arg) string {
			if len(a) == 2 && a[1].Const != nil && a[1].Const.Value == true {
				return call("mode", a[0].SQL+" ORDER BY "+a[0].SQL)
			}
			return call("mode", a[0].SQL)
		}},
		{Name: "max_by", Kind: Aggregate, Args: "a a ?i", Result: byType, Build: by("max_by")},
		{Name: "min_by", Kind: Aggregate, Args: "a a ?i", Result: byType, Build: by("min_by")},
		{Name: "percentile", Kind: Aggregate, Args: "d a ?l", Result: percentileType(types.Double), Build: func(a []Arg) string {
			if len(a) == 3 {
				list := "flatten(" + callWhere("list", "list_transform(range("+a[2].SQL+"), lambda i: "+a[0].SQL+")", a[0].SQL+" IS NOT NULL") + ")"
				if _, many := a[1].Type.(types.Array); many {
					return "list_transform(" + a[1].SQL + ", lambda p: " + listQuantile(list, "p") + ")"
				}
				return listQuantile(list, a[1].SQL)
			}
			return call("quantile_cont", a[0].SQL+", "+quantiles(a[1]))
		}},
		{Name: "percentile_cont", Kind: Aggregate, Args: "d d", Result: percentileType(types.Double), SQL: call("quantile_cont", "{0}, {1}")},
		{Name: "percentile_disc", Kind: Aggregate, Args: "n d", Result: percentileType(nil), SQL: call("quantile_disc", "{0}, {1}")},
		{Name: "try_sum", Kind: Aggregate, Args: "n", Result: sumType, Null: maybeNull, Build: func(a []Arg) string { return trySum(a) }},
		{Name: "try_avg", Kind: Aggregate, Args: "n", Result: avgType, Null: maybeNull, Build: func(a []Arg) string { return tryAverage(a) }},
		{Name: "bitmap_construct_agg", Kind: Aggregate, Args: "l", Result: is(types.Binary), Null: neverNull, SQL: call("spark_bitmap", "{0}")},
		{Name: "bitmap_or_agg", Kind: Aggregate, Coerce: bytesArg("bitmap_or_agg"), Result: is(types.Binary), Null: neverNull, SQL: call("spark_bitmap_or", "{0}")},
		{Name: "bitmap_and_agg", Kind: Aggregate, Coerce: bytesArg("bitmap_and_agg"), Result: is(types.Binary), Null: neverNull, SQL: call("spark_bitmap_and", "{0}")},
		{Name: "collect_union", Kind: Aggregate, Args: "A", Result: func(a []plan.Value) (types.Type, error) {
			return types.Array{Elem: a[0].Type().(types.Array).Elem}, nil
		}, Null: neverNull, SQL: "coalesce(list_distinct(flatten(" + callWhere("list", "{0}", "{0} IS NOT NULL") + ")), [])"},
		{Name: "vector_sum", Kind: Aggregate, Coerce: floatsArg("vector_sum"), Result: floats, Build: overFloats("spark_vector_sum")},
		{Name: "vector_avg", Kind: Aggregate, Coerce: floatsArg("vector_avg"), Result: floats, Build: overFloats("spark_vector_avg")},
		{Name: "histogram_numeric", Kind: Aggregate, Coerce: histogramArgs, Result: histogramType, Build: histogram},
		{Name: "bitmap_count", Args: "B", Result: is(types.Long), SQL: "CAST(bit_count(CAST({0} AS BIT)) AS BIGINT)"},
	}
}

// trySum is null where the sum does not fit.
func trySum(a []Arg) string {
	total := call("sum", a[0].SQL)
	if d, ok := a[0].Type.(types.Decimal); ok {
		t := sumDecimal(d)
		return fmt.Sprintf("(CASE WHEN abs(%s) < 1e%d THEN TRY_CAST(%s AS %s) END)", call("sum", "CAST("+a[0].SQL+" AS DOUBLE)"), t.Precision-t.Scale, total, t.SQL())
	}
	if types.IsIntegral(a[0].Type) {
		return "TRY_CAST(" + total + " AS BIGINT)"
	}
	return sum(a)
}

func tryAverage(a []Arg) string {
	if d, ok := a[0].Type.(types.Decimal); ok {
		return decimalCall("/", call("sum", a[0].SQL), "nullif("+call("count", a[0].SQL)+", 0)", averageDecimal(d), true)
	}
	return average(a)
}

// listQuantile interpolates in a list.
func listQuantile(list, p string) string {
	sorted := "list_sort(" + list + ")"
	at := "((len(" + list + ") - 1) * " + p + ")"
	low, high := sorted+"[CAST(floor("+at+") AS INTEGER) + 1]", sorted+"[CAST(ceil("+at+") AS INTEGER) + 1]"
	return "(" + low + " + (" + at + " - floor(" + at + ")) * (" + high + " - " + low + "))"
}

func listaggType(a []plan.Value) (types.Type, error) {
	if a[0].Type() != types.Binary {
		return types.String, nil
	}
	if len(a) == 2 && a[1].Type() != types.Binary && a[1].Type() != types.Null {
		return nil, sparkerr.New(sparkerr.ClassExtendedAnalysis, "DATATYPE_MISMATCH.DATA_DIFF_TYPES", "sqlExpr", `"listagg(`+describeAll(a)+`)"`, "functionName", "`listagg`",
			"dataType", `("`+a[0].Type().SQL()+`" or "`+a[1].Type().SQL()+`")`)
	}
	return types.Binary, nil
}

func listaggBytes(a []Arg) string {
	between := ""
	if len(a) == 2 && a[1].Type == types.Binary {
		between = a[1].SQL + " || "
	}
	return "list_reduce(" + callWhere("list", a[0].SQL, a[0].SQL+" IS NOT NULL") + ", lambda x, y: x || " + between + "y)"
}

func byType(a []plan.Value) (types.Type, error) {
	if len(a) == 3 {
		return types.Array{Elem: a[0].Type(), ContainsNull: true}, nil
	}
	return a[0].Type(), nil
}

func by(name string) func([]Arg) string {
	return func(a []Arg) string {
		parts := make([]string, len(a))
		for i, x := range a {
			parts[i] = x.SQL
		}
		if len(a) == 3 {
			parts[2] = "CAST(" + parts[2] + " AS BIGINT)"
		}
		return call(name, strings.Join(parts, ", "))
	}
}
