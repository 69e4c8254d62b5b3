package access

import (
	"context"
	"database/sql"
	"errors"
	"time"

	"github.com/millpond/millpond/internal/db"
	"github.com/millpond/millpond/internal/rest"
)

// Routes lists the service's endpoints: MLflow's for users and permissions,
// Databricks' for tokens.
func (s *Service) Routes() []rest.Route {
	const u, t = "users/", "/api/2.0/token/"
	out := rest.Under([]string{"/api/2.0/mlflow/", "/ajax-api/2.0/mlflow/"},
		rest.Op("POST", u+"create", "createUser", s.createUser),
		rest.Op("GET", u+"get", "getUser", s.getUser),
		rest.Op("GET", u+"list", "listUsers", s.listUsers),
		rest.Op("GET", u+"current", "getAccount", s.currentUser),
		rest.Op("PATCH", u+"update-password", "updatePassword", s.updatePassword),
		rest.Op("PATCH", u+"update-admin", "updateAdmin", s.updateAdmin),
		rest.Op("DELETE", u+"delete", "deleteUser", s.deleteUser),
		rest.Op("POST", "experiments/permissions/create", "createExperimentPermission", s.grantExperiment),
		rest.Op("GET", "experiments/permissions/get", "getExperimentPermission", s.getExperimentPermission),
		rest.Op("PATCH", "experiments/permissions/update", "updateExperimentPermission", s.grantExperiment),
		rest.Op("DELETE", "experiments/permissions/delete", "deleteExperimentPermission", s.revokeExperiment),
		rest.Op("POST", "registered-models/permissions/create", "createModelPermission", s.grantModel),
		rest.Op("GET", "registered-models/permissions/get", "getModelPermission", s.getModelPermission),
		rest.Op("PATCH", "registered-models/permissions/update", "updateModelPermission", s.grantModel),
		rest.Op("DELETE", "registered-models/permissions/delete", "deleteModelPermission", s.revokeModel),
	)
	out = append(out, rest.Under([]string{"/api/3.0/mlflow/users/permissions/", "/ajax-api/3.0/mlflow/users/permissions/"},
		rest.Op("POST", "grant", "grantUserPermission", s.grantPermission),
		rest.Op("POST", "revoke", "revokeUserPermission", s.revokePermission),
		rest.Op("GET", "get", "getUserPermission", s.getPermission),
		rest.Op("GET", "list", "listUserPermissions", s.listPermissions),
	)...)
	return append(out,
		rest.Op("POST", t+"create", "createToken", s.createToken),
		rest.Op("GET", t+"list", "listTokens", s.listTokens),
		rest.Op("POST", t+"delete", "deleteToken", s.deleteToken),
		rest.Op("GET", "/api/2.0/millpond/audit", "listAudit", s.listAudit),
	)
}

type (
	userRequest struct {
		Name string `json:"username" mlflow:"required"`
	}
	createUserRequest struct {
		Name     string `json:"username" mlflow:"required"`
		Password string `json:"password" mlflow:"required"`
	}
	updateAdminRequest struct {
		Name  string `json:"username" mlflow:"required"`
		Admin *bool  `json:"is_admin"`
	}
	user struct {
		ID         int64        `json:"id"`
		Name       string       `json:"username"`
		Admin      bool         `json:"is_admin"`
		Experiment []permission `json:"experiment_permissions"`
		Model      []permission `json:"registered_model_permissions"`
	}
	userResponse struct {
		User user `json:"user"`
	}
	usersResponse struct {
		Users []Account `json:"users"`
	}
	// permission names its thing as MLflow does: an experiment by its id, a model by its name.
	permission struct {
		ExperimentID string `json:"experiment_id,omitempty"`
		Name         string `json:"name,omitempty"`
		ResourceType string `json:"resource_type,omitempty"`
		ResourceID   string `json:"resource_id,omitempty"`
		UserID       int64  `json:"user_id"`
		Permission   string `json:"permission"`
	}
	permissionRequest struct {
		User         string `json:"username" mlflow:"required"`
		ResourceType string `json:"resource_type" mlflow:"required"`
		ResourceID   string `json:"resource_id" mlflow:"required"`
		Permission   string `json:"permission"`
	}
	experimentPermissionRequest struct {
		ExperimentID string `json:"experiment_id" mlflow:"required"`
		User         string `json:"username" mlflow:"required"`
		Permission   string `json:"permission"`
	}
	modelPermissionRequest struct {
		Name       string `json:"name" mlflow:"required"`
		User       string `json:"username" mlflow:"required"`
		Permission string `json:"permission"`
	}
	allowedResponse struct {
		Allowed    bool   `json:"allowed"`
		Permission string `json:"permission"`
	}
	experimentPermissionResponse struct {
		Permission permission `json:"experiment_permission"`
	}
	modelPermissionResponse struct {
		Permission permission `json:"registered_model_permission"`
	}
	permissionsResponse struct {
		Permissions []permission `json:"permissions"`
	}
	createTokenRequest struct {
		Comment  string     `json:"comment"`
		Lifetime rest.Int64 `json:"lifetime_seconds"`
	}
	createTokenResponse struct {
		Value string `json:"token_value"`
		Info  Token  `json:"token_info"`
	}
	tokensResponse struct {
		Tokens []Token `json:"token_infos"`
	}
	deleteTokenRequest struct {
		ID rest.Int64 `json:"token_id"`
	}
	empty struct{}
)

