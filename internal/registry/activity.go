package registry

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"strconv"

	"github.com/millpond/millpond/internal/db"
	"github.com/millpond/millpond/internal/rest"
)

// What is done to versions is kept with who did it, as Databricks' registry
// does: stages, requests for them, comments.

// The kinds of activities.
const (
	applied    = "APPLIED_TRANSITION"
	bySystem   = "SYSTEM_TRANSITION"
	requested  = "REQUESTED_TRANSITION"
	approved   = "APPROVED_REQUEST"
	rejected   = "REJECTED_REQUEST"
	cancelled  = "CANCELLED_REQUEST"
	newComment = "NEW_COMMENT"
	usedBy     = "USED_BY" // our own: a notebook or a job reads the version
)

// Activity is one thing that was done to a version.
type Activity struct {
	ID                   string `json:"id,omitempty"`
	ActivityType         string `json:"activity_type"`
	UserID               string `json:"user_id"`
	Comment              string `json:"comment,omitempty"`
	SystemComment        string `json:"system_comment,omitempty"`
	FromStage            string `json:"from_stage,omitempty"`
	ToStage              string `json:"to_stage,omitempty"`
	CreationTimestamp    int64  `json:"creation_timestamp"`
	LastUpdatedTimestamp int64  `json:"last_updated_timestamp"`
}

// Request is a request for a stage that waits for an answer.
type Request struct {
	ActivityType      string   `json:"activity_type"`
	UserID            string   `json:"user_id"`
	Comment           string   `json:"comment,omitempty"`
	ToStage           string   `json:"to_stage"`
	CreationTimestamp int64    `json:"creation_timestamp"`
	AvailableActions  []string `json:"available_actions"`
}

// Comment is what somebody wrote about a version.
type Comment struct {
	ID                   string   `json:"id"`
	UserID               string   `json:"user_id"`
	Comment              string   `json:"comment"`
	CreationTimestamp    int64    `json:"creation_timestamp"`
	LastUpdatedTimestamp int64    `json:"last_updated_timestamp"`
	AvailableActions     []string `json:"available_actions,omitempty"`
}

type (
	requestRequest struct {
		Name            string `json:"name" mlflow:"required"`
		Version         string `json:"version" mlflow:"required"`
		Stage           string `json:"stage" mlflow:"required"`
		Comment         string `json:"comment"`
		ArchiveExisting bool   `json:"archive_existing_versions"` // of an approval
		Creator         string `json:"creator"`                   // of a cancellation
	}
	requestResponse struct {
		Request Request `json:"request"`
	}
	requestsResponse struct {
		Requests []Request `json:"requests,omitempty"`
	}
	activityResponse struct {
		Activity Activity `json:"activity"`
	}
	activitiesResponse struct {
		Activities []Activity `json:"activities,omitempty"`
	}
	commentRequest struct {
		Name    string `json:"name" mlflow:"required"`
		Version string `json:"version" mlflow:"required"`
		Comment string `json:"comment" mlflow:"required"`
	}
	commentIDRequest struct {
		ID      string `json:"id" mlflow:"required"`
		Comment string `json:"comment"`
	}
	commentResponse struct {
		Comment Comment `json:"comment"`
	}
	workspaceVersion struct {
		ModelVersion
		OpenRequests    []Request `json:"open_requests,omitempty"`
		PermissionLevel string    `json:"permission_level"`
	}
	workspaceVersionResponse struct {
		Version workspaceVersion `json:"model_version_databricks"`
	}
	workspaceModel struct {
		RegisteredModel
		ID              string `json:"id"`
		PermissionLevel string `json:"permission_level"`
	}
	workspaceModelResponse struct {
		Model workspaceModel `json:"registered_model_databricks"`
	}
)

const (
	maxComment = 8000
	canManage  = "CAN_MANAGE"
)

// activityRoutes are those of Databricks' workspace registry.
func (s *Service) activityRoutes() []rest.Route {
	const t, c = "transition-requests/", "comments/"
	out := rest.Under(prefixes,
		rest.Op("POST", t+"create", "createTransitionRequest", s.createRequest),
		rest.Op("GET", t+"list", "listTransitionRequests", s.listRequests),
		rest.Op("POST", t+"approve", "approveTransitionRequest", s.approve),
		rest.Op("POST", t+"reject", "rejectTransitionRequest", s.reject),
		rest.Op("DELETE", t+"delete", "deleteTransitionRequest", s.cancelRequest),
		rest.Op("POST", c+"create", "createComment", s.createComment),
		rest.Op("PATCH", c+"update", "updateComment", s.updateComment),
		rest.Op("DELETE", c+"delete", "deleteComment", s.deleteComment),
		rest.Op("POST", "databricks/model-versions/transition-stage", "transitionStage", s.workspaceTransition),
		rest.Op("GET", "databricks/registered-models/get", "getModel", s.workspaceModel),
	)
	return append(out, rest.Under([]string{"/api/2.0/millpond/", "/ajax-api/2.0/millpond/"},
		rest.Op("GET", "model-versions/activities", "listVersionActivities", s.activities))...)
}

