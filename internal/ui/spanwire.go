package ui

import (
	"bytes"
	"cmp"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"math"
	"slices"
	"strings"
)

const mostText = 40_000 // characters shown of one value of a span

// wireSpan is a span as OpenTelemetry's JSON has it, or as the files of older MLflow clients.
type wireSpan struct {
	SpanID  string `json:"span_id"`
	Context struct {
		SpanID string `json:"span_id"`
	} `json:"context"`
	Parent     string          `json:"parent_span_id"`
	OldParent  string          `json:"parent_id"`
	Name       string          `json:"name"`
	Start      json.Number     `json:"start_time_unix_nano"`
	OldStart   json.Number     `json:"start_time"`
	End        json.Number     `json:"end_time_unix_nano"`
	OldEnd     json.Number     `json:"end_time"`
	Attributes json.RawMessage `json:"attributes"`
	Events     []struct {
		Name       string          `json:"name"`
		At         json.Number     `json:"time_unix_nano"`
		OldAt      json.Number     `json:"timestamp"`
		Attributes json.RawMessage `json:"attributes"`
	} `json:"events"`
	Status struct {
		Code    string `json:"code"`
		Message string `json:"message"`
	} `json:"status"`
	OldStatus  string `json:"status_code"`
	OldMessage string `json:"status_message"`
}

func readSpans(raw []json.RawMessage) ([]*traceSpan, error) {
	out := make([]*traceSpan, 0, len(raw))
	for _, text := range raw {
		var w wireSpan
		if err := json.Unmarshal(text, &w); err != nil {
			return nil, fmt.Errorf("read a span: %w", err)
		}
		s := &traceSpan{ID: spanID(cmp.Or(w.SpanID, w.Context.SpanID)), Parent: spanID(cmp.Or(w.Parent, w.OldParent)), Name: w.Name,
			Start: whole(cmp.Or(w.Start, w.OldStart)), End: whole(cmp.Or(w.End, w.OldEnd)), Attributes: attributes(w.Attributes), State: "IN_PROGRESS", Message: cmp.Or(w.Status.Message, w.OldMessage)}
		if s.End > 0 {
			s.State = "OK"
		} else {
			s.End = s.Start
		}
		if strings.HasSuffix(cmp.Or(w.Status.Code, w.OldStatus), "ERROR") {
			s.State = "ERROR"
		}
		for _, e := range w.Events {
			s.Events = append(s.Events, spanEvent{e.Name, whole(cmp.Or(e.At, e.OldAt)), attributes(e.Attributes)})
		}
		out = append(out, s)
	}
	return out, nil
}

func whole(n json.Number) int64 {
	v, _ := n.Int64() // a time that is missing is 0
	return v
}

// spanID is an id in hexadecimal digits, as MLflow's clients show it; OpenTelemetry's JSON may have base64.
func spanID(id string) string {
	if b, err := base64.StdEncoding.DecodeString(id); err == nil && len(b) == 8 {
		return hex.EncodeToString(b)
	}
	return strings.TrimPrefix(id, "0x")
}

// anyValue is OpenTelemetry's value of an attribute.
type anyValue struct {
	String *string `json:"string_value"`
	Bool   *bool   `json:"bool_value"`
	Int    *text   `json:"int_value"`
	Double *float  `json:"double_value"`
	Bytes  *string `json:"bytes_value"`
	Array  *struct {
		Values []anyValue `json:"values"`
	} `json:"array_value"`
	List *struct {
		Values []struct {
			Key   string   `json:"key"`
			Value anyValue `json:"value"`
		} `json:"values"`
	} `json:"kvlist_value"`
}

// json writes the value as JSON, keys in their order.
func (v anyValue) json(b *bytes.Buffer) {
	put := func(x any) {
		enc := json.NewEncoder(b)
		enc.SetEscapeHTML(false)
		if enc.Encode(x) == nil {
			b.Truncate(b.Len() - 1) // the encoder's line end
		}
	}
	switch {
	case v.String != nil:
		put(*v.String)
	case v.Bool != nil:
		put(*v.Bool)
	case v.Int != nil:
		b.WriteString(string(*v.Int))
	case v.Double != nil && (math.IsNaN(float64(*v.Double)) || math.IsInf(float64(*v.Double), 0)):
		put(number(float64(*v.Double)))
	case v.Double != nil:
		put(float64(*v.Double))
	case v.Bytes != nil:
		put(*v.Bytes)
	case v.Array != nil:
		b.WriteByte('[')
		for i, x := range v.Array.Values {
			if i > 0 {
				b.WriteByte(',')
			}
			x.json(b)
		}
		b.WriteByte(']')
	case v.List != nil:
		b.WriteByte('{')
		for i, x := range v.List.Values {
			if i > 0 {
				b.WriteByte(',')
			}
			put(x.Key)
			b.WriteByte(':')
			x.Value.json(b)
		}
		b.WriteByte('}')
	default:
		b.WriteString("null")
	}
}

// attributes reads a list of OpenTelemetry's, or the object of older clients.
func attributes(raw json.RawMessage) []attribute {
	var list []struct {
		Key   string   `json:"key"`
		Value anyValue `json:"value"`
	}
	var out []attribute
	if json.Unmarshal(raw, &list) == nil {
		for _, a := range list {
			var b bytes.Buffer
			a.Value.json(&b)
			out = append(out, shown(a.Key, b.Bytes()))
		}
		return out
	}
	var object map[string]json.RawMessage
	if json.Unmarshal(raw, &object) == nil {
		for k, v := range object {
			out = append(out, shown(k, v))
		}
		slices.SortFunc(out, func(a, b attribute) int { return strings.Compare(a.Key, b.Key) })
	}
	return out
}

// shown is a value as people read it: texts without quotes, objects indented. A text that holds
// JSON is what older clients make of an object.
func shown(key string, value []byte) attribute {
	var s string
	if json.Unmarshal(value, &s) == nil {
		if t := strings.TrimSpace(s); strings.HasPrefix(t, "{") || strings.HasPrefix(t, "[") || strings.HasPrefix(t, `"`) {
			if json.Valid([]byte(t)) {
				return shown(key, []byte(t))
			}
		}
	} else {
		var b bytes.Buffer
		if json.Indent(&b, value, "", "  ") != nil {
			b.Write(value)
		}
		s = b.String()
	}
	a := attribute{Key: key, Text: s}
	if r := []rune(s); len(r) > mostText {
		a.Text, a.Cut = string(r[:mostText]), len(r)-mostText
	}
	return a
}
