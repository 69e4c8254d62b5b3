package webhook

import (
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"database/sql"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strings"

	"github.com/google/uuid"

	"github.com/millpond/millpond/internal/db"
	"github.com/millpond/millpond/internal/rest"
)

// Databricks' workspace registry has webhooks of its own: other names of events,
// other messages, another signature; for all models or for one.

// workspaceEvent is what Databricks calls an event and how it is told.
type workspaceEvent struct {
	name   string
	staged string   // another name for each stage that it is about, after %s
	fields []string // of the data, beside the model's name
	text   string   // for people; {field} is a field's value
}

var workspaceEvents = map[Event]workspaceEvent{
	{"REGISTERED_MODEL", "CREATED"}: {name: registeredModelCreated, text: "{user} created registered model '{name}'."},
	{"MODEL_VERSION", "CREATED"}: {name: "MODEL_VERSION_CREATED", fields: []string{"version", "run_id"},
		text: "{user} created version {version} of registered model '{name}'."},
	{"MODEL_VERSION_TAG", "SET"}: {name: "MODEL_VERSION_TAG_SET", fields: []string{"version", "tags"},
		text: "{user} set version tag(s) '{key}' => '{value}' for registered model '{name}' version {version}."},
	{"MODEL_VERSION_STAGE", "CHANGED"}: {name: "MODEL_VERSION_TRANSITIONED_STAGE", staged: "MODEL_VERSION_TRANSITIONED_TO_%s",
		fields: []string{"version", "to_stage", "from_stage"}, text: "Registered model '{name}' version {version} transitioned from {from_stage} to {to_stage}."},
	{"TRANSITION_REQUEST", "CREATED"}: {name: "TRANSITION_REQUEST_CREATED", staged: "TRANSITION_REQUEST_TO_%s_CREATED",
		fields: []string{"version", "to_stage", "from_stage"},
		text:   "{user} requested that registered model '{name}' version {version} transition from {from_stage} to {to_stage}."},
	{"COMMENT", "CREATED"}: {name: "COMMENT_CREATED", fields: []string{"version", "comment"}, text: "{user} commented on registered model '{name}' version {version}."},
}

const registeredModelCreated = "REGISTERED_MODEL_CREATED" // of webhooks for all models alone

// stages are those that have names of events.
var stages = []string{"Staging", "Production", "Archived"}

// names are what an event is called when it is about a stage, "" for none.
func (e workspaceEvent) names(stage string) []string {
	if e.staged == "" || !slices.Contains(stages, stage) {
		return []string{e.name}
	}
	return []string{e.name, fmt.Sprintf(e.staged, strings.ToUpper(stage))}
}

// eventNamed finds an event by any of its names, and the stage that the name tells.
func eventNamed(name string) (e workspaceEvent, stage string, ok bool) {
	for _, e := range workspaceEvents {
		for _, stage := range append([]string{""}, stages...) {
			if names := e.names(stage); names[len(names)-1] == name {
				return e, stage, true
			}
		}
	}
	return e, "", false
}

// workspacePayloads are the messages of an event for a webhook: one for each of
// its names that the webhook wants.
func (s *Service) workspacePayloads(ctx context.Context, w webhook, event Event, data map[string]any) (out []string, err error) {
	e, ok := workspaceEvents[event]
	if !ok || w.model != "" && w.model != data["name"] {
		return nil, nil
	}
	stage, _ := data["to_stage"].(string)
	for _, name := range e.names(stage) {
		if !slices.Contains(w.names, name) {
			continue
		}
		payload, err := s.workspacePayload(ctx, w, name, e, data)
		if err != nil {
			return nil, err
		}
		out = append(out, payload)
	}
	return out, nil
}

func (s *Service) workspacePayload(ctx context.Context, w webhook, name string, e workspaceEvent, data map[string]any) (string, error) {
	type tag struct {
		Key   any `json:"key"`
		Value any `json:"value"`
	}
	message := map[string]any{"event": name, "webhook_id": w.ID, "event_timestamp": s.millis(), "model_name": data["name"]}
	for _, f := range e.fields {
		switch {
		case f == "tags":
			message[f] = []tag{{data["key"], data["value"]}}
		case data[f] != nil:
			message[f] = data[f]
		}
	}
	values := []string{"{user}", rest.User(ctx)}
	for k, v := range data {
		values = append(values, "{"+k+"}", fmt.Sprint(v))
	}
	message["text"] = strings.NewReplacer(values...).Replace(e.text)
	raw, err := json.Marshal(message)
	return string(raw), err
}

func signForWorkspace(h http.Header, secrets secrets, payload string) {
	if secrets.Secret != "" {
		mac := hmac.New(sha256.New, []byte(secrets.Secret))
		mac.Write([]byte(payload))
		h.Set("X-Databricks-Signature", hex.EncodeToString(mac.Sum(nil)))
	}
	if secrets.Authorization != "" {
		h.Set("Authorization", secrets.Authorization)
	}
}