// activity is one that is about to be kept.
type activity struct{ kind, from, to, user, comment, systemComment string }

func insertActivity(ctx context.Context, q db.Querier, v versionRow, a activity, now int64) (Activity, error) {
	if len([]rune(a.comment)) > maxComment {
		return Activity{}, rest.Invalid("'comment' exceeds the maximum length of %d characters", maxComment)
	}
	var id int64
	err := q.QueryRowContext(ctx, `INSERT INTO model_activities (model, version, kind, from_stage, to_stage, user_id, comment, system_comment, created_ms, updated_ms)
		VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?) RETURNING id`, v.model, v.version, a.kind, a.from, a.to, a.user, a.comment, a.systemComment, now, now).Scan(&id)
	return Activity{strconv.FormatInt(id, 10), a.kind, a.user, a.comment, a.systemComment, a.from, a.to, now, now}, err
}

// move puts a version into a stage and keeps who did it. The versions that were
// in it may be archived in the same step, so that there is no moment with two.
func (s *Service) move(ctx context.Context, q db.Querier, v versionRow, stage string, archive bool, a activity) error {
	now := s.millis()
	if archive {
		others, err := selectVersions(ctx, q, `WHERE v.model = ? AND v.current_stage = ? AND v.id != ?`, v.model, stage, v.id)
		if err != nil {
			return err
		}
		for _, o := range others.rows {
			if err := setStage(ctx, q, o, stageArchived, now); err != nil {
				return err
			}
			_, err := insertActivity(ctx, q, o, activity{kind: bySystem, from: stage, to: stageArchived, user: a.user,
				systemComment: fmt.Sprintf("Version %d moved to %s.", v.version, stage)}, now)
			if err != nil {
				return err
			}
			if err := s.tellStage(ctx, q, o, stageArchived); err != nil {
				return err
			}
		}
	}
	a.from, a.to = v.info.CurrentStage, stage
	if _, err := insertActivity(ctx, q, v, a, now); err != nil {
		return err
	}
	if err := setStage(ctx, q, v, stage, now); err != nil {
		return err
	}
	return s.tellStage(ctx, q, v, stage)
}

func checkArchive(archive bool, stage, given string) error {
	if archive && stage != stageStaging && stage != stageProduction {
		return rest.Invalid("Model version transition cannot archive existing model versions because '%s' is not an Active "+
			"stage. Valid stages are ['Staging', 'Production']", given)
	}
	return nil
}

func (s *Service) createRequest(ctx context.Context, in *requestRequest) (*requestResponse, error) {
	stage, err := canonicalStage(in.Stage)
	if err != nil {
		return nil, err
	}
	var out requestResponse
	err = s.onVersion(ctx, in.Name, in.Version, func(ctx context.Context, q db.Querier, v versionRow) error {
		now, user := s.millis(), rest.User(ctx)
		if v.info.CurrentStage == stage {
			return rest.Invalid("Version %d of model '%s' is in stage %s already.", v.version, in.Name, stage)
		}
		if _, err := insertActivity(ctx, q, v, activity{kind: requested, from: v.info.CurrentStage, to: stage, user: user, comment: in.Comment}, now); err != nil {
			return err
		}
		res, err := q.ExecContext(ctx, `INSERT INTO transition_requests (model, version, to_stage, user_id, comment, created_ms)
			VALUES (?, ?, ?, ?, ?, ?) ON CONFLICT DO NOTHING`, v.model, v.version, stage, user, in.Comment, now)
		if err != nil {
			return err
		}
		if n, err := res.RowsAffected(); err != nil || n == 0 {
			return errors.Join(err, rest.AlreadyExists("There is a request of %s already to move version %d of model '%s' to %s.", user, v.version, in.Name, stage))
		}
		out.Request = Request{requested, user, in.Comment, stage, now, actions}
		return s.tell(ctx, q, v.model, requestEntity, "CREATED", stageData(v, stage))
	})
	if err != nil {
		return nil, err
	}
	return &out, nil
}

// actions are what a viewer can do with an open request.
var actions = []string{"APPROVE_TRANSITION_REQUEST", "REJECT_TRANSITION_REQUEST", "CANCEL_TRANSITION_REQUEST"}

