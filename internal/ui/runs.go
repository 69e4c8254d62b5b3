package ui

import (
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"regexp"
	"slices"
	"strings"
)

const (
	runsPage              = 100
	metricCols, paramCols = 12, 8 // shown unless the visitor chooses columns
	newestFirst           = "attributes.start_time DESC"
)

// runsData is the table of the runs of an experiment, or of several.
type runsData struct {
	Experiment             experiment   // the first one
	Several                []experiment // nil of one
	Filter, Order, Problem string
	Group                  string // "off" leaves nested runs where the order puts them
	View                   string // "deleted" shows those that can be restored
	Columns                []column
	Runs                   []*run
	Keys                   []string // for completion in the filter box
	Next, NextURL, Start   string
	IDs                    string // of the experiments, joined by commas
	Chosen                 string // those of them that the address names
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
	e, err := u.getExperiment(r, r.PathValue("id"))
	if err != nil {
		return view{}, err
	}
	d, err := u.runsTable(r, &runsData{Experiment: e}, []string{e.ID})
	return view{Template: "runs", Title: e.Name, Section: "Experiments", Crumbs: []crumb{{"Experiments", "/experiments"}}, Data: d}, err
}

// runsOfSeveral shows the runs of the experiments that the address names, or of all.
func (u *UI) runsOfSeveral(r *http.Request) (view, error) {
	all, err := u.allExperiments(r)
	if err != nil {
		return view{}, err
	}
	chosen := strings.FieldsFunc(strings.Join(r.URL.Query()["experiments"], ","), func(c rune) bool { return c == ',' })
	d := &runsData{Several: []experiment{}, Chosen: strings.Join(chosen, ",")}
	var ids []string
	for _, e := range all { // the last changed first
		if len(ids) < mostSeveral && (len(chosen) == 0 || slices.Contains(chosen, e.ID)) {
			d.Several, ids = append(d.Several, e), append(ids, e.ID)
		}
	}
	title := fmt.Sprintf("Runs of %d experiments", len(ids))
	switch {
	case len(chosen) == 0:
		title = "Runs of all experiments"
	case len(ids) == 1:
		title = "Runs of " + d.Several[0].Name
	}
	d, err = u.runsTable(r, d, ids)
	return view{Template: "runs", Title: title, Section: "Experiments", Crumbs: []crumb{{"Experiments", "/experiments"}}, Data: d}, err
}

// runsTable fills the table with the first runs that the address asks for.
func (u *UI) runsTable(r *http.Request, d *runsData, experiments []string) (*runsData, error) {
	q := r.URL.Query()
	d.Filter, d.Order, d.Group, d.View, d.query, d.Start = q.Get("filter"), q.Get("order"), q.Get("group"), q.Get("view"), q, firstRun(u.status().HTTP, d.Experiment.Name)
	d.IDs = strings.Join(experiments, ",")
	order := []string{newestFirst}
	if d.Order != "" {
		order = []string{d.Order, newestFirst}
	}
	found, err := u.searchRuns(r, searchRuns{Experiments: experiments, Filter: grouped(d.Filter), Order: order, Most: runsPage, Page: q.Get("page"), View: viewType(d.View)})
	if bad := (*apiError)(nil); errors.As(err, &bad) && bad.Status == http.StatusBadRequest {
		d.Problem, err = bad.Message, nil // the filter or the order: the visitor mends it on the page
	}
	if err != nil {
		return nil, err
	}
	d.Runs, d.Next = found.Runs, found.Next
	if d.nested() {
		d.Runs = nest(d.Runs)
	}
	d.NextURL = d.with("page", found.Next)
	d.choose(q.Get("columns"))
	return d, nil
}

var orWord = regexp.MustCompile(`(?i)\bor\b`)

// grouped puts parentheses around a filter that may have an OR, as the API wants them.
func grouped(filter string) string {
	if orWord.MatchString(filter) {
		return "(" + filter + ")"
	}
	return filter
}

const (
	mostSeveral = 500 // experiments searched at once
	mostChips   = 12  // of them named above the table
)

// Chips are the experiments named above the table of several, none if they are too many.
func (d *runsData) Chips() []experiment {
	if len(d.Several) > mostChips {
		return nil
	}
	return d.Several
}

// Without is the address of the same table without one of its experiments.
func (d *runsData) Without(e experiment) string {
	var ids []string
	for _, x := range d.Several {
		if x.ID != e.ID {
			ids = append(ids, x.ID)
		}
	}
	return d.with("experiments", strings.Join(ids, ","))
}

// Of names the experiment of a run.
func (d *runsData) Of(r *run) string {
	for _, e := range d.Several {
		if e.ID == r.Info.ExperimentID {
			return e.Name
		}
	}
	return ""
}

// Names are those of several experiments by id, as JSON for the table's element.
func (d *runsData) Names() (string, error) {
	names := map[string]string{}
	for _, e := range d.Several {
		names[e.ID] = e.Name
	}
	b, err := json.Marshal(names)
	return string(b), err
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

// ClearURL is the same table with all its runs in the standard order.
func (d *runsData) ClearURL() string {
	return with(url.Values{}, "experiments", d.Chosen)
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
