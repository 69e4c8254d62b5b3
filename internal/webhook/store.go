package webhook

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"github.com/google/uuid"

	"github.com/millpond/millpond/internal/db"
	"github.com/millpond/millpond/internal/rest"
)

// Event is a kind of thing that happens.
type Event struct {
	Entity rest.Enum `json:"entity"`
	Action rest.Enum `json:"action"`
}

// Webhook is an address that is told of events. The secret is never answered.
type Webhook struct {
	ID                   string  `json:"webhook_id"`
	Name                 string  `json:"name"`
	Description          string  `json:"description,omitempty"`
	URL                  string  `json:"url"`
	Events               []Event `json:"events"`
	Status               string  `json:"status"`
	CreationTimestamp    int64   `json:"creation_timestamp"`
	LastUpdatedTimestamp int64   `json:"last_updated_timestamp"`
}

type (
	createRequest struct {
		Name        string    `json:"name" mlflow:"required"`
		Description string    `json:"description"`
		URL         string    `json:"url" mlflow:"required"`
		Events      []Event   `json:"events" mlflow:"required"`
		Secret      string    `json:"secret"`
		Status      rest.Enum `json:"status"`
	}
	webhookRequest struct {
		ID string `json:"webhook_id"`
	}
	updateRequest struct {
		ID          string     `json:"webhook_id"`
		Name        *string    `json:"name"`
		Description *string    `json:"description"`
		URL         *string    `json:"url"`
		Events      []Event    `json:"events"`
		Secret      *string    `json:"secret"`
		Status      *rest.Enum `json:"status"`
	}
	listRequest struct {
		MaxResults *rest.Int64 `json:"max_results"`
		PageToken  string      `json:"page_token"`
	}
	webhookResponse struct {
		Webhook Webhook `json:"webhook"`
	}
	listResponse struct {
		Webhooks      []Webhook `json:"webhooks,omitempty"`
		NextPageToken string    `json:"next_page_token,omitempty"`
	}
	empty struct{}
)

var (
	statuses = map[int]string{1: "ACTIVE", 2: "DISABLED"}
	entities = map[int]string{1: "REGISTERED_MODEL", 2: "MODEL_VERSION", 3: "MODEL_VERSION_TAG", 4: "MODEL_VERSION_ALIAS", 5: "PROMPT", 6: "PROMPT_VERSION",
		7: "PROMPT_TAG", 8: "PROMPT_VERSION_TAG", 9: "PROMPT_ALIAS", 10: "BUDGET_POLICY"}
	actions     = map[int]string{1: "CREATED", 2: "UPDATED", 3: "DELETED", 4: "SET", 5: "EXCEEDED"}
	namePattern = regexp.MustCompile(`^[a-zA-Z0-9]([a-zA-Z0-9._-]{0,61}[a-zA-Z0-9])?$`)
)

func (e *Event) check() error {
	entity, ok := e.Entity.Resolve(entities)
	if !ok {
		return rest.InvalidValue("events.entity", string(e.Entity), "")
	}
	action, ok := e.Action.Resolve(actions)
	if !ok {
		return rest.InvalidValue("events.action", string(e.Action), "")
	}
	e.Entity, e.Action = rest.Enum(entity), rest.Enum(action)
	if fields[*e] == nil {
		return rest.Invalid("Invalid action '%s' for entity '%s'.", strings.ToLower(action), strings.ToLower(entity))
	}
	return nil
}

func checkName(name string) error {
	if !namePattern.MatchString(name) {
		return rest.Invalid("Webhook name '%s' is invalid. It must start and end with a letter or digit, be less than 63 characters long, and contain "+
			"only letters, digits, dots (.), underscores (_), and hyphens (-).", name)
	}
	return nil
}

func checkEvents(events []Event) error {
	if len(events) == 0 {
		return rest.Invalid("Webhook events must be a non-empty list.")
	}
	for i := range events {
		if err := events[i].check(); err != nil {
			return err
		}
	}
	return nil
}

