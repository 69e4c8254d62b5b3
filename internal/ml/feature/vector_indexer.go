package feature

import (
	"context"
	"fmt"
	"maps"
	"slices"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"
	"github.com/apache/arrow-go/v18/arrow/memory"

	"github.com/millpond/millpond/internal/ml"
	"github.com/millpond/millpond/internal/sparkerr"
	"github.com/millpond/millpond/internal/types"
)

// VectorIndexer finds the features that take few values and numbers those.
type VectorIndexer struct{ ml.Base }

// VectorIndexerModel replaces the values of such features by their numbers.
type VectorIndexerModel struct {
	ml.Base
	size int
	maps map[int]map[float64]int // by feature
}

var vectorIndexerParams = []ml.Param{ml.InputColParam(), ml.OutputColParam(),
	ml.HandleInvalidParam("How to handle invalid data (unseen labels or NULL values). Options are 'skip' (filter out rows with invalid data), 'error' (throw an error), or 'keep' (put invalid data in a special additional bucket, at index of the number of categories of the feature).",
		"error", "skip", "error", "keep"),
	{Name: "maxCategories", Doc: "Threshold for the number of values a categorical feature can take (>= 2). If a feature is found to have > maxCategories values, then it is declared continuous.", Type: ml.ParamInt, Default: 20, Check: ml.IntAtLeast(2)}}

var vectorIndexerSpec = ml.Register(&ml.Spec{Class: pkg + "VectorIndexer", Kind: ml.KindEstimator, Params: vectorIndexerParams})

var vectorIndexerModelSpec = ml.Register(&ml.Spec{Class: pkg + "VectorIndexerModel", Kind: ml.KindModel, Params: vectorIndexerParams})

func init() {
	vectorIndexerModelSpec.Load = loadVectorIndexerModel
	vectorIndexerSpec.New = func(uid string, p *ml.Params) ml.Operator {
		return &VectorIndexer{ml.NewBase(vectorIndexerSpec, uid, p)}
	}
}

func (e *VectorIndexer) TransformSchema(in types.Struct) (types.Struct, error) {
	inCol, outCol := e.InOut()
	if err := ml.CheckVector(in, inCol); err != nil {
		return in, err
	}
	return ml.AppendField(in, ml.VectorField(outCol, -1))
}

func (e *VectorIndexer) Fit(ctx context.Context, data ml.Frame) (ml.Model, error) {
	if _, err := e.TransformSchema(data.Schema()); err != nil {
		return nil, err
	}
	rows, odd, err := ml.LoadVectors(ctx, data, e.Params().String("inputCol"))
	if err != nil {
		return nil, err
	}
	if odd != nil {
		return nil, odd
	}
	if rows.N == 0 {
		return nil, sparkerr.Plain("java.util.NoSuchElementException", "head of empty array")
	}
	limit := e.Params().Int("maxCategories")
	seen := make([]map[float64]bool, rows.D)
	for j := range seen {
		seen[j] = map[float64]bool{}
	}
	row := make([]float64, rows.D)
	for i := range rows.N {
		clear(row)
		rows.AddTo(i, 1, row)
		for j, x := range row {
			if len(seen[j]) <= limit {
				seen[j][x] = true
			}
		}
	}
	m := &VectorIndexerModel{Base: e.ForModel(vectorIndexerModelSpec), size: rows.D, maps: map[int]map[float64]int{}}
	for j, values := range seen {
		if len(values) > limit {
			continue
		}
		m.maps[j] = map[float64]int{}
		if values[0] { // zero is number 0, so that sparse vectors stay sparse
			m.maps[j][0] = 0
			delete(values, 0)
		}
		for _, x := range slices.Sorted(maps.Keys(values)) {
			m.maps[j][x] = len(m.maps[j])
		}
	}
	return m, nil
}

// group describes the output: categories by value, other features as the input has them.
func (m *VectorIndexerModel) group(f types.Field) ml.AttrGroup {
	in := ml.GroupOf(f)
	g := ml.AttrGroup{Attrs: make([]ml.Attr, m.size), Size: m.size}
	for j := range g.Attrs {
		var old ml.Attr
		if in.Attrs != nil && j < len(in.Attrs) {
			old = in.Attrs[j]
		}
		values, categorical := m.maps[j]
		if !categorical {
			g.Attrs[j] = old
			continue
		}
		a := ml.Attr{Type: ml.AttrNominal, Name: old.Name, Vals: []string{}}
		for _, x := range slices.Sorted(maps.Keys(values)) {
			a.Vals = append(a.Vals, ml.FormatDouble(x))
		}
		if m.Params().String("handleInvalid") == "keep" {
			a.Vals = append(a.Vals, "__unknown")
		}
		if len(a.Vals) == 2 && len(values) == 2 {
			a.Type = ml.AttrBinary
		} else {
			a.Ordinal = new(bool)
		}
		g.Attrs[j] = a
	}
	return g
}

