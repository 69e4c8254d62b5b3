package db

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/url"
	"strconv"
	"strings"
	"sync"
	"time"
	"unicode/utf8"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/stdlib"
	"github.com/pressly/goose/v3"
)

// IsPostgres reports whether an address is one of a PostgreSQL database.
func IsPostgres(address string) bool {
	return strings.HasPrefix(address, "postgres://") || strings.HasPrefix(address, "postgresql://")
}

// openPostgres opens the database, which must exist.
func openPostgres(ctx context.Context, address string, opts Options) (*DB, error) {
	config, err := pgx.ParseConfig(address)
	if err != nil { // the error quotes the address, password and all
		return nil, errors.New("the store's address is none of PostgreSQL: write postgres://user:password@host:port/database")
	}
	name := publicName(config)
	if config.ConnectTimeout == 0 {
		config.ConnectTimeout = 10 * time.Second
	}
	config.RuntimeParams["application_name"] = "millpond"
	// Small tables are read through their indexes too: a write then conflicts
	// with those that touch the same rows, not with all that touch the table.
	writes := config.Copy()
	writes.RuntimeParams["enable_seqscan"] = "off"
	// Reads and writes have pools of their own, so that neither starves the other.
	wdb := pool(writes, opts.Readers)
	rdb := pool(config, opts.Readers)
	fail := func(err error) (*DB, error) {
		wdb.Close()
		rdb.Close()
		return nil, err
	}
	if err := rdb.PingContext(ctx); err != nil {
		return fail(postgresError(name, err))
	}
	if err := migrate(ctx, wdb, goose.DialectPostgres, name, opts.Logger); err != nil {
		return fail(postgresError(name, err))
	}
	return &DB{
		name: name, writer: &poolWriter{db: wdb, log: opts.Logger}, read: rdb, reader: rebound{rdb},
		viewMode: &sql.TxOptions{ReadOnly: true, Isolation: sql.LevelRepeatableRead},
		inTx:     func(tx *sql.Tx) Querier { return rebound{tx} },
		close:    rdb.Close,
	}, nil
}

func pool(config *pgx.ConnConfig, n int) *sql.DB {
	db := stdlib.OpenDB(*config)
	db.SetMaxOpenConns(n)
	db.SetMaxIdleConns(n)
	db.SetConnMaxIdleTime(5 * time.Minute)
	return db
}

// publicName is the address without what is secret.
func publicName(c *pgx.ConnConfig) string {
	u := url.URL{Scheme: "postgres", Host: net.JoinHostPort(c.Host, strconv.Itoa(int(c.Port))), Path: "/" + c.Database}
	if c.User != "" {
		u.User = url.User(c.User)
	}
	return u.String()
}

// postgresError says plainly what can be mended by hand.
func postgresError(name string, err error) error {
	var newer *SchemaTooNewError
	var server *pgconn.PgError
	switch {
	case errors.As(err, &newer):
		return err
	case isDamaged(err):
		return fmt.Errorf("database %s is damaged: %w; restore it from a backup", name, err)
	case errors.As(err, &server):
		switch server.Code {
		case "28P01", "28000":
			return fmt.Errorf("PostgreSQL at %s refuses the user or the password: %s", name, server.Message)
		case "3D000":
			return fmt.Errorf("PostgreSQL at %s has no such database: make it with createdb, or name another one", name)
		case "42501":
			return fmt.Errorf("PostgreSQL at %s does not let the user make tables: %s; grant CREATE on the schema public", name, server.Message)
		}
		return fmt.Errorf("open database %s: %w", name, err)
	}
	var dial *net.OpError
	if errors.As(err, &dial) { // those around it repeat the address
		err = dial
	}
	return fmt.Errorf("cannot reach PostgreSQL at %s: %w; is it running, and is the address right?", name, err)
}

