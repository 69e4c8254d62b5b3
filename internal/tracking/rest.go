package tracking

import (
	"io"
	"net/http"

	"github.com/millpond/millpond/internal/rest"
)

// prefixes are where MLflow's API stands: the second is for browsers.
var prefixes = []string{"/api/2.0", "/ajax-api/2.0"}

// Routes lists the service's endpoints.
func (s *Service) Routes() []rest.Route {
	out := rest.Under(prefixes, s.experimentRoutes()...)
	out = append(out, rest.Under(prefixes, s.runRoutes()...)...)
	out = append(out, rest.Under(prefixes, s.modelRoutes()...)...)
	out = append(out, rest.Under(prefixes, s.artifactRoutes()...)...)
	out = append(out, rest.Under(prefixes, s.pageRoutes()...)...)
	return append(out,
		rest.Raw("GET", "/health", "health", text("OK")),
		rest.Raw("GET", "/version", "version", text(Version)),
		rest.Raw("GET", "/get-artifact", "getArtifact", s.getArtifact),
		rest.Raw("GET", "/api/3.0/mlflow/server-info", "getServerInfo", s.serverInfo),
		rest.Raw("GET", "/ajax-api/3.0/mlflow/server-info", "getServerInfo", s.serverInfo),
	)
}

// pageRoutes are Millpond's own, for pages that scroll and stay fresh.
func (s *Service) pageRoutes() []rest.Route {
	const p = "/millpond/"
	return []rest.Route{
		rest.Op("POST", p+"runs/window", "getRunWindow", s.runWindow),
		rest.Raw("GET", p+"experiments/{experiment_id}/changes", "watchExperiment", s.experimentChanges),
	}
}

func (s *Service) experimentRoutes() []rest.Route {
	const p = "/mlflow/experiments/"
	return []rest.Route{
		rest.Op("POST", p+"create", "createExperiment", s.createExperiment),
		rest.Op("GET", p+"get", "getExperiment", s.getExperiment),
		rest.Op("GET", p+"get-by-name", "getExperimentByName", s.getExperimentByName),
		rest.Op("POST", p+"search", "searchExperiments", s.searchExperiments),
		rest.Op("GET", p+"search", "searchExperiments", s.searchExperiments),
		rest.Op("POST", p+"delete", "deleteExperiment", s.deleteExperiment),
		rest.Op("POST", p+"restore", "restoreExperiment", s.restoreExperiment),
		rest.Op("POST", p+"update", "updateExperiment", s.updateExperiment),
		rest.Op("POST", p+"set-experiment-tag", "setExperimentTag", s.setExperimentTag),
		rest.Op("POST", p+"delete-experiment-tag", "deleteExperimentTag", s.deleteExperimentTag),
		rest.Op("POST", p+"search-datasets", "searchDatasets", s.searchDatasets),
	}
}

func (s *Service) runRoutes() []rest.Route {
	const p = "/mlflow/runs/"
	const m = "/mlflow/metrics/"
	return []rest.Route{
		rest.Op("POST", p+"create", "createRun", s.createRun),
		rest.Op("GET", p+"get", "getRun", s.getRun),
		rest.Op("POST", p+"update", "updateRun", s.updateRun),
		rest.Op("POST", p+"delete", "deleteRun", s.deleteRun),
		rest.Op("POST", p+"restore", "restoreRun", s.restoreRun),
		rest.Op("POST", p+"search", "searchRuns", s.searchRuns),
		rest.Op("POST", p+"log-metric", "logMetric", s.logMetric),
		rest.Op("POST", p+"log-parameter", "logParam", s.logParam),
		rest.Op("POST", p+"log-batch", "logBatch", s.logBatch),
		rest.Op("POST", p+"log-model", "logModel", s.logModel),
		rest.Op("POST", p+"log-inputs", "logInputs", s.logInputs),
		rest.Op("POST", p+"outputs", "logOutputs", s.logOutputs),
		rest.Op("POST", p+"set-tag", "setTag", s.setTag),
		rest.Op("POST", p+"delete-tag", "deleteTag", s.deleteTag),
		rest.Op("GET", m+"get-history", "getMetricHistory", s.metricHistory),
		rest.Raw("GET", m+"get-history-bulk", "getMetricHistoryBulk", s.historyBulk),
		rest.Op("GET", m+"get-history-bulk-interval", "getMetricHistoryBulkInterval", s.historyInterval),
	}
}

