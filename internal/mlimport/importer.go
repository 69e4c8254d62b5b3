package mlimport

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"path"
	"slices"
	"strconv"
	"strings"

	"github.com/millpond/millpond/internal/db"
)

// importer carries a store over: experiments, their runs and logged models,
// then the registry.
type importer struct {
	opts  Options
	src   source
	base  string
	moved map[string]string // old address of artifacts -> new
	sum   *Summary
}

func (i *importer) all(ctx context.Context) error {
	experiments, err := i.src.experiments(ctx)
	if err != nil {
		return fmt.Errorf("read experiments: %w", err)
	}
	registered, err := i.src.registered(ctx)
	if err != nil {
		return fmt.Errorf("read registered models: %w", err)
	}
	if err := i.checkRegistered(ctx, registered); err != nil {
		return err
	}
	if err := i.checkArtifacts(ctx, experiments); err != nil {
		return err
	}
	for _, e := range experiments {
		if err := i.experiment(ctx, e); err != nil {
			return fmt.Errorf("import experiment %s: %w", e.Name, err)
		}
	}
	for n := range registered {
		if err := i.registeredModel(ctx, &registered[n]); err != nil {
			return fmt.Errorf("import registered model %s: %w", registered[n].Name, err)
		}
	}
	if i.sum.Ignored, err = i.src.ignored(ctx); err != nil {
		return fmt.Errorf("count what is not imported: %w", err)
	}
	return nil
}

// write runs fn in a write, or, in a dry run, not at all.
func (i *importer) write(ctx context.Context, fn func(ctx context.Context, q db.Querier) error) error {
	if i.opts.DryRun {
		return nil
	}
	return i.opts.DB.Write(ctx, fn)
}

// has reports whether the query finds a row here.
func (i *importer) has(ctx context.Context, query string, args ...any) (bool, error) {
	var one int
	err := i.opts.DB.Reader().QueryRowContext(ctx, query, args...).Scan(&one)
	if errors.Is(err, sql.ErrNoRows) {
		return false, nil
	}
	return err == nil, err
}

// mostID is the largest number that an experiment keeps: those of file stores
// are long, and new ones would go on from there.
const mostID = 1 << 31

func (i *importer) experiment(ctx context.Context, e experiment) error {
	if i.opts.Progress != nil {
		i.opts.Progress("experiment " + e.Name)
	}
	id, err := i.experimentRow(ctx, e)
	if err != nil {
		return err
	}
	err = i.src.runs(ctx, e, func(r *run) error {
		if err := i.run(ctx, id, r); err != nil {
			return fmt.Errorf("run %s: %w", r.ID, err)
		}
		return nil
	})
	if err != nil {
		return err
	}
	err = i.src.loggedModels(ctx, e, func(m *loggedModel) error {
		if err := i.loggedModel(ctx, id, m); err != nil {
			return fmt.Errorf("logged model %s: %w", m.ID, err)
		}
		return nil
	})
	if err != nil {
		return err
	}
	return i.src.traces(ctx, e, func(t *trace) error {
		if err := i.trace(ctx, id, t); err != nil {
			return fmt.Errorf("trace %s: %w", t.info.TraceID, err)
		}
		return nil
	})
}

// experimentRow finds the experiment here by name, or makes it, with its old
// number if that is free.
func (i *importer) experimentRow(ctx context.Context, e experiment) (id int64, err error) {
	wanted, err := strconv.ParseInt(e.ID, 10, 64)
	if err != nil {
		return 0, fmt.Errorf("its id is %q", e.ID)
	}
	err = i.opts.DB.Reader().QueryRowContext(ctx, `SELECT experiment_id FROM experiments WHERE name = ?`, e.Name).Scan(&id)
	if err == nil {
		if e.Name != "Default" {
			i.sum.Already++
		}
		err = i.write(ctx, func(ctx context.Context, q db.Querier) error { return i.experimentTags(ctx, q, id, e) })
		return id, err
	}
	if !errors.Is(err, sql.ErrNoRows) {
		return 0, err
	}
	taken, err := i.has(ctx, `SELECT 1 FROM experiments WHERE experiment_id = ?`, wanted)
	if err != nil {
		return 0, err
	}
	i.sum.Experiments++
	err = i.write(ctx, func(ctx context.Context, q db.Querier) error {
		id, err = insertExperiment(ctx, q, e, wanted, !taken && wanted < mostID)
		if err != nil {
			return err
		}
		if err := i.opts.DB.Advance(ctx, q, "experiments", "experiment_id"); err != nil {
			return err
		}
		location := i.placed(e.Location, strconv.FormatInt(id, 10))
		if _, err := q.ExecContext(ctx, `UPDATE experiments SET artifact_location = ? WHERE experiment_id = ?`, location, id); err != nil {
			return err
		}
		return i.experimentTags(ctx, q, id, e)
	})
	if err == nil && id != wanted && !i.opts.DryRun {
		i.sum.Renumbered[e.ID] = strconv.FormatInt(id, 10)
	}
	return id, err
}

