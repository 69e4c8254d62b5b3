package ui

import (
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
	"time"
)

// answers is a REST API of canned answers by path.
type answers map[string]string

func (a answers) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	body, ok := a[strings.TrimPrefix(r.URL.Path, "/ajax-api/2.0/mlflow/")]
	if !ok {
		w.WriteHeader(http.StatusNotFound)
		body = `{"error_code":"RESOURCE_DOES_NOT_EXIST","message":"Run '<b>x</b>' not found"}`
	}
	_, _ = w.Write([]byte(body))
}

const oneRun = `{"info":{"run_id":"r1","run_name":"<script>alert(1)</script>","experiment_id":"1","status":"FINISHED","start_time":1000,"end_time":3500},
  "data":{"metrics":[{"key":"rmse","value":17.25,"step":3,"timestamp":1000},{"key":"bad","value":"NaN","step":0,"timestamp":1000}],"params":[{"key":"depth","value":"5"}]}}`

func pages(t *testing.T, api http.Handler) http.Handler {
	t.Helper()
	u, err := New(Options{API: api, Status: func() Status { return Status{HTTP: "127.0.0.1:5000"} }, Storage: func() int64 { return 1 }})
	if err != nil {
		t.Fatal(err)
	}
	mux := http.NewServeMux()
	u.Mount(mux)
	return mux
}

func get(h http.Handler, path string) *httptest.ResponseRecorder {
	w := httptest.NewRecorder()
	h.ServeHTTP(w, httptest.NewRequest("GET", path, nil))
	return w
}

func TestPages(t *testing.T) {
	version := `{"name":"m","version":"2","current_stage":"Production","run_id":"r1","aliases":["champion"]}`
	h := pages(t, answers{
		"/api/millpond/learn/topics":         `{"topics":[{"id":"t","title":"Flow"}]}`,
		"/api/millpond/learn/labs":           `{"labs":[{"id":"fly","title":"Up"}]}`,
		"experiments/search":                 `{"experiments":[{"experiment_id":"1","name":"flights"}]}`,
		"experiments/get":                    `{"experiment":{"experiment_id":"1","name":"flights","tags":[{"key":"mlflow.note.content","value":"a note"}]}}`,
		"runs/search":                        `{"runs":[` + oneRun + `],"next_page_token":"n"}`,
		"runs/get":                           `{"run":` + oneRun + `}`,
		"artifacts/list":                     `{"files":[{"path":"model","is_dir":true},{"path":"notes.txt","file_size":1234}]}`,
		"registered-models/search":           `{"registered_models":[{"name":"m","latest_versions":[` + version + `]}]}`,
		"registered-models/get":              `{"registered_model":{"name":"m","latest_versions":[` + version + `],"aliases":[{"alias":"champion","version":"2"}]}}`,
		"model-versions/search":              `{"model_versions":[` + version + `]}`,
		"model-versions/get":                 `{"model_version":` + version + `}`,
		"transition-requests/list":           `{"requests":[{"user_id":"ben","to_stage":"Archived","comment":"too old"}]}`,
		"/ajax-api/3.0/mlflow/traces/search": `{"traces":[` + oneTrace + `]}`,
		"/ajax-api/2.0/millpond/model-versions/activities": `{"activities":[{"id":"7","activity_type":"NEW_COMMENT","user_id":"eve","comment":"<script>alert(2)</script>","creation_timestamp":1},
			{"activity_type":"APPLIED_TRANSITION","user_id":"ana","from_stage":"None","to_stage":"Staging","creation_timestamp":1}]}`,
	})
	for path, wants := range map[string][]string{
		"/":                                   {"17.25", "flights", "&lt;script&gt;alert(1)"},
		"/experiments":                        {`href="/experiments/1"`},
		"/experiments/1":                      {"a note", "17.25", "depth", "NaN", "More runs", "2.5 s"},
		"/experiments/1/runs/r1":              {"rmse", "notes.txt", "1.2 kB", "model/", `href="/models/m/versions/2"`, "its traces"},
		"/runs?experiments=1,2":               {"Runs of 1 experiment", "17.25", `experiment="1"`},
		"/compare?runs=r1,r1,":                {"rmse", "depth"},
		"/models":                             {"version 2"},
		"/models/m":                           {"@champion", "17.25"},
		"/models/m/versions/2":                {"Production", "models:/m/2", "too old", "&lt;script&gt;alert(2)", "ana"},
		"/search?q=fl":                        {"flights"},
		"/experiments/1?columns=params.depth": {"depth"},
	} {
		w := get(h, path)
		if w.Code != http.StatusOK {
			t.Errorf("%s: status %d: %s", path, w.Code, w.Body)
			continue
		}
		for _, want := range wants {
			if !strings.Contains(w.Body.String(), want) {
				t.Errorf("%s lacks %q", path, want)
			}
		}
		if strings.Contains(w.Body.String(), "<script>alert") {
			t.Errorf("%s does not escape what clients log", path)
		}
		if !strings.Contains(w.Header().Get("Content-Security-Policy"), "script-src 'self'") {
			t.Errorf("%s has no policy", path)
		}
		if n := w.Body.Len(); n > 300_000 {
			t.Errorf("%s weighs %d bytes", path, n)
		}
	}
	if body := get(h, "/runs?experiments=99").Body.String(); strings.Contains(body, "<runs-table") || !strings.Contains(body, "None of these experiments") {
		t.Error("runs of an experiment that is not there are looked for")
	}
	if body := get(h, "/experiments/1?columns=params.depth").Body.String(); strings.Contains(body, "17.25") {
		t.Error("columns that were not chosen are shown")
	}
	if body := get(h, "/experiments/1?columns=params.depth,metrics.rmse").Body.String(); strings.Index(body, ">depth<") > strings.Index(body, ">rmse<") {
		t.Error("columns are not in the visitor's order")
	}
}

