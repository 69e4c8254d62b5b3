package webhook

import (
	"context"
	"path/filepath"
	"strings"
	"testing"

	"github.com/millpond/millpond/internal/db"
	"github.com/millpond/millpond/internal/seal"
)

// kept is everything that the records say of webhooks' secrets.
func kept(t *testing.T, s *Service) string {
	t.Helper()
	var secret, sealed string
	if err := s.db.Reader().QueryRowContext(t.Context(), `SELECT secret, sealed FROM webhooks`).Scan(&secret, &sealed); err != nil {
		t.Fatal(err)
	}
	return secret + "/" + sealed
}

func TestSecretsAreSealed(t *testing.T) {
	s, _ := newService(t, true)
	r := &receiver{}
	_, w := listen(t, s, r, "s3cret")
	if text := kept(t, s); strings.Contains(text, "s3cret") || len(text) < 40 {
		t.Errorf("kept as %q", text)
	}
	other := "0ther"
	if _, err := s.update(t.Context(), &updateRequest{ID: w.Webhook.ID, Secret: &other}); err != nil {
		t.Fatal(err)
	}
	if text := kept(t, s); strings.Contains(text, other) {
		t.Errorf("kept as %q", text)
	}
	emit(t, s, aliasSet)
	round(t, s)
	h := r.got[0].Header
	if h.Get("X-MLflow-Signature") != sign(other, h.Get("X-MLflow-Delivery-Id"), h.Get("X-MLflow-Timestamp"), r.bodies[0]) {
		t.Errorf("signed with another secret: %v", h)
	}
}

// TestOldSecrets: what an earlier version kept as it was is sealed, and still signs.
func TestOldSecrets(t *testing.T) {
	s, _ := newService(t, true)
	r := &receiver{}
	listen(t, s, r, "")
	err := s.db.Write(t.Context(), func(ctx context.Context, q db.Querier) error {
		_, err := q.ExecContext(ctx, `UPDATE webhooks SET secret = 'old'`)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	for range 2 { // the second finds nothing to do
		if err := s.SealOld(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
	if text := kept(t, s); !strings.HasPrefix(text, "/") || len(text) < 40 {
		t.Errorf("kept as %q", text)
	}
	emit(t, s, aliasSet)
	round(t, s)
	h := r.got[0].Header
	if h.Get("X-MLflow-Signature") != sign("old", h.Get("X-MLflow-Delivery-Id"), h.Get("X-MLflow-Timestamp"), r.bodies[0]) {
		t.Errorf("signed with another secret: %v", h)
	}
}

// TestLostKey: without its key a secret is not replaced by none: nothing is sent.
func TestLostKey(t *testing.T) {
	s, _ := newService(t, true)
	r := &receiver{}
	listen(t, s, r, "s3cret")
	var err error
	if s.secrets, err = seal.New("", filepath.Join(t.TempDir(), "another")); err != nil {
		t.Fatal(err)
	}
	emit(t, s, aliasSet)
	round(t, s)
	if len(r.got) != 0 || pending(t, s) != 1 {
		t.Errorf("%d messages were sent without the key, %d wait", len(r.got), pending(t, s))
	}
	if list, err := s.list(t.Context(), &listRequest{}); err != nil || len(list.Webhooks) != 1 {
		t.Errorf("the list needs the key: %v", err)
	}
}