func openRequests(ctx context.Context, q db.Querier, v versionRow) ([]Request, error) {
	rows, err := q.QueryContext(ctx, `SELECT user_id, comment, to_stage, created_ms FROM transition_requests WHERE model = ? AND version = ? ORDER BY id`, v.model, v.version)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	var out []Request
	for rows.Next() {
		r := Request{ActivityType: requested, AvailableActions: actions}
		if err := rows.Scan(&r.UserID, &r.Comment, &r.ToStage, &r.CreationTimestamp); err != nil {
			return nil, err
		}
		out = append(out, r)
	}
	return out, rows.Err()
}

func (s *Service) listRequests(ctx context.Context, in *versionRequest) (*requestsResponse, error) {
	var out requestsResponse
	err := s.viewVersion(ctx, in.Name, in.Version, func(ctx context.Context, q db.Querier, v versionRow) (err error) {
		out.Requests, err = openRequests(ctx, q, v)
		return err
	})
	if err != nil {
		return nil, err
	}
	return &out, nil
}

// close answers the open requests for a stage, of one user or ("") of all.
func closeRequests(ctx context.Context, q db.Querier, v versionRow, stage, creator string) error {
	res, err := q.ExecContext(ctx, `DELETE FROM transition_requests WHERE model = ? AND version = ? AND to_stage = ? AND (? = '' OR user_id = ?)`,
		v.model, v.version, stage, creator, creator)
	if err != nil {
		return err
	}
	if n, err := res.RowsAffected(); err != nil || n == 0 {
		return errors.Join(err, rest.NotFound("There is no open request to move version %d of model '%s' to %s.", v.version, v.info.Name, stage))
	}
	return nil
}

func (s *Service) approve(ctx context.Context, in *requestRequest) (*activityResponse, error) {
	stage, err := canonicalStage(in.Stage)
	if err == nil {
		err = checkArchive(in.ArchiveExisting, stage, in.Stage)
	}
	if err != nil {
		return nil, err
	}
	return s.answerRequest(ctx, in, stage, "", func(ctx context.Context, q db.Querier, v versionRow) error {
		return s.move(ctx, q, v, stage, in.ArchiveExisting, activity{kind: approved, user: rest.User(ctx), comment: in.Comment})
	})
}

func (s *Service) reject(ctx context.Context, in *requestRequest) (*activityResponse, error) {
	return s.declineRequest(ctx, in, rejected, "")
}

func (s *Service) cancelRequest(ctx context.Context, in *requestRequest) (*activityResponse, error) {
	creator := in.Creator
	if creator == "" {
		creator = rest.User(ctx)
	}
	if creator != rest.User(ctx) {
		return nil, rest.Errorf(rest.PermissionDenied, "Only %s can cancel this request; others can reject it.", creator)
	}
	return s.declineRequest(ctx, in, cancelled, creator)
}

func (s *Service) declineRequest(ctx context.Context, in *requestRequest, kind, creator string) (*activityResponse, error) {
	stage, err := canonicalStage(in.Stage)
	if err != nil {
		return nil, err
	}
	return s.answerRequest(ctx, in, stage, creator, func(ctx context.Context, q db.Querier, v versionRow) error {
		_, err := insertActivity(ctx, q, v, activity{kind: kind, from: v.info.CurrentStage, to: stage, user: rest.User(ctx), comment: in.Comment}, s.millis())
		return err
	})
}

// answerRequest closes requests, runs fn in the same write, and answers with the newest activity.
func (s *Service) answerRequest(ctx context.Context, in *requestRequest, stage, creator string, fn func(context.Context, db.Querier, versionRow) error) (*activityResponse, error) {
	var out activityResponse
	err := s.onVersion(ctx, in.Name, in.Version, func(ctx context.Context, q db.Querier, v versionRow) error {
		if err := closeRequests(ctx, q, v, stage, creator); err != nil {
			return err
		}
		if err := fn(ctx, q, v); err != nil {
			return err
		}
		list, err := activitiesOf(ctx, q, v, 1)
		if err == nil {
			out.Activity = list[0]
		}
		return err
	})
	if err != nil {
		return nil, err
	}
	return &out, nil
}

// activitiesOf are the newest activities of a version, newest first.
func activitiesOf(ctx context.Context, q db.Querier, v versionRow, limit int) ([]Activity, error) {
	rows, err := q.QueryContext(ctx, `SELECT id, kind, user_id, comment, system_comment, from_stage, to_stage, created_ms, updated_ms
		FROM model_activities WHERE model = ? AND version = ? ORDER BY id DESC LIMIT ?`, v.model, v.version, limit)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	var out []Activity
	for rows.Next() {
		var a Activity
		if err := rows.Scan(&a.ID, &a.ActivityType, &a.UserID, &a.Comment, &a.SystemComment, &a.FromStage, &a.ToStage, &a.CreationTimestamp, &a.LastUpdatedTimestamp); err != nil {
			return nil, err
		}
		out = append(out, a)
	}
	return out, rows.Err()
}

