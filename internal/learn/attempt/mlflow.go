package attempt

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strings"

	"gopkg.in/yaml.v3"

	"github.com/millpond/millpond/internal/learn/judge"
	"github.com/millpond/millpond/internal/rest"
)

// Bounds of what is read of an attempt's experiment: a lab makes some dozens of runs.
const (
	maxRuns    = 200
	maxFiles   = 200
	maxFolders = 30
)

type (
	pair   struct{ Key, Value string }
	metric struct {
		Key   string
		Value rest.Float
	}
	runBody struct {
		Info struct {
			RunID   string `json:"run_id"`
			RunName string `json:"run_name"`
			Status  string `json:"status"`
		}
		Data struct {
			Metrics []metric
			Params  []pair
			Tags    []pair
		}
		Inputs struct {
			DatasetInputs []struct{ Dataset struct{ Name string } } `json:"dataset_inputs"`
		}
	}
	modelBody struct {
		Info struct {
			ModelID     string `json:"model_id"`
			Name        string `json:"name"`
			SourceRunID string `json:"source_run_id"`
		}
	}
)

// readMLflow adds the runs, logged models and registered versions of an attempt.
func (a *Attempts) readMLflow(ctx context.Context, x *Attempt, e *judge.Evidence) error {
	var found struct{ Runs []runBody }
	in := map[string]any{"experiment_ids": []string{x.experimentID}, "max_results": maxRuns, "order_by": []string{"start_time ASC"}}
	if err := a.post(ctx, "runs/search", in, &found); err != nil {
		return fmt.Errorf("read the attempt's runs: %w", err)
	}
	var models struct{ Models []modelBody }
	if err := a.post(ctx, "logged-models/search", map[string]any{"experiment_ids": []string{x.experimentID}}, &models); err != nil {
		return fmt.Errorf("read the attempt's models: %w", err)
	}
	for _, b := range found.Runs {
		r, err := a.run(ctx, b)
		if err != nil {
			return fmt.Errorf("read the run %s: %w", b.Info.RunID, err)
		}
		for _, m := range models.Models {
			if m.Info.SourceRunID != r.ID {
				continue
			}
			one, err := a.model(ctx, m)
			if err != nil {
				return fmt.Errorf("read the model %s: %w", m.Info.ModelID, err)
			}
			r.Models = append(r.Models, one)
		}
		e.Runs = append(e.Runs, r)
	}
	return a.readRegistry(ctx, e)
}

func (a *Attempts) run(ctx context.Context, b runBody) (judge.Run, error) {
	r := judge.Run{ID: b.Info.RunID, Name: b.Info.RunName, Status: b.Info.Status, Params: map[string]string{}, Metrics: map[string]float64{},
		History: map[string][]float64{}, Tags: map[string]string{}, Artifacts: []string{}, Models: []judge.LoggedModel{}, Datasets: []string{}}
	for _, p := range b.Data.Params {
		r.Params[p.Key] = p.Value
	}
	for _, t := range b.Data.Tags {
		switch {
		case t.Key == "mlflow.parentRunId":
			r.Parent = t.Value
		case t.Key == "mlflow.autologging":
			r.Autolog = t.Value
		case !strings.HasPrefix(t.Key, "mlflow."):
			r.Tags[t.Key] = t.Value
		}
	}
	for _, d := range b.Inputs.DatasetInputs {
		r.Datasets = append(r.Datasets, d.Dataset.Name)
	}
	for _, m := range b.Data.Metrics {
		r.Metrics[m.Key] = float64(m.Value)
		var h struct{ Metrics []metric }
		if err := a.get(ctx, "metrics/get-history?"+url.Values{"run_id": {r.ID}, "metric_key": {m.Key}}.Encode(), &h); err != nil {
			return r, err
		}
		for _, p := range h.Metrics {
			r.History[m.Key] = append(r.History[m.Key], float64(p.Value))
		}
	}
	return r, a.files(ctx, &r)
}

