// Package rest serves the HTTP APIs of the workspace.
//
// In come [Route]s of the slices and, later, requests; out go answers in
// MLflow's and Databricks' dialect of JSON: error bodies with an error_code,
// 64-bit integers as numbers, NaN and infinities as strings. It knows how to
// route, decode, validate, page and encode; it never knows what an endpoint
// means and never touches a database or a file.
package rest

import (
	"context"
	"errors"
	"io"
	"log/slog"
	"net/http"
	"net/url"
	"strings"
	"time"
)

// HandlerFunc answers one request. A returned error becomes the answer, unless
// the handler has begun to write one.
type HandlerFunc func(w http.ResponseWriter, r *http.Request) error

// Route is one row of the API: what the server answers and who answers it.
// Path segments in braces are parameters, read with [http.Request.PathValue];
// a last segment {name...} takes the rest of the path.
type Route struct {
	Method  string
	Path    string
	Name    string // the operation's name, such as "createRun"
	Summary string
	Handler HandlerFunc
	// In and Out are zero values of the request and response bodies, from
	// which the API document is derived; nil if there is no JSON body.
	In, Out any
}

// Observer is told of every answer: the route's path ("" if none matched).
type Observer func(r *http.Request, route string, status int, took time.Duration)

// Mux routes requests. Unlike http.ServeMux it answers errors in the API's own
// form and never cleans or redirects a path: what an artifact path means is
// for the artifact store to judge.
type Mux struct {
	static   map[string]map[string]*Route // path -> method -> route
	patterns []*pattern
	routes   []Route
	fallback http.Handler
	guard    Guard
	observe  Observer
	log      *slog.Logger
}

type pattern struct {
	segments []string
	rest     bool // the last segment takes what remains
	methods  map[string]*Route
	path     string
}

// MuxOptions tunes a Mux; the zero value is fine.
type MuxOptions struct {
	Observer Observer
	Logger   *slog.Logger
	// Fallback answers paths that no route has, instead of a 404.
	Fallback http.Handler
	// Guard decides who may use a route; nil lets everybody.
	Guard Guard
}

// NewMux makes an empty Mux.
func NewMux(opts MuxOptions) *Mux {
	if opts.Logger == nil {
		opts.Logger = slog.Default()
	}
	return &Mux{static: map[string]map[string]*Route{}, fallback: opts.Fallback, guard: opts.Guard, observe: opts.Observer, log: opts.Logger}
}

// Handle adds routes. It panics if a method and path are already taken: that
// is a mistake in the program.
func (m *Mux) Handle(routes ...Route) {
	for _, r := range routes {
		m.routes = append(m.routes, r)
		methods := m.methodsFor(r.Path)
		if methods[r.Method] != nil {
			panic("rest: two routes for " + r.Method + " " + r.Path)
		}
		methods[r.Method] = &r
	}
}

func (m *Mux) methodsFor(path string) map[string]*Route {
	if !strings.Contains(path, "{") {
		if m.static[path] == nil {
			m.static[path] = map[string]*Route{}
		}
		return m.static[path]
	}
	for _, p := range m.patterns {
		if p.path == path {
			return p.methods
		}
	}
	p := &pattern{segments: strings.Split(path[1:], "/"), methods: map[string]*Route{}, path: path}
	p.rest = strings.HasSuffix(path, "...}")
	m.patterns = append(m.patterns, p)
	return p.methods
}

// Routes lists what has been added, in order.
func (m *Mux) Routes() []Route { return m.routes }

// ServeHTTP implements http.Handler.
func (m *Mux) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	start := time.Now()
	sw := &StatusWriter{ResponseWriter: w}
	route := m.serve(sw, r)
	if m.observe != nil {
		m.observe(r, route, sw.Status(), time.Since(start))
	}
}

func (m *Mux) serve(w *StatusWriter, r *http.Request) string {
	methods, path := m.match(r)
	if methods == nil {
		if m.fallback != nil {
			m.fallback.ServeHTTP(w, r)
			return ""
		}
		m.fail(w, r, Errorf(EndpointNotFound, "No API found for '%s %s'.", r.Method, r.URL.Path))
		return ""
	}
	route := methods[r.Method]
	if route == nil && r.Method == http.MethodHead {
		route = methods[http.MethodGet]
	}
	if route == nil {
		allowed := make([]string, 0, len(methods))
		for method := range methods {
			allowed = append(allowed, method)
		}
		w.Header().Set("Allow", strings.Join(allowed, ", "))
		m.fail(w, r, &Error{Code: BadRequest, HTTP: http.StatusMethodNotAllowed,
			Message: "Method " + r.Method + " is not allowed for '" + r.URL.Path + "'."})
		return path
	}
	defer m.recoverPanic(w, r)
	if err := m.answer(w, r, route); err != nil {
		m.fail(w, r, err)
	}
	return route.Path
}

