// Package trace is MLflow's store of traces: spans of what a program did, the
// trace they make, its tags, and assessments of it by people and judges.
//
// In come MLflow's REST requests and OpenTelemetry's export requests; out go
// MLflow's answers, error codes and messages. A request that was answered
// without error is on disk. Whose artifacts lie where, and which runs there
// are, it asks the tracking server through the small interface [Tracking]; it
// never computes a judgement itself.
package trace

import (
	"context"
	"net/http"
	"time"

	"github.com/millpond/millpond/internal/db"
	"github.com/millpond/millpond/internal/rest"
)

// Tracking is what traces need to know of experiments and runs. The errors are
// answers, RESOURCE_DOES_NOT_EXIST among them.
type Tracking interface {
	// ExperimentLocation tells where an active experiment keeps its artifacts.
	ExperimentLocation(ctx context.Context, experimentID string) (id int64, location string, err error)
	// RunLocation tells where the artifacts of a run are.
	RunLocation(ctx context.Context, runID string) (string, error)
	// SendArtifact answers a request with one file below an address.
	SendArtifact(w http.ResponseWriter, r *http.Request, location, name string) error
}

// Options tunes the service; the zero value is fine.
type Options struct {
	Now func() time.Time
}

// Service answers requests about traces.
type Service struct {
	db       *db.DB
	tracking Tracking
	now      func() time.Time
}

// New makes the service.
func New(records *db.DB, tracking Tracking, opts Options) *Service {
	s := &Service{db: records, tracking: tracking, now: opts.Now}
	if s.now == nil {
		s.now = time.Now
	}
	return s
}

// Mount adds the service's routes to the mux.
func (s *Service) Mount(mux *rest.Mux) { mux.Handle(s.Routes()...) }

func (s *Service) millis() int64 { return s.now().UnixMilli() }

// Where MLflow's API stands: the second is for browsers.
var (
	prefixes  = []string{"/api/2.0/mlflow/", "/ajax-api/2.0/mlflow/"}
	prefixes3 = []string{"/api/3.0/mlflow/", "/ajax-api/3.0/mlflow/"}
)

// Routes lists the service's endpoints.
func (s *Service) Routes() []rest.Route {
	const t, one = "traces", "traces/{trace_id}"
	out := rest.Under(prefixes3,
		rest.Op("POST", t, "startTraceV3", s.start),
		rest.Op("POST", t+"/search", "searchTracesV3", s.search),
		rest.Op("GET", t+"/get", "getTrace", s.get),
		rest.Op("GET", t+"/batchGet", "batchGetTraces", s.batchGet),
		rest.Op("POST", t+"/batchGetInfos", "batchGetTraceInfos", s.batchInfos),
		rest.Op("GET", one, "getTraceInfoV3", s.info),
		rest.Op("POST", one+"/assessments", "createAssessment", s.createAssessment),
		rest.Op("GET", one+"/assessments/{assessment_id}", "getAssessment", s.getAssessment),
		rest.Op("PATCH", one+"/assessments/{assessment_id}", "updateAssessment", s.updateAssessment),
		rest.Op("DELETE", one+"/assessments/{assessment_id}", "deleteAssessment", s.deleteAssessment),
		rest.Op("PATCH", one+"/tags", "setTraceTagV3", s.setTag),
		rest.Op("DELETE", one+"/tags", "deleteTraceTagV3", s.deleteTag),
		rest.Op("POST", t+"/delete-traces", "deleteTracesV3", s.delete),
		rest.Raw("GET", "get-trace-artifact", "getTraceArtifact", s.sendArtifact),
	)
	out = append(out, rest.Under(prefixes,
		rest.Op("POST", t, "startTrace", s.startV2),
		rest.Op("GET", t, "searchTraces", s.searchV2),
		rest.Op("PATCH", one, "endTrace", s.endV2),
		rest.Op("GET", one+"/info", "getTraceInfo", s.infoV2),
		rest.Op("PATCH", one+"/tags", "setTraceTag", s.setTag),
		rest.Op("DELETE", one+"/tags", "deleteTraceTag", s.deleteTag),
		rest.Op("POST", t+"/delete-traces", "deleteTraces", s.delete),
		rest.Op("POST", t+"/link-to-run", "linkTracesToRun", s.linkRun),
		rest.Op("POST", t+"/link-prompts", "linkPromptsToTrace", s.linkPrompts),
		rest.Raw("GET", "get-trace-artifact", "getTraceArtifact", s.sendArtifact),
	)...)
	return append(out, rest.Raw("POST", "/v1/traces", "exportSpans", s.export))
}
