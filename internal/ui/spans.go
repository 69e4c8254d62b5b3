package ui

import (
	"cmp"
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"
)

const (
	mostSpans = 300 // drawn on one page
	mostDepth = 12  // that rows are indented by
)

// traceSpan is a span with its place in the waterfall.
type traceSpan struct {
	ID, Parent, Name, State, Message string
	Start, End                       int64 // nanoseconds
	Attributes                       []attribute
	Events                           []spanEvent
	Depth                            int
	X, Width                         float64 // of its bar, per mille of the trace
}

// attribute is a key with its value as text; long values are cut.
type attribute struct {
	Key, Text string
	Cut       int // characters left out
}

type spanEvent struct {
	Name       string
	At         int64 // nanoseconds since the trace began
	Attributes []attribute
}

// Exception is true of an event that tells of an error.
func (e spanEvent) Exception() bool { return e.Name == "exception" }

// Attribute is the text of one attribute.
func (e spanEvent) Attribute(key string) string { return textOf(e.Attributes, key) }

// Offset is when it was, in words.
func (e spanEvent) Offset() string { return nanos(e.At) }

func textOf(list []attribute, key string) string {
	for _, a := range list {
		if a.Key == key {
			return a.Text
		}
	}
	return ""
}

// Took is the span's time in words, finer than that of runs.
func (s *traceSpan) Took() string { return nanos(s.End - s.Start) }

// nanos reads as 12 µs, 3.4 ms, 1.2 s.
func nanos(n int64) string {
	d := time.Duration(max(0, n))
	switch {
	case d < time.Millisecond:
		return fmt.Sprintf("%d µs", d.Microseconds())
	case d < 100*time.Millisecond:
		return strconv.FormatFloat(float64(d)/1e6, 'g', 3, 64) + " ms"
	}
	return duration(d)
}

// Type is what the span does: CHAIN, TOOL, RETRIEVER…; "" where nobody said.
func (s *traceSpan) Type() string {
	if t := strings.Trim(textOf(s.Attributes, "mlflow.spanType"), `"`); t != "UNKNOWN" {
		return t
	}
	return ""
}

// Inputs and Outputs are nil where the span has none.
func (s *traceSpan) Inputs() *attribute { return s.attribute("mlflow.spanInputs") }

// Outputs: see Inputs.
func (s *traceSpan) Outputs() *attribute { return s.attribute("mlflow.spanOutputs") }

func (s *traceSpan) attribute(key string) *attribute {
	if i := slices.IndexFunc(s.Attributes, func(a attribute) bool { return a.Key == key }); i >= 0 {
		return &s.Attributes[i]
	}
	return nil
}

// Tokens is what a language model's call counted.
func (s *traceSpan) Tokens() *usage { return tokensOf(textOf(s.Attributes, "mlflow.chat.tokenUsage")) }

// Own are the attributes that the page shows nowhere else.
func (s *traceSpan) Own() []attribute {
	var out []attribute
	for _, a := range s.Attributes {
		if !slices.Contains([]string{"mlflow.spanInputs", "mlflow.spanOutputs", "mlflow.spanType", "mlflow.traceRequestId", "mlflow.chat.tokenUsage"}, a.Key) {
			out = append(out, a)
		}
	}
	return out
}

// Indent has an item for every level that the span is below the root.
func (s *traceSpan) Indent() []struct{} { return make([]struct{}, min(s.Depth, mostDepth)) }

// traceData is the page of one trace.
type traceData struct {
	Info         traceInfo
	Spans        []*traceSpan // of this page of the waterfall
	Span         *traceSpan   // that is looked at
	From, To     int
	Total        int
	Prev, Next   string // addresses of the waterfall's other pages
	Length       string
	Assessments  []assessment // of the trace
	OnSpan       []assessment // of the span
	Run          *run
	ExperimentID string
	query        url.Values
}

// First is the number of the first span of this page.
func (d *traceData) First() int { return d.From + 1 }

// SpanURL looks at a span.
func (d *traceData) SpanURL(s *traceSpan) string { return with(d.query, "span", s.ID) }

