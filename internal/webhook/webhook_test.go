package webhook

import (
	"context"
	"encoding/json"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/millpond/millpond/internal/db"
	"github.com/millpond/millpond/internal/db/dbtest"
	"github.com/millpond/millpond/internal/rest"
	"github.com/millpond/millpond/internal/seal"
)

var quiet = slog.New(slog.DiscardHandler)

func TestOnPostgres(t *testing.T) { dbtest.OnPostgres(t) }

// clock is a time that a test moves.
type clock struct {
	mu sync.Mutex
	t  time.Time
}

func (c *clock) now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.t
}

func (c *clock) move(d time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.t = c.t.Add(d)
}

func newService(t *testing.T, private bool) (*Service, *clock) {
	t.Helper()
	records, err := db.Open(t.Context(), dbtest.Address(t), db.Options{Logger: quiet})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { records.Close() })
	c := &clock{t: time.Unix(1_800_000_000, 0)}
	secrets, err := seal.New("", filepath.Join(t.TempDir(), "key"))
	if err != nil {
		t.Fatal(err)
	}
	return New(records, Options{AllowPrivate: private, Secrets: secrets, Logger: quiet, Now: c.now}), c
}

// receiver answers with statuses in turn, then with 200.
type receiver struct {
	mu       sync.Mutex
	statuses []int
	got      []*http.Request
	bodies   []string
}

func (r *receiver) ServeHTTP(w http.ResponseWriter, req *http.Request) {
	body, _ := io.ReadAll(req.Body)
	r.mu.Lock()
	defer r.mu.Unlock()
	r.got, r.bodies = append(r.got, req), append(r.bodies, string(body))
	if len(r.statuses) > 0 {
		w.WriteHeader(r.statuses[0])
		r.statuses = r.statuses[1:]
	}
}

var aliasSet = Event{"MODEL_VERSION_ALIAS", "CREATED"}

func listen(t *testing.T, s *Service, r http.Handler, secret string) (*httptest.Server, *webhookResponse) {
	t.Helper()
	server := httptest.NewServer(r)
	t.Cleanup(server.Close)
	w, err := s.create(t.Context(), &createRequest{Name: "hook", URL: server.URL, Events: []Event{aliasSet}, Secret: secret})
	if err != nil {
		t.Fatal(err)
	}
	return server, w
}

func emit(t *testing.T, s *Service, e Event) {
	t.Helper()
	err := s.db.Write(t.Context(), func(ctx context.Context, q db.Querier) error {
		return s.Emit(ctx, q, string(e.Entity), string(e.Action), map[string]any{"name": "m", "alias": "a", "version": "1"})
	})
	if err != nil {
		t.Fatal(err)
	}
}

func round(t *testing.T, s *Service) {
	t.Helper()
	if _, err := s.round(t.Context()); err != nil {
		t.Fatal(err)
	}
}

func pending(t *testing.T, s *Service) (n int) {
	t.Helper()
	if err := s.db.Reader().QueryRowContext(t.Context(), `SELECT COUNT(*) FROM webhook_deliveries`).Scan(&n); err != nil {
		t.Fatal(err)
	}
	return n
}

func TestSignedDelivery(t *testing.T) {
	s, _ := newService(t, true)
	r := &receiver{}
	listen(t, s, r, "secret")
	emit(t, s, aliasSet)
	emit(t, s, Event{"MODEL_VERSION", "CREATED"}) // nobody listens to it
	round(t, s)
	if len(r.got) != 1 || pending(t, s) != 0 {
		t.Fatalf("%d requests, %d waiting", len(r.got), pending(t, s))
	}
	h := r.got[0].Header
	if want := sign("secret", h.Get("X-MLflow-Delivery-Id"), h.Get("X-MLflow-Timestamp"), r.bodies[0]); h.Get("X-MLflow-Signature") != want || h.Get("X-MLflow-Timestamp") != "1800000000" {
		t.Errorf("headers: %v", h)
	}
	var message map[string]any
	if err := json.Unmarshal([]byte(r.bodies[0]), &message); err != nil || message["entity"] != "model_version_alias" || message["action"] != "created" {
		t.Errorf("message: %s (%v)", r.bodies[0], err)
	}
}

// TestSignature holds the signature against one that MLflow's own code made.
func TestSignature(t *testing.T) {
	if got := sign("s3cret", "id-1", "1700000000", `{"a": 1}`); got != "v1,YW5PRvKTy+IERaaAfKQzg15qWC7EzIzNmMWjrKRbRvY=" {
		t.Errorf("got %s", got)
	}
}

