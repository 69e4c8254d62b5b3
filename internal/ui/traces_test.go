package ui

import (
	"encoding/json"
	"fmt"
	"net/http"
	"strings"
	"testing"
)

const oneTrace = `{"trace_id":"tr-1","trace_location":{"mlflow_experiment":{"experiment_id":"1"}},"request_preview":"<script>alert(1)</script>","request_time":"2026-01-02T03:04:05Z","execution_duration":"1.500s",
	"state":"OK","trace_metadata":{"mlflow.trace.tokenUsage":"{\"input_tokens\":2,\"output_tokens\":3,\"total_tokens\":5}"},"tags":{"mlflow.traceName":"answer","team":"blue"},
	"assessments":[{"assessment_name":"correct","source":{"source_type":"HUMAN","source_id":"ana"},"feedback":{"value":false},"rationale":"wrong month"},{"assessment_name":"judge","source":{"source_type":"LLM_JUDGE","source_id":"j"},"feedback":{"error":{"error_code":"TIMEOUT"}}}]}`

// oneSpan is OpenTelemetry's JSON of a span; the ids are base64 of eight bytes.
func oneSpan(id, parent, name string, start, end int) string {
	return fmt.Sprintf(`{"span_id":%q,"parent_span_id":%q,"name":%q,"start_time_unix_nano":"%d","end_time_unix_nano":"%d","status":{"code":"STATUS_CODE_ERROR","message":"it broke"},
	"attributes":[{"key":"mlflow.spanInputs","value":{"kvlist_value":{"values":[{"key":"q","value":{"string_value":"why?"}},{"key":"n","value":{"int_value":"7"}}]}}}],
	"events":[{"name":"exception","time_unix_nano":"%d","attributes":[{"key":"exception.type","value":{"string_value":"ValueError"}}]}]}`, id, parent, name, start, end, end)
}

func TestTracePages(t *testing.T) {
	h := pages(t, answers{
		"experiments/get":                    `{"experiment":{"experiment_id":"1","name":"flights"}}`,
		"/ajax-api/3.0/mlflow/traces/search": `{"traces":[` + oneTrace + `],"next_page_token":"n"}`,
		"/ajax-api/3.0/mlflow/traces/get":    `{"trace":{"trace_info":` + oneTrace + `,"spans":[` + oneSpan("AAAAAAAAAAI=", "AAAAAAAAAAE=", "child", 2000, 5000) + "," + oneSpan("AAAAAAAAAAE=", "", "root", 1000, 9000) + `]}}`,
	})
	for path, wants := range map[string][]string{
		"/experiments/1/traces":                            {"answer", "1.5 s", `title="2 in, 3 out">5<`, "correct false", "team blue", "&lt;script&gt;", "page=n"},
		"/experiments/1/traces/tr-1":                       {"2 spans in 8 µs", "wrong month", "failed: TIMEOUT", `x="125" y="1" width="375"`, "&#34;q&#34;: &#34;why?&#34;,\n  &#34;n&#34;: 7", "ValueError"},
		"/experiments/1/traces/tr-1?span=0000000000000002": {"<h2>child"},
	} {
		w := get(h, path)
		if w.Code != http.StatusOK {
			t.Errorf("%s: status %d: %s", path, w.Code, w.Body)
		}
		for _, want := range wants {
			if !strings.Contains(w.Body.String(), want) {
				t.Errorf("%s lacks %q: %s", path, want, w.Body)
			}
		}
		if strings.Contains(w.Body.String(), "<script>alert") {
			t.Errorf("%s does not escape what clients log", path)
		}
	}
}

func TestWaterfall(t *testing.T) {
	for _, c := range []struct{ name, in, want string }{
		{"children follow their parents by time", "a::1 c:b:3 b:a:2 d:a:4", "a0 b1 c2 d1"},
		{"a parent that has not come", "x:gone:2 y:x:3", "x0 y1"},
		{"a ring", "a:b:1 b:a:2", "a0 b1"},
		{"its own parent", "a:a:1", "a0"},
	} {
		var in []*traceSpan
		for _, f := range strings.Fields(c.in) {
			s := &traceSpan{}
			part := strings.Split(f, ":")
			s.ID, s.Parent = part[0], part[1]
			if _, err := fmt.Sscan(part[2], &s.Start); err != nil {
				t.Fatal(err)
			}
			in = append(in, s)
		}
		var got []string
		for _, s := range waterfall(in) {
			got = append(got, fmt.Sprint(s.ID, s.Depth))
		}
		if strings.Join(got, " ") != c.want {
			t.Errorf("%s: got %v, want %s", c.name, got, c.want)
		}
	}
}

func TestLargeTracesAreCut(t *testing.T) {
	var spans []string
	for i := range 1000 {
		spans = append(spans, fmt.Sprintf(`{"span_id":"s%d","name":"step","start_time_unix_nano":"%d","end_time_unix_nano":"%d","attributes":[{"key":"mlflow.spanOutputs","value":{"string_value":%q}}]}`, i, i, i+1, strings.Repeat("x", 50_000)))
	}
	h := pages(t, answers{"experiments/get": `{"experiment":{"experiment_id":"1"}}`, "/ajax-api/3.0/mlflow/traces/get": `{"trace":{"trace_info":` + oneTrace + `,"spans":[` + strings.Join(spans, ",") + `]}}`})
	body := get(h, "/experiments/1/traces/tr-1?span=s700").Body.String()
	if len(body) > 300_000 || !strings.Contains(body, "10000 characters more") || !strings.Contains(body, `data-span="s700"`) || strings.Contains(body, `data-span="s100"`) {
		t.Errorf("%d bytes: %.2000s", len(body), body)
	}
}

// TestSpansOfOlderClients reads the spans that clients before MLflow 3 keep in a file.
func TestSpansOfOlderClients(t *testing.T) {
	spans, err := readSpans([]json.RawMessage{[]byte(`{"name":"f","context":{"span_id":"0x0a","trace_id":"0x01"},"parent_id":null,"start_time":1000,"end_time":2000,"status_code":"OK","status_message":"",
		"attributes":{"mlflow.spanType":"\"TOOL\"","mlflow.spanInputs":"{\"x\": 1}"},"events":[]}`)})
	if err != nil {
		t.Fatal(err)
	}
	s := spans[0]
	if s.ID != "0a" || s.Type() != "TOOL" || s.Took() != "1 µs" || s.Inputs().Text != "{\n  \"x\": 1\n}" || s.State != "OK" {
		t.Errorf("read as %+v", s)
	}
}
