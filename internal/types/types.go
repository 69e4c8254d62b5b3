// Package types holds Spark SQL's data types: what comes in is a type by name, DDL, JSON or
// Arrow form; what goes out is the same type in another form, or the common type of two.
// It never looks at data and knows nothing of plans or protocols.
package types

import (
	"fmt"
	"strings"
)

// Type is a Spark SQL data type. Values are immutable and comparable with Equal.
type Type interface {
	// SimpleString is Spark's short form: "int", "array<string>", "struct<a:int>".
	SimpleString() string
	// SQL is the form of Spark's messages: "INT", "ARRAY<STRING>", "STRUCT<a: INT>".
	SQL() string
	// TypeName is the name in Spark's JSON form: "integer", "array", "struct".
	TypeName() string
}

// Basic is a type without parameters.
type Basic struct{ name, simple, sql string }

func (b *Basic) SimpleString() string { return b.simple }
func (b *Basic) SQL() string          { return b.sql }
func (b *Basic) TypeName() string     { return b.name }

// The types without parameters.
var (
	Null             = &Basic{"void", "void", "VOID"}
	Boolean          = &Basic{"boolean", "boolean", "BOOLEAN"}
	Byte             = &Basic{"byte", "tinyint", "TINYINT"}
	Short            = &Basic{"short", "smallint", "SMALLINT"}
	Int              = &Basic{"integer", "int", "INT"}
	Long             = &Basic{"long", "bigint", "BIGINT"}
	Float            = &Basic{"float", "float", "FLOAT"}
	Double           = &Basic{"double", "double", "DOUBLE"}
	String           = &Basic{"string", "string", "STRING"}
	Binary           = &Basic{"binary", "binary", "BINARY"}
	Date             = &Basic{"date", "date", "DATE"}
	Timestamp        = &Basic{"timestamp", "timestamp", "TIMESTAMP"}
	TimestampNTZ     = &Basic{"timestamp_ntz", "timestamp_ntz", "TIMESTAMP_NTZ"}
	CalendarInterval = &Basic{"interval", "interval", "INTERVAL"}
	Variant          = &Basic{"variant", "variant", "VARIANT"}
)

// Decimal is a fixed-point number: precision 1 to 38, scale 0 to precision.
type Decimal struct{ Precision, Scale int }

func (d Decimal) SimpleString() string { return fmt.Sprintf("decimal(%d,%d)", d.Precision, d.Scale) }
func (d Decimal) SQL() string          { return fmt.Sprintf("DECIMAL(%d,%d)", d.Precision, d.Scale) }
func (d Decimal) TypeName() string     { return d.SimpleString() }

// Char is a string padded to Length characters.
type Char struct{ Length int }

func (c Char) SimpleString() string { return fmt.Sprintf("char(%d)", c.Length) }
func (c Char) SQL() string          { return fmt.Sprintf("CHAR(%d)", c.Length) }
func (c Char) TypeName() string     { return c.SimpleString() }

// Varchar is a string of at most Length characters.
type Varchar struct{ Length int }

func (v Varchar) SimpleString() string { return fmt.Sprintf("varchar(%d)", v.Length) }
func (v Varchar) SQL() string          { return fmt.Sprintf("VARCHAR(%d)", v.Length) }
func (v Varchar) TypeName() string     { return v.SimpleString() }

// DayTimeInterval counts microseconds; fields are 0 day, 1 hour, 2 minute, 3 second.
type DayTimeInterval struct{ Start, End int }

var dayTimeFields = []string{"day", "hour", "minute", "second"}

func (i DayTimeInterval) SimpleString() string { return intervalName(dayTimeFields, i.Start, i.End) }
func (i DayTimeInterval) SQL() string          { return strings.ToUpper(i.SimpleString()) }
func (i DayTimeInterval) TypeName() string     { return i.SimpleString() }

// YearMonthInterval counts months; fields are 0 year, 1 month.
type YearMonthInterval struct{ Start, End int }

var yearMonthFields = []string{"year", "month"}

func (i YearMonthInterval) SimpleString() string {
	return intervalName(yearMonthFields, i.Start, i.End)
}
func (i YearMonthInterval) SQL() string      { return strings.ToUpper(i.SimpleString()) }
func (i YearMonthInterval) TypeName() string { return i.SimpleString() }

func intervalName(fields []string, start, end int) string {
	if start < 0 || end >= len(fields) || start > end {
		return "interval"
	}
	if start == end {
		return "interval " + fields[start]
	}
	return "interval " + fields[start] + " to " + fields[end]
}

// Array is a list of Elem.
type Array struct {
	Elem         Type
	ContainsNull bool
}

func (a Array) SimpleString() string { return "array<" + a.Elem.SimpleString() + ">" }
func (a Array) SQL() string          { return "ARRAY<" + a.Elem.SQL() + ">" }
func (a Array) TypeName() string     { return "array" }

// Map is a list of unique keys with a value each.
type Map struct {
	Key, Value        Type
	ValueContainsNull bool
}

func (m Map) SimpleString() string {
	return "map<" + m.Key.SimpleString() + "," + m.Value.SimpleString() + ">"
}
func (m Map) SQL() string      { return "MAP<" + m.Key.SQL() + ", " + m.Value.SQL() + ">" }
func (m Map) TypeName() string { return "map" }

// Field is one column of a Struct. Metadata is Spark's JSON object as text, "" for none.
type Field struct {
	Name     string
	Type     Type
	Nullable bool
	Metadata string
}

// Struct is a row type, and the schema of a relation.
type Struct struct{ Fields []Field }

