package databricks

import (
	"context"
	"errors"
	"strings"

	"github.com/millpond/millpond/internal/artifact"
	"github.com/millpond/millpond/internal/rest"
)

// target is what a path of the Files API means here.
type target struct {
	path     string // as the client writes it
	location string // the artifact address it lies below
	name     string // below that address
	store    string // in the artifact store
	readOnly bool
}

// resolve finds what an absolute path means:
//
//	/WorkspaceInternal/Mlflow/Artifacts/<experiment>/Runs/<run>/artifacts/...
//	/WorkspaceInternal/Mlflow/Artifacts/<experiment>/LoggedModels/<model>/artifacts/...
//	/Models/<catalog>/<schema>/<model>/<version>/...
//	/Volumes/<catalog>/<schema>/<volume>/...
func (s *Service) resolve(ctx context.Context, path string) (*target, error) {
	path = "/" + strings.Trim(path, "/")
	parts := strings.Split(path[1:], "/")
	t := &target{path: path}
	var err error
	switch {
	case len(parts) >= 6 && strings.HasPrefix(path, "/WorkspaceInternal/Mlflow/Artifacts/"):
		id := parts[5]
		switch parts[4] {
		case "Runs":
			t.location, err = s.tracking.RunLocation(ctx, id)
		case "LoggedModels":
			t.location, _, err = s.tracking.ModelLocation(ctx, id)
		default:
			return nil, noPath(path)
		}
		if len(parts) > 6 && parts[6] != "artifacts" {
			return nil, noPath(path)
		}
		t.name = strings.Join(parts[min(7, len(parts)):], "/")
	case parts[0] == "Models" && len(parts) >= 5:
		var open bool
		t.location, open, err = s.registry.VersionLocation(ctx, strings.Join(parts[1:4], "."), parts[4])
		t.readOnly = !open
		t.name = strings.Join(parts[5:], "/")
	case parts[0] == "Volumes" && len(parts) >= 4:
		t.location = "mlflow-artifacts:/volumes/" + strings.Join(parts[1:4], "/")
		t.name = strings.Join(parts[4:], "/")
	default:
		return nil, noPath(path)
	}
	if err == nil {
		t.store, err = s.tracking.ArtifactPath(t.location, t.name)
	}
	return t, err
}

func noPath(path string) error {
	return rest.Errorf("NOT_FOUND", "The path %s does not exist: there are /Volumes/<catalog>/<schema>/<volume>, /Models and MLflow's artifacts.", path)
}

// writable resolves a path that the client wants to change.
func (s *Service) writable(ctx context.Context, path string) (*target, error) {
	t, err := s.resolve(ctx, path)
	if err == nil && t.readOnly {
		err = rest.Errorf(rest.PermissionDenied, "The files of a model version do not change after it has been finalized: %s", path)
	}
	return t, err
}

// fileError turns an artifact store's error into an answer.
func fileError(err error, path string) error {
	switch {
	case errors.Is(err, artifact.ErrInvalidPath):
		return rest.Invalid("Invalid path: %s", path)
	case errors.Is(err, artifact.ErrNotExist):
		return rest.Errorf("NOT_FOUND", "The file or directory %s does not exist.", path)
	case errors.Is(err, artifact.ErrIsDir):
		return rest.Invalid("The path %s is a directory.", path)
	case errors.Is(err, artifact.ErrNoUpload):
		return rest.Errorf("NOT_FOUND", "There is no such upload: it was completed, aborted, or is too old.")
	case errors.Is(err, artifact.ErrBadPart):
		return rest.Invalid("%s", err)
	}
	return err
}
