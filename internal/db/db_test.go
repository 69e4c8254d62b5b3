package db

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/millpond/millpond/internal/db/dbtest"
)

func TestOnPostgres(t *testing.T) { dbtest.OnPostgres(t) }

func open(t *testing.T, path string) *DB {
	t.Helper()
	d, err := Open(t.Context(), path, Options{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { d.Close() })
	return d
}

func addTag(ctx context.Context, q Querier, key string) error {
	_, err := q.ExecContext(ctx, `INSERT INTO experiment_tags (experiment_id, key, value) VALUES (1, ?, '')`, key)
	return err
}

func addExperiment(t *testing.T, d *DB) {
	t.Helper()
	err := d.Write(t.Context(), func(ctx context.Context, q Querier) error {
		_, err := q.ExecContext(ctx, `INSERT INTO experiments (experiment_id, name, artifact_location, creation_time, last_update_time) VALUES (1, 'e', '', 0, 0)`)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
}

func count(t *testing.T, d *DB) (n int) {
	t.Helper()
	if err := d.Reader().QueryRowContext(t.Context(), `SELECT COUNT(*) FROM experiment_tags`).Scan(&n); err != nil {
		t.Fatal(err)
	}
	return n
}

func TestReopenKeepsRecords(t *testing.T) {
	path := dbtest.Address(t)
	d := open(t, path)
	addExperiment(t, d)
	if err := d.Close(); err != nil {
		t.Fatal(err)
	}
	d = open(t, path)
	var name string
	if err := d.Reader().QueryRowContext(t.Context(), `SELECT name FROM experiments`).Scan(&name); err != nil || name != "e" {
		t.Errorf("got %q, %v", name, err)
	}
}

func TestRefusesNewerSchema(t *testing.T) {
	path := dbtest.Address(t)
	d := open(t, path)
	err := d.Write(t.Context(), func(ctx context.Context, q Querier) error {
		_, err := q.ExecContext(ctx, `INSERT INTO goose_db_version (version_id, is_applied) VALUES (99999, TRUE)`)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	d.Close()
	_, err = Open(t.Context(), path, Options{})
	var newer *SchemaTooNewError
	if !errors.As(err, &newer) || newer.Version != 99999 || newer.Supports < 1 || newer.Path != d.Name() {
		t.Errorf("got %v, want a SchemaTooNewError", err)
	}
}

func TestSettings(t *testing.T) {
	if dbtest.IsPostgres() {
		t.Skip("settings of SQLite")
	}
	d := open(t, filepath.Join(t.TempDir(), "d.db"))
	for pragma, want := range map[string]string{"journal_mode": "wal", "synchronous": "2", "foreign_keys": "1"} {
		var read, written string
		if err := d.Reader().QueryRowContext(t.Context(), "PRAGMA "+pragma).Scan(&read); err != nil {
			t.Fatal(err)
		}
		err := d.Write(t.Context(), func(ctx context.Context, q Querier) error {
			return q.QueryRowContext(ctx, "PRAGMA "+pragma).Scan(&written)
		})
		if err != nil || read != want || written != want {
			t.Errorf("%s: reader has %s, writer %s, want %s (%v)", pragma, read, written, want, err)
		}
	}
	if _, err := d.Reader().ExecContext(t.Context(), `DELETE FROM experiments`); err == nil {
		t.Error("a reader could write")
	}
}

func TestConcurrentWritesLoseNothing(t *testing.T) {
	d := open(t, dbtest.Address(t))
	addExperiment(t, d)
	const writers, each = 200, 10
	var wg sync.WaitGroup
	for w := range writers {
		wg.Go(func() {
			for i := range each {
				err := d.Write(t.Context(), func(ctx context.Context, q Querier) error { return addTag(ctx, q, fmt.Sprint(w, "-", i)) })
				if err != nil {
					t.Error(err)
				}
			}
		})
	}
	wg.Wait()
	if n := count(t, d); n != writers*each {
		t.Errorf("%d rows, want %d", n, writers*each)
	}
}

// TestFailureUndoesOneCaller mixes writes that fail, panic and are cancelled
// with writes that succeed: all run in shared transactions.
func TestFailureUndoesOneCaller(t *testing.T) {
	d := open(t, dbtest.Address(t))
	addExperiment(t, d)
	cancelled, cancel := context.WithCancel(t.Context())
	cancel()
	boom := errors.New("boom")
	var good atomic.Int64
	var wg sync.WaitGroup
	for i := range 400 {
		wg.Go(func() {
			ctx := t.Context()
			if i%4 == 3 {
				ctx = cancelled
			}
			err := d.Write(ctx, func(ctx context.Context, q Querier) error {
				if err := addTag(ctx, q, fmt.Sprint(i)); err != nil {
					return err
				}
				switch i % 4 {
				case 1:
					return boom
				case 2:
					panic("oops")
				}
				return nil
			})
			switch i % 4 {
			case 0:
				if err != nil {
					t.Error(err)
				}
				good.Add(1)
			case 1:
				if !errors.Is(err, boom) {
					t.Errorf("got %v, want boom", err)
				}
			case 2:
				if err == nil || !strings.Contains(err.Error(), "oops") {
					t.Errorf("got %v, want the panic", err)
				}
			case 3:
				if !errors.Is(err, context.Canceled) {
					t.Errorf("got %v, want cancelled", err)
				}
			}
		})
	}
	wg.Wait()
	if n := count(t, d); n != int(good.Load()) {
		t.Errorf("%d rows, want %d", n, good.Load())
	}
}

func TestErrorsAreRecognised(t *testing.T) {
	d := open(t, dbtest.Address(t))
	addExperiment(t, d)
	write := func(query string) error {
		return d.Write(t.Context(), func(ctx context.Context, q Querier) error {
			_, err := q.ExecContext(ctx, query)
			return err
		})
	}
	if err := write(`INSERT INTO experiments (name, artifact_location, creation_time, last_update_time) VALUES ('e', '', 0, 0)`); !IsUnique(err) {
		t.Errorf("same name: %v", err)
	}
	if err := write(`INSERT INTO experiment_tags (experiment_id, key, value) VALUES (7, '', '')`); !IsForeignKey(err) {
		t.Errorf("no such experiment: %v", err)
	}
	if err := write(`INSERT INTO experiment_tags (experiment_id, key, value) VALUES (NULL, '', '')`); !IsNotNull(err) {
		t.Errorf("null: %v", err)
	}
	if IsUnique(nil) || IsForeignKey(sql.ErrNoRows) {
		t.Error("recognised too much")
	}
}

func TestViewIsOneSnapshot(t *testing.T) {
	d := open(t, dbtest.Address(t))
	addExperiment(t, d)
	err := d.View(t.Context(), func(ctx context.Context, q Querier) error {
		var before, after int
		if err := q.QueryRowContext(ctx, `SELECT COUNT(*) FROM experiment_tags`).Scan(&before); err != nil {
			return err
		}
		if err := d.Write(ctx, func(ctx context.Context, q Querier) error { return addTag(ctx, q, "x") }); err != nil {
			return err
		}
		if err := q.QueryRowContext(ctx, `SELECT COUNT(*) FROM experiment_tags`).Scan(&after); err != nil {
			return err
		}
		if before != after {
			t.Errorf("a view saw %d rows, then %d", before, after)
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	if n := count(t, d); n != 1 {
		t.Errorf("a read after a write sees %d rows", n)
	}
}

func TestCloseFinishesWrites(t *testing.T) {
	path := dbtest.Address(t)
	d := open(t, path)
	addExperiment(t, d)
	var wg sync.WaitGroup
	var written atomic.Int64
	for i := range 300 {
		wg.Go(func() {
			err := d.Write(t.Context(), func(ctx context.Context, q Querier) error { return addTag(ctx, q, fmt.Sprint(i)) })
			switch {
			case err == nil:
				written.Add(1)
			case !errors.Is(err, ErrClosed):
				t.Error(err)
			}
		})
	}
	d.Close()
	wg.Wait()
	if n := count(t, open(t, path)); n != int(written.Load()) {
		t.Errorf("%d rows on disk, %d acknowledged", n, written.Load())
	}
}

func TestManyDistinctQueries(t *testing.T) {
	d := open(t, dbtest.Address(t))
	for i := range 2 * maxCached {
		var n int
		if err := d.Reader().QueryRowContext(t.Context(), fmt.Sprintf("SELECT %d", i)).Scan(&n); err != nil || n != i {
			t.Fatalf("query %d: %d, %v", i, n, err)
		}
	}
}
