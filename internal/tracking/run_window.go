package tracking

import (
	"context"
	"fmt"
	"strings"

	"github.com/millpond/millpond/internal/db"
	"github.com/millpond/millpond/internal/rest"
	"github.com/millpond/millpond/internal/rest/filter"
)

// maxWindow bounds the runs of one window: more than a screen shows, less than a browser minds.
const maxWindow = 1000

type (
	// runWindowRequest asks for a part of the runs that a search finds, from any place in their
	// order. It is for tables that scroll: MLflow's own search goes from page to page only, and
	// does not say how many runs there are.
	runWindowRequest struct {
		ExperimentIDs []string    `json:"experiment_ids"`
		Filter        string      `json:"filter"`
		RunViewType   rest.Enum   `json:"run_view_type"`
		MaxResults    *rest.Int64 `json:"max_results"`
		OrderBy       []string    `json:"order_by"`
		Offset        rest.Int64  `json:"offset"`
		// Parent chooses by nesting: the runs below this parent, or with "" those below none.
		Parent *string `json:"parent"`
	}
	runWindowResponse struct {
		Total int64 `json:"total"`
		Runs  []Run `json:"runs"`
		// Children counts the active nested runs of those that have any.
		Children map[string]int64 `json:"children,omitempty"`
	}
)

func (s *Service) runWindow(ctx context.Context, in *runWindowRequest) (*runWindowResponse, error) {
	limit, offset := 100, int(in.Offset)
	if in.MaxResults != nil {
		var err error
		if limit, err = rest.MaxResults(int64(*in.MaxResults), maxWindow); err != nil {
			return nil, err
		}
	}
	if in.Offset < 0 {
		return nil, rest.Invalid("Invalid value %d for parameter 'offset' supplied. It must not be negative", in.Offset)
	}
	search, err := newRunSearch(&searchRunsRequest{ExperimentIDs: in.ExperimentIDs, Filter: in.Filter, RunViewType: in.RunViewType, OrderBy: in.OrderBy})
	if err != nil {
		return nil, err
	}
	out := &runWindowResponse{Runs: []Run{}}
	if len(search.experiments) == 0 {
		return out, nil
	}
	search.parent, search.offset = in.Parent, offset
	err = s.db.View(ctx, func(ctx context.Context, q db.Querier) error {
		text, args := search.count()
		if err := q.QueryRowContext(ctx, text, args...).Scan(&out.Total); err != nil {
			return err
		}
		rows, err := search.find(ctx, q, limit)
		if err != nil {
			return err
		}
		if out.Children, err = childCounts(ctx, q, rows); err != nil {
			return err
		}
		out.Runs, err = completeRuns(ctx, q, rows)
		return err
	})
	if err != nil {
		return nil, err
	}
	return out, nil
}

// count is the text and arguments that count what the search finds.
func (s *runSearch) count() (string, []any) {
	w := s.where()
	return "SELECT COUNT(*) FROM runs r " + w.String(), w.Args
}

// nesting adds the condition on a run's parent. A run whose parent is not among the runs that
// are searched counts as one below none, so that every run can be found.
func (s *runSearch) nesting(w *filter.Where) {
	switch {
	case s.parent == nil:
	case *s.parent != "":
		w.Add("r.id IN (SELECT run FROM tags WHERE key = 'mlflow.parentRunId' AND value = ?)", *s.parent)
	default:
		w.Add(fmt.Sprintf(`r.id NOT IN (SELECT t.run FROM tags t JOIN runs p ON p.run_id = t.value AND p.id <> t.run
			WHERE t.key = 'mlflow.parentRunId' AND p.experiment_id IN (%s) AND p.lifecycle_stage IN (%s))`,
			idList(s.experiments), db.Marks(len(s.stages))), db.Args(s.stages)...)
	}
}

func childCounts(ctx context.Context, q db.Querier, rows []runRow) (map[string]int64, error) {
	if len(rows) == 0 {
		return nil, nil
	}
	ids := make([]any, len(rows))
	for i, r := range rows {
		ids[i] = r.info.RunID
	}
	found, err := q.QueryContext(ctx, strings.Replace(`SELECT t.value, COUNT(*) FROM tags t JOIN runs c ON c.id = t.run
		WHERE t.key = 'mlflow.parentRunId' AND t.value IN (?) AND c.lifecycle_stage = 'active' AND c.run_id <> t.value GROUP BY t.value`,
		"?", db.Marks(len(ids)), 1), ids...)
	if err != nil {
		return nil, err
	}
	defer found.Close()
	out := map[string]int64{}
	for found.Next() {
		var id string
		var n int64
		if err := found.Scan(&id, &n); err != nil {
			return nil, err
		}
		out[id] = n
	}
	return out, found.Err()
}
