package rest

import (
	"context"
	"net/http"
	"strings"
)

// Addressed is an answer that tells where artifacts are. Databricks' clients
// know the artifacts of runs and logged models by other addresses than MLflow's
// own clients, so that an answer depends on who asks.
type Addressed interface {
	Addresses(visit func(address *string))
}

const (
	ownAddress        = "mlflow-artifacts:/"
	databricksAddress = "dbfs:/databricks/mlflow-tracking/"
)

// DatabricksAddress is the address by which Databricks' clients know one of ours.
func DatabricksAddress(own string) string {
	below, ok := strings.CutPrefix(own, ownAddress)
	if !ok || strings.HasPrefix(below, "/") {
		return own
	}
	experiment, below, _ := strings.Cut(below, "/")
	if kept, ok := strings.CutPrefix(below, "models/"); ok {
		below = "logged_models/" + kept
	}
	return strings.TrimSuffix(databricksAddress+experiment+"/"+strings.TrimPrefix(below, "traces/"), "/")
}

// OwnAddress undoes [DatabricksAddress].
func OwnAddress(address string) string {
	below, ok := strings.CutPrefix(address, databricksAddress)
	if !ok {
		return address
	}
	experiment, below, _ := strings.Cut(below, "/")
	if kept, ok := strings.CutPrefix(below, "logged_models/"); ok {
		below = "models/" + kept
	} else if strings.HasPrefix(below, "tr-") {
		below = "traces/" + below
	}
	return strings.TrimSuffix(ownAddress+experiment+"/"+below, "/")
}

// ForDatabricks reports whether a Databricks client asks: its SDK, or MLflow
// with a tracking address of "databricks".
func ForDatabricks(r *http.Request) bool {
	return r.Header.Get("X-Databricks-Org-Id") != "" || r.Header.Get("X-Databricks-Workspace-Id") != "" ||
		strings.Contains(r.UserAgent(), "databricks-sdk")
}

// localize gives an answer the addresses that the client knows.
func localize(r *http.Request, out any) {
	if a, ok := out.(Addressed); ok && ForDatabricks(r) {
		a.Addresses(func(address *string) { *address = DatabricksAddress(*address) })
	}
}

// BaseURL is the address at which the client reached the server.
func BaseURL(r *http.Request) string {
	if r.TLS != nil || r.Header.Get("X-Forwarded-Proto") == "https" {
		return "https://" + r.Host
	}
	return "http://" + r.Host
}

// PrefixURL is the address at which the client reached the server, up to and
// with mark.
func PrefixURL(r *http.Request, mark string) string {
	before, _, _ := strings.Cut(r.URL.EscapedPath(), mark)
	return BaseURL(r) + before + mark
}

// OwnHeaders gives the client its own credentials for the requests that it is
// told to make: it sends none by itself.
func OwnHeaders(r *http.Request) map[string]string {
	out := map[string]string{}
	if auth := r.Header.Get("Authorization"); auth != "" {
		out["Authorization"] = auth
	}
	return out
}

type originKey struct{}

// withOrigin notes how the request came, for answers that send the client on.
func withOrigin(r *http.Request) context.Context {
	return context.WithValue(r.Context(), originKey{}, r)
}

// Origin is the address at which the client reached the server, and the headers
// by which it is known when it comes again.
func Origin(ctx context.Context) (base string, headers map[string]string) {
	r, ok := ctx.Value(originKey{}).(*http.Request)
	if !ok {
		return "", nil
	}
	return BaseURL(r), OwnHeaders(r)
}
