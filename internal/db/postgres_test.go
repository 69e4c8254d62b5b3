package db

import (
	"context"
	"database/sql"
	"fmt"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"github.com/jackc/pgx/v5"
	"github.com/pressly/goose/v3"

	"github.com/millpond/millpond/internal/db/dbtest"
)

func TestRebind(t *testing.T) {
	for query, want := range map[string]string{
		"SELECT 1":                         "SELECT 1",
		"a = ? AND b IN (?,?)":             "a = $1 AND b IN ($2,$3)",
		`x LIKE ? ESCAPE '?' AND "a?" = ?`: `x LIKE $1 ESCAPE '?' AND "a?" = $2`,
		"'it''s ?' = ?":                    "'it''s ?' = $1",
	} {
		if got := rebind(query); got != want {
			t.Errorf("%s: got %s, want %s", query, got, want)
		}
	}
}

// TestErrorsKeepPasswords opens what cannot be opened: the words say what to
// do, and never the password.
func TestErrorsKeepPasswords(t *testing.T) {
	const secret = "s3cr3t"
	addresses := map[string]string{
		"postgres://me:" + secret + "@127.0.0.1:1/db":              "cannot reach PostgreSQL at postgres://me@127.0.0.1:1/db",
		"postgres://me:" + secret + "@127.0.0.1:port/db":           "write postgres://user:password@host:port/database",
		"postgres://me:" + secret + "%@127.0.0.1/db":               "write postgres://user:password@host:port/database",
		"postgres://me:" + secret + "@127.0.0.1:1/db?sslmode=what": "write postgres://user:password@host:port/database",
	}
	if dbtest.IsPostgres() {
		u, err := url.Parse(dbtest.Address(t))
		if err != nil {
			t.Fatal(err)
		}
		u.User, u.Path = url.UserPassword("millpond", secret), "/absent"
		addresses[u.String()] = "has no such database"
	}
	for address, want := range addresses {
		_, err := Open(t.Context(), address, Options{})
		if err == nil || !strings.Contains(err.Error(), want) || strings.Contains(err.Error(), secret) {
			t.Errorf("got %v, want ...%s..., without the password", err, want)
		}
	}
}

func TestDamagedIsSaid(t *testing.T) {
	address := dbtest.Address(t)
	d := open(t, address)
	err := d.Write(t.Context(), func(ctx context.Context, q Querier) error {
		_, err := q.ExecContext(ctx, "DROP TABLE params")
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	d.Close()
	if _, err := Open(t.Context(), address, Options{}); err == nil || !strings.Contains(err.Error(), "is damaged: its table params is missing") &&
		!strings.Contains(err.Error(), "its table params is missing") {
		t.Errorf("got %v", err)
	}
	if dbtest.IsPostgres() {
		return
	}
	path := filepath.Join(t.TempDir(), "text.db")
	if err := os.WriteFile(path, []byte(strings.Repeat("no database ", 1000)), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := Open(t.Context(), path, Options{}); err == nil || !strings.Contains(err.Error(), "is damaged, or is no database") {
		t.Errorf("got %v", err)
	}
}

// TestMigrationsFromEveryVersion brings a schema of each earlier version up to
// date.
func TestMigrationsFromEveryVersion(t *testing.T) {
	for version := int64(1); ; version++ {
		address := dbtest.Address(t)
		raw, dialect, closeRaw := rawDatabase(t, address)
		p, err := provider(raw, dialect)
		if err != nil {
			t.Fatal(err)
		}
		sources := p.ListSources()
		if version > int64(len(sources)) {
			closeRaw()
			return
		}
		if _, err := p.UpTo(t.Context(), sources[version-1].Version); err != nil {
			t.Fatalf("up to %d: %v", version, err)
		}
		if _, err := raw.ExecContext(t.Context(), `INSERT INTO experiments (experiment_id, name, artifact_location, creation_time, last_update_time) VALUES (1, 'e', '', 0, 0)`); err != nil {
			t.Fatal(err)
		}
		closeRaw()
		d := open(t, address)
		if err := d.Write(t.Context(), func(ctx context.Context, q Querier) error { return addTag(ctx, q, "x") }); err != nil {
			t.Errorf("from version %d: %v", version, err)
		}
	}
}

// TestLostUpdates has writers read a number and write one more.
func TestLostUpdates(t *testing.T) {
	d := open(t, dbtest.Address(t))
	addExperiment(t, d)
	const writers, each = 16, 10
	var wg sync.WaitGroup
	for range writers {
		wg.Go(func() {
			for range each {
				err := d.Write(t.Context(), func(ctx context.Context, q Querier) error {
					var n int
					if err := q.QueryRowContext(ctx, `SELECT last_update_time FROM experiments WHERE experiment_id = 1`).Scan(&n); err != nil {
						return err
					}
					_, err := q.ExecContext(ctx, `UPDATE experiments SET last_update_time = ? WHERE experiment_id = 1`, n+1)
					return err
				})
				if err != nil {
					t.Error(err)
				}
			}
		})
	}
	wg.Wait()
	var n int
	if err := d.Reader().QueryRowContext(t.Context(), `SELECT last_update_time FROM experiments`).Scan(&n); err != nil || n != writers*each {
		t.Errorf("counted to %d of %d (%v)", n, writers*each, err)
	}
}

// TestSerializable has two writers each check that the other's row is not there.
func TestSerializable(t *testing.T) {
	d := open(t, dbtest.Address(t))
	addExperiment(t, d)
	for round := range 20 {
		var wg sync.WaitGroup
		for side := range 2 {
			wg.Go(func() {
				err := d.Write(t.Context(), func(ctx context.Context, q Querier) error {
					var n int
					if err := q.QueryRowContext(ctx, `SELECT COUNT(*) FROM experiment_tags WHERE key = ?`, fmt.Sprint(round, "-", 1-side)).Scan(&n); err != nil || n > 0 {
						return err
					}
					return addTag(ctx, q, fmt.Sprint(round, "-", side))
				})
				if err != nil {
					t.Error(err)
				}
			})
		}
		wg.Wait()
	}
	if n := count(t, d); n != 20 {
		t.Errorf("%d rows, want one a round", n)
	}
}

// rawDatabase opens a database without bringing it up to date.
func rawDatabase(t *testing.T, address string) (*sql.DB, goose.Dialect, func()) {
	t.Helper()
	if !IsPostgres(address) {
		raw, err := sqlitePool(address, 1, false)
		if err != nil {
			t.Fatal(err)
		}
		return raw, goose.DialectSQLite3, func() { raw.Close() }
	}
	config, err := pgx.ParseConfig(address)
	if err != nil {
		t.Fatal(err)
	}
	raw := pool(config, 2)
	return raw, goose.DialectPostgres, func() { raw.Close() }
}
