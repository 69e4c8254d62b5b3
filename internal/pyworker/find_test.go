package pyworker

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// fakePython makes an executable that answers as a Python of the version with pyspark would.
func fakePython(t *testing.T, name, version string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), name)
	script := fmt.Sprintf("#!/bin/sh\necho %s\necho %s.0\n", version, protocol)
	if version == "" {
		script = "#!/bin/sh\nexit 1\n"
	}
	if err := os.WriteFile(path, []byte(script), 0o700); err != nil {
		t.Fatal(err)
	}
	return path
}

func TestChoose(t *testing.T) {
	named, broken := fakePython(t, "named", "3.11"), fakePython(t, "broken", "")
	onPath := fakePython(t, "python3", "3.14")
	runtimes := []Runtime{{"/runtimes/default", "3.12"}, {"/runtimes/other", "3.13"}}
	for _, c := range []struct {
		name     string
		python   string
		runtimes []Runtime
		path     string
		version  string
		want     string
	}{
		{"the named one comes first", named, runtimes, onPath, "", named},
		{"the named one has the version", named, runtimes, onPath, "3.11", named},
		{"a runtime has the version", named, runtimes, onPath, "3.13", "/runtimes/other"},
		{"a runtime has the version, the named one is broken", broken, runtimes, "", "3.13", "/runtimes/other"},
		{"none has the version", named, runtimes, onPath, "3.10", named},
		{"the first runtime", "", runtimes, onPath, "", "/runtimes/default"},
		{"runtimes before the PATH", "", runtimes, onPath, "3.10", "/runtimes/default"},
		{"the PATH's has the version", "", runtimes, onPath, "3.14", onPath},
		{"only the PATH's", "", nil, onPath, "3.11", onPath},
		{"none at all", "", nil, "", "3.11", "no managed runtime and no python3 on the PATH"},
		{"the named one is not there", "/nowhere/python", runtimes, onPath, "3.12", "The Python named for functions was not found"},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Setenv("PATH", t.TempDir())
			if c.path != "" {
				t.Setenv("PATH", filepath.Dir(c.path))
			}
			p := &Pool{opts: Options{Python: c.python, Runtimes: func() []Runtime { return c.runtimes }}}
			// The fakes are shell scripts; sh and echo are found without a PATH.
			got, err := p.choose(c.version)
			if err != nil {
				got = err.Error()
			}
			if !strings.Contains(got, c.want) {
				t.Errorf("got %s, want %s", got, c.want)
			}
		})
	}
}
