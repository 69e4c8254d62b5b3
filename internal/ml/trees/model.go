package trees

import (
	"context"

	"github.com/google/uuid"

	"github.com/millpond/millpond/internal/kernel/tree"
	"github.com/millpond/millpond/internal/ml"
	"github.com/millpond/millpond/internal/types"
)

// Kind is what the six classes of tree models differ in. Each is a constant of its file.
type Kind struct {
	Spec       *ml.Spec
	Classifier bool
	Child      string // class of the member trees' models; "" for a model that is one tree
	ChildUID   string // what the uid of a member tree begins with
	// Raw fills in a classifier's raw prediction of a row, ToProbability turns it into
	// probabilities in place; Predict is a regressor's prediction.
	Raw           func(m *Model, row, raw []float64)
	ToProbability func(raw []float64)
	Predict       func(m *Model, row []float64) float64
	PerTree       bool // whether each tree's importances are scaled to sum to one first
	Attrs         ml.AttrTable[*Model]
}

// Model is a fitted model of one tree or many.
type Model struct {
	ml.Base
	kind     *Kind
	Trees    []*tree.Tree
	Weights  []float64
	Features int
	Classes  int // 0 for regression
	members  []ml.Model
	summary  ml.Summary
}

// NewModel makes a model; base comes of the estimator or of metadata.
func NewModel(kind *Kind, base ml.Base, trees []*tree.Tree, weights []float64, features, classes int) *Model {
	m := &Model{Base: base, kind: kind, Trees: trees, Weights: weights, Features: features, Classes: classes}
	if kind.Child != "" {
		m.members = make([]ml.Model, len(trees))
		for i, t := range trees {
			m.members[i] = m.member(t)
		}
	}
	return m
}

// member makes the model of one of an ensemble's trees, with the ensemble's parameters.
func (m *Model) member(t *tree.Tree) ml.Model {
	k := singles[m.kind.Child]
	id := uuid.New()
	uid := m.kind.ChildUID + "_" + id.String()[24:]
	return NewModel(k, ml.NewBase(k.Spec, uid, m.Params()), []*tree.Tree{t}, []float64{1}, m.Features, t.Classes)
}

// singles holds the kinds of models that are one tree, by class; ensembles are made of them.
var singles = map[string]*Kind{}

// RegisterSingle enters the kind of a model that is one tree.
func RegisterSingle(k *Kind) { singles[k.Spec.Class] = k }

// SetSummary gives the model its training summary.
func (m *Model) SetSummary(s ml.Summary) { m.summary = s }

func (m *Model) Summary() ml.Summary { return m.summary }

func (m *Model) SizeBytes() int64 {
	n := int64(1024)
	for _, t := range m.Trees {
		for i := range t.Nodes {
			n += 240 + 8*int64(len(t.Nodes[i].Stats)+len(t.Nodes[i].Split.Categories))
		}
	}
	return n
}

func (m *Model) WithParams(p *ml.Params) ml.Model {
	c := *m
	c.Base = m.With(p)
	return &c
}

func (m *Model) Attr(ctx context.Context, name string, args []any) (any, error) {
	return m.kind.Attrs.Call(ctx, m, m.Spec().Class, name, args)
}

// Importances are the features' shares of all gains, as a sparse vector like Spark's.
func (m *Model) Importances() ml.Vector {
	all := tree.Importances(m.Trees, m.Features, m.kind.PerTree)
	used := make([]bool, m.Features)
	for _, t := range m.Trees {
		for i := range t.Nodes {
			if n := &t.Nodes[i]; n.Left >= 0 {
				used[n.Split.Feature] = true
			}
		}
	}
	v := ml.Vector{Size: m.Features, Sparse: true, Indices: []int32{}, Values: []float64{}}
	for f, u := range used {
		if u {
			v.Indices, v.Values = append(v.Indices, int32(f)), append(v.Values, all[f])
		}
	}
	return v
}

// NumNodes is the number of nodes of all trees.
func (m *Model) NumNodes() int {
	n := 0
	for _, t := range m.Trees {
		n += len(t.Nodes)
	}
	return n
}

// TransformSchema checks that the columns the model reads are there and those it makes are free.
func (m *Model) TransformSchema(in types.Struct) (types.Struct, error) {
	if err := ml.CheckVector(in, m.Params().String("featuresCol")); err != nil {
		return in, err
	}
	return m.appendOutputs(in)
}

// appendOutputs checks the output columns in Spark's order.
func (m *Model) appendOutputs(in types.Struct) (types.Struct, error) {
	return AppendOutputs(in, m.Params(), m.outputs())
}

// AppendOutputs adds output columns to a schema; one that is taken is an error, the prediction's
// first.
func AppendOutputs(in types.Struct, p *ml.Params, outputs []types.Field) (types.Struct, error) {
	for _, f := range outputs {
		if f.Name == p.String("predictionCol") {
			if _, err := ml.AppendField(in, f); err != nil {
				return in, err
			}
		}
	}
	out := in
	var err error
	for _, f := range outputs {
		if out, err = ml.AppendField(out, f); err != nil {
			return in, err
		}
	}
	return out, nil
}

// outputs are the columns the model makes: those whose parameter is not empty.
func (m *Model) outputs() []types.Field {
	p := m.Params()
	var out []types.Field
	add := func(param string, field func(name string) types.Field) {
		if name := p.String(param); name != "" {
			out = append(out, field(name))
		}
	}
	if m.kind.Classifier {
		vector := func(name string) types.Field { return ml.VectorField(name, m.Classes) }
		add("rawPredictionCol", vector)
		add("probabilityCol", vector)
	}
	add("predictionCol", func(name string) types.Field { return ml.PredictionField(name, m.Classes) })
	add("varianceCol", func(name string) types.Field { return ml.PredictionField(name, 0) })
	add("leafCol", m.leafField)
	return out
}

func (m *Model) leafField(name string) types.Field {
	attrs := make([]ml.Attr, len(m.Trees))
	for i, t := range m.Trees {
		n := t.Leaves()
		attrs[i] = ml.Attr{Type: ml.AttrNominal, NumVals: &n}
	}
	if m.kind.Child == "" {
		return types.Field{Name: name, Type: types.Double, Metadata: attrs[0].Metadata()}
	}
	return types.Field{Name: name, Type: types.Vector, Nullable: true, Metadata: ml.AttrGroup{Attrs: attrs, Size: len(attrs)}.Metadata()}
}
