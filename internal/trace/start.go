package trace

import (
	"context"
	"encoding/json"
	"net/http"
	"strings"

	"github.com/google/uuid"

	"github.com/millpond/millpond/internal/db"
	"github.com/millpond/millpond/internal/rest"
)

// Keys that mean something to clients.
const (
	nameTag      = "mlflow.traceName"
	locationTag  = "mlflow.artifactLocation"
	spansTag     = "mlflow.trace.spansLocation"
	spansHere    = "TRACKING_STORE"
	sourceRunKey = "mlflow.sourceRun"
	sizeStatsKey = "mlflow.trace.sizeStats"
	finalKey     = "mlflow.trace.infoFinalized"
	usageKey     = "mlflow.trace.tokenUsage"
	sessionKey   = "mlflow.trace.session"
	userKey      = "mlflow.trace.user"
)

const (
	maxKey     = 250
	maxValue   = 8000
	maxTraceID = 250
	maxLinks   = 100
)

type (
	startRequest struct {
		Trace *Trace `json:"trace" mlflow:"required"`
	}
	traceResponse struct {
		Trace *Trace `json:"trace"`
	}
	traceRequest struct {
		TraceID string `json:"trace_id"`
	}
	tagRequest struct {
		TraceID string `json:"trace_id"`
		Key     string `json:"key" mlflow:"required"`
		Value   string `json:"value"`
	}
	deleteRequest struct {
		ExperimentID string      `json:"experiment_id" mlflow:"required"`
		Before       *rest.Int64 `json:"max_timestamp_millis"`
		MaxTraces    *rest.Int64 `json:"max_traces"`
		RequestIDs   []string    `json:"request_ids"`
	}
	deleteResponse struct {
		Deleted int64 `json:"traces_deleted"`
	}
	linkRunRequest struct {
		TraceIDs []string `json:"trace_ids"`
		RunID    string   `json:"run_id" mlflow:"required"`
	}
	linkPromptsRequest struct {
		TraceID string `json:"trace_id" mlflow:"required"`
		Prompts []struct {
			Name    string `json:"name"`
			Version string `json:"version"`
		} `json:"prompt_versions"`
	}
	empty struct{}
)

func checkTag(key, value string) (string, error) {
	if err := rest.CheckName(key, "key"); err != nil {
		return "", err
	}
	if len([]rune(key)) > maxKey {
		return "", rest.Invalid("'key' exceeds the maximum length of %d characters", maxKey)
	}
	return rest.Cut(value, maxValue), nil
}

func checkTags(tags map[string]string) error {
	for k, v := range tags {
		value, err := checkTag(k, v)
		if err != nil {
			return err
		}
		tags[k] = value
	}
	return nil
}

// check refuses what cannot be kept, and names the state.
func (i *Info) check() error {
	if i.TraceID == "" {
		return rest.MissingParameter("trace.trace_info.trace_id")
	}
	if len(i.TraceID) > maxTraceID {
		return rest.Invalid("'trace_id' exceeds the maximum length of %d characters", maxTraceID)
	}
	if i.TraceLocation.MlflowExperiment == nil {
		return rest.Invalid("A trace is kept in an experiment: trace_location.mlflow_experiment is missing.")
	}
	state, ok := i.State.Resolve(states)
	if !ok && i.State != "" {
		return rest.InvalidValue("state", string(i.State), "")
	}
	i.State = rest.Enum(state)
	if i.State == "" {
		i.State = "STATE_UNSPECIFIED"
	}
	return checkTags(i.Tags)
}

// start keeps a trace that has ended; its spans come by themselves, before or after.
func (s *Service) start(ctx context.Context, in *startRequest) (*traceResponse, error) {
	info := &in.Trace.Info
	if err := info.check(); err != nil {
		return nil, err
	}
	for n := range info.Assessments {
		if err := info.Assessments[n].check(); err != nil {
			return nil, err
		}
	}
	if info.TraceMetadata == nil {
		info.TraceMetadata = map[string]string{}
	}
	info.TraceMetadata[finalKey] = "true" // spans that come later do not change what the client knows
	out, err := s.keep(ctx, info)
	if err != nil {
		return nil, err
	}
	return &traceResponse{&Trace{Info: *out}}, nil
}

// keep stores a trace, over what its spans may have made of it.
func (s *Service) keep(ctx context.Context, info *Info) (*Info, error) {
	experiment, location, err := s.tracking.ExperimentLocation(ctx, info.TraceLocation.MlflowExperiment.ExperimentID)
	if err != nil {
		return nil, err
	}
	if info.Tags == nil {
		info.Tags = map[string]string{}
	}
	info.Tags[locationTag] = artifactLocation(location, info.TraceID)
	var out *Info
	err = s.db.Write(ctx, func(ctx context.Context, q db.Querier) error {
		id, made, err := insertTrace(ctx, q, experiment, info)
		if err == nil && !made {
			err = replaceTrace(ctx, q, id, experiment, info)
		}
		if err != nil {
			return err
		}
		if err := setPairs(ctx, q, tagTable, id, info.Tags); err != nil {
			return err
		}
		if err := setPairs(ctx, q, metadataTable, id, info.TraceMetadata); err != nil {
			return err
		}
		for _, a := range info.Assessments {
			if err := insertAssessment(ctx, q, id, a.stored(info.TraceID, s.millis())); err != nil {
				return err
			}
		}
		r, err := traceByID(ctx, q, info.TraceID)
		if err == nil {
			out, err = completeOne(ctx, q, r)
		}
		return err
	})
	return out, err
}

