package rest

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"mime"
	"net/http"
	"net/url"
	"reflect"
	"slices"
	"strconv"
	"strings"
	"sync"
	"unicode/utf8"
)

// MaxBody bounds a JSON request. Artifacts are streamed and not bounded by it.
const MaxBody = 64 << 20

const seeDocs = " See the API docs for more information about request parameters."

// JSON makes a handler of a function from a request value to a response value.
// The request is decoded from the body, or from the query of a GET; a field
// tagged `mlflow:"required"` must be present and not empty. A nil response is
// answered as {}.
func JSON[In, Out any](fn func(ctx context.Context, in *In) (*Out, error)) HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) error {
		in := new(In)
		if err := Decode(w, r, in); err != nil {
			return err
		}
		if err := before(r, in); err != nil {
			return err
		}
		out, err := fn(withOrigin(r), in)
		if err == nil {
			err = after(r.Context(), in, out)
		}
		if err != nil {
			return err
		}
		if out == nil {
			return WriteJSON(w, r, struct{}{})
		}
		localize(r, out)
		return WriteJSON(w, r, out)
	}
}

// Op is a route whose handler is JSON of fn; the route's request and response
// types are fn's.
func Op[In, Out any](method, path, name string, fn func(ctx context.Context, in *In) (*Out, error)) Route {
	return Route{Method: method, Path: path, Name: name, Handler: JSON(fn), In: *new(In), Out: *new(Out)}
}

// Raw is a route whose handler reads and writes by itself.
func Raw(method, path, name string, h HandlerFunc) Route {
	return Route{Method: method, Path: path, Name: name, Handler: h}
}

// Under repeats routes under each of several prefixes.
func Under(prefixes []string, routes ...Route) []Route {
	out := make([]Route, 0, len(prefixes)*len(routes))
	for _, prefix := range prefixes {
		for _, r := range routes {
			r.Path = prefix + r.Path
			out = append(out, r)
		}
	}
	return out
}

// Decode reads a request into the struct in points to. Unknown fields are
// ignored, as MLflow does; path parameters fill the fields of the same name.
func Decode(w http.ResponseWriter, r *http.Request, in any) error {
	read := r.Method == http.MethodGet || r.Method == http.MethodHead
	if read || r.Method == http.MethodDelete { // MLflow deletes by a body, Databricks by a query
		if err := decodeQuery(r.URL.Query(), in); err != nil {
			return err
		}
	}
	if !read {
		if err := decodeBody(w, r, in); err != nil {
			return err
		}
	}
	v := reflect.ValueOf(in).Elem()
	info := fieldsOf(v.Type())
	for _, f := range info.strings {
		if text := r.PathValue(f.name); text != "" {
			if !isText(text) {
				return errNoText
			}
			v.Field(f.index).SetString(text)
		}
	}
	return info.require(v)
}

// errNoText refuses the character NUL, which not every database can keep, and
// in addresses bytes that are no UTF-8; the decoder of JSON has replaced those.
var errNoText = Invalid("The request has a text with a NUL character, or one that is no UTF-8, in it.")

func isText(s string) bool { return strings.IndexByte(s, 0) < 0 && utf8.ValidString(s) }

// hasNUL looks for the character in all texts of a request.
func hasNUL(v reflect.Value) bool {
	switch v.Kind() {
	case reflect.String:
		return strings.IndexByte(v.String(), 0) >= 0
	case reflect.Pointer, reflect.Interface:
		return !v.IsNil() && hasNUL(v.Elem())
	case reflect.Struct:
		for i := range v.NumField() {
			if hasNUL(v.Field(i)) {
				return true
			}
		}
	case reflect.Slice:
		if v.Type().Elem().Kind() == reflect.Uint8 { // JSON as it came: its NUL is escaped
			return false
		}
		for i := range v.Len() {
			if hasNUL(v.Index(i)) {
				return true
			}
		}
	case reflect.Map:
		for _, key := range v.MapKeys() {
			if hasNUL(key) || hasNUL(v.MapIndex(key)) {
				return true
			}
		}
	}
	return false
}

