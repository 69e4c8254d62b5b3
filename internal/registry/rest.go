package registry

import "github.com/millpond/millpond/internal/rest"

// prefixes are where MLflow's API stands: the second is for browsers.
var prefixes = []string{"/api/2.0/mlflow/", "/ajax-api/2.0/mlflow/"}

// Routes lists the service's endpoints.
func (s *Service) Routes() []rest.Route {
	const m, v = "registered-models/", "model-versions/"
	out := rest.Under(prefixes,
		rest.Op("POST", m+"create", "createRegisteredModel", s.createModel),
		rest.Op("GET", m+"get", "getRegisteredModel", s.getModel),
		rest.Op("GET", m+"search", "searchRegisteredModels", s.searchModels),
		rest.Op("PATCH", m+"update", "updateRegisteredModel", s.updateModel),
		rest.Op("POST", m+"rename", "renameRegisteredModel", s.renameModel),
		rest.Op("DELETE", m+"delete", "deleteRegisteredModel", s.deleteModel),
		rest.Op("POST", m+"set-tag", "setRegisteredModelTag", s.setModelTag),
		rest.Op("DELETE", m+"delete-tag", "deleteRegisteredModelTag", s.deleteModelTag),
		rest.Op("POST", m+"get-latest-versions", "getLatestVersions", s.latestVersions),
		rest.Op("GET", m+"get-latest-versions", "getLatestVersions", s.latestVersions),
		rest.Op("POST", m+"alias", "setRegisteredModelAlias", s.setAlias),
		rest.Op("DELETE", m+"alias", "deleteRegisteredModelAlias", s.deleteAlias),
		rest.Op("GET", m+"alias", "getModelVersionByAlias", s.getByAlias),
		rest.Op("POST", v+"create", "createModelVersion", s.createVersion),
		rest.Op("GET", v+"get", "getModelVersion", s.getVersion),
		rest.Op("GET", v+"search", "searchModelVersions", s.searchVersions),
		rest.Op("PATCH", v+"update", "updateModelVersion", s.updateVersion),
		rest.Op("POST", v+"transition-stage", "transitionModelVersionStage", s.transition),
		rest.Op("DELETE", v+"delete", "deleteModelVersion", s.deleteVersion),
		rest.Op("GET", v+"get-download-uri", "getModelVersionDownloadUri", s.downloadURI),
		rest.Op("POST", v+"set-tag", "setModelVersionTag", s.setVersionTag),
		rest.Op("DELETE", v+"delete-tag", "deleteModelVersionTag", s.deleteVersionTag),
	)
	for _, more := range [][]rest.Route{s.activityRoutes(), s.catalogRoutes(), s.unityRoutes()} {
		out = append(out, more...)
	}
	return append(out, rest.Raw("GET", "/model-versions/get-artifact", "getModelVersionArtifact", s.getVersionArtifact))
}
