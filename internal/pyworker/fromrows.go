package pyworker

import (
	"fmt"
	"math/big"
	"strconv"
	"strings"
	"time"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"
	"github.com/apache/arrow-go/v18/arrow/decimal128"

	"github.com/millpond/millpond/internal/types"
)

// put appends a Python value to a column, as Spark converts results of pickled functions: a
// value of a type that does not fit becomes null.
type put func(v any) error

// puts makes the appender of a type.
func puts(b array.Builder, t types.Type) (put, error) {
	inner, err := fits(b, t)
	if err != nil {
		return nil, err
	}
	return func(v any) error {
		if v == nil {
			b.AppendNull()
			return nil
		}
		ok, err := inner(v)
		if err == nil && !ok {
			b.AppendNull()
		}
		return err
	}, nil
}

// fits appends a value that is not None and says whether it could; a false answer appended nothing.
func fits(b array.Builder, t types.Type) (func(v any) (bool, error), error) {
	switch b := b.(type) {
	case *array.NullBuilder:
		return func(any) (bool, error) { return false, nil }, nil
	case *array.BooleanBuilder:
		return func(v any) (bool, error) {
			x, ok := v.(bool)
			if ok {
				b.Append(x)
			}
			return ok, nil
		}, nil
	case *array.Int8Builder:
		return integers(func(v int64) { b.Append(int8(v)) }), nil
	case *array.Int16Builder:
		return integers(func(v int64) { b.Append(int16(v)) }), nil
	case *array.Int32Builder:
		return integers(func(v int64) { b.Append(int32(v)) }), nil
	case *array.Int64Builder:
		return integers(b.Append), nil
	case *array.Float32Builder:
		return floats(func(v float64) { b.Append(float32(v)) }), nil
	case *array.Float64Builder:
		return floats(b.Append), nil
	case *array.Date32Builder:
		return moments(func(v int64) { b.Append(arrow.Date32(v)) }, pyPoint.days), nil
	case *array.TimestampBuilder:
		zone := time.UTC
		if t == types.Timestamp {
			zone = time.Local
		}
		return moments(func(v int64) { b.Append(arrow.Timestamp(v)) }, func(p pyPoint) int64 { return p.micros(zone) }), nil
	case *array.DurationBuilder:
		return integers(func(v int64) { b.Append(arrow.Duration(v)) }), nil
	case *array.StringBuilder:
		return func(v any) (bool, error) {
			s, err := textOf(v)
			if err == nil {
				b.Append(s)
			}
			return true, err
		}, nil
	case *array.BinaryBuilder:
		return func(v any) (bool, error) {
			switch v := v.(type) {
			case string:
				b.Append([]byte(v))
			case []byte:
				b.Append(v)
			default:
				return false, nil
			}
			return true, nil
		}, nil
	case *array.Decimal128Builder:
		return decimals(b), nil
	case *array.MapBuilder:
		return maps(b, t)
	case *array.ListBuilder:
		return lists(b, t)
	case *array.StructBuilder:
		return structs(b, t)
	}
	return nil, fmt.Errorf("no way to make %s of Python's values", t.SimpleString())
}

func integers(add func(int64)) func(any) (bool, error) {
	return func(v any) (bool, error) {
		switch v := v.(type) {
		case int64:
			add(v)
		case pyDelta:
			add(int64(v))
		default:
			return false, nil
		}
		return true, nil
	}
}

func floats(add func(float64)) func(any) (bool, error) {
	return func(v any) (bool, error) {
		x, ok := v.(float64)
		if ok {
			add(x)
		}
		return ok, nil
	}
}

// moments takes the counts that pyspark's types make of dates and times.
func moments(add func(int64), count func(pyPoint) int64) func(any) (bool, error) {
	return func(v any) (bool, error) {
		switch v := v.(type) {
		case int64:
			add(v)
		case pyPoint:
			add(count(v))
		default:
			return false, nil
		}
		return true, nil
	}
}

func (p pyPoint) time(zone *time.Location) time.Time {
	return time.Date(p.year, time.Month(p.month), p.day, p.hour, p.minute, p.second, p.micro*1000, zone)
}

func (p pyPoint) days() int64 {
	y := pyPoint{year: p.year, month: p.month, day: p.day}
	return y.time(time.UTC).Unix() / 86400
}

func (p pyPoint) micros(zone *time.Location) int64 { return p.time(zone).UnixMicro() }

// decimals rounds half up to the column's scale; what does not fit its precision becomes null.
func decimals(b *array.Decimal128Builder) func(any) (bool, error) {
	dt := b.Type().(*arrow.Decimal128Type)
	limit := bigPow10(int(dt.Precision))
	return func(v any) (bool, error) {
		s, ok := v.(pyDecimal)
		if !ok || len(s) > 1000 {
			return false, nil
		}
		exp := 0
		digits, e, cut := strings.Cut(strings.ToLower(string(s)), "e")
		if cut {
			var err error
			if exp, err = strconv.Atoi(e); err != nil || exp > 1000 || exp < -1000 {
				return false, nil
			}
		}
		r, ok := new(big.Rat).SetString(digits)
		if !ok {
			return false, nil
		}
		scale := int(dt.Scale) + exp
		if scale >= 0 {
			r.Mul(r, new(big.Rat).SetInt(bigPow10(scale)))
		} else {
			r.Quo(r, new(big.Rat).SetInt(bigPow10(-scale)))
		}
		n := halfUp(r)
		if new(big.Int).Abs(n).Cmp(limit) >= 0 {
			return false, nil
		}
		b.Append(decimal128.FromBigInt(n))
		return true, nil
	}
}

