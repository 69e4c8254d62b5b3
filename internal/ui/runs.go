package ui

import (
	"errors"
	"net/http"
	"net/url"
	"slices"
	"strings"
)

const (
	runsPage              = 100
	metricCols, paramCols = 12, 8 // shown unless the visitor chooses columns
	newestFirst           = "attributes.start_time DESC"
)

// runsData is the table of an experiment's runs.
type runsData struct {
	Experiment             experiment
	Filter, Order, Problem string
	Group                  string // "off" leaves nested runs where the order puts them
	Columns                []string
	Runs                   []*run
	Metrics                []span
	Params                 []string
	Keys                   []string // for completion in the filter box
	Next, NextURL, Start   string
	query                  url.Values
}

// runs shows the runs of an experiment, metrics and parameters in view.
func (u *UI) runs(r *http.Request) (view, error) {
	q := r.URL.Query()
	e, err := u.getExperiment(r, r.PathValue("id"))
	if err != nil {
		return view{}, err
	}
	d := &runsData{Experiment: e, Filter: q.Get("filter"), Order: q.Get("order"), Group: q.Get("group"), query: q, Start: firstRun(u.status().HTTP, e.Name)}
	if c := q.Get("columns"); c != "" {
		d.Columns = strings.Split(c, ",")
	}
	order := []string{newestFirst}
	if d.Order != "" {
		order = []string{d.Order, newestFirst}
	}
	found, err := u.searchRuns(r, searchRuns{Experiments: []string{e.ID}, Filter: d.Filter, Order: order, Most: runsPage, Page: q.Get("page")})
	if bad := (*apiError)(nil); errors.As(err, &bad) && bad.Status == http.StatusBadRequest {
		d.Problem, err = bad.Message, nil // the filter or the order: the visitor mends it on the page
	}
	if err != nil {
		return view{}, err
	}
	d.Runs, d.Next = nest(found.Runs, d.Group), found.Next
	d.NextURL = d.with("page", found.Next)
	d.choose()
	return view{Template: "runs", Title: e.Name, Section: "Experiments", Crumbs: []crumb{{"Experiments", "/experiments"}}, Data: d}, nil
}

// choose decides which columns are shown: the visitor's, else the most used.
func (d *runsData) choose() {
	all := spans(d.Runs, 1<<30)
	params := paramNames(d.Runs)
	for _, m := range all {
		d.Keys = append(d.Keys, "metrics."+m.Key)
	}
	for _, p := range params {
		d.Keys = append(d.Keys, "params."+p)
	}
	if d.Columns == nil {
		d.Metrics, d.Params = all[:min(metricCols, len(all))], params[:min(paramCols, len(params))]
		return
	}
	for _, c := range d.Columns {
		if key, ok := strings.CutPrefix(c, "metrics."); ok {
			if i := slices.IndexFunc(all, func(s span) bool { return s.Key == key }); i >= 0 {
				d.Metrics = append(d.Metrics, all[i])
			}
		} else if key, ok := strings.CutPrefix(c, "params."); ok {
			d.Params = append(d.Params, key)
		}
	}
}

// ColumnList is the chosen columns as the URL has them.
func (d *runsData) ColumnList() string { return strings.Join(d.Columns, ",") }

// SortURL orders by a column, or turns its order round.
func (d *runsData) SortURL(column string) string {
	dir := " ASC"
	if d.Order == column+" ASC" {
		dir = " DESC"
	}
	return d.with("order", column+dir)
}

func (d *runsData) with(key, value string) string {
	q := url.Values{}
	for k, v := range d.query {
		q[k] = v
	}
	q.Del("page")
	if value != "" {
		q.Set(key, value)
	}
	return "?" + q.Encode()
}

func paramNames(runs []*run) []string {
	count := map[string]int{}
	var out []string
	for _, r := range runs {
		for _, p := range r.Data.Params {
			if count[p.Key]++; count[p.Key] == 1 {
				out = append(out, p.Key)
			}
		}
	}
	sortByUse(out, func(s string) (string, int) { return s, count[s] })
	return out
}

// nest puts nested runs below their parent where both are on the page.
func nest(runs []*run, group string) []*run {
	if group == "off" {
		return runs
	}
	children, here := map[string][]*run{}, map[string]bool{}
	for _, r := range runs {
		here[r.Info.RunID] = true
	}
	var top []*run
	for _, r := range runs {
		if p := r.Parent(); here[p] && p != r.Info.RunID {
			children[p] = append(children[p], r)
		} else {
			top = append(top, r)
		}
	}
	out, done := make([]*run, 0, len(runs)), map[string]bool{}
	var add func(r *run)
	add = func(r *run) {
		if done[r.Info.RunID] {
			return
		}
		done[r.Info.RunID] = true
		out = append(out, r)
		for _, c := range children[r.Info.RunID] {
			add(c)
		}
	}
	for _, r := range slices.Concat(top, runs) { // runs again: parents that form a ring are on no top
		add(r)
	}
	return out
}
