package mlimport

import (
	"context"
	"encoding/json"
	"fmt"
	"math"
	"slices"
	"strconv"
	"strings"

	common "go.opentelemetry.io/proto/otlp/common/v1"
	otlp "go.opentelemetry.io/proto/otlp/trace/v1"

	"github.com/millpond/millpond/internal/db"
	"github.com/millpond/millpond/internal/rest"
	traces "github.com/millpond/millpond/internal/trace"
)

// trace is a trace of an old store with its spans.
type trace struct {
	info     traces.Info
	location string // of its files
	spans    []*otlp.Span
}

// trace carries one over. Its files come first: a trace that is here is here whole.
func (i *importer) trace(ctx context.Context, experiment int64, t *trace) error {
	here, err := i.has(ctx, `SELECT 1 FROM traces WHERE trace_id = ?`, t.info.TraceID)
	if err != nil {
		return err
	}
	if here {
		i.sum.Already++
		return nil
	}
	location := i.placed(t.location, strconv.FormatInt(experiment, 10), "traces", t.info.TraceID, "artifacts")
	if err := i.copyArtifacts(ctx, t.location, location, t.info.TraceID); err != nil {
		return err
	}
	i.sum.Traces++
	return i.write(ctx, func(ctx context.Context, q db.Querier) error {
		_, err := traces.Restore(ctx, q, experiment, location, &t.info, t.spans)
		return err
	})
}

// Keys of what MLflow keeps in columns of its own.
var (
	tokenColumns = []string{"input_tokens", "output_tokens", "total_tokens", "cache_read_input_tokens", "cache_creation_input_tokens", "cache_creation_input_tokens_above_1hr"}
	costColumns  = []string{"input_cost", "output_cost", "total_cost"}
)

const locationTag = "mlflow.artifactLocation"

func (s *sqlStore) traces(ctx context.Context, e experiment, each func(*trace) error) error {
	type row struct {
		t             trace
		took          *int64
		client        *string
		name, session *string
		numbers       [9]*float64
	}
	list, err := collect(ctx, s.q, func(r *row) []any {
		i := &r.t.info
		out := []any{&i.TraceID, (*int64)(&i.RequestTime), &r.took, (*string)(&i.State), &r.client, &i.RequestPreview, &i.ResponsePreview, &r.name, &r.session}
		for n := range r.numbers {
			out = append(out, &r.numbers[n])
		}
		return out
	}, `SELECT request_id, timestamp_ms, execution_time_ms, status, client_request_id, request_preview, response_preview, trace_name, session_id, `+
		strings.Join(append(slices.Clone(tokenColumns), costColumns...), ", ")+` FROM trace_info WHERE experiment_id = ? ORDER BY timestamp_ms, request_id`, e.ID)
	if err != nil {
		return err
	}
	for n := range list {
		r := &list[n]
		i := &r.t.info
		if r.took != nil {
			i.ExecutionDuration = (*traces.Duration)(r.took)
		}
		if r.client != nil {
			i.ClientRequestID = *r.client
		}
		if err := s.completeTrace(ctx, &r.t); err != nil {
			return fmt.Errorf("read trace %s: %w", i.TraceID, err)
		}
		put(i.Tags, "mlflow.traceName", r.name)
		put(i.TraceMetadata, "mlflow.trace.session", r.session)
		put(i.TraceMetadata, "mlflow.trace.tokenUsage", columns(tokenColumns, r.numbers[:len(tokenColumns)]))
		put(i.TraceMetadata, "mlflow.trace.cost", columns(costColumns, r.numbers[len(tokenColumns):]))
		if err := each(&r.t); err != nil {
			return err
		}
	}
	return nil
}

func put(m map[string]string, key string, value *string) {
	if value != nil {
		m[key] = *value
	}
}

// columns are numbers as the JSON that they travel in, nil if there are none.
func columns(names []string, numbers []*float64) *string {
	out := map[string]float64{}
	for n, v := range numbers {
		if v != nil {
			out[names[n]] = *v
		}
	}
	if len(out) == 0 {
		return nil
	}
	raw, err := json.Marshal(out)
	if err != nil {
		return nil // finite numbers can be written
	}
	text := string(raw)
	return &text
}

