package registry

import (
	"context"
	"strings"

	"github.com/google/uuid"

	"github.com/millpond/millpond/internal/db"
	"github.com/millpond/millpond/internal/rest"
)

// The registry as Unity Catalog has it: names of three levels, and versions
// that own their files. The client makes a version, sends its files, and
// finalizes it.

const (
	statusReady   = "READY"
	statusPending = "PENDING_REGISTRATION"
	// catalogRoot is where the versions' own files are kept.
	catalogRoot = "mlflow-artifacts:/uc/"
)

// catalogVersion is a version as Unity Catalog's clients read it: aliases are
// objects, and there are no stages.
type catalogVersion struct {
	ModelVersion
	CurrentStage    string  `json:"-"`
	StorageLocation string  `json:"storage_location"`
	Aliases         []Alias `json:"aliases,omitempty"`
}

type (
	catalogVersionResponse struct {
		Version catalogVersion `json:"model_version"`
	}
	catalogVersionsResponse struct {
		Versions      []catalogVersion `json:"model_versions,omitempty"`
		NextPageToken string           `json:"next_page_token,omitempty"`
	}
	enabledResponse struct {
		Enabled bool `json:"is_databricks_sdk_models_artifact_repository_enabled"`
	}
	lineageRequest struct {
		Name     string   `json:"name" mlflow:"required"`
		Version  string   `json:"version" mlflow:"required"`
		Entities []entity `json:"entities"`
	}
	// entity is a notebook or a job that uses a version.
	entity struct {
		Notebook *struct {
			ID string `json:"id"`
		} `json:"notebook"`
		Job *struct {
			ID string `json:"id"`
		} `json:"job"`
	}
)

func (s *Service) catalogRoutes() []rest.Route {
	const m, v = "registered-models/", "model-versions/"
	return rest.Under([]string{"/api/2.0/mlflow/unity-catalog/"},
		rest.Op("POST", m+"create", "createCatalogModel", s.createCatalogModel),
		rest.Op("GET", m+"get", "getCatalogModel", s.getModel),
		rest.Op("GET", m+"search", "searchCatalogModels", s.searchCatalogModels),
		rest.Op("PATCH", m+"update", "updateCatalogModel", s.updateModel),
		rest.Op("DELETE", m+"delete", "deleteCatalogModel", s.deleteModel),
		rest.Op("POST", m+"set-tag", "setCatalogModelTag", s.setModelTag),
		rest.Op("DELETE", m+"delete-tag", "deleteCatalogModelTag", s.deleteModelTag),
		rest.Op("POST", m+"alias", "setCatalogModelAlias", s.setAlias),
		rest.Op("DELETE", m+"alias", "deleteCatalogModelAlias", s.deleteAlias),
		rest.Op("GET", m+"alias", "getCatalogVersionByAlias", catalog(s.getByAlias)),
		rest.Op("GET", "registered-models:is-databricks-sdk-models-artifact-repository-enabled", "isFilesAPIEnabled", s.filesAPIEnabled),
		rest.Op("POST", v+"create", "createCatalogVersion", s.createCatalogVersion),
		rest.Op("POST", v+"finalize", "finalizeCatalogVersion", catalog(s.finalizeVersion)),
		rest.Op("GET", v+"get", "getCatalogVersion", catalog(s.getVersion)),
		rest.Op("GET", v+"search", "searchCatalogVersions", s.searchCatalogVersions),
		rest.Op("PATCH", v+"update", "updateCatalogVersion", catalog(s.updateVersion)),
		rest.Op("DELETE", v+"delete", "deleteCatalogVersion", s.deleteVersion),
		rest.Op("GET", v+"get-download-uri", "getCatalogVersionDownloadUri", s.downloadURI),
		rest.Op("POST", v+"set-tag", "setCatalogVersionTag", s.setVersionTag),
		rest.Op("DELETE", v+"delete-tag", "deleteCatalogVersionTag", s.deleteVersionTag),
		rest.Op("POST", v+"emit-lineage", "emitCatalogVersionLineage", s.emitLineage),
	)
}

// catalog turns a handler's answer into Unity Catalog's form.
func catalog[In any](fn func(context.Context, *In) (*versionResponse, error)) func(context.Context, *In) (*catalogVersionResponse, error) {
	return func(ctx context.Context, in *In) (*catalogVersionResponse, error) {
		out, err := fn(ctx, in)
		if err != nil {
			return nil, err
		}
		return &catalogVersionResponse{inCatalog(out.Version)}, nil
	}
}

