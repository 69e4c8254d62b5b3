package ml

import (
	"fmt"
	"math"
	"strconv"
	"strings"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"

	"github.com/millpond/millpond/internal/sparkerr"
	"github.com/millpond/millpond/internal/types"
)

// Column finds a column of a schema by name, or gives Spark's FIELD_NOT_FOUND, or
// AMBIGUOUS_COLUMN_OR_FIELD where there are several.
func Column(in types.Struct, name string) (types.Field, error) {
	if i := in.Index(name); i >= 0 {
		matches := 0
		for _, f := range in.Fields {
			if strings.EqualFold(f.Name, name) {
				matches++
			}
		}
		if matches > 1 {
			return types.Field{}, sparkerr.Analysis("AMBIGUOUS_COLUMN_OR_FIELD", "name", types.Quote(name), "n", strconv.Itoa(matches))
		}
		return in.Fields[i], nil
	}
	quoted := make([]string, len(in.Fields))
	for i, f := range in.Fields {
		quoted[i] = types.Quote(f.Name)
	}
	return types.Field{}, sparkerr.New(sparkerr.ClassIllegalArgument, "FIELD_NOT_FOUND",
		"fieldName", types.Quote(name), "fields", strings.Join(quoted, ", "))
}

// IsNumeric says whether t is one of Spark's NumericTypes.
func IsNumeric(t types.Type) bool {
	switch t {
	case types.Byte, types.Short, types.Int, types.Long, types.Float, types.Double:
		return true
	}
	_, ok := t.(types.Decimal)
	return ok
}

// CheckNumeric demands a numeric column.
func CheckNumeric(in types.Struct, name string) error {
	f, err := Column(in, name)
	if err != nil {
		return err
	}
	if !IsNumeric(f.Type) {
		return sparkerr.Require("Column %s must be of type numeric but was actually of type %s.", name, CatalogString(f.Type))
	}
	return nil
}

// CheckVector demands a vector column.
func CheckVector(in types.Struct, name string) error { return CheckType(in, name, types.Vector) }

// CheckType demands a column of exactly one type, with the message of SchemaUtils.checkColumnType.
func CheckType(in types.Struct, name string, want types.Type) error {
	f, err := Column(in, name)
	if err != nil {
		return err
	}
	if !types.Equal(f.Type, want) {
		return sparkerr.Require("Column %s must be of type %s:%s but was actually %s:%s.", name,
			ClassOf(want), CatalogString(want), ClassOf(f.Type), CatalogString(f.Type))
	}
	return nil
}

// CatalogString is a type's name in messages; a user-defined type shows what it is laid out as.
func CatalogString(t types.Type) string { return types.Physical(t).SimpleString() }

// ClassOf is how Java prints the class of a Spark type: "class org.apache.spark.sql.types.StringType$".
func ClassOf(t types.Type) string {
	switch u := t.(type) {
	case *types.UDT:
		return "class " + u.Class
	case *types.Basic:
		return "class org.apache.spark.sql.types." + ScalaName(t) + "$"
	}
	return "class org.apache.spark.sql.types." + ScalaName(t)
}

// ScalaName is the name of a Spark type's Scala class: "StringType".
func ScalaName(t types.Type) string {
	switch t.(type) {
	case types.Decimal:
		return "DecimalType"
	case types.Char:
		return "CharType"
	case types.Varchar:
		return "VarcharType"
	case types.Array:
		return "ArrayType"
	case types.Map:
		return "MapType"
	case types.Struct:
		return "StructType"
	case types.DayTimeInterval:
		return "DayTimeIntervalType"
	case types.YearMonthInterval:
		return "YearMonthIntervalType"
	}
	switch t {
	case types.Null:
		return "NullType"
	case types.TimestampNTZ:
		return "TimestampNTZType"
	case types.CalendarInterval:
		return "CalendarIntervalType"
	}
	name := t.TypeName()
	return strings.ToUpper(name[:1]) + name[1:] + "Type"
}

// AppendField gives the schema with one more column, refusing a name that is taken with the
// message of SchemaUtils.appendColumn.
func AppendField(in types.Struct, f types.Field) (types.Struct, error) {
	if in.Index(f.Name) >= 0 {
		return types.Struct{}, sparkerr.Require("Column %s already exists.", f.Name)
	}
	return WithFields(in, f), nil
}

// WithFields gives the schema with columns added, or replaced where the name exists.
func WithFields(in types.Struct, fields ...types.Field) types.Struct {
	out := types.Struct{Fields: append(make([]types.Field, 0, len(in.Fields)+len(fields)), in.Fields...)}
	for _, f := range fields {
		if i := out.Index(f.Name); i >= 0 {
			out.Fields[i] = f
		} else {
			out.Fields = append(out.Fields, f)
		}
	}
	return out
}

// Raised is the error of Spark's raise_error, which checks of labels, weights and features use.
func Raised(format string, args ...any) error {
	return sparkerr.New(sparkerr.ClassRuntime, "USER_RAISED_EXCEPTION", "errorMessage", fmt.Sprintf(format, args...))
}

// JobAborted is how an exception on an executor reaches the client, where no function of a
// transformer threw it: cause is the exception "java.lang.IllegalArgumentException: requirement failed".
func JobAborted(format string, args ...any) error {
	return sparkerr.Plain(sparkerr.ClassSpark, "Job aborted due to stage failure: %s", fmt.Sprintf(format, args...))
}

