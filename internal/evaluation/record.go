package evaluation

import (
	"bytes"
	"context"
	"crypto/sha256"
	"database/sql"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"strconv"
	"strings"

	"github.com/google/uuid"

	"github.com/millpond/millpond/internal/db"
	"github.com/millpond/millpond/internal/rest"
)

// Records travel as one JSON text; what is in them is the client's.

type (
	upsertRequest struct {
		DatasetID string `json:"dataset_id"`
		Records   string `json:"records" mlflow:"required"`
	}
	upsertResponse struct {
		Inserted int `json:"inserted_count"`
		Updated  int `json:"updated_count"`
	}
	recordsRequest struct {
		DatasetID  string      `json:"dataset_id"`
		MaxResults *rest.Int64 `json:"max_results"`
		PageToken  string      `json:"page_token"`
	}
	recordsResponse struct {
		Records       string `json:"records"`
		NextPageToken string `json:"next_page_token,omitempty"`
	}
	deleteRecordsRequest struct {
		DatasetID string   `json:"dataset_id"`
		IDs       []string `json:"dataset_record_ids" mlflow:"required"`
	}
	deleteRecordsResponse struct {
		Deleted int64 `json:"deleted_count"`
	}
	object = map[string]any
)

const (
	maxRecords = 1000
	maxIDs     = 10_000
)

// parse reads JSON and keeps numbers as they are written.
func parse(text string, into any) error {
	d := json.NewDecoder(strings.NewReader(text))
	d.UseNumber()
	return d.Decode(into)
}

// hashOf knows a record by its inputs, whatever the order of their keys.
func hashOf(inputs object) (string, error) {
	raw, err := json.Marshal(inputs)
	sum := sha256.Sum256(raw)
	return hex.EncodeToString(sum[:]), err
}

func asObject(v any, name string) (object, error) {
	switch v := v.(type) {
	case nil:
		return nil, nil
	case object:
		return v, nil
	}
	return nil, rest.Invalid("'%s' of a record must be a dictionary.", name)
}

// checkRecord refuses a record whose parts are not what they must be.
func checkRecord(r object) error {
	for _, name := range []string{"inputs", "expectations", "tags", "source"} {
		if _, err := asObject(r[name], name); err != nil {
			return err
		}
	}
	return nil
}

func (s *Service) upsertRecords(ctx context.Context, in *upsertRequest) (*upsertResponse, error) {
	var given []object
	if err := parse(in.Records, &given); err != nil {
		return nil, rest.Invalid("'records' must be a JSON list of records in a string.")
	}
	for _, r := range given {
		if err := checkRecord(r); err != nil {
			return nil, err
		}
	}
	var out upsertResponse
	_, err := s.change(ctx, in.DatasetID, func(ctx context.Context, q db.Querier, d *datasetRow) error {
		out = upsertResponse{}
		now := s.millis()
		user := ""
		for _, r := range given {
			made, err := upsert(ctx, q, d.id, r, now)
			if err != nil {
				return err
			}
			if made {
				out.Inserted++
			} else {
				out.Updated++
			}
			if name := userOf(r); name != "" {
				user = name
			}
		}
		return s.describe(ctx, q, d, given, user, now)
	})
	if err != nil {
		return nil, err
	}
	return &out, nil
}

func userOf(r object) string {
	tags, _ := r["tags"].(object)
	name, _ := tags[userTag].(string)
	return name
}

