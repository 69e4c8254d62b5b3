package databricks

import (
	"context"
	"path"
	"slices"
	"strconv"
	"strings"

	"github.com/millpond/millpond/internal/rest"
)

// The workspace's tree holds the experiments: their names are paths.

type (
	pathRequest struct {
		Path string `json:"path" mlflow:"required"`
	}
	object struct {
		ObjectType string `json:"object_type"`
		Path       string `json:"path"`
		ObjectID   int64  `json:"object_id,omitempty"`
		ResourceID string `json:"resource_id,omitempty"`
	}
	objectsResponse struct {
		Objects []object `json:"objects,omitempty"`
	}
)

func directory(p string) *object { return &object{ObjectType: "DIRECTORY", Path: p} }

func experiment(p, id string) *object {
	n, _ := strconv.ParseInt(id, 10, 64) // our own ids are numbers
	return &object{"MLFLOW_EXPERIMENT", p, n, id}
}

// isStanding reports whether a directory is there without an experiment in it.
func isStanding(p string, user string) bool {
	return slices.Contains([]string{"/", "/Users", "/Shared", "/Users/" + user}, p)
}

func (s *Service) workspaceStatus(ctx context.Context, in *pathRequest) (*object, error) {
	p := path.Clean("/" + in.Path)
	names, err := s.tracking.ExperimentNames(ctx, p)
	if err != nil {
		return nil, err
	}
	if id, ok := names[p]; ok {
		return experiment(p, id), nil
	}
	for name := range names {
		if strings.HasPrefix(name, p+"/") {
			return directory(p), nil
		}
	}
	if isStanding(p, rest.User(ctx)) {
		return directory(p), nil
	}
	return nil, rest.NotFound("Path (%s) doesn't exist.", in.Path)
}

func (s *Service) workspaceList(ctx context.Context, in *pathRequest) (*objectsResponse, error) {
	p := path.Clean("/" + in.Path)
	names, err := s.tracking.ExperimentNames(ctx, p)
	if err != nil {
		return nil, err
	}
	below := strings.TrimSuffix(p, "/") + "/"
	found := map[string]object{}
	for name, id := range names {
		inside, ok := strings.CutPrefix(name, below)
		if !ok {
			continue
		}
		first, _, deeper := strings.Cut(inside, "/")
		if deeper {
			found[below+first] = *directory(below + first)
		} else {
			found[name] = *experiment(name, id)
		}
	}
	if len(found) == 0 {
		if _, err := s.workspaceStatus(ctx, in); err != nil {
			return nil, err
		}
	}
	var out objectsResponse
	for _, o := range found {
		out.Objects = append(out.Objects, o)
	}
	slices.SortFunc(out.Objects, func(a, b object) int { return strings.Compare(a.Path, b.Path) })
	return &out, nil
}

// Keep leaves the experiments that the user may see; see [rest.Filtered].
func (r *objectsResponse) Keep(may func(kind, id string) bool) {
	r.Objects = slices.DeleteFunc(r.Objects, func(o object) bool { return o.ResourceID != "" && !may(rest.KindExperiment, o.ResourceID) })
}
