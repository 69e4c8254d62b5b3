package analyze

import (
	"context"
	"fmt"
	"strings"

	"github.com/millpond/millpond/internal/function"
	"github.com/millpond/millpond/internal/plan"
	"github.com/millpond/millpond/internal/sparkerr"
	"github.com/millpond/millpond/internal/sqlparse"
	"github.com/millpond/millpond/internal/types"
)

// timeWindow is a call of window(time, duration[, slide[, start]]) in a select or grouping list.
type timeWindow struct {
	call                *plan.Function
	size, slide, offset int64 // microseconds
}

// windowColumn finds the time window in lists of expressions, puts its column "window" on the input,
// and answers the lists with the call replaced by that column.
func (a *Analyzer) windowColumn(ctx context.Context, in *rel, lists ...[]plan.Expr) (*rel, [][]plan.Expr, error) {
	var call *plan.Function
	find := func(e plan.Expr) (plan.Expr, bool) {
		if f, ok := e.(*plan.Function); ok && strings.EqualFold(f.Name, "window") {
			if call == nil {
				call = f
			}
			return plan.Name("window"), true
		}
		return nil, false
	}
	out := make([][]plan.Expr, len(lists))
	for i, list := range lists {
		out[i] = make([]plan.Expr, len(list))
		for k, e := range list {
			out[i][k] = mapExpr(e, find)
		}
	}
	if call == nil {
		return in, lists, nil
	}
	w, err := timeWindowOf(call)
	if err != nil {
		return nil, nil, err
	}
	x := a.over(ctx, in)
	at, err := x.value(call.Args[0])
	if err != nil {
		return nil, nil, err
	}
	if !types.IsDatetime(at.Type()) || at.Type() == types.Date {
		at = function.As(at, types.Timestamp)
	}
	named, err := a.addWindow(in, at, w)
	return named, out, err
}

func timeWindowOf(call *plan.Function) (*timeWindow, error) {
	if len(call.Args) < 2 || len(call.Args) > 4 {
		return nil, sparkerr.Analysis("WRONG_NUM_ARGS.WITHOUT_SUGGESTION", "functionName", "`window`", "expectedNum", "[2, 4]", "actualNum", itoa(len(call.Args)), "docroot", "https://spark.apache.org/docs/latest")
	}
	w := &timeWindow{call: call}
	for i, to := range []*int64{&w.size, &w.slide, &w.offset} {
		if i+1 >= len(call.Args) {
			continue
		}
		n, err := duration(call.Args[i+1])
		if err != nil {
			return nil, err
		}
		*to = n
	}
	if len(call.Args) < 3 {
		w.slide = w.size
	}
	switch {
	case w.size <= 0 || w.slide <= 0:
		return nil, sparkerr.Analysis("DATATYPE_MISMATCH.VALUE_OUT_OF_RANGE", "sqlExpr", `"window"`, "exprName", "`window_duration`", "valueRange", "(0, 9223372036854775807]", "currentValue", fmt.Sprintf("%dL", min(w.size, w.slide)))
	case w.slide > w.size:
		return nil, sparkerr.Analysis("DATATYPE_MISMATCH.PARAMETER_CONSTRAINT_VIOLATION", "sqlExpr", `"window"`, "leftExprName", "`slide_duration`", "leftExprValue", fmt.Sprintf("%dL", w.slide),
			"constraint", "<=", "rightExprName", "`window_duration`", "rightExprValue", fmt.Sprintf("%dL", w.size))
	}
	return w, nil
}

// duration reads '10 minutes' or an interval literal as microseconds.
func duration(e plan.Expr) (int64, error) {
	l, ok := e.(plan.Literal)
	if s, isText := l.Value.(string); ok && isText {
		parsed, err := sqlparse.Expression("INTERVAL '" + strings.TrimPrefix(strings.ToLower(strings.ReplaceAll(s, "'", "")), "interval ") + "'")
		if err != nil {
			return 0, sparkerr.Analysis("CANNOT_PARSE_INTERVAL", "intervalString", "'"+s+"'")
		}
		l, ok = parsed.(plan.Literal)
	}
	if !ok {
		return 0, sparkerr.Unsupported("a window duration that is not a literal")
	}
	if _, months := l.Type.(types.YearMonthInterval); months {
		return 0, sparkerr.IllegalArgument("Intervals greater than a month is not supported (%s).", function.LiteralText(l))
	}
	n, ok := l.Value.(int64)
	if !ok {
		return 0, sparkerr.Unsupported("a window duration of type %s", l.Type.SimpleString())
	}
	return n, nil
}

// addWindow appends the windows that a time falls into: one row a window.
func (a *Analyzer) addWindow(in *rel, at plan.Value, w *timeWindow) (*rel, error) {
	t := types.Struct{Fields: []types.Field{{Name: "start", Type: at.Type(), Nullable: true}, {Name: "end", Type: at.Type(), Nullable: true}}}
	isMade := "make_timestamptz"
	if at.Type() == types.TimestampNTZ {
		isMade = "make_timestamp"
	}
	list := &plan.Apply{Func: "window", Args: []plan.Value{at}, Out: types.Array{Elem: t}, Null: true, SQL: func(s []string) string {
		us := "epoch_us(" + s[0] + ")"
		last := fmt.Sprintf("(%s - (((%s - %d) %% %d + %d) %% %d))", us, us, w.offset, w.slide, w.slide, w.slide)
		var parts []string
		for i := (w.size+w.slide-1)/w.slide - 1; i >= 0; i-- {
			from := fmt.Sprintf("(%s - %d)", last, i*w.slide)
			item := fmt.Sprintf("struct_pack(f0 := %s(%s), f1 := %s(%s + %d))", isMade, from, isMade, from, w.size)
			if w.size%w.slide != 0 {
				item = fmt.Sprintf("(CASE WHEN %s + %d > %s THEN %s END)", from, w.size, us, item)
			}
			parts = append(parts, item)
		}
		text := "[" + strings.Join(parts, ", ") + "]"
		if w.size%w.slide != 0 {
			text = "list_filter(" + text + ", lambda e: e IS NOT NULL)"
		}
		return "(CASE WHEN " + s[0] + " IS NULL THEN [] ELSE " + text + " END)"
	}}
	col := a.attr("window", t, false)
	u := &plan.Unnest{Input: in.n, List: list, Cols: []plan.Attr{col}}
	out := *in
	out.n, out.kids, out.hasID = u, []*rel{in}, false
	out.attrs = append(append([]plan.Attr{}, in.attrs...), col)
	return &out, nil
}
