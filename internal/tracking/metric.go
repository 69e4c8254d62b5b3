package tracking

import (
	"context"
	"encoding/json"
	"math"
	"net/http"
	"slices"
	"strings"

	"github.com/millpond/millpond/internal/db"
	"github.com/millpond/millpond/internal/rest"
)

type (
	logMetricRequest struct {
		RunID         string      `json:"run_id" mlflow:"required"`
		RunUUID       string      `json:"run_uuid"`
		Key           string      `json:"key" mlflow:"required"`
		Value         *rest.Float `json:"value" mlflow:"required"`
		Timestamp     *rest.Int64 `json:"timestamp" mlflow:"required"`
		Step          rest.Int64  `json:"step"`
		ModelID       string      `json:"model_id"`
		DatasetName   string      `json:"dataset_name"`
		DatasetDigest string      `json:"dataset_digest"`
	}
	// batchMetric tells a value that is missing from one that is zero.
	batchMetric struct {
		Key           string      `json:"key"`
		Value         *rest.Float `json:"value"`
		Timestamp     *rest.Int64 `json:"timestamp"`
		Step          rest.Int64  `json:"step"`
		ModelID       string      `json:"model_id"`
		DatasetName   string      `json:"dataset_name"`
		DatasetDigest string      `json:"dataset_digest"`
	}
	logBatchRequest struct {
		RunID   string        `json:"run_id" mlflow:"required"`
		Metrics []batchMetric `json:"metrics"`
		Params  []Pair        `json:"params"`
		Tags    []Pair        `json:"tags"`
	}
	logModelRequest struct {
		RunID     string `json:"run_id" mlflow:"required"`
		ModelJSON string `json:"model_json" mlflow:"required"`
	}
	historyRequest struct {
		RunID      string      `json:"run_id" mlflow:"required"`
		RunUUID    string      `json:"run_uuid"`
		MetricKey  string      `json:"metric_key" mlflow:"required"`
		PageToken  string      `json:"page_token"`
		MaxResults *rest.Int64 `json:"max_results"`
	}
	historyResponse struct {
		Metrics       []Metric `json:"metrics,omitempty"`
		NextPageToken string   `json:"next_page_token,omitempty"`
	}
	historyIntervalRequest struct {
		RunIDs     []string    `json:"run_ids" mlflow:"required"`
		MetricKey  string      `json:"metric_key" mlflow:"required"`
		StartStep  *rest.Int64 `json:"start_step"`
		EndStep    *rest.Int64 `json:"end_step"`
		MaxResults *rest.Int64 `json:"max_results"`
	}
)

func (s *Service) logMetric(ctx context.Context, in *logMetricRequest) (*empty, error) {
	m := Metric{Key: in.Key, Value: *in.Value, Timestamp: *in.Timestamp, Step: in.Step, ModelID: in.ModelID,
		DatasetName: in.DatasetName, DatasetDigest: in.DatasetDigest}
	if err := checkMetric(&m, ""); err != nil {
		return nil, err
	}
	return nil, s.writeRun(ctx, in.RunID, func(ctx context.Context, q db.Querier, run *runRow) error {
		return insertMetrics(ctx, q, run, []Metric{m})
	})
}

// logBatch stores all of a request or nothing of it.
func (s *Service) logBatch(ctx context.Context, in *logBatchRequest) (*empty, error) {
	metrics, err := in.check()
	if err != nil {
		return nil, err
	}
	return nil, s.writeRun(ctx, in.RunID, func(ctx context.Context, q db.Querier, run *runRow) error {
		if err := insertParams(ctx, q, run, in.Params); err != nil {
			return err
		}
		if err := insertMetrics(ctx, q, run, metrics); err != nil {
			return err
		}
		return setTags(ctx, q, run.id, in.Tags)
	})
}