func TestRetries(t *testing.T) {
	s, c := newService(t, true)
	r := &receiver{statuses: []int{503, 429, 200}}
	listen(t, s, r, "")
	emit(t, s, aliasSet)
	round(t, s)
	round(t, s) // too early
	if len(r.got) != 1 {
		t.Fatalf("%d requests without a pause", len(r.got))
	}
	for range 2 {
		c.move(10 * time.Second)
		round(t, s)
	}
	if len(r.got) != 3 || pending(t, s) != 0 {
		t.Errorf("%d requests, %d waiting", len(r.got), pending(t, s))
	}
	if r.got[0].Header.Get("X-MLflow-Delivery-Id") != r.got[2].Header.Get("X-MLflow-Delivery-Id") {
		t.Error("a repeated message has another id: its receiver cannot know it again")
	}

	r.statuses = make([]int, 100)
	for i := range r.statuses {
		r.statuses[i] = 500
	}
	emit(t, s, aliasSet)
	for range maxTries + 5 {
		round(t, s)
		c.move(2 * maxWait)
	}
	if len(r.got) != 3+maxTries || pending(t, s) != 0 {
		t.Errorf("%d requests to a receiver that always fails, %d waiting", len(r.got)-3, pending(t, s))
	}
	r.statuses = []int{404}
	emit(t, s, aliasSet)
	round(t, s)
	if pending(t, s) != 0 {
		t.Error("a receiver that refuses is asked again")
	}
}

func TestRedirectsAreNotFollowed(t *testing.T) {
	s, _ := newService(t, true)
	inner := &receiver{}
	target := httptest.NewServer(inner)
	t.Cleanup(target.Close)
	listen(t, s, http.RedirectHandler(target.URL, http.StatusTemporaryRedirect), "")
	emit(t, s, aliasSet)
	round(t, s)
	if len(inner.got) != 0 {
		t.Error("a redirect was followed")
	}
}

func TestInsideIsRefused(t *testing.T) {
	s, _ := newService(t, false)
	for _, url := range []string{"https://127.0.0.1/x", "https://localhost/", "https://[::1]/", "https://10.1.2.3/", "https://169.254.169.254/latest", "https://[::ffff:10.0.0.1]/",
		"https://0.0.0.0/", "https://100.64.1.1/", "https://[fd00::1]/", "https://[64:ff9b::a00:1]/", "https://[2002:a00:1::]/", "http://93.184.216.34/", "ftp://93.184.216.34/", "https:///x", " "} {
		_, err := s.create(t.Context(), &createRequest{Name: "hook", URL: url, Events: []Event{aliasSet}})
		if !rest.IsCode(err, rest.InvalidParameterValue) {
			t.Errorf("%s: %v", url, err)
		}
	}
	if !isOpen(netip.MustParseAddr("93.184.216.34")) || !isOpen(netip.MustParseAddr("2606:2800:220:1::1")) {
		t.Error("an open address is refused")
	}
}

// TestDialIsChecked: the name may mean another address when it is dialled.
func TestDialIsChecked(t *testing.T) {
	s, _ := newService(t, false)
	r := &receiver{}
	server := httptest.NewServer(r)
	t.Cleanup(server.Close)
	_, _, _, err := s.send(t.Context(), delivery{id: "x", payload: "{}", to: webhook{Webhook: Webhook{URL: server.URL}}})
	if err == nil || !strings.Contains(err.Error(), errInside.Error()) || len(r.got) != 0 {
		t.Errorf("dialled a loopback address: %v", err)
	}
}

func TestChanges(t *testing.T) {
	s, _ := newService(t, true)
	r := &receiver{statuses: []int{201}}
	_, w := listen(t, s, r, "secret")
	id := w.Webhook.ID
	tested, err := s.test(t.Context(), &testRequest{ID: id})
	if err != nil || !tested.Result.Success || *tested.Result.ResponseStatus != 201 {
		t.Errorf("test: %+v, %v", tested, err)
	}
	disabled := rest.Enum("DISABLED")
	if _, err := s.update(t.Context(), &updateRequest{ID: id, Status: &disabled}); err != nil {
		t.Fatal(err)
	}
	emit(t, s, aliasSet)
	if pending(t, s) != 0 {
		t.Error("a webhook that is off gets events")
	}
	list, err := s.list(t.Context(), &listRequest{})
	if err != nil || len(list.Webhooks) != 1 || list.Webhooks[0].Status != "DISABLED" {
		t.Errorf("list: %+v, %v", list, err)
	}
	if _, err := s.delete(t.Context(), &webhookRequest{id}); err != nil {
		t.Fatal(err)
	}
	if _, err := s.get(t.Context(), &webhookRequest{id}); !rest.IsCode(err, rest.ResourceDoesNotExist) {
		t.Errorf("a deleted webhook: %v", err)
	}
	bad := []Event{{"MODEL_VERSION", "SET"}}
	if _, err := s.create(t.Context(), &createRequest{Name: "hook", URL: "http://x.example/", Events: bad}); !rest.IsCode(err, rest.InvalidParameterValue) {
		t.Errorf("an event that there is not: %v", err)
	}
}
