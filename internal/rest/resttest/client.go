// Package resttest asks a handler of JSON as MLflow's clients do, for the tests of services.
package resttest

import (
	"bytes"
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
)

// Body is a decoded answer, or a request's fields.
type Body = map[string]any

// Client sends requests to a handler.
type Client struct {
	T       testing.TB
	Handler http.Handler
	Prefix  string      // of paths that do not begin with a slash
	Header  http.Header // of every request
	Raw     bool        // an answer that is no JSON is given as the field raw, instead of ending the test
}

// Call sends a request and gives the status and the decoded answer. in is the query (url.Values), a
// body's text, or what is a body as JSON; nil is neither.
func (c *Client) Call(method, path string, in any) (int, Body) {
	c.T.Helper()
	if !strings.HasPrefix(path, "/") {
		path = c.Prefix + path
	}
	var r io.Reader
	switch in := in.(type) {
	case nil:
	case url.Values:
		path += "?" + in.Encode()
	case string:
		r = strings.NewReader(in)
	default:
		raw, err := json.Marshal(in)
		if err != nil {
			c.T.Fatal(err)
		}
		r = bytes.NewReader(raw)
	}
	req := httptest.NewRequest(method, path, r)
	if c.Header != nil {
		req.Header = c.Header.Clone()
	}
	if r != nil {
		req.Header.Set("Content-Type", "application/json")
	}
	w := httptest.NewRecorder()
	c.Handler.ServeHTTP(w, req)
	out := Body{}
	if err := json.Unmarshal(w.Body.Bytes(), &out); err != nil {
		if !c.Raw {
			c.T.Fatalf("%s %s: %d %s", method, path, w.Code, w.Body)
		}
		out = Body{"raw": w.Body.String()}
	}
	return w.Code, out
}

// OK is Call for what must succeed.
func (c *Client) OK(method, path string, in any) Body {
	c.T.Helper()
	status, out := c.Call(method, path, in)
	if status != http.StatusOK {
		c.T.Fatalf("%s %s %v: %d %v", method, path, in, status, out)
	}
	return out
}

// Fails is Call for what must be refused with a code and a piece of message.
func (c *Client) Fails(method, path string, in any, status int, code, message string) {
	c.T.Helper()
	got, out := c.Call(method, path, in)
	text, _ := out["message"].(string)
	if got != status || out["error_code"] != code || !strings.Contains(text, message) {
		c.T.Errorf("%s %s %v: %d %v\nwant %d %s ...%s...", method, path, in, got, out, status, code, message)
	}
}

// Dig walks into an answer: names for objects, numbers for lists.
func Dig(v any, path ...any) any {
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
