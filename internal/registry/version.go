package registry

import (
	"context"
	"errors"
	"net/http"
	"strings"

	"github.com/millpond/millpond/internal/db"
	"github.com/millpond/millpond/internal/rest"
)

type (
	createVersionRequest struct {
		Name        string  `json:"name" mlflow:"required"`
		Source      string  `json:"source" mlflow:"required"`
		RunID       *string `json:"run_id"`
		Tags        []Tag   `json:"tags"`
		RunLink     string  `json:"run_link"`
		Description string  `json:"description"`
		ModelID     *string `json:"model_id"`
	}
	versionResponse struct {
		Version ModelVersion `json:"model_version"`
	}
	versionRequest struct {
		Name    string `json:"name" mlflow:"required"`
		Version string `json:"version" mlflow:"required"`
	}
	updateVersionRequest struct {
		Name        string `json:"name" mlflow:"required"`
		Version     string `json:"version" mlflow:"required"`
		Description string `json:"description"`
	}
	transitionRequest struct {
		Name            string `json:"name" mlflow:"required"`
		Version         string `json:"version" mlflow:"required"`
		Stage           string `json:"stage" mlflow:"required"`
		ArchiveExisting bool   `json:"archive_existing_versions"`
		Comment         string `json:"comment"`
	}
	versionTagRequest struct {
		Name    string `json:"name" mlflow:"required"`
		Version string `json:"version" mlflow:"required"`
		Key     string `json:"key" mlflow:"required"`
		Value   string `json:"value"`
	}
	downloadURIResponse struct {
		ArtifactURI string `json:"artifact_uri"`
	}
)

func (s *Service) createVersion(ctx context.Context, in *createVersionRequest) (*versionResponse, error) {
	if err := checkModelName(in.Name); err != nil {
		return nil, err
	}
	if err := checkTags(in.Tags); err != nil {
		return nil, err
	}
	in.Source = rest.OwnAddress(in.Source)
	src := source{uri: in.Source, location: in.Source, runID: in.RunID, modelID: in.ModelID}
	if isPrompt(in.Tags) {
		if err := src.checkPrompt(); err != nil {
			return nil, err
		}
	} else if err := s.settle(ctx, &src); err != nil {
		return nil, err
	}
	// There is nothing to wait for: the version refers to artifacts that are there.
	return s.keepVersion(ctx, in, versionRow{info: ModelVersion{Name: in.Name, Description: in.Description, Source: src.uri, RunID: deref(src.runID),
		RunLink: in.RunLink, ModelID: deref(src.modelID), Status: statusReady, UserID: rest.User(ctx)}, location: src.location})
}

// keepVersion stores a new version.
func (s *Service) keepVersion(ctx context.Context, in *createVersionRequest, v versionRow) (*versionResponse, error) {
	var out versionResponse
	err := s.write(ctx, func(ctx context.Context, q db.Querier) error {
		var err error
		if v.model, err = modelID(ctx, q, in.Name); err != nil {
			return err
		}
		if err := insertVersion(ctx, q, &v, s.millis()); err != nil {
			return err
		}
		if err := upsertTags(ctx, q, versionTags, v.id, in.Tags); err != nil {
			return err
		}
		if out.Version, err = readVersion(ctx, q, v.id); err != nil {
			return err
		}
		return s.tell(ctx, q, v.model, "MODEL_VERSION", "CREATED", eventData{"name": in.Name, "version": out.Version.Version, "source": v.info.Source,
			"run_id": orNil(v.info.RunID), "tags": tagMap(in.Tags), "description": orNil(in.Description)})
	})
	if err != nil {
		return nil, err
	}
	if v.info.ModelID != "" {
		if err := s.tracking.LinkModelVersion(ctx, v.info.ModelID, in.Name, v.version); err != nil {
			s.log.WarnContext(ctx, "a model version was made, but its logged model does not say so", "model", v.info.ModelID, "error", err)
		}
	}
	return &out, nil
}

// onVersion runs fn in a write, for a version that exists.
func (s *Service) onVersion(ctx context.Context, name, version string, fn func(context.Context, db.Querier, versionRow) error) error {
	if err := checkModelName(name); err != nil {
		return err
	}
	n, err := parseVersion(version)
	if err != nil {
		return err
	}
	return s.write(ctx, func(ctx context.Context, q db.Querier) error {
		v, err := findVersion(ctx, q, name, n)
		if err != nil {
			return err
		}
		return fn(ctx, q, v)
	})
}

// changeVersion runs fn in a write and answers with the version as it then is.
func (s *Service) changeVersion(ctx context.Context, name, version string, fn func(context.Context, db.Querier, versionRow) error) (*versionResponse, error) {
	var out versionResponse
	err := s.onVersion(ctx, name, version, func(ctx context.Context, q db.Querier, v versionRow) error {
		if err := fn(ctx, q, v); err != nil {
			return err
		}
		var err error
		out.Version, err = readVersion(ctx, q, v.id)
		return err
	})
	if err != nil {
		return nil, err
	}
	return &out, nil
}

// viewVersion finds a version and runs fn over the same snapshot.
func (s *Service) viewVersion(ctx context.Context, name, version string, fn func(context.Context, db.Querier, versionRow) error) error {
	if err := checkModelName(name); err != nil {
		return err
	}
	n, err := parseVersion(version)
	if err != nil {
		return err
	}
	return s.db.View(ctx, func(ctx context.Context, q db.Querier) error {
		v, err := findVersion(ctx, q, name, n)
		if err != nil {
			return err
		}
		return fn(ctx, q, v)
	})
}

