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

func TestOnlineScoring(t *testing.T) {
	a := newAPI(t)
	id := a.OK("POST", "scorers/register", body{"experiment_id": "1", "name": "s", "serialized_scorer": `{"builtin_scorer_pydantic_data": {"model": "openai:/m"}}`})["scorer_id"]
	set := func(in body) body {
		in["experiment_id"], in["name"] = "1", "s"
		return in
	}
	first := a.OK("PUT", "scorers/online-config", set(body{"sample_rate": 0, "filter_string": "status = 'OK'"}))["config"].(body)
	if first["scorer_id"] != id || first["sample_rate"] != 0.0 || first["experiment_id"] != "1" || first["filter_string"] != "status = 'OK'" {
		t.Errorf("set: %v", first)
	}
	again := a.OK("PUT", "scorers/online-config", set(body{"sample_rate": 0}))["config"].(body)
	list := a.OK("GET", fmt.Sprintf("scorers/online-configs?scorer_ids=none&scorer_ids=%v", id), nil)["configs"].([]any)
	if len(list) != 1 || list[0].(body)["online_scoring_config_id"] != again["online_scoring_config_id"] || list[0].(body)["filter_string"] != nil {
		t.Errorf("list: %v, last set %v", list, again)
	}
	if _, out := a.Call("PUT", "scorers/online-config", set(body{"sample_rate": 0.5})); out["error_code"] != "INVALID_PARAMETER_VALUE" {
		t.Errorf("a scorer that no gateway runs: %v", out)
	}
	a.OK("DELETE", "scorers/delete", body{"experiment_id": "1", "name": "s"})
	if list := a.OK("GET", fmt.Sprintf("scorers/online-configs?scorer_ids=%v", id), nil)["configs"].([]any); len(list) != 0 {
		t.Errorf("of a deleted scorer: %v", list)
	}
}

func TestScorersOfSeveralExperiments(t *testing.T) {
	a := newAPI(t)
	for _, e := range []string{"2", "1"} {
		a.OK("POST", "scorers/register", body{"experiment_id": e, "name": "s", "serialized_scorer": "{}"})
	}
	for query, want := range map[string]int{"": 2, "?experiment_ids=1&experiment_ids=2&experiment_ids=9": 2, "?experiment_ids=2": 1} {
		if list, _ := a.OK("GET", "scorers/list"+query, nil)["scorers"].([]any); len(list) != want || list[0].(body)["scorer_name"] != "s" {
			t.Errorf("%s: %v", query, list)
		}
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
		{"POST", "scorers/register", body{"experiment_id": "1", "name": " ", "serialized_scorer": "{}"}, "INVALID_PARAMETER_VALUE"},
		{"POST", "scorers/register", body{"experiment_id": "1", "name": "s", "serialized_scorer": "no JSON"}, "INVALID_PARAMETER_VALUE"},
		{"POST", "scorers/register", body{"experiment_id": "1", "name": "s", "serialized_scorer": "[]"}, "INVALID_PARAMETER_VALUE"},
		{"POST", "scorers/register", body{"experiment_id": "1", "name": "s", "serialized_scorer": `{"a": [{"call_source": "import os"}]}`}, "INVALID_PARAMETER_VALUE"},
		{"POST", "scorers/register", body{"experiment_id": "1", "name": "s", "serialized_scorer": `{"third_party_scorer_data": {"kwargs": {"a": [["api_base", "x"]]}}}`}, "INVALID_PARAMETER_VALUE"},
		{"POST", "scorers/register", body{"experiment_id": "1", "name": "s", "serialized_scorer": `{"builtin_scorer_pydantic_data": {"model": " "}}`}, "INVALID_PARAMETER_VALUE"},
		{"POST", "scorers/register", body{"experiment_id": "1", "name": "s", "serialized_scorer": `{"builtin_scorer_pydantic_data": {"model": "gateway:/none"}}`}, "RESOURCE_DOES_NOT_EXIST"},
		{"GET", "scorers/list?experiment_id=1&experiment_ids=2", nil, "INVALID_PARAMETER_VALUE"},
		{"GET", "scorers/online-configs", nil, "INVALID_PARAMETER_VALUE"},
		{"PUT", "scorers/online-config", body{}, "INVALID_PARAMETER_VALUE"},
		{"PUT", "scorers/online-config", body{"experiment_id": "1", "name": "none", "sample_rate": 0}, "RESOURCE_DOES_NOT_EXIST"},
		{"PUT", "scorers/online-config", body{"experiment_id": "1", "name": "none", "sample_rate": 1.5}, "INVALID_PARAMETER_VALUE"},
		{"PUT", "scorers/online-config", body{"experiment_id": "1", "name": "none", "sample_rate": "NaN"}, "INVALID_PARAMETER_VALUE"},
	} {
		if _, out := a.Call(c.method, c.path, c.in); out["error_code"] != c.code {
			t.Errorf("%s %s %v: %v, want %s", c.method, c.path, c.in, out, c.code)
		}
	}
}