// check validates the batch in MLflow's order and returns its metrics.
func (in *logBatchRequest) check() ([]Metric, error) {
	metrics := make([]Metric, len(in.Metrics))
	for i, m := range in.Metrics {
		switch {
		case m.Key == "":
			return nil, rest.MissingParameter(index("metrics", i, "key"))
		case m.Value == nil:
			return nil, rest.MissingParameter(index("metrics", i, "value"))
		case m.Timestamp == nil:
			return nil, rest.MissingParameter(index("metrics", i, "timestamp"))
		}
		metrics[i] = Metric{Key: m.Key, Value: *m.Value, Timestamp: *m.Timestamp, Step: m.Step, ModelID: m.ModelID,
			DatasetName: m.DatasetName, DatasetDigest: m.DatasetDigest}
	}
	for what, list := range map[string][]Pair{"params": in.Params, "tags": in.Tags} {
		for i, p := range list {
			if p.Key == "" {
				return nil, rest.MissingParameter(index(what, i, "key"))
			}
		}
	}
	if err := checkRunID(in.RunID); err != nil {
		return nil, err
	}
	for i := range metrics {
		if err := checkMetric(&metrics[i], index("metrics", i, "")); err != nil {
			return nil, err
		}
	}
	for i := range in.Params {
		if err := checkParam(&in.Params[i], index("params", i, "")); err != nil {
			return nil, err
		}
	}
	for i := range in.Tags {
		if err := checkTag(&in.Tags[i], index("tags", i, "")); err != nil {
			return nil, err
		}
	}
	if err := checkBatch(len(metrics), len(in.Params), len(in.Tags)); err != nil {
		return nil, err
	}
	return metrics, checkUniqueKeys(in.Params)
}

// insertParams stores parameters, none of which may change a value.
func insertParams(ctx context.Context, q db.Querier, run *runRow, params []Pair) error {
	var changed []string
	for _, p := range params {
		old, err := insertParam(ctx, q, run.id, p)
		if err != nil {
			return err
		}
		if old != nil && *old != p.Value {
			changed = append(changed, "{'key': '"+p.Key+"', 'old_value': '"+*old+"', 'new_value': '"+p.Value+"'}")
		}
	}
	if changed == nil {
		return nil
	}
	return rest.Invalid("Changing param values is not allowed. Params were already logged='[%s]' for run ID='%s'.",
		strings.Join(changed, ", "), run.info.RunID)
}

// logModel records a model in a tag of its run, as clients before logged
// models did.
func (s *Service) logModel(ctx context.Context, in *logModelRequest) (*empty, error) {
	var model map[string]json.RawMessage
	if err := json.Unmarshal([]byte(in.ModelJSON), &model); err != nil {
		return nil, rest.Invalid("Malformed model info. \n %s \n is not a valid JSON.", in.ModelJSON)
	}
	var missing []string
	kept := map[string]json.RawMessage{}
	for _, field := range []string{"artifact_path", "flavors", "utc_time_created", "run_id"} {
		if model[field] == nil {
			missing = append(missing, "'"+field+"'")
		}
		kept[field] = model[field]
	}
	if missing != nil {
		return nil, rest.Invalid("Model json is missing mandatory fields: {%s}", strings.Join(missing, ", "))
	}
	if id := model["model_uuid"]; id != nil {
		kept["model_uuid"] = id
	}
	flavors, err := slimFlavors(model["flavors"])
	if err != nil {
		return nil, rest.Invalid("Malformed model info: %v", err)
	}
	kept["flavors"] = flavors
	return nil, s.writeRun(ctx, in.RunID, func(ctx context.Context, q db.Querier, run *runRow) error {
		return appendModelTag(ctx, q, run.id, kept)
	})
}

// slimFlavors drops the configuration of flavors, which may be long and is not
// needed in a tag.
func slimFlavors(raw json.RawMessage) (json.RawMessage, error) {
	var flavors map[string]map[string]json.RawMessage
	if err := json.Unmarshal(raw, &flavors); err != nil {
		return nil, err
	}
	for _, f := range flavors {
		delete(f, "config")
	}
	return json.Marshal(flavors)
}

func appendModelTag(ctx context.Context, q db.Querier, run int64, model any) error {
	const key = "mlflow.log-model.history"
	old, found, err := getTag(ctx, q, run, key)
	if err != nil {
		return err
	}
	models := []any{}
	if found {
		if err := json.Unmarshal([]byte(old), &models); err != nil {
			return &rest.Error{Code: rest.InvalidState, HTTP: http.StatusBadRequest, Message: "Tag '" + key + "' does not hold a list of models."}
		}
	}
	text, err := json.Marshal(append(models, model))
	if err != nil {
		return err
	}
	return setTags(ctx, q, run, []Pair{{key, string(text)}})
}

