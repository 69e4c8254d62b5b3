package app

import (
	"slices"
	"strings"
	"testing"

	"github.com/millpond/millpond/internal/runtime"
)

func TestSplitRun(t *testing.T) {
	for _, c := range []struct {
		args    []string
		dash    int
		name    string
		command string
		bad     bool
	}{
		{[]string{"python", "x.py"}, 0, "default", "python x.py", false},
		{[]string{"py312", "python", "-V"}, 1, "py312", "python -V", false},
		{[]string{"python"}, -1, "", "", true},
		{[]string{"a", "b", "python"}, 2, "", "", true},
		{nil, 0, "", "", true},
	} {
		name, command, err := splitRun(c.args, c.dash)
		if c.bad {
			if err == nil {
				t.Errorf("%v: no error", c.args)
			}
			continue
		}
		if err != nil || name != c.name || strings.Join(command, " ") != c.command {
			t.Errorf("%v: got %s %v %v", c.args, name, command, err)
		}
	}
}

func TestRuntimeEnv(t *testing.T) {
	r := runtime.Runtime{Path: "/r/env"}
	got := runtimeEnv(r, []string{"PATH=/bin", "VIRTUAL_ENV=/old", "PYTHONHOME=/h", "X=a=b"})
	want := []string{"PATH=/r/env/bin:/bin", "VIRTUAL_ENV=/r/env", "X=a=b", "SPARK_REMOTE=sc://127.0.0.1:15002", "MLFLOW_TRACKING_URI=http://127.0.0.1:5000"}
	if !slices.Equal(got, want) {
		t.Errorf("got %q", got)
	}
	got = runtimeEnv(r, []string{"PATH=/bin", "SPARK_REMOTE=sc://elsewhere:1", "MLFLOW_TRACKING_URI=http://elsewhere"})
	if !slices.Contains(got, "SPARK_REMOTE=sc://elsewhere:1") || !slices.Contains(got, "MLFLOW_TRACKING_URI=http://elsewhere") {
		t.Errorf("what is set does not stay: %q", got)
	}
}

func TestReachable(t *testing.T) {
	for in, want := range map[string]string{"0.0.0.0:5000": "127.0.0.1:5000", "[::]:5000": "127.0.0.1:5000", "10.0.0.1:80": "10.0.0.1:80", "127.0.0.1:1": "127.0.0.1:1"} {
		if got := reachable(in); got != want {
			t.Errorf("reachable(%s) = %s, want %s", in, got, want)
		}
	}
}
