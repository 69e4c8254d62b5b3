package tracking

import (
	"context"
	"database/sql"
	"errors"

	"github.com/millpond/millpond/internal/db"
)

// insertDatasetInput links a run to a dataset, which an experiment has once
// per name and digest. A link that exists keeps its tags.
func insertDatasetInput(ctx context.Context, q db.Querier, run *runRow, in DatasetInput) error {
	d := in.Dataset
	_, err := q.ExecContext(ctx, `INSERT INTO datasets (experiment_id, name, digest, source_type, source, schema, profile)
		VALUES (?, ?, ?, ?, ?, ?, ?) ON CONFLICT (experiment_id, name, digest) DO NOTHING`,
		run.experiment, d.Name, d.Digest, d.SourceType, d.Source, d.Schema, d.Profile)
	if err != nil {
		return err
	}
	var id int64
	err = q.QueryRowContext(ctx, `INSERT INTO dataset_inputs (run, dataset)
		SELECT ?, id FROM datasets WHERE experiment_id = ? AND name = ? AND digest = ?
		ON CONFLICT (run, dataset) DO NOTHING RETURNING id`, run.id, run.experiment, d.Name, d.Digest).Scan(&id)
	if errors.Is(err, sql.ErrNoRows) {
		return nil
	}
	if err != nil {
		return err
	}
	for _, t := range in.Tags {
		if _, err := q.ExecContext(ctx, `INSERT INTO dataset_input_tags (input, key, value) VALUES (?, ?, ?)
			ON CONFLICT (input, key) DO UPDATE SET value = excluded.value`, id, t.Key, t.Value); err != nil {
			return err
		}
	}
	return nil
}

func insertRunModel(ctx context.Context, q db.Querier, run int64, direction, modelID string, step int64) error {
	_, err := q.ExecContext(ctx, `INSERT INTO run_models (run, direction, model_id, step) VALUES (?, ?, ?, ?) ON CONFLICT DO NOTHING`,
		run, direction, modelID, step)
	return err
}

// datasetInputs reads the inputs of the runs in the list, by run.
func datasetInputs(ctx context.Context, q db.Querier, list string) (map[int64][]DatasetInput, error) {
	rows, err := q.QueryContext(ctx, `SELECT i.id, i.run, d.name, d.digest, d.source_type, d.source, d.schema, d.profile
		FROM dataset_inputs i JOIN datasets d ON d.id = i.dataset WHERE i.run IN (`+list+`) ORDER BY i.id`)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	type input struct {
		id, run int64
		dataset Dataset
	}
	var inputs []input
	var ids []int64
	for rows.Next() {
		var i input
		d := &i.dataset
		if err := rows.Scan(&i.id, &i.run, &d.Name, &d.Digest, &d.SourceType, &d.Source, &d.Schema, &d.Profile); err != nil {
			return nil, err
		}
		inputs = append(inputs, i)
		ids = append(ids, i.id)
	}
	if err := rows.Err(); err != nil || len(inputs) == 0 {
		return nil, err
	}
	tags, err := pairsByID(ctx, q, `SELECT input, key, value FROM dataset_input_tags WHERE input IN (`+idList(ids)+`)`)
	if err != nil {
		return nil, err
	}
	out := map[int64][]DatasetInput{}
	for _, i := range inputs {
		out[i.run] = append(out[i.run], DatasetInput{Tags: tags[i.id], Dataset: &i.dataset})
	}
	return out, nil
}

func modelInputs(ctx context.Context, q db.Querier, run int64) ([]ModelRef, error) {
	rows, err := q.QueryContext(ctx, `SELECT model_id FROM run_models WHERE run = ? AND direction = 'input' ORDER BY id`, run)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	var out []ModelRef
	for rows.Next() {
		var m ModelRef
		if err := rows.Scan(&m.ModelID); err != nil {
			return nil, err
		}
		out = append(out, m)
	}
	return out, rows.Err()
}

func modelOutputs(ctx context.Context, q db.Querier, list string) (map[int64][]ModelOutput, error) {
	rows, err := q.QueryContext(ctx, `SELECT run, model_id, step FROM run_models WHERE run IN (`+list+`) AND direction = 'output' ORDER BY id`)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	out := map[int64][]ModelOutput{}
	for rows.Next() {
		var run int64
		var m ModelOutput
		if err := rows.Scan(&run, &m.ModelID, (*int64)(&m.Step)); err != nil {
			return nil, err
		}
		out[run] = append(out[run], m)
	}
	return out, rows.Err()
}

func datasetSummaries(ctx context.Context, q db.Querier, experiments []int64) ([]datasetSummary, error) {
	const most = 1000
	rows, err := q.QueryContext(ctx, `SELECT DISTINCT d.experiment_id, d.name, d.digest, t.value
		FROM datasets d JOIN dataset_inputs i ON i.dataset = d.id
		LEFT JOIN dataset_input_tags t ON t.input = i.id AND t.key = ?
		WHERE d.experiment_id IN (`+idList(experiments)+`) ORDER BY d.experiment_id, d.name, d.digest LIMIT ?`, contextTag, most)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	var out []datasetSummary
	for rows.Next() {
		var d datasetSummary
		if err := rows.Scan(&d.ExperimentID, &d.Name, &d.Digest, &d.Context); err != nil {
			return nil, err
		}
		out = append(out, d)
	}
	return out, rows.Err()
}
