// Package registry is MLflow's model registry: registered models and their
// versions, with stages, aliases and tags.
//
// In come MLflow's REST requests; out go its answers, error codes and
// messages. A request that was answered without error is on disk. The package
// keeps addresses of artifacts, not artifacts: whose they are it asks the
// tracking server, through the small interface [Tracking]. It never reads
// runs, and never follows an address to a local file.
package registry

import (
	"context"
	"log/slog"
	"net/http"
	"time"

	"github.com/millpond/millpond/internal/db"
	"github.com/millpond/millpond/internal/rest"
)

// Tracking is what the registry needs to know of runs and logged models. The
// errors are answers, RESOURCE_DOES_NOT_EXIST among them.
type Tracking interface {
	// RunLocation tells where the artifacts of a run are.
	RunLocation(ctx context.Context, runID string) (string, error)
	// ModelLocation tells where a logged model's artifacts are and which run made it.
	ModelLocation(ctx context.Context, modelID string) (location, sourceRun string, err error)
	// LinkModelVersion notes in a logged model that it has been registered.
	LinkModelVersion(ctx context.Context, modelID, name string, version int64) error
	// SendArtifact answers a request with one file below an address.
	SendArtifact(w http.ResponseWriter, r *http.Request, location, name string) error
	// DeleteArtifacts deletes all below an address.
	DeleteArtifacts(ctx context.Context, location string) error
}

// Events are told of what happens, in the write that does it.
type Events interface {
	// Any reports whether anybody listens.
	Any(ctx context.Context, q db.Querier) (bool, error)
	// Emit tells of an event: an entity, what was done, and the data of it.
	Emit(ctx context.Context, q db.Querier, entity, action string, data map[string]any) error
	// Wake says that a write with events may have been committed.
	Wake()
}

// Options tunes the registry; the zero value is fine.
type Options struct {
	Events Events // may be nil
	Logger *slog.Logger
	Now    func() time.Time
}

// Service answers registry requests.
type Service struct {
	db       *db.DB
	tracking Tracking
	events   Events
	log      *slog.Logger
	now      func() time.Time
}

// New makes the service.
func New(records *db.DB, tracking Tracking, opts Options) *Service {
	s := &Service{db: records, tracking: tracking, events: opts.Events, log: opts.Logger, now: opts.Now}
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

func (s *Service) millis() int64 { return s.now().UnixMilli() }

// Tag is a key with a value.
type Tag struct {
	Key   string `json:"key"`
	Value string `json:"value"`
}

// Alias is a name that points to one version of a model.
type Alias struct {
	Alias   string `json:"alias"`
	Version string `json:"version"`
}

// RegisteredModel is a name under which versions are kept.
type RegisteredModel struct {
	Name                 string         `json:"name"`
	CreationTimestamp    int64          `json:"creation_timestamp"`
	LastUpdatedTimestamp int64          `json:"last_updated_timestamp"`
	Description          string         `json:"description"`
	LatestVersions       []ModelVersion `json:"latest_versions,omitempty"`
	Tags                 []Tag          `json:"tags,omitempty"`
	Aliases              []Alias        `json:"aliases,omitempty"`
}

// ModelVersion is one version of a registered model.
type ModelVersion struct {
	Name                 string   `json:"name"`
	Version              string   `json:"version"`
	CreationTimestamp    int64    `json:"creation_timestamp"`
	LastUpdatedTimestamp int64    `json:"last_updated_timestamp"`
	CurrentStage         string   `json:"current_stage"`
	Description          string   `json:"description"`
	Source               string   `json:"source"`
	RunID                string   `json:"run_id"`
	UserID               string   `json:"user_id,omitempty"`
	Status               string   `json:"status"`
	Tags                 []Tag    `json:"tags,omitempty"`
	RunLink              string   `json:"run_link"`
	Aliases              []string `json:"aliases,omitempty"`
	ModelID              string   `json:"model_id,omitempty"`
}

// The stages of a version.
const (
	stageNone       = "None"
	stageStaging    = "Staging"
	stageProduction = "Production"
	stageArchived   = "Archived"
)
