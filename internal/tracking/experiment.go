package tracking

import (
	"context"
	"fmt"
	"net/http"
	"strings"

	"github.com/millpond/millpond/internal/db"
	"github.com/millpond/millpond/internal/rest"
	"github.com/millpond/millpond/internal/rest/filter"
)

type (
	createExperimentRequest struct {
		Name             string `json:"name" mlflow:"required"`
		ArtifactLocation string `json:"artifact_location"`
		Tags             []Pair `json:"tags"`
	}
	experimentIDResponse struct {
		ExperimentID string `json:"experiment_id"`
	}
	experimentRequest struct {
		ExperimentID string `json:"experiment_id" mlflow:"required"`
	}
	experimentByNameRequest struct {
		ExperimentName string `json:"experiment_name" mlflow:"required"`
	}
	experimentResponse struct {
		Experiment Experiment `json:"experiment"`
	}
	updateExperimentRequest struct {
		ExperimentID string `json:"experiment_id" mlflow:"required"`
		NewName      string `json:"new_name" mlflow:"required"`
	}
	experimentTagRequest struct {
		ExperimentID string `json:"experiment_id" mlflow:"required"`
		Key          string `json:"key" mlflow:"required"`
		Value        string `json:"value"`
	}
	searchExperimentsRequest struct {
		MaxResults rest.Int64 `json:"max_results"`
		PageToken  string     `json:"page_token"`
		Filter     string     `json:"filter"`
		OrderBy    []string   `json:"order_by"`
		ViewType   rest.Enum  `json:"view_type"`
	}
	searchExperimentsResponse struct {
		Experiments   []Experiment `json:"experiments,omitempty"`
		NextPageToken string       `json:"next_page_token,omitempty"`
	}
	empty struct{}
)

var experimentGrammar = &filter.Grammar{
	Entities: map[string]*filter.Entity{
		"tag": tagEntity, "tags": tagEntity,
	},
	Valid:             []string{"attribute", "tag", "tags"},
	AttributeEntities: []string{"attribute", "attributes"},
	Attributes: map[string]filter.Attribute{
		"name":             {Column: "e.name"},
		"creation_time":    {Column: "e.creation_time", Type: filter.Integer},
		"last_update_time": {Column: "e.last_update_time", Type: filter.Integer},
		"experiment_id": {Column: "CAST(e.experiment_id AS TEXT)", List: true,
			Ops: []filter.Op{filter.Eq, filter.Ne, filter.In, filter.NotIn}},
	},
}

var tagEntity = &filter.Entity{Name: "tag", Ops: filter.NullOps}

// artifactLocation is where a new experiment keeps its artifacts.
func (s *Service) artifactLocation(id int64) string { return fmt.Sprintf("%s/%d", s.root, id) }

