package webhook

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"slices"
	"strconv"
	"strings"

	"github.com/google/uuid"

	"github.com/millpond/millpond/internal/db"
	"github.com/millpond/millpond/internal/rest"
)

// webhook is a webhook as stored.
type webhook struct {
	Webhook
	row        int64
	sealed     string // see [secrets]
	unverified bool   // the receiver's certificate is not checked
	// Of Databricks' registry, whose webhooks have names of events of their own.
	workspace bool
	names     []string
	model     string // "" for all models
}

// eventsJSON is how the events are kept.
func (w *webhook) eventsJSON() (string, error) {
	var events any = w.Events
	if w.workspace {
		events = w.names
	}
	raw, err := json.Marshal(events)
	return string(raw), err
}

// insertWebhook keeps a new webhook; model is the row of the only model it is of, or nil.
func insertWebhook(ctx context.Context, q db.Querier, w webhook, model *int64) error {
	events, err := w.eventsJSON()
	if err != nil {
		return err
	}
	_, err = q.ExecContext(ctx, `INSERT INTO webhooks (webhook_id, name, description, url, sealed, status, events, workspace, model, unverified, created_ms, updated_ms)
		VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`,
		w.ID, w.Name, w.Description, w.URL, w.sealed, w.Status, events, oneIf(w.workspace), model, oneIf(w.unverified), w.CreationTimestamp, w.LastUpdatedTimestamp)
	return err
}

func updateWebhook(ctx context.Context, q db.Querier, w webhook) error {
	events, err := w.eventsJSON()
	if err != nil {
		return err
	}
	_, err = q.ExecContext(ctx, `UPDATE webhooks SET name = ?, description = ?, url = ?, sealed = ?, status = ?, events = ?, unverified = ?, updated_ms = ? WHERE id = ?`,
		w.Name, w.Description, w.URL, w.sealed, w.Status, events, oneIf(w.unverified), w.LastUpdatedTimestamp, w.row)
	return err
}

func oneIf(b bool) int {
	if b {
		return 1
	}
	return 0
}

const webhookColumns = `w.id, w.webhook_id, w.name, w.description, w.url, w.sealed, w.status, w.events, w.workspace, w.unverified,
	w.created_ms, w.updated_ms, COALESCE((SELECT name FROM registered_models WHERE id = w.model), '')`

// scanWebhook reads webhookColumns, after what others a query has.
func scanWebhook(rows *sql.Rows, others ...any) (w webhook, err error) {
	var events string
	err = rows.Scan(append(others, &w.row, &w.ID, &w.Name, &w.Description, &w.URL, &w.sealed, &w.Status, &events, &w.workspace, &w.unverified,
		&w.CreationTimestamp, &w.LastUpdatedTimestamp, &w.model)...)
	if err != nil {
		return w, err
	}
	if w.workspace {
		return w, json.Unmarshal([]byte(events), &w.names)
	}
	return w, json.Unmarshal([]byte(events), &w.Events)
}

func selectWebhooks(ctx context.Context, q db.Querier, tail string, args ...any) ([]webhook, error) {
	rows, err := q.QueryContext(ctx, `SELECT `+webhookColumns+` FROM webhooks w `+tail, args...)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	var out []webhook
	for rows.Next() {
		w, err := scanWebhook(rows)
		if err != nil {
			return nil, err
		}
		out = append(out, w)
	}
	return out, rows.Err()
}

// webhookByID finds one of MLflow's webhooks, or of the workspace's.
func webhookByID(ctx context.Context, q db.Querier, id string, workspace bool) (webhook, error) {
	found, err := selectWebhooks(ctx, q, `WHERE w.webhook_id = ? AND w.workspace = ?`, id, oneIf(workspace))
	if err == nil && len(found) == 0 {
		err = rest.NotFound("Webhook with ID %s not found.", id)
	}
	if err != nil {
		return webhook{}, err
	}
	return found[0], nil
}