func status(given rest.Enum) (string, error) {
	if given == "" {
		return "ACTIVE", nil
	}
	name, ok := given.Resolve(statuses)
	if !ok {
		return "", rest.InvalidValue("status", string(given), "")
	}
	return name, nil
}

func (s *Service) create(ctx context.Context, in *createRequest) (*webhookResponse, error) {
	if err := checkName(in.Name); err != nil {
		return nil, err
	}
	if err := checkEvents(in.Events); err != nil {
		return nil, err
	}
	state, err := status(in.Status)
	if err != nil {
		return nil, err
	}
	if err := s.checkURL(ctx, in.URL); err != nil {
		return nil, err
	}
	now := s.millis()
	w := webhook{Webhook: Webhook{uuid.NewString(), in.Name, in.Description, in.URL, in.Events, state, now, now}, secret: in.Secret}
	err = s.db.Write(ctx, func(ctx context.Context, q db.Querier) error {
		events, err := json.Marshal(w.Events)
		if err != nil {
			return err
		}
		_, err = q.ExecContext(ctx, `INSERT INTO webhooks (webhook_id, name, description, url, secret, status, events, created_ms, updated_ms)
			VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)`, w.ID, w.Name, w.Description, w.URL, w.secret, w.Status, string(events), now, now)
		return err
	})
	if err != nil {
		return nil, err
	}
	return &webhookResponse{w.Webhook}, nil
}

// webhook is a webhook as stored.
type webhook struct {
	Webhook
	row    int64
	secret string
}

func selectWebhooks(ctx context.Context, q db.Querier, tail string, args ...any) ([]webhook, error) {
	rows, err := q.QueryContext(ctx, `SELECT id, webhook_id, name, description, url, secret, status, events, created_ms, updated_ms FROM webhooks `+tail, args...)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	var out []webhook
	for rows.Next() {
		var w webhook
		var events string
		if err := rows.Scan(&w.row, &w.ID, &w.Name, &w.Description, &w.URL, &w.secret, &w.Status, &events, &w.CreationTimestamp, &w.LastUpdatedTimestamp); err != nil {
			return nil, err
		}
		if err := json.Unmarshal([]byte(events), &w.Events); err != nil {
			return nil, err
		}
		out = append(out, w)
	}
	return out, rows.Err()
}

func webhookByID(ctx context.Context, q db.Querier, id string) (webhook, error) {
	found, err := selectWebhooks(ctx, q, `WHERE webhook_id = ?`, id)
	if err == nil && len(found) == 0 {
		err = rest.NotFound("Webhook with ID %s not found.", id)
	}
	if err != nil {
		return webhook{}, err
	}
	return found[0], nil
}

func (s *Service) get(ctx context.Context, in *webhookRequest) (*webhookResponse, error) {
	w, err := webhookByID(ctx, s.db.Reader(), in.ID)
	if err != nil {
		return nil, err
	}
	return &webhookResponse{w.Webhook}, nil
}

func (s *Service) list(ctx context.Context, in *listRequest) (*listResponse, error) {
	limit := 100
	var err error
	if in.MaxResults != nil && *in.MaxResults != 0 {
		if limit, err = rest.MaxResults(int64(*in.MaxResults), 1000); err != nil {
			return nil, err
		}
	}
	offset, err := rest.ParsePageToken(in.PageToken)
	if err != nil {
		return nil, err
	}
	found, err := selectWebhooks(ctx, s.db.Reader(), `ORDER BY created_ms DESC, id DESC LIMIT ? OFFSET ?`, limit+1, offset)
	if err != nil {
		return nil, err
	}
	var out listResponse
	if len(found) > limit {
		found, out.NextPageToken = found[:limit], rest.PageToken(offset+limit)
	}
	for _, w := range found {
		out.Webhooks = append(out.Webhooks, w.Webhook)
	}
	return &out, nil
}

