package access

import (
	"context"
	"database/sql"
	"errors"
	"strings"

	"github.com/millpond/millpond/internal/db"
	"github.com/millpond/millpond/internal/rest"
)

func userByName(ctx context.Context, q db.Querier, name string) (*User, string, error) {
	u := &User{Name: name}
	var hash string
	err := q.QueryRowContext(ctx, `SELECT id, admin, password FROM users WHERE name = ?`, name).Scan(&u.ID, &u.Admin, &hash)
	if errors.Is(err, sql.ErrNoRows) {
		return nil, "", rest.NotFound("User with username=%s not found", name)
	}
	return u, hash, err
}

// Account is a user as others are told of.
type Account struct {
	ID      int64  `json:"id"`
	Name    string `json:"username"`
	Admin   bool   `json:"is_admin"`
	Created int64  `json:"created_at"`
	Tokens  int    `json:"tokens"`
}

// Users lists the users by name.
func (s *Service) Users(ctx context.Context) ([]Account, error) {
	rows, err := s.db.Reader().QueryContext(ctx, `SELECT u.id, u.name, u.admin, u.created_ms, (SELECT COUNT(*) FROM tokens t WHERE t.user_id = u.id AND t.kind = ? AND t.parent IS NULL)
		FROM users u ORDER BY u.name`, apiToken)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	out := []Account{}
	for rows.Next() {
		var a Account
		if err := rows.Scan(&a.ID, &a.Name, &a.Admin, &a.Created, &a.Tokens); err != nil {
			return nil, err
		}
		out = append(out, a)
	}
	return out, rows.Err()
}

// AddUser makes a user; an empty password is none, so that only tokens and OIDC let the user in.
func (s *Service) AddUser(ctx context.Context, name, password string, admin bool) (*User, error) {
	if name = strings.TrimSpace(name); name == "" || len(name) > 255 || strings.ContainsAny(name, ":\x00\r\n") {
		return nil, rest.Invalid("Username cannot be empty, and has no colon.")
	}
	hash := ""
	if password != "" {
		var err error
		if hash, err = hashPassword(password); err != nil {
			return nil, err
		}
	}
	u := &User{Name: name, Admin: admin}
	err := s.db.Write(ctx, func(ctx context.Context, q db.Querier) error {
		err := q.QueryRowContext(ctx, `INSERT INTO users (name, password, admin, created_ms) VALUES (?, ?, ?, ?) RETURNING id`, name, hash, oneIf(admin), s.millis()).Scan(&u.ID)
		if db.IsUnique(err) {
			err = rest.AlreadyExists("User (username=%s) already exists.", name)
		}
		return err
	})
	return u, err
}

func oneIf(b bool) int {
	if b {
		return 1
	}
	return 0
}

// onUser runs fn in a write, for a user who exists.
func (s *Service) onUser(ctx context.Context, name string, fn func(ctx context.Context, q db.Querier, u *User) error) error {
	defer s.changed()
	return s.db.Write(ctx, func(ctx context.Context, q db.Querier) error {
		u, _, err := userByName(ctx, q, name)
		if err != nil {
			return err
		}
		return fn(ctx, q, u)
	})
}

// RemoveUser deletes a user with all tokens and permissions.
func (s *Service) RemoveUser(ctx context.Context, name string) error {
	return s.onUser(ctx, name, func(ctx context.Context, q db.Querier, u *User) error {
		_, err := q.ExecContext(ctx, `DELETE FROM users WHERE id = ?`, u.ID)
		return err
	})
}

// SetPassword changes a password, and ends the user's sessions.
func (s *Service) SetPassword(ctx context.Context, name, password string) error {
	hash, err := hashPassword(password)
	if err != nil {
		return err
	}
	return s.onUser(ctx, name, func(ctx context.Context, q db.Querier, u *User) error {
		if _, err := q.ExecContext(ctx, `DELETE FROM tokens WHERE user_id = ? AND kind = ?`, u.ID, session); err != nil {
			return err
		}
		_, err := q.ExecContext(ctx, `UPDATE users SET password = ? WHERE id = ?`, hash, u.ID)
		return err
	})
}

// SetAdmin makes a user an administrator, or no longer.
func (s *Service) SetAdmin(ctx context.Context, name string, admin bool) error {
	return s.onUser(ctx, name, func(ctx context.Context, q db.Querier, u *User) error {
		_, err := q.ExecContext(ctx, `UPDATE users SET admin = ? WHERE id = ?`, oneIf(admin), u.ID)
		return err
	})
}

// Token is what is told of a token; the token itself is not kept.
type Token struct {
	ID           int64  `json:"token_id"`
	User         string `json:"username,omitempty"`
	Comment      string `json:"comment"`
	CreationTime int64  `json:"creation_time"`
	ExpiryTime   int64  `json:"expiry_time"` // -1: never
}

