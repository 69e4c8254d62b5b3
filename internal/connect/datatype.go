package connect

import (
	pb "github.com/millpond/millpond/internal/gen/spark/connect"
	"github.com/millpond/millpond/internal/sparkerr"
	"github.com/millpond/millpond/internal/types"
)

const collation = "UTF8_BINARY"

func basicProto(t types.Type) *pb.DataType {
	switch t {
	case types.Null:
		return &pb.DataType{Kind: &pb.DataType_Null{Null: &pb.DataType_NULL{}}}
	case types.Boolean:
		return &pb.DataType{Kind: &pb.DataType_Boolean_{Boolean: &pb.DataType_Boolean{}}}
	case types.Byte:
		return &pb.DataType{Kind: &pb.DataType_Byte_{Byte: &pb.DataType_Byte{}}}
	case types.Short:
		return &pb.DataType{Kind: &pb.DataType_Short_{Short: &pb.DataType_Short{}}}
	case types.Int:
		return &pb.DataType{Kind: &pb.DataType_Integer_{Integer: &pb.DataType_Integer{}}}
	case types.Long:
		return &pb.DataType{Kind: &pb.DataType_Long_{Long: &pb.DataType_Long{}}}
	case types.Float:
		return &pb.DataType{Kind: &pb.DataType_Float_{Float: &pb.DataType_Float{}}}
	case types.Double:
		return &pb.DataType{Kind: &pb.DataType_Double_{Double: &pb.DataType_Double{}}}
	case types.String:
		return &pb.DataType{Kind: &pb.DataType_String_{String_: &pb.DataType_String{Collation: collation}}}
	case types.Binary:
		return &pb.DataType{Kind: &pb.DataType_Binary_{Binary: &pb.DataType_Binary{}}}
	case types.Date:
		return &pb.DataType{Kind: &pb.DataType_Date_{Date: &pb.DataType_Date{}}}
	case types.Timestamp:
		return &pb.DataType{Kind: &pb.DataType_Timestamp_{Timestamp: &pb.DataType_Timestamp{}}}
	case types.TimestampNTZ:
		return &pb.DataType{Kind: &pb.DataType_TimestampNtz{TimestampNtz: &pb.DataType_TimestampNTZ{}}}
	case types.CalendarInterval:
		return &pb.DataType{Kind: &pb.DataType_CalendarInterval_{CalendarInterval: &pb.DataType_CalendarInterval{}}}
	case types.Variant:
		return &pb.DataType{Kind: &pb.DataType_Variant_{Variant: &pb.DataType_Variant{}}}
	}
	return nil
}

// typeToProto writes a type for the wire.
func typeToProto(t types.Type) *pb.DataType {
	if p := basicProto(t); p != nil {
		return p
	}
	i32 := func(n int) *int32 { v := int32(n); return &v }
	switch t := t.(type) {
	case types.Decimal:
		return &pb.DataType{Kind: &pb.DataType_Decimal_{Decimal: &pb.DataType_Decimal{Precision: i32(t.Precision), Scale: i32(t.Scale)}}}
	case types.Char:
		return &pb.DataType{Kind: &pb.DataType_Char_{Char: &pb.DataType_Char{Length: int32(t.Length)}}}
	case types.Varchar:
		return &pb.DataType{Kind: &pb.DataType_VarChar_{VarChar: &pb.DataType_VarChar{Length: int32(t.Length)}}}
	case types.DayTimeInterval:
		return &pb.DataType{Kind: &pb.DataType_DayTimeInterval_{DayTimeInterval: &pb.DataType_DayTimeInterval{StartField: i32(t.Start), EndField: i32(t.End)}}}
	case types.YearMonthInterval:
		return &pb.DataType{Kind: &pb.DataType_YearMonthInterval_{YearMonthInterval: &pb.DataType_YearMonthInterval{StartField: i32(t.Start), EndField: i32(t.End)}}}
	case types.Array:
		return &pb.DataType{Kind: &pb.DataType_Array_{Array: &pb.DataType_Array{ElementType: typeToProto(t.Elem), ContainsNull: t.ContainsNull}}}
	case types.Map:
		return &pb.DataType{Kind: &pb.DataType_Map_{Map: &pb.DataType_Map{KeyType: typeToProto(t.Key), ValueType: typeToProto(t.Value), ValueContainsNull: t.ValueContainsNull}}}
	case types.Struct:
		return schemaToProto(t)
	case *types.UDT:
		u := &pb.DataType_UDT{Type: "udt", SqlType: typeToProto(t.SQLType)}
		if t.Class != "" {
			u.JvmClass = &t.Class
		}
		if t.PyClass != "" {
			u.PythonClass = &t.PyClass
		}
		if t.Serialized != "" {
			u.SerializedPythonClass = &t.Serialized
		}
		return &pb.DataType{Kind: &pb.DataType_Udt{Udt: u}}
	}
	return &pb.DataType{Kind: &pb.DataType_Null{Null: &pb.DataType_NULL{}}}
}