// completeTrace reads what belongs to a trace.
func (s *sqlStore) completeTrace(ctx context.Context, t *trace) error {
	i := &t.info
	i.Tags, i.TraceMetadata = map[string]string{}, map[string]string{}
	for query, into := range map[string]map[string]string{
		`SELECT key, COALESCE(value, '') FROM trace_tags WHERE request_id = ?`:             i.Tags,
		`SELECT key, COALESCE(value, '') FROM trace_request_metadata WHERE request_id = ?`: i.TraceMetadata,
	} {
		list, err := pairs(ctx, s.q, query, i.TraceID)
		if err != nil {
			return err
		}
		for _, p := range list {
			into[p.Key] = p.Value
		}
	}
	t.location = i.Tags[locationTag]
	contents, err := collect(ctx, s.q, func(c *string) []any { return []any{c} }, `SELECT content FROM spans WHERE trace_id = ? ORDER BY start_time_unix_nano`, i.TraceID)
	if err != nil {
		return err
	}
	for _, c := range contents {
		span, err := readSpan(c)
		if err != nil {
			return err
		}
		t.spans = append(t.spans, span)
	}
	i.Assessments, err = s.assessments(ctx, i.TraceID)
	return err
}

func (s *sqlStore) assessments(ctx context.Context, traceID string) ([]traces.Assessment, error) {
	type row struct {
		a                                  traces.Assessment
		kind                               string
		value, failure, metadata           *string
		span, source, by, reason, replaces *string
		created, updated                   traces.Timestamp
		valid                              bool
	}
	list, err := collect(ctx, s.q, func(r *row) []any {
		return []any{&r.a.AssessmentID, &r.a.Name, &r.kind, &r.value, &r.failure, (*int64)(&r.created), (*int64)(&r.updated), &r.source, &r.by, &r.span, &r.reason, &r.replaces, &r.valid, &r.metadata}
	}, `SELECT assessment_id, name, assessment_type, value, error, created_timestamp, last_updated_timestamp, source_type, source_id, span_id, rationale, overrides,
		valid, assessment_metadata FROM assessments WHERE trace_id = ? ORDER BY created_timestamp`, traceID)
	if err != nil {
		return nil, err
	}
	var out []traces.Assessment
	for n := range list {
		r := &list[n]
		a := r.a
		a.SpanID, a.Rationale, a.Overrides = text(r.span), text(r.reason), text(r.replaces)
		a.CreateTime, a.LastUpdateTime, a.Valid = &r.created, &r.updated, &r.valid
		a.Source = &traces.AssessmentSource{SourceType: rest.Enum(text(r.source)), SourceID: text(r.by)}
		if r.metadata != nil {
			if err := json.Unmarshal([]byte(*r.metadata), &a.Metadata); err != nil {
				return nil, fmt.Errorf("metadata of assessment %s: %w", a.AssessmentID, err)
			}
		}
		if err := judge(&a, r.kind, text(r.value), r.failure); err != nil {
			return nil, fmt.Errorf("assessment %s: %w", a.AssessmentID, err)
		}
		out = append(out, a)
	}
	return out, nil
}

func text(s *string) string {
	if s == nil {
		return ""
	}
	return *s
}

// judge puts the value, which is JSON, where its kind has it.
func judge(a *traces.Assessment, kind, value string, failure *string) error {
	if value == "null" {
		value = ""
	}
	switch kind {
	case "feedback":
		a.Feedback = &traces.Feedback{Value: json.RawMessage(value)}
		if failure != nil {
			a.Feedback.Error = &traces.AssessmentError{}
			return json.Unmarshal([]byte(*failure), a.Feedback.Error)
		}
	case "expectation":
		a.Expectation = &traces.Expectation{Value: json.RawMessage(value)}
		if strings.HasPrefix(value, "{") || strings.HasPrefix(value, "[") {
			a.Expectation = &traces.Expectation{SerializedValue: &traces.SerializedValue{SerializationFormat: "JSON_FORMAT", Value: value}}
		}
	default:
		a.Issue = &traces.IssueReference{IssueName: strings.Trim(value, `"`)}
	}
	return nil
}

