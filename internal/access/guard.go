package access

import (
	"context"
	"database/sql"
	"errors"
	"net/http"
	"reflect"
	"strconv"
	"strings"

	"github.com/millpond/millpond/internal/db"
	"github.com/millpond/millpond/internal/rest"
)

// place is where an endpoint tells what it is about: a dotted path of JSON
// names in the request, or a parameter of the address, and what its value means.
type place struct {
	kind   string
	path   string
	level  *Level // if another one than the rule's is needed
	header bool   // path is a header
}

var readIt, manageIt = Read, Manage

var places = map[string]place{
	"experiment_id":   {kind: experiment, path: "experiment_id"},
	"experiment_ids":  {kind: experiment, path: "experiment_ids"},
	"experiment_name": {kind: "experiment_name", path: "experiment_name"},
	"locations":       {kind: experiment, path: "locations.mlflow_experiment.experiment_id"},
	"trace":           {kind: experiment, path: "trace.trace_info.trace_location.mlflow_experiment.experiment_id"},
	"kept_trace":      {kind: "trace_id", path: "trace.trace_info.trace_id"},
	"location":        {kind: "artifact", path: "artifact_location", level: &manageIt},
	"run_id":          {kind: "run_id", path: "run_id"},
	"run_uuid":        {kind: "run_id", path: "run_uuid"},
	"run_ids":         {kind: "run_id", path: "run_ids"},
	"model_id":        {kind: "model_id", path: "model_id"},
	"trace_id":        {kind: "trace_id", path: "trace_id"},
	"trace_ids":       {kind: "trace_id", path: "trace_ids"},
	"request_id":      {kind: "trace_id", path: "request_id"},
	"dataset_id":      {kind: "dataset_id", path: "dataset_id"},
	"name":            {kind: model, path: "name"},
	"full_name":       {kind: model, path: "full_name"},
	"sibling":         {kind: "sibling", path: "new_name"},
	"new_name":        {kind: model, path: "new_name"},
	"source":          {kind: "source", path: "source", level: &readIt},
	"source_run":      {kind: "run_id", path: "run_id", level: &readIt},
	"source_model":    {kind: "model_id", path: "model_id", level: &readIt},
	"workspace_path":  {kind: "experiment_name", path: "path"},
	"spans":           {kind: experiment, path: "X-Mlflow-Experiment-Id", header: true},
	"spans_run":       {kind: "run_id", path: "X-Mlflow-Run-Id", header: true},
	"path":            {kind: "artifact", path: "path"},
	"file":            {kind: "file", path: "path"},
	"resource":        {kind: "resource"},
}

// Before refuses a request that the user may not make. It implements [rest.Guard].
func (s *Service) Before(r *http.Request, route *rest.Route, in any) error {
	note := noteOf(r.Context())
	rule, ok := rules[route.Name]
	if note != nil {
		note.action, note.keep = route.Name, rule.audit
	}
	u := userOf(r.Context())
	switch {
	case rule.public:
		return nil
	case u == nil:
		return denied()
	case u.Admin:
		return nil
	case !ok || rule.admin:
		return denied()
	}
	return s.db.View(r.Context(), func(ctx context.Context, q db.Querier) error {
		for _, param := range rule.params {
			if err := s.allow(ctx, q, u, r, in, param, rule.level); err != nil {
				return err
			}
		}
		return nil
	})
}

// allow checks one parameter. A list that is only read loses what the user may not see.
func (s *Service) allow(ctx context.Context, q db.Querier, u *User, r *http.Request, in any, param string, need Level) error {
	p := places[param]
	if p.level != nil {
		need = *p.level
	}
	values := valuesOf(r, in, param, p)
	seen, kept := 0, make([]string, 0, len(values))
	for _, v := range values {
		if v == "" {
			continue
		}
		seen++
		things, err := resources(ctx, q, p.kind, v, in)
		if err != nil {
			return err
		}
		may := true
		for _, thing := range things {
			level, err := s.level(ctx, q, u, thing)
			if err != nil {
				return err
			}
			may = may && level >= need
		}
		if may {
			kept = append(kept, v)
		}
	}
	if len(kept) == seen {
		return nil
	}
	if len(kept) > 0 && need == Read && replace(in, p.path, kept) {
		return nil
	}
	return denied()
}

