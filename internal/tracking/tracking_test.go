package tracking

import (
	"context"
	"encoding/json"
	"fmt"
	"log/slog"
	"net/url"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/millpond/millpond/internal/artifact"
	"github.com/millpond/millpond/internal/db"
	"github.com/millpond/millpond/internal/db/dbtest"
	"github.com/millpond/millpond/internal/rest"
	"github.com/millpond/millpond/internal/rest/resttest"
)

var quiet = slog.New(slog.DiscardHandler)

// api is a server in a directory of its own.
type api struct {
	resttest.Client
	mux *rest.Mux
	db  *db.DB
	dir string
}

func newAPI(t testing.TB) *api {
	t.Helper()
	a, closeAll := openAPI(t, t.TempDir(), dbtest.Address(t))
	t.Cleanup(closeAll)
	return a
}

func TestOnPostgres(t *testing.T) { dbtest.OnPostgres(t) }

func openAPI(t testing.TB, dir, store string) (*api, func()) {
	t.Helper()
	ctx := context.Background()
	records, err := db.Open(ctx, store, db.Options{Logger: quiet})
	if err != nil {
		t.Fatal(err)
	}
	files, err := artifact.Open(filepath.Join(dir, "artifacts"))
	if err != nil {
		t.Fatal(err)
	}
	s, err := New(ctx, records, files, Options{Logger: quiet})
	if err != nil {
		t.Fatal(err)
	}
	mux := rest.NewMux(rest.MuxOptions{Logger: quiet})
	s.Mount(mux)
	c := resttest.Client{T: t, Handler: mux, Prefix: "/api/2.0/mlflow/", Raw: true}
	return &api{c, mux, records, dir}, func() { records.Close(); files.Close() }
}

type body = resttest.Body

func (a *api) experiment(name string) string {
	a.T.Helper()
	return a.OK("POST", "experiments/create", body{"name": name})["experiment_id"].(string)
}

func (a *api) run(experiment string, more ...any) string {
	a.T.Helper()
	in := body{"experiment_id": experiment, "start_time": 1}
	for i := 0; i < len(more); i += 2 {
		in[more[i].(string)] = more[i+1]
	}
	return resttest.Dig(a.OK("POST", "runs/create", in), "run", "info", "run_id").(string)
}

func (a *api) getRun(id string) body {
	a.T.Helper()
	return a.OK("GET", "runs/get", url.Values{"run_id": {id}})["run"].(body)
}

// pairs makes a map of a list of keys and values.
func pairs(list any) map[string]any {
	out := map[string]any{}
	items, _ := list.([]any)
	for _, p := range items {
		out[resttest.Dig(p, "key").(string)] = resttest.Dig(p, "value")
	}
	return out
}

// names lists the names of the runs of a search's answer.
func names(out body) string {
	var s []string
	runs, _ := out["runs"].([]any)
	for _, r := range runs {
		s = append(s, resttest.Dig(r, "info", "run_name").(string))
	}
	return strings.Join(s, " ")
}

const (
	invalid = "INVALID_PARAMETER_VALUE"
	missing = "RESOURCE_DOES_NOT_EXIST"
)