// artifactLocation is where a trace keeps files: attachments, and the spans of old clients.
func artifactLocation(experiment, traceID string) string {
	return strings.TrimSuffix(experiment, "/") + "/traces/" + traceID + "/artifacts"
}

func (s *Service) read(ctx context.Context, traceID string) (out *Info, err error) {
	err = s.db.View(ctx, func(ctx context.Context, q db.Querier) error {
		r, err := traceByID(ctx, q, traceID)
		if err == nil {
			out, err = completeOne(ctx, q, r)
		}
		return err
	})
	return out, err
}

// TraceLocation tells where the files of a trace are.
func (s *Service) TraceLocation(ctx context.Context, traceID string) (string, error) {
	info, err := s.read(ctx, traceID)
	if err != nil {
		return "", err
	}
	return info.Tags[locationTag], nil
}

func (s *Service) info(ctx context.Context, in *traceRequest) (*traceResponse, error) {
	info, err := s.read(ctx, in.TraceID)
	if err != nil {
		return nil, err
	}
	return &traceResponse{&Trace{Info: *info}}, nil
}

// writeTrace runs fn in a write, for a trace that exists.
func (s *Service) writeTrace(ctx context.Context, traceID string, fn func(ctx context.Context, q db.Querier, r row) error) error {
	return s.db.Write(ctx, func(ctx context.Context, q db.Querier) error {
		r, err := traceByID(ctx, q, traceID)
		if err != nil {
			return err
		}
		return fn(ctx, q, r)
	})
}

func (s *Service) setTag(ctx context.Context, in *tagRequest) (*empty, error) {
	value, err := checkTag(in.Key, in.Value)
	if err != nil {
		return nil, err
	}
	return nil, s.writeTrace(ctx, in.TraceID, func(ctx context.Context, q db.Querier, r row) error {
		return setPairs(ctx, q, tagTable, r.id, map[string]string{in.Key: value})
	})
}

func (s *Service) deleteTag(ctx context.Context, in *tagRequest) (*empty, error) {
	return nil, s.writeTrace(ctx, in.TraceID, func(ctx context.Context, q db.Querier, r row) error {
		found, err := deletePair(ctx, q, tagTable, r.id, in.Key)
		if err == nil && !found {
			err = rest.NotFound("No trace tag with key '%s' for trace with ID '%s'", in.Key, in.TraceID)
		}
		return err
	})
}

func (s *Service) delete(ctx context.Context, in *deleteRequest) (*deleteResponse, error) {
	switch {
	case in.Before == nil && len(in.RequestIDs) == 0:
		return nil, rest.Invalid("Either `max_timestamp_millis` or `trace_ids` must be specified.")
	case in.Before != nil && len(in.RequestIDs) > 0:
		return nil, rest.Invalid("Only one of `max_timestamp_millis` and `trace_ids` can be specified.")
	case in.MaxTraces != nil && len(in.RequestIDs) > 0:
		return nil, rest.Invalid("`max_traces` can't be specified if `trace_ids` is specified.")
	case in.MaxTraces != nil && *in.MaxTraces <= 0:
		return nil, rest.Invalid("`max_traces` must be a positive integer, received %d.", *in.MaxTraces)
	case len(in.RequestIDs) > maxIDs:
		return nil, rest.Invalid("At most %d traces can be named in one request.", maxIDs)
	}
	experiment, err := experimentID(in.ExperimentID)
	if err != nil {
		return nil, err
	}
	var limit int64
	if in.MaxTraces != nil {
		limit = int64(*in.MaxTraces)
	}
	var out deleteResponse
	err = s.db.Write(ctx, func(ctx context.Context, q db.Querier) (err error) {
		out.Deleted, err = deleteTraces(ctx, q, experiment, (*int64)(in.Before), in.RequestIDs, limit)
		return err
	})
	return &out, err
}

func (s *Service) linkRun(ctx context.Context, in *linkRunRequest) (*empty, error) {
	if len(in.TraceIDs) > maxLinks {
		return nil, rest.Invalid("Cannot link more than %d traces to a run in a single request. Provided %d traces.", maxLinks, len(in.TraceIDs))
	}
	return nil, s.linkToRun(ctx, in.TraceIDs, in.RunID)
}

