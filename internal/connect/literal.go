package connect

import (
	"math/big"
	"strconv"
	"strings"

	pb "github.com/millpond/millpond/internal/gen/spark/connect"
	"github.com/millpond/millpond/internal/ml"
	"github.com/millpond/millpond/internal/plan"
	"github.com/millpond/millpond/internal/sparkerr"
	"github.com/millpond/millpond/internal/types"
)

// literal reads a constant off the wire.
func literal(p *pb.Expression_Literal) (plan.Literal, error) {
	lit := func(v any, t types.Type) (plan.Literal, error) { return plan.Literal{Value: v, Type: t}, nil }
	switch k := p.GetLiteralType().(type) {
	case *pb.Expression_Literal_Null:
		t, err := typeFromProto(k.Null)
		return plan.Literal{Type: t}, err
	case *pb.Expression_Literal_Binary:
		return lit(k.Binary, types.Binary)
	case *pb.Expression_Literal_Boolean:
		return lit(k.Boolean, types.Boolean)
	case *pb.Expression_Literal_Byte:
		return lit(int8(k.Byte), types.Byte)
	case *pb.Expression_Literal_Short:
		return lit(int16(k.Short), types.Short)
	case *pb.Expression_Literal_Integer:
		return lit(k.Integer, types.Int)
	case *pb.Expression_Literal_Long:
		return lit(k.Long, types.Long)
	case *pb.Expression_Literal_Float:
		return lit(k.Float, types.Float)
	case *pb.Expression_Literal_Double:
		return lit(k.Double, types.Double)
	case *pb.Expression_Literal_String_:
		return lit(k.String_, types.String)
	case *pb.Expression_Literal_Date:
		return lit(k.Date, types.Date)
	case *pb.Expression_Literal_Timestamp:
		return lit(k.Timestamp, types.Timestamp)
	case *pb.Expression_Literal_TimestampNtz:
		return lit(k.TimestampNtz, types.TimestampNTZ)
	case *pb.Expression_Literal_DayTimeInterval:
		return lit(k.DayTimeInterval, types.DayTimeInterval{Start: 0, End: 3})
	case *pb.Expression_Literal_YearMonthInterval:
		return lit(k.YearMonthInterval, types.YearMonthInterval{Start: 0, End: 1})
	case *pb.Expression_Literal_Decimal_:
		return decimalLiteral(k.Decimal)
	case *pb.Expression_Literal_Array_:
		return arrayLiteral(p, k.Array)
	case *pb.Expression_Literal_Map_:
		return mapLiteral(p, k.Map)
	case *pb.Expression_Literal_Struct_:
		return structLiteral(p, k.Struct)
	case *pb.Expression_Literal_SpecializedArray_:
		return specializedArray(k.SpecializedArray)
	}
	if p.GetLiteralType() == nil {
		return plan.Literal{}, sparkerr.InvalidPlan("UNSUPPORTED_LITERAL_TYPE", "typeInfo", "LITERALTYPE_NOT_SET(0)")
	}
	return plan.Literal{}, sparkerr.Unsupported("the literal %s", typeName(p.GetLiteralType()))
}

// decimalLiteral keeps all of the value's digits: pyspark sends lit(Decimal("1.50")) as a decimal(10,0).
func decimalLiteral(d *pb.Expression_Literal_Decimal) (plan.Literal, error) {
	digits, exponent, _ := strings.Cut(strings.ToUpper(d.Value), "E")
	r, ok := new(big.Rat).SetString(digits)
	if !ok {
		return plan.Literal{}, sparkerr.IllegalArgument("%q is not a decimal", d.Value)
	}
	_, frac, _ := strings.Cut(digits, ".")
	shift := 0
	if exponent != "" {
		var err error
		if shift, err = strconv.Atoi(exponent); err != nil || shift < -38 || shift > 38 {
			return plan.Literal{}, sparkerr.IllegalArgument("%q is not a decimal", d.Value)
		}
	}
	scale := max(len(frac)-shift, int(d.GetScale()), 0)
	if scale > 38 {
		return plan.Literal{}, sparkerr.IllegalArgument("decimal scale %d is out of range", scale)
	}
	n := new(big.Int).Mul(r.Num(), new(big.Int).Exp(big.NewInt(10), big.NewInt(int64(scale+shift)), nil))
	n.Quo(n, r.Denom())
	precision := max(len(new(big.Int).Abs(n).String()), scale, int(d.GetPrecision()))
	if precision > 38 {
		return plan.Literal{}, sparkerr.IllegalArgument("decimal precision %d is out of range", precision)
	}
	return plan.Literal{Value: n, Type: types.Decimal{Precision: precision, Scale: scale}}, nil
}

