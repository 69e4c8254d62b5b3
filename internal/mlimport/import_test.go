package mlimport

import (
	"context"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/millpond/millpond/internal/artifact"
	"github.com/millpond/millpond/internal/db"
	"github.com/millpond/millpond/internal/db/dbtest"
)

func TestOnPostgres(t *testing.T) { dbtest.OnPostgres(t) }

// oldFiles is a small store of files, as MLflow lays it out, whose artifacts
// were kept by its server.
func oldFiles(t *testing.T) (store, artifacts string) {
	t.Helper()
	dir := t.TempDir()
	const run = "mlruns/987654321012345678/0123456789abcdef0123456789abcdef/"
	for name, content := range map[string]string{
		"mlruns/987654321012345678/meta.yaml": "experiment_id: '987654321012345678'\nname: 'old: one'\nartifact_location: mlflow-artifacts:/987654321012345678\nlifecycle_stage: active\ncreation_time: 5\nlast_update_time: 6\n",
		"mlruns/987654321012345678/tags/a/b":  "deep",
		run + "meta.yaml":                     "run_id: 0123456789abcdef0123456789abcdef\nrun_name: 007\nuser_id: me\nstatus: 4\nstart_time: 1\nend_time: 2\nlifecycle_stage: active\nartifact_uri: mlflow-artifacts:/987654321012345678/0123456789abcdef0123456789abcdef/artifacts\n",
		run + "params/p":                      "1\n2",
		run + "metrics/val/loss":              "10 0.5 0\n11 nan 1\n12 -inf 2\n10 0.5 0\n",
		run + "tags/mlflow.runName":           "007",
		"mlruns/models/m/meta.yaml":           "name: m\ncreation_timestamp: 1\nlast_updated_timestamp: 2\ndescription: d\naliases:\n  best: '3'\n",
		"mlruns/models/m/version-3/meta.yaml": "name: m\nversion: '3'\ncreation_timestamp: 7\nlast_updated_timestamp: 8\ncurrent_stage: Staging\nrun_id: 0123456789abcdef0123456789abcdef\nsource: mlflow-artifacts:/987654321012345678/0123456789abcdef0123456789abcdef/artifacts/model\n",
		"kept/987654321012345678/0123456789abcdef0123456789abcdef/artifacts/model/MLmodel": "flavors",
	} {
		file := filepath.Join(dir, name)
		if err := os.MkdirAll(filepath.Dir(file), 0o700); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(file, []byte(content), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return filepath.Join(dir, "mlruns"), filepath.Join(dir, "kept")
}

func target(t *testing.T) (*db.DB, *artifact.Store) {
	t.Helper()
	d, err := db.Open(t.Context(), dbtest.Address(t), db.Options{Logger: slog.New(slog.DiscardHandler)})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { d.Close() })
	files, err := artifact.Open(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { files.Close() })
	return d, files
}

// rows reads a query's rows of texts.
func rows(t *testing.T, d *db.DB, query string) (out []string) {
	t.Helper()
	found, err := collect(t.Context(), d.Reader(), func(s *string) []any { return []any{s} }, query)
	if err != nil {
		t.Fatal(err)
	}
	return found
}

func TestImportFiles(t *testing.T) {
	store, kept := oldFiles(t)
	d, files := target(t)
	opts := Options{From: store, DB: d, Files: files}
	if _, err := Import(t.Context(), opts); err == nil || !strings.Contains(err.Error(), "--artifacts") {
		t.Errorf("artifacts unknown: %v", err)
	}
	opts.Artifacts, opts.DryRun = kept, true
	if sum, err := Import(t.Context(), opts); err != nil || sum.Runs != 1 || sum.Files != 1 {
		t.Errorf("dry run: %+v, %v", sum, err)
	}
	if got := rows(t, d, `SELECT name FROM experiments`); got != nil {
		t.Errorf("a dry run wrote %v", got)
	}
	opts.DryRun = false
	sum, err := Import(t.Context(), opts)
	if err != nil {
		t.Fatal(err)
	}
	if sum.Experiments != 1 || sum.Runs != 1 || sum.Versions != 1 || sum.Files != 1 || len(sum.Renumbered) != 1 {
		t.Errorf("%+v", sum)
	}
	for query, want := range map[string][]string{
		`SELECT name FROM experiments`:                                  {"old: one"},
		`SELECT value FROM experiment_tags`:                             {"deep"},
		`SELECT name || ' ' || status FROM runs`:                        {"007 FAILED"},
		`SELECT value FROM params`:                                      {"1\n2"},
		`SELECT step || ' ' || is_nan FROM metrics ORDER BY step`:       {"0 0", "1 1", "2 0"},
		`SELECT step || key FROM latest_metrics`:                        {"2val/loss"},
		`SELECT version || current_stage || source FROM model_versions`: {"3Stagingmlflow-artifacts:/1/0123456789abcdef0123456789abcdef/artifacts/model"},
		`SELECT alias || version FROM registered_model_aliases`:         {"best3"},
		`SELECT last_version || name FROM registered_models`:            {"3m"},
	} {
		if got := rows(t, d, query); cmp.Diff(want, got) != "" {
			t.Errorf("%s: %q, want %q", query, got, want)
		}
	}
	f, err := files.Open(t.Context(), "1/0123456789abcdef0123456789abcdef/artifacts/model/MLmodel")
	if err != nil {
		t.Fatal(err)
	}
	f.Close()
	if again, err := Import(t.Context(), opts); err != nil || again.Runs+again.Experiments+again.Versions+again.Files != 0 || again.Already != 4 {
		t.Errorf("again: %+v, %v", again, err)
	}
}

// TestImportRefusesAnotherHistory has a model of the same name here.
func TestImportRefusesAnotherHistory(t *testing.T) {
	store, kept := oldFiles(t)
	d, files := target(t)
	err := d.Write(t.Context(), func(ctx context.Context, q db.Querier) error {
		if _, err := q.ExecContext(ctx, `INSERT INTO registered_models (id, name, creation_time, last_updated_time) VALUES (1, 'm', 0, 0)`); err != nil {
			return err
		}
		_, err := q.ExecContext(ctx, `INSERT INTO model_versions (model, version, creation_time, last_updated_time, source, storage_location) VALUES (1, 3, 0, 0, '', '')`)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := Import(t.Context(), Options{From: store, Artifacts: kept, DB: d, Files: files}); err == nil || !strings.Contains(err.Error(), "m version 3") {
		t.Errorf("got %v", err)
	}
	if got := rows(t, d, `SELECT name FROM experiments`); got != nil {
		t.Errorf("wrote %v", got)
	}
}

// TestKeptNumbers lets new experiments go on after an imported number.
func TestKeptNumbers(t *testing.T) {
	d, _ := target(t)
	err := d.Write(t.Context(), func(ctx context.Context, q db.Querier) error {
		if _, err := insertExperiment(ctx, q, experiment{Name: "seventh", Stage: "active"}, 7, true); err != nil {
			return err
		}
		if err := d.Advance(ctx, q, "experiments", "experiment_id"); err != nil {
			return err
		}
		id, err := insertExperiment(ctx, q, experiment{Name: "next", Stage: "active"}, 0, false)
		if id != 8 {
			t.Errorf("the next has number %d", id)
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
}
