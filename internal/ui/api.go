package ui

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
)

// api asks the workspace's REST API in process.
type api struct{ handler http.Handler }

// apiError is an answer that is no success.
type apiError struct {
	Status  int
	Code    string `json:"error_code"`
	Message string `json:"message"`
}

func (e *apiError) Error() string { return e.Message }

// get asks for a path with a query, as the visitor r would.
func (a api) get(r *http.Request, path string, query url.Values, out any) error {
	return a.do(r, http.MethodGet, path+"?"+query.Encode(), nil, out)
}

// post sends a body, as the visitor r would.
func (a api) post(r *http.Request, path string, in, out any) error {
	body, err := json.Marshal(in)
	if err != nil {
		return fmt.Errorf("encode a request: %w", err)
	}
	return a.do(r, http.MethodPost, path, body, out)
}

func (a api) do(visitor *http.Request, method, path string, body []byte, out any) error {
	req, err := http.NewRequestWithContext(visitor.Context(), method, "/ajax-api/2.0/mlflow/"+path, bytes.NewReader(body))
	if err != nil {
		return fmt.Errorf("ask for %s: %w", path, err)
	}
	req.RemoteAddr, req.Host, req.RequestURI = visitor.RemoteAddr, visitor.Host, req.URL.RequestURI()
	for _, h := range []string{"Authorization", "Cookie"} {
		req.Header[h] = visitor.Header.Values(h)
	}
	req.Header.Set("Content-Type", "application/json")
	w := &recorder{header: http.Header{}, status: http.StatusOK}
	a.handler.ServeHTTP(w, req)
	if err := context.Cause(visitor.Context()); err != nil {
		return err
	}
	if w.status != http.StatusOK {
		e := &apiError{Status: w.status}
		if err := json.Unmarshal(w.body.Bytes(), e); err != nil {
			e.Message = fmt.Sprintf("%s answered status %d", path, w.status)
		}
		return e
	}
	if err := json.Unmarshal(w.body.Bytes(), out); err != nil {
		return fmt.Errorf("read the answer of %s: %w", path, err)
	}
	return nil
}

// recorder keeps an answer in memory.
type recorder struct {
	header http.Header
	status int
	body   bytes.Buffer
}

func (w *recorder) Header() http.Header         { return w.header }
func (w *recorder) WriteHeader(status int)      { w.status = status }
func (w *recorder) Write(b []byte) (int, error) { return w.body.Write(b) }
