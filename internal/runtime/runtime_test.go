package runtime

import (
	"archive/zip"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"
)

// put makes what a finished runtime looks like on disk.
func put(t *testing.T, s Store, name, lock, version string) string {
	t.Helper()
	dir := filepath.Join(s.Dir, name)
	env := filepath.Join(dir, "env-old")
	if err := os.MkdirAll(filepath.Join(env, "bin"), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(env, "bin", "python"), []byte("#!/bin/sh\n"), 0o755); err != nil {
		t.Fatal(err)
	}
	m := marker{Environment: "env-old", Lock: lock, Python: version, Packages: map[string]string{"pyspark": "4.3.0", "mlflow": "3.17.2"}}
	if err := writeMarker(dir, m); err != nil {
		t.Fatal(err)
	}
	return env
}

func TestListTakesOnlyFinishedRuntimes(t *testing.T) {
	s := Store{Dir: t.TempDir()}
	if list, err := s.List(); len(list) != 0 || err != nil {
		t.Fatalf("an empty store lists %v %v", list, err)
	}
	put(t, s, "b", "older", "3.12.1")
	put(t, s, "a", Lock(), "3.11.7")
	put(t, s, Default, Lock(), "3.13.0")
	// An interrupted create: an environment, and no marker.
	if err := os.MkdirAll(filepath.Join(s.Dir, "half", "env-1", "bin"), 0o755); err != nil {
		t.Fatal(err)
	}
	list, err := s.List()
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, r := range list {
		got = append(got, fmt.Sprintf("%s %s %v", r.Name, r.Version(), r.Current))
	}
	if want := "default 3.13 true; a 3.11 true; b 3.12 false"; strings.Join(got, "; ") != want {
		t.Errorf("got %q, want %q", strings.Join(got, "; "), want)
	}
	if _, err := s.Get("half"); !errors.Is(err, ErrNone) {
		t.Errorf("a half runtime is got: %v", err)
	}
	if _, err := s.Get("../x"); err == nil {
		t.Error("a path is taken for a name")
	}
}

func TestDamagedRuntimesAreTold(t *testing.T) {
	s := Store{Dir: t.TempDir()}
	put(t, s, "good", Lock(), "3.11.7")
	env := put(t, s, "gone", Lock(), "3.11.7")
	if err := os.RemoveAll(env); err != nil {
		t.Fatal(err)
	}
	put(t, s, "torn", Lock(), "3.11.7")
	if err := os.WriteFile(filepath.Join(s.Dir, "torn", markerFile), []byte(`{"environment": "env-`), 0o600); err != nil {
		t.Fatal(err)
	}
	list, err := s.List()
	if len(list) != 1 || list[0].Name != "good" {
		t.Errorf("got %v", list)
	}
	if err == nil || !strings.Contains(err.Error(), "gone is damaged") || !strings.Contains(err.Error(), "torn is damaged") {
		t.Errorf("got %v", err)
	}
}

func TestCreateLeavesACurrentRuntimeAlone(t *testing.T) {
	s := Store{Dir: t.TempDir()}
	env := put(t, s, Default, Lock(), "3.11.7")
	for _, python := range []string{"", "3.11", "python3.11"} {
		r, made, err := s.Create(t.Context(), CreateOptions{Python: python})
		if err != nil || made || r.Path != env {
			t.Errorf("--python %q: got %v %v %v", python, r, made, err)
		}
	}
}

// needBase gives a real Python that a runtime could be made with.
func needBase(t *testing.T) string {
	t.Helper()
	p, err := findPython(t.Context(), "", "")
	if err != nil {
		t.Skipf("no Python to test with: %v", err)
	}
	return p.Path
}