// valuesOf reads what a request says of a parameter.
func valuesOf(r *http.Request, in any, param string, p place) []string {
	switch {
	case param == "resource":
		return []string{param}
	case p.header:
		return []string{r.Header.Get(p.path)}
	case in != nil:
		values := walk(reflect.ValueOf(in), strings.Split(p.path, "."))
		if param == "run_id" {
			values = append(values, walk(reflect.ValueOf(in), []string{"run_uuid"})...)
		}
		return values
	}
	values := append([]string{r.PathValue(p.path)}, r.URL.Query()[p.path]...)
	if param == "run_id" || param == "run_ids" {
		values = append(append(values, r.URL.Query()["run_uuid"]...), r.URL.Query()["run_id"]...)
	}
	if p.kind == "artifact" && r.PathValue("path") == "" && len(r.URL.Query()["path"]) == 0 {
		values = append(values, "/") // a listing of the root
	}
	return values
}

// walk finds the texts at a path of JSON names.
func walk(v reflect.Value, path []string) []string {
	switch v.Kind() {
	case reflect.Pointer, reflect.Interface:
		if v.IsNil() {
			return nil
		}
		return walk(v.Elem(), path)
	case reflect.Slice:
		var out []string
		for i := range v.Len() {
			out = append(out, walk(v.Index(i), path)...)
		}
		return out
	case reflect.String:
		if len(path) == 0 {
			return []string{v.String()}
		}
	case reflect.Struct:
		if f, ok := fieldByJSON(v, path); ok {
			return walk(f, path[1:])
		}
	}
	return nil
}

func fieldByJSON(v reflect.Value, path []string) (reflect.Value, bool) {
	if len(path) == 0 {
		return v, false
	}
	for i := range v.NumField() {
		f := v.Type().Field(i)
		name, _, _ := strings.Cut(f.Tag.Get("json"), ",")
		if name == path[0] {
			return v.Field(i), true
		}
		if f.Anonymous && name == "" && f.Type.Kind() == reflect.Struct {
			if found, ok := fieldByJSON(v.Field(i), path); ok {
				return found, true
			}
		}
	}
	return v, false
}

// replace puts a shorter list of texts into the request.
func replace(in any, path string, kept []string) bool {
	if in == nil || strings.Contains(path, ".") {
		return false
	}
	f, ok := fieldByJSON(reflect.ValueOf(in).Elem(), []string{path})
	if !ok || f.Kind() != reflect.Slice || !f.CanSet() {
		return false
	}
	f.Set(reflect.ValueOf(kept))
	return true
}

// nobody's is a thing that only administrators may use.
var adminOnly = resource{"none", ""}

// resources are what a value means.
func resources(ctx context.Context, q db.Querier, kind, value string, in any) ([]resource, error) {
	switch kind {
	case experiment, model:
		return []resource{{kind, value}}, nil
	case "artifact":
		return artifactResource(ctx, q, value)
	case "file":
		return fileResource(ctx, q, value)
	case "source":
		return sourceResource(ctx, q, value)
	case "sibling": // a model's name beside that of the request
		name := strings.Join(walk(reflect.ValueOf(in), []string{"full_name"}), "")
		return []resource{{model, name[:strings.LastIndexByte(name, '.')+1] + value}}, nil
	case "resource":
		return named(in), nil
	}
	return owners(ctx, q, ownerQueries[kind], value) // if there is no such thing, the endpoint says so
}

// artifactResource is what a path of the artifact store, or an address there, belongs to.
func artifactResource(ctx context.Context, q db.Querier, path string) ([]resource, error) {
	if scheme, below, ok := strings.Cut(path, ":/"); ok {
		if scheme != "mlflow-artifacts" {
			return nil, nil // not kept here
		}
		path = below
	}
	parts := strings.Split(strings.Trim(path, "/"), "/")
	if _, err := strconv.ParseInt(parts[0], 10, 64); err == nil {
		return []resource{{experiment, parts[0]}}, nil
	}
	switch {
	case parts[0] == "uc" && len(parts) >= 5: // the model may have been renamed since
		r := resource{kind: model}
		err := q.QueryRowContext(ctx, `SELECT m.name FROM model_versions v JOIN registered_models m ON m.id = v.model WHERE v.storage_location = ?`,
			"mlflow-artifacts:/"+strings.Join(parts[:5], "/")).Scan(&r.id)
		if errors.Is(err, sql.ErrNoRows) {
			return []resource{adminOnly}, nil
		}
		return []resource{r}, err
	case parts[0] == "uc" && len(parts) == 4:
		return []resource{{model, strings.Join(parts[1:4], ".")}}, nil
	case parts[0] == "volumes" && len(parts) >= 4:
		return []resource{{volume, strings.Join(parts[1:4], ".")}}, nil
	}
	return []resource{adminOnly}, nil
}

