package tracking

import (
	"context"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"slices"
	"strings"

	"github.com/millpond/millpond/internal/db"
	"github.com/millpond/millpond/internal/rest"
	"github.com/millpond/millpond/internal/rest/filter"
)

type (
	searchModelsRequest struct {
		ExperimentIDs []string      `json:"experiment_ids" mlflow:"required"`
		Filter        string        `json:"filter"`
		Datasets      []modelData   `json:"datasets"`
		MaxResults    *rest.Int64   `json:"max_results"`
		OrderBy       []modelsOrder `json:"order_by"`
		PageToken     string        `json:"page_token"`
	}
	modelData struct {
		Name   string `json:"dataset_name"`
		Digest string `json:"dataset_digest"`
	}
	modelsOrder struct {
		FieldName string `json:"field_name"`
		Ascending *bool  `json:"ascending"`
		modelData
	}
	searchModelsResponse struct {
		Models        []LoggedModel `json:"models,omitempty"`
		NextPageToken string        `json:"next_page_token,omitempty"`
	}
	// modelsToken is a page token; it holds what was asked, so that a token
	// of one search is not used in another.
	modelsToken struct {
		ExperimentIDs []string      `json:"experiment_ids"`
		Filter        string        `json:"filter_string"`
		OrderBy       []modelsOrder `json:"order_by"`
		Offset        int           `json:"offset"`
	}
)

// modelGrammar is what a search of logged models knows.
var modelGrammar = func() *filter.Grammar {
	list := filter.ListOps
	param := &filter.Entity{Name: "params", Ops: list, List: true}
	tag := &filter.Entity{Name: "tags", Ops: list, List: true}
	created := filter.Attribute{Column: "l.creation_timestamp_ms", Type: filter.Integer}
	updated := filter.Attribute{Column: "l.last_updated_timestamp_ms", Type: filter.Integer}
	return &filter.Grammar{
		Entities: map[string]*filter.Entity{
			"metrics": {Name: "metrics", Numeric: true, Ops: filter.NumericOps}, "params": param, "tags": tag,
		},
		Valid:             []string{"attributes", "metrics", "params", "tags"},
		AttributeEntities: []string{"attributes"},
		AnyNumber:         true,
		Attributes: map[string]filter.Attribute{
			"name":       {Column: "l.name", List: true},
			"model_id":   {Column: "l.model_id", List: true},
			"model_type": {Column: "l.model_type", List: true},
			"status": {Column: "CASE l.status WHEN 1 THEN 'PENDING' WHEN 2 THEN 'READY' WHEN 3 THEN 'FAILED' END",
				List: true},
			"source_run_id":          {Column: "l.source_run_id", List: true},
			"artifact_location":      {Column: "l.artifact_location", List: true},
			"experiment_id":          {Column: "CAST(l.experiment_id AS TEXT)", List: true},
			"creation_time":          created,
			"creation_timestamp":     created,
			"creation_timestamp_ms":  created,
			"last_updated_time":      updated,
			"last_updated_timestamp": updated, "last_updated_timestamp_ms": updated,
		},
	}
}()

func (s *Service) searchModels(ctx context.Context, in *searchModelsRequest) (*searchModelsResponse, error) {
	limit := 50
	if in.MaxResults != nil && *in.MaxResults != 0 {
		var err error
		if limit, err = rest.MaxResults(int64(*in.MaxResults), maxSearchResults); err != nil {
			return nil, err
		}
	}
	text, args, offset, err := modelSearchSQL(in, limit+1)
	if err != nil {
		return nil, err
	}
	var out searchModelsResponse
	err = s.db.View(ctx, func(ctx context.Context, q db.Querier) error {
		found, err := findModels(ctx, q, text, args)
		if err != nil {
			return err
		}
		if len(found) > limit {
			found = found[:limit]
			out.NextPageToken = modelsToken{in.ExperimentIDs, in.Filter, in.OrderBy, offset + limit}.encode()
		}
		out.Models, err = completeModels(ctx, q, found)
		return err
	})
	if err != nil {
		return nil, err
	}
	return &out, nil
}

// modelTerms adds what a filter says of the models, aliased l; metrics is where
// those of the datasets asked for are.
func modelTerms(w *filter.Where, terms []filter.Term, metrics string, dataArgs []any) {
	for _, t := range terms {
		switch t.Entity {
		case filter.Choice:
			w.Any(t.Any, func(w *filter.Where, terms []filter.Term) { modelTerms(w, terms, metrics, dataArgs) })
		case "metrics":
			w.Metric(metrics, t, dataArgs...)
		case "params":
			w.Pair("logged_model_params x WHERE x.model = l.id", t)
		case "tags":
			w.Pair("logged_model_tags x WHERE x.model = l.id", t)
		default:
			w.Attribute(t)
		}
	}
}

