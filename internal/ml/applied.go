package ml

import (
	"context"
	"iter"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"

	"github.com/millpond/millpond/internal/column"
	"github.com/millpond/millpond/internal/sparkerr"
	"github.com/millpond/millpond/internal/types"
)

// Applied is the frame of data with a transform applied lazily: a model's predictions.
func Applied(data Frame, t *Transform) Frame {
	schema := WithFields(data.Schema(), t.Outputs...)
	return &applied{data, t, schema, schema.Names()}
}

type applied struct {
	data   Frame
	t      *Transform
	schema types.Struct // of all columns
	names  []string     // those that are selected
}

func (a *applied) Schema() types.Struct {
	out := types.Struct{}
	for _, n := range a.names {
		if i := a.schema.Index(n); i >= 0 {
			out.Fields = append(out.Fields, a.schema.Fields[i])
		}
	}
	return out
}

func (a *applied) Select(names ...string) Frame { return &applied{a.data, a.t, a.schema, names} }

func (a *applied) Memo(_ string, build func() (any, error)) (any, error) { return build() }

func (a *applied) Batches(ctx context.Context) iter.Seq2[arrow.RecordBatch, error] {
	return func(yield func(arrow.RecordBatch, error) bool) {
		schema, err := types.SchemaToArrow(a.Schema(), "UTC")
		if err == nil && len(schema.Fields()) != len(a.names) {
			for _, n := range a.names {
				if a.schema.Index(n) < 0 {
					err = sparkerr.Analysis("UNRESOLVED_COLUMN.WITHOUT_SUGGESTION", "objectName", types.Quote(n))
				}
			}
		}
		if err != nil {
			yield(nil, err)
			return
		}
		for batch, err := range a.data.Batches(ctx) {
			var out arrow.RecordBatch
			if err == nil {
				out, err = a.batch(ctx, schema, batch)
			}
			if err != nil {
				yield(nil, err)
				return
			}
			if !yield(out, nil) {
				return
			}
		}
	}
}

func (a *applied) batch(ctx context.Context, schema *arrow.Schema, in arrow.RecordBatch) (arrow.RecordBatch, error) {
	n := int(in.NumRows())
	inSchema := a.data.Schema()
	made, keep, err := a.t.ApplyTo(ctx, inSchema, in)
	if err != nil {
		return nil, err
	}
	cols := make([]arrow.Array, len(a.names))
	for k, name := range a.names {
		f := a.schema.Fields[a.schema.Index(name)]
		for j, o := range a.t.Outputs {
			if o.Name == f.Name {
				cols[k] = made[j]
			}
		}
		if cols[k] == nil {
			cols[k] = in.Column(inSchema.Index(name))
		}
	}
	if keep != nil {
		if cols, n, err = filter(ctx, cols, keep); err != nil {
			return nil, err
		}
	}
	return array.NewRecordBatch(schema, cols, int64(n)), nil
}

// ApplyTo runs the transform on a batch that lies as schema says.
func (t *Transform) ApplyTo(ctx context.Context, schema types.Struct, batch arrow.RecordBatch) ([]arrow.Array, []bool, error) {
	cols := make([]arrow.Array, len(t.Inputs))
	for k, name := range t.Inputs {
		i := schema.Index(name)
		if i < 0 {
			return nil, nil, sparkerr.Analysis("UNRESOLVED_COLUMN.WITHOUT_SUGGESTION", "objectName", types.Quote(name))
		}
		cols[k] = batch.Column(i)
	}
	return t.Apply(ctx, cols, int(batch.NumRows()))
}

func filter(ctx context.Context, cols []arrow.Array, keep []bool) ([]arrow.Array, int, error) {
	var places []int64
	for i, k := range keep {
		if k {
			places = append(places, int64(i))
		}
	}
	out := make([]arrow.Array, len(cols))
	for k, c := range cols {
		var err error
		if out[k], err = column.Take(ctx, c, places); err != nil {
			return nil, 0, err
		}
	}
	return out, len(places), nil
}
