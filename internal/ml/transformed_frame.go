package ml

import (
	"context"
	"iter"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"
	"github.com/apache/arrow-go/v18/arrow/memory"

	"github.com/millpond/millpond/internal/types"
)

// TransformedFrame is a frame seen through a transformer; rows are transformed as they are read.
type TransformedFrame struct {
	data   Frame
	bound  *Transform
	schema types.Struct
	names  []string // what Select narrowed it to, nil for all
}

// Transformed gives data with the columns that t adds.
func Transformed(data Frame, t Transformer) (*TransformedFrame, error) {
	bound, err := t.Bind(data.Schema())
	if err != nil {
		return nil, err
	}
	return &TransformedFrame{data: data, bound: bound, schema: WithFields(data.Schema(), bound.Outputs...)}, nil
}

func (f *TransformedFrame) Schema() types.Struct {
	if f.names == nil {
		return f.schema
	}
	out := types.Struct{}
	for _, n := range f.names {
		if i := f.schema.Index(n); i >= 0 {
			out.Fields = append(out.Fields, f.schema.Fields[i])
		}
	}
	return out
}

func (f *TransformedFrame) Select(names ...string) Frame {
	c := *f
	c.names = names
	return &c
}

// Memo builds anew: whether the rows stay the same is only known of the frame below.
func (f *TransformedFrame) Memo(_ string, build func() (any, error)) (any, error) { return build() }

func (f *TransformedFrame) Batches(ctx context.Context) iter.Seq2[arrow.RecordBatch, error] {
	return func(yield func(arrow.RecordBatch, error) bool) {
		for b, err := range f.data.Batches(ctx) {
			if err == nil {
				b, err = f.apply(ctx, b)
			}
			if err != nil {
				yield(nil, err)
				return
			}
			if !yield(b, nil) {
				return
			}
		}
	}
}

func (f *TransformedFrame) apply(ctx context.Context, b arrow.RecordBatch) (arrow.RecordBatch, error) {
	in := make([]arrow.Array, len(f.bound.Inputs))
	for i, name := range f.bound.Inputs {
		at := b.Schema().FieldIndices(name)
		if len(at) == 0 {
			_, err := Column(f.data.Schema(), name)
			return nil, err
		}
		in[i] = b.Column(at[0])
	}
	out, keep, err := f.bound.Apply(ctx, in, int(b.NumRows()))
	if err != nil {
		return nil, err
	}
	columns := map[string]arrow.Array{}
	for i, c := range b.Columns() {
		columns[b.ColumnName(i)] = c
	}
	for i, field := range f.bound.Outputs {
		columns[field.Name] = out[i]
	}
	return f.batch(columns, int(b.NumRows()), keep)
}

// batch puts the wanted columns together, without the rows that keep drops.
func (f *TransformedFrame) batch(columns map[string]arrow.Array, n int, keep []bool) (arrow.RecordBatch, error) {
	names := f.names
	if names == nil {
		names = make([]string, len(f.schema.Fields))
		for i, field := range f.schema.Fields {
			names[i] = field.Name
		}
	}
	narrowed := types.Struct{Fields: make([]types.Field, len(names))}
	cols := make([]arrow.Array, len(names))
	for i, name := range names {
		field, err := Column(f.schema, name)
		if err != nil {
			return nil, err
		}
		narrowed.Fields[i], cols[i] = field, columns[name]
		if keep != nil {
			if cols[i], err = kept(cols[i], keep); err != nil {
				return nil, err
			}
		}
	}
	if keep != nil {
		n = 0
		for _, k := range keep {
			if k {
				n++
			}
		}
	}
	s, err := types.SchemaToArrow(narrowed, "UTC")
	if err != nil {
		return nil, err
	}
	return array.NewRecordBatch(s, cols, int64(n)), nil
}

// kept gives the rows of a column that keep names, as runs of the original put together.
func kept(c arrow.Array, keep []bool) (arrow.Array, error) {
	var runs []arrow.Array
	for i := 0; i < len(keep); {
		if !keep[i] {
			i++
			continue
		}
		from := i
		for i < len(keep) && keep[i] {
			i++
		}
		runs = append(runs, array.NewSlice(c, int64(from), int64(i)))
	}
	if len(runs) == 0 {
		return array.NewSlice(c, 0, 0), nil
	}
	return array.Concatenate(runs, memory.DefaultAllocator)
}
