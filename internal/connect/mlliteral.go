package connect

import (
	pb "github.com/millpond/millpond/internal/gen/spark/connect"
	"github.com/millpond/millpond/internal/ml"
	"github.com/millpond/millpond/internal/sparkerr"
	"github.com/millpond/millpond/internal/types"
)

// mlLiteral writes an ML value for the wire.
func mlLiteral(v any) (*pb.Expression_Literal, error) {
	switch v := v.(type) {
	case nil:
		return &pb.Expression_Literal{LiteralType: &pb.Expression_Literal_Null{Null: typeToProto(types.Null)}}, nil
	case bool:
		return &pb.Expression_Literal{LiteralType: &pb.Expression_Literal_Boolean{Boolean: v}}, nil
	case int:
		if int(int32(v)) == v {
			return mlLiteral(int32(v))
		}
		return mlLiteral(int64(v))
	case int32:
		return &pb.Expression_Literal{LiteralType: &pb.Expression_Literal_Integer{Integer: v}}, nil
	case int64:
		return &pb.Expression_Literal{LiteralType: &pb.Expression_Literal_Long{Long: v}}, nil
	case float64:
		return &pb.Expression_Literal{LiteralType: &pb.Expression_Literal_Double{Double: v}}, nil
	case string:
		return &pb.Expression_Literal{LiteralType: &pb.Expression_Literal_String_{String_: v}}, nil
	case ml.Vector:
		return vectorLiteral(v), nil
	case ml.Matrix:
		return matrixLiteral(v), nil
	case []float64:
		return listLiteral(types.Double, v)
	case []int32:
		return listLiteral(types.Int, v)
	case []int:
		return listLiteral(types.Int, v)
	case []int64:
		return listLiteral(types.Long, v)
	case []bool:
		return listLiteral(types.Boolean, v)
	case []string:
		return listLiteral(types.String, v)
	case [][]string:
		return listLiteral(types.Array{Elem: types.String, ContainsNull: true}, v)
	case [][]float64:
		return listLiteral(types.Array{Elem: types.Double}, v)
	case []ml.Vector:
		return listLiteral(types.Vector, v)
	case []any:
		return anyList(v)
	}
	return nil, sparkerr.Unsupported("an attribute of the Go type %T", v)
}

func listLiteral[T any](elem types.Type, list []T) (*pb.Expression_Literal, error) {
	a := &pb.Expression_Literal_Array{ElementType: typeToProto(elem)}
	for _, x := range list {
		p, err := mlLiteral(x)
		if err != nil {
			return nil, err
		}
		a.Elements = append(a.Elements, p)
	}
	return &pb.Expression_Literal{LiteralType: &pb.Expression_Literal_Array_{Array: a}}, nil
}

func anyList(list []any) (*pb.Expression_Literal, error) {
	var elem types.Type = types.Null
	if len(list) > 0 {
		switch list[0].(type) {
		case float64:
			elem = types.Double
		case int, int32:
			elem = types.Int
		case int64:
			elem = types.Long
		case string:
			elem = types.String
		case bool:
			elem = types.Boolean
		case ml.Vector:
			elem = types.Vector
		}
	}
	return listLiteral(elem, list)
}

func nullOf(t types.Type) *pb.Expression_Literal {
	return &pb.Expression_Literal{LiteralType: &pb.Expression_Literal_Null{Null: typeToProto(t)}}
}

func byteLit(v int32) *pb.Expression_Literal {
	return &pb.Expression_Literal{LiteralType: &pb.Expression_Literal_Byte{Byte: v}}
}

func intLit(v int) *pb.Expression_Literal {
	return &pb.Expression_Literal{LiteralType: &pb.Expression_Literal_Integer{Integer: int32(v)}}
}

func doublesLit(v []float64) *pb.Expression_Literal {
	return &pb.Expression_Literal{LiteralType: &pb.Expression_Literal_SpecializedArray_{SpecializedArray: &pb.Expression_Literal_SpecializedArray{
		ValueType: &pb.Expression_Literal_SpecializedArray_Doubles{Doubles: &pb.Doubles{Values: v}}}}}
}

func intsLit(v []int32) *pb.Expression_Literal {
	return &pb.Expression_Literal{LiteralType: &pb.Expression_Literal_SpecializedArray_{SpecializedArray: &pb.Expression_Literal_SpecializedArray{
		ValueType: &pb.Expression_Literal_SpecializedArray_Ints{Ints: &pb.Ints{Values: v}}}}}
}

func udtOf(t *types.UDT) *pb.DataType {
	return &pb.DataType{Kind: &pb.DataType_Udt{Udt: &pb.DataType_UDT{Type: "udt", JvmClass: &t.Class}}}
}

func structOf(t *types.UDT, elements ...*pb.Expression_Literal) *pb.Expression_Literal {
	return &pb.Expression_Literal{LiteralType: &pb.Expression_Literal_Struct_{Struct: &pb.Expression_Literal_Struct{StructType: udtOf(t), Elements: elements}}}
}

func vectorLiteral(v ml.Vector) *pb.Expression_Literal {
	if v.Sparse || v.Indices != nil {
		return structOf(types.Vector, byteLit(0), intLit(v.Size), intsLit(v.Indices), doublesLit(v.Values))
	}
	return structOf(types.Vector, byteLit(1), nullOf(types.Int), nullOf(types.Array{Elem: types.Int}), doublesLit(v.Values))
}

func matrixLiteral(m ml.Matrix) *pb.Expression_Literal {
	list := types.Array{Elem: types.Int}
	if m.Sparse {
		return sparseMatrixLiteral(m)
	}
	transposed := &pb.Expression_Literal{LiteralType: &pb.Expression_Literal_Boolean{Boolean: m.Transposed}}
	return structOf(types.Matrix, byteLit(1), intLit(m.Rows), intLit(m.Cols), nullOf(list), nullOf(list), doublesLit(m.Values), transposed)
}

// sparseMatrixLiteral compresses a matrix by columns, or by rows where it is transposed.
func sparseMatrixLiteral(m ml.Matrix) *pb.Expression_Literal {
	width := m.Rows
	if m.Transposed {
		width = m.Cols
	}
	starts, places, values := []int32{0}, []int32{}, []float64{}
	for i, v := range m.Values {
		if v != 0 {
			places, values = append(places, int32(i%width)), append(values, v)
		}
		if (i+1)%width == 0 {
			starts = append(starts, int32(len(values)))
		}
	}
	return structOf(types.Matrix, byteLit(0), intLit(m.Rows), intLit(m.Cols), intsLit(starts), intsLit(places), doublesLit(values),
		&pb.Expression_Literal{LiteralType: &pb.Expression_Literal_Boolean{Boolean: m.Transposed}})
}
