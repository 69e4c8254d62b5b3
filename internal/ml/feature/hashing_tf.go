package feature

import (
	"context"
	"slices"
	"unsafe"

	"github.com/apache/arrow-go/v18/arrow"

	"github.com/millpond/millpond/internal/kernel/random"
	"github.com/millpond/millpond/internal/ml"
	"github.com/millpond/millpond/internal/sparkerr"
	"github.com/millpond/millpond/internal/types"
)

// HashingTF counts words by their hash.
type HashingTF struct{ ml.Base }

var hashingTFSpec = ml.Register(&ml.Spec{Class: pkg + "HashingTF", Kind: ml.KindTransformer,
	Params: []ml.Param{ml.InputColParam(), ml.OutputColParam(),
		{Name: "binary", Doc: "If True, all non zero counts are set to 1. This is useful for discrete probabilistic models that model binary events rather than integer counts. Default False.", Type: ml.ParamBool, Default: false},
		{Name: "numFeatures", Doc: "Number of features. Should be greater than 0.", Type: ml.ParamInt, Default: 1 << 18, Check: ml.IntAtLeast(1)}}})

func init() {
	hashingTFSpec.New = func(uid string, p *ml.Params) ml.Operator { return &HashingTF{ml.NewBase(hashingTFSpec, uid, p)} }
}

func (t *HashingTF) TransformSchema(in types.Struct) (types.Struct, error) {
	inCol, outCol := t.InOut()
	f, err := ml.Column(in, inCol)
	if err != nil {
		return in, err
	}
	a, ok := f.Type.(types.Array)
	if !ok {
		return in, sparkerr.Require("The input column must be ArrayType, but got %s.", ml.CatalogString(f.Type))
	}
	if !isString(a.Elem) {
		return in, sparkerr.Unsupported("HashingTF of %s", ml.CatalogString(f.Type))
	}
	return ml.AppendField(in, ml.VectorField(outCol, t.Params().Int("numFeatures")))
}

// hashSeed is the seed of HashingTF's hashes.
const hashSeed = 42

func (t *HashingTF) Bind(in types.Struct) (*ml.Transform, error) {
	if _, err := t.TransformSchema(in); err != nil {
		return nil, err
	}
	inCol, outCol := t.InOut()
	size, binary := t.Params().Int("numFeatures"), t.Params().Bool("binary")
	return &ml.Transform{Inputs: []string{inCol}, Outputs: []types.Field{ml.VectorField(outCol, size)},
		Apply: func(ctx context.Context, cols []arrow.Array, n int) ([]arrow.Array, []bool, error) {
			words, err := newLists(cols[0])
			if err != nil {
				return nil, nil, err
			}
			b := ml.NewVectorBuilder(n, 8)
			var hashes, idx []int32
			var val []float64
			for i := range n {
				if cols[0].IsNull(i) {
					return nil, nil, ml.UDFError("HashingTF", "(array<string>) => "+ml.VectorSQL, "java.lang.NullPointerException")
				}
				hashes, idx, val = hashes[:0], idx[:0], val[:0]
				for _, w := range words.row(i) {
					h := int(random.Murmur3(unsafe.Slice(unsafe.StringData(w), len(w)), hashSeed)) % size
					if h < 0 {
						h += size
					}
					hashes = append(hashes, int32(h))
				}
				slices.Sort(hashes)
				for _, h := range hashes {
					switch k := len(idx); {
					case k == 0 || idx[k-1] != h:
						idx, val = append(idx, h), append(val, 1)
					case !binary:
						val[k-1]++
					}
				}
				b.Sparse(size, idx, val)
			}
			return []arrow.Array{b.Array()}, nil, ctx.Err()
		}}, nil
}
