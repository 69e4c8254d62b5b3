package db

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"net/url"
	"strings"

	"github.com/pressly/goose/v3"
	"modernc.org/sqlite"
	sqlite3 "modernc.org/sqlite/lib"
)

// openSQLite opens the file, whose one writer groups commits.
func openSQLite(ctx context.Context, path string, opts Options) (*DB, error) {
	wdb, err := sqlitePool(path, 1, false)
	if err != nil {
		return nil, sqliteError(path, err)
	}
	if err := migrate(ctx, wdb, goose.DialectSQLite3, path, opts.Logger); err != nil {
		wdb.Close()
		return nil, sqliteError(path, err)
	}
	rdb, err := sqlitePool(path, opts.Readers, true)
	if err != nil {
		wdb.Close()
		return nil, sqliteError(path, err)
	}
	w, err := startWriter(ctx, wdb, opts.MaxBatch)
	if err != nil {
		rdb.Close()
		wdb.Close()
		return nil, sqliteError(path, err)
	}
	stmts := newStmtCache(rdb)
	return &DB{
		name: path, writer: w, read: rdb, reader: stmts, viewMode: &sql.TxOptions{ReadOnly: true},
		inTx:  func(tx *sql.Tx) Querier { return tx },
		close: func() error { stmts.close(); return rdb.Close() },
	}, nil
}

// sqliteError says plainly what can be mended by hand.
func sqliteError(path string, err error) error {
	var newer *SchemaTooNewError
	switch {
	case errors.As(err, &newer):
		return err
	case hasCode(err, sqlite3.SQLITE_NOTADB, sqlite3.SQLITE_CORRUPT), isDamaged(err):
		return fmt.Errorf("database %s is damaged, or is no database: %w; restore it from a backup (millpond restore)", path, err)
	}
	return fmt.Errorf("open database %s: %w", path, err)
}

// sqlitePool opens a pool of n connections. The pragmas travel in the address
// so that every connection of the pool has them.
func sqlitePool(path string, n int, readOnly bool) (*sql.DB, error) {
	q := url.Values{}
	for _, p := range []string{
		"busy_timeout(10000)",
		"journal_mode(WAL)",
		"synchronous(FULL)", // a commit is flushed before it is acknowledged
		"foreign_keys(1)",
		"case_sensitive_like(1)", // LIKE is case-sensitive in MLflow, ILIKE is not
		"cache_size(-16000)",
		"temp_store(MEMORY)",
		"secure_delete(FAST)", // what is overwritten, an old secret maybe, does not linger where pages are written anyway
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

func hasCode(err error, codes ...int) bool {
	var e *sqlite.Error
	if !errors.As(err, &e) {
		return false
	}
	for _, c := range codes {
		if e.Code() == c || e.Code()&0xff == c {
			return true
		}
	}
	return false
}
