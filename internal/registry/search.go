package registry

import (
	"context"
	"slices"
	"strings"

	"github.com/millpond/millpond/internal/db"
	"github.com/millpond/millpond/internal/rest"
	"github.com/millpond/millpond/internal/rest/filter"
)

type (
	searchRequest struct {
		Filter     string      `json:"filter"`
		MaxResults *rest.Int64 `json:"max_results"`
		OrderBy    []string    `json:"order_by"`
		PageToken  string      `json:"page_token"`
	}
	searchModelsResponse struct {
		Models        []RegisteredModel `json:"registered_models,omitempty"`
		NextPageToken string            `json:"next_page_token,omitempty"`
	}
)

var registryTag = &filter.Entity{Name: "tag", Ops: filter.TextOps}

// modelGrammar is what a search of registered models knows.
var modelGrammar = &filter.Grammar{
	Entities:          map[string]*filter.Entity{"tag": registryTag, "tags": registryTag},
	Valid:             []string{"attribute", "tag", "tags"},
	AttributeEntities: []string{"attribute"},
	Attributes:        map[string]filter.Attribute{"name": {Column: "m.name", List: true}},
}

// modelOrders are the names that registered models can be ordered by.
var modelOrders = map[string]string{"name": "m.name", "timestamp": "m.last_updated_time", "last_updated_timestamp": "m.last_updated_time"}

// versionGrammar is what a search of versions knows; versionOrders what it can
// order by.
var (
	versionGrammar = &filter.Grammar{
		Entities:          modelGrammar.Entities,
		Valid:             modelGrammar.Valid,
		AttributeEntities: modelGrammar.AttributeEntities,
		Attributes: map[string]filter.Attribute{
			"name":           {Column: "m.name", List: true},
			"run_id":         {Column: "v.run_id", List: true},
			"source_path":    {Column: "v.source"},
			"version_number": {Column: "v.version", Type: filter.Integer},
		},
	}
	versionOrders = map[string]string{"name": "m.name", "version_number": "v.version",
		"creation_timestamp": "v.creation_time", "last_updated_timestamp": "v.last_updated_time"}
)

// page is a request's part of a result.
type page struct{ limit, offset int }

func (in *searchRequest) page(standard, most int64) (p page, err error) {
	n := standard
	if in.MaxResults != nil {
		n = int64(*in.MaxResults)
	}
	if p.limit, err = rest.MaxResults(n, most); err != nil {
		return p, err
	}
	p.offset, err = rest.ParsePageToken(in.PageToken)
	return p, err
}

// conditions compiles a filter. Prompts are kept among the models, but are
// shown only to those who ask for them.
func conditions(g *filter.Grammar, text, tagTable, promptsOf string) (*filter.Where, error) {
	terms, err := g.Parse(text)
	if err != nil {
		return nil, rest.Invalid("%s", err)
	}
	prompts := wantsPrompts(terms)
	var w filter.Where
	addTerms(&w, terms, tagTable, prompts)
	if !prompts {
		w.Add(`NOT EXISTS (SELECT 1 FROM registered_model_tags p WHERE p.model = `+promptsOf+` AND p.key = ? AND LOWER(p.value) = 'true')`, promptTag)
	}
	return &w, nil
}

// wantsPrompts reports whether a filter asks for prompts anywhere in it.
func wantsPrompts(terms []filter.Term) bool {
	return slices.ContainsFunc(terms, func(t filter.Term) bool {
		return slices.ContainsFunc(t.Any, wantsPrompts) || t.Entity == "tag" && t.Key == promptTag &&
			(t.Op == filter.Eq && strings.EqualFold(t.Text, "true") || t.Op == filter.Ne && strings.EqualFold(t.Text, "false"))
	})
}

// addTerms adds what a filter says of models or versions.
func addTerms(w *filter.Where, terms []filter.Term, tagTable string, prompts bool) {
	for _, t := range terms {
		switch {
		case t.Entity == filter.Choice:
			w.Any(t.Any, func(w *filter.Where, terms []filter.Term) { addTerms(w, terms, tagTable, prompts) })
		case t.Entity == filter.AttributeEntity:
			w.Attribute(t)
		case t.Key != promptTag || prompts:
			w.Pair(tagTable, t)
		}
	}
}

