package analyze

import (
	"strings"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"

	"github.com/millpond/millpond/internal/plan"
	"github.com/millpond/millpond/internal/sparkerr"
	"github.com/millpond/millpond/internal/types"
)

// LiteralAt makes a literal of a value in a column.
func LiteralAt(col arrow.Array, i int, t types.Type) (plan.Literal, error) {
	if col.IsNull(i) {
		return plan.Literal{Value: nil, Type: t}, nil
	}
	var v any
	switch c := col.(type) {
	case *array.Boolean:
		v = c.Value(i)
	case *array.Int8:
		v = c.Value(i)
	case *array.Int16:
		v = c.Value(i)
	case *array.Int32:
		v = c.Value(i)
	case *array.Int64:
		v = c.Value(i)
	case *array.Float32:
		v = c.Value(i)
	case *array.Float64:
		v = c.Value(i)
	case *array.String:
		v = strings.Clone(c.Value(i))
	case *array.Date32:
		v = int32(c.Value(i))
	case *array.Timestamp:
		v = int64(c.Value(i))
	case *array.Decimal128:
		v = c.Value(i).BigInt()
	default:
		return plan.Literal{}, sparkerr.Unsupported("a literal of type %s", t.SimpleString())
	}
	return plan.Literal{Value: v, Type: t}, nil
}
