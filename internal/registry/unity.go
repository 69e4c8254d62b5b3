package registry

import (
	"context"
	"errors"
	"slices"
	"strconv"
	"strings"

	"github.com/millpond/millpond/internal/db"
	"github.com/millpond/millpond/internal/rest"
)

// The registry as Unity Catalog's own API has it, which databricks-sdk speaks:
// the models and versions of catalog.go, in other words.

type (
	unityAlias struct {
		AliasName   string `json:"alias_name"`
		VersionNum  int64  `json:"version_num"`
		ModelName   string `json:"model_name"`
		CatalogName string `json:"catalog_name"`
		SchemaName  string `json:"schema_name"`
	}
	unityModel struct {
		Name        string       `json:"name"`
		CatalogName string       `json:"catalog_name"`
		SchemaName  string       `json:"schema_name"`
		FullName    string       `json:"full_name"`
		Comment     string       `json:"comment,omitempty"`
		CreatedAt   int64        `json:"created_at"`
		UpdatedAt   int64        `json:"updated_at"`
		Aliases     []unityAlias `json:"aliases,omitempty"`
	}
	unityVersion struct {
		ModelName       string       `json:"model_name"`
		CatalogName     string       `json:"catalog_name"`
		SchemaName      string       `json:"schema_name"`
		Version         int64        `json:"version"`
		Source          string       `json:"source,omitempty"`
		RunID           string       `json:"run_id,omitempty"`
		Status          string       `json:"status"`
		Comment         string       `json:"comment,omitempty"`
		StorageLocation string       `json:"storage_location"`
		CreatedAt       int64        `json:"created_at"`
		CreatedBy       string       `json:"created_by,omitempty"`
		UpdatedAt       int64        `json:"updated_at"`
		Aliases         []unityAlias `json:"aliases,omitempty"`
	}
	createUnityRequest struct {
		CatalogName     string `json:"catalog_name" mlflow:"required"`
		SchemaName      string `json:"schema_name" mlflow:"required"`
		Name            string `json:"name" mlflow:"required"`
		Comment         string `json:"comment"`
		StorageLocation string `json:"storage_location"`
	}
	unityRequest struct {
		FullName       string `json:"full_name"`
		IncludeAliases bool   `json:"include_aliases"`
	}
	updateUnityRequest struct {
		FullName string  `json:"full_name"`
		Comment  *string `json:"comment"`
		NewName  string  `json:"new_name"`
		Owner    string  `json:"owner"`
	}
	listUnityRequest struct {
		CatalogName string     `json:"catalog_name"`
		SchemaName  string     `json:"schema_name"`
		MaxResults  rest.Int64 `json:"max_results"`
		PageToken   string     `json:"page_token"`
	}
	listUnityResponse struct {
		Models        []unityModel `json:"registered_models,omitempty"`
		NextPageToken string       `json:"next_page_token,omitempty"`
	}
	listUnityVersionsRequest struct {
		FullName   string     `json:"full_name"`
		MaxResults rest.Int64 `json:"max_results"`
		PageToken  string     `json:"page_token"`
	}
	listUnityVersionsResponse struct {
		Versions      []unityVersion `json:"model_versions,omitempty"`
		NextPageToken string         `json:"next_page_token,omitempty"`
	}
	unityVersionRequest struct {
		FullName       string  `json:"full_name"`
		Version        string  `json:"version"`
		IncludeAliases bool    `json:"include_aliases"`
		Comment        *string `json:"comment"`
	}
	unityAliasRequest struct {
		FullName       string     `json:"full_name"`
		Alias          string     `json:"alias"`
		VersionNum     rest.Int64 `json:"version_num"`
		IncludeAliases bool       `json:"include_aliases"`
	}
)

func (s *Service) unityRoutes() []rest.Route {
	const all, one = "models", "models/{full_name}"
	return rest.Under([]string{"/api/2.1/unity-catalog/"},
		rest.Op("POST", all, "createUnityModel", s.createUnityModel),
		rest.Op("GET", all, "listUnityModels", s.listUnityModels),
		rest.Op("GET", one, "getUnityModel", s.getUnityModel),
		rest.Op("PATCH", one, "updateUnityModel", s.updateUnityModel),
		rest.Op("DELETE", one, "deleteUnityModel", s.deleteUnityModel),
		rest.Op("GET", one+"/versions", "listUnityVersions", s.listUnityVersions),
		rest.Op("GET", one+"/versions/{version}", "getUnityVersion", s.getUnityVersion),
		rest.Op("PATCH", one+"/versions/{version}", "updateUnityVersion", s.updateUnityVersion),
		rest.Op("DELETE", one+"/versions/{version}", "deleteUnityVersion", s.deleteUnityVersion),
		rest.Op("GET", one+"/aliases/{alias}", "getUnityVersionByAlias", s.getUnityByAlias),
		rest.Op("PUT", one+"/aliases/{alias}", "setUnityAlias", s.setUnityAlias),
		rest.Op("DELETE", one+"/aliases/{alias}", "deleteUnityAlias", s.deleteUnityAlias),
	)
}

