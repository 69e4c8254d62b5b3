package function

import (
	"github.com/millpond/millpond/internal/plan"
	"github.com/millpond/millpond/internal/sparkerr"
	"github.com/millpond/millpond/internal/types"
)

func isInterval(t types.Type) bool {
	switch t.(type) {
	case types.DayTimeInterval, types.YearMonthInterval:
		return true
	}
	return t == types.CalendarInterval
}

func temporalType(op string, x, y types.Type) (types.Type, bool) {
	switch {
	case x == types.Date && y == types.Date && op == "-":
		return types.DayTimeInterval{}, true
	case types.IsDatetime(x) && types.IsDatetime(y) && op == "-":
		return types.DayTimeInterval{Start: 0, End: 3}, true
	case x == types.Date && types.IsIntegral(y):
		return types.Date, true
	case types.IsDatetime(x) && isInterval(y):
		days, dayTime := y.(types.DayTimeInterval)
		if x == types.Date && dayTime && days.End > 0 || x == types.Date && y == types.CalendarInterval {
			return types.Timestamp, true
		}
		return x, true
	case types.IsDatetime(y) && isInterval(x):
		return y, true
	case isInterval(x):
		return x, true
	case isInterval(y):
		return y, true
	}
	return nil, false
}

func temporalSQL(t types.Type) string {
	switch t {
	case types.Date:
		return "DATE"
	case types.Timestamp:
		return "TIMESTAMPTZ"
	case types.TimestampNTZ:
		return "TIMESTAMP"
	}
	return "INTERVAL"
}

// temporalOperands lets dates and intervals meet what they may meet.
func temporalOperands(op string, a []plan.Value) ([]plan.Value, error) {
	x, y := a[0].Type(), a[1].Type()
	whole := func(t types.Type) bool { return types.IsIntegral(t) && t != types.Long }
	kind := func(t types.Type) int { // intervals of one kind add up
		switch t.(type) {
		case types.DayTimeInterval:
			return 1
		case types.YearMonthInterval:
			return 2
		}
		return 3
	}
	switch op {
	case "+", "-":
		if types.IsString(x) && op == "-" && types.IsDatetime(y) {
			return []plan.Value{As(a[0], y), a[1]}, nil
		}
		if types.IsString(y) && op == "-" && types.IsDatetime(x) {
			return []plan.Value{a[0], As(a[1], x)}, nil
		}
		switch {
		case types.IsDatetime(x) && isInterval(y), types.IsDatetime(y) && isInterval(x) && op == "+", x == types.Date && whole(y),
			op == "-" && types.IsDatetime(x) && types.IsDatetime(y), isInterval(x) && isInterval(y) && kind(x) == kind(y),
			x == types.Null, y == types.Null:
			return a, nil
		case y == types.Date && whole(x) && op == "+":
			return []plan.Value{a[1], a[0]}, nil
		case isInterval(x) && isInterval(y):
			return nil, wrongType(op, 1, a[1], `"`+x.SQL()+`"`)
		case types.IsDatetime(x):
			return nil, wrongType("date_add", 1, a[1], `("INT" or "SMALLINT" or "TINYINT")`)
		case types.IsDatetime(y):
			return nil, wrongType("date_add", 1, a[0], `("INT" or "SMALLINT" or "TINYINT")`)
		}
		return nil, wrongType("time_add", 0, a[0], `("TIMESTAMP" or "TIMESTAMP WITHOUT TIME ZONE" or "DATE")`)
	case "*", "/":
		number := func(v plan.Value) (plan.Value, bool) {
			if types.IsString(v.Type()) {
				return As(v, types.Double), true
			}
			return v, types.IsNumeric(v.Type()) || v.Type() == types.Null
		}
		if isInterval(x) {
			if n, ok := number(a[1]); ok {
				return []plan.Value{a[0], n}, nil
			}
		}
		if isInterval(y) && op == "*" {
			if n, ok := number(a[0]); ok {
				return []plan.Value{a[1], n}, nil
			}
		}
	}
	return nil, differ(op, a)
}

// signed takes a number or an interval.
func signed(name string) func([]plan.Value) ([]plan.Value, error) {
	return func(a []plan.Value) ([]plan.Value, error) {
		if len(a) == 1 && isInterval(a[0].Type()) {
			return a, nil
		}
		return coerceArgs(&Row{Name: name, Args: "n"}, a)
	}
}

// wholeOperands of div are whole numbers, decimals, or intervals of one kind.
func wholeOperands(a []plan.Value) ([]plan.Value, error) {
	if len(a) == 2 && isInterval(a[0].Type()) && isInterval(a[1].Type()) {
		return a, nil
	}
	if len(a) == 2 {
		_, d0 := a[0].Type().(types.Decimal)
		_, d1 := a[1].Type().(types.Decimal)
		if d0 || d1 {
			return []plan.Value{asDecimal(a[0]), asDecimal(a[1])}, nil
		}
	}
	out, err := coerceArgs(&Row{Name: "div", Args: "I I"}, a)
	if err != nil {
		return nil, err
	}
	return AllAs(out, types.Long), nil
}

