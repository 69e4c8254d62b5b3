package rest

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"math"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/prometheus/client_golang/prometheus"
)

type request struct {
	RunID   string   `json:"run_id" mlflow:"required"`
	RunUUID string   `json:"run_uuid"`
	Step    Int64    `json:"step"`
	Value   *Float   `json:"value"`
	Names   []string `json:"names"`
	Deep    bool     `json:"deep"`
	Limit   *Int64   `json:"limit"`
	Items   []item   `json:"items"`
}

type item struct {
	Value Float `json:"value"`
}

func serve(t *testing.T, routes []Route, method, target, body string, header ...string) *httptest.ResponseRecorder {
	t.Helper()
	m := NewMux(MuxOptions{Logger: slog.New(slog.DiscardHandler)})
	m.Handle(routes...)
	r := httptest.NewRequest(method, target, strings.NewReader(body))
	if body != "" {
		r.Header.Set("Content-Type", "application/json")
	}
	for i := 0; i < len(header); i += 2 {
		r.Header.Set(header[i], header[i+1])
	}
	w := httptest.NewRecorder()
	m.ServeHTTP(w, r)
	return w
}

func echo() []Route {
	h := JSON(func(_ context.Context, in *request) (*request, error) { return in, nil })
	return []Route{{Method: "POST", Path: "/x", Handler: h}, {Method: "GET", Path: "/x", Handler: h}, {Method: "PATCH", Path: "/x/{run_id}", Handler: h}}
}

func TestDecode(t *testing.T) {
	f := func(v float64) *Float { x := Float(v); return &x }
	five := Int64(5)
	for _, c := range []struct {
		method, target, body string
		want                 request
	}{
		{"POST", "/x", `{"run_id":"a","step":"7","value":"NaN","unknown":{"a":1}}`, request{RunID: "a", Step: 7, Value: f(math.NaN())}},
		{"POST", "/x", `{"run_id":"a","step":7.0,"value":1}`, request{RunID: "a", Step: 7, Value: f(1)}},
		{"POST", "/x", `{"run_id":"a","value":"-Infinity","limit":5}`, request{RunID: "a", Value: f(math.Inf(-1)), Limit: &five}},
		{"POST", "/x", `{"run_id":"a","value":"2.5","step":null}`, request{RunID: "a", Value: f(2.5)}},
		{"POST", "/x", `{"run_uuid":"old"}`, request{RunID: "old", RunUUID: "old"}},
		{"POST", "/x", `"{\"run_id\":\"twice\"}"`, request{RunID: "twice"}},
		{"GET", "/x?run_id=a&step=3&names=p&names=q&deep=True&value=1e3&limit=5", "", request{RunID: "a", Step: 3, Names: []string{"p", "q"}, Deep: true, Value: f(1000), Limit: &five}},
		{"PATCH", "/x/from%20path", "", request{RunID: "from path"}},
	} {
		w := serve(t, echo(), c.method, c.target, c.body)
		var got request
		if err := json.Unmarshal(w.Body.Bytes(), &got); err != nil || w.Code != 200 {
			t.Errorf("%s %s %s: %d %s", c.method, c.target, c.body, w.Code, w.Body)
			continue
		}
		nan := cmp.Comparer(func(a, b Float) bool { return a == b || a != a && b != b })
		if d := cmp.Diff(c.want, got, nan); d != "" {
			t.Errorf("%s %s: %s", c.target, c.body, d)
		}
	}
}