// upsert keeps a record, or merges it into the one with the same inputs.
func upsert(ctx context.Context, q db.Querier, dataset int64, r object, now int64) (made bool, err error) {
	inputs, _ := r["inputs"].(object) // checked
	if inputs == nil {
		inputs = object{}
	}
	hash, err := hashOf(inputs)
	if err != nil {
		return false, err
	}
	var id int64
	var text string
	err = q.QueryRowContext(ctx, `SELECT id, body FROM evaluation_records WHERE dataset = ? AND input_hash = ?`, dataset, hash).Scan(&id, &text)
	if errors.Is(err, sql.ErrNoRows) {
		body, err := json.Marshal(newRecord(inputs, r))
		if err != nil {
			return false, err
		}
		_, err = q.ExecContext(ctx, `INSERT INTO evaluation_records (dataset, record_id, input_hash, body, created_ms, updated_ms) VALUES (?, ?, ?, ?, ?, ?)`,
			dataset, "dr-"+strings.ReplaceAll(uuid.NewString(), "-", ""), hash, string(body), now, now)
		return true, err
	}
	if err != nil {
		return false, err
	}
	var old object
	if err := parse(text, &old); err != nil {
		return false, fmt.Errorf("read record %d: %w", id, err)
	}
	merge(old, r)
	body, err := json.Marshal(old)
	if err != nil {
		return false, err
	}
	_, err = q.ExecContext(ctx, `UPDATE evaluation_records SET body = ?, updated_ms = ? WHERE id = ?`, string(body), now, id)
	return false, err
}

func newRecord(inputs, r object) object {
	out := object{"inputs": inputs}
	for _, name := range []string{"outputs", "expectations", "tags", "source"} {
		if v, ok := r[name]; ok && v != nil {
			out[name] = v
		}
	}
	if source, ok := out["source"].(object); ok {
		kind, _ := source["source_type"].(string)
		out["source_type"] = strings.ToUpper(kind)
		source["source_type"] = strings.ToUpper(kind)
		if data, ok := source["source_data"].(object); ok && kind != "" {
			if id, ok := data["trace_id"].(string); ok {
				out["source_id"] = id
			}
		}
	}
	if name := userOf(r); name != "" {
		out["created_by"], out["last_updated_by"] = name, name
	}
	return out
}

// merge brings what is new into a record: outputs replace, expectations and tags are added.
func merge(old, r object) {
	if v, ok := r["outputs"]; ok {
		old["outputs"] = v
	}
	for _, name := range []string{"expectations", "tags"} {
		if more, ok := r[name].(object); ok && len(more) > 0 {
			all, _ := old[name].(object)
			if all == nil {
				all = object{}
			}
			maps.Copy(all, more)
			old[name] = all
		}
	}
	if name := userOf(r); name != "" {
		old["last_updated_by"] = name
	}
}

// describe brings the dataset's schema, profile and digest up to its records.
func (s *Service) describe(ctx context.Context, q db.Querier, d *datasetRow, given []object, user string, now int64) error {
	schema := object{"inputs": object{}, "outputs": object{}, "expectations": object{}, "version": "1.0"}
	if d.Schema != "" {
		if err := parse(d.Schema, &schema); err != nil {
			return fmt.Errorf("read the schema of dataset %s: %w", d.DatasetID, err)
		}
	}
	for _, r := range given {
		learn(schema, r)
	}
	raw, err := json.Marshal(schema)
	if err != nil {
		return err
	}
	d.Schema, d.LastUpdateTime, d.Digest = string(raw), now, digest(d.Name, now)
	if user != "" {
		d.LastUpdatedBy = user
	}
	return profile(ctx, q, d)
}

// profile counts the records and stores what is said of the dataset.
func profile(ctx context.Context, q db.Querier, d *datasetRow) error {
	var n int
	if err := q.QueryRowContext(ctx, `SELECT COUNT(*) FROM evaluation_records WHERE dataset = ?`, d.id).Scan(&n); err != nil {
		return err
	}
	d.Profile = ""
	if n > 0 {
		d.Profile = `{"num_records": ` + strconv.Itoa(n) + `}`
	}
	_, err := q.ExecContext(ctx, `UPDATE evaluation_datasets SET schema = ?, profile = ?, digest = ?, updated_ms = ?, updated_by = ? WHERE id = ?`,
		d.Schema, d.Profile, d.Digest, d.LastUpdateTime, d.LastUpdatedBy, d.id)
	return err
}

