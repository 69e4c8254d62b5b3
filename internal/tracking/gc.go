package tracking

import (
	"context"
	"fmt"
	"path"
	"slices"
	"strings"
	"time"

	"github.com/millpond/millpond/internal/db"
	"github.com/millpond/millpond/internal/rest"
)

// CollectOptions says what may be deleted for good.
type CollectOptions struct {
	OlderThan   time.Duration // only what was deleted at least so long ago
	Experiments []string      // only these, with all that is in them
	Runs        []string      // only these
	DryRun      bool
	// InUse tells which addresses something that lives still needs.
	InUse func(ctx context.Context, q db.Querier) ([]Use, error)
}

// Use is an address of artifacts that something that lives needs.
type Use struct {
	By       string // such as "model version churn/3"
	Location string
}

// Collected is one thing that was deleted for good, or would be.
type Collected struct {
	Kind     string `json:"kind"` // experiment, run or logged model
	ID       string `json:"id"`
	Name     string `json:"name"`
	Location string `json:"artifacts,omitempty"`
	Bytes    int64  `json:"bytes"`
	// Kept says why it was not deleted after all.
	Kept string `json:"kept,omitempty"`
	// Left says why its artifacts are still there.
	Left string `json:"artifacts_left,omitempty"`

	row        int64
	experiment int64
}

// Collect deletes for good what was deleted: first the records, then the
// artifacts, so that nothing that lives ever lacks its files. It answers with
// all that it looked at.
func (s *Service) Collect(ctx context.Context, opts CollectOptions) ([]Collected, error) {
	candidates, err := s.candidates(ctx, &opts)
	if err != nil {
		return nil, err
	}
	// Experiments come last: one of which something is kept is kept.
	kept := map[int64]string{}
	const chunk = 100
	for start := 0; start < len(candidates); start += chunk {
		part := candidates[start:min(start+chunk, len(candidates))]
		if err := s.collectRecords(ctx, part, &opts, kept); err != nil {
			return candidates[:start], err
		}
		for i := range part {
			s.collectArtifacts(ctx, &part[i], opts.DryRun)
		}
	}
	return candidates, nil
}

func (s *Service) candidates(ctx context.Context, opts *CollectOptions) (out []Collected, err error) {
	cutoff := s.millis() - opts.OlderThan.Milliseconds()
	err = s.db.View(ctx, func(ctx context.Context, q db.Querier) error {
		experiments, err := collectable(ctx, q, "experiment", `SELECT experiment_id, experiment_id, CAST(experiment_id AS TEXT), name, '' FROM experiments
			WHERE lifecycle_stage = 'deleted' AND last_update_time <= ? ORDER BY experiments.experiment_id`, cutoff)
		if err != nil {
			return err
		}
		runs, err := collectable(ctx, q, "run", `SELECT id, experiment_id, run_id, name, artifact_uri FROM runs
			WHERE lifecycle_stage = 'deleted' AND COALESCE(deleted_time, 0) <= ? ORDER BY id`, cutoff)
		if err != nil {
			return err
		}
		models, err := collectable(ctx, q, "logged model", `SELECT l.id, l.experiment_id, l.model_id, l.name, l.artifact_location FROM logged_models l
			JOIN experiments e ON e.experiment_id = l.experiment_id WHERE l.lifecycle_stage = 'deleted' AND l.last_updated_timestamp_ms <= ?
			OR e.lifecycle_stage = 'deleted' AND e.last_update_time <= ? ORDER BY l.id`, cutoff, cutoff)
		if err != nil {
			return err
		}
		if len(opts.Runs) > 0 {
			experiments, models = nil, nil
			if runs, err = chosen(runs, opts.Runs, "run"); err != nil {
				return err
			}
		}
		if len(opts.Experiments) > 0 {
			if experiments, err = chosen(experiments, opts.Experiments, "experiment"); err != nil {
				return err
			}
			within := func(c Collected) bool {
				return !slices.ContainsFunc(experiments, func(e Collected) bool { return e.row == c.experiment })
			}
			runs, models = slices.DeleteFunc(runs, within), slices.DeleteFunc(models, within)
		}
		out = slices.Concat(runs, models, experiments)
		return nil
	})
	return out, err
}

func collectable(ctx context.Context, q db.Querier, kind, query string, args ...any) ([]Collected, error) {
	rows, err := q.QueryContext(ctx, query, args...)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	var out []Collected
	for rows.Next() {
		c := Collected{Kind: kind}
		if err := rows.Scan(&c.row, &c.experiment, &c.ID, &c.Name, &c.Location); err != nil {
			return nil, err
		}
		out = append(out, c)
	}
	return out, rows.Err()
}

