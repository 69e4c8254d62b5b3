package trace

import (
	"bytes"
	"encoding/json"
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/millpond/millpond/internal/rest"
)

// The types below are the bodies that travel: their JSON is MLflow's.

// Info is what a trace is apart from its spans.
type Info struct {
	TraceID           string            `json:"trace_id"`
	ClientRequestID   string            `json:"client_request_id,omitempty"`
	TraceLocation     Location          `json:"trace_location"`
	RequestPreview    *string           `json:"request_preview,omitempty"`
	ResponsePreview   *string           `json:"response_preview,omitempty"`
	RequestTime       Timestamp         `json:"request_time"`
	ExecutionDuration *Duration         `json:"execution_duration,omitempty"`
	State             rest.Enum         `json:"state"`
	TraceMetadata     map[string]string `json:"trace_metadata,omitempty"`
	Assessments       []Assessment      `json:"assessments,omitempty"`
	Tags              map[string]string `json:"tags,omitempty"`
}

// Location says where a trace is kept. Only experiments are kept here.
type Location struct {
	Type             rest.Enum           `json:"type"`
	MlflowExperiment *ExperimentLocation `json:"mlflow_experiment,omitempty"`
}

// ExperimentLocation is the experiment of a trace.
type ExperimentLocation struct {
	ExperimentID string `json:"experiment_id"`
}

// Trace is a trace with its spans, each in OpenTelemetry's JSON.
type Trace struct {
	Info  Info              `json:"trace_info"`
	Spans []json.RawMessage `json:"spans,omitempty"`
}

// Assessment is what somebody thinks of a trace, or of a span of it.
type Assessment struct {
	AssessmentID   string            `json:"assessment_id,omitempty"`
	Name           string            `json:"assessment_name"`
	TraceID        string            `json:"trace_id"`
	SpanID         string            `json:"span_id,omitempty"`
	Source         *AssessmentSource `json:"source,omitempty"`
	CreateTime     *Timestamp        `json:"create_time,omitempty"`
	LastUpdateTime *Timestamp        `json:"last_update_time,omitempty"`
	Feedback       *Feedback         `json:"feedback,omitempty"`
	Expectation    *Expectation      `json:"expectation,omitempty"`
	Issue          *IssueReference   `json:"issue,omitempty"`
	Rationale      string            `json:"rationale,omitempty"`
	Metadata       map[string]string `json:"metadata,omitempty"`
	Overrides      string            `json:"overrides,omitempty"`
	Valid          *bool             `json:"valid,omitempty"`
}

// AssessmentSource is who assessed.
type AssessmentSource struct {
	SourceType rest.Enum `json:"source_type"`
	SourceID   string    `json:"source_id"`
}

// Feedback is a judgement, or why there is none.
type Feedback struct {
	Value json.RawMessage  `json:"value,omitempty"`
	Error *AssessmentError `json:"error,omitempty"`
}

// AssessmentError is why a judge failed.
type AssessmentError struct {
	ErrorCode    string `json:"error_code"`
	ErrorMessage string `json:"error_message,omitempty"`
	StackTrace   string `json:"stack_trace,omitempty"`
}

// Expectation is the right answer.
type Expectation struct {
	Value           json.RawMessage  `json:"value,omitempty"`
	SerializedValue *SerializedValue `json:"serialized_value,omitempty"`
}

// SerializedValue holds a value that is a list or a dictionary.
type SerializedValue struct {
	SerializationFormat string `json:"serialization_format"`
	Value               string `json:"value"`
}

// IssueReference ties a trace to an issue.
type IssueReference struct {
	IssueName string `json:"issue_name"`
}

var (
	states      = map[int]string{0: "STATE_UNSPECIFIED", 1: "OK", 2: "ERROR", 3: "IN_PROGRESS"}
	sourceTypes = map[int]string{0: "SOURCE_TYPE_UNSPECIFIED", 1: "HUMAN", 2: "LLM_JUDGE", 3: "CODE"}
)

// Timestamp is a moment in milliseconds that travels as RFC 3339 text.
type Timestamp int64

// MarshalJSON implements json.Marshaler.
func (t Timestamp) MarshalJSON() ([]byte, error) {
	return time.UnixMilli(int64(t)).UTC().AppendFormat(nil, `"2006-01-02T15:04:05.000Z"`), nil
}

// UnmarshalJSON implements json.Unmarshaler.
func (t *Timestamp) UnmarshalJSON(b []byte) error {
	var text string
	if err := json.Unmarshal(b, &text); err != nil || text == "" {
		return err
	}
	at, err := time.Parse(time.RFC3339Nano, text)
	if err != nil {
		return fmt.Errorf("not a timestamp: %s", b)
	}
	*t = Timestamp(at.UnixMilli())
	return nil
}

// Duration is a number of milliseconds that travels as seconds: "1.5s".
type Duration int64

// MarshalJSON implements json.Marshaler.
func (d Duration) MarshalJSON() ([]byte, error) {
	text := strconv.FormatFloat(float64(d)/1000, 'f', 3, 64)
	return []byte(`"` + text + `s"`), nil
}

// UnmarshalJSON implements json.Unmarshaler.
func (d *Duration) UnmarshalJSON(b []byte) error {
	var text string
	if err := json.Unmarshal(b, &text); err != nil || text == "" {
		return err
	}
	seconds, err := strconv.ParseFloat(strings.TrimSuffix(text, "s"), 64)
	if err != nil || seconds != seconds || seconds > 1e12 || seconds < -1e12 {
		return fmt.Errorf("not a duration: %s", b)
	}
	*d = Duration(seconds * 1000)
	return nil
}

// InfoV2 is a trace as clients before MLflow 3 know it.
type InfoV2 struct {
	RequestID       string `json:"request_id"`
	ExperimentID    string `json:"experiment_id"`
	TimestampMS     int64  `json:"timestamp_ms"`
	ExecutionTimeMS *int64 `json:"execution_time_ms,omitempty"`
	Status          string `json:"status"`
	RequestMetadata []Pair `json:"request_metadata,omitempty"`
	Tags            []Pair `json:"tags,omitempty"`
}

// Pair is a key with a value.
type Pair struct {
	Key   string `json:"key"`
	Value string `json:"value"`
}

func (i *Info) v2() InfoV2 {
	out := InfoV2{RequestID: i.TraceID, ExperimentID: i.TraceLocation.MlflowExperiment.ExperimentID, TimestampMS: int64(i.RequestTime),
		Status: string(i.State), RequestMetadata: pairs(i.TraceMetadata), Tags: pairs(i.Tags)}
	if i.ExecutionDuration != nil {
		ms := int64(*i.ExecutionDuration)
		out.ExecutionTimeMS = &ms
	}
	return out
}

// compactJSON takes the white space out that an encoder put in.
func compactJSON(raw []byte) (string, error) {
	var b bytes.Buffer
	if err := json.Compact(&b, raw); err != nil {
		return "", err
	}
	return b.String(), nil
}

// JSONSchema implements [rest.Described].
func (Timestamp) JSONSchema() rest.Schema {
	return rest.Schema{"type": "string", "format": "date-time"}
}

// JSONSchema implements [rest.Described].
func (Duration) JSONSchema() rest.Schema {
	return rest.Schema{"type": "string", "pattern": `^-?[0-9]{1,9}(\.[0-9]{1,9})?s$`}
}
