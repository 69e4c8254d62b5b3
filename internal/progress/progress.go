// Package progress counts the work that a query does: stages of tasks, reported by whoever does
// them through the context, read by whoever tells the user. It decides nothing and slows nothing.
package progress

import (
	"context"
	"slices"
	"sync"
	"sync/atomic"
)

// Stage is a piece of work that is made of tasks. All methods may be called on nil, which is the
// stage of work that nobody watches.
type Stage struct {
	tracker *Tracker
	id      int64
	total   atomic.Int64
	done    atomic.Int64
	bytes   atomic.Int64
	ended   atomic.Bool

	mu   sync.Mutex
	poll func() (done, total int64)
}

// State is how far a stage is.
type State struct {
	ID, Total, Done, Bytes int64
	Ended                  bool
}

// Tracker gathers the stages of one query.
type Tracker struct {
	mu     sync.Mutex
	next   int64
	stages []*Stage
}

type key struct{}

// Watch gives a context whose work is counted by t.
func Watch(ctx context.Context, t *Tracker) context.Context { return context.WithValue(ctx, key{}, t) }

// keepStages is how many stages a tracker remembers: a loop of small queries makes many.
const keepStages = 50

// Start begins a stage of total tasks; more may be found later.
func Start(ctx context.Context, total int64) *Stage {
	t, _ := ctx.Value(key{}).(*Tracker)
	if t == nil {
		return nil
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	s := &Stage{tracker: t, id: t.next}
	s.total.Store(total)
	t.next++
	t.stages = append(t.stages, s)
	for len(t.stages) > keepStages {
		i := slices.IndexFunc(t.stages, func(s *Stage) bool { return s.ended.Load() })
		if i < 0 {
			break
		}
		t.stages = slices.Delete(t.stages, i, i+1)
	}
	return s
}

// Expect adds tasks to do.
func (s *Stage) Expect(n int64) {
	if s != nil {
		s.total.Add(n)
	}
}

// Add counts tasks as done.
func (s *Stage) Add(n int64) {
	if s != nil {
		s.done.Add(n)
	}
}

// Read counts bytes that were read.
func (s *Stage) Read(n int64) {
	if s != nil {
		s.bytes.Add(n)
	}
}

// Poll has f asked how many tasks there are and are done, until the stage ends.
func (s *Stage) Poll(f func() (done, total int64)) {
	if s != nil {
		s.mu.Lock()
		s.poll = f
		s.mu.Unlock()
	}
}

// End says that all of the stage is done. When it returns, the function given to Poll is not
// running and will not be called again.
func (s *Stage) End() {
	if s == nil {
		return
	}
	s.mu.Lock()
	s.poll = nil
	s.mu.Unlock()
	s.ended.Store(true)
}

func (s *Stage) state() State {
	s.mu.Lock()
	if s.poll != nil {
		if done, total := s.poll(); total > 0 {
			s.total.Store(total)
			s.done.Store(max(done, s.done.Load()))
		}
	}
	s.mu.Unlock()
	out := State{ID: s.id, Total: max(s.total.Load(), 1), Bytes: s.bytes.Load(), Ended: s.ended.Load()}
	out.Done = min(s.done.Load(), out.Total)
	if out.Ended {
		out.Total = max(out.Done, out.Total)
		out.Done = out.Total
	}
	return out
}

// States lists the stages, oldest first.
func (t *Tracker) States() []State {
	t.mu.Lock()
	list := slices.Clone(t.stages)
	t.mu.Unlock()
	out := make([]State, len(list))
	for i, s := range list {
		out[i] = s.state()
	}
	return out
}

// Rounds gives a function for an algorithm of at most n rounds to call before each of them: it
// counts the round that is over, and answers why to stop, if that is due. Call end when the
// algorithm is done.
func Rounds(ctx context.Context, n int) (next func() error, end func()) {
	s := Start(ctx, int64(n))
	begun := false
	next = func() error {
		if begun {
			s.Add(1)
		}
		begun = true
		return ctx.Err()
	}
	return next, s.End
}
