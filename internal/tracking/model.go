package tracking

import (
	"context"
	"encoding/json"
	"net/http"
	"strconv"
	"strings"
	"unicode/utf8"

	"github.com/google/uuid"

	"github.com/millpond/millpond/internal/db"
	"github.com/millpond/millpond/internal/rest"
)

type (
	createModelRequest struct {
		ExperimentID string `json:"experiment_id" mlflow:"required"`
		Name         string `json:"name"`
		ModelType    string `json:"model_type"`
		SourceRunID  string `json:"source_run_id"`
		Params       []Pair `json:"params"`
		Tags         []Pair `json:"tags"`
	}
	modelResponse struct {
		Model LoggedModel `json:"model"`
	}
	modelRequest struct {
		ModelID      string `json:"model_id" mlflow:"required"`
		AllowDeleted bool   `json:"allow_deleted"`
	}
	finalizeModelRequest struct {
		ModelID string    `json:"model_id" mlflow:"required"`
		Status  rest.Enum `json:"status" mlflow:"required"`
	}
	modelParamsRequest struct {
		ModelID string `json:"model_id" mlflow:"required"`
		Params  []Pair `json:"params"`
	}
	modelTagsRequest struct {
		ModelID string `json:"model_id" mlflow:"required"`
		Tags    []Pair `json:"tags"`
	}
	modelTagRequest struct {
		ModelID string `json:"model_id" mlflow:"required"`
		TagKey  string `json:"tag_key" mlflow:"required"`
	}
)

// modelStatuses are numbered on disk as on the wire.
var modelStatuses = map[int]string{1: "LOGGED_MODEL_PENDING", 2: "LOGGED_MODEL_READY", 3: "LOGGED_MODEL_UPLOAD_FAILED"}

const modelPending = 1

func (s *Service) createModel(ctx context.Context, in *createModelRequest) (*modelResponse, error) {
	experiment, err := parseExperimentID(in.ExperimentID)
	if err != nil {
		return nil, err
	}
	if strings.ContainsAny(in.Name, `/:.%"'`) {
		return nil, rest.Invalid("Invalid model name ('%s') provided. Model name must be a non-empty string and cannot contain "+
			`the following characters: ('/', ':', '.', '%%', '"', "'")`, in.Name)
	}
	name := in.Name
	if name == "" {
		name = randomName()
	}
	modelID := "m-" + strings.ReplaceAll(uuid.NewString(), "-", "")
	var out modelResponse
	err = s.db.Write(ctx, func(ctx context.Context, q db.Querier) error {
		e, err := activeExperiment(ctx, q, experiment)
		if err != nil {
			return err
		}
		location := joinURI(e.ArtifactLocation, "models", modelID, "artifacts")
		id, err := insertModel(ctx, q, experiment, modelID, name, location, in.ModelType, in.SourceRunID, s.millis())
		if err != nil {
			return err
		}
		if err := upsertModelPairs(ctx, q, "logged_model_params", id, in.Params); err != nil {
			return err
		}
		if err := upsertModelPairs(ctx, q, "logged_model_tags", id, in.Tags); err != nil {
			return err
		}
		out.Model, err = readModel(ctx, q, modelID, true)
		return err
	})
	if err != nil {
		return nil, err
	}
	return &out, nil
}

func noLoggedModel(id string) error { return rest.NotFound("Logged model with ID '%s' not found.", id) }

func (s *Service) getModel(ctx context.Context, in *modelRequest) (*modelResponse, error) {
	m, err := s.LoggedModel(ctx, in.ModelID, in.AllowDeleted)
	if err != nil {
		return nil, err
	}
	return &modelResponse{m}, nil
}

// LoggedModel reads one logged model.
func (s *Service) LoggedModel(ctx context.Context, modelID string, allowDeleted bool) (m LoggedModel, err error) {
	err = s.db.View(ctx, func(ctx context.Context, q db.Querier) error {
		m, err = readModel(ctx, q, modelID, allowDeleted)
		return err
	})
	return m, err
}

func (s *Service) finalizeModel(ctx context.Context, in *finalizeModelRequest) (*modelResponse, error) {
	name, ok := in.Status.Resolve(modelStatuses)
	if !ok {
		return nil, rest.InvalidValue("status", string(in.Status), "must be LOGGED_MODEL_PENDING, LOGGED_MODEL_READY or LOGGED_MODEL_UPLOAD_FAILED.")
	}
	status := modelPending
	for n, s := range modelStatuses {
		if s == name {
			status = n
		}
	}
	var out modelResponse
	err := s.writeModel(ctx, in.ModelID, func(ctx context.Context, q db.Querier, id int64) error {
		if err := setModelStatus(ctx, q, id, status, s.millis()); err != nil {
			return err
		}
		var err error
		out.Model, err = readModel(ctx, q, in.ModelID, true)
		return err
	})
	if err != nil {
		return nil, err
	}
	return &out, nil
}

func (s *Service) deleteModel(ctx context.Context, in *modelRequest) (*empty, error) {
	return nil, s.writeModel(ctx, in.ModelID, func(ctx context.Context, q db.Querier, id int64) error {
		return setModelDeleted(ctx, q, id, s.millis())
	})
}

