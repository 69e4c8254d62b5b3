package column

import (
	"context"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"
	"github.com/apache/arrow-go/v18/arrow/bitutil"
	"github.com/apache/arrow-go/v18/arrow/compute"
	"github.com/apache/arrow-go/v18/arrow/memory"
)

// Take gathers the values of an array at some places. It is Arrow's own take, but copies whole
// runs of the lists that vectors are made of.
func Take(ctx context.Context, a arrow.Array, places []int64) (arrow.Array, error) {
	if len(places) == 0 {
		return array.NewSlice(a, 0, 0), nil
	}
	d, err := takeData(ctx, a.Data(), places)
	if err != nil {
		return nil, err
	}
	return array.MakeFromData(d), nil
}

func takeData(ctx context.Context, d arrow.ArrayData, places []int64) (arrow.ArrayData, error) {
	switch t := d.DataType().(type) {
	case *arrow.StructType:
		return takeStruct(ctx, d, places)
	case *arrow.ListType:
		child := d.Children()[0]
		if width := fixedWidth(t.Elem()); width > 0 && child.NullN() == 0 {
			return takeList(d, child, width, places), nil
		}
	default:
		if width := fixedWidth(t); width > 0 {
			values := takeValues(d.Buffers()[1].Bytes()[d.Offset()*width:], width, places)
			valid, nulls := takeValid(d, places)
			return array.NewData(t, len(places), []*memory.Buffer{valid, memory.NewBufferBytes(values)}, nil, nulls, 0), nil
		}
	}
	at := array.NewInt64Builder(memory.DefaultAllocator)
	at.AppendValues(places, nil)
	out, err := compute.TakeArray(ctx, array.MakeFromData(d), at.NewArray())
	if err != nil {
		return nil, err
	}
	return out.Data(), nil
}

// fixedWidth is how many bytes a value of a type has, 0 where values are not of whole bytes.
func fixedWidth(t arrow.DataType) int {
	if f, ok := t.(arrow.FixedWidthDataType); ok && t.ID() != arrow.DICTIONARY && t.ID() != arrow.EXTENSION && f.BitWidth()%8 == 0 {
		return f.BitWidth() / 8
	}
	return 0
}

// takeStruct gathers each field; a struct's places are its fields' places behind its offset.
func takeStruct(ctx context.Context, d arrow.ArrayData, places []int64) (arrow.ArrayData, error) {
	below := places
	if off := int64(d.Offset()); off != 0 {
		below = make([]int64, len(places))
		for i, p := range places {
			below[i] = p + off
		}
	}
	children := make([]arrow.ArrayData, len(d.Children()))
	for i, c := range d.Children() {
		var err error
		if children[i], err = takeData(ctx, c, below); err != nil {
			return nil, err
		}
	}
	valid, nulls := takeValid(d, places)
	return array.NewData(d.DataType(), len(places), []*memory.Buffer{valid}, children, nulls, 0), nil
}

func takeList(d, child arrow.ArrayData, width int, places []int64) arrow.ArrayData {
	from := arrow.Int32Traits.CastFromBytes(d.Buffers()[1].Bytes())[d.Offset():]
	to := make([]int32, len(places)+1)
	for i, p := range places {
		to[i+1] = to[i] + from[p+1] - from[p]
	}
	var values []byte
	if all := int(to[len(places)]); all > 0 {
		values = make([]byte, 0, all*width)
		source := child.Buffers()[1].Bytes()[child.Offset()*width:]
		for _, p := range places {
			values = append(values, source[int(from[p])*width:int(from[p+1])*width]...)
		}
	}
	elements := array.NewData(child.DataType(), len(values)/width, []*memory.Buffer{nil, memory.NewBufferBytes(values)}, nil, 0, 0)
	valid, nulls := takeValid(d, places)
	offsets := memory.NewBufferBytes(arrow.Int32Traits.CastToBytes(to))
	return array.NewData(d.DataType(), len(places), []*memory.Buffer{valid, offsets}, []arrow.ArrayData{elements}, nulls, 0)
}

// takeValues copies values of some bytes each.
func takeValues(source []byte, width int, places []int64) []byte {
	out := make([]byte, len(places)*width)
	switch width {
	case 8:
		to, from := arrow.Int64Traits.CastFromBytes(out), arrow.Int64Traits.CastFromBytes(source)
		for i, p := range places {
			to[i] = from[p]
		}
	case 4:
		to, from := arrow.Int32Traits.CastFromBytes(out), arrow.Int32Traits.CastFromBytes(source)
		for i, p := range places {
			to[i] = from[p]
		}
	default:
		for i, p := range places {
			copy(out[i*width:(i+1)*width], source[int(p)*width:])
		}
	}
	return out
}

// takeValid gathers which values there are: nil for all.
func takeValid(d arrow.ArrayData, places []int64) (*memory.Buffer, int) {
	if d.NullN() == 0 || d.Buffers()[0] == nil {
		return nil, 0
	}
	bits, out := d.Buffers()[0].Bytes(), make([]byte, bitutil.BytesForBits(int64(len(places))))
	nulls := 0
	for i, p := range places {
		if bitutil.BitIsSet(bits, int(p)+d.Offset()) {
			bitutil.SetBit(out, i)
		} else {
			nulls++
		}
	}
	return memory.NewBufferBytes(out), nulls
}