// answer runs the handler, under the guard if there is one.
func (m *Mux) answer(w http.ResponseWriter, r *http.Request, route *Route) error {
	switch {
	case m.guard == nil:
	case route.In == nil:
		if err := m.guard.Before(r, route, nil); err != nil {
			return err
		}
	default: // the handler asks once it has decoded the request
		r = withGuard(r, m.guard, route)
	}
	return route.Handler(w, r)
}

// match finds the routes of the request's path and sets its path values.
func (m *Mux) match(r *http.Request) (map[string]*Route, string) {
	escaped := r.URL.EscapedPath()
	if methods := m.static[escaped]; methods != nil {
		return methods, escaped
	}
	segments := strings.Split(strings.TrimPrefix(escaped, "/"), "/")
	for _, p := range m.patterns {
		if p.set(r, segments) {
			return p.methods, p.path
		}
	}
	return nil, ""
}

// set reports whether the path matches, and if so sets the request's values.
func (p *pattern) set(r *http.Request, segments []string) bool {
	n := len(p.segments)
	if len(segments) < n || len(segments) > n && !p.rest {
		return false
	}
	type value struct{ name, text string }
	var values []value
	for i, want := range p.segments {
		if !strings.HasPrefix(want, "{") {
			if want != segments[i] {
				return false
			}
			continue
		}
		name, raw := strings.Trim(want, "{}."), segments[i]
		if p.rest && i == n-1 {
			raw = strings.Join(segments[i:], "/")
		}
		text, err := url.PathUnescape(raw)
		if err != nil || text == "" {
			return false
		}
		values = append(values, value{name, text})
	}
	for _, v := range values {
		r.SetPathValue(v.name, v.text)
	}
	return true
}

func (m *Mux) recoverPanic(w *StatusWriter, r *http.Request) {
	p := recover()
	if p == nil {
		return
	}
	if err, ok := p.(error); ok && errors.Is(err, http.ErrAbortHandler) {
		panic(p)
	}
	m.log.Error("panic while answering a request", "method", r.Method, "path", r.URL.Path, "panic", p, "stack", stack())
	if w.status == 0 {
		WriteError(w, Errorf(InternalError, "The server met an internal error; its log tells more."))
	}
}

func (m *Mux) fail(w *StatusWriter, r *http.Request, err error) {
	answer, unexpected := asError(err)
	if unexpected && w.status == 0 { // else most likely the client has gone
		m.log.LogAttrs(context.WithoutCancel(r.Context()), slog.LevelError, "request failed",
			slog.String("method", r.Method), slog.String("path", r.URL.Path), slog.Any("error", err))
	}
	if w.status != 0 {
		// Half an answer is on the wire: break the connection rather than let
		// the client take it for whole.
		panic(http.ErrAbortHandler)
	}
	WriteError(w, answer)
}

// WriteError writes an error answer.
func WriteError(w http.ResponseWriter, e *Error) {
	body := struct {
		Code     Code     `json:"error_code"`
		Message  string   `json:"message"`
		SQLState string   `json:"sqlstate,omitempty"`
		Class    string   `json:"error_class,omitempty"`
		Details  []Detail `json:"details,omitempty"`
	}{e.Code, e.Message, classes[e.Code].state, classes[e.Code].name, e.Details}
	writeJSON(w, e.Status(), body)
}

// StatusWriter remembers the status of the answer that goes through it.
type StatusWriter struct {
	http.ResponseWriter
	status int
}

func (w *StatusWriter) WriteHeader(status int) {
	if w.status == 0 {
		w.status = status
	}
	w.ResponseWriter.WriteHeader(status)
}

func (w *StatusWriter) Write(p []byte) (int, error) {
	if w.status == 0 {
		w.status = http.StatusOK
	}
	return w.ResponseWriter.Write(p)
}

// ReadFrom lets files be sent without passing through this process.
func (w *StatusWriter) ReadFrom(r io.Reader) (int64, error) {
	if w.status == 0 {
		w.status = http.StatusOK
	}
	return io.Copy(w.ResponseWriter, r)
}

// Unwrap lets http.ResponseController reach the connection.
func (w *StatusWriter) Unwrap() http.ResponseWriter { return w.ResponseWriter }

// Status is that of the answer, also where nobody named one.
func (w *StatusWriter) Status() int {
	if w.status == 0 {
		return http.StatusOK
	}
	return w.status
}
