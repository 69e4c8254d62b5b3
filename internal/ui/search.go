package ui

import "net/http"

type (
	hit      struct{ Text, Note, URL string }
	hitGroup struct {
		Name string
		Hits []hit
	}
)

// search finds runs, experiments, models and what the course has by a part of their name, and runs by id.
func (u *UI) search(r *http.Request) (view, error) {
	q := r.URL.Query().Get("q")
	d := struct {
		Query  string
		Groups []hitGroup
	}{Query: q}
	v := view{Template: "search", Title: "Search"}
	if q == "" {
		v.Data = d
		return v, nil
	}
	runs := hitGroup{Name: "Runs"}
	if x, err := u.getRun(r, q); err == nil {
		runs.Hits = append(runs.Hits, hit{x.Info.RunName, x.Info.RunID, x.URL()})
	}
	all, err := u.allExperiments(r)
	if err != nil {
		return view{}, err
	}
	var ids []string
	for _, e := range all {
		ids = append(ids, e.ID)
	}
	named, err := u.searchRuns(r, searchRuns{Experiments: ids, Filter: "attributes.run_name ILIKE " + quote("%"+q+"%"), Most: 25})
	if err != nil {
		return view{}, err
	}
	for _, x := range named.Runs {
		runs.Hits = append(runs.Hits, hit{x.Info.RunName, x.Info.RunID, x.URL()})
	}
	experiments := hitGroup{Name: "Experiments"}
	found, err := u.searchExperiments(r, q, "", "", 25)
	if err != nil {
		return view{}, err
	}
	for _, e := range found.Experiments {
		experiments.Hits = append(experiments.Hits, hit{e.Name, e.ID, "/experiments/" + e.ID})
	}
	models := hitGroup{Name: "Models"}
	known, err := u.searchModels(r, q, "")
	if err != nil {
		return view{}, err
	}
	for _, m := range known.Models {
		models.Hits = append(models.Hits, hit{m.Name, m.Description, m.URL()})
	}
	topics, labs, err := u.searchCourse(r, q)
	if err != nil {
		return view{}, err
	}
	d.Groups = []hitGroup{experiments, models, runs, topics, labs}
	v.Data = d
	return v, nil
}
