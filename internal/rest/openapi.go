package rest

import (
	"encoding/json"
	"net/http"
	"path"
	"reflect"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"
)

// Schema is a JSON Schema, as OpenAPI has it.
type Schema = map[string]any

// Described is a type that travels in another form than its Go type suggests.
type Described interface {
	JSONSchema() Schema
}

// JSONSchema implements [Described]: integers may be written as text.
func (Int64) JSONSchema() Schema {
	return Schema{"type": []string{"integer", "string"}, "format": "int64"}
}

// JSONSchema implements [Described]: NaN and infinities are written as text.
func (Float) JSONSchema() Schema { return Schema{"type": []string{"number", "string"}} }

// JSONSchema implements [Described]: names may be given by their numbers.
func (Enum) JSONSchema() Schema { return Schema{"type": []string{"string", "integer"}} }

// Document answers with the OpenAPI description of all routes of the mux, itself
// among them. It is made when it is first asked for.
func (m *Mux) Document(title, version string) HandlerFunc {
	document := sync.OnceValue(func() Schema { return describe(m.routes, title, version) })
	return func(w http.ResponseWriter, r *http.Request) error { return WriteJSON(w, r, document()) }
}

func describe(routes []Route, title, version string) Schema {
	d := &describer{schemas: Schema{}, seen: map[reflect.Type]string{}, ids: map[string]int{}}
	paths := Schema{}
	for _, r := range routes {
		at := strings.ReplaceAll(r.Path, "...}", "}")
		item, ok := paths[at].(Schema)
		if !ok {
			item = Schema{}
			paths[at] = item
		}
		item[strings.ToLower(r.Method)] = d.operation(r, at)
	}
	d.schemas["Error"] = Schema{"type": "object", "required": []string{"error_code", "message"},
		"properties": Schema{"error_code": Schema{"type": "string"}, "message": Schema{"type": "string"}, "sqlstate": Schema{"type": "string"},
			"error_class": Schema{"type": "string"}, "details": Schema{"type": "array"}}}
	return Schema{
		"openapi": "3.1.0", "info": Schema{"title": title, "version": version}, "paths": paths,
		"components": Schema{"schemas": d.schemas, "securitySchemes": Schema{
			"token": Schema{"type": "http", "scheme": "bearer"}, "password": Schema{"type": "http", "scheme": "basic"}}},
		"security": []Schema{{}, {"token": []string{}}, {"password": []string{}}},
	}
}

// describer turns routes and their types into schemas, each type once.
type describer struct {
	schemas Schema
	seen    map[reflect.Type]string
	ids     map[string]int
}

func (d *describer) operation(r Route, at string) Schema {
	op := Schema{"operationId": d.id(r.Name), "responses": Schema{
		"default": Schema{"description": "The request was refused.", "content": content("application/json", Schema{"$ref": "#/components/schemas/Error"})}}}
	if r.Summary != "" {
		op["summary"] = r.Summary
	}
	var in []string
	parameters := []Schema{}
	for _, segment := range strings.Split(at, "/") {
		if name, ok := strings.CutPrefix(segment, "{"); ok {
			name = strings.TrimSuffix(name, "}")
			in = append(in, name)
			parameters = append(parameters, Schema{"name": name, "in": "path", "required": true, "schema": Schema{"type": "string", "minLength": 1}})
		}
	}
	answer := Schema{"description": "The request was answered."}
	if r.In != nil {
		t := reflect.TypeOf(r.In)
		if r.Method == http.MethodGet {
			parameters = append(parameters, d.query(t, in)...)
		} else {
			op["requestBody"] = Schema{"content": content("application/json", d.body(t, in)), "required": len(fieldsOf(t).required) > 0}
		}
		answer["content"] = content("application/json", d.schema(reflect.TypeOf(r.Out)))
	}
	op["responses"].(Schema)["200"] = answer
	if len(parameters) > 0 {
		op["parameters"] = parameters
	}
	return op
}

func content(kind string, s Schema) Schema { return Schema{kind: Schema{"schema": s}} }