type (
	httpSpec struct {
		URL           string  `json:"url"`
		Authorization *string `json:"authorization"`
		Verify        *bool   `json:"enable_ssl_verification"`
		Secret        *string `json:"secret"`
	}
	// jobSpec would start a job; see errNoJobs.
	jobSpec struct {
		JobID string `json:"job_id"`
	}
	createRegistryRequest struct {
		Events      []string  `json:"events" mlflow:"required"`
		Description string    `json:"description"`
		HTTP        *httpSpec `json:"http_url_spec"`
		Job         *jobSpec  `json:"job_spec"`
		ModelName   string    `json:"model_name"`
		Status      string    `json:"status"`
	}
	updateRegistryRequest struct {
		ID          string    `json:"id" mlflow:"required"`
		Events      []string  `json:"events"`
		Description *string   `json:"description"`
		HTTP        *httpSpec `json:"http_url_spec"`
		Job         *jobSpec  `json:"job_spec"`
		Status      string    `json:"status"`
	}
	registryRequest struct {
		ID string `json:"id" mlflow:"required"`
	}
	testRegistryRequest struct {
		ID    string `json:"id" mlflow:"required"`
		Event string `json:"event"`
	}
	listRegistryRequest struct {
		Events     []string    `json:"events"`
		ModelName  string      `json:"model_name"`
		MaxResults *rest.Int64 `json:"max_results"`
		PageToken  string      `json:"page_token"`
	}
	shownSpec struct {
		URL    string `json:"url"`
		Verify bool   `json:"enable_ssl_verification"`
	}
	// registryWebhook is a webhook as it is told: without its secrets.
	registryWebhook struct {
		ID                   string    `json:"id"`
		Events               []string  `json:"events"`
		CreationTimestamp    int64     `json:"creation_timestamp"`
		LastUpdatedTimestamp int64     `json:"last_updated_timestamp"`
		Description          string    `json:"description,omitempty"`
		Status               string    `json:"status"`
		HTTP                 shownSpec `json:"http_url_spec"`
		ModelName            string    `json:"model_name,omitempty"`
	}
	registryResponse struct {
		Webhook registryWebhook `json:"webhook"`
	}
	registryListResponse struct {
		Webhooks      []registryWebhook `json:"webhooks,omitempty"`
		NextPageToken string            `json:"next_page_token,omitempty"`
	}
	testRegistryResponse struct {
		StatusCode int    `json:"status_code"`
		Body       string `json:"body"`
	}
)

var errNoJobs = rest.Errorf(rest.NotImplemented, "A webhook cannot start a job ('job_spec'): this server has no jobs. Give it an 'http_url_spec'.")

func shown(w webhook) registryWebhook {
	return registryWebhook{w.ID, w.names, w.CreationTimestamp, w.LastUpdatedTimestamp, w.Description, w.Status, shownSpec{w.URL, !w.unverified}, w.model}
}

func checkNames(names []string, model string) error {
	if len(names) == 0 {
		return rest.MissingParameter("events")
	}
	for _, name := range names {
		if _, _, ok := eventNamed(name); !ok {
			return rest.InvalidValue("events", name, "")
		}
		if name == registeredModelCreated && model != "" {
			return rest.Invalid("The event %s is for webhooks of the whole registry: leave out 'model_name'.", name)
		}
	}
	return nil
}

// take takes over what a request says of the receiver.
func (s *Service) take(w *webhook, spec *httpSpec) error {
	if spec.URL != "" {
		w.URL = spec.URL
	}
	if spec.Verify != nil {
		w.unverified = !*spec.Verify
	}
	if spec.Secret == nil && spec.Authorization == nil {
		return nil
	}
	var keep secrets
	if spec.Secret == nil || spec.Authorization == nil {
		var err error
		if keep, err = s.unseal(*w); err != nil {
			return err
		}
	}
	for _, c := range []struct{ from, to *string }{{spec.Secret, &keep.Secret}, {spec.Authorization, &keep.Authorization}} {
		if c.from != nil {
			*c.to = *c.from
		}
	}
	if strings.ContainsAny(keep.Authorization, "\r\n") {
		return rest.Invalid("'http_url_spec.authorization' is one line.")
	}
	return s.sealInto(w, keep)
}

func setStatus(w *webhook, status string) error {
	if status != "" {
		w.Status = status
	}
	if !slices.Contains([]string{"ACTIVE", "DISABLED", "TEST_MODE"}, w.Status) {
		return rest.InvalidValue("status", status, "")
	}
	return nil
}

