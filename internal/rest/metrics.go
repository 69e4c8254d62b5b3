package rest

import (
	"net/http"
	"strconv"
	"time"

	"github.com/prometheus/client_golang/prometheus"
)

// Prometheus registers request counters and durations and returns the Observer
// that feeds them. They are labelled by route, not by path, so that their
// number is bounded.
func Prometheus(reg prometheus.Registerer) Observer {
	requests := prometheus.NewCounterVec(prometheus.CounterOpts{
		Name: "millpond_http_requests_total", Help: "Requests answered, by route, method and status.",
	}, []string{"route", "method", "status"})
	seconds := prometheus.NewHistogramVec(prometheus.HistogramOpts{
		Name: "millpond_http_request_seconds", Help: "Time to answer a request, by route.",
		Buckets: prometheus.ExponentialBuckets(0.0005, 2, 16),
	}, []string{"route"})
	reg.MustRegister(requests, seconds)
	return func(r *http.Request, route string, status int, took time.Duration) {
		if route == "" {
			route = "none"
		}
		requests.WithLabelValues(route, method(r.Method), strconv.Itoa(status)).Inc()
		seconds.WithLabelValues(route).Observe(took.Seconds())
	}
}

// method keeps made-up methods out of the labels.
func method(m string) string {
	switch m {
	case "GET", "POST", "PUT", "PATCH", "DELETE", "HEAD", "OPTIONS":
		return m
	}
	return "other"
}
