package execute

/*
#include <stdint.h>
#include <stdlib.h>

// DuckDB's aggregates, which the bindings do not offer; the names of its header.
typedef void *duckdb_aggregate_function;
extern duckdb_aggregate_function duckdb_create_aggregate_function(void);
extern void duckdb_destroy_aggregate_function(duckdb_aggregate_function *);
extern void duckdb_aggregate_function_set_name(duckdb_aggregate_function, const char *);
extern void duckdb_aggregate_function_add_parameter(duckdb_aggregate_function, void *);
extern void duckdb_aggregate_function_set_return_type(duckdb_aggregate_function, void *);
extern void duckdb_aggregate_function_set_functions(duckdb_aggregate_function, void *, void *, void *, void *, void *);
extern void duckdb_aggregate_function_set_destructor(duckdb_aggregate_function, void *);
extern void duckdb_aggregate_function_set_special_handling(duckdb_aggregate_function);
extern void duckdb_aggregate_function_set_extra_info(duckdb_aggregate_function, void *, void *);
extern void *duckdb_aggregate_function_get_extra_info(void *);
extern void duckdb_aggregate_function_set_error(void *, const char *);
extern int duckdb_register_aggregate_function(void *, duckdb_aggregate_function);

void millpondAggregateUpdate(void *info, void *input, uintptr_t **states);
void millpondAggregateCombine(void *info, uintptr_t **source, uintptr_t **target, uint64_t count);
void millpondAggregateFinalize(void *info, uintptr_t **states, void *result, uint64_t count, uint64_t offset);
void millpondAggregateDestroy(uintptr_t **states, uint64_t count);

// A state is the number of a Go value, 0 before the first row.
static uint64_t millpond_state_size(void *info) { return sizeof(uintptr_t); }
static void millpond_state_init(void *info, void *state) { *(uintptr_t *)state = 0; }

static int millpond_register_aggregate(void *conn, duckdb_aggregate_function f, int64_t place) {
	int64_t *extra = malloc(sizeof(int64_t));
	*extra = place;
	duckdb_aggregate_function_set_extra_info(f, extra, (void *)free);
	duckdb_aggregate_function_set_special_handling(f);
	duckdb_aggregate_function_set_functions(f, (void *)millpond_state_size, (void *)millpond_state_init, (void *)millpondAggregateUpdate,
		(void *)millpondAggregateCombine, (void *)millpondAggregateFinalize);
	duckdb_aggregate_function_set_destructor(f, (void *)millpondAggregateDestroy);
	return duckdb_register_aggregate_function(conn, f);
}
*/
import "C"

import (
	"fmt"
	"runtime/cgo"
	"unsafe"

	duck "github.com/duckdb/duckdb-go-bindings"

	"github.com/millpond/millpond/internal/native"
)

// nativeAggregates are called by their place, as natives are.
var nativeAggregates = native.Aggregates()

// registerAggregates makes every native aggregate callable in statements.
func registerAggregates(c *connection) error {
	for place, a := range nativeAggregates {
		f := C.duckdb_create_aggregate_function()
		name := C.CString(a.Name)
		C.duckdb_aggregate_function_set_name(f, name)
		C.free(unsafe.Pointer(name))
		for _, kind := range a.Args {
			t := nativeType(kind)
			C.duckdb_aggregate_function_add_parameter(f, t.Ptr)
			duck.DestroyLogicalType(&t)
		}
		t := nativeType(a.Result)
		C.duckdb_aggregate_function_set_return_type(f, t.Ptr)
		duck.DestroyLogicalType(&t)
		failed := C.millpond_register_aggregate(c.c.Ptr, f, C.int64_t(place)) != 0
		C.duckdb_destroy_aggregate_function(&f)
		if failed {
			return fmt.Errorf("register the aggregate %s", a.Name)
		}
	}
	return nil
}

// guardAggregate runs what DuckDB asks of an aggregate. A panic must not cross into C.
func guardAggregate(info unsafe.Pointer, work func(a *native.Aggregate) error) {
	a := &nativeAggregates[*(*int64)(C.duckdb_aggregate_function_get_extra_info(info))]
	err := func() (err error) {
		defer func() {
			if p := recover(); p != nil {
				err = fmt.Errorf("aggregate %s: %v", a.Name, p)
			}
		}()
		return work(a)
	}()
	if err != nil {
		text := C.CString(err.Error())
		C.duckdb_aggregate_function_set_error(info, text)
		C.free(unsafe.Pointer(text))
	}
}

// stateOf finds the state that a slot numbers, and makes one for an empty slot.
func stateOf(a *native.Aggregate, slot *C.uintptr_t) native.State {
	if *slot == 0 {
		s := a.New()
		*slot = C.uintptr_t(cgo.NewHandle(s))
		return s
	}
	return cgo.Handle(*slot).Value().(native.State)
}

//export millpondAggregateUpdate
func millpondAggregateUpdate(info, input unsafe.Pointer, states **C.uintptr_t) {
	guardAggregate(info, func(a *native.Aggregate) error {
		in := duck.DataChunk{Ptr: input}
		rows := int(duck.DataChunkGetSize(in))
		readers := make([]reader, len(a.Args))
		for k, kind := range a.Args {
			readers[k] = newReader(duck.DataChunkGetVector(in, duck.IdxT(k)), kind)
		}
		args := make([]native.Value, len(readers))
		var slot *C.uintptr_t
		var state native.State
		for row, s := range unsafe.Slice(states, rows) {
			if s != slot {
				slot, state = s, stateOf(a, s)
			}
			for k := range readers {
				args[k] = readers[k].at(row)
			}
			if err := state.Add(args); err != nil {
				return err
			}
		}
		return nil
	})
}

//export millpondAggregateCombine
func millpondAggregateCombine(info unsafe.Pointer, source, target **C.uintptr_t, count C.uint64_t) {
	guardAggregate(info, func(a *native.Aggregate) error {
		into := unsafe.Slice(target, count)
		for k, from := range unsafe.Slice(source, count) {
			if *from == 0 {
				continue
			}
			if err := stateOf(a, into[k]).Merge(stateOf(a, from)); err != nil {
				return err
			}
		}
		return nil
	})
}

//export millpondAggregateFinalize
func millpondAggregateFinalize(info unsafe.Pointer, states **C.uintptr_t, result unsafe.Pointer, count, offset C.uint64_t) {
	guardAggregate(info, func(a *native.Aggregate) error {
		out := duck.Vector{Ptr: result}
		w := newWriter(out, a.Result)
		if a.Result == native.Doubles || a.Result == native.Texts {
			w.used = int(duck.ListVectorGetSize(out)) // of the rows before offset
		}
		for k, slot := range unsafe.Slice(states, count) {
			state := a.New()
			if *slot != 0 {
				state = stateOf(a, slot)
			}
			v, err := state.Value()
			if err != nil {
				return err
			}
			w.put(int(offset)+k, v)
		}
		return nil
	})
}

//export millpondAggregateDestroy
func millpondAggregateDestroy(states **C.uintptr_t, count C.uint64_t) {
	for _, slot := range unsafe.Slice(states, count) {
		if *slot != 0 {
			cgo.Handle(*slot).Delete()
			*slot = 0
		}
	}
}