// poolWriter runs writes side by side, each as if alone: the database finds out
// when two cannot have been, and one of them starts again.
type poolWriter struct {
	db     *sql.DB
	log    *slog.Logger
	alone  sync.RWMutex // a write that has lost too often runs without others of this process
	mu     sync.RWMutex // guards closed against new writes
	closed bool
}

const (
	triesTogether = 5
	triesAlone    = 50 // others may write from other processes
)

func (w *poolWriter) do(ctx context.Context, fn func(ctx context.Context, q Querier) error) error {
	w.mu.RLock()
	defer w.mu.RUnlock()
	if w.closed {
		return ErrClosed
	}
	var err error
	for try := range triesTogether + triesAlone {
		if err := ctx.Err(); err != nil {
			return err
		}
		if try < triesTogether {
			w.alone.RLock()
			err = w.once(ctx, fn)
			w.alone.RUnlock()
		} else {
			w.alone.Lock()
			err = w.once(ctx, fn)
			w.alone.Unlock()
		}
		if !hasState(err, "40001", "40P01") { // serialization failure, deadlock
			return err
		}
	}
	return fmt.Errorf("the write met others too often: %w", err)
}

func (w *poolWriter) once(ctx context.Context, fn func(ctx context.Context, q Querier) error) error {
	// The request's end does not end a transaction half way: that would cost its connection.
	ctx = context.WithoutCancel(ctx)
	tx, err := w.db.BeginTx(ctx, &sql.TxOptions{Isolation: sql.LevelSerializable})
	if err != nil {
		return fmt.Errorf("begin write: %w", err)
	}
	if err := guard(ctx, rebound{tx}, fn); err != nil {
		if rerr := tx.Rollback(); rerr != nil {
			w.log.Warn("a write could not be rolled back", "error", rerr)
		}
		return err
	}
	if err := tx.Commit(); err != nil {
		return fmt.Errorf("commit: %w", err)
	}
	return nil
}

// close waits for the writes in hand.
func (w *poolWriter) close() error {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.closed = true
	return w.db.Close()
}

// rebound is a Querier over the database, which prepares each text once itself.
type rebound struct{ on Querier }

func (r rebound) ExecContext(ctx context.Context, query string, args ...any) (sql.Result, error) {
	return r.on.ExecContext(ctx, rebind(query), texts(args)...)
}

func (r rebound) QueryContext(ctx context.Context, query string, args ...any) (*sql.Rows, error) {
	return r.on.QueryContext(ctx, rebind(query), texts(args)...)
}

func (r rebound) QueryRowContext(ctx context.Context, query string, args ...any) *sql.Row {
	return r.on.QueryRowContext(ctx, rebind(query), texts(args)...)
}

// texts replaces what PostgreSQL has no text for: the character NUL, and bytes
// that are no UTF-8. Requests with such texts are refused before they come to a
// write; in a search they find nothing.
func texts(args []any) []any {
	for i, a := range args {
		if s, ok := a.(string); ok && (strings.IndexByte(s, 0) >= 0 || !utf8.ValidString(s)) {
			args[i] = strings.ReplaceAll(strings.ToValidUTF8(s, "\uFFFD"), "\x00", "\uFFFD")
		}
	}
	return args
}

// rebind numbers the parameters: $1, $2 for ?, but not inside of quotes.
func rebind(query string) string {
	if !strings.Contains(query, "?") {
		return query
	}
	out := make([]byte, 0, len(query)+16)
	n := 0
	var quote byte
	for i := range len(query) {
		c := query[i]
		switch {
		case quote != 0:
			if c == quote {
				quote = 0
			}
		case c == '\'' || c == '"':
			quote = c
		case c == '?':
			n++
			out = strconv.AppendInt(append(out, '$'), int64(n), 10)
			continue
		}
		out = append(out, c)
	}
	return string(out)
}

// hasState reports whether PostgreSQL gave one of the SQLSTATEs.
func hasState(err error, states ...string) bool {
	var e *pgconn.PgError
	if !errors.As(err, &e) {
		return false
	}
	for _, s := range states {
		if e.Code == s {
			return true
		}
	}
	return false
}
