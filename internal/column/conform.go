// Package column gives Arrow arrays the exact layout that a Spark type has inside the engine:
// what comes in was laid out by DuckDB, pandas or a Python worker, what goes out is as
// types.ToArrow says. Buffers are shared where they can be. It never changes a value.
package column

import (
	"fmt"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"
	"github.com/apache/arrow-go/v18/arrow/memory"

	"github.com/millpond/millpond/internal/types"
)

// Conform gives an array the exact Arrow type of a Spark type: names and nullability of nested
// fields, time zones, intervals, 32-bit offsets.
func Conform(a arrow.Array, t types.Type) (arrow.Array, error) {
	want, err := types.ToArrow(t, "UTC")
	if err != nil {
		return nil, err
	}
	data, err := conformData(a.Data(), want)
	if err != nil {
		return nil, err
	}
	return array.MakeFromData(data), nil
}

func conformData(d arrow.ArrayData, want arrow.DataType) (arrow.ArrayData, error) {
	if arrow.TypeEqual(d.DataType(), want, arrow.CheckMetadata()) {
		return d, nil
	}
	if plain := unwrap(d); plain != d {
		return conformData(plain, want)
	}
	switch w := want.(type) {
	case *arrow.NullType:
		return array.NewNull(d.Len()).Data(), nil
	case *arrow.StructType:
		kids := d.Children()
		if d.DataType().ID() != arrow.STRUCT || len(kids) != w.NumFields() {
			break
		}
		return withChildren(d, want, kids, w.Fields())
	case *arrow.MapType:
		if d.DataType().ID() != arrow.MAP {
			break
		}
		return withChildren(d, want, d.Children(), []arrow.Field{{Type: w.Elem()}})
	case *arrow.ListType:
		if d.DataType().ID() != arrow.LIST {
			break
		}
		return withChildren(d, want, d.Children(), []arrow.Field{w.ElemField()})
	case *arrow.DurationType:
		return durations(d, want)
	case *arrow.MonthIntervalType:
		return months(d, want)
	}
	if !sameLayout(d.DataType(), want) {
		return nil, fmt.Errorf("the engine gave %s where %s was due", d.DataType(), want)
	}
	return array.NewData(want, d.Len(), d.Buffers(), nil, d.NullN(), d.Offset()), nil
}

func withChildren(d arrow.ArrayData, want arrow.DataType, kids []arrow.ArrayData, fields []arrow.Field) (arrow.ArrayData, error) {
	out := make([]arrow.ArrayData, len(kids))
	for i, k := range kids {
		c, err := conformData(k, fields[i].Type)
		if err != nil {
			return nil, err
		}
		out[i] = c
	}
	return array.NewData(want, d.Len(), d.Buffers(), out, d.NullN(), d.Offset()), nil
}

func sameLayout(a, b arrow.DataType) bool {
	if a.ID() == b.ID() {
		return true
	}
	fa, ok1 := a.(arrow.FixedWidthDataType)
	fb, ok2 := b.(arrow.FixedWidthDataType)
	return ok1 && ok2 && fa.BitWidth() == fb.BitWidth() && a.ID() != arrow.DECIMAL128 && b.ID() != arrow.DECIMAL128
}

// durations turns DuckDB's intervals into microseconds; a month has no fixed length and counts 30 days.
func durations(d arrow.ArrayData, want arrow.DataType) (arrow.ArrayData, error) {
	in, ok := array.MakeFromData(d).(*array.MonthDayNanoInterval)
	if !ok {
		return nil, fmt.Errorf("the engine gave %s where an interval was due", d.DataType())
	}
	b := array.NewDurationBuilder(memory.DefaultAllocator, want.(*arrow.DurationType))
	for i := range in.Len() {
		if in.IsNull(i) {
			b.AppendNull()
			continue
		}
		v := in.Value(i)
		days := int64(v.Days) + 30*int64(v.Months)
		b.Append(arrow.Duration(days*86_400_000_000 + v.Nanoseconds/1000))
	}
	return b.NewArray().Data(), nil
}

func months(d arrow.ArrayData, _ arrow.DataType) (arrow.ArrayData, error) {
	in, ok := array.MakeFromData(d).(*array.MonthDayNanoInterval)
	if !ok {
		return nil, fmt.Errorf("the engine gave %s where an interval was due", d.DataType())
	}
	b := array.NewMonthIntervalBuilder(memory.DefaultAllocator)
	for i := range in.Len() {
		if in.IsNull(i) {
			b.AppendNull()
			continue
		}
		b.Append(arrow.MonthInterval(in.Value(i).Months))
	}
	return b.NewArray().Data(), nil
}

