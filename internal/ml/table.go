package ml

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"
	"github.com/apache/arrow-go/v18/arrow/memory"
	"github.com/apache/arrow-go/v18/parquet"
	"github.com/apache/arrow-go/v18/parquet/compress"
	"github.com/apache/arrow-go/v18/parquet/file"
	"github.com/apache/arrow-go/v18/parquet/pqarrow"

	"github.com/millpond/millpond/internal/types"
)

// Spark finds a file's types, user-defined ones included, under these keys.
const (
	rowMetadataKey = "org.apache.spark.sql.parquet.row.metadata"
	versionKey     = "org.apache.spark.version"
)

// WriteRows writes a model's data as Parquet to dir/name, as Spark's saveData does. A value is
// the Value form of its column's type; a struct is []any, a map is [][2]any.
func WriteRows(dir, name string, schema types.Struct, rows ...[]any) error {
	s, err := types.SchemaToArrow(schema, "UTC")
	if err != nil {
		return err
	}
	b := array.NewRecordBuilder(memory.DefaultAllocator, s)
	defer b.Release()
	for _, row := range rows {
		if len(row) != len(schema.Fields) {
			return fmt.Errorf("a row of %d values for %d columns", len(row), len(schema.Fields))
		}
		for i, v := range row {
			if err := appendValue(b.Field(i), v); err != nil {
				return fmt.Errorf("column %s: %w", schema.Fields[i].Name, err)
			}
		}
	}
	return WriteBatch(dir, name, schema, b.NewRecordBatch())
}

// WriteBatch writes a batch of rows as Parquet to dir/name.
func WriteBatch(dir, name string, schema types.Struct, batch arrow.RecordBatch) (err error) {
	sub := filepath.Join(dir, name)
	if err := os.MkdirAll(sub, 0o755); err != nil {
		return err
	}
	f, err := os.Create(filepath.Join(sub, "part-00000.snappy.parquet"))
	if err != nil {
		return err
	}
	defer func() { // the Parquet writer closes f; a second close only matters after a failure
		if cerr := f.Close(); err == nil && cerr != nil && !errors.Is(cerr, os.ErrClosed) {
			err = cerr
		}
	}()
	md := arrow.NewMetadata([]string{rowMetadataKey, versionKey}, []string{types.ToJSON(schema), SparkVersion})
	s := arrow.NewSchema(batch.Schema().Fields(), &md)
	w, err := pqarrow.NewFileWriter(s, f, parquet.NewWriterProperties(parquet.WithCompression(compress.Codecs.Snappy)),
		pqarrow.DefaultWriterProps())
	if err != nil {
		return err
	}
	if err := w.Write(batch); err != nil {
		return errors.Join(err, w.Close())
	}
	for i, key := range md.Keys() {
		if err := w.AppendKeyValueMetadata(key, md.Values()[i]); err != nil {
			return errors.Join(err, w.Close())
		}
	}
	if err := w.Close(); err != nil {
		return err
	}
	return os.WriteFile(filepath.Join(sub, "_SUCCESS"), nil, 0o644)
}

func appendValue(b array.Builder, v any) error {
	if v == nil {
		b.AppendNull()
		return nil
	}
	switch b := b.(type) {
	case *array.Int8Builder:
		return appendAs(b.Append, v)
	case *array.Int32Builder:
		if n, ok := asInt(v); ok {
			b.Append(int32(n))
			return nil
		}
	case *array.Int64Builder:
		if n, ok := asInt(v); ok {
			b.Append(n)
			return nil
		}
	case *array.Float64Builder:
		return appendAs(b.Append, v)
	case *array.BooleanBuilder:
		return appendAs(b.Append, v)
	case *array.StringBuilder:
		return appendAs(b.Append, v)
	case *array.MapBuilder:
		return appendMap(b, v)
	case *array.ListBuilder:
		return appendList(b, v)
	case *array.StructBuilder:
		return appendStruct(b, v)
	}
	return fmt.Errorf("cannot write %T to %s", v, b.Type())
}

