package ml

import (
	"context"
	"iter"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"
	"github.com/apache/arrow-go/v18/arrow/memory"

	"github.com/millpond/millpond/internal/sparkerr"
	"github.com/millpond/millpond/internal/types"
)

// MemFrame is a Frame over batches in memory: what relation-valued attributes answer, and what
// tests feed.
type MemFrame struct {
	schema  types.Struct
	batches []arrow.RecordBatch
}

// NewMemFrame makes a frame of batches that all lie as schema says.
func NewMemFrame(schema types.Struct, batches ...arrow.RecordBatch) *MemFrame {
	return &MemFrame{schema, batches}
}

// FrameOfColumns makes a one-batch frame of columns of n rows.
func FrameOfColumns(schema types.Struct, n int, columns ...arrow.Array) (*MemFrame, error) {
	s, err := types.SchemaToArrow(schema, "UTC")
	if err != nil {
		return nil, err
	}
	return NewMemFrame(schema, array.NewRecordBatch(s, columns, int64(n))), nil
}

// FrameOfRows makes a frame of rows of values in the forms that WriteRows takes, cut into batches
// of at most size rows (0 for one batch).
func FrameOfRows(schema types.Struct, rows [][]any, size int) (*MemFrame, error) {
	s, err := types.SchemaToArrow(schema, "UTC")
	if err != nil {
		return nil, err
	}
	f := NewMemFrame(schema)
	if size <= 0 {
		size = max(1, len(rows))
	}
	for at := 0; at < len(rows); at += size {
		b := array.NewRecordBuilder(memory.DefaultAllocator, s)
		for _, row := range rows[at:min(at+size, len(rows))] {
			for i, v := range row {
				if err := appendValue(b.Field(i), v); err != nil {
					return nil, err
				}
			}
		}
		f.batches = append(f.batches, b.NewRecordBatch())
	}
	return f, nil
}

func (f *MemFrame) Schema() types.Struct { return f.schema }

func (f *MemFrame) Select(names ...string) Frame { return &selected{f, names} }

func (f *MemFrame) Batches(ctx context.Context) iter.Seq2[arrow.RecordBatch, error] {
	return func(yield func(arrow.RecordBatch, error) bool) {
		for _, b := range f.batches {
			if err := ctx.Err(); err != nil {
				yield(nil, err)
				return
			}
			if !yield(b, nil) {
				return
			}
		}
	}
}

func (f *MemFrame) Memo(_ string, build func() (any, error)) (any, error) { return build() }

type selected struct {
	*MemFrame
	names []string
}

func (s *selected) Schema() types.Struct {
	out := types.Struct{}
	for _, n := range s.names {
		if i := s.schema.Index(n); i >= 0 {
			out.Fields = append(out.Fields, s.schema.Fields[i])
		}
	}
	return out
}

func (s *selected) Batches(ctx context.Context) iter.Seq2[arrow.RecordBatch, error] {
	return func(yield func(arrow.RecordBatch, error) bool) {
		places := make([]int, len(s.names))
		for k, n := range s.names {
			if places[k] = s.schema.Index(n); places[k] < 0 {
				yield(nil, sparkerr.Analysis("UNRESOLVED_COLUMN.WITHOUT_SUGGESTION", "objectName", types.Quote(n)))
				return
			}
		}
		for b, err := range s.MemFrame.Batches(ctx) {
			if err != nil {
				yield(nil, err)
				return
			}
			cols, fields := make([]arrow.Array, len(places)), make([]arrow.Field, len(places))
			for k, p := range places {
				cols[k], fields[k] = b.Column(p), b.Schema().Field(p)
			}
			if !yield(array.NewRecordBatch(arrow.NewSchema(fields, nil), cols, b.NumRows()), nil) {
				return
			}
		}
	}
}
