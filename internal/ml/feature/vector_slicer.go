package feature

import (
	"slices"

	"github.com/millpond/millpond/internal/ml"
	"github.com/millpond/millpond/internal/sparkerr"
	"github.com/millpond/millpond/internal/types"
)

// VectorSlicer picks features of vectors by place and by name.
type VectorSlicer struct{ ml.Base }

var vectorSlicerSpec = ml.Register(&ml.Spec{Class: pkg + "VectorSlicer", Kind: ml.KindTransformer,
	Params: []ml.Param{ml.InputColParam(), ml.OutputColParam(),
		{Name: "indices", Doc: "An array of indices to select features from a vector column. There can be no overlap with names.", Type: ml.ParamIntArray, Default: []int{}, Check: func(v any) bool {
			return noRepeats(v.([]int)) && !slices.ContainsFunc(v.([]int), func(i int) bool { return i < 0 })
		}},
		{Name: "names", Doc: "An array of feature names to select features from a vector column. There can be no overlap with indices.", Type: ml.ParamStringArray, Default: []string{}, Check: func(v any) bool { return noRepeats(v.([]string)) && !slices.Contains(v.([]string), "") }}}})

func noRepeats[T comparable](list []T) bool {
	seen := map[T]bool{}
	for _, x := range list {
		if seen[x] {
			return false
		}
		seen[x] = true
	}
	return true
}

func init() {
	vectorSlicerSpec.New = func(uid string, p *ml.Params) ml.Operator {
		return &VectorSlicer{ml.NewBase(vectorSlicerSpec, uid, p)}
	}
}

// places gives the features to pick: those by place first, then those by name.
func (t *VectorSlicer) places(in types.Struct) ([]int, types.Field, error) {
	inCol, outCol := t.InOut()
	p := t.Params()
	if len(p.Ints("indices")) == 0 && len(p.Strings("names")) == 0 {
		return nil, types.Field{}, sparkerr.Require("VectorSlicer requires that at least one feature be selected.")
	}
	if err := ml.CheckVector(in, inCol); err != nil {
		return nil, types.Field{}, err
	}
	if err := newColumn(in, outCol); err != nil {
		return nil, types.Field{}, err
	}
	f := in.Fields[in.Index(inCol)]
	names := ml.FeatureNames(f)
	places := slices.Clone(p.Ints("indices"))
	for _, n := range p.Strings("names") {
		i := slices.Index(names, n)
		if i < 0 {
			return nil, f, sparkerr.Require("getFeatureIndicesFromNames found no feature with name %s in column %s.", n, inCol)
		}
		places = append(places, i)
	}
	if !noRepeats(places) {
		return nil, f, sparkerr.Require("VectorSlicer requires indices and names to be disjoint sets of features, but they overlap.")
	}
	g := ml.GroupOf(f)
	out := ml.AttrGroup{Size: len(places)}
	if g.Attrs != nil {
		for _, i := range places {
			if i >= len(g.Attrs) {
				return nil, f, sparkerr.Require("Selected feature index %d invalid for only %d input features.", i, len(g.Attrs))
			}
			out.Attrs = append(out.Attrs, g.Attrs[i])
		}
	}
	return places, types.Field{Name: outCol, Type: types.Vector, Nullable: true, Metadata: out.Metadata()}, nil
}

func (t *VectorSlicer) TransformSchema(in types.Struct) (types.Struct, error) {
	_, f, err := t.places(in)
	if err != nil {
		return in, err
	}
	return ml.WithFields(in, f), nil
}

func (t *VectorSlicer) Bind(in types.Struct) (*ml.Transform, error) {
	places, f, err := t.places(in)
	if err != nil {
		return nil, err
	}
	inCol, _ := t.InOut()
	most := slices.Max(places)
	return perVector("VectorSlicer", inCol, f, func(v *ml.VectorView, i int, b *ml.VectorBuilder) error {
		if most >= v.Size(i) {
			return ml.UDFError("VectorSlicer", "("+ml.VectorSQL+") => "+ml.VectorSQL, "java.lang.ArrayIndexOutOfBoundsException: Index "+ml.FormatValue(most)+" out of bounds for length "+ml.FormatValue(v.Size(i)))
		}
		val := v.Values(i)
		if v.Dense(i) {
			dst := b.Grow(len(places))
			for k, j := range places {
				dst[k] = val[j]
			}
			return nil
		}
		var idx []int32
		var out []float64
		from := v.Indices(i)
		for k, j := range places {
			if at, ok := slices.BinarySearch(from, int32(j)); ok {
				idx, out = append(idx, int32(k)), append(out, val[at])
			}
		}
		b.Sparse(len(places), idx, out)
		return nil
	}), nil
}