func TestExperiments(t *testing.T) {
	a := newAPI(t)
	byID := func(id string) url.Values { return url.Values{"experiment_id": {id}} }
	if e := a.OK("GET", "experiments/get", byID("0")); resttest.Dig(e, "experiment", "name") != "Default" {
		t.Errorf("default experiment: %v", e)
	}
	id := a.OK("POST", "experiments/create", body{"name": "e", "tags": []body{{"key": "a", "value": "b"}}})["experiment_id"].(string)
	e := a.OK("GET", "experiments/get", byID(id))
	if resttest.Dig(e, "experiment", "artifact_location") != "mlflow-artifacts:/"+id || pairs(resttest.Dig(e, "experiment", "tags"))["a"] != "b" {
		t.Errorf("got %v", e)
	}
	a.Fails("POST", "experiments/create", body{"name": "e"}, 400, "RESOURCE_ALREADY_EXISTS", "already exists")
	a.Fails("POST", "experiments/create", body{"name": strings.Repeat("x", 501)}, 400, invalid, "500")
	a.Fails("GET", "experiments/get", byID("77"), 404, missing, "No Experiment with id=77 exists")
	a.Fails("GET", "experiments/get", byID("x"), 400, invalid, "valid integer")
	a.Fails("GET", "experiments/get-by-name", url.Values{"experiment_name": {"none"}}, 404, missing, "'none'")
	a.OK("POST", "experiments/update", body{"experiment_id": id, "new_name": "f"})
	a.Fails("POST", "experiments/update", body{"experiment_id": id, "new_name": "Default"}, 400, "RESOURCE_ALREADY_EXISTS", "")
	run := a.run(id)
	a.OK("POST", "experiments/delete", body{"experiment_id": id})
	a.Fails("POST", "experiments/delete", body{"experiment_id": id}, 404, missing, "")
	a.Fails("POST", "runs/create", body{"experiment_id": id}, 400, invalid, "must be in the 'active' state")
	a.Fails("POST", "experiments/set-experiment-tag", body{"experiment_id": id, "key": "k"}, 400, invalid, "active")
	a.Fails("POST", "experiments/update", body{"experiment_id": id, "new_name": "g"}, 400, "INVALID_STATE", "non-active")
	if got := resttest.Dig(a.getRun(run), "info", "lifecycle_stage"); got != "deleted" {
		t.Errorf("a deleted experiment's run is %v", got)
	}
	a.OK("POST", "experiments/restore", body{"experiment_id": id})
	if got := resttest.Dig(a.getRun(run), "info", "lifecycle_stage"); got != "active" {
		t.Errorf("a restored experiment's run is %v", got)
	}
	a.OK("POST", "experiments/set-experiment-tag", body{"experiment_id": id, "key": "k", "value": strings.Repeat("é", 20000)})
	a.Fails("POST", "experiments/set-experiment-tag", body{"experiment_id": id, "key": "k", "value": strings.Repeat("x", 20001)}, 400, invalid, "20000")
	a.OK("POST", "experiments/delete-experiment-tag", body{"experiment_id": id, "key": "k"})
	a.Fails("POST", "experiments/delete-experiment-tag", body{"experiment_id": id, "key": "k"}, 404, missing, "No tag with name: k")
}

func TestSearchExperiments(t *testing.T) {
	a := newAPI(t)
	for i, n := range []string{"alpha", "beta", "Gamma"} {
		id := a.experiment(n)
		a.OK("POST", "experiments/set-experiment-tag", body{"experiment_id": id, "key": "nr", "value": fmt.Sprint(i)})
	}
	a.OK("POST", "experiments/delete", body{"experiment_id": a.experiment("gone")})
	search := func(in body) string {
		t.Helper()
		if in["max_results"] == nil {
			in["max_results"] = 100
		}
		var s []string
		list, _ := a.OK("POST", "experiments/search", in)["experiments"].([]any)
		for _, e := range list {
			s = append(s, resttest.Dig(e, "name").(string))
		}
		return strings.Join(s, " ")
	}
	for filter, want := range map[string]string{
		"":                                    "Default Gamma alpha beta",
		"name LIKE '%a%' AND name != 'alpha'": "Default Gamma beta",
		"name ILIKE 'g%'":                     "Gamma",
		"tags.nr = '1'":                       "beta",
		"tags.nr IS NULL":                     "Default",
		"experiment_id IN ('1', '2')":         "alpha beta",
		"creation_time < 5":                   "",
		"attribute.name = 'it''s'":            "",
	} {
		if got := search(body{"filter": filter, "order_by": []string{"name ASC"}}); got != want {
			t.Errorf("%s: %s, want %s", filter, got, want)
		}
	}
	if got := search(body{"view_type": "DELETED_ONLY"}); got != "gone" {
		t.Errorf("deleted: %s", got)
	}
	if got := search(body{"view_type": 3, "order_by": []string{"experiment_id DESC"}}); got != "gone Gamma beta alpha Default" {
		t.Errorf("all: %s", got)
	}
	page := a.OK("POST", "experiments/search", body{"max_results": 3, "order_by": []string{"name"}})
	if got := search(body{"max_results": 3, "order_by": []string{"name"}, "page_token": page["next_page_token"]}); got != "beta" {
		t.Errorf("second page: %s", got)
	}
	a.Fails("POST", "experiments/search", body{}, 400, invalid, "positive integer")
	a.Fails("POST", "experiments/search", body{"max_results": 5, "filter": "name > 'x'"}, 400, invalid, "comparator")
	a.Fails("POST", "experiments/search", body{"max_results": 5, "order_by": []string{"tags.a"}}, 400, invalid, "order_by")
}

