package column

import (
	"context"
	"math/rand/v2"
	"testing"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"
	"github.com/apache/arrow-go/v18/arrow/compute"
	"github.com/apache/arrow-go/v18/arrow/memory"
)

// TestTakeIsArrows compares with Arrow's take for every layout, with and without nulls and offsets.
func TestTakeIsArrows(t *testing.T) {
	vector := arrow.StructOf(arrow.Field{Name: "type", Type: arrow.PrimitiveTypes.Int8},
		arrow.Field{Name: "size", Type: arrow.PrimitiveTypes.Int32, Nullable: true},
		arrow.Field{Name: "indices", Type: arrow.ListOf(arrow.PrimitiveTypes.Int32), Nullable: true},
		arrow.Field{Name: "values", Type: arrow.ListOf(arrow.PrimitiveTypes.Float64), Nullable: true},
		arrow.Field{Name: "flag", Type: arrow.FixedWidthTypes.Boolean, Nullable: true})
	for _, kind := range []arrow.DataType{arrow.PrimitiveTypes.Int8, arrow.PrimitiveTypes.Int16, arrow.PrimitiveTypes.Int32, arrow.PrimitiveTypes.Float64,
		arrow.FixedWidthTypes.Boolean, arrow.BinaryTypes.String, &arrow.Decimal128Type{Precision: 38, Scale: 2}, arrow.FixedWidthTypes.Timestamp_us,
		arrow.ListOf(arrow.PrimitiveTypes.Float64), arrow.ListOf(arrow.BinaryTypes.String), vector, arrow.ListOf(vector)} {
		for _, nulls := range []float64{0, 0.3} {
			for _, offset := range []int64{0, 7} {
				b := array.NewBuilder(memory.DefaultAllocator, kind)
				for i := range 100 {
					fill(b, i, nulls)
				}
				a := array.NewSlice(b.NewArray(), offset, 95)
				for name, places := range map[string][]int64{"none": {}, "some": {0, 3, 4, 5, 40, 80, 87}, "any order": {87, 2, 2, 0}} {
					got, err := Take(context.Background(), a, places)
					if err != nil {
						t.Fatal(err)
					}
					at := array.NewInt64Builder(memory.DefaultAllocator)
					at.AppendValues(places, nil)
					want, err := compute.TakeArray(context.Background(), a, at.NewArray())
					if err != nil {
						t.Fatal(err)
					}
					if !array.Equal(got, want) || got.NullN() != want.NullN() {
						t.Errorf("%s, nulls %v, offset %d, %s: got %v, want %v", kind, nulls, offset, name, got, want)
					}
				}
			}
		}
	}
}

// fill appends the i-th of the values, null with some probability.
func fill(b array.Builder, i int, nulls float64) {
	if rand.Float64() < nulls {
		b.AppendNull()
		return
	}
	switch b := b.(type) {
	case *array.Int8Builder:
		b.Append(int8(i))
	case *array.Int16Builder:
		b.Append(int16(i * 300))
	case *array.Int32Builder:
		b.Append(int32(i * 70_000))
	case *array.Float64Builder:
		b.Append(float64(i) / 3)
	case *array.BooleanBuilder:
		b.Append(i%3 == 0)
	case *array.StringBuilder:
		b.Append("text"[:i%5])
	case *array.ListBuilder:
		b.Append(true)
		for k := range i % 4 {
			fill(b.ValueBuilder(), i+k, nulls/2)
		}
	case *array.StructBuilder:
		b.Append(true)
		for k := range b.NumField() {
			fill(b.FieldBuilder(k), i+k, nulls)
		}
	default:
		b.AppendEmptyValue()
	}
}
