package analyze

import (
	"context"

	"github.com/millpond/millpond/internal/plan"
	"github.com/millpond/millpond/internal/sparkerr"
	"github.com/millpond/millpond/internal/types"
)

// python resolves mapInPandas, mapInArrow, applyInPandas, applyInArrow and their cogroup forms.
func (a *Analyzer) python(ctx context.Context, r plan.Relation) (*rel, error) {
	switch r := r.(type) {
	case *plan.MapBatches:
		in, err := a.resolve(ctx, r.Input, nil)
		if err != nil {
			return nil, err
		}
		out, err := a.outputOf(r.Func)
		if err != nil {
			return nil, err
		}
		n, parts := a.inPartitions(in.node())
		return relOf(&plan.PythonMap{Input: n, Reads: in.attrs, UDF: r.Func, Attrs: out, Parts: parts}), nil
	case *plan.GroupMap:
		out, err := a.outputOf(r.Func)
		if err != nil {
			return nil, err
		}
		p := &plan.PythonGroups{UDF: r.Func, Attrs: out}
		if p.Input, p.Keys, p.Values, err = a.groupInput(ctx, r.Input, r.Group); err != nil {
			return nil, err
		}
		if r.Other != nil {
			if p.Other, p.OtherKeys, p.OtherValues, err = a.groupInput(ctx, r.Other, r.OtherGroup); err != nil {
				return nil, err
			}
			if len(p.Keys) != len(p.OtherKeys) {
				return nil, sparkerr.Plain(sparkerr.ClassAnalysis, "Cogroup keys must have same size: %d != %d", len(p.Keys), len(p.OtherKeys))
			}
		}
		return relOf(p), nil
	}
	return nil, sparkerr.Unsupported("the relation %T", r)
}

func (a *Analyzer) outputOf(f *plan.PythonUDF) ([]plan.Attr, error) {
	s, ok := f.Type.(types.Struct)
	if !ok {
		return nil, sparkerr.Plain(sparkerr.ClassAnalysis, "the function %s must return rows, not %s", f.Name, f.Type.SimpleString())
	}
	return a.attrs(s), nil
}

// groupInput computes the keys and answers which columns are keys and which are the function's.
func (a *Analyzer) groupInput(ctx context.Context, r plan.Relation, group []plan.Expr) (plan.Node, []plan.Attr, []plan.Attr, error) {
	in, err := a.resolve(ctx, r, nil)
	if err != nil {
		return nil, nil, nil, err
	}
	items, err := a.over(ctx, in).list(group)
	if err != nil {
		return nil, nil, nil, err
	}
	n := in.node()
	var keys []plan.Attr
	var more []plan.Named
	for _, it := range items {
		if it.keep != nil {
			keys = append(keys, *it.keep)
			continue
		}
		at := a.attr(it.name, it.value.Type(), it.value.Nullable())
		more = append(more, plan.Named{Attr: at, Value: it.value})
		keys = append(keys, at)
	}
	if len(more) > 0 {
		n = &plan.Select{Input: n, Exprs: append(pass(n.Output()), more...)}
	}
	return n, keys, in.attrs, nil
}

// ml resolves ML transformers, models and their relation-valued attributes.
func (a *Analyzer) ml(ctx context.Context, r plan.Relation) (*rel, error) {
	switch r := r.(type) {
	case *plan.Fetch:
		schema, batches, err := a.env.Fetch(ctx, r)
		if err != nil {
			return nil, err
		}
		return relOf(&plan.Data{Attrs: a.attrs(schema), Batches: batches, Label: "ModelAttribute"}), nil
	case *plan.Transform:
		in, err := a.resolve(ctx, r.Input, nil)
		if err != nil {
			return nil, err
		}
		return a.transform(ctx, r, in)
	}
	return nil, sparkerr.Unsupported("the relation %T", r)
}

func (a *Analyzer) transform(ctx context.Context, r *plan.Transform, in *rel) (*rel, error) {
	bound, err := a.env.Bind(ctx, r, plan.SchemaOf(in.attrs))
	if err != nil {
		return nil, err
	}
	t := &plan.TransformNode{Input: in.node(), MayDrop: bound.MayDrop, Key: bound.Key, Bound: bound.Transform}
	for _, name := range bound.Inputs {
		found, rest := match(in.attrs, []string{name})
		if len(found) == 0 || len(rest) > 0 {
			return nil, Unresolved([]string{name}, in.attrs)
		}
		t.Reads = append(t.Reads, found[0])
	}
	for _, f := range bound.Outputs {
		at := a.attr(f.Name, f.Type, f.Nullable)
		at.Metadata = f.Metadata
		t.Adds = append(t.Adds, at)
		for _, old := range in.attrs {
			if old.Name == f.Name {
				t.Drops = append(t.Drops, old.ID)
			}
		}
	}
	return relOf(t, in), nil
}