func (s *Service) linkToRun(ctx context.Context, traceIDs []string, runID string) error {
	if _, err := s.tracking.RunLocation(ctx, runID); err != nil || len(traceIDs) == 0 {
		return err
	}
	return s.db.Write(ctx, func(ctx context.Context, q db.Querier) error {
		found, err := selectTraces(ctx, q, `WHERE r.trace_id IN (`+db.Marks(len(traceIDs))+`)`, db.Args(traceIDs)...)
		if err != nil {
			return err
		}
		for _, r := range found {
			if err := link(ctx, q, r.id, "run", runID); err != nil {
				return err
			}
		}
		return nil
	})
}

func (s *Service) linkPrompts(ctx context.Context, in *linkPromptsRequest) (*empty, error) {
	return nil, s.writeTrace(ctx, in.TraceID, func(ctx context.Context, q db.Querier, r row) error {
		for _, p := range in.Prompts {
			if err := link(ctx, q, r.id, "prompt", p.Name+"/"+p.Version); err != nil {
				return err
			}
		}
		return nil
	})
}

// The calls of clients before MLflow 3.

type (
	startV2Request struct {
		ExperimentID string     `json:"experiment_id" mlflow:"required"`
		TimestampMS  rest.Int64 `json:"timestamp_ms"`
		Metadata     []Pair     `json:"request_metadata"`
		Tags         []Pair     `json:"tags"`
	}
	endV2Request struct {
		TraceID     string     `json:"trace_id"`
		TimestampMS rest.Int64 `json:"timestamp_ms"`
		Status      rest.Enum  `json:"status"`
		Metadata    []Pair     `json:"request_metadata"`
		Tags        []Pair     `json:"tags"`
	}
	infoV2Response struct {
		Info InfoV2 `json:"trace_info"`
	}
)

func (s *Service) startV2(ctx context.Context, in *startV2Request) (*infoV2Response, error) {
	// Without the "tr-" by which clients know the traces of MLflow 3.
	info := &Info{TraceID: strings.ReplaceAll(uuid.NewString(), "-", ""), TraceLocation: Location{MlflowExperiment: &ExperimentLocation{in.ExperimentID}},
		RequestTime: Timestamp(in.TimestampMS), State: "IN_PROGRESS", TraceMetadata: byKey(in.Metadata), Tags: byKey(in.Tags)}
	if err := info.check(); err != nil {
		return nil, err
	}
	out, err := s.keep(ctx, info)
	if err != nil {
		return nil, err
	}
	return &infoV2Response{out.v2()}, nil
}

func (s *Service) endV2(ctx context.Context, in *endV2Request) (*infoV2Response, error) {
	state, ok := in.Status.Resolve(states)
	if !ok {
		return nil, rest.InvalidValue("status", string(in.Status), "")
	}
	tags, metadata := byKey(in.Tags), byKey(in.Metadata)
	if err := checkTags(tags); err != nil {
		return nil, err
	}
	var out *Info
	err := s.writeTrace(ctx, in.TraceID, func(ctx context.Context, q db.Querier, r row) error {
		if _, err := q.ExecContext(ctx, `UPDATE traces SET state = ?, execution_ms = ? WHERE id = ?`, state, int64(in.TimestampMS)-int64(r.info.RequestTime), r.id); err != nil {
			return err
		}
		if err := setPairs(ctx, q, tagTable, r.id, tags); err != nil {
			return err
		}
		if err := setPairs(ctx, q, metadataTable, r.id, metadata); err != nil {
			return err
		}
		changed, err := traceByID(ctx, q, in.TraceID)
		if err == nil {
			out, err = completeOne(ctx, q, changed)
		}
		return err
	})
	if err != nil {
		return nil, err
	}
	return &infoV2Response{out.v2()}, nil
}

func (s *Service) infoV2(ctx context.Context, in *traceRequest) (*infoV2Response, error) {
	info, err := s.read(ctx, in.TraceID)
	if err != nil {
		return nil, err
	}
	return &infoV2Response{info.v2()}, nil
}

// sendArtifact answers a browser: an attachment, or the spans.
func (s *Service) sendArtifact(w http.ResponseWriter, r *http.Request) error {
	query := r.URL.Query()
	id := query.Get("request_id")
	if id == "" {
		return rest.Errorf(rest.BadRequest, `Request must include the "request_id" query parameter.`)
	}
	info, err := s.read(r.Context(), id)
	if err != nil {
		return err
	}
	if name := query.Get("path"); name != "" {
		return s.tracking.SendArtifact(w, r, info.Tags[locationTag], "attachments/"+name)
	}
	if info.Tags[spansTag] != spansHere {
		return s.tracking.SendArtifact(w, r, info.Tags[locationTag], "traces.json")
	}
	spans, err := s.spans(r.Context(), id)
	if err != nil {
		return err
	}
	return rest.WriteJSON(w, r, struct {
		Spans []json.RawMessage `json:"spans"`
	}{spans})
}
