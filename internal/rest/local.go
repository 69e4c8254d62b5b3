package rest

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"net/http"
)

// Local asks a handler in process, as a client would over the network.
type Local struct{ Handler http.Handler }

// Failure is an answer that is no success.
type Failure struct {
	Status  int
	Code    string `json:"error_code"`
	Message string `json:"message"`
}

func (e *Failure) Error() string { return e.Message }

// Call sends in as JSON, nil for no body, and reads the answer into out: JSON, or all of it into a
// *[]byte; nil if it does not matter. prepare may add to the request what its sender has: headers, an address.
func (l Local) Call(ctx context.Context, method, path string, in, out any, prepare func(*http.Request)) error {
	var body []byte
	if in != nil {
		var err error
		if body, err = json.Marshal(in); err != nil {
			return fmt.Errorf("encode a request: %w", err)
		}
	}
	req, err := http.NewRequestWithContext(ctx, method, path, bytes.NewReader(body))
	if err != nil {
		return fmt.Errorf("ask for %s: %w", path, err)
	}
	req.RequestURI = req.URL.RequestURI()
	req.Header.Set("Content-Type", "application/json")
	if prepare != nil {
		prepare(req)
	}
	w := &answer{header: http.Header{}, status: http.StatusOK}
	l.Handler.ServeHTTP(w, req)
	if err := context.Cause(ctx); err != nil {
		return err
	}
	if w.status != http.StatusOK {
		e := &Failure{Status: w.status}
		if err := json.Unmarshal(w.body.Bytes(), e); err != nil {
			e.Message = fmt.Sprintf("%s answered status %d", path, w.status)
		}
		return e
	}
	switch out := out.(type) {
	case nil:
		return nil
	case *[]byte:
		*out = w.body.Bytes()
		return nil
	}
	if err := json.Unmarshal(w.body.Bytes(), out); err != nil {
		return fmt.Errorf("read the answer of %s: %w", path, err)
	}
	return nil
}

// answer keeps an answer in memory.
type answer struct {
	header http.Header
	status int
	body   bytes.Buffer
}

func (w *answer) Header() http.Header         { return w.header }
func (w *answer) WriteHeader(status int)      { w.status = status }
func (w *answer) Write(b []byte) (int, error) { return w.body.Write(b) }
