package pyworker

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os/exec"
	"strings"
	"sync"
	"time"

	"github.com/millpond/millpond/internal/sparkerr"
)

// protocol is the pyspark whose workers this package can drive.
const protocol = "4.3"

// installed is what a Python executable has.
type installed struct {
	path    string // of the executable
	python  string // "3.11"
	pyspark string // "4.3.0"
}

var probes sync.Map // path -> *sync.Once'd probe

type probe struct {
	once sync.Once
	got  installed
	err  error
}

// Runtime is a managed Python environment.
type Runtime struct {
	Executable string
	Version    string // "3.11"
}

// choose decides which Python runs the functions of a client of a Python version, "" for any.
// The workers' version must be the client's, so the first candidate of that version is taken.
// Without one it is the first of all, whose worker refuses the task as Spark's does.
func (p *Pool) choose(version string) (string, error) {
	list, err := p.candidates()
	if err != nil {
		return "", err
	}
	if version == "" || len(list) == 1 {
		return list[0].Executable, nil
	}
	for _, r := range list {
		v := r.Version
		if v == "" {
			got, err := inspect(r.Executable)
			if err != nil {
				continue // it cannot be it; if it is the first, its own start tells why
			}
			v = got.python
		}
		if v == version {
			return r.Executable, nil
		}
	}
	return list[0].Executable, nil
}

// candidates are the Pythons that there are, the best first: the one that was named, the managed
// runtimes, python3 of the PATH.
func (p *Pool) candidates() ([]Runtime, error) {
	var list []Runtime
	if named := p.opts.Python; named != "" {
		path, err := exec.LookPath(named)
		if err != nil {
			return nil, sparkerr.Plain(sparkerr.ClassSpark, "The Python named for functions was not found: %v. Name another with --python, or run `millpond doctor`.", err)
		}
		list = append(list, Runtime{Executable: path})
	}
	if p.opts.Runtimes != nil {
		list = append(list, p.opts.Runtimes()...)
	}
	if path, err := exec.LookPath("python3"); err == nil {
		list = append(list, Runtime{Executable: path})
	}
	if len(list) == 0 {
		return nil, sparkerr.Plain(sparkerr.ClassSpark, "No Python was found to run the function: there is no managed runtime and no python3 on the PATH. Run `millpond doctor` for the command that mends it.")
	}
	return list, nil
}

// inspect asks a Python what it has, once.
func inspect(path string) (installed, error) {
	v, _ := probes.LoadOrStore(path, &probe{})
	p := v.(*probe)
	p.once.Do(func() {
		p.got, p.err = ask(path)
		if p.err != nil {
			probes.Delete(path) // it may be mended while we run
		}
	})
	return p.got, p.err
}

func ask(path string) (installed, error) {
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	const script = `import importlib.util, os, sys
print("%d.%d" % sys.version_info[:2])
spec = importlib.util.find_spec("pyspark")
if spec is None:
    raise ModuleNotFoundError("No module named 'pyspark'")
version = {}  # importing the package takes ten times as long
with open(os.path.join(spec.submodule_search_locations[0], "version.py")) as f:
    exec(f.read(), version)
print(version["__version__"])
`
	cmd := exec.CommandContext(ctx, path, "-c", script)
	var errs bytes.Buffer
	cmd.Stderr = &errs
	out, err := cmd.Output()
	lines := strings.Fields(string(out))
	if err == nil && len(lines) == 2 {
		got := installed{path: path, python: lines[0], pyspark: lines[1]}
		if !strings.HasPrefix(got.pyspark, protocol+".") {
			return got, sparkerr.Plain(sparkerr.ClassSpark, "Python functions need pyspark %s in the worker's Python, but %s has pyspark %s. Install pyspark %s there, or name another Python.", protocol, path, got.pyspark, protocol)
		}
		return got, nil
	}
	if len(lines) == 1 && strings.Contains(errs.String(), "pyspark") {
		return installed{}, sparkerr.Plain(sparkerr.ClassSpark, "Python functions need pyspark %s in the worker's Python, but %s (Python %s) has no pyspark. Run `millpond doctor` for the command that mends it.", protocol, path, lines[0])
	}
	if err == nil {
		err = errors.New("its answer was " + fmt.Sprintf("%q", out))
	}
	e := sparkerr.Plain(sparkerr.ClassSpark, "The worker's Python %s does not run: %v %s", path, err, strings.TrimSpace(errs.String()))
	e.Cause = err
	return installed{}, e
}
