package mlimport

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"math"
	"os"
	"path/filepath"
	"strconv"
	"strings"

	"gopkg.in/yaml.v3"
)

// fileStore is a directory of MLflow's file store.
type fileStore struct{ dir string }

func openFiles(dir string) (*fileStore, error) {
	found, err := filepath.Glob(filepath.Join(escapeGlob(dir), "*", "meta.yaml"))
	if err != nil {
		return nil, err
	}
	models, err := filepath.Glob(filepath.Join(escapeGlob(dir), "models", "*", "meta.yaml"))
	if err != nil {
		return nil, err
	}
	if len(found)+len(models) == 0 {
		return nil, fmt.Errorf("%s is not a file store of MLflow: no experiment in it has a meta.yaml", dir)
	}
	return &fileStore{dir}, nil
}

func escapeGlob(dir string) string {
	return strings.NewReplacer(`\`, `\\`, `*`, `\*`, `?`, `\?`, `[`, `\[`).Replace(dir)
}

func (s *fileStore) close() error { return nil }

// meta is every field that some meta.yaml has.
type meta struct {
	ExperimentID     string            `yaml:"experiment_id"`
	Name             string            `yaml:"name"`
	ArtifactLocation string            `yaml:"artifact_location"`
	LifecycleStage   string            `yaml:"lifecycle_stage"`
	CreationTime     int64             `yaml:"creation_time"`
	LastUpdateTime   int64             `yaml:"last_update_time"`
	RunID            string            `yaml:"run_id"`
	RunName          string            `yaml:"run_name"`
	UserID           string            `yaml:"user_id"`
	Status           string            `yaml:"status"`
	StartTime        int64             `yaml:"start_time"`
	EndTime          *int64            `yaml:"end_time"`
	DeletedTime      *int64            `yaml:"deleted_time"`
	ArtifactURI      string            `yaml:"artifact_uri"`
	Digest           string            `yaml:"digest"`
	SourceType       string            `yaml:"source_type"`
	Source           string            `yaml:"source"`
	Schema           *string           `yaml:"schema"`
	Profile          *string           `yaml:"profile"`
	SourceID         string            `yaml:"source_id"`
	DestinationID    string            `yaml:"destination_id"`
	Step             int64             `yaml:"step"`
	Tags             yaml.Node         `yaml:"tags"`
	ModelID          string            `yaml:"model_id"`
	ModelType        string            `yaml:"model_type"`
	SourceRunID      string            `yaml:"source_run_id"`
	StatusMessage    *string           `yaml:"status_message"`
	CreationStamp    int64             `yaml:"creation_timestamp"`
	UpdatedStamp     int64             `yaml:"last_updated_timestamp"`
	Description      string            `yaml:"description"`
	Version          string            `yaml:"version"`
	CurrentStage     string            `yaml:"current_stage"`
	StorageLocation  string            `yaml:"storage_location"`
	RunLink          string            `yaml:"run_link"`
	Aliases          map[string]string `yaml:"aliases"`
}

func (m *meta) stage() string {
	if m.LifecycleStage == "" {
		return "active"
	}
	return m.LifecycleStage
}

func readMeta(dir string) (*meta, error) {
	file := filepath.Join(dir, "meta.yaml")
	text, err := os.ReadFile(file)
	if err != nil {
		return nil, err
	}
	var m meta
	if err := yaml.Unmarshal(text, &m); err != nil {
		return nil, fmt.Errorf("%s is damaged: %w", file, err)
	}
	return &m, nil
}

// metas reads the meta.yaml of every directory in dir that has one.
func metas(dir string, each func(path string, m *meta) error) error {
	entries, err := os.ReadDir(dir)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return err
	}
	for _, e := range entries {
		path := filepath.Join(dir, e.Name())
		m, err := readMeta(path)
		if errors.Is(err, fs.ErrNotExist) || err != nil && !e.IsDir() {
			continue
		}
		if err != nil {
			return err
		}
		if err := each(path, m); err != nil {
			return err
		}
	}
	return nil
}

// pairsIn reads a directory of one file a key; a key may hold slashes.
func pairsIn(dir string) (out []pair, err error) {
	err = filesIn(dir, func(key string, text []byte) error {
		out = append(out, pair{key, string(text)})
		return nil
	})
	return out, err
}

func filesIn(dir string, each func(key string, text []byte) error) error {
	return filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
		if errors.Is(err, fs.ErrNotExist) {
			return nil
		}
		if err != nil || !d.Type().IsRegular() {
			return err
		}
		key, err := filepath.Rel(dir, path)
		if err != nil {
			return err
		}
		text, err := os.ReadFile(path)
		if err != nil {
			return err
		}
		return each(filepath.ToSlash(key), text)
	})
}

func (s *fileStore) experiments(context.Context) (out []experiment, err error) {
	for _, dir := range []string{s.dir, filepath.Join(s.dir, ".trash")} {
		err := metas(dir, func(path string, m *meta) error {
			if m.ExperimentID == "" {
				return nil
			}
			e := experiment{ID: m.ExperimentID, Name: m.Name, Location: m.ArtifactLocation, Stage: m.stage(), Created: m.CreationTime, Updated: m.LastUpdateTime, dir: path}
			tags, err := pairsIn(filepath.Join(path, "tags"))
			e.Tags = tags
			out = append(out, e)
			return err
		})
		if err != nil {
			return nil, err
		}
	}
	return out, nil
}

var runStatuses = map[string]string{"1": "RUNNING", "2": "SCHEDULED", "3": "FINISHED", "4": "FAILED", "5": "KILLED"}

func (s *fileStore) runs(_ context.Context, e experiment, each func(*run) error) error {
	datasets := map[string]dataset{}
	err := metas(filepath.Join(e.dir, "datasets"), func(path string, m *meta) error {
		datasets[filepath.Base(path)] = dataset{Name: m.Name, Digest: m.Digest, SourceType: m.SourceType, Source: m.Source, Schema: m.Schema, Profile: m.Profile}
		return nil
	})
	if err != nil {
		return err
	}
	return metas(e.dir, func(path string, m *meta) error {
		if m.RunID == "" {
			return nil
		}
		r := &run{ID: m.RunID, Name: m.RunName, User: m.UserID, Status: m.Status, Stage: m.stage(), Location: m.ArtifactURI, Start: m.StartTime, End: m.EndTime, Deleted: m.DeletedTime}
		if name := runStatuses[m.Status]; name != "" {
			r.Status = name
		}
		if err := fillFromFiles(r, path, datasets); err != nil {
			return fmt.Errorf("read run %s: %w", r.ID, err)
		}
		return each(r)
	})
}

func fillFromFiles(r *run, path string, datasets map[string]dataset) (err error) {
	if r.Params, err = pairsIn(filepath.Join(path, "params")); err != nil {
		return err
	}
	if r.Tags, err = pairsIn(filepath.Join(path, "tags")); err != nil {
		return err
	}
	if r.Metrics, err = metricsIn(filepath.Join(path, "metrics")); err != nil {
		return err
	}
	err = metas(filepath.Join(path, "inputs"), func(_ string, m *meta) error {
		if m.SourceType != "DATASET" {
			r.Models = append(r.Models, modelRef{"input", m.DestinationID, 0})
			return nil
		}
		d, ok := datasets[m.SourceID]
		if !ok {
			return fmt.Errorf("its dataset %s is missing", m.SourceID)
		}
		var tags map[string]string
		if err := m.Tags.Decode(&tags); err != nil {
			return fmt.Errorf("tags of an input: %w", err)
		}
		for k, v := range tags {
			d.Tags = append(d.Tags, pair{k, v})
		}
		r.Datasets = append(r.Datasets, d)
		return nil
	})
	if err != nil {
		return err
	}
	return metas(filepath.Join(path, "outputs"), func(_ string, m *meta) error {
		r.Models = append(r.Models, modelRef{"output", m.DestinationID, m.Step})
		return nil
	})
}

// metricsIn reads lines of "timestamp value [step [run [dataset digest]]]".
func metricsIn(dir string) (out []metric, err error) {
	err = filesIn(dir, func(key string, text []byte) error {
		lines := bufio.NewScanner(bytes.NewReader(text))
		for n := 1; lines.Scan(); n++ {
			f := strings.Fields(lines.Text())
			if len(f) == 0 {
				continue
			}
			m, err := parseMetric(key, f)
			if err != nil {
				return fmt.Errorf("metric %s, line %d: %w", key, n, err)
			}
			out = append(out, m)
		}
		return lines.Err()
	})
	return out, err
}

func parseMetric(key string, f []string) (m metric, err error) {
	m.Key = key
	if len(f) < 2 {
		return m, errors.New("it is cut short")
	}
	if m.Timestamp, err = strconv.ParseInt(f[0], 10, 64); err != nil {
		return m, err
	}
	if m.Value, err = strconv.ParseFloat(f[1], 64); err != nil {
		return m, err
	}
	if math.IsNaN(m.Value) {
		m.Value, m.NaN = 0, 1
	}
	if len(f) > 2 {
		if m.Step, err = strconv.ParseInt(f[2], 10, 64); err != nil {
			return m, err
		}
	}
	if len(f) > 3 {
		m.RunID = f[3]
	}
	if len(f) > 5 {
		m.DatasetName, m.DatasetDigest = f[4], f[5]
	}
	return m, nil
}

func (s *fileStore) loggedModels(_ context.Context, e experiment, each func(*loggedModel) error) error {
	return metas(filepath.Join(e.dir, "models"), func(path string, m *meta) error {
		if m.ModelID == "" {
			return nil
		}
		status, err := strconv.Atoi(m.Status)
		if err != nil {
			return fmt.Errorf("logged model %s has the status %q", m.ModelID, m.Status)
		}
		l := &loggedModel{ID: m.ModelID, Name: m.Name, Location: m.ArtifactLocation, Stage: m.stage(), Type: m.ModelType, Run: m.SourceRunID,
			StatusMessage: m.StatusMessage, Created: m.CreationStamp, Updated: m.UpdatedStamp, Status: status}
		if l.Params, err = pairsIn(filepath.Join(path, "params")); err != nil {
			return err
		}
		if l.Tags, err = pairsIn(filepath.Join(path, "tags")); err != nil {
			return err
		}
		if l.Metrics, err = metricsIn(filepath.Join(path, "metrics")); err != nil {
			return err
		}
		return each(l)
	})
}

func (s *fileStore) registered(context.Context) (out []registeredModel, err error) {
	err = metas(filepath.Join(s.dir, "models"), func(path string, m *meta) error {
		r := registeredModel{Name: m.Name, Description: m.Description, Created: m.CreationStamp, Updated: m.UpdatedStamp, Aliases: map[string]int64{}}
		for alias, text := range m.Aliases {
			n, err := strconv.ParseInt(text, 10, 64)
			if err != nil {
				return fmt.Errorf("alias %s of %s: %w", alias, m.Name, err)
			}
			r.Aliases[alias] = n
		}
		if r.Tags, err = pairsIn(filepath.Join(path, "tags")); err != nil {
			return err
		}
		err = metas(path, func(path string, m *meta) error {
			if m.Version == "" || m.CurrentStage == "Deleted_Internal" {
				return nil
			}
			n, err := strconv.ParseInt(m.Version, 10, 64)
			if err != nil {
				return fmt.Errorf("a version of %s: %w", m.Name, err)
			}
			v := version{Number: n, Created: m.CreationStamp, Updated: m.UpdatedStamp, Description: m.Description, Stage: m.CurrentStage, Source: m.Source,
				Location: m.StorageLocation, RunID: m.RunID, RunLink: m.RunLink, LoggedModel: m.ModelID}
			v.Tags, err = pairsIn(filepath.Join(path, "tags"))
			r.Versions = append(r.Versions, v)
			return err
		})
		out = append(out, r)
		return err
	})
	return out, err
}

// traces are not read from files; they are counted as ignored.
func (*fileStore) traces(context.Context, experiment, func(*trace) error) error { return nil }

// ignored counts traces, each a directory.
func (s *fileStore) ignored(ctx context.Context) (map[string]int, error) {
	list, err := s.experiments(ctx)
	if err != nil {
		return nil, err
	}
	n := 0
	for _, e := range list {
		entries, err := os.ReadDir(filepath.Join(e.dir, "traces"))
		if err != nil && !errors.Is(err, fs.ErrNotExist) {
			return nil, err
		}
		n += len(entries)
	}
	if n == 0 {
		return nil, nil
	}
	return map[string]int{"traces": n}, nil
}
