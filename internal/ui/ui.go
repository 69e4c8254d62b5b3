// Package ui is what a person sees: pages rendered on the server from the workspace's own REST
// API, with small custom elements that make tables and charts live. A request for a page comes
// in, HTML goes out; every state of a page is in its URL, and a page without JavaScript still
// shows its table. It keeps no records and knows no database: what it shows, clients can ask.
package ui

import (
	"fmt"
	"html/template"
	"log/slog"
	"net/http"
)

// Status is what the top line and the home page tell of the server.
type Status struct {
	Version, Connect, HTTP string
	Sessions, Running      int   // Spark Connect sessions; operations that run now
	MemoryBytes            int64 // resident memory of the server
}

// Options is what the pages need of the program.
type Options struct {
	API     http.Handler  // the REST API, asked in process with the visitor's own headers
	Status  func() Status // asked for every page
	Storage func() int64  // bytes of the data directory, asked for the home page
	Logger  *slog.Logger
}

// UI serves the pages.
type UI struct {
	api     api
	status  func() Status
	storage func() int64
	log     *slog.Logger
	assets  *assets
	pages   map[string]*template.Template
}

// New reads the templates and the static files.
func New(opts Options) (*UI, error) {
	if opts.Logger == nil {
		opts.Logger = slog.Default()
	}
	a, err := newAssets()
	if err != nil {
		return nil, fmt.Errorf("read the pages' static files: %w", err)
	}
	u := &UI{api: api{opts.API}, status: opts.Status, storage: opts.Storage, log: opts.Logger, assets: a}
	if u.pages, err = parseTemplates(a); err != nil {
		return nil, fmt.Errorf("read the pages' templates: %w", err)
	}
	return u, nil
}

// page answers one page: data for a template, or an error that becomes the error page.
type page func(r *http.Request) (view, error)

// view is a page to render.
type view struct {
	Template string  // file in templates/, without .html
	Title    string  // of the window; the product's name is added
	Crumbs   []crumb // where the page is, without the page itself
	Section  string  // the rail's item that is lit
	Data     any
}

type crumb struct{ Text, URL string }

// routes is the table of pages.
func (u *UI) routes() map[string]page {
	return map[string]page{
		"GET /{$}":                              u.home,
		"GET /experiments":                      u.experiments,
		"GET /experiments/{id}":                 u.runs,
		"GET /experiments/{id}/runs/{run}":      u.run,
		"GET /runs":                             u.runsOfSeveral,
		"GET /experiments/{id}/traces":          u.traces,
		"GET /experiments/{id}/traces/{trace}":  u.trace,
		"GET /compare":                          u.compare,
		"GET /models":                           u.models,
		"GET /models/{name}":                    u.model,
		"GET /models/{name}/versions/{version}": u.modelVersion,
		"GET /search":                           u.search,
		"GET /learn":                            u.learnHome,
		"GET /learn/topics":                     u.topics,
		"GET /learn/topics/{topic}":             u.topic,
		"GET /learn/cheatsheets/{domain}":       u.cheatSheet,
		"GET /learn/practice":                   u.practice,
		"GET /learn/mocks":                      u.mocks,
		"GET /learn/mocks/{mock}":               u.mock,
		"GET /learn/labs":                       u.labs,
		"GET /learn/labs/{lab}":                 u.lab,
		"GET /learn/progress":                   u.progress,
	}
}

// Mount adds the pages to a mux; what it does not know stays the caller's.
func (u *UI) Mount(mux *http.ServeMux) {
	mux.Handle("GET /static/", u.assets)
	for pattern, p := range u.routes() {
		mux.HandleFunc(pattern, func(w http.ResponseWriter, r *http.Request) { u.serve(w, r, p) })
	}
}
