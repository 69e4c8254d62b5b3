package tracking

import (
	"context"
	"fmt"
	"strings"

	"github.com/millpond/millpond/internal/db"
	"github.com/millpond/millpond/internal/rest"
	"github.com/millpond/millpond/internal/rest/filter"
)

type (
	searchRunsRequest struct {
		ExperimentIDs []string    `json:"experiment_ids"`
		Filter        string      `json:"filter"`
		RunViewType   rest.Enum   `json:"run_view_type"`
		MaxResults    *rest.Int64 `json:"max_results"`
		OrderBy       []string    `json:"order_by"`
		PageToken     string      `json:"page_token"`
	}
	searchRunsResponse struct {
		Runs          []Run  `json:"runs,omitempty"`
		NextPageToken string `json:"next_page_token,omitempty"`
	}
)

// runGrammar is what a search of runs knows.
var runGrammar = func() *filter.Grammar {
	metric := &filter.Entity{Name: "metric", Numeric: true, Ops: filter.NumericOps}
	param := &filter.Entity{Name: "parameter", Ops: filter.NullOps}
	dataset := &filter.Entity{Name: "dataset", Ops: filter.ListOps, List: true, Keys: map[string]filter.Attribute{
		"name": {Column: "d.name"}, "digest": {Column: "d.digest"}, "context": {Column: "t.value"},
	}}
	g := &filter.Grammar{
		Entities: map[string]*filter.Entity{
			"metric": metric, "metrics": metric,
			"parameter": param, "parameters": param, "param": param, "params": param,
			"tag": tagEntity, "tags": tagEntity,
			"dataset": dataset, "datasets": dataset,
		},
		Valid:             []string{"metric", "parameter", "tag", "attribute", "dataset"},
		AttributeEntities: []string{"attribute", "attributes", "attr", "run"},
		Attributes: map[string]filter.Attribute{
			"run_id":       {Column: "r.run_id", List: true},
			"run_name":     {Column: "r.name"},
			"user_id":      {Column: "r.user_id"},
			"status":       {Column: "r.status"},
			"start_time":   {Column: "r.start_time", Type: filter.Integer},
			"end_time":     {Column: "r.end_time", Type: filter.Integer},
			"artifact_uri": {Column: "r.artifact_uri"},
		},
	}
	for name, alias := range map[string]string{"created": "start_time", "Created": "start_time",
		"run name": "run_name", "Run name": "run_name", "Run Name": "run_name"} {
		g.Attributes[name] = g.Attributes[alias]
	}
	return g
}()

func (s *Service) searchRuns(ctx context.Context, in *searchRunsRequest) (*searchRunsResponse, error) {
	limit := 1000
	if in.MaxResults != nil {
		var err error
		if limit, err = rest.MaxResults(int64(*in.MaxResults), maxSearchResults); err != nil {
			return nil, err
		}
	}
	search, err := newRunSearch(in)
	if err != nil {
		return nil, err
	}
	if len(search.experiments) == 0 {
		return &searchRunsResponse{}, nil
	}
	var out searchRunsResponse
	err = s.db.View(ctx, func(ctx context.Context, q db.Querier) error {
		rows, err := search.find(ctx, q, limit+1)
		if err != nil {
			return err
		}
		if len(rows) > limit {
			rows = rows[:limit]
			out.NextPageToken = rest.PageToken(search.offset + limit)
		}
		out.Runs, err = completeRuns(ctx, q, rows)
		return err
	})
	if err != nil {
		return nil, err
	}
	return &out, nil
}

// runSearch is a request that has been understood.
type runSearch struct {
	experiments []int64
	stages      []string
	terms       []filter.Term
	orders      []filter.Order
	offset      int
	parent      *string // see runWindowRequest
}

