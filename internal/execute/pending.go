package execute

import (
	"time"

	duck "github.com/duckdb/duckdb-go-bindings"

	"github.com/millpond/millpond/internal/compile"
)

// Bounds of the pauses in which a statement's thread looks for work.
const (
	shortPause = 20 * time.Microsecond
	longPause  = time.Millisecond
)

// finish runs a statement until its result is ready. Waiting for other threads' tasks, DuckDB's
// own loop keeps a processor busy, which those who feed the statement can use better.
func finish(pending duck.PendingResult, res *duck.Result, q *compile.Query) error {
	pause := shortPause
	for {
		switch duck.PendingExecuteTask(pending) {
		case duck.PendingStateError:
			return engineError(duck.PendingError(pending), q)
		case duck.PendingStateResultReady:
			if duck.ExecutePending(pending, res) == duck.StateError {
				return engineError(duck.ResultError(res), q)
			}
			return nil
		case duck.PendingStateNoTasksAvailable:
			time.Sleep(pause)
			pause = min(2*pause, longPause)
		default:
			pause = shortPause
		}
	}
}
