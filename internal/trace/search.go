package trace

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/millpond/millpond/internal/db"
	"github.com/millpond/millpond/internal/rest"
	"github.com/millpond/millpond/internal/rest/filter"
)

type (
	searchRequest struct {
		Locations  []Location  `json:"locations" mlflow:"required"`
		Filter     string      `json:"filter"`
		MaxResults *rest.Int64 `json:"max_results"`
		OrderBy    []string    `json:"order_by"`
		PageToken  string      `json:"page_token"`
	}
	searchResponse struct {
		Traces        []Info `json:"traces,omitempty"`
		NextPageToken string `json:"next_page_token,omitempty"`
	}
	searchV2Request struct {
		ExperimentIDs []string    `json:"experiment_ids"`
		Filter        string      `json:"filter"`
		MaxResults    *rest.Int64 `json:"max_results"`
		OrderBy       []string    `json:"order_by"`
		PageToken     string      `json:"page_token"`
	}
	searchV2Response struct {
		Traces        []InfoV2 `json:"traces,omitempty"`
		NextPageToken string   `json:"next_page_token,omitempty"`
	}
)

const (
	defaultResults = 100
	maxResults     = 500
)

// tagColumn and metadataColumn read one key as if it were a column.
func tagColumn(key string) string {
	return "(SELECT value FROM trace_tags WHERE trace = r.id AND key = '" + key + "')"
}

func metadataColumn(key string) string {
	return "(SELECT value FROM trace_metadata WHERE trace = r.id AND key = '" + key + "')"
}

// grammar is what a search of traces knows.
var grammar = func() *filter.Grammar {
	tag := &filter.Entity{Name: "tag", Ops: filter.NullOps}
	metadata := &filter.Entity{Name: "request_metadata", Ops: filter.NullOps}
	ops := []filter.Op{filter.Eq, filter.Ne, filter.Lt, filter.Le, filter.Gt, filter.Ge, filter.Like, filter.ILike, filter.IsNull, filter.IsNotNull}
	g := &filter.Grammar{
		Entities: map[string]*filter.Entity{
			"tag": tag, "tags": tag, "request_metadata": metadata, "metadata": metadata,
			"span":      {Name: "span", Ops: filter.ListOps, List: true},
			feedback:    {Name: feedback, Ops: ops, AnyNumber: true},
			expectation: {Name: expectation, Ops: ops, AnyNumber: true},
			issue:       {Name: issue, Ops: []filter.Op{filter.Eq}, Keys: map[string]filter.Attribute{"id": {Column: "x.name"}}},
		},
		Valid:             []string{"attribute", "expectation", "feedback", "issue", "request_metadata", "span", "tag"},
		AttributeEntities: []string{"attribute", "attributes", "trace"},
		Attributes: map[string]filter.Attribute{
			"request_id":        {Column: "r.trace_id", List: true},
			"client_request_id": {Column: "r.client_request_id", List: true},
			"experiment_id":     {Column: "r.experiment_id", Type: filter.Integer},
			"timestamp_ms":      {Column: "r.timestamp_ms", Type: filter.Integer},
			"execution_time_ms": {Column: "r.execution_ms", Type: filter.Integer},
			"end_time_ms":       {Column: "(r.timestamp_ms + COALESCE(r.execution_ms, 0))", Type: filter.Integer},
			"status":            {Column: "r.state", List: true},
			"name":              {Column: tagColumn(nameTag), List: true},
			"run_id":            {Column: metadataColumn(sourceRunKey), List: true},
			"prompt":            {Column: "x.target", Ops: []filter.Op{filter.Eq}, NoOrder: true},
			"text":              {Column: "x.content", Ops: []filter.Op{filter.Like, filter.ILike}, NoOrder: true},
		},
	}
	for name, alias := range map[string]string{"timestamp": "timestamp_ms", "execution_time": "execution_time_ms", "end_time": "end_time_ms",
		"trace_id": "request_id", "id": "request_id"} {
		g.Attributes[name] = g.Attributes[alias]
	}
	return g
}()

// spanColumns are the columns of a span that a search may name.
var spanColumns = map[string]filter.Attribute{"name": {Column: "x.name"}, "type": {Column: "x.type"}, "status": {Column: "x.status"}, "content": {Column: "x.content"}}

func experimentID(text string) (int64, error) {
	id, err := strconv.ParseInt(text, 10, 64)
	if err != nil {
		return 0, rest.Invalid("Invalid experiment ID '%s'. Experiment ID must be a valid integer.", text)
	}
	return id, nil
}

func experimentIDs(texts []string) ([]int64, error) {
	if len(texts) > 10000 {
		return nil, rest.Invalid("More than 10000 experiments are named.")
	}
	ids := make([]int64, len(texts))
	for i, text := range texts {
		var err error
		if ids[i], err = experimentID(text); err != nil {
			return nil, err
		}
	}
	return ids, nil
}

