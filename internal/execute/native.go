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
	if k != native.Texts {
		return duck.CreateLogicalType(nativeTypes[k])
	}
	child := duck.CreateLogicalType(duck.TypeVarchar)
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
}

func newReader(v duck.Vector, kind native.Kind) reader {
	r := reader{kind: kind, data: duck.VectorGetData(v), valid: duck.VectorGetValidity(v)}
	if kind == native.Texts {
		c := newReader(duck.ListVectorGetChild(v), native.Text)
		r.child = &c
	}
	return r
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
		if w.kind == native.Texts {
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
		w.list(row, v.L)
	}
}

func (w *writer) list(row int, items []native.Value) {
	*(*[2]uint64)(unsafe.Add(w.data, row*16)) = [2]uint64{uint64(w.used), uint64(len(items))}
	duck.ListVectorReserve(w.out, duck.IdxT(w.used+len(items)))
	duck.ListVectorSetSize(w.out, duck.IdxT(w.used+len(items)))
	child := newWriter(duck.ListVectorGetChild(w.out), native.Text)
	for k, x := range items {
		child.put(w.used+k, x)
	}
	w.used += len(items)
}
