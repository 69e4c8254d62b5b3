package registry

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/url"
	"strings"
	"sync"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/millpond/millpond/internal/db"
	"github.com/millpond/millpond/internal/db/dbtest"
	"github.com/millpond/millpond/internal/rest"
	"github.com/millpond/millpond/internal/rest/resttest"
)

var quiet = slog.New(slog.DiscardHandler)

// fakeTracking knows one run, "run1", and one logged model of it, "m-1".
type fakeTracking struct {
	mu      sync.Mutex
	links   []string
	deleted []string
}

func (*fakeTracking) RunLocation(_ context.Context, id string) (string, error) {
	if id != "run1" {
		return "", rest.NotFound("no run")
	}
	return "mlflow-artifacts:/1/run1/artifacts", nil
}

func (*fakeTracking) ModelLocation(_ context.Context, id string) (string, string, error) {
	if id != "m-1" {
		return "", "", rest.NotFound("no model")
	}
	return "mlflow-artifacts:/1/models/m-1/artifacts", "run1", nil
}

func (f *fakeTracking) LinkModelVersion(_ context.Context, id, name string, version int64) error {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.links = append(f.links, fmt.Sprint(id, " ", name, " ", version))
	return nil
}

func (*fakeTracking) SendArtifact(w http.ResponseWriter, _ *http.Request, location, name string) error {
	_, err := io.WriteString(w, location+"|"+name)
	return err
}

func (f *fakeTracking) DeleteArtifacts(_ context.Context, location string) error {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.deleted = append(f.deleted, location)
	return nil
}

func TestOnPostgres(t *testing.T) { dbtest.OnPostgres(t) }

type api struct {
	resttest.Client
	mux      *rest.Mux
	tracking *fakeTracking
}

func newAPI(t *testing.T) *api {
	t.Helper()
	records, err := db.Open(t.Context(), dbtest.Address(t), db.Options{Logger: quiet})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { records.Close() })
	mux := rest.NewMux(rest.MuxOptions{Logger: quiet})
	a := &api{resttest.Client{T: t, Handler: mux, Prefix: "/api/2.0/mlflow/"}, mux, &fakeTracking{}}
	New(records, a.tracking, Options{Logger: quiet}).Mount(a.mux)
	return a
}

type body = resttest.Body

// model and version read one answer into its type.
func (a *api) model(name string) (m RegisteredModel) {
	a.T.Helper()
	into(a.T, a.OK("GET", "registered-models/get", url.Values{"name": {name}})["registered_model"], &m)
	return m
}

func (a *api) version(name, version string) (v ModelVersion) {
	a.T.Helper()
	into(a.T, a.OK("GET", "model-versions/get", url.Values{"name": {name}, "version": {version}})["model_version"], &v)
	return v
}

func (a *api) add(name, source string, more ...any) (v ModelVersion) {
	a.T.Helper()
	in := body{"name": name, "source": source}
	for i := 0; i < len(more); i += 2 {
		in[more[i].(string)] = more[i+1]
	}
	into(a.T, a.OK("POST", "model-versions/create", in)["model_version"], &v)
	return v
}

func (a *api) create(name string) {
	a.T.Helper()
	a.OK("POST", "registered-models/create", body{"name": name})
}

func into(t testing.TB, from, to any) {
	t.Helper()
	raw, err := json.Marshal(from)
	if err == nil {
		err = json.Unmarshal(raw, to)
	}
	if err != nil {
		t.Fatal(err)
	}
}

const (
	invalid = "INVALID_PARAMETER_VALUE"
	missing = "RESOURCE_DOES_NOT_EXIST"
	taken   = "RESOURCE_ALREADY_EXISTS"
)

