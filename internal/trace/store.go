package trace

import (
	"context"
	"database/sql"
	"errors"
	"maps"
	"slices"
	"strconv"
	"strings"

	"github.com/millpond/millpond/internal/db"
	"github.com/millpond/millpond/internal/rest"
)

// row is a trace with the numbers that other tables refer to.
type row struct {
	id         int64
	experiment int64
	info       Info
}

const columns = `r.id, r.experiment_id, r.trace_id, r.client_request_id, r.timestamp_ms, r.execution_ms, r.state, r.request_preview, r.response_preview`

func scan(scan func(...any) error) (row, error) {
	var r row
	i := &r.info
	err := scan(&r.id, &r.experiment, &i.TraceID, &i.ClientRequestID, (*int64)(&i.RequestTime), &i.ExecutionDuration, (*string)(&i.State),
		&i.RequestPreview, &i.ResponsePreview)
	i.TraceLocation = Location{"MLFLOW_EXPERIMENT", &ExperimentLocation{strconv.FormatInt(r.experiment, 10)}}
	return r, err
}

func noTrace(traceID string) error { return rest.NotFound("Trace with ID '%s' not found.", traceID) }

func traceByID(ctx context.Context, q db.Querier, traceID string) (row, error) {
	r, err := scan(q.QueryRowContext(ctx, `SELECT `+columns+` FROM traces r WHERE r.trace_id = ?`, traceID).Scan)
	if errors.Is(err, sql.ErrNoRows) {
		err = noTrace(traceID)
	}
	return r, err
}

func selectTraces(ctx context.Context, q db.Querier, tail string, args ...any) ([]row, error) {
	rows, err := q.QueryContext(ctx, `SELECT `+columns+` FROM traces r `+tail, args...)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	var out []row
	for rows.Next() {
		r, err := scan(rows.Scan)
		if err != nil {
			return nil, err
		}
		out = append(out, r)
	}
	return out, rows.Err()
}

// insertTrace makes the trace unless there is one; it tells its number and
// whether it was made.
func insertTrace(ctx context.Context, q db.Querier, experiment int64, i *Info) (id int64, made bool, err error) {
	err = q.QueryRowContext(ctx, `INSERT INTO traces (trace_id, experiment_id, client_request_id, timestamp_ms, execution_ms, state, request_preview, response_preview)
		VALUES (?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT (trace_id) DO NOTHING RETURNING id`, i.TraceID, experiment, i.ClientRequestID, int64(i.RequestTime),
		i.ExecutionDuration, string(i.State), i.RequestPreview, i.ResponsePreview).Scan(&id)
	if !errors.Is(err, sql.ErrNoRows) {
		return id, err == nil, err
	}
	err = q.QueryRowContext(ctx, `SELECT id FROM traces WHERE trace_id = ?`, i.TraceID).Scan(&id)
	return id, false, err
}

// replaceTrace gives a trace that spans have made the values that its client knows.
func replaceTrace(ctx context.Context, q db.Querier, id, experiment int64, i *Info) error {
	_, err := q.ExecContext(ctx, `UPDATE traces SET experiment_id = ?, client_request_id = ?, timestamp_ms = ?, execution_ms = ?, state = ?,
		request_preview = COALESCE(?, request_preview), response_preview = COALESCE(?, response_preview) WHERE id = ?`,
		experiment, i.ClientRequestID, int64(i.RequestTime), i.ExecutionDuration, string(i.State), i.RequestPreview, i.ResponsePreview, id)
	return err
}

// Tables of keys and values of traces.
const (
	tagTable      = "trace_tags"
	metadataTable = "trace_metadata"
)

// setPairs sets keys of a trace, in an order that keeps writers from waiting for each other in a ring.
func setPairs(ctx context.Context, q db.Querier, table string, trace int64, values map[string]string) error {
	for _, key := range slices.Sorted(maps.Keys(values)) {
		if _, err := q.ExecContext(ctx, `INSERT INTO `+table+` (trace, key, value) VALUES (?, ?, ?)
			ON CONFLICT (trace, key) DO UPDATE SET value = excluded.value`, trace, key, values[key]); err != nil {
			return err
		}
	}
	return nil
}