// readSpan reads a span as MLflow keeps it: attributes are a dictionary whose
// values are JSON.
func readSpan(content string) (*otlp.Span, error) {
	var in struct {
		TraceID    []byte                         `json:"trace_id"`
		SpanID     []byte                         `json:"span_id"`
		ParentID   []byte                         `json:"parent_span_id"`
		Name       string                         `json:"name"`
		Start      uint64                         `json:"start_time_unix_nano"`
		End        *uint64                        `json:"end_time_unix_nano"`
		Attributes map[string]any                 `json:"attributes"`
		Status     struct{ Code, Message string } `json:"status"`
		Events     []struct {
			Name       string         `json:"name"`
			Time       uint64         `json:"time_unix_nano"`
			Attributes map[string]any `json:"attributes"`
		} `json:"events"`
	}
	d := json.NewDecoder(strings.NewReader(content))
	d.UseNumber()
	if err := d.Decode(&in); err != nil {
		return nil, fmt.Errorf("a span is damaged: %w", err)
	}
	out := &otlp.Span{TraceId: in.TraceID, SpanId: in.SpanID, ParentSpanId: in.ParentID, Name: in.Name, StartTimeUnixNano: in.Start,
		Status: &otlp.Status{Code: otlp.Status_StatusCode(otlp.Status_StatusCode_value[in.Status.Code]), Message: in.Status.Message}}
	if in.End != nil {
		out.EndTimeUnixNano = *in.End
	}
	for key, v := range in.Attributes {
		if s, ok := v.(string); ok {
			v = unpacked(s)
		}
		out.Attributes = append(out.Attributes, &common.KeyValue{Key: key, Value: anyValue(v)})
	}
	sortKeys(out.Attributes)
	for _, e := range in.Events {
		event := &otlp.Span_Event{Name: e.Name, TimeUnixNano: e.Time}
		for key, v := range e.Attributes {
			event.Attributes = append(event.Attributes, &common.KeyValue{Key: key, Value: anyValue(v)})
		}
		sortKeys(event.Attributes)
		out.Events = append(out.Events, event)
	}
	return out, nil
}

func sortKeys(list []*common.KeyValue) {
	slices.SortFunc(list, func(a, b *common.KeyValue) int { return strings.Compare(a.Key, b.Key) })
}

// unpacked is what a JSON text means; one that is none means itself.
func unpacked(s string) any {
	var v any
	d := json.NewDecoder(strings.NewReader(s))
	d.UseNumber()
	if d.Decode(&v) != nil || d.More() {
		return s
	}
	return v
}

func anyValue(v any) *common.AnyValue {
	switch v := v.(type) {
	case string:
		return &common.AnyValue{Value: &common.AnyValue_StringValue{StringValue: v}}
	case bool:
		return &common.AnyValue{Value: &common.AnyValue_BoolValue{BoolValue: v}}
	case json.Number:
		if n, err := v.Int64(); err == nil {
			return &common.AnyValue{Value: &common.AnyValue_IntValue{IntValue: n}}
		}
		f, err := v.Float64()
		if err != nil {
			f = math.NaN() // too large for a number: JSON has no NaN of its own
		}
		return &common.AnyValue{Value: &common.AnyValue_DoubleValue{DoubleValue: f}}
	case []any:
		list := &common.ArrayValue{}
		for _, e := range v {
			list.Values = append(list.Values, anyValue(e))
		}
		return &common.AnyValue{Value: &common.AnyValue_ArrayValue{ArrayValue: list}}
	case map[string]any:
		list := &common.KeyValueList{}
		for key, e := range v {
			list.Values = append(list.Values, &common.KeyValue{Key: key, Value: anyValue(e)})
		}
		sortKeys(list.Values)
		return &common.AnyValue{Value: &common.AnyValue_KvlistValue{KvlistValue: list}}
	}
	return &common.AnyValue{}
}