// Emit writes an event for all who listen, in the write that it tells of; data
// is what there is to tell.
func (s *Service) Emit(ctx context.Context, q db.Querier, entity, action string, data map[string]any) error {
	listeners, err := selectWebhooks(ctx, q, `WHERE w.status = 'ACTIVE'`)
	if err != nil {
		return err
	}
	event := Event{rest.Enum(entity), rest.Enum(action)}
	for _, w := range listeners {
		var payloads []string
		switch {
		case w.workspace:
			payloads, err = s.workspacePayloads(ctx, w, event, data)
		case slices.Contains(w.Events, event):
			payloads = make([]string, 1)
			payloads[0], err = s.payload(entity, action, data)
		}
		if err != nil {
			return err
		}
		for _, payload := range payloads {
			if _, err := q.ExecContext(ctx, `INSERT INTO webhook_deliveries (webhook, delivery_id, entity, action, payload, next_ms) VALUES (?, ?, ?, ?, ?, ?)`,
				w.row, uuid.NewString(), entity, action, payload, s.millis()); err != nil {
				return err
			}
		}
	}
	return nil
}

// payload is the message of an event.
func (s *Service) payload(entity, action string, data any) (string, error) {
	raw, err := json.Marshal(struct {
		Entity    string `json:"entity"`
		Action    string `json:"action"`
		Timestamp string `json:"timestamp"`
		Data      any    `json:"data"`
	}{strings.ToLower(entity), strings.ToLower(action), s.now().UTC().Format("2006-01-02T15:04:05.000000+00:00"), data})
	return string(raw), err
}

// delivery is an event on its way to one receiver.
type delivery struct {
	row, tries, next int64
	id, payload      string
	to               webhook
}

// due are deliveries whose time has come.
func due(ctx context.Context, q db.Querier, now int64, limit int) ([]delivery, error) {
	rows, err := q.QueryContext(ctx, `SELECT d.id, d.tries, d.next_ms, d.delivery_id, d.payload, `+webhookColumns+` FROM webhook_deliveries d
		JOIN webhooks w ON w.id = d.webhook WHERE d.next_ms <= ? ORDER BY d.next_ms, d.id LIMIT ?`, now, limit)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	var out []delivery
	for rows.Next() {
		var d delivery
		if d.to, err = scanWebhook(rows, &d.row, &d.tries, &d.next, &d.id, &d.payload); err != nil {
			return nil, err
		}
		out = append(out, d)
	}
	return out, rows.Err()
}

// claim takes a delivery for a while: another server on the same records may
// have seen it too.
func claim(ctx context.Context, q db.Querier, d delivery, until int64) (bool, error) {
	res, err := q.ExecContext(ctx, `UPDATE webhook_deliveries SET next_ms = ? WHERE id = ? AND next_ms = ?`, until, d.row, d.next)
	if err != nil {
		return false, err
	}
	n, err := res.RowsAffected()
	return n == 1, err
}

func postpone(ctx context.Context, q db.Querier, d delivery, next int64, why string) error {
	_, err := q.ExecContext(ctx, `UPDATE webhook_deliveries SET next_ms = ?, tries = tries + 1, last_error = ? WHERE id = ?`, next, why, d.row)
	return err
}

func forget(ctx context.Context, q db.Querier, d delivery) error {
	_, err := q.ExecContext(ctx, `DELETE FROM webhook_deliveries WHERE id = ?`, d.row)
	return err
}

// nextDue tells when the next delivery's time comes, if there is one.
func nextDue(ctx context.Context, q db.Querier) (at int64, ok bool, err error) {
	err = q.QueryRowContext(ctx, `SELECT next_ms FROM webhook_deliveries ORDER BY next_ms LIMIT 1`).Scan(&at)
	if errors.Is(err, sql.ErrNoRows) {
		return 0, false, nil
	}
	return at, err == nil, err
}

func unixSeconds(ms int64) string { return strconv.FormatInt(ms/1000, 10) }
