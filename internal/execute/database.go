// Package execute runs compiled plans: DuckDB for statements, and whatever operators it is given
// for the other stages, linked by streams of Arrow batches. It is the only package that imports
// the database driver. It knows models and Python only as operators over batches.
package execute

import (
	"context"
	"errors"
	"fmt"
	"os"
	"strconv"
	"strings"
	"sync/atomic"

	duck "github.com/duckdb/duckdb-go-bindings"

	"github.com/millpond/millpond/internal/compile"
)

// Options of a Database.
type Options struct {
	Threads     int
	MemoryBytes int64  // limit of the engine's own memory; it spills beyond
	TempDir     string // where it spills
}

// Database is an embedded DuckDB without tables of its own: what users store lies in files.
type Database struct{ db duck.Database }

// macros are the functions that Spark has and DuckDB says otherwise.
var macros = []string{
	`CREATE OR REPLACE MACRO spark_scientific(s, neg) AS (CASE
		WHEN contains(s, 'e') THEN neg || (CASE WHEN contains(split_part(s, 'e', 1), '.') THEN split_part(s, 'e', 1) ELSE split_part(s, 'e', 1) || '.0' END) || 'E' || CAST(CAST(split_part(s, 'e', 2) AS INTEGER) AS VARCHAR)
		WHEN starts_with(s, '0.') THEN neg || ltrim(substr(s, 3), '0')[1] || '.' || (CASE WHEN length(ltrim(substr(s, 3), '0')) > 1 THEN ltrim(substr(s, 3), '0')[2:] ELSE '0' END) || 'E-' || CAST(length(substr(s, 3)) - length(ltrim(substr(s, 3), '0')) + 1 AS VARCHAR)
		ELSE neg || s[1] || '.' || (CASE WHEN rtrim(replace(s, '.', '')[2:], '0') = '' THEN '0' ELSE rtrim(replace(s, '.', '')[2:], '0') END) || 'E' || CAST(length(split_part(s, '.', 1)) - 1 AS VARCHAR) END)`,
	`CREATE OR REPLACE MACRO spark_double_text(x) AS (CASE
		WHEN isnan(x) THEN 'NaN' WHEN isinf(x) THEN (CASE WHEN x > 0 THEN 'Infinity' ELSE '-Infinity' END)
		WHEN x = 0 OR (abs(x) >= 1e-3 AND abs(x) < 1e7) THEN CAST(x AS VARCHAR)
		ELSE spark_scientific(CAST(abs(x) AS VARCHAR), CASE WHEN x < 0 THEN '-' ELSE '' END) END)`,
}

// Open starts an in-memory DuckDB. It never touches the network.
func Open(o Options) (*Database, error) {
	var config duck.Config
	if duck.CreateConfig(&config) == duck.StateError {
		return nil, errors.New("create DuckDB configuration")
	}
	defer duck.DestroyConfig(&config)
	settings := map[string]string{"autoinstall_known_extensions": "false", "autoload_known_extensions": "false",
		"preserve_insertion_order": "true", "enable_external_access": "true", "default_null_order": "nulls_first"}
	if o.Threads > 0 {
		settings["threads"] = strconv.Itoa(o.Threads)
	}
	if o.MemoryBytes > 0 {
		settings["memory_limit"] = fmt.Sprintf("%dMB", o.MemoryBytes>>20)
	}
	if o.TempDir != "" {
		if err := os.MkdirAll(o.TempDir, 0o700); err != nil {
			return nil, fmt.Errorf("make spill directory: %w", err)
		}
		settings["temp_directory"] = o.TempDir
	}
	for k, v := range settings {
		if duck.SetConfig(config, k, v) == duck.StateError {
			return nil, fmt.Errorf("DuckDB does not take %s=%s", k, v)
		}
	}
	d := &Database{}
	var message string
	if duck.OpenExt(":memory:", &d.db, config, &message) == duck.StateError {
		return nil, fmt.Errorf("open DuckDB: %s", message)
	}
	c, err := d.connect(nil)
	if err != nil {
		return nil, err
	}
	defer c.close()
	if err := registerSources(c); err != nil {
		return nil, err
	}
	if err := registerNatives(c); err != nil {
		return nil, err
	}
	if err := registerAggregates(c); err != nil {
		return nil, err
	}
	for _, m := range macros {
		if err := c.exec(m); err != nil {
			return nil, fmt.Errorf("define %s: %w", strings.Fields(m)[4], err)
		}
	}
	return d, nil
}

