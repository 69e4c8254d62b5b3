// Package sparkerr is the table of Spark's error conditions: a condition's name and parameters
// go in, an error with Spark's message, SQLSTATE and JVM class comes out. It never decides when
// an error is due.
package sparkerr

import (
	_ "embed"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"sync"
)

// Error is an error that Spark would raise, in Spark's words.
type Error struct {
	Condition string            // "DIVIDE_BY_ZERO", "UNRESOLVED_COLUMN.WITH_SUGGESTION"; "" for a plain message
	SQLState  string            // "" if the condition has none
	Params    map[string]string // the message's parameters
	Message   string            // the whole text, condition and SQLSTATE included
	Class     string            // the JVM exception class that carries it
	Context   *Context          // where in the query, nil if unknown
	Cause     error
}

func (e *Error) Error() string { return e.Message }
func (e *Error) Unwrap() error { return e.Cause }

// The JVM classes that clients map to their exceptions.
const (
	ClassAnalysis         = "org.apache.spark.sql.AnalysisException"
	ClassExtendedAnalysis = "org.apache.spark.sql.catalyst.ExtendedAnalysisException"
	ClassParse            = "org.apache.spark.sql.catalyst.parser.ParseException"
	ClassArithmetic       = "org.apache.spark.SparkArithmeticException"
	ClassArrayIndex       = "org.apache.spark.SparkArrayIndexOutOfBoundsException"
	ClassDateTime         = "org.apache.spark.SparkDateTimeException"
	ClassNumberFormat     = "org.apache.spark.SparkNumberFormatException"
	ClassIllegalArgument  = "org.apache.spark.SparkIllegalArgumentException"
	ClassJavaArgument     = "java.lang.IllegalArgumentException"
	ClassRuntime          = "org.apache.spark.SparkRuntimeException"
	ClassSpark            = "org.apache.spark.SparkException"
	ClassUnsupported      = "org.apache.spark.SparkUnsupportedOperationException"
	ClassPython           = "org.apache.spark.api.python.PythonException"
	ClassNoSuchElement    = "org.apache.spark.SparkNoSuchElementException"
	ClassSQL              = "org.apache.spark.SparkSQLException"
	ClassInvalidPlan      = "org.apache.spark.sql.connect.common.InvalidPlanInput"
	ClassClassNotFound    = "org.apache.spark.SparkClassNotFoundException"
	ClassJavaUnsupported  = "java.lang.UnsupportedOperationException"
	ClassIO               = "java.io.IOException"
	ClassFileExists       = "org.apache.hadoop.mapred.FileAlreadyExistsException"
	ClassInvalidInput     = "org.apache.hadoop.mapred.InvalidInputException"
)

type condition struct {
	Message  string `json:"message"`
	SQLState string `json:"sqlState"`
}

//go:embed conditions.json
var conditionsJSON []byte

var conditions = sync.OnceValue(func() map[string]condition {
	m := map[string]condition{}
	if err := json.Unmarshal(conditionsJSON, &m); err != nil {
		panic("sparkerr: conditions.json: " + err.Error()) // embedded at build time
	}
	return m
})

// New makes the error of a condition; pairs are parameter names and values by turns.
func New(class, name string, pairs ...string) *Error {
	c, ok := conditions()[name]
	if !ok {
		return &Error{Condition: "INTERNAL_ERROR", SQLState: "XX000", Class: ClassSpark,
			Message: fmt.Sprintf("[INTERNAL_ERROR] unknown error condition %s %v SQLSTATE: XX000", name, pairs)}
	}
	params := make(map[string]string, len(pairs)/2)
	text := c.Message
	for i := 0; i+1 < len(pairs); i += 2 {
		params[pairs[i]] = pairs[i+1]
		text = strings.ReplaceAll(text, "<"+pairs[i]+">", pairs[i+1])
	}
	return &Error{Condition: name, SQLState: c.SQLState, Params: params, Class: class,
		Message: fmt.Sprintf("[%s] %s SQLSTATE: %s", name, text, c.SQLState)}
}

// InvalidPlan is New for a plan off the wire that makes no sense.
func InvalidPlan(name string, pairs ...string) *Error {
	return New(ClassInvalidPlan, "CONNECT_INVALID_PLAN."+name, pairs...)
}

// Because gives an error its cause.
func (e *Error) Because(cause error) *Error {
	e.Cause = cause
	return e
}

// Analysis is New for an error found before the query runs.
func Analysis(name string, pairs ...string) *Error { return New(ClassAnalysis, name, pairs...) }

// Known says whether the table has a condition of this name.
func Known(name string) bool { _, ok := conditions()[name]; return ok }

// Unsupported says by name what this engine cannot do yet.
func Unsupported(format string, args ...any) *Error {
	what := fmt.Sprintf(format, args...)
	return &Error{Condition: "UNSUPPORTED_FEATURE", SQLState: "0A000", Class: ClassUnsupported,
		Params:  map[string]string{"feature": what},
		Message: "[UNSUPPORTED_FEATURE] Millpond does not support " + what + " yet. SQLSTATE: 0A000"}
}

// IllegalArgument is Java's IllegalArgumentException with a plain message, as Spark ML's
// require(...) raises it.
func IllegalArgument(format string, args ...any) *Error {
	return &Error{Class: ClassJavaArgument, Message: fmt.Sprintf(format, args...)}
}

// Require is the message of a failed require(...): "requirement failed: ...".
func Require(format string, args ...any) *Error {
	return IllegalArgument("requirement failed: "+format, args...)
}

// Plain is an error of the given JVM class in words of its own. Words of the form
// "[CONDITION] ... SQLSTATE: 12345" name its condition.
func Plain(class, format string, args ...any) *Error {
	e := &Error{Class: class, Message: fmt.Sprintf(format, args...)}
	if name, rest, ok := strings.Cut(strings.TrimPrefix(e.Message, "["), "] "); ok && strings.HasPrefix(e.Message, "[") {
		if _, state, ok := strings.Cut(rest, "SQLSTATE: "); ok && len(state) >= 5 {
			e.Condition, e.SQLState = name, state[:5]
		}
	}
	return e
}

// Legacy is an error of the conditions that Spark has only numbers for: its text shows none.
func Legacy(name, message string, pairs ...string) *Error {
	params := make(map[string]string, len(pairs)/2)
	for i := 0; i+1 < len(pairs); i += 2 {
		params[pairs[i]] = pairs[i+1]
		message = strings.ReplaceAll(message, "<"+pairs[i]+">", pairs[i+1])
	}
	return &Error{Condition: "_LEGACY_ERROR_TEMP_" + name, Params: params, Message: message, Class: ClassAnalysis}
}

// As finds the Spark error in a chain, or nil.
func As(err error) *Error {
	var e *Error
	if errors.As(err, &e) {
		return e
	}
	return nil
}
