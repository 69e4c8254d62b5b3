package ml

import (
	"fmt"
	"slices"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"
	"github.com/apache/arrow-go/v18/arrow/memory"

	"github.com/millpond/millpond/internal/types"
)

// VectorView reads a vector column without copying it. Row i is dense if Dense(i), with Values(i);
// else sparse with Indices(i) and Values(i) over Size(i).
type VectorView struct {
	arr     *array.Struct
	kind    []int8
	size    []int32
	idxOff  []int32
	valOff  []int32
	indices []int32
	values  []float64
}

// NewVectorView looks at an Arrow array laid out as types.Vector.
func NewVectorView(a arrow.Array) (*VectorView, error) {
	s, ok := a.(*array.Struct)
	if !ok || s.NumField() != 4 {
		return nil, fmt.Errorf("not a vector column: %s", a.DataType())
	}
	kind, ok0 := s.Field(0).(*array.Int8)
	size, ok1 := s.Field(1).(*array.Int32)
	idx, ok2 := s.Field(2).(*array.List)
	val, ok3 := s.Field(3).(*array.List)
	if !ok0 || !ok1 || !ok2 || !ok3 {
		return nil, fmt.Errorf("not a vector column: %s", a.DataType())
	}
	iv, ok4 := idx.ListValues().(*array.Int32)
	vv, ok5 := val.ListValues().(*array.Float64)
	if !ok4 || !ok5 {
		return nil, fmt.Errorf("not a vector column: %s", a.DataType())
	}
	v := &VectorView{arr: s, kind: kind.Int8Values(), size: size.Int32Values(),
		indices: iv.Int32Values(), values: vv.Float64Values()}
	// Offsets() is not cut by a list's own offset; Int8Values and the like are.
	v.idxOff = offsets(idx)
	v.valOff = offsets(val)
	return v, nil
}

func offsets(l *array.List) []int32 {
	if l.Len() == 0 {
		return []int32{0}
	}
	o := l.Offsets()
	if off := l.Data().Offset(); len(o) > l.Len()+1 {
		return o[off : off+l.Len()+1]
	}
	return o
}

// Len is the number of rows.
func (v *VectorView) Len() int { return v.arr.Len() }

// IsNull says whether row i is null.
func (v *VectorView) IsNull(i int) bool { return v.arr.IsNull(i) }

// Dense says whether row i holds every value.
func (v *VectorView) Dense(i int) bool { return v.kind[i] == 1 }

// Values gives row i's stored values; the slice is the column's own memory.
func (v *VectorView) Values(i int) []float64 { return v.values[v.valOff[i]:v.valOff[i+1]] }

// Indices gives the places of row i's stored values, nil if it is dense.
func (v *VectorView) Indices(i int) []int32 {
	if v.kind[i] == 1 {
		return nil
	}
	return v.indices[v.idxOff[i]:v.idxOff[i+1]]
}

// Size is row i's dimension.
func (v *VectorView) Size(i int) int {
	if v.kind[i] == 1 {
		return int(v.valOff[i+1] - v.valOff[i])
	}
	return int(v.size[i])
}

// CopyTo writes row i densely into dst, which has Size(i) places.
func (v *VectorView) CopyTo(i int, dst []float64) {
	if v.kind[i] == 1 {
		copy(dst, v.Values(i))
		return
	}
	clear(dst)
	val := v.Values(i)
	for k, j := range v.Indices(i) {
		dst[j] = val[k]
	}
}

// Dot multiplies row i by x, which has Size(i) places.
func (v *VectorView) Dot(i int, x []float64) float64 {
	sum, val := 0.0, v.Values(i)
	if v.kind[i] == 1 {
		for j, y := range val {
			sum += y * x[j]
		}
		return sum
	}
	for k, j := range v.Indices(i) {
		sum += val[k] * x[j]
	}
	return sum
}

// VectorBuilder makes a vector column row by row from slices, without boxing.
type VectorBuilder struct {
	kind           []int8
	size           []int32
	valid          []bool
	idxOff, valOff []int32
	indices        []int32
	values         []float64
	nulls          int
	sparse, dense  bool
}

