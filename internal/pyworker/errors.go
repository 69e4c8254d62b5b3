package pyworker

import (
	"errors"
	"strings"

	"github.com/millpond/millpond/internal/sparkerr"
)

// raised is the error of an exception in a user's function, in Spark's words.
func raised(traceback string) error {
	const what = "An exception was thrown from the Python worker"
	return &sparkerr.Error{Condition: "PYTHON_EXCEPTION", SQLState: "38000", Class: sparkerr.ClassPython,
		Params:  map[string]string{"msg": what, "traceback": traceback},
		Message: "[PYTHON_EXCEPTION] " + what + ": " + traceback + " SQLSTATE: 38000"}
}

// crashed is the error of a worker that ended in the midst of a task; said is what it printed.
func crashed(said string, cause error) error {
	text := "Python worker exited unexpectedly (crashed)"
	if said = strings.TrimSpace(said); said != "" {
		text += ": " + said
	}
	e := sparkerr.Plain(sparkerr.ClassSpark, "%s", text)
	e.Cause = cause
	return e
}

// mistyped is the error of a function that gave other columns than it declared.
func mistyped(operation string, want, got string) error {
	return &sparkerr.Error{Condition: "ARROW_TYPE_MISMATCH", SQLState: "42K0G", Class: sparkerr.ClassSpark,
		Params:  map[string]string{"operation": operation, "outputTypes": want, "actualDataTypes": got},
		Message: "[ARROW_TYPE_MISMATCH] Invalid schema from " + operation + ": expected " + want + ", got " + got + ". SQLSTATE: 42K0G"}
}

// fault turns what went wrong with a worker into the error that a query gives.
// cause is why the task was given up, if it was.
func fault(cause, err error, w *worker) error {
	if sparkerr.As(err) != nil {
		return err
	}
	if cause != nil {
		return cause
	}
	said := w.lastWords()
	if !errors.Is(err, errCut) && said == "" {
		said = err.Error()
	}
	return crashed(said, err)
}
