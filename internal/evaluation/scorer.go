package evaluation

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/google/uuid"

	"github.com/millpond/millpond/internal/db"
	"github.com/millpond/millpond/internal/rest"
)

// Scorer is one version of a scorer: a text that says how to judge.
type Scorer struct {
	ExperimentID int64  `json:"experiment_id"`
	Name         string `json:"scorer_name"`
	Version      int64  `json:"scorer_version"`
	Serialized   string `json:"serialized_scorer"`
	CreationTime int64  `json:"creation_time"`
	ScorerID     string `json:"scorer_id"`
}

type (
	registerRequest struct {
		ExperimentID string `json:"experiment_id" mlflow:"required"`
		Name         string `json:"name" mlflow:"required"`
		Serialized   string `json:"serialized_scorer" mlflow:"required"`
	}
	registerResponse struct {
		Version      int64  `json:"version"`
		ScorerID     string `json:"scorer_id"`
		ExperimentID string `json:"experiment_id"`
		Name         string `json:"name"`
		Serialized   string `json:"serialized_scorer"`
		CreationTime int64  `json:"creation_time"`
	}
	listRequest struct {
		ExperimentID  string   `json:"experiment_id"`
		ExperimentIDs []string `json:"experiment_ids"`
	}
	scorerRequest struct {
		ExperimentID string      `json:"experiment_id" mlflow:"required"`
		Name         string      `json:"name" mlflow:"required"`
		Version      *rest.Int64 `json:"version"`
	}
	scorersResponse struct {
		Scorers []Scorer `json:"scorers,omitempty"`
	}
	scorerResponse struct {
		Scorer Scorer `json:"scorer"`
	}
)

const maxScorerName = 256

func (s *Service) registerScorer(ctx context.Context, in *registerRequest) (*registerResponse, error) {
	switch {
	case strings.TrimSpace(in.Name) == "":
		return nil, rest.Invalid("Scorer name cannot be empty or contain only whitespace.")
	case len(in.Name) > maxScorerName:
		return nil, rest.Invalid("Scorer name cannot be longer than %d characters.", maxScorerName)
	}
	if err := checkPayload(in.Serialized); err != nil {
		return nil, err
	}
	experiment, _, err := s.tracking.ExperimentLocation(ctx, in.ExperimentID)
	if err != nil {
		return nil, err
	}
	out := &registerResponse{ExperimentID: in.ExperimentID, Name: in.Name, Serialized: in.Serialized, CreationTime: s.millis()}
	err = s.db.Write(ctx, func(ctx context.Context, q db.Querier) error {
		var id int64
		err := q.QueryRowContext(ctx, `INSERT INTO scorers (scorer_id, experiment_id, name, last_version) VALUES (?, ?, ?, 1)
			ON CONFLICT (experiment_id, name) DO UPDATE SET last_version = scorers.last_version + 1 RETURNING id, scorer_id, last_version`,
			uuid.NewString(), experiment, in.Name).Scan(&id, &out.ScorerID, &out.Version)
		if err != nil {
			return err
		}
		_, err = q.ExecContext(ctx, `INSERT INTO scorer_versions (scorer, version, serialized, created_ms) VALUES (?, ?, ?, ?)`, id, out.Version, in.Serialized, out.CreationTime)
		return err
	})
	if err != nil {
		return nil, err
	}
	return out, nil
}

const scorerColumns = `c.experiment_id, c.name, v.version, v.serialized, v.created_ms, c.scorer_id FROM scorers c JOIN scorer_versions v ON v.scorer = c.id`

func (s *Service) scorers(ctx context.Context, tail string, args ...any) ([]Scorer, error) {
	rows, err := s.db.Reader().QueryContext(ctx, `SELECT `+scorerColumns+` `+tail, args...)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	var out []Scorer
	for rows.Next() {
		var c Scorer
		if err := rows.Scan(&c.ExperimentID, &c.Name, &c.Version, &c.Serialized, &c.CreationTime, &c.ScorerID); err != nil {
			return nil, err
		}
		out = append(out, c)
	}
	return out, rows.Err()
}

