package feature

import (
	"context"

	"github.com/millpond/millpond/internal/kernel/linalg"
	"github.com/millpond/millpond/internal/ml"
	"github.com/millpond/millpond/internal/sparkerr"
	"github.com/millpond/millpond/internal/types"
)

// PCA finds the directions in which vectors vary most.
type PCA struct{ ml.Base }

// PCAModel projects vectors onto those directions.
type PCAModel struct {
	ml.Base
	rows, k   int
	pc        []float64 // by columns
	explained []float64
}

var pcaParams = []ml.Param{ml.InputColParam(), ml.OutputColParam(),
	{Name: "k", Doc: "the number of principal components (> 0)", Type: ml.ParamInt, Check: ml.IntAtLeast(1)}}

var pcaSpec = ml.Register(&ml.Spec{Class: pkg + "PCA", Kind: ml.KindEstimator, Params: pcaParams})

var pcaModelSpec = ml.Register(&ml.Spec{Class: pkg + "PCAModel", Kind: ml.KindModel, Params: pcaParams})

func init() {
	pcaModelSpec.Load = loadPCAModel
	pcaSpec.New = func(uid string, p *ml.Params) ml.Operator { return &PCA{ml.NewBase(pcaSpec, uid, p)} }
}

func (e *PCA) TransformSchema(in types.Struct) (types.Struct, error) {
	if !e.Params().IsDefined("k") {
		return in, sparkerr.Plain("java.util.NoSuchElementException", "Failed to find a default value for k")
	}
	inCol, outCol := e.InOut()
	if err := ml.CheckVector(in, inCol); err != nil {
		return in, err
	}
	return vectorField(in, outCol, e.Params().Int("k")), newColumn(in, outCol)
}

// Fit decomposes the covariance matrix.
func (e *PCA) Fit(ctx context.Context, data ml.Frame) (ml.Model, error) {
	if _, err := e.TransformSchema(data.Schema()); err != nil {
		return nil, err
	}
	rows, odd, err := ml.LoadVectors(ctx, data, e.Params().String("inputCol"))
	if err != nil {
		return nil, err
	}
	if rows.N == 0 {
		return nil, sparkerr.Plain("java.lang.UnsupportedOperationException", "empty collection")
	}
	k, d := e.Params().Int("k"), rows.D
	if k > d {
		return nil, sparkerr.Require("source vector size %d must be no less than k=%d", d, k)
	}
	if rows.N == 1 {
		return nil, sparkerr.Require("RowMatrix.computeCovariance called on matrix with only 1 rows.  Cannot compute the covariance of a RowMatrix with <= 1 row.")
	}
	if odd != nil {
		return nil, sparkerr.Plain("breeze.linalg.NotConvergedException", "")
	}
	pc, share, err := linalg.PrincipalComponents(rows, k)
	if err != nil {
		return nil, err
	}
	return &PCAModel{e.ForModel(pcaModelSpec), d, k, pc, share}, nil
}

func (m *PCAModel) TransformSchema(in types.Struct) (types.Struct, error) {
	inCol, outCol := m.InOut()
	if err := ml.CheckVector(in, inCol); err != nil {
		return in, err
	}
	return vectorField(in, outCol, m.k), newColumn(in, outCol)
}

func (m *PCAModel) Bind(in types.Struct) (*ml.Transform, error) {
	if _, err := m.TransformSchema(in); err != nil {
		return nil, err
	}
	inCol, outCol := m.InOut()
	return perVector("PCAModel", inCol, ml.VectorField(outCol, m.k), func(v *ml.VectorView, i int, b *ml.VectorBuilder) error {
		if err := checkSize("PCAModel", "The columns of A don't match the number of elements of x. A: %d, x: %d", v, i, m.rows); err != nil {
			return err
		}
		out := b.Grow(m.k)
		for c := range out {
			out[c] = v.Dot(i, m.pc[c*m.rows:(c+1)*m.rows])
		}
		return nil
	}), nil
}

func (m *PCAModel) matrix() ml.Matrix { return ml.Matrix{Rows: m.rows, Cols: m.k, Values: m.pc} }

var pcaAttrs = ml.AttrTable[*PCAModel]{
	"toString":          ml.Text(func(m *PCAModel) []string { return []string{"k"} }),
	"pc":                ml.Getter(func(m *PCAModel) any { return m.matrix() }),
	"explainedVariance": ml.Getter(func(m *PCAModel) any { return ml.DenseVector(m.explained) }),
}

func (m *PCAModel) Attr(ctx context.Context, name string, args []any) (any, error) {
	return pcaAttrs.Call(ctx, m, m.Spec().Class, name, args)
}

func (m *PCAModel) Summary() ml.Summary { return nil }
func (m *PCAModel) SizeBytes() int64    { return int64(256 + 8*len(m.pc)) }
func (m *PCAModel) WithParams(p *ml.Params) ml.Model {
	c := *m
	c.Base = m.With(p)
	return &c
}

var pcaSchema = types.Struct{Fields: []types.Field{{Name: "pc", Type: types.Matrix, Nullable: true},
	{Name: "explainedVariance", Type: types.Vector, Nullable: true}}}

// Save writes the components as Spark does.
func (m *PCAModel) Save(dir string) (map[string]any, error) {
	return nil, ml.WriteRows(dir, "data", pcaSchema, []any{m.matrix(), ml.DenseVector(m.explained)})
}

func loadPCAModel(dir string, meta ml.Metadata) (ml.Operator, error) {
	b, err := meta.Base(pcaModelSpec)
	if err != nil {
		return nil, err
	}
	t, err := ml.ReadTable(dir, "data")
	if err != nil {
		return nil, err
	}
	pc, err := ml.Read[ml.Matrix](t, "pc", 0)
	if err != nil {
		return nil, err
	}
	share, err := ml.Read[ml.Vector](t, "explainedVariance", 0)
	if err != nil {
		return nil, err
	}
	m := &PCAModel{Base: b, rows: pc.Rows, k: pc.Cols, explained: share.Array(), pc: make([]float64, 0, len(pc.Values))}
	for c := range pc.Cols {
		for r := range pc.Rows {
			m.pc = append(m.pc, pc.At(r, c))
		}
	}
	return m, nil
}