// A uv that makes the environment and fails to install stands for any failure on the way.
func TestAFailedCreateLeavesWhatWasThere(t *testing.T) {
	python := needBase(t)
	s := Store{Dir: t.TempDir()}
	env := put(t, s, Default, "older", "3.11.7")
	bin := t.TempDir()
	uv := "#!/bin/sh\nif [ \"$1\" = venv ]; then for d; do :; done; mkdir -p \"$d/bin\" && printf '#!/bin/sh\\nexit 3\\n' >\"$d/bin/python\" && chmod +x \"$d/bin/python\"; exit; fi\necho no such package >&2\nexit 2\n"
	if err := os.WriteFile(filepath.Join(bin, "uv"), []byte(uv), 0o755); err != nil {
		t.Fatal(err)
	}
	t.Setenv("PATH", bin+":"+os.Getenv("PATH"))
	var out bytes.Buffer
	_, made, err := s.Create(t.Context(), CreateOptions{Python: python, Progress: &out})
	if err == nil || made {
		t.Fatalf("got %v %v", made, err)
	}
	if !strings.Contains(out.String(), "no such package") {
		t.Errorf("the reason is not told: %s", out.String())
	}
	r, err := s.Get(Default)
	if err != nil || r.Path != env || r.Current {
		t.Errorf("got %v %v", r, err)
	}
	left, err := filepath.Glob(filepath.Join(s.Dir, Default, "env-*"))
	if err != nil || len(left) != 1 {
		t.Errorf("left behind: %v %v", left, err)
	}
}

func TestCreateIsInterrupted(t *testing.T) {
	python := needBase(t)
	s := Store{Dir: t.TempDir()}
	bin := t.TempDir()
	if err := os.WriteFile(filepath.Join(bin, "uv"), []byte("#!/bin/sh\nexec sleep 60\n"), 0o755); err != nil {
		t.Fatal(err)
	}
	t.Setenv("PATH", bin+":"+os.Getenv("PATH"))
	ctx, cancel := context.WithTimeout(t.Context(), 300*time.Millisecond)
	defer cancel()
	start := time.Now()
	if _, _, err := s.Create(ctx, CreateOptions{Name: "x", Python: python}); err == nil {
		t.Error("no error")
	}
	if took := time.Since(start); took > 8*time.Second {
		t.Errorf("it took %v", took)
	}
	if list, err := s.List(); len(list) != 0 || err != nil {
		t.Errorf("got %v %v", list, err)
	}
}

func TestOneCreateAtATime(t *testing.T) {
	dir := t.TempDir()
	unlock, err := lockDir(dir, "x")
	if err != nil {
		t.Fatal(err)
	}
	if _, err := lockDir(dir, "x"); err == nil {
		t.Error("a second one got the lock")
	}
	unlock()
	again, err := lockDir(dir, "x")
	if err != nil {
		t.Fatal(err)
	}
	again()
}

func TestSweepKeepsTheOneInUse(t *testing.T) {
	dir := t.TempDir()
	for _, e := range []string{"env-1", "env-2"} {
		if err := os.Mkdir(filepath.Join(dir, e), 0o755); err != nil {
			t.Fatal(err)
		}
	}
	if err := sweep(dir, filepath.Join(dir, "env-1")); err != nil {
		t.Fatal(err)
	}
	left, err := filepath.Glob(filepath.Join(dir, "*"))
	if err != nil || len(left) != 1 || filepath.Base(left[0]) != "env-1" {
		t.Errorf("left: %v %v", left, err)
	}
}