func TestDecodeErrors(t *testing.T) {
	hint := func(value, path, kind string) string {
		return fmt.Sprintf("Invalid value %s for parameter '%s' supplied:  Hint: Value was of type '%s'.%s", value, path, kind, seeDocs)
	}
	for _, c := range []struct{ target, body, want string }{
		{"/x", `{}`, "Missing value for required parameter 'run_id'." + seeDocs},
		{"/x", `{"run_id":""}`, "Missing value for required parameter 'run_id'." + seeDocs},
		{"/x", `{"run_id":5}`, hint("5", "run_id", "int")},
		{"/x", `{"run_id":"a","value":"abc"}`, hint(`"abc"`, "value", "str")},
		{"/x", `{"run_id":"a","value":"0x10"}`, hint(`"0x10"`, "value", "str")},
		{"/x", `{"run_id":"a","step":1.5}`, hint("1.5", "step", "float")},
		{"/x", `{"run_id":"a","names":"x"}`, hint(`"x"`, "names", "str")},
		{"/x", `{"run_id":"a","items":[{"value":1},{"value":[ 1 ]}]}`, hint("[1]", "items[1].value", "list")},
		{"/x", `[1]`, "Request body is not a JSON object."},
		{"/x", `{bad`, "Request body is not valid JSON: invalid character 'b' looking for beginning of object key string."},
		{"/x?run_id=a&step=many", "", hint(`"many"`, "step", "str")},
	} {
		method := "POST"
		if c.body == "" {
			method = "GET"
		}
		w := serve(t, echo(), method, c.target, c.body)
		var got struct {
			Code    Code   `json:"error_code"`
			Message string `json:"message"`
		}
		if err := json.Unmarshal(w.Body.Bytes(), &got); err != nil || w.Code != 400 || got.Code != InvalidParameterValue || got.Message != c.want {
			t.Errorf("%s: %d %s\nwant %s", c.body, w.Code, w.Body, c.want)
		}
	}
	if w := serve(t, echo(), "POST", "/x", `{"run_id":"a"}`, "Content-Type", "text/plain"); w.Code != 400 {
		t.Errorf("a form that a browser can post across sites was accepted: %d", w.Code)
	}
}

func TestMux(t *testing.T) {
	say := func(s string) HandlerFunc {
		return func(w http.ResponseWriter, r *http.Request) error {
			_, err := io.WriteString(w, s+" "+r.PathValue("id")+r.PathValue("rest"))
			return err
		}
	}
	routes := []Route{
		{Method: "GET", Path: "/a", Handler: say("a")},
		{Method: "GET", Path: "/m/search", Handler: say("search")},
		{Method: "GET", Path: "/m/{id}", Handler: say("one")},
		{Method: "DELETE", Path: "/m/{id}", Handler: say("del")},
		{Method: "GET", Path: "/m/{id}/tags", Handler: say("tags")},
		{Method: "PUT", Path: "/f/{rest...}", Handler: say("file")},
		{Method: "GET", Path: "/err", Handler: func(http.ResponseWriter, *http.Request) error { return errors.New("secret detail") }},
		{Method: "GET", Path: "/panic", Handler: func(http.ResponseWriter, *http.Request) error { panic("secret detail") }},
		{Method: "GET", Path: "/wrapped", Handler: func(http.ResponseWriter, *http.Request) error {
			return fmt.Errorf("while: %w", NotFound("no %s", "x"))
		}},
	}
	for _, c := range []struct {
		method, target string
		status         int
		body           string
	}{
		{"GET", "/a", 200, "a "},
		{"HEAD", "/a", 200, ""},
		{"POST", "/a", 405, ""},
		{"GET", "/m/search", 200, "search "},
		{"GET", "/m/x%2Fy", 200, "one x/y"},
		{"DELETE", "/m/1", 200, "del 1"},
		{"PATCH", "/m/1", 405, ""},
		{"GET", "/m/1/tags", 200, "tags 1"},
		{"GET", "/m/", 404, ""},
		{"PUT", "/f/a//b/../c", 200, "file a//b/../c"},
		{"PUT", "/f/%2e%2e/x", 200, "file ../x"},
		{"GET", "/none", 404, ""},
		{"GET", "/err", 500, ""},
		{"GET", "/panic", 500, ""},
		{"GET", "/wrapped", 404, ""},
	} {
		w := serve(t, routes, c.method, c.target, "")
		if w.Code != c.status || c.body != "" && w.Body.String() != c.body {
			t.Errorf("%s %s: %d %q", c.method, c.target, w.Code, w.Body)
		}
		var e struct {
			Code, Message string
			ErrorCode     string `json:"error_code"`
		}
		if w.Code >= 400 && (json.Unmarshal(w.Body.Bytes(), &e) != nil || e.ErrorCode == "" || e.Message == "") {
			t.Errorf("%s %s: the error has no MLflow form: %s", c.method, c.target, w.Body)
		}
		if strings.Contains(w.Body.String(), "secret") {
			t.Errorf("%s: an inner error reached the client: %s", c.target, w.Body)
		}
	}
	if allow := serve(t, routes, "POST", "/a", "").Header().Get("Allow"); allow != "GET" {
		t.Errorf("Allow: %q", allow)
	}
}

