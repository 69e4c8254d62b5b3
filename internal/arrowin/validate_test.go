package arrowin

import (
	"bytes"
	"testing"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"
	"github.com/apache/arrow-go/v18/arrow/ipc"
	"github.com/apache/arrow-go/v18/arrow/memory"
)

func batch(column arrow.Array) arrow.RecordBatch {
	s := arrow.NewSchema([]arrow.Field{{Name: "x", Type: column.DataType(), Nullable: true}}, nil)
	return array.NewRecordBatch(s, []arrow.Array{column}, int64(column.Len()))
}

// sent is a batch as it comes out of a stream.
func sent(t *testing.T, b arrow.RecordBatch) arrow.RecordBatch {
	t.Helper()
	var stream bytes.Buffer
	w := ipc.NewWriter(&stream, ipc.WithSchema(b.Schema()))
	if err := w.Write(b); err != nil {
		t.Fatal(err)
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	r, err := ipc.NewReaderFromMessageReader(Messages(&stream))
	if err != nil {
		t.Fatal(err)
	}
	if !r.Next() {
		t.Fatal(r.Err())
	}
	return r.RecordBatch()
}

func TestValidate(t *testing.T) {
	offsets := func(last int32) []*memory.Buffer {
		return []*memory.Buffer{nil, memory.NewBufferBytes(arrow.Int32Traits.CastToBytes([]int32{0, last}))}
	}
	nulls := array.NewNull(2)
	list := func(last int32) arrow.Array {
		return array.MakeFromData(array.NewData(arrow.ListOf(arrow.Null), 1, offsets(last), []arrow.ArrayData{nulls.Data()}, 0, 0))
	}
	record := array.MakeFromData(array.NewData(arrow.StructOf(arrow.Field{Name: "n", Type: arrow.Null, Nullable: true}), 2, []*memory.Buffer{nil}, []arrow.ArrayData{nulls.Data()}, 0, 0))
	text := func(b string) arrow.Array {
		return array.MakeFromData(array.NewData(arrow.BinaryTypes.String, 1, append(offsets(int32(len(b))), memory.NewBufferBytes([]byte(b))), nil, 0, 0))
	}
	for name, c := range map[string]struct {
		batch arrow.RecordBatch
		good  bool
	}{
		"nulls":             {sent(t, batch(nulls)), true},
		"no nulls":          {sent(t, batch(array.NewNull(0))), true},
		"lists of nulls":    {sent(t, batch(list(2))), true},
		"structs of nulls":  {sent(t, batch(record)), true},
		"text":              {sent(t, batch(text("é"))), true},
		"text of bad bytes": {sent(t, batch(text("\xff"))), false},
		"lists beyond end":  {batch(list(3)), false},
	} {
		t.Run(name, func(t *testing.T) {
			if err := Validate(c.batch); (err == nil) != c.good {
				t.Error(err)
			}
		})
	}
}
