package tracking

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"

	"github.com/millpond/millpond/internal/rest/resttest"
)

func (a *api) model(experiment, name string, more ...any) string {
	a.T.Helper()
	in := body{"experiment_id": experiment, "name": name}
	for i := 0; i < len(more); i += 2 {
		in[more[i].(string)] = more[i+1]
	}
	return resttest.Dig(a.OK("POST", "logged-models", in), "model", "info", "model_id").(string)
}

func TestLoggedModels(t *testing.T) {
	a := newAPI(t)
	e := a.experiment("e")
	run := a.run(e)
	id := a.model(e, "net", "source_run_id", run, "params", []body{{"key": "a", "value": "1"}}, "tags", []body{{"key": "t", "value": "v"}})
	got := a.OK("GET", "logged-models/"+id, nil)
	if resttest.Dig(got, "model", "info", "status") != "LOGGED_MODEL_PENDING" || resttest.Dig(got, "model", "data", "params", 0, "value") != "1" ||
		resttest.Dig(got, "model", "info", "artifact_uri") != "mlflow-artifacts:/"+e+"/models/"+id+"/artifacts" {
		t.Errorf("got %v", got)
	}
	for _, status := range []any{"LOGGED_MODEL_UPLOAD_FAILED", 2} {
		a.OK("PATCH", "logged-models/"+id, body{"model_id": id, "status": status})
	}
	if s := resttest.Dig(a.OK("GET", "logged-models/"+id, nil), "model", "info", "status"); s != "LOGGED_MODEL_READY" {
		t.Errorf("status %v", s)
	}
	a.Fails("PATCH", "logged-models/"+id, body{"status": "BOGUS"}, 400, invalid, "BOGUS")
	a.OK("PATCH", "logged-models/"+id+"/tags", body{"tags": []body{{"key": "a/b", "value": "1"}}})
	a.OK("DELETE", "logged-models/"+id+"/tags/a%2Fb", nil)
	a.Fails("DELETE", "logged-models/"+id+"/tags/a%2Fb", nil, 404, missing, "No tag with key 'a/b'")
	a.Fails("GET", "logged-models/m-none", nil, 404, missing, "Logged model with ID 'm-none' not found.")
	a.Fails("POST", "logged-models", body{"experiment_id": e, "name": "a/b"}, 400, invalid, "Invalid model name ('a/b')")
	a.OK("DELETE", "logged-models/"+id, nil)
	a.Fails("GET", "logged-models/"+id, nil, 404, missing, "")
	a.OK("GET", "logged-models/"+id, url.Values{"allow_deleted": {"true"}})
}

func TestSearchLoggedModels(t *testing.T) {
	a := newAPI(t)
	e := a.experiment("e")
	run := a.run(e)
	for i, acc := range []any{0.2, 0.9, 0.5, "NaN"} {
		id := a.model(e, fmt.Sprint("m", i), "params", []body{{"key": "i", "value": fmt.Sprint(i)}})
		a.OK("POST", "runs/log-metric", body{"run_id": run, "key": "acc", "value": acc, "timestamp": 1, "step": i, "model_id": id, "dataset_name": fmt.Sprint("d", i%2)})
	}
	a.model(e, "bare")
	search := func(in body) string {
		t.Helper()
		in["experiment_ids"] = []string{e}
		var s []string
		list, _ := a.OK("POST", "logged-models/search", in)["models"].([]any)
		for _, m := range list {
			s = append(s, resttest.Dig(m, "info", "name").(string))
		}
		return strings.Join(s, " ")
	}
	byAcc := []body{{"field_name": "metrics.acc", "ascending": false}}
	byName := []body{{"field_name": "name"}}
	for _, c := range []struct {
		in   body
		want string
	}{
		{body{"order_by": byAcc}, "m1 m2 m0 m3 bare"},
		{body{"order_by": byName}, "bare m0 m1 m2 m3"},
		{body{"filter": "metrics.acc > 0.3", "order_by": byName}, "m1 m2"},
		{body{"filter": "metrics.acc > 0.3", "order_by": byName, "datasets": []body{{"dataset_name": "d0"}}}, "m2"},
		{body{"order_by": byName, "datasets": []body{{"dataset_name": "d1"}}}, "m1 m3"},
		{body{"filter": "params.i = '2' AND name LIKE 'm%' AND status = 'PENDING'"}, "m2"},
		{body{"filter": "name IN ('m0', 'm3')", "order_by": byName}, "m0 m3"},
	} {
		if got := search(c.in); got != c.want {
			t.Errorf("%v: %q, want %q", c.in, got, c.want)
		}
	}
	page := a.OK("POST", "logged-models/search", body{"experiment_ids": []string{e}, "max_results": 3, "order_by": byName})
	if got := search(body{"max_results": 3, "order_by": byName, "page_token": page["next_page_token"]}); got != "m2 m3" {
		t.Errorf("second page: %q", got)
	}
	for _, in := range []body{{"filter": "bogus = 'x'"}, {"filter": "metrics.acc > 'x'"}, {"order_by": []body{{"field_name": "params.i"}}},
		{"order_by": []body{{"field_name": "bogus"}}}, {"page_token": page["next_page_token"], "filter": "name = 'x'"}, {"page_token": "x"}, {"datasets": []body{{}}}} {
		in["experiment_ids"] = []string{e}
		a.Fails("POST", "logged-models/search", in, 400, invalid, "")
	}
}

