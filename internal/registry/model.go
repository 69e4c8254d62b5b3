package registry

import (
	"context"

	"github.com/millpond/millpond/internal/db"
	"github.com/millpond/millpond/internal/rest"
)

type (
	createModelRequest struct {
		Name        string `json:"name" mlflow:"required"`
		Tags        []Tag  `json:"tags"`
		Description string `json:"description"`
	}
	modelRequest struct {
		Name string `json:"name" mlflow:"required"`
	}
	modelResponse struct {
		Model RegisteredModel `json:"registered_model"`
	}
	updateModelRequest struct {
		Name        string `json:"name" mlflow:"required"`
		Description string `json:"description"`
	}
	renameModelRequest struct {
		Name    string `json:"name" mlflow:"required"`
		NewName string `json:"new_name" mlflow:"required"`
	}
	modelTagRequest struct {
		Name  string `json:"name" mlflow:"required"`
		Key   string `json:"key" mlflow:"required"`
		Value string `json:"value"`
	}
	latestVersionsRequest struct {
		Name   string   `json:"name" mlflow:"required"`
		Stages []string `json:"stages"`
	}
	versionsResponse struct {
		Versions      []ModelVersion `json:"model_versions,omitempty"`
		NextPageToken string         `json:"next_page_token,omitempty"`
	}
	aliasRequest struct {
		Name    string `json:"name" mlflow:"required"`
		Alias   string `json:"alias" mlflow:"required"`
		Version string `json:"version" mlflow:"required"`
	}
	aliasNameRequest struct {
		Name  string `json:"name" mlflow:"required"`
		Alias string `json:"alias" mlflow:"required"`
	}
	empty struct{}
)

func (s *Service) createModel(ctx context.Context, in *createModelRequest) (*modelResponse, error) {
	if err := checkModelName(in.Name); err != nil {
		return nil, err
	}
	if err := checkTags(in.Tags); err != nil {
		return nil, err
	}
	return s.writeModel(ctx, func(ctx context.Context, q db.Querier) (int64, error) {
		id, made, err := insertModel(ctx, q, in.Name, in.Description, s.millis())
		if err == nil && !made {
			err = nameTaken(ctx, q, in.Name, isPrompt(in.Tags))
		}
		if err != nil {
			return 0, err
		}
		if err := upsertTags(ctx, q, modelTags, id, in.Tags); err != nil {
			return 0, err
		}
		return id, s.tell(ctx, q, id, "REGISTERED_MODEL", "CREATED", eventData{"name": in.Name, "tags": tagMap(in.Tags), "description": in.Description})
	})
}

// nameTaken says what a name is already used for: prompts and models share names.
func nameTaken(ctx context.Context, q db.Querier, name string, wantPrompt bool) error {
	id, err := modelID(ctx, q, name)
	if err != nil {
		return err
	}
	tags, err := tagsOf(ctx, q, modelTags, idList([]int64{id}))
	if err != nil {
		return err
	}
	kinds := map[bool][2]string{false: {"Registered Model", "registered model"}, true: {"Prompt", "prompt"}}
	if is := isPrompt(tags[id]); is != wantPrompt {
		return rest.AlreadyExists("Tried to create a %s with name '%s', but the name is already taken by a %s. MLflow does not "+
			"allow creating a model and a prompt with the same name.", kinds[wantPrompt][1], name, kinds[is][1])
	}
	return rest.AlreadyExists("%s (name=%s) already exists.", kinds[wantPrompt][0], name)
}

// writeModel runs fn in a write and answers with the model whose id it returns.
func (s *Service) writeModel(ctx context.Context, fn func(context.Context, db.Querier) (int64, error)) (*modelResponse, error) {
	var out modelResponse
	err := s.write(ctx, func(ctx context.Context, q db.Querier) error {
		id, err := fn(ctx, q)
		if err != nil {
			return err
		}
		models, err := readModels(ctx, q, []int64{id})
		if err == nil {
			out.Model = models[0]
		}
		return err
	})
	if err != nil {
		return nil, err
	}
	return &out, nil
}

// onModel runs fn in a write, for a model that exists.
func (s *Service) onModel(ctx context.Context, name string, fn func(ctx context.Context, q db.Querier, id int64) error) error {
	if err := checkModelName(name); err != nil {
		return err
	}
	return s.write(ctx, func(ctx context.Context, q db.Querier) error {
		id, err := modelID(ctx, q, name)
		if err != nil {
			return err
		}
		return fn(ctx, q, id)
	})
}

func (s *Service) getModel(ctx context.Context, in *modelRequest) (*modelResponse, error) {
	if err := checkModelName(in.Name); err != nil {
		return nil, err
	}
	var out modelResponse
	err := s.db.View(ctx, func(ctx context.Context, q db.Querier) error {
		id, err := modelID(ctx, q, in.Name)
		if err != nil {
			return err
		}
		models, err := readModels(ctx, q, []int64{id})
		if err == nil {
			out.Model = models[0]
		}
		return err
	})
	if err != nil {
		return nil, err
	}
	return &out, nil
}

