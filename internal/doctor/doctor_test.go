package doctor

import (
	"context"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/millpond/millpond/internal/runtime"
)

func TestPackages(t *testing.T) {
	good := map[string]string{"pyspark": "4.3.0", "pandas": "2.3.3", "pyarrow": "25.0.1", "grpcio": "1.8", "mlflow": "3.17.2"}
	with := func(name, version string) map[string]string {
		m := map[string]string{}
		for k, v := range good {
			m[k] = v
		}
		m[name] = version
		return m
	}
	for _, c := range []struct {
		name, check string
		have        map[string]string
		status      Status
		text        string
	}{
		{"all well", "pyspark", good, OK, "4.3.0"},
		{"a later patch", "pyspark", with("pyspark", "4.3.2"), OK, "4.3.2"},
		{"no pyspark", "pyspark", with("pyspark", ""), Missing, "not installed"},
		{"too old", "pyspark", with("pyspark", "3.5.4"), Missing, "from 4.0 to 4.3"},
		{"too new", "pyspark", with("pyspark", "4.4.0"), Missing, "from 4.0 to 4.3"},
		{"only a client", "pyspark", with("pyspark", "4.1.1"), Missing, "Python functions need 4.3"},
		{"no grpc", "pyspark", with("grpcio", ""), Missing, "grpcio"},
		{"pandas 3", "pandas", with("pandas", "3.0.1"), Missing, "below 3"},
		{"pandas 2.3 rc", "pandas", with("pandas", "2.3.0rc1"), OK, "2.3.0rc1"},
		{"old pandas", "pandas", with("pandas", "1.5.3"), Missing, "from 2.2 on"},
		{"no pyarrow", "pyarrow", with("pyarrow", ""), Missing, "not installed"},
		{"no mlflow", "mlflow", with("mlflow", ""), Note, "not installed"},
	} {
		t.Run(c.name, func(t *testing.T) {
			for _, named := range []bool{false, true} {
				e := &exam{python: runtime.Python{Path: "/py", Version: "3.11.7", Packages: c.have}, found: true, named: named}
				f := find(t, c.check)(t.Context(), e)
				if f.Status != c.status || !strings.Contains(f.Text, c.text) {
					t.Errorf("got %+v, want %s with %q", f, c.status, c.text)
				}
				if (f.Mend != "") != (f.Status != OK) {
					t.Errorf("got %+v: a lack has a command, nothing else has", f)
				}
				if f.Mend != "" && strings.HasPrefix(f.Mend, "/py -m pip install") != named {
					t.Errorf("named %v: mended with %s", named, f.Mend)
				}
			}
		})
	}
}

func find(t *testing.T, name string) func(context.Context, *exam) Finding {
	t.Helper()
	for _, c := range checks {
		if c.name == name {
			return c.run
		}
	}
	t.Fatalf("no check %s", name)
	return nil
}

func TestWithoutPython(t *testing.T) {
	t.Setenv("PATH", t.TempDir())
	list := Run(t.Context(), Options{DataDir: t.TempDir(), Connect: "127.0.0.1:0", HTTP: "127.0.0.1:0", Runtimes: runtime.Store{Dir: t.TempDir()}})
	if len(list) != len(checks) {
		t.Errorf("%d findings of %d checks", len(list), len(checks))
	}
	if Healthy(list) {
		t.Error("no Python is said to be healthy")
	}
	for _, f := range list {
		if (f.Name == "python" || f.Name == "pyspark") && f.Status != Missing {
			t.Errorf("got %+v", f)
		}
	}
}

func TestDataDir(t *testing.T) {
	dir := t.TempDir()
	write := func(name, text string) string {
		d := filepath.Join(dir, name)
		if err := os.MkdirAll(d, 0o700); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(filepath.Join(d, "VERSION"), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		return d
	}
	file := filepath.Join(dir, "file")
	if err := os.WriteFile(file, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		dir    string
		status Status
		text   string
	}{
		{filepath.Join(dir, "a", "b"), OK, "to be made"},
		{dir, OK, dir},
		{write("one", "1\nwritten by millpond dev\n"), OK, "layout 1"},
		{write("nine", "9\n"), Missing, "newer millpond"},
		{write("torn", "x\n"), Missing, "damaged"},
		{file, Missing, "no directory"},
		{filepath.Join(file, "below"), Missing, "directory"},
	} {
		f := checkDataDir(t.Context(), &exam{Options: Options{DataDir: c.dir, Layout: 1}})
		if f.Status != c.status || !strings.Contains(f.Text, c.text) {
			t.Errorf("%s: got %+v, want %s with %q", c.dir, f, c.status, c.text)
		}
		if left, _ := filepath.Glob(filepath.Join(dir, ".millpond-doctor-*")); left != nil {
			t.Errorf("left behind: %v", left)
		}
	}
}

func TestPorts(t *testing.T) {
	busy, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer busy.Close()
	ours := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path != "/api/millpond/version" {
			http.NotFound(w, r)
			return
		}
		if _, err := w.Write([]byte(`{"version": "1.2", "connect": "` + busy.Addr().String() + `"}`)); err != nil {
			t.Error(err)
		}
	}))
	defer ours.Close()
	other := httptest.NewServer(http.NotFoundHandler())
	defer other.Close()
	at := func(s *httptest.Server) string { return strings.TrimPrefix(s.URL, "http://") }
	for _, c := range []struct {
		name, http, connect string
		wantHTTP, wantRPC   Status
		text                string
	}{
		{"free", "127.0.0.1:0", "127.0.0.1:0", OK, OK, "is free"},
		{"a millpond", at(ours), busy.Addr().String(), OK, OK, "millpond 1.2 is running there"},
		{"another program", at(other), "127.0.0.1:0", Missing, OK, "taken by another program"},
		{"a millpond whose other port is not this", at(ours), at(other), OK, Missing, "taken by another program"},
		{"no address", "127.0.0.1:x", "127.0.0.1:0", Missing, OK, "x"},
	} {
		t.Run(c.name, func(t *testing.T) {
			e := &exam{Options: Options{HTTP: c.http, Connect: c.connect}}
			h, r := checkHTTP(t.Context(), e), checkConnect(t.Context(), e)
			if h.Status != c.wantHTTP || r.Status != c.wantRPC {
				t.Errorf("got %+v and %+v", h, r)
			}
			if !strings.Contains(h.Text+r.Text, c.text) {
				t.Errorf("got %s, %s; want %q", h.Text, r.Text, c.text)
			}
			for _, f := range []Finding{h, r} {
				if f.Status == Missing && !strings.HasPrefix(f.Mend, "millpond serve --") {
					t.Errorf("got %+v", f)
				}
			}
		})
	}
}

func TestCompare(t *testing.T) {
	for _, c := range []struct {
		a, b string
		want int
	}{{"4.3.0", "4.3", 0}, {"4.10", "4.9", 1}, {"2.3.0rc1", "2.3", 0}, {"3", "2.9.9", 1}, {"2.2", "3", -1}} {
		got := compare(c.a, c.b)
		if (got > 0) != (c.want > 0) || (got < 0) != (c.want < 0) {
			t.Errorf("compare(%s, %s) = %d", c.a, c.b, got)
		}
	}
}
