package registry

import (
	"context"
	"net/url"
	"path"
	"slices"
	"strconv"
	"strings"

	"github.com/millpond/millpond/internal/db"
	"github.com/millpond/millpond/internal/rest"
)

// source is where the artifacts of a new version come from: its address as the
// client gave it, whose they are, and where they can be read.
type source struct {
	uri      string
	location string
	runID    *string // nil if the client said nothing
	modelID  *string
}

// promptSources are what clients write for a prompt, which has no artifacts.
var promptSources = []string{"dummy-source", "prompt-template"}

func (src *source) checkPrompt() error {
	if !slices.Contains(promptSources, src.uri) {
		return rest.Invalid("Invalid prompt source: '%s'. Prompt sources must use an MLflow placeholder.", src.uri)
	}
	return nil
}

// settle checks that the source is the client's to register, so that nobody
// reads through a version what the run or model it belongs to would not show,
// and resolves where the artifacts are.
func (s *Service) settle(ctx context.Context, src *source) error {
	u, err := url.Parse(src.uri)
	if err != nil {
		return src.relative()
	}
	local := u.Scheme == "" || u.Scheme == "file"
	if local {
		owner, what := "run_id", "run"
		if deref(src.modelID) != "" {
			owner = "model_id"
		}
		return rest.Invalid("Invalid model version source: '%s'. To use a local path as a model version source, the %s request "+
			"parameter has to be specified and the local path has to be contained within the artifact directory of the %s specified by the %s.",
			src.uri, owner, what, owner)
	}
	if err := src.checkPath(); err != nil {
		return err
	}
	if u.Scheme == "models" {
		return s.settleModelURI(ctx, src, u)
	}
	if id := deref(src.modelID); id != "" {
		return s.settleModel(ctx, src, u, id)
	}
	return s.settleRun(ctx, src, u)
}

func (src *source) relative() error {
	return rest.Invalid("Invalid model version source: '%s'. If supplying a source as an http, https, local file path, ftp, "+
		"objectstore, or mlflow-artifacts uri, an absolute path must be provided without relative path references present. "+
		"Please provide an absolute path.", src.uri)
}

// checkPath refuses addresses that climb, also behind percent-encodings.
func (src *source) checkPath() error {
	for decoded := src.uri; ; {
		if strings.ContainsRune(decoded, 0) || slices.Contains(strings.Split(decoded, "/"), "..") || slices.Contains(strings.Split(decoded, "/"), ".") {
			return src.relative()
		}
		next, err := url.PathUnescape(decoded)
		if err != nil || next == decoded {
			return nil
		}
		decoded = next
	}
}

func (src *source) notOwned(parameter string) error {
	return rest.Invalid("Invalid model version source: '%s'. The %s request parameter must identify the resource that contains the source.",
		src.uri, parameter)
}

// settleRun checks a source that belongs to a run, or to nobody here.
func (s *Service) settleRun(ctx context.Context, src *source, u *url.URL) error {
	runID := deref(src.runID)
	if u.Scheme == "runs" {
		id, _, _ := strings.Cut(strings.TrimPrefix(u.Path, "/"), "/")
		if u.Host != "" || runID == "" || id != runID {
			return src.notOwned("run_id")
		}
		return nil
	}
	if !isProxied(u) {
		return nil
	}
	if runID == "" {
		return src.notOwned("run_id")
	}
	root, err := s.tracking.RunLocation(ctx, runID)
	if rest.IsCode(err, rest.ResourceDoesNotExist) || err == nil && !within(src.uri, root) {
		return src.notOwned("run_id")
	}
	return err
}

// settleModel checks a source that belongs to a logged model.
func (s *Service) settleModel(ctx context.Context, src *source, u *url.URL, id string) error {
	if u.Scheme == "runs" {
		return src.notOwned("model_id")
	}
	root, run, err := s.tracking.ModelLocation(ctx, id)
	if rest.IsCode(err, rest.ResourceDoesNotExist) || err == nil && isProxied(u) && !within(src.uri, root) {
		return src.notOwned("model_id")
	}
	if err == nil && deref(src.runID) == "" {
		src.runID = &run
	}
	return err
}

