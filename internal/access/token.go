package access

import (
	"context"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"strings"
	"sync"
	"time"

	"golang.org/x/crypto/bcrypt"

	"github.com/millpond/millpond/internal/db"
	"github.com/millpond/millpond/internal/rest"
)

const (
	tokenPrefix = "mpt_" // so that scanners for leaked secrets know it
	apiToken    = "token"
	session     = "session"
	// known is for how long a token is taken for good without asking the
	// database: so long a token that another process revokes may live on.
	known = time.Second
	// maxKnown bounds the memory of a server with many users.
	maxKnown = 10_000
)

// newSecret makes a secret that cannot be guessed, and the hash that is kept of it.
func newSecret() (secret, hash string) {
	var b [32]byte
	_, _ = rand.Read(b[:]) // it never fails: the program ends if it would
	secret = tokenPrefix + base64.RawURLEncoding.EncodeToString(b[:])
	return secret, hashOf(secret)
}

// hashOf needs no salt and no slowness: the secrets are 256 random bits.
func hashOf(secret string) string {
	sum := sha256.Sum256([]byte(secret))
	return hex.EncodeToString(sum[:])
}

// cache keeps for a moment who a hash belongs to.
type cache struct {
	mu      sync.RWMutex
	entries map[string]entry
}

type entry struct {
	user  *User
	until time.Time
}

func newCache() *cache { return &cache{entries: map[string]entry{}} }

func (c *cache) get(key string, now time.Time) *User {
	c.mu.RLock()
	defer c.mu.RUnlock()
	if e, ok := c.entries[key]; ok && now.Before(e.until) {
		return e.user
	}
	return nil
}

func (c *cache) put(key string, u *User, until time.Time) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if len(c.entries) >= maxKnown {
		clear(c.entries)
	}
	c.entries[key] = entry{u, until}
}

func (c *cache) clear() {
	c.mu.Lock()
	defer c.mu.Unlock()
	clear(c.entries)
}

// changed forgets what was known, after users or tokens have changed.
func (s *Service) changed() {
	s.tokens.clear()
	s.secrets.clear()
}

// byToken finds whose a token is, nil if nobody's.
func (s *Service) byToken(ctx context.Context, secret, kind string) (*User, error) {
	if !strings.HasPrefix(secret, tokenPrefix) || len(secret) > 100 {
		return nil, nil
	}
	key, now := kind+hashOf(secret), s.now()
	if u := s.tokens.get(key, now); u != nil {
		return u, nil
	}
	u, expires, err := tokenOwner(ctx, s.db.Reader(), kind, hashOf(secret), now.UnixMilli())
	if err != nil || u == nil {
		return nil, err
	}
	until := now.Add(known)
	if expires != nil && time.UnixMilli(*expires).Before(until) {
		until = time.UnixMilli(*expires)
	}
	s.tokens.put(key, u, until)
	return u, nil
}

// byPassword finds a user by name and password; a token does for a password.
func (s *Service) byPassword(ctx context.Context, name, password string) (*User, error) {
	if strings.HasPrefix(password, tokenPrefix) {
		u, err := s.byToken(ctx, password, apiToken)
		if u != nil && (u.Name == name || name == "token") {
			return u, err
		}
		return nil, err
	}
	u, hash, err := userByName(ctx, s.db.Reader(), name)
	if rest.IsCode(err, rest.ResourceDoesNotExist) {
		hash, err = noHash, nil // the answer must take as long as for a user
	}
	if err != nil {
		return nil, err
	}
	// Slow by intent, so that its result is kept for a while. The stored hash is part
	// of the key: a changed password is asked for again.
	key, now := hashOf(name+"\x00"+password+"\x00"+hash), s.now()
	if known := s.secrets.get(key, now); known != nil {
		return known, nil
	}
	select { // strangers may not take all processors
	case s.slow <- struct{}{}:
		defer func() { <-s.slow }()
	case <-ctx.Done():
		return nil, ctx.Err()
	}
	if hash == "" || bcrypt.CompareHashAndPassword([]byte(hash), []byte(password)) != nil || u == nil {
		return nil, nil
	}
	s.secrets.put(key, u, now.Add(time.Minute))
	return u, nil
}

// noHash is a hash that no password has.
const noHash = "$2a$10$7EqJtq98hPqEX7fNZaFWoO7EqJtq98hPqEX7fNZaFWoO7EqJtq98h"

const (
	minPassword = 12
	maxPassword = 72 // bcrypt reads no more
)

// checkPassword hashes a password that is fit.
func hashPassword(password string) (string, error) {
	if len(password) < minPassword || len(password) > maxPassword {
		return "", rest.Invalid("A password has %d to %d characters.", minPassword, maxPassword)
	}
	hash, err := bcrypt.GenerateFromPassword([]byte(password), bcrypt.DefaultCost)
	return string(hash), err
}

// NewToken makes a token of a user and returns it, for the only time. lifetime 0
// is for ever.
func (s *Service) NewToken(ctx context.Context, user, comment string, lifetime time.Duration) (string, Token, error) {
	return s.newToken(ctx, user, apiToken, comment, lifetime)
}

func (s *Service) newToken(ctx context.Context, user, kind, comment string, lifetime time.Duration) (string, Token, error) {
	secret, hash := newSecret()
	now := s.millis()
	t := Token{User: user, Comment: comment, CreationTime: now, ExpiryTime: -1}
	var expires *int64
	if lifetime > 0 {
		t.ExpiryTime = now + lifetime.Milliseconds()
		expires = &t.ExpiryTime
	}
	if len(comment) > 1000 {
		return "", t, rest.Invalid("'comment' exceeds the maximum length of 1000 characters")
	}
	err := s.db.Write(ctx, func(ctx context.Context, q db.Querier) error {
		u, _, err := userByName(ctx, q, user)
		if err != nil {
			return err
		}
		return q.QueryRowContext(ctx, `INSERT INTO tokens (user_id, kind, comment, hash, created_ms, expires_ms) VALUES (?, ?, ?, ?, ?, ?) RETURNING id`,
			u.ID, kind, comment, hash, now, expires).Scan(&t.ID)
	})
	return secret, t, err
}
