package function

import (
	"fmt"
	"strings"

	"github.com/millpond/millpond/internal/types"
)

var basicSQL = map[types.Type]string{
	types.Null: "INTEGER", types.Boolean: "BOOLEAN", types.Byte: "TINYINT", types.Short: "SMALLINT", types.Int: "INTEGER",
	types.Long: "BIGINT", types.Float: "FLOAT", types.Double: "DOUBLE", types.String: "VARCHAR", types.Binary: "BLOB",
	types.Date: "DATE", types.Timestamp: "TIMESTAMPTZ", types.TimestampNTZ: "TIMESTAMP", types.CalendarInterval: "INTERVAL",
}

// TypeSQL names a Spark type in DuckDB's words.
func TypeSQL(t types.Type) string {
	if b, ok := t.(*types.Basic); ok {
		if s, ok := basicSQL[b]; ok {
			return s
		}
	}
	switch t := t.(type) {
	case types.Decimal:
		return fmt.Sprintf("DECIMAL(%d,%d)", t.Precision, t.Scale)
	case types.Char, types.Varchar:
		return "VARCHAR"
	case types.DayTimeInterval, types.YearMonthInterval:
		return "INTERVAL"
	case types.Array:
		return TypeSQL(t.Elem) + "[]"
	case types.Map:
		return "MAP(" + TypeSQL(t.Key) + ", " + TypeSQL(t.Value) + ")"
	case types.Struct:
		parts := make([]string, len(t.Fields))
		for i, f := range t.Fields {
			parts[i] = fmt.Sprintf("f%d %s", i, TypeSQL(f.Type))
		}
		return "STRUCT(" + strings.Join(parts, ", ") + ")"
	case *types.UDT:
		if types.IsAnyVector(t) {
			return `STRUCT("type" TINYINT, "size" INTEGER, "indices" INTEGER[], "values" DOUBLE[])`
		}
		return TypeSQL(t.SQLType)
	}
	return "VARCHAR"
}
