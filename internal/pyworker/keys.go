package pyworker

import (
	"bytes"
	"cmp"
	"math"
	"strings"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"

	"github.com/millpond/millpond/internal/sparkerr"
)

// order compares row i of one column with row k of another, as the engine sorts: nulls first, NaN
// last, -0 as 0.
type order func(i, k int) int

// orderOf makes the comparison of two columns of one type.
func orderOf(a, b arrow.Array) (order, error) {
	inner, err := valueOrder(a, b)
	if err != nil {
		return nil, err
	}
	return func(i, k int) int {
		an, bn := a.IsNull(i), b.IsNull(k)
		switch {
		case an && bn:
			return 0
		case an:
			return -1
		case bn:
			return 1
		}
		return inner(i, k)
	}, nil
}

func valueOrder(a, b arrow.Array) (order, error) {
	switch x := a.(type) {
	case *array.Null:
		return func(int, int) int { return 0 }, nil
	case *array.Boolean:
		if y, ok := b.(*array.Boolean); ok {
			return func(i, k int) int { return bit(x.Value(i)) - bit(y.Value(k)) }, nil
		}
	case *array.Int8:
		return ordered[int8](x, b)
	case *array.Int16:
		return ordered[int16](x, b)
	case *array.Int32:
		return ordered[int32](x, b)
	case *array.Int64:
		return ordered[int64](x, b)
	case *array.Float32:
		return floating[float32](x, b)
	case *array.Float64:
		return floating[float64](x, b)
	case *array.Date32:
		return ordered[arrow.Date32](x, b)
	case *array.Timestamp:
		return ordered[arrow.Timestamp](x, b)
	case *array.Duration:
		return ordered[arrow.Duration](x, b)
	case *array.MonthInterval:
		return ordered[arrow.MonthInterval](x, b)
	case *array.String:
		if y, ok := b.(*array.String); ok {
			return func(i, k int) int { return strings.Compare(x.Value(i), y.Value(k)) }, nil
		}
	case *array.Binary:
		if y, ok := b.(*array.Binary); ok {
			return func(i, k int) int { return bytes.Compare(x.Value(i), y.Value(k)) }, nil
		}
	case *array.Decimal128:
		if y, ok := b.(*array.Decimal128); ok {
			return func(i, k int) int { return x.Value(i).Cmp(y.Value(k)) }, nil
		}
	case *array.List:
		if y, ok := b.(*array.List); ok {
			return listOrder(x, y)
		}
	case *array.Struct:
		if y, ok := b.(*array.Struct); ok && x.NumField() == y.NumField() {
			return structOrder(x, y)
		}
	}
	return nil, sparkerr.Unsupported("groups for Python functions by a key of type %s beside %s", a.DataType(), b.DataType())
}

func bit(b bool) int {
	if b {
		return 1
	}
	return 0
}

type valued[T any] interface{ Value(i int) T }

func ordered[T cmp.Ordered](x valued[T], b arrow.Array) (order, error) {
	y, ok := b.(valued[T])
	if !ok {
		return nil, sparkerr.Unsupported("groups for Python functions by keys of two types, one %s", b.DataType())
	}
	return func(i, k int) int { return cmp.Compare(x.Value(i), y.Value(k)) }, nil
}

func floating[T float32 | float64](x valued[T], b arrow.Array) (order, error) {
	y, ok := b.(valued[T])
	if !ok {
		return nil, sparkerr.Unsupported("groups for Python functions by keys of two types, one %s", b.DataType())
	}
	return func(i, k int) int {
		u, v := float64(x.Value(i)), float64(y.Value(k))
		if math.IsNaN(u) || math.IsNaN(v) {
			return bit(math.IsNaN(u)) - bit(math.IsNaN(v))
		}
		return cmp.Compare(u, v)
	}, nil
}

func listOrder(x, y *array.List) (order, error) {
	elem, err := orderOf(x.ListValues(), y.ListValues())
	if err != nil {
		return nil, err
	}
	return func(i, k int) int {
		xf, xt := x.ValueOffsets(i)
		yf, yt := y.ValueOffsets(k)
		for xf < xt && yf < yt {
			if c := elem(int(xf), int(yf)); c != 0 {
				return c
			}
			xf++
			yf++
		}
		return cmp.Compare(xt-xf, yt-yf)
	}, nil
}

func structOrder(x, y *array.Struct) (order, error) {
	fields := make([]order, x.NumField())
	for i := range fields {
		f, err := orderOf(x.Field(i), y.Field(i))
		if err != nil {
			return nil, err
		}
		fields[i] = f
	}
	return func(i, k int) int {
		for _, f := range fields {
			if c := f(i, k); c != 0 {
				return c
			}
		}
		return 0
	}, nil
}

// keyOrder compares rows of two batches by their keys.
func keyOrder(a arrow.RecordBatch, aKeys []int, b arrow.RecordBatch, bKeys []int) (order, error) {
	orders := make([]order, len(aKeys))
	for i := range aKeys {
		o, err := orderOf(a.Column(aKeys[i]), b.Column(bKeys[i]))
		if err != nil {
			return nil, err
		}
		orders[i] = o
	}
	return func(i, k int) int {
		for _, o := range orders {
			if c := o(i, k); c != 0 {
				return c
			}
		}
		return 0
	}, nil
}
