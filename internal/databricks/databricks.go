// Package databricks answers what Databricks' clients ask of a workspace beside
// MLflow's API: how they sign in, who they are, where their experiments are, and
// the Files API, by which they send and read artifacts.
//
// In come requests of databricks-sdk and of MLflow with a tracking address of
// "databricks"; out go Databricks' answers and error codes. It keeps nothing of
// its own: files are the artifact store's, and whose they are it asks tracking
// and registry through small interfaces. What the workspace lacks stays an
// honest ENDPOINT_NOT_FOUND.
package databricks

import (
	"context"
	"net/http"
	"time"

	"github.com/millpond/millpond/internal/artifact"
	"github.com/millpond/millpond/internal/rest"
)

// Tracking is what is asked of the tracking server. The errors are answers.
type Tracking interface {
	// RunLocation tells where the artifacts of a run are.
	RunLocation(ctx context.Context, runID string) (string, error)
	// ModelLocation tells where a logged model's artifacts are.
	ModelLocation(ctx context.Context, modelID string) (location, sourceRun string, err error)
	// ArtifactPath is where the artifact store keeps a file below an address.
	ArtifactPath(location, name string) (string, error)
	// SendArtifact answers a request with one file below an address.
	SendArtifact(w http.ResponseWriter, r *http.Request, location, name string) error
	// ExperimentNames lists experiments by the beginning of their names.
	ExperimentNames(ctx context.Context, prefix string) (map[string]string, error)
}

// Registry is what is asked of the model registry.
type Registry interface {
	// VersionLocation tells where the files of a version are, and whether they may still be sent.
	VersionLocation(ctx context.Context, name, version string) (location string, open bool, err error)
}

// Traces is what is asked of the store of traces.
type Traces interface {
	// TraceLocation tells where the files of a trace are.
	TraceLocation(ctx context.Context, traceID string) (string, error)
}

// Clients knows the programs that sign in by OAuth.
type Clients interface {
	// ClientToken gives a program a token that lives for a while, "" if its name and secret do not fit.
	ClientToken(r *http.Request, id, secret string) (token string, life time.Duration, err error)
}

// Service answers the requests.
type Service struct {
	tracking Tracking
	registry Registry
	traces   Traces
	files    *artifact.Store
	clients  Clients // nil if everybody may do everything
}

// New makes the service. Without clients every program may sign in.
func New(tracking Tracking, registry Registry, traces Traces, files *artifact.Store, clients Clients) *Service {
	return &Service{tracking, registry, traces, files, clients}
}

// Mount adds the service's routes to the mux.
func (s *Service) Mount(mux *rest.Mux) { mux.Handle(s.Routes()...) }

// Routes lists the service's endpoints.
func (s *Service) Routes() []rest.Route {
	const fs, mlflow = "/api/2.0/fs/", "/api/2.0/mlflow/"
	return []rest.Route{
		rest.Raw("GET", "/.well-known/databricks-config", "getHostMetadata", hostMetadata),
		rest.Raw("GET", "/oidc/.well-known/oauth-authorization-server", "getAuthorizationServer", authorizationServer),
		rest.Raw("POST", "/oidc/v1/token", "getClientToken", s.clientToken),
		rest.Raw("GET", "/api/2.0/preview/scim/v2/Me", "getCurrentUser", currentUser),
		rest.Op("GET", "/api/2.0/workspace/get-status", "getWorkspaceStatus", s.workspaceStatus),
		rest.Op("GET", "/api/2.0/workspace/list", "listWorkspace", s.workspaceList),

		rest.Raw("GET", fs+"files/{path...}", "downloadFile", s.download),
		rest.Raw("PUT", fs+"files/{path...}", "uploadFile", s.upload),
		rest.Raw("DELETE", fs+"files/{path...}", "deleteFile", s.deleteFile),
		rest.Raw("POST", fs+"files/{path...}", "multipartUpload", s.multipart),
		rest.Op("POST", fs+"create-upload-part-urls", "createUploadPartUrls", s.partURLs),
		rest.Op("POST", fs+"create-abort-upload-url", "createAbortUploadUrl", s.abortURL),
		rest.Raw("DELETE", fs+"uploads/{upload_id}/{path...}", "abortUpload", s.abort),
		rest.Raw("GET", fs+"directories/{path...}", "listDirectory", s.listDirectory),
		rest.Raw("PUT", fs+"directories/{path...}", "createDirectory", s.createDirectory),
		rest.Raw("DELETE", fs+"directories/{path...}", "deleteDirectory", s.deleteDirectory),

		rest.Op("POST", mlflow+"artifacts/credentials-for-read", "getCredentialsForRead", s.runCredentials),
		rest.Op("POST", mlflow+"artifacts/credentials-for-write", "getCredentialsForWrite", s.runCredentials),
		rest.Op("POST", mlflow+"logged-models/{model_id}/artifacts/credentials-for-upload", "getCredentialsForLoggedModelUpload", s.modelCredentials),
		rest.Op("POST", mlflow+"logged-models/{model_id}/artifacts/credentials-for-download", "getCredentialsForLoggedModelDownload", s.modelCredentials),
		rest.Op("GET", mlflow+"traces/{request_id}/credentials-for-data-upload", "getCredentialsForTraceDataUpload", s.traceCredentials),
		rest.Op("GET", mlflow+"traces/{request_id}/credentials-for-data-download", "getCredentialsForTraceDataDownload", s.traceCredentials),
		rest.Op("GET", mlflow+"model-versions/list-artifacts", "listModelVersionArtifacts", s.listVersion),
		rest.Op("GET", mlflow+"model-versions/get-signed-download-uri", "getModelVersionSignedDownloadUri", s.signVersion),
	}
}

// workspaceID is the number of the one workspace there is.
const workspaceID = "1"

// hostMetadata tells the SDK what it talks to.
func hostMetadata(w http.ResponseWriter, r *http.Request) error {
	return rest.WriteJSON(w, r, map[string]string{"oidc_endpoint": rest.BaseURL(r) + "/oidc", "workspace_id": workspaceID, "cloud": "AWS", "host_type": "workspace"})
}

// currentUser answers in the form of SCIM.
func currentUser(w http.ResponseWriter, r *http.Request) error {
	type value struct {
		Value   string `json:"value"`
		Primary bool   `json:"primary,omitempty"`
	}
	name := rest.User(r.Context())
	w.Header().Set("X-Databricks-Org-Id", workspaceID)
	return rest.WriteJSON(w, r, struct {
		Schemas     []string `json:"schemas"`
		ID          string   `json:"id"`
		UserName    string   `json:"userName"`
		DisplayName string   `json:"displayName"`
		Active      bool     `json:"active"`
		Emails      []value  `json:"emails"`
	}{[]string{"urn:ietf:params:scim:schemas:core:2.0:User"}, name, name, name, true, []value{{name, true}}})
}