// named is what a request about permissions is about.
func named(in any) []resource {
	switch in := in.(type) {
	case *permissionRequest:
		return []resource{in.thing()}
	case *experimentPermissionRequest:
		return []resource{{experiment, in.ExperimentID}}
	case *modelPermissionRequest:
		return []resource{{model, in.Name}}
	}
	return []resource{adminOnly}
}

// thing is what a permission is on; prompts are kept among the models.
func (in *permissionRequest) thing() resource {
	if in.ResourceType == "prompt" {
		return resource{model, in.ResourceID}
	}
	return resource{in.ResourceType, in.ResourceID}
}

func (s *Service) createUser(ctx context.Context, in *createUserRequest) (*userResponse, error) {
	u, err := s.AddUser(ctx, in.Name, in.Password, false)
	if err != nil {
		return nil, err
	}
	return &userResponse{user{ID: u.ID, Name: u.Name, Experiment: []permission{}, Model: []permission{}}}, nil
}

func (s *Service) describe(ctx context.Context, name string) (*userResponse, error) {
	u, _, err := userByName(ctx, s.db.Reader(), name)
	if err != nil {
		return nil, err
	}
	all, err := s.permissionsOf(ctx, u)
	if err != nil {
		return nil, err
	}
	out := user{ID: u.ID, Name: u.Name, Admin: u.Admin, Experiment: []permission{}, Model: []permission{}}
	for _, p := range all {
		switch p.ResourceType {
		case experiment:
			out.Experiment = append(out.Experiment, permission{ExperimentID: p.ResourceID, UserID: u.ID, Permission: p.Permission})
		case model:
			out.Model = append(out.Model, permission{Name: p.ResourceID, UserID: u.ID, Permission: p.Permission})
		}
	}
	return &userResponse{out}, nil
}

func (s *Service) permissionsOf(ctx context.Context, u *User) ([]permission, error) {
	rows, err := s.db.Reader().QueryContext(ctx, `SELECT resource_type, resource_id, permission FROM permissions WHERE user_id = ? ORDER BY resource_type, resource_id`, u.ID)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	out := []permission{}
	for rows.Next() {
		p := permission{UserID: u.ID}
		if err := rows.Scan(&p.ResourceType, &p.ResourceID, &p.Permission); err != nil {
			return nil, err
		}
		out = append(out, p)
	}
	return out, rows.Err()
}

func (s *Service) getUser(ctx context.Context, in *userRequest) (*userResponse, error) {
	return s.describe(ctx, in.Name)
}

func (s *Service) currentUser(ctx context.Context, _ *empty) (*userResponse, error) {
	return s.describe(ctx, rest.User(ctx))
}

func (s *Service) listUsers(ctx context.Context, _ *empty) (*usersResponse, error) {
	users, err := s.Users(ctx)
	return &usersResponse{users}, err
}

// updatePassword is for administrators, and for everybody's own.
func (s *Service) updatePassword(ctx context.Context, in *createUserRequest) (*empty, error) {
	if u := userOf(ctx); u != nil && !u.Admin && u.Name != in.Name {
		return nil, denied()
	}
	return nil, s.SetPassword(ctx, in.Name, in.Password)
}

func (s *Service) updateAdmin(ctx context.Context, in *updateAdminRequest) (*empty, error) {
	if in.Admin == nil {
		return nil, rest.MissingParameter("is_admin")
	}
	return nil, s.SetAdmin(ctx, in.Name, *in.Admin)
}

func (s *Service) deleteUser(ctx context.Context, in *userRequest) (*empty, error) {
	return nil, s.RemoveUser(ctx, in.Name)
}

// set gives a user a permission.
func (s *Service) set(ctx context.Context, name string, r resource, text string) (*permission, error) {
	level, err := ParseLevel(text)
	if err != nil {
		return nil, err
	}
	if r.kind != experiment && r.kind != model && r.kind != volume {
		return nil, rest.Invalid("Invalid resource type '%s'. Valid types are: experiment, registered_model, prompt, volume", r.kind)
	}
	p := &permission{Permission: text}
	err = s.onUser(ctx, name, func(ctx context.Context, q db.Querier, u *User) error {
		p.UserID = u.ID
		return grant(ctx, q, u.ID, r, level)
	})
	return p, err
}

