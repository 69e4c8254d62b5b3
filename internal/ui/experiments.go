package ui

import (
	"net/http"
	"net/url"
	"slices"
	"strings"
)

type searchedExperiments struct {
	Experiments []experiment `json:"experiments"`
	Next        string       `json:"next_page_token"`
}

const pageSize = 100

func (u *UI) searchExperiments(r *http.Request, part, view, page string, most int) (searchedExperiments, error) {
	in := map[string]any{"max_results": most, "page_token": page, "order_by": []string{"last_update_time DESC"}, "view_type": viewType(view)}
	if part != "" {
		in["filter"] = "name ILIKE " + quote("%"+part+"%")
	}
	var out searchedExperiments
	err := u.api.post(r, "experiments/search", in, &out)
	return out, err
}

// allExperiments reads every page of active experiments.
func (u *UI) allExperiments(r *http.Request) ([]experiment, error) {
	var all []experiment
	for page := ""; ; {
		out, err := u.searchExperiments(r, "", "", page, 1000)
		if err != nil {
			return nil, err
		}
		all = append(all, out.Experiments...)
		if page = out.Next; page == "" {
			return all, nil
		}
	}
}

// experiments lists the experiments, the last changed first.
func (u *UI) experiments(r *http.Request) (view, error) {
	q := r.URL.Query()
	found, err := u.searchExperiments(r, q.Get("q"), q.Get("view"), q.Get("page"), pageSize)
	if err != nil {
		return view{}, err
	}
	data := struct {
		searchedExperiments
		Query, View string
	}{found, q.Get("q"), q.Get("view")}
	return view{Template: "experiments", Title: "Experiments", Section: "Experiments", Data: data}, nil
}

func (u *UI) getExperiment(r *http.Request, id string) (experiment, error) {
	var out struct{ Experiment experiment }
	err := u.api.get(r, "experiments/get", url.Values{"experiment_id": {id}}, &out)
	return out.Experiment, err
}

// quote makes a string of the filter grammar.
func quote(s string) string { return "'" + strings.ReplaceAll(s, "'", "''") + "'" }

// sortByUse orders by count, greatest first, then by name.
func sortByUse[T any](of []T, key func(T) (string, int)) {
	slices.SortStableFunc(of, func(a, b T) int {
		an, ac := key(a)
		bn, bc := key(b)
		if ac != bc {
			return bc - ac
		}
		return strings.Compare(an, bn)
	})
}
