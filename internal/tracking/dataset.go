package tracking

import (
	"context"

	"github.com/millpond/millpond/internal/db"
	"github.com/millpond/millpond/internal/rest"
)

// contextTag is the tag of an input that says what the dataset was used for.
const contextTag = "mlflow.data.context"

type (
	logInputsRequest struct {
		RunID    string         `json:"run_id" mlflow:"required"`
		Datasets []DatasetInput `json:"datasets"`
		Models   []ModelRef     `json:"models"`
	}
	logOutputsRequest struct {
		RunID  string        `json:"run_id" mlflow:"required"`
		Models []ModelOutput `json:"models" mlflow:"required"`
	}
	searchDatasetsRequest struct {
		ExperimentIDs []string `json:"experiment_ids"`
	}
	datasetSummary struct {
		ExperimentID string  `json:"experiment_id"`
		Name         string  `json:"name"`
		Digest       string  `json:"digest"`
		Context      *string `json:"context,omitempty"`
	}
	searchDatasetsResponse struct {
		Summaries []datasetSummary `json:"dataset_summaries,omitempty"`
	}
)

func (s *Service) logInputs(ctx context.Context, in *logInputsRequest) (*empty, error) {
	if err := checkRunID(in.RunID); err != nil {
		return nil, err
	}
	if len(in.Datasets) > 1000 {
		return nil, rest.Invalid("A request can log at most 1000 datasets. Got %d.", len(in.Datasets))
	}
	for i, d := range in.Datasets {
		if err := checkDataset(index("datasets", i, "dataset"), d); err != nil {
			return nil, err
		}
	}
	return nil, s.writeRun(ctx, in.RunID, func(ctx context.Context, q db.Querier, run *runRow) error {
		for _, d := range in.Datasets {
			if err := insertDatasetInput(ctx, q, run, d); err != nil {
				return err
			}
		}
		for _, m := range in.Models {
			if err := insertRunModel(ctx, q, run.id, "input", m.ModelID, 0); err != nil {
				return err
			}
		}
		return nil
	})
}

func checkDataset(path string, in DatasetInput) error {
	d := in.Dataset
	if d == nil {
		return rest.Invalid("Dataset cannot be None (%s)", path)
	}
	type limit struct {
		what, value string
		most        int
	}
	limits := []limit{{"name", d.Name, 500}, {"digest", d.Digest, 36}, {"source", d.Source, 65535}}
	if d.Schema != nil {
		limits = append(limits, limit{"schema", *d.Schema, 1048575})
	}
	if d.Profile != nil {
		limits = append(limits, limit{"profile", *d.Profile, 16777215})
	}
	for _, t := range in.Tags {
		limits = append(limits, limit{"key", t.Key, 255}, limit{"value", t.Value, 500})
	}
	for _, l := range limits {
		if err := checkLength(l.what, l.most, l.value); err != nil {
			return err
		}
	}
	return nil
}

func (s *Service) logOutputs(ctx context.Context, in *logOutputsRequest) (*empty, error) {
	return nil, s.writeRun(ctx, in.RunID, func(ctx context.Context, q db.Querier, run *runRow) error {
		for _, m := range in.Models {
			if err := insertRunModel(ctx, q, run.id, "output", m.ModelID, int64(m.Step)); err != nil {
				return err
			}
		}
		return nil
	})
}

func (s *Service) searchDatasets(ctx context.Context, in *searchDatasetsRequest) (*searchDatasetsResponse, error) {
	const most = 20
	switch n := len(in.ExperimentIDs); {
	case n == 0:
		return nil, rest.Invalid("SearchDatasets request must specify at least one experiment_id.")
	case n > most:
		return nil, rest.Invalid("SearchDatasets request cannot specify more than %d experiment_ids. Received %d experiment_ids.", most, n)
	}
	ids, err := parseExperimentIDs(in.ExperimentIDs)
	if err != nil {
		return nil, err
	}
	summaries, err := datasetSummaries(ctx, s.db.Reader(), ids)
	if err != nil {
		return nil, err
	}
	return &searchDatasetsResponse{summaries}, nil
}

func parseExperimentIDs(texts []string) ([]int64, error) {
	ids := make([]int64, len(texts))
	for i, t := range texts {
		var err error
		if ids[i], err = parseExperimentID(t); err != nil {
			return nil, err
		}
	}
	return ids, nil
}