// chosen keeps those with the ids, each of which must be there.
func chosen(list []Collected, ids []string, kind string) ([]Collected, error) {
	var out []Collected
	for _, id := range ids {
		i := slices.IndexFunc(list, func(c Collected) bool { return c.ID == id })
		if i < 0 {
			return nil, rest.Invalid("The %s %s is not in the deleted stage, or was not deleted long enough ago: "+
				"only what has been deleted can be deleted for good.", kind, id)
		}
		out = append(out, list[i])
	}
	return out, nil
}

// collectRecords deletes the rows of part, but for what has been restored since
// or is still needed.
func (s *Service) collectRecords(ctx context.Context, part []Collected, opts *CollectOptions, kept map[int64]string) error {
	return s.db.Write(ctx, func(ctx context.Context, q db.Querier) error {
		uses, err := livingExperiments(ctx, q)
		if err != nil {
			return err
		}
		if opts.InUse != nil {
			more, err := opts.InUse(ctx, q)
			if err != nil {
				return err
			}
			uses = append(uses, more...)
		}
		for i := range part {
			c := &part[i]
			c.Kept, c.Left = "", ""
			if c.Kind == "experiment" {
				c.Kept = kept[c.row]
			} else if by := usedBy(uses, s.artifactDir(c)); by != "" {
				c.Kept = by + " uses its artifacts"
			}
			if c.Kept == "" && !opts.DryRun {
				if err := deleteCollected(ctx, q, c); err != nil {
					return fmt.Errorf("delete %s %s: %w", c.Kind, c.ID, err)
				}
			}
			if c.Kept != "" && c.Kind != "experiment" {
				kept[c.experiment] = fmt.Sprintf("its %s %s is kept", c.Kind, c.ID)
			}
		}
		return nil
	})
}

// deleteCollected deletes one row with all that belongs to it, if it is still
// deleted.
func deleteCollected(ctx context.Context, q db.Querier, c *Collected) error {
	text := map[string]string{
		"run": `DELETE FROM runs WHERE id = ? AND lifecycle_stage = 'deleted'`,
		"logged model": `DELETE FROM logged_models WHERE id = ? AND (lifecycle_stage = 'deleted' OR experiment_id IN
			(SELECT experiment_id FROM experiments WHERE lifecycle_stage = 'deleted'))`,
		"experiment": `DELETE FROM experiments WHERE experiment_id = ? AND lifecycle_stage = 'deleted'
			AND NOT EXISTS (SELECT 1 FROM runs r WHERE r.experiment_id = experiments.experiment_id)
			AND NOT EXISTS (SELECT 1 FROM logged_models l WHERE l.experiment_id = experiments.experiment_id)`,
	}[c.Kind]
	res, err := q.ExecContext(ctx, text, c.row)
	if err != nil {
		return err
	}
	n, err := res.RowsAffected()
	if err == nil && n == 0 {
		c.Kept = "it has been restored"
		if c.Kind == "experiment" {
			c.Kept = "it has been restored, or something in it is kept"
		}
	}
	return err
}

func livingExperiments(ctx context.Context, q db.Querier) ([]Use, error) {
	rows, err := q.QueryContext(ctx, `SELECT name, artifact_location FROM experiments WHERE lifecycle_stage != 'deleted'`)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	var out []Use
	for rows.Next() {
		var u Use
		if err := rows.Scan(&u.By, &u.Location); err != nil {
			return nil, err
		}
		u.By = "experiment " + u.By
		out = append(out, u)
	}
	return out, rows.Err()
}

// usedBy names who uses something in a directory of the store.
func usedBy(uses []Use, dir string) string {
	if dir == "" {
		return ""
	}
	for _, u := range uses {
		if p, err := storePath(u.Location); err == nil {
			if p = path.Clean("/" + p)[1:]; p == dir || strings.HasPrefix(p, dir+"/") {
				return u.By
			}
		}
	}
	return ""
}

// artifactDir is the directory of the store that is one run's or logged
// model's alone, or "" if there is none.
func (s *Service) artifactDir(c *Collected) string {
	p, err := s.below(c.Location, "")
	if err != nil || p == "." || p == "" {
		return ""
	}
	if dir := path.Dir(p); path.Base(dir) == c.ID {
		return dir
	}
	return p
}

// collectArtifacts deletes the artifacts of what has been deleted. What fails
// is told, and stops nothing: the record is gone.
func (s *Service) collectArtifacts(ctx context.Context, c *Collected, dryRun bool) {
	if c.Kept != "" || c.Kind == "experiment" {
		return
	}
	dir := s.artifactDir(c)
	if dir == "" {
		c.Left = "not kept by this server"
		return
	}
	bytes, err := s.artifacts.Size(ctx, dir)
	c.Bytes = bytes
	if err == nil && !dryRun {
		if err = s.artifacts.Delete(ctx, dir); err == nil {
			err = s.artifacts.Prune(ctx, path.Dir(dir))
		}
	}
	if err != nil {
		c.Left = err.Error()
	}
}