// schemaToProto writes a relation's schema, metadata included.
func schemaToProto(s types.Struct) *pb.DataType {
	st := &pb.DataType_Struct{}
	for _, f := range s.Fields {
		p := &pb.DataType_StructField{Name: f.Name, DataType: typeToProto(f.Type), Nullable: f.Nullable}
		if f.Metadata != "" && f.Metadata != "{}" {
			p.Metadata = &f.Metadata
		}
		st.Fields = append(st.Fields, p)
	}
	return &pb.DataType{Kind: &pb.DataType_Struct_{Struct: st}}
}

// typeFromProto reads a type off the wire.
func typeFromProto(p *pb.DataType) (types.Type, error) {
	switch k := p.GetKind().(type) {
	case *pb.DataType_Null:
		return types.Null, nil
	case *pb.DataType_Boolean_:
		return types.Boolean, nil
	case *pb.DataType_Byte_:
		return types.Byte, nil
	case *pb.DataType_Short_:
		return types.Short, nil
	case *pb.DataType_Integer_:
		return types.Int, nil
	case *pb.DataType_Long_:
		return types.Long, nil
	case *pb.DataType_Float_:
		return types.Float, nil
	case *pb.DataType_Double_:
		return types.Double, nil
	case *pb.DataType_String_:
		return types.String, nil
	case *pb.DataType_Binary_:
		return types.Binary, nil
	case *pb.DataType_Date_:
		return types.Date, nil
	case *pb.DataType_Timestamp_:
		return types.Timestamp, nil
	case *pb.DataType_TimestampNtz:
		return types.TimestampNTZ, nil
	case *pb.DataType_CalendarInterval_:
		return types.CalendarInterval, nil
	case *pb.DataType_Variant_:
		return types.Variant, nil
	case *pb.DataType_Char_:
		return types.Char{Length: int(k.Char.Length)}, nil
	case *pb.DataType_VarChar_:
		return types.Varchar{Length: int(k.VarChar.Length)}, nil
	case *pb.DataType_Decimal_:
		d := types.Decimal{Precision: 10}
		if k.Decimal.Precision != nil {
			d.Precision = int(*k.Decimal.Precision)
		}
		if k.Decimal.Scale != nil {
			d.Scale = int(*k.Decimal.Scale)
		}
		return d, nil
	case *pb.DataType_DayTimeInterval_:
		d := types.DayTimeInterval{Start: 0, End: 3}
		if k.DayTimeInterval.StartField != nil {
			d.Start = int(*k.DayTimeInterval.StartField)
		}
		if k.DayTimeInterval.EndField != nil {
			d.End = int(*k.DayTimeInterval.EndField)
		}
		return d, nil
	case *pb.DataType_YearMonthInterval_:
		d := types.YearMonthInterval{Start: 0, End: 1}
		if k.YearMonthInterval.StartField != nil {
			d.Start = int(*k.YearMonthInterval.StartField)
		}
		if k.YearMonthInterval.EndField != nil {
			d.End = int(*k.YearMonthInterval.EndField)
		}
		return d, nil
	case *pb.DataType_Unparsed_:
		t, err := types.ParseDDL(k.Unparsed.GetDataTypeString())
		if err != nil {
			return nil, sparkerr.New(sparkerr.ClassParse, "INVALID_SCHEMA.PARSE_ERROR", "inputSchema", k.Unparsed.GetDataTypeString(), "reason", err.Error())
		}
		return t, nil
	}
	return nestedFromProto(p)
}

func nestedFromProto(p *pb.DataType) (types.Type, error) {
	switch k := p.GetKind().(type) {
	case *pb.DataType_Array_:
		e, err := typeFromProto(k.Array.ElementType)
		return types.Array{Elem: e, ContainsNull: k.Array.ContainsNull}, err
	case *pb.DataType_Map_:
		key, err := typeFromProto(k.Map.KeyType)
		if err != nil {
			return nil, err
		}
		v, err := typeFromProto(k.Map.ValueType)
		return types.Map{Key: key, Value: v, ValueContainsNull: k.Map.ValueContainsNull}, err
	case *pb.DataType_Struct_:
		st := types.Struct{}
		for _, f := range k.Struct.Fields {
			t, err := typeFromProto(f.DataType)
			if err != nil {
				return nil, err
			}
			st.Fields = append(st.Fields, types.Field{Name: f.Name, Type: t, Nullable: f.Nullable, Metadata: f.GetMetadata()})
		}
		return st, nil
	case *pb.DataType_Udt:
		switch k.Udt.GetJvmClass() {
		case types.Vector.Class:
			return types.Vector, nil
		case types.Matrix.Class:
			return types.Matrix, nil
		}
		t, err := typeFromProto(k.Udt.SqlType)
		return &types.UDT{Class: k.Udt.GetJvmClass(), PyClass: k.Udt.GetPythonClass(), Serialized: k.Udt.GetSerializedPythonClass(), SQLType: t}, err
	case nil:
		return types.Null, nil
	}
	return nil, sparkerr.Unsupported("the data type %T", p.GetKind())
}
