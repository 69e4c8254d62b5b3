package tracking

import "github.com/millpond/millpond/internal/rest"

// The types below are the bodies that travel: their JSON is MLflow's.

// Pair is a tag or a parameter.
type Pair struct {
	Key   string `json:"key"`
	Value string `json:"value"`
}

// Metric is one measured value.
type Metric struct {
	Key           string     `json:"key"`
	Value         rest.Float `json:"value"`
	Timestamp     rest.Int64 `json:"timestamp"`
	Step          rest.Int64 `json:"step"`
	DatasetName   string     `json:"dataset_name,omitempty"`
	DatasetDigest string     `json:"dataset_digest,omitempty"`
	ModelID       string     `json:"model_id,omitempty"`
	RunID         string     `json:"run_id,omitempty"`
}

// Experiment is a named collection of runs.
type Experiment struct {
	ExperimentID     string `json:"experiment_id"`
	Name             string `json:"name"`
	ArtifactLocation string `json:"artifact_location"`
	LifecycleStage   string `json:"lifecycle_stage"`
	LastUpdateTime   int64  `json:"last_update_time"`
	CreationTime     int64  `json:"creation_time"`
	Tags             []Pair `json:"tags,omitempty"`
}

// RunInfo is what a run is apart from what was logged to it.
type RunInfo struct {
	RunUUID        string `json:"run_uuid"` // the old name of run_id
	ExperimentID   string `json:"experiment_id"`
	RunName        string `json:"run_name"`
	UserID         string `json:"user_id"`
	Status         string `json:"status"`
	StartTime      int64  `json:"start_time"`
	EndTime        *int64 `json:"end_time,omitempty"`
	ArtifactURI    string `json:"artifact_uri"`
	LifecycleStage string `json:"lifecycle_stage"`
	RunID          string `json:"run_id"`
}

// RunData is what was logged to a run, with the latest value of each metric.
type RunData struct {
	Metrics []Metric `json:"metrics,omitempty"`
	Params  []Pair   `json:"params,omitempty"`
	Tags    []Pair   `json:"tags,omitempty"`
}

// Run is a run with all that belongs to it.
type Run struct {
	Info    RunInfo     `json:"info"`
	Data    RunData     `json:"data"`
	Inputs  RunInputs   `json:"inputs"`
	Outputs *RunOutputs `json:"outputs,omitempty"`
}

// RunInputs are the datasets and models a run used.
type RunInputs struct {
	DatasetInputs []DatasetInput `json:"dataset_inputs,omitempty"`
	ModelInputs   []ModelRef     `json:"model_inputs,omitempty"`
}

// RunOutputs are the models a run made.
type RunOutputs struct {
	ModelOutputs []ModelOutput `json:"model_outputs,omitempty"`
}

// ModelRef names a logged model.
type ModelRef struct {
	ModelID string `json:"model_id"`
}

// ModelOutput names a logged model and the step that made it.
type ModelOutput struct {
	ModelID string     `json:"model_id"`
	Step    rest.Int64 `json:"step"`
}

// DatasetInput is a dataset in the role its tags describe.
type DatasetInput struct {
	Tags    []Pair   `json:"tags,omitempty"`
	Dataset *Dataset `json:"dataset"`
}

// Dataset describes data a run used.
type Dataset struct {
	Name       string  `json:"name"`
	Digest     string  `json:"digest"`
	SourceType string  `json:"source_type"`
	Source     string  `json:"source"`
	Schema     *string `json:"schema,omitempty"`
	Profile    *string `json:"profile,omitempty"`
}

// LoggedModel is a model as logged, before it is registered.
type LoggedModel struct {
	Info LoggedModelInfo `json:"info"`
	Data LoggedModelData `json:"data"`
}

// LoggedModelInfo is what a logged model is.
type LoggedModelInfo struct {
	ModelID              string  `json:"model_id"`
	ExperimentID         string  `json:"experiment_id"`
	Name                 string  `json:"name"`
	CreationTimestampMS  int64   `json:"creation_timestamp_ms"`
	LastUpdatedTimestamp int64   `json:"last_updated_timestamp_ms"`
	ArtifactURI          string  `json:"artifact_uri"`
	Status               string  `json:"status"`
	ModelType            string  `json:"model_type"`
	SourceRunID          string  `json:"source_run_id"`
	StatusMessage        *string `json:"status_message,omitempty"`
	Tags                 []Pair  `json:"tags,omitempty"`
}

// LoggedModelData is what was logged to a model.
type LoggedModelData struct {
	Params  []Pair   `json:"params,omitempty"`
	Metrics []Metric `json:"metrics,omitempty"`
}

// FileInfo is one entry of an artifact listing.
type FileInfo struct {
	Path     string `json:"path"`
	IsDir    bool   `json:"is_dir"`
	FileSize *int64 `json:"file_size,omitempty"`
}

const (
	active  = "active"
	deleted = "deleted"
)

var (
	runStatuses = map[int]string{1: "RUNNING", 2: "SCHEDULED", 3: "FINISHED", 4: "FAILED", 5: "KILLED"}
	viewTypes   = map[int]string{1: "ACTIVE_ONLY", 2: "DELETED_ONLY", 3: "ALL"}
)

// stages are the lifecycle stages that a view shows.
func stages(view rest.Enum) ([]string, error) {
	if view == "" {
		return []string{active}, nil
	}
	switch name, _ := view.Resolve(viewTypes); name {
	case "ACTIVE_ONLY":
		return []string{active}, nil
	case "DELETED_ONLY":
		return []string{deleted}, nil
	case "ALL":
		return []string{active, deleted}, nil
	}
	return nil, rest.InvalidValue("view_type", string(view), "must be ACTIVE_ONLY, DELETED_ONLY or ALL.")
}