// order compiles order_by clauses against the known names; ties are broken by
// the columns given.
func order(clauses []string, known map[string]string, ties ...string) (string, error) {
	var out, columns []string
	for _, clause := range clauses {
		o, err := filter.ParseOrder(clause)
		if err != nil {
			return "", rest.Invalid("%s", err)
		}
		column, ok := known[o.Key]
		if !ok || o.Entity != "" && o.Entity != "attribute" {
			return "", rest.Invalid("Invalid order by key '%s' specified. Valid keys are %s", o.Key, sortedKeys(known))
		}
		if slices.Contains(columns, column) {
			return "", rest.Invalid("`order_by` contains duplicate fields: %s", strings.Join(clauses, ", "))
		}
		columns = append(columns, column)
		out = append(out, column+filter.Order{Desc: o.Desc}.Direction())
	}
	for _, tie := range ties {
		if column, _, _ := strings.Cut(tie, " "); !slices.Contains(columns, column) {
			out = append(out, tie)
		}
	}
	return strings.Join(out, ", "), nil
}

func sortedKeys(m map[string]string) string {
	var keys []string
	for k := range m {
		keys = append(keys, "'"+k+"'")
	}
	slices.Sort(keys)
	return "{" + strings.Join(keys, ", ") + "}"
}

func (s *Service) searchModels(ctx context.Context, in *searchRequest) (*searchModelsResponse, error) {
	p, err := in.page(100, 1000)
	if err != nil {
		return nil, err
	}
	w, err := conditions(modelGrammar, in.Filter, "registered_model_tags x WHERE x.model = m.id", "m.id")
	if err != nil {
		return nil, err
	}
	by, err := order(in.OrderBy, modelOrders, "m.name")
	if err != nil {
		return nil, err
	}
	return s.findModels(ctx, w, by, p)
}

func (s *Service) findModels(ctx context.Context, w *filter.Where, by string, p page) (*searchModelsResponse, error) {
	var out searchModelsResponse
	err := s.db.View(ctx, func(ctx context.Context, q db.Querier) error {
		ids, err := modelIDs(ctx, q, w.String()+" ORDER BY "+by+" LIMIT ? OFFSET ?", append(w.Args, p.limit+1, p.offset)...)
		if err != nil {
			return err
		}
		if len(ids) > p.limit {
			ids = ids[:p.limit]
			out.NextPageToken = rest.PageToken(p.offset + p.limit)
		}
		out.Models, err = readModels(ctx, q, ids)
		return err
	})
	if err != nil {
		return nil, err
	}
	return &out, nil
}

func modelIDs(ctx context.Context, q db.Querier, tail string, args ...any) ([]int64, error) {
	rows, err := q.QueryContext(ctx, `SELECT m.id FROM registered_models m `+tail, args...)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	var ids []int64
	for rows.Next() {
		var id int64
		if err := rows.Scan(&id); err != nil {
			return nil, err
		}
		ids = append(ids, id)
	}
	return ids, rows.Err()
}

func (s *Service) searchVersions(ctx context.Context, in *searchRequest) (*versionsResponse, error) {
	p, err := in.page(10_000, 200_000)
	if err != nil {
		return nil, err
	}
	w, err := conditions(versionGrammar, in.Filter, "model_version_tags x WHERE x.version = v.id", "v.model")
	if err != nil {
		return nil, err
	}
	by, err := order(in.OrderBy, versionOrders, "m.name", "v.version DESC")
	if err != nil {
		return nil, err
	}
	var out versionsResponse
	err = s.db.View(ctx, func(ctx context.Context, q db.Querier) error {
		found, err := selectVersions(ctx, q, w.String()+" ORDER BY "+by+" LIMIT ? OFFSET ?", append(w.Args, p.limit+1, p.offset)...)
		if err != nil {
			return err
		}
		out.Versions = found.full
		if len(out.Versions) > p.limit {
			out.Versions = out.Versions[:p.limit]
			out.NextPageToken = rest.PageToken(p.offset + p.limit)
		}
		return nil
	})
	if err != nil {
		return nil, err
	}
	return &out, nil
}

// The answers of searches leave out what the user may not see; see [rest.Filtered].

// Keep implements [rest.Filtered].
func (r *searchModelsResponse) Keep(may func(kind, id string) bool) {
	r.Models = slices.DeleteFunc(r.Models, func(m RegisteredModel) bool { return !may(rest.KindModel, m.Name) })
}

// Keep implements [rest.Filtered].
func (r *versionsResponse) Keep(may func(kind, id string) bool) {
	r.Versions = slices.DeleteFunc(r.Versions, func(v ModelVersion) bool { return !may(rest.KindModel, v.Name) })
}

// Keep implements [rest.Filtered].
func (r *catalogVersionsResponse) Keep(may func(kind, id string) bool) {
	r.Versions = slices.DeleteFunc(r.Versions, func(v catalogVersion) bool { return !may(rest.KindModel, v.Name) })
}
