package evidence

import (
	"slices"
	"sync"
)

// Bounds of a Log: a lab makes some hundreds of events, and is judged soon after.
const (
	maxSessions = 64
	maxEvents   = 5000
)

// Log is a Recorder that keeps the events of the sessions it was told to watch, in memory and
// within bounds: the session watched longest ago goes first, and a session's first events stay.
type Log struct {
	mu     sync.RWMutex
	events map[string][]Event
	order  []string
}

// NewLog makes a Log that watches nothing.
func NewLog() *Log { return &Log{events: map[string][]Event{}} }

// Watch begins to keep a session's events.
func (l *Log) Watch(session string) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if _, there := l.events[session]; there {
		return
	}
	l.events[session], l.order = nil, append(l.order, session)
	if len(l.order) > maxSessions {
		delete(l.events, l.order[0])
		l.order = l.order[1:]
	}
}

// Forget drops a session and its events.
func (l *Log) Forget(session string) {
	l.mu.Lock()
	defer l.mu.Unlock()
	delete(l.events, session)
	l.order = slices.DeleteFunc(l.order, func(s string) bool { return s == session })
}

// Listens implements Recorder.
func (l *Log) Listens(session string) bool {
	l.mu.RLock()
	defer l.mu.RUnlock()
	_, there := l.events[session]
	return there
}

// Record implements Recorder.
func (l *Log) Record(session string, e Event) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if list, there := l.events[session]; there && len(list) < maxEvents {
		l.events[session] = append(list, e)
	}
}

// Events gives what a watched session has done so far, in order; watched is false for others.
func (l *Log) Events(session string) (events []Event, watched bool) {
	l.mu.RLock()
	defer l.mu.RUnlock()
	list, there := l.events[session]
	return slices.Clone(list), there
}
