package ui

import (
	"net/http"
	"net/url"

	"github.com/millpond/millpond/internal/learn"
	"github.com/millpond/millpond/internal/rest"
)

// api asks the workspace's REST API in process.
type api struct{ handler http.Handler }

// apiError is an answer that is no success.
type apiError = rest.Failure

// get asks for a path with a query, as the visitor r would.
func (a api) get(r *http.Request, path string, query url.Values, out any) error {
	return a.do(r, http.MethodGet, mlflow+path+"?"+query.Encode(), nil, out)
}

// post sends a body, as the visitor r would.
func (a api) post(r *http.Request, path string, in, out any) error {
	return a.do(r, http.MethodPost, mlflow+path, in, out)
}

const mlflow = "/ajax-api/2.0/mlflow/"

func (a api) do(visitor *http.Request, method, path string, in, out any) error {
	return rest.Local{Handler: a.handler}.Call(visitor.Context(), method, path, in, out, func(req *http.Request) {
		req.RemoteAddr, req.Host = visitor.RemoteAddr, visitor.Host
		for _, h := range []string{"Authorization", "Cookie"} {
			req.Header[h] = visitor.Header.Values(h)
		}
	})
}

// learn asks for a path of the study course's API.
func (a api) learn(r *http.Request, path string, query url.Values, out any) error {
	return a.do(r, http.MethodGet, learn.Prefix+path+"?"+query.Encode(), nil, out)
}
