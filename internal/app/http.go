package app

import (
	"encoding/json"
	"net/http"
	"net/url"
	"path"
	"strings"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/promhttp"

	"github.com/millpond/millpond/internal/connect"
	"github.com/millpond/millpond/internal/rest"
	"github.com/millpond/millpond/internal/ui"
)

// pages answers what is not part of an API: metrics, the version, what a person looks at.
func (a *App) pages(mux *http.ServeMux, reg *prometheus.Registry) {
	mux.Handle("GET /metrics", promhttp.HandlerFor(reg, promhttp.HandlerOpts{Registry: reg}))
	mux.HandleFunc("GET /api/millpond/version", func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "application/json")
		// The client may have gone: nobody is left to tell.
		_ = json.NewEncoder(w).Encode(map[string]string{"version": a.cfg.Version, "spark": connect.SparkVersion, "connect": a.ConnectAddr()})
	})
	a.ui.Mount(mux)
	// Databricks' clients print links as their workspace has them.
	mux.HandleFunc("GET /ml/{rest...}", func(w http.ResponseWriter, r *http.Request) {
		http.Redirect(w, r, (&url.URL{Path: path.Clean("/" + r.PathValue("rest"))}).EscapedPath(), http.StatusFound)
	})
	mux.HandleFunc("/", func(w http.ResponseWriter, r *http.Request) {
		if strings.HasPrefix(r.URL.Path, "/api/") || strings.HasPrefix(r.URL.Path, "/ajax-api/") {
			// By this code clients know an older server from a missing thing.
			rest.WriteError(w, rest.Errorf(rest.EndpointNotFound, "No API found for '%s %s'.", r.Method, r.URL.Path))
			return
		}
		rest.WriteError(w, rest.NotFound("No page or endpoint at %s %s", r.Method, r.URL.Path))
	})
}

func (a *App) gauges(reg *prometheus.Registry) {
	reg.MustRegister(
		prometheus.NewGaugeFunc(prometheus.GaugeOpts{Name: "millpond_sessions", Help: "Spark Connect sessions that are open."}, func() float64 {
			n, _ := a.connect.Counts()
			return float64(n)
		}),
		prometheus.NewGaugeFunc(prometheus.GaugeOpts{Name: "millpond_operations_running", Help: "Spark Connect operations that are running."}, func() float64 {
			_, n := a.connect.Counts()
			return float64(n)
		}),
		prometheus.NewGaugeFunc(prometheus.GaugeOpts{Name: "millpond_build_info", Help: "Always 1; the label tells the version.", ConstLabels: prometheus.Labels{"version": a.cfg.Version}}, func() float64 { return 1 }))
}

// status is what the pages tell of the server.
func (a *App) status() ui.Status {
	sessions, running := a.connect.Counts()
	return ui.Status{Version: a.cfg.Version, Connect: a.ConnectAddr(), HTTP: a.HTTPAddr(), Sessions: sessions, Running: running, MemoryBytes: residentBytes()}
}