func (s *Service) updateModel(ctx context.Context, in *updateModelRequest) (*modelResponse, error) {
	if err := checkModelName(in.Name); err != nil {
		return nil, err
	}
	return s.writeModel(ctx, func(ctx context.Context, q db.Querier) (int64, error) {
		id, err := modelID(ctx, q, in.Name)
		if err != nil {
			return 0, err
		}
		return id, describeModel(ctx, q, id, in.Description, s.millis())
	})
}

func (s *Service) renameModel(ctx context.Context, in *renameModelRequest) (*modelResponse, error) {
	for _, name := range []string{in.NewName, in.Name} {
		if err := checkModelName(name); err != nil {
			return nil, err
		}
	}
	return s.writeModel(ctx, func(ctx context.Context, q db.Querier) (int64, error) {
		id, err := modelID(ctx, q, in.Name)
		if err != nil {
			return 0, err
		}
		return id, s.rename(ctx, q, id, in.NewName)
	})
}

func (s *Service) rename(ctx context.Context, q db.Querier, id int64, name string) error {
	err := renameModel(ctx, q, id, name, s.millis())
	if db.IsUnique(err) {
		err = rest.AlreadyExists("Registered Model (name=%s) already exists.", name)
	}
	return err
}

func (s *Service) deleteModel(ctx context.Context, in *modelRequest) (*empty, error) {
	var locations []string
	err := s.onModel(ctx, in.Name, func(ctx context.Context, q db.Querier, id int64) error {
		found, err := selectVersions(ctx, q, `WHERE v.model = ?`, id)
		if err != nil {
			return err
		}
		locations = nil
		for _, v := range found.rows {
			locations = append(locations, v.location)
		}
		return deleteModel(ctx, q, id)
	})
	if err == nil {
		s.deleteFiles(ctx, locations...)
	}
	return nil, err
}

func (s *Service) setModelTag(ctx context.Context, in *modelTagRequest) (*empty, error) {
	tag := Tag{in.Key, in.Value}
	if err := checkTag(tag); err != nil {
		return nil, err
	}
	return nil, s.onModel(ctx, in.Name, func(ctx context.Context, q db.Querier, id int64) error {
		if err := upsertTags(ctx, q, modelTags, id, []Tag{tag}); err != nil {
			return err
		}
		return s.tell(ctx, q, id, "REGISTERED_MODEL_TAG", "SET", eventData{"name": in.Name, "key": tag.Key, "value": tag.Value})
	})
}

func (s *Service) deleteModelTag(ctx context.Context, in *modelTagRequest) (*empty, error) {
	return nil, s.onModel(ctx, in.Name, func(ctx context.Context, q db.Querier, id int64) error {
		if err := deleteTag(ctx, q, modelTags, id, in.Key); err != nil {
			return err
		}
		return s.tell(ctx, q, id, "REGISTERED_MODEL_TAG", "DELETED", eventData{"name": in.Name, "key": in.Key})
	})
}

func (s *Service) latestVersions(ctx context.Context, in *latestVersionsRequest) (*versionsResponse, error) {
	wanted := map[string]bool{}
	for _, name := range in.Stages {
		stage, err := canonicalStage(name)
		if err != nil {
			return nil, err
		}
		wanted[stage] = true
	}
	m, err := s.getModel(ctx, &modelRequest{in.Name})
	if err != nil {
		return nil, err
	}
	var out versionsResponse
	for _, v := range m.Model.LatestVersions {
		if len(wanted) == 0 || wanted[v.CurrentStage] {
			out.Versions = append(out.Versions, v)
		}
	}
	return &out, nil
}

func (s *Service) setAlias(ctx context.Context, in *aliasRequest) (*empty, error) {
	if err := checkNewAlias(in.Alias); err != nil {
		return nil, err
	}
	return nil, s.onVersion(ctx, in.Name, in.Version, func(ctx context.Context, q db.Querier, v versionRow) error {
		if err := upsertAlias(ctx, q, v.model, in.Alias, v.version); err != nil {
			return err
		}
		return s.tell(ctx, q, v.model, "MODEL_VERSION_ALIAS", "CREATED", eventData{"name": in.Name, "alias": in.Alias, "version": in.Version})
	})
}

func (s *Service) deleteAlias(ctx context.Context, in *aliasNameRequest) (*empty, error) {
	if err := checkAlias(in.Alias); err != nil {
		return nil, err
	}
	return nil, s.onModel(ctx, in.Name, func(ctx context.Context, q db.Querier, id int64) error {
		if err := deleteAlias(ctx, q, id, in.Alias); err != nil {
			return err
		}
		return s.tell(ctx, q, id, "MODEL_VERSION_ALIAS", "DELETED", eventData{"name": in.Name, "alias": in.Alias})
	})
}