func (s *Service) getVersion(ctx context.Context, in *versionRequest) (*versionResponse, error) {
	var out versionResponse
	err := s.viewVersion(ctx, in.Name, in.Version, func(ctx context.Context, q db.Querier, v versionRow) error {
		var err error
		out.Version, err = readVersion(ctx, q, v.id)
		return err
	})
	if err != nil {
		return nil, err
	}
	return &out, nil
}

func (s *Service) getByAlias(ctx context.Context, in *aliasNameRequest) (*versionResponse, error) {
	if err := checkModelName(in.Name); err != nil {
		return nil, err
	}
	if err := checkAlias(in.Alias); err != nil {
		return nil, err
	}
	var out versionResponse
	err := s.db.View(ctx, func(ctx context.Context, q db.Querier) error {
		v, err := versionByAlias(ctx, q, in.Name, in.Alias)
		if err != nil {
			return err
		}
		out.Version, err = readVersion(ctx, q, v)
		return err
	})
	if err != nil {
		return nil, err
	}
	return &out, nil
}

// errNoAlias says beside the answer why there is none.
var errNoAlias = errors.New("no such alias")

func versionByAlias(ctx context.Context, q db.Querier, name, alias string) (id int64, err error) {
	model, err := modelID(ctx, q, name)
	if err != nil {
		return 0, err
	}
	if strings.EqualFold(alias, "latest") {
		id, found, err := newestVersion(ctx, q, model, "")
		if err == nil && !found {
			err = rest.NotFound("Latest version not found for model %s.", name)
		}
		return id, err
	}
	id, found, err := aliasedVersion(ctx, q, model, alias)
	if err == nil && !found {
		err = errors.Join(rest.Invalid("Registered model alias %s not found.", alias), errNoAlias)
	}
	return id, err
}

func (s *Service) updateVersion(ctx context.Context, in *updateVersionRequest) (*versionResponse, error) {
	return s.changeVersion(ctx, in.Name, in.Version, func(ctx context.Context, q db.Querier, v versionRow) error {
		return describeVersion(ctx, q, v.id, in.Description, s.millis())
	})
}

// transition moves a version to a stage.
func (s *Service) transition(ctx context.Context, in *transitionRequest) (*versionResponse, error) {
	stage, err := canonicalStage(in.Stage)
	if err == nil {
		err = checkArchive(in.ArchiveExisting, stage, in.Stage)
	}
	if err != nil {
		return nil, err
	}
	return s.changeVersion(ctx, in.Name, in.Version, func(ctx context.Context, q db.Querier, v versionRow) error {
		return s.move(ctx, q, v, stage, in.ArchiveExisting, activity{kind: applied, user: rest.User(ctx), comment: in.Comment})
	})
}

func (s *Service) deleteVersion(ctx context.Context, in *versionRequest) (*empty, error) {
	var location string
	err := s.onVersion(ctx, in.Name, in.Version, func(ctx context.Context, q db.Querier, v versionRow) error {
		location = v.location
		return deleteVersion(ctx, q, v, s.millis())
	})
	if err == nil {
		s.deleteFiles(ctx, location)
	}
	return nil, err
}

// deleteFiles deletes the files of versions that are gone, where they were the versions' own.
func (s *Service) deleteFiles(ctx context.Context, locations ...string) {
	for _, location := range locations {
		if !strings.HasPrefix(location, catalogRoot) {
			continue
		}
		if err := s.tracking.DeleteArtifacts(ctx, location); err != nil && !rest.IsCode(err, rest.ResourceDoesNotExist) {
			s.log.WarnContext(ctx, "the files of a deleted model version are still there", "location", location, "error", err)
		}
	}
}

func (s *Service) setVersionTag(ctx context.Context, in *versionTagRequest) (*empty, error) {
	tag := Tag{in.Key, in.Value}
	if err := checkTag(tag); err != nil {
		return nil, err
	}
	return nil, s.onVersion(ctx, in.Name, in.Version, func(ctx context.Context, q db.Querier, v versionRow) error {
		if err := upsertTags(ctx, q, versionTags, v.id, []Tag{tag}); err != nil {
			return err
		}
		return s.tell(ctx, q, v.model, "MODEL_VERSION_TAG", "SET", eventData{"name": in.Name, "version": in.Version, "key": tag.Key, "value": tag.Value})
	})
}

func (s *Service) deleteVersionTag(ctx context.Context, in *versionTagRequest) (*empty, error) {
	return nil, s.onVersion(ctx, in.Name, in.Version, func(ctx context.Context, q db.Querier, v versionRow) error {
		if err := deleteTag(ctx, q, versionTags, v.id, in.Key); err != nil {
			return err
		}
		return s.tell(ctx, q, v.model, "MODEL_VERSION_TAG", "DELETED", eventData{"name": in.Name, "version": in.Version, "key": in.Key})
	})
}

func (s *Service) downloadURI(ctx context.Context, in *versionRequest) (*downloadURIResponse, error) {
	var out downloadURIResponse
	err := s.viewVersion(ctx, in.Name, in.Version, func(_ context.Context, _ db.Querier, v versionRow) error {
		out.ArtifactURI = v.location
		return nil
	})
	if err != nil {
		return nil, err
	}
	return &out, nil
}

// getVersionArtifact answers with one file of a version.
func (s *Service) getVersionArtifact(w http.ResponseWriter, r *http.Request) error {
	query := r.URL.Query()
	for _, field := range []string{"name", "version", "path"} {
		if query.Get(field) == "" {
			return rest.MissingParameter(field)
		}
	}
	uri, err := s.downloadURI(r.Context(), &versionRequest{query.Get("name"), query.Get("version")})
	if err != nil {
		return err
	}
	return s.tracking.SendArtifact(w, r, uri.ArtifactURI, query.Get("path"))
}

func deref(s *string) string {
	if s == nil {
		return ""
	}
	return *s
}
