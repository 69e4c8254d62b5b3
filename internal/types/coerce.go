package types

// The rules of Spark's ANSI type coercion: https://spark.apache.org/docs/latest/sql-ref-ansi-compliance.html

var numericRanks = map[*Basic]int{Byte: 1, Short: 2, Int: 3, Long: 4, Float: 6, Double: 7}

// numericRank orders the numbers; it is 0 for other types. Only a *Basic is looked up: a struct
// type cannot be a map's key.
func numericRank(t Type) int {
	b, _ := t.(*Basic)
	return numericRanks[b]
}

// integerDigits is the decimal each integer type fits in.
var integerDigits = map[*Basic]Decimal{Byte: {3, 0}, Short: {5, 0}, Int: {10, 0}, Long: {20, 0}}

// IsNumeric says whether t is a number.
func IsNumeric(t Type) bool {
	if _, ok := t.(Decimal); ok {
		return true
	}
	return numericRank(t) > 0
}

// IsIntegral says whether t is a whole number type.
func IsIntegral(t Type) bool { r := numericRank(t); return r >= 1 && r <= 4 }

// IsFractional says whether t is float or double.
func IsFractional(t Type) bool { return t == Float || t == Double }

// IsString says whether t is a string of any kind.
func IsString(t Type) bool {
	switch t.(type) {
	case Char, Varchar:
		return true
	}
	return t == String
}

// IsDatetime says whether t is a date or a timestamp.
func IsDatetime(t Type) bool { return t == Date || t == Timestamp || t == TimestampNTZ }

// AsDecimal gives the decimal type that holds every value of an integer type.
func AsDecimal(t Type) (Decimal, bool) {
	if d, ok := t.(Decimal); ok {
		return d, true
	}
	b, _ := t.(*Basic)
	d, ok := integerDigits[b]
	return d, ok
}

// Common gives the least type that both convert to without losing what matters, as in UNION,
// CASE, coalesce and comparisons; false if there is none.
func Common(a, b Type) (Type, bool) {
	switch {
	case Equal(a, b):
		return mergeNulls(a, b), true
	case a == Null:
		return b, true
	case b == Null:
		return a, true
	case IsNumeric(a) && IsNumeric(b):
		return commonNumeric(a, b), true
	case IsString(a) && IsString(b):
		return String, true
	case IsString(a) && !complexType(b):
		return stringWith(b)
	case IsString(b) && !complexType(a):
		return stringWith(a)
	case a == Date && IsDatetime(b):
		return b, true
	case b == Date && IsDatetime(a):
		return a, true
	case IsDatetime(a) && IsDatetime(b):
		return Timestamp, true
	}
	switch x := a.(type) {
	case DayTimeInterval:
		if y, ok := b.(DayTimeInterval); ok {
			return DayTimeInterval{min(x.Start, y.Start), max(x.End, y.End)}, true
		}
	case YearMonthInterval:
		if y, ok := b.(YearMonthInterval); ok {
			return YearMonthInterval{min(x.Start, y.Start), max(x.End, y.End)}, true
		}
	}
	return commonNested(a, b)
}

// stringWith is ANSI's rule for a string beside another type: the other type, but bigint for
// integers and double for fractions.
func stringWith(t Type) (Type, bool) {
	switch {
	case IsIntegral(t):
		return Long, true
	case IsNumeric(t):
		return Double, true
	case t == Binary:
		return Binary, true
	}
	return t, true
}

func complexType(t Type) bool {
	switch t.(type) {
	case Array, Map, Struct, *UDT:
		return true
	}
	return false
}

func mergeNulls(a, b Type) Type {
	switch x := a.(type) {
	case Array:
		y := b.(Array)
		return Array{mergeNulls(x.Elem, y.Elem), x.ContainsNull || y.ContainsNull}
	case Map:
		y := b.(Map)
		return Map{x.Key, mergeNulls(x.Value, y.Value), x.ValueContainsNull || y.ValueContainsNull}
	}
	return a
}

func commonNumeric(a, b Type) Type {
	da, aDec := a.(Decimal)
	db, bDec := b.(Decimal)
	if aDec || bDec {
		if IsFractional(a) || IsFractional(b) {
			return Double
		}
		if !aDec {
			da, _ = AsDecimal(a)
		}
		if !bDec {
			db, _ = AsDecimal(b)
		}
		scale := max(da.Scale, db.Scale)
		return BoundDecimal(max(da.Precision-da.Scale, db.Precision-db.Scale)+scale, scale)
	}
	if IsIntegral(a) && b == Float || IsIntegral(b) && a == Float {
		return Double
	}
	if numericRank(a) > numericRank(b) {
		return a
	}
	return b
}

func commonNested(a, b Type) (Type, bool) {
	switch x := a.(type) {
	case Array:
		if y, ok := b.(Array); ok {
			e, ok := Common(x.Elem, y.Elem)
			return Array{e, x.ContainsNull || y.ContainsNull}, ok
		}
	case Map:
		if y, ok := b.(Map); ok {
			k, ok1 := Common(x.Key, y.Key)
			v, ok2 := Common(x.Value, y.Value)
			return Map{k, v, x.ValueContainsNull || y.ValueContainsNull}, ok1 && ok2
		}
	case Struct:
		y, ok := b.(Struct)
		if !ok || len(x.Fields) != len(y.Fields) {
			return nil, false
		}
		out := Struct{make([]Field, len(x.Fields))}
		for i := range x.Fields {
			t, ok := Common(x.Fields[i].Type, y.Fields[i].Type)
			if !ok {
				return nil, false
			}
			out.Fields[i] = Field{Name: x.Fields[i].Name, Type: t, Nullable: x.Fields[i].Nullable || y.Fields[i].Nullable}
		}
		return out, true
	}
	return nil, false
}

// BoundDecimal keeps a decimal within 38 digits, giving up scale before whole digits but keeping
// at least six places, as Spark adjusts precision loss.
func BoundDecimal(precision, scale int) Decimal {
	if precision <= 38 {
		return Decimal{precision, scale}
	}
	keep := min(scale, 6)
	return Decimal{38, max(38-(precision-scale), keep)}
}
