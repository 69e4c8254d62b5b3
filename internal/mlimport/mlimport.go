// Package mlimport takes a store that MLflow wrote into Millpond.
//
// In comes a SQLite database of MLflow 3.17, or a directory of its file store;
// out come the same experiments, runs, metrics, parameters, tags, datasets,
// logged models and registered models in the record store, with their
// artifacts. The old store is only read. What has been imported is recognised
// and left alone, so that an import that was stopped is simply run again; what
// is here under the same name, but is something else, stops the import before
// anything is written. The package does not serve and does not know REST.
package mlimport

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"github.com/millpond/millpond/internal/artifact"
	"github.com/millpond/millpond/internal/db"
)

// The types below are what both kinds of store hold.
type (
	pair struct{ Key, Value string }

	experiment struct {
		ID, Name, Location, Stage string
		Created, Updated          int64
		Tags                      []pair
		dir                       string // of a file store
	}

	metric struct {
		Key                        string
		Timestamp, Step            int64
		Value                      float64
		NaN                        int
		RunID                      string // of a logged model's
		DatasetName, DatasetDigest string
	}

	dataset struct {
		Name, Digest, SourceType, Source string
		Schema, Profile                  *string
		Tags                             []pair
	}

	modelRef struct {
		Direction, ModelID string
		Step               int64
	}

	run struct {
		ID, Name, User, Status, Stage, Location string
		Start                                   int64
		End, Deleted                            *int64
		Params, Tags                            []pair
		Metrics                                 []metric
		Datasets                                []dataset
		Models                                  []modelRef
	}

	loggedModel struct {
		ID, Name, Location, Stage, Type, Run string
		StatusMessage                        *string
		Created, Updated                     int64
		Status                               int
		Params, Tags                         []pair
		Metrics                              []metric
	}

	version struct {
		Number                                                            int64
		Created, Updated                                                  int64
		Description, Stage, Source, Location, RunID, RunLink, LoggedModel string
		Tags                                                              []pair
	}

	registeredModel struct {
		Name, Description string
		Created, Updated  int64
		Tags              []pair
		Versions          []version
		Aliases           map[string]int64
	}
)

// source is an old store.
type source interface {
	experiments(ctx context.Context) ([]experiment, error)
	runs(ctx context.Context, e experiment, each func(*run) error) error
	loggedModels(ctx context.Context, e experiment, each func(*loggedModel) error) error
	traces(ctx context.Context, e experiment, each func(*trace) error) error
	registered(ctx context.Context) ([]registeredModel, error)
	// ignored counts what it holds that Millpond does not take, by kind.
	ignored(ctx context.Context) (map[string]int, error)
	close() error
}

// Options says what is imported, and where to.
type Options struct {
	From      string // mlflow.db, sqlite:///mlflow.db, mlruns/ or file:///mlruns
	Artifacts string // the old server's artifact directory, for mlflow-artifacts: addresses
	DB        *db.DB
	Files     *artifact.Store
	DryRun    bool
	Progress  func(text string) // told of each experiment, may be nil
}

// Summary counts what was imported.
type Summary struct {
	From             string            `json:"from"`
	DryRun           bool              `json:"dry_run,omitempty"`
	Experiments      int               `json:"experiments"`
	Runs             int               `json:"runs"`
	Metrics          int               `json:"metric_points"`
	LoggedModels     int               `json:"logged_models"`
	RegisteredModels int               `json:"registered_models"`
	Versions         int               `json:"model_versions"`
	Traces           int               `json:"traces"`
	Files            int               `json:"artifact_files"`
	Bytes            int64             `json:"artifact_bytes"`
	Already          int               `json:"already_here"`
	Elsewhere        int               `json:"artifacts_elsewhere"`
	Renumbered       map[string]string `json:"renumbered_experiments,omitempty"`
	Ignored          map[string]int    `json:"not_imported,omitempty"`
	Missing          []string          `json:"artifacts_not_imported,omitempty"`
}

// Import imports a store.
func Import(ctx context.Context, opts Options) (*Summary, error) {
	src, base, err := open(ctx, opts.From)
	if err != nil {
		return nil, err
	}
	i := &importer{opts: opts, src: src, base: base, moved: map[string]string{}, sum: &Summary{From: opts.From, DryRun: opts.DryRun, Renumbered: map[string]string{}}}
	err = i.all(ctx)
	return i.sum, errors.Join(err, src.close())
}

// open finds out what kind of store it is. base is the directory that its
// relative paths begin at.
func open(ctx context.Context, from string) (source, string, error) {
	path := from
	for _, scheme := range []string{"sqlite:///", "file://", "file:"} {
		if rest, ok := strings.CutPrefix(from, scheme); ok {
			path = rest
			break
		}
	}
	if path == from && strings.Contains(from, "://") {
		return nil, "", fmt.Errorf("%s: only SQLite databases and file stores of MLflow can be imported; copy another database to SQLite first", from)
	}
	path, err := filepath.Abs(path)
	if err != nil {
		return nil, "", err
	}
	info, err := os.Stat(path)
	if err != nil {
		return nil, "", fmt.Errorf("no store of MLflow at %s: %w", from, err)
	}
	if info.IsDir() {
		src, err := openFiles(path)
		return src, filepath.Dir(path), err
	}
	src, err := openSQL(ctx, path)
	return src, filepath.Dir(path), err
}