func literals(ps []*pb.Expression_Literal) (vals []any, common types.Type, null bool, err error) {
	common = types.Null
	for _, p := range ps {
		l, err := literal(p)
		if err != nil {
			return nil, nil, false, err
		}
		if t, ok := types.Common(common, l.Type); ok {
			common = t
		}
		null = null || l.Value == nil
		vals = append(vals, l.Value)
	}
	return vals, common, null, nil
}

func arrayLiteral(p *pb.Expression_Literal, a *pb.Expression_Literal_Array) (plan.Literal, error) {
	vals, elem, null, err := literals(a.Elements)
	if err != nil {
		return plan.Literal{}, err
	}
	if a.ElementType != nil {
		if elem, err = typeFromProto(a.ElementType); err != nil {
			return plan.Literal{}, err
		}
	}
	t := types.Array{Elem: elem, ContainsNull: null}
	if p.DataType != nil {
		if dt, err := typeFromProto(p.DataType); err == nil {
			if at, ok := dt.(types.Array); ok && at.Elem != types.Null {
				t = at
			}
		}
	}
	if vals == nil {
		vals = []any{}
	}
	return plan.Literal{Value: vals, Type: t}, nil
}

func mapLiteral(p *pb.Expression_Literal, m *pb.Expression_Literal_Map) (plan.Literal, error) {
	keys, kt, _, err := literals(m.Keys)
	if err != nil {
		return plan.Literal{}, err
	}
	vals, vt, null, err := literals(m.Values)
	if err != nil {
		return plan.Literal{}, err
	}
	t := types.Map{Key: kt, Value: vt, ValueContainsNull: null}
	if m.KeyType != nil && m.ValueType != nil {
		if t.Key, err = typeFromProto(m.KeyType); err != nil {
			return plan.Literal{}, err
		}
		if t.Value, err = typeFromProto(m.ValueType); err != nil {
			return plan.Literal{}, err
		}
	}
	if p.DataType != nil {
		if dt, err := typeFromProto(p.DataType); err == nil {
			if mt, ok := dt.(types.Map); ok {
				t = mt
			}
		}
	}
	return plan.Literal{Value: plan.MapValue{Keys: keys, Values: vals}, Type: t}, nil
}

func structLiteral(p *pb.Expression_Literal, s *pb.Expression_Literal_Struct) (plan.Literal, error) {
	dt := p.DataType
	if dt == nil {
		dt = s.StructType
	}
	t, err := typeFromProto(dt)
	if err != nil {
		return plan.Literal{}, err
	}
	vals, _, _, err := literals(s.Elements)
	return plan.Literal{Value: vals, Type: t}, err
}

func specializedArray(a *pb.Expression_Literal_SpecializedArray) (plan.Literal, error) {
	var vals []any
	var t types.Type
	switch k := a.GetValueType().(type) {
	case *pb.Expression_Literal_SpecializedArray_Bools:
		t = types.Boolean
		for _, v := range k.Bools.Values {
			vals = append(vals, v)
		}
	case *pb.Expression_Literal_SpecializedArray_Ints:
		t = types.Int
		for _, v := range k.Ints.Values {
			vals = append(vals, v)
		}
	case *pb.Expression_Literal_SpecializedArray_Longs:
		t = types.Long
		for _, v := range k.Longs.Values {
			vals = append(vals, v)
		}
	case *pb.Expression_Literal_SpecializedArray_Floats:
		t = types.Float
		for _, v := range k.Floats.Values {
			vals = append(vals, v)
		}
	case *pb.Expression_Literal_SpecializedArray_Doubles:
		t = types.Double
		for _, v := range k.Doubles.Values {
			vals = append(vals, v)
		}
	case *pb.Expression_Literal_SpecializedArray_Strings:
		t = types.String
		for _, v := range k.Strings.Values {
			vals = append(vals, v)
		}
	default:
		return plan.Literal{}, sparkerr.Unsupported("the specialized array %T", k)
	}
	return plan.Literal{Value: vals, Type: types.Array{Elem: t}}, nil
}

