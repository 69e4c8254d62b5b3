// Package pyworker runs users' Python functions in pools of real Python workers: unmodified
// pyspark.daemon and pyspark.worker processes. What comes in is pickled functions as clients
// send them and Arrow batches, what goes out is Arrow batches; a traceback, a crash or a
// cancelled query becomes an error of that query alone. It never looks into a function, and no
// Python runs in the server's own process.
package pyworker

import (
	"context"
	"errors"
	"io"
	"log/slog"
	"runtime"
	"sync"
	"time"
)

// Options of a Pool.
type Options struct {
	Python   string           // executable of the workers, "" for a runtime's or the PATH's
	Runtimes func() []Runtime // the managed runtimes, the preferred first; nil for none
	Env      []string         // more environment, "KEY=value"
	Workers  int              // how many may work at once, 0 for one a core
	Output   io.Writer        // what functions print, nil to drop it
	Log      *slog.Logger     // nil for the default
}

// keepIdle is how long the daemon of a session with files of its own outlives its last task.
const keepIdle = 2 * time.Minute

// Pool owns the worker processes. It is safe for several goroutines at once.
type Pool struct {
	opts  Options
	log   *slog.Logger
	slots chan struct{} // one a worker that may work
	stop  context.CancelFunc
	ctx   context.Context
	tasks sync.WaitGroup

	mu      sync.Mutex
	daemons map[daemonKey]*daemon
	closed  bool
	count   int // of tasks, to number them
}

// daemonKey tells daemons apart.
type daemonKey struct {
	env    string // the environment's name
	python string // the executable
}

var errClosed = errors.New("the pool of Python workers is closed")

// New makes a pool. No process starts before the first task.
func New(o Options) *Pool {
	if o.Workers <= 0 {
		o.Workers = runtime.NumCPU()
	}
	p := &Pool{opts: o, log: o.Log, slots: make(chan struct{}, o.Workers), daemons: map[daemonKey]*daemon{}}
	if p.log == nil {
		p.log = slog.Default()
	}
	p.ctx, p.stop = context.WithCancel(context.Background())
	p.tasks.Add(1)
	go p.reap()
	return p
}

// Workers is how many workers may work at once.
func (p *Pool) Workers() int { return p.opts.Workers }

// Warm starts a worker, so that the first query need not wait for Python's imports.
func (p *Pool) Warm(ctx context.Context) error {
	w, err := p.acquire(ctx, Environment{}, "")
	if err != nil {
		return err
	}
	p.release(w, true)
	return nil
}

// Close ends all workers. Tasks that run fail.
func (p *Pool) Close() error {
	p.stop()
	p.mu.Lock()
	p.closed = true
	list := p.daemons
	p.daemons = map[daemonKey]*daemon{}
	p.mu.Unlock()
	for _, d := range list {
		d.close()
	}
	p.tasks.Wait()
	return nil
}

// reap closes the daemons of sessions that have gone.
func (p *Pool) reap() {
	defer p.tasks.Done()
	tick := time.NewTicker(keepIdle / 4)
	defer tick.Stop()
	for {
		select {
		case <-p.ctx.Done():
			return
		case <-tick.C:
		}
		var old []*daemon
		p.mu.Lock()
		for k, d := range p.daemons {
			if d.unused(k.env != "") {
				old = append(old, d)
				delete(p.daemons, k)
			}
		}
		p.mu.Unlock()
		for _, d := range old {
			d.close()
		}
	}
}

// slot waits until one more worker may work.
func (p *Pool) slot(ctx context.Context) error {
	select {
	case p.slots <- struct{}{}:
		return nil
	case <-ctx.Done():
		return context.Cause(ctx)
	case <-p.ctx.Done():
		return errClosed
	}
}

func (p *Pool) unslot() { <-p.slots }

// daemon gives the running daemon of an environment and a version of Python, starting it if need
// be. A daemon that died is replaced.
func (p *Pool) daemon(env Environment, version string) (*daemon, error) {
	path, err := p.choose(version)
	if err != nil {
		return nil, err
	}
	key := daemonKey{env.Name, path}
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.closed {
		return nil, errClosed
	}
	if d, ok := p.daemons[key]; ok {
		if !d.gone() {
			return d, nil
		}
		p.log.Warn("the Python daemon ended; starting another", "said", d.said.String())
		delete(p.daemons, key)
		go d.close()
	}
	d := &daemon{path: path, output: p.opts.Output, log: p.log, env: append(append([]string{}, p.opts.Env...), env.Env...), keep: p.opts.Workers}
	p.daemons[key] = d
	return d, nil
}

// acquire gives a worker that is ready for a task. The caller holds a slot if work is to be
// bounded.
func (p *Pool) acquire(ctx context.Context, env Environment, version string) (*worker, error) {
	d, err := p.daemon(env, version)
	if err != nil {
		return nil, err
	}
	if err := d.start(); err != nil {
		return nil, err
	}
	if w := d.take(); w != nil {
		return w, nil
	}
	first := d.first()
	w, err := d.fork(ctx)
	if err != nil {
		return nil, fault(context.Cause(ctx), err, nil)
	}
	if first && p.opts.Workers > 1 {
		p.spare(d)
	}
	return w, nil
}

// spare forks a worker ahead of need.
func (p *Pool) spare(d *daemon) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.closed {
		return
	}
	p.tasks.Add(1)
	go func() {
		defer p.tasks.Done()
		if w, err := d.fork(p.ctx); err == nil {
			d.give(w)
		} else if p.ctx.Err() == nil && !d.gone() {
			p.log.Debug("no spare Python worker", "err", err)
		}
	}()
}

// release takes a worker back after a task; one that may not be used again is replaced.
func (p *Pool) release(w *worker, reusable bool) {
	if reusable {
		w.d.give(w)
		return
	}
	w.kill()
	if w.d.leave() {
		p.spare(w.d)
	}
}

func (p *Pool) number() int {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.count++
	return p.count
}