func appendAs[T any](add func(T), v any) error {
	x, ok := v.(T)
	if !ok {
		return fmt.Errorf("cannot write %T as %T", v, x)
	}
	add(x)
	return nil
}

func appendList(b *array.ListBuilder, v any) error {
	var list []any
	switch v := v.(type) {
	case []any:
		list = v
	case []float64:
		b.Append(true)
		if vb, ok := b.ValueBuilder().(*array.Float64Builder); ok {
			vb.AppendValues(v, nil)
			return nil
		}
		return fmt.Errorf("cannot write %T to %s", v, b.Type())
	case []int32:
		list = toAny(v)
	case []int64:
		list = toAny(v)
	case []int:
		list = toAny(v)
	case []string:
		list = toAny(v)
	case [][]string:
		list = toAny(v)
	case [][]float64:
		list = toAny(v)
	default:
		return fmt.Errorf("cannot write %T to %s", v, b.Type())
	}
	b.Append(true)
	for _, x := range list {
		if err := appendValue(b.ValueBuilder(), x); err != nil {
			return err
		}
	}
	return nil
}

func appendMap(b *array.MapBuilder, v any) error {
	pairs, ok := v.([][2]any)
	if !ok {
		return fmt.Errorf("cannot write %T to %s", v, b.Type())
	}
	b.Append(true)
	for _, p := range pairs {
		if err := appendValue(b.KeyBuilder(), p[0]); err != nil {
			return err
		}
		if err := appendValue(b.ItemBuilder(), p[1]); err != nil {
			return err
		}
	}
	return nil
}

func appendStruct(b *array.StructBuilder, v any) error {
	var fields []any
	switch v := v.(type) {
	case []any:
		fields = v
	case Vector:
		if v.Sparse {
			fields = []any{int8(0), v.Size, v.Indices, v.Values}
		} else {
			fields = []any{int8(1), nil, nil, v.Values}
		}
	case Matrix:
		fields = []any{int8(1), v.Rows, v.Cols, nil, nil, v.Values, v.Transposed}
	}
	if len(fields) != b.NumField() {
		return fmt.Errorf("cannot write %T to %s", v, b.Type())
	}
	b.Append(true)
	for i, x := range fields {
		if err := appendValue(b.FieldBuilder(i), x); err != nil {
			return err
		}
	}
	return nil
}

// Table is a model's data as read from Parquet: all part files, one array a column.
type Table struct {
	Rows  int
	names []string
	cols  []arrow.Array
}

// ReadTable reads dir/name, which Spark or WriteRows wrote.
func ReadTable(dir, name string) (*Table, error) {
	sub := filepath.Join(dir, name)
	files, err := dataFiles(sub)
	if err != nil {
		return nil, err
	}
	slices.Sort(files)
	t := &Table{}
	parts := map[string][]arrow.Array{}
	for _, f := range files {
		if err := t.readFile(filepath.Join(sub, f), parts); err != nil {
			return nil, fmt.Errorf("read %s: %w", filepath.Join(name, f), err)
		}
	}
	for _, n := range t.names {
		col, err := array.Concatenate(parts[n], memory.DefaultAllocator)
		if err != nil {
			return nil, fmt.Errorf("read %s: column %s: %w", name, n, err)
		}
		if col.Len() != t.Rows {
			return nil, fmt.Errorf("read %s: column %s has %d rows of %d", name, n, col.Len(), t.Rows)
		}
		t.cols = append(t.cols, col)
	}
	return t, nil
}

func (t *Table) readFile(path string, parts map[string][]arrow.Array) (err error) {
	defer func() { // the Parquet reader panics on some malformed files
		if r := recover(); r != nil {
			err = fmt.Errorf("malformed Parquet file: %v", r)
		}
	}()
	r, err := file.OpenParquetFile(path, false)
	if err != nil {
		return err
	}
	defer r.Close()
	if err := checkChunks(path, r); err != nil {
		return err
	}
	fr, err := pqarrow.NewFileReader(r, pqarrow.ArrowReadProperties{}, memory.DefaultAllocator)
	if err != nil {
		return err
	}
	tbl, err := fr.ReadTable(context.Background())
	if err != nil {
		return err
	}
	t.Rows += int(tbl.NumRows())
	for i, f := range tbl.Schema().Fields() {
		if !slices.Contains(t.names, f.Name) {
			t.names = append(t.names, f.Name)
		}
		parts[f.Name] = append(parts[f.Name], tbl.Column(i).Data().Chunks()...)
	}
	return nil
}

