package evaluation

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"slices"
	"strings"

	"github.com/google/uuid"

	"github.com/millpond/millpond/internal/db"
	"github.com/millpond/millpond/internal/rest"
)

// Online scoring has the server judge a share of the traces as they come. MLflow
// does so by models of its gateway alone; there is none here, so that every share
// but none is refused, as MLflow refuses it for scorers of other models.

// onlineConfig is how much of what comes a scorer is to judge.
type onlineConfig struct {
	ID           string     `json:"online_scoring_config_id"`
	ScorerID     string     `json:"scorer_id"`
	SampleRate   rest.Float `json:"sample_rate"`
	ExperimentID string     `json:"experiment_id"`
	FilterString *string    `json:"filter_string,omitempty"`
}

type (
	onlineRequest struct {
		ScorerIDs []string `json:"scorer_ids" mlflow:"required"`
	}
	onlineResponse struct {
		Configs []onlineConfig `json:"configs"`
	}
	setOnlineRequest struct {
		ExperimentID string      `json:"experiment_id" mlflow:"required"`
		Name         string      `json:"name" mlflow:"required"`
		SampleRate   *rest.Float `json:"sample_rate" mlflow:"required"`
		FilterString *string     `json:"filter_string"`
	}
	setOnlineResponse struct {
		Config onlineConfig `json:"config"`
	}
)

// Keep leaves the configurations of experiments that the user may see; see [rest.Filtered].
func (r *onlineResponse) Keep(may func(kind, id string) bool) {
	r.Configs = slices.DeleteFunc(r.Configs, func(c onlineConfig) bool { return !may(rest.KindExperiment, c.ExperimentID) })
}

func (s *Service) onlineConfigs(ctx context.Context, in *onlineRequest) (*onlineResponse, error) {
	rows, err := s.db.Reader().QueryContext(ctx, `SELECT o.config_id, c.scorer_id, o.sample_rate, c.experiment_id, o.filter_string
		FROM online_scoring o JOIN scorers c ON c.id = o.scorer WHERE c.scorer_id IN (`+db.Marks(len(in.ScorerIDs))+`) ORDER BY c.id`, db.Args(in.ScorerIDs)...)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	out := onlineResponse{Configs: []onlineConfig{}}
	for rows.Next() {
		var c onlineConfig
		if err := rows.Scan(&c.ID, &c.ScorerID, &c.SampleRate, &c.ExperimentID, &c.FilterString); err != nil {
			return nil, err
		}
		out.Configs = append(out.Configs, c)
	}
	return &out, rows.Err()
}

func (s *Service) setOnlineConfig(ctx context.Context, in *setOnlineRequest) (*setOnlineResponse, error) {
	if rate := float64(*in.SampleRate); !(rate >= 0 && rate <= 1) {
		return nil, rest.Invalid("sample_rate must be between 0.0 and 1.0, got %s", rest.Float(rate).AppendJSON(nil))
	}
	if in.FilterString != nil && *in.FilterString != "" {
		if err := s.checkFilter(*in.FilterString); err != nil {
			return nil, err
		}
	}
	experiment, _, err := s.tracking.ExperimentLocation(ctx, in.ExperimentID)
	if err != nil {
		return nil, err
	}
	out := setOnlineResponse{onlineConfig{ID: strings.ReplaceAll(uuid.NewString(), "-", ""), SampleRate: *in.SampleRate, ExperimentID: in.ExperimentID,
		FilterString: in.FilterString}}
	err = s.db.Write(ctx, func(ctx context.Context, q db.Querier) error {
		var id int64
		var serialized *string
		err := q.QueryRowContext(ctx, `SELECT c.id, c.scorer_id, (SELECT v.serialized FROM scorer_versions v WHERE v.scorer = c.id ORDER BY v.version DESC LIMIT 1)
			FROM scorers c WHERE c.experiment_id = ? AND c.name = ?`, experiment, in.Name).Scan(&id, &out.Config.ScorerID, &serialized)
		switch {
		case errors.Is(err, sql.ErrNoRows):
			return noScorer(&scorerRequest{ExperimentID: in.ExperimentID, Name: in.Name})
		case err != nil:
			return err
		case *in.SampleRate > 0 && serialized != nil:
			return refuseOnline(in.Name, *serialized)
		}
		_, err = q.ExecContext(ctx, `INSERT INTO online_scoring (scorer, config_id, sample_rate, filter_string) VALUES (?, ?, ?, ?)
			ON CONFLICT (scorer) DO UPDATE SET config_id = excluded.config_id, sample_rate = excluded.sample_rate, filter_string = excluded.filter_string`,
			id, out.Config.ID, float64(*in.SampleRate), in.FilterString)
		return err
	})
	if err != nil {
		return nil, err
	}
	return &out, nil
}

// refuseOnline says why the server cannot judge with a scorer by itself.
func refuseOnline(name, serialized string) error {
	var scorer map[string]any
	if err := json.Unmarshal([]byte(serialized), &scorer); err != nil {
		return err
	}
	model, _ := modelOf(scorer).(string)
	if _, ok := gatewayEndpoint(model); !ok {
		return rest.Invalid("Scorer '%s' does not use a gateway model. Automatic evaluation is only supported for scorers that use gateway models.", name)
	}
	return rest.Errorf(rest.NotImplemented, "Automatic evaluation needs MLflow's AI gateway, which this server does not have: run the scorer with mlflow.genai.evaluate.")
}
