package db

import (
	"context"
	"database/sql"
	"embed"
	"errors"
	"fmt"
	"io/fs"
	"net/url"
	"strings"

	"github.com/pressly/goose/v3"
	"modernc.org/sqlite"
	sqlite3 "modernc.org/sqlite/lib"
)

//go:embed migrations/*.sql
var migrationFiles embed.FS

// openSQLite opens a pool of n connections. The pragmas travel in the address
// so that every connection of the pool has them.
func openSQLite(path string, n int, readOnly bool) (*sql.DB, error) {
	q := url.Values{}
	for _, p := range []string{
		"busy_timeout(10000)",
		"journal_mode(WAL)",
		"synchronous(FULL)", // a commit is flushed before it is acknowledged
		"foreign_keys(1)",
		"case_sensitive_like(1)", // LIKE is case-sensitive in MLflow, ILIKE is not
		"cache_size(-16000)",
		"temp_store(MEMORY)",
		"wal_autocheckpoint(4000)",
		"journal_size_limit(67108864)",
	} {
		q.Add("_pragma", p)
	}
	if readOnly {
		q.Add("_pragma", "query_only(1)")
	}
	// A path may hold characters that mean something in a URI.
	name := "file:" + strings.NewReplacer("%", "%25", "?", "%3f", "#", "%23").Replace(path) + "?" + q.Encode()
	db, err := sql.Open("sqlite", name)
	if err != nil {
		return nil, err
	}
	db.SetMaxOpenConns(n)
	db.SetMaxIdleConns(n)
	if err := db.Ping(); err != nil {
		db.Close()
		return nil, err
	}
	return db, nil
}

// migrate applies the migrations the database lacks and says how many.
func migrate(ctx context.Context, db *sql.DB, path string) (int, error) {
	files, err := fs.Sub(migrationFiles, "migrations")
	if err != nil {
		return 0, err
	}
	p, err := goose.NewProvider(goose.DialectSQLite3, db, files)
	if err != nil {
		return 0, fmt.Errorf("read migrations: %w", err)
	}
	version, err := p.GetDBVersion(ctx)
	if err != nil {
		return 0, fmt.Errorf("read schema version of %s: %w", path, err)
	}
	var newest int64
	for _, s := range p.ListSources() {
		newest = max(newest, s.Version)
	}
	if version > newest {
		return 0, &SchemaTooNewError{Path: path, Version: version, Supports: newest}
	}
	done, err := p.Up(ctx)
	if err != nil {
		return 0, fmt.Errorf("migrate %s: %w", path, err)
	}
	return len(done), nil
}

// IsUnique reports whether err says that a row with the same key exists.
func IsUnique(err error) bool {
	return hasCode(err, sqlite3.SQLITE_CONSTRAINT_UNIQUE, sqlite3.SQLITE_CONSTRAINT_PRIMARYKEY)
}

// IsForeignKey reports whether err says that a referenced row is missing.
func IsForeignKey(err error) bool {
	return hasCode(err, sqlite3.SQLITE_CONSTRAINT_FOREIGNKEY)
}

// IsNotNull reports whether err says that a value that must be there is not.
func IsNotNull(err error) bool {
	return hasCode(err, sqlite3.SQLITE_CONSTRAINT_NOTNULL)
}

func hasCode(err error, codes ...int) bool {
	var e *sqlite.Error
	if !errors.As(err, &e) {
		return false
	}
	for _, c := range codes {
		if e.Code() == c {
			return true
		}
	}
	return false
}
