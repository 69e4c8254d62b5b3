package compile

import (
	"github.com/millpond/millpond/internal/function"
	"github.com/millpond/millpond/internal/plan"
	"github.com/millpond/millpond/internal/sparkerr"
	"github.com/millpond/millpond/internal/types"
)

// alternatives are the functions that tolerate the overflow of an operator.
var alternatives = map[string]string{"+": "try_add", "-": "try_subtract", "*": "try_multiply"}

// shortText is how long operands may be that are written twice.
const shortText = 500

// arithmetic is that of whole numbers where DuckDB's own does not do. Plain statements leave it
// to DuckDB to notice that a result does not fit, which costs nothing; a careful one, run once that
// has happened, says which operation it was. Without ANSI mode results wrap round.
func (c *compiler) arithmetic(v *plan.Apply, args []string) (string, bool) {
	if !c.Careful && !c.Lenient || !types.IsIntegral(v.Out) || len(args) == 0 {
		return "", false
	}
	for _, a := range v.Args {
		if !types.IsIntegral(a.Type()) {
			return "", false
		}
	}
	wide := "BIGINT"
	if v.Out == types.Long {
		wide = "HUGEINT"
	}
	first := "CAST(" + args[0] + " AS " + wide + ")"
	_, operator := alternatives[v.Func]
	switch {
	case c.Careful && operator && len(args) == 2 && (v.Out == types.Int || v.Out == types.Long): // narrower ones raise by themselves
		return checked("("+first+" "+v.Func+" "+args[1]+")", v), true
	case c.Careful:
	case operator && len(args) == 2:
		round := wrapped("("+first+" "+v.Func+" "+args[1]+")", v.Out)
		if v.Out == types.Long && len(args[0])+len(args[1]) < shortText { // sixteen bytes are slow, and seldom needed
			round = "coalesce(TRY(" + args[0] + " " + v.Func + " " + args[1] + "), " + round + ")"
		}
		return round, true
	case (v.Func == "-" || v.Func == "negative") && len(args) == 1:
		return wrapped("(- "+first+")", v.Out), true
	case v.Func == "abs":
		return wrapped("abs("+first+")", v.Out), true
	case v.Func == "div":
		return wrapped("("+first+" // nullif("+args[1]+", 0))", v.Out), true
	case v.Func == "sum" && v.Args[0].Type() == types.Long:
		return wrapped("CAST("+function.Call("sum", args[0])+" AS HUGEINT)", v.Out), true
	}
	return "", false
}

// checked raises Spark's condition where a wide result does not fit. The lambda names the result, so
// that nested operations do not double their text.
func checked(wide string, v *plan.Apply) string {
	least, most := "-2147483648", "2147483647"
	if v.Out == types.Long {
		least, most = "-9223372036854775808", "9223372036854775807"
	}
	raise := sparkerr.Raise("ARITHMETIC_OVERFLOW", "'overflow'", quoteSQL(" Use '"+alternatives[v.Func]+"' to tolerate overflow and return NULL instead."))
	return "list_transform([" + wide + "], lambda w: CASE WHEN w NOT BETWEEN " + least + " AND " + most + " THEN " + raise + " ELSE CAST(w AS " + TypeSQL(v.Out) + ") END)[1]"
}