// mlValue turns a parameter's literal into the Go form that ML wants: vectors and matrices come
// as structs of a user-defined type.
func mlValue(p *pb.Expression_Literal) (any, error) {
	if s, ok := p.GetLiteralType().(*pb.Expression_Literal_Struct_); ok {
		dt := p.DataType
		if dt == nil {
			dt = s.Struct.StructType
		}
		l, err := structLiteral(p, s.Struct)
		if err != nil {
			return nil, err
		}
		vals, _ := l.Value.([]any)
		switch dt.GetUdt().GetJvmClass() {
		case types.Vector.Class:
			return vectorValue(vals)
		case types.Matrix.Class:
			return matrixValue(vals)
		}
		return vals, nil
	}
	l, err := literal(p)
	if err != nil {
		return nil, err
	}
	switch v := l.Value.(type) {
	case int8:
		return int32(v), nil
	case int16:
		return int32(v), nil
	case float32:
		return float64(v), nil
	case []any:
		return listValue(v, l.Type), nil
	}
	return l.Value, nil
}

func listValue(v []any, t types.Type) any {
	a, ok := t.(types.Array)
	if !ok {
		return v
	}
	out := make([]any, len(v))
	for i, x := range v {
		switch x := x.(type) {
		case []any:
			out[i] = listValue(x, a.Elem)
		case float32:
			out[i] = float64(x)
		default:
			out[i] = x
		}
	}
	return out
}

func vectorValue(v []any) (any, error) {
	if len(v) != 4 {
		return nil, sparkerr.IllegalArgument("a vector literal has 4 elements, not %d", len(v))
	}
	out := ml.Vector{Values: floats(v[3])}
	if kind, _ := v[0].(int8); kind == 1 {
		out.Size = len(out.Values)
		return out, nil
	}
	size, _ := v[1].(int32)
	out.Sparse, out.Size, out.Indices = true, int(size), ints(v[2])
	return out, checkSparse(out)
}

// checkSparse refuses what Spark's SparseVector does.
func checkSparse(v ml.Vector) error {
	if len(v.Indices) != len(v.Values) {
		return sparkerr.Require("Sparse vectors require that the dimension of the indices match the dimension of the values. You provided %d indices and  %d values.", len(v.Indices), len(v.Values))
	}
	previous := int32(-1)
	for _, i := range v.Indices {
		if i <= previous {
			return sparkerr.Require("Index %d follows %d and is not strictly increasing", i, previous)
		}
		previous = i
	}
	if int(previous) >= v.Size || v.Size < 0 {
		return sparkerr.Require("Index %d out of bounds for vector of size %d", previous, v.Size)
	}
	return nil
}

func matrixValue(v []any) (any, error) {
	if len(v) != 7 {
		return nil, sparkerr.IllegalArgument("a matrix literal has 7 elements, not %d", len(v))
	}
	rows, _ := v[1].(int32)
	cols, _ := v[2].(int32)
	transposed, _ := v[6].(bool)
	if kind, _ := v[0].(int8); kind != 1 {
		return nil, sparkerr.Unsupported("sparse matrix parameters")
	}
	values := floats(v[5])
	if rows < 0 || cols < 0 || int64(rows)*int64(cols) != int64(len(values)) {
		return nil, sparkerr.Require("The number of values supplied doesn't match the size of the matrix! values.length: %d, numRows * numCols: %d", len(values), int64(rows)*int64(cols))
	}
	return ml.Matrix{Rows: int(rows), Cols: int(cols), Values: values, Transposed: transposed}, nil
}

func floats(v any) []float64 {
	list, _ := v.([]any)
	out := make([]float64, len(list))
	for i, x := range list {
		out[i], _ = x.(float64)
	}
	return out
}

func ints(v any) []int32 {
	list, _ := v.([]any)
	out := make([]int32, len(list))
	for i, x := range list {
		out[i], _ = x.(int32)
	}
	return out
}
