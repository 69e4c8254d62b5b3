package app

import (
	"context"
	"errors"
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/viper"

	"github.com/millpond/millpond/internal/mlimport"
	"github.com/millpond/millpond/internal/tracking"
)

func migrateCommand(version string) *cobra.Command {
	v := viper.New()
	var asJSON bool
	c := &cobra.Command{
		Use:   "migrate",
		Short: "Import a store that MLflow wrote, with its artifacts",
		Long: `Import experiments, runs (parameters, metrics with their history, tags, datasets),
logged models, registered models (versions, stages, aliases, tags) and artifacts
from a SQLite database of MLflow 3.17 or from a directory of its file store. The
old store is only read; runs and models keep their ids. A database of an older
MLflow is first brought up to date with: mlflow db upgrade sqlite:///mlflow.db

What has been imported is recognised, so that the command can be run again. The
server may be running. Artifacts on S3 and the like stay where they are.`,
		Example: `  millpond migrate --from-mlflow mlflow.db
  millpond migrate --from-mlflow mlflow.db --artifacts mlartifacts
  millpond migrate --from-mlflow mlruns/ --dry-run`,
		Args: cobra.NoArgs,
		RunE: func(c *cobra.Command, _ []string) error {
			return runMigrate(c.Context(), c.OutOrStdout(), c.ErrOrStderr(), v, version, asJSON)
		},
	}
	f := c.Flags()
	f.String("from-mlflow", "", "the old store: mlflow.db or mlruns/ (required)")
	f.String("artifacts", "", "the directory in which the old server kept mlflow-artifacts: (its --artifacts-destination)")
	f.String("data-dir", defaultDataDir, "the data directory to import into; made if absent")
	f.String("store", "", storeUsage)
	f.String("artifact-root", "", artifactRootUsage)
	f.Bool("dry-run", false, "count what would be imported and write nothing")
	f.BoolVar(&asJSON, "json", false, "print the summary as JSON")
	bindEnv(v, f)
	return c
}

func runMigrate(ctx context.Context, out, progress io.Writer, v *viper.Viper, version string, asJSON bool) (err error) {
	from := v.GetString("from-mlflow")
	if from == "" {
		return errors.New("name the store to import with --from-mlflow mlflow.db or --from-mlflow mlruns/")
	}
	if err := ensureDataDir(v.GetString("data-dir"), version); err != nil {
		return err
	}
	s, err := openStores(ctx, v.GetString("data-dir"), v.GetString("store"), v.GetString("artifact-root"))
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, s.close()) }()
	if _, err := tracking.New(ctx, s.db, s.files, tracking.Options{}); err != nil { // the default experiment
		return fmt.Errorf("open tracking: %w", err)
	}
	sum, err := mlimport.Import(ctx, mlimport.Options{From: from, Artifacts: v.GetString("artifacts"), DB: s.db, Files: s.files, DryRun: v.GetBool("dry-run"),
		Progress: func(text string) { fmt.Fprintln(progress, text) }})
	if err != nil {
		return err
	}
	if asJSON {
		return printJSON(out, sum)
	}
	return printImport(out, sum)
}

func printImport(w io.Writer, s *mlimport.Summary) error {
	var b strings.Builder
	verb := "imported"
	if s.DryRun {
		verb = "would import"
	}
	fmt.Fprintf(&b, "%s %d experiments, %d runs with %d metric points, %d logged models, %d registered models with %d versions, %d traces, %d artifact files of %d bytes\n",
		verb, s.Experiments, s.Runs, s.Metrics, s.LoggedModels, s.RegisteredModels, s.Versions, s.Traces, s.Files, s.Bytes)
	if s.Already > 0 {
		fmt.Fprintf(&b, "%d of them were here already\n", s.Already)
	}
	for _, old := range slices.Sorted(maps.Keys(s.Renumbered)) {
		fmt.Fprintf(&b, "experiment %s is experiment %s here\n", old, s.Renumbered[old])
	}
	if s.Elsewhere > 0 {
		fmt.Fprintf(&b, "the artifacts of %d runs and logged models stay where they are, and are read from there\n", s.Elsewhere)
	}
	for _, kind := range slices.Sorted(maps.Keys(s.Ignored)) {
		fmt.Fprintf(&b, "not imported: %d %s\n", s.Ignored[kind], kind)
	}
	for _, m := range s.Missing {
		fmt.Fprintf(&b, "an artifact could not be imported: %s\n", m)
	}
	_, err := io.WriteString(w, b.String())
	return err
}
