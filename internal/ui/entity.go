package ui

import (
	"encoding/json"
	"fmt"
	"math"
	"net/url"
	"path"
	"strconv"
	"strings"
)

// What the REST API answers, as far as pages show it.
type (
	experiment struct {
		ID             string `json:"experiment_id"`
		Name           string `json:"name"`
		CreationTime   int64  `json:"creation_time"`
		LastUpdateTime int64  `json:"last_update_time"`
		Stage          string `json:"lifecycle_stage"`
		Tags           []tag  `json:"tags"`
	}
	run struct {
		Info runInfo `json:"info"`
		Data struct {
			Metrics []metric `json:"metrics"`
			Params  []tag    `json:"params"`
			Tags    []tag    `json:"tags"`
		} `json:"data"`
		Inputs struct {
			Datasets []datasetInput `json:"dataset_inputs"`
		} `json:"inputs"`
		Outputs struct {
			Models []struct {
				ID string `json:"model_id"`
			} `json:"model_outputs"`
		} `json:"outputs"`
	}
	runInfo struct {
		RunID        string `json:"run_id"`
		RunName      string `json:"run_name"`
		ExperimentID string `json:"experiment_id"`
		Status       string `json:"status"`
		Stage        string `json:"lifecycle_stage"`
		StartTime    int64  `json:"start_time"`
		EndTime      int64  `json:"end_time"`
	}
	metric struct {
		Key       string `json:"key"`
		Float     float  `json:"value"`
		Step      int64  `json:"step"`
		Timestamp int64  `json:"timestamp"`
	}
	tag struct {
		Key   string `json:"key"`
		Value string `json:"value"`
	}
	datasetInput struct {
		Tags    []tag `json:"tags"`
		Dataset struct {
			Name   string `json:"name"`
			Digest string `json:"digest"`
		} `json:"dataset"`
	}
	loggedModel struct {
		Info struct {
			ID     string `json:"model_id"`
			Name   string `json:"name"`
			Status string `json:"status"`
			Type   string `json:"model_type"`
		} `json:"info"`
	}
	file struct {
		Path  string `json:"path"`
		IsDir bool   `json:"is_dir"`
		Size  int64  `json:"file_size"`
	}
	model struct {
		Name        string    `json:"name"`
		Description string    `json:"description"`
		LastUpdated int64     `json:"last_updated_timestamp"`
		Latest      []version `json:"latest_versions"`
		Tags        []tag     `json:"tags"`
		Aliases     []alias   `json:"aliases"`
	}
	alias struct {
		Alias   string `json:"alias"`
		Version text   `json:"version"`
	}
	version struct {
		Name        string   `json:"name"`
		Version     text     `json:"version"`
		Created     int64    `json:"creation_timestamp"`
		Stage       string   `json:"current_stage"`
		Description string   `json:"description"`
		Source      string   `json:"source"`
		RunID       string   `json:"run_id"`
		Status      string   `json:"status"`
		Tags        []tag    `json:"tags"`
		Aliases     []string `json:"aliases"`
		Run         *run     `json:"-"` // filled in by the page, nil if it is gone
	}
)

// float is a number that travels as a string where JSON has none: NaN and infinities.
type float float64

func (f *float) UnmarshalJSON(b []byte) error {
	s := strings.Trim(string(b), `"`)
	v, err := strconv.ParseFloat(s, 64)
	*f = float(v)
	return err
}

// text is a version number, which travels as a string or a number.
type text string

func (t *text) UnmarshalJSON(b []byte) error {
	if len(b) > 0 && b[0] == '"' {
		return json.Unmarshal(b, (*string)(t))
	}
	*t = text(b)
	return nil
}

func find(tags []tag, key string) string {
	for _, t := range tags {
		if t.Key == key {
			return t.Value
		}
	}
	return ""
}

// Note is the experiment's description.
func (e experiment) Note() string { return find(e.Tags, "mlflow.note.content") }

