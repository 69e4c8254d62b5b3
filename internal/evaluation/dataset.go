package evaluation

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/google/uuid"

	"github.com/millpond/millpond/internal/db"
	"github.com/millpond/millpond/internal/rest"
	"github.com/millpond/millpond/internal/rest/filter"
)

// Dataset is a collection of records; tags, schema and profile are JSON in a text.
type Dataset struct {
	DatasetID      string   `json:"dataset_id"`
	Name           string   `json:"name"`
	Tags           string   `json:"tags,omitempty"`
	Schema         string   `json:"schema,omitempty"`
	Profile        string   `json:"profile,omitempty"`
	Digest         string   `json:"digest"`
	CreatedTime    int64    `json:"created_time"`
	LastUpdateTime int64    `json:"last_update_time"`
	CreatedBy      string   `json:"created_by,omitempty"`
	LastUpdatedBy  string   `json:"last_updated_by,omitempty"`
	ExperimentIDs  []string `json:"experiment_ids,omitempty"`
}

type (
	createDatasetRequest struct {
		Name          string   `json:"name" mlflow:"required"`
		ExperimentIDs []string `json:"experiment_ids"`
		Tags          string   `json:"tags"`
	}
	datasetRequest struct {
		DatasetID string `json:"dataset_id"`
	}
	datasetResponse struct {
		Dataset Dataset `json:"dataset"`
	}
	tagsRequest struct {
		DatasetID string `json:"dataset_id"`
		Tags      string `json:"tags" mlflow:"required"`
	}
	tagRequest struct {
		DatasetID string `json:"dataset_id"`
		Key       string `json:"key"`
	}
	experimentsRequest struct {
		DatasetID     string   `json:"dataset_id"`
		ExperimentIDs []string `json:"experiment_ids" mlflow:"required"`
	}
	experimentsResponse struct {
		ExperimentIDs []string `json:"experiment_ids"`
	}
	searchRequest struct {
		ExperimentIDs []string    `json:"experiment_ids"`
		Filter        string      `json:"filter_string"`
		MaxResults    *rest.Int64 `json:"max_results"`
		OrderBy       []string    `json:"order_by"`
		PageToken     string      `json:"page_token"`
	}
	searchResponse struct {
		Datasets      []Dataset `json:"datasets,omitempty"`
		NextPageToken string    `json:"next_page_token,omitempty"`
	}
	empty struct{}
)

const userTag = "mlflow.user"

// datasetRow is a dataset with the number that other tables refer to.
type datasetRow struct {
	id int64
	Dataset
}

const datasetColumns = `d.id, d.dataset_id, d.name, d.schema, d.profile, d.digest, d.created_ms, d.updated_ms, d.created_by, d.updated_by FROM evaluation_datasets d`

func selectDatasets(ctx context.Context, q db.Querier, tail string, args ...any) ([]datasetRow, error) {
	rows, err := q.QueryContext(ctx, `SELECT `+datasetColumns+` `+tail, args...)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	var out []datasetRow
	for rows.Next() {
		var d datasetRow
		if err := rows.Scan(&d.id, &d.DatasetID, &d.Name, &d.Schema, &d.Profile, &d.Digest, &d.CreatedTime, &d.LastUpdateTime, &d.CreatedBy, &d.LastUpdatedBy); err != nil {
			return nil, err
		}
		out = append(out, d)
	}
	return out, rows.Err()
}

func datasetByID(ctx context.Context, q db.Querier, id string) (datasetRow, error) {
	found, err := selectDatasets(ctx, q, `WHERE d.dataset_id = ?`, id)
	if err == nil && len(found) == 0 {
		err = rest.NotFound("Evaluation dataset with id '%s' not found", id)
	}
	if err != nil {
		return datasetRow{}, err
	}
	return found[0], nil
}

// complete reads the tags and experiments of a dataset.
func complete(ctx context.Context, q db.Querier, d *datasetRow) error {
	tags := map[string]string{}
	rows, err := q.QueryContext(ctx, `SELECT key, value FROM evaluation_dataset_tags WHERE dataset = ?`, d.id)
	if err != nil {
		return err
	}
	defer rows.Close()
	for rows.Next() {
		var key, value string
		if err := rows.Scan(&key, &value); err != nil {
			return err
		}
		tags[key] = value
	}
	if err := rows.Err(); err != nil {
		return err
	}
	raw, err := json.Marshal(tags)
	if err != nil {
		return err
	}
	d.Tags = string(raw)
	d.ExperimentIDs, err = experimentsOf(ctx, q, d.id)
	return err
}

