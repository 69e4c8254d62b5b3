package app

import (
	"context"
	"errors"
	"fmt"
	"io"
	"regexp"
	"strconv"
	"strings"
	"time"

	"github.com/spf13/cobra"
	"github.com/spf13/viper"

	"github.com/millpond/millpond/internal/db"
	"github.com/millpond/millpond/internal/registry"
	"github.com/millpond/millpond/internal/tracking"
)

// gcReport is what gc prints as JSON.
type gcReport struct {
	DryRun  bool                 `json:"dry_run"`
	Deleted []tracking.Collected `json:"deleted"`
	Kept    []tracking.Collected `json:"kept"`
	Bytes   int64                `json:"bytes"`
}

func gcCommand() *cobra.Command {
	v := viper.New()
	var asJSON bool
	c := &cobra.Command{
		Use:   "gc",
		Short: "Delete for good what has been deleted: experiments, runs, logged models, their artifacts",
		Long: `Delete for good the experiments, runs and logged models that are in the deleted
stage, with their artifacts. What lives is never touched: a deleted run whose
artifacts a model version uses is kept, and its experiment with it. The server
may be running. This cannot be undone; --dry-run shows what would go.`,
		Example: `  millpond gc --older-than 30d --dry-run
  millpond gc --experiment-ids 3,7
  millpond gc --run-ids 0b2c...,77f0...`,
		Args: cobra.NoArgs,
		RunE: func(c *cobra.Command, _ []string) error {
			return runGC(c.Context(), c.OutOrStdout(), v, asJSON)
		},
	}
	f := c.Flags()
	f.String("data-dir", defaultDataDir, "the server's data directory")
	f.String("store", "", storeUsage)
	f.String("artifact-root", "", artifactRootUsage)
	f.String("older-than", "", "only what was deleted at least so long ago, such as 30d or 1d12h")
	f.StringSlice("experiment-ids", nil, "only these experiments, with all that is in them")
	f.StringSlice("run-ids", nil, "only these runs")
	f.Bool("dry-run", false, "show what would be deleted and delete nothing")
	f.BoolVar(&asJSON, "json", false, "print JSON")
	bindEnv(v, f)
	return c
}

func runGC(ctx context.Context, w io.Writer, v *viper.Viper, asJSON bool) (err error) {
	age, err := parseAge(v.GetString("older-than"))
	if err != nil {
		return err
	}
	s, err := openStores(ctx, v.GetString("data-dir"), v.GetString("store"), v.GetString("artifact-root"))
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, s.close()) }()
	t, err := tracking.New(ctx, s.db, s.files, tracking.Options{})
	if err != nil {
		return fmt.Errorf("open tracking: %w", err)
	}
	found, err := t.Collect(ctx, tracking.CollectOptions{OlderThan: age, Experiments: v.GetStringSlice("experiment-ids"), Runs: v.GetStringSlice("run-ids"),
		DryRun: v.GetBool("dry-run"), InUse: inUse})
	report := newGCReport(found, v.GetBool("dry-run"))
	if asJSON {
		err = errors.Join(err, printJSON(w, report))
	} else {
		err = errors.Join(err, report.print(w))
	}
	for _, d := range report.Deleted {
		if d.Left != "" && d.Left != "not kept by this server" {
			err = errors.Join(err, fmt.Errorf("the artifacts of %s %s at %s are still there: %s", d.Kind, d.ID, d.Location, d.Left))
		}
	}
	return err
}

// inUse tells tracking what the registry needs.
func inUse(ctx context.Context, q db.Querier) ([]tracking.Use, error) {
	list, err := registry.Uses(ctx, q)
	out := make([]tracking.Use, len(list))
	for i, u := range list {
		out[i] = tracking.Use(u)
	}
	return out, err
}

func newGCReport(found []tracking.Collected, dryRun bool) gcReport {
	r := gcReport{DryRun: dryRun, Deleted: []tracking.Collected{}, Kept: []tracking.Collected{}}
	for _, c := range found {
		if c.Kept != "" {
			r.Kept = append(r.Kept, c)
			continue
		}
		r.Deleted = append(r.Deleted, c)
		r.Bytes += c.Bytes
	}
	return r
}

func (r gcReport) print(w io.Writer) error {
	var b strings.Builder
	verb, sum := "deleted", "freed"
	if r.DryRun {
		verb, sum = "would delete", "would free"
	}
	for _, c := range r.Deleted {
		fmt.Fprintf(&b, "%s %s %s (%s)", verb, c.Kind, c.ID, c.Name)
		if c.Bytes > 0 {
			fmt.Fprintf(&b, ", %d bytes", c.Bytes)
		}
		if c.Left != "" {
			fmt.Fprintf(&b, "; its artifacts stay at %s: %s", c.Location, c.Left)
		}
		b.WriteByte('\n')
	}
	for _, c := range r.Kept {
		fmt.Fprintf(&b, "kept %s %s (%s): %s\n", c.Kind, c.ID, c.Name, c.Kept)
	}
	fmt.Fprintf(&b, "%s %d, kept %d, %s %d bytes of artifacts\n", verb, len(r.Deleted), len(r.Kept), sum, r.Bytes)
	_, err := io.WriteString(w, b.String())
	return err
}

var agePart = regexp.MustCompile(`^(\d+(?:\.\d+)?)([dhms])`)

// parseAge reads ages as mlflow gc does: 1d2h3m4s.
func parseAge(text string) (time.Duration, error) {
	unit := map[string]time.Duration{"d": 24 * time.Hour, "h": time.Hour, "m": time.Minute, "s": time.Second}
	var sum time.Duration
	for left := text; left != ""; {
		m := agePart.FindStringSubmatch(left)
		if m == nil {
			return 0, fmt.Errorf("--older-than %q is no age such as 30d, 12h or 1d2h3m4s", text)
		}
		n, err := strconv.ParseFloat(m[1], 64)
		if err != nil || n*float64(unit[m[2]]) > 1e18 {
			return 0, fmt.Errorf("--older-than %q is too long", text)
		}
		sum += time.Duration(n * float64(unit[m[2]]))
		left = left[len(m[0]):]
	}
	return sum, nil
}