func (m *VectorIndexerModel) TransformSchema(in types.Struct) (types.Struct, error) {
	inCol, outCol := m.InOut()
	if err := ml.CheckVector(in, inCol); err != nil {
		return in, err
	}
	f := in.Fields[in.Index(inCol)]
	if g := ml.GroupOf(f); g.Size >= 0 && g.Size != m.size {
		return in, wrongSize(inCol, g.Size, m.size)
	}
	return ml.WithFields(in, types.Field{Name: outCol, Type: types.Vector, Nullable: true, Metadata: m.group(f).Metadata()}), nil
}

func (m *VectorIndexerModel) Bind(in types.Struct) (*ml.Transform, error) {
	out, err := m.TransformSchema(in)
	if err != nil {
		return nil, err
	}
	inCol, outCol := m.InOut()
	invalid := m.Params().String("handleInvalid")
	return &ml.Transform{Inputs: []string{inCol}, Outputs: []types.Field{out.Fields[out.Index(outCol)]},
		Apply: func(ctx context.Context, cols []arrow.Array, n int) ([]arrow.Array, []bool, error) {
			v, err := ml.NewVectorView(cols[0])
			if err != nil {
				return nil, nil, err
			}
			b := ml.NewVectorBuilder(n, m.size)
			var keep []bool
			var row []float64
			for i := range n {
				if v.IsNull(i) {
					return nil, nil, ml.UDFError("VectorIndexerModel", "("+ml.VectorSQL+") => "+ml.VectorSQL, nullVector["VectorIndexerModel"])
				}
				if n := v.Size(i); n != m.size {
					return nil, nil, ml.UDFError("VectorIndexerModel", "("+ml.VectorSQL+") => "+ml.VectorSQL,
						fmt.Sprintf("java.lang.AssertionError: assertion failed: VectorIndexerModel expected vector of length %d but found length %d", m.size, n))
				}
				row = append(row[:0], v.Values(i)...)
				bad := m.index(row, v.Indices(i), v.Dense(i), invalid == "keep")
				if bad >= 0 && invalid == "error" {
					return nil, nil, ml.UDFError("VectorIndexerModel", "("+ml.VectorSQL+") => "+ml.VectorSQL,
						fmt.Sprintf("org.apache.spark.SparkException: VectorIndexer encountered invalid value %s on feature index %d. To handle or skip invalid value, try setting VectorIndexer.handleInvalid.", ml.FormatDouble(row[place(v, i, bad)]), bad))
				}
				if bad >= 0 {
					if keep == nil {
						keep = slices.Repeat([]bool{true}, n)
					}
					keep[i] = false
				}
				if v.Dense(i) {
					b.Dense(row)
				} else {
					b.Sparse(m.size, v.Indices(i), row)
				}
			}
			return []arrow.Array{b.Array()}, keep, ctx.Err()
		}}, nil
}

// place finds where a feature's value is stored in row i.
func place(v *ml.VectorView, i, feature int) int {
	if v.Dense(i) {
		return feature
	}
	return slices.Index(v.Indices(i), int32(feature))
}

// index replaces stored values by their numbers; bad is the first feature of an unknown value
// that has no number, or -1. A zero that is not stored is always number 0.
func (m *VectorIndexerModel) index(row []float64, indices []int32, dense, keepBad bool) (bad int) {
	for k, x := range row {
		j := k
		if !dense {
			j = int(indices[k])
		}
		values, ok := m.maps[j]
		if !ok {
			continue
		}
		if n, ok := values[x]; ok {
			row[k] = float64(n)
		} else if keepBad {
			row[k] = float64(len(values))
		} else {
			return j
		}
	}
	return -1
}

