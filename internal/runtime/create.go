package runtime

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"time"
)

// CreateOptions say what to make.
type CreateOptions struct {
	Name     string    // "" for Default
	Python   string    // "python3.12", "3.12" or a path; "" for what is there
	Force    bool      // make it anew though it is current
	Progress io.Writer // gets a line a step
}

// Create makes a runtime, or makes one anew whose lock has changed. A runtime that is current is
// left alone, and the answer is false. If it fails or is interrupted, what was there before stays.
func (s Store) Create(ctx context.Context, o CreateOptions) (Runtime, bool, error) {
	if o.Name == "" {
		o.Name = Default
	}
	if err := checkName(o.Name); err != nil {
		return Runtime{}, false, err
	}
	dir := filepath.Join(s.Dir, o.Name)
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return Runtime{}, false, fmt.Errorf("make the directory of runtimes: %w", err)
	}
	unlock, err := lockDir(dir, o.Name)
	if err != nil {
		return Runtime{}, false, err
	}
	defer unlock()
	old, err := s.Get(o.Name)
	exists := err == nil
	if exists && old.Current && !o.Force && (o.Python == "" || fits(o.Python, old.Python)) {
		return old, false, nil
	}
	if err := sweep(dir, old.Path); err != nil {
		return Runtime{}, false, err
	}
	py, err := findPython(ctx, o.Python, old.Version())
	if err != nil {
		return Runtime{}, false, err
	}
	m := marker{Environment: "env-" + Lock()[:8] + "-" + strconv.FormatInt(time.Now().UnixMilli(), 36), Lock: Lock(), Created: time.Now().UTC().Truncate(time.Second)}
	env := filepath.Join(dir, m.Environment)
	out := newProgress(o.Progress)
	out.say("making runtime %s with Python %s in %s", o.Name, py.Version, env)
	if err := fill(ctx, env, py, out, &m); err != nil {
		if rerr := os.RemoveAll(env); rerr != nil {
			err = errors.Join(err, rerr)
		}
		return Runtime{}, false, fmt.Errorf("make runtime %s: %w", o.Name, err)
	}
	if err := writeMarker(dir, m); err != nil {
		return Runtime{}, false, err
	}
	out.say("runtime %s is ready", o.Name)
	r, err := s.Get(o.Name)
	return r, true, err
}

// fits says whether a Python as the user names it is of a version. A path is never known to fit.
func fits(named, version string) bool {
	return strings.TrimPrefix(named, "python") == MajorMinor(version)
}

// fill installs everything into a new environment and looks whether it works.
func fill(ctx context.Context, env string, py Python, out *progress, m *marker) error {
	if err := install(ctx, env, py, out); err != nil {
		return err
	}
	out.say("checking it")
	got, err := Inspect(ctx, filepath.Join(env, "bin", "python"))
	if err != nil {
		return err
	}
	m.Python, m.Packages = got.Version, got.Packages
	return out.run(ctx, command{name: filepath.Join(env, "bin", "python"),
		args: []string{"-c", "import pyspark.sql.connect.session, pyspark.daemon, pandas, mlflow, sklearn, xgboost, lightgbm, hyperopt, optuna, millpond"}})
}

// lockDir keeps others from making the same runtime at the same time.
func lockDir(dir, name string) (unlock func(), err error) {
	f, err := os.OpenFile(filepath.Join(dir, ".lock"), os.O_CREATE|os.O_RDWR, 0o644)
	if err != nil {
		return nil, fmt.Errorf("lock runtime %s: %w", name, err)
	}
	if err := syscall.Flock(int(f.Fd()), syscall.LOCK_EX|syscall.LOCK_NB); err != nil {
		_ = f.Close() // nothing was written
		return nil, fmt.Errorf("runtime %s is being made by another process", name)
	}
	return func() { _ = f.Close() }, nil
}

// sweep removes environments that are not in use: those of interrupted attempts, and those that
// were replaced. An environment outlives its replacement until the next time, because workers of
// a running server may still use it.
func sweep(dir, keep string) error {
	old, err := filepath.Glob(filepath.Join(dir, "env-*"))
	if err != nil {
		return fmt.Errorf("clear old environments: %w", err)
	}
	for _, e := range old {
		if e == keep {
			continue
		}
		if err := os.RemoveAll(e); err != nil {
			return fmt.Errorf("clear an old environment: %w", err)
		}
	}
	return nil
}

func writeMarker(dir string, m marker) error {
	text, err := json.MarshalIndent(m, "", "  ")
	if err != nil {
		return fmt.Errorf("finish the runtime: %w", err)
	}
	f, err := os.CreateTemp(dir, ".runtime-*.json")
	if err != nil {
		return fmt.Errorf("finish the runtime: %w", err)
	}
	defer os.Remove(f.Name()) // gone already if all went well
	_, err = f.Write(append(text, '\n'))
	err = errors.Join(err, f.Sync(), f.Chmod(0o644), f.Close())
	if err == nil {
		err = os.Rename(f.Name(), filepath.Join(dir, markerFile))
	}
	if err != nil {
		return fmt.Errorf("finish the runtime: %w", err)
	}
	return nil
}