// levels are the three parts of a model's name, which has been checked.
func levels(fullName string) (catalog, schema, name string) {
	catalog, below, _ := strings.Cut(fullName, ".")
	schema, name, _ = strings.Cut(below, ".")
	return catalog, schema, name
}

func toUnityAlias(fullName, alias string, version int64) unityAlias {
	a := unityAlias{AliasName: alias, VersionNum: version}
	a.CatalogName, a.SchemaName, a.ModelName = levels(fullName)
	return a
}

func toUnityModel(m RegisteredModel, aliases bool) unityModel {
	out := unityModel{FullName: m.Name, Comment: m.Description, CreatedAt: m.CreationTimestamp, UpdatedAt: m.LastUpdatedTimestamp}
	out.CatalogName, out.SchemaName, out.Name = levels(m.Name)
	if aliases {
		for _, a := range m.Aliases {
			out.Aliases = append(out.Aliases, toUnityAlias(m.Name, a.Alias, number(a.Version)))
		}
	}
	return out
}

func toUnityVersion(v ModelVersion, aliases bool) unityVersion {
	out := unityVersion{Version: number(v.Version), Source: v.Source, RunID: v.RunID, Status: v.Status, Comment: v.Description,
		StorageLocation: inCatalog(v).StorageLocation, CreatedAt: v.CreationTimestamp, CreatedBy: v.UserID, UpdatedAt: v.LastUpdatedTimestamp}
	out.CatalogName, out.SchemaName, out.ModelName = levels(v.Name)
	if aliases {
		for _, a := range v.Aliases {
			out.Aliases = append(out.Aliases, toUnityAlias(v.Name, a, out.Version))
		}
	}
	return out
}

// number is a version of our own, which is one.
func number(version string) int64 {
	n, _ := strconv.ParseInt(version, 10, 64)
	return n
}

func (s *Service) createUnityModel(ctx context.Context, in *createUnityRequest) (*unityModel, error) {
	if in.StorageLocation != "" {
		return nil, rest.Errorf(rest.NotImplemented, "'storage_location' cannot be chosen: this server keeps the files of models by itself.")
	}
	made, err := s.createCatalogModel(ctx, &createModelRequest{Name: in.CatalogName + "." + in.SchemaName + "." + in.Name, Description: in.Comment})
	if err != nil {
		return nil, err
	}
	out := toUnityModel(made.Model, false)
	return &out, nil
}

func (s *Service) getUnityModel(ctx context.Context, in *unityRequest) (*unityModel, error) {
	if err := checkFullName(in.FullName); err != nil {
		return nil, err
	}
	m, err := s.getModel(ctx, &modelRequest{in.FullName})
	if err != nil {
		return nil, err
	}
	out := toUnityModel(m.Model, in.IncludeAliases)
	return &out, nil
}

// listUnityModels lists those of a schema, of a catalog, or all.
func (s *Service) listUnityModels(ctx context.Context, in *listUnityRequest) (*listUnityResponse, error) {
	p, err := unityPage(in.MaxResults, in.PageToken)
	if err != nil {
		return nil, err
	}
	w, err := conditions(modelGrammar, "name LIKE '%.%.%'", "registered_model_tags x WHERE x.model = m.id", "m.id")
	if err != nil {
		return nil, err
	}
	w.Add("m.name NOT LIKE '%.%.%.%'")
	switch {
	case in.CatalogName != "":
		below := in.CatalogName
		if in.SchemaName != "" {
			below += "." + in.SchemaName
		}
		w.Add("m.name > ? AND m.name < ?", below+".", below+"/") // names are ordered by bytes, and / follows the dot
	case in.SchemaName != "":
		return nil, rest.Invalid("'schema_name' needs a 'catalog_name' beside it.")
	}
	found, err := s.findModels(ctx, w, "m.name", p)
	if err != nil {
		return nil, err
	}
	out := listUnityResponse{NextPageToken: found.NextPageToken}
	for _, m := range found.Models {
		out.Models = append(out.Models, toUnityModel(m, false))
	}
	return &out, nil
}

// unityPage reads a page's size, which may be 0 for what the server likes.
func unityPage(size rest.Int64, token string) (page, error) {
	in := searchRequest{PageToken: token}
	if size != 0 {
		in.MaxResults = &size
	}
	return in.page(100, 1000)
}

// Keep implements [rest.Filtered].
func (r *listUnityResponse) Keep(may func(kind, id string) bool) {
	r.Models = slices.DeleteFunc(r.Models, func(m unityModel) bool { return !may(rest.KindModel, m.FullName) })
}

