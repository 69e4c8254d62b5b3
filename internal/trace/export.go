package trace

import (
	"compress/zlib"
	"context"
	"encoding/hex"
	"encoding/json"
	"io"
	"mime"
	"net/http"
	"strings"

	"github.com/klauspost/compress/gzip"
	collector "go.opentelemetry.io/proto/otlp/collector/trace/v1"
	common "go.opentelemetry.io/proto/otlp/common/v1"
	resource "go.opentelemetry.io/proto/otlp/resource/v1"
	otlp "go.opentelemetry.io/proto/otlp/trace/v1"
	"google.golang.org/protobuf/encoding/protojson"
	"google.golang.org/protobuf/proto"

	"github.com/millpond/millpond/internal/rest"
)

// Attributes of spans that MLflow gives a meaning.
const (
	typeAttr      = "mlflow.spanType"
	inputsAttr    = "mlflow.spanInputs"
	outputsAttr   = "mlflow.spanOutputs"
	usageAttr     = "mlflow.chat.tokenUsage"
	traceTagAttr  = "mlflow.traceTag."
	maxPreview    = 1000
	maxSpansBytes = 256 << 20 // of a request, unpacked
)

// sessionAttrs are the conventions by which programs tell a session, best first.
var sessionAttrs = []string{"session.id", "gen_ai.conversation.id"}

// export takes spans in OpenTelemetry's protocol (OTLP over HTTP).
func (s *Service) export(w http.ResponseWriter, r *http.Request) error {
	experiment := r.Header.Get("X-Mlflow-Experiment-Id")
	if experiment == "" {
		return rest.Invalid("The header x-mlflow-experiment-id must name the experiment that keeps the spans.")
	}
	request, kind, err := readExport(w, r)
	if err != nil {
		return err
	}
	batches, err := gather(request)
	if err != nil {
		return err
	}
	if len(batches) == 0 {
		return rest.Invalid("Invalid OpenTelemetry format - no spans found")
	}
	if err := s.keepSpans(r.Context(), experiment, batches); err != nil {
		return err
	}
	if run := r.Header.Get("X-Mlflow-Run-Id"); run != "" {
		if err := s.linkEnded(r.Context(), batches, run); err != nil {
			return err
		}
	}
	// An empty answer says that nothing was refused.
	w.Header().Set("Content-Type", kind)
	if kind == "application/json" {
		_, err = io.WriteString(w, "{}")
	}
	return err
}

// linkEnded ties the traces whose root span has come to a run.
func (s *Service) linkEnded(ctx context.Context, batches []*batch, run string) error {
	var ids []string
	for _, b := range batches {
		if b.root != nil {
			ids = append(ids, b.traceID)
		}
	}
	return s.linkToRun(ctx, ids, run)
}

// readExport reads the request in either of OTLP's encodings.
func readExport(w http.ResponseWriter, r *http.Request) (*collector.ExportTraceServiceRequest, string, error) {
	kind, _, _ := mime.ParseMediaType(r.Header.Get("Content-Type"))
	if kind != "application/x-protobuf" && kind != "application/json" {
		return nil, "", rest.Invalid("Invalid Content-Type: %s. Expected: application/x-protobuf or application/json", r.Header.Get("Content-Type"))
	}
	body, err := unpack(http.MaxBytesReader(w, r.Body, rest.MaxBody), r.Header.Get("Content-Encoding"))
	if err != nil {
		return nil, "", err
	}
	var out collector.ExportTraceServiceRequest
	if kind == "application/json" {
		if body, err = hexToBase64(body); err == nil {
			err = protojson.UnmarshalOptions{DiscardUnknown: true}.Unmarshal(body, &out)
		}
	} else {
		err = proto.Unmarshal(body, &out)
	}
	if err != nil {
		return nil, "", rest.Invalid("Invalid OpenTelemetry format")
	}
	return &out, kind, nil
}

func unpack(r io.Reader, encoding string) ([]byte, error) {
	var err error
	switch strings.ToLower(encoding) {
	case "", "identity":
	case "gzip":
		r, err = gzip.NewReader(r)
	case "deflate":
		r, err = zlib.NewReader(r)
	default:
		return nil, rest.Invalid("Unsupported Content-Encoding: %s", encoding)
	}
	if err != nil {
		return nil, rest.Invalid("The body is not in the encoding %s.", encoding)
	}
	body, err := io.ReadAll(io.LimitReader(r, maxSpansBytes+1))
	if err == nil && len(body) > maxSpansBytes {
		err = rest.Invalid("The request unpacks to more than %d bytes.", maxSpansBytes)
	}
	return body, err
}

// hexToBase64 rewrites the ids of OTLP's JSON, which are hex, as Protobuf's JSON has bytes.
func hexToBase64(body []byte) ([]byte, error) {
	var doc map[string]any
	if err := json.Unmarshal(body, &doc); err != nil {
		return nil, err
	}
	rewriteIDs(doc)
	return json.Marshal(doc)
}

func rewriteIDs(v any) {
	switch v := v.(type) {
	case []any:
		for _, e := range v {
			rewriteIDs(e)
		}
	case map[string]any:
		for key, e := range v {
			text, ok := e.(string)
			if ok && (key == "traceId" || key == "spanId" || key == "parentSpanId") {
				if raw, err := hex.DecodeString(text); err == nil {
					v[key] = raw // bytes are written as base64
				}
				continue
			}
			if key != "attributes" { // values of a program's own
				rewriteIDs(e)
			}
		}
	}
}

// batch is what one request tells of one trace.
type batch struct {
	traceID string
	spans   []spanRow
	root    *otlp.Span
	startMS int64
	endMS   *int64
	session string
	user    string
	usage   bool // some span tells tokens
	tags    map[string]string
}

