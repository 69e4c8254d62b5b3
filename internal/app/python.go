package app

import (
	"context"
	"net"
	"time"

	"github.com/millpond/millpond/internal/engine"
	"github.com/millpond/millpond/internal/pyworker"
	"github.com/millpond/millpond/internal/runtime"
)

// openPython makes the pool of Python workers; it starts none before a function needs one.
func (a *App) openPython() engine.Python {
	var credentials engine.Credentials
	if a.access != nil {
		credentials = func(ctx context.Context, user string) ([]string, error) {
			token, err := a.access.WorkerToken(ctx, user)
			return []string{"MLFLOW_TRACKING_TOKEN=" + token}, err
		}
	}
	p := engine.NewPython(pyworker.Options{Python: a.cfg.Python, Runtimes: a.runtimes, Workers: a.cfg.Threads, Log: a.log,
		Env: []string{"MLFLOW_TRACKING_URI=http://" + reachable(a.HTTPAddr())}}, credentials)
	a.python = p
	return p
}

// runtimes gives the managed runtimes to the pool. It is asked again each time, because a runtime
// may be made while the server runs.
func (a *App) runtimes() []pyworker.Runtime {
	s := runtime.Store{Dir: a.cfg.RuntimesDir}
	if s.Dir == "" {
		return nil
	}
	list, err := s.List()
	if err != nil {
		a.log.Debug("some managed runtimes cannot be used", "error", err) // doctor tells it plainly
	}
	out := make([]pyworker.Runtime, 0, len(list))
	for _, r := range list {
		out = append(out, pyworker.Runtime{Executable: r.Executable(), Version: r.Version()})
	}
	return out
}

// reachable turns an address to listen at into one to connect to: functions log to MLflow from
// workers on this machine.
func reachable(addr string) string {
	host, port, err := net.SplitHostPort(addr)
	if err != nil {
		return addr
	}
	if ip := net.ParseIP(host); ip != nil && ip.IsUnspecified() {
		host = "127.0.0.1"
	}
	return net.JoinHostPort(host, port)
}

// warmPython starts a Python worker ahead of the first function: importing pandas takes longer
// than most functions run. It is called when a client opens a session.
func (a *App) warmPython() {
	if a.access != nil {
		return // each user's functions have workers of their own
	}
	a.warm.Do(func() {
		go func() {
			if !a.calm(a.ctx) {
				return
			}
			if err := a.python.Warm(a.ctx); err != nil {
				a.log.Debug("no Python worker is ready", "error", err)
			}
		}()
	})
}

// calm waits until no query has run for a moment, and says whether there was one: what can wait is
// not to slow down what a user waits for.
func (a *App) calm(ctx context.Context) bool {
	for quiet := 0; quiet < 3; quiet++ {
		select {
		case <-ctx.Done():
			return false
		case <-time.After(20 * time.Millisecond):
		}
		if _, running := a.connect.Counts(); running > 0 {
			quiet = -1
		}
	}
	return true
}
