// Package engine is the facade of everything below it: a Session analyses, runs, explains and
// keeps relations, fits and applies models, and remembers settings and views. What comes in is
// plan nodes, what goes out is schemas and streams of Arrow batches. It knows no protocol.
package engine

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"sync"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/google/uuid"

	"github.com/millpond/millpond/internal/analyze"
	"github.com/millpond/millpond/internal/catalog"
	"github.com/millpond/millpond/internal/evidence"
	"github.com/millpond/millpond/internal/execute"
	"github.com/millpond/millpond/internal/function"
	"github.com/millpond/millpond/internal/plan"
	"github.com/millpond/millpond/internal/sparkerr"
	"github.com/millpond/millpond/internal/types"
)

// Options of an Engine.
type Options struct {
	DataDir     string            // spill files, artifacts of sessions, the warehouse
	Threads     int               // 0: one a core
	MemoryBytes int64             // 0: half of what the machine has, as DuckDB reckons
	TimeZone    string            // of new sessions, "" for the machine's own
	Python      Python            // runs users' Python functions, nil if there is no Python
	Evidence    evidence.Recorder // hears what sessions do, nil for nobody
}

// Engine owns the database; sessions come from it.
type Engine struct {
	db     *execute.Database
	funcs  *function.Table
	opts   Options
	files  fileCache[types.Struct]
	lines  fileCache[lineSizes]
	reads  fileCache[[]string] // how columns are read under other types
	sizes  fileCache[int]      // of LIBSVM's vectors
	plain  fileCache[[]string] // columns of CSV files that hold plain numbers, by their types
	copies *scanCopies
	tables *catalog.Store
}

// Open starts an engine.
func Open(o Options) (*Engine, error) {
	if o.Threads == 0 {
		o.Threads = runtime.NumCPU()
	}
	spill := filepath.Join(o.DataDir, "tmp", "spill")
	db, err := execute.Open(execute.Options{Threads: o.Threads, MemoryBytes: o.MemoryBytes, TempDir: spill})
	if err != nil {
		return nil, err
	}
	tables, err := catalog.Open(filepath.Join(o.DataDir, "warehouse"))
	if err != nil {
		db.Close()
		return nil, err
	}
	return &Engine{db: db, funcs: function.Default(), opts: o, copies: newScanCopies(db, o.MemoryBytes), tables: tables}, nil
}

// Close frees the engine once its sessions are closed.
func (e *Engine) Close() { e.db.Close() }

// Session is one client's state. It is safe for several goroutines at once.
type Session struct {
	ID     string // the client's name for it
	User   string // whose it is, "" where nobody asks
	Server string // ours, new with each session
	Conf   *Conf

	e        *Engine
	mu       sync.Mutex
	database string // current, "" for the default one
	views    map[string]*view
	kept     map[string]*Kept // persisted relations by fingerprint
	points   map[string]*Kept // checkpoints by id
	udfs     map[string]*plan.PythonUDF
	// What SQL text made: session variables and functions.
	variables map[string]*variable
	functions map[string]*plan.SQLFunction
	models    *models
	dir       string
	closing   context.CancelFunc
	ctx       context.Context
}

type view struct {
	relation plan.Relation
	global   bool
}

// NewSession makes a user's session.
func (e *Engine) NewSession(id, user string) *Session {
	ctx, cancel := context.WithCancel(context.Background())
	s := &Session{ID: id, User: user, Server: uuid.NewString(), Conf: &Conf{}, e: e, views: map[string]*view{}, kept: map[string]*Kept{},
		points: map[string]*Kept{}, udfs: map[string]*plan.PythonUDF{}, variables: map[string]*variable{}, functions: map[string]*plan.SQLFunction{}, models: newModels(), ctx: ctx, closing: cancel}
	s.dir = filepath.Join(e.opts.DataDir, "tmp", "sessions", s.Server)
	if e.opts.TimeZone != "" {
		s.Conf.set = map[string]string{"spark.sql.session.timeZone": e.opts.TimeZone}
	}
	return s
}

// Clone makes a session with the same settings, views and functions.
func (s *Session) Clone(id string) *Session {
	c := s.e.NewSession(id, s.User)
	s.mu.Lock()
	defer s.mu.Unlock()
	c.Conf, c.database = s.Conf.copy(), s.database
	for k, v := range s.views {
		c.views[k] = v
	}
	for k, v := range s.udfs {
		c.udfs[k] = v
	}
	for k, v := range s.variables {
		held := *v
		c.variables[k] = &held
	}
	for k, v := range s.functions {
		c.functions[k] = v
	}
	return c
}

