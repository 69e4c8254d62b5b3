package evaluation

import (
	"context"
	"encoding/json"
	"fmt"
	"log/slog"
	"strings"
	"testing"

	"github.com/millpond/millpond/internal/db"
	"github.com/millpond/millpond/internal/db/dbtest"
	"github.com/millpond/millpond/internal/rest"
	"github.com/millpond/millpond/internal/rest/resttest"
)

var quiet = slog.New(slog.DiscardHandler)

func TestOnPostgres(t *testing.T) { dbtest.OnPostgres(t) }

// fakeTracking knows the experiments 1 and 2.
type fakeTracking struct{}

func (fakeTracking) ExperimentLocation(_ context.Context, id string) (int64, string, error) {
	switch id {
	case "1":
		return 1, "", nil
	case "2":
		return 2, "", nil
	}
	return 0, "", rest.NotFound("no experiment")
}

type api struct {
	resttest.Client
	mux *rest.Mux
}

type body = resttest.Body

func newAPI(t *testing.T) *api {
	t.Helper()
	records, err := db.Open(t.Context(), dbtest.Address(t), db.Options{Logger: quiet})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { records.Close() })
	err = records.Write(t.Context(), func(ctx context.Context, q db.Querier) error {
		_, err := q.ExecContext(ctx, `INSERT INTO experiments (experiment_id, name, artifact_location, creation_time, last_update_time) VALUES (1, 'one', '', 1, 1), (2, 'two', '', 1, 1)`)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	mux := rest.NewMux(rest.MuxOptions{Logger: quiet})
	a := &api{resttest.Client{T: t, Handler: mux, Prefix: "/api/3.0/mlflow/"}, mux}
	New(records, fakeTracking{}, Options{}).Mount(a.mux)
	return a
}

func (a *api) dataset(in body) (path string) {
	a.T.Helper()
	d := a.OK("POST", "datasets/create", in)["dataset"].(body)
	return "datasets/" + d["dataset_id"].(string)
}

func TestRecordsAreMergedByTheirInputs(t *testing.T) {
	a := newAPI(t)
	one := a.dataset(body{"name": "d", "experiment_ids": []string{"1"}, "tags": `{"mlflow.user": "me", "n": 5}`})
	put := func(records string, inserted, updated float64) {
		t.Helper()
		got := a.OK("POST", one+"/records", body{"records": records})
		if got["inserted_count"] != inserted || got["updated_count"] != updated {
			t.Errorf("%s: %v", records, got)
		}
	}
	put(`[{"inputs": {"b": 1, "a": "x"}, "outputs": 1, "expectations": {"e": 1}}, {"inputs": {"a": "y"}}]`, 2, 0)
	put(`[{"inputs": {"a": "x", "b": 1}, "outputs": [2], "expectations": {"f": 2.5}, "tags": {"mlflow.user": "you"}}]`, 0, 1)
	put(`[{"inputs": {"a": "x", "b": 1.0}}]`, 1, 0) // 1.0 is another number
	var records []body
	text := a.OK("GET", one+"/records", nil)["records"].(string)
	if err := json.Unmarshal([]byte(text), &records); err != nil {
		t.Fatal(err)
	}
	first := records[0]
	if fmt.Sprint(first["outputs"]) != "[2]" || fmt.Sprint(first["expectations"]) != "map[e:1 f:2.5]" || first["last_updated_by"] != "you" || len(records) != 3 {
		t.Errorf("records: %s", text)
	}
	d := a.OK("GET", one, nil)["dataset"].(body)
	if d["profile"] != `{"num_records": 3}` || d["created_by"] != "me" || d["last_updated_by"] != "you" || d["tags"] != `{"mlflow.user":"me","n":"5"}` {
		t.Errorf("dataset: %v", d)
	}
	var schema body
	if err := json.Unmarshal([]byte(d["schema"].(string)), &schema); err != nil || fmt.Sprint(schema["inputs"]) != "map[a:string b:integer]" || schema["outputs"] != "integer" {
		t.Errorf("schema: %v (%v)", schema, err)
	}
	gone := a.OK("DELETE", one+"/records", body{"dataset_record_ids": []string{first["dataset_record_id"].(string), "dr-none"}})
	if gone["deleted_count"] != 1.0 {
		t.Errorf("deleted: %v", gone)
	}
}

func TestPages(t *testing.T) {
	a := newAPI(t)
	one := a.dataset(body{"name": "d"})
	var b strings.Builder
	for n := range 5 {
		fmt.Fprintf(&b, `{"inputs": {"n": %d}},`, n)
	}
	a.OK("POST", one+"/records", body{"records": "[" + strings.TrimSuffix(b.String(), ",") + "]"})
	seen, token := 0, ""
	for range 3 {
		got := a.OK("GET", one+"/records?max_results=2&page_token="+token, nil)
		seen += strings.Count(got["records"].(string), `"inputs"`)
		token, _ = got["next_page_token"].(string)
	}
	if seen != 5 || token != "" {
		t.Errorf("%d records, then %q", seen, token)
	}
}

func TestScorersCountTheirVersions(t *testing.T) {
	a := newAPI(t)
	for want := 1.0; want <= 3; want++ {
		if got := a.OK("POST", "scorers/register", body{"experiment_id": "1", "name": "s", "serialized_scorer": "{}"}); got["version"] != want {
			t.Errorf("version %v, want %v", got["version"], want)
		}
	}
	a.OK("DELETE", "scorers/delete", body{"experiment_id": "1", "name": "s", "version": 3})
	if got := a.OK("POST", "scorers/register", body{"experiment_id": "1", "name": "s", "serialized_scorer": "{}"}); got["version"] != 4.0 {
		t.Errorf("a version's number is given again: %v", got)
	}
	list := a.OK("GET", "scorers/list?experiment_id=1", nil)["scorers"].([]any)
	if len(list) != 1 || list[0].(body)["scorer_version"] != 4.0 {
		t.Errorf("list: %v", list)
	}
}

func TestRefusals(t *testing.T) {
	a := newAPI(t)
	one := a.dataset(body{"name": "d"})
	for _, c := range []struct {
		method, path string
		in           any
		code         string
	}{
		{"POST", "datasets/create", body{}, "INVALID_PARAMETER_VALUE"},
		{"POST", "datasets/create", body{"name": "x", "experiment_ids": []string{"9"}}, "RESOURCE_DOES_NOT_EXIST"},
		{"POST", "datasets/create", body{"name": "x", "tags": "[]"}, "INVALID_PARAMETER_VALUE"},
		{"GET", "datasets/d-none", nil, "RESOURCE_DOES_NOT_EXIST"},
		{"POST", one + "/records", body{"records": "{}"}, "INVALID_PARAMETER_VALUE"},
		{"POST", one + "/records", body{"records": `[{"inputs": 3}]`}, "INVALID_PARAMETER_VALUE"},
		{"POST", "datasets/d-none/records", body{"records": "[]"}, "RESOURCE_DOES_NOT_EXIST"},
		{"POST", "datasets/search", body{"filter_string": "x = 'y'"}, "INVALID_PARAMETER_VALUE"},
		{"POST", "datasets/search", body{"experiment_ids": []string{"x"}}, "INVALID_PARAMETER_VALUE"},
		{"GET", "scorers/get?experiment_id=1&name=none", nil, "RESOURCE_DOES_NOT_EXIST"},
		{"DELETE", "scorers/delete", body{"experiment_id": "1", "name": "none"}, "RESOURCE_DOES_NOT_EXIST"},
		{"PUT", "scorers/online-config", body{}, "NOT_IMPLEMENTED"},
	} {
		if _, out := a.Call(c.method, c.path, c.in); out["error_code"] != c.code {
			t.Errorf("%s %s %v: %v, want %s", c.method, c.path, c.in, out, c.code)
		}
	}
}
