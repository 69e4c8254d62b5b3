package rest

import (
	"context"
	"net/http"
)

// Guard decides who may use which endpoint.
type Guard interface {
	// Before refuses a request with an error. in is the decoded request, or nil for
	// an endpoint that reads by itself.
	Before(r *http.Request, route *Route, in any) error
	// After sees the answer of a request that succeeded, before the client does.
	After(ctx context.Context, route *Route, in, out any) error
}

// Filtered is an answer that may hold what a user may not see: a list of
// things, each known by its kind and id.
type Filtered interface {
	Keep(may func(kind, id string) bool)
}

// The kinds of things in answers.
const (
	KindExperiment = "experiment"
	KindModel      = "registered_model"
)

// guarded is a request whose guard waits for it to be decoded.
type guarded struct {
	guard Guard
	route *Route
}

type guardKey struct{}

func withGuard(r *http.Request, g Guard, route *Route) *http.Request {
	return r.WithContext(context.WithValue(r.Context(), guardKey{}, guarded{g, route}))
}

func before(r *http.Request, in any) error {
	if g, ok := r.Context().Value(guardKey{}).(guarded); ok {
		return g.guard.Before(r, g.route, in)
	}
	return nil
}

func after(ctx context.Context, in, out any) error {
	if g, ok := ctx.Value(guardKey{}).(guarded); ok {
		return g.guard.After(ctx, g.route, in, out)
	}
	return nil
}