func halfUp(r *big.Rat) *big.Int {
	twice := new(big.Int).Mul(new(big.Int).Abs(r.Num()), big.NewInt(2))
	twice.Add(twice, r.Denom())
	twice.Quo(twice, new(big.Int).Mul(r.Denom(), big.NewInt(2)))
	if r.Sign() < 0 {
		twice.Neg(twice)
	}
	return twice
}

func items(v any) ([]any, bool) {
	switch v := v.(type) {
	case *pyList:
		return v.items, true
	case *pyTuple:
		return v.items, true
	}
	return nil, false
}

func lists(b *array.ListBuilder, t types.Type) (func(any) (bool, error), error) {
	lt, ok := t.(types.Array)
	if !ok {
		return nil, fmt.Errorf("%s laid out as %s", t.SimpleString(), b.Type())
	}
	elem, err := puts(b.ValueBuilder(), lt.Elem)
	if err != nil {
		return nil, err
	}
	return func(v any) (bool, error) {
		list, ok := items(v)
		if !ok {
			return false, nil
		}
		b.Append(true)
		for _, x := range list {
			if err := elem(x); err != nil {
				return false, err
			}
		}
		return true, nil
	}, nil
}

func maps(b *array.MapBuilder, t types.Type) (func(any) (bool, error), error) {
	mt, ok := t.(types.Map)
	if !ok {
		return nil, fmt.Errorf("%s laid out as %s", t.SimpleString(), b.Type())
	}
	key, err := puts(b.KeyBuilder(), mt.Key)
	if err != nil {
		return nil, err
	}
	value, err := puts(b.ItemBuilder(), mt.Value)
	if err != nil {
		return nil, err
	}
	return func(v any) (bool, error) {
		d, ok := v.(*pyDict)
		if !ok {
			return false, nil
		}
		b.Append(true)
		for i, k := range d.keys {
			if err := key(k); err != nil {
				return false, err
			}
			if err := value(d.values[i]); err != nil {
				return false, err
			}
		}
		return true, nil
	}, nil
}

func structs(b *array.StructBuilder, t types.Type) (func(any) (bool, error), error) {
	st, ok := types.Physical(t).(types.Struct)
	if s, plain := t.(types.Struct); plain {
		st = s
	}
	if !ok || len(st.Fields) != b.NumField() {
		return nil, fmt.Errorf("%s laid out as %s", t.SimpleString(), b.Type())
	}
	fields := make([]put, len(st.Fields))
	for i, f := range st.Fields {
		p, err := puts(b.FieldBuilder(i), f.Type)
		if err != nil {
			return nil, err
		}
		fields[i] = p
	}
	return func(v any) (bool, error) {
		list, ok := items(v)
		if !ok {
			return false, nil
		}
		if len(list) != len(fields) {
			return false, fmt.Errorf("Input row doesn't have expected number of values required by the schema. %d fields are required while %d values are provided.", len(fields), len(list))
		}
		b.Append(true)
		for i, x := range list {
			if err := fields[i](x); err != nil {
				return false, err
			}
		}
		return true, nil
	}, nil
}

// textOf writes a value as Java would: that is what Spark makes of a result that is no string.
func textOf(v any) (string, error) {
	var b strings.Builder
	err := text(&b, v, 0)
	return b.String(), err
}

func text(b *strings.Builder, v any, depth int) error {
	if depth > 100 || b.Len() > maxText/16 {
		return pickleError("a value too deep or too large to be made a string")
	}
	list := func(open, shut string, n int, item func(i int) error) error {
		b.WriteString(open)
		for i := range n {
			if i > 0 {
				b.WriteString(", ")
			}
			if err := item(i); err != nil {
				return err
			}
		}
		b.WriteString(shut)
		return nil
	}
	switch v := v.(type) {
	case nil:
		b.WriteString("null")
	case string:
		b.WriteString(v)
	case bool, int64, *big.Int:
		fmt.Fprint(b, v)
	case pyDecimal:
		b.WriteString(string(v))
	case float64:
		b.WriteString(types.FormatDouble(v, 64))
	case []byte:
		b.Write(v)
	case pyPoint:
		if v.date {
			b.WriteString(v.time(time.UTC).Format("2006-01-02"))
		} else {
			b.WriteString(v.time(time.UTC).Format("2006-01-02 15:04:05.999999"))
		}
	case *pyList:
		return list("[", "]", len(v.items), func(i int) error { return text(b, v.items[i], depth+1) })
	case *pyTuple:
		return list("[", "]", len(v.items), func(i int) error { return text(b, v.items[i], depth+1) })
	case *pyDict:
		return list("{", "}", len(v.keys), func(i int) error {
			if err := text(b, v.keys[i], depth+1); err != nil {
				return err
			}
			b.WriteByte('=')
			return text(b, v.values[i], depth+1)
		})
	default:
		fmt.Fprint(b, v)
	}
	return nil
}