// listScorers lists the newest version of each scorer: of one experiment, of
// several, or of all that are active.
func (s *Service) listScorers(ctx context.Context, in *listRequest) (*scorersResponse, error) {
	const newest = `JOIN experiments e ON e.experiment_id = c.experiment_id AND e.lifecycle_stage = 'active'
		WHERE v.version = (SELECT MAX(version) FROM scorer_versions WHERE scorer = c.id) %s ORDER BY c.experiment_id, c.name`
	var ids []int64
	switch {
	case in.ExperimentID != "" && len(in.ExperimentIDs) > 0:
		return nil, rest.Invalid("Cannot specify both 'experiment_id' and 'experiment_ids'. Use 'experiment_ids' to scope the query to multiple experiments, " +
			"or 'experiment_id' to scope it to a single experiment.")
	case in.ExperimentID != "":
		experiment, _, err := s.tracking.ExperimentLocation(ctx, in.ExperimentID)
		if err != nil {
			return nil, err
		}
		ids = []int64{experiment}
	case len(in.ExperimentIDs) > 0:
		for _, text := range in.ExperimentIDs {
			id, err := strconv.ParseInt(text, 10, 64)
			if err != nil {
				return nil, rest.Invalid("Invalid experiment ID '%s'. Experiment ID must be a valid integer.", text)
			}
			ids = append(ids, id)
		}
	}
	only := ""
	if ids != nil {
		only = "AND c.experiment_id IN (" + db.Marks(len(ids)) + ")"
	}
	list, err := s.scorers(ctx, fmt.Sprintf(newest, only), db.Args(ids)...)
	return &scorersResponse{list}, err
}

// Keep leaves the scorers of experiments that the user may see; see [rest.Filtered].
func (r *scorersResponse) Keep(may func(kind, id string) bool) {
	r.Scorers = slices.DeleteFunc(r.Scorers, func(c Scorer) bool { return !may(rest.KindExperiment, strconv.FormatInt(c.ExperimentID, 10)) })
}

func (s *Service) scorerVersions(ctx context.Context, in *scorerRequest) (*scorersResponse, error) {
	experiment, _, err := s.tracking.ExperimentLocation(ctx, in.ExperimentID)
	if err != nil {
		return nil, err
	}
	list, err := s.scorers(ctx, `WHERE c.experiment_id = ? AND c.name = ? ORDER BY v.version`, experiment, in.Name)
	if err == nil && len(list) == 0 {
		err = noScorer(in)
	}
	return &scorersResponse{list}, err
}

func noScorer(in *scorerRequest) error {
	if in.Version != nil {
		return rest.NotFound("Scorer with name '%s' and version %d not found for experiment %s.", in.Name, *in.Version, in.ExperimentID)
	}
	return rest.NotFound("Scorer with name '%s' not found for experiment %s.", in.Name, in.ExperimentID)
}

// getScorer answers with a version, or with the newest.
func (s *Service) getScorer(ctx context.Context, in *scorerRequest) (*scorerResponse, error) {
	experiment, _, err := s.tracking.ExperimentLocation(ctx, in.ExperimentID)
	if err != nil {
		return nil, err
	}
	list, err := s.scorers(ctx, `WHERE c.experiment_id = ? AND c.name = ? AND (CAST(? AS BIGINT) = 0 OR v.version = ?) ORDER BY v.version DESC LIMIT 1`, experiment, in.Name,
		oneIf(in.Version != nil), versionOf(in))
	if err == nil && len(list) == 0 {
		err = noScorer(in)
	}
	if err != nil {
		return nil, err
	}
	return &scorerResponse{list[0]}, nil
}

func oneIf(b bool) int64 {
	if b {
		return 1
	}
	return 0
}

func versionOf(in *scorerRequest) int64 {
	if in.Version == nil {
		return 0
	}
	return int64(*in.Version)
}

// deleteScorer deletes a version, or all of them. The numbers are not given again.
func (s *Service) deleteScorer(ctx context.Context, in *scorerRequest) (*empty, error) {
	experiment, _, err := s.tracking.ExperimentLocation(ctx, in.ExperimentID)
	if err != nil {
		return nil, err
	}
	return nil, s.db.Write(ctx, func(ctx context.Context, q db.Querier) error {
		var id int64
		err := q.QueryRowContext(ctx, `SELECT id FROM scorers WHERE experiment_id = ? AND name = ?`, experiment, in.Name).Scan(&id)
		if errors.Is(err, sql.ErrNoRows) {
			return noScorer(in)
		}
		if err != nil {
			return err
		}
		if in.Version == nil {
			_, err = q.ExecContext(ctx, `DELETE FROM scorers WHERE id = ?`, id)
			return err
		}
		res, err := q.ExecContext(ctx, `DELETE FROM scorer_versions WHERE scorer = ? AND version = ?`, id, versionOf(in))
		if err != nil {
			return err
		}
		if n, err := res.RowsAffected(); err != nil || n == 0 {
			return errors.Join(err, noScorer(in))
		}
		return nil
	})
}
