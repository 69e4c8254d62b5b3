package access

// rule says what a user needs for an endpoint: a level on what the named
// parameters tell. With no parameters, any user may.
type rule struct {
	level  Level
	params []string
	admin  bool
	audit  bool
	public bool // strangers too, see [open]
}

// What the parameters of endpoints tell; see [Service.resources].
var (
	byExperiment  = []string{"experiment_id"}
	byExperiments = []string{"experiment_ids"}
	byRun         = []string{"run_id"}
	byRuns        = []string{"run_ids"}
	byModel       = []string{"model_id"}
	byTrace       = []string{"trace_id"}
	byTraces      = []string{"trace_ids"}
	byDataset     = []string{"dataset_id"} // of an evaluation
	byName        = []string{"name"}       // of a registered model
	byFullName    = []string{"full_name"}  // of a registered model
	byPath        = []string{"path"}       // of the artifact store
	byFile        = []string{"file"}       // of the Files API
)

// rules is the table of all endpoints. One that is not in it is for
// administrators alone.
var rules = func() map[string]rule {
	out := map[string]rule{}
	for _, r := range []struct {
		rule
		names []string
	}{
		// Anybody who is known.
		{rule{public: true}, []string{"health", "version", "getHostMetadata", "getAuthorizationServer", "getClientToken"}},
		{rule{}, []string{"getServerInfo", "getCurrentUser", "listWorkspace",
			"isFilesAPIEnabled", "getAPI", "getAccount", "createToken", "listTokens", "deleteToken", "updatePassword", "updateComment", "deleteComment",
			"uploadPart", "listUploadedParts", "searchExperiments", "searchRegisteredModels", "searchModelVersions", "searchCatalogModels",
			"searchCatalogVersions", "listUnityModels", "getOnlineScoringConfigs"}},
		// The study course: everybody who is known may learn.
		{rule{}, []string{"answerQuestion", "chooseQuestions", "exportProgress", "finishMock", "finishTopic", "followPlan", "getAgenda", "getCheatSheet",
			"getCourse", "getEvidence", "getLab", "getMock", "getProgress", "getTopic", "hintLab", "importProgress", "judgeAttempt", "listLabs",
			"listMocks", "listObjectives", "listPlans", "listTopics", "markMockQuestion", "resetLab", "reviewMock", "solveLab", "startAttempt", "startLab", "startMock"}},
		// Who makes something manages it.
		{rule{level: Manage, params: []string{"location"}}, []string{"createExperiment"}},
		{rule{}, []string{"createRegisteredModel", "createCatalogModel", "createUnityModel"}},
		{rule{level: Read, params: byExperiment}, []string{"getExperiment", "watchExperiment"}},
		{rule{level: Read, params: []string{"experiment_name"}}, []string{"getExperimentByName"}},
		{rule{level: Read, params: []string{"workspace_path"}}, []string{"getWorkspaceStatus"}},
		{rule{level: Read, params: byExperiments}, []string{"searchRuns", "getRunWindow", "searchLoggedModels", "searchDatasets", "searchTraces"}},
		{rule{level: Read, params: []string{"locations"}}, []string{"searchTracesV3"}},
		{rule{level: Edit, params: byExperiment}, []string{"createRun", "updateExperiment", "setExperimentTag", "deleteExperimentTag", "createLoggedModel", "startTrace"}},
		{rule{level: Edit, params: []string{"trace", "kept_trace"}}, []string{"startTraceV3"}},
		{rule{level: Edit, params: []string{"spans", "spans_run"}}, []string{"exportSpans"}},
		{rule{level: Manage, params: byExperiment, audit: true}, []string{"deleteExperiment", "restoreExperiment"}},
		{rule{level: Edit, params: byExperiment, audit: true}, []string{"deleteTraces", "deleteTracesV3"}},
		{rule{level: Read, params: byRun}, []string{"getRun", "getMetricHistory", "listArtifacts", "getArtifact", "getCredentialsForRead"}},
		{rule{level: Read, params: byRuns}, []string{"getMetricHistoryBulk", "getMetricHistoryBulkInterval"}},
		{rule{level: Edit, params: byRun}, []string{"updateRun", "logMetric", "logParam", "logBatch", "logModel", "logInputs", "logOutputs", "setTag", "deleteTag",
			"uploadRunArtifact", "getCredentialsForWrite"}},
		{rule{level: Edit, params: []string{"run_id", "trace_ids"}}, []string{"linkTracesToRun"}},
		{rule{level: Edit, params: byRun, audit: true}, []string{"deleteRun", "restoreRun"}},
		{rule{level: Read, params: byModel}, []string{"getLoggedModel", "listLoggedModelArtifacts", "getLoggedModelArtifact", "getCredentialsForLoggedModelDownload"}},
		{rule{level: Edit, params: byModel}, []string{"finalizeLoggedModel", "logLoggedModelParams", "setLoggedModelTags", "deleteLoggedModelTag",
			"getCredentialsForLoggedModelUpload"}},
		{rule{level: Edit, params: byModel, audit: true}, []string{"deleteLoggedModel"}},
		{rule{level: Read, params: byTrace}, []string{"getTrace", "getTraceInfo", "getTraceInfoV3", "getAssessment"}},
		{rule{level: Read, params: []string{"request_id"}}, []string{"getTraceArtifact", "getCredentialsForTraceDataDownload"}},
		{rule{level: Edit, params: []string{"request_id"}}, []string{"getCredentialsForTraceDataUpload"}},
		{rule{level: Read, params: byTraces}, []string{"batchGetTraces", "batchGetTraceInfos"}},
		{rule{level: Edit, params: byTrace}, []string{"endTrace", "setTraceTag", "setTraceTagV3", "deleteTraceTag", "deleteTraceTagV3", "linkPromptsToTrace",
			"createAssessment", "updateAssessment", "deleteAssessment"}},
		{rule{level: Read, params: byExperiments}, []string{"searchEvaluationDatasets"}},
		{rule{level: Edit, params: byExperiments}, []string{"createDataset"}},
		{rule{level: Read, params: byDataset}, []string{"getDataset", "getDatasetExperimentIds", "getDatasetRecords"}},
		{rule{level: Edit, params: byDataset}, []string{"setDatasetTags", "deleteDatasetTag", "upsertDatasetRecords", "deleteDatasetRecords"}},
		{rule{level: Edit, params: []string{"dataset_id", "experiment_ids"}}, []string{"addDatasetToExperiments", "removeDatasetFromExperiments"}},
		{rule{level: Edit, params: byDataset, audit: true}, []string{"deleteDataset"}},
		{rule{level: Read, params: []string{"experiment_id", "experiment_ids"}}, []string{"listScorers"}},
		{rule{level: Read, params: byExperiment}, []string{"listScorerVersions", "getScorer"}},
		{rule{level: Edit, params: byExperiment, audit: true}, []string{"registerScorer", "deleteScorer", "upsertOnlineScoringConfig"}},
		{rule{level: Read, params: byPath}, []string{"listProxiedArtifacts", "downloadArtifact", "getPresignedDownloadUrl"}},
		{rule{level: Edit, params: byPath}, []string{"uploadArtifact", "createMultipartUpload", "completeMultipartUpload", "abortMultipartUpload"}},
		{rule{level: Edit, params: byPath, audit: true}, []string{"deleteArtifact"}},
		{rule{level: Read, params: byFile}, []string{"downloadFile", "listDirectory"}},
		{rule{level: Edit, params: byFile}, []string{"uploadFile", "multipartUpload", "createUploadPartUrls", "createAbortUploadUrl", "abortUpload", "createDirectory"}},
		{rule{level: Edit, params: byFile, audit: true}, []string{"deleteFile", "deleteDirectory"}},
		{rule{level: Read, params: byName}, []string{"getRegisteredModel", "getLatestVersions", "getModelVersionByAlias", "getModelVersion", "getModelVersionDownloadUri",
			"getModelVersionArtifact", "listModelVersionArtifacts", "getModelVersionSignedDownloadUri", "getModel", "listVersionActivities", "listTransitionRequests",
			"getCatalogModel", "getCatalogVersionByAlias", "getCatalogVersion", "getCatalogVersionDownloadUri", "emitCatalogVersionLineage",
			"createComment", "createTransitionRequest", "deleteTransitionRequest"}},
		{rule{level: Edit, params: byName, audit: true}, []string{"updateRegisteredModel", "setRegisteredModelTag", "deleteRegisteredModelTag",
			"setRegisteredModelAlias", "deleteRegisteredModelAlias", "updateModelVersion", "transitionModelVersionStage", "transitionStage",
			"setModelVersionTag", "deleteModelVersionTag", "updateCatalogModel", "setCatalogModelTag", "deleteCatalogModelTag", "setCatalogModelAlias",
			"deleteCatalogModelAlias", "updateCatalogVersion", "finalizeCatalogVersion", "setCatalogVersionTag", "deleteCatalogVersionTag"}},
		{rule{level: Read, params: byFullName}, []string{"getUnityModel", "listUnityVersions", "getUnityVersion", "getUnityVersionByAlias"}},
		{rule{level: Edit, params: byFullName, audit: true}, []string{"updateUnityVersion", "setUnityAlias", "deleteUnityAlias"}},
		{rule{level: Edit, params: []string{"full_name", "sibling"}, audit: true}, []string{"updateUnityModel"}},
		{rule{level: Manage, params: byFullName, audit: true}, []string{"deleteUnityModel", "deleteUnityVersion"}},
		{rule{level: Edit, params: []string{"name", "new_name"}, audit: true}, []string{"renameRegisteredModel"}},
		{rule{level: Edit, params: []string{"name", "source", "source_run", "source_model"}, audit: true}, []string{"createModelVersion", "createCatalogVersion"}},
		{rule{level: Manage, params: byName, audit: true}, []string{"deleteRegisteredModel", "deleteModelVersion", "deleteCatalogModel", "deleteCatalogVersion",
			"approveTransitionRequest", "rejectTransitionRequest"}},
		{rule{level: Manage, params: []string{"resource"}, audit: true}, []string{"grantUserPermission", "revokeUserPermission", "createExperimentPermission",
			"updateExperimentPermission", "deleteExperimentPermission", "createModelPermission", "updateModelPermission", "deleteModelPermission"}},
		{rule{level: Manage, params: []string{"resource"}}, []string{"getUserPermission", "getExperimentPermission", "getModelPermission"}},
		{rule{admin: true, audit: true}, []string{"createUser", "updateAdmin", "deleteUser", "createWebhook", "updateWebhook", "deleteWebhook", "testWebhook",
			"createRegistryWebhook", "updateRegistryWebhook", "deleteRegistryWebhook", "testRegistryWebhook"}},
		{rule{admin: true}, []string{"getUser", "listUsers", "listUserPermissions", "listAudit", "getWebhook", "listWebhooks", "listRegistryWebhooks"}},
	} {
		for _, name := range r.names {
			out[name] = r.rule
		}
	}
	return out
}()

// HasRule reports whether the table says what an endpoint needs.
func HasRule(name string) bool {
	_, ok := rules[name]
	return ok
}
