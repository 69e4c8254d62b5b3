package ui

import (
	"bytes"
	"embed"
	"errors"
	"fmt"
	"html/template"
	"io/fs"
	"net/http"
	"path"
	"strings"
)

//go:embed templates
var templateFiles embed.FS

// policy keeps the pages to their own files: no inline script, nothing from elsewhere.
const policy = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self'; " +
	"frame-src 'self'; font-src 'self'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'"

// parseTemplates gives one template a page: the layout around the page's own file.
func parseTemplates(a *assets) (map[string]*template.Template, error) {
	funcs := template.FuncMap{"asset": a.url, "markdown": markdown, "line": markdownLine, "code": highlighted}
	for name, f := range formats {
		funcs[name] = f
	}
	layout, err := template.New("layout.html").Funcs(funcs).ParseFS(templateFiles, "templates/layout.html", "templates/parts.html")
	if err != nil {
		return nil, err
	}
	names, err := fs.Glob(templateFiles, "templates/*.html")
	if err != nil {
		return nil, err
	}
	out := map[string]*template.Template{}
	for _, file := range names {
		name := strings.TrimSuffix(path.Base(file), ".html")
		if name == "layout" || name == "parts" {
			continue
		}
		t, err := layout.Clone()
		if err != nil {
			return nil, err
		}
		if out[name], err = t.ParseFS(templateFiles, file); err != nil {
			return nil, err
		}
	}
	return out, nil
}

// railItem is an entry of the left rail.
type railItem struct{ Name, URL, Icon string }

var rail = []railItem{
	{"Home", "/", "home"},
	{"Experiments", "/experiments", "flask"},
	{"Models", "/models", "box"},
	{"Learn", "/learn", "book"},
}

// frame is what the layout shows around a page.
type frame struct {
	view
	Status Status
	Rail   []railItem
	Query  string // of the search box
	Narrow bool   // the rail is folded
}

// narrow reports whether the visitor folded the rail.
func narrow(r *http.Request) bool {
	c, err := r.Cookie("rail")
	return err == nil && c.Value == "narrow"
}

// serve renders a page, or the error that it ended in.
func (u *UI) serve(w http.ResponseWriter, r *http.Request, p page) {
	v, err := p(r)
	status := http.StatusOK
	if err != nil {
		v, status = u.failed(r, err)
	}
	var body bytes.Buffer
	if err := u.pages[v.Template].ExecuteTemplate(&body, "layout.html", frame{v, u.status(), rail, r.URL.Query().Get("q"), narrow(r)}); err != nil {
		u.log.Error("a page could not be rendered", "page", r.URL.Path, "error", err)
		http.Error(w, "This page could not be rendered; the server's log says why.", http.StatusInternalServerError)
		return
	}
	h := w.Header()
	h.Set("Content-Type", "text/html; charset=utf-8")
	h.Set("Content-Security-Policy", policy)
	h.Set("X-Content-Type-Options", "nosniff")
	h.Set("Referrer-Policy", "same-origin")
	h.Set("Cache-Control", "no-store")
	w.WriteHeader(status)
	_, _ = body.WriteTo(w) // the visitor may have gone: nobody is left to tell
}

// failed is the page of an error.
func (u *UI) failed(r *http.Request, err error) (view, int) {
	status, what := http.StatusInternalServerError, "Something went wrong"
	if e := (*apiError)(nil); errors.As(err, &e) {
		status = e.Status
	}
	switch {
	case status == http.StatusNotFound:
		what = "Not found"
	case status >= 500 && r.Context().Err() == nil: // else the visitor has gone
		u.log.Error("a page failed", "page", r.URL.Path, "error", err)
	}
	return view{Template: "error", Title: what, Data: struct{ What, Message, Path string }{what, fmt.Sprint(err), r.URL.Path}}, status
}
