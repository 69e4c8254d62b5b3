package sparkerr

import (
	"errors"
	"strconv"
	"strings"
)

// A running query raises a condition by failing with the text that Raise makes; FromText reads
// it back. The engine's own English is never guessed at for these.
const (
	start = "\x01spark"
	mark  = start + sep
	sep   = "\x02"
	place = "\x03" // before the number of a context
)

// raised are the conditions a query can raise, with their parameters in order.
var raised = map[string]struct {
	class  string
	params []string
	fixed  map[string]string
}{
	"DIVIDE_BY_ZERO":                                     {ClassArithmetic, nil, map[string]string{"config": `"spark.sql.ansi.enabled"`}},
	"REMAINDER_BY_ZERO":                                  {ClassArithmetic, nil, map[string]string{"config": `"spark.sql.ansi.enabled"`}},
	"CAST_INVALID_INPUT":                                 {ClassNumberFormat, []string{"expression", "sourceType", "targetType"}, map[string]string{"ansiConfig": `"spark.sql.ansi.enabled"`}},
	"CAST_OVERFLOW":                                      {ClassArithmetic, []string{"value", "sourceType", "targetType"}, map[string]string{"ansiConfig": `"spark.sql.ansi.enabled"`}},
	"INVALID_ARRAY_INDEX":                                {ClassArrayIndex, []string{"indexValue", "arraySize"}, nil},
	"INVALID_ARRAY_INDEX_IN_ELEMENT_AT":                  {ClassArrayIndex, []string{"indexValue", "arraySize"}, nil},
	"USER_RAISED_EXCEPTION":                              {ClassRuntime, []string{"errorMessage"}, nil},
	"CANNOT_PARSE_TIMESTAMP":                             {ClassDateTime, []string{"message", "func"}, nil},
	"INVALID_TIMEZONE":                                   {ClassDateTime, []string{"timeZone"}, nil},
	"INVALID_DATETIME_PATTERN.LENGTH":                    {ClassIllegalArgument, []string{"pattern"}, nil},
	"INVALID_DATETIME_PATTERN.ILLEGAL_CHARACTER":         {ClassIllegalArgument, []string{"pattern", "c"}, nil},
	"INVALID_FORMAT.MISMATCH_INPUT":                      {ClassIllegalArgument, []string{"format", "inputType", "input"}, nil},
	"INVALID_PARAMETER_VALUE.PATTERN":                    {ClassRuntime, []string{"parameter", "functionName", "value"}, nil},
	"INVALID_PARAMETER_VALUE.CHARSET":                    {ClassIllegalArgument, []string{"parameter", "functionName", "charsets", "charset"}, nil},
	"INVALID_PARAMETER_VALUE.REGEX_GROUP_INDEX":          {ClassRuntime, []string{"parameter", "functionName", "groupCount", "groupIndex"}, nil},
	"MALFORMED_CHARACTER_CODING":                         {ClassRuntime, []string{"function", "charset"}, nil},
	"CONVERSION_INVALID_INPUT":                           {ClassIllegalArgument, []string{"str", "fmt", "targetType", "suggestion"}, nil},
	"CANNOT_DECODE_URL":                                  {ClassIllegalArgument, []string{"url"}, nil},
	"INVALID_URL":                                        {ClassIllegalArgument, []string{"url"}, nil},
	"INVALID_INDEX_OF_ZERO":                              {ClassRuntime, nil, nil},
	"DUPLICATED_MAP_KEY":                                 {ClassRuntime, []string{"key"}, map[string]string{"mapKeyDedupPolicy": `"spark.sql.mapKeyDedupPolicy"`}},
	"DATETIME_FIELD_OUT_OF_BOUNDS.WITHOUT_SUGGESTION":    {ClassDateTime, []string{"rangeMessage"}, nil},
	"MALFORMED_RECORD_IN_PARSING.WITHOUT_SUGGESTION":     {ClassSpark, []string{"badRecord", "failFastMode"}, nil},
	"SCALAR_SUBQUERY_TOO_MANY_ROWS":                      {ClassSpark, nil, nil},
	"NULL_MAP_KEY":                                       {ClassRuntime, nil, nil},
	"ARITHMETIC_OVERFLOW":                                {ClassArithmetic, []string{"message", "alternative"}, map[string]string{"config": `"spark.sql.ansi.enabled"`}},
	"BINARY_ARITHMETIC_OVERFLOW":                         {ClassArithmetic, []string{"value1", "symbol", "value2", "functionName"}, nil},
	"INTERVAL_DIVIDED_BY_ZERO":                           {ClassArithmetic, nil, nil},
	"ILLEGAL_DAY_OF_WEEK":                                {ClassIllegalArgument, []string{"string"}, nil},
	"INVALID_PARAMETER_VALUE.START":                      {ClassRuntime, []string{"parameter", "functionName"}, nil},
	"INVALID_PARAMETER_VALUE.LENGTH":                     {ClassRuntime, []string{"parameter", "functionName", "length"}, nil},
	"INVALID_FORMAT.ESC_AT_THE_END":                      {ClassAnalysis, []string{"format"}, nil},
	"NUMERIC_VALUE_OUT_OF_RANGE.WITH_SUGGESTION":         {ClassArithmetic, []string{"value", "precision", "scale"}, map[string]string{"config": `"spark.sql.ansi.enabled"`}},
	"FAILED_READ_FILE.PARQUET_COLUMN_DATA_TYPE_MISMATCH": {ClassSpark, []string{"path", "column", "expectedType", "actualType"}, nil},
	"INVALID_PARAMETER_VALUE.OCCURRENCE":                 {ClassRuntime, []string{"parameter", "functionName", "actual"}, nil},
	"INVALID_BITMAP_POSITION":                            {ClassArrayIndex, []string{"bitPosition", "bitmapNumBits", "bitmapNumBytes"}, nil},
	"VECTOR_DIMENSION_MISMATCH":                          {ClassRuntime, []string{"functionName", "leftDim", "rightDim"}, nil},
	"FAILED_EXECUTE_UDF":                                 {ClassSpark, []string{"functionName", "signature", "result", "reason"}, nil},
	"FAILED_READ_FILE.NO_HINT":                           {ClassSpark, []string{"path", "badRecord"}, nil},
}