// check checks what an update changes.
func (s *Service) check(ctx context.Context, in *updateRequest) error {
	if in.Name != nil {
		if err := checkName(*in.Name); err != nil {
			return err
		}
	}
	if in.Events != nil {
		if err := checkEvents(in.Events); err != nil {
			return err
		}
	}
	if in.URL != nil {
		return s.checkURL(ctx, *in.URL)
	}
	return nil
}

func (s *Service) update(ctx context.Context, in *updateRequest) (*webhookResponse, error) {
	if err := s.check(ctx, in); err != nil {
		return nil, err
	}
	var out webhookResponse
	err := s.db.Write(ctx, func(ctx context.Context, q db.Querier) error {
		w, err := webhookByID(ctx, q, in.ID)
		if err != nil {
			return err
		}
		for _, c := range []struct{ from, to *string }{{in.Name, &w.Name}, {in.Description, &w.Description}, {in.URL, &w.URL}, {in.Secret, &w.secret}} {
			if c.from != nil {
				*c.to = *c.from
			}
		}
		if in.Events != nil {
			w.Events = in.Events
		}
		if in.Status != nil {
			if w.Status, err = status(*in.Status); err != nil {
				return err
			}
		}
		w.LastUpdatedTimestamp = s.millis()
		events, err := json.Marshal(w.Events)
		if err != nil {
			return err
		}
		out.Webhook = w.Webhook
		_, err = q.ExecContext(ctx, `UPDATE webhooks SET name = ?, description = ?, url = ?, secret = ?, status = ?, events = ?, updated_ms = ? WHERE id = ?`,
			w.Name, w.Description, w.URL, w.secret, w.Status, string(events), w.LastUpdatedTimestamp, w.row)
		return err
	})
	if err != nil {
		return nil, err
	}
	return &out, nil
}

func (s *Service) delete(ctx context.Context, in *webhookRequest) (*empty, error) {
	return nil, s.db.Write(ctx, func(ctx context.Context, q db.Querier) error {
		w, err := webhookByID(ctx, q, in.ID)
		if err != nil {
			return err
		}
		_, err = q.ExecContext(ctx, `DELETE FROM webhooks WHERE id = ?`, w.row)
		return err
	})
}

// Emit writes an event for all who listen, in the write that it tells of; data
// is the event's own part of the message.
func (s *Service) Emit(ctx context.Context, q db.Querier, entity, action string, data any) error {
	listeners, err := selectWebhooks(ctx, q, `WHERE status = 'ACTIVE'`)
	if err != nil {
		return err
	}
	var payload string
	for _, w := range listeners {
		if !slices.Contains(w.Events, Event{rest.Enum(entity), rest.Enum(action)}) {
			continue
		}
		if payload == "" {
			if payload, err = s.payload(entity, action, data); err != nil {
				return err
			}
		}
		if _, err := q.ExecContext(ctx, `INSERT INTO webhook_deliveries (webhook, delivery_id, entity, action, payload, next_ms) VALUES (?, ?, ?, ?, ?, ?)`,
			w.row, uuid.NewString(), entity, action, payload, s.millis()); err != nil {
			return err
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
	url, secret      string
}

// due are deliveries whose time has come.
func due(ctx context.Context, q db.Querier, now int64, limit int) ([]delivery, error) {
	rows, err := q.QueryContext(ctx, `SELECT d.id, d.tries, d.next_ms, d.delivery_id, d.payload, w.url, w.secret FROM webhook_deliveries d
		JOIN webhooks w ON w.id = d.webhook WHERE d.next_ms <= ? ORDER BY d.next_ms, d.id LIMIT ?`, now, limit)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	var out []delivery
	for rows.Next() {
		var d delivery
		if err := rows.Scan(&d.row, &d.tries, &d.next, &d.id, &d.payload, &d.url, &d.secret); err != nil {
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
