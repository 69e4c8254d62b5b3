// Package db keeps the workspace's records in an SQL database on disk.
//
// In comes a path, or the address of a PostgreSQL database, and, afterwards,
// functions that read or write through a [Querier]; out come their results. A
// write that has been acknowledged is on disk: [DB.Write] returns only after
// the commit that carries it has been flushed. The package never knows what the
// rows mean, never builds a query, and never lets a caller hold a transaction
// open across calls. It alone imports SQL drivers: sqlite.go and postgres.go
// hold all that is particular to each database (opening, telling errors apart),
// and the slices write one SQL that both understand. An address is shown and
// logged without its password.
package db

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"log/slog"
	"runtime"
	"runtime/debug"

	sqlite3 "modernc.org/sqlite/lib"
)

// Querier runs SQL. Parameters are written as ?. The statement text should be
// constant for a given call site wherever possible: statements are prepared
// once per distinct text and kept.
type Querier interface {
	ExecContext(ctx context.Context, query string, args ...any) (sql.Result, error)
	QueryContext(ctx context.Context, query string, args ...any) (*sql.Rows, error)
	QueryRowContext(ctx context.Context, query string, args ...any) *sql.Row
}

// SchemaTooNewError says that the database was written by a newer release. It
// is left untouched.
type SchemaTooNewError struct {
	Path              string // of the file, or the address
	Version, Supports int64
}

func (e *SchemaTooNewError) Error() string {
	return fmt.Sprintf("database %s has schema version %d, but this release knows only versions up to %d: "+
		"use the release that wrote it, or a newer one", e.Path, e.Version, e.Supports)
}

// ErrClosed is returned for work handed to a closed database.
var ErrClosed = errors.New("database is closed")

// Options tunes a database. The zero value is what a server wants.
type Options struct {
	Readers  int          // read connections; default: twice the processors, at least 4
	MaxBatch int          // most writes sharing one commit; default 512
	Logger   *slog.Logger // default slog.Default()
}

// DB is an open database: writes that cannot see each other, many readers.
type DB struct {
	name     string // the path, or the address without its password
	writer   writer
	read     *sql.DB
	reader   Querier // runs on the read pool
	inTx     func(*sql.Tx) Querier
	viewMode *sql.TxOptions
	close    func() error
}

// writer runs functions in transactions.
type writer interface {
	do(ctx context.Context, fn func(ctx context.Context, q Querier) error) error
	close() error
}

// Open opens the database at address, a file's path or postgres://..., and
// brings its schema up to date. A SQLite file is made if there is none. A
// schema newer than this program is refused with a [SchemaTooNewError].
func Open(ctx context.Context, address string, opts Options) (*DB, error) {
	if opts.Readers <= 0 {
		opts.Readers = max(4, 2*runtime.GOMAXPROCS(0))
	}
	if opts.MaxBatch <= 0 {
		opts.MaxBatch = 512
	}
	if opts.Logger == nil {
		opts.Logger = slog.Default()
	}
	if IsPostgres(address) {
		return openPostgres(ctx, address, opts)
	}
	return openSQLite(ctx, address, opts)
}

// Name is the path, or the address without its password.
func (d *DB) Name() string { return d.name }

// Write runs fn in a transaction and returns once its effects are on disk.
// Functions of concurrent callers have the effect of running one after another;
// an error of one undoes that one alone. fn must not keep its Querier, start
// goroutines with it, wait for anything slow, or call Write. It may run more
// than once, if another program's write came between: what it leaves outside of
// the database must be the last run's alone.
func (d *DB) Write(ctx context.Context, fn func(ctx context.Context, q Querier) error) error {
	return d.writer.do(ctx, fn)
}

// Reader returns a Querier that reads committed state. Each call sees a
// snapshot of its own; use [DB.View] when several must agree.
func (d *DB) Reader() Querier { return d.reader }

// View runs fn over one consistent snapshot. fn reads one result to its end
// before it asks for the next.
func (d *DB) View(ctx context.Context, fn func(ctx context.Context, q Querier) error) error {
	tx, err := d.read.BeginTx(ctx, d.viewMode)
	if err != nil {
		return fmt.Errorf("begin read: %w", err)
	}
	defer tx.Rollback()
	return fn(ctx, d.inTx(tx))
}

// Close finishes the writes in hand, then closes the database. Writes handed
// over later get [ErrClosed].
func (d *DB) Close() error {
	return errors.Join(d.writer.close(), d.close())
}

// guard turns a panic of fn into an error, so that one bad write does not take
// others with it.
func guard(ctx context.Context, q Querier, fn func(ctx context.Context, q Querier) error) (err error) {
	defer func() {
		if p := recover(); p != nil {
			err = fmt.Errorf("panic in write: %v\n%s", p, debug.Stack())
		}
	}()
	return fn(ctx, q)
}

// IsUnique reports whether err says that a row with the same key exists.
func IsUnique(err error) bool {
	return hasCode(err, sqlite3.SQLITE_CONSTRAINT_UNIQUE, sqlite3.SQLITE_CONSTRAINT_PRIMARYKEY) || hasState(err, "23505")
}

// IsForeignKey reports whether err says that a referenced row is missing.
func IsForeignKey(err error) bool {
	return hasCode(err, sqlite3.SQLITE_CONSTRAINT_FOREIGNKEY) || hasState(err, "23503")
}

// IsNotNull reports whether err says that a value that must be there is not.
func IsNotNull(err error) bool {
	return hasCode(err, sqlite3.SQLITE_CONSTRAINT_NOTNULL) || hasState(err, "23502")
}

// Advance lets the numbers that the database gives go on after the largest in
// the table: for rows that were inserted with numbers of their own. Table and
// column are the program's own words.
func (d *DB) Advance(ctx context.Context, q Querier, table, column string) error {
	if d.viewMode.Isolation == sql.LevelDefault {
		return nil // SQLite does so by itself
	}
	_, err := q.ExecContext(ctx, `SELECT setval(pg_get_serial_sequence(?, ?), GREATEST((SELECT MAX(`+column+`) FROM `+table+`), 1))`, table, column)
	return err
}
