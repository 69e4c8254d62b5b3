package ml

import (
	"strings"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"

	"github.com/millpond/millpond/internal/sparkerr"
	"github.com/millpond/millpond/internal/types"
)

// CheckTypeIn demands a column of one of several types, with the message of
// SchemaUtils.checkColumnTypes. Types are told apart as Spark does: lists with and without nulls
// differ.
func CheckTypeIn(in types.Struct, name string, wants ...types.Type) error {
	f, err := Column(in, name)
	if err != nil {
		return err
	}
	names := make([]string, len(wants))
	for i, w := range wants {
		if types.ToJSON(w) == types.ToJSON(f.Type) {
			return nil
		}
		names[i] = CatalogString(w)
	}
	return sparkerr.Require("Column %s must be of type equal to one of the following types: [%s] but was actually of type %s.",
		name, strings.Join(names, ", "), CatalogString(f.Type))
}

// CheckVectorLike demands a column of vectors or of lists of numbers without nulls.
func CheckVectorLike(in types.Struct, name string) error {
	return CheckTypeIn(in, name, types.Vector, types.Array{Elem: types.Double}, types.Array{Elem: types.Float})
}

// CheckCastsToVector demands a column of vectors or of lists of numbers, nulls or not.
func CheckCastsToVector(in types.Struct, name string) error {
	f, err := Column(in, name)
	if err != nil {
		return err
	}
	if l, ok := f.Type.(types.Array); ok && (l.Elem == types.Double || l.Elem == types.Float) || types.IsVector(f.Type) {
		return nil
	}
	return sparkerr.IllegalArgument("%s column cannot be cast to Vector", CatalogString(f.Type))
}

// FeatureRows reads the rows of a column of vectors or of lists of numbers.
type FeatureRows struct {
	vectors *VectorView
	list    *array.List
	doubles []float64
	floats  []float32
}

// NewFeatureRows looks at a column that CheckVectorLike accepts.
func NewFeatureRows(a arrow.Array) (*FeatureRows, error) {
	l, ok := a.(*array.List)
	if !ok {
		v, err := NewVectorView(a)
		return &FeatureRows{vectors: v}, err
	}
	r := &FeatureRows{list: l}
	switch v := l.ListValues().(type) {
	case *array.Float64:
		r.doubles = v.Float64Values()
	case *array.Float32:
		r.floats = v.Float32Values()
	default:
		_, err := NewVectorView(a)
		return nil, err
	}
	return r, nil
}

// Len is the number of rows.
func (r *FeatureRows) Len() int {
	if r.list != nil {
		return r.list.Len()
	}
	return r.vectors.Len()
}

// IsNull says whether row i is null.
func (r *FeatureRows) IsNull(i int) bool {
	if r.list != nil {
		return r.list.IsNull(i)
	}
	return r.vectors.IsNull(i)
}

// Row gives row i densely: the column's own memory where it can be, else *scratch, which grows
// as needed.
func (r *FeatureRows) Row(i int, scratch *[]float64) []float64 {
	if r.list != nil {
		from, to := r.list.ValueOffsets(i)
		if r.doubles != nil {
			return r.doubles[from:to]
		}
		*scratch = (*scratch)[:0]
		for _, v := range r.floats[from:to] {
			*scratch = append(*scratch, float64(v))
		}
		return *scratch
	}
	if r.vectors.Dense(i) {
		return r.vectors.Values(i)
	}
	n := r.vectors.Size(i)
	if cap(*scratch) < n {
		*scratch = make([]float64, n)
	}
	*scratch = (*scratch)[:n]
	r.vectors.CopyTo(i, *scratch)
	return *scratch
}
