package tracking

import (
	"context"
	"database/sql"
	"errors"
	"math"

	"github.com/millpond/millpond/internal/db"
	"github.com/millpond/millpond/internal/rest"
)

// runRow is a run as stored: id is what other tables refer to.
type runRow struct {
	id         int64
	experiment int64
	info       RunInfo
}

const runColumns = `r.id, r.experiment_id, r.experiment_id, r.run_id, r.run_id, r.name, r.user_id, r.status, r.start_time, r.end_time, r.artifact_uri, r.lifecycle_stage`

func scanRun(scan func(...any) error, more ...any) (runRow, error) {
	var r runRow
	i := &r.info
	err := scan(append([]any{&r.id, &r.experiment, &i.ExperimentID, &i.RunUUID, &i.RunID, &i.RunName, &i.UserID, &i.Status, &i.StartTime,
		&i.EndTime, &i.ArtifactURI, &i.LifecycleStage}, more...)...)
	return r, err
}

func runByID(ctx context.Context, q db.Querier, runID string) (runRow, error) {
	row, err := scanRun(q.QueryRowContext(ctx, `SELECT `+runColumns+` FROM runs r WHERE r.run_id = ?`, runID).Scan)
	if errors.Is(err, sql.ErrNoRows) {
		err = rest.NotFound("Run with id=%s not found", runID)
	}
	return row, err
}

func insertRun(ctx context.Context, q db.Querier, experiment int64, run *Run) error {
	i := &run.Info
	var id int64
	err := q.QueryRowContext(ctx, `INSERT INTO runs (run_id, experiment_id, name, user_id, status, start_time, artifact_uri)
		VALUES (?, ?, ?, ?, ?, ?, ?) RETURNING id`, i.RunID, experiment, i.RunName, i.UserID, i.Status, i.StartTime, i.ArtifactURI).Scan(&id)
	if err != nil {
		return err
	}
	for _, t := range run.Data.Tags {
		if _, err := q.ExecContext(ctx, `INSERT INTO tags (run, key, value) VALUES (?, ?, ?)`, id, t.Key, t.Value); err != nil {
			return err
		}
	}
	return nil
}

func updateRun(ctx context.Context, q db.Querier, run *runRow) error {
	_, err := q.ExecContext(ctx, `UPDATE runs SET status = ?, end_time = ? WHERE id = ?`, run.info.Status, run.info.EndTime, run.id)
	return err
}

func setRunStage(ctx context.Context, q db.Querier, id int64, stage string, now int64) error {
	var deletedAt any
	if stage == deleted {
		deletedAt = now
	}
	_, err := q.ExecContext(ctx, `UPDATE runs SET lifecycle_stage = ?, deleted_time = ? WHERE id = ?`, stage, deletedAt, id)
	return err
}

// insertParam stores a parameter unless the key has a value, which it returns.
func insertParam(ctx context.Context, q db.Querier, run int64, p Pair) (old *string, err error) {
	res, err := q.ExecContext(ctx, `INSERT INTO params (run, key, value) VALUES (?, ?, ?) ON CONFLICT (run, key) DO NOTHING`, run, p.Key, p.Value)
	if err != nil {
		return nil, err
	}
	if n, err := res.RowsAffected(); err != nil || n > 0 {
		return nil, err
	}
	var value string
	err = q.QueryRowContext(ctx, `SELECT value FROM params WHERE run = ? AND key = ?`, run, p.Key).Scan(&value)
	return &value, err
}

// setTags sets tags; the last of several values of a key wins. The tag that
// holds a run's name renames the run.
func setTags(ctx context.Context, q db.Querier, run int64, tags []Pair) error {
	for _, t := range tags {
		if _, err := q.ExecContext(ctx, `INSERT INTO tags (run, key, value) VALUES (?, ?, ?)
			ON CONFLICT (run, key) DO UPDATE SET value = excluded.value`, run, t.Key, t.Value); err != nil {
			return err
		}
		if t.Key == runNameTag {
			if _, err := q.ExecContext(ctx, `UPDATE runs SET name = ? WHERE id = ?`, t.Value, run); err != nil {
				return err
			}
		}
	}
	return nil
}

func getTag(ctx context.Context, q db.Querier, run int64, key string) (value string, found bool, err error) {
	err = q.QueryRowContext(ctx, `SELECT value FROM tags WHERE run = ? AND key = ?`, run, key).Scan(&value)
	if errors.Is(err, sql.ErrNoRows) {
		return "", false, nil
	}
	return value, err == nil, err
}

func deleteTag(ctx context.Context, q db.Querier, run int64, key string) (bool, error) {
	res, err := q.ExecContext(ctx, `DELETE FROM tags WHERE run = ? AND key = ?`, run, key)
	if err != nil {
		return false, err
	}
	n, err := res.RowsAffected()
	return n > 0, err
}

// completeRuns reads what belongs to the runs, some hundred at a time.
func completeRuns(ctx context.Context, q db.Querier, rows []runRow) ([]Run, error) {
	const chunk = 500
	out := make([]Run, 0, len(rows))
	for len(rows) > 0 {
		part := rows[:min(chunk, len(rows))]
		rows = rows[len(part):]
		ids := make([]int64, len(part))
		for i, r := range part {
			ids[i] = r.id
		}
		list := idList(ids)
		metrics, err := latestMetrics(ctx, q, list)
		if err != nil {
			return nil, err
		}
		params, err := pairsByID(ctx, q, `SELECT run, key, value FROM params WHERE run IN (`+list+`)`)
		if err != nil {
			return nil, err
		}
		tags, err := pairsByID(ctx, q, `SELECT run, key, value FROM tags WHERE run IN (`+list+`)`)
		if err != nil {
			return nil, err
		}
		datasets, err := datasetInputs(ctx, q, list)
		if err != nil {
			return nil, err
		}
		outputs, err := modelOutputs(ctx, q, list)
		if err != nil {
			return nil, err
		}
		for _, r := range part {
			out = append(out, Run{
				Info:    r.info,
				Data:    RunData{Metrics: metrics[r.id], Params: params[r.id], Tags: tags[r.id]},
				Inputs:  RunInputs{DatasetInputs: datasets[r.id]},
				Outputs: &RunOutputs{ModelOutputs: outputs[r.id]},
			})
		}
	}
	return out, nil
}

func latestMetrics(ctx context.Context, q db.Querier, list string) (map[int64][]Metric, error) {
	rows, err := q.QueryContext(ctx, `SELECT run, key, value, is_nan, timestamp, step FROM latest_metrics WHERE run IN (`+list+`)`)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	out := map[int64][]Metric{}
	for rows.Next() {
		var run int64
		var m Metric
		if err := rows.Scan(&run, &m.Key, (*float64)(&m.Value), nanInto{&m.Value}, (*int64)(&m.Timestamp), (*int64)(&m.Step)); err != nil {
			return nil, err
		}
		out[run] = append(out[run], m)
	}
	return out, rows.Err()
}

// nanInto scans is_nan after the value it belongs to. SQL has no NaN: the row
// holds 0 and says so.
type nanInto struct{ value *rest.Float }

// Scan implements sql.Scanner.
func (n nanInto) Scan(src any) error {
	if isNaN, _ := src.(int64); isNaN != 0 {
		*n.value = rest.Float(math.NaN())
	}
	return nil
}

// stored splits a value into what the row holds.
func stored(v rest.Float) (value float64, isNaN int) {
	if math.IsNaN(float64(v)) {
		return 0, 1
	}
	return float64(v), 0
}
