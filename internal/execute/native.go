package execute

/*
#include <stdlib.h>
void millpondNativeCall(void *info, void *input, void *output);
typedef void (*millpond_cb3)(void *, void *, void *);
static inline void *millpond_native_ptr(void) { return (void *)(millpond_cb3)millpondNativeCall; }
static inline void *millpond_native_free_ptr(void) { return (void *)free; }
*/
import "C"

import (
	"fmt"
	"unsafe"

	duck "github.com/duckdb/duckdb-go-bindings"

	"github.com/millpond/millpond/internal/native"
)

// natives are the functions of package native, called by their place: the callback comes from C
// and carries only a number. The table never changes.
var natives = native.Table()

var nativeTypes = map[native.Kind]duck.Type{native.Text: duck.TypeVarchar, native.Bytes: duck.TypeBlob, native.Bool: duck.TypeBoolean,
	native.Int: duck.TypeInteger, native.Long: duck.TypeBigInt, native.Double: duck.TypeDouble}

func nativeType(k native.Kind) duck.LogicalType {
	switch k {
	case native.Texts:
		return listType(duck.TypeVarchar)
	case native.Doubles:
		return listType(duck.TypeDouble)
	case native.Vector:
		parts := []duck.LogicalType{duck.CreateLogicalType(duck.TypeTinyInt), duck.CreateLogicalType(duck.TypeInteger), listType(duck.TypeInteger), listType(duck.TypeDouble)}
		defer func() {
			for i := range parts {
				duck.DestroyLogicalType(&parts[i])
			}
		}()
		return duck.CreateStructType(parts, []string{"type", "size", "indices", "values"})
	}
	return duck.CreateLogicalType(nativeTypes[k])
}

func listType(of duck.Type) duck.LogicalType {
	child := duck.CreateLogicalType(of)
	defer duck.DestroyLogicalType(&child)
	return duck.CreateListType(child)
}

// registerNatives makes every native function callable in statements.
func registerNatives(c *connection) error {
	for place := range natives {
		n := &natives[place]
		f := duck.CreateScalarFunction()
		duck.ScalarFunctionSetName(f, n.Name)
		for k, kind := range n.Args {
			t := nativeType(kind)
			if n.Variadic && k == len(n.Args)-1 {
				duck.ScalarFunctionSetVarargs(f, t)
			} else {
				duck.ScalarFunctionAddParameter(f, t)
			}
			duck.DestroyLogicalType(&t)
		}
		t := nativeType(n.Result)
		duck.ScalarFunctionSetReturnType(f, t)
		duck.DestroyLogicalType(&t)
		duck.ScalarFunctionSetSpecialHandling(f)
		mem := C.malloc(8)
		*(*int64)(mem) = int64(place)
		duck.ScalarFunctionSetExtraInfo(f, mem, C.millpond_native_free_ptr())
		duck.ScalarFunctionSetFunction(f, C.millpond_native_ptr())
		state := duck.RegisterScalarFunction(c.c, f)
		duck.DestroyScalarFunction(&f)
		if state == duck.StateError {
			return fmt.Errorf("register the function %s", n.Name)
		}
	}
	return nil
}

//export millpondNativeCall
func millpondNativeCall(ptr, input, output unsafe.Pointer) {
	info := duck.FunctionInfo{Ptr: ptr}
	n := &natives[*(*int64)(duck.ScalarFunctionGetExtraInfo(info))]
	if err := callNative(n, duck.DataChunk{Ptr: input}, duck.Vector{Ptr: output}); err != nil {
		duck.ScalarFunctionSetError(info, err.Error())
	}
}

// callNative applies a function to the rows of a chunk. A panic must not cross into C.
func callNative(n *native.Func, in duck.DataChunk, out duck.Vector) (err error) {
	defer func() {
		if p := recover(); p != nil {
			err = fmt.Errorf("function %s: %v", n.Name, p)
		}
	}()
	rows, width := int(duck.DataChunkGetSize(in)), int(duck.DataChunkGetColumnCount(in))
	readers := make([]reader, width)
	for k := range readers {
		readers[k] = newReader(duck.DataChunkGetVector(in, duck.IdxT(k)), n.Args[min(k, len(n.Args)-1)])
	}
	w := newWriter(out, n.Result)
	args := make([]native.Value, width)
	for row := range rows {
		isNull := false
		for k := range readers {
			args[k] = readers[k].at(row)
			isNull = isNull || args[k].Null
		}
		v := native.Value{Null: true}
		if !isNull || n.SeesNull {
			if v, err = n.Call(args); err != nil {
				return err
			}
		}
		w.put(row, v)
	}
	return nil
}

// reader reads a vector of one kind.
type reader struct {
	kind  native.Kind
	data  unsafe.Pointer
	valid unsafe.Pointer
	child *reader
	parts []reader // of a vector
}

// partKinds are how the parts of a vector are read; the list of places is read as bare offsets.
var partKinds = []native.Kind{native.Bool, native.Int, native.Doubles, native.Doubles}

