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

// lookPython decides which Python runs users' functions: the first of the named ones that is
// there, else python3 of the PATH.
func lookPython(named ...string) (string, error) {
	for _, n := range named {
		if n == "" {
			continue
		}
		if p, err := exec.LookPath(n); err == nil {
			return p, nil
		}
	}
	if p, err := exec.LookPath("python3"); err == nil {
		return p, nil
	}
	return "", sparkerr.Plain(sparkerr.ClassSpark, "No Python was found to run the function: there is no python3 on the PATH. Run `millpond doctor` for the command that mends it.")
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
	const script = "import sys; print('%d.%d' % sys.version_info[:2]); import pyspark.version; print(pyspark.version.__version__)"
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