// sourceResource is what a new version is made of: files of a run or a logged
// model, or another version.
func sourceResource(ctx context.Context, q db.Querier, source string) ([]resource, error) {
	scheme, below, ok := strings.Cut(rest.OwnAddress(source), ":/")
	first, _, isVersion := strings.Cut(strings.TrimLeft(below, "/"), "/")
	switch {
	case !ok:
		return nil, nil // the registry refuses it
	case scheme == "runs":
		return resources(ctx, q, "run_id", first, nil)
	case scheme == "models":
		name, _, hasAlias := strings.Cut(first, "@")
		if isVersion || hasAlias {
			return []resource{{model, name}}, nil
		}
		return resources(ctx, q, "model_id", first, nil)
	}
	return artifactResource(ctx, q, rest.OwnAddress(source))
}

// fileResource is what a path of the Files API belongs to.
func fileResource(ctx context.Context, q db.Querier, path string) ([]resource, error) {
	parts := strings.Split(strings.Trim(path, "/"), "/")
	switch {
	case len(parts) >= 6 && parts[0] == "WorkspaceInternal":
		kind := map[string]string{"Runs": "run_id", "LoggedModels": "model_id"}[parts[4]]
		if kind == "" {
			return []resource{adminOnly}, nil
		}
		return resources(ctx, q, kind, parts[5], nil)
	case len(parts) >= 5 && parts[0] == "Models":
		return []resource{{model, strings.Join(parts[1:4], ".")}}, nil
	case len(parts) >= 4 && parts[0] == "Volumes":
		return []resource{{volume, strings.Join(parts[1:4], ".")}}, nil
	}
	return []resource{adminOnly}, nil
}

// After lets the maker of something manage it, and takes out of an answer what
// the user may not see. It implements [rest.Guard].
func (s *Service) After(ctx context.Context, route *rest.Route, in, out any) error {
	u := userOf(ctx)
	field := func(of any, name string) string { return strings.Join(walk(reflect.ValueOf(of), []string{name}), "") }
	switch route.Name {
	case "createExperiment":
		return s.made(ctx, u, resource{experiment, field(out, "experiment_id")})
	case "createRegisteredModel", "createCatalogModel":
		return s.made(ctx, u, resource{model, field(in, "name")})
	case "createUnityModel":
		return s.made(ctx, u, resource{model, field(out, "full_name")})
	case "deleteRegisteredModel", "deleteCatalogModel":
		return s.gone(ctx, field(in, "name"))
	case "deleteUnityModel":
		return s.gone(ctx, field(in, "full_name"))
	case "renameRegisteredModel":
		return s.renamed(ctx, field(in, "name"), field(in, "new_name"))
	case "updateUnityModel":
		return s.renamed(ctx, field(in, "full_name"), field(out, "full_name"))
	}
	f, ok := out.(rest.Filtered)
	if !ok || u == nil || u.Admin {
		return nil
	}
	levels := map[string]map[string]Level{}
	err := s.db.View(ctx, func(ctx context.Context, q db.Querier) error {
		for _, kind := range []string{experiment, model} {
			var err error
			if levels[kind], err = levelsOf(ctx, q, u, kind); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		return err
	}
	f.Keep(func(kind, id string) bool {
		if l, ok := levels[kind][id]; ok {
			return l >= Read
		}
		return s.standard >= Read
	})
	return nil
}

func (s *Service) made(ctx context.Context, u *User, r resource) error {
	if u == nil {
		return nil
	}
	return s.db.Write(ctx, func(ctx context.Context, q db.Querier) error { return grant(ctx, q, u.ID, r, Manage) })
}

// gone forgets who may do what with a model that is no more.
func (s *Service) gone(ctx context.Context, name string) error {
	return s.write(ctx, `DELETE FROM permissions WHERE resource_type = ? AND resource_id = ?`, model, name)
}

// renamed lets permissions go with a model's name.
func (s *Service) renamed(ctx context.Context, from, to string) error {
	if from == to {
		return nil
	}
	return s.write(ctx, `UPDATE permissions SET resource_id = ? WHERE resource_type = ? AND resource_id = ?`, to, model, from)
}

func (s *Service) write(ctx context.Context, query string, args ...any) error {
	return s.db.Write(ctx, func(ctx context.Context, q db.Querier) error {
		_, err := q.ExecContext(ctx, query, args...)
		return err
	})
}