// Close ends what the session runs and frees what it keeps.
func (s *Session) Close() error {
	s.closing()
	s.mu.Lock()
	s.kept, s.points = map[string]*Kept{}, map[string]*Kept{}
	s.mu.Unlock()
	s.models.clear()
	if err := os.RemoveAll(s.dir); err != nil {
		return fmt.Errorf("remove the session's files: %w", err)
	}
	return nil
}

// Context ends when the session does.
func (s *Session) Context() context.Context { return s.ctx }

// Dir is where the session's artifacts lie.
func (s *Session) Dir() string { return s.dir }

// Warehouse is where tables without a path of their own lie.
func (s *Session) Warehouse() string { return filepath.Join(s.e.opts.DataDir, "warehouse") }

// TimeZone is the session's zone.
func (s *Session) TimeZone() string { v, _ := s.Conf.Get("spark.sql.session.timeZone"); return v }

// Analyze resolves a relation.
func (s *Session) Analyze(ctx context.Context, r plan.Relation) (plan.Node, error) {
	env := &environment{s: s}
	return analyze.New(env, s.e.funcs).Relation(ctx, r)
}

// partitioned resolves a relation that is to be written.
func (s *Session) partitioned(ctx context.Context, r plan.Relation) (plan.Node, *execute.Parts, error) {
	n, rows, p, err := analyze.New(&environment{s: s}, s.e.funcs).Partitioned(ctx, r)
	if err != nil || p == nil || p.Free || p.Count == 1 {
		return n, nil, err
	}
	return n, &execute.Parts{Rows: rows, Partitions: *p}, nil
}

// Schema gives a relation's columns.
func (s *Session) Schema(ctx context.Context, r plan.Relation) (types.Struct, error) {
	if _, ok := r.(*plan.Show); ok {
		return showSchema, nil
	}
	n, err := s.Analyze(ctx, r)
	if err != nil {
		return types.Struct{}, err
	}
	return plan.SchemaOf(n.Output()), nil
}

// Result is a running query.
type Result struct {
	Schema types.Struct
	execute.Stream
}

// Run starts a relation.
func (s *Session) Run(ctx context.Context, r plan.Relation) (*Result, error) {
	if show, ok := r.(*plan.Show); ok {
		res, err := s.show(ctx, show)
		if err != nil {
			return nil, err
		}
		return s.witnessed(r, res), nil
	}
	n, err := s.Analyze(ctx, r)
	if err != nil {
		return nil, err
	}
	st, err := s.runner().Run(ctx, n)
	if err != nil {
		return nil, err
	}
	return s.witnessed(r, &Result{plan.SchemaOf(n.Output()), st}), nil
}

// ansi says whether the session is in ANSI mode.
func (s *Session) ansi() bool { return s.on("spark.sql.ansi.enabled") }

// on says whether a setting is not switched off.
func (s *Session) on(key string) bool {
	v, _ := s.Conf.Get(key)
	return !strings.EqualFold(strings.TrimSpace(v), "false")
}

func (s *Session) runner() *execute.Runner {
	return &execute.Runner{DB: s.e.db, Ops: &operators{s: s}, Scans: s.scans(), Lenient: !s.ansi(), Settings: s.engineSettings()}
}

// engineSettings are the database's own settings that change what a statement answers.
func (s *Session) engineSettings() map[string]string {
	out := map[string]string{"TimeZone": databaseZone(s.TimeZone())}
	if v, _ := s.Conf.Get("spark.sql.mapKeyDedupPolicy"); strings.EqualFold(v, "LAST_WIN") {
		out["VARIABLE "+function.MapKeys] = "LAST_WIN"
	}
	return out
}

func (s *Session) scans() *scans { return &scans{s.e.copies, s.engineSettings()} }

// collect runs a node to its end.
func (s *Session) collect(ctx context.Context, n plan.Node) ([]arrow.RecordBatch, error) {
	st, err := s.runner().Run(ctx, n)
	if err != nil {
		return nil, err
	}
	return execute.Drain(ctx, st)
}

// CreateView names a relation; replace allows a view of that name to be there.
func (s *Session) CreateView(name string, r plan.Relation, global, replace bool) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	key := viewKey(name, global)
	if _, there := s.views[key]; there && !replace {
		return sparkerr.Analysis("TEMP_TABLE_OR_VIEW_ALREADY_EXISTS", "relationName", types.Quote(name))
	}
	s.views[key] = &view{relation: r, global: global}
	return nil
}

// DropView forgets a view and says whether it was there.
func (s *Session) DropView(name string, global bool) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	key := viewKey(name, global)
	_, there := s.views[key]
	delete(s.views, key)
	return there
}

func viewKey(name string, global bool) string {
	if global {
		return "global_temp." + strings.ToLower(name)
	}
	return strings.ToLower(name)
}

// RegisterFunction makes a Python function callable by name.
func (s *Session) RegisterFunction(name string, f *plan.PythonUDF) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.udfs[strings.ToLower(name)] = f
}