func TestObserverAndPrometheus(t *testing.T) {
	reg := prometheus.NewRegistry()
	count := Prometheus(reg)
	var seen []string
	m := NewMux(MuxOptions{Observer: func(r *http.Request, route string, status int, took time.Duration) {
		seen = append(seen, fmt.Sprint(route, " ", status))
		count(r, route, status, took)
	}})
	m.Handle(echo()...)
	for _, target := range []string{"/x?run_id=1", "/x", "/none"} {
		m.ServeHTTP(httptest.NewRecorder(), httptest.NewRequest("GET", target, nil))
	}
	if d := cmp.Diff([]string{"/x 200", "/x 400", " 404"}, seen); d != "" {
		t.Error(d)
	}
	families, err := reg.Gather()
	if err != nil || len(families) != 2 {
		t.Errorf("%d metric families, %v", len(families), err)
	}
}

func TestGzip(t *testing.T) {
	big := strings.Repeat("x", gzipFrom)
	routes := []Route{{Method: "GET", Path: "/x", Handler: JSON(func(context.Context, *struct{}) (*item2, error) { return &item2{big}, nil })}}
	w := serve(t, routes, "GET", "/x", "", "Accept-Encoding", "gzip, deflate")
	if w.Header().Get("Content-Encoding") != "gzip" || w.Body.Len() > 2000 {
		t.Errorf("a large answer was not compressed: %d bytes", w.Body.Len())
	}
	if w = serve(t, routes, "GET", "/x", ""); w.Header().Get("Content-Encoding") != "" || w.Body.Len() < gzipFrom {
		t.Errorf("compressed for a client that did not ask")
	}
}

func TestIsHere(t *testing.T) {
	for _, c := range []struct {
		remote, forwarded string
		want              bool
	}{{"127.0.0.1:1", "", true}, {"[::1]:1", "", true}, {"[::ffff:127.0.0.1]:1", "", true}, {"10.0.0.1:1", "", false}, {"127.0.0.1:1", "10.0.0.1", false}, {"", "", false}} {
		r := httptest.NewRequest("GET", "/", nil)
		r.RemoteAddr = c.remote
		r.Header.Set("X-Forwarded-For", c.forwarded)
		if got := isHere(r); got != c.want {
			t.Errorf("%s for %q: %v", c.remote, c.forwarded, got)
		}
	}
}

type item2 struct {
	S string `json:"s"`
}

func TestFloatJSON(t *testing.T) {
	for v, want := range map[float64]string{1: "1.0", 0.1: "0.1", -2.5e-10: "-2.5e-10", 1e20: "1e+20", 123456789: "123456789.0",
		math.Inf(1): `"Infinity"`, math.Inf(-1): `"-Infinity"`, math.MaxFloat64: "1.7976931348623157e+308", 0: "0.0"} {
		if got, _ := Float(v).MarshalJSON(); string(got) != want {
			t.Errorf("%v: %s, want %s", v, got, want)
		}
	}
}

func TestPageToken(t *testing.T) {
	for _, n := range []int{0, 1, 50000} {
		if got, err := ParsePageToken(PageToken(n)); err != nil || got != n {
			t.Errorf("%d came back as %d, %v", n, got, err)
		}
	}
	if PageToken(1) != "eyJvZmZzZXQiOiAxfQ==" {
		t.Error("tokens differ from MLflow's")
	}
	for _, bad := range []string{"zzz", "e30=", "eyJvZmZzZXQiOiAtMX0=", "bm90IGpzb24="} {
		if _, err := ParsePageToken(bad); !IsCode(err, InvalidParameterValue) {
			t.Errorf("%q: %v", bad, err)
		}
	}
}

func FuzzDecodeJSON(f *testing.F) {
	for _, s := range []string{`{"run_id":"a","step":"7","value":"NaN","items":[{"value":1}]}`, `"{}"`, `{"step":1e3}`, `[`, `{"items":[{"value":{}}]}`, `{"value":"0x1p-2"}`} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, body []byte) {
		var in request
		err := DecodeJSON(body, &in)
		var e *Error
		if err != nil && !errors.As(err, &e) {
			t.Fatalf("%q: an error without a code: %v", body, err)
		}
		if err != nil {
			return
		}
		again, err := encode(in)
		if err != nil {
			t.Fatalf("%q decodes but does not encode: %v", body, err)
		}
		var back request
		if err := DecodeJSON(again, &back); err != nil {
			t.Fatalf("%q became %q, which does not decode: %v", body, again, err)
		}
	})
}
