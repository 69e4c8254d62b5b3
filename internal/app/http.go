package app

import (
	"encoding/json"
	"fmt"
	"html/template"
	"net/http"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/promhttp"

	"github.com/millpond/millpond/internal/connect"
	"github.com/millpond/millpond/internal/rest"
)

// pages answers what is not part of an API: metrics, the version, the start page.
func (a *App) pages(reg *prometheus.Registry) http.Handler {
	mux := http.NewServeMux()
	mux.Handle("GET /metrics", promhttp.HandlerFor(reg, promhttp.HandlerOpts{Registry: reg}))
	mux.HandleFunc("GET /api/millpond/version", func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "application/json")
		// The client may have gone: nobody is left to tell.
		_ = json.NewEncoder(w).Encode(map[string]string{"version": a.cfg.Version, "spark": connect.SparkVersion, "connect": a.ConnectAddr()})
	})
	mux.HandleFunc("GET /{$}", a.home)
	mux.HandleFunc("/", func(w http.ResponseWriter, r *http.Request) {
		rest.WriteError(w, rest.NotFound("No page or endpoint at %s %s", r.Method, r.URL.Path))
	})
	return mux
}

var homePage = template.Must(template.New("home").Parse(`<!doctype html>
<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width"><title>Millpond</title>
<style>
:root{--fg:#1f2933;--bg:#fff;--dim:#52606d;--accent:#0f766e;--box:#f3f5f7}
@media(prefers-color-scheme:dark){:root{--fg:#e4e7eb;--bg:#16191d;--dim:#9aa5b1;--accent:#2dd4bf;--box:#1f242a}}
body{font:14px/1.6 system-ui,sans-serif;color:var(--fg);background:var(--bg);max-width:720px;margin:48px auto;padding:0 24px}
h1{font-size:24px;margin:0}h2{font-size:15px;margin:32px 0 8px}p{margin:8px 0}.dim{color:var(--dim)}
pre{background:var(--box);padding:16px;border-radius:6px;overflow:auto;font:13px/1.5 ui-monospace,monospace}
table{border-collapse:collapse}td{padding:4px 24px 4px 0}td:last-child{font-family:ui-monospace,monospace}a{color:var(--accent)}
</style></head><body>
<h1>Millpond</h1><p class="dim">Spark, Spark ML and MLflow in one process. Version {{.Version}}.</p>
<table>
<tr><td>Spark Connect</td><td>sc://{{.Connect}}</td></tr>
<tr><td>MLflow tracking and registry</td><td>http://{{.HTTP}}</td></tr>
<tr><td>Running now</td><td>{{.Running}} queries in {{.Sessions}} sessions</td></tr>
<tr><td>For machines</td><td><a href="/health">/health</a> &nbsp; <a href="/metrics">/metrics</a> &nbsp; <a href="/api/millpond/version">/api/millpond/version</a></td></tr>
</table>
<h2>Use it from Python</h2>
<pre>from pyspark.sql import SparkSession
spark = SparkSession.builder.remote("sc://{{.Connect}}").getOrCreate()

import mlflow
mlflow.set_tracking_uri("http://{{.HTTP}}")</pre>
<p class="dim">Pages for experiments, models and the rest come with the next versions; the APIs are all here.</p>
</body></html>
`))

func (a *App) home(w http.ResponseWriter, _ *http.Request) {
	sessions, running := a.connect.Counts()
	w.Header().Set("Content-Type", "text/html; charset=utf-8")
	w.Header().Set("Content-Security-Policy", "default-src 'none'; style-src 'unsafe-inline'")
	err := homePage.Execute(w, map[string]any{"Version": a.cfg.Version, "Connect": a.ConnectAddr(), "HTTP": a.HTTPAddr(), "Sessions": sessions, "Running": running})
	if err != nil {
		a.log.Debug("start page", "error", fmt.Sprint(err))
	}
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
