package registry

import (
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestSources(t *testing.T) {
	a := newAPI(t)
	a.create("m")
	a.add("m", "s3://b/base")
	a.OK("POST", "registered-models/alias", body{"name": "m", "alias": "best", "version": "1"})
	for _, c := range []struct {
		source   string
		run      any
		model    any
		location string // where the artifacts are, or, if refused, ""
		wantRun  string
	}{
		{"s3://b/x", nil, nil, "s3://b/x", ""},
		{"s3://b/x", "any", nil, "s3://b/x", "any"},
		{"runs:/run1/model", "run1", nil, "runs:/run1/model", "run1"},
		{"runs:/run1/model", nil, nil, "", ""},
		{"runs:/run1/model", "run2", nil, "", ""},
		{"runs://profile/run1/model", "run1", nil, "", ""},
		{"mlflow-artifacts:/1/run1/artifacts/m", "run1", nil, "mlflow-artifacts:/1/run1/artifacts/m", "run1"},
		{"mlflow-artifacts:/1/run1/artifacts", "run1", nil, "mlflow-artifacts:/1/run1/artifacts", "run1"},
		{"mlflow-artifacts:/1/run1/artifactsX", "run1", nil, "", ""},
		{"mlflow-artifacts:/1/run2/artifacts/m", "run1", nil, "", ""},
		{"mlflow-artifacts:/1/run1/artifacts/m", nil, nil, "", ""},
		{"mlflow-artifacts:/1/run1/artifacts/m", "gone", nil, "", ""},
		{"mlflow-artifacts:/1/run1/artifacts/../../x", "run1", nil, "", ""},
		{"mlflow-artifacts:/1/run1/artifacts/..%2f..%2fx", "run1", nil, "", ""},
		{"http://h/api/2.0/mlflow-artifacts/artifacts/1/run2/artifacts", "run1", nil, "", ""},
		{"models:/m-1", nil, "m-1", "mlflow-artifacts:/1/models/m-1/artifacts", "run1"},
		{"models:/m-1", nil, nil, "", ""},
		{"models:/m-2", nil, "m-2", "", ""},
		{"mlflow-artifacts:/1/models/m-1/artifacts", nil, "m-1", "mlflow-artifacts:/1/models/m-1/artifacts", "run1"},
		{"mlflow-artifacts:/1/models/m-9/artifacts", nil, "m-1", "", ""},
		{"models:/m/1", nil, nil, "s3://b/base", ""},
		{"models:/m@best", nil, nil, "s3://b/base", ""},
		{"models:/m/1", "run1", nil, "", ""},
		{"models:/", nil, nil, "", ""},
		{"/etc/passwd", "run1", nil, "", ""},
		{"file:///etc", "run1", nil, "", ""},
		{"relative", nil, nil, "", ""},
		{"s3://b/../x", nil, nil, "", ""},
		{"s3://b/%252e%252e/x", nil, nil, "", ""},
	} {
		in := body{"name": "m", "source": c.source, "run_id": c.run, "model_id": c.model}
		status, out := a.Call("POST", "model-versions/create", in)
		if c.location == "" {
			if status != 400 || out["error_code"] != invalid || !strings.Contains(out["message"].(string), "Invalid model version source") {
				t.Errorf("%v: %d %v", in, status, out)
			}
			continue
		}
		if status != 200 {
			t.Errorf("%v: %d %v", in, status, out)
			continue
		}
		var v ModelVersion
		into(t, out["model_version"], &v)
		uri := a.OK("GET", "model-versions/get-download-uri", url.Values{"name": {"m"}, "version": {v.Version}})["artifact_uri"]
		if uri != c.location || v.RunID != c.wantRun {
			t.Errorf("%v: kept at %v of run %q", in, uri, v.RunID)
		}
	}
	a.Fails("POST", "model-versions/create", body{"name": "m", "source": "models:/m/99"}, 404, missing, "")
	if len(a.tracking.links) != 2 {
		t.Errorf("links: %v", a.tracking.links)
	}
	w := httptest.NewRecorder()
	a.mux.ServeHTTP(w, httptest.NewRequest("GET", "/model-versions/get-artifact?name=m&version=1&path=MLmodel", nil))
	if w.Body.String() != "s3://b/base|MLmodel" {
		t.Errorf("artifact of a version: %d %s", w.Code, w.Body)
	}
}

func (a *api) search(what string, in url.Values) (found []string, token string) {
	a.T.Helper()
	out := a.OK("GET", what+"/search", in)
	var parsed struct {
		Models   []RegisteredModel `json:"registered_models"`
		Versions []ModelVersion    `json:"model_versions"`
		Token    string            `json:"next_page_token"`
	}
	into(a.T, out, &parsed)
	for _, m := range parsed.Models {
		found = append(found, m.Name)
	}
	for _, v := range parsed.Versions {
		found = append(found, v.Name+v.Version)
	}
	return found, parsed.Token
}

func TestSearch(t *testing.T) {
	a := newAPI(t)
	for _, name := range []string{"alpha", "Beta", "gamma"} {
		a.create(name)
		a.OK("POST", "registered-models/set-tag", body{"name": name, "key": "n", "value": name[:1]})
	}
	a.add("alpha", "s3://b/1", "run_id", "r1")
	a.add("alpha", "s3://b/2", "run_id", "r2", "tags", []body{{"key": "t", "value": "x"}})
	a.add("Beta", "s3://c/1", "run_id", "r1")
	prompt := []body{{"key": promptTag, "value": "true"}}
	a.OK("POST", "registered-models/create", body{"name": "ask", "tags": prompt})
	a.add("ask", "dummy-source", "tags", prompt)
	a.Fails("POST", "model-versions/create", body{"name": "ask", "source": "s3://b", "tags": prompt}, 400, invalid, "prompt source")
	a.Fails("POST", "model-versions/create", body{"name": "alpha", "source": "models:/ask/1"}, 400, invalid, "Prompt versions")
	a.Fails("POST", "registered-models/create", body{"name": "alpha", "tags": prompt}, 400, taken, "already taken by a registered model")
	for _, c := range []struct{ what, filter, order, want string }{
		{"registered-models", "", "", "Beta alpha gamma"},
		{"registered-models", "", "name DESC", "gamma alpha Beta"},
		{"registered-models", "name ILIKE 'b%'", "", "Beta"},
		{"registered-models", "name IN ('alpha', 'gamma')", "", "alpha gamma"},
		{"registered-models", "tags.n = 'g' AND name LIKE 'g%'", "", "gamma"},
		{"registered-models", "tags.`mlflow.prompt.is_prompt` = 'true'", "", "ask"},
		{"registered-models", "tags.`mlflow.prompt.is_prompt` != 'true'", "", "Beta alpha gamma"},
		{"model-versions", "", "", "Beta1 alpha2 alpha1"},
		{"model-versions", "name = 'alpha'", "version_number ASC", "alpha1 alpha2"},
		{"model-versions", "run_id = 'r1'", "name", "Beta1 alpha1"},
		{"model-versions", "source_path LIKE 's3://b%' AND tags.t = 'x'", "", "alpha2"},
		{"model-versions", "version_number > 1", "", "alpha2"},
		{"model-versions", "run_id IN ('r2','r9')", "", "alpha2"},
		{"model-versions", "tags.`mlflow.prompt.is_prompt` = 'true'", "", "ask1"},
	} {
		in := url.Values{"filter": {c.filter}}
		if c.order != "" {
			in["order_by"] = []string{c.order}
		}
		if got, _ := a.search(c.what, in); strings.Join(got, " ") != c.want {
			t.Errorf("%s %q by %q: %v, want %s", c.what, c.filter, c.order, got, c.want)
		}
	}
	first, token := a.search("model-versions", url.Values{"max_results": {"2"}})
	second, last := a.search("model-versions", url.Values{"max_results": {"2"}, "page_token": {token}})
	if d := cmp.Diff([]string{"Beta1", "alpha2", "alpha1"}, append(first, second...)); d != "" || last != "" {
		t.Errorf("pages: %s, then token %q", d, last)
	}
	for _, in := range []url.Values{{"filter": {"bogus='x'"}}, {"filter": {"name > 'x'"}}, {"filter": {"tags.a > '1'"}}, {"max_results": {"200001"}},
		{"max_results": {"0"}}, {"order_by": {"bogus"}}, {"order_by": {"name", "name"}}, {"page_token": {"x"}}} {
		a.Fails("GET", "model-versions/search", in, 400, invalid, "")
		a.Fails("GET", "registered-models/search", in, 400, invalid, "")
	}
}