// The lock must install the same everywhere: every package with its full version and hashes, no
// address and no option.
func TestLock(t *testing.T) {
	pin := regexp.MustCompile(`^[a-z0-9._-]+==\S+`)
	hash := regexp.MustCompile(`^    --hash=sha256:[0-9a-f]{64}( \\)?$`)
	hashed := true
	n := 0
	for line := range strings.Lines(string(requirements)) {
		line = strings.TrimRight(line, "\n")
		switch {
		case strings.HasPrefix(line, "#"):
		case hash.MatchString(line):
			hashed = true
		case pin.MatchString(line) && strings.HasSuffix(line, `\`) && hashed:
			n, hashed = n+1, false
		default:
			t.Fatalf("not a pinned and hashed package: %q", line)
		}
	}
	if n < 100 || !hashed {
		t.Errorf("%d packages, the last hashed: %v", n, hashed)
	}
	for _, name := range []string{"pyspark", "mlflow", "xgboost-cpu", "uv", "pip"} {
		if !strings.HasPrefix(string(lockOf(name)), name+"==") {
			t.Errorf("the lock lacks %s", name)
		}
	}
	if bytes.Contains(requirements, []byte("nvidia")) {
		t.Error("the lock has CUDA libraries")
	}
	if bytes.Contains(lockOf("uv"), []byte("uvicorn")) {
		t.Error("lockOf takes a longer name")
	}
}

func TestWheel(t *testing.T) {
	name, content, err := wheel()
	if err != nil {
		t.Fatal(err)
	}
	z, err := zip.NewReader(bytes.NewReader(content), int64(len(content)))
	if err != nil {
		t.Fatal(err)
	}
	have := map[string]string{}
	for _, f := range z.File {
		r, err := f.Open()
		if err != nil {
			t.Fatal(err)
		}
		b, err := io.ReadAll(r)
		if err != nil {
			t.Fatal(err)
		}
		have[f.Name] = string(b)
	}
	base := strings.TrimSuffix(name, "-py3-none-any.whl")
	for _, f := range []string{"millpond.pth", "millpond/__init__.py", "millpond/hook.py", base + ".dist-info/METADATA", base + ".dist-info/RECORD"} {
		if have[f] == "" {
			t.Errorf("%s lacks %s", name, f)
		}
		if !strings.Contains(have[base+".dist-info/RECORD"], f+",") {
			t.Errorf("RECORD lacks %s", f)
		}
	}
	version := strings.TrimPrefix(base, "millpond-")
	if !strings.Contains(have["millpond/__init__.py"], fmt.Sprintf("__version__ = %q", version)) {
		t.Errorf("pyproject.toml says %s, __init__.py another version", version)
	}
}

// pip itself takes the wheel.
func TestWheelInstalls(t *testing.T) {
	python := needBase(t)
	dir := t.TempDir()
	_, own, err := unpack(dir)
	if err != nil {
		t.Fatal(err)
	}
	env := filepath.Join(dir, "env")
	if out, err := exec.Command(python, "-m", "venv", env).CombinedOutput(); err != nil {
		t.Skipf("no venv: %v %s", err, out)
	}
	in := filepath.Join(env, "bin", "python")
	if out, err := exec.Command(in, "-m", "pip", "install", "--quiet", "--no-deps", "--no-index", own).CombinedOutput(); err != nil {
		t.Fatalf("%v %s", err, out)
	}
	out, err := exec.Command(in, "-c", "import sys; print(any(getattr(f, '__module__', '') == 'millpond.hook' for f in sys.meta_path), 'importlib.machinery' in sys.modules)").Output()
	if err != nil || !strings.HasPrefix(string(out), "True") {
		t.Errorf("the package is not active at start: %s %v", out, err)
	}
	p, err := Inspect(t.Context(), in)
	if err != nil || p.Packages["millpond"] == "" {
		t.Errorf("got %v %v", p, err)
	}
}

func TestOlder(t *testing.T) {
	for _, c := range []struct {
		a, b string
		want bool
	}{{"3.9.1", "3.11", true}, {"3.11.0", "3.11", false}, {"3.13", "3.11", false}, {"2.7.18", "3.11", true}, {"4.0", "3.11", false}} {
		if got := older(c.a, c.b); got != c.want {
			t.Errorf("older(%s, %s) = %v", c.a, c.b, got)
		}
	}
}

func TestLinesKeepTheEnd(t *testing.T) {
	l := &lines{}
	for i := range 100 {
		fmt.Fprintf(l, "line %d\n", i)
	}
	fmt.Fprint(l, "rest")
	if got := l.tail(); !strings.HasPrefix(got, "line 70\n") || !strings.HasSuffix(got, "line 99\nrest") {
		t.Errorf("got %q", got)
	}
}