// Tokens lists the tokens of a user, or ("") of all.
func (s *Service) Tokens(ctx context.Context, user string) ([]Token, error) {
	rows, err := s.db.Reader().QueryContext(ctx, `SELECT t.id, u.name, t.comment, t.created_ms, COALESCE(t.expires_ms, -1) FROM tokens t JOIN users u ON u.id = t.user_id
		WHERE t.kind = ? AND t.parent IS NULL AND (? = '' OR u.name = ?) ORDER BY t.id`, apiToken, user, user)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	out := []Token{}
	for rows.Next() {
		var t Token
		if err := rows.Scan(&t.ID, &t.User, &t.Comment, &t.CreationTime, &t.ExpiryTime); err != nil {
			return nil, err
		}
		out = append(out, t)
	}
	return out, rows.Err()
}

// RevokeToken ends a token of a user, or ("") of anybody.
func (s *Service) RevokeToken(ctx context.Context, id int64, user string) error {
	defer s.changed()
	return s.db.Write(ctx, func(ctx context.Context, q db.Querier) error {
		res, err := q.ExecContext(ctx, `DELETE FROM tokens WHERE id = ? AND kind = ? AND (? = '' OR user_id = (SELECT id FROM users WHERE name = ?))`, id, apiToken, user, user)
		if err != nil {
			return err
		}
		if n, err := res.RowsAffected(); err != nil || n == 0 {
			return errors.Join(err, rest.NotFound("There is no token %d.", id))
		}
		return nil
	})
}

func tokenOwner(ctx context.Context, q db.Querier, kind, hash string, now int64) (*User, *int64, error) {
	var u User
	var expires *int64
	err := q.QueryRowContext(ctx, `SELECT u.id, u.name, u.admin, t.expires_ms FROM tokens t JOIN users u ON u.id = t.user_id WHERE t.hash = ? AND t.kind = ?`, hash, kind).
		Scan(&u.ID, &u.Name, &u.Admin, &expires)
	switch {
	case errors.Is(err, sql.ErrNoRows):
		return nil, nil, nil
	case err != nil:
		return nil, nil, err
	case expires != nil && *expires <= now:
		return nil, nil, nil
	}
	return &u, expires, nil
}

func (s *Service) endSession(ctx context.Context, secret string) error {
	defer s.changed()
	return s.db.Write(ctx, func(ctx context.Context, q db.Querier) error {
		_, err := q.ExecContext(ctx, `DELETE FROM tokens WHERE hash = ? AND kind = ?`, hashOf(secret), session)
		return err
	})
}

// Kinds of resources that have permissions of their own.
const (
	experiment = "experiment"
	model      = "registered_model"
	volume     = "volume" // of the Files API
)

// resource is something that a user may or may not use.
type resource struct{ kind, id string }

// level is what a user may do with something.
func (s *Service) level(ctx context.Context, q db.Querier, u *User, r resource) (Level, error) {
	if u.Admin {
		return Manage, nil
	}
	if r == adminOnly {
		return None, nil
	}
	var name string
	err := q.QueryRowContext(ctx, `SELECT permission FROM permissions WHERE user_id = ? AND resource_type = ? AND resource_id = ?`, u.ID, r.kind, r.id).Scan(&name)
	if errors.Is(err, sql.ErrNoRows) {
		return s.standard, nil
	}
	if err != nil {
		return None, err
	}
	return ParseLevel(name)
}

// levelsOf are all permissions of a user on things of a kind.
func levelsOf(ctx context.Context, q db.Querier, u *User, kind string) (map[string]Level, error) {
	rows, err := q.QueryContext(ctx, `SELECT resource_id, permission FROM permissions WHERE user_id = ? AND resource_type = ?`, u.ID, kind)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	out := map[string]Level{}
	for rows.Next() {
		var id, name string
		if err := rows.Scan(&id, &name); err != nil {
			return nil, err
		}
		if out[id], err = ParseLevel(name); err != nil {
			return nil, err
		}
	}
	return out, rows.Err()
}

func grant(ctx context.Context, q db.Querier, user int64, r resource, l Level) error {
	_, err := q.ExecContext(ctx, `INSERT INTO permissions (user_id, resource_type, resource_id, permission) VALUES (?, ?, ?, ?)
		ON CONFLICT (user_id, resource_type, resource_id) DO UPDATE SET permission = excluded.permission`, user, r.kind, r.id, l.String())
	return err
}

// owners finds the experiments that something belongs to; none if there is no such thing.
func owners(ctx context.Context, q db.Querier, query, id string) ([]resource, error) {
	rows, err := q.QueryContext(ctx, query, id)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	var out []resource
	for rows.Next() {
		r := resource{kind: experiment}
		if err := rows.Scan(&r.id); err != nil {
			return nil, err
		}
		out = append(out, r)
	}
	return out, rows.Err()
}

// ownerQueries find the experiments of what a parameter names.
var ownerQueries = map[string]string{
	"experiment_name": `SELECT experiment_id FROM experiments WHERE name = ?`,
	"run_id":          `SELECT experiment_id FROM runs WHERE run_id = ?`,
	"model_id":        `SELECT experiment_id FROM logged_models WHERE model_id = ?`,
	"dataset_id":      `SELECT COALESCE(e.experiment_id, -1) FROM evaluation_datasets d LEFT JOIN evaluation_dataset_experiments e ON e.dataset = d.id WHERE d.dataset_id = ?`,
	"trace_id":        `SELECT experiment_id FROM traces WHERE trace_id = ?`,
}