func modelSearchSQL(in *searchModelsRequest, limit int) (text string, args []any, offset int, err error) {
	ids, err := parseExperimentIDs(in.ExperimentIDs)
	if err != nil {
		return "", nil, 0, err
	}
	terms, err := modelGrammar.Parse(in.Filter)
	if err != nil {
		return "", nil, 0, rest.Invalid("%s", err)
	}
	if offset, err = in.offset(); err != nil {
		return "", nil, 0, err
	}
	var w filter.Where
	if len(ids) == 0 {
		w.Add("1 = 0") // PostgreSQL takes no empty list
	} else {
		w.Add("l.experiment_id IN (" + idList(ids) + ")")
	}
	w.Add("l.lifecycle_stage != 'deleted'")
	onData, dataArgs, err := in.onDatasets()
	if err != nil {
		return "", nil, 0, err
	}
	metrics := "logged_model_metrics x WHERE x.model = l.id" + onData
	modelTerms(&w, terms, metrics, dataArgs)
	measured := slices.ContainsFunc(terms, func(t filter.Term) bool { return t.Entity == "metrics" })
	if onData != "" && !measured {
		w.Add("EXISTS (SELECT 1 FROM "+metrics+")", dataArgs...)
	}
	joins, order, joinArgs, err := in.order()
	if err != nil {
		return "", nil, 0, err
	}
	text = fmt.Sprintf(`SELECT %s FROM logged_models l %s %s ORDER BY %s LIMIT ? OFFSET ?`,
		modelColumns, strings.Join(joins, " "), w.String(), strings.Join(order, ", "))
	return text, append(append(joinArgs, w.Args...), limit, offset), offset, nil
}

// onDatasets narrows metrics to those measured on the datasets asked for.
func (in *searchModelsRequest) onDatasets() (cond string, args []any, err error) {
	var alternatives []string
	for _, d := range in.Datasets {
		if d.Name == "" {
			return "", nil, rest.Invalid("`dataset_name` in the `datasets` clause must be specified.")
		}
		c, a := d.cond("x")
		alternatives = append(alternatives, "("+c+")")
		args = append(args, a...)
	}
	if alternatives == nil {
		return "", nil, nil
	}
	return " AND (" + strings.Join(alternatives, " OR ") + ")", args, nil
}

func (d modelData) cond(alias string) (string, []any) {
	cond, args := "1 = 1", []any(nil)
	if d.Name != "" {
		cond, args = alias+".dataset_name = ?", append(args, d.Name)
	}
	if d.Digest != "" {
		cond, args = cond+" AND "+alias+".dataset_digest = ?", append(args, d.Digest)
	}
	return cond, args
}

// order orders by attributes and by the latest value of metrics; models that
// lack the value come last.
func (in *searchModelsRequest) order() (joins, order []string, args []any, err error) {
	if len(in.OrderBy) > 30 {
		return nil, nil, nil, rest.Invalid("Invalid order_by: more than 30 clauses.")
	}
	byTime, byID := false, false
	for i, o := range in.OrderBy {
		var value string
		entity, key, dotted := strings.Cut(o.FieldName, ".")
		switch attr, known := modelGrammar.Attributes[o.FieldName]; {
		case dotted && entity == "metrics":
			alias := fmt.Sprintf("o%d", i)
			cond, more := o.cond("x")
			joins = append(joins, fmt.Sprintf(`LEFT JOIN (SELECT model, value, is_nan, ROW_NUMBER() OVER (PARTITION BY model ORDER BY timestamp DESC, step DESC, run_id) AS nr
				FROM logged_model_metrics x WHERE x.key = ? AND %s) %s ON %s.model = l.id AND %s.nr = 1`, cond, alias, alias, alias))
			args = append(append(args, strings.Trim(key, "`")), more...)
			value = alias + ".value"
			order = append(order, fmt.Sprintf("CASE WHEN %s.is_nan = 1 THEN 1 WHEN %s IS NULL THEN 2 ELSE 0 END", alias, value))
		case dotted:
			return nil, nil, nil, rest.Invalid("Invalid order by field name: %s. Only metrics are supported.", o.FieldName)
		case !known:
			return nil, nil, nil, rest.Invalid("Invalid order by field name: %s", o.FieldName)
		default:
			value = attr.Column
			byTime = byTime || value == "l.creation_timestamp_ms"
			byID = byID || value == "l.model_id"
		}
		order = append(order, value+filter.Order{Desc: o.Ascending != nil && !*o.Ascending}.Direction())
	}
	if !byTime {
		order = append(order, "l.creation_timestamp_ms DESC")
	}
	if !byID {
		order = append(order, "l.model_id")
	}
	return joins, order, args, nil
}

func (in *searchModelsRequest) offset() (int, error) {
	if in.PageToken == "" {
		return 0, nil
	}
	var t modelsToken
	raw, err := base64.StdEncoding.DecodeString(in.PageToken)
	if err == nil {
		err = json.Unmarshal(raw, &t)
	}
	if err != nil || t.Offset < 0 {
		return 0, rest.Invalid("Invalid page token: %s.", in.PageToken)
	}
	asked, err := json.Marshal(in.OrderBy)
	if err != nil {
		return 0, err
	}
	meant, err := json.Marshal(t.OrderBy)
	if err != nil {
		return 0, err
	}
	switch {
	case !slices.Equal(t.ExperimentIDs, in.ExperimentIDs):
		return 0, rest.Invalid("Experiment IDs in the page token do not match the requested experiment IDs.")
	case t.Filter != in.Filter:
		return 0, rest.Invalid("Filter string in the page token does not match the requested filter string.")
	case string(asked) != string(meant):
		return 0, rest.Invalid("Order by in the page token does not match the requested order by.")
	}
	return t.Offset, nil
}

func (t modelsToken) encode() string {
	raw, _ := json.Marshal(t) // strings, numbers and booleans only
	return base64.StdEncoding.EncodeToString(raw)
}

func findModels(ctx context.Context, q db.Querier, text string, args []any) ([]modelRow, error) {
	rows, err := q.QueryContext(ctx, text, args...)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	var out []modelRow
	for rows.Next() {
		m, err := scanModel(rows.Scan)
		if err != nil {
			return nil, err
		}
		out = append(out, m)
	}
	return out, rows.Err()
}