func TestRunLifecycle(t *testing.T) {
	a := newAPI(t)
	e := a.experiment("e")
	run := a.run(e, "user_id", "me", "tags", []body{{"key": "t", "value": "1"}, {"key": "t", "value": "2"}})
	got := a.getRun(run)
	name := resttest.Dig(got, "info", "run_name").(string)
	tags := pairs(resttest.Dig(got, "data", "tags"))
	if tags["mlflow.runName"] != name || tags["t"] != "2" || resttest.Dig(got, "info", "status") != "RUNNING" || resttest.Dig(got, "info", "end_time") != nil {
		t.Errorf("got %v", got)
	}
	if want := "mlflow-artifacts:/" + e + "/" + run + "/artifacts"; resttest.Dig(got, "info", "artifact_uri") != want {
		t.Errorf("artifacts at %v, want %s", resttest.Dig(got, "info", "artifact_uri"), want)
	}
	a.OK("POST", "runs/update", body{"run_id": run, "status": 3, "end_time": "99", "run_name": "new"})
	got = a.getRun(run)
	if resttest.Dig(got, "info", "status") != "FINISHED" || resttest.Dig(got, "info", "end_time") != 99.0 || resttest.Dig(got, "info", "run_name") != "new" || pairs(resttest.Dig(got, "data", "tags"))["mlflow.runName"] != "new" {
		t.Errorf("after update: %v", got)
	}
	a.Fails("POST", "runs/update", body{"run_id": run, "status": "BOGUS"}, 400, invalid, "BOGUS")
	a.OK("POST", "runs/set-tag", body{"run_id": run, "key": "mlflow.runName", "value": "third"})
	if got := resttest.Dig(a.getRun(run), "info", "run_name"); got != "third" {
		t.Errorf("renamed by tag: %v", got)
	}
	a.Fails("POST", "runs/create", body{"experiment_id": e, "run_name": "a", "tags": []body{{"key": "mlflow.runName", "value": "b"}}}, 400, invalid, "different values")
	a.OK("POST", "runs/log-parameter", body{"run_id": run, "key": "p", "value": strings.Repeat("ü", 6001)})
	if v := pairs(resttest.Dig(a.getRun(run), "data", "params"))["p"].(string); len([]rune(v)) != 6000 {
		t.Errorf("a long parameter was cut to %d characters", len([]rune(v)))
	}
	a.OK("POST", "runs/log-parameter", body{"run_id": run, "key": "q", "value": "1"})
	a.OK("POST", "runs/log-parameter", body{"run_id": run, "key": "q", "value": "1"})
	a.Fails("POST", "runs/log-parameter", body{"run_id": run, "key": "q", "value": "2"}, 400, invalid, "was already logged with value='1'")
	for _, key := range []string{"../a", "a//b", "/a", "a!", ".", "a/./b", "a\nb", strings.Repeat("k", 251)} {
		a.Fails("POST", "runs/log-parameter", body{"run_id": run, "key": key, "value": "1"}, 400, invalid, "")
	}
	a.OK("POST", "runs/set-tag", body{"run_id": run, "key": "x", "value": "1"})
	a.OK("POST", "runs/delete-tag", body{"run_id": run, "key": "x"})
	a.Fails("POST", "runs/delete-tag", body{"run_id": run, "key": "x"}, 404, missing, "No tag with name: x")
	a.OK("POST", "runs/delete", body{"run_id": run})
	for _, path := range []string{"runs/set-tag", "runs/log-parameter", "runs/delete-tag"} {
		a.Fails("POST", path, body{"run_id": run, "key": "k", "value": "v"}, 400, invalid, "must be in the 'active' state")
	}
	a.OK("POST", "runs/restore", body{"run_id": run})
	a.Fails("GET", "runs/get", url.Values{"run_id": {"none"}}, 404, missing, "Run with id=none not found")
	if got := a.OK("GET", "runs/get", url.Values{"run_uuid": {run}}); resttest.Dig(got, "run", "info", "run_id") != run {
		t.Errorf("by its old name: %v", got)
	}
}