func inCatalog(v ModelVersion) catalogVersion {
	out := catalogVersion{ModelVersion: v, StorageLocation: "/Models/" + strings.ReplaceAll(v.Name, ".", "/") + "/" + v.Version}
	for _, a := range v.Aliases {
		out.Aliases = append(out.Aliases, Alias{a, v.Version})
	}
	return out
}

// checkFullName refuses names that are not catalog.schema.model.
func checkFullName(name string) error {
	levels := strings.Split(name, ".")
	for _, l := range levels {
		if strings.TrimSpace(l) == "" || len(levels) != 3 {
			return rest.Invalid("'%s' is not a valid name for a model in Unity Catalog: it must have three levels, catalog.schema.model.", name)
		}
	}
	return checkModelName(name)
}

func (s *Service) createCatalogModel(ctx context.Context, in *createModelRequest) (*modelResponse, error) {
	if err := checkFullName(in.Name); err != nil {
		return nil, err
	}
	return s.createModel(ctx, in)
}

func (s *Service) searchCatalogModels(ctx context.Context, in *searchRequest) (*searchModelsResponse, error) {
	if in.Filter != "" {
		return nil, rest.Invalid("Unity Catalog does not support a filter in a search of registered models.")
	}
	in.Filter = "name LIKE '%.%.%'" // those of two levels or one are not in it
	return s.searchModels(ctx, in)
}

// createCatalogVersion makes a version whose files the client then sends.
func (s *Service) createCatalogVersion(ctx context.Context, in *createVersionRequest) (*catalogVersionResponse, error) {
	if err := checkFullName(in.Name); err != nil {
		return nil, err
	}
	if err := checkTags(in.Tags); err != nil {
		return nil, err
	}
	if id := deref(in.ModelID); id != "" {
		if _, _, err := s.tracking.ModelLocation(ctx, id); err != nil {
			return nil, err
		}
	}
	// Not by its number: that is known only later, and a model that is deleted and made again begins at 1.
	location := catalogRoot + strings.ReplaceAll(in.Name, ".", "/") + "/" + uuid.NewString()
	out, err := s.keepVersion(ctx, in, versionRow{location: location, info: ModelVersion{Name: in.Name, Description: in.Description, Source: in.Source,
		RunID: deref(in.RunID), ModelID: deref(in.ModelID), Status: statusPending, UserID: rest.User(ctx)}})
	if err != nil {
		return nil, err
	}
	return &catalogVersionResponse{inCatalog(out.Version)}, nil
}

func (s *Service) finalizeVersion(ctx context.Context, in *versionRequest) (*versionResponse, error) {
	return s.changeVersion(ctx, in.Name, in.Version, func(ctx context.Context, q db.Querier, v versionRow) error {
		_, err := q.ExecContext(ctx, `UPDATE model_versions SET status = ?, last_updated_time = ? WHERE id = ?`, statusReady, s.millis(), v.id)
		return err
	})
}

func (s *Service) searchCatalogVersions(ctx context.Context, in *searchRequest) (*catalogVersionsResponse, error) {
	found, err := s.searchVersions(ctx, in)
	if err != nil {
		return nil, err
	}
	out := &catalogVersionsResponse{NextPageToken: found.NextPageToken}
	for _, v := range found.Versions {
		out.Versions = append(out.Versions, inCatalog(v))
	}
	return out, nil
}

// filesAPIEnabled tells clients to send and read the files of versions by the Files API.
func (*Service) filesAPIEnabled(context.Context, *empty) (*enabledResponse, error) {
	return &enabledResponse{true}, nil
}

// emitLineage notes which notebooks and jobs use a version.
func (s *Service) emitLineage(ctx context.Context, in *lineageRequest) (*empty, error) {
	return nil, s.onVersion(ctx, in.Name, in.Version, func(ctx context.Context, q db.Querier, v versionRow) error {
		for _, e := range in.Entities {
			var used string
			switch {
			case e.Notebook != nil:
				used = "notebook " + e.Notebook.ID
			case e.Job != nil:
				used = "job " + e.Job.ID
			default:
				continue
			}
			if _, err := insertActivity(ctx, q, v, activity{kind: usedBy, user: rest.User(ctx), systemComment: used}, s.millis()); err != nil {
				return err
			}
		}
		return nil
	})
}

// VersionLocation tells where the files of a version are, and whether they may
// still be sent.
func (s *Service) VersionLocation(ctx context.Context, name, version string) (location string, open bool, err error) {
	err = s.viewVersion(ctx, name, version, func(_ context.Context, _ db.Querier, v versionRow) error {
		location, open = v.location, v.info.Status == statusPending
		return nil
	})
	return location, open, err
}
