package feature

import (
	"context"
	"encoding/binary"
	"fmt"
	"math"
	"slices"
	"unsafe"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"

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
		return in, sparkerr.Require("The input column must be array, but got %s.", ml.CatalogString(f.Type))
	}
	if !isString(a.Elem) && !isHashed(a.Elem) {
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
	size, once := t.Params().Int("numFeatures"), t.Params().Bool("binary")
	return &ml.Transform{Inputs: []string{inCol}, Outputs: []types.Field{ml.VectorField(outCol, size)},
		Apply: func(ctx context.Context, cols []arrow.Array, n int) ([]arrow.Array, []bool, error) {
			terms, ok := cols[0].(*array.List)
			if !ok {
				return nil, nil, sparkerr.Require("Input type must be array<string> but got %s.", cols[0].DataType())
			}
			hash, err := termHash(terms.ListValues())
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
				from, to := terms.ValueOffsets(i)
				for k := int(from); k < int(to); k++ {
					h := hashSeed // of a null
					if terms.ListValues().IsValid(k) {
						h = int(hash(k))
					}
					h %= size
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
					case !once:
						val[k-1]++
					}
				}
				b.Sparse(size, idx, val)
			}
			return []arrow.Array{b.Array()}, nil, ctx.Err()
		}}, nil
}

// isHashed says whether terms of a type are hashed by their value, not as text.
func isHashed(t types.Type) bool {
	switch t {
	case types.Boolean, types.Byte, types.Short, types.Int, types.Long, types.Float, types.Double:
		return true
	}
	return false
}

// termHash gives a function that hashes the value at a place of a column as Spark does: text by its
// bytes, whole numbers as ints or longs, others by their bits.
func termHash(a arrow.Array) (func(k int) int32, error) {
	switch a := a.(type) {
	case *array.String:
		return func(k int) int32 {
			w := a.Value(k)
			return random.Murmur3(unsafe.Slice(unsafe.StringData(w), len(w)), hashSeed)
		}, nil
	case *array.Boolean:
		return func(k int) int32 {
			if a.Value(k) {
				return hashInt(1)
			}
			return hashInt(0)
		}, nil
	case *array.Int8:
		return func(k int) int32 { return hashInt(uint32(a.Value(k))) }, nil
	case *array.Int16:
		return func(k int) int32 { return hashInt(uint32(a.Value(k))) }, nil
	case *array.Int32:
		return func(k int) int32 { return hashInt(uint32(a.Value(k))) }, nil
	case *array.Int64:
		return func(k int) int32 { return hashLong(uint64(a.Value(k))) }, nil
	case *array.Float32:
		return func(k int) int32 { return hashInt(math.Float32bits(a.Value(k))) }, nil
	case *array.Float64:
		return func(k int) int32 { return hashLong(math.Float64bits(a.Value(k))) }, nil
	}
	return nil, fmt.Errorf("terms of %s have no hash", a.DataType())
}

func hashInt(v uint32) int32 {
	return random.Murmur3(binary.LittleEndian.AppendUint32(nil, v), hashSeed)
}

func hashLong(v uint64) int32 {
	return random.Murmur3(binary.LittleEndian.AppendUint64(nil, v), hashSeed)
}
