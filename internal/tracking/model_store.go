package tracking

import (
	"context"
	"database/sql"
	"errors"

	"github.com/millpond/millpond/internal/db"
)

const modelColumns = `l.id, l.model_id, l.experiment_id, l.name, l.creation_timestamp_ms, l.last_updated_timestamp_ms, l.artifact_location,
	l.status, l.model_type, l.source_run_id, l.status_message, l.lifecycle_stage`

type modelRow struct {
	id    int64
	stage string
	info  LoggedModelInfo
}

func scanModel(scan func(...any) error) (modelRow, error) {
	var m modelRow
	var status int
	i := &m.info
	err := scan(&m.id, &i.ModelID, &i.ExperimentID, &i.Name, &i.CreationTimestampMS, &i.LastUpdatedTimestamp, &i.ArtifactURI,
		&status, &i.ModelType, &i.SourceRunID, &i.StatusMessage, &m.stage)
	i.Status = modelStatuses[status]
	return m, err
}

func insertModel(ctx context.Context, q db.Querier, experiment int64, modelID, name, location, kind, run string, now int64) (int64, error) {
	var id int64
	err := q.QueryRowContext(ctx, `INSERT INTO logged_models (model_id, experiment_id, name, artifact_location, creation_timestamp_ms,
		last_updated_timestamp_ms, status, model_type, source_run_id) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?) RETURNING id`,
		modelID, experiment, name, location, now, now, modelPending, kind, run).Scan(&id)
	return id, err
}

// upsertModelPairs sets pairs in logged_model_params or logged_model_tags.
func upsertModelPairs(ctx context.Context, q db.Querier, table string, id int64, pairs []Pair) error {
	rows := make([][]any, 0, len(pairs))
	at := make(map[string]int, len(pairs))
	for _, p := range pairs {
		row := []any{id, p.Key, p.Value}
		if i, again := at[p.Key]; again { // one statement may set a key once
			rows[i] = row
			continue
		}
		at[p.Key] = len(rows)
		rows = append(rows, row)
	}
	return insertRows(ctx, q, `INSERT INTO `+table+` (model, key, value) VALUES `,
		` ON CONFLICT (model, key) DO UPDATE SET value = excluded.value`, rows)
}

func modelRowID(ctx context.Context, q db.Querier, modelID string) (id int64, err error) {
	err = q.QueryRowContext(ctx, `SELECT id FROM logged_models WHERE model_id = ?`, modelID).Scan(&id)
	if errors.Is(err, sql.ErrNoRows) {
		err = noLoggedModel(modelID)
	}
	return id, err
}

func readModel(ctx context.Context, q db.Querier, modelID string, allowDeleted bool) (LoggedModel, error) {
	row, err := scanModel(q.QueryRowContext(ctx, `SELECT `+modelColumns+` FROM logged_models l WHERE l.model_id = ?`, modelID).Scan)
	if errors.Is(err, sql.ErrNoRows) || err == nil && row.stage == deleted && !allowDeleted {
		return LoggedModel{}, noLoggedModel(modelID)
	}
	if err != nil {
		return LoggedModel{}, err
	}
	models, err := completeModels(ctx, q, []modelRow{row})
	if err != nil {
		return LoggedModel{}, err
	}
	return models[0], nil
}

func setModelStatus(ctx context.Context, q db.Querier, id int64, status int, now int64) error {
	_, err := q.ExecContext(ctx, `UPDATE logged_models SET status = ?, last_updated_timestamp_ms = ? WHERE id = ?`, status, now, id)
	return err
}

func setModelDeleted(ctx context.Context, q db.Querier, id, now int64) error {
	_, err := q.ExecContext(ctx, `UPDATE logged_models SET lifecycle_stage = 'deleted', last_updated_timestamp_ms = ? WHERE id = ?`, now, id)
	return err
}

func deleteModelTag(ctx context.Context, q db.Querier, id int64, key string) (bool, error) {
	res, err := q.ExecContext(ctx, `DELETE FROM logged_model_tags WHERE model = ? AND key = ?`, id, key)
	if err != nil {
		return false, err
	}
	n, err := res.RowsAffected()
	return n > 0, err
}

// completeModels reads what belongs to the models.
func completeModels(ctx context.Context, q db.Querier, rows []modelRow) ([]LoggedModel, error) {
	const chunk = 500
	out := make([]LoggedModel, 0, len(rows))
	for len(rows) > 0 {
		part := rows[:min(chunk, len(rows))]
		rows = rows[len(part):]
		ids := make([]int64, len(part))
		for i, r := range part {
			ids[i] = r.id
		}
		list := idList(ids)
		params, err := pairsByID(ctx, q, `SELECT model, key, value FROM logged_model_params WHERE model IN (`+list+`)`)
		if err != nil {
			return nil, err
		}
		tags, err := pairsByID(ctx, q, `SELECT model, key, value FROM logged_model_tags WHERE model IN (`+list+`)`)
		if err != nil {
			return nil, err
		}
		metrics, err := modelMetrics(ctx, q, list)
		if err != nil {
			return nil, err
		}
		for _, r := range part {
			r.info.Tags = tags[r.id]
			out = append(out, LoggedModel{Info: r.info, Data: LoggedModelData{Params: params[r.id], Metrics: metrics[r.id]}})
		}
	}
	return out, nil
}

func modelMetrics(ctx context.Context, q db.Querier, list string) (map[int64][]Metric, error) {
	rows, err := q.QueryContext(ctx, `SELECT x.model, l.model_id, x.key, x.value, x.is_nan, x.timestamp, x.step, x.run_id, x.dataset_name, x.dataset_digest
		FROM logged_model_metrics x JOIN logged_models l ON l.id = x.model WHERE x.model IN (`+list+`)`)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	out := map[int64][]Metric{}
	for rows.Next() {
		var model int64
		var m Metric
		if err := rows.Scan(&model, &m.ModelID, &m.Key, (*float64)(&m.Value), nanInto{&m.Value}, (*int64)(&m.Timestamp), (*int64)(&m.Step),
			&m.RunID, &m.DatasetName, &m.DatasetDigest); err != nil {
			return nil, err
		}
		out[model] = append(out[model], m)
	}
	return out, rows.Err()
}
