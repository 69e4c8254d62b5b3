package tracking

import (
	"context"
	"strconv"
	"strings"

	"github.com/google/uuid"

	"github.com/millpond/millpond/internal/db"
	"github.com/millpond/millpond/internal/rest"
)

const runNameTag = "mlflow.runName"

type (
	createRunRequest struct {
		ExperimentID string      `json:"experiment_id"`
		UserID       string      `json:"user_id"`
		RunName      string      `json:"run_name"`
		StartTime    *rest.Int64 `json:"start_time"`
		Tags         []Pair      `json:"tags"`
	}
	runResponse struct {
		Run Run `json:"run"`
	}
	runRequest struct {
		RunID   string `json:"run_id" mlflow:"required"`
		RunUUID string `json:"run_uuid"`
	}
	updateRunRequest struct {
		RunID   string      `json:"run_id" mlflow:"required"`
		RunUUID string      `json:"run_uuid"`
		Status  rest.Enum   `json:"status"`
		EndTime *rest.Int64 `json:"end_time"`
		RunName string      `json:"run_name"`
	}
	updateRunResponse struct {
		RunInfo RunInfo `json:"run_info"`
	}
	logParamRequest struct {
		RunID   string `json:"run_id" mlflow:"required"`
		RunUUID string `json:"run_uuid"`
		Key     string `json:"key" mlflow:"required"`
		Value   string `json:"value"`
	}
	tagRequest struct {
		RunID   string `json:"run_id" mlflow:"required"`
		RunUUID string `json:"run_uuid"`
		Key     string `json:"key" mlflow:"required"`
		Value   string `json:"value"`
	}
)

func (s *Service) createRun(ctx context.Context, in *createRunRequest) (*runResponse, error) {
	experiment := int64(DefaultExperiment)
	if in.ExperimentID != "" {
		var err error
		if experiment, err = parseExperimentID(in.ExperimentID); err != nil {
			return nil, err
		}
	}
	tags, name, err := runTags(in.Tags, in.RunName)
	if err != nil {
		return nil, err
	}
	start := s.millis()
	if in.StartTime != nil {
		start = int64(*in.StartTime)
	}
	run := Run{
		Info: RunInfo{RunName: name, UserID: in.UserID, Status: "RUNNING", StartTime: start, LifecycleStage: active,
			RunID: strings.ReplaceAll(uuid.NewString(), "-", ""), ExperimentID: strconv.FormatInt(experiment, 10)},
		Data: RunData{Tags: tags},
	}
	run.Info.RunUUID = run.Info.RunID
	err = s.db.Write(ctx, func(ctx context.Context, q db.Querier) error {
		e, err := activeExperiment(ctx, q, experiment)
		if err != nil {
			return err
		}
		run.Info.ArtifactURI = joinURI(e.ArtifactLocation, run.Info.RunID, "artifacts")
		return insertRun(ctx, q, experiment, &run)
	})
	if err != nil {
		return nil, err
	}
	s.changes.touch(experiment, run.Info.RunID)
	return &runResponse{run}, nil
}

// runTags settles the name of a new run, which is also a tag of it.
func runTags(given []Pair, name string) (tags []Pair, _ string, err error) {
	index := map[string]int{}
	for _, t := range given {
		if t.Key == "" {
			return nil, "", rest.MissingParameter("key")
		}
		if err := checkLength("key", maxKey, t.Key); err != nil {
			return nil, "", err
		}
		t.Value = rest.Cut(t.Value, maxTagValue)
		if i, again := index[t.Key]; again {
			tags[i] = t
			continue
		}
		index[t.Key] = len(tags)
		tags = append(tags, t)
	}
	i, tagged := index[runNameTag]
	switch {
	case tagged && name != "" && tags[i].Value != name:
		return nil, "", rest.Invalid("Both 'run_name' argument and 'mlflow.runName' tag are specified, but with different values "+
			"(run_name='%s', mlflow.runName='%s').", name, tags[i].Value)
	case tagged && tags[i].Value != "":
		return tags, tags[i].Value, nil
	case name == "":
		name = randomName()
	}
	if tagged {
		tags[i].Value = name
	} else {
		tags = append(tags, Pair{runNameTag, name})
	}
	return tags, name, nil
}

// joinURI appends path elements to an address, before its query if it has one.
func joinURI(base string, elements ...string) string {
	head, query, has := strings.Cut(base, "?")
	head = strings.TrimRight(head, "/") + "/" + strings.Join(elements, "/")
	if has {
		return head + "?" + query
	}
	return head
}

