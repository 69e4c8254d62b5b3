package execute

/*
#include <stdlib.h>
#include <stdint.h>
// Declared with plain pointers: see https://golang.org/issue/19837.
void millpondSourceBind(void *info);
void millpondSourceInit(void *info);
void millpondSourceNext(void *info, void *output);
typedef void (*millpond_cb1)(void *);
typedef void (*millpond_cb2)(void *, void *);
static inline void *millpond_bind_ptr(void) { return (void *)(millpond_cb1)millpondSourceBind; }
static inline void *millpond_init_ptr(void) { return (void *)(millpond_cb1)millpondSourceInit; }
static inline void *millpond_next_ptr(void) { return (void *)(millpond_cb2)millpondSourceNext; }
static inline void *millpond_free_ptr(void) { return (void *)free; }
*/
import "C"

import (
	"context"
	"errors"
	"fmt"
	"io"
	"strconv"
	"strings"
	"sync"
	"unsafe"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"
	"github.com/apache/arrow-go/v18/arrow/memory"
	duck "github.com/duckdb/duckdb-go-bindings"
)

// sourceFunction is the table function through which a statement reads a stream: DuckDB pushes
// neither filters nor projections into it, as it would into its own Arrow scan, which then
// expects the producer to apply them.
const sourceFunction = "millpond_source"

// sources finds the stream of a running call: the callbacks come from C and carry only a number.
var sources sync.Map // int64 -> *source

// source is a stream that one statement reads once, by one thread at a time.
type source struct {
	id      int64
	ctx     context.Context
	in      Stream
	conn    *connection
	schema  duck.ArrowConvertedSchema
	types   []duck.LogicalType
	begun   bool
	batch   arrow.RecordBatch
	at      int64
	chunk   duck.DataChunk // handed out last: its memory must outlive the call
	holding bool

	again func() (Stream, error) // opens the stream anew
	mu    sync.Mutex
	err   error
	more  []*source // further readings of the same rows
}

// sourceName is how a statement's text calls a source.
func sourceName(id int64) string { return sourceFunction + "(" + strconv.FormatInt(id, 10) + ")" }

func registerSources(c *connection) error {
	f := duck.CreateTableFunction()
	defer duck.DestroyTableFunction(&f)
	duck.TableFunctionSetName(f, sourceFunction)
	id := duck.CreateLogicalType(duck.TypeBigInt)
	defer duck.DestroyLogicalType(&id)
	duck.TableFunctionAddParameter(f, id)
	duck.TableFunctionSetBind(f, C.millpond_bind_ptr())
	duck.TableFunctionSetInit(f, C.millpond_init_ptr())
	duck.TableFunctionSetFunction(f, C.millpond_next_ptr())
	if duck.RegisterTableFunction(c.c, f) == duck.StateError {
		return errors.New("register the source function")
	}
	return nil
}

// open makes a stream readable under its name.
func openSource(ctx context.Context, conn *connection, name string, in Stream) (*source, error) {
	id, err := strconv.ParseInt(strings.TrimSuffix(strings.TrimPrefix(name, sourceFunction+"("), ")"), 10, 64)
	if err != nil {
		return nil, fmt.Errorf("source name %s: %w", name, err)
	}
	schema, err := SchemaOf(in.Columns())
	if err != nil {
		return nil, err
	}
	s := &source{id: id, ctx: ctx, in: in, conn: conn}
	if schema.NumFields() == 0 {
		sources.Store(id, s)
		return s, nil
	}
	converted, ed := duck.SchemaFromArrow(conn.c, schema)
	s.schema = converted
	if err := dataError(ed); err != nil {
		return nil, fmt.Errorf("source schema: %w", err)
	}
	// DuckDB's types of the columns are those of an empty chunk.
	empty := array.NewRecordBuilder(memory.DefaultAllocator, schema).NewRecordBatch()
	chunk, ed := duck.DataChunkFromArrow(conn.c, empty, s.schema)
	if err := dataError(ed); err != nil {
		duck.DestroyArrowConvertedSchema(&s.schema)
		return nil, fmt.Errorf("source types: %w", err)
	}
	for i := range schema.NumFields() {
		s.types = append(s.types, duck.VectorGetColumnType(duck.DataChunkGetVector(chunk, duck.IdxT(i))))
	}
	duck.DestroyDataChunk(&chunk)
	sources.Store(id, s)
	return s, nil
}

// close frees the source once its statement is done.
func (s *source) close() {
	sources.Delete(s.id)
	s.drop()
	for _, m := range s.more {
		sources.Delete(m.id)
		m.drop()
		m.in.Close()
	}
	for i := range s.types {
		duck.DestroyLogicalType(&s.types[i])
	}
	if len(s.types) > 0 {
		duck.DestroyArrowConvertedSchema(&s.schema)
	}
	s.in.Close()
}

func (s *source) drop() {
	if s.holding {
		duck.DestroyDataChunk(&s.chunk)
		s.holding = false
	}
}

func (s *source) failed() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, m := range s.more {
		if err := m.failed(); err != nil {
			return err
		}
	}
	return s.err
}

