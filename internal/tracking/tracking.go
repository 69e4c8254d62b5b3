// Package tracking is MLflow's tracking server: experiments, runs, their
// parameters, metrics, tags, datasets and artifacts, and logged models.
//
// In come MLflow's REST requests (the recorded habits of its 3.17 client are
// the specification); out go its answers, its error codes and messages. A
// request that was answered without error is on disk. The package does not
// know registered models, sessions or plans, and never reads a file outside
// the artifact store.
//
// Each family of endpoints has its rules and handlers in one file and its SQL
// in the store file beside it.
package tracking

import (
	"context"
	"log/slog"
	"time"

	"github.com/millpond/millpond/internal/artifact"
	"github.com/millpond/millpond/internal/db"
	"github.com/millpond/millpond/internal/rest"
)

// Version is the version of MLflow whose behaviour the server follows; clients
// choose endpoints by it.
const Version = "3.17.2"

// DefaultExperiment is the experiment of runs that name none.
const DefaultExperiment = 0

// Options tunes the server; the zero value is fine.
type Options struct {
	// ArtifactRoot is the address under which new experiments keep their
	// artifacts. The default, "mlflow-artifacts:", goes through this server.
	ArtifactRoot string
	Logger       *slog.Logger
	Now          func() time.Time
}

// Service answers tracking requests.
type Service struct {
	db        *db.DB
	artifacts *artifact.Store
	root      string
	log       *slog.Logger
	now       func() time.Time
	changes   *changes
}

// New makes the service and, in a new database, the default experiment.
func New(ctx context.Context, records *db.DB, artifacts *artifact.Store, opts Options) (*Service, error) {
	s := &Service{db: records, artifacts: artifacts, root: opts.ArtifactRoot, log: opts.Logger, now: opts.Now, changes: newChanges()}
	if s.root == "" {
		s.root = "mlflow-artifacts:"
	}
	if s.log == nil {
		s.log = slog.Default()
	}
	if s.now == nil {
		s.now = time.Now
	}
	err := s.db.Write(ctx, func(ctx context.Context, q db.Querier) error {
		return insertDefaultExperiment(ctx, q, s.artifactLocation(DefaultExperiment), s.millis())
	})
	if err != nil {
		return nil, err
	}
	return s, nil
}

// Mount adds the service's routes to the mux.
func (s *Service) Mount(mux *rest.Mux) { mux.Handle(s.Routes()...) }

func (s *Service) millis() int64 { return s.now().UnixMilli() }
