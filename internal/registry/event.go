package registry

import (
	"context"

	"github.com/millpond/millpond/internal/db"
)

// What others are told of, by MLflow's names. Prompts are kept among the models
// and have names of their own.
var promptEntity = map[string]string{"REGISTERED_MODEL": "PROMPT", "REGISTERED_MODEL_TAG": "PROMPT_TAG", "MODEL_VERSION": "PROMPT_VERSION",
	"MODEL_VERSION_TAG": "PROMPT_VERSION_TAG", "MODEL_VERSION_ALIAS": "PROMPT_ALIAS"}

// What Databricks' registry tells of, and MLflow's does not.
const (
	stageEntity   = "MODEL_VERSION_STAGE"
	requestEntity = "TRANSITION_REQUEST"
	commentEntity = "COMMENT"
)

// Tags by which a prompt is kept; its events tell them as what they mean.
const (
	promptTextTag = "mlflow.prompt.text"
	promptTypeTag = "_mlflow_prompt_type"
)

// write is the database's, and lets the events of the write go once it is on disk.
func (s *Service) write(ctx context.Context, fn func(context.Context, db.Querier) error) error {
	err := s.db.Write(ctx, fn)
	if err == nil && s.events != nil {
		s.events.Wake()
	}
	return err
}

type eventData = map[string]any

// tell emits an event about a model or what belongs to it, if anybody listens.
func (s *Service) tell(ctx context.Context, q db.Querier, model int64, entity, action string, data eventData) error {
	if s.events == nil {
		return nil
	}
	if any, err := s.events.Any(ctx, q); err != nil || !any {
		return err
	}
	tags, err := tagsOf(ctx, q, modelTags, idList([]int64{model}))
	if err != nil {
		return err
	}
	if isPrompt(tags[model]) {
		var known bool
		if entity, known = promptEntity[entity]; !known {
			return nil
		}
		if tags, ok := data["tags"].(map[string]string); ok {
			if text, ok := tags[promptTextTag]; ok {
				data["template"] = text
			}
			delete(tags, promptTextTag)
			delete(tags, promptTypeTag)
			delete(tags, promptTag)
			delete(data, "source")
			delete(data, "run_id")
		}
	} else if entity == "REGISTERED_MODEL_TAG" {
		return nil // MLflow tells of the tags of prompts alone
	}
	return s.events.Emit(ctx, q, entity, action, data)
}

func tagMap(tags []Tag) map[string]string {
	out := make(map[string]string, len(tags))
	for _, t := range tags {
		out[t.Key] = t.Value
	}
	return out
}

// tellStage emits that a version is in another stage.
func (s *Service) tellStage(ctx context.Context, q db.Querier, v versionRow, stage string) error {
	if v.info.CurrentStage == stage {
		return nil
	}
	return s.tell(ctx, q, v.model, stageEntity, "CHANGED", stageData(v, stage))
}

func stageData(v versionRow, stage string) eventData {
	return eventData{"name": v.info.Name, "version": v.info.Version, "from_stage": v.info.CurrentStage, "to_stage": stage}
}

// orNil is nil for a text that is not there.
func orNil(text string) any {
	if text == "" {
		return nil
	}
	return text
}
