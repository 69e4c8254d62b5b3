package ui

import (
	"net/http"
	"slices"
	"strconv"
	"strings"
)

const mostCompared = 200

// cell is one value of the table of differences.
type cell struct{ Text, Full string }

// diffRow is one metric, parameter or fact of the compared runs.
type diffRow struct {
	Kind, Key string
	Values    []cell
	Same      bool // all runs agree
}

// compare sets runs side by side: what differs, and charts of it.
func (u *UI) compare(r *http.Request) (view, error) {
	ids := strings.FieldsFunc(r.URL.Query().Get("runs"), func(c rune) bool { return c == ',' })
	ids = ids[:min(mostCompared, len(ids))]
	byID, err := u.runsByID(r, ids)
	if err != nil {
		return view{}, err
	}
	d := struct {
		Runs             []*run
		IDs, Experiments string // for the charts
		Missing          int
		Rows             []diffRow
	}{}
	var here, experiments []string
	seen := map[string]bool{}
	for _, id := range ids {
		x := byID[id]
		if x == nil {
			d.Missing++
			continue
		}
		if seen[id] {
			continue
		}
		seen[id] = true
		d.Runs, here = append(d.Runs, x), append(here, id)
		if !slices.Contains(experiments, x.Info.ExperimentID) {
			experiments = append(experiments, x.Info.ExperimentID)
		}
	}
	d.IDs, d.Experiments, d.Rows = strings.Join(here, ","), strings.Join(experiments, ","), differences(d.Runs)
	v := view{Template: "compare", Title: "Compare", Section: "Experiments", Crumbs: []crumb{{"Experiments", "/experiments"}}, Data: d}
	if len(d.Runs) > 0 {
		if e, err := u.getExperiment(r, d.Runs[0].Info.ExperimentID); err == nil {
			v.Crumbs = append(v.Crumbs, crumb{e.Name, "/experiments/" + e.ID})
		}
	}
	return v, nil
}

func differences(runs []*run) []diffRow {
	var out []diffRow
	for _, s := range spans(runs, 1<<30) {
		out = append(out, row("metric", s.Key, runs, func(r *run) cell {
			if m := r.Metric(s.Key); m != nil {
				return cell{number(m.Value()), strconv.FormatFloat(m.Value(), 'g', -1, 64)}
			}
			return cell{}
		}))
	}
	for _, key := range paramNames(runs) {
		out = append(out, row("param", key, runs, func(r *run) cell { v := r.Param(key); return cell{v, v} }))
	}
	for _, key := range []string{"mlflow.source.name", "mlflow.source.git.commit", "mlflow.user"} {
		out = append(out, row("tag", strings.TrimPrefix(key, "mlflow."), runs, func(r *run) cell { v := r.Tag(key); return cell{v, v} }))
	}
	return out
}

func row(kind, key string, runs []*run, value func(*run) cell) diffRow {
	d := diffRow{Kind: kind, Key: key, Same: true}
	for _, r := range runs {
		d.Values = append(d.Values, value(r))
		d.Same = d.Same && d.Values[len(d.Values)-1].Full == d.Values[0].Full
	}
	return d
}