func TestRegisteredModels(t *testing.T) {
	a := newAPI(t)
	a.OK("POST", "registered-models/create", body{"name": "mödel 1", "description": "d", "tags": []body{{"key": "a", "value": "1"}}})
	if m := a.model("mödel 1"); m.Description != "d" || !cmp.Equal(m.Tags, []Tag{{"a", "1"}}) || m.CreationTimestamp == 0 {
		t.Errorf("got %+v", m)
	}
	a.Fails("POST", "registered-models/create", body{"name": "mödel 1"}, 400, taken, "Registered Model (name=mödel 1) already exists.")
	for _, name := range []string{"", " ", "a/b", "a:b", "..", "."} {
		a.Fails("POST", "registered-models/create", body{"name": name}, 400, invalid, "")
	}
	a.add("mödel 1", "s3://b/x")
	a.create("other")
	a.Fails("POST", "registered-models/rename", body{"name": "mödel 1", "new_name": "other"}, 400, taken, "other")
	a.OK("POST", "registered-models/rename", body{"name": "mödel 1", "new_name": "new"})
	if v := a.version("new", "1"); v.Name != "new" {
		t.Errorf("after renaming: %+v", v)
	}
	a.Fails("GET", "registered-models/get", url.Values{"name": {"mödel 1"}}, 404, missing, "Registered Model with name=mödel 1 not found")
	a.OK("PATCH", "registered-models/update", body{"name": "new", "description": "n"})
	a.OK("POST", "registered-models/set-tag", body{"name": "new", "key": "a", "value": "2"})
	a.OK("POST", "registered-models/set-tag", body{"name": "new", "key": "b"})
	a.OK("DELETE", "registered-models/delete-tag", body{"name": "new", "key": "b"})
	a.OK("DELETE", "registered-models/delete-tag", body{"name": "new", "key": "never"})
	if m := a.model("new"); m.Description != "n" || !cmp.Equal(m.Tags, []Tag{{"a", "2"}}) {
		t.Errorf("after changes: %+v", m)
	}
	a.Fails("POST", "registered-models/set-tag", body{"name": "new", "key": strings.Repeat("k", 251)}, 400, invalid, "250")
	a.OK("DELETE", "registered-models/delete", body{"name": "new"})
	a.Fails("DELETE", "registered-models/delete", body{"name": "new"}, 404, missing, "")
	a.create("new")
	if v := a.add("new", "s3://b/x"); v.Version != "1" {
		t.Errorf("a new model of an old name begins with version %s", v.Version)
	}
}

func TestVersions(t *testing.T) {
	a := newAPI(t)
	a.create("m")
	a.add("m", "s3://b/x")
	v := a.add("m", "s3://b/y", "run_id", "any", "description", "d", "run_link", "l", "tags", []body{{"key": "t", "value": "1"}})
	want := ModelVersion{Name: "m", Version: "2", CurrentStage: "None", Description: "d", Source: "s3://b/y", RunID: "any", Status: "READY", UserID: "local",
		RunLink: "l", Tags: []Tag{{"t", "1"}}, CreationTimestamp: v.CreationTimestamp, LastUpdatedTimestamp: v.CreationTimestamp}
	if d := cmp.Diff(want, a.version("m", "2")); d != "" {
		t.Error(d)
	}
	a.OK("PATCH", "model-versions/update", body{"name": "m", "version": "2", "description": "n"})
	a.OK("POST", "model-versions/set-tag", body{"name": "m", "version": "2", "key": "t", "value": "2"})
	a.OK("DELETE", "model-versions/delete-tag", body{"name": "m", "version": "2", "key": "t"})
	if v := a.version("m", "2"); v.Description != "n" || v.Tags != nil {
		t.Errorf("after changes: %+v", v)
	}
	a.OK("DELETE", "model-versions/delete", body{"name": "m", "version": "2"})
	a.Fails("DELETE", "model-versions/delete", body{"name": "m", "version": "2"}, 404, missing, "Model Version (name=m, version=2) not found")
	if v := a.add("m", "s3://b/z"); v.Version != "3" {
		t.Errorf("a deleted version's number was given again: %s", v.Version)
	}
	a.Fails("GET", "model-versions/get", url.Values{"name": {"m"}, "version": {"abc"}}, 400, invalid, "must be an integer, got 'abc'")
	a.Fails("POST", "model-versions/create", body{"name": "none", "source": "s3://b/x"}, 404, missing, "none")
}

func TestConcurrentVersions(t *testing.T) {
	a := newAPI(t)
	a.create("m")
	var wg sync.WaitGroup
	var mu sync.Mutex
	seen := map[string]int{}
	for range 100 {
		wg.Go(func() {
			v := a.add("m", "s3://b/x")
			mu.Lock()
			defer mu.Unlock()
			seen[v.Version]++
		})
	}
	wg.Wait()
	for n := 1; n <= 100; n++ {
		if seen[fmt.Sprint(n)] != 1 {
			t.Errorf("version %d was given %d times", n, seen[fmt.Sprint(n)])
		}
	}
}