// castClass is the class of a failed cast to a type that is no number.
var castClass = map[string]string{`"DATE"`: ClassDateTime, `"TIMESTAMP"`: ClassDateTime, `"TIMESTAMP_NTZ"`: ClassDateTime, `"BOOLEAN"`: ClassRuntime}

// Raise gives the SQL expression that fails with a condition; params are SQL text expressions.
func Raise(condition string, params ...string) string {
	var b strings.Builder
	b.WriteString("error('" + mark + condition + "'")
	for _, p := range params {
		b.WriteString(" || '" + sep + "' || coalesce(" + p + ", 'null')")
	}
	b.WriteString(")")
	return b.String()
}

// Raised is the text of an error that FromText reads back: how a function that a statement calls
// fails with a condition.
func Raised(condition string, params ...string) error {
	return errors.New(mark + condition + sep + strings.Join(params, sep))
}

// thrown names, in place of a condition, an exception that has none.
const thrown = "THROWN"

// Thrown is Raised for an exception that has a class and a message but no condition.
func Thrown(class, message string) error { return Raised(thrown, class, message) }

// RaiseThrown gives the SQL expression that fails with an exception that has no condition.
func RaiseThrown(class, message string) string {
	return Raise(thrown, quoted(class), quoted(message))
}

func quoted(text string) string { return "'" + strings.ReplaceAll(text, "'", "''") + "'" }

// Place marks the conditions that a piece of SQL raises, those that are not marked yet, with the
// number of the context that they arise in.
func Place(sql string, context int) string {
	return strings.ReplaceAll(sql, mark, start+place+strconv.Itoa(context)+sep)
}

// FromText finds a raised condition in an engine's error text, or nil.
func FromText(text string, contexts []*Context) *Error {
	_, rest, ok := strings.Cut(text, start)
	if !ok {
		return nil
	}
	number, rest, ok := strings.Cut(rest, sep)
	if !ok {
		return nil
	}
	e := fromParts(strings.Split(rest, sep))
	if e == nil {
		return nil
	}
	var c *Context
	if n, err := strconv.Atoi(strings.TrimPrefix(number, place)); err == nil && n >= 0 && n < len(contexts) {
		c = contexts[n]
	}
	return e.During(c)
}

func fromParts(parts []string) *Error {
	if parts[0] == thrown && len(parts) == 3 {
		return Plain(parts[1], "%s", parts[2])
	}
	r, ok := raised[parts[0]]
	if !ok {
		return nil
	}
	var pairs []string
	for k, v := range r.fixed {
		pairs = append(pairs, k, v)
	}
	for i, name := range r.params {
		if i+1 < len(parts) {
			pairs = append(pairs, name, strings.TrimRight(parts[i+1], "\n"))
		}
	}
	e := New(r.class, parts[0], pairs...)
	if class, ok := castClass[e.Params["targetType"]]; ok && e.Condition == "CAST_INVALID_INPUT" {
		e.Class = class
	}
	if record, ok := e.Params["badRecord"]; ok && e.Condition == "FAILED_READ_FILE.NO_HINT" { // why the file could not be read
		delete(e.Params, "badRecord")
		e.Cause = New(ClassSpark, "MALFORMED_RECORD_IN_PARSING.WITHOUT_SUGGESTION", "badRecord", "["+record+"]", "failFastMode", "FAILFAST")
	}
	return e
}

// ansiOnly are the conditions that are null without ANSI mode.
var ansiOnly = map[string]bool{"DIVIDE_BY_ZERO": true, "REMAINDER_BY_ZERO": true, "CAST_INVALID_INPUT": true, "CAST_OVERFLOW": true, "INVALID_ARRAY_INDEX": true,
	"INVALID_ARRAY_INDEX_IN_ELEMENT_AT": true, "NUMERIC_VALUE_OUT_OF_RANGE.WITH_SUGGESTION": true, "CANNOT_PARSE_TIMESTAMP": true,
	"DATETIME_FIELD_OUT_OF_BOUNDS.WITHOUT_SUGGESTION": true, "ILLEGAL_DAY_OF_WEEK": true}

// AnsiOnly says whether what Raise makes of a condition, the quotes aside, is for ANSI mode only.
func AnsiOnly(raised string) bool {
	name, ok := strings.CutPrefix(raised, mark)
	return ok && ansiOnly[name]
}
