package trace

import (
	"context"
	"encoding/json"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/millpond/millpond/internal/db"
	"github.com/millpond/millpond/internal/db/dbtest"
	"github.com/millpond/millpond/internal/rest"
	"github.com/millpond/millpond/internal/rest/resttest"
)

var quiet = slog.New(slog.DiscardHandler)

// fakeTracking knows the experiment 0 and the run "run1".
type fakeTracking struct{}

func (fakeTracking) ExperimentLocation(_ context.Context, id string) (int64, string, error) {
	if id != "0" {
		return 0, "", rest.NotFound("no experiment")
	}
	return 0, "mlflow-artifacts:/0", nil
}

func (fakeTracking) RunLocation(_ context.Context, id string) (string, error) {
	if id != "run1" {
		return "", rest.NotFound("no run")
	}
	return "mlflow-artifacts:/0/run1/artifacts", nil
}

func (fakeTracking) SendArtifact(w http.ResponseWriter, _ *http.Request, location, name string) error {
	_, err := io.WriteString(w, location+"|"+name)
	return err
}

func TestOnPostgres(t *testing.T) { dbtest.OnPostgres(t) }

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
		_, err := q.ExecContext(ctx, `INSERT INTO experiments (experiment_id, name, artifact_location, creation_time, last_update_time) VALUES (0, 'Default', '', 1, 1)`)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	mux := rest.NewMux(rest.MuxOptions{Logger: quiet})
	a := &api{resttest.Client{T: t, Handler: mux, Header: http.Header{"X-Mlflow-Experiment-Id": {"0"}}}, mux}
	New(records, fakeTracking{}, Options{}).Mount(a.mux)
	return a
}

const traces = "/api/3.0/mlflow/traces"

// start makes a trace and returns its path.
func (a *api) start(id string, extra body) string {
	a.T.Helper()
	info := body{"trace_id": id, "trace_location": body{"type": "MLFLOW_EXPERIMENT", "mlflow_experiment": body{"experiment_id": "0"}},
		"request_time": "2026-01-02T03:04:05.678Z", "execution_duration": "1.5s", "state": "OK", "tags": body{}}
	for k, v := range extra {
		info[k] = v
	}
	a.OK("POST", traces, body{"trace": body{"trace_info": info}})
	return traces + "/" + id
}

func TestStartIsFinal(t *testing.T) {
	a := newAPI(t)
	one := a.start("tr-"+strings.Repeat("ab", 16), body{"tags": body{"k": "v"}, "trace_metadata": body{"m": "x"}})
	// A span that comes later covers more time, but the client has said how long it took.
	a.OK("POST", "/v1/traces", body{"resourceSpans": []any{body{"scopeSpans": []any{body{"spans": []any{body{"traceId": strings.Repeat("ab", 16),
		"spanId": "00000000000000aa", "name": "root", "startTimeUnixNano": "1000000", "endTimeUnixNano": "9000000000000", "status": body{"code": 2}}}}}}}})
	info := resttest.Dig(a.OK("GET", one, nil), "trace", "trace_info")
	if resttest.Dig(info, "request_time") != "2026-01-02T03:04:05.678Z" || resttest.Dig(info, "execution_duration") != "1.500s" || resttest.Dig(info, "state") != "OK" {
		t.Errorf("a span changed what the client said: %v", info)
	}
	if resttest.Dig(info, "tags", "k") != "v" || resttest.Dig(info, "tags", locationTag) != "mlflow-artifacts:/0/traces/tr-"+strings.Repeat("ab", 16)+"/artifacts" {
		t.Errorf("tags: %v", resttest.Dig(info, "tags"))
	}
	if name := resttest.Dig(a.OK("GET", traces+"/get?trace_id=tr-"+strings.Repeat("ab", 16), nil), "trace", "spans", 0, "name"); name != "root" {
		t.Errorf("the span is %v", name)
	}
}

// TestChoices: what one side of an OR says of spans, it says of one span.
func TestChoices(t *testing.T) {
	a := newAPI(t)
	span := func(trace, id, name, kind string) body {
		return body{"traceId": strings.Repeat(trace, 16), "spanId": "00000000000000" + id, "name": name, "startTimeUnixNano": "1000000", "endTimeUnixNano": "2000000",
			"attributes": []any{body{"key": "mlflow.spanType", "value": body{"stringValue": kind}}}}
	}
	a.start("tr-"+strings.Repeat("a1", 16), nil)
	a.start("tr-"+strings.Repeat("b2", 16), body{"tags": body{"team": "blue"}})
	a.OK("POST", "/v1/traces", body{"resourceSpans": []any{body{"scopeSpans": []any{body{"spans": []any{
		span("a1", "01", "find", "TOOL"), span("a1", "02", "say", "LLM"), span("b2", "03", "find", "LLM")}}}}}})
	for filter, want := range map[string]int{
		"(span.name = 'find' AND span.type = 'LLM')":                       1,
		"(span.name = 'find' AND span.type = 'LLM' OR tags.team = 'red')":  1,
		"(span.name = 'say' OR tags.team = 'blue')":                        2,
		"span.name = 'find' AND (span.type = 'TOOL' OR span.name = 'say')": 1,
		"(span.name = 'none' OR state_is = 'x')":                           -1,
	} {
		in := body{"locations": []any{body{"mlflow_experiment": body{"experiment_id": "0"}}}, "filter": filter}
		if want < 0 {
			a.Fails("POST", traces+"/search", in, 400, "INVALID_PARAMETER_VALUE", "state_is")
			continue
		}
		found, _ := a.OK("POST", traces+"/search", in)["traces"].([]any)
		if len(found) != want {
			t.Errorf("%s: %d traces, want %d", filter, len(found), want)
		}
	}
}