func TestDatasetsAndOutputs(t *testing.T) {
	a := newAPI(t)
	e := a.experiment("e")
	run := a.run(e, "run_name", "with")
	a.run(e, "run_name", "without")
	in := body{"run_id": run, "datasets": []body{{"tags": []body{{"key": "mlflow.data.context", "value": "train"}},
		"dataset": body{"name": "d", "digest": "x", "source_type": "s", "source": "src", "schema": "{}"}}}, "models": []body{{"model_id": "m-1"}}}
	a.OK("POST", "runs/log-inputs", in)
	a.OK("POST", "runs/log-inputs", in)
	a.OK("POST", "runs/outputs", body{"run_id": run, "models": []body{{"model_id": "m-2", "step": 3}}})
	got := a.getRun(run)
	if list := resttest.Dig(got, "inputs", "dataset_inputs").([]any); len(list) != 1 || resttest.Dig(list[0], "dataset", "schema") != "{}" ||
		resttest.Dig(list[0], "tags", 0, "value") != "train" || resttest.Dig(got, "inputs", "model_inputs", 0, "model_id") != "m-1" {
		t.Errorf("inputs: %v", resttest.Dig(got, "inputs"))
	}
	if resttest.Dig(got, "outputs", "model_outputs", 0, "model_id") != "m-2" || resttest.Dig(got, "outputs", "model_outputs", 0, "step") != 3.0 {
		t.Errorf("outputs: %v", resttest.Dig(got, "outputs"))
	}
	for filter, want := range map[string]string{
		"dataset.name = 'd'": "with", "datasets.digest LIKE 'x%'": "with", "dataset.context = 'train'": "with",
		"dataset.context = 'test'": "", "dataset.name IN ('d', 'e')": "with",
	} {
		if got := names(a.OK("POST", "runs/search", body{"experiment_ids": []string{e}, "filter": filter})); got != want {
			t.Errorf("%s: %q, want %q", filter, got, want)
		}
	}
	sum := a.OK("POST", "experiments/search-datasets", body{"experiment_ids": []string{e}})
	if resttest.Dig(sum, "dataset_summaries", 0, "context") != "train" {
		t.Errorf("summaries: %v", sum)
	}
	a.Fails("POST", "runs/log-inputs", body{"run_id": run, "datasets": []body{{}}}, 400, invalid, "Dataset cannot be None")
}

func TestLogModel(t *testing.T) {
	a := newAPI(t)
	run := a.run("0")
	for _, path := range []string{"one", "two"} {
		a.OK("POST", "runs/log-model", body{"run_id": run, "model_json": `{"artifact_path": "` + path + `", "flavors": {"python": {"a": 1, "config": {"b": 2}}},
			"utc_time_created": "now", "run_id": "` + run + `", "model_uuid": "u", "signature": {"long": "text"}}`})
	}
	var models []any
	text := pairs(resttest.Dig(a.getRun(run), "data", "tags"))["mlflow.log-model.history"].(string)
	if err := json.Unmarshal([]byte(text), &models); err != nil {
		t.Fatal(err)
	}
	if len(models) != 2 || resttest.Dig(models[1], "artifact_path") != "two" || resttest.Dig(models[0], "flavors", "python", "a") != 1.0 ||
		resttest.Dig(models[0], "flavors", "python", "config") != nil || resttest.Dig(models[0], "signature") != nil {
		t.Errorf("history: %s", text)
	}
	a.Fails("POST", "runs/log-model", body{"run_id": run, "model_json": "{"}, 400, invalid, "Malformed model info")
	a.Fails("POST", "runs/log-model", body{"run_id": run, "model_json": "{}"}, 400, invalid, "missing mandatory fields: {'artifact_path', 'flavors', 'utc_time_created', 'run_id'}")
}

func TestRunsWithoutDetails(t *testing.T) {
	a := newAPI(t)
	run := resttest.Dig(a.OK("POST", "runs/create", body{}), "run")
	if start := resttest.Dig(run, "info", "start_time").(float64); time.Since(time.UnixMilli(int64(start))) > time.Minute {
		t.Errorf("a run that says nothing began at %v", start)
	}
	if resttest.Dig(run, "info", "experiment_id") != "0" {
		t.Errorf("a run that says nothing is in %v", resttest.Dig(run, "info", "experiment_id"))
	}
	seen := map[string]bool{}
	for range 200 {
		name := randomName()
		if len(name) > 20 || strings.Count(name, "-") != 2 {
			t.Errorf("random name %q", name)
		}
		seen[name] = true
	}
	if len(seen) < 150 {
		t.Errorf("only %d different names of 200", len(seen))
	}
}

// TestRoutes: the table from which the API is documented is complete.
func TestRoutes(t *testing.T) {
	s := &Service{}
	for _, r := range s.Routes() {
		if r.Name == "" || r.Method == "" || r.Handler == nil || !strings.HasPrefix(r.Path, "/") {
			t.Errorf("incomplete: %+v", r)
		}
		if strings.HasPrefix(r.Path, "/api/2.0/mlflow/runs/") && (r.In == nil || r.Out == nil) {
			t.Errorf("%s has no types", r.Path)
		}
	}
}