func (s *Service) modelRoutes() []rest.Route {
	const p = "/mlflow/logged-models"
	const one = p + "/{model_id}"
	return []rest.Route{
		rest.Op("POST", p, "createLoggedModel", s.createModel),
		rest.Op("POST", p+"/search", "searchLoggedModels", s.searchModels),
		rest.Op("GET", one, "getLoggedModel", s.getModel),
		rest.Op("PATCH", one, "finalizeLoggedModel", s.finalizeModel),
		rest.Op("DELETE", one, "deleteLoggedModel", s.deleteModel),
		rest.Op("POST", one+"/params", "logLoggedModelParams", s.logModelParams),
		rest.Op("PATCH", one+"/tags", "setLoggedModelTags", s.setModelTags),
		rest.Op("DELETE", one+"/tags/{tag_key}", "deleteLoggedModelTag", s.deleteModelTag),
		rest.Raw("GET", one+"/artifacts/directories", "listLoggedModelArtifacts", s.listModelArtifacts),
		rest.Raw("GET", one+"/artifacts/files", "getLoggedModelArtifact", s.getModelArtifact),
	}
}

func (s *Service) artifactRoutes() []rest.Route {
	const p = "/mlflow-artifacts/"
	return []rest.Route{
		rest.Raw("GET", p+"artifacts", "listProxiedArtifacts", s.listProxied),
		rest.Raw("GET", p+"artifacts/{path...}", "downloadArtifact", s.downloadArtifact),
		rest.Raw("PUT", p+"artifacts/{path...}", "uploadArtifact", s.putArtifact),
		rest.Raw("DELETE", p+"artifacts/{path...}", "deleteArtifact", s.deleteArtifact),
		rest.Raw("POST", p+"mpu/create/{path...}", "createMultipartUpload", s.createMultipart),
		rest.Raw("POST", p+"mpu/complete/{path...}", "completeMultipartUpload", s.completeMultipart),
		rest.Raw("POST", p+"mpu/abort/{path...}", "abortMultipartUpload", s.abortMultipart),
		rest.Raw("PUT", p+"mpu/part/{upload_id}/{part_number}", "uploadPart", s.putPart),
		rest.Raw("GET", p+"mpu/part/{upload_id}", "listUploadedParts", s.listParts),
		rest.Raw("GET", p+"presigned/{path...}", "getPresignedDownloadUrl", s.presigned),
		rest.Raw("GET", "/mlflow/artifacts/list", "listArtifacts", s.listArtifacts),
		rest.Raw("POST", "/mlflow/upload-artifact", "uploadRunArtifact", s.uploadArtifact),
	}
}

func text(body string) rest.HandlerFunc {
	return func(w http.ResponseWriter, _ *http.Request) error {
		w.Header().Set("Content-Type", "text/plain; charset=utf-8")
		_, err := io.WriteString(w, body)
		return err
	}
}

// serverInfo tells clients what the server can do.
func (s *Service) serverInfo(w http.ResponseWriter, r *http.Request) error {
	return rest.WriteJSON(w, r, map[string]any{
		"store_type":                          "SqlStore",
		"workspaces_enabled":                  false,
		"trace_archival_enabled":              false,
		"multipart_uploads_enabled":           s.artifacts.TakesParts(),
		"multipart_downloads_enabled":         false,
		"presigned_upload_run_id_supported":   false,
		"presigned_upload_model_id_supported": false,
		"features_enabled":                    map[string]bool{"gateway": false},
	})
}
