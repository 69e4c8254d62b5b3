package function

import (
	"strconv"

	"github.com/millpond/millpond/internal/plan"
	"github.com/millpond/millpond/internal/types"
)

// histogramArgs are values, text as numbers, and how many bins there may be.
func histogramArgs(args []plan.Value) ([]plan.Value, error) {
	a, err := coerceArgs(&Row{Name: "histogram_numeric", Args: "a i"}, args)
	if err == nil && types.IsString(a[0].Type()) {
		a[0] = As(a[0], types.Double)
	}
	return a, err
}

// histogramType is a list of bins: where each is, in the type of the values, and how much it holds.
func histogramType(a []plan.Value) (types.Type, error) {
	if n, ok := constantNumber(a[1]); ok && n < 2 {
		return nil, outOfRange("histogram_numeric", a, "nb", "[2, 2147483647]", strconv.FormatFloat(n, 'f', -1, 64))
	}
	return types.Array{Elem: types.Struct{Fields: []types.Field{{Name: "x", Type: a[0].Type(), Nullable: true}, {Name: "y", Type: types.Double, Nullable: true}}}, ContainsNull: true}, nil
}

// histogram reckons with doubles; dates are days, and times microseconds.
func histogram(a []Arg) string {
	value, back := "CAST({0} AS DOUBLE)", "CAST(x AS "+TypeSQL(a[0].Type)+")"
	switch {
	case types.IsIntegral(a[0].Type):
		back = "CAST(trunc(x) AS " + TypeSQL(a[0].Type) + ")"
	case a[0].Type == types.Date:
		value, back = "CAST({0} - DATE '1970-01-01' AS DOUBLE)", "(DATE '1970-01-01' + CAST(trunc(x) AS INTEGER))"
	case types.IsDatetime(a[0].Type):
		value, back = "CAST(epoch_us({0}) AS DOUBLE)", "CAST(make_timestamp(CAST(trunc(x) AS BIGINT)) AS "+TypeSQL(a[0].Type)+")"
		if a[0].Type == types.Timestamp {
			back = "make_timestamptz(CAST(trunc(x) AS BIGINT))"
		}
	}
	bins := fill(call("spark_histogram", value+", {1}"), a)
	return "list_transform([" + bins + "], lambda h: list_transform(range(0, len(h) // 2), lambda i: list_transform([h[2 * i + 1]], lambda x: struct_pack(f0 := " +
		back + ", f1 := h[2 * i + 2]))[1]))[1]"
}

func floats([]plan.Value) (types.Type, error) { return types.Array{Elem: types.Float}, nil }

// floatsArg demands an array of floats.
func floatsArg(name string) func([]plan.Value) ([]plan.Value, error) {
	return demand(name, `"ARRAY<FLOAT>"`, func(t types.Type) bool {
		l, ok := t.(types.Array)
		return ok && l.Elem == types.Float
	})
}

func bytesArg(name string) func([]plan.Value) ([]plan.Value, error) {
	return demand(name, `"BINARY"`, func(t types.Type) bool { return t == types.Binary })
}

// demand is for functions of one argument that take one type, and cast nothing to it.
func demand(name, want string, fits func(types.Type) bool) func([]plan.Value) ([]plan.Value, error) {
	return func(a []plan.Value) ([]plan.Value, error) {
		if len(a) != 1 {
			return coerceArgs(&Row{Name: name, Args: "a"}, a)
		}
		if !fits(a[0].Type()) {
			return nil, wrongType(name+"("+Describe(a[0])+")", 0, a[0], want)
		}
		return a, nil
	}
}

// overFloats passes over vectors that hold a null.
func overFloats(name string) func([]Arg) string {
	return func(a []Arg) string {
		return "CAST(" + fill(call(name, "(CASE WHEN list_count({0}) = len({0}) THEN CAST({0} AS DOUBLE[]) END)"), a) + " AS FLOAT[])"
	}
}