// files lists a run's artifacts, folder by folder.
func (a *Attempts) files(ctx context.Context, r *judge.Run) error {
	for folders := []string{""}; len(folders) > 0 && len(r.Artifacts) < maxFiles && len(folders) < maxFolders; folders = folders[1:] {
		var list struct {
			Files []struct {
				Path  string
				IsDir bool `json:"is_dir"`
			}
		}
		if err := a.get(ctx, "artifacts/list?"+url.Values{"run_id": {r.ID}, "path": {folders[0]}}.Encode(), &list); err != nil {
			return err
		}
		for _, f := range list.Files {
			if f.IsDir {
				folders = append(folders, f.Path)
			} else {
				r.Artifacts = append(r.Artifacts, f.Path)
			}
		}
	}
	return nil
}

// model reads a logged model's MLmodel file. One whose upload has not ended has none.
func (a *Attempts) model(ctx context.Context, b modelBody) (judge.LoggedModel, error) {
	m := judge.LoggedModel{ID: b.Info.ModelID, Name: b.Info.Name, Flavors: []string{}}
	var text []byte
	err := a.get(ctx, "logged-models/"+m.ID+"/artifacts/files?artifact_file_path=MLmodel", &text)
	var missing *rest.Failure
	if errors.As(err, &missing) && missing.Status == http.StatusNotFound {
		return m, nil
	}
	if err != nil {
		return m, err
	}
	var file struct {
		Flavors   map[string]any `yaml:"flavors"`
		Signature any            `yaml:"signature"`
	}
	if err := yaml.Unmarshal(text, &file); err != nil {
		return m, fmt.Errorf("read MLmodel: %w", err)
	}
	for f := range file.Flavors {
		m.Flavors = append(m.Flavors, f)
	}
	slices.Sort(m.Flavors)
	m.Signed = file.Signature != nil
	return m, nil
}

// readRegistry adds the versions that were made of the attempt's runs, and their models.
func (a *Attempts) readRegistry(ctx context.Context, e *judge.Evidence) error {
	if len(e.Runs) == 0 {
		return nil
	}
	ids := make([]string, len(e.Runs))
	for i, r := range e.Runs {
		ids[i] = "'" + r.ID + "'"
	}
	var found struct {
		Versions []struct {
			Name, Version, Source string
			Stage                 string `json:"current_stage"`
			Run                   string `json:"run_id"`
			Aliases               []string
			Tags                  []pair
		} `json:"model_versions"`
	}
	query := url.Values{"filter": {"run_id IN (" + strings.Join(ids, ",") + ")"}, "max_results": {"1000"}}
	if err := a.get(ctx, "model-versions/search?"+query.Encode(), &found); err != nil {
		return fmt.Errorf("read the attempt's versions: %w", err)
	}
	names := map[string]bool{}
	for _, v := range found.Versions {
		x := judge.Version{Model: v.Name, Version: v.Version, Stage: v.Stage, Aliases: v.Aliases, Source: v.Source, Run: v.Run, Tags: mapOf(v.Tags)}
		e.Versions = append(e.Versions, x)
		if names[v.Name] {
			continue
		}
		names[v.Name] = true
		m, err := a.registered(ctx, v.Name)
		if err != nil {
			return fmt.Errorf("read the model %s: %w", v.Name, err)
		}
		e.Models = append(e.Models, m)
	}
	return nil
}

func (a *Attempts) registered(ctx context.Context, name string) (judge.RegisteredModel, error) {
	var found struct {
		Model struct {
			Name, Description string
			Tags              []pair
			Aliases           []struct{ Alias, Version string }
		} `json:"registered_model"`
	}
	err := a.get(ctx, "registered-models/get?"+url.Values{"name": {name}}.Encode(), &found)
	m := judge.RegisteredModel{Name: name, Description: found.Model.Description, Tags: mapOf(found.Model.Tags), Aliases: map[string]string{}}
	for _, x := range found.Model.Aliases {
		m.Aliases[x.Alias] = x.Version
	}
	return m, err
}

func mapOf(list []pair) map[string]string {
	out := make(map[string]string, len(list))
	for _, p := range list {
		out[p.Key] = p.Value
	}
	return out
}
