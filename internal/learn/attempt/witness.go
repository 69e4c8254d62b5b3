package attempt

import (
	"bytes"
	"encoding/json"
	"io"
	"net/http"
	"slices"
	"strings"

	"github.com/millpond/millpond/internal/evidence"
	"github.com/millpond/millpond/internal/rest"
)

// maxCall bounds the bodies that are looked into.
const maxCall = 1 << 18

// unheard are requests whose effect is read from the runs themselves.
var unheard = []string{"runs/log-batch", "runs/log-metric", "runs/log-parameter", "runs/set-tag", "runs/log-inputs"}

// Witness tells the log of the requests that an attempt's MLflow client sends: it carries the
// attempt's id as its token, or after a "+" behind the learner's token where users sign in. Workers do not, but what they read of the attempt's artifacts tells
// how often they loaded a model.
func (a *Attempts) Witness(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		id, worker := a.sender(r)
		endpoint := endpointOf(r.URL.Path)
		if id == "" || endpoint == "" || slices.Contains(unheard, endpoint) {
			next.ServeHTTP(w, r)
			return
		}
		call := evidence.Call{Endpoint: endpoint, Method: r.Method, Params: paramsOf(r), Worker: worker}
		s := &rest.StatusWriter{ResponseWriter: w}
		next.ServeHTTP(s, r)
		call.Status = s.Status()
		a.opts.Log.Record(id, call)
	})
}

// sender finds the attempt that a request belongs to, "" for none.
func (a *Attempts) sender(r *http.Request) (id string, worker bool) {
	if token, ok := strings.CutPrefix(r.Header.Get("Authorization"), "Bearer "); ok {
		if id := token[strings.LastIndexByte(token, '+')+1:]; a.opts.Log.Listens(id) {
			return id, false
		}
	}
	file, ok := strings.CutPrefix(r.URL.Path, artifacts)
	if !ok || r.Method != http.MethodGet {
		return "", false
	}
	experiment, _, _ := strings.Cut(file, "/")
	a.mu.Lock()
	defer a.mu.Unlock()
	for id, x := range a.byID {
		if x.experimentID == experiment {
			return id, true
		}
	}
	return "", false
}

// artifacts is where files are; an experiment's begin with its id.
const artifacts = "/api/2.0/mlflow-artifacts/artifacts/"

// endpointOf names a request: "runs/search", "artifacts".
func endpointOf(path string) string {
	for _, prefix := range []string{"/api/2.0/mlflow/", "/ajax-api/2.0/mlflow/"} {
		if e, ok := strings.CutPrefix(path, prefix); ok {
			return e
		}
	}
	if strings.HasPrefix(path, artifacts) {
		return "artifacts"
	}
	return ""
}

// paramsOf reads a request's query and its JSON body, which the handler still gets whole.
func paramsOf(r *http.Request) map[string]any {
	out := map[string]any{}
	for k, v := range r.URL.Query() {
		if len(v) == 1 {
			out[k] = v[0]
		} else {
			out[k] = v
		}
	}
	if file, ok := strings.CutPrefix(r.URL.Path, artifacts); ok {
		out["path"] = file
		return out
	}
	if r.Method == http.MethodGet || r.ContentLength <= 0 || r.ContentLength > maxCall {
		return out
	}
	body, err := io.ReadAll(io.LimitReader(r.Body, maxCall))
	r.Body = struct {
		io.Reader
		io.Closer
	}{io.MultiReader(bytes.NewReader(body), r.Body), r.Body}
	var fields map[string]any
	if err == nil && json.Unmarshal(body, &fields) == nil {
		for k, v := range fields {
			out[k] = v
		}
	}
	return out
}
