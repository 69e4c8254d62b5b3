// Package access knows who may do what: users, their tokens and passwords,
// their permissions on experiments and registered models, and a record of what
// was done.
//
// In come requests; out they go with the name of who asks, or not at all. It
// authenticates HTTP (Bearer and Basic, and the sessions of browsers) and Spark
// Connect's tokens, and guards every endpoint by one table of what it needs. A
// secret is never kept, only its hash. The package does not know what an
// endpoint does.
package access

import (
	"context"
	"log/slog"
	"time"

	"github.com/millpond/millpond/internal/db"
	"github.com/millpond/millpond/internal/rest"
)

// Options tunes the service; the zero value is fine.
type Options struct {
	// Default is the permission on what has no permission of its own; READ if empty.
	Default string
	OIDC    OIDC
	Logger  *slog.Logger
	Now     func() time.Time
}

// Service answers who asks and what they may.
type Service struct {
	db       *db.DB
	log      *slog.Logger
	now      func() time.Time
	standard Level
	tokens   *cache
	secrets  *cache        // passwords that have been verified
	slow     chan struct{} // how many passwords are being verified
	lent     lentTokens
	audits   chan record
	oidc     *provider
}

// New makes the service. [Service.Run] must run for the record of what was done.
func New(records *db.DB, opts Options) (*Service, error) {
	s := &Service{db: records, log: opts.Logger, now: opts.Now, tokens: newCache(), secrets: newCache(), lent: lentTokens{known: map[string]lentToken{}}, slow: make(chan struct{}, 2), audits: make(chan record, 1024)}
	if s.log == nil {
		s.log = slog.Default()
	}
	if s.now == nil {
		s.now = time.Now
	}
	s.standard = Read
	if opts.Default != "" {
		var err error
		if s.standard, err = ParseLevel(opts.Default); err != nil {
			return nil, err
		}
	}
	if opts.OIDC.Issuer != "" {
		s.oidc = newProvider(opts.OIDC)
	}
	return s, nil
}

// Mount adds the service's routes to the mux.
func (s *Service) Mount(mux *rest.Mux) { mux.Handle(s.Routes()...) }

func (s *Service) millis() int64 { return s.now().UnixMilli() }

// Level is how much a user may do with something.
type Level int

// The levels, by MLflow's names NO_PERMISSIONS, READ, USE, EDIT, MANAGE.
const (
	None Level = iota
	Read
	Use
	Edit
	Manage
)

var levelNames = []string{"NO_PERMISSIONS", "READ", "USE", "EDIT", "MANAGE"}

func (l Level) String() string { return levelNames[l] }

// ParseLevel finds a level by its name.
func ParseLevel(name string) (Level, error) {
	for i, n := range levelNames {
		if n == name {
			return Level(i), nil
		}
	}
	return None, rest.Invalid("Invalid permission '%s'. Valid permissions are: READ, USE, EDIT, MANAGE, NO_PERMISSIONS", name)
}

// User is who asks.
type User struct {
	ID    int64
	Name  string
	Admin bool
}

type userKey struct{}

// withUser notes who asks, for this package and for those that only want a name.
func withUser(ctx context.Context, u *User) context.Context {
	return context.WithValue(rest.WithUser(ctx, u.Name), userKey{}, u)
}

func userOf(ctx context.Context) *User {
	u, _ := ctx.Value(userKey{}).(*User)
	return u
}

func unauthenticated(why string) error { return rest.Errorf(rest.Unauthenticated, "%s", why) }

func denied() error { return rest.Errorf(rest.PermissionDenied, "Permission denied") }