var vectorIndexerAttrs = ml.AttrTable[*VectorIndexerModel]{
	"toString": ml.Text(func(m *VectorIndexerModel) []string {
		return []string{fmt.Sprintf("numFeatures=%d", m.size), "handleInvalid"}
	}),
	"numFeatures":      ml.Getter(func(m *VectorIndexerModel) any { return int32(m.size) }),
	"categoryMaps":     ml.Getter(func(m *VectorIndexerModel) any { return m.maps }),
	"javaCategoryMaps": ml.Getter(func(m *VectorIndexerModel) any { return m.maps }),
	"categoryMapsDF":   func(_ context.Context, m *VectorIndexerModel, _ []any) (any, error) { return m.categories() },
}

var categoriesSchema = types.Struct{Fields: []types.Field{{Name: "featureIndex", Type: types.Int},
	{Name: "originalValue", Type: types.Double}, {Name: "categoryIndex", Type: types.Int}}}

// categories gives the numbers of values as rows, for clients that cannot be sent a map.
func (m *VectorIndexerModel) categories() (ml.Frame, error) {
	features := array.NewInt32Builder(memory.DefaultAllocator)
	values := array.NewFloat64Builder(memory.DefaultAllocator)
	numbers := array.NewInt32Builder(memory.DefaultAllocator)
	rows := 0
	for _, j := range slices.Sorted(maps.Keys(m.maps)) {
		for _, x := range slices.Sorted(maps.Keys(m.maps[j])) {
			features.Append(int32(j))
			values.Append(x)
			numbers.Append(int32(m.maps[j][x]))
			rows++
		}
	}
	return ml.FrameOfColumns(categoriesSchema, rows, features.NewArray(), values.NewArray(), numbers.NewArray())
}

func (m *VectorIndexerModel) Attr(ctx context.Context, name string, args []any) (any, error) {
	return vectorIndexerAttrs.Call(ctx, m, m.Spec().Class, name, args)
}

func (m *VectorIndexerModel) Summary() ml.Summary { return nil }
func (m *VectorIndexerModel) SizeBytes() int64 {
	n := int64(256)
	for _, v := range m.maps {
		n += int64(64 + 32*len(v))
	}
	return n
}
func (m *VectorIndexerModel) WithParams(p *ml.Params) ml.Model {
	c := *m
	c.Base = m.With(p)
	return &c
}

var vectorIndexerOnDisk = types.Struct{Fields: []types.Field{{Name: "numFeatures", Type: types.Int},
	{Name: "categoryMaps", Nullable: true, Type: types.Map{Key: types.Int, ValueContainsNull: true, Value: types.Map{Key: types.Double, Value: types.Int}}}}}

// Save writes the numbers of values as Spark does.
func (m *VectorIndexerModel) Save(dir string) (map[string]any, error) {
	list := [][2]any{}
	for _, j := range slices.Sorted(maps.Keys(m.maps)) {
		inner := [][2]any{}
		for _, x := range slices.Sorted(maps.Keys(m.maps[j])) {
			inner = append(inner, [2]any{x, m.maps[j][x]})
		}
		list = append(list, [2]any{j, inner})
	}
	return nil, ml.WriteRows(dir, "data", vectorIndexerOnDisk, []any{m.size, list})
}

func loadVectorIndexerModel(dir string, meta ml.Metadata) (ml.Operator, error) {
	b, err := meta.Base(vectorIndexerModelSpec)
	if err != nil {
		return nil, err
	}
	t, err := ml.ReadTable(dir, "data")
	if err != nil {
		return nil, err
	}
	n, err := ml.Read[int32](t, "numFeatures", 0)
	if err != nil {
		return nil, err
	}
	list, err := ml.Read[[][2]any](t, "categoryMaps", 0)
	if err != nil {
		return nil, err
	}
	m := &VectorIndexerModel{Base: b, size: int(n), maps: map[int]map[float64]int{}}
	for _, kv := range list {
		j, ok := kv[0].(int32)
		inner, ok2 := kv[1].([][2]any)
		if !ok || !ok2 {
			return nil, fmt.Errorf("categoryMaps holds %T to %T", kv[0], kv[1])
		}
		m.maps[int(j)] = map[float64]int{}
		for _, p := range inner {
			x, ok := p[0].(float64)
			k, ok2 := p[1].(int32)
			if !ok || !ok2 {
				return nil, fmt.Errorf("categoryMaps holds %T to %T", p[0], p[1])
			}
			m.maps[int(j)][x] = int(k)
		}
	}
	return m, nil
}
