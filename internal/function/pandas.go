package function

import (
	"fmt"

	"github.com/millpond/millpond/internal/plan"
	"github.com/millpond/millpond/internal/types"
)

// pandas are the functions that only the pandas API calls: moments with a chosen number of
// degrees of freedom, modes, ids of rows.
func pandas() []Row {
	moment := func(name, of, finish string) Row {
		return Row{Name: name, Kind: Aggregate, Args: "d i", Result: is(types.Double), Build: func(a []Arg) string {
			n := call("count", a[0].SQL)
			return fmt.Sprintf("(CASE WHEN %s > %s THEN %s(%s * %s / (%s - %s)) END)", n, a[1].SQL, finish, call(of, a[0].SQL), n, n, a[1].SQL)
		}}
	}
	// A shape needs enough values, and is 0 where all are equal.
	shape := func(name, of string, least int) Row {
		return Row{Name: name, Kind: Aggregate, Args: "d", Result: is(types.Double),
			SQL: fmt.Sprintf("(CASE WHEN %s < %d THEN NULL WHEN %s = 0 THEN 0 ELSE %s END)", call("count", "{0}"), least, call("var_pop", "{0}"), call(of, "{0}"))}
	}
	return []Row{
		moment("pandas_stddev", "var_pop", "sqrt"), moment("pandas_var", "var_pop", ""),
		shape("pandas_skew", "skewness", 3), shape("pandas_kurt", "kurtosis", 4),
		{Name: "pandas_covar", Kind: Aggregate, Args: "d d i", Result: is(types.Double), Build: func(a []Arg) string {
			n := call("regr_count", a[0].SQL+", "+a[1].SQL)
			return fmt.Sprintf("(CASE WHEN %s > %s THEN %s * %s / (%s - %s) END)", n, a[2].SQL, call("covar_pop", a[0].SQL+", "+a[1].SQL), n, n, a[2].SQL)
		}},
		{Name: "pandas_product", Kind: Aggregate, Args: "n b", Result: productType, Build: func(a []Arg) string {
			text := "CAST(" + call("product", "CAST("+a[0].SQL+" AS DOUBLE)") + " AS " + TypeSQL(a[0].Parsed) + ")"
			if a[1].Const != nil && a[1].Const.Value == true {
				return text
			}
			return "(CASE WHEN " + call("count", "CASE WHEN "+a[0].SQL+" IS NULL THEN 1 END") + " = 0 THEN " + text + " END)"
		}},
		{Name: "ewm", Kind: Aggregate, Args: "d d b", Result: is(types.Double), SQL: call("spark_ewm", "{0}, {1}, {2}")},
		{Name: "pandas_mode", Kind: Aggregate, Args: "a b", Result: listOfValues, Null: neverNull, Build: mode},
		{Name: "distributed_id", Result: is(types.Long), Null: neverNull, SQL: "(row_number() OVER () - 1)"},
		{Name: "collect_top_k", Kind: Aggregate, Args: "a i b", Result: listOfNoNull(0), Null: neverNull, Build: func(a []Arg) string {
			order := "DESC"
			if a[2].Const != nil && a[2].Const.Value == true {
				order = "ASC"
			}
			return "coalesce(list_slice(list_sort(" + callWhere("list", a[0].SQL, a[0].SQL+" IS NOT NULL") + ", '" + order + "'), 1, " + a[1].SQL + "), [])"
		}},
	}
}

func productType(a []plan.Value) (types.Type, error) {
	if types.IsIntegral(a[0].Type()) {
		return types.Long, nil
	}
	return types.Double, nil
}

func listOfValues(a []plan.Value) (types.Type, error) {
	return types.Array{Elem: a[0].Type(), ContainsNull: true}, nil
}

// mode lists the most frequent values; null is one of them if it is to count.
func mode(a []Arg) string {
	counts := call("histogram", a[0].SQL)
	nulls := call("count", "CASE WHEN "+a[0].SQL+" IS NULL THEN 1 END")
	most := "coalesce(list_max(map_values(" + counts + ")), 0)"
	top := "coalesce(list_sort(list_transform(list_filter(map_entries(" + counts + "), lambda e: e.value = " + most + "), lambda e: e.key)), [])"
	if a[1].Const != nil && a[1].Const.Value == true {
		return top
	}
	return "(CASE WHEN " + nulls + " > " + most + " THEN [NULL] WHEN " + nulls + " = " + most + " AND " + nulls + " > 0 THEN list_prepend(NULL, " + top + ") ELSE " + top + " END)"
}

// FrequentItems is the SQL of the values that come more often than once in most rows, or all of
// them if there are no more than that.
func FrequentItems(col string, most int) string {
	counts := "histogram(" + col + ")"
	null := "count(CASE WHEN " + col + " IS NULL THEN 1 END)"
	all := fmt.Sprintf("list_transform(list_filter(map_entries(%s), lambda e: len(map_keys(%s)) <= %d OR e.value * %d > count(*)), lambda e: e.key)", counts, counts, most, most)
	return "coalesce((CASE WHEN " + null + " > 0 THEN list_append(" + all + ", NULL) ELSE " + all + " END), [])"
}