// spanRow is a span as it lies in its table.
type spanRow struct {
	id, parent, name, kind, status string
	start                          int64
	end                            *int64
	content                        string
}

// gather sorts the spans by trace.
func gather(request *collector.ExportTraceServiceRequest) ([]*batch, error) {
	var out []*batch
	byTrace := map[string]*batch{}
	for _, rs := range request.ResourceSpans {
		for _, ss := range rs.ScopeSpans {
			for _, span := range ss.Spans {
				if len(span.TraceId) == 0 || len(span.SpanId) == 0 {
					return nil, rest.Invalid("A span lacks its trace_id or its span_id.")
				}
				id := "tr-" + hex.EncodeToString(span.TraceId)
				b := byTrace[id]
				if b == nil {
					b = &batch{traceID: id, startMS: int64(span.StartTimeUnixNano / 1e6), tags: map[string]string{spansTag: spansHere}}
					b.tagResource(rs.Resource)
					byTrace[id] = b
					out = append(out, b)
				}
				if err := b.add(span); err != nil {
					return nil, err
				}
			}
		}
	}
	return out, nil
}

// tagResource makes tags of what the program says of itself.
func (b *batch) tagResource(r *resource.Resource) {
	for _, a := range r.GetAttributes() {
		if strings.HasPrefix(a.Key, "telemetry.sdk.") || strings.HasPrefix(a.Key, "mlflow.") {
			continue
		}
		if value, err := checkTag(a.Key, plainText(a.Value)); err == nil {
			b.tags[a.Key] = value
		}
	}
}

var statuses = map[otlp.Status_StatusCode]string{otlp.Status_STATUS_CODE_UNSET: "UNSET", otlp.Status_STATUS_CODE_OK: "OK", otlp.Status_STATUS_CODE_ERROR: "ERROR"}

func (b *batch) add(span *otlp.Span) error {
	raw, err := protojson.MarshalOptions{UseProtoNames: true}.Marshal(span)
	if err != nil {
		return rest.Invalid("A span cannot be written as JSON: its texts must be UTF-8.")
	}
	r := spanRow{id: hex.EncodeToString(span.SpanId), parent: hex.EncodeToString(span.ParentSpanId), name: span.Name, kind: "UNKNOWN",
		status: statuses[span.Status.GetCode()], start: int64(span.StartTimeUnixNano)}
	if r.content, err = compactJSON(raw); err != nil {
		return err
	}
	b.startMS = min(b.startMS, r.start/1e6)
	if span.EndTimeUnixNano > 0 {
		end := int64(span.EndTimeUnixNano)
		r.end = &end
		if ms := end / 1e6; b.endMS == nil || ms > *b.endMS {
			b.endMS = &ms
		}
	}
	b.attributes(span, &r)
	if r.parent == "" {
		b.root = span
	}
	b.spans = append(b.spans, r)
	return nil
}

// attributes reads what MLflow understands of a span's attributes.
func (b *batch) attributes(span *otlp.Span, r *spanRow) {
	for _, a := range span.Attributes {
		switch {
		case a.Key == typeAttr:
			r.kind = unquoted(a.Value)
		case a.Key == usageAttr:
			b.usage = true
		case a.Key == "user.id" && b.user == "":
			b.user = unquoted(a.Value)
		case a.Key == sessionAttrs[0], a.Key == sessionAttrs[1] && b.session == "":
			b.session = unquoted(a.Value)
		case r.parent == "" && strings.HasPrefix(a.Key, traceTagAttr):
			key := a.Key[len(traceTagAttr):]
			if value, err := checkTag(key, unquoted(a.Value)); err == nil && key != spansTag {
				b.tags[key] = value
			}
		}
	}
}

func attribute(span *otlp.Span, key string) *common.AnyValue {
	for _, a := range span.GetAttributes() {
		if a.Key == key {
			return a.Value
		}
	}
	return nil
}

// plain is an attribute's value as JSON has it.
func plain(v *common.AnyValue) any {
	switch v := v.GetValue().(type) {
	case *common.AnyValue_StringValue:
		return v.StringValue
	case *common.AnyValue_BoolValue:
		return v.BoolValue
	case *common.AnyValue_IntValue:
		return v.IntValue
	case *common.AnyValue_DoubleValue:
		return rest.Float(v.DoubleValue)
	case *common.AnyValue_BytesValue:
		return v.BytesValue
	case *common.AnyValue_ArrayValue:
		out := []any{}
		for _, e := range v.ArrayValue.GetValues() {
			out = append(out, plain(e))
		}
		return out
	case *common.AnyValue_KvlistValue:
		out := map[string]any{}
		for _, e := range v.KvlistValue.GetValues() {
			out[e.Key] = plain(e.Value)
		}
		return out
	}
	return nil
}

// plainText is a value as text: a string as it is, all else as JSON.
func plainText(v *common.AnyValue) string {
	if s, ok := v.GetValue().(*common.AnyValue_StringValue); ok {
		return s.StringValue
	}
	raw, err := json.Marshal(plain(v))
	if err != nil {
		return ""
	}
	return string(raw)
}

// unquoted is a text that MLflow may have written as JSON.
func unquoted(v *common.AnyValue) string {
	text := plainText(v)
	var inner string
	if json.Unmarshal([]byte(text), &inner) == nil {
		return inner
	}
	return text
}

// preview is the beginning of a span's inputs or outputs.
func preview(span *otlp.Span, key string) *string {
	v := attribute(span, key)
	if v == nil {
		return nil
	}
	text := plainText(v)
	if short := rest.Cut(text, maxPreview-3); len(short) < len(text) && len([]rune(text)) > maxPreview {
		text = short + "..."
	}
	return &text
}
