package function

import (
	"fmt"
	"math/big"
	"strconv"
	"strings"
	"time"

	"github.com/millpond/millpond/internal/native"
	"github.com/millpond/millpond/internal/plan"
	"github.com/millpond/millpond/internal/sparkerr"
	"github.com/millpond/millpond/internal/types"
)

// As converts a value to a type under ANSI rules; a value of that type already is left alone.
func As(v plan.Value, t types.Type) plan.Value {
	if types.Equal(v.Type(), t) {
		return v
	}
	return &plan.Convert{Child: v, To: t, Mode: "ansi"}
}

// CommonType finds the type that all values convert to.
func CommonType(name string, vals []plan.Value) (types.Type, error) {
	var t types.Type = types.Null
	for _, v := range vals {
		c, ok := types.Common(t, v.Type())
		if !ok {
			parts := make([]string, len(vals))
			for i, x := range vals {
				parts[i] = `"` + x.Type().SQL() + `"`
			}
			return nil, sparkerr.New(sparkerr.ClassExtendedAnalysis, "DATATYPE_MISMATCH.DATA_DIFF_TYPES",
				"sqlExpr", `"`+name+`"`, "functionName", types.Quote(name), "dataType", "("+strings.Join(parts, " or ")+")")
		}
		t = c
	}
	return t, nil
}

// bounds reads a signature's least and greatest number of arguments (-1: any).
func bounds(sig string) (least, most int, letters []byte) {
	optional := false
	for i := 0; i < len(sig); i++ {
		switch sig[i] {
		case '?':
			optional = true
		case '*':
			if least > 0 && !optional {
				least--
			}
			most = -1
		case ' ':
		default:
			letters = append(letters, sig[i])
			if !optional {
				least++
			}
			if most >= 0 {
				most++
			}
		}
	}
	return least, most, letters
}

func coerceArgs(r *Row, args []plan.Value) ([]plan.Value, error) {
	least, most, letters := bounds(r.Args)
	if len(args) < least || most >= 0 && len(args) > most {
		want := strconv.Itoa(least)
		switch {
		case most < 0:
			want = fmt.Sprintf("> %d", least-1)
		case most > least:
			want = fmt.Sprintf("[%d, %d]", least, most)
		}
		return nil, sparkerr.Analysis("WRONG_NUM_ARGS.WITHOUT_SUGGESTION", "functionName", types.Quote(r.Name),
			"expectedNum", want, "actualNum", strconv.Itoa(len(args)), "docroot", "https://spark.apache.org/docs/latest")
	}
	out := make([]plan.Value, len(args))
	var group []plan.Value
	for i, a := range args {
		letter := letters[min(i, len(letters)-1)]
		if letter == 'c' {
			group = append(group, a)
		}
		v, err := coerceOne(r.Name, letter, i, a)
		if err != nil {
			return nil, err
		}
		out[i] = v
	}
	if len(group) > 0 {
		t, err := CommonType(r.Name, group)
		if err != nil {
			return nil, err
		}
		for i := range out {
			if letters[min(i, len(letters)-1)] == 'c' {
				out[i] = As(out[i], t)
			}
		}
	}
	return out, nil
}

var letterTypes = map[byte]types.Type{'d': types.Double, 'i': types.Int, 'l': types.Long, 's': types.String,
	'b': types.Boolean, 't': types.Timestamp, 'D': types.Date, 'B': types.Binary}

