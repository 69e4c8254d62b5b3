// Package webhook tells other programs of what happens in the model registry,
// in MLflow 3's form and in that of Databricks' workspace registry.
//
// In come REST requests of either kind, which name addresses and events, and
// events; out go signed HTTP requests. What they are signed with is kept sealed. An event is written beside the change that it
// tells of and sent afterwards, so that a change never waits for a receiver and
// no event is lost by a restart; a receiver that fails is asked again, later and
// later. Addresses inside the operator's network are refused, when they are
// given and again when they are dialled, unless the operator allows them. The
// package does not know what an event means.
package webhook

import (
	"context"
	"crypto/tls"
	"log/slog"
	"net/http"
	"time"

	"github.com/millpond/millpond/internal/db"
	"github.com/millpond/millpond/internal/rest"
	"github.com/millpond/millpond/internal/seal"
)

// Options tunes the service; the zero value is fine.
type Options struct {
	// AllowPrivate lets webhooks go to loopback and private addresses, and over plain HTTP.
	AllowPrivate bool
	// Secrets seals what messages are signed with.
	Secrets *seal.Box
	Logger  *slog.Logger
	Now     func() time.Time
}

// Service keeps webhooks and delivers events.
type Service struct {
	db         *db.DB
	log        *slog.Logger
	now        func() time.Time
	open       bool
	secrets    *seal.Box
	client     *http.Client
	unverified *http.Client // for receivers whose certificates are not to be checked
	wake       chan struct{}
}

// New makes the service; [Service.Run] delivers.
func New(records *db.DB, opts Options) *Service {
	s := &Service{db: records, log: opts.Logger, now: opts.Now, open: opts.AllowPrivate, secrets: opts.Secrets, client: client(opts.AllowPrivate, nil),
		unverified: client(opts.AllowPrivate, &tls.Config{InsecureSkipVerify: true}), wake: make(chan struct{}, 1)}
	if s.log == nil {
		s.log = slog.Default()
	}
	if s.now == nil {
		s.now = time.Now
	}
	return s
}

// Mount adds the service's routes to the mux.
func (s *Service) Mount(mux *rest.Mux) { mux.Handle(s.Routes()...) }

// Routes lists the service's endpoints.
func (s *Service) Routes() []rest.Route {
	const w, one, r = "webhooks", "webhooks/{webhook_id}", "registry-webhooks/"
	return rest.Under([]string{"/api/2.0/mlflow/", "/ajax-api/2.0/mlflow/"},
		rest.Op("POST", w, "createWebhook", s.create),
		rest.Op("GET", w, "listWebhooks", s.list),
		rest.Op("GET", one, "getWebhook", s.get),
		rest.Op("PATCH", one, "updateWebhook", s.update),
		rest.Op("DELETE", one, "deleteWebhook", s.delete),
		rest.Op("POST", one+"/test", "testWebhook", s.test),
		rest.Op("POST", r+"create", "createRegistryWebhook", s.createRegistry),
		rest.Op("GET", r+"list", "listRegistryWebhooks", s.listRegistry),
		rest.Op("PATCH", r+"update", "updateRegistryWebhook", s.updateRegistry),
		rest.Op("DELETE", r+"delete", "deleteRegistryWebhook", s.deleteRegistry),
		rest.Op("POST", r+"test", "testRegistryWebhook", s.testRegistry),
	)
}

// Any reports whether anybody listens at all.
func (s *Service) Any(ctx context.Context, q db.Querier) (bool, error) {
	var n int
	err := q.QueryRowContext(ctx, `SELECT COUNT(*) FROM webhooks WHERE status = 'ACTIVE'`).Scan(&n)
	return n > 0, err
}

// Wake makes the deliverer look for events at once.
func (s *Service) Wake() {
	select {
	case s.wake <- struct{}{}:
	default: // it is about to look anyway
	}
}

func (s *Service) millis() int64 { return s.now().UnixMilli() }
