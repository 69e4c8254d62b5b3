package app

import (
	"testing"

	"github.com/millpond/millpond/internal/access"
	"github.com/millpond/millpond/internal/databricks"
	"github.com/millpond/millpond/internal/evaluation"
	"github.com/millpond/millpond/internal/learn"
	"github.com/millpond/millpond/internal/registry"
	"github.com/millpond/millpond/internal/rest"
	"github.com/millpond/millpond/internal/trace"
	"github.com/millpond/millpond/internal/tracking"
	"github.com/millpond/millpond/internal/webhook"
)

// TestEveryEndpointHasARule: one without is for administrators alone, which is safe but a surprise.
func TestEveryEndpointHasARule(t *testing.T) {
	var routes []rest.Route
	for _, of := range []interface{ Routes() []rest.Route }{&tracking.Service{}, &registry.Service{}, &trace.Service{}, &databricks.Service{},
		&webhook.Service{}, &evaluation.Service{}, &access.Service{}, &learn.Service{}} {
		routes = append(routes, of.Routes()...)
	}
	for _, r := range routes {
		if !access.HasRule(r.Name) {
			t.Errorf("%s %s (%s) has no rule in package access", r.Method, r.Path, r.Name)
		}
	}
}
