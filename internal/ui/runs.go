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
	View                   string // "deleted" shows those that can be restored
	Columns                []column
	Runs                   []*run
	Keys                   []string // for completion in the filter box
	Next, NextURL, Start   string
	query                  url.Values
}

// column is a metric, a parameter or a tag that the table shows.
type column struct {
	span
	Kind string // metrics, params, tags
}

// ID is the column as the URL has it.
func (c column) ID() string { return c.Kind + "." + c.Key }

// Order is the column in the grammar of order_by.
func (c column) Order() string { return c.Kind + ".`" + c.Key + "`" }

// Text is a run's parameter or tag.
func (c column) Text(r *run) string {
	if c.Kind == "params" {
		return r.Param(c.Key)
	}
	return r.Tag(c.Key)
}

// runs shows the runs of an experiment, metrics and parameters in view.
func (u *UI) runs(r *http.Request) (view, error) {
	q := r.URL.Query()
	e, err := u.getExperiment(r, r.PathValue("id"))
	if err != nil {
		return view{}, err
	}
	d := &runsData{Experiment: e, Filter: q.Get("filter"), Order: q.Get("order"), Group: q.Get("group"), View: q.Get("view"), query: q, Start: firstRun(u.status().HTTP, e.Name)}
	order := []string{newestFirst}
	if d.Order != "" {
		order = []string{d.Order, newestFirst}
	}
	found, err := u.searchRuns(r, searchRuns{Experiments: []string{e.ID}, Filter: d.Filter, Order: order, Most: runsPage, Page: q.Get("page"), View: viewType(d.View)})
	if bad := (*apiError)(nil); errors.As(err, &bad) && bad.Status == http.StatusBadRequest {
		d.Problem, err = bad.Message, nil // the filter or the order: the visitor mends it on the page
	}
	if err != nil {
		return view{}, err
	}
	d.Runs, d.Next = found.Runs, found.Next
	if d.nested() {
		d.Runs = nest(d.Runs)
	}
	d.NextURL = d.with("page", found.Next)
	d.choose(q.Get("columns"))
	return view{Template: "runs", Title: e.Name, Section: "Experiments", Crumbs: []crumb{{"Experiments", "/experiments"}}, Data: d}, nil
}

// choose decides which columns are shown: the visitor's, else the most used.
func (d *runsData) choose(wanted string) {
	known := map[string]span{}
	metrics, params := 0, 0
	for _, m := range spans(d.Runs, 1<<30) {
		known[m.Key] = m
		d.Keys = append(d.Keys, "metrics."+m.Key)
		if metrics < metricCols && wanted == "" && !strings.HasPrefix(m.Key, "system/") {
			d.Columns = append(d.Columns, column{m, "metrics"})
			metrics++
		}
	}
	for _, p := range paramNames(d.Runs) {
		d.Keys = append(d.Keys, "params."+p)
		if params < paramCols && wanted == "" {
			d.Columns = append(d.Columns, column{span{Key: p}, "params"})
			params++
		}
	}
	for id := range strings.SplitSeq(wanted, ",") {
		kind, key, ok := strings.Cut(id, ".")
		if !ok || kind != "metrics" && kind != "params" && kind != "tags" {
			continue
		}
		c := column{span{Key: key, Max: 1}, kind}
		if m, ok := known[key]; ok && kind == "metrics" {
			c.span = m
		}
		d.Columns = append(d.Columns, c)
	}
}

// nested reports whether nested runs stand below their parents: not where single runs are looked for.
func (d *runsData) nested() bool {
	return d.Group != "off" && d.Filter == "" && (d.Order == "" || strings.HasPrefix(d.Order, "attributes."))
}

// views are the pages of one experiment, for the links between them.
type views struct{ ID, Here string }

// Views says where the page is among those of its experiment.
func (d *runsData) Views() views { return views{d.Experiment.ID, "runs"} }

// Deleted is true of a deleted experiment, which can be restored.
func (d *runsData) Deleted() bool { return d.Experiment.Stage == "deleted" }

// GroupURL turns nesting off or on, ViewURL shows the deleted runs or the others.
func (d *runsData) GroupURL() string {
	if d.Group == "off" {
		return d.with("group", "")
	}
	return d.with("group", "off")
}

// ViewURL: see GroupURL.
func (d *runsData) ViewURL() string {
	if d.View == "deleted" {
		return d.with("view", "")
	}
	return d.with("view", "deleted")
}

// viewType is a view of the URL as the API has it.
func viewType(view string) string {
	if view == "deleted" {
		return "DELETED_ONLY"
	}
	return "ACTIVE_ONLY"
}

// SortURL orders by a column, or turns its order round.
func (d *runsData) SortURL(column string) string { return sortURL(d.query, d.Order, column) }

func (d *runsData) with(key, value string) string { return with(d.query, key, value) }

// sortURL is the address of the same page, ordered by a column or by it the other way round.
func sortURL(query url.Values, order, column string) string {
	dir := " ASC"
	if order == column+" ASC" {
		dir = " DESC"
	}
	return with(query, "order", column+dir)
}

// with is the address of the same page with one part of its query changed, from its first rows on.
func with(query url.Values, key, value string) string {
	q := url.Values{}
	for k, v := range query {
		q[k] = v
	}
	q.Del("page")
	q.Del(key)
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
func nest(runs []*run) []*run {
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
