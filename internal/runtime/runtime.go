// Package runtime makes and finds managed Python environments. What comes in is a name and a
// Python; what goes out is a virtual environment with the clients of Millpond (pyspark, MLflow
// and the usual learners) in versions that a lock file inside the program fixes. It never runs
// users' code and knows nothing of servers.
//
// A runtime is a directory NAME with one environment below it per time it was made and a file
// runtime.json that names the one in use. The file is written last, so that an environment that
// was not finished is never taken for one.
package runtime

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"time"
)

// Default is the name of the runtime that is meant when none is named.
const Default = "default"

const markerFile = "runtime.json"

// marker is the content of runtime.json.
type marker struct {
	Environment string            `json:"environment"` // the directory's name
	Lock        string            `json:"lock"`        // what it was made from
	Python      string            `json:"python"`      // "3.11.7"
	Packages    map[string]string `json:"packages"`    // the versions of those that matter
	Created     time.Time         `json:"created"`
}

// Runtime is a finished environment.
type Runtime struct {
	Name    string    `json:"name"`
	Path    string    `json:"path"`
	Python  string    `json:"python"`  // "3.11.7"
	PySpark string    `json:"pyspark"` // "4.3.0"
	MLflow  string    `json:"mlflow"`
	Current bool      `json:"current"` // made from this program's lock
	Created time.Time `json:"created"`
}

// Executable is the path of the runtime's Python.
func (r Runtime) Executable() string { return filepath.Join(r.Path, "bin", "python") }

// Version is the Python's "3.11", as clients name theirs.
func (r Runtime) Version() string { return MajorMinor(r.Python) }

// MajorMinor cuts "3.11.7" to "3.11".
func MajorMinor(version string) string {
	parts := strings.SplitN(version, ".", 3)
	return strings.Join(parts[:min(2, len(parts))], ".")
}

// Store is the directory that runtimes are kept in.
type Store struct{ Dir string }

// DefaultDir is where runtimes are kept unless said otherwise. They are not in a server's data
// directory: one environment serves many of those.
func DefaultDir() (string, error) {
	if base := os.Getenv("XDG_DATA_HOME"); filepath.IsAbs(base) {
		return filepath.Join(base, "millpond", "runtimes"), nil
	}
	home, err := os.UserHomeDir()
	if err != nil {
		return "", fmt.Errorf("no place for runtimes: %w; name one with --runtimes-dir", err)
	}
	return filepath.Join(home, ".local", "share", "millpond", "runtimes"), nil
}

var namePattern = regexp.MustCompile(`^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$`)

func checkName(name string) error {
	if !namePattern.MatchString(name) {
		return fmt.Errorf("%q cannot name a runtime: use letters, digits, '.', '_' and '-'", name)
	}
	return nil
}

// ErrNone says that there is no such runtime.
var ErrNone = errors.New("there is no such runtime")

// Get gives a runtime by its name.
func (s Store) Get(name string) (Runtime, error) {
	if err := checkName(name); err != nil {
		return Runtime{}, err
	}
	dir := filepath.Join(s.Dir, name)
	text, err := os.ReadFile(filepath.Join(dir, markerFile))
	if errors.Is(err, fs.ErrNotExist) {
		return Runtime{}, fmt.Errorf("%s: %w", name, ErrNone)
	}
	if err != nil {
		return Runtime{}, fmt.Errorf("read runtime %s: %w", name, err)
	}
	var m marker
	if err := json.Unmarshal(text, &m); err != nil {
		return Runtime{}, fmt.Errorf("runtime %s is damaged: %s: %w", name, markerFile, err)
	}
	r := Runtime{Name: name, Path: filepath.Join(dir, filepath.Base(m.Environment)), Python: m.Python, PySpark: m.Packages["pyspark"], MLflow: m.Packages["mlflow"],
		Current: m.Lock == Lock(), Created: m.Created}
	if _, err := os.Stat(r.Executable()); err != nil {
		return Runtime{}, fmt.Errorf("runtime %s is damaged: %w", name, err)
	}
	return r, nil
}

// List gives the finished runtimes by name, the default one first, and what is wrong with others.
func (s Store) List() ([]Runtime, error) {
	entries, err := os.ReadDir(s.Dir)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("list the runtimes: %w", err)
	}
	var list []Runtime
	var bad []error
	for _, e := range entries {
		if checkName(e.Name()) != nil {
			continue
		}
		r, err := s.Get(e.Name())
		switch {
		case err == nil:
			list = append(list, r)
		case !errors.Is(err, ErrNone):
			bad = append(bad, err)
		}
	}
	slices.SortStableFunc(list, func(a, b Runtime) int {
		if (a.Name == Default) != (b.Name == Default) {
			if a.Name == Default {
				return -1
			}
			return 1
		}
		return strings.Compare(a.Name, b.Name)
	})
	return list, errors.Join(bad...)
}