// Close frees the database; no statement may be running.
func (d *Database) Close() { duck.Close(&d.db) }

// Name makes the text by which a statement reads a source that no other statement reads.
func (d *Database) Name() string { return sourceName(sourceIDs.Add(1)) }

// sourceIDs numbers the sources of all databases of the process: sources is one map.
var sourceIDs atomic.Int64

// connection is used by one statement at a time.
type connection struct{ c duck.Connection }

func (d *Database) connect(settings map[string]string) (*connection, error) {
	c := &connection{}
	if duck.Connect(d.db, &c.c) == duck.StateError {
		return nil, errors.New("connect to DuckDB")
	}
	// Without the first setting DuckDB does not count its progress; it is not to print it.
	sql := "SET enable_progress_bar = true; SET enable_progress_bar_print = false; SET max_expression_depth = 4000"
	for k, v := range settings {
		sql += "; SET " + k + " = '" + strings.ReplaceAll(v, "'", "''") + "'"
	}
	if err := c.exec(sql); err != nil {
		c.close()
		return nil, err
	}
	return c, nil
}

func (c *connection) close() { duck.Disconnect(&c.c) }

func (c *connection) exec(sql string) error {
	var res duck.Result
	defer duck.DestroyResult(&res)
	if duck.Query(c.c, sql, &res) == duck.StateError {
		return engineError(duck.ResultError(&res), &compile.Query{SQL: sql})
	}
	return nil
}

// Exec runs a statement that answers nothing (COPY ... TO, say).
func (d *Database) Exec(ctx context.Context, settings map[string]string, sql string) error {
	c, err := d.connect(settings)
	if err != nil {
		return err
	}
	defer c.close()
	stop := c.interruptOn(ctx)
	defer stop()
	if err := c.run(sql); err != nil {
		if ctx.Err() != nil {
			return ctx.Err()
		}
		return err
	}
	return nil
}

// run runs one statement that may take long.
func (c *connection) run(sql string) error {
	q := &compile.Query{SQL: sql}
	var stmt duck.PreparedStatement
	defer duck.DestroyPrepare(&stmt)
	if duck.Prepare(c.c, sql, &stmt) == duck.StateError {
		return engineError(duck.PrepareError(stmt), q)
	}
	var pending duck.PendingResult
	defer duck.DestroyPending(&pending)
	if duck.PendingPrepared(stmt, &pending) == duck.StateError {
		return engineError(duck.PendingError(pending), q)
	}
	var res duck.Result
	defer duck.DestroyResult(&res)
	return finish(pending, &res, q)
}

// taskRows is how many rows DuckDB's threads take at a time when they scan: its row group.
const taskRows = 122_880

// progress counts a running statement's work in row groups.
func (c *connection) progress() (done, total int64) {
	p := duck.QueryProgress(c.c)
	part, _, rows := duck.QueryProgressTypeMembers(&p)
	if part < 0 || rows == 0 {
		return 0, 0 // it does not know
	}
	total = int64(rows/taskRows) + 1
	return int64(part / 100 * float64(total)), total
}

// interruptOn interrupts the connection's statement when ctx ends; stop it when that is over.
func (c *connection) interruptOn(ctx context.Context) (stop func()) {
	done, gone := make(chan struct{}), make(chan struct{})
	go func() {
		defer close(gone)
		select {
		case <-ctx.Done():
			duck.Interrupt(c.c)
		case <-done:
		}
	}()
	return func() { close(done); <-gone }
}