func TestStages(t *testing.T) {
	a := newAPI(t)
	a.create("m")
	for range 4 {
		a.add("m", "s3://b/x")
	}
	move := func(version, stage string, archive bool) {
		t.Helper()
		a.OK("POST", "model-versions/transition-stage", body{"name": "m", "version": version, "stage": stage, "archive_existing_versions": archive})
	}
	stages := func() string {
		var s []string
		for _, v := range []string{"1", "2", "3", "4"} {
			s = append(s, a.version("m", v).CurrentStage)
		}
		return strings.Join(s, " ")
	}
	move("1", "pRODUCTION", false)
	move("2", "Production", false)
	move("4", "Staging", true)
	if got := stages(); got != "Production Production None Staging" {
		t.Error(got)
	}
	move("3", "Production", true)
	if got := stages(); got != "Archived Archived Production Staging" {
		t.Error(got)
	}
	var latest struct {
		Versions []ModelVersion `json:"model_versions"`
	}
	for stages, want := range map[string]string{"": "2 3 4", "production": "3", "Archived": "2", "None": ""} {
		in := body{"name": "m"}
		if stages != "" {
			in["stages"] = []string{stages}
		}
		latest.Versions = nil
		into(t, a.OK("POST", "registered-models/get-latest-versions", in), &latest)
		var got []string
		for _, v := range latest.Versions {
			got = append(got, v.Version)
		}
		if sorted(got) != want {
			t.Errorf("latest of %q: %v, want %s", stages, got, want)
		}
	}
	a.Fails("POST", "model-versions/transition-stage", body{"name": "m", "version": "1", "stage": "Bogus"}, 400, invalid, "Invalid Model Version stage: Bogus")
	a.Fails("POST", "model-versions/transition-stage", body{"name": "m", "version": "1", "stage": "Archived", "archive_existing_versions": true}, 400, invalid, "not an Active stage")
	a.Fails("POST", "model-versions/transition-stage", body{"name": "m", "version": "9", "stage": "Staging"}, 404, missing, "")
}

func sorted(s []string) string {
	for i := range s {
		for j := i; j > 0 && s[j] < s[j-1]; j-- {
			s[j], s[j-1] = s[j-1], s[j]
		}
	}
	return strings.Join(s, " ")
}

func TestAliases(t *testing.T) {
	a := newAPI(t)
	a.create("m")
	a.add("m", "s3://b/x")
	a.add("m", "s3://b/x")
	set := func(alias, version string) body { return body{"name": "m", "alias": alias, "version": version} }
	a.OK("POST", "registered-models/alias", set("champ", "1"))
	a.OK("POST", "registered-models/alias", set("b-2_é", "1"))
	a.OK("POST", "registered-models/alias", set("champ", "2"))
	if got := a.model("m").Aliases; !cmp.Equal(got, []Alias{{"b-2_é", "1"}, {"champ", "2"}}) {
		t.Errorf("aliases: %v", got)
	}
	by := func(alias string) string {
		var v ModelVersion
		into(t, a.OK("GET", "registered-models/alias", url.Values{"name": {"m"}, "alias": {alias}})["model_version"], &v)
		return v.Version
	}
	if by("champ") != "2" || by("b-2_é") != "1" || by("Latest") != "2" {
		t.Error("aliases point elsewhere")
	}
	for _, alias := range []string{"latest", "LATEST", "v1", "V22", "bad name", "a/b", strings.Repeat("x", 256), ""} {
		a.Fails("POST", "registered-models/alias", set(alias, "1"), 400, invalid, "")
	}
	a.Fails("POST", "registered-models/alias", set("x", "9"), 404, missing, "")
	a.OK("DELETE", "model-versions/delete", body{"name": "m", "version": "2"})
	a.Fails("GET", "registered-models/alias", url.Values{"name": {"m"}, "alias": {"champ"}}, 400, invalid, "Registered model alias champ not found.")
	a.OK("DELETE", "registered-models/alias", body{"name": "m", "alias": "b-2_é"})
	a.OK("DELETE", "registered-models/alias", body{"name": "m", "alias": "b-2_é"})
	if got := a.model("m").Aliases; got != nil {
		t.Errorf("left: %v", got)
	}
}
