package registry

import (
	"context"
	"database/sql"
	"errors"
	"strconv"
	"strings"

	"github.com/millpond/millpond/internal/db"
	"github.com/millpond/millpond/internal/rest"
)

// tagTable names a table of tags and the column of what they belong to.
type tagTable struct{ table, owner string }

var (
	modelTags   = tagTable{"registered_model_tags", "model"}
	versionTags = tagTable{"model_version_tags", "version"}
)

// versionRow is a version as stored.
type versionRow struct {
	id, model, version int64
	location           string
	info               ModelVersion
}

// idList writes our own integers as a list for IN.
func idList(ids []int64) string {
	texts := make([]string, len(ids))
	for i, id := range ids {
		texts[i] = strconv.FormatInt(id, 10)
	}
	return strings.Join(texts, ",")
}

func upsertTags(ctx context.Context, q db.Querier, t tagTable, id int64, tags []Tag) error {
	for _, tag := range tags {
		if _, err := q.ExecContext(ctx, `INSERT INTO `+t.table+` (`+t.owner+`, key, value) VALUES (?, ?, ?)
			ON CONFLICT (`+t.owner+`, key) DO UPDATE SET value = excluded.value`, id, tag.Key, tag.Value); err != nil {
			return err
		}
	}
	return nil
}

func deleteTag(ctx context.Context, q db.Querier, t tagTable, id int64, key string) error {
	_, err := q.ExecContext(ctx, `DELETE FROM `+t.table+` WHERE `+t.owner+` = ? AND key = ?`, id, key)
	return err
}

func tagsOf(ctx context.Context, q db.Querier, t tagTable, list string) (map[int64][]Tag, error) {
	rows, err := q.QueryContext(ctx, `SELECT `+t.owner+`, key, value FROM `+t.table+` WHERE `+t.owner+` IN (`+list+`) ORDER BY `+t.owner+`, key`)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	out := map[int64][]Tag{}
	for rows.Next() {
		var id int64
		var tag Tag
		if err := rows.Scan(&id, &tag.Key, &tag.Value); err != nil {
			return nil, err
		}
		out[id] = append(out[id], tag)
	}
	return out, rows.Err()
}

// insertModel stores a model, unless there is one of its name.
func insertModel(ctx context.Context, q db.Querier, name, description string, now int64) (id int64, made bool, err error) {
	err = q.QueryRowContext(ctx, `INSERT INTO registered_models (name, description, creation_time, last_updated_time)
		VALUES (?, ?, ?, ?) ON CONFLICT (name) DO NOTHING RETURNING id`, name, description, now, now).Scan(&id)
	return one(id, err)
}

func modelID(ctx context.Context, q db.Querier, name string) (id int64, err error) {
	err = q.QueryRowContext(ctx, `SELECT id FROM registered_models WHERE name = ?`, name).Scan(&id)
	if errors.Is(err, sql.ErrNoRows) {
		err = rest.NotFound("Registered Model with name=%s not found", name)
	}
	return id, err
}

func describeModel(ctx context.Context, q db.Querier, id int64, description string, now int64) error {
	_, err := q.ExecContext(ctx, `UPDATE registered_models SET description = ?, last_updated_time = ? WHERE id = ?`, description, now, id)
	return err
}

func renameModel(ctx context.Context, q db.Querier, id int64, name string, now int64) error {
	if _, err := q.ExecContext(ctx, `UPDATE registered_models SET name = ?, last_updated_time = ? WHERE id = ?`, name, now, id); err != nil {
		return err
	}
	_, err := q.ExecContext(ctx, `UPDATE model_versions SET last_updated_time = ? WHERE model = ?`, now, id)
	return err
}

func touchModel(ctx context.Context, q db.Querier, id, now int64) error {
	_, err := q.ExecContext(ctx, `UPDATE registered_models SET last_updated_time = ? WHERE id = ?`, now, id)
	return err
}

func deleteModel(ctx context.Context, q db.Querier, id int64) error {
	_, err := q.ExecContext(ctx, `DELETE FROM registered_models WHERE id = ?`, id)
	return err
}