// UDFError is how an exception inside a transformer's function reaches the client: class is the
// transformer's short name, types the function's signature "(string) => double", cause the
// exception "org.apache.spark.SparkException: Unseen label: x."
func UDFError(class, types, cause string) error {
	name := "`" + class + "$$Lambda`"
	in, out, _ := strings.Cut(types, " => ")
	return &sparkerr.Error{Condition: "FAILED_EXECUTE_UDF", SQLState: "39000", Class: sparkerr.ClassSpark,
		Params: map[string]string{"functionName": name, "signature": strings.Trim(in, "()"), "result": out, "reason": cause},
		Message: "[FAILED_EXECUTE_UDF] User defined function (" + name + ": " + types + ") failed due to: " +
			cause + ". SQLSTATE: 39000"}
}

// VectorSQL is how a vector type reads in a function's signature.
const VectorSQL = "struct<type:tinyint,size:int,indices:array<int>,values:array<double>>"

// Floats gives a numeric or boolean column as float64, without copying a column of doubles.
// The value at a null is anything.
func Floats(a arrow.Array) ([]float64, error) {
	switch a := a.(type) {
	case *array.Float64:
		return a.Float64Values(), nil
	case *array.Float32:
		return widen(a.Float32Values()), nil
	case *array.Int8:
		return widen(a.Int8Values()), nil
	case *array.Int16:
		return widen(a.Int16Values()), nil
	case *array.Int32:
		return widen(a.Int32Values()), nil
	case *array.Int64:
		return widen(a.Int64Values()), nil
	case *array.Uint8:
		return widen(a.Uint8Values()), nil
	case *array.Boolean:
		out := make([]float64, a.Len())
		for i := range out {
			if a.Value(i) {
				out[i] = 1
			}
		}
		return out, nil
	case *array.Decimal128:
		scale := a.DataType().(*arrow.Decimal128Type).Scale
		out := make([]float64, a.Len())
		for i := range out {
			out[i] = a.Value(i).ToFloat64(scale)
		}
		return out, nil
	}
	return nil, fmt.Errorf("column of type %s is not numeric", a.DataType())
}

func widen[T int8 | int16 | int32 | int64 | uint8 | float32](in []T) []float64 {
	out := make([]float64, len(in))
	for i, v := range in {
		out[i] = float64(v)
	}
	return out
}

// CheckLabels refuses what a regressor's label column must not hold.
func CheckLabels(a arrow.Array, v []float64) error {
	nulls := a.NullN() > 0
	for i, x := range v {
		if nulls && a.IsNull(i) || math.IsNaN(x) {
			return Raised("Labels MUST NOT be Null or NaN")
		}
		if math.IsInf(x, 0) {
			return Raised("Labels MUST NOT be Infinity, but got %s", FormatDouble(x))
		}
	}
	return nil
}

// MaxClasses is the number of classes that Spark Connect takes labels for if the label column's
// metadata does not tell a number.
const MaxClasses = 100

// CheckClasses refuses what a classifier's label column must not hold; numClasses is 0 if the
// number is not bounded.
func CheckClasses(a arrow.Array, v []float64, numClasses int) error {
	nulls := a.NullN() > 0
	limit := float64(math.MaxInt32)
	if numClasses > 0 {
		limit = float64(numClasses)
	}
	for i, x := range v {
		switch {
		case nulls && a.IsNull(i) || math.IsNaN(x):
			return Raised("Labels MUST NOT be Null or NaN")
		case x < 0 || x >= limit:
			return Raised("Labels MUST be in [0, %d), but got %s", int(limit), FormatDouble(x))
		case x != math.Trunc(x):
			return Raised("Labels MUST be Integers, but got %s", FormatDouble(x))
		}
	}
	return nil
}

// CheckWeights refuses what a weight column must not hold.
func CheckWeights(a arrow.Array, v []float64) error {
	nulls := a.NullN() > 0
	for i, x := range v {
		if nulls && a.IsNull(i) || math.IsNaN(x) {
			return Raised("Weights MUST NOT be Null or NaN")
		}
		if x < 0 || math.IsInf(x, 0) {
			return Raised("Weights MUST NOT be Negative or Infinity, but got %s", FormatDouble(x))
		}
	}
	return nil
}

// FormatVector prints row i of a vector column as Scala does: [1.0,2.0] or (3,[0],[1.0]).
func FormatVector(v *VectorView, i int) string {
	if v.Dense(i) {
		return FormatValue(v.Values(i))
	}
	idx := make([]int, len(v.Indices(i)))
	for k, j := range v.Indices(i) {
		idx[k] = int(j)
	}
	return fmt.Sprintf("(%d,%s,%s)", v.Size(i), FormatValue(idx), FormatValue(v.Values(i)))
}

// CheckFeatures refuses null vectors and vectors holding NaN or infinity.
func CheckFeatures(v *VectorView) error {
	for i := range v.Len() {
		if err := CheckFeaturesAt(v, i); err != nil {
			return err
		}
	}
	return nil
}

// CheckFeaturesAt is CheckFeatures of one row.
func CheckFeaturesAt(v *VectorView, i int) error {
	if v.IsNull(i) {
		return Raised("Vectors MUST NOT be Null")
	}
	sum := 0.0
	for _, x := range v.Values(i) {
		sum += x - x // 0 for a finite number, NaN for others
	}
	if sum != 0 {
		return Raised("Vector values MUST NOT be NaN or Infinity, but got %s", FormatVector(v, i))
	}
	return nil
}