// reading gives the source for the first reading, and a new one over the same rows for each further.
func (s *source) reading() (*source, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if !s.begun {
		s.begun = true
		return s, nil
	}
	if s.again == nil {
		return nil, fmt.Errorf("source %d was read before", s.id)
	}
	in, err := s.again()
	if err != nil {
		return nil, err
	}
	m := &source{id: sourceIDs.Add(1), ctx: s.ctx, in: in, conn: s.conn, schema: s.schema, types: s.types, begun: true}
	s.more = append(s.more, m)
	sources.Store(m.id, m)
	return m, nil
}

// next gives the next rows, as many as a vector of DuckDB's holds, or nil at the end.
func (s *source) next() (arrow.RecordBatch, error) {
	for s.batch == nil || s.at >= s.batch.NumRows() {
		b, err := s.in.Next(s.ctx)
		if errors.Is(err, io.EOF) {
			return nil, nil
		}
		if err != nil {
			return nil, err
		}
		s.batch, s.at = b, 0
	}
	to := min(s.at+int64(duck.VectorSize()), s.batch.NumRows())
	part := s.batch.NewSlice(s.at, to)
	s.at = to
	return compact(part)
}

// compact copies nested columns so that they start at their buffers' beginning: DuckDB does not
// heed an offset inside nested arrays here.
func compact(b arrow.RecordBatch) (arrow.RecordBatch, error) {
	cols := make([]arrow.Array, b.NumCols())
	for i := range cols {
		cols[i] = b.Column(i)
		if _, nested := cols[i].DataType().(arrow.NestedType); nested {
			c, err := array.Concatenate(cols[i:i+1], memory.DefaultAllocator)
			if err != nil {
				return nil, fmt.Errorf("cut a nested column: %w", err)
			}
			cols[i] = c
		}
	}
	return array.NewRecordBatch(b.Schema(), cols, b.NumRows()), nil
}

// fill puts the next rows into a statement's chunk.
func (s *source) fill(out duck.DataChunk) error {
	s.drop()
	part, err := s.next()
	if err != nil {
		return err
	}
	if part == nil {
		duck.DataChunkSetSize(out, 0)
		return nil
	}
	if len(s.types) == 0 {
		duck.DataChunkSetSize(out, duck.IdxT(part.NumRows()))
		return nil
	}
	chunk, ed := duck.DataChunkFromArrow(s.conn.c, part, s.schema)
	if err := dataError(ed); err != nil {
		return err
	}
	s.chunk, s.holding = chunk, true
	for i := range s.types {
		duck.VectorReferenceVector(duck.DataChunkGetVector(out, duck.IdxT(i)), duck.DataChunkGetVector(chunk, duck.IdxT(i)))
	}
	duck.DataChunkSetSize(out, duck.IdxT(part.NumRows()))
	return nil
}

func sourceByID(id int64) (*source, error) {
	v, ok := sources.Load(id)
	if !ok {
		return nil, fmt.Errorf("source %d is not open", id)
	}
	return v.(*source), nil
}

//export millpondSourceBind
func millpondSourceBind(ptr unsafe.Pointer) {
	info := duck.BindInfo{Ptr: ptr}
	v := duck.BindGetParameter(info, 0)
	defer duck.DestroyValue(&v)
	id := duck.GetInt64(v)
	s, err := sourceByID(id)
	if err != nil {
		duck.BindSetError(info, err.Error())
		return
	}
	for i, at := range s.in.Columns() {
		duck.BindAddResultColumn(info, columnName(at), s.types[i])
	}
	if len(s.types) == 0 { // rows without columns are only counted, but a table must have one
		kind := duck.CreateLogicalType(duck.TypeBigInt)
		duck.BindAddResultColumn(info, "z", kind)
		duck.DestroyLogicalType(&kind)
	}
	mem := C.malloc(C.size_t(unsafe.Sizeof(id)))
	*(*int64)(mem) = id
	duck.BindSetBindData(info, mem, C.millpond_free_ptr())
}

//export millpondSourceInit
func millpondSourceInit(ptr unsafe.Pointer) {
	info := duck.InitInfo{Ptr: ptr}
	s, err := sourceByID(*(*int64)(duck.InitGetBindData(info)))
	if err == nil {
		s, err = s.reading()
	}
	if err != nil {
		duck.InitSetError(info, err.Error())
		return
	}
	mem := C.malloc(C.size_t(unsafe.Sizeof(s.id)))
	*(*int64)(mem) = s.id
	duck.InitSetInitData(info, mem, C.millpond_free_ptr())
	duck.InitSetMaxThreads(info, 1)
}

//export millpondSourceNext
func millpondSourceNext(ptr, output unsafe.Pointer) {
	info := duck.FunctionInfo{Ptr: ptr}
	s, err := sourceByID(*(*int64)(duck.FunctionGetInitData(info)))
	if err != nil {
		duck.FunctionSetError(info, err.Error())
		return
	}
	if err := s.guardedFill(duck.DataChunk{Ptr: output}); err != nil {
		s.mu.Lock()
		s.err = err
		s.mu.Unlock()
		duck.FunctionSetError(info, err.Error())
	}
}

// guardedFill keeps a panic of a stage from crossing into C.
func (s *source) guardedFill(out duck.DataChunk) (err error) {
	defer func() {
		if p := recover(); p != nil {
			err = fmt.Errorf("reading a source: %v", p)
		}
	}()
	return s.fill(out)
}
