package app

import (
	"github.com/millpond/millpond/internal/engine"
	"github.com/millpond/millpond/internal/pyworker"
)

// openPython makes the pool of Python workers; it starts none before a function needs one.
func (a *App) openPython() engine.Python {
	p := engine.NewPython(pyworker.Options{Python: a.cfg.Python, Workers: a.cfg.Threads, Log: a.log})
	a.python = p
	return p
}

// warmPython starts a Python worker ahead of the first function: importing pandas takes longer
// than most functions run. It is called when a client opens a session.
func (a *App) warmPython() {
	a.warm.Do(func() {
		go func() {
			if err := a.python.Warm(a.ctx); err != nil {
				a.log.Debug("no Python worker is ready", "error", err)
			}
		}()
	})
}
