package doctor

import (
	"context"
	"fmt"
	"os/exec"
	"strconv"
	"strings"

	"github.com/millpond/millpond/internal/runtime"
)

// The versions of pyspark: clients may be any of the range, functions run in workers of one minor
// version, whose protocol this program speaks.
const (
	oldestClient = "4.0"
	workers      = "4.3"
	firstTooNew  = "4.4"
	create       = "millpond runtime create"
)

// checkPython finds the Python that would run functions, as serve does.
func checkPython(ctx context.Context, e *exam) Finding {
	path := e.Python
	if path == "" {
		if list, _ := e.Runtimes.List(); len(list) > 0 { // what is damaged is checkRuntime's to tell
			path, e.inRT = list[0].Executable(), true
		}
	} else {
		e.named = true
	}
	if path == "" {
		path = "python3"
	}
	full, err := exec.LookPath(path)
	if err != nil {
		return Finding{Status: Missing, Text: fmt.Sprintf("%s is not there", path), Mend: installer("python3")}
	}
	p, err := runtime.Inspect(ctx, full)
	if err != nil {
		return Finding{Status: Missing, Text: err.Error(), Mend: installer("python3")}
	}
	if p.Old() {
		return Finding{Status: Missing, Text: fmt.Sprintf("%s is Python %s; pyspark %s needs %s or newer", full, p.Version, workers, runtime.MinPython), Mend: create + " --python python3.12"}
	}
	p.Path = full
	e.python, e.found = p, true
	return Finding{Status: OK, Text: fmt.Sprintf("%s, %s", p.Version, p.Path)}
}

// noPython is the finding of checks that need a Python when there is none.
var noPython = Finding{Status: Missing, Text: "not known: there is no Python"}

// mendPackage is the command that brings a package: into the Python that the user chose, else by a
// managed runtime.
func (e *exam) mendPackage(requirement string) string {
	switch {
	case e.named:
		return fmt.Sprintf("%s -m pip install '%s'", e.python.Path, requirement)
	case e.inRT:
		return create + " --force"
	}
	return create
}

func checkPySpark(_ context.Context, e *exam) Finding {
	if !e.found {
		return noPython
	}
	const want = "pyspark[connect]==4.3.0"
	v := e.python.Packages["pyspark"]
	switch {
	case v == "" && e.python.Packages["pyspark-client"] != "":
		return Finding{Status: Missing, Text: "pyspark-client is installed, which has no workers for Python functions", Mend: e.mendPackage(want)}
	case v == "":
		return Finding{Status: Missing, Text: "not installed in " + e.python.Path, Mend: e.mendPackage(want)}
	case !within(v, oldestClient, firstTooNew):
		return Finding{Status: Missing, Text: fmt.Sprintf("%s; clients from %s to %s are served", v, oldestClient, workers), Mend: e.mendPackage(want)}
	case !within(v, workers, firstTooNew):
		return Finding{Status: Missing, Text: fmt.Sprintf("%s; as a client it will do, but Python functions need %s", v, workers), Mend: e.mendPackage(want)}
	case e.python.Packages["grpcio"] == "":
		return Finding{Status: Missing, Text: v + ", without what Spark Connect needs (grpcio)", Mend: e.mendPackage(want)}
	}
	return Finding{Status: OK, Text: v}
}

func checkPandas(_ context.Context, e *exam) Finding {
	if !e.found {
		return noPython
	}
	const want = "pandas>=2.2,<3"
	v := e.python.Packages["pandas"]
	switch {
	case v == "":
		return Finding{Status: Missing, Text: "not installed in " + e.python.Path, Mend: e.mendPackage(want)}
	case !within(v, "2.2", "3"):
		return Finding{Status: Missing, Text: v + "; pyspark needs one from 2.2 on, below 3", Mend: e.mendPackage(want)}
	}
	return Finding{Status: OK, Text: v}
}

func checkPyArrow(_ context.Context, e *exam) Finding {
	if !e.found {
		return noPython
	}
	v := e.python.Packages["pyarrow"]
	if v == "" {
		return Finding{Status: Missing, Text: "not installed in " + e.python.Path, Mend: e.mendPackage("pyarrow")}
	}
	return Finding{Status: OK, Text: v}
}

func checkMLflow(_ context.Context, e *exam) Finding {
	if !e.found {
		return Finding{Status: Note, Text: noPython.Text}
	}
	if v := e.python.Packages["mlflow"]; v != "" {
		return Finding{Status: OK, Text: v}
	}
	return Finding{Status: Note, Text: "not installed in " + e.python.Path + "; only clients need it", Mend: e.mendPackage("mlflow")}
}

func checkRuntime(_ context.Context, e *exam) Finding {
	list, err := e.Runtimes.List()
	if err != nil {
		return Finding{Status: Note, Text: err.Error(), Mend: create + " --force"}
	}
	if len(list) == 0 {
		return Finding{Status: Note, Text: "none in " + e.Runtimes.Dir, Mend: create}
	}
	var names []string
	for _, r := range list {
		if !r.Current {
			return Finding{Status: Note, Text: r.Name + " was made by another version of this program", Mend: create + " " + r.Name}
		}
		names = append(names, fmt.Sprintf("%s (Python %s)", r.Name, r.Version()))
	}
	return Finding{Status: OK, Text: strings.Join(names, ", ")}
}

func checkUV(ctx context.Context, _ *exam) Finding {
	if v, err := versionOf(ctx, "uv", "--version"); err == nil {
		return Finding{Status: OK, Text: v}
	}
	return Finding{Status: Note, Text: "not there; runtimes are made without it, a little slower", Mend: "python3 -m pip install uv"}
}

// versionOf gives the first line that a program prints.
func versionOf(ctx context.Context, name string, args ...string) (string, error) {
	out, err := exec.CommandContext(ctx, name, args...).Output()
	first, _, _ := strings.Cut(strings.TrimSpace(string(out)), "\n")
	return first, err
}

// within says whether a version is at least low and below high.
func within(version, low, high string) bool {
	return compare(version, low) >= 0 && compare(version, high) < 0
}

// compare orders versions by their numbers; what follows the numbers ("rc1") is not looked at.
func compare(a, b string) int {
	x, y := numbers(a), numbers(b)
	for i := range max(len(x), len(y)) {
		var p, q int
		if i < len(x) {
			p = x[i]
		}
		if i < len(y) {
			q = y[i]
		}
		if p != q {
			return p - q
		}
	}
	return 0
}

func numbers(version string) []int {
	var out []int
	for _, part := range strings.Split(version, ".") {
		digits := strings.TrimLeft(part, "0123456789")
		n, err := strconv.Atoi(strings.TrimSuffix(part, digits))
		if err != nil {
			break
		}
		out = append(out, n)
		if digits != "" {
			break
		}
	}
	return out
}

// installers are the package managers of systems, and how each installs.
var installers = []struct{ program, command string }{
	{"apt-get", "sudo apt-get install -y %s"},
	{"dnf", "sudo dnf install -y %s"},
	{"zypper", "sudo zypper install -y %s"},
	{"pacman", "sudo pacman -S --noconfirm %s"},
	{"apk", "sudo apk add %s"},
	{"brew", "brew install %s"},
}

// installer is the command that installs a program on this system.
func installer(program string) string {
	for _, i := range installers {
		if _, err := exec.LookPath(i.program); err == nil {
			if i.program == "apt-get" && program == "python3" {
				program = "python3 python3-venv"
			}
			return fmt.Sprintf(i.command, program)
		}
	}
	return "install " + program + " with your system's package manager"
}
