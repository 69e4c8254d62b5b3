package tracking

import (
	"encoding/json"
	"fmt"
	"net/http"
	"sync"
	"sync/atomic"
	"time"

	"github.com/millpond/millpond/internal/rest"
)

const (
	changesPause  = 500 * time.Millisecond // between two messages: many writes become one
	changesBeat   = 20 * time.Second       // a sign of life, so that a dead connection is noticed
	mostChanges   = 1000                   // runs named in a message; beyond it says "many"
	mostListeners = 200
)

// changes tells listeners which runs of an experiment changed. Nothing is kept for later, and
// where nobody listens a write pays for one atomic read.
type changes struct {
	count  atomic.Int32
	mu     sync.Mutex
	by     map[int64]map[*listener]struct{}
	closed chan struct{}
	once   sync.Once
}

// listener is a browser that looks at an experiment.
type listener struct {
	mu   sync.Mutex
	runs map[string]struct{}
	wake chan struct{} // holds one token while runs are pending
}

func newChanges() *changes {
	return &changes{by: map[int64]map[*listener]struct{}{}, closed: make(chan struct{})}
}

// touch says that a run changed. It is called after the change is on disk.
func (c *changes) touch(experiment int64, runID string) {
	if c.count.Load() == 0 {
		return
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	for l := range c.by[experiment] {
		l.mu.Lock()
		l.runs[runID] = struct{}{}
		l.mu.Unlock()
		select {
		case l.wake <- struct{}{}:
		default:
		}
	}
}

// listen returns nil if there are too many listeners already.
func (c *changes) listen(experiment int64) *listener {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.count.Load() >= mostListeners {
		return nil
	}
	l := &listener{runs: map[string]struct{}{}, wake: make(chan struct{}, 1)}
	if c.by[experiment] == nil {
		c.by[experiment] = map[*listener]struct{}{}
	}
	c.by[experiment][l] = struct{}{}
	c.count.Add(1)
	return l
}

func (c *changes) leave(experiment int64, l *listener) {
	c.mu.Lock()
	defer c.mu.Unlock()
	delete(c.by[experiment], l)
	if len(c.by[experiment]) == 0 {
		delete(c.by, experiment)
	}
	c.count.Add(-1)
}

// take empties the listener and returns what it held as a message.
func (l *listener) take() ([]byte, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	msg := struct {
		Runs []string `json:"runs"`
		Many bool     `json:"many,omitempty"`
	}{Runs: []string{}, Many: len(l.runs) > mostChanges}
	if !msg.Many {
		for id := range l.runs {
			msg.Runs = append(msg.Runs, id)
		}
	}
	clear(l.runs)
	return json.Marshal(msg)
}

// StopListening ends every listener's stream, so that the server can stop.
func (s *Service) StopListening() { s.changes.once.Do(func() { close(s.changes.closed) }) }

// experimentChanges streams server-sent events: the ids of the experiment's runs that changed.
func (s *Service) experimentChanges(w http.ResponseWriter, r *http.Request) error {
	experiment, err := parseExperimentID(r.PathValue("experiment_id"))
	if err != nil {
		return err
	}
	l := s.changes.listen(experiment)
	if l == nil {
		return rest.Errorf(rest.RequestLimitExceeded, "More than %d pages are listening to changes already.", mostListeners)
	}
	defer s.changes.leave(experiment, l)
	w.Header().Set("Content-Type", "text/event-stream")
	w.Header().Set("Cache-Control", "no-store")
	flush := http.NewResponseController(w).Flush
	if _, err := fmt.Fprint(w, "retry: 3000\n\n"); err != nil || flush() != nil {
		return nil // the browser has gone
	}
	beat := time.NewTicker(changesBeat)
	defer beat.Stop()
	for {
		text := ": alive\n\n"
		select {
		case <-r.Context().Done():
			return nil
		case <-s.changes.closed:
			return nil
		case <-beat.C:
		case <-l.wake:
			msg, err := l.take()
			if err != nil {
				return err
			}
			text = "data: " + string(msg) + "\n\n"
		}
		if _, err := fmt.Fprint(w, text); err != nil || flush() != nil {
			return nil // the browser has gone
		}
		select { // while it waits, further changes gather
		case <-r.Context().Done():
			return nil
		case <-s.changes.closed:
			return nil
		case <-time.After(changesPause):
		}
	}
}
