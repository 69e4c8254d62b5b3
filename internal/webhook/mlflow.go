package webhook

import (
	"context"
	"regexp"
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
	w := webhook{Webhook: Webhook{uuid.NewString(), in.Name, in.Description, in.URL, in.Events, state, now, now}}
	if err := s.sealInto(&w, secrets{Secret: in.Secret}); err != nil {
		return nil, err
	}
	if err := s.db.Write(ctx, func(ctx context.Context, q db.Querier) error { return insertWebhook(ctx, q, w, nil) }); err != nil {
		return nil, err
	}
	return &webhookResponse{w.Webhook}, nil
}

func (s *Service) get(ctx context.Context, in *webhookRequest) (*webhookResponse, error) {
	w, err := webhookByID(ctx, s.db.Reader(), in.ID, false)
	if err != nil {
		return nil, err
	}
	return &webhookResponse{w.Webhook}, nil
}

// page reads which of a list's entries are wanted, and how many: standard unless a number is given.
func page(most *rest.Int64, token string, standard int) (limit, offset int, err error) {
	limit = standard
	if most != nil && *most != 0 {
		if limit, err = rest.MaxResults(int64(*most), 1000); err != nil {
			return 0, 0, err
		}
	}
	offset, err = rest.ParsePageToken(token)
	return limit, offset, err
}

func (s *Service) list(ctx context.Context, in *listRequest) (*listResponse, error) {
	limit, offset, err := page(in.MaxResults, in.PageToken, 100)
	if err != nil {
		return nil, err
	}
	found, err := selectWebhooks(ctx, s.db.Reader(), `WHERE w.workspace = 0 ORDER BY w.created_ms DESC, w.id DESC LIMIT ? OFFSET ?`, limit+1, offset)
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
		w, err := webhookByID(ctx, q, in.ID, false)
		if err != nil {
			return err
		}
		for _, c := range []struct{ from, to *string }{{in.Name, &w.Name}, {in.Description, &w.Description}, {in.URL, &w.URL}} {
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
		if in.Secret != nil {
			if err := s.sealInto(&w, secrets{Secret: *in.Secret}); err != nil {
				return err
			}
		}
		w.LastUpdatedTimestamp = s.millis()
		out.Webhook = w.Webhook
		return updateWebhook(ctx, q, w)
	})
	if err != nil {
		return nil, err
	}
	return &out, nil
}

func (s *Service) delete(ctx context.Context, in *webhookRequest) (*empty, error) {
	return nil, s.remove(ctx, in.ID, false)
}

func (s *Service) remove(ctx context.Context, id string, workspace bool) error {
	return s.db.Write(ctx, func(ctx context.Context, q db.Querier) error {
		w, err := webhookByID(ctx, q, id, workspace)
		if err != nil {
			return err
		}
		_, err = q.ExecContext(ctx, `DELETE FROM webhooks WHERE id = ?`, w.row)
		return err
	})
}
