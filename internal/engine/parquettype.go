package engine

import (
	"fmt"
	"strings"

	"github.com/apache/arrow-go/v18/parquet"
	"github.com/apache/arrow-go/v18/parquet/file"
	"github.com/apache/arrow-go/v18/parquet/schema"

	"github.com/millpond/millpond/internal/compile"
	"github.com/millpond/millpond/internal/sparkerr"
	"github.com/millpond/millpond/internal/types"
)

// misfit is a column of a file that cannot be read as a type. Where Spark has no words for it,
// actual is empty.
type misfit struct {
	path, column, expected, actual string
}

// raise gives the expression that fails with Spark's condition.
func (m misfit) raise() string {
	uri := quoteSQL("file://" + m.path)
	if m.actual == "" {
		return sparkerr.Raise("FAILED_READ_FILE.NO_HINT", uri)
	}
	return sparkerr.Raise("FAILED_READ_FILE.PARQUET_COLUMN_DATA_TYPE_MISMATCH", uri, quoteSQL(m.column), quoteSQL(m.expected), quoteSQL(m.actual))
}

// parquetRoot reads the layout of a file's columns.
func parquetRoot(path string) (*schema.GroupNode, error) {
	rd, err := file.OpenParquetFile(path, false)
	if err != nil {
		return nil, sparkerr.New(sparkerr.ClassSpark, "FAILED_READ_FILE.CANNOT_READ_FILE_FOOTER", "path", "file:"+path)
	}
	defer rd.Close()
	return rd.MetaData().Schema.Root(), nil
}

// columnOf finds a column by its name, whatever its case.
func columnOf(g *schema.GroupNode, name string) schema.Node {
	for i := range g.NumFields() {
		if f := g.Field(i); strings.EqualFold(f.Name(), name) {
			return f
		}
	}
	return nil
}

// columnAs gives the expression that reads a column as a type: Spark reads under another type than
// the file's what widens it, and refuses everything else.
func columnAs(roots map[string]*schema.GroupNode, files []string, f types.Field) string {
	to := fileTypeSQL(f.Type)
	var found schema.Node
	for _, path := range files {
		n := columnOf(roots[path], f.Name)
		if n == nil {
			continue
		}
		if m := fit(n, types.Physical(f.Type), nil); m != nil {
			m.path = path
			return "CAST(" + m.raise() + " AS " + to + ")"
		}
		if found == nil {
			found = n
		}
	}
	if found == nil {
		return "CAST(NULL AS " + to + ")"
	}
	text := quoteName(found.Name())
	if p, ok := found.(*schema.PrimitiveNode); ok {
		text = raw(p, text, types.Physical(f.Type))
	}
	return "CAST(" + text + " AS " + to + ")"
}

// raw gives a column's stored value where that is what Spark reads: days as a number, a decimal
// without its point, bytes as text.
func raw(p *schema.PrimitiveNode, text string, t types.Type) string {
	logical := p.LogicalType()
	decimal, isDecimal := logical.(schema.DecimalLogicalType)
	_, isDate := logical.(schema.DateLogicalType)
	stamp, isStamp := logical.(schema.TimestampLogicalType)
	bits := map[types.Type]int{types.Byte: 8, types.Short: 16}[t]
	switch {
	case isDate && (types.IsIntegral(t) || t == types.Double):
		return "(" + text + " - DATE '1970-01-01')"
	case isStamp && t == types.Long:
		return storedTime(stamp, text)
	case t == types.Date && !isDate:
		return "(DATE '1970-01-01' + CAST(" + text + " AS INTEGER))"
	case isDecimal && (types.IsIntegral(t) || t == types.Double):
		return fmt.Sprintf("(%s * CAST('1e%d' AS DECIMAL(38, 0)))", text, decimal.Scale())
	case p.PhysicalType() == parquet.Types.ByteArray && t == types.Binary && textual(logical):
		return "encode(" + text + ")"
	case p.PhysicalType() == parquet.Types.ByteArray && types.IsString(t) && !textual(logical):
		return "decode(" + text + ")"
	case bits > 0 && plainInt(logical): // only the lower bits
		return fmt.Sprintf("(((CAST(%s AS BIGINT) + %d) & %d) - %d)", text, 1<<(bits-1), 1<<bits-1, 1<<(bits-1))
	}
	return text
}

// storedTime gives a timestamp as the number that its file holds.
func storedTime(t schema.TimestampLogicalType, text string) string {
	unit := map[schema.TimeUnitType]string{schema.TimeUnitMillis: "ms", schema.TimeUnitNanos: "ns"}[t.TimeUnit()]
	if unit == "" {
		unit = "us"
	}
	return "epoch_" + unit + "(" + text + ")"
}