func newRunSearch(in *searchRunsRequest) (*runSearch, error) {
	var s runSearch
	var err error
	if s.terms, err = runGrammar.Parse(in.Filter); err != nil {
		return nil, rest.Invalid("%s", err)
	}
	if s.orders, err = runGrammar.ParseOrder(in.OrderBy); err != nil {
		return nil, rest.Invalid("%s", err)
	}
	if s.offset, err = rest.ParsePageToken(in.PageToken); err != nil {
		return nil, err
	}
	if s.stages, err = stages(in.RunViewType); err != nil {
		return nil, err
	}
	s.experiments, err = parseExperimentIDs(in.ExperimentIDs)
	return &s, err
}

// sql is the text and arguments that find the runs of one page.
func (s *runSearch) sql(limit int) (string, []any) {
	w := s.where()
	joins, order, joinArgs := s.order()
	text := fmt.Sprintf(`SELECT %s FROM runs r %s %s ORDER BY %s LIMIT ? OFFSET ?`,
		runColumns, strings.Join(joins, " "), w.String(), strings.Join(order, ", "))
	return text, append(append(joinArgs, w.Args...), limit, s.offset)
}

// where is the condition on the runs, aliased r.
func (s *runSearch) where() *filter.Where {
	var w filter.Where
	w.Add("r.experiment_id IN (" + idList(s.experiments) + ")")
	w.Add("r.lifecycle_stage IN ("+db.Marks(len(s.stages))+")", db.Args(s.stages)...)
	runTerms(&w, s.terms)
	s.nesting(&w)
	return &w
}

// runTerms adds what a filter says of the runs, aliased r.
func runTerms(w *filter.Where, terms []filter.Term) {
	for _, t := range terms {
		switch t.Entity {
		case filter.Choice:
			w.Any(t.Any, runTerms)
		case "metric":
			w.Metric("latest_metrics x WHERE x.run = r.id", t)
		case "parameter":
			w.Pair("params x WHERE x.run = r.id", t)
		case "tag":
			w.Pair("tags x WHERE x.run = r.id", t)
		case "dataset":
			from := "dataset_inputs i JOIN datasets d ON d.id = i.dataset WHERE i.run = r.id"
			if t.Key == "context" {
				from = "dataset_inputs i JOIN dataset_input_tags t ON t.input = i.id AND t.key = '" + contextTag + "' WHERE i.run = r.id"
			}
			w.Column(from, t)
		default:
			w.Attribute(t)
		}
	}
}

// order joins what the runs are ordered by. Runs without the key come last,
// before them those whose metric is NaN, whatever the direction.
func (s *runSearch) order() (joins, order []string, args []any) {
	byStart := false
	for i, o := range s.orders {
		alias := fmt.Sprintf("o%d", i)
		value := alias + ".value"
		table := map[string]string{"metric": "latest_metrics", "parameter": "params", "tag": "tags"}[o.Entity]
		switch o.Entity {
		case filter.AttributeEntity:
			value = o.Attr.Column
			byStart = byStart || value == "r.start_time"
			if value == "r.end_time" { // the only one that can be missing
				order = append(order, value+" IS NULL")
			}
		case "metric":
			order = append(order, fmt.Sprintf("CASE WHEN %s.is_nan = 1 THEN 1 WHEN %s IS NULL THEN 2 ELSE 0 END", alias, value))
		default:
			order = append(order, value+" IS NULL")
		}
		if table != "" {
			joins = append(joins, fmt.Sprintf("LEFT JOIN %s %s ON %s.run = r.id AND %s.key = ?", table, alias, alias, alias))
			args = append(args, o.Key)
		}
		order = append(order, value+o.Direction())
	}
	if !byStart {
		order = append(order, "r.start_time DESC")
	}
	return joins, append(order, "r.run_id"), args
}

func (s *runSearch) find(ctx context.Context, q db.Querier, limit int) ([]runRow, error) {
	text, args := s.sql(limit)
	rows, err := q.QueryContext(ctx, text, args...)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	var out []runRow
	for rows.Next() {
		row, err := scanRun(rows.Scan)
		if err != nil {
			return nil, err
		}
		out = append(out, row)
	}
	return out, rows.Err()
}