// learn adds the fields of a record that the schema lacks.
func learn(schema, r object) {
	for _, part := range []string{"inputs", "outputs", "expectations"} {
		fields, isObject := r[part].(object)
		known, _ := schema[part].(object)
		switch {
		case isObject && known != nil:
			for name, v := range fields {
				if _, ok := known[name]; !ok {
					known[name] = typeOf(v)
				}
			}
		case !isObject && r[part] != nil && known != nil && len(known) == 0 && part == "outputs":
			schema[part] = typeOf(r[part])
		}
	}
}

func typeOf(v any) string {
	switch v := v.(type) {
	case nil:
		return "null"
	case bool:
		return "boolean"
	case json.Number:
		if strings.ContainsAny(v.String(), ".eE") {
			return "float"
		}
		return "integer"
	case string:
		return "string"
	case []any:
		return "array"
	}
	return "object"
}

// getRecords answers with a page of records in the order they came.
func (s *Service) getRecords(ctx context.Context, in *recordsRequest) (*recordsResponse, error) {
	limit := maxRecords
	var err error
	if in.MaxResults != nil && *in.MaxResults != 0 {
		if limit, err = rest.MaxResults(int64(*in.MaxResults), maxRecords); err != nil {
			return nil, err
		}
	}
	after, err := rest.ParsePageToken(in.PageToken)
	if err != nil {
		return nil, err
	}
	var out recordsResponse
	err = s.db.View(ctx, func(ctx context.Context, q db.Querier) error {
		d, err := datasetByID(ctx, q, in.DatasetID)
		if err != nil {
			return err
		}
		out, err = page(ctx, q, d, after, limit)
		return err
	})
	if err != nil {
		return nil, err
	}
	return &out, nil
}

// page reads the records that come after one's number.
func page(ctx context.Context, q db.Querier, d datasetRow, after, limit int) (out recordsResponse, err error) {
	rows, err := q.QueryContext(ctx, `SELECT id, record_id, body, created_ms, updated_ms FROM evaluation_records WHERE dataset = ? AND id > ? ORDER BY id LIMIT ?`, d.id, after, limit+1)
	if err != nil {
		return out, err
	}
	defer rows.Close()
	list := []object{}
	last := 0
	for rows.Next() {
		if len(list) == limit {
			out.NextPageToken = rest.PageToken(last)
			break
		}
		var record, body string
		var created, updated int64
		if err := rows.Scan(&last, &record, &body, &created, &updated); err != nil {
			return out, err
		}
		var r object
		if err := parse(body, &r); err != nil {
			return out, fmt.Errorf("read record %s: %w", record, err)
		}
		r["dataset_id"], r["dataset_record_id"], r["created_time"], r["last_update_time"] = d.DatasetID, record, created, updated
		list = append(list, r)
	}
	if err := rows.Err(); err != nil {
		return out, err
	}
	var b bytes.Buffer
	enc := json.NewEncoder(&b)
	enc.SetEscapeHTML(false)
	err = enc.Encode(list)
	out.Records = strings.TrimSpace(b.String())
	return out, err
}

func (s *Service) deleteRecords(ctx context.Context, in *deleteRecordsRequest) (*deleteRecordsResponse, error) {
	if len(in.IDs) > maxIDs {
		return nil, rest.Invalid("At most %d records can be named in one request.", maxIDs)
	}
	var out deleteRecordsResponse
	_, err := s.change(ctx, in.DatasetID, func(ctx context.Context, q db.Querier, d *datasetRow) error {
		out.Deleted = 0
		for _, id := range in.IDs {
			res, err := q.ExecContext(ctx, `DELETE FROM evaluation_records WHERE dataset = ? AND record_id = ?`, d.id, id)
			if err != nil {
				return err
			}
			n, err := res.RowsAffected()
			if err != nil {
				return err
			}
			out.Deleted += n
		}
		d.LastUpdateTime = s.millis()
		d.Digest = digest(d.Name, d.LastUpdateTime)
		return profile(ctx, q, d)
	})
	if err != nil {
		return nil, err
	}
	return &out, nil
}
