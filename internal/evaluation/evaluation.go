// Package evaluation keeps what programs are evaluated with, in MLflow 3's form:
// datasets of questions with the answers that are expected, and scorers.
//
// In come MLflow's REST requests; out go its answers, error codes and messages.
// A request that was answered without error is on disk. The package evaluates
// nothing: a scorer is a text that clients understand. Whether an experiment is
// there it asks the tracking server, through the small interface [Tracking].
package evaluation

import (
	"context"
	"time"

	"github.com/millpond/millpond/internal/db"
	"github.com/millpond/millpond/internal/rest"
)

// Tracking is what is asked of the tracking server. The errors are answers.
type Tracking interface {
	// ExperimentLocation finds an active experiment.
	ExperimentLocation(ctx context.Context, experimentID string) (id int64, location string, err error)
}

// Options tunes the service; the zero value is fine.
type Options struct {
	// CheckFilter refuses a filter of traces that is none; nil takes all.
	CheckFilter func(text string) error
	Now         func() time.Time
}

// Service answers requests about datasets and scorers.
type Service struct {
	db          *db.DB
	tracking    Tracking
	checkFilter func(string) error
	now         func() time.Time
}

// New makes the service.
func New(records *db.DB, tracking Tracking, opts Options) *Service {
	s := &Service{db: records, tracking: tracking, checkFilter: opts.CheckFilter, now: opts.Now}
	if s.checkFilter == nil {
		s.checkFilter = func(string) error { return nil }
	}
	if s.now == nil {
		s.now = time.Now
	}
	return s
}

// Mount adds the service's routes to the mux.
func (s *Service) Mount(mux *rest.Mux) { mux.Handle(s.Routes()...) }

func (s *Service) millis() int64 { return s.now().UnixMilli() }

// Routes lists the service's endpoints.
func (s *Service) Routes() []rest.Route {
	const d, one, c = "datasets/", "datasets/{dataset_id}", "scorers/"
	return rest.Under([]string{"/api/3.0/mlflow/", "/ajax-api/3.0/mlflow/"},
		rest.Op("POST", d+"create", "createDataset", s.createDataset),
		rest.Op("POST", d+"search", "searchEvaluationDatasets", s.searchDatasets),
		rest.Op("GET", d+"search", "searchEvaluationDatasets", s.searchDatasets),
		rest.Op("GET", one, "getDataset", s.getDataset),
		rest.Op("DELETE", one, "deleteDataset", s.deleteDataset),
		rest.Op("PATCH", one+"/tags", "setDatasetTags", s.setDatasetTags),
		rest.Op("DELETE", one+"/tags/{key}", "deleteDatasetTag", s.deleteDatasetTag),
		rest.Op("GET", one+"/experiment-ids", "getDatasetExperimentIds", s.datasetExperiments),
		rest.Op("POST", one+"/add-experiments", "addDatasetToExperiments", s.addExperiments),
		rest.Op("POST", one+"/remove-experiments", "removeDatasetFromExperiments", s.removeExperiments),
		rest.Op("POST", one+"/records", "upsertDatasetRecords", s.upsertRecords),
		rest.Op("GET", one+"/records", "getDatasetRecords", s.getRecords),
		rest.Op("DELETE", one+"/records", "deleteDatasetRecords", s.deleteRecords),
		rest.Op("POST", c+"register", "registerScorer", s.registerScorer),
		rest.Op("GET", c+"list", "listScorers", s.listScorers),
		rest.Op("GET", c+"versions", "listScorerVersions", s.scorerVersions),
		rest.Op("GET", c+"get", "getScorer", s.getScorer),
		rest.Op("GET", c+"online-configs", "getOnlineScoringConfigs", s.onlineConfigs),
		rest.Op("PUT", c+"online-config", "upsertOnlineScoringConfig", s.setOnlineConfig),
		rest.Op("DELETE", c+"delete", "deleteScorer", s.deleteScorer),
	)
}
