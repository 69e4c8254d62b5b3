package ui

import (
	"errors"
	"net/http"
	"net/url"
	"strings"
)

const mostModels = 20 // logged models shown of a run

// run shows one run, its metrics first.
func (u *UI) run(r *http.Request) (view, error) {
	x, err := u.getRun(r, r.PathValue("run"))
	if err != nil {
		return view{}, err
	}
	e, err := u.getExperiment(r, x.Info.ExperimentID)
	if err != nil {
		return view{}, err
	}
	d := struct {
		Run      *run
		Tags     []tag // but MLflow's own
		Datasets []datasetInput
		Versions []version
		Models   []loggedModel
		Children []*run
		Files    []file
		Folder   string
		Deleted  bool
		Traces   string // address of the traces made in the run, "" if there are none
	}{Run: x, Deleted: x.Info.Stage == "deleted", Datasets: x.Inputs.Datasets, Folder: r.URL.Query().Get("path")}
	for _, t := range x.Data.Tags {
		if !strings.HasPrefix(t.Key, "mlflow.") {
			d.Tags = append(d.Tags, t)
		}
	}
	if d.Versions, err = u.versionsOf(r, "run_id = "+quote(x.Info.RunID)); err != nil {
		return view{}, err
	}
	for _, m := range x.Outputs.Models[:min(mostModels, len(x.Outputs.Models))] {
		var got struct{ Model loggedModel }
		if err := u.api.get(r, "logged-models/"+url.PathEscape(m.ID), nil, &got); err == nil { // else it is deleted
			d.Models = append(d.Models, got.Model)
		}
	}
	nested, err := u.searchRuns(r, searchRuns{Experiments: []string{e.ID}, Filter: "tags.mlflow.parentRunId = " + quote(x.Info.RunID), Most: 50})
	if err != nil {
		return view{}, err
	}
	d.Children = nested.Runs
	if d.Traces, err = u.tracesOf(r, x); err != nil {
		return view{}, err
	}
	if d.Files, err = u.files(r, x.Info.RunID, d.Folder); err != nil {
		return view{}, err
	}
	return view{Template: "run", Title: x.Info.RunName, Section: "Experiments", Data: d,
		Crumbs: []crumb{{"Experiments", "/experiments"}, {e.Name, "/experiments/" + e.ID}}}, nil
}

// files lists a folder of a run's artifacts; where they are kept elsewhere there is nothing to list.
func (u *UI) files(r *http.Request, runID, folder string) ([]file, error) {
	q := url.Values{"run_id": {runID}}
	if folder != "" {
		q.Set("path", folder)
	}
	var out struct{ Files []file }
	err := u.api.get(r, "artifacts/list", q, &out)
	if e := (*apiError)(nil); errors.As(err, &e) && e.Status < http.StatusInternalServerError {
		return nil, nil
	}
	return out.Files, err
}

// runsByID reads runs, leaving out those that are gone.
func (u *UI) runsByID(r *http.Request, ids []string) (map[string]*run, error) {
	out := map[string]*run{}
	for _, id := range ids {
		if _, have := out[id]; id == "" || have {
			continue
		}
		x, err := u.getRun(r, id)
		if e := (*apiError)(nil); errors.As(err, &e) && e.Status == http.StatusNotFound {
			continue
		}
		if err != nil {
			return nil, err
		}
		out[id] = x
	}
	return out, nil
}