// id makes an operation's name unique: many stand under several prefixes.
func (d *describer) id(name string) string {
	d.ids[name]++
	if n := d.ids[name]; n > 1 {
		return name + "_" + strconv.Itoa(n)
	}
	return name
}

func (d *describer) query(t reflect.Type, in []string) []Schema {
	var out []Schema
	for f := range exported(t) {
		if name := jsonName(f); name != "" && name != "-" && !slices.Contains(in, name) {
			out = append(out, Schema{"name": name, "in": "query", "required": f.Tag.Get("mlflow") == "required", "schema": d.schema(f.Type)})
		}
	}
	return out
}

// body is the schema of a request; what the path says need not be said again.
func (d *describer) body(t reflect.Type, in []string) Schema {
	properties, required := d.properties(t)
	for _, name := range in {
		delete(properties, name)
	}
	required = slices.DeleteFunc(required, func(name string) bool { return slices.Contains(in, name) })
	s := Schema{"type": "object", "properties": properties}
	if len(required) > 0 {
		s["required"] = required
	}
	return s
}

func (d *describer) properties(t reflect.Type) (Schema, []string) {
	properties := Schema{}
	var required []string
	for f := range exported(t) {
		if f.Anonymous && jsonName(f) == "" {
			held := f.Type
			if held.Kind() == reflect.Pointer {
				held = held.Elem()
			}
			embedded, more := d.properties(held)
			for name, s := range embedded {
				properties[name] = s
			}
			required = append(required, more...)
			continue
		}
		name := jsonName(f)
		if name == "" || name == "-" {
			delete(properties, name)
			continue
		}
		properties[name] = d.schema(f.Type)
		if f.Tag.Get("mlflow") == "required" {
			required = append(required, name)
		}
	}
	return properties, required
}

// exported are the fields of a struct that travel.
func exported(t reflect.Type) func(yield func(reflect.StructField) bool) {
	return func(yield func(reflect.StructField) bool) {
		for i := range t.NumField() {
			if f := t.Field(i); (f.IsExported() || f.Anonymous) && !yield(f) {
				return
			}
		}
	}
}

var (
	described = reflect.TypeFor[Described]()
	rawJSON   = reflect.TypeFor[json.RawMessage]()
	instant   = reflect.TypeFor[time.Time]()
)

func (d *describer) schema(t reflect.Type) Schema {
	switch {
	case t == rawJSON:
		return Schema{}
	case t == instant:
		return Schema{"type": "string", "format": "date-time"}
	case t.Implements(described) && t.Kind() != reflect.Pointer:
		return reflect.Zero(t).Interface().(Described).JSONSchema()
	}
	switch t.Kind() {
	case reflect.Pointer:
		return d.schema(t.Elem())
	case reflect.Bool:
		return Schema{"type": "boolean"}
	case reflect.Int, reflect.Int8, reflect.Int16, reflect.Int32, reflect.Int64, reflect.Uint, reflect.Uint8, reflect.Uint16, reflect.Uint32, reflect.Uint64:
		return Schema{"type": "integer"}
	case reflect.Float32, reflect.Float64:
		return Schema{"type": "number"}
	case reflect.String:
		return Schema{"type": "string"}
	case reflect.Slice, reflect.Array:
		return Schema{"type": "array", "items": d.schema(t.Elem())}
	case reflect.Map:
		return Schema{"type": "object", "additionalProperties": d.schema(t.Elem())}
	case reflect.Struct:
		return d.object(t)
	}
	return Schema{} // anything
}

func (d *describer) object(t reflect.Type) Schema {
	if t.Name() == "" || t.NumField() == 0 {
		properties, _ := d.properties(t)
		return Schema{"type": "object", "properties": properties}
	}
	name, ok := d.seen[t]
	if !ok {
		name = path.Base(t.PkgPath()) + "." + t.Name()
		name = strings.NewReplacer("[", "_", "]", "", "/", ".", "*", "").Replace(name)
		d.seen[t] = name // before its fields: it may hold itself
		properties, required := d.properties(t)
		s := Schema{"type": "object", "properties": properties}
		if len(required) > 0 {
			s["required"] = required
		}
		d.schemas[name] = s
	}
	return Schema{"$ref": "#/components/schemas/" + name}
}
