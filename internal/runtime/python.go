package runtime

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os/exec"
	"regexp"
	"strconv"
	"strings"
	"time"
)

// MinPython is the oldest Python that pyspark 4.3 runs on.
const MinPython = "3.11"

// Python is an interpreter and those of its packages that matter here.
type Python struct {
	Path     string            `json:"path"`
	Version  string            `json:"version"`  // "3.11.7"
	Packages map[string]string `json:"packages"` // versions by name
}

// Old says whether the Python is older than a runtime can have.
func (p Python) Old() bool { return older(p.Version, MinPython) }

// older compares "3.9.1" with "3.11".
func older(version, than string) bool {
	a, b := strings.Split(version, "."), strings.Split(than, ".")
	for i := range b {
		var x int
		if i < len(a) {
			x, _ = strconv.Atoi(a[i]) // what is no number counts as 0
		}
		y, _ := strconv.Atoi(b[i])
		if x != y {
			return x < y
		}
	}
	return false
}

// inspectTime bounds how long a Python may take to tell what it has.
const inspectTime = 30 * time.Second

// inspection prints a Python's version and packages. It imports none of them: their metadata is
// enough, and importing takes a second.
const inspection = `import sys, json
from importlib import metadata
have = {}
for name in ("pyspark", "pyspark-client", "pandas", "pyarrow", "grpcio", "mlflow", "scikit-learn", "numpy", "millpond"):
    try: have[name] = metadata.version(name)
    except metadata.PackageNotFoundError: pass
print(json.dumps({"path": sys.executable, "version": "%d.%d.%d" % sys.version_info[:3], "packages": have}))`

// Inspect asks a Python what it has.
func Inspect(ctx context.Context, path string) (Python, error) {
	ctx, cancel := context.WithTimeout(ctx, inspectTime)
	defer cancel()
	cmd := exec.CommandContext(ctx, path, "-c", inspection)
	var errs bytes.Buffer
	cmd.Stderr = &errs
	out, err := cmd.Output()
	if err != nil {
		return Python{}, fmt.Errorf("%s does not run: %w %s", path, err, strings.TrimSpace(errs.String()))
	}
	var p Python
	if err := json.Unmarshal(out, &p); err != nil {
		return Python{}, fmt.Errorf("%s gave an answer that is not understood: %w", path, err)
	}
	return p, nil
}

var bareVersion = regexp.MustCompile(`^\d+\.\d+(\.\d+)?$`)

// findPython finds the Python to make a runtime with: the named one; else that of the version a
// runtime had before; else the first of the PATH that is new enough.
func findPython(ctx context.Context, named, before string) (Python, error) {
	if named != "" {
		if bareVersion.MatchString(named) {
			named = "python" + MajorMinor(named)
		}
		path, err := exec.LookPath(named)
		if err != nil {
			return Python{}, fmt.Errorf("there is no %s: %w", named, err)
		}
		p, err := Inspect(ctx, path)
		if err == nil && p.Old() {
			err = fmt.Errorf("%s is Python %s, and %s is the oldest that pyspark runs on", named, p.Version, MinPython)
		}
		return p, err
	}
	names := []string{"python3", "python3.13", "python3.12", "python3.11"}
	if before != "" {
		names = append([]string{"python" + before}, names...)
	}
	var tried []error
	for _, n := range names {
		path, err := exec.LookPath(n)
		if err != nil {
			continue
		}
		p, err := Inspect(ctx, path)
		switch {
		case err != nil:
			tried = append(tried, err)
		case p.Old():
			tried = append(tried, fmt.Errorf("%s is Python %s", n, p.Version))
		default:
			return p, nil
		}
	}
	return Python{}, errors.Join(append([]error{fmt.Errorf("no Python from %s on was found; install one, or name it with --python", MinPython)}, tried...)...)
}