func (s *Service) createExperiment(ctx context.Context, in *createExperimentRequest) (*experimentIDResponse, error) {
	if err := checkExperimentName(in.Name); err != nil {
		return nil, err
	}
	for _, t := range in.Tags {
		if err := checkExperimentTag(t); err != nil {
			return nil, err
		}
	}
	if err := checkLocation(in.ArtifactLocation); err != nil {
		return nil, err
	}
	var id int64
	err := s.db.Write(ctx, func(ctx context.Context, q db.Querier) error {
		var err error
		id, err = insertExperiment(ctx, q, in.Name, in.ArtifactLocation, s.millis())
		if db.IsUnique(err) {
			return rest.AlreadyExists("Experiment(name=%s) already exists.", in.Name)
		}
		if err != nil {
			return err
		}
		if in.ArtifactLocation == "" {
			if err := setExperimentLocation(ctx, q, id, s.artifactLocation(id)); err != nil {
				return err
			}
		}
		for _, t := range in.Tags {
			if err := upsertExperimentTag(ctx, q, id, t); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		return nil, err
	}
	return &experimentIDResponse{fmt.Sprint(id)}, nil
}

// checkLocation checks an artifact location chosen by the client. The server
// serves nothing outside its own root, so that local paths have no meaning.
func checkLocation(location string) error {
	switch {
	case location == "":
		return nil
	case len(location) > maxArtifactAddress:
		return rest.Invalid("Invalid artifact path length. The length of the artifact path cannot be greater than %d characters.", maxArtifactAddress)
	case strings.HasPrefix(location, "runs:"):
		return rest.Invalid("Artifact location cannot be a runs:/ URI. Given: '%s'", location)
	}
	return nil
}

func (s *Service) getExperiment(ctx context.Context, in *experimentRequest) (*experimentResponse, error) {
	id, err := parseExperimentID(in.ExperimentID)
	if err != nil {
		return nil, err
	}
	e, err := experimentByID(ctx, s.db.Reader(), id, true)
	if err != nil {
		return nil, err
	}
	return &experimentResponse{*e}, nil
}

func (s *Service) getExperimentByName(ctx context.Context, in *experimentByNameRequest) (*experimentResponse, error) {
	e, err := experimentByName(ctx, s.db.Reader(), in.ExperimentName)
	if err != nil {
		return nil, err
	}
	return &experimentResponse{*e}, nil
}

func (s *Service) deleteExperiment(ctx context.Context, in *experimentRequest) (*empty, error) {
	return nil, s.moveExperiment(ctx, in.ExperimentID, active, deleted)
}

func (s *Service) restoreExperiment(ctx context.Context, in *experimentRequest) (*empty, error) {
	return nil, s.moveExperiment(ctx, in.ExperimentID, deleted, active)
}

// moveExperiment moves an experiment and its runs between lifecycle stages.
func (s *Service) moveExperiment(ctx context.Context, idText, from, to string) error {
	id, err := parseExperimentID(idText)
	if err != nil {
		return err
	}
	return s.db.Write(ctx, func(ctx context.Context, q db.Querier) error {
		moved, err := setExperimentStage(ctx, q, id, from, to, s.millis())
		if err == nil && !moved {
			err = noExperiment(id)
		}
		return err
	})
}

func (s *Service) updateExperiment(ctx context.Context, in *updateExperimentRequest) (*empty, error) {
	id, err := parseExperimentID(in.ExperimentID)
	if err != nil {
		return nil, err
	}
	if err := checkExperimentName(in.NewName); err != nil {
		return nil, err
	}
	return nil, s.db.Write(ctx, func(ctx context.Context, q db.Querier) error {
		e, err := experimentByID(ctx, q, id, false)
		if err != nil {
			return err
		}
		if e.LifecycleStage != active {
			return &rest.Error{Code: rest.InvalidState, HTTP: http.StatusBadRequest, Message: "Cannot rename a non-active experiment."}
		}
		err = renameExperiment(ctx, q, id, in.NewName, s.millis())
		if db.IsUnique(err) {
			return rest.AlreadyExists("Experiment(name=%s) already exists.", in.NewName)
		}
		return err
	})
}

func (s *Service) setExperimentTag(ctx context.Context, in *experimentTagRequest) (*empty, error) {
	tag := Pair{in.Key, in.Value}
	if err := checkExperimentTag(tag); err != nil {
		return nil, err
	}
	return nil, s.writeExperiment(ctx, in.ExperimentID, func(ctx context.Context, q db.Querier, id int64) error {
		return upsertExperimentTag(ctx, q, id, tag)
	})
}

func (s *Service) deleteExperimentTag(ctx context.Context, in *experimentTagRequest) (*empty, error) {
	return nil, s.writeExperiment(ctx, in.ExperimentID, func(ctx context.Context, q db.Querier, id int64) error {
		found, err := deleteExperimentTag(ctx, q, id, in.Key)
		if err == nil && !found {
			err = rest.NotFound("No tag with name: %s in experiment with id %d", in.Key, id)
		}
		return err
	})
}

// writeExperiment runs fn in a write, for an experiment that is active.
func (s *Service) writeExperiment(ctx context.Context, idText string, fn func(context.Context, db.Querier, int64) error) error {
	id, err := parseExperimentID(idText)
	if err != nil {
		return err
	}
	return s.db.Write(ctx, func(ctx context.Context, q db.Querier) error {
		if _, err := activeExperiment(ctx, q, id); err != nil {
			return err
		}
		return fn(ctx, q, id)
	})
}

func activeExperiment(ctx context.Context, q db.Querier, id int64) (*Experiment, error) {
	e, err := experimentByID(ctx, q, id, false)
	if err != nil {
		return nil, err
	}
	if e.LifecycleStage != active {
		return nil, rest.Invalid("The experiment %d must be in the 'active' state. Current state is %s.", id, e.LifecycleStage)
	}
	return e, nil
}

func (s *Service) searchExperiments(ctx context.Context, in *searchExperimentsRequest) (*searchExperimentsResponse, error) {
	limit, err := rest.MaxResults(int64(in.MaxResults), maxSearchResults)
	if err != nil {
		return nil, err
	}
	offset, err := rest.ParsePageToken(in.PageToken)
	if err != nil {
		return nil, err
	}
	shown, err := stages(in.ViewType)
	if err != nil {
		return nil, err
	}
	terms, err := experimentGrammar.Parse(in.Filter)
	if err != nil {
		return nil, rest.Invalid("%s", err)
	}
	orders, err := experimentGrammar.ParseOrder(in.OrderBy)
	if err != nil {
		return nil, rest.Invalid("%s", err)
	}
	for _, o := range orders {
		if o.Entity != filter.AttributeEntity {
			return nil, rest.Invalid("Invalid order_by entity: %s", o.Entity)
		}
	}
	var out searchExperimentsResponse
	err = s.db.View(ctx, func(ctx context.Context, q db.Querier) error {
		out.Experiments, err = findExperiments(ctx, q, terms, orders, shown, limit+1, offset)
		return err
	})
	if err != nil {
		return nil, err
	}
	if len(out.Experiments) > limit {
		out.Experiments = out.Experiments[:limit]
		out.NextPageToken = rest.PageToken(offset + limit)
	}
	return &out, nil
}
