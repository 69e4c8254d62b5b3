package tracking

import (
	"context"
	"database/sql"
	"math"
	"strconv"

	"github.com/millpond/millpond/internal/db"
	"github.com/millpond/millpond/internal/rest"
)

// index names an element of a list, or a field of it, in an error message.
func index(list string, i int, field string) string {
	element := list + "[" + strconv.Itoa(i) + "]"
	if field == "" {
		return element
	}
	return at(element, field)
}

// insertMetrics adds to the histories, where an exact repetition is dropped,
// and advances the latest values.
func insertMetrics(ctx context.Context, q db.Querier, run *runRow, metrics []Metric) error {
	rows := make([][]any, len(metrics))
	latest := make(map[string]int, 1)
	var keys []string // in order, so that rows are written in order
	for i, m := range metrics {
		value, isNaN := stored(m.Value)
		rows[i] = []any{run.id, m.Key, int64(m.Timestamp), int64(m.Step), value, isNaN}
		if j, seen := latest[m.Key]; !seen {
			keys = append(keys, m.Key)
			latest[m.Key] = i
		} else if newer(m, metrics[j]) {
			latest[m.Key] = i
		}
	}
	err := insertRows(ctx, q, `INSERT INTO metrics (run, key, timestamp, step, value, is_nan) VALUES `, ` ON CONFLICT DO NOTHING`, rows)
	if err != nil {
		return err
	}
	newest := make([][]any, len(keys))
	for i, key := range keys {
		newest[i] = rows[latest[key]]
	}
	err = insertRows(ctx, q, `INSERT INTO latest_metrics (run, key, timestamp, step, value, is_nan) VALUES `,
		` ON CONFLICT (run, key) DO UPDATE SET timestamp = excluded.timestamp, step = excluded.step, value = excluded.value, is_nan = excluded.is_nan
		WHERE (excluded.step, excluded.timestamp, excluded.value) > (latest_metrics.step, latest_metrics.timestamp, latest_metrics.value)`, newest)
	if err != nil {
		return err
	}
	return insertModelMetrics(ctx, q, run, metrics)
}

// newer is the rule for the latest value: step, then timestamp, then value.
func newer(a, b Metric) bool {
	if a.Step != b.Step {
		return a.Step > b.Step
	}
	if a.Timestamp != b.Timestamp {
		return a.Timestamp > b.Timestamp
	}
	av, _ := stored(a.Value)
	bv, _ := stored(b.Value)
	return av > bv
}

// insertModelMetrics adds the metrics that were measured of a logged model.
func insertModelMetrics(ctx context.Context, q db.Querier, run *runRow, metrics []Metric) error {
	for _, m := range metrics {
		if m.ModelID == "" {
			continue
		}
		value, isNaN := stored(m.Value)
		_, err := q.ExecContext(ctx, `INSERT INTO logged_model_metrics (model, key, timestamp, step, run_id, value, is_nan, dataset_name, dataset_digest)
			VALUES ((SELECT id FROM logged_models WHERE model_id = ?), ?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT DO NOTHING`,
			m.ModelID, m.Key, int64(m.Timestamp), int64(m.Step), run.info.RunID, value, isNaN, m.DatasetName, m.DatasetDigest)
		if db.IsNotNull(err) {
			return noLoggedModel(m.ModelID)
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// history reads a metric's points in order of timestamp, step, value: the
// order of the table.
func history(ctx context.Context, q db.Querier, runID, key string, limit, offset int) ([]Metric, error) {
	rows, err := q.QueryContext(ctx, `SELECT m.value, m.is_nan, m.timestamp, m.step FROM runs r JOIN metrics m ON m.run = r.id AND m.key = ?
		WHERE r.run_id = ? ORDER BY m.timestamp, m.step, m.value, m.is_nan LIMIT ? OFFSET ?`, key, runID, limit, offset)
	if err != nil {
		return nil, err
	}
	return scanMetrics(rows, Metric{Key: key})
}

// scanMetrics reads value, is_nan, timestamp and step of all rows; the rest of
// the points is that of one. There may be very many: what the driver gives is
// taken as it is, for conversions by reflection take longer than the reading.
func scanMetrics(rows *sql.Rows, one Metric) (out []Metric, err error) {
	defer rows.Close()
	var value, isNaN, timestamp, step any
	into := []any{&value, &isNaN, &timestamp, &step}
	for rows.Next() {
		if err := rows.Scan(into...); err != nil {
			return nil, err
		}
		one.Value, one.Timestamp, one.Step = rest.Float(value.(float64)), rest.Int64(timestamp.(int64)), rest.Int64(step.(int64))
		if isNaN.(int64) != 0 {
			one.Value = rest.Float(math.NaN())
		}
		out = append(out, one)
	}
	return out, rows.Err()
}

// sampleHistory reads at most n points spread evenly over a metric's history
// in order of steps, the last point always among them: the first of each of n
// parts, of which the earlier ones may be longer by a point. The reads of q agree.
func sampleHistory(ctx context.Context, q db.Querier, runID, key string, n int, start, end *rest.Int64) ([]Metric, error) {
	from, args := `FROM runs r JOIN metrics m ON m.run = r.id AND m.key = ? WHERE r.run_id = ?`, []any{key, runID}
	if start != nil {
		from += ` AND m.step BETWEEN ? AND ?`
		args = append(args, int64(*start), int64(*end))
	}
	var total int
	if err := q.QueryRowContext(ctx, `SELECT COUNT(*) `+from, args...).Scan(&total); err != nil {
		return nil, err
	}
	short, longer := total/n, total%n
	inLonger := longer * (short + 1) // so many points are in the longer parts
	rows, err := q.QueryContext(ctx, `WITH points AS (
			SELECT m.value, m.is_nan, m.timestamp, m.step, ROW_NUMBER() OVER (ORDER BY m.step, m.timestamp, m.value, m.is_nan) - 1 AS nr `+from+`
		) SELECT value, is_nan, timestamp, step FROM points
		WHERE CASE WHEN nr < ? THEN nr % ? = 0 ELSE (nr - ?) % ? = 0 END OR nr = ? ORDER BY nr`,
		append(args, inLonger, short+1, inLonger, max(short, 1), total-1)...)
	if err != nil {
		return nil, err
	}
	out, err := scanMetrics(rows, Metric{Key: key, RunID: runID})
	if len(out) > n { // the last point takes the place of the last part's first
		out = append(out[:n-1], out[n])
	}
	return out, err
}