func wholeDivision(a []Arg) string {
	if _, dec := a[0].Type.(types.Decimal); dec {
		return guardZero(a, "DIVIDE_BY_ZERO", "CAST(trunc("+a[0].SQL+" / "+a[1].SQL+") AS BIGINT)")
	}
	if isInterval(a[0].Type) {
		months := func(s string) string { return "(datepart('year', " + s + ") * 12 + datepart('month', " + s + "))" }
		text := months(a[0].SQL) + " // " + months(a[1].SQL)
		if _, days := a[0].Type.(types.DayTimeInterval); days {
			text = "epoch_us(" + a[0].SQL + ") // epoch_us(" + a[1].SQL + ")"
		}
		return "(CASE WHEN " + a[1].SQL + " = INTERVAL 0 SECOND THEN " + sparkerr.Raise("INTERVAL_DIVIDED_BY_ZERO") + " ELSE CAST(" + text + " AS BIGINT) END)"
	}
	text := "CAST(" + a[0].SQL + " // " + a[1].SQL + " AS BIGINT)"
	if a[1].Const == nil || isMinusOne(a[1].Const) {
		text = "(CASE WHEN " + a[1].SQL + " = -1 AND " + a[0].SQL + " = " + integers[types.Long].least + " THEN " +
			sparkerr.Raise("ARITHMETIC_OVERFLOW", "'Overflow in integral divide'", "' Use ''try_divide'' to tolerate overflow and return NULL instead.'") + " ELSE " + text + " END)"
	}
	return guardZero(a, "DIVIDE_BY_ZERO", text)
}

func isMinusOne(l *plan.Literal) bool {
	switch v := l.Value.(type) {
	case int32:
		return v == -1
	case int64:
		return v == -1
	}
	return true
}

func plus(try bool) func([]Arg) string {
	return func(a []Arg) string {
		if len(a) == 1 {
			return a[0].SQL
		}
		if t, ok := temporalType("+", a[0].Type, a[1].Type); ok {
			return tried(try, "CAST("+a[0].SQL+" + "+a[1].SQL+" AS "+temporalSQL(t)+")")
		}
		return compute("+", try)(a)
	}
}

func minus(try bool) func([]Arg) string {
	return func(a []Arg) string {
		if len(a) == 1 {
			return negated(a)
		}
		if types.IsDatetime(a[0].Type) && types.IsDatetime(a[1].Type) {
			return "(CAST(" + a[0].SQL + " AS TIMESTAMP) - CAST(" + a[1].SQL + " AS TIMESTAMP))"
		}
		if t, ok := temporalType("-", a[0].Type, a[1].Type); ok {
			return tried(try, "CAST("+a[0].SQL+" - "+a[1].SQL+" AS "+temporalSQL(t)+")")
		}
		return compute("-", try)(a)
	}
}

// times scales an interval by its microseconds or months, as whole ones.
func times(try bool) func([]Arg) string {
	return func(a []Arg) string {
		if isInterval(a[0].Type) {
			return scaled(a[0], " * "+a[1].SQL)
		}
		return compute("*", try)(a)
	}
}

func scaled(interval Arg, by string) string {
	switch interval.Type.(type) {
	case types.YearMonthInterval:
		return "to_months(CAST(round((datepart('year', " + interval.SQL + ") * 12 + datepart('month', " + interval.SQL + "))" + by + ") AS INTEGER))"
	case types.DayTimeInterval:
		return "to_microseconds(CAST(round(epoch_us(" + interval.SQL + ")" + by + ") AS BIGINT))"
	}
	return "(" + interval.SQL + by + ")"
}

func tried(try bool, text string) string {
	if try {
		return "TRY(" + text + ")"
	}
	return text
}

func divide(a []Arg) string {
	if isInterval(a[0].Type) {
		return "(CASE WHEN " + a[1].SQL + " = 0 AND " + a[0].SQL + " IS NOT NULL THEN " + sparkerr.Raise("INTERVAL_DIVIDED_BY_ZERO") + " ELSE " + scaled(a[0], " / "+a[1].SQL) + " END)"
	}
	return guardZero(a, "DIVIDE_BY_ZERO", quotient(a, false))
}

func quotient(a []Arg, try bool) string {
	if _, dec := a[0].Type.(types.Decimal); dec {
		return decimalText("/", a, try)
	}
	return "(" + a[0].SQL + " / " + a[1].SQL + ")"
}

func tryDivide(a []Arg) string {
	text := quotient(a, true)
	if isInterval(a[0].Type) {
		text = scaled(a[0], " / "+a[1].SQL)
	}
	return "(CASE WHEN " + a[1].SQL + " <> 0 THEN " + text + " END)"
}

// remainder has the sign of what is divided.
func remainder(a []Arg, try bool) string {
	if _, dec := a[0].Type.(types.Decimal); dec {
		return decimalText("%", a, try)
	}
	return "(" + a[0].SQL + " % " + a[1].SQL + ")"
}

func pmod(a []Arg) string {
	r := remainder(a, false)
	text := "(CASE WHEN " + r + " < 0 THEN (" + r + " + " + a[1].SQL + ") % " + a[1].SQL + " ELSE " + r + " END)"
	if d, dec := a[0].Type.(types.Decimal); dec {
		e := a[1].Type.(types.Decimal)
		text = "CAST(" + text + " AS " + decimalResult("%", d, e).SQL() + ")"
	}
	return guardZero(a, "REMAINDER_BY_ZERO", text)
}
