package webhook

import (
	"bytes"
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"net/http"
	"strconv"
	"sync"
	"time"

	"github.com/google/uuid"

	"github.com/millpond/millpond/internal/db"
)

const (
	workers  = 8
	maxTries = 8 // over about four minutes
	maxWait  = time.Minute
	lease    = requestTimeout + 10*time.Second
	idle     = 30 * time.Second
	maxBody  = 4 << 10 // of an answer that is shown
)

// Run delivers events until ctx ends.
func (s *Service) Run(ctx context.Context) {
	for ctx.Err() == nil {
		wait := idle
		more, err := s.round(ctx)
		switch {
		case err != nil && ctx.Err() == nil:
			s.log.ErrorContext(ctx, "webhooks cannot be delivered", "error", err)
		case more:
			continue
		default:
			if at, ok, err := nextDue(ctx, s.db.Reader()); err == nil && ok {
				wait = min(idle, max(0, time.Duration(at-s.millis())*time.Millisecond))
			}
		}
		select {
		case <-ctx.Done():
		case <-s.wake:
		case <-time.After(wait):
		}
	}
}

// round delivers what is due; it tells whether there may be more.
func (s *Service) round(ctx context.Context) (bool, error) {
	list, err := due(ctx, s.db.Reader(), s.millis(), workers)
	if err != nil {
		return false, err
	}
	var wg sync.WaitGroup
	errs := make([]error, len(list))
	for i, d := range list {
		wg.Go(func() { errs[i] = s.attempt(ctx, d) })
	}
	wg.Wait()
	return len(list) == workers, errors.Join(errs...)
}

// attempt sends one event once and settles what becomes of it.
func (s *Service) attempt(ctx context.Context, d delivery) error {
	mine := false
	err := s.db.Write(ctx, func(ctx context.Context, q db.Querier) (err error) {
		mine, err = claim(ctx, q, d, s.millis()+lease.Milliseconds())
		return err
	})
	if err != nil || !mine {
		return err
	}
	status, _, retryAfter, err := s.send(ctx, d)
	if ctx.Err() != nil {
		return nil // the server is stopping: the lease ends by itself
	}
	failure := ""
	switch {
	case err != nil:
		failure = err.Error()
	case status >= 400:
		failure = fmt.Sprintf("HTTP status %d", status)
	}
	again := failure != "" && d.tries+1 < maxTries && !errors.Is(err, errInside) && (err != nil || status == http.StatusTooManyRequests || status >= 500)
	if failure != "" && !again {
		s.log.WarnContext(ctx, "an event is given up: its webhook cannot be reached", "url", d.to.URL, "delivery", d.id, "tries", d.tries+1, "error", failure)
	}
	return s.db.Write(ctx, func(ctx context.Context, q db.Querier) error {
		if !again {
			return forget(ctx, q, d)
		}
		return postpone(ctx, q, d, s.millis()+max(backoff(d.tries), retryAfter).Milliseconds(), failure)
	})
}

// backoff is how long to wait after a number of failures: twice as long each
// time, and not all receivers' at once.
func backoff(tries int64) time.Duration {
	d := min(maxWait, time.Second<<min(tries, 10))
	return d + rand.N(d/2+1)
}

// send makes the signed request of one event.
func (s *Service) send(ctx context.Context, d delivery) (status int, body string, retryAfter time.Duration, err error) {
	ctx, cancel := context.WithTimeout(ctx, requestTimeout)
	defer cancel()
	r, err := http.NewRequestWithContext(ctx, http.MethodPost, d.to.URL, bytes.NewReader([]byte(d.payload)))
	if err != nil {
		return 0, "", 0, err
	}
	secrets, err := s.unseal(d.to)
	if err != nil {
		return 0, "", 0, err
	}
	r.Header.Set("Content-Type", "application/json")
	r.Header.Set("User-Agent", "millpond-webhook")
	if d.to.workspace {
		signForWorkspace(r.Header, secrets, d.payload)
	} else {
		signForMLflow(r.Header, secrets, d, unixSeconds(s.millis()))
	}
	client := s.client
	if d.to.unverified {
		client = s.unverified
	}
	answer, err := client.Do(r)
	if err != nil {
		return 0, "", 0, err
	}
	defer answer.Body.Close()
	text, err := io.ReadAll(io.LimitReader(answer.Body, maxBody))
	if err != nil {
		return 0, "", 0, err
	}
	if seconds, err := strconv.Atoi(answer.Header.Get("Retry-After")); err == nil && seconds > 0 {
		retryAfter = min(time.Duration(seconds)*time.Second, 10*maxWait)
	}
	return answer.StatusCode, string(text), retryAfter, nil
}

