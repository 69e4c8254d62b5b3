package app

import (
	"github.com/millpond/millpond/internal/engine"
	"github.com/millpond/millpond/internal/pyworker"
)

// openPython makes the pool of workers for users' functions. It starts no process: a Python that
// is missing is an error of the first query that needs it.
func (a *App) openPython() (engine.Python, error) {
	p := engine.NewPython(pyworker.Options{Python: a.cfg.Python, Workers: a.cfg.Threads, Log: a.log})
	a.python = p
	return p, nil
}
