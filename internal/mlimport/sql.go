package mlimport

import (
	"context"
	"database/sql"
	"errors"
	"fmt"

	"github.com/millpond/millpond/internal/db"
)

// schema is the revision that MLflow 3.17 writes.
const schema = "dc11669786a5"

// sqlStore is a SQLite database of MLflow.
type sqlStore struct {
	q    db.Querier
	done func() error
}

func openSQL(ctx context.Context, path string) (*sqlStore, error) {
	q, done, err := db.ReadForeign(ctx, path)
	if err != nil {
		return nil, err
	}
	s := &sqlStore{q, done}
	var revision string
	err = q.QueryRowContext(ctx, `SELECT version_num FROM alembic_version`).Scan(&revision)
	if err != nil {
		err = fmt.Errorf("%s is not a store of MLflow: %w", path, err)
	} else if revision != schema {
		err = fmt.Errorf("%s has the schema %s, but only that of MLflow 3.17 (%s) can be imported; "+
			"bring a copy of it up to date with MLflow 3.17: mlflow db upgrade sqlite:///%s", path, revision, schema, path)
	}
	if err != nil {
		return nil, errors.Join(err, done())
	}
	return s, nil
}

func (s *sqlStore) close() error { return s.done() }

// collect reads all rows of a query.
func collect[T any](ctx context.Context, q db.Querier, scan func(*T) []any, query string, args ...any) ([]T, error) {
	rows, err := q.QueryContext(ctx, query, args...)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	var out []T
	for rows.Next() {
		var t T
		if err := rows.Scan(scan(&t)...); err != nil {
			return nil, err
		}
		out = append(out, t)
	}
	return out, rows.Err()
}

func pairs(ctx context.Context, q db.Querier, query string, args ...any) ([]pair, error) {
	return collect(ctx, q, func(p *pair) []any { return []any{&p.Key, &p.Value} }, query, args...)
}

func (s *sqlStore) experiments(ctx context.Context) ([]experiment, error) {
	list, err := collect(ctx, s.q, func(e *experiment) []any {
		return []any{&e.ID, &e.Name, &e.Location, &e.Stage, &e.Created, &e.Updated}
	}, `SELECT experiment_id, name, COALESCE(artifact_location, ''), COALESCE(lifecycle_stage, 'active'), COALESCE(creation_time, 0),
		COALESCE(last_update_time, 0) FROM experiments WHERE workspace = 'default' ORDER BY experiment_id`)
	for i := range list {
		if err == nil {
			list[i].Tags, err = pairs(ctx, s.q, `SELECT key, COALESCE(value, '') FROM experiment_tags WHERE experiment_id = ?`, list[i].ID)
		}
	}
	return list, err
}

func (s *sqlStore) runs(ctx context.Context, e experiment, each func(*run) error) error {
	list, err := collect(ctx, s.q, func(r *run) []any {
		return []any{&r.ID, &r.Name, &r.User, &r.Status, &r.Start, &r.End, &r.Deleted, &r.Stage, &r.Location}
	}, `SELECT run_uuid, COALESCE(name, ''), COALESCE(user_id, ''), COALESCE(status, 'RUNNING'), COALESCE(start_time, 0), end_time, deleted_time,
		COALESCE(lifecycle_stage, 'active'), COALESCE(artifact_uri, '') FROM runs WHERE experiment_id = ? ORDER BY start_time, run_uuid`, e.ID)
	if err != nil {
		return err
	}
	for i := range list {
		r := list[i]
		if err := s.fill(ctx, &r); err != nil {
			return fmt.Errorf("read run %s: %w", r.ID, err)
		}
		if err := each(&r); err != nil {
			return err
		}
	}
	return nil
}

func (s *sqlStore) fill(ctx context.Context, r *run) (err error) {
	if r.Params, err = pairs(ctx, s.q, `SELECT key, value FROM params WHERE run_uuid = ?`, r.ID); err != nil {
		return err
	}
	if r.Tags, err = pairs(ctx, s.q, `SELECT key, COALESCE(value, '') FROM tags WHERE run_uuid = ?`, r.ID); err != nil {
		return err
	}
	r.Metrics, err = collect(ctx, s.q, func(m *metric) []any { return []any{&m.Key, &m.Timestamp, &m.Step, &m.Value, &m.NaN} },
		`SELECT key, timestamp, step, value, CAST(is_nan AS INTEGER) FROM metrics WHERE run_uuid = ? ORDER BY key, timestamp, step, value`, r.ID)
	if err != nil {
		return err
	}
	type input struct {
		id string
		dataset
	}
	inputs, err := collect(ctx, s.q, func(i *input) []any {
		return []any{&i.id, &i.Name, &i.Digest, &i.SourceType, &i.Source, &i.Schema, &i.Profile}
	}, `SELECT i.input_uuid, d.name, d.digest, d.dataset_source_type, d.dataset_source, d.dataset_schema, d.dataset_profile
		FROM inputs i JOIN datasets d ON d.dataset_uuid = i.source_id WHERE i.source_type = 'DATASET' AND i.destination_type = 'RUN' AND i.destination_id = ?`, r.ID)
	if err != nil {
		return err
	}
	for _, i := range inputs {
		if i.Tags, err = pairs(ctx, s.q, `SELECT name, value FROM input_tags WHERE input_uuid = ?`, i.id); err != nil {
			return err
		}
		r.Datasets = append(r.Datasets, i.dataset)
	}
	r.Models, err = collect(ctx, s.q, func(m *modelRef) []any { return []any{&m.Direction, &m.ModelID, &m.Step} },
		`SELECT CASE source_type WHEN 'RUN_INPUT' THEN 'input' ELSE 'output' END, destination_id, step FROM inputs
		WHERE source_type IN ('RUN_INPUT', 'RUN_OUTPUT') AND source_id = ?`, r.ID)
	return err
}

