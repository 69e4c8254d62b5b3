package pyworker

import (
	"bufio"
	"bytes"
	"io"
	"strings"
	"testing"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"

	"github.com/millpond/millpond/internal/plan"
	"github.com/millpond/millpond/internal/types"
)

// streamOf writes rows given as JSON as a worker would.
func streamOf(f *testing.F, s types.Struct, rows string) []byte {
	f.Helper()
	as, err := types.SchemaToArrow(s, "UTC")
	if err != nil {
		f.Fatal(err)
	}
	b, _, err := array.RecordFromJSON(mem, as, strings.NewReader(rows))
	if err != nil {
		f.Fatal(err)
	}
	var buf bytes.Buffer
	if err := ipcStream(&buf, as, []arrow.RecordBatch{b}, func(b arrow.RecordBatch) (arrow.RecordBatch, error) { return b, nil }); err != nil {
		f.Fatal(err)
	}
	return buf.Bytes()
}

// FuzzResults takes what a worker sends for the results of functions: columns of the types that they
// declared, as many rows as are due, or an error.
func FuzzResults(f *testing.F) {
	of := func(name string, t types.Type) types.Field { return types.Field{Name: name, Type: t, Nullable: true} }
	declared := []types.Type{types.Array{Elem: types.String, ContainsNull: true}, types.Decimal{Precision: 10, Scale: 2}, types.Vector}
	columns := types.Struct{Fields: []types.Field{of("_0", declared[0]), of("_1", declared[1]), of("_2", declared[2])}}
	f.Add(streamOf(f, columns, `[{"_0":["x",null],"_1":"1.25","_2":{"type":1,"values":[1,2]}},{"_0":null,"_1":null,"_2":null}]`))
	row := types.Struct{Fields: []types.Field{of("_0", columns)}}
	f.Add(streamOf(f, row, `[{"_0":{"_0":["x"],"_1":"1.25","_2":{"type":0,"size":2,"indices":[1],"values":[2]}}}]`))
	f.Add(streamOf(f, types.Struct{Fields: []types.Field{of("_0", types.Long)}}, `[{"_0":1}]`))
	calls := make([]plan.PythonCall, len(declared))
	attrs := make([]plan.Attr, len(declared))
	for i, t := range declared {
		calls[i] = plan.PythonCall{UDF: &plan.PythonUDF{Name: "f", Type: t}}
		attrs[i] = plan.Attr{ID: i + 1, Name: "f", Type: t, Nullable: true}
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		in := source{bufio.NewReader(io.LimitReader(bytes.NewReader(data), 1<<20))}
		b := &bundle{calls: calls}
		got := make([][]arrow.Array, len(calls))
		due := int64(0)
		_ = in.arrow(func(r arrow.RecordBatch) error {
			if rows, err := unpack(r, attrs, "applyInPandas()"); err == nil {
				checkColumns(t, rows.Cols, attrs, rows.Len)
			}
			if err := b.take(got, r); err != nil {
				return err
			}
			due += r.NumRows()
			return nil
		})
		if len(got[0]) == 0 {
			return
		}
		if made, err := b.join(got, due); err == nil {
			checkColumns(t, made, attrs, due)
		}
	})
}

// checkColumns reads every value: a column must hold what its type says.
func checkColumns(t *testing.T, cols []arrow.Array, attrs []plan.Attr, rows int64) {
	t.Helper()
	for i, c := range cols {
		if int64(c.Len()) != rows {
			t.Fatalf("%d values for %d rows", c.Len(), rows)
		}
		got, err := types.FromArrow(c.DataType())
		if err != nil || !alike(types.Physical(attrs[i].Type), got) {
			t.Fatalf("a column of %s where %s was declared", c.DataType(), attrs[i].Type.SimpleString())
		}
		for k := range c.Len() {
			_ = c.ValueStr(k)
		}
	}
}