func (s *Service) getRun(ctx context.Context, in *runRequest) (*runResponse, error) {
	var out runResponse
	err := s.db.View(ctx, func(ctx context.Context, q db.Querier) error {
		row, err := runByID(ctx, q, in.RunID)
		if err != nil {
			return err
		}
		runs, err := completeRuns(ctx, q, []runRow{row})
		if err != nil {
			return err
		}
		out.Run = runs[0]
		if out.Run.Inputs.ModelInputs, err = modelInputs(ctx, q, row.id); err != nil {
			return err
		}
		return nil
	})
	if err != nil {
		return nil, err
	}
	return &out, nil
}

func (s *Service) updateRun(ctx context.Context, in *updateRunRequest) (*updateRunResponse, error) {
	var out updateRunResponse
	err := s.writeRun(ctx, in.RunID, func(ctx context.Context, q db.Querier, run *runRow) error {
		if in.Status != "" {
			status, ok := in.Status.Resolve(runStatuses)
			if !ok {
				return rest.InvalidValue("status", string(in.Status), "must be one of RUNNING, SCHEDULED, FINISHED, FAILED, KILLED.")
			}
			run.info.Status = status
		}
		if in.EndTime != nil {
			end := int64(*in.EndTime)
			run.info.EndTime = &end
		}
		if err := updateRun(ctx, q, run); err != nil {
			return err
		}
		if in.RunName != "" {
			run.info.RunName = in.RunName
			if err := setTags(ctx, q, run.id, []Pair{{runNameTag, rest.Cut(in.RunName, maxTagValue)}}); err != nil {
				return err
			}
		}
		out.RunInfo = run.info
		return nil
	})
	if err != nil {
		return nil, err
	}
	return &out, nil
}

func (s *Service) deleteRun(ctx context.Context, in *runRequest) (*empty, error) {
	return nil, s.moveRun(ctx, in.RunID, deleted)
}

func (s *Service) restoreRun(ctx context.Context, in *runRequest) (*empty, error) {
	return nil, s.moveRun(ctx, in.RunID, active)
}

func (s *Service) moveRun(ctx context.Context, runID, to string) error {
	var run runRow
	err := s.db.Write(ctx, func(ctx context.Context, q db.Querier) (err error) {
		if run, err = runByID(ctx, q, runID); err != nil {
			return err
		}
		return setRunStage(ctx, q, run.id, to, s.millis())
	})
	if err == nil {
		s.changes.touch(run.experiment, runID)
	}
	return err
}

// writeRun runs fn in a write, for a run that is active.
func (s *Service) writeRun(ctx context.Context, runID string, fn func(context.Context, db.Querier, *runRow) error) error {
	var run runRow
	err := s.db.Write(ctx, func(ctx context.Context, q db.Querier) (err error) {
		if run, err = runByID(ctx, q, runID); err != nil {
			return err
		}
		if run.info.LifecycleStage != active {
			return rest.Invalid("The run %s must be in the 'active' state. Current state is %s.", runID, run.info.LifecycleStage)
		}
		return fn(ctx, q, &run)
	})
	if err == nil {
		s.changes.touch(run.experiment, runID)
	}
	return err
}

func (s *Service) logParam(ctx context.Context, in *logParamRequest) (*empty, error) {
	param := Pair{in.Key, in.Value}
	if err := checkParam(&param, ""); err != nil {
		return nil, err
	}
	return nil, s.writeRun(ctx, in.RunID, func(ctx context.Context, q db.Querier, run *runRow) error {
		old, err := insertParam(ctx, q, run.id, param)
		if err == nil && old != nil && *old != param.Value {
			err = rest.Invalid("Changing param values is not allowed. Param with key='%s' was already logged with value='%s' "+
				"for run ID='%s'. Attempted logging new value '%s'.", param.Key, *old, in.RunID, param.Value)
		}
		return err
	})
}

func (s *Service) setTag(ctx context.Context, in *tagRequest) (*empty, error) {
	tag := Pair{in.Key, in.Value}
	if err := checkTag(&tag, ""); err != nil {
		return nil, err
	}
	return nil, s.writeRun(ctx, in.RunID, func(ctx context.Context, q db.Querier, run *runRow) error {
		return setTags(ctx, q, run.id, []Pair{tag})
	})
}

func (s *Service) deleteTag(ctx context.Context, in *tagRequest) (*empty, error) {
	return nil, s.writeRun(ctx, in.RunID, func(ctx context.Context, q db.Querier, run *runRow) error {
		found, err := deleteTag(ctx, q, run.id, in.Key)
		if err == nil && !found {
			err = rest.NotFound("No tag with name: %s in run with id %s", in.Key, in.RunID)
		}
		return err
	})
}
