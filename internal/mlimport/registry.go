package mlimport

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"strings"

	"github.com/millpond/millpond/internal/db"
)

// checkRegistered refuses models that are here with other versions: two
// histories under one name cannot be told apart afterwards.
func (i *importer) checkRegistered(ctx context.Context, models []registeredModel) error {
	var clashes []string
	for _, m := range models {
		for _, v := range m.Versions {
			var run string
			var created int64
			err := i.opts.DB.Reader().QueryRowContext(ctx, `SELECT v.run_id, v.creation_time FROM model_versions v JOIN registered_models m ON m.id = v.model
				WHERE m.name = ? AND v.version = ?`, m.Name, v.Number).Scan(&run, &created)
			if errors.Is(err, sql.ErrNoRows) {
				continue
			}
			if err != nil {
				return err
			}
			if run != v.RunID || created != v.Created {
				clashes = append(clashes, fmt.Sprintf("%s version %d", m.Name, v.Number))
			}
		}
	}
	if clashes == nil {
		return nil
	}
	return fmt.Errorf("nothing was imported: %s here and there are not the same; rename the registered models here first", strings.Join(clashes[:min(5, len(clashes))], ", "))
}

func (i *importer) registeredModel(ctx context.Context, m *registeredModel) error {
	here, err := i.has(ctx, `SELECT 1 FROM registered_models WHERE name = ?`, m.Name)
	if err != nil {
		return err
	}
	if here {
		i.sum.Already++
	} else {
		i.sum.RegisteredModels++
	}
	var versions []version
	for _, v := range m.Versions {
		here, err := i.has(ctx, `SELECT 1 FROM model_versions v JOIN registered_models m ON m.id = v.model WHERE m.name = ? AND v.version = ?`, m.Name, v.Number)
		if err != nil {
			return err
		}
		if here {
			i.sum.Already++
			continue
		}
		versions = append(versions, v)
	}
	i.sum.Versions += len(versions)
	return i.write(ctx, func(ctx context.Context, q db.Querier) error {
		if _, err := q.ExecContext(ctx, `INSERT INTO registered_models (name, description, creation_time, last_updated_time) VALUES (?, ?, ?, ?)
			ON CONFLICT (name) DO NOTHING`, m.Name, m.Description, m.Created, m.Updated); err != nil {
			return err
		}
		var id int64
		if err := q.QueryRowContext(ctx, `SELECT id FROM registered_models WHERE name = ?`, m.Name).Scan(&id); err != nil {
			return err
		}
		if err := insertPairs(ctx, q, `INSERT INTO registered_model_tags (model, key, value) VALUES `, id, m.Tags); err != nil {
			return err
		}
		for _, v := range versions {
			if err := i.insertVersion(ctx, q, id, v); err != nil {
				return fmt.Errorf("version %d: %w", v.Number, err)
			}
		}
		for alias, to := range m.Aliases {
			if _, err := q.ExecContext(ctx, `INSERT INTO registered_model_aliases (model, alias, version) VALUES (?, ?, ?) ON CONFLICT DO NOTHING`, id, alias, to); err != nil {
				return fmt.Errorf("alias %s: %w", alias, err)
			}
		}
		return nil
	})
}

func (i *importer) insertVersion(ctx context.Context, q db.Querier, model int64, v version) error {
	if v.LoggedModel == "" {
		if id, ok := strings.CutPrefix(v.Source, "models:/"); ok && !strings.ContainsAny(id, "/@") {
			v.LoggedModel = id
		}
	}
	source, location := i.rebased(v.Source), i.rebased(v.Location)
	var id int64
	err := q.QueryRowContext(ctx, `INSERT INTO model_versions (model, version, creation_time, last_updated_time, description, current_stage, source, storage_location,
		run_id, run_link, logged_model_id) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?) RETURNING id`, model, v.Number, v.Created, v.Updated, v.Description, v.Stage,
		source, location, v.RunID, v.RunLink, v.LoggedModel).Scan(&id)
	if err != nil {
		return err
	}
	if _, err := q.ExecContext(ctx, `UPDATE registered_models SET last_version = ? WHERE id = ? AND last_version < ?`, v.Number, model, v.Number); err != nil {
		return err
	}
	return insertPairs(ctx, q, `INSERT INTO model_version_tags (version, key, value) VALUES `, id, v.Tags)
}

// rebased is an address of a version as it is now: one below the artifacts of a
// run or logged model has moved with them.
func (i *importer) rebased(address string) string {
	best, to := "", ""
	for old, now := range i.moved {
		if old != "" && len(old) > len(best) && (address == old || strings.HasPrefix(address, strings.TrimSuffix(old, "/")+"/")) {
			best, to = old, now
		}
	}
	if best == "" {
		return address
	}
	return to + strings.TrimPrefix(address, strings.TrimSuffix(best, "/"))
}
