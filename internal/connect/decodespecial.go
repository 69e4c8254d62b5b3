package connect

import (
	"fmt"

	pb "github.com/millpond/millpond/internal/gen/spark/connect"
	"github.com/millpond/millpond/internal/plan"
	"github.com/millpond/millpond/internal/sparkerr"
)

// special are missing values, statistics, Python, ML and the catalog.
func (d *decoder) special(p *pb.Relation) (plan.Relation, error) {
	switch k := p.RelType.(type) {
	case *pb.Relation_FillNa:
		in, err := d.relation(k.FillNa.Input)
		if err != nil {
			return nil, err
		}
		vals, err := plainLiterals(k.FillNa.Values)
		if err == nil && len(vals) == 0 {
			err = sparkerr.InvalidPlan("NA_FILL_VALUES_EMPTY")
		}
		return &plan.FillNA{Input: in, Columns: k.FillNa.Cols, Values: vals}, err
	case *pb.Relation_DropNa:
		in, err := d.relation(k.DropNa.Input)
		out := &plan.DropNA{Input: in, Columns: k.DropNa.Cols}
		if n := k.DropNa.MinNonNulls; n != nil {
			v := int(*n)
			out.MinNonNulls = &v
		}
		return out, err
	case *pb.Relation_Replace:
		return d.replace(k.Replace)
	case *pb.Relation_MapPartitions:
		in, err := d.relation(k.MapPartitions.Input)
		if err != nil {
			return nil, err
		}
		f, err := d.udf(k.MapPartitions.Func)
		return &plan.MapBatches{Input: in, Func: f}, err
	case *pb.Relation_CollectMetrics:
		in, err := d.relation(k.CollectMetrics.Input)
		if err != nil {
			return nil, err
		}
		metrics, err := d.exprs(k.CollectMetrics.Metrics)
		return &plan.Observe{Input: in, Name: k.CollectMetrics.Name, Metrics: metrics}, err
	case *pb.Relation_Transpose:
		in, err := d.relation(k.Transpose.Input)
		if err != nil {
			return nil, err
		}
		index, err := d.exprs(k.Transpose.IndexColumns)
		return &plan.Transpose{Input: in, Index: index}, err
	case *pb.Relation_GroupMap:
		return d.groupMap(k.GroupMap)
	case *pb.Relation_CoGroupMap:
		return d.coGroup(k.CoGroupMap)
	case *pb.Relation_MlRelation:
		return d.ml(k.MlRelation)
	case *pb.Relation_WithRelations:
		root, err := d.relation(k.WithRelations.Root)
		if err != nil {
			return nil, err
		}
		w := &plan.With{Root: root}
		for _, r := range k.WithRelations.References {
			ref, err := d.relation(r)
			if err != nil {
				return nil, err
			}
			w.References = append(w.References, ref)
		}
		return w, nil
	case *pb.Relation_UnresolvedTableValuedFunction:
		args, err := d.exprs(k.UnresolvedTableValuedFunction.Arguments)
		return &plan.TableFunction{Name: k.UnresolvedTableValuedFunction.FunctionName, Args: args}, err
	case *pb.Relation_Catalog:
		return catalog(k.Catalog)
	}
	return d.statistic(p)
}

func (d *decoder) statistic(p *pb.Relation) (plan.Relation, error) {
	stat := func(in *pb.Relation, s *plan.Stat) (plan.Relation, error) {
		r, err := d.relation(in)
		s.Input = r
		return s, err
	}
	switch k := p.RelType.(type) {
	case *pb.Relation_Summary:
		return stat(k.Summary.Input, &plan.Stat{Kind: "summary", Statistics: k.Summary.Statistics})
	case *pb.Relation_Describe:
		return stat(k.Describe.Input, &plan.Stat{Kind: "describe", Columns: k.Describe.Cols})
	case *pb.Relation_Crosstab:
		return stat(k.Crosstab.Input, &plan.Stat{Kind: "crosstab", Columns: []string{k.Crosstab.Col1, k.Crosstab.Col2}})
	case *pb.Relation_Cov:
		return stat(k.Cov.Input, &plan.Stat{Kind: "cov", Columns: []string{k.Cov.Col1, k.Cov.Col2}})
	case *pb.Relation_Corr:
		return stat(k.Corr.Input, &plan.Stat{Kind: "corr", Columns: []string{k.Corr.Col1, k.Corr.Col2}, Method: k.Corr.GetMethod()})
	case *pb.Relation_ApproxQuantile:
		q := k.ApproxQuantile
		return stat(q.Input, &plan.Stat{Kind: "approx_quantile", Columns: q.Cols, Probabilities: q.Probabilities, Error: q.RelativeError})
	case *pb.Relation_FreqItems:
		return stat(k.FreqItems.Input, &plan.Stat{Kind: "freq_items", Columns: k.FreqItems.Cols, Error: k.FreqItems.GetSupport()})
	case *pb.Relation_SampleBy:
		in, err := d.relation(k.SampleBy.Input)
		if err != nil {
			return nil, err
		}
		out := &plan.SampleBy{Input: in, Seed: k.SampleBy.GetSeed()}
		if out.Col, err = d.expr(k.SampleBy.Col); err != nil {
			return nil, err
		}
		for _, f := range k.SampleBy.Fractions {
			l, err := literal(f.Stratum)
			if err != nil {
				return nil, err
			}
			out.Strata, out.Fractions = append(out.Strata, l), append(out.Fractions, f.Fraction)
		}
		return out, nil
	}
	return nil, unknownCase("spark.connect.Relation", p.RelType, "RELTYPE_NOT_SET", "the relation")
}

