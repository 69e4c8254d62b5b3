package feature

import (
	"context"
	"fmt"
	"math"

	"github.com/millpond/millpond/internal/ml"
	"github.com/millpond/millpond/internal/sparkerr"
	"github.com/millpond/millpond/internal/types"
)

// IDF learns how rare each term is among documents.
type IDF struct{ ml.Base }

// IDFModel weighs terms by their rareness.
type IDFModel struct {
	ml.Base
	idf     []float64
	docFreq []int64
	numDocs int64
}

var idfParams = []ml.Param{ml.InputColParam(), ml.OutputColParam(),
	{Name: "minDocFreq", Doc: "minimum number of documents in which a term should appear for filtering", Type: ml.ParamInt, Default: 0, Check: ml.IntAtLeast(0)}}

var idfSpec = ml.Register(&ml.Spec{Class: pkg + "IDF", Kind: ml.KindEstimator, Params: idfParams})

var idfModelSpec = ml.Register(&ml.Spec{Class: pkg + "IDFModel", Kind: ml.KindModel, Params: idfParams})

func init() {
	idfModelSpec.Load = loadIDFModel
	idfSpec.New = func(uid string, p *ml.Params) ml.Operator { return &IDF{ml.NewBase(idfSpec, uid, p)} }
}

func idfSchema(b *ml.Base, in types.Struct, size int) (types.Struct, error) {
	inCol, outCol := b.InOut()
	if err := ml.CheckVector(in, inCol); err != nil {
		return in, err
	}
	return ml.AppendField(in, ml.VectorField(outCol, size))
}

func (e *IDF) TransformSchema(in types.Struct) (types.Struct, error) {
	return idfSchema(&e.Base, in, -1)
}

func (e *IDF) Fit(ctx context.Context, data ml.Frame) (ml.Model, error) {
	if _, err := e.TransformSchema(data.Schema()); err != nil {
		return nil, err
	}
	s, err := summarizePositive(ctx, data, e.Params().String("inputCol"))
	if err != nil {
		return nil, err
	}
	m := &IDFModel{Base: e.ForModel(idfModelSpec), idf: make([]float64, len(s.counts)), docFreq: s.counts, numDocs: s.docs}
	for j, df := range m.docFreq {
		if df < int64(e.Params().Int("minDocFreq")) {
			m.docFreq[j] = 0
			continue
		}
		m.idf[j] = math.Log((float64(m.numDocs) + 1) / (float64(df) + 1))
	}
	return m, nil
}

type docCounts struct {
	counts []int64
	docs   int64
}

// summarizePositive counts the rows in which each place of a vector column is above zero.
func summarizePositive(ctx context.Context, data ml.Frame, column string) (docCounts, error) {
	var c docCounts
	rows, _, err := ml.LoadVectors(ctx, data, column)
	if err != nil {
		return c, err
	}
	if rows.N == 0 {
		return c, sparkerr.Plain("java.lang.IllegalStateException", "Haven't seen any document yet.")
	}
	c.counts, c.docs = make([]int64, rows.D), int64(rows.N)
	for i := range rows.N {
		if !rows.IsSparse() {
			for j, x := range rows.Row(i) {
				if x > 0 {
					c.counts[j]++
				}
			}
			continue
		}
		idx, val := rows.SparseRow(i)
		for k, j := range idx {
			if val[k] > 0 {
				c.counts[j]++
			}
		}
	}
	return c, nil
}

func (m *IDFModel) TransformSchema(in types.Struct) (types.Struct, error) {
	return idfSchema(&m.Base, in, len(m.idf))
}

func (m *IDFModel) Bind(in types.Struct) (*ml.Transform, error) {
	if _, err := m.TransformSchema(in); err != nil {
		return nil, err
	}
	return scaled("IDFModel", &m.Base, len(m.idf), nil, m.idf), nil
}

var idfAttrs = ml.AttrTable[*IDFModel]{
	"toString": ml.Text(func(m *IDFModel) []string {
		return []string{fmt.Sprintf("numDocs=%d", m.numDocs), fmt.Sprintf("numFeatures=%d", len(m.idf))}
	}),
	"idf":     ml.Getter(func(m *IDFModel) any { return ml.DenseVector(m.idf) }),
	"docFreq": ml.Getter(func(m *IDFModel) any { return m.docFreq }),
	"numDocs": ml.Getter(func(m *IDFModel) any { return m.numDocs }),
}

func (m *IDFModel) Attr(ctx context.Context, name string, args []any) (any, error) {
	return idfAttrs.Call(ctx, m, m.Spec().Class, name, args)
}

func (m *IDFModel) Summary() ml.Summary { return nil }
func (m *IDFModel) SizeBytes() int64    { return int64(256 + 16*len(m.idf)) }
func (m *IDFModel) WithParams(p *ml.Params) ml.Model {
	c := *m
	c.Base = m.With(p)
	return &c
}

var idfOnDisk = types.Struct{Fields: []types.Field{{Name: "idf", Type: types.Vector, Nullable: true},
	{Name: "docFreq", Type: types.Array{Elem: types.Long}, Nullable: true}, {Name: "numDocs", Type: types.Long}}}

// Save writes the weights and counts as Spark does.
func (m *IDFModel) Save(dir string) (map[string]any, error) {
	return nil, ml.WriteRows(dir, "data", idfOnDisk, []any{ml.DenseVector(m.idf), m.docFreq, m.numDocs})
}

func loadIDFModel(dir string, meta ml.Metadata) (ml.Operator, error) {
	b, err := meta.Base(idfModelSpec)
	if err != nil {
		return nil, err
	}
	t, err := ml.ReadTable(dir, "data")
	if err != nil {
		return nil, err
	}
	m := &IDFModel{Base: b}
	v, err := ml.Read[ml.Vector](t, "idf", 0)
	if err != nil {
		return nil, err
	}
	m.idf = v.Array()
	if m.docFreq, err = ml.Read[[]int64](t, "docFreq", 0); err != nil {
		return nil, err
	}
	m.numDocs, err = ml.Read[int64](t, "numDocs", 0)
	return m, err
}
