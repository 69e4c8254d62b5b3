package databricks

import (
	"context"
	"path"

	"github.com/millpond/millpond/internal/artifact"
)

// Clients that do not use the Files API ask for an address to send or read each
// file at. The addresses are this server's own, with the client's credentials.

type (
	runCredentialsRequest struct {
		RunID string   `json:"run_id" mlflow:"required"`
		Path  []string `json:"path"`
	}
	modelCredentialsRequest struct {
		ModelID string   `json:"model_id"`
		Paths   []string `json:"paths"`
	}
	traceCredentialsRequest struct {
		RequestID string `json:"request_id"`
		Path      string `json:"path"`
	}
	credential struct {
		RunID     string   `json:"run_id,omitempty"`
		Path      string   `json:"path"`
		SignedURI string   `json:"signed_uri"`
		Headers   []header `json:"headers,omitempty"`
		Type      string   `json:"type"`
	}
	credentialsResponse struct {
		Infos []credential `json:"credential_infos,omitempty"`
	}
	modelCredentialsResponse struct {
		Infos []modelCredential `json:"credentials,omitempty"`
	}
	modelCredential struct {
		Info credential `json:"credential_info"`
	}
	credentialResponse struct {
		Info credential `json:"credential_info"`
	}
	versionRequest struct {
		Name    string `json:"name" mlflow:"required"`
		Version string `json:"version" mlflow:"required"`
		Path    string `json:"path"`
	}
	file struct {
		Path     string `json:"path"`
		IsDir    bool   `json:"is_dir"`
		FileSize *int64 `json:"file_size,omitempty"`
	}
	filesResponse struct {
		Files []file `json:"files,omitempty"`
	}
	signedResponse struct {
		SignedURI string   `json:"signed_uri"`
		Headers   []header `json:"headers"`
	}
)

// presigned is the kind of address that takes a plain PUT or GET.
const presigned = "AWS_PRESIGNED_URL"

// address is where to send or read a file below an artifact address.
func (s *Service) address(ctx context.Context, location, name string) (credential, error) {
	store, err := s.tracking.ArtifactPath(location, name)
	if err != nil {
		return credential{}, err
	}
	base, headers := origin(ctx)
	return credential{Path: name, SignedURI: base + "/api/2.0/mlflow-artifacts/artifacts/" + escapePath("/" + store)[1:], Headers: headers, Type: presigned}, nil
}

func (s *Service) runCredentials(ctx context.Context, in *runCredentialsRequest) (*credentialsResponse, error) {
	location, err := s.tracking.RunLocation(ctx, in.RunID)
	if err != nil {
		return nil, err
	}
	var out credentialsResponse
	for _, name := range in.Path {
		c, err := s.address(ctx, location, name)
		if err != nil {
			return nil, err
		}
		c.RunID = in.RunID
		out.Infos = append(out.Infos, c)
	}
	return &out, nil
}

func (s *Service) modelCredentials(ctx context.Context, in *modelCredentialsRequest) (*modelCredentialsResponse, error) {
	location, _, err := s.tracking.ModelLocation(ctx, in.ModelID)
	if err != nil {
		return nil, err
	}
	var out modelCredentialsResponse
	for _, name := range in.Paths {
		c, err := s.address(ctx, location, name)
		if err != nil {
			return nil, err
		}
		out.Infos = append(out.Infos, modelCredential{c})
	}
	return &out, nil
}

func (s *Service) traceCredentials(ctx context.Context, in *traceCredentialsRequest) (*credentialResponse, error) {
	location, err := s.traces.TraceLocation(ctx, in.RequestID)
	if err != nil {
		return nil, err
	}
	if in.Path == "" {
		in.Path = "traces.json"
	}
	c, err := s.address(ctx, location, in.Path)
	if err != nil {
		return nil, err
	}
	return &credentialResponse{c}, nil
}

// listVersion and signVersion are how clients of the workspace's registry read versions.

func (s *Service) listVersion(ctx context.Context, in *versionRequest) (*filesResponse, error) {
	location, _, err := s.registry.VersionLocation(ctx, in.Name, in.Version)
	if err != nil {
		return nil, err
	}
	store, err := s.tracking.ArtifactPath(location, in.Path)
	if err != nil {
		return nil, err
	}
	entries, err := s.files.List(ctx, store)
	if err != nil {
		return nil, fileError(err, in.Path)
	}
	var out filesResponse
	for _, e := range entries {
		f := file{Path: path.Join(in.Path, path.Base(e.Path)), IsDir: e.IsDir}
		if !e.IsDir {
			f.FileSize = &e.Size
		}
		out.Files = append(out.Files, f)
	}
	return &out, nil
}

func (s *Service) signVersion(ctx context.Context, in *versionRequest) (*signedResponse, error) {
	location, _, err := s.registry.VersionLocation(ctx, in.Name, in.Version)
	if err != nil {
		return nil, err
	}
	if in.Path == "" {
		return nil, fileError(artifact.ErrIsDir, "/")
	}
	c, err := s.address(ctx, location, in.Path)
	if err != nil {
		return nil, err
	}
	return &signedResponse{c.SignedURI, c.Headers}, nil
}