// unwrap decodes dictionaries and turns large or viewed strings and lists into plain ones.
func unwrap(d arrow.ArrayData) arrow.ArrayData {
	switch a := array.MakeFromData(d).(type) {
	case *array.Dictionary:
		return decode(a)
	case *array.LargeString:
		b := array.NewStringBuilder(memory.DefaultAllocator)
		b.Reserve(a.Len())
		return rebuild(a, b.AppendNull, func(i int) { b.Append(a.Value(i)) }, b)
	case *array.StringView:
		b := array.NewStringBuilder(memory.DefaultAllocator)
		b.Reserve(a.Len())
		return rebuild(a, b.AppendNull, func(i int) { b.Append(a.Value(i)) }, b)
	case *array.LargeBinary:
		b := array.NewBinaryBuilder(memory.DefaultAllocator, arrow.BinaryTypes.Binary)
		return rebuild(a, b.AppendNull, func(i int) { b.Append(a.Value(i)) }, b)
	case *array.FixedSizeBinary:
		b := array.NewBinaryBuilder(memory.DefaultAllocator, arrow.BinaryTypes.Binary)
		return rebuild(a, b.AppendNull, func(i int) { b.Append(a.Value(i)) }, b)
	case *array.Uint8:
		b := array.NewInt16Builder(memory.DefaultAllocator)
		return rebuild(a, b.AppendNull, func(i int) { b.Append(int16(a.Value(i))) }, b)
	case *array.Uint16:
		b := array.NewInt32Builder(memory.DefaultAllocator)
		return rebuild(a, b.AppendNull, func(i int) { b.Append(int32(a.Value(i))) }, b)
	case *array.Uint32:
		b := array.NewInt64Builder(memory.DefaultAllocator)
		return rebuild(a, b.AppendNull, func(i int) { b.Append(int64(a.Value(i))) }, b)
	case *array.LargeList:
		offsets := a.Offsets()
		small := make([]int32, len(offsets))
		for i, o := range offsets {
			small[i] = int32(o)
		}
		var valid *memory.Buffer
		if bufs := d.Buffers(); len(bufs) > 0 {
			valid = bufs[0]
		}
		return array.NewData(arrow.ListOf(a.ListValues().DataType()), d.Len(),
			[]*memory.Buffer{valid, memory.NewBufferBytes(arrow.Int32Traits.CastToBytes(small))}, []arrow.ArrayData{a.ListValues().Data()}, d.NullN(), d.Offset())
	case *array.Timestamp:
		return micros(a)
	}
	return d
}

// micros brings timestamps of another unit to microseconds.
func micros(a *array.Timestamp) arrow.ArrayData {
	t := a.DataType().(*arrow.TimestampType)
	if t.Unit == arrow.Microsecond {
		return a.Data()
	}
	b := array.NewTimestampBuilder(memory.DefaultAllocator, &arrow.TimestampType{Unit: arrow.Microsecond, TimeZone: t.TimeZone})
	return rebuild(a, b.AppendNull, func(i int) {
		v := int64(a.Value(i))
		switch t.Unit {
		case arrow.Second:
			v *= 1_000_000
		case arrow.Millisecond:
			v *= 1000
		case arrow.Nanosecond:
			v /= 1000
		}
		b.Append(arrow.Timestamp(v))
	}, b)
}

func rebuild(a arrow.Array, null func(), add func(int), b array.Builder) arrow.ArrayData {
	for i := range a.Len() {
		if a.IsNull(i) {
			null()
		} else {
			add(i)
		}
	}
	return b.NewArray().Data()
}

func decode(a *array.Dictionary) arrow.ArrayData {
	words, ok := a.Dictionary().(*array.String)
	if !ok {
		return a.Data()
	}
	b := array.NewStringBuilder(memory.DefaultAllocator)
	return rebuild(a, b.AppendNull, func(i int) { b.Append(words.Value(a.GetValueIndex(i))) }, b)
}

// ConformTo gives an array the exact Arrow type wanted, which differs from its own only in names,
// nullability of nested fields, time zones or the width of offsets.
func ConformTo(a arrow.Array, want arrow.DataType) (arrow.Array, error) {
	data, err := conformData(a.Data(), want)
	if err != nil {
		return nil, err
	}
	if data == a.Data() {
		return a, nil
	}
	return array.MakeFromData(data), nil
}