// trace shows one trace: its spans as a waterfall, and one of them whole.
func (u *UI) trace(r *http.Request) (view, error) {
	q := r.URL.Query()
	e, err := u.getExperiment(r, r.PathValue("id"))
	if err != nil {
		return view{}, err
	}
	var got struct {
		Trace struct {
			Info  traceInfo         `json:"trace_info"`
			Spans []json.RawMessage `json:"spans"`
		} `json:"trace"`
	}
	ask := url.Values{"trace_id": {r.PathValue("trace")}, "allow_partial": {"true"}}
	if err := u.api.do(r, http.MethodGet, mlflow3+"traces/get?"+ask.Encode(), nil, &got); err != nil {
		return view{}, err
	}
	d := &traceData{Info: got.Trace.Info, ExperimentID: e.ID, query: q}
	if len(got.Trace.Spans) == 0 { // those of clients before MLflow 3.5 are a file
		var file struct{ Spans []json.RawMessage }
		ask := url.Values{"request_id": {d.Info.ID}}
		if err := u.api.do(r, http.MethodGet, mlflow+"get-trace-artifact?"+ask.Encode(), nil, &file); err == nil { // else it has none yet
			got.Trace.Spans = file.Spans
		}
	}
	spans, err := readSpans(got.Trace.Spans)
	if err != nil {
		return view{}, err
	}
	d.show(spans, q)
	for _, a := range d.Info.Assessments {
		switch {
		case a.SpanID == "":
			d.Assessments = append(d.Assessments, a)
		case d.Span != nil && a.SpanID == d.Span.ID:
			d.OnSpan = append(d.OnSpan, a)
		}
	}
	if id := d.Info.Meta("sourceRun"); id != "" {
		byID, err := u.runsByID(r, []string{id})
		if err != nil {
			return view{}, err
		}
		d.Run = byID[id]
	}
	return view{Template: "trace", Title: d.Info.Name(), Section: "Experiments", Data: d,
		Crumbs: []crumb{{"Experiments", "/experiments"}, {e.Name, "/experiments/" + e.ID}, {"Traces", "/experiments/" + e.ID + "/traces"}}}, nil
}

// show orders the spans, places their bars, and chooses those of this page.
func (d *traceData) show(spans []*traceSpan, q url.Values) {
	spans = waterfall(spans)
	d.Total = len(spans)
	if d.Total == 0 {
		return
	}
	d.Length = place(spans)
	d.Span = spans[0]
	at := slices.IndexFunc(spans, func(s *traceSpan) bool { return s.ID == q.Get("span") })
	if at >= 0 {
		d.Span = spans[at]
	}
	from, err := strconv.Atoi(q.Get("from"))
	if err != nil {
		from = max(0, at) / mostSpans * mostSpans
	}
	d.From = min(max(0, from), d.Total-1)
	d.To = min(d.Total, d.From+mostSpans)
	d.Spans = spans[d.From:d.To]
	if d.From > 0 {
		d.Prev = with(q, "from", strconv.Itoa(max(0, d.From-mostSpans)))
	}
	if d.To < d.Total {
		d.Next = with(q, "from", strconv.Itoa(d.To))
	}
}

// waterfall puts spans below their parents, in order of time.
func waterfall(spans []*traceSpan) []*traceSpan {
	slices.SortStableFunc(spans, func(a, b *traceSpan) int { return cmp.Compare(a.Start, b.Start) })
	here, children := map[string]bool{}, map[string][]*traceSpan{}
	for _, s := range spans {
		here[s.ID] = true
	}
	var top []*traceSpan
	for _, s := range spans {
		if here[s.Parent] && s.Parent != s.ID {
			children[s.Parent] = append(children[s.Parent], s)
		} else {
			top = append(top, s)
		}
	}
	var out []*traceSpan
	done := map[*traceSpan]bool{}
	var add func(s *traceSpan, depth int)
	add = func(s *traceSpan, depth int) {
		if done[s] {
			return
		}
		done[s] = true
		s.Depth = depth
		out = append(out, s)
		for _, c := range children[s.ID] {
			add(c, depth+1)
		}
	}
	for _, s := range slices.Concat(top, spans) { // spans again: parents that form a ring are on no top
		add(s, 0)
	}
	return out
}

// place sets where the spans' bars are, and answers with the length of them all.
func place(spans []*traceSpan) string {
	first, last := spans[0].Start, spans[0].End
	for _, s := range spans {
		first, last = min(first, s.Start), max(last, s.End)
	}
	whole := float64(max(1, last-first))
	for _, s := range spans {
		s.X = min(996, 1000*float64(s.Start-first)/whole)
		s.Width = max(4, 1000*float64(s.End-s.Start)/whole) // else one could not be seen
		for i := range s.Events {
			s.Events[i].At -= first
		}
	}
	return nanos(last - first)
}
