package types

import (
	"fmt"

	"github.com/apache/arrow-go/v18/arrow"
)

// MetadataKey is where Spark keeps a column's metadata (JSON) in an Arrow field.
const MetadataKey = "SPARK::metadata::json"

var basicArrow = map[Type]arrow.DataType{
	Null: arrow.Null, Boolean: arrow.FixedWidthTypes.Boolean,
	Byte: arrow.PrimitiveTypes.Int8, Short: arrow.PrimitiveTypes.Int16,
	Int: arrow.PrimitiveTypes.Int32, Long: arrow.PrimitiveTypes.Int64,
	Float: arrow.PrimitiveTypes.Float32, Double: arrow.PrimitiveTypes.Float64,
	String: arrow.BinaryTypes.String, Binary: arrow.BinaryTypes.Binary,
	Date:             arrow.FixedWidthTypes.Date32,
	Timestamp:        &arrow.TimestampType{Unit: arrow.Microsecond, TimeZone: "UTC"},
	TimestampNTZ:     &arrow.TimestampType{Unit: arrow.Microsecond},
	CalendarInterval: arrow.FixedWidthTypes.MonthDayNanoInterval,
}

// ToArrow gives the Arrow layout of a type; timezone names the zone of timestamps ("" is UTC).
func ToArrow(t Type, timezone string) (arrow.DataType, error) {
	if t == Timestamp && timezone != "" {
		return &arrow.TimestampType{Unit: arrow.Microsecond, TimeZone: timezone}, nil
	}
	if b, ok := t.(*Basic); ok {
		if a, ok := basicArrow[b]; ok {
			return a, nil
		}
	}
	switch t := t.(type) {
	case Decimal:
		return &arrow.Decimal128Type{Precision: int32(t.Precision), Scale: int32(t.Scale)}, nil
	case Char, Varchar:
		return arrow.BinaryTypes.String, nil
	case DayTimeInterval:
		return arrow.FixedWidthTypes.Duration_us, nil
	case YearMonthInterval:
		return arrow.FixedWidthTypes.MonthInterval, nil
	case Array:
		f, err := FieldToArrow(Field{Name: "element", Type: t.Elem, Nullable: t.ContainsNull}, timezone)
		return arrow.ListOfField(f), err
	case Map:
		k, err := ToArrow(t.Key, timezone)
		if err != nil {
			return nil, err
		}
		v, err := ToArrow(t.Value, timezone)
		if err != nil {
			return nil, err
		}
		m := arrow.MapOf(k, v)
		m.SetItemNullable(t.ValueContainsNull)
		return m, nil
	case Struct:
		s, err := SchemaToArrow(t, timezone)
		if err != nil {
			return nil, err
		}
		return arrow.StructOf(s.Fields()...), nil
	case *UDT:
		return ToArrow(t.SQLType, timezone)
	}
	return nil, fmt.Errorf("type %s has no Arrow form", t.SimpleString())
}

// FieldToArrow gives a column's Arrow field, its metadata included.
func FieldToArrow(f Field, timezone string) (arrow.Field, error) {
	a, err := ToArrow(f.Type, timezone)
	if err != nil {
		return arrow.Field{}, fmt.Errorf("column %s: %w", f.Name, err)
	}
	out := arrow.Field{Name: f.Name, Type: a, Nullable: f.Nullable}
	if f.Metadata != "" && f.Metadata != "{}" {
		out.Metadata = arrow.NewMetadata([]string{MetadataKey}, []string{f.Metadata})
	}
	return out, nil
}

// SchemaToArrow gives the Arrow schema of a relation.
func SchemaToArrow(s Struct, timezone string) (*arrow.Schema, error) {
	fields := make([]arrow.Field, len(s.Fields))
	for i, f := range s.Fields {
		a, err := FieldToArrow(f, timezone)
		if err != nil {
			return nil, err
		}
		fields[i] = a
	}
	return arrow.NewSchema(fields, nil), nil
}