func (s *sqlStore) loggedModels(ctx context.Context, e experiment, each func(*loggedModel) error) error {
	list, err := collect(ctx, s.q, func(m *loggedModel) []any {
		return []any{&m.ID, &m.Name, &m.Location, &m.Created, &m.Updated, &m.Status, &m.Stage, &m.Type, &m.Run, &m.StatusMessage}
	}, `SELECT model_id, name, artifact_location, creation_timestamp_ms, last_updated_timestamp_ms, status, COALESCE(lifecycle_stage, 'active'),
		COALESCE(model_type, ''), COALESCE(source_run_id, ''), status_message FROM logged_models WHERE experiment_id = ?`, e.ID)
	if err != nil {
		return err
	}
	for i := range list {
		m := list[i]
		if m.Params, err = pairs(ctx, s.q, `SELECT param_key, param_value FROM logged_model_params WHERE model_id = ?`, m.ID); err != nil {
			return err
		}
		if m.Tags, err = pairs(ctx, s.q, `SELECT tag_key, tag_value FROM logged_model_tags WHERE model_id = ?`, m.ID); err != nil {
			return err
		}
		m.Metrics, err = collect(ctx, s.q, func(x *metric) []any {
			return []any{&x.Key, &x.Timestamp, &x.Step, &x.Value, &x.NaN, &x.RunID, &x.DatasetName, &x.DatasetDigest}
		}, `SELECT x.metric_name, x.metric_timestamp_ms, x.metric_step, COALESCE(x.metric_value, 0),
			CAST(x.metric_value IS NULL OR COALESCE(r.is_nan, 0) AS INTEGER), x.run_id, COALESCE(x.dataset_name, ''), COALESCE(x.dataset_digest, '')
			FROM logged_model_metrics x LEFT JOIN metrics r ON r.run_uuid = x.run_id AND r.key = x.metric_name AND r.timestamp = x.metric_timestamp_ms
			AND r.step = x.metric_step AND r.value = x.metric_value AND r.is_nan WHERE x.model_id = ?`, m.ID)
		if err != nil {
			return err
		}
		if err := each(&m); err != nil {
			return err
		}
	}
	return nil
}

func (s *sqlStore) registered(ctx context.Context) ([]registeredModel, error) {
	list, err := collect(ctx, s.q, func(m *registeredModel) []any { return []any{&m.Name, &m.Created, &m.Updated, &m.Description} },
		`SELECT name, COALESCE(creation_time, 0), COALESCE(last_updated_time, 0), COALESCE(description, '') FROM registered_models WHERE workspace = 'default' ORDER BY name`)
	if err != nil {
		return nil, err
	}
	for i := range list {
		if err := s.fillModel(ctx, &list[i]); err != nil {
			return nil, fmt.Errorf("read registered model %s: %w", list[i].Name, err)
		}
	}
	return list, nil
}

func (s *sqlStore) fillModel(ctx context.Context, m *registeredModel) (err error) {
	if m.Tags, err = pairs(ctx, s.q, `SELECT key, COALESCE(value, '') FROM registered_model_tags WHERE name = ? AND workspace = 'default'`, m.Name); err != nil {
		return err
	}
	m.Versions, err = collect(ctx, s.q, func(v *version) []any {
		return []any{&v.Number, &v.Created, &v.Updated, &v.Description, &v.Stage, &v.Source, &v.Location, &v.RunID, &v.RunLink}
	}, `SELECT version, COALESCE(creation_time, 0), COALESCE(last_updated_time, 0), COALESCE(description, ''), COALESCE(current_stage, 'None'), COALESCE(source, ''),
		COALESCE(storage_location, ''), COALESCE(run_id, ''), COALESCE(run_link, '') FROM model_versions
		WHERE name = ? AND workspace = 'default' AND current_stage != 'Deleted_Internal' ORDER BY version`, m.Name)
	if err != nil {
		return err
	}
	for i := range m.Versions {
		v := &m.Versions[i]
		if v.Tags, err = pairs(ctx, s.q, `SELECT key, COALESCE(value, '') FROM model_version_tags WHERE name = ? AND version = ? AND workspace = 'default'`, m.Name, v.Number); err != nil {
			return err
		}
	}
	type alias struct {
		name string
		to   int64
	}
	aliases, err := collect(ctx, s.q, func(a *alias) []any { return []any{&a.name, &a.to} },
		`SELECT alias, version FROM registered_model_aliases WHERE name = ? AND workspace = 'default'`, m.Name)
	m.Aliases = map[string]int64{}
	for _, a := range aliases {
		m.Aliases[a.name] = a.to
	}
	return err
}

func (s *sqlStore) ignored(ctx context.Context) (map[string]int, error) {
	out := map[string]int{}
	for kind, query := range map[string]string{
		"models of other workspaces":      `SELECT COUNT(*) FROM registered_models WHERE workspace != 'default'`,
		"experiments of other workspaces": `SELECT COUNT(*) FROM experiments WHERE workspace != 'default'`,
		"evaluation datasets":             `SELECT COUNT(*) FROM evaluation_datasets`} {
		var n int
		if err := s.q.QueryRowContext(ctx, query).Scan(&n); err != nil && !errors.Is(err, sql.ErrNoRows) {
			return nil, err
		}
		if n > 0 {
			out[kind] = n
		}
	}
	return out, nil
}
