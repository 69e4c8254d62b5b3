package registry

import "github.com/millpond/millpond/internal/rest"

// Routes lists the service's endpoints. Those of MLflow's API stand under /api
// and, for browsers, under /ajax-api.
func (s *Service) Routes() []rest.Route {
	var out []rest.Route
	add := func(method, path, name string, h rest.HandlerFunc, in any) {
		for _, prefix := range []string{"/api/2.0/mlflow/", "/ajax-api/2.0/mlflow/"} {
			out = append(out, rest.Route{Method: method, Path: prefix + path, Name: name, Handler: h, In: in})
		}
	}
	const m = "registered-models/"
	add("POST", m+"create", "createRegisteredModel", rest.JSON(s.createModel), createModelRequest{})
	add("GET", m+"get", "getRegisteredModel", rest.JSON(s.getModel), modelRequest{})
	add("GET", m+"search", "searchRegisteredModels", rest.JSON(s.searchModels), searchRequest{})
	add("PATCH", m+"update", "updateRegisteredModel", rest.JSON(s.updateModel), updateModelRequest{})
	add("POST", m+"rename", "renameRegisteredModel", rest.JSON(s.renameModel), renameModelRequest{})
	add("DELETE", m+"delete", "deleteRegisteredModel", rest.JSON(s.deleteModel), modelRequest{})
	add("POST", m+"set-tag", "setRegisteredModelTag", rest.JSON(s.setModelTag), modelTagRequest{})
	add("DELETE", m+"delete-tag", "deleteRegisteredModelTag", rest.JSON(s.deleteModelTag), modelTagRequest{})
	add("POST", m+"get-latest-versions", "getLatestVersions", rest.JSON(s.latestVersions), latestVersionsRequest{})
	add("GET", m+"get-latest-versions", "getLatestVersions", rest.JSON(s.latestVersions), latestVersionsRequest{})
	add("POST", m+"alias", "setRegisteredModelAlias", rest.JSON(s.setAlias), aliasRequest{})
	add("DELETE", m+"alias", "deleteRegisteredModelAlias", rest.JSON(s.deleteAlias), aliasNameRequest{})
	add("GET", m+"alias", "getModelVersionByAlias", rest.JSON(s.getByAlias), aliasNameRequest{})
	const v = "model-versions/"
	add("POST", v+"create", "createModelVersion", rest.JSON(s.createVersion), createVersionRequest{})
	add("GET", v+"get", "getModelVersion", rest.JSON(s.getVersion), versionRequest{})
	add("GET", v+"search", "searchModelVersions", rest.JSON(s.searchVersions), searchRequest{})
	add("PATCH", v+"update", "updateModelVersion", rest.JSON(s.updateVersion), updateVersionRequest{})
	add("POST", v+"transition-stage", "transitionModelVersionStage", rest.JSON(s.transition), transitionRequest{})
	add("DELETE", v+"delete", "deleteModelVersion", rest.JSON(s.deleteVersion), versionRequest{})
	add("GET", v+"get-download-uri", "getModelVersionDownloadUri", rest.JSON(s.downloadURI), versionRequest{})
	add("POST", v+"set-tag", "setModelVersionTag", rest.JSON(s.setVersionTag), versionTagRequest{})
	add("DELETE", v+"delete-tag", "deleteModelVersionTag", rest.JSON(s.deleteVersionTag), versionTagRequest{})
	return append(out, rest.Route{Method: "GET", Path: "/model-versions/get-artifact", Name: "getModelVersionArtifact", Handler: s.getVersionArtifact})
}
