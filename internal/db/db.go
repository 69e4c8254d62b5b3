// Package db keeps the workspace's records in an SQL database on disk.
//
// In comes a path and, afterwards, functions that read or write through a
// [Querier]; out come their results. A write that has been acknowledged is on
// disk: [DB.Write] returns only after the commit that carries it has been
// flushed. The package never knows what the rows mean, never builds a query,
// and never lets a caller hold a transaction open across calls. It alone
// imports SQL drivers, so a second database is added here and nowhere else:
// sqlite.go holds all that is particular to SQLite (opening, migrating, telling
// errors apart), and the slices keep to SQL that PostgreSQL has too.
package db

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"log/slog"
	"runtime"
	"time"
)

// Querier runs SQL. Parameters are written as ?. The statement text should be
// constant for a given call site wherever possible: statements are prepared
// once per distinct text and kept.
type Querier interface {
	ExecContext(ctx context.Context, query string, args ...any) (sql.Result, error)
	QueryContext(ctx context.Context, query string, args ...any) (*sql.Rows, error)
	QueryRowContext(ctx context.Context, query string, args ...any) *sql.Row
}

// SchemaTooNewError says that the file was written by a newer release. The
// database is left untouched.
type SchemaTooNewError struct {
	Path              string
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

// DB is an open database: one writer with group commit, many readers.
type DB struct {
	path   string
	writer *writer
	read   *sql.DB
	stmts  *stmtCache // statements of the read pool
	log    *slog.Logger
}

// Open opens the SQLite database at path, creating it if there is none, and
// brings its schema up to date. A schema newer than this binary is refused
// with a [SchemaTooNewError].
func Open(ctx context.Context, path string, opts Options) (*DB, error) {
	if opts.Readers <= 0 {
		opts.Readers = max(4, 2*runtime.GOMAXPROCS(0))
	}
	if opts.MaxBatch <= 0 {
		opts.MaxBatch = 512
	}
	if opts.Logger == nil {
		opts.Logger = slog.Default()
	}
	wdb, err := openSQLite(path, 1, false)
	if err != nil {
		return nil, fmt.Errorf("open database %s: %w", path, err)
	}
	start := time.Now()
	applied, err := migrate(ctx, wdb, path)
	if err != nil {
		wdb.Close()
		return nil, err
	}
	if applied > 0 {
		opts.Logger.Info("database schema brought up to date", "path", path, "migrations", applied, "took", time.Since(start))
	}
	rdb, err := openSQLite(path, opts.Readers, true)
	if err != nil {
		wdb.Close()
		return nil, fmt.Errorf("open database %s for reading: %w", path, err)
	}
	w, err := startWriter(ctx, wdb, opts.MaxBatch)
	if err != nil {
		rdb.Close()
		wdb.Close()
		return nil, fmt.Errorf("open database %s: %w", path, err)
	}
	return &DB{path: path, writer: w, read: rdb, stmts: newStmtCache(rdb), log: opts.Logger}, nil
}

// Write runs fn in a transaction and returns once its effects are on disk.
// Functions of concurrent callers run one after another, in order of arrival,
// and share a commit; an error of one undoes that one alone. fn must not keep
// its Querier, start goroutines with it, wait for anything slow, or call Write.
func (d *DB) Write(ctx context.Context, fn func(ctx context.Context, q Querier) error) error {
	return d.writer.do(ctx, fn)
}

// Reader returns a Querier that reads committed state. Each call sees a
// snapshot of its own; use [DB.View] when several must agree.
func (d *DB) Reader() Querier { return d.stmts }

// View runs fn over one consistent snapshot.
func (d *DB) View(ctx context.Context, fn func(ctx context.Context, q Querier) error) error {
	tx, err := d.read.BeginTx(ctx, &sql.TxOptions{ReadOnly: true})
	if err != nil {
		return fmt.Errorf("begin read: %w", err)
	}
	defer tx.Rollback()
	return fn(ctx, tx)
}

// Close finishes the writes in hand, then closes the database. Writes handed
// over later get [ErrClosed].
func (d *DB) Close() error {
	err := d.writer.close()
	d.stmts.close()
	return errors.Join(err, d.read.Close())
}
