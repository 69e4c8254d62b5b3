package ml

import (
	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"
	"github.com/apache/arrow-go/v18/arrow/memory"
)

// NumberColumn makes a column of numbers, none of them null; it keeps the slice.
func NumberColumn(values []float64) arrow.Array {
	return array.NewFloat64Data(array.NewData(arrow.PrimitiveTypes.Float64, len(values),
		[]*memory.Buffer{nil, memory.NewBufferBytes(arrow.Float64Traits.CastToBytes(values))}, nil, 0, 0))
}