func (s *Service) metricHistory(ctx context.Context, in *historyRequest) (*historyResponse, error) {
	limit := math.MaxInt32
	if in.MaxResults != nil {
		if *in.MaxResults <= 0 {
			return nil, rest.Invalid("Invalid value %d for parameter 'max_results' supplied. It must be a positive integer.", *in.MaxResults)
		}
		limit = int(min(*in.MaxResults, math.MaxInt32))
	}
	offset, err := rest.ParsePageToken(in.PageToken)
	if err != nil {
		return nil, err
	}
	var out historyResponse
	if out.Metrics, err = history(ctx, s.db.Reader(), in.RunID, in.MetricKey, limit+1, offset); err != nil {
		return nil, err
	}
	if len(out.Metrics) > limit {
		out.Metrics = out.Metrics[:limit]
		out.NextPageToken = rest.PageToken(offset + limit)
	}
	return &out, nil
}

// historyBulk answers the histories of one metric in several runs.
func (s *Service) historyBulk(w http.ResponseWriter, r *http.Request) error {
	const mostRuns, mostPoints = 100, 25000
	query := r.URL.Query()
	runs := slices.Clone(query["run_id"])
	switch {
	case len(runs) == 0:
		return rest.Invalid("GetMetricHistoryBulk request must specify at least one run_id.")
	case len(runs) > mostRuns:
		return rest.Invalid("GetMetricHistoryBulk request cannot specify more than %d run_ids. Received %d run_ids.", mostRuns, len(runs))
	case !query.Has("metric_key"):
		return rest.Invalid("GetMetricHistoryBulk request must specify a metric_key.")
	}
	limit := rest.Int64(mostPoints)
	if text := query.Get("max_results"); text != "" {
		if err := limit.UnmarshalJSON([]byte(text)); err != nil || limit < 0 {
			return rest.InvalidValue("max_results", text, "must be an integer.")
		}
	}
	left := int(min(limit, mostPoints))
	slices.Sort(runs)
	out := struct {
		Metrics []Metric `json:"metrics"`
	}{Metrics: []Metric{}}
	for _, run := range slices.Compact(runs) {
		points, err := history(r.Context(), s.db.Reader(), run, query.Get("metric_key"), left, 0)
		if err != nil {
			return err
		}
		for i := range points {
			points[i].RunID = run
		}
		out.Metrics = append(out.Metrics, points...)
		left -= len(points)
	}
	return rest.WriteJSON(w, r, out)
}

// historyInterval answers an even sample of each run's history.
func (s *Service) historyInterval(ctx context.Context, in *historyIntervalRequest) (*historyResponse, error) {
	const mostRuns, mostPoints = 100, 2500
	if len(in.RunIDs) > mostRuns {
		return nil, rest.Invalid("GetMetricHistoryBulkInterval request must specify at most %d run_ids. Received %d run_ids.", mostRuns, len(in.RunIDs))
	}
	points := mostPoints
	if in.MaxResults != nil {
		if *in.MaxResults < 1 || *in.MaxResults > mostPoints {
			return nil, rest.Invalid("max_results must be between 1 and %d.", mostPoints)
		}
		points = int(*in.MaxResults)
	}
	if (in.StartStep == nil) != (in.EndStep == nil) {
		return nil, rest.Invalid("If either start step or end step are specified, both must be specified.")
	}
	if in.StartStep != nil && *in.StartStep > *in.EndStep {
		return nil, rest.Invalid("end_step must be greater than start_step. Found start_step=%d and end_step=%d.", *in.StartStep, *in.EndStep)
	}
	var out historyResponse
	err := s.db.View(ctx, func(ctx context.Context, q db.Querier) error {
		for _, run := range in.RunIDs {
			sample, err := sampleHistory(ctx, q, run, in.MetricKey, points, in.StartStep, in.EndStep)
			if err != nil {
				return err
			}
			out.Metrics = append(out.Metrics, sample...)
		}
		return nil
	})
	if err != nil {
		return nil, err
	}
	return &out, nil
}
