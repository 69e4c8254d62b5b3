package ui

import (
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"
)

const (
	mlflow3    = "/ajax-api/3.0/mlflow/"
	tracesPage = 50
)

// traceInfo is what a trace is apart from its spans.
type traceInfo struct {
	ID          string            `json:"trace_id"`
	Request     string            `json:"request_preview"`
	Response    string            `json:"response_preview"`
	RequestTime time.Time         `json:"request_time"`
	Duration    string            `json:"execution_duration"` // "1.5s"
	State       string            `json:"state"`
	Metadata    map[string]string `json:"trace_metadata"`
	Tags        map[string]string `json:"tags"`
	Assessments []assessment      `json:"assessments"`
	Location    struct {
		Experiment struct {
			ID string `json:"experiment_id"`
		} `json:"mlflow_experiment"`
	} `json:"trace_location"`
}

// assessment is what a person or a judge thinks of a trace.
type assessment struct {
	Name   string `json:"assessment_name"`
	SpanID string `json:"span_id"`
	Source struct {
		Type string `json:"source_type"`
		ID   string `json:"source_id"`
	} `json:"source"`
	Created  time.Time `json:"create_time"`
	Feedback *struct {
		Value any `json:"value"`
		Error *struct {
			Code    string `json:"error_code"`
			Message string `json:"error_message"`
		} `json:"error"`
	} `json:"feedback"`
	Expectation *struct {
		Value      any `json:"value"`
		Serialized *struct {
			Value string `json:"value"`
		} `json:"serialized_value"`
	} `json:"expectation"`
	Rationale string `json:"rationale"`
	Valid     *bool  `json:"valid"`
}

// Kind is what sort of assessment it is.
func (a assessment) Kind() string {
	switch {
	case a.Feedback != nil:
		return "feedback"
	case a.Expectation != nil:
		return "expectation"
	}
	return "issue"
}

// Value is what was said, as text.
func (a assessment) Value() string {
	switch {
	case a.Feedback != nil && a.Feedback.Error != nil:
		return "failed: " + strings.TrimPrefix(a.Feedback.Error.Code+": "+a.Feedback.Error.Message, ": ")
	case a.Feedback != nil:
		return inline(a.Feedback.Value)
	case a.Expectation != nil && a.Expectation.Serialized != nil:
		return a.Expectation.Serialized.Value
	case a.Expectation != nil:
		return inline(a.Expectation.Value)
	}
	return ""
}

// Mark is the colour class of a judgement: good, bad, or neither.
func (a assessment) Mark() string {
	if a.Feedback == nil {
		return ""
	}
	switch v := a.Feedback.Value; {
	case a.Feedback.Error != nil, v == false, v == "no":
		return "bad"
	case v == true, v == "yes":
		return "good"
	}
	return ""
}

// Overridden is true of one that a later one replaced.
func (a assessment) Overridden() bool { return a.Valid != nil && !*a.Valid }

// inline writes a value as JSON has it, texts without quotes.
func inline(v any) string {
	if s, ok := v.(string); ok {
		return s
	}
	b, err := json.Marshal(v)
	if err != nil {
		return fmt.Sprint(v)
	}
	return string(b)
}

// Name is what the program called the trace.
func (t traceInfo) Name() string {
	if n := t.Tags["mlflow.traceName"]; n != "" {
		return n
	}
	return t.ID
}

// URL is the trace's page.
func (t traceInfo) URL() string {
	return "/experiments/" + t.Location.Experiment.ID + "/traces/" + url.PathEscape(t.ID)
}

// Took is the trace's time in milliseconds.
func (t traceInfo) Took() int64 {
	d, _ := time.ParseDuration(t.Duration) // one that still runs has none
	return d.Milliseconds()
}

// usage counts the tokens of language models.
type usage struct {
	Input  int64 `json:"input_tokens"`
	Output int64 `json:"output_tokens"`
	Total  int64 `json:"total_tokens"`
}

// Tokens is nil where the trace counts none.
func (t traceInfo) Tokens() *usage { return tokensOf(t.Metadata["mlflow.trace.tokenUsage"]) }

func tokensOf(text string) *usage {
	var u usage
	if json.Unmarshal([]byte(text), &u) != nil || u == (usage{}) {
		return nil
	}
	return &u
}

// Meta is a piece of the trace's metadata, by the last part of MLflow's name for it.
func (t traceInfo) Meta(key string) string { return t.Metadata["mlflow."+key] }