func (s *Service) logModelParams(ctx context.Context, in *modelParamsRequest) (*empty, error) {
	return nil, s.writeModel(ctx, in.ModelID, func(ctx context.Context, q db.Querier, id int64) error {
		return upsertModelPairs(ctx, q, "logged_model_params", id, in.Params)
	})
}

func (s *Service) setModelTags(ctx context.Context, in *modelTagsRequest) (*empty, error) {
	return nil, s.writeModel(ctx, in.ModelID, func(ctx context.Context, q db.Querier, id int64) error {
		return upsertModelPairs(ctx, q, "logged_model_tags", id, in.Tags)
	})
}

func (s *Service) deleteModelTag(ctx context.Context, in *modelTagRequest) (*empty, error) {
	return nil, s.writeModel(ctx, in.ModelID, func(ctx context.Context, q db.Querier, id int64) error {
		found, err := deleteModelTag(ctx, q, id, in.TagKey)
		if err == nil && !found {
			err = rest.NotFound("No tag with key '%s' found for model with ID '%s'.", in.TagKey, in.ModelID)
		}
		return err
	})
}

// writeModel runs fn in a write, for a logged model that exists.
func (s *Service) writeModel(ctx context.Context, modelID string, fn func(context.Context, db.Querier, int64) error) error {
	return s.db.Write(ctx, func(ctx context.Context, q db.Querier) error {
		id, err := modelRowID(ctx, q, modelID)
		if err != nil {
			return err
		}
		return fn(ctx, q, id)
	})
}

// LinkModelVersion notes in the logged model that it has been registered.
func (s *Service) LinkModelVersion(ctx context.Context, modelID, name string, version int64) error {
	const key = "mlflow.modelVersions"
	type link struct {
		Name    string          `json:"name"`
		Version json.RawMessage `json:"version"`
	}
	return s.writeModel(ctx, modelID, func(ctx context.Context, q db.Querier, id int64) error {
		m, err := readModel(ctx, q, modelID, true)
		if err != nil {
			return err
		}
		var links []link
		for _, t := range m.Info.Tags {
			if t.Key == key && json.Unmarshal([]byte(t.Value), &links) != nil {
				links = nil // not ours to repair: start anew
			}
		}
		links = append(links, link{name, json.RawMessage(strconv.FormatInt(version, 10))})
		text, err := json.Marshal(links)
		if err != nil {
			return err
		}
		return upsertModelPairs(ctx, q, "logged_model_tags", id, []Pair{{key, string(text)}})
	})
}

// RunLocation tells where the artifacts of a run are.
func (s *Service) RunLocation(ctx context.Context, runID string) (string, error) {
	row, err := runByID(ctx, s.db.Reader(), runID)
	return row.info.ArtifactURI, err
}

// ExperimentLocation tells where an active experiment keeps its artifacts.
func (s *Service) ExperimentLocation(ctx context.Context, experimentID string) (int64, string, error) {
	id, err := parseExperimentID(experimentID)
	if err != nil {
		return 0, "", err
	}
	e, err := activeExperiment(ctx, s.db.Reader(), id)
	if err != nil {
		return 0, "", err
	}
	return id, e.ArtifactLocation, nil
}

// ExperimentNames finds the ids of active experiments by the beginning of their names.
func (s *Service) ExperimentNames(ctx context.Context, prefix string) (map[string]string, error) {
	rows, err := s.db.Reader().QueryContext(ctx, `SELECT name, experiment_id FROM experiments WHERE lifecycle_stage = 'active'
		AND SUBSTR(name, 1, ?) = ?`, utf8.RuneCountInString(prefix), prefix)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	out := map[string]string{}
	for rows.Next() {
		var name, id string
		if err := rows.Scan(&name, &id); err != nil {
			return nil, err
		}
		out[name] = id
	}
	return out, rows.Err()
}

// ModelLocation tells where the artifacts of a logged model are, and which run
// made it.
func (s *Service) ModelLocation(ctx context.Context, modelID string) (location, sourceRun string, err error) {
	m, err := s.LoggedModel(ctx, modelID, false)
	return m.Info.ArtifactURI, m.Info.SourceRunID, err
}

func (s *Service) listModelArtifacts(w http.ResponseWriter, r *http.Request) error {
	location, _, err := s.ModelLocation(r.Context(), r.PathValue("model_id"))
	if err != nil {
		return err
	}
	return s.answerList(w, r, location, r.URL.Query().Get("artifact_directory_path"))
}

func (s *Service) getModelArtifact(w http.ResponseWriter, r *http.Request) error {
	name := r.URL.Query().Get("artifact_file_path")
	if name == "" {
		return rest.Errorf(rest.BadRequest, `Request must include the "artifact_file_path" query parameter.`)
	}
	location, _, err := s.ModelLocation(r.Context(), r.PathValue("model_id"))
	if err != nil {
		return err
	}
	return s.sendFrom(w, r, location, name)
}