func TestRefusals(t *testing.T) {
	a := newAPI(t)
	one := a.start("tr-1", nil)
	invalid, missing := "INVALID_PARAMETER_VALUE", "RESOURCE_DOES_NOT_EXIST"
	search := func(filter string) body {
		return body{"locations": []any{body{"mlflow_experiment": body{"experiment_id": "0"}}}, "filter": filter}
	}
	for _, c := range []struct {
		method, path string
		in           any
		status       int
		code, text   string
	}{
		{"POST", traces, body{"trace": body{"trace_info": body{"trace_location": body{}}}}, 400, invalid, "trace_id"},
		{"POST", traces, body{"trace": body{"trace_info": body{"trace_id": "x"}}}, 400, invalid, "experiment"},
		{"POST", traces, body{"trace": body{"trace_info": body{"trace_id": "x", "trace_location": body{"mlflow_experiment": body{"experiment_id": "7"}}}}}, 404, missing, "no experiment"},
		{"GET", traces + "/none", nil, 404, missing, "'none' not found"},
		{"PATCH", one + "/tags", body{"value": "x"}, 400, invalid, "key"},
		{"PATCH", "/api/2.0/mlflow/traces/none/tags", body{"key": "k", "value": "x"}, 404, missing, "not found"},
		{"DELETE", one + "/tags", body{"key": "k"}, 404, missing, "No trace tag"},
		{"POST", one + "/assessments", body{"assessment": body{"assessment_name": "a"}}, 400, invalid, "either feedback"},
		{"POST", one + "/assessments", body{"assessment": body{"assessment_name": "a", "overrides": "no", "feedback": body{"value": 1}}}, 404, missing, "'no' not found"},
		{"GET", one + "/assessments/no", nil, 404, missing, "'no' not found"},
		{"POST", traces + "/delete-traces", body{"experiment_id": "0"}, 400, invalid, "must be specified"},
		{"POST", "/api/2.0/mlflow/traces/link-to-run", body{"trace_ids": []string{"tr-1"}, "run_id": "no"}, 404, missing, "no run"},
		{"POST", traces + "/search", search("span.color = 'x'"), 400, invalid, "Invalid span attribute 'color'"},
		{"POST", traces + "/search", search("(span.color = 'x' OR name = 'y')"), 400, invalid, "Invalid span attribute 'color'"},
		{"POST", traces + "/search", search("feedback.a > 'x'"), 400, invalid, "compared with a number"},
		{"POST", "/v1/traces", body{}, 400, invalid, "no spans"},
		{"POST", "/v1/traces", body{"resourceSpans": 3}, 400, invalid, "Invalid OpenTelemetry format"},
	} {
		a.Fails(c.method, c.path, c.in, c.status, c.code, c.text)
	}
}

func TestClientsBeforeVersion3(t *testing.T) {
	a := newAPI(t)
	const v2 = "/api/2.0/mlflow/traces"
	made := a.OK("POST", v2, body{"experiment_id": "0", "timestamp_ms": 1000, "request_metadata": []any{body{"key": "m", "value": "x"}}, "tags": []any{body{"key": "k", "value": "v"}}})
	id := resttest.Dig(made, "trace_info", "request_id").(string)
	if resttest.Dig(made, "trace_info", "status") != "IN_PROGRESS" {
		t.Errorf("started: %v", made)
	}
	ended := a.OK("PATCH", v2+"/"+id, body{"timestamp_ms": 1500, "status": "OK", "tags": []any{}, "request_metadata": []any{}})
	if resttest.Dig(ended, "trace_info", "execution_time_ms") != 500.0 || resttest.Dig(ended, "trace_info", "status") != "OK" {
		t.Errorf("ended: %v", ended)
	}
	if got := a.OK("GET", v2+"/"+id+"/info", nil); resttest.Dig(got, "trace_info", "request_id") != id {
		t.Errorf("info: %v", got)
	}
	if got := a.OK("GET", v2+"?experiment_ids=0&max_results=5", nil); resttest.Dig(got, "traces", 0, "request_id") != id {
		t.Errorf("search: %v", got)
	}
}

// FuzzExport: whatever a program sends, it is kept or refused.
func FuzzExport(f *testing.F) {
	f.Add(`{"resourceSpans":[{"scopeSpans":[{"spans":[{"traceId":"0af7651916cd43dd8448eb211c80319c","spanId":"00000000000000aa","name":"x","startTimeUnixNano":"5"}]}]}]}`)
	f.Add(`{"resourceSpans":[{"resource":{"attributes":[{"key":"a","value":{"arrayValue":{"values":[{"doubleValue":"NaN"}]}}}]},"scopeSpans":[{"spans":[{"traceId":"00","spanId":"00"}]}]}]}`)
	f.Fuzz(func(t *testing.T, text string) {
		r := httptest.NewRequest("POST", "/v1/traces", strings.NewReader(text))
		r.Header.Set("Content-Type", "application/json")
		request, _, err := readExport(httptest.NewRecorder(), r)
		if err != nil {
			return
		}
		batches, err := gather(request)
		if err != nil {
			return
		}
		for _, b := range batches {
			for _, s := range b.spans {
				if !json.Valid([]byte(s.content)) {
					t.Errorf("a span is kept as %q", s.content)
				}
				spanUsage(s.content)
			}
			preview(b.root, inputsAttr)
		}
	})
}
