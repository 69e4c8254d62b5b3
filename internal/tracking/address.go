package tracking

import (
	"slices"

	"github.com/millpond/millpond/internal/rest"
)

// The answers below tell where artifacts are; see [rest.Addressed].

func (r *experimentResponse) Addresses(visit func(*string)) { visit(&r.Experiment.ArtifactLocation) }

func (r *searchExperimentsResponse) Addresses(visit func(*string)) {
	for i := range r.Experiments {
		visit(&r.Experiments[i].ArtifactLocation)
	}
}

func (r *runResponse) Addresses(visit func(*string)) { visit(&r.Run.Info.ArtifactURI) }

func (r *updateRunResponse) Addresses(visit func(*string)) { visit(&r.RunInfo.ArtifactURI) }

func (r *searchRunsResponse) Addresses(visit func(*string)) {
	for i := range r.Runs {
		visit(&r.Runs[i].Info.ArtifactURI)
	}
}

func (r *modelResponse) Addresses(visit func(*string)) { visit(&r.Model.Info.ArtifactURI) }

func (r *searchModelsResponse) Addresses(visit func(*string)) {
	for i := range r.Models {
		visit(&r.Models[i].Info.ArtifactURI)
	}
}

// Keep leaves the experiments that the user may see; see [rest.Filtered].
func (r *searchExperimentsResponse) Keep(may func(kind, id string) bool) {
	r.Experiments = slices.DeleteFunc(r.Experiments, func(e Experiment) bool { return !may(rest.KindExperiment, e.ExperimentID) })
}
