package trace

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/millpond/millpond/internal/db"
	"github.com/millpond/millpond/internal/db/dbtest"
	"github.com/millpond/millpond/internal/rest"
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
	t   *testing.T
	mux *rest.Mux
}

type body = map[string]any

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
	a := &api{t, rest.NewMux(rest.MuxOptions{Logger: quiet})}
	New(records, fakeTracking{}, Options{}).Mount(a.mux)
	return a
}

func (a *api) call(method, path string, in any) (int, body) {
	a.t.Helper()
	raw, err := json.Marshal(in)
	if err != nil {
		a.t.Fatal(err)
	}
	req := httptest.NewRequest(method, path, bytes.NewReader(raw))
	req.Header.Set("Content-Type", "application/json")
	req.Header.Set("X-Mlflow-Experiment-Id", "0")
	w := httptest.NewRecorder()
	a.mux.ServeHTTP(w, req)
	out := body{}
	if err := json.Unmarshal(w.Body.Bytes(), &out); err != nil {
		a.t.Fatalf("%s %s: %d %s", method, path, w.Code, w.Body)
	}
	return w.Code, out
}

func (a *api) ok(method, path string, in any) body {
	a.t.Helper()
	status, out := a.call(method, path, in)
	if status != http.StatusOK {
		a.t.Fatalf("%s %s %v: %d %v", method, path, in, status, out)
	}
	return out
}

func (a *api) fails(method, path string, in any, status int, code, message string) {
	a.t.Helper()
	got, out := a.call(method, path, in)
	if got != status || out["error_code"] != code || !strings.Contains(fmt.Sprint(out["message"]), message) {
		a.t.Errorf("%s %s %v: %d %v\nwant %d %s ...%s...", method, path, in, got, out, status, code, message)
	}
}

func dig(v any, path ...any) any {
	for _, p := range path {
		switch p := p.(type) {
		case string:
			m, _ := v.(map[string]any)
			v = m[p]
		case int:
			l, _ := v.([]any)
			if p >= len(l) {
				return nil
			}
			v = l[p]
		}
	}
	return v
}

const traces = "/api/3.0/mlflow/traces"

// start makes a trace and returns its path.
func (a *api) start(id string, extra body) string {
	a.t.Helper()
	info := body{"trace_id": id, "trace_location": body{"type": "MLFLOW_EXPERIMENT", "mlflow_experiment": body{"experiment_id": "0"}},
		"request_time": "2026-01-02T03:04:05.678Z", "execution_duration": "1.5s", "state": "OK", "tags": body{}}
	for k, v := range extra {
		info[k] = v
	}
	a.ok("POST", traces, body{"trace": body{"trace_info": info}})
	return traces + "/" + id
}

func TestStartIsFinal(t *testing.T) {
	a := newAPI(t)
	one := a.start("tr-"+strings.Repeat("ab", 16), body{"tags": body{"k": "v"}, "trace_metadata": body{"m": "x"}})
	// A span that comes later covers more time, but the client has said how long it took.
	a.ok("POST", "/v1/traces", body{"resourceSpans": []any{body{"scopeSpans": []any{body{"spans": []any{body{"traceId": strings.Repeat("ab", 16),
		"spanId": "00000000000000aa", "name": "root", "startTimeUnixNano": "1000000", "endTimeUnixNano": "9000000000000", "status": body{"code": 2}}}}}}}})
	info := dig(a.ok("GET", one, nil), "trace", "trace_info")
	if dig(info, "request_time") != "2026-01-02T03:04:05.678Z" || dig(info, "execution_duration") != "1.500s" || dig(info, "state") != "OK" {
		t.Errorf("a span changed what the client said: %v", info)
	}
	if dig(info, "tags", "k") != "v" || dig(info, "tags", locationTag) != "mlflow-artifacts:/0/traces/tr-"+strings.Repeat("ab", 16)+"/artifacts" {
		t.Errorf("tags: %v", dig(info, "tags"))
	}
	if name := dig(a.ok("GET", traces+"/get?trace_id=tr-"+strings.Repeat("ab", 16), nil), "trace", "spans", 0, "name"); name != "root" {
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
	a.ok("POST", "/v1/traces", body{"resourceSpans": []any{body{"scopeSpans": []any{body{"spans": []any{
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
			a.fails("POST", traces+"/search", in, 400, "INVALID_PARAMETER_VALUE", "state_is")
			continue
		}
		found, _ := a.ok("POST", traces+"/search", in)["traces"].([]any)
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
		a.fails(c.method, c.path, c.in, c.status, c.code, c.text)
	}
}

func TestClientsBeforeVersion3(t *testing.T) {
	a := newAPI(t)
	const v2 = "/api/2.0/mlflow/traces"
	made := a.ok("POST", v2, body{"experiment_id": "0", "timestamp_ms": 1000, "request_metadata": []any{body{"key": "m", "value": "x"}}, "tags": []any{body{"key": "k", "value": "v"}}})
	id := dig(made, "trace_info", "request_id").(string)
	if dig(made, "trace_info", "status") != "IN_PROGRESS" {
		t.Errorf("started: %v", made)
	}
	ended := a.ok("PATCH", v2+"/"+id, body{"timestamp_ms": 1500, "status": "OK", "tags": []any{}, "request_metadata": []any{}})
	if dig(ended, "trace_info", "execution_time_ms") != 500.0 || dig(ended, "trace_info", "status") != "OK" {
		t.Errorf("ended: %v", ended)
	}
	if got := a.ok("GET", v2+"/"+id+"/info", nil); dig(got, "trace_info", "request_id") != id {
		t.Errorf("info: %v", got)
	}
	if got := a.ok("GET", v2+"?experiment_ids=0&max_results=5", nil); dig(got, "traces", 0, "request_id") != id {
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
