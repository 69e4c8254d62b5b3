package engine

import (
	"context"

	"github.com/millpond/millpond/internal/plan"
)

// Metrics are what an observation of a relation came to.
type Metrics struct {
	Name   string
	PlanID int64
	Keys   []string
	Values []plan.Literal
}

// Observed reckons the metrics of every observation in a relation that has been run. They are an
// aggregate of the observed rows, read once more: rows that pass a stage are not counted twice.
func (s *Session) Observed(ctx context.Context, r plan.Relation) ([]Metrics, error) {
	var found []*plan.Observe
	plan.Visit(r, func(x plan.Relation) {
		if o, ok := x.(*plan.Observe); ok {
			found = append(found, o)
		}
	})
	out := make([]Metrics, 0, len(found))
	for _, o := range found {
		agg := &plan.Aggregate{Input: o.Input, Kind: "groupby", Aggs: o.Metrics}
		schema, err := s.Schema(ctx, agg)
		if err != nil {
			return nil, err
		}
		values, err := s.oneRow(ctx, agg)
		if err != nil {
			return nil, err
		}
		out = append(out, Metrics{Name: o.Name, PlanID: plan.CommonOf(o).PlanID, Keys: schema.Names(), Values: values})
	}
	return out, nil
}