// URL is the run's page.
func (r run) URL() string {
	return "/experiments/" + r.Info.ExperimentID + "/runs/" + url.PathEscape(r.Info.RunID)
}

// Took is the run's time in milliseconds, 0 while it runs.
func (r run) Took() int64 { return max(0, r.Info.EndTime-r.Info.StartTime) }

// Tag, Param and Parent answer "" where there is none.
func (r run) Tag(key string) string   { return find(r.Data.Tags, key) }
func (r run) Param(key string) string { return find(r.Data.Params, key) }
func (r run) Parent() string          { return r.Tag("mlflow.parentRunId") }

// Metric finds a metric's last value, nil if it was not logged.
func (r run) Metric(key string) *metric {
	for i := range r.Data.Metrics {
		if r.Data.Metrics[i].Key == key {
			return &r.Data.Metrics[i]
		}
	}
	return nil
}

// FirstMetrics gives a few metrics, for lines that have room for no more.
func (r run) FirstMetrics() []metric { return r.Data.Metrics[:min(3, len(r.Data.Metrics))] }

// Value is the number.
func (m metric) Value() float64 { return float64(m.Float) }

// Context is what a run used a dataset for, such as "training".
func (d datasetInput) Context() string { return find(d.Tags, "mlflow.data.context") }

// Base is the last part of the file's path.
func (f file) Base() string { return path.Base(f.Path) }

// URL is the model's page.
func (m model) URL() string { return "/models/" + url.PathEscape(m.Name) }

// In gives the newest version in a stage, nil if there is none.
func (m model) In(stage string) *version {
	for i := range m.Latest {
		if m.Latest[i].Stage == stage {
			return &m.Latest[i]
		}
	}
	return nil
}

// Newest is the highest version number.
func (m model) Newest() string {
	best := 0
	for _, v := range m.Latest {
		if n, err := strconv.Atoi(string(v.Version)); err == nil {
			best = max(best, n)
		}
	}
	if best == 0 {
		return ""
	}
	return strconv.Itoa(best)
}

// URL is the version's page.
func (v version) URL() string {
	return "/models/" + url.PathEscape(v.Name) + "/versions/" + url.PathEscape(string(v.Version))
}

// Metric finds a metric of the version's run, nil if there is none.
func (v version) Metric(key string) *metric {
	if v.Run == nil {
		return nil
	}
	return v.Run.Metric(key)
}

// span is a metric with its least and greatest value on a page, for the bars in its cells.
type span struct {
	Key      string
	Min, Max float64
}

// spans lists the metrics of runs, most used first, names in order; NaN and infinities do not count.
func spans(runs []*run, most int) []span {
	at, count := map[string]int{}, map[string]int{}
	var out []span
	for _, r := range runs {
		if r == nil {
			continue
		}
		for _, m := range r.Data.Metrics {
			count[m.Key]++
			v := m.Value()
			if _, ok := at[m.Key]; !ok {
				at[m.Key] = len(out)
				out = append(out, span{m.Key, math.Inf(1), math.Inf(-1)})
			}
			if s := &out[at[m.Key]]; !math.IsNaN(v) && !math.IsInf(v, 0) {
				s.Min, s.Max = min(s.Min, v), max(s.Max, v)
			}
		}
	}
	sortByUse(out, func(s span) (string, int) { return s.Key, count[s.Key] })
	out = out[:min(most, len(out))]
	for i := range out {
		if out[i].Min > out[i].Max { // no finite value
			out[i].Min, out[i].Max = 0, 1
		}
	}
	return out
}

// firstRun is what an empty page shows: the three lines that fill it.
func firstRun(httpAddr, experiment string) string {
	where := ""
	if experiment != "" {
		where = fmt.Sprintf("mlflow.set_experiment(%q)\n", experiment)
	}
	return fmt.Sprintf("import mlflow\nmlflow.set_tracking_uri(\"http://%s\")\n%swith mlflow.start_run():\n    mlflow.log_metric(\"rmse\", 17.2)", httpAddr, where)
}