func signForMLflow(h http.Header, secrets secrets, d delivery, at string) {
	h.Set("X-MLflow-Delivery-Id", d.id)
	h.Set("X-MLflow-Timestamp", at)
	if secrets.Secret != "" {
		h.Set("X-MLflow-Signature", sign(secrets.Secret, d.id, at, d.payload))
	}
}

// sign is the signature by which a receiver knows that the message is ours and new.
func sign(secret, id, timestamp, payload string) string {
	mac := hmac.New(sha256.New, []byte(secret))
	mac.Write([]byte(id + "." + timestamp + "." + payload))
	return "v1," + base64.StdEncoding.EncodeToString(mac.Sum(nil))
}

type (
	testRequest struct {
		ID    string `json:"webhook_id"`
		Event *Event `json:"event"`
	}
	testResult struct {
		Success        bool   `json:"success"`
		ResponseStatus *int   `json:"response_status,omitempty"`
		ResponseBody   string `json:"response_body,omitempty"`
		ErrorMessage   string `json:"error_message,omitempty"`
	}
	testResponse struct {
		Result testResult `json:"result"`
	}
)

// example is the data of a test message: what the events have in common.
var example = map[string]any{"name": "example_model", "version": "1", "source": "models:/123", "run_id": "abcd1234abcd5678", "alias": "example_alias",
	"template": "Hello {{name}}!", "key": "example_key", "value": "example_value", "tags": map[string]string{"example_key": "example_value"}, "description": "An example"}

// fields are the parts of the example that an event has.
var fields = map[Event][]string{
	{"REGISTERED_MODEL", "CREATED"}:    {"name", "tags", "description"},
	{"MODEL_VERSION", "CREATED"}:       {"name", "version", "source", "run_id", "tags", "description"},
	{"MODEL_VERSION_TAG", "SET"}:       {"name", "version", "key", "value"},
	{"MODEL_VERSION_TAG", "DELETED"}:   {"name", "version", "key"},
	{"MODEL_VERSION_ALIAS", "CREATED"}: {"name", "alias", "version"},
	{"MODEL_VERSION_ALIAS", "DELETED"}: {"name", "alias"},
	{"PROMPT", "CREATED"}:              {"name", "tags", "description"},
	{"PROMPT_VERSION", "CREATED"}:      {"name", "version", "template", "tags", "description"},
	{"PROMPT_TAG", "SET"}:              {"name", "key", "value"},
	{"PROMPT_TAG", "DELETED"}:          {"name", "key"},
	{"PROMPT_VERSION_TAG", "SET"}:      {"name", "version", "key", "value"},
	{"PROMPT_VERSION_TAG", "DELETED"}:  {"name", "version", "key"},
	{"PROMPT_ALIAS", "CREATED"}:        {"name", "alias", "version"},
	{"PROMPT_ALIAS", "DELETED"}:        {"name", "alias"},
}

// test sends an example at once and answers with what the receiver said.
func (s *Service) test(ctx context.Context, in *testRequest) (*testResponse, error) {
	w, err := webhookByID(ctx, s.db.Reader(), in.ID, false)
	if err != nil {
		return nil, err
	}
	event := w.Events[0]
	if in.Event != nil {
		event = *in.Event
		if err := event.check(); err != nil {
			return nil, err
		}
	}
	data := map[string]any{}
	for _, f := range fields[event] {
		data[f] = example[f]
	}
	payload, err := s.payload(string(event.Entity), string(event.Action), data)
	if err != nil {
		return nil, err
	}
	status, body, _, err := s.send(ctx, delivery{id: uuid.NewString(), payload: payload, to: w})
	if err != nil {
		return &testResponse{testResult{ErrorMessage: "Failed to test webhook: " + err.Error()}}, nil
	}
	return &testResponse{testResult{Success: status < 400, ResponseStatus: &status, ResponseBody: body}}, nil
}