func deletePair(ctx context.Context, q db.Querier, table string, trace int64, key string) (bool, error) {
	res, err := q.ExecContext(ctx, `DELETE FROM `+table+` WHERE trace = ? AND key = ?`, trace, key)
	if err != nil {
		return false, err
	}
	n, err := res.RowsAffected()
	return n > 0, err
}

func pairsByTrace(ctx context.Context, q db.Querier, table, list string) (map[int64]map[string]string, error) {
	rows, err := q.QueryContext(ctx, `SELECT trace, key, value FROM `+table+` WHERE trace IN (`+list+`)`)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	out := map[int64]map[string]string{}
	for rows.Next() {
		var id int64
		var key, value string
		if err := rows.Scan(&id, &key, &value); err != nil {
			return nil, err
		}
		if out[id] == nil {
			out[id] = map[string]string{}
		}
		out[id][key] = value
	}
	return out, rows.Err()
}

// complete reads what belongs to the traces, some hundred at a time.
func complete(ctx context.Context, q db.Querier, rows []row) ([]Info, error) {
	out := make([]Info, 0, len(rows))
	for part := range slices.Chunk(rows, 500) {
		list := idList(part)
		tags, err := pairsByTrace(ctx, q, tagTable, list)
		if err != nil {
			return nil, err
		}
		metadata, err := pairsByTrace(ctx, q, metadataTable, list)
		if err != nil {
			return nil, err
		}
		assessments, err := assessmentsOf(ctx, q, list)
		if err != nil {
			return nil, err
		}
		for _, r := range part {
			i := r.info
			i.Tags, i.TraceMetadata, i.Assessments = tags[r.id], metadata[r.id], assessments[r.id]
			out = append(out, i)
		}
	}
	return out, nil
}

func completeOne(ctx context.Context, q db.Querier, r row) (*Info, error) {
	infos, err := complete(ctx, q, []row{r})
	if err != nil {
		return nil, err
	}
	return &infos[0], nil
}

// idList writes our own numbers as a list for IN.
func idList(rows []row) string {
	ids := make([]string, len(rows))
	for i, r := range rows {
		ids[i] = strconv.FormatInt(r.id, 10)
	}
	return strings.Join(ids, ",")
}

func pairs(m map[string]string) []Pair {
	var out []Pair
	for _, k := range slices.Sorted(maps.Keys(m)) {
		out = append(out, Pair{k, m[k]})
	}
	return out
}

func byKey(list []Pair) map[string]string {
	out := make(map[string]string, len(list))
	for _, p := range list {
		out[p.Key] = p.Value
	}
	return out
}

// link ties traces to a run or a prompt version.
func link(ctx context.Context, q db.Querier, trace int64, kind, target string) error {
	_, err := q.ExecContext(ctx, `INSERT INTO trace_links (trace, kind, target) VALUES (?, ?, ?) ON CONFLICT DO NOTHING`, trace, kind, target)
	return err
}

// deleteTraces deletes the oldest traces of an experiment that match.
func deleteTraces(ctx context.Context, q db.Querier, experiment int64, before *int64, ids []string, limit int64) (int64, error) {
	cond, args := "experiment_id = ?", []any{experiment}
	if before != nil {
		cond, args = cond+" AND timestamp_ms <= ?", append(args, *before)
	}
	if len(ids) > 0 {
		cond, args = cond+" AND trace_id IN ("+db.Marks(len(ids))+")", append(args, db.Args(ids)...)
	}
	if limit > 0 {
		cond = "id IN (SELECT id FROM traces WHERE " + cond + " ORDER BY timestamp_ms, trace_id LIMIT ?)"
		args = append(args, limit)
	}
	res, err := q.ExecContext(ctx, `DELETE FROM traces WHERE `+cond, args...)
	if err != nil {
		return 0, err
	}
	return res.RowsAffected()
}