func experimentsOf(ctx context.Context, q db.Querier, dataset int64) ([]string, error) {
	rows, err := q.QueryContext(ctx, `SELECT experiment_id FROM evaluation_dataset_experiments WHERE dataset = ? ORDER BY experiment_id`, dataset)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	var out []string
	for rows.Next() {
		var id string
		if err := rows.Scan(&id); err != nil {
			return nil, err
		}
		out = append(out, id)
	}
	return out, rows.Err()
}

// parseTags reads tags, which travel as a JSON object in a text. A null deletes.
func parseTags(text string) (map[string]*string, error) {
	if text == "" {
		return nil, nil
	}
	var given map[string]any
	if err := json.Unmarshal([]byte(text), &given); err != nil {
		return nil, rest.Invalid("'tags' must be a JSON object in a string.")
	}
	out := make(map[string]*string, len(given))
	for key, v := range given {
		if err := rest.CheckName(key, "tags"); err != nil {
			return nil, err
		}
		switch v := v.(type) {
		case nil:
			out[key] = nil
		case string:
			out[key] = &v
		default:
			raw, err := json.Marshal(v)
			if err != nil {
				return nil, err
			}
			value := string(raw)
			out[key] = &value
		}
		if v := out[key]; v != nil && strings.IndexByte(*v, 0) >= 0 {
			return nil, rest.Invalid("A tag has a NUL character in it.")
		}
	}
	return out, nil
}

func putTags(ctx context.Context, q db.Querier, dataset int64, tags map[string]*string) error {
	for key, value := range tags {
		var err error
		if value == nil {
			_, err = q.ExecContext(ctx, `DELETE FROM evaluation_dataset_tags WHERE dataset = ? AND key = ?`, dataset, key)
		} else {
			_, err = q.ExecContext(ctx, `INSERT INTO evaluation_dataset_tags (dataset, key, value) VALUES (?, ?, ?)
				ON CONFLICT (dataset, key) DO UPDATE SET value = excluded.value`, dataset, key, *value)
		}
		if err != nil {
			return err
		}
	}
	return nil
}

func digest(name string, at int64) string {
	sum := sha256.Sum256([]byte(fmt.Sprintf("%s:%d", name, at)))
	return hex.EncodeToString(sum[:])[:8]
}

// experiments checks that experiments are there.
func (s *Service) experiments(ctx context.Context, ids []string) ([]int64, error) {
	out := make([]int64, len(ids))
	for i, id := range ids {
		var err error
		if out[i], _, err = s.tracking.ExperimentLocation(ctx, id); err != nil {
			return nil, err
		}
	}
	return out, nil
}

func associate(ctx context.Context, q db.Querier, dataset int64, experiments []int64) error {
	for _, e := range experiments {
		if _, err := q.ExecContext(ctx, `INSERT INTO evaluation_dataset_experiments (dataset, experiment_id) VALUES (?, ?) ON CONFLICT DO NOTHING`, dataset, e); err != nil {
			return err
		}
	}
	return nil
}

func (s *Service) createDataset(ctx context.Context, in *createDatasetRequest) (*datasetResponse, error) {
	tags, err := parseTags(in.Tags)
	if err != nil {
		return nil, err
	}
	experiments, err := s.experiments(ctx, in.ExperimentIDs)
	if err != nil {
		return nil, err
	}
	now := s.millis()
	d := datasetRow{Dataset: Dataset{DatasetID: "d-" + strings.ReplaceAll(uuid.NewString(), "-", ""), Name: in.Name, Digest: digest(in.Name, now), CreatedTime: now, LastUpdateTime: now}}
	if user := tags[userTag]; user != nil {
		d.CreatedBy, d.LastUpdatedBy = *user, *user
	}
	err = s.db.Write(ctx, func(ctx context.Context, q db.Querier) error {
		err := q.QueryRowContext(ctx, `INSERT INTO evaluation_datasets (dataset_id, name, digest, created_ms, updated_ms, created_by, updated_by)
			VALUES (?, ?, ?, ?, ?, ?, ?) RETURNING id`, d.DatasetID, d.Name, d.Digest, now, now, d.CreatedBy, d.LastUpdatedBy).Scan(&d.id)
		if err != nil {
			return err
		}
		if err := putTags(ctx, q, d.id, tags); err != nil {
			return err
		}
		if err := associate(ctx, q, d.id, experiments); err != nil {
			return err
		}
		return complete(ctx, q, &d)
	})
	if err != nil {
		return nil, err
	}
	return &datasetResponse{d.Dataset}, nil
}