func TestArtifacts(t *testing.T) {
	a := newAPI(t)
	e := a.experiment("e")
	run := a.run(e)
	const proxy = "/api/2.0/mlflow-artifacts/artifacts"
	root := "/" + e + "/" + run + "/artifacts"
	a.OK("PUT", proxy+root+"/d/f%20%C3%BC%25.txt", "hello")
	a.OK("PUT", proxy+root+"/top.txt", "x")
	list := a.OK("GET", proxy, url.Values{"path": {root[1:] + "/d"}})
	if resttest.Dig(list, "files", 0, "path") != "f ü%.txt" || resttest.Dig(list, "files", 0, "file_size") != 5.0 {
		t.Errorf("proxy list: %v", list)
	}
	list = a.OK("GET", "artifacts/list", url.Values{"run_id": {run}, "path": {"d"}})
	if resttest.Dig(list, "files", 0, "path") != "d/f ü%.txt" || resttest.Dig(list, "root_uri") != "mlflow-artifacts:"+root {
		t.Errorf("run list: %v", list)
	}
	get := func(target, ranges string) *httptest.ResponseRecorder {
		r := httptest.NewRequest("GET", target, nil)
		if ranges != "" {
			r.Header.Set("Range", ranges)
		}
		w := httptest.NewRecorder()
		a.mux.ServeHTTP(w, r)
		return w
	}
	w := get(proxy+root+"/d/f%20%C3%BC%25.txt", "")
	if w.Body.String() != "hello" || !strings.HasPrefix(w.Header().Get("Content-Disposition"), "attachment") || w.Header().Get("X-Content-Type-Options") != "nosniff" {
		t.Errorf("download: %v %s", w.Header(), w.Body)
	}
	if w = get("/get-artifact?"+url.Values{"run_id": {run}, "path": {"d/f ü%.txt"}}.Encode(), "bytes=1-2"); w.Code != http.StatusPartialContent || w.Body.String() != "el" {
		t.Errorf("range: %d %s", w.Code, w.Body)
	}
	a.OK("PUT", proxy+root+"/page.html", "<script>1</script>")
	page := "/get-artifact?" + url.Values{"run_id": {run}, "path": {"page.html"}}.Encode()
	if h := get(page, "").Header(); !strings.HasPrefix(h.Get("Content-Disposition"), "attachment") || !strings.HasPrefix(h.Get("Content-Security-Policy"), "sandbox;") {
		t.Errorf("HTML is sent with %v", h)
	}
	if h := get(page+"&view=sandbox", "").Header(); h.Get("Content-Disposition") != "inline" || !strings.HasPrefix(h.Get("Content-Security-Policy"), "sandbox allow-scripts; default-src 'none'") {
		t.Errorf("HTML to look at is sent with %v", h)
	}
	if h := get("/get-artifact?"+url.Values{"run_id": {run}, "path": {"top.txt"}, "view": {"sandbox"}}.Encode(), "").Header(); !strings.HasPrefix(h.Get("Content-Disposition"), "attachment") {
		t.Errorf("other files are sent with %v", h)
	}
	a.Fails("GET", proxy+root+"/d", nil, 400, invalid, "refers to a directory")
	a.Fails("GET", proxy+root+"/none", nil, 404, missing, "No such artifact")
	for _, p := range []string{"/..%2f..%2fetc%2fpasswd", "/%2e%2e/%2e%2e/etc/passwd", "//etc/passwd", "/a%5c..%5cb", "/a%00b", "/%252e%252e/x"} {
		a.Fails("GET", proxy+p, nil, 400, invalid, "Invalid path")
		a.Fails("PUT", proxy+p, "x", 400, invalid, "Invalid path")
		a.Fails("DELETE", proxy+p, nil, 400, invalid, "Invalid path")
	}
	a.Fails("GET", proxy, url.Values{"path": {"../x"}}, 400, invalid, "Invalid path")
	a.Fails("GET", "artifacts/list", url.Values{"run_id": {run}, "path": {"../../0"}}, 400, invalid, "Invalid path")
	a.Fails("GET", "/get-artifact", url.Values{"run_id": {run}, "path": {"../../x"}}, 400, invalid, "Invalid path")
	a.OK("DELETE", proxy+root+"/d", nil)
	if list = a.OK("GET", proxy, url.Values{"path": {root[1:] + "/d"}}); list["files"] != nil {
		t.Errorf("deleted and still listed: %v", list)
	}
	elsewhere := a.OK("POST", "experiments/create", body{"name": "s3", "artifact_location": "s3://bucket/p?x=1"})["experiment_id"].(string)
	far := a.run(elsewhere)
	if uri := resttest.Dig(a.getRun(far), "info", "artifact_uri"); uri != "s3://bucket/p/"+far+"/artifacts?x=1" {
		t.Errorf("artifacts at %v", uri)
	}
	a.Fails("GET", "artifacts/list", url.Values{"run_id": {far}}, 501, "NOT_IMPLEMENTED", "s3://bucket")
}