// readModels reads models with the newest version of each stage, in the order
// of the ids.
func readModels(ctx context.Context, q db.Querier, ids []int64) ([]RegisteredModel, error) {
	if len(ids) == 0 {
		return nil, nil
	}
	list := idList(ids)
	models, err := modelRows(ctx, q, list)
	if err != nil {
		return nil, err
	}
	tags, err := tagsOf(ctx, q, modelTags, list)
	if err != nil {
		return nil, err
	}
	aliases, err := aliasesOf(ctx, q, list)
	if err != nil {
		return nil, err
	}
	latest, err := selectVersions(ctx, q, `JOIN (SELECT model, MAX(version) AS newest FROM model_versions WHERE model IN (`+list+`)
		GROUP BY model, current_stage) n ON n.model = v.model AND n.newest = v.version`)
	if err != nil {
		return nil, err
	}
	byModel := map[int64][]ModelVersion{}
	for i, v := range latest.rows {
		byModel[v.model] = append(byModel[v.model], latest.full[i])
	}
	out := make([]RegisteredModel, len(ids))
	for i, id := range ids {
		out[i] = models[id]
		out[i].Tags, out[i].Aliases, out[i].LatestVersions = tags[id], aliases[id], byModel[id]
	}
	return out, nil
}

func modelRows(ctx context.Context, q db.Querier, list string) (map[int64]RegisteredModel, error) {
	rows, err := q.QueryContext(ctx, `SELECT id, name, description, creation_time, last_updated_time FROM registered_models WHERE id IN (`+list+`)`)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	out := map[int64]RegisteredModel{}
	for rows.Next() {
		var id int64
		var m RegisteredModel
		if err := rows.Scan(&id, &m.Name, &m.Description, &m.CreationTimestamp, &m.LastUpdatedTimestamp); err != nil {
			return nil, err
		}
		out[id] = m
	}
	return out, rows.Err()
}

func aliasesOf(ctx context.Context, q db.Querier, list string) (map[int64][]Alias, error) {
	rows, err := q.QueryContext(ctx, `SELECT model, alias, version FROM registered_model_aliases WHERE model IN (`+list+`) ORDER BY model, alias`)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	out := map[int64][]Alias{}
	for rows.Next() {
		var id int64
		var a Alias
		if err := rows.Scan(&id, &a.Alias, &a.Version); err != nil {
			return nil, err
		}
		out[id] = append(out[id], a)
	}
	return out, rows.Err()
}

func upsertAlias(ctx context.Context, q db.Querier, model int64, alias string, version int64) error {
	_, err := q.ExecContext(ctx, `INSERT INTO registered_model_aliases (model, alias, version) VALUES (?, ?, ?)
		ON CONFLICT (model, alias) DO UPDATE SET version = excluded.version`, model, alias, version)
	return err
}

func deleteAlias(ctx context.Context, q db.Querier, model int64, alias string) error {
	_, err := q.ExecContext(ctx, `DELETE FROM registered_model_aliases WHERE model = ? AND alias = ?`, model, alias)
	return err
}

// insertVersion stores v under the model's next number, which it fills in.
func insertVersion(ctx context.Context, q db.Querier, v *versionRow, now int64) error {
	err := q.QueryRowContext(ctx, `UPDATE registered_models SET last_version = last_version + 1, last_updated_time = ?
		WHERE id = ? RETURNING last_version`, now, v.model).Scan(&v.version)
	if err != nil {
		return err
	}
	i := &v.info
	return q.QueryRowContext(ctx, `INSERT INTO model_versions (model, version, creation_time, last_updated_time, description, source,
		storage_location, run_id, run_link, logged_model_id, status, user_id) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?) RETURNING id`,
		v.model, v.version, now, now, i.Description, i.Source, v.location, i.RunID, i.RunLink, i.ModelID, i.Status, i.UserID).Scan(&v.id)
}

const versionColumns = `v.id, v.model, v.version, v.storage_location, m.name, v.version, v.creation_time, v.last_updated_time, v.current_stage,
	v.description, v.source, v.run_id, v.run_link, v.logged_model_id, v.status, v.user_id`

func scanVersion(scan func(...any) error) (versionRow, error) {
	var v versionRow
	i := &v.info
	err := scan(&v.id, &v.model, &v.version, &v.location, &i.Name, &i.Version, &i.CreationTimestamp, &i.LastUpdatedTimestamp,
		&i.CurrentStage, &i.Description, &i.Source, &i.RunID, &i.RunLink, &i.ModelID, &i.Status, &i.UserID)
	return v, err
}

func findVersion(ctx context.Context, q db.Querier, name string, version int64) (versionRow, error) {
	v, err := scanVersion(q.QueryRowContext(ctx, `SELECT `+versionColumns+` FROM model_versions v JOIN registered_models m ON m.id = v.model
		WHERE m.name = ? AND v.version = ?`, name, version).Scan)
	if errors.Is(err, sql.ErrNoRows) {
		err = rest.NotFound("Model Version (name=%s, version=%d) not found", name, version)
	}
	return v, err
}

