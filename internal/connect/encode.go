package connect

import (
	"bytes"
	"fmt"
	"iter"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"
	"github.com/apache/arrow-go/v18/arrow/ipc"
	"github.com/apache/arrow-go/v18/arrow/memory"

	"github.com/millpond/millpond/internal/column"
	"github.com/millpond/millpond/internal/types"
)

// encoder writes batches as the client is to see them: users' names, nullability, time zone.
type encoder struct{ schema *arrow.Schema }

func newEncoder(s types.Struct, timezone string) (*encoder, error) {
	schema, err := types.SchemaToArrow(s, timezone)
	if err != nil {
		return nil, err
	}
	return &encoder{schema}, nil
}

// batchBytes is about how large one message of rows is to be.
const batchBytes = 4 << 20

// parts cuts a batch into pieces of about batchBytes.
func (e *encoder) parts(b arrow.RecordBatch) iter.Seq[arrow.RecordBatch] {
	return func(yield func(arrow.RecordBatch) bool) {
		size := int64(0)
		for _, c := range b.Columns() {
			size += int64(c.Data().SizeInBytes())
		}
		pieces := max(1, (size+batchBytes-1)/batchBytes)
		step := max(1, (b.NumRows()+pieces-1)/pieces)
		for at := int64(0); at < b.NumRows(); at += step {
			if !yield(b.NewSlice(at, min(at+step, b.NumRows()))) {
				return
			}
		}
	}
}

// encode makes a stream of batches, whatever their own schemas say of names and nulls.
func (e *encoder) encode(batches ...arrow.RecordBatch) ([]byte, error) {
	out := make([]arrow.RecordBatch, len(batches))
	for k, b := range batches {
		cols := make([]arrow.Array, b.NumCols())
		for i := range cols {
			c, err := column.ConformTo(b.Column(i), e.schema.Field(i).Type)
			if err != nil {
				return nil, fmt.Errorf("column %s: %w", e.schema.Field(i).Name, err)
			}
			cols[i] = c
		}
		out[k] = array.NewRecordBatch(e.schema, cols, b.NumRows())
	}
	return e.stream(out...)
}

// empty is a batch without rows: clients take the shape of an empty answer from it.
func (e *encoder) empty() ([]byte, error) {
	b := array.NewRecordBuilder(memory.DefaultAllocator, e.schema)
	defer b.Release()
	return e.stream(b.NewRecordBatch())
}

func (e *encoder) stream(batches ...arrow.RecordBatch) ([]byte, error) {
	var buf bytes.Buffer
	w := ipc.NewWriter(&buf, ipc.WithSchema(e.schema))
	for _, b := range batches {
		if err := w.Write(b); err != nil {
			return nil, fmt.Errorf("write an Arrow batch: %w", err)
		}
	}
	if err := w.Close(); err != nil {
		return nil, fmt.Errorf("end an Arrow stream: %w", err)
	}
	return buf.Bytes(), nil
}