func TestErrorsArePages(t *testing.T) {
	w := get(pages(t, answers{}), "/experiments/1/runs/x")
	if w.Code != http.StatusNotFound || !strings.Contains(w.Body.String(), "Run &#39;&lt;b&gt;x&lt;/b&gt;&#39; not found") {
		t.Errorf("status %d: %s", w.Code, w.Body)
	}
}

func TestEmptyPagesSayHowToFillThem(t *testing.T) {
	h := pages(t, answers{"experiments/search": `{}`, "experiments/get": `{"experiment":{"experiment_id":"1","name":"flights"}}`, "runs/search": `{}`, "registered-models/search": `{}`})
	for _, path := range []string{"/", "/experiments/1", "/models"} {
		if body := get(h, path).Body.String(); !strings.Contains(body, "http://127.0.0.1:5000") {
			t.Errorf("%s shows no lines with the server's address", path)
		}
	}
}

func TestAssetsHaveHashedAddresses(t *testing.T) {
	h := pages(t, answers{})
	u, err := newAssets()
	if err != nil {
		t.Fatal(err)
	}
	if w := get(h, u.url("app.css")); w.Code != http.StatusOK || !strings.Contains(w.Header().Get("Cache-Control"), "immutable") {
		t.Errorf("status %d, %v", w.Code, w.Header())
	}
	for _, path := range []string{"/static/app.css", u.root + "../ui.go", u.root + url.PathEscape("../ui.go"), u.root} {
		if w := get(h, path); w.Code == http.StatusOK {
			t.Errorf("%s is served", path)
		}
	}
}

func TestNest(t *testing.T) {
	make := func(id, parent string) *run {
		r := &run{Info: runInfo{RunID: id}}
		if parent != "" {
			r.Data.Tags = []tag{{"mlflow.parentRunId", parent}}
		}
		return r
	}
	for _, c := range []struct{ name, in, want string }{
		{"children follow their parent", "c1:p c2:p x p gc:c1", "x p c1 gc c2"},
		{"a parent on another page", "a:gone b", "a b"},
		{"a ring", "a:b b:a c", "c a b"},
		{"its own parent", "a:a", "a"},
	} {
		var in []*run
		for _, f := range strings.Fields(c.in) {
			id, parent, _ := strings.Cut(f, ":")
			in = append(in, make(id, parent))
		}
		var got []string
		for _, r := range nest(in) {
			got = append(got, r.Info.RunID)
		}
		if strings.Join(got, " ") != c.want {
			t.Errorf("%s: got %v, want %s", c.name, got, c.want)
		}
	}
}

func TestFormats(t *testing.T) {
	for got, want := range map[string]string{
		number(17.24831): "17.25", number(12): "12", number(336776): "336776", number(1e-9): "1e-09", number(123456.7): "123457", number(0.5): "0.5",
		byteSize(999): "999 B", byteSize(1234): "1.2 kB", byteSize(999_960): "1.0 MB", byteSize(123_000_000): "123 MB",
		duration(310 * time.Millisecond): "310 ms", duration(4200 * time.Millisecond): "4.2 s", duration(62 * time.Minute): "1 h 02 m", duration(200 * time.Second): "3 m 20 s",
	} {
		if got != want {
			t.Errorf("got %s, want %s", got, want)
		}
	}
}