// OwnTags are the tags that people set, in order.
func (t traceInfo) OwnTags() []tag {
	var out []tag
	for k, v := range t.Tags {
		if !strings.HasPrefix(k, "mlflow.") {
			out = append(out, tag{k, v})
		}
	}
	slices.SortFunc(out, func(a, b tag) int { return strings.Compare(a.Key, b.Key) })
	return out
}

// tracesData is the table of an experiment's traces.
type tracesData struct {
	Experiment             experiment
	Filter, Order, Problem string
	Traces                 []traceInfo
	Keys                   []string // for completion in the filter box
	Longest                int64    // for the bars
	NextURL, Start         string
	query                  url.Values
}

// Views says where the page is among those of its experiment.
func (d *tracesData) Views() views { return views{d.Experiment.ID, "traces"} }

// SortURL orders by an attribute, or turns its order round.
func (d *tracesData) SortURL(attribute string) string { return sortURL(d.query, d.Order, attribute) }

// traces shows the traces of an experiment.
func (u *UI) traces(r *http.Request) (view, error) {
	q := r.URL.Query()
	e, err := u.getExperiment(r, r.PathValue("id"))
	if err != nil {
		return view{}, err
	}
	d := &tracesData{Experiment: e, Filter: q.Get("filter"), Order: q.Get("order"), query: q, Longest: 1, Start: firstTrace(u.status().HTTP, e.Name)}
	in := searchTraces{Filter: grouped(d.Filter), Most: tracesPage, Page: q.Get("page")}
	if d.Order != "" {
		in.Order = []string{d.Order}
	}
	found, err := u.searchTraces(r, e.ID, in)
	if bad := (*apiError)(nil); errors.As(err, &bad) && bad.Status == http.StatusBadRequest {
		d.Problem, err = bad.Message, nil // the filter or the order: the visitor mends it on the page
	}
	if err != nil {
		return view{}, err
	}
	d.Traces = found.Traces
	if found.Next != "" {
		d.NextURL = with(q, "page", found.Next)
	}
	d.Keys = []string{"attributes.name", "attributes.status", "attributes.timestamp_ms", "attributes.execution_time_ms", "attributes.run_id", "attributes.text", "span.name", "span.type", "span.status"}
	for _, t := range d.Traces {
		d.Longest = max(d.Longest, t.Took())
		for _, own := range t.OwnTags() {
			d.Keys = append(d.Keys, "tags."+own.Key)
		}
		for _, a := range t.Assessments {
			d.Keys = append(d.Keys, a.Kind()+"."+a.Name)
		}
	}
	slices.Sort(d.Keys)
	d.Keys = slices.Compact(d.Keys)
	return view{Template: "traces", Title: "Traces", Section: "Experiments", Data: d, Crumbs: []crumb{{"Experiments", "/experiments"}, {e.Name, "/experiments/" + e.ID}}}, nil
}

type (
	searchTraces struct {
		Locations []any    `json:"locations"`
		Filter    string   `json:"filter,omitempty"`
		Order     []string `json:"order_by,omitempty"`
		Most      int      `json:"max_results"`
		Page      string   `json:"page_token,omitempty"`
	}
	searchedTraces struct {
		Traces []traceInfo `json:"traces"`
		Next   string      `json:"next_page_token"`
	}
)

func (u *UI) searchTraces(r *http.Request, experiment string, in searchTraces) (searchedTraces, error) {
	in.Locations = []any{map[string]any{"type": "MLFLOW_EXPERIMENT", "mlflow_experiment": map[string]string{"experiment_id": experiment}}}
	var out searchedTraces
	err := u.api.do(r, http.MethodPost, mlflow3+"traces/search", in, &out)
	return out, err
}

// tracesOf is the address of the traces that belong to a run, "" if there are none.
func (u *UI) tracesOf(r *http.Request, x *run) (string, error) {
	filter := "attributes.run_id = " + quote(x.Info.RunID)
	found, err := u.searchTraces(r, x.Info.ExperimentID, searchTraces{Filter: filter, Most: 1})
	if err != nil || len(found.Traces) == 0 {
		return "", err
	}
	return "/experiments/" + x.Info.ExperimentID + "/traces?" + url.Values{"filter": {filter}}.Encode(), nil
}

// firstTrace is what the empty page shows: lines that make a trace.
func firstTrace(httpAddr, experiment string) string {
	return fmt.Sprintf("import mlflow\nmlflow.set_tracking_uri(\"http://%s\"); mlflow.set_experiment(%q)\n@mlflow.trace\ndef double(x): return 2 * x\ndouble(21)", httpAddr, experiment)
}
