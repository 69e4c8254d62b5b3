package feature

import (
	"github.com/millpond/millpond/internal/ml"
	"github.com/millpond/millpond/internal/sparkerr"
	"github.com/millpond/millpond/internal/types"
)

// PolynomialExpansion makes every product of features up to a degree.
type PolynomialExpansion struct{ ml.Base }

var polynomialSpec = ml.Register(&ml.Spec{Class: pkg + "PolynomialExpansion", Kind: ml.KindTransformer,
	Params: []ml.Param{ml.InputColParam(), ml.OutputColParam(),
		{Name: "degree", Doc: "the polynomial degree to expand (>= 1)", Type: ml.ParamInt, Default: 2, Check: ml.IntAtLeast(1)}}})

func init() {
	polynomialSpec.New = func(uid string, p *ml.Params) ml.Operator {
		return &PolynomialExpansion{ml.NewBase(polynomialSpec, uid, p)}
	}
}

func (t *PolynomialExpansion) TransformSchema(in types.Struct) (types.Struct, error) {
	inCol, outCol := t.InOut()
	if err := checkVectorInOut(in, inCol, outCol); err != nil {
		return in, err
	}
	return vectorField(in, outCol, -1), nil
}

// maxExpanded bounds the size of an expanded vector, as Java's arrays do.
const maxExpanded = 1<<31 - 1

// expandedSize is the number of products of n features up to the degree, the empty one included.
func expandedSize(n, degree int) (int, error) {
	size := 1.0
	for k := 1; k <= degree; k++ {
		size = size * float64(n+k) / float64(k)
	}
	if size > maxExpanded {
		return 0, sparkerr.Require("the polynomial expansion of %d features to degree %d is too large", n, degree)
	}
	return int(size + 0.5), nil
}

// expansion makes the products of one vector in Spark's order: by the last feature, each power
// of which is preceded by all products of the features before it.
type expansion struct {
	values  []float64 // of the stored features
	indices []int     // their places
	out     []float64
	idx     []int32
}

// expand adds the products of the first last+1 stored features, of which there are upTo places,
// up to the degree, times factor; at is the place where they start. It gives the place behind.
func (e *expansion) expand(last, upTo, degree int, factor float64, at int) int {
	if factor == 0 {
		return at + count(upTo, degree)
	}
	if degree == 0 || last < 0 {
		if at >= 0 { // the empty product itself is not kept
			e.out, e.idx = append(e.out, factor), append(e.idx, int32(at))
		}
		return at + count(upTo, degree)
	}
	v, place := e.values[last], e.indices[last]
	next := at
	power := factor
	for i := 0; i <= degree && power != 0; i++ {
		next = e.expand(last-1, place-1, degree-i, power, next)
		power *= v
	}
	return at + count(upTo, degree)
}

// count is expandedSize of the features up to place upTo, which is known to fit.
func count(upTo, degree int) int {
	n, err := expandedSize(upTo+1, degree)
	if err != nil {
		return maxExpanded
	}
	return n
}

func (t *PolynomialExpansion) Bind(in types.Struct) (*ml.Transform, error) {
	if _, err := t.TransformSchema(in); err != nil {
		return nil, err
	}
	inCol, outCol := t.InOut()
	degree := t.Params().Int("degree")
	return perVector("PolynomialExpansion", inCol, ml.VectorField(outCol, -1), func(v *ml.VectorView, i int, b *ml.VectorBuilder) error {
		n := v.Size(i)
		size, err := expandedSize(n, degree)
		if err != nil {
			return err
		}
		e := &expansion{values: v.Values(i)}
		if v.Dense(i) {
			for j := range n {
				e.indices = append(e.indices, j)
			}
		} else {
			for _, j := range v.Indices(i) {
				e.indices = append(e.indices, int(j))
			}
		}
		e.expand(len(e.values)-1, n-1, degree, 1, -1)
		if !v.Dense(i) {
			b.Sparse(size-1, e.idx, e.out)
			return nil
		}
		dst := b.Grow(size - 1)
		for k, j := range e.idx {
			dst[j] = e.out[k]
		}
		return nil
	}), nil
}