// NewVectorBuilder makes a builder with room for rows rows of about width stored values.
func NewVectorBuilder(rows, width int) *VectorBuilder {
	b := &VectorBuilder{kind: make([]int8, 0, rows), size: make([]int32, 0, rows), valid: make([]bool, 0, rows)}
	b.idxOff, b.valOff = append(make([]int32, 0, rows+1), 0), append(make([]int32, 0, rows+1), 0)
	b.values = make([]float64, 0, rows*width)
	return b
}

// Dense adds a row holding every value; the values are copied.
func (b *VectorBuilder) Dense(values []float64) {
	b.values = append(b.values, values...)
	b.end(1, 0, true)
}

// Grow adds a dense row of n values for the caller to fill before the next call.
func (b *VectorBuilder) Grow(n int) []float64 {
	at := len(b.values)
	b.values = slices.Grow(b.values, n)[:at+n]
	clear(b.values[at:])
	b.end(1, 0, true)
	return b.values[at : at+n]
}

// Sparse adds a row of the given size; the slices are copied.
func (b *VectorBuilder) Sparse(size int, indices []int32, values []float64) {
	b.indices = append(b.indices, indices...)
	b.values = append(b.values, values...)
	b.end(0, int32(size), true)
}

// Null adds a null row.
func (b *VectorBuilder) Null() { b.nulls++; b.end(0, 0, false) }

func (b *VectorBuilder) end(kind int8, size int32, valid bool) {
	b.kind, b.size, b.valid = append(b.kind, kind), append(b.size, size), append(b.valid, valid)
	b.idxOff, b.valOff = append(b.idxOff, int32(len(b.indices))), append(b.valOff, int32(len(b.values)))
	b.dense = b.dense || kind == 1
	b.sparse = b.sparse || kind == 0
}

// Array gives the column; the builder must not be used afterwards.
func (b *VectorBuilder) Array() arrow.Array {
	n := len(b.kind)
	var valid, sparse *memory.Buffer
	nulls, denseRows := b.nulls, 0
	if b.nulls > 0 {
		valid = bitmap(n, func(i int) bool { return b.valid[i] })
	}
	if b.dense { // size and indices are null in dense rows
		sparse = bitmap(n, func(i int) bool { return b.kind[i] == 0 && b.valid[i] })
		for i, k := range b.kind {
			if k == 1 || !b.valid[i] {
				denseRows++
			}
		}
	}
	dt, err := types.ToArrow(types.Vector, "")
	if err != nil {
		panic("ml: the vector type has no Arrow form: " + err.Error()) // a constant of the program
	}
	st := dt.(*arrow.StructType)
	buf := func(x []byte) *memory.Buffer { return memory.NewBufferBytes(x) }
	kind := array.NewData(arrow.PrimitiveTypes.Int8, n, []*memory.Buffer{nil, buf(arrow.Int8Traits.CastToBytes(b.kind))}, nil, 0, 0)
	size := array.NewData(arrow.PrimitiveTypes.Int32, n, []*memory.Buffer{sparse, buf(arrow.Int32Traits.CastToBytes(b.size))}, nil, denseRows, 0)
	iv := array.NewData(arrow.PrimitiveTypes.Int32, len(b.indices), []*memory.Buffer{nil, buf(arrow.Int32Traits.CastToBytes(b.indices))}, nil, 0, 0)
	idx := array.NewData(st.Field(2).Type, n, []*memory.Buffer{sparse, buf(arrow.Int32Traits.CastToBytes(b.idxOff))}, []arrow.ArrayData{iv}, denseRows, 0)
	vv := array.NewData(arrow.PrimitiveTypes.Float64, len(b.values), []*memory.Buffer{nil, buf(arrow.Float64Traits.CastToBytes(b.values))}, nil, 0, 0)
	val := array.NewData(st.Field(3).Type, n, []*memory.Buffer{nil, buf(arrow.Int32Traits.CastToBytes(b.valOff))}, []arrow.ArrayData{vv}, 0, 0)
	return array.MakeFromData(array.NewData(st, n, []*memory.Buffer{valid}, []arrow.ArrayData{kind, size, idx, val}, nulls, 0))
}

func bitmap(n int, set func(int) bool) *memory.Buffer {
	bits := make([]byte, (n+7)/8)
	for i := range n {
		if set(i) {
			bits[i/8] |= 1 << (i % 8)
		}
	}
	return memory.NewBufferBytes(bits)
}