// checkChunks refuses a file whose column chunks do not lie within it. The reader would panic on
// one in a goroutine of its own, where nothing can recover.
func checkChunks(path string, r *file.Reader) error {
	info, err := os.Stat(path)
	if err != nil {
		return err
	}
	md := r.MetaData()
	leaves := md.Schema.NumColumns()
	for g := range len(md.RowGroups) {
		rg := md.RowGroup(g)
		if rg.NumColumns() != leaves || rg.NumRows() < 0 {
			return errors.New("malformed Parquet file: a row group of the wrong shape")
		}
		for c := range leaves {
			col, err := rg.ColumnChunk(c)
			if err != nil {
				return err
			}
			start, size := col.DataPageOffset(), col.TotalCompressedSize()
			if col.HasDictionaryPage() && col.DictionaryPageOffset() > 0 {
				start = min(start, col.DictionaryPageOffset())
			}
			if start < 4 || size < 0 || size > info.Size() || start > info.Size()-size ||
				col.NumValues() < 0 || col.TotalUncompressedSize() < 0 || col.TotalUncompressedSize() > 1<<34 {
				return errors.New("malformed Parquet file: a column chunk outside the file")
			}
			if t := md.Schema.Column(c).PhysicalType(); col.Type() != t {
				return fmt.Errorf("malformed Parquet file: a chunk of %s for a column of %s", col.Type(), t)
			}
		}
	}
	return nil
}

// Has says whether there is a column of that name.
func (t *Table) Has(name string) bool { return slices.Contains(t.names, name) }

// Column gives a column by name.
func (t *Table) Column(name string) (arrow.Array, error) {
	i := slices.Index(t.names, name)
	if i < 0 {
		return nil, fmt.Errorf("no column %s among %v", name, t.names)
	}
	return t.cols[i], nil
}

// Read gives a column's value in a row as a T: the Go forms are those WriteRows takes, with
// int32 for int, and []any for lists of other things than numbers and strings.
func Read[T any](t *Table, name string, row int) (T, error) {
	var zero T
	c, err := t.Column(name)
	if err != nil {
		return zero, err
	}
	if row < 0 || row >= t.Rows {
		return zero, fmt.Errorf("no row %d of %d", row, t.Rows)
	}
	v, err := ValueAt(c, row)
	if err != nil {
		return zero, fmt.Errorf("column %s: %w", name, err)
	}
	x, ok := v.(T)
	if !ok {
		return zero, fmt.Errorf("column %s holds %T, not %T", name, v, zero)
	}
	return x, nil
}

// ValueAt gives row i of an array in Go form; strings are copies.
func ValueAt(a arrow.Array, i int) (any, error) {
	if a.IsNull(i) {
		return nil, nil
	}
	switch a := a.(type) {
	case *array.Int8:
		return a.Value(i), nil
	case *array.Int16:
		return a.Value(i), nil
	case *array.Int32:
		return a.Value(i), nil
	case *array.Int64:
		return a.Value(i), nil
	case *array.Float32:
		return a.Value(i), nil
	case *array.Float64:
		return a.Value(i), nil
	case *array.Boolean:
		return a.Value(i), nil
	case *array.String:
		return string([]byte(a.Value(i))), nil
	case *array.Map:
		from, to := a.ValueOffsets(i)
		out := make([][2]any, 0, to-from)
		for j := int(from); j < int(to); j++ {
			k, err := ValueAt(a.Keys(), j)
			if err != nil {
				return nil, err
			}
			v, err := ValueAt(a.Items(), j)
			if err != nil {
				return nil, err
			}
			out = append(out, [2]any{k, v})
		}
		return out, nil
	case *array.List:
		from, to := a.ValueOffsets(i)
		return listAt(a.ListValues(), int(from), int(to))
	case *array.Struct:
		return structAt(a, i)
	}
	return nil, fmt.Errorf("cannot read %s", a.DataType())
}

