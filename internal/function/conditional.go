package function

import (
	"strings"

	"github.com/millpond/millpond/internal/plan"
	"github.com/millpond/millpond/internal/types"
)

func conditionals() []Row {
	return []Row{
		{Name: "when", Coerce: caseWhen, Result: last2, Null: nullOfValues, Build: buildCase},
		{Name: "if", Aliases: "iff", Coerce: ifArgs, Result: same(1), Null: nullOfValues, SQL: "(CASE WHEN {0} THEN {1} ELSE {2} END)"},
		{Name: "coalesce", Args: "c*", Result: same(0), Null: nullIfAll, SQL: "coalesce({*})"},
		{Name: "ifnull", Aliases: "nvl", Args: "c c", Result: same(0), Null: nullIfAll, SQL: "coalesce({0}, {1})"},
		{Name: "nvl2", Args: "a c c", Result: same(1), Null: nullOfValues, SQL: "(CASE WHEN {0} IS NOT NULL THEN {1} ELSE {2} END)"},
		{Name: "nullif", Args: "c c", Result: same(0), Null: maybeNull, SQL: "nullif({0}, {1})"},
		{Name: "nullifzero", Args: "n", Result: same(0), Null: maybeNull, SQL: "nullif({0}, 0)"},
		{Name: "zeroifnull", Args: "n", Result: same(0), Null: neverNull, SQL: "coalesce({0}, 0)"},
		{Name: "isnull", Args: "a", Result: is(types.Boolean), Null: neverNull, SQL: "({0} IS NULL)"},
		{Name: "isnotnull", Args: "a", Result: is(types.Boolean), Null: neverNull, SQL: "({0} IS NOT NULL)"},
		{Name: "isnan", Args: "d", Result: is(types.Boolean), Null: neverNull, SQL: "coalesce(isnan({0}), false)"},
		{Name: "nanvl", Args: "d d", Result: is(types.Double), Null: maybeNull, SQL: "(CASE WHEN isnan({0}) THEN {1} ELSE {0} END)"},
		{Name: "greatest", Coerce: alike("greatest"), Result: same(0), Null: nullIfAll, SQL: "greatest({*})"},
		{Name: "least", Coerce: alike("least"), Result: same(0), Null: nullIfAll, SQL: "least({*})"},
		{Name: "istrue", Args: "b", Result: is(types.Boolean), Null: neverNull, SQL: "({0} IS TRUE)"},
		{Name: "isfalse", Args: "b", Result: is(types.Boolean), Null: neverNull, SQL: "({0} IS FALSE)"},
	}
}

// caseWhen takes condition, value pairs and perhaps a last value: what when(...).otherwise(...) sends.
func ifArgs(a []plan.Value) ([]plan.Value, error) {
	if len(a) > 0 {
		if t := a[0].Type(); t != types.Boolean && t != types.Null {
			return nil, wrongType("IF", 0, a[0], `"BOOLEAN"`)
		}
	}
	return coerceArgs(&Row{Name: "if", Args: "b c c"}, a)
}

func caseWhen(args []plan.Value) ([]plan.Value, error) {
	out := make([]plan.Value, len(args))
	copy(out, args)
	var values []plan.Value
	for i := range args {
		if i%2 == 1 || i == len(args)-1 {
			values = append(values, args[i])
		}
	}
	t, err := CommonType("casewhen", values)
	if err != nil {
		return nil, err
	}
	for i := range out {
		if i%2 == 1 || i == len(args)-1 {
			out[i] = As(out[i], t)
		} else {
			if t := out[i].Type(); t != types.Boolean && t != types.Null {
				return nil, wrongType("CASE WHEN", i, out[i], `"BOOLEAN"`)
			}
			out[i] = As(out[i], types.Boolean)
		}
	}
	return out, nil
}

func last2(a []plan.Value) (types.Type, error) {
	if len(a) > 1 {
		return a[1].Type(), nil
	}
	return types.Null, nil
}

func buildCase(a []Arg) string {
	var b strings.Builder
	b.WriteString("(CASE")
	i := 0
	for ; i+1 < len(a); i += 2 {
		b.WriteString(" WHEN " + a[i].SQL + " THEN " + a[i+1].SQL)
	}
	if i < len(a) {
		b.WriteString(" ELSE " + a[i].SQL)
	}
	return b.String() + " END)"
}
