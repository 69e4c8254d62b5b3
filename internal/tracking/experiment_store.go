package tracking

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"strconv"
	"strings"

	"github.com/millpond/millpond/internal/db"
	"github.com/millpond/millpond/internal/rest"
	"github.com/millpond/millpond/internal/rest/filter"
)

const experimentColumns = `e.experiment_id, e.name, e.artifact_location, e.lifecycle_stage, e.last_update_time, e.creation_time`

func insertDefaultExperiment(ctx context.Context, q db.Querier, location string, now int64) error {
	_, err := q.ExecContext(ctx, `INSERT INTO experiments (experiment_id, name, artifact_location, creation_time, last_update_time)
		SELECT 0, 'Default', ?, ?, ? WHERE NOT EXISTS (SELECT 1 FROM experiments WHERE experiment_id = 0 OR name = 'Default')`, location, now, now)
	return err
}

func insertExperiment(ctx context.Context, q db.Querier, name, location string, now int64) (int64, error) {
	var id int64
	err := q.QueryRowContext(ctx, `INSERT INTO experiments (name, artifact_location, creation_time, last_update_time)
		VALUES (?, ?, ?, ?) RETURNING experiment_id`, name, location, now, now).Scan(&id)
	return id, err
}

func setExperimentLocation(ctx context.Context, q db.Querier, id int64, location string) error {
	_, err := q.ExecContext(ctx, `UPDATE experiments SET artifact_location = ? WHERE experiment_id = ?`, location, id)
	return err
}

func renameExperiment(ctx context.Context, q db.Querier, id int64, name string, now int64) error {
	_, err := q.ExecContext(ctx, `UPDATE experiments SET name = ?, last_update_time = ? WHERE experiment_id = ?`, name, now, id)
	return err
}

func setExperimentStage(ctx context.Context, q db.Querier, id int64, from, to string, now int64) (bool, error) {
	res, err := q.ExecContext(ctx, `UPDATE experiments SET lifecycle_stage = ?, last_update_time = ?
		WHERE experiment_id = ? AND lifecycle_stage = ?`, to, now, id, from)
	if err != nil {
		return false, err
	}
	if n, err := res.RowsAffected(); err != nil || n == 0 {
		return false, err
	}
	var deletedAt any
	if to == deleted {
		deletedAt = now
	}
	_, err = q.ExecContext(ctx, `UPDATE runs SET lifecycle_stage = ?, deleted_time = ? WHERE experiment_id = ?`, to, deletedAt, id)
	return true, err
}

func upsertExperimentTag(ctx context.Context, q db.Querier, id int64, t Pair) error {
	_, err := q.ExecContext(ctx, `INSERT INTO experiment_tags (experiment_id, key, value) VALUES (?, ?, ?)
		ON CONFLICT (experiment_id, key) DO UPDATE SET value = excluded.value`, id, t.Key, t.Value)
	return err
}

func deleteExperimentTag(ctx context.Context, q db.Querier, id int64, key string) (bool, error) {
	res, err := q.ExecContext(ctx, `DELETE FROM experiment_tags WHERE experiment_id = ? AND key = ?`, id, key)
	if err != nil {
		return false, err
	}
	n, err := res.RowsAffected()
	return n > 0, err
}

func noExperiment(id int64) error { return rest.NotFound("No Experiment with id=%d exists", id) }

func experimentByID(ctx context.Context, q db.Querier, id int64, withTags bool) (*Experiment, error) {
	row := q.QueryRowContext(ctx, `SELECT `+experimentColumns+` FROM experiments e WHERE e.experiment_id = ?`, id)
	e, err := scanExperiment(row.Scan)
	if errors.Is(err, sql.ErrNoRows) {
		return nil, noExperiment(id)
	}
	if err == nil && withTags {
		err = addExperimentTags(ctx, q, []*Experiment{e})
	}
	return e, err
}

func experimentByName(ctx context.Context, q db.Querier, name string) (*Experiment, error) {
	row := q.QueryRowContext(ctx, `SELECT `+experimentColumns+` FROM experiments e WHERE e.name = ?`, name)
	e, err := scanExperiment(row.Scan)
	if errors.Is(err, sql.ErrNoRows) {
		return nil, rest.NotFound("Could not find experiment with name '%s'", name)
	}
	if err == nil {
		err = addExperimentTags(ctx, q, []*Experiment{e})
	}
	return e, err
}

func scanExperiment(scan func(...any) error) (*Experiment, error) {
	var e Experiment
	err := scan(&e.ExperimentID, &e.Name, &e.ArtifactLocation, &e.LifecycleStage, &e.LastUpdateTime, &e.CreationTime)
	return &e, err
}

func addExperimentTags(ctx context.Context, q db.Querier, experiments []*Experiment) error {
	const chunk = 500
	for len(experiments) > 0 {
		part := experiments[:min(chunk, len(experiments))]
		experiments = experiments[len(part):]
		ids := make([]string, len(part))
		for i, e := range part {
			ids[i] = e.ExperimentID
		}
		tags, err := pairsByID(ctx, q, `SELECT experiment_id, key, value FROM experiment_tags WHERE experiment_id IN (`+
			strings.Join(ids, ",")+`) ORDER BY experiment_id, key`)
		if err != nil {
			return err
		}
		for _, e := range part {
			id, _ := strconv.ParseInt(e.ExperimentID, 10, 64)
			e.Tags = tags[id]
		}
	}
	return nil
}

// experimentTerms adds what a filter says of the experiments, aliased e.
func experimentTerms(w *filter.Where, terms []filter.Term) {
	for _, t := range terms {
		switch t.Entity {
		case filter.Choice:
			w.Any(t.Any, experimentTerms)
		case filter.AttributeEntity:
			w.Attribute(t)
		default:
			w.Pair("experiment_tags x WHERE x.experiment_id = e.experiment_id", t)
		}
	}
}

func findExperiments(ctx context.Context, q db.Querier, terms []filter.Term, orders []filter.Order, shown []string, limit, offset int) ([]Experiment, error) {
	var w filter.Where
	w.Add("e.lifecycle_stage IN ("+db.Marks(len(shown))+")", db.Args(shown)...)
	experimentTerms(&w, terms)
	var order []string
	byID := false
	for _, o := range orders {
		column := o.Attr.Column
		if o.Key == "experiment_id" { // as a number, not as text
			column, byID = "e.experiment_id", true
		}
		order = append(order, column+o.Direction())
	}
	if orders == nil {
		order = append(order, "e.creation_time DESC", "e.experiment_id")
	} else if !byID {
		order = append(order, "e.experiment_id DESC")
	}
	rows, err := q.QueryContext(ctx, fmt.Sprintf(`SELECT %s FROM experiments e %s ORDER BY %s LIMIT ? OFFSET ?`,
		experimentColumns, w.String(), strings.Join(order, ", ")), append(w.Args, limit, offset)...)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	var found []*Experiment
	for rows.Next() {
		e, err := scanExperiment(rows.Scan)
		if err != nil {
			return nil, err
		}
		found = append(found, e)
	}
	if err := rows.Err(); err != nil {
		return nil, err
	}
	if err := addExperimentTags(ctx, q, found); err != nil {
		return nil, err
	}
	out := make([]Experiment, len(found))
	for i, e := range found {
		out[i] = *e
	}
	return out, nil
}
