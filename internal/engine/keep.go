package engine

import (
	"cmp"
	"context"
	"errors"
	"maps"
	"slices"
	"strings"
	"sync"

	"github.com/google/uuid"

	"github.com/millpond/millpond/internal/execute"
	"github.com/millpond/millpond/internal/plan"
)

// Kept is a relation whose rows are kept in memory once they have been read: what persist,
// checkpoint and shared training data stand on.
type Kept struct {
	node  plan.Node
	from  plan.Relation // what node was resolved from
	level string

	mu   sync.Mutex
	done bool
	held *execute.Held

	memoMu sync.Mutex
	memos  map[string]*memo
}

type memo struct {
	once  sync.Once
	value any
	err   error
}

// rows reads the relation, the first time only; a failed reading is tried again by the next.
func (k *Kept) rows(ctx context.Context, s *Session) (*execute.Held, error) {
	k.mu.Lock()
	defer k.mu.Unlock()
	if k.done {
		return k.held, nil
	}
	st, err := s.runner().Run(ctx, k.node)
	if err != nil {
		return nil, err
	}
	if k.held, err = execute.Hold(ctx, st); err != nil {
		return nil, err
	}
	k.done = true
	return k.held, nil
}

// errUnbuilt is the error of a value whose building panicked.
var errUnbuilt = errors.New("a value to remember was not built")

// remember gives build's value for key, built once.
func (k *Kept) remember(key string, build func() (any, error)) (any, error) {
	for {
		m, mine := k.memo(key), false
		m.once.Do(func() {
			mine, m.err = true, errUnbuilt
			m.value, m.err = build()
		})
		if m.err == nil {
			return m.value, nil
		}
		k.forget(key, m)
		if mine {
			return nil, m.err
		}
		// Another's building failed, perhaps because its query was cancelled.
	}
}

func (k *Kept) memo(key string) *memo {
	k.memoMu.Lock()
	defer k.memoMu.Unlock()
	if k.memos == nil {
		k.memos = map[string]*memo{}
	}
	m, ok := k.memos[key]
	if !ok {
		m = &memo{}
		k.memos[key] = m
	}
	return m
}

func (k *Kept) forget(key string, m *memo) {
	k.memoMu.Lock()
	defer k.memoMu.Unlock()
	if k.memos[key] == m {
		delete(k.memos, key)
	}
}

// fingerprinter names relations by what they mean now: views are looked into.
func (s *Session) fingerprinter() *plan.Fingerprinter {
	return &plan.Fingerprinter{Expand: func(r plan.Relation) plan.Relation {
		t, ok := r.(*plan.Table)
		if !ok {
			return r
		}
		s.mu.Lock()
		defer s.mu.Unlock()
		name := s.shortName(t.Name)
		if len(name) == 1 {
			if v, ok := s.views[viewKey(name[0], false)]; ok {
				return v.relation
			}
		}
		if len(name) == len(t.Name) {
			return r
		}
		short := *t
		short.Name = name
		return &short
	}}
}

// shortName leaves out the catalogue and the current database, which a name has if it names none.
func (s *Session) shortName(name []string) []string {
	if len(name) == 3 && name[0] == catalogName {
		name = name[1:]
	}
	if len(name) == 2 && strings.EqualFold(name[0], cmp.Or(s.database, "default")) {
		name = name[1:]
	}
	return name
}

// Refresh reads the persisted relations anew that stand on a table.
func (s *Session) Refresh(ctx context.Context, table *plan.Table) error {
	prints := s.fingerprinter()
	want := prints.Of(table)
	return s.refreshKept(ctx, func(k *Kept) bool {
		found := false
		plan.Visit(k.from, func(r plan.Relation) {
			t, ok := r.(*plan.Table)
			found = found || ok && prints.Of(t) == want
		})
		return found
	})
}

// RefreshPath reads the persisted relations anew that stand on files below a path.
func (s *Session) RefreshPath(ctx context.Context, path string) error {
	root, err := localPath(path)
	if err != nil {
		return err
	}
	return s.refreshKept(ctx, func(k *Kept) bool { return readsBelow(k.node, root) })
}

func readsBelow(n plan.Node, root string) bool {
	if scan, ok := n.(*plan.Scan); ok {
		return slices.ContainsFunc(scan.Files, func(f string) bool { return f == root || strings.HasPrefix(f, strings.TrimSuffix(root, "/")+"/") })
	}
	return slices.ContainsFunc(n.Inputs(), func(in plan.Node) bool { return readsBelow(in, root) })
}

func (s *Session) refreshKept(ctx context.Context, stale func(*Kept) bool) error {
	s.mu.Lock()
	all := maps.Clone(s.kept)
	s.mu.Unlock()
	for key, k := range all {
		if !stale(k) {
			continue
		}
		s.mu.Lock()
		delete(s.kept, key)
		s.mu.Unlock()
		if err := s.Persist(ctx, k.from, k.level); err != nil {
			return err
		}
	}
	return nil
}

// Persist keeps a relation's rows once they are read.
func (s *Session) Persist(ctx context.Context, r plan.Relation, level string) error {
	n, err := s.Analyze(ctx, r)
	if err != nil {
		return err
	}
	key := s.fingerprinter().Of(r)
	s.mu.Lock()
	defer s.mu.Unlock()
	if _, there := s.kept[key]; !there {
		s.kept[key] = &Kept{node: n, from: r, level: level}
	}
	return nil
}

// Unpersist lets a relation's rows go.
func (s *Session) Unpersist(r plan.Relation) {
	key := s.fingerprinter().Of(r)
	s.mu.Lock()
	defer s.mu.Unlock()
	delete(s.kept, key)
}

// StorageLevel gives the level a relation is persisted at, "" if it is not.
func (s *Session) StorageLevel(r plan.Relation) string {
	key := s.fingerprinter().Of(r)
	s.mu.Lock()
	defer s.mu.Unlock()
	if k, ok := s.kept[key]; ok {
		return k.level
	}
	return ""
}

// ClearCache lets every persisted relation go.
func (s *Session) ClearCache() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.kept = map[string]*Kept{}
}

// Checkpoint keeps a relation's rows under a new id, read now if eager.
func (s *Session) Checkpoint(ctx context.Context, r plan.Relation, eager bool) (string, error) {
	n, err := s.Analyze(ctx, r)
	if err != nil {
		return "", err
	}
	k := &Kept{node: n, from: r}
	if eager {
		if _, err := k.rows(ctx, s); err != nil {
			return "", err
		}
	}
	id := uuid.NewString()
	s.mu.Lock()
	defer s.mu.Unlock()
	s.points[id] = k
	return id, nil
}

// DropCheckpoint lets a checkpoint go.
func (s *Session) DropCheckpoint(id string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	delete(s.points, id)
}