func TestServerPages(t *testing.T) {
	a := newAPI(t)
	for path, want := range map[string]string{"/health": "OK", "/version": Version} {
		if _, got := a.Call("GET", path, nil); got["raw"] != want {
			t.Errorf("%s: %v", path, got)
		}
	}
	if info := a.OK("GET", "/api/3.0/mlflow/server-info", nil); info["store_type"] != "SqlStore" {
		t.Errorf("server info: %v", info)
	}
	a.Fails("GET", "nope", nil, 404, "ENDPOINT_NOT_FOUND", "nope")
	one := a.OK("GET", "/ajax-api/2.0/mlflow/experiments/get", url.Values{"experiment_id": {"0"}})
	if resttest.Dig(one, "experiment", "name") != "Default" {
		t.Errorf("under the browsers' prefix: %v", one)
	}
}

// FuzzSearchRuns: no filter or ordering makes the server fail, and what it
// refuses it refuses as the client's mistake.
func FuzzSearchRuns(f *testing.F) {
	a := newAPI(f)
	run := a.run("0")
	a.OK("POST", "runs/log-metric", body{"run_id": run, "key": "m", "value": 1, "timestamp": 1})
	for _, s := range [][2]string{{"metrics.m > 0", "metrics.m DESC"}, {"tags.`a b` LIKE '%_\\'", "tags.x"}, {"run_id IN ('a')", "end_time"},
		{"start_time > 1e400", "params.`a` ASC"}, {"dataset.context != 'x'", "attributes.status"}, {"end_time = -0.5", ""}} {
		f.Add(s[0], s[1])
	}
	f.Fuzz(func(t *testing.T, filter, order string) {
		in := body{"experiment_ids": []string{"0"}, "filter": filter}
		if order != "" {
			in["order_by"] = []string{order}
		}
		one := *a // its helper must be this round's
		one.T = t
		if status, out := one.Call("POST", "runs/search", in); status != 200 && out["error_code"] != invalid {
			t.Errorf("filter %q, order %q: %d %v", filter, order, status, out)
		}
	})
}