func insertExperiment(ctx context.Context, q db.Querier, e experiment, wanted int64, keep bool) (id int64, err error) {
	if keep {
		_, err = q.ExecContext(ctx, `INSERT INTO experiments (experiment_id, name, artifact_location, lifecycle_stage, creation_time, last_update_time)
			VALUES (?, ?, '', ?, ?, ?)`, wanted, e.Name, e.Stage, e.Created, e.Updated)
		return wanted, err
	}
	err = q.QueryRowContext(ctx, `INSERT INTO experiments (name, artifact_location, lifecycle_stage, creation_time, last_update_time)
		VALUES (?, '', ?, ?, ?) RETURNING experiment_id`, e.Name, e.Stage, e.Created, e.Updated).Scan(&id)
	return id, err
}

// experimentTags adds the tags whose keys are not here.
func (i *importer) experimentTags(ctx context.Context, q db.Querier, id int64, e experiment) error {
	return insertPairs(ctx, q, `INSERT INTO experiment_tags (experiment_id, key, value) VALUES `, id, e.Tags)
}

func (i *importer) run(ctx context.Context, experiment int64, r *run) error {
	location := i.placed(r.Location, strconv.FormatInt(experiment, 10), r.ID, "artifacts")
	i.moved[r.Location] = location
	here, err := i.has(ctx, `SELECT 1 FROM runs WHERE run_id = ?`, r.ID)
	if err != nil {
		return err
	}
	if here {
		i.sum.Already++
		return nil
	}
	// Artifacts first: a run that is here is here whole.
	if err := i.copyArtifacts(ctx, r.Location, location, r.ID); err != nil {
		return err
	}
	i.sum.Runs++
	i.sum.Metrics += len(r.Metrics)
	return i.write(ctx, func(ctx context.Context, q db.Querier) error { return insertRun(ctx, q, experiment, location, r) })
}

func insertRun(ctx context.Context, q db.Querier, experiment int64, location string, r *run) error {
	var id int64
	err := q.QueryRowContext(ctx, `INSERT INTO runs (run_id, experiment_id, name, user_id, status, start_time, end_time, deleted_time, lifecycle_stage, artifact_uri)
		VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?) RETURNING id`, r.ID, experiment, r.Name, r.User, r.Status, r.Start, r.End, r.Deleted, r.Stage, location).Scan(&id)
	if err != nil {
		return err
	}
	if err := insertPairs(ctx, q, `INSERT INTO params (run, key, value) VALUES `, id, r.Params); err != nil {
		return err
	}
	if err := insertPairs(ctx, q, `INSERT INTO tags (run, key, value) VALUES `, id, r.Tags); err != nil {
		return err
	}
	rows := make([][]any, len(r.Metrics))
	latest := map[string]metric{}
	for n, m := range r.Metrics {
		rows[n] = []any{id, m.Key, m.Timestamp, m.Step, m.Value, m.NaN}
		if old, seen := latest[m.Key]; !seen || newer(m, old) {
			latest[m.Key] = m
		}
	}
	if err := insertRows(ctx, q, `INSERT INTO metrics (run, key, timestamp, step, value, is_nan) VALUES `, rows); err != nil {
		return err
	}
	rows = rows[:0]
	for _, m := range latest {
		rows = append(rows, []any{id, m.Key, m.Timestamp, m.Step, m.Value, m.NaN})
	}
	if err := insertRows(ctx, q, `INSERT INTO latest_metrics (run, key, timestamp, step, value, is_nan) VALUES `, rows); err != nil {
		return err
	}
	for _, d := range r.Datasets {
		if err := insertDataset(ctx, q, experiment, id, d); err != nil {
			return err
		}
	}
	for _, m := range r.Models {
		if _, err := q.ExecContext(ctx, `INSERT INTO run_models (run, direction, model_id, step) VALUES (?, ?, ?, ?) ON CONFLICT DO NOTHING`, id, m.Direction, m.ModelID, m.Step); err != nil {
			return err
		}
	}
	return nil
}