func decodeBody(w http.ResponseWriter, r *http.Request, in any) error {
	body, err := readBody(http.MaxBytesReader(w, r.Body, MaxBody), r.ContentLength)
	if err != nil {
		return fmt.Errorf("read request: %w", err)
	}
	if r.Method == http.MethodPost || r.Method == http.MethodPut {
		// A browser can be made to post other types across sites without asking.
		if t, _, _ := mime.ParseMediaType(r.Header.Get("Content-Type")); t != "application/json" {
			return Invalid("Bad Request. Content-Type must be one of ['application/json'].")
		}
	}
	if len(bytes.TrimSpace(body)) == 0 {
		return nil
	}
	if err := DecodeJSON(body, in); err != nil {
		return err
	}
	if bytes.Contains(body, []byte(`\u0000`)) && hasNUL(reflect.ValueOf(in)) {
		return errNoText
	}
	return nil
}

func readBody(r io.Reader, size int64) ([]byte, error) {
	var buf bytes.Buffer
	if size > 0 && size <= MaxBody {
		buf.Grow(int(size) + bytes.MinRead)
	}
	_, err := buf.ReadFrom(r)
	return buf.Bytes(), err
}

// DecodeJSON decodes one JSON object, explaining a mistake in MLflow's words.
func DecodeJSON(body []byte, in any) error {
	err := json.Unmarshal(body, in)
	if err == nil {
		return nil
	}
	var text string
	if json.Unmarshal(body, &text) == nil && strings.HasPrefix(strings.TrimSpace(text), "{") {
		return DecodeJSON([]byte(text), in) // older clients encode twice
	}
	var syntax *json.SyntaxError
	if errors.As(err, &syntax) {
		return Invalid("Request body is not valid JSON: %v.", err)
	}
	var fields map[string]json.RawMessage
	if json.Unmarshal(body, &fields) != nil {
		return Invalid("Request body is not a JSON object.")
	}
	return explain(fields, in, err)
}

// explain finds the field that could not be decoded.
func explain(fields map[string]json.RawMessage, in any, cause error) error {
	t := reflect.TypeOf(in).Elem()
	for i := range t.NumField() {
		name := jsonName(t.Field(i))
		raw, ok := fields[name]
		if !ok || json.Unmarshal(raw, reflect.New(t.Field(i).Type).Interface()) == nil {
			continue
		}
		// In a list, name the element.
		var items []map[string]json.RawMessage
		if ft := t.Field(i).Type; ft.Kind() == reflect.Slice && ft.Elem().Kind() == reflect.Struct && json.Unmarshal(raw, &items) == nil {
			for k, item := range items {
				for j := range ft.Elem().NumField() {
					sub := ft.Elem().Field(j)
					if v, ok := item[jsonName(sub)]; ok && json.Unmarshal(v, reflect.New(sub.Type).Interface()) != nil {
						return invalidType(fmt.Sprintf("%s[%d].%s", name, k, jsonName(sub)), v)
					}
				}
			}
		}
		return invalidType(name, raw)
	}
	return Invalid("Request body could not be read: %v.", cause)
}

func invalidType(path string, raw json.RawMessage) error {
	kind := "NoneType"
	switch raw[0] {
	case '"':
		kind = "str"
	case '{':
		kind = "dict"
	case '[':
		kind = "list"
	case 't', 'f':
		kind = "bool"
	default:
		if raw[0] != 'n' {
			kind = "int"
			if bytes.ContainsAny(raw, ".eE") {
				kind = "float"
			}
		}
	}
	var compact bytes.Buffer
	if json.Compact(&compact, raw) == nil {
		raw = compact.Bytes()
	}
	return Invalid("Invalid value %s for parameter '%s' supplied:  Hint: Value was of type '%s'.%s", clip(string(raw)), path, kind, seeDocs)
}

