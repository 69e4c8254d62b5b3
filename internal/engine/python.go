package engine

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"github.com/apache/arrow-go/v18/arrow"

	"github.com/millpond/millpond/internal/execute"
	"github.com/millpond/millpond/internal/plan"
	"github.com/millpond/millpond/internal/pyworker"
)

// PythonWorkers runs users' Python functions in a pool of Python processes. It is the Python of
// Options.
type PythonWorkers struct {
	pool        *pyworker.Pool
	credentials Credentials
}

// Credentials gives what a user's functions may sign in with, as environment variables. Workers
// of users with different ones are not shared.
type Credentials func(ctx context.Context, user string) ([]string, error)

// NewPython makes a pool of Python workers. No process starts before the first function runs.
// credentials is nil where nobody needs to sign in.
func NewPython(o pyworker.Options, credentials Credentials) *PythonWorkers {
	return &PythonWorkers{pyworker.New(o), credentials}
}

// Warm starts a worker ahead of the first function.
func (p *PythonWorkers) Warm(ctx context.Context) error { return p.pool.Warm(ctx) }

// Close ends the workers; it comes after the engine's Close.
func (p *PythonWorkers) Close() error { return p.pool.Close() }

// Open starts a node over its inputs.
func (p *PythonWorkers) Open(ctx context.Context, s *Session, n plan.Node, in []execute.Stream) (execute.Stream, error) {
	st := &pythonStream{in: in}
	set, err := pythonSettings(s)
	if err == nil && p.credentials != nil {
		if set.Env, err = p.credentials(ctx, s.User); err == nil {
			set.Name += "\n" + strings.Join(set.Env, "\n")
		}
	}
	if err == nil {
		st.told, set.Tally = s.watchFunctions(n)
		err = p.open(ctx, set, n, st)
	}
	if err != nil {
		closeStreams(in)
		return nil, err
	}
	return st, nil
}

func (p *PythonWorkers) open(ctx context.Context, set pyworker.Settings, n plan.Node, st *pythonStream) error {
	var err error
	switch n := n.(type) {
	case *plan.PythonEval:
		have := st.in[0].Columns()
		st.attrs = append([]plan.Attr{}, have...)
		for _, c := range n.Calls {
			st.attrs = append(st.attrs, c.Out)
		}
		set.Whole = n.Whole
		st.rows, err = p.pool.Scalar(ctx, set, st.in[0], have, n.Calls)
	case *plan.PythonWindow:
		in := pyworker.Groups{In: st.in[0], Have: st.in[0].Columns(), Keys: n.Partition}
		st.attrs = append([]plan.Attr{}, in.Have...)
		for _, c := range n.Calls {
			st.attrs = append(st.attrs, c.Out)
		}
		st.rows, err = p.pool.Windows(ctx, set, in, n.Calls)
	case *plan.PythonMap:
		have := n.Reads
		if n.Parts != nil && n.Parts.Count > 1 {
			have = append(have[:len(have):len(have)], n.Parts.By)
		}
		st.attrs = n.Output()
		set.Whole = n.Whole
		st.rows, err = p.pool.Map(ctx, set, pyworker.Mapping{In: &picked{st.in[0], have}, Have: have, Parts: n.Parts, UDF: n.UDF, Attrs: n.Attrs, Out: n.Out != nil})
	case *plan.PythonGroups:
		st.attrs = n.Attrs
		left := pyworker.Groups{In: st.in[0], Have: st.in[0].Columns(), Keys: n.Keys, Values: n.Values}
		switch {
		case n.Calls != nil:
			st.rows, err = p.pool.Aggregate(ctx, set, left, n.Calls)
		case n.Other != nil:
			right := pyworker.Groups{In: st.in[1], Have: st.in[1].Columns(), Keys: n.OtherKeys, Values: n.OtherValues}
			st.rows, err = p.pool.Cogrouped(ctx, set, left, right, n.UDF, n.Attrs)
		default:
			st.rows, err = p.pool.Grouped(ctx, set, left, n.UDF, n.Attrs)
		}
	default:
		err = fmt.Errorf("%T is no Python function", n)
	}
	return err
}

// pythonStream is the rows that functions give.
type pythonStream struct {
	attrs []plan.Attr
	rows  *pyworker.Results
	in    []execute.Stream
	told  func() // once the functions have run
}

func (p *pythonStream) Columns() []plan.Attr { return p.attrs }

func (p *pythonStream) Next(ctx context.Context) (arrow.RecordBatch, error) {
	r, err := p.rows.Next(ctx)
	if err != nil {
		return nil, err
	}
	return execute.Batch(p.attrs, r.Cols, r.Len)
}

func (p *pythonStream) Close() {
	p.rows.Close()
	closeStreams(p.in)
	p.told()
}

// picked gives a stream's columns as a function is to see them: those of its input, in order.
type picked struct {
	in    execute.Stream
	attrs []plan.Attr
}

func (p *picked) Next(ctx context.Context) (arrow.RecordBatch, error) {
	b, err := p.in.Next(ctx)
	if err != nil {
		return nil, err
	}
	have := p.in.Columns()
	cols := make([]arrow.Array, len(p.attrs))
	for i, at := range p.attrs {
		k := execute.PlaceOf(have, at.ID)
		if k < 0 {
			return nil, fmt.Errorf("a Python function lacks its input %s", at.Name)
		}
		cols[i] = b.Column(k)
	}
	return execute.Batch(p.attrs, cols, b.NumRows())
}

// pythonSettings are what workers are to know of a session. A session with files of its own gets
// workers of its own, and others once the files change: Python loads a module only once.
func pythonSettings(s *Session) (pyworker.Settings, error) {
	set := pyworker.Settings{Conf: s.Conf.Get}
	var names []string
	for _, kind := range []string{"pyfiles", "files"} {
		dir := filepath.Join(s.dir, kind)
		found, err := artifactsIn(dir)
		if err != nil {
			return set, err
		}
		if len(found) == 0 {
			continue
		}
		names = append(names, found...)
		if kind == "files" {
			set.FilesDir = dir
			continue
		}
		set.Includes = append(set.Includes, dir)
		for _, f := range found {
			switch strings.ToLower(filepath.Ext(f)) {
			case ".zip", ".egg", ".whl", ".jar":
				set.Includes = append(set.Includes, f)
			}
		}
	}
	if len(names) > 0 {
		set.Name = s.dir + "\n" + stamp(names)
	}
	return set, nil
}

func artifactsIn(dir string) ([]string, error) {
	var out []string
	err := filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
		if err == nil && !d.IsDir() && filepath.Ext(path) != ".part" {
			out = append(out, path)
		}
		return err
	})
	if err != nil && !errors.Is(err, os.ErrNotExist) {
		return nil, fmt.Errorf("list the session's files: %w", err)
	}
	return out, nil
}