func (s *Service) getDataset(ctx context.Context, in *datasetRequest) (*datasetResponse, error) {
	var d datasetRow
	err := s.db.View(ctx, func(ctx context.Context, q db.Querier) (err error) {
		if d, err = datasetByID(ctx, q, in.DatasetID); err != nil {
			return err
		}
		return complete(ctx, q, &d)
	})
	if err != nil {
		return nil, err
	}
	return &datasetResponse{d.Dataset}, nil
}

// change runs fn in a write, for a dataset that exists, and answers with it.
func (s *Service) change(ctx context.Context, id string, fn func(ctx context.Context, q db.Querier, d *datasetRow) error) (*datasetResponse, error) {
	var d datasetRow
	err := s.db.Write(ctx, func(ctx context.Context, q db.Querier) (err error) {
		if d, err = datasetByID(ctx, q, id); err != nil {
			return err
		}
		if err := fn(ctx, q, &d); err != nil {
			return err
		}
		return complete(ctx, q, &d)
	})
	if err != nil {
		return nil, err
	}
	return &datasetResponse{d.Dataset}, nil
}

func (s *Service) deleteDataset(ctx context.Context, in *datasetRequest) (*empty, error) {
	return nil, s.db.Write(ctx, func(ctx context.Context, q db.Querier) error {
		_, err := q.ExecContext(ctx, `DELETE FROM evaluation_datasets WHERE dataset_id = ?`, in.DatasetID)
		return err // as MLflow: what is gone is deleted
	})
}

func (s *Service) setDatasetTags(ctx context.Context, in *tagsRequest) (*datasetResponse, error) {
	tags, err := parseTags(in.Tags)
	if err != nil {
		return nil, err
	}
	return s.change(ctx, in.DatasetID, func(ctx context.Context, q db.Querier, d *datasetRow) error {
		d.LastUpdateTime = s.millis()
		if user := tags[userTag]; user != nil {
			d.LastUpdatedBy = *user
		}
		if _, err := q.ExecContext(ctx, `UPDATE evaluation_datasets SET updated_ms = ?, updated_by = ? WHERE id = ?`, d.LastUpdateTime, d.LastUpdatedBy, d.id); err != nil {
			return err
		}
		return putTags(ctx, q, d.id, tags)
	})
}

func (s *Service) deleteDatasetTag(ctx context.Context, in *tagRequest) (*empty, error) {
	_, err := s.change(ctx, in.DatasetID, func(ctx context.Context, q db.Querier, d *datasetRow) error {
		return putTags(ctx, q, d.id, map[string]*string{in.Key: nil})
	})
	return nil, err
}

func (s *Service) datasetExperiments(ctx context.Context, in *datasetRequest) (*experimentsResponse, error) {
	d, err := s.getDataset(ctx, in)
	if err != nil {
		return nil, err
	}
	return &experimentsResponse{d.Dataset.ExperimentIDs}, nil
}

func (s *Service) addExperiments(ctx context.Context, in *experimentsRequest) (*datasetResponse, error) {
	experiments, err := s.experiments(ctx, in.ExperimentIDs)
	if err != nil {
		return nil, err
	}
	return s.change(ctx, in.DatasetID, func(ctx context.Context, q db.Querier, d *datasetRow) error {
		return associate(ctx, q, d.id, experiments)
	})
}

func (s *Service) removeExperiments(ctx context.Context, in *experimentsRequest) (*datasetResponse, error) {
	return s.change(ctx, in.DatasetID, func(ctx context.Context, q db.Querier, d *datasetRow) error {
		for _, id := range in.ExperimentIDs {
			n, err := strconv.ParseInt(id, 10, 64)
			if err != nil {
				return rest.Invalid("Invalid experiment ID '%s'. Experiment ID must be a valid integer.", id)
			}
			if _, err := q.ExecContext(ctx, `DELETE FROM evaluation_dataset_experiments WHERE dataset = ? AND experiment_id = ?`, d.id, n); err != nil {
				return err
			}
		}
		return nil
	})
}

