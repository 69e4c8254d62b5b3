package access

import (
	"context"
	"sync"
	"time"
)

// Functions that run for a user may do what the user may, for as long as a token of theirs lives.
const (
	workerLife = 12 * time.Hour
	workerLeft = time.Hour // less than this is left: another is made
)

// workerTokens are the tokens that Python workers run with, by the users' names.
type workerTokens struct {
	mu     sync.Mutex
	byUser map[string]workerToken
}

type workerToken struct {
	secret string
	until  time.Time
}

// WorkerToken gives the token that a user's Python functions sign in with. It is listed among the
// user's tokens; a revoked one is replaced.
func (s *Service) WorkerToken(ctx context.Context, user string) (string, error) {
	s.workers.mu.Lock()
	defer s.workers.mu.Unlock()
	if t, ok := s.workers.byUser[user]; ok && s.now().Add(workerLeft).Before(t.until) {
		if u, err := s.byToken(ctx, t.secret, apiToken); err != nil || u != nil {
			return t.secret, err
		}
	}
	secret, _, err := s.NewToken(ctx, user, "Python functions of Spark sessions", workerLife)
	if err != nil {
		return "", err
	}
	s.workers.byUser[user] = workerToken{secret, s.now().Add(workerLife)}
	return secret, nil
}
