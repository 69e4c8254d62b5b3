package types

import (
	"fmt"

	"github.com/apache/arrow-go/v18/arrow"
)

var arrowBasic = map[arrow.Type]Type{
	arrow.NULL: Null, arrow.BOOL: Boolean, arrow.INT8: Byte, arrow.INT16: Short, arrow.INT32: Int,
	arrow.INT64: Long, arrow.FLOAT16: Float, arrow.FLOAT32: Float, arrow.FLOAT64: Double,
	arrow.STRING: String, arrow.LARGE_STRING: String, arrow.STRING_VIEW: String,
	arrow.BINARY: Binary, arrow.LARGE_BINARY: Binary, arrow.BINARY_VIEW: Binary, arrow.FIXED_SIZE_BINARY: Binary,
	arrow.DATE32: Date, arrow.DATE64: Date,
	arrow.UINT8: Short, arrow.UINT16: Int, arrow.UINT32: Long, arrow.UINT64: Decimal{20, 0},
	arrow.DURATION: DayTimeInterval{0, 3}, arrow.INTERVAL_MONTHS: YearMonthInterval{0, 1},
	arrow.INTERVAL_MONTH_DAY_NANO: CalendarInterval,
}

// FromArrow gives the Spark type that an Arrow column is read as.
func FromArrow(a arrow.DataType) (Type, error) {
	if t, ok := arrowBasic[a.ID()]; ok {
		return t, nil
	}
	switch a := a.(type) {
	case *arrow.TimestampType:
		if a.TimeZone == "" {
			return TimestampNTZ, nil
		}
		return Timestamp, nil
	case *arrow.Decimal128Type:
		return Decimal{int(a.Precision), int(a.Scale)}, nil
	case *arrow.DictionaryType:
		return FromArrow(a.ValueType)
	case *arrow.MapType:
		k, err := FromArrow(a.KeyType())
		if err != nil {
			return nil, err
		}
		v, err := FromArrow(a.ItemType())
		return Map{k, v, a.ItemField().Nullable}, err
	case *arrow.StructType:
		s, err := SchemaFromArrow(arrow.NewSchema(a.Fields(), nil))
		return s, err
	case arrow.ListLikeType:
		e, err := FromArrow(a.Elem())
		return Array{e, a.ElemField().Nullable}, err
	}
	return nil, fmt.Errorf("arrow type %s has no Spark type", a)
}

// SchemaFromArrow gives the Spark schema of an Arrow schema, metadata included.
func SchemaFromArrow(s *arrow.Schema) (Struct, error) {
	out := Struct{Fields: make([]Field, s.NumFields())}
	for i, f := range s.Fields() {
		t, err := FromArrow(f.Type)
		if err != nil {
			return Struct{}, fmt.Errorf("column %s: %w", f.Name, err)
		}
		md, _ := f.Metadata.GetValue(MetadataKey)
		out.Fields[i] = Field{f.Name, t, f.Nullable, md}
	}
	return out, nil
}