func (s *Service) updateUnityModel(ctx context.Context, in *updateUnityRequest) (*unityModel, error) {
	newName := in.FullName
	if in.NewName != "" {
		newName = in.FullName[:strings.LastIndexByte(in.FullName, '.')+1] + in.NewName
	}
	for _, name := range []string{in.FullName, newName} {
		if err := checkFullName(name); err != nil {
			return nil, err
		}
	}
	if in.Owner != "" {
		return nil, rest.Errorf(rest.NotImplemented, "'owner' cannot be changed: who manages a model is told by its permissions.")
	}
	changed, err := s.writeModel(ctx, func(ctx context.Context, q db.Querier) (int64, error) {
		id, err := modelID(ctx, q, in.FullName)
		if err != nil {
			return 0, err
		}
		if in.Comment != nil {
			if err := describeModel(ctx, q, id, *in.Comment, s.millis()); err != nil {
				return 0, err
			}
		}
		if newName != in.FullName {
			err = s.rename(ctx, q, id, newName)
		}
		return id, err
	})
	if err != nil {
		return nil, err
	}
	out := toUnityModel(changed.Model, false)
	return &out, nil
}

func (s *Service) deleteUnityModel(ctx context.Context, in *unityRequest) (*empty, error) {
	if err := checkFullName(in.FullName); err != nil {
		return nil, err
	}
	return s.deleteModel(ctx, &modelRequest{in.FullName})
}

func (s *Service) listUnityVersions(ctx context.Context, in *listUnityVersionsRequest) (*listUnityVersionsResponse, error) {
	if err := checkFullName(in.FullName); err != nil {
		return nil, err
	}
	p, err := unityPage(in.MaxResults, in.PageToken)
	if err != nil {
		return nil, err
	}
	var out listUnityVersionsResponse
	err = s.db.View(ctx, func(ctx context.Context, q db.Querier) error {
		id, err := modelID(ctx, q, in.FullName)
		if err != nil {
			return err
		}
		found, err := selectVersions(ctx, q, `WHERE v.model = ? ORDER BY v.version DESC LIMIT ? OFFSET ?`, id, p.limit+1, p.offset)
		for _, v := range found.full[:min(len(found.full), p.limit)] {
			out.Versions = append(out.Versions, toUnityVersion(v, false))
		}
		if len(found.full) > p.limit {
			out.NextPageToken = rest.PageToken(p.offset + p.limit)
		}
		return err
	})
	if err != nil {
		return nil, err
	}
	return &out, nil
}

// unityVersionOf is a version that a handler of catalog.go answers with, in this API's words.
func unityVersionOf[In any](ctx context.Context, fullName string, aliases bool, fn func(context.Context, *In) (*versionResponse, error), in In) (*unityVersion, error) {
	if err := checkFullName(fullName); err != nil {
		return nil, err
	}
	v, err := fn(ctx, &in)
	if err != nil {
		return nil, err
	}
	out := toUnityVersion(v.Version, aliases)
	return &out, nil
}

func (s *Service) getUnityVersion(ctx context.Context, in *unityVersionRequest) (*unityVersion, error) {
	return unityVersionOf(ctx, in.FullName, in.IncludeAliases, s.getVersion, versionRequest{in.FullName, in.Version})
}

func (s *Service) updateUnityVersion(ctx context.Context, in *unityVersionRequest) (*unityVersion, error) {
	if in.Comment == nil {
		return s.getUnityVersion(ctx, in)
	}
	return unityVersionOf(ctx, in.FullName, false, s.updateVersion, updateVersionRequest{in.FullName, in.Version, *in.Comment})
}

func (s *Service) deleteUnityVersion(ctx context.Context, in *unityVersionRequest) (*empty, error) {
	if err := checkFullName(in.FullName); err != nil {
		return nil, err
	}
	return s.deleteVersion(ctx, &versionRequest{in.FullName, in.Version})
}

func (s *Service) getUnityByAlias(ctx context.Context, in *unityAliasRequest) (*unityVersion, error) {
	v, err := unityVersionOf(ctx, in.FullName, in.IncludeAliases, s.getByAlias, aliasNameRequest{in.FullName, in.Alias})
	if errors.Is(err, errNoAlias) { // MLflow calls that a bad parameter
		err = rest.NotFound("Alias '%s' of '%s' does not exist.", in.Alias, in.FullName)
	}
	return v, err
}

func (s *Service) setUnityAlias(ctx context.Context, in *unityAliasRequest) (*unityAlias, error) {
	if err := checkFullName(in.FullName); err != nil {
		return nil, err
	}
	if _, err := s.setAlias(ctx, &aliasRequest{in.FullName, in.Alias, strconv.FormatInt(int64(in.VersionNum), 10)}); err != nil {
		return nil, err
	}
	out := toUnityAlias(in.FullName, in.Alias, int64(in.VersionNum))
	return &out, nil
}

func (s *Service) deleteUnityAlias(ctx context.Context, in *unityAliasRequest) (*empty, error) {
	if err := checkFullName(in.FullName); err != nil {
		return nil, err
	}
	return s.deleteAlias(ctx, &aliasNameRequest{in.FullName, in.Alias})
}
