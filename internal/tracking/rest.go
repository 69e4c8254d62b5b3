package tracking

import (
	"io"
	"net/http"

	"github.com/millpond/millpond/internal/rest"
)

// Routes lists the service's endpoints. Those of MLflow's API stand under /api
// and, for browsers, under /ajax-api.
func (s *Service) Routes() []rest.Route {
	var out []rest.Route
	add := func(method, path, name string, h rest.HandlerFunc, in any) {
		for _, prefix := range []string{"/api/2.0", "/ajax-api/2.0"} {
			out = append(out, rest.Route{Method: method, Path: prefix + path, Name: name, Handler: h, In: in})
		}
	}
	s.experimentRoutes(add)
	s.runRoutes(add)
	s.modelRoutes(add)
	s.artifactRoutes(add)
	plain := func(path, name string, h rest.HandlerFunc) {
		out = append(out, rest.Route{Method: "GET", Path: path, Name: name, Handler: h})
	}
	plain("/health", "health", text("OK"))
	plain("/version", "version", text(Version))
	plain("/get-artifact", "getArtifact", s.getArtifact)
	plain("/api/3.0/mlflow/server-info", "getServerInfo", serverInfo)
	plain("/ajax-api/3.0/mlflow/server-info", "getServerInfo", serverInfo)
	return out
}

type adder func(method, path, name string, h rest.HandlerFunc, in any)

func (s *Service) experimentRoutes(add adder) {
	const p = "/mlflow/experiments/"
	add("POST", p+"create", "createExperiment", rest.JSON(s.createExperiment), createExperimentRequest{})
	add("GET", p+"get", "getExperiment", rest.JSON(s.getExperiment), experimentRequest{})
	add("GET", p+"get-by-name", "getExperimentByName", rest.JSON(s.getExperimentByName), experimentByNameRequest{})
	add("POST", p+"search", "searchExperiments", rest.JSON(s.searchExperiments), searchExperimentsRequest{})
	add("GET", p+"search", "searchExperiments", rest.JSON(s.searchExperiments), searchExperimentsRequest{})
	add("POST", p+"delete", "deleteExperiment", rest.JSON(s.deleteExperiment), experimentRequest{})
	add("POST", p+"restore", "restoreExperiment", rest.JSON(s.restoreExperiment), experimentRequest{})
	add("POST", p+"update", "updateExperiment", rest.JSON(s.updateExperiment), updateExperimentRequest{})
	add("POST", p+"set-experiment-tag", "setExperimentTag", rest.JSON(s.setExperimentTag), experimentTagRequest{})
	add("POST", p+"delete-experiment-tag", "deleteExperimentTag", rest.JSON(s.deleteExperimentTag), experimentTagRequest{})
	add("POST", p+"search-datasets", "searchDatasets", rest.JSON(s.searchDatasets), searchDatasetsRequest{})
}

func (s *Service) runRoutes(add adder) {
	const p = "/mlflow/runs/"
	add("POST", p+"create", "createRun", rest.JSON(s.createRun), createRunRequest{})
	add("GET", p+"get", "getRun", rest.JSON(s.getRun), runRequest{})
	add("POST", p+"update", "updateRun", rest.JSON(s.updateRun), updateRunRequest{})
	add("POST", p+"delete", "deleteRun", rest.JSON(s.deleteRun), runRequest{})
	add("POST", p+"restore", "restoreRun", rest.JSON(s.restoreRun), runRequest{})
	add("POST", p+"search", "searchRuns", rest.JSON(s.searchRuns), searchRunsRequest{})
	add("POST", p+"log-metric", "logMetric", rest.JSON(s.logMetric), logMetricRequest{})
	add("POST", p+"log-parameter", "logParam", rest.JSON(s.logParam), logParamRequest{})
	add("POST", p+"log-batch", "logBatch", rest.JSON(s.logBatch), logBatchRequest{})
	add("POST", p+"log-model", "logModel", rest.JSON(s.logModel), logModelRequest{})
	add("POST", p+"log-inputs", "logInputs", rest.JSON(s.logInputs), logInputsRequest{})
	add("POST", p+"outputs", "logOutputs", rest.JSON(s.logOutputs), logOutputsRequest{})
	add("POST", p+"set-tag", "setTag", rest.JSON(s.setTag), tagRequest{})
	add("POST", p+"delete-tag", "deleteTag", rest.JSON(s.deleteTag), tagRequest{})
	const m = "/mlflow/metrics/"
	add("GET", m+"get-history", "getMetricHistory", rest.JSON(s.metricHistory), historyRequest{})
	add("GET", m+"get-history-bulk", "getMetricHistoryBulk", s.historyBulk, nil)
	add("GET", m+"get-history-bulk-interval", "getMetricHistoryBulkInterval", rest.JSON(s.historyInterval), historyIntervalRequest{})
}

