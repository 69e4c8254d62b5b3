package types

import (
	"fmt"
	"strings"
)

// ScalaText writes a type as Spark's own code would, for the messages that do: StringType,
// StructType(StructField(a,IntegerType,true)).
func ScalaText(t Type) string {
	switch t := t.(type) {
	case Struct:
		parts := make([]string, len(t.Fields))
		for i, f := range t.Fields {
			parts[i] = fmt.Sprintf("StructField(%s,%s,%t)", f.Name, ScalaText(f.Type), f.Nullable)
		}
		return "StructType(" + strings.Join(parts, ",") + ")"
	case Array:
		return fmt.Sprintf("ArrayType(%s,%t)", ScalaText(t.Elem), t.ContainsNull)
	case Map:
		return fmt.Sprintf("MapType(%s,%s,%t)", ScalaText(t.Key), ScalaText(t.Value), t.ValueContainsNull)
	case Decimal:
		return fmt.Sprintf("DecimalType(%d,%d)", t.Precision, t.Scale)
	case *UDT:
		return t.Class
	}
	name := t.TypeName()
	if name == "timestamp_ntz" {
		return "TimestampNTZType"
	}
	return strings.ToUpper(name[:1]) + name[1:] + "Type"
}
