package pyworker

import (
	"fmt"
	"math/big"
	"time"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"

	"github.com/millpond/millpond/internal/sparkerr"
	"github.com/millpond/millpond/internal/types"
)

// cell writes row i of a column as a Python value.
type cell func(p *pickler, i int)

// cells makes the writer of a column of the engine's layout.
func cells(a arrow.Array, t types.Type) (cell, error) {
	inner, err := present(a, t)
	if err != nil {
		return nil, err
	}
	return func(p *pickler, i int) {
		if a.IsNull(i) {
			p.none()
			return
		}
		inner(p, i)
	}, nil
}

func present(a arrow.Array, t types.Type) (cell, error) {
	switch a := a.(type) {
	case *array.Null:
		return func(p *pickler, _ int) { p.none() }, nil
	case *array.Boolean:
		return func(p *pickler, i int) { p.bool(a.Value(i)) }, nil
	case *array.Int8:
		return func(p *pickler, i int) { p.int(int64(a.Value(i))) }, nil
	case *array.Int16:
		return func(p *pickler, i int) { p.int(int64(a.Value(i))) }, nil
	case *array.Int32:
		return func(p *pickler, i int) { p.int(int64(a.Value(i))) }, nil
	case *array.Int64:
		return func(p *pickler, i int) { p.int(a.Value(i)) }, nil
	case *array.Float32:
		return func(p *pickler, i int) { p.float(float64(a.Value(i))) }, nil
	case *array.Float64:
		return func(p *pickler, i int) { p.float(a.Value(i)) }, nil
	case *array.String:
		return func(p *pickler, i int) { p.str(a.Value(i)) }, nil
	case *array.Binary:
		return func(p *pickler, i int) { p.bytes(a.Value(i)) }, nil
	case *array.Date32:
		return func(p *pickler, i int) { p.date(int32(a.Value(i))) }, nil
	case *array.Timestamp:
		zone := time.UTC
		if types.Equal(t, types.Timestamp) {
			zone = time.Local // a worker shows times in the machine's zone, as Spark's do
		}
		return func(p *pickler, i int) { p.datetime(time.UnixMicro(int64(a.Value(i))).In(zone)) }, nil
	case *array.Duration:
		return func(p *pickler, i int) { p.timedelta(int64(a.Value(i))) }, nil
	case *array.Decimal128:
		scale := int(a.DataType().(*arrow.Decimal128Type).Scale)
		return func(p *pickler, i int) { p.decimal(a.Value(i).BigInt(), scale) }, nil
	case *array.Map:
		return mapCells(a, t)
	case *array.List:
		return listCells(a, t)
	case *array.Struct:
		return structCells(a, t)
	}
	return nil, sparkerr.Unsupported("Python functions over %s without Arrow", t.SimpleString())
}

func listCells(a *array.List, t types.Type) (cell, error) {
	lt, ok := t.(types.Array)
	if !ok {
		return nil, fmt.Errorf("%s laid out as %s", t.SimpleString(), a.DataType())
	}
	elem, err := cells(a.ListValues(), lt.Elem)
	if err != nil {
		return nil, err
	}
	return func(p *pickler, i int) {
		from, to := a.ValueOffsets(i)
		p.list(int(to-from), func(k int) { elem(p, int(from)+k) })
	}, nil
}

func mapCells(a *array.Map, t types.Type) (cell, error) {
	mt, ok := t.(types.Map)
	if !ok {
		return nil, fmt.Errorf("%s laid out as %s", t.SimpleString(), a.DataType())
	}
	key, err := cells(a.Keys(), mt.Key)
	if err != nil {
		return nil, err
	}
	value, err := cells(a.Items(), mt.Value)
	if err != nil {
		return nil, err
	}
	return func(p *pickler, i int) {
		from, to := a.ValueOffsets(i)
		p.dict(int(to-from), func(k int) { key(p, int(from)+k); value(p, int(from)+k) })
	}, nil
}

// structCells writes a struct as a Row, and a user-defined type as its own class.
func structCells(a *array.Struct, t types.Type) (cell, error) {
	udt, isUDT := t.(*types.UDT)
	st, ok := types.Physical(t).(types.Struct)
	if !ok || len(st.Fields) != a.NumField() {
		return nil, fmt.Errorf("%s laid out as %s", t.SimpleString(), a.DataType())
	}
	fields := make([]cell, len(st.Fields))
	for k := range fields {
		ft := st.Fields[k].Type
		if s, ok := t.(types.Struct); ok {
			ft = s.Fields[k].Type
		}
		c, err := cells(a.Field(k), ft)
		if err != nil {
			return nil, err
		}
		fields[k] = c
	}
	values := func(p *pickler, i int) { p.tuple(len(fields), func(k int) { fields[k](p, i) }) }
	if isUDT {
		text := types.ToJSON(udt)
		return func(p *pickler, i int) { // the converter of the type, called with the fields
			p.once("udt "+text, func() {
				p.global("pyspark.sql.types", "_create_row_inbound_converter")
				p.global("pyspark.sql.types", "_parse_datatype_json_string")
				p.tuple(1, func(int) { p.str(text) })
				p.reduce()
				p.b = append(p.b, opTuple1)
				p.reduce()
			})
			values(p, i)
			p.reduce()
		}, nil
	}
	names := st.Names()
	name := "row " + types.ToJSON(st)
	return func(p *pickler, i int) {
		p.global("pyspark.sql.types", "_create_row")
		p.once(name, func() { p.list(len(names), func(k int) { p.str(names[k]) }) })
		values(p, i)
		p.b = append(p.b, opTuple2)
		p.reduce()
	}, nil
}

// pickleRows writes rows [from, to) of columns as a list of tuples.
func pickleRows(cols []cell, from, to int) []byte {
	p := newPickler()
	p.list(to-from, func(i int) {
		p.tuple(len(cols), func(k int) { cols[k](p, from+i) })
	})
	return p.end()
}

func bigPow10(n int) *big.Int { return new(big.Int).Exp(big.NewInt(10), big.NewInt(int64(n)), nil) }