func (s *Service) modelRoutes(add adder) {
	const p = "/mlflow/logged-models"
	const one = p + "/{model_id}"
	add("POST", p, "createLoggedModel", rest.JSON(s.createModel), createModelRequest{})
	add("POST", p+"/search", "searchLoggedModels", rest.JSON(s.searchModels), searchModelsRequest{})
	add("GET", one, "getLoggedModel", rest.JSON(s.getModel), modelRequest{})
	add("PATCH", one, "finalizeLoggedModel", rest.JSON(s.finalizeModel), finalizeModelRequest{})
	add("DELETE", one, "deleteLoggedModel", rest.JSON(s.deleteModel), modelRequest{})
	add("POST", one+"/params", "logLoggedModelParams", rest.JSON(s.logModelParams), modelParamsRequest{})
	add("PATCH", one+"/tags", "setLoggedModelTags", rest.JSON(s.setModelTags), modelTagsRequest{})
	add("DELETE", one+"/tags/{tag_key}", "deleteLoggedModelTag", rest.JSON(s.deleteModelTag), modelTagRequest{})
	add("GET", one+"/artifacts/directories", "listLoggedModelArtifacts", s.listModelArtifacts, nil)
	add("GET", one+"/artifacts/files", "getLoggedModelArtifact", s.getModelArtifact, nil)
}

func (s *Service) artifactRoutes(add adder) {
	const p = "/mlflow-artifacts/"
	add("GET", p+"artifacts", "listProxiedArtifacts", s.listProxied, nil)
	add("GET", p+"artifacts/{path...}", "downloadArtifact", s.downloadArtifact, nil)
	add("PUT", p+"artifacts/{path...}", "uploadArtifact", s.putArtifact, nil)
	add("DELETE", p+"artifacts/{path...}", "deleteArtifact", s.deleteArtifact, nil)
	add("POST", p+"mpu/create/{path...}", "createMultipartUpload", s.multipart, nil)
	add("POST", p+"mpu/complete/{path...}", "completeMultipartUpload", s.multipart, nil)
	add("POST", p+"mpu/abort/{path...}", "abortMultipartUpload", s.multipart, nil)
	add("GET", p+"presigned/{path...}", "getPresignedDownloadUrl", s.presigned, nil)
	add("GET", "/mlflow/artifacts/list", "listArtifacts", s.listArtifacts, nil)
	add("POST", "/mlflow/upload-artifact", "uploadRunArtifact", s.uploadArtifact, nil)
}

func text(body string) rest.HandlerFunc {
	return func(w http.ResponseWriter, _ *http.Request) error {
		w.Header().Set("Content-Type", "text/plain; charset=utf-8")
		_, err := io.WriteString(w, body)
		return err
	}
}

// serverInfo tells clients what the server can do.
func serverInfo(w http.ResponseWriter, r *http.Request) error {
	return rest.WriteJSON(w, r, map[string]any{
		"store_type":                          "SqlStore",
		"workspaces_enabled":                  false,
		"trace_archival_enabled":              false,
		"multipart_uploads_enabled":           false,
		"multipart_downloads_enabled":         false,
		"presigned_upload_run_id_supported":   false,
		"presigned_upload_model_id_supported": false,
		"features_enabled":                    map[string]bool{"gateway": false},
	})
}