const maxActivities = 1000

func (s *Service) activities(ctx context.Context, in *versionRequest) (*activitiesResponse, error) {
	var out activitiesResponse
	err := s.viewVersion(ctx, in.Name, in.Version, func(ctx context.Context, q db.Querier, v versionRow) (err error) {
		out.Activities, err = activitiesOf(ctx, q, v, maxActivities)
		return err
	})
	if err != nil {
		return nil, err
	}
	return &out, nil
}

func (s *Service) workspaceTransition(ctx context.Context, in *transitionRequest) (*workspaceVersionResponse, error) {
	moved, err := s.transition(ctx, in)
	if err != nil {
		return nil, err
	}
	requests, err := s.listRequests(ctx, &versionRequest{in.Name, in.Version})
	if err != nil {
		return nil, err
	}
	return &workspaceVersionResponse{workspaceVersion{moved.Version, requests.Requests, canManage}}, nil
}

func (s *Service) workspaceModel(ctx context.Context, in *modelRequest) (*workspaceModelResponse, error) {
	m, err := s.getModel(ctx, in)
	if err != nil {
		return nil, err
	}
	return &workspaceModelResponse{workspaceModel{m.Model, m.Model.Name, canManage}}, nil
}

var commentActions = []string{"EDIT_COMMENT", "DELETE_COMMENT"}

func (s *Service) createComment(ctx context.Context, in *commentRequest) (*commentResponse, error) {
	var out commentResponse
	err := s.onVersion(ctx, in.Name, in.Version, func(ctx context.Context, q db.Querier, v versionRow) error {
		a, err := insertActivity(ctx, q, v, activity{kind: newComment, user: rest.User(ctx), comment: in.Comment}, s.millis())
		if err != nil {
			return err
		}
		out.Comment = Comment{a.ID, a.UserID, a.Comment, a.CreationTimestamp, a.LastUpdatedTimestamp, commentActions}
		return s.tell(ctx, q, v.model, commentEntity, "CREATED", eventData{"name": in.Name, "version": in.Version, "comment": in.Comment})
	})
	if err != nil {
		return nil, err
	}
	return &out, nil
}

// onComment runs fn in a write for a comment of the one who asks.
func (s *Service) onComment(ctx context.Context, idText string, fn func(ctx context.Context, q db.Querier, id int64, c *Comment) error) error {
	id, err := strconv.ParseInt(idText, 10, 64)
	if err != nil {
		return rest.NotFound("There is no comment '%s'.", idText)
	}
	return s.db.Write(ctx, func(ctx context.Context, q db.Querier) error {
		c := Comment{ID: idText, AvailableActions: commentActions}
		err := q.QueryRowContext(ctx, `SELECT user_id, comment, created_ms FROM model_activities WHERE id = ? AND kind = ?`, id, newComment).
			Scan(&c.UserID, &c.Comment, &c.CreationTimestamp)
		switch {
		case errors.Is(err, sql.ErrNoRows):
			return rest.NotFound("There is no comment '%s'.", idText)
		case err != nil:
			return err
		case c.UserID != rest.User(ctx):
			return rest.Errorf(rest.PermissionDenied, "Only %s can change this comment.", c.UserID)
		}
		return fn(ctx, q, id, &c)
	})
}

func (s *Service) updateComment(ctx context.Context, in *commentIDRequest) (*commentResponse, error) {
	if in.Comment == "" {
		return nil, rest.MissingParameter("comment")
	}
	if len([]rune(in.Comment)) > maxComment {
		return nil, rest.Invalid("'comment' exceeds the maximum length of %d characters", maxComment)
	}
	var out commentResponse
	err := s.onComment(ctx, in.ID, func(ctx context.Context, q db.Querier, id int64, c *Comment) error {
		out.Comment = *c
		out.Comment.Comment, out.Comment.LastUpdatedTimestamp = in.Comment, s.millis()
		_, err := q.ExecContext(ctx, `UPDATE model_activities SET comment = ?, updated_ms = ? WHERE id = ?`, in.Comment, out.Comment.LastUpdatedTimestamp, id)
		return err
	})
	if err != nil {
		return nil, err
	}
	return &out, nil
}

func (s *Service) deleteComment(ctx context.Context, in *commentIDRequest) (*empty, error) {
	return nil, s.onComment(ctx, in.ID, func(ctx context.Context, q db.Querier, id int64, _ *Comment) error {
		_, err := q.ExecContext(ctx, `DELETE FROM model_activities WHERE id = ?`, id)
		return err
	})
}
