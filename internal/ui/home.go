package ui

import (
	"net/http"
	"net/url"
	"strconv"
)

const recentRuns = 15

type searchedRuns struct {
	Runs []*run `json:"runs"`
	Next string `json:"next_page_token"`
}

// home shows what runs, what is new, and what there is.
func (u *UI) home(r *http.Request) (view, error) {
	all, err := u.allExperiments(r)
	if err != nil {
		return view{}, err
	}
	names, ids := map[string]string{}, []string{}
	for _, e := range all {
		names[e.ID] = e.Name
		ids = append(ids, e.ID)
	}
	recent, err := u.searchRuns(r, searchRuns{Experiments: ids, Order: []string{"attributes.start_time DESC"}, Most: recentRuns})
	if err != nil {
		return view{}, err
	}
	running, err := u.searchRuns(r, searchRuns{Experiments: ids, Filter: "attributes.status = 'RUNNING'", Order: []string{"attributes.start_time DESC"}, Most: 5})
	if err != nil {
		return view{}, err
	}
	models, err := u.searchModels(r, "", "")
	if err != nil {
		return view{}, err
	}
	type recentRun struct {
		*run
		Experiment string
	}
	data := struct {
		Status      Status
		Storage     int64
		Running     []*run
		Recent      []recentRun
		Experiments int
		Models      string
		Start       string
	}{Status: u.status(), Storage: u.storage(), Running: running.Runs, Experiments: len(all), Models: strconv.Itoa(len(models.Models))}
	if models.Next != "" {
		data.Models += "+"
	}
	for _, x := range recent.Runs {
		data.Recent = append(data.Recent, recentRun{x, names[x.Info.ExperimentID]})
	}
	data.Start = firstRun(data.Status.HTTP, "")
	return view{Template: "home", Title: "Home", Section: "Home", Data: data}, nil
}

type searchRuns struct {
	Experiments []string `json:"experiment_ids"`
	Filter      string   `json:"filter,omitempty"`
	Order       []string `json:"order_by,omitempty"`
	Most        int      `json:"max_results"`
	Page        string   `json:"page_token,omitempty"`
	View        string   `json:"run_view_type,omitempty"`
}

func (u *UI) searchRuns(r *http.Request, q searchRuns) (searchedRuns, error) {
	var out searchedRuns
	err := u.api.post(r, "runs/search", q, &out)
	return out, err
}

func (u *UI) getRun(r *http.Request, id string) (*run, error) {
	var out struct{ Run *run }
	err := u.api.get(r, "runs/get", url.Values{"run_id": {id}}, &out)
	return out.Run, err
}