func coerceOne(name string, letter byte, i int, v plan.Value) (plan.Value, error) {
	t := v.Type()
	switch letter {
	case 'a', 'c', 'f':
		return v, nil
	case 'n', 'I':
		switch {
		case types.IsNumeric(t) && (letter == 'n' || types.IsIntegral(t)):
			return v, nil
		case t == types.Null || types.IsString(t):
			if letter == 'I' {
				return As(v, types.Long), nil
			}
			return As(v, types.Double), nil
		}
		return nil, wrongType(name, i, v, `("NUMERIC" or "ANSI INTERVAL")`)
	case 'x':
		switch {
		case types.IsDatetime(t):
			return v, nil
		case types.IsString(t), t == types.Null:
			return As(v, types.Timestamp), nil
		}
		return nil, wrongType(name, i, v, `"DATE"`)
	case 'A':
		if _, ok := t.(types.Array); ok {
			return v, nil
		}
		if t == types.Null {
			return As(v, types.Array{Elem: types.Null}), nil
		}
		return nil, wrongType(name, i, v, `"ARRAY"`)
	case 'M':
		if _, ok := t.(types.Map); ok {
			return v, nil
		}
		return nil, wrongType(name, i, v, `"MAP"`)
	}
	want := letterTypes[letter]
	if types.Equal(t, want) || types.IsString(t) && letter == 's' {
		return v, nil
	}
	if !implicit(t, want) {
		return nil, wrongType(name, i, v, `"`+want.SQL()+`"`)
	}
	return As(v, want), nil
}

// implicit says whether ANSI lets a function's argument be cast without being asked.
func implicit(from, to types.Type) bool {
	switch {
	case from == types.Null:
		return true
	case types.IsString(from):
		return true
	case to == types.String:
		return types.IsNumeric(from) || types.IsDatetime(from) || from == types.Boolean || from == types.Binary
	case types.IsNumeric(from) && types.IsNumeric(to):
		return types.IsFractional(to) || types.IsIntegral(from) && types.IsIntegral(to)
	case types.IsDatetime(from) && types.IsDatetime(to):
		return true
	}
	return false
}

// LiteralText prints a literal as Spark names a column of it.
func LiteralText(l plan.Literal) string {
	switch v := l.Value.(type) {
	case nil:
		return "NULL"
	case bool:
		return strconv.FormatBool(v)
	case float64:
		return types.FormatDouble(v, 64)
	case float32:
		return types.FormatDouble(float64(v), 32)
	case []byte:
		return "X'" + strings.ToUpper(fmt.Sprintf("%x", v)) + "'"
	case *big.Int:
		d, _ := l.Type.(types.Decimal)
		return DecimalText(v, d.Scale)
	case string:
		return v
	case int32:
		if l.Type == types.Date {
			return "DATE '" + time.Unix(int64(v)*86400, 0).UTC().Format("2006-01-02") + "'"
		}
		if t, ok := l.Type.(types.YearMonthInterval); ok {
			return native.YearMonthText(int64(v), t.Start, t.End)
		}
	case int64:
		if l.Type == types.Timestamp || l.Type == types.TimestampNTZ {
			return strings.ToUpper(l.Type.SimpleString()) + " '" + time.UnixMicro(v).UTC().Format("2006-01-02 15:04:05.999999") + "'"
		}
		if t, ok := l.Type.(types.DayTimeInterval); ok {
			return native.DayTimeText(v, t.Start, t.End)
		}
	case []any:
		elem := l.Type
		if a, ok := l.Type.(types.Array); ok {
			elem = a.Elem
		}
		parts := make([]string, len(v))
		for i, x := range v {
			parts[i] = LiteralText(plan.Literal{Value: x, Type: elem})
		}
		return "array(" + strings.Join(parts, ", ") + ")"
	}
	return fmt.Sprint(l.Value)
}

// DecimalText prints an unscaled integer with its point put in.
func DecimalText(v *big.Int, scale int) string {
	s := new(big.Int).Abs(v).String()
	if scale > 0 {
		if len(s) <= scale {
			s = strings.Repeat("0", scale-len(s)+1) + s
		}
		s = s[:len(s)-scale] + "." + s[len(s)-scale:]
	}
	if v.Sign() < 0 {
		s = "-" + s
	}
	return s
}

// AllAs converts each value to a type.
func AllAs(vs []plan.Value, t types.Type) []plan.Value {
	out := make([]plan.Value, len(vs))
	for i, v := range vs {
		out[i] = As(v, t)
	}
	return out
}

// Quote makes an SQL string literal.
func Quote(s string) string { return "'" + strings.ReplaceAll(s, "'", "''") + "'" }