func textual(l schema.LogicalType) bool {
	switch l.(type) {
	case schema.StringLogicalType, schema.EnumLogicalType, schema.JSONLogicalType:
		return true
	}
	return false
}

// plainInt says whether an integer is stored without a narrower width.
func plainInt(l schema.LogicalType) bool {
	i, ok := l.(schema.IntLogicalType)
	return !ok || i.BitWidth() >= 32
}

// fit says what keeps a column from being read as a type, nil for nothing.
func fit(n schema.Node, t types.Type, above []string) *misfit {
	path := append(above[:len(above):len(above)], n.Name())
	p, primitive := n.(*schema.PrimitiveNode)
	g, _ := n.(*schema.GroupNode)
	switch t := t.(type) {
	case types.Struct:
		if primitive {
			return &misfit{}
		}
		for _, f := range t.Fields {
			if kid := columnOf(g, f.Name); kid != nil {
				if m := fit(kid, types.Physical(f.Type), path); m != nil {
					return m
				}
			}
		}
		return nil
	case types.Array:
		switch {
		case primitive && p.RepetitionType() != parquet.Repetitions.Repeated:
			return mismatch(p, t, path)
		case primitive || g.NumFields() != 1:
			return nil // an older layout of lists
		}
		list, ok := g.Field(0).(*schema.GroupNode)
		if !ok || list.NumFields() != 1 {
			return nil
		}
		return fit(list.Field(0), types.Physical(t.Elem), append(path, list.Name()))
	case types.Map:
		if primitive {
			return mismatch(p, t, path)
		}
		pairs, ok := g.Field(0).(*schema.GroupNode)
		if !ok || pairs.NumFields() != 2 {
			return &misfit{}
		}
		if m := fit(pairs.Field(0), types.Physical(t.Key), append(path, pairs.Name())); m != nil {
			return m
		}
		return fit(pairs.Field(1), types.Physical(t.Value), append(path, pairs.Name()))
	}
	switch {
	case !primitive:
		return &misfit{}
	case !readable(p, t):
		return mismatch(p, t, path)
	}
	return nil
}

func mismatch(p *schema.PrimitiveNode, t types.Type, path []string) *misfit {
	actual := p.PhysicalType().String()
	if p.PhysicalType() == parquet.Types.ByteArray {
		actual = "BINARY"
	}
	return &misfit{column: "[" + strings.Join(path, ", ") + "]", expected: t.SimpleString(), actual: actual}
}

// readable says whether Spark's reader turns a stored value into a type.
func readable(p *schema.PrimitiveNode, t types.Type) bool {
	logical := p.LogicalType()
	stored, isDecimal := logical.(schema.DecimalLogicalType)
	_, isDate := logical.(schema.DateLogicalType)
	if d, ok := t.(types.Decimal); ok {
		switch {
		case isDecimal:
			return wider(d, int(stored.Precision()), int(stored.Scale()))
		case p.PhysicalType() == parquet.Types.Int32:
			return wider(d, 10, 0)
		case p.PhysicalType() == parquet.Types.Int64:
			return wider(d, 20, 0)
		}
		return false
	}
	_, months := t.(types.YearMonthInterval)
	_, micros := t.(types.DayTimeInterval)
	stamp := t == types.Timestamp || t == types.TimestampNTZ
	switch p.PhysicalType() {
	case parquet.Types.Boolean:
		return t == types.Boolean
	case parquet.Types.Int32:
		return types.IsIntegral(t) || t == types.Double || t == types.Date || months || isDate && t == types.TimestampNTZ
	case parquet.Types.Int64:
		_, isStamp := logical.(schema.TimestampLogicalType)
		return t == types.Long || micros || stamp && isStamp
	case parquet.Types.Int96:
		return stamp
	case parquet.Types.Float:
		return t == types.Float || t == types.Double
	case parquet.Types.Double:
		return t == types.Double
	}
	return types.IsString(t) || t == types.Binary // bytes
}

// wider says whether every decimal of a precision and scale is one of d.
func wider(d types.Decimal, precision, scale int) bool {
	more := d.Scale - scale
	return more >= 0 && d.Precision-precision >= more
}

// asWanted gives the expressions that read the wanted columns of files.
func asWanted(want types.Struct, files []string, keys []string) ([]string, error) {
	roots := make(map[string]*schema.GroupNode, len(files))
	for _, path := range files {
		root, err := parquetRoot(path)
		if err != nil {
			return nil, err
		}
		roots[path] = root
	}
	out := make([]string, len(want.Fields))
	for i, f := range want.Fields {
		if keyIndex(keys, f.Name) >= 0 {
			out[i] = "CAST(" + quoteName(f.Name) + " AS " + compile.TypeSQL(f.Type) + ")"
			continue
		}
		out[i] = columnAs(roots, files, f)
	}
	return out, nil
}