func newReader(v duck.Vector, kind native.Kind) reader {
	r := reader{kind: kind, data: duck.VectorGetData(v), valid: duck.VectorGetValidity(v)}
	if kind == native.Texts {
		c := newReader(duck.ListVectorGetChild(v), native.Text)
		r.child = &c
	}
	switch kind {
	case native.Doubles: // the elements follow each other
		r.child = &reader{data: duck.VectorGetData(duck.ListVectorGetChild(v))}
	case native.Vector:
		for k, part := range partKinds {
			r.parts = append(r.parts, newReader(duck.StructVectorGetChild(v, duck.IdxT(k)), part))
		}
	}
	return r
}

// elements gives where the elements of a row's list are, and how many.
func (r *reader) elements(row int, width uint64) (unsafe.Pointer, int) {
	entry := (*[2]uint64)(unsafe.Add(r.data, row*16))
	return unsafe.Add(r.child.data, entry[0]*width), int(entry[1])
}

func (r *reader) doubles(row int) []float64 {
	at, n := r.elements(row, 8)
	return unsafe.Slice((*float64)(at), n)
}

func (r *reader) vector(row int) native.Value {
	v := native.Value{D: r.parts[3].doubles(row)}
	if r.parts[0].at(row).I == 0 {
		at, n := r.parts[2].elements(row, 4)
		v.I, v.At = r.parts[1].at(row).I, unsafe.Slice((*int32)(at), n)
		if v.At == nil { // no value is stored
			v.At = []int32{}
		}
	}
	return v
}

func (r *reader) at(row int) native.Value {
	if r.valid != nil && !duck.ValidityMaskValueIsValid(r.valid, duck.IdxT(row)) {
		return native.Value{Null: true}
	}
	switch r.kind {
	case native.Text, native.Bytes:
		return native.Value{S: duck.StringTData((*duck.StringT)(unsafe.Add(r.data, row*16)))}
	case native.Bool:
		return native.Value{I: int64(*(*uint8)(unsafe.Add(r.data, row)))}
	case native.Int:
		return native.Value{I: int64(*(*int32)(unsafe.Add(r.data, row*4)))}
	case native.Long:
		return native.Value{I: *(*int64)(unsafe.Add(r.data, row*8))}
	case native.Double:
		return native.Value{F: *(*float64)(unsafe.Add(r.data, row*8))}
	case native.Doubles:
		return native.Value{D: r.doubles(row)}
	case native.Vector:
		return r.vector(row)
	}
	entry := (*[2]uint64)(unsafe.Add(r.data, row*16)) // offset and length
	list := make([]native.Value, entry[1])
	for k := range list {
		list[k] = r.child.at(int(entry[0]) + k)
	}
	return native.Value{L: list}
}

// writer fills a result vector of one kind.
type writer struct {
	kind native.Kind
	out  duck.Vector
	data unsafe.Pointer
	used int // elements of a list vector's child
}

func newWriter(out duck.Vector, kind native.Kind) *writer {
	return &writer{kind: kind, out: out, data: duck.VectorGetData(out)}
}

func (w *writer) put(row int, v native.Value) {
	if v.Null {
		duck.VectorEnsureValidityWritable(w.out)
		duck.ValiditySetRowInvalid(duck.VectorGetValidity(w.out), duck.IdxT(row))
		if w.kind == native.Texts || w.kind == native.Doubles {
			*(*[2]uint64)(unsafe.Add(w.data, row*16)) = [2]uint64{uint64(w.used), 0}
		}
		return
	}
	switch w.kind {
	case native.Text:
		duck.VectorAssignStringElement(w.out, duck.IdxT(row), v.S)
	case native.Bytes:
		duck.VectorAssignStringElementLen(w.out, duck.IdxT(row), []byte(v.S))
	case native.Bool:
		*(*uint8)(unsafe.Add(w.data, row)) = uint8(v.I)
	case native.Int:
		*(*int32)(unsafe.Add(w.data, row*4)) = int32(v.I)
	case native.Long:
		*(*int64)(unsafe.Add(w.data, row*8)) = v.I
	case native.Double:
		*(*float64)(unsafe.Add(w.data, row*8)) = v.F
	case native.Texts:
		child, at := w.grow(row, len(v.L), native.Text)
		for k, x := range v.L {
			child.put(at+k, x)
		}
	case native.Doubles:
		child, at := w.grow(row, len(v.D), native.Double)
		copy(unsafe.Slice((*float64)(unsafe.Add(child.data, at*8)), len(v.D)), v.D)
	}
}

// grow makes room for a row's list of n elements: who writes them, and from which place on.
func (w *writer) grow(row, n int, kind native.Kind) (*writer, int) {
	at := w.used
	*(*[2]uint64)(unsafe.Add(w.data, row*16)) = [2]uint64{uint64(at), uint64(n)}
	w.used += n
	duck.ListVectorReserve(w.out, duck.IdxT(w.used))
	duck.ListVectorSetSize(w.out, duck.IdxT(w.used))
	return newWriter(duck.ListVectorGetChild(w.out), kind), at
}
