package access

import (
	"context"
	"database/sql"
	"errors"
	"net/http"
	"sync"
	"time"

	"github.com/millpond/millpond/internal/db"
)

// Programs that act for a user get tokens of their own that live for a while. A
// program that asks again gets the same one, as long as enough of it is left.
const (
	workerLife = 12 * time.Hour // of a user's Python functions
	clientLife = time.Hour      // of a program that signs in by OAuth
)

// lentTokens are the tokens that programs have, by whom they are for.
type lentTokens struct {
	mu    sync.Mutex
	known map[string]lentToken
}

type lentToken struct {
	secret string
	until  time.Time
}

// lend gives the token that is known by a key, or makes one that lives for life.
// A revoked one is replaced.
func (s *Service) lend(ctx context.Context, key string, life time.Duration, create func() (string, Token, error)) (lentToken, error) {
	s.lent.mu.Lock()
	defer s.lent.mu.Unlock()
	if t, ok := s.lent.known[key]; ok && s.now().Add(life/2).Before(t.until) {
		if u, err := s.byToken(ctx, t.secret, apiToken); err != nil || u != nil {
			return t, err
		}
	}
	secret, made, err := create()
	if err != nil {
		return lentToken{}, err
	}
	if len(s.lent.known) >= maxKnown {
		clear(s.lent.known)
	}
	t := lentToken{secret, time.UnixMilli(made.ExpiryTime)}
	s.lent.known[key] = t
	return t, nil
}

// WorkerToken gives the token that a user's Python functions sign in with. It is listed among the
// user's tokens.
func (s *Service) WorkerToken(ctx context.Context, user string) (string, error) {
	t, err := s.lend(ctx, "functions of "+user, workerLife, func() (string, Token, error) {
		return s.NewToken(ctx, user, "Python functions of Spark sessions", workerLife)
	})
	return t.secret, err
}

// ClientToken gives a program a token for one of a user's own: "" if the user has
// no such token. It ends with that one, and is not listed.
func (s *Service) ClientToken(r *http.Request, user, secret string) (string, time.Duration, error) {
	ctx := r.Context()
	u, err := s.byToken(ctx, secret, apiToken)
	if err != nil {
		return "", 0, err
	}
	if u == nil || u.Name != user {
		s.audit("", "authenticate", r.Method+" "+r.URL.Path, http.StatusUnauthorized, r.RemoteAddr)
		return "", 0, nil
	}
	t, err := s.lend(ctx, "client of "+hashOf(secret), clientLife, func() (string, Token, error) { return s.newClientToken(ctx, u, hashOf(secret)) })
	if errors.Is(err, sql.ErrNoRows) { // revoked a moment ago
		return "", 0, nil
	}
	return t.secret, t.until.Sub(s.now()), err
}

func (s *Service) newClientToken(ctx context.Context, u *User, parent string) (string, Token, error) {
	secret, hash := newSecret()
	now := s.millis()
	t := Token{User: u.Name, CreationTime: now}
	err := s.db.Write(ctx, func(ctx context.Context, q db.Querier) error {
		var id int64
		var expires *int64
		if err := q.QueryRowContext(ctx, `SELECT id, expires_ms FROM tokens WHERE hash = ? AND kind = ?`, parent, apiToken).Scan(&id, &expires); err != nil {
			return err
		}
		t.ExpiryTime = now + clientLife.Milliseconds()
		if expires != nil {
			t.ExpiryTime = min(t.ExpiryTime, *expires)
		}
		if _, err := q.ExecContext(ctx, `DELETE FROM tokens WHERE parent = ? AND expires_ms <= ?`, id, now); err != nil {
			return err
		}
		_, err := q.ExecContext(ctx, `INSERT INTO tokens (user_id, kind, hash, parent, created_ms, expires_ms) VALUES (?, ?, ?, ?, ?, ?)`, u.ID, apiToken, hash, id, now, t.ExpiryTime)
		return err
	})
	return secret, t, err
}