func (s *Service) createRegistry(ctx context.Context, in *createRegistryRequest) (*registryResponse, error) {
	switch {
	case in.Job != nil && in.HTTP != nil:
		return nil, rest.Invalid("Give one of 'http_url_spec' and 'job_spec', not both.")
	case in.Job != nil:
		return nil, errNoJobs
	case in.HTTP == nil:
		return nil, rest.MissingParameter("http_url_spec")
	}
	if err := errors.Join(checkNames(in.Events, in.ModelName), s.checkURL(ctx, in.HTTP.URL)); err != nil {
		return nil, err
	}
	now := s.millis()
	w := webhook{Webhook: Webhook{ID: strings.ReplaceAll(uuid.NewString(), "-", ""), Description: in.Description, Status: "ACTIVE", CreationTimestamp: now,
		LastUpdatedTimestamp: now}, workspace: true, names: in.Events, model: in.ModelName}
	if err := errors.Join(setStatus(&w, in.Status), s.take(&w, in.HTTP)); err != nil {
		return nil, err
	}
	err := s.db.Write(ctx, func(ctx context.Context, q db.Querier) error {
		if in.ModelName == "" {
			return insertWebhook(ctx, q, w, nil)
		}
		var model int64
		err := q.QueryRowContext(ctx, `SELECT id FROM registered_models WHERE name = ?`, in.ModelName).Scan(&model)
		if errors.Is(err, sql.ErrNoRows) {
			return rest.NotFound("Registered Model with name=%s not found", in.ModelName)
		}
		if err != nil {
			return err
		}
		return insertWebhook(ctx, q, w, &model)
	})
	if err != nil {
		return nil, err
	}
	return &registryResponse{shown(w)}, nil
}

func (s *Service) listRegistry(ctx context.Context, in *listRegistryRequest) (*registryListResponse, error) {
	limit, offset, err := page(in.MaxResults, in.PageToken, 1000)
	if err != nil {
		return nil, err
	}
	found, err := selectWebhooks(ctx, s.db.Reader(), `WHERE w.workspace = 1 ORDER BY w.created_ms DESC, w.id DESC`)
	if err != nil {
		return nil, err
	}
	var out registryListResponse
	for _, w := range found {
		wanted := len(in.Events) == 0 || slices.ContainsFunc(w.names, func(n string) bool { return slices.Contains(in.Events, n) })
		if wanted && (in.ModelName == "" || w.model == in.ModelName) {
			out.Webhooks = append(out.Webhooks, shown(w))
		}
	}
	out.Webhooks = out.Webhooks[min(offset, len(out.Webhooks)):]
	if len(out.Webhooks) > limit {
		out.Webhooks, out.NextPageToken = out.Webhooks[:limit], rest.PageToken(offset+limit)
	}
	return &out, nil
}

func (s *Service) updateRegistry(ctx context.Context, in *updateRegistryRequest) (*registryResponse, error) {
	if in.Job != nil {
		return nil, errNoJobs
	}
	if in.HTTP != nil && in.HTTP.URL != "" {
		if err := s.checkURL(ctx, in.HTTP.URL); err != nil {
			return nil, err
		}
	}
	var out registryResponse
	err := s.db.Write(ctx, func(ctx context.Context, q db.Querier) error {
		w, err := webhookByID(ctx, q, in.ID, true)
		if err != nil {
			return err
		}
		if len(in.Events) > 0 {
			w.names = in.Events
		}
		if in.Description != nil {
			w.Description = *in.Description
		}
		if err := errors.Join(checkNames(w.names, w.model), setStatus(&w, in.Status)); err != nil {
			return err
		}
		if in.HTTP != nil {
			if err := s.take(&w, in.HTTP); err != nil {
				return err
			}
		}
		w.LastUpdatedTimestamp = s.millis()
		out.Webhook = shown(w)
		return updateWebhook(ctx, q, w)
	})
	if err != nil {
		return nil, err
	}
	return &out, nil
}

func (s *Service) deleteRegistry(ctx context.Context, in *registryRequest) (*empty, error) {
	return nil, s.remove(ctx, in.ID, true)
}

// testRegistry sends an example at once, whatever the webhook's status.
func (s *Service) testRegistry(ctx context.Context, in *testRegistryRequest) (*testRegistryResponse, error) {
	w, err := webhookByID(ctx, s.db.Reader(), in.ID, true)
	if err != nil {
		return nil, err
	}
	name := in.Event
	if name == "" {
		name = w.names[0]
	}
	e, stage, ok := eventNamed(name)
	if !ok {
		return nil, rest.InvalidValue("event", name, "")
	}
	data := map[string]any{"name": w.model, "version": "1", "run_id": example["run_id"], "key": example["key"], "value": example["value"],
		"comment": "An example", "from_stage": "None", "to_stage": stage}
	if w.model == "" {
		data["name"] = example["name"]
	}
	if stage == "" {
		data["to_stage"] = stages[0]
	}
	payload, err := s.workspacePayload(ctx, w, name, e, data)
	if err != nil {
		return nil, err
	}
	status, body, _, err := s.send(ctx, delivery{id: uuid.NewString(), payload: payload, to: w})
	if err != nil {
		return nil, rest.Errorf(rest.BadRequest, "The webhook's URL could not be reached: %v", err)
	}
	return &testRegistryResponse{status, body}, nil
}