func plainLiterals(ps []*pb.Expression_Literal) ([]plan.Literal, error) {
	out := make([]plan.Literal, len(ps))
	for i, p := range ps {
		l, err := literal(p)
		if err != nil {
			return nil, err
		}
		out[i] = l
	}
	return out, nil
}

func (d *decoder) replace(r *pb.NAReplace) (plan.Relation, error) {
	in, err := d.relation(r.Input)
	if err != nil {
		return nil, err
	}
	out := &plan.ReplaceNA{Input: in, Columns: r.Cols}
	for _, x := range r.Replacements {
		old, err := literal(x.OldValue)
		if err != nil {
			return nil, err
		}
		to, err := literal(x.NewValue)
		if err != nil {
			return nil, err
		}
		out.Old, out.New = append(out.Old, old), append(out.New, to)
	}
	return out, nil
}

func (d *decoder) groupMap(g *pb.GroupMap) (plan.Relation, error) {
	if g.TransformWithStateInfo != nil || g.IsMapGroupsWithState != nil {
		return nil, sparkerr.Unsupported("stateful functions of groups")
	}
	in, err := d.relation(g.Input)
	if err != nil {
		return nil, err
	}
	out := &plan.GroupMap{Input: in}
	if out.Group, err = d.exprs(g.GroupingExpressions); err != nil {
		return nil, err
	}
	out.Func, err = d.udf(g.Func)
	return out, err
}

func (d *decoder) coGroup(g *pb.CoGroupMap) (plan.Relation, error) {
	in, err := d.relation(g.Input)
	if err != nil {
		return nil, err
	}
	other, err := d.relation(g.Other)
	if err != nil {
		return nil, err
	}
	out := &plan.GroupMap{Input: in, Other: other}
	if out.Group, err = d.exprs(g.InputGroupingExpressions); err != nil {
		return nil, err
	}
	if out.OtherGroup, err = d.exprs(g.OtherGroupingExpressions); err != nil {
		return nil, err
	}
	out.Func, err = d.udf(g.Func)
	return out, err
}

func mlParams(p *pb.MlParams) (map[string]any, error) {
	out := map[string]any{}
	for k, l := range p.GetParams() {
		v, err := mlValue(l)
		if err != nil {
			return nil, fmt.Errorf("parameter %s: %w", k, err)
		}
		out[k] = v
	}
	return out, nil
}

func (d *decoder) ml(m *pb.MlRelation) (plan.Relation, error) {
	switch k := m.MlType.(type) {
	case *pb.MlRelation_Transform_:
		in, err := d.relation(k.Transform.Input)
		if err != nil {
			return nil, err
		}
		out := &plan.Transform{Input: in, ObjectID: k.Transform.GetObjRef().GetId()}
		if op := k.Transform.GetTransformer(); op != nil {
			out.Class, out.UID = op.Name, op.Uid
		}
		out.Params, err = mlParams(k.Transform.Params)
		return out, err
	case *pb.MlRelation_Fetch:
		f, err := d.fetch(k.Fetch)
		if err != nil {
			return nil, err
		}
		if m.ModelSummaryDataset != nil {
			f.Dataset, err = d.relation(m.ModelSummaryDataset)
		}
		return f, err
	}
	return nil, unknownCase("spark.connect.MlRelation", m.MlType, "MLTYPE_NOT_SET", "the ML relation")
}

func (d *decoder) fetch(f *pb.Fetch) (*plan.Fetch, error) {
	out := &plan.Fetch{ObjectID: f.GetObjRef().GetId()}
	for _, m := range f.Methods {
		step := plan.Method{Name: m.Method}
		for _, a := range m.Args {
			var v any
			var err error
			if r := a.GetInput(); r != nil {
				v, err = d.relation(r)
			} else {
				v, err = mlValue(a.GetParam())
			}
			if err != nil {
				return nil, err
			}
			step.Args = append(step.Args, v)
		}
		out.Methods = append(out.Methods, step)
	}
	return out, nil
}