func (s Struct) SimpleString() string {
	parts := make([]string, len(s.Fields))
	for i, f := range s.Fields {
		parts[i] = f.Name + ":" + f.Type.SimpleString()
	}
	return "struct<" + strings.Join(parts, ",") + ">"
}

func (s Struct) SQL() string {
	parts := make([]string, len(s.Fields))
	for i, f := range s.Fields {
		parts[i] = QuoteIfNeeded(f.Name) + ": " + f.Type.SQL()
		if !f.Nullable {
			parts[i] += " NOT NULL"
		}
	}
	return "STRUCT<" + strings.Join(parts, ", ") + ">"
}
func (s Struct) TypeName() string { return "struct" }

// Index gives the place of the column called name, compared without case as Spark does by
// default, or -1. The first of several equal names wins.
func (s Struct) Index(name string) int {
	for i, f := range s.Fields {
		if strings.EqualFold(f.Name, name) {
			return i
		}
	}
	return -1
}

// Names lists the columns in order.
func (s Struct) Names() []string {
	names := make([]string, len(s.Fields))
	for i, f := range s.Fields {
		names[i] = f.Name
	}
	return names
}

// UDT is a user-defined type laid out as SQLType. Class is its JVM name, PyClass its Python
// name; a pure Python type has Class "" and carries Serialized.
type UDT struct {
	Class, PyClass, Serialized string
	SQLType                    Type
}

func (u *UDT) SimpleString() string {
	switch u.Class {
	case vectorClass:
		return "vector"
	case matrixClass:
		return "matrix"
	}
	return "udt"
}
func (u *UDT) SQL() string      { return u.SQLType.SQL() }
func (u *UDT) TypeName() string { return "udt" }

const (
	vectorClass = "org.apache.spark.ml.linalg.VectorUDT"
	oldVector   = "org.apache.spark.mllib.linalg.VectorUDT"
	matrixClass = "org.apache.spark.ml.linalg.MatrixUDT"
)

// Vector is Spark ML's vector: type 0 is sparse (size, indices, values), 1 is dense (values).
var Vector = &UDT{
	Class: vectorClass, PyClass: "pyspark.ml.linalg.VectorUDT",
	SQLType: Struct{Fields: []Field{
		{Name: "type", Type: Byte},
		{Name: "size", Type: Int, Nullable: true},
		{Name: "indices", Type: Array{Elem: Int}, Nullable: true},
		{Name: "values", Type: Array{Elem: Double}, Nullable: true},
	}},
}

// Matrix is Spark ML's matrix: type 0 is sparse (CSC), 1 is dense (column major unless transposed).
var Matrix = &UDT{
	Class: matrixClass, PyClass: "pyspark.ml.linalg.MatrixUDT",
	SQLType: Struct{Fields: []Field{
		{Name: "type", Type: Byte},
		{Name: "numRows", Type: Int},
		{Name: "numCols", Type: Int},
		{Name: "colPtrs", Type: Array{Elem: Int}, Nullable: true},
		{Name: "rowIndices", Type: Array{Elem: Int}, Nullable: true},
		{Name: "values", Type: Array{Elem: Double}, Nullable: true},
		{Name: "isTransposed", Type: Boolean},
	}},
}

// IsVector says whether t is Spark ML's vector type.
func IsVector(t Type) bool { u, ok := t.(*UDT); return ok && u.Class == vectorClass }

// IsAnyVector says whether t is a vector of Spark ML or of MLlib before it, which lie alike.
func IsAnyVector(t Type) bool {
	u, ok := t.(*UDT)
	return ok && (u.Class == vectorClass || u.Class == oldVector)
}

// IsMatrix says whether t is Spark ML's matrix type.
func IsMatrix(t Type) bool { u, ok := t.(*UDT); return ok && u.Class == matrixClass }

// Physical strips user-defined types to what they are laid out as, at every depth.
func Physical(t Type) Type {
	switch t := t.(type) {
	case *UDT:
		return Physical(t.SQLType)
	case Array:
		return Array{Physical(t.Elem), t.ContainsNull}
	case Map:
		return Map{Physical(t.Key), Physical(t.Value), t.ValueContainsNull}
	case Struct:
		out := make([]Field, len(t.Fields))
		for i, f := range t.Fields {
			out[i] = Field{f.Name, Physical(f.Type), f.Nullable, f.Metadata}
		}
		return Struct{out}
	case Char, Varchar:
		return String
	}
	return t
}

// Equal compares two types at every depth, nullability and metadata aside.
func Equal(a, b Type) bool {
	switch x := a.(type) {
	case Array:
		y, ok := b.(Array)
		return ok && Equal(x.Elem, y.Elem)
	case Map:
		y, ok := b.(Map)
		return ok && Equal(x.Key, y.Key) && Equal(x.Value, y.Value)
	case Struct:
		y, ok := b.(Struct)
		if !ok || len(x.Fields) != len(y.Fields) {
			return false
		}
		for i := range x.Fields {
			if !strings.EqualFold(x.Fields[i].Name, y.Fields[i].Name) || !Equal(x.Fields[i].Type, y.Fields[i].Type) {
				return false
			}
		}
		return true
	case *UDT:
		y, ok := b.(*UDT)
		return ok && x.Class == y.Class && x.PyClass == y.PyClass
	}
	return a == b
}

// QuoteIfNeeded puts backticks around a name that is not a plain identifier.
func QuoteIfNeeded(name string) string {
	plain := name != ""
	for i, r := range name {
		letter := r == '_' || r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z'
		if !letter && (i == 0 || r < '0' || r > '9') {
			plain = false
		}
	}
	if plain {
		return name
	}
	return Quote(name)
}

// Quote puts backticks around a name, doubling those inside.
func Quote(name string) string { return "`" + strings.ReplaceAll(name, "`", "``") + "`" }
