package terminal

import (
	"bytes"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

func TestLastErrorOfATraceback(t *testing.T) {
	for text, want := range map[string]string{
		"Traceback (most recent call last):\n  File \"x.py\", line 1\nValueError: no such thing\n":                            "ValueError: no such thing",
		"pyspark.errors.exceptions.connect.AnalysisException: [UNRESOLVED_COLUMN] nope;\n'Project ['nope]\n+- Range (0, 1)\n": "pyspark.errors.exceptions.connect.AnalysisException: [UNRESOLVED_COLUMN] nope;",
		"Killed": "Killed",
		"":       "",
	} {
		if got := lastError(text); got != want {
			t.Errorf("of %q: %q, want %q", text, got, want)
		}
	}
}

func TestRunsAScript(t *testing.T) {
	python, err := exec.LookPath("python3")
	if err != nil {
		t.Skip("there is no Python")
	}
	for _, c := range []struct {
		name, text  string
		limit       time.Duration
		ok          bool
		said, fault string
	}{
		{"to its end", "print('hello')", time.Minute, true, "hello\n", ""},
		{"that fails", "print('hello')\nraise ValueError('no such thing')", time.Minute, false, "hello\n", "ValueError: no such thing"},
		{"that hangs", "import time\ndef wait():\n    time.sleep(600)\nwait()", time.Second, false, "", "the script was ended after 1s, in line 4"},
	} {
		t.Run(c.name, func(t *testing.T) {
			file := filepath.Join(t.TempDir(), "lab.py")
			if err := os.WriteFile(file, []byte(c.text), 0o600); err != nil {
				t.Fatal(err)
			}
			var out, faults bytes.Buffer
			s, err := script{python: python, file: file, env: map[string]string{}, limit: c.limit, out: &out, faults: &faults}.run(t.Context())
			if err != nil {
				t.Fatal(err)
			}
			if s.OK != c.ok || s.Output != c.said || s.Error != c.fault || out.String() != c.said {
				t.Errorf("%+v, printed %q", s, out.String())
			}
			if !c.ok && !strings.Contains(faults.String(), "lab.py\", line") {
				t.Errorf("where it was is not said: %q", faults.String())
			}
		})
	}
}
