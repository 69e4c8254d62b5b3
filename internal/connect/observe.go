package connect

import (
	"context"
	"math/big"

	pb "github.com/millpond/millpond/internal/gen/spark/connect"

	"github.com/millpond/millpond/internal/function"
	"github.com/millpond/millpond/internal/plan"
	"github.com/millpond/millpond/internal/sparkerr"
	"github.com/millpond/millpond/internal/types"
)

// observed sends the metrics of the observations in what has been run.
func (o *responder) observed(ctx context.Context, r plan.Relation) error {
	metrics, err := o.x.Observed(ctx, r)
	if err != nil || len(metrics) == 0 {
		return err
	}
	out := &pb.ExecutePlanResponse{}
	for _, m := range metrics {
		sent := &pb.ExecutePlanResponse_ObservedMetrics{Name: m.Name, Keys: m.Keys, PlanId: m.PlanID}
		for _, v := range m.Values {
			l, err := literalToProto(v)
			if err != nil {
				return err
			}
			sent.Values = append(sent.Values, l)
		}
		out.ObservedMetrics = append(out.ObservedMetrics, sent)
	}
	return o.attach(ctx, out)
}

// literalToProto writes a literal to the wire.
func literalToProto(l plan.Literal) (*pb.Expression_Literal, error) {
	switch v := l.Value.(type) {
	case nil:
		return &pb.Expression_Literal{LiteralType: &pb.Expression_Literal_Null{Null: typeToProto(l.Type)}}, nil
	case bool:
		return &pb.Expression_Literal{LiteralType: &pb.Expression_Literal_Boolean{Boolean: v}}, nil
	case int8:
		return &pb.Expression_Literal{LiteralType: &pb.Expression_Literal_Byte{Byte: int32(v)}}, nil
	case int16:
		return &pb.Expression_Literal{LiteralType: &pb.Expression_Literal_Short{Short: int32(v)}}, nil
	case int32:
		if l.Type == types.Date {
			return &pb.Expression_Literal{LiteralType: &pb.Expression_Literal_Date{Date: v}}, nil
		}
		return &pb.Expression_Literal{LiteralType: &pb.Expression_Literal_Integer{Integer: v}}, nil
	case int64:
		switch l.Type {
		case types.Timestamp:
			return &pb.Expression_Literal{LiteralType: &pb.Expression_Literal_Timestamp{Timestamp: v}}, nil
		case types.TimestampNTZ:
			return &pb.Expression_Literal{LiteralType: &pb.Expression_Literal_TimestampNtz{TimestampNtz: v}}, nil
		}
		return &pb.Expression_Literal{LiteralType: &pb.Expression_Literal_Long{Long: v}}, nil
	case float32:
		return &pb.Expression_Literal{LiteralType: &pb.Expression_Literal_Float{Float: v}}, nil
	case float64:
		return &pb.Expression_Literal{LiteralType: &pb.Expression_Literal_Double{Double: v}}, nil
	case string:
		return &pb.Expression_Literal{LiteralType: &pb.Expression_Literal_String_{String_: v}}, nil
	case []byte:
		return &pb.Expression_Literal{LiteralType: &pb.Expression_Literal_Binary{Binary: v}}, nil
	case *big.Int:
		if d, ok := l.Type.(types.Decimal); ok {
			precision, scale := int32(d.Precision), int32(d.Scale)
			return &pb.Expression_Literal{LiteralType: &pb.Expression_Literal_Decimal_{Decimal: &pb.Expression_Literal_Decimal{
				Value: function.DecimalText(v, d.Scale), Precision: &precision, Scale: &scale}}}, nil
		}
	}
	return nil, sparkerr.Unsupported("an observed metric of type %s", l.Type.SimpleString())
}
