package pyworker

import (
	"context"
	"errors"
	"fmt"
	"io"
	"strings"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"
	"github.com/apache/arrow-go/v18/arrow/ipc"
	"github.com/apache/arrow-go/v18/arrow/memory"

	"github.com/millpond/millpond/internal/column"
	"github.com/millpond/millpond/internal/plan"
	"github.com/millpond/millpond/internal/types"
)

var mem = memory.DefaultAllocator

// layout is how columns of the engine go to a worker.
type layout struct {
	places []int // of the columns in the engine's batches
	fields []types.Field
	schema *arrow.Schema
	nested *arrow.Schema // of one struct column that holds the row
}

// newLayout picks attrs out of have; numbered columns are called _0, _1 and may be null.
func newLayout(have, attrs []plan.Attr, numbered bool, zone string) (*layout, error) {
	l := &layout{}
	for i, at := range attrs {
		p := placeOf(have, at.ID)
		if p < 0 {
			return nil, fmt.Errorf("a Python function lacks its input %s", at.Name)
		}
		f := at.Field()
		f.Metadata = ""
		if numbered {
			f.Name, f.Nullable = fmt.Sprintf("_%d", i), true
		}
		l.places = append(l.places, p)
		l.fields = append(l.fields, f)
	}
	var err error
	if l.schema, err = types.SchemaToArrow(types.Struct{Fields: l.fields}, zone); err != nil {
		return nil, err
	}
	l.nested = arrow.NewSchema([]arrow.Field{{Name: "struct", Type: arrow.StructOf(l.schema.Fields()...)}}, nil)
	return l, nil
}

func placeOf(attrs []plan.Attr, id int) int {
	for i, at := range attrs {
		if at.ID == id {
			return i
		}
	}
	return -1
}

// flat lays out a batch column by column.
func (l *layout) flat(b arrow.RecordBatch) (arrow.RecordBatch, error) {
	cols := make([]arrow.Array, len(l.places))
	for i, p := range l.places {
		c, err := column.ConformTo(b.Column(p), l.schema.Field(i).Type)
		if err != nil {
			return nil, err
		}
		cols[i] = c
	}
	return array.NewRecordBatch(l.schema, cols, b.NumRows()), nil
}

// row lays out a batch as one struct column.
func (l *layout) row(b arrow.RecordBatch) (arrow.RecordBatch, error) {
	f, err := l.flat(b)
	if err != nil {
		return nil, err
	}
	kids := make([]arrow.ArrayData, f.NumCols())
	for i, c := range f.Columns() {
		kids[i] = c.Data()
	}
	d := array.NewData(l.nested.Field(0).Type, int(b.NumRows()), []*memory.Buffer{nil}, kids, 0, 0)
	return array.NewRecordBatch(l.nested, []arrow.Array{array.NewStructData(d)}, b.NumRows()), nil
}

// empty gives a batch without rows.
func empty(s *arrow.Schema) arrow.RecordBatch {
	b := array.NewRecordBuilder(mem, s)
	defer b.Release()
	return b.NewRecordBatch()
}

// ipcStream writes batches as one Arrow stream.
func ipcStream(w io.Writer, s *arrow.Schema, list []arrow.RecordBatch, lay func(arrow.RecordBatch) (arrow.RecordBatch, error)) error {
	return ipcFrom(context.Background(), w, s, &batches{list: list}, lay)
}

// ipcFrom writes a source's batches as one Arrow stream.
func ipcFrom(ctx context.Context, w io.Writer, s *arrow.Schema, in Source, lay func(arrow.RecordBatch) (arrow.RecordBatch, error)) error {
	out := ipc.NewWriter(w, ipc.WithSchema(s))
	for {
		b, err := in.Next(ctx)
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			return err
		}
		laid, err := lay(b)
		if err != nil {
			return err
		}
		if err := out.Write(laid); err != nil {
			return err
		}
	}
	if err := out.Close(); err != nil { // writes the schema even if there was no batch
		return fmt.Errorf("end the Arrow stream: %w", err)
	}
	return nil
}

// declared gives a column the layout of the type that its function declared.
func declared(a arrow.Array, t types.Type, operation string) (arrow.Array, error) {
	want, err := types.ToArrow(t, "UTC")
	if err != nil {
		return nil, err
	}
	if a.DataType().ID() == arrow.NULL {
		return array.MakeArrayOfNull(mem, want, a.Len()), nil
	}
	got, err := types.FromArrow(a.DataType())
	if err != nil {
		return nil, mistyped(operation, t.SimpleString(), a.DataType().String())
	}
	if !alike(types.Physical(t), got) {
		return nil, mistyped(operation, t.SimpleString(), got.SimpleString())
	}
	return column.Conform(a, t)
}

// alike says whether two types are laid out alike, names aside.
func alike(want, got types.Type) bool {
	switch w := want.(type) {
	case types.Array:
		g, ok := got.(types.Array)
		return ok && alike(w.Elem, g.Elem)
	case types.Map:
		g, ok := got.(types.Map)
		return ok && alike(w.Key, g.Key) && alike(w.Value, g.Value)
	case types.Struct:
		g, ok := got.(types.Struct)
		if !ok || len(g.Fields) != len(w.Fields) {
			return false
		}
		for i := range w.Fields {
			if !alike(w.Fields[i].Type, g.Fields[i].Type) {
				return false
			}
		}
		return true
	case types.DayTimeInterval:
		_, ok := got.(types.DayTimeInterval)
		return ok
	case types.YearMonthInterval:
		_, ok := got.(types.YearMonthInterval)
		return ok
	}
	stamp := func(t types.Type) bool { return t == types.Timestamp || t == types.TimestampNTZ }
	return types.Equal(want, got) || stamp(want) && stamp(got)
}

// unpack takes the columns out of a batch that holds rows in one struct column.
func unpack(b arrow.RecordBatch, attrs []plan.Attr, operation string) (Rows, error) {
	want := plan.SchemaOf(attrs)
	if b.NumCols() != 1 {
		return Rows{}, mistyped(operation, want.SimpleString(), b.Schema().String())
	}
	s, ok := b.Column(0).(*array.Struct)
	if !ok {
		return Rows{}, mistyped(operation, want.SimpleString(), b.Column(0).DataType().String())
	}
	if s.NumField() != len(attrs) {
		if s.NumField() == 0 && s.Len() == 0 {
			return Rows{}, nil
		}
		names := make([]string, s.NumField())
		for i := range names {
			names[i] = s.DataType().(*arrow.StructType).Field(i).Name
		}
		return Rows{}, mistyped(operation, want.SimpleString(), "struct<"+strings.Join(names, ",")+">")
	}
	rows := Rows{Len: int64(s.Len()), Cols: make([]arrow.Array, len(attrs))}
	for i, at := range attrs {
		c, err := declared(s.Field(i), at.Type, operation)
		if err != nil {
			return Rows{}, err
		}
		rows.Cols[i] = c
	}
	return rows, nil
}