// newer is MLflow's rule for the latest value: step, then timestamp, then value.
func newer(a, b metric) bool {
	if a.Step != b.Step {
		return a.Step > b.Step
	}
	if a.Timestamp != b.Timestamp {
		return a.Timestamp > b.Timestamp
	}
	return a.Value > b.Value
}

func insertDataset(ctx context.Context, q db.Querier, experiment, run int64, d dataset) error {
	if _, err := q.ExecContext(ctx, `INSERT INTO datasets (experiment_id, name, digest, source_type, source, schema, profile) VALUES (?, ?, ?, ?, ?, ?, ?)
		ON CONFLICT (experiment_id, name, digest) DO NOTHING`, experiment, d.Name, d.Digest, d.SourceType, d.Source, d.Schema, d.Profile); err != nil {
		return err
	}
	var id int64
	err := q.QueryRowContext(ctx, `INSERT INTO dataset_inputs (run, dataset) SELECT ?, id FROM datasets WHERE experiment_id = ? AND name = ? AND digest = ?
		ON CONFLICT (run, dataset) DO NOTHING RETURNING id`, run, experiment, d.Name, d.Digest).Scan(&id)
	if errors.Is(err, sql.ErrNoRows) {
		return nil
	}
	if err != nil {
		return err
	}
	return insertPairs(ctx, q, `INSERT INTO dataset_input_tags (input, key, value) VALUES `, id, d.Tags)
}

func (i *importer) loggedModel(ctx context.Context, experiment int64, m *loggedModel) error {
	location := i.placed(m.Location, strconv.FormatInt(experiment, 10), "models", m.ID, "artifacts")
	i.moved[m.Location] = location
	here, err := i.has(ctx, `SELECT 1 FROM logged_models WHERE model_id = ?`, m.ID)
	if err != nil {
		return err
	}
	if here {
		i.sum.Already++
		return nil
	}
	if err := i.copyArtifacts(ctx, m.Location, location, m.ID); err != nil {
		return err
	}
	i.sum.LoggedModels++
	return i.write(ctx, func(ctx context.Context, q db.Querier) error {
		var id int64
		err := q.QueryRowContext(ctx, `INSERT INTO logged_models (model_id, experiment_id, name, artifact_location, creation_timestamp_ms, last_updated_timestamp_ms,
			status, lifecycle_stage, model_type, source_run_id, status_message) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?) RETURNING id`,
			m.ID, experiment, m.Name, location, m.Created, m.Updated, m.Status, m.Stage, m.Type, m.Run, m.StatusMessage).Scan(&id)
		if err != nil {
			return err
		}
		if err := insertPairs(ctx, q, `INSERT INTO logged_model_params (model, key, value) VALUES `, id, m.Params); err != nil {
			return err
		}
		if err := insertPairs(ctx, q, `INSERT INTO logged_model_tags (model, key, value) VALUES `, id, m.Tags); err != nil {
			return err
		}
		rows := make([][]any, len(m.Metrics))
		for n, x := range m.Metrics {
			rows[n] = []any{id, x.Key, x.Timestamp, x.Step, x.RunID, x.Value, x.NaN, x.DatasetName, x.DatasetDigest}
		}
		return insertRows(ctx, q, `INSERT INTO logged_model_metrics (model, key, timestamp, step, run_id, value, is_nan, dataset_name, dataset_digest) VALUES `, rows)
	})
}

func insertPairs(ctx context.Context, q db.Querier, head string, id int64, pairs []pair) error {
	rows := make([][]any, len(pairs))
	for n, p := range pairs {
		rows[n] = []any{id, p.Key, p.Value}
	}
	return insertRows(ctx, q, head, rows)
}

// insertRows inserts the rows that are not here, some hundred in a statement.
func insertRows(ctx context.Context, q db.Querier, head string, rows [][]any) error {
	for part := range slices.Chunk(rows, 100) {
		mark := "(?" + strings.Repeat(",?", len(part[0])-1) + "),"
		if _, err := q.ExecContext(ctx, head+strings.TrimSuffix(strings.Repeat(mark, len(part)), ",")+" ON CONFLICT DO NOTHING", slices.Concat(part...)...); err != nil {
			return err
		}
	}
	return nil
}

// placed is the address at which artifacts are kept from now on: behind this
// server, if they can be copied, or else where they are.
func (i *importer) placed(old string, elements ...string) string {
	if _, ours := i.local(old); ours {
		return "mlflow-artifacts:/" + path.Join(elements...)
	}
	return old
}