func (s *Service) unset(ctx context.Context, name string, r resource) error {
	return s.onUser(ctx, name, func(ctx context.Context, q db.Querier, u *User) error {
		res, err := q.ExecContext(ctx, `DELETE FROM permissions WHERE user_id = ? AND resource_type = ? AND resource_id = ?`, u.ID, r.kind, r.id)
		if err != nil {
			return err
		}
		if n, err := res.RowsAffected(); err != nil || n == 0 {
			return errors.Join(err, rest.NotFound("User %s has no permission of its own on %s %s.", name, r.kind, r.id))
		}
		return nil
	})
}

// own is a permission that a user has been given.
func (s *Service) own(ctx context.Context, name string, r resource) (*permission, error) {
	u, _, err := userByName(ctx, s.db.Reader(), name)
	if err != nil {
		return nil, err
	}
	p := &permission{UserID: u.ID}
	err = s.db.Reader().QueryRowContext(ctx, `SELECT permission FROM permissions WHERE user_id = ? AND resource_type = ? AND resource_id = ?`, u.ID, r.kind, r.id).Scan(&p.Permission)
	if errors.Is(err, sql.ErrNoRows) {
		err = rest.NotFound("User %s has no permission of its own on %s %s.", name, r.kind, r.id)
	}
	return p, err
}

func (s *Service) grantPermission(ctx context.Context, in *permissionRequest) (*empty, error) {
	_, err := s.set(ctx, in.User, in.thing(), in.Permission)
	return nil, err
}

func (s *Service) revokePermission(ctx context.Context, in *permissionRequest) (*empty, error) {
	return nil, s.unset(ctx, in.User, in.thing())
}

// getPermission tells what a user may do, given or by default.
func (s *Service) getPermission(ctx context.Context, in *permissionRequest) (*allowedResponse, error) {
	u, _, err := userByName(ctx, s.db.Reader(), in.User)
	if err != nil {
		return nil, err
	}
	level, err := s.level(ctx, s.db.Reader(), u, in.thing())
	return &allowedResponse{level >= Use, level.String()}, err
}

func (s *Service) listPermissions(ctx context.Context, in *userRequest) (*permissionsResponse, error) {
	u, _, err := userByName(ctx, s.db.Reader(), in.Name)
	if err != nil {
		return nil, err
	}
	list, err := s.permissionsOf(ctx, u)
	return &permissionsResponse{list}, err
}

func (s *Service) grantExperiment(ctx context.Context, in *experimentPermissionRequest) (*experimentPermissionResponse, error) {
	p, err := s.set(ctx, in.User, resource{experiment, in.ExperimentID}, in.Permission)
	if err != nil {
		return nil, err
	}
	p.ExperimentID = in.ExperimentID
	return &experimentPermissionResponse{*p}, nil
}

func (s *Service) getExperimentPermission(ctx context.Context, in *experimentPermissionRequest) (*experimentPermissionResponse, error) {
	p, err := s.own(ctx, in.User, resource{experiment, in.ExperimentID})
	if err != nil {
		return nil, err
	}
	p.ExperimentID = in.ExperimentID
	return &experimentPermissionResponse{*p}, nil
}

func (s *Service) revokeExperiment(ctx context.Context, in *experimentPermissionRequest) (*empty, error) {
	return nil, s.unset(ctx, in.User, resource{experiment, in.ExperimentID})
}

func (s *Service) grantModel(ctx context.Context, in *modelPermissionRequest) (*modelPermissionResponse, error) {
	p, err := s.set(ctx, in.User, resource{model, in.Name}, in.Permission)
	if err != nil {
		return nil, err
	}
	p.Name = in.Name
	return &modelPermissionResponse{*p}, nil
}

func (s *Service) getModelPermission(ctx context.Context, in *modelPermissionRequest) (*modelPermissionResponse, error) {
	p, err := s.own(ctx, in.User, resource{model, in.Name})
	if err != nil {
		return nil, err
	}
	p.Name = in.Name
	return &modelPermissionResponse{*p}, nil
}

func (s *Service) revokeModel(ctx context.Context, in *modelPermissionRequest) (*empty, error) {
	return nil, s.unset(ctx, in.User, resource{model, in.Name})
}

func (s *Service) createToken(ctx context.Context, in *createTokenRequest) (*createTokenResponse, error) {
	if in.Lifetime < 0 || in.Lifetime > 100*365*24*3600 {
		return nil, rest.InvalidValue("lifetime_seconds", in.Lifetime, "")
	}
	secret, t, err := s.NewToken(ctx, rest.User(ctx), in.Comment, time.Duration(in.Lifetime)*time.Second)
	if err != nil {
		return nil, err
	}
	return &createTokenResponse{secret, t}, nil
}

func (s *Service) listTokens(ctx context.Context, _ *empty) (*tokensResponse, error) {
	tokens, err := s.Tokens(ctx, rest.User(ctx))
	return &tokensResponse{tokens}, err
}

func (s *Service) deleteToken(ctx context.Context, in *deleteTokenRequest) (*empty, error) {
	return nil, s.RevokeToken(ctx, int64(in.ID), rest.User(ctx))
}
