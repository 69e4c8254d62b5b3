package enginetest

import (
	"encoding/hex"
	"math"
	"strconv"
	"strings"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"
)

// cell prints a value of a column as spec/record/sql.py does.
func cell(col arrow.Array, i int) string {
	if col.IsNull(i) {
		return "NULL"
	}
	switch c := col.(type) {
	case *array.Boolean:
		return strconv.FormatBool(c.Value(i))
	case *array.Float32:
		return float(float64(c.Value(i)))
	case *array.Float64:
		return float(c.Value(i))
	case *array.String:
		return textOf(c.Value(i))
	case *array.LargeString:
		return textOf(c.Value(i))
	case *array.Binary:
		return "X'" + hex.EncodeToString(c.Value(i)) + "'"
	case *array.Date32:
		return c.Value(i).ToTime().Format("2006-01-02")
	case *array.Timestamp:
		unit := c.DataType().(*arrow.TimestampType).Unit
		return c.Value(i).ToTime(unit).UTC().Format("2006-01-02 15:04:05.000000")
	case *array.Decimal128:
		return c.Value(i).ToString(c.DataType().(*arrow.Decimal128Type).Scale)
	case *array.Duration:
		return strconv.FormatInt(int64(c.Value(i)), 10) + "us"
	case *array.Map:
		return entries(c, i)
	case *array.List:
		from, to := c.ValueOffsets(i)
		parts := make([]string, 0, to-from)
		for k := from; k < to; k++ {
			parts = append(parts, cell(c.ListValues(), int(k)))
		}
		return "[" + strings.Join(parts, ", ") + "]"
	case *array.Struct:
		parts := make([]string, c.NumField())
		for k := range parts {
			parts[k] = cell(c.Field(k), i)
		}
		return "{" + strings.Join(parts, ", ") + "}"
	}
	return col.ValueStr(i)
}

func entries(c *array.Map, i int) string {
	from, to := c.ValueOffsets(i)
	parts := make([]string, 0, to-from)
	for k := from; k < to; k++ {
		parts = append(parts, cell(c.Keys(), int(k))+" -> "+cell(c.Items(), int(k)))
	}
	return "[" + strings.Join(parts, ", ") + "]"
}

func float(v float64) string {
	switch {
	case math.IsNaN(v):
		return "NaN"
	case math.IsInf(v, 0):
		return map[bool]string{true: "Infinity", false: "-Infinity"}[v > 0]
	case v == 0:
		return "0"
	}
	return strconv.FormatFloat(v, 'g', 13, 64)
}

var escapes = strings.NewReplacer(`\`, `\\`, `"`, `\"`, "\n", `\n`, "\t", `\t`, "\r", `\r`)

func textOf(s string) string { return `"` + escapes.Replace(s) + `"` }
