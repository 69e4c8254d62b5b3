package webhook

import (
	"context"
	"encoding/json"
	"fmt"

	"github.com/millpond/millpond/internal/db"
)

// secrets are what a webhook signs with, and signs in with. They are kept sealed
// and opened only to send.
type secrets struct {
	Secret        string `json:"secret,omitempty"`
	Authorization string `json:"authorization,omitempty"`
}

// sealInto keeps secrets in a webhook that has its id.
func (s *Service) sealInto(w *webhook, keep secrets) error {
	w.sealed = ""
	if keep == (secrets{}) {
		return nil
	}
	raw, err := json.Marshal(keep)
	if err == nil {
		w.sealed, err = s.secrets.Seal(raw, place(w))
	}
	return err
}

// unseal opens what a webhook was sealed with.
func (s *Service) unseal(w webhook) (out secrets, err error) {
	if w.sealed == "" {
		return out, nil
	}
	raw, err := s.secrets.Open(w.sealed, place(&w))
	if err != nil {
		return out, fmt.Errorf("the secret of webhook %s: %w", w.ID, err)
	}
	return out, json.Unmarshal(raw, &out)
}

// place binds what is sealed to its webhook: it opens in no other row.
func place(w *webhook) string { return "webhook " + w.ID }

// SealOld seals what earlier versions of the program kept as it was.
func (s *Service) SealOld(ctx context.Context) error {
	rows, err := s.db.Reader().QueryContext(ctx, `SELECT id, webhook_id, secret FROM webhooks WHERE secret != ''`)
	if err != nil {
		return err
	}
	defer rows.Close()
	var old []webhook
	for rows.Next() {
		var w webhook
		var secret string
		if err := rows.Scan(&w.row, &w.ID, &secret); err != nil {
			return err
		}
		if err := s.sealInto(&w, secrets{Secret: secret}); err != nil {
			return err
		}
		old = append(old, w)
	}
	if err := rows.Err(); err != nil || len(old) == 0 {
		return err
	}
	return s.db.Write(ctx, func(ctx context.Context, q db.Querier) error {
		for _, w := range old {
			if _, err := q.ExecContext(ctx, `UPDATE webhooks SET sealed = ?, secret = '' WHERE id = ? AND secret != ''`, w.sealed, w.row); err != nil {
				return err
			}
		}
		return nil
	})
}