func (s *Service) search(ctx context.Context, in *searchRequest) (*searchResponse, error) {
	var experiments []string
	for _, l := range in.Locations {
		if l.MlflowExperiment != nil {
			experiments = append(experiments, l.MlflowExperiment.ExperimentID)
		}
	}
	infos, next, err := s.find(ctx, &searchV2Request{experiments, in.Filter, in.MaxResults, in.OrderBy, in.PageToken})
	return &searchResponse{infos, next}, err
}

func (s *Service) searchV2(ctx context.Context, in *searchV2Request) (*searchV2Response, error) {
	infos, next, err := s.find(ctx, in)
	out := &searchV2Response{NextPageToken: next}
	for i := range infos {
		out.Traces = append(out.Traces, infos[i].v2())
	}
	return out, err
}

// find is one page of the traces that match.
func (s *Service) find(ctx context.Context, in *searchV2Request) (infos []Info, next string, err error) {
	limit := defaultResults
	if in.MaxResults != nil {
		if limit, err = rest.MaxResults(int64(*in.MaxResults), maxResults); err != nil {
			return nil, "", err
		}
	}
	offset, err := rest.ParsePageToken(in.PageToken)
	if err != nil {
		return nil, "", err
	}
	experiments, err := experimentIDs(in.ExperimentIDs)
	if err != nil || len(experiments) == 0 {
		return nil, "", err
	}
	where, err := conditions(in.Filter, experiments)
	if err != nil {
		return nil, "", err
	}
	joins, order, args, err := ordering(in.OrderBy)
	if err != nil {
		return nil, "", err
	}
	tail := fmt.Sprintf("%s %s ORDER BY %s LIMIT ? OFFSET ?", strings.Join(joins, " "), where.String(), strings.Join(order, ", "))
	err = s.db.View(ctx, func(ctx context.Context, q db.Querier) error {
		rows, err := selectTraces(ctx, q, tail, append(append(args, where.Args...), limit+1, offset)...)
		if err != nil {
			return err
		}
		if len(rows) > limit {
			rows, next = rows[:limit], rest.PageToken(offset+limit)
		}
		infos, err = complete(ctx, q, rows)
		return err
	})
	return infos, next, err
}

// conditions compiles a filter.
func conditions(text string, experiments []int64) (*filter.Where, error) {
	terms, err := grammar.Parse(text)
	if err != nil {
		return nil, rest.Invalid("%s", err)
	}
	var w filter.Where
	w.Add("r.experiment_id IN ("+db.Marks(len(experiments))+")", db.Args(experiments)...)
	return &w, addTerms(&w, terms)
}

// CheckFilter refuses what is no filter of traces.
func CheckFilter(text string) error {
	_, err := conditions(text, nil)
	return err
}

// addTerms adds what a filter says of the traces, aliased r. All that a
// conjunction says of spans it says of one span.
func addTerms(w *filter.Where, terms []filter.Term) (err error) {
	var span filter.Where
	for _, t := range terms {
		switch t.Entity {
		case filter.Choice:
			w.Any(t.Any, func(w *filter.Where, terms []filter.Term) {
				if err == nil {
					err = addTerms(w, terms)
				}
			})
		case "tag":
			w.Pair("trace_tags x WHERE x.trace = r.id", t)
		case "request_metadata":
			w.Pair("trace_metadata x WHERE x.trace = r.id", t)
		case "span":
			err = spanTerm(&span, t)
		case issue:
			w.Column("assessments x WHERE x.trace = r.id AND x.kind = 'issue'", t)
		case feedback, expectation:
			err = assessmentTerm(w, t)
		default:
			attributeTerm(w, t)
		}
		if err != nil {
			return err
		}
	}
	if len(span.Args) > 0 {
		w.Add("EXISTS (SELECT 1 FROM spans x "+span.String()+" AND x.trace = r.id)", span.Args...)
	}
	return nil
}

func attributeTerm(w *filter.Where, t filter.Term) {
	switch {
	case t.Key == "text":
		w.Column("spans x WHERE x.trace = r.id", t)
	case t.Key == "prompt":
		w.Column("trace_links x WHERE x.trace = r.id AND x.kind = 'prompt'", t)
	case t.Key == "run_id" && t.Op == filter.Eq: // made in the run, or linked to it
		w.Add(`(`+t.Attr.Column+` = ? OR EXISTS (SELECT 1 FROM trace_links x WHERE x.trace = r.id AND x.kind = 'run' AND x.target = ?))`, t.Text, t.Text)
	default:
		w.Attribute(t)
	}
}

