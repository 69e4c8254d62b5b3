package app

import "github.com/millpond/millpond/internal/engine"

// openPython finds a Python for users' functions.
func (a *App) openPython() (engine.Python, error) { return nil, nil }