func listAt(a arrow.Array, from, to int) (any, error) {
	switch a := a.(type) {
	case *array.Float64:
		return slices.Clone(a.Float64Values()[from:to]), nil
	case *array.Int32:
		return slices.Clone(a.Int32Values()[from:to]), nil
	case *array.Int64:
		return slices.Clone(a.Int64Values()[from:to]), nil
	case *array.String:
		out := make([]string, 0, to-from)
		for i := from; i < to; i++ {
			out = append(out, string([]byte(a.Value(i))))
		}
		return out, nil
	}
	out := make([]any, 0, to-from)
	for i := from; i < to; i++ {
		v, err := ValueAt(a, i)
		if err != nil {
			return nil, err
		}
		out = append(out, v)
	}
	return out, nil
}

func structAt(a *array.Struct, i int) (any, error) {
	fields := make([]any, a.NumField())
	for k := range fields {
		v, err := ValueAt(a.Field(k), i)
		if err != nil {
			return nil, err
		}
		fields[k] = v
	}
	st := a.DataType().(*arrow.StructType)
	switch {
	case len(fields) == 4 && st.Field(0).Name == "type" && st.Field(2).Name == "indices":
		return vectorOf(fields)
	case len(fields) == 7 && st.Field(0).Name == "type" && st.Field(6).Name == "isTransposed":
		return matrixOf(fields)
	}
	return fields, nil
}

func vectorOf(f []any) (any, error) {
	kind, ok := f[0].(int8)
	values, ok2 := f[3].([]float64)
	if !ok || !ok2 {
		return nil, errors.New("not a vector")
	}
	if kind == 1 {
		return DenseVector(values), nil
	}
	size, ok := f[1].(int32)
	idx, ok2 := f[2].([]int32)
	if !ok || !ok2 {
		return nil, errors.New("not a sparse vector")
	}
	v := Vector{Size: int(size), Indices: idx, Values: values, Sparse: true}
	return v, v.Check()
}

// matrixOf reads a matrix of either form; a sparse one becomes dense.
func matrixOf(f []any) (any, error) {
	kind, ok := f[0].(int8)
	rows, ok2 := f[1].(int32)
	cols, ok3 := f[2].(int32)
	values, ok4 := f[5].([]float64)
	transposed, ok5 := f[6].(bool)
	if !ok || !ok2 || !ok3 || !ok4 || !ok5 || rows < 0 || cols < 0 || int64(rows)*int64(cols) > maxGroup {
		return nil, errors.New("not a matrix")
	}
	m := Matrix{Rows: int(rows), Cols: int(cols), Values: values, Transposed: transposed}
	if kind == 1 {
		if len(values) != m.Rows*m.Cols {
			return nil, fmt.Errorf("%d values in a %d x %d matrix", len(values), rows, cols)
		}
		return m, nil
	}
	ptrs, ok := f[3].([]int32)
	idx, ok2 := f[4].([]int32)
	major, minor := m.Cols, m.Rows
	if transposed {
		major, minor = m.Rows, m.Cols
	}
	if !ok || !ok2 || len(ptrs) != major+1 || len(idx) != len(values) {
		return nil, errors.New("not a sparse matrix")
	}
	m.Values = make([]float64, m.Rows*m.Cols)
	for j := range major {
		if ptrs[j] < 0 || ptrs[j] > ptrs[j+1] || int(ptrs[j+1]) > len(idx) {
			return nil, errors.New("a sparse matrix with pointers out of order")
		}
		for k := ptrs[j]; k < ptrs[j+1]; k++ {
			if idx[k] < 0 || int(idx[k]) >= minor {
				return nil, errors.New("a sparse matrix with an index out of range")
			}
			m.Values[j*minor+int(idx[k])] = values[k]
		}
	}
	return m, nil
}