// grammar is what a search of datasets knows.
var grammar = func() *filter.Grammar {
	tag := &filter.Entity{Name: "tag", Ops: filter.TextOps}
	return &filter.Grammar{
		Entities:          map[string]*filter.Entity{"tag": tag, "tags": tag},
		Valid:             []string{"attribute", "tag"},
		AttributeEntities: []string{"attribute", "attributes"},
		Attributes: map[string]filter.Attribute{
			"name":             {Column: "d.name", List: true},
			"created_time":     {Column: "d.created_ms", Type: filter.Integer},
			"last_update_time": {Column: "d.updated_ms", Type: filter.Integer},
			"created_by":       {Column: "d.created_by", NoOrder: true},
			"last_updated_by":  {Column: "d.updated_by", NoOrder: true},
		},
	}
}()

func (s *Service) searchDatasets(ctx context.Context, in *searchRequest) (*searchResponse, error) {
	limit := 1000
	var err error
	if in.MaxResults != nil && *in.MaxResults != 0 {
		if limit, err = rest.MaxResults(int64(*in.MaxResults), 50_000); err != nil {
			return nil, err
		}
	}
	offset, err := rest.ParsePageToken(in.PageToken)
	if err != nil {
		return nil, err
	}
	w, err := conditions(in)
	if err != nil {
		return nil, err
	}
	orders, err := grammar.ParseOrder(in.OrderBy)
	if err != nil {
		return nil, rest.Invalid("%s", err)
	}
	var by []string
	for _, o := range orders {
		if o.Entity != filter.AttributeEntity {
			return nil, rest.Invalid("Invalid order_by entity: %s", o.Entity)
		}
		by = append(by, o.Attr.Column+o.Direction())
	}
	if by == nil {
		by = []string{"d.created_ms DESC"}
	}
	var out searchResponse
	err = s.db.View(ctx, func(ctx context.Context, q db.Querier) error {
		found, err := selectDatasets(ctx, q, w.String()+" ORDER BY "+strings.Join(by, ", ")+", d.id DESC LIMIT ? OFFSET ?", append(w.Args, limit+1, offset)...)
		if err != nil {
			return err
		}
		if len(found) > limit {
			found, out.NextPageToken = found[:limit], rest.PageToken(offset+limit)
		}
		for i := range found {
			if err := complete(ctx, q, &found[i]); err != nil {
				return err
			}
			out.Datasets = append(out.Datasets, found[i].Dataset)
		}
		return nil
	})
	if err != nil {
		return nil, err
	}
	return &out, nil
}

func conditions(in *searchRequest) (*filter.Where, error) {
	terms, err := grammar.Parse(in.Filter)
	if err != nil {
		return nil, rest.Invalid("%s", err)
	}
	var w filter.Where
	if len(in.ExperimentIDs) > 0 {
		args := make([]any, len(in.ExperimentIDs))
		for i, id := range in.ExperimentIDs {
			if args[i], err = strconv.ParseInt(id, 10, 64); err != nil {
				return nil, rest.Invalid("Invalid experiment ID '%s'. Experiment ID must be a valid integer.", id)
			}
		}
		w.Add(`EXISTS (SELECT 1 FROM evaluation_dataset_experiments x WHERE x.dataset = d.id AND x.experiment_id IN (`+
			db.Marks(len(args))+`))`, args...)
	}
	addTerms(&w, terms)
	return &w, nil
}

// addTerms adds what a filter says of the datasets, aliased d.
func addTerms(w *filter.Where, terms []filter.Term) {
	for _, t := range terms {
		switch t.Entity {
		case filter.Choice:
			w.Any(t.Any, addTerms)
		case filter.AttributeEntity:
			w.Attribute(t)
		default:
			w.Pair("evaluation_dataset_tags x WHERE x.dataset = d.id", t)
		}
	}
}

// Keep leaves the datasets of experiments that the user may see; see [rest.Filtered].
func (r *searchResponse) Keep(may func(kind, id string) bool) {
	r.Datasets = slices.DeleteFunc(r.Datasets, func(d Dataset) bool {
		return slices.ContainsFunc(d.ExperimentIDs, func(id string) bool { return !may(rest.KindExperiment, id) })
	})
}