// settleModelURI resolves models:/<logged model>, models:/<name>/<version>,
// models:/<name>/<stage> and models:/<name>@<alias>.
func (s *Service) settleModelURI(ctx context.Context, src *source, u *url.URL) error {
	parts := strings.Split(strings.TrimPrefix(u.Path, "/"), "/")
	if u.Host != "" || !strings.HasPrefix(u.Path, "/") || len(parts) > 2 || strings.TrimSpace(parts[0]) == "" || len(parts) == 2 && parts[1] == "" {
		return src.notOwned("model_id")
	}
	name, alias, aliased := strings.Cut(parts[0], "@")
	if len(parts) == 1 && !aliased {
		if deref(src.modelID) != parts[0] {
			return src.notOwned("model_id")
		}
		root, run, err := s.tracking.ModelLocation(ctx, parts[0])
		if rest.IsCode(err, rest.ResourceDoesNotExist) {
			return src.notOwned("model_id")
		}
		src.location = root
		if err == nil && deref(src.runID) == "" {
			src.runID = &run
		}
		return err
	}
	return s.db.View(ctx, func(ctx context.Context, q db.Querier) error {
		if len(parts) == 2 {
			name = parts[0]
		}
		var suffix string
		if len(parts) == 2 {
			suffix = parts[1]
		}
		v, err := resolveVersion(ctx, q, name, suffix, alias)
		if err != nil {
			return err
		}
		tags, err := tagsOf(ctx, q, modelTags, idList([]int64{v.model}))
		if err != nil {
			return err
		}
		if isPrompt(tags[v.model]) {
			return rest.Invalid("Invalid model version source: '%s'. Prompt versions cannot be used as model version sources.", src.uri)
		}
		return src.copyOf(v)
	})
}

// copyOf makes the source another version, whose owner it shares.
func (src *source) copyOf(v versionRow) error {
	if src.runID != nil && *src.runID != v.info.RunID || src.modelID != nil && *src.modelID != v.info.ModelID {
		return rest.Invalid("Invalid model version source: '%s'. The run_id and model_id request parameters must match the "+
			"referenced model version.", src.uri)
	}
	src.uri = "models:/" + v.info.Name + "/" + v.info.Version
	src.location, src.runID, src.modelID = v.location, &v.info.RunID, &v.info.ModelID
	return nil
}

// resolveVersion finds a version by number, stage, "latest" or alias.
func resolveVersion(ctx context.Context, q db.Querier, name, suffix, alias string) (versionRow, error) {
	if n, err := strconv.ParseInt(suffix, 10, 64); err == nil {
		return findVersion(ctx, q, name, n)
	}
	if alias != "" {
		id, err := versionByAlias(ctx, q, name, alias)
		if err != nil {
			return versionRow{}, err
		}
		return versionByRow(ctx, q, id)
	}
	model, err := modelID(ctx, q, name)
	if err != nil {
		return versionRow{}, err
	}
	stage := ""
	if !strings.EqualFold(suffix, "latest") {
		if stage, err = canonicalStage(suffix); err != nil {
			return versionRow{}, err
		}
	}
	id, found, err := newestVersion(ctx, q, model, stage)
	if err == nil && !found {
		err = rest.NotFound("No versions of model with name '%s' and stage '%s' found", name, suffix)
	}
	if err != nil {
		return versionRow{}, err
	}
	return versionByRow(ctx, q, id)
}

// isProxied reports whether an address goes through an artifact proxy.
func isProxied(u *url.URL) bool {
	return strings.EqualFold(u.Scheme, "mlflow-artifacts") || strings.Contains(path.Clean(u.Path), "/api/2.0/mlflow-artifacts/artifacts")
}

// within reports whether an address lies at or below a root.
func within(address, root string) bool {
	a, err := url.Parse(address)
	if err != nil {
		return false
	}
	r, err := url.Parse(root)
	if err != nil {
		return false
	}
	as := strings.FieldsFunc(a.Path, func(c rune) bool { return c == '/' })
	rs := strings.FieldsFunc(r.Path, func(c rune) bool { return c == '/' })
	return strings.EqualFold(a.Scheme, r.Scheme) && strings.EqualFold(a.Host, r.Host) &&
		len(rs) > 0 && len(as) >= len(rs) && slices.Equal(as[:len(rs)], rs)
}