func clip(s string) string {
	if len(s) > 500 {
		return s[:500] + "..."
	}
	return s
}

// MissingParameter is the error for a required parameter that is not there.
func MissingParameter(path string) *Error {
	return Invalid("Missing value for required parameter '%s'.%s", path, seeDocs)
}

// InvalidValue is MLflow's message for a value it refuses; value is shown as
// JSON, message may be empty.
func InvalidValue(path string, value any, message string) *Error {
	var b bytes.Buffer
	enc := json.NewEncoder(&b)
	enc.SetEscapeHTML(false)
	if enc.Encode(value) != nil {
		fmt.Fprint(&b, value)
	}
	shown := strings.TrimSpace(b.String())
	if message == "" {
		return Invalid("Invalid value %s for parameter '%s' supplied.", shown, path)
	}
	return Invalid("Invalid value %s for parameter '%s' supplied: %s", shown, path, message)
}

// decodeQuery fills the struct from query parameters. Lists take every
// occurrence of their name.
func decodeQuery(q url.Values, in any) error {
	v := reflect.ValueOf(in).Elem()
	t := v.Type()
	for i := range t.NumField() {
		name := jsonName(t.Field(i))
		values, ok := q[name]
		if !ok {
			values, ok = q[name+"[]"]
		}
		if !ok || name == "" {
			continue
		}
		if slices.ContainsFunc(values, func(s string) bool { return !isText(s) }) {
			return errNoText
		}
		if err := setQuery(v.Field(i), values); err != nil {
			shown, _ := json.Marshal(values[0])
			return invalidType(name, shown)
		}
	}
	return nil
}

func setQuery(f reflect.Value, values []string) error {
	switch f.Kind() {
	case reflect.String:
		f.SetString(values[0])
		return nil
	case reflect.Slice:
		if f.Type().Elem().Kind() == reflect.String {
			f.Set(reflect.ValueOf(values).Convert(f.Type()))
			return nil
		}
	case reflect.Bool:
		b, err := strconv.ParseBool(strings.ToLower(values[0]))
		f.SetBool(b)
		return err
	case reflect.Pointer:
		p := reflect.New(f.Type().Elem())
		if err := setQuery(p.Elem(), values); err != nil {
			return err
		}
		f.Set(p)
		return nil
	}
	quoted, err := json.Marshal(values[0])
	if err != nil {
		return err
	}
	return json.Unmarshal(quoted, f.Addr().Interface())
}

// fieldInfo is what validation needs to know of a request type.
type fieldInfo struct {
	required []field
	strings  []field
}

type field struct {
	name  string
	index int
}

var fieldInfos sync.Map // reflect.Type -> fieldInfo; derived, never changes

func fieldsOf(t reflect.Type) fieldInfo {
	if info, ok := fieldInfos.Load(t); ok {
		return info.(fieldInfo)
	}
	var info fieldInfo
	for i := range t.NumField() {
		f := field{jsonName(t.Field(i)), i}
		if t.Field(i).Tag.Get("mlflow") == "required" {
			info.required = append(info.required, f)
		}
		if t.Field(i).Type.Kind() == reflect.String {
			info.strings = append(info.strings, f)
		}
	}
	fieldInfos.Store(t, info)
	return info
}

// require checks that the required fields are there. run_id may also have come
// under its old name run_uuid, which then fills it.
func (info fieldInfo) require(v reflect.Value) error {
	for _, f := range info.required {
		if !v.Field(f.index).IsZero() {
			continue
		}
		if f.name == "run_id" {
			if old := v.FieldByName("RunUUID"); old.IsValid() && old.String() != "" {
				v.Field(f.index).SetString(old.String())
				continue
			}
		}
		return MissingParameter(f.name)
	}
	return nil
}

func jsonName(f reflect.StructField) string {
	name, _, _ := strings.Cut(f.Tag.Get("json"), ",")
	return name
}