func spanTerm(w *filter.Where, t filter.Term) error {
	name, isAttribute := strings.CutPrefix(t.Key, "attributes.")
	if !isAttribute {
		column, ok := spanColumns[t.Key]
		if !ok {
			return rest.Invalid("Invalid span attribute '%s'. Supported attributes: name, status, type, attributes.<attribute_name>.", t.Key)
		}
		t.Attr = column
		w.Attribute(t)
		return nil
	}
	if name == "" {
		return rest.Invalid("Span attribute name cannot be empty after 'attributes.'")
	}
	if !slices.Contains([]filter.Op{filter.Eq, filter.Ne, filter.Like, filter.ILike}, t.Op) {
		return rest.Invalid("span.%s comparator '%s' is not supported: use =, !=, LIKE or ILIKE.", t.Key, t.Op)
	}
	// The attribute as it stands in the span's JSON.
	prefix := `{"key":` + jsonText(name) + `,"value":{"`
	pattern := "%" + escapeLike(prefix) + "%" + strings.ReplaceAll(t.Text, `\`, `\\`) + "%"
	switch t.Op {
	case filter.Like:
		w.Add(`x.content LIKE ? ESCAPE '\'`, pattern)
		return nil
	case filter.ILike:
		w.Add(`LOWER(x.content) LIKE LOWER(?) ESCAPE '\'`, pattern)
		return nil
	}
	not := ""
	if t.Op == filter.Ne {
		not = "NOT "
		w.Add(`x.content LIKE ? ESCAPE '\'`, "%"+escapeLike(prefix)+"%")
	}
	text := jsonText(t.Text)
	forms := []string{prefix + `string_value":` + text + `}`, prefix + `string_value":` + jsonText(text) + `}`, // MLflow's own are JSON inside
		prefix + `int_value":` + text + `}`, prefix + `double_value":` + t.Text + `}`, prefix + `bool_value":` + t.Text + `}`}
	conds := make([]string, len(forms))
	args := make([]any, len(forms))
	for i, f := range forms {
		conds[i], args[i] = `x.content LIKE ? ESCAPE '\'`, "%"+escapeLike(f)+"%"
	}
	w.Add(not+"("+strings.Join(conds, " OR ")+")", args...)
	return nil
}

func jsonText(s string) string {
	var b strings.Builder
	enc := json.NewEncoder(&b)
	enc.SetEscapeHTML(false)
	if enc.Encode(s) != nil {
		return `""`
	}
	return strings.TrimSuffix(b.String(), "\n")
}

var likeEscaper = strings.NewReplacer(`\`, `\\`, `%`, `\%`, `_`, `\_`)

func escapeLike(s string) string { return likeEscaper.Replace(s) }

func assessmentTerm(w *filter.Where, t filter.Term) error {
	from := "assessments x WHERE x.trace = r.id AND x.valid = 1 AND x.kind = '" + t.Entity + "' AND x.name = ?"
	switch t.Op {
	case filter.IsNull:
		w.Add("NOT EXISTS (SELECT 1 FROM "+from+")", t.Key)
	case filter.IsNotNull:
		w.Add("EXISTS (SELECT 1 FROM "+from+")", t.Key)
	case filter.Lt, filter.Le, filter.Gt, filter.Ge:
		n, err := strconv.ParseFloat(t.Text, 64)
		if err != nil {
			return rest.Invalid("%s.%s is compared with a number by %s, got '%s'.", t.Entity, t.Key, t.Op, t.Text)
		}
		w.Add("EXISTS (SELECT 1 FROM "+from+" AND x.number "+string(t.Op)+" ?)", t.Key, n)
	default:
		var value filter.Where
		t.Attr = filter.Attribute{Column: "x.value"}
		value.Attribute(t)
		w.Add("EXISTS (SELECT 1 FROM "+from+" AND "+strings.TrimPrefix(value.String(), "WHERE ")+")", append([]any{t.Key}, value.Args...)...)
	}
	return nil
}

// ordering compiles order_by: traces without the key come last; then the
// newest first.
func ordering(clauses []string) (joins, order []string, args []any, err error) {
	orders, err := grammar.ParseOrder(clauses)
	if err != nil {
		return nil, nil, nil, rest.Invalid("%s", err)
	}
	for i, o := range orders {
		value := o.Attr.Column
		switch o.Entity {
		case filter.AttributeEntity:
		case "tag", "request_metadata":
			table := map[string]string{"tag": tagTable, "request_metadata": metadataTable}[o.Entity]
			alias := fmt.Sprintf("o%d", i)
			value = alias + ".value"
			joins = append(joins, fmt.Sprintf("LEFT JOIN %s %s ON %s.trace = r.id AND %s.key = ?", table, alias, alias, alias))
			args = append(args, o.Key)
		default:
			return nil, nil, nil, rest.Invalid("Invalid identifier type '%s'", o.Entity)
		}
		order = append(order, "CASE WHEN "+value+" IS NULL THEN 1 ELSE 0 END", value+o.Direction())
	}
	return joins, append(order, "r.timestamp_ms DESC", "r.trace_id"), args, nil
}