func versionByRow(ctx context.Context, q db.Querier, id int64) (versionRow, error) {
	return scanVersion(q.QueryRowContext(ctx, `SELECT `+versionColumns+` FROM model_versions v JOIN registered_models m ON m.id = v.model
		WHERE v.id = ?`, id).Scan)
}

// versions are rows with, in the same order, what is answered.
type versions struct {
	rows []versionRow
	full []ModelVersion
}

// selectVersions reads versions with their tags and aliases; tail is the rest
// of the query after FROM.
func selectVersions(ctx context.Context, q db.Querier, tail string, args ...any) (versions, error) {
	var out versions
	rows, err := q.QueryContext(ctx, `SELECT `+versionColumns+` FROM model_versions v JOIN registered_models m ON m.id = v.model `+tail, args...)
	if err != nil {
		return out, err
	}
	defer rows.Close()
	var ids []int64
	for rows.Next() {
		v, err := scanVersion(rows.Scan)
		if err != nil {
			return out, err
		}
		out.rows = append(out.rows, v)
		ids = append(ids, v.id)
	}
	if err := rows.Err(); err != nil {
		return out, err
	}
	const chunk = 500
	for start := 0; start < len(ids); start += chunk {
		part := out.rows[start:min(start+chunk, len(ids))]
		if err := out.complete(ctx, q, part, idList(ids[start:start+len(part)])); err != nil {
			return out, err
		}
	}
	return out, nil
}

func (vs *versions) complete(ctx context.Context, q db.Querier, part []versionRow, list string) error {
	tags, err := tagsOf(ctx, q, versionTags, list)
	if err != nil {
		return err
	}
	rows, err := q.QueryContext(ctx, `SELECT v.id, a.alias FROM model_versions v JOIN registered_model_aliases a
		ON a.model = v.model AND a.version = v.version WHERE v.id IN (`+list+`) ORDER BY v.id, a.alias`)
	if err != nil {
		return err
	}
	defer rows.Close()
	aliases := map[int64][]string{}
	for rows.Next() {
		var id int64
		var alias string
		if err := rows.Scan(&id, &alias); err != nil {
			return err
		}
		aliases[id] = append(aliases[id], alias)
	}
	for _, v := range part {
		v.info.Tags, v.info.Aliases = tags[v.id], aliases[v.id]
		vs.full = append(vs.full, v.info)
	}
	return rows.Err()
}

func readVersion(ctx context.Context, q db.Querier, id int64) (ModelVersion, error) {
	found, err := selectVersions(ctx, q, `WHERE v.id = ?`, id)
	if err != nil {
		return ModelVersion{}, err
	}
	return found.full[0], nil
}

// newestVersion finds the version with the highest number, in a stage or, if
// that is empty, in any.
func newestVersion(ctx context.Context, q db.Querier, model int64, stage string) (id int64, found bool, err error) {
	err = q.QueryRowContext(ctx, `SELECT id FROM model_versions WHERE model = ? AND (? = '' OR current_stage = ?)
		ORDER BY version DESC LIMIT 1`, model, stage, stage).Scan(&id)
	return one(id, err)
}

func aliasedVersion(ctx context.Context, q db.Querier, model int64, alias string) (id int64, found bool, err error) {
	err = q.QueryRowContext(ctx, `SELECT v.id FROM registered_model_aliases a JOIN model_versions v ON v.model = a.model AND v.version = a.version
		WHERE a.model = ? AND a.alias = ?`, model, alias).Scan(&id)
	return one(id, err)
}

func one(id int64, err error) (int64, bool, error) {
	if errors.Is(err, sql.ErrNoRows) {
		return 0, false, nil
	}
	return id, err == nil, err
}

func describeVersion(ctx context.Context, q db.Querier, id int64, description string, now int64) error {
	_, err := q.ExecContext(ctx, `UPDATE model_versions SET description = ?, last_updated_time = ? WHERE id = ?`, description, now, id)
	return err
}

func setStage(ctx context.Context, q db.Querier, v versionRow, stage string, now int64) error {
	if _, err := q.ExecContext(ctx, `UPDATE model_versions SET current_stage = ?, last_updated_time = ? WHERE id = ?`, stage, now, v.id); err != nil {
		return err
	}
	return touchModel(ctx, q, v.model, now)
}

func deleteVersion(ctx context.Context, q db.Querier, v versionRow, now int64) error {
	if _, err := q.ExecContext(ctx, `DELETE FROM model_versions WHERE id = ?`, v.id); err != nil {
		return err
	}
	return touchModel(ctx, q, v.model, now)
}
