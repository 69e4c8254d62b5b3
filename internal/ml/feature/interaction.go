package feature

import (
	"context"
	"math"

	"github.com/apache/arrow-go/v18/arrow"

	"github.com/millpond/millpond/internal/ml"
	"github.com/millpond/millpond/internal/sparkerr"
	"github.com/millpond/millpond/internal/types"
)

// Interaction makes every product of one value of each input column; nominal columns count as
// one-hot encoded.
type Interaction struct{ ml.Base }

var interactionSpec = ml.Register(&ml.Spec{Class: pkg + "Interaction", Kind: ml.KindTransformer,
	Params: []ml.Param{ml.InputColsParam(), ml.OutputColParam()}})

func init() {
	interactionSpec.New = func(uid string, p *ml.Params) ml.Operator {
		return &Interaction{ml.NewBase(interactionSpec, uid, p)}
	}
}

// factor is one input: how many places each of its features takes (1, or the number of its
// categories), and the names of those places.
type factor struct {
	counts []int
	names  []string
	vector bool
}

func (f factor) size() int { return len(f.names) }

func interactionFactor(f types.Field) (factor, error) {
	attrs, vector := []ml.Attr{ml.AttrOf(f)}, types.IsVector(f.Type)
	if vector {
		g := ml.GroupOf(f)
		if g.Attrs == nil && g.Size < 0 {
			return factor{}, sparkerr.Plain(sparkerr.ClassSpark, "Vector attributes must be defined for interaction.")
		}
		if attrs = g.Attrs; attrs == nil {
			attrs = make([]ml.Attr, g.Size)
		}
	}
	out := factor{vector: vector}
	for i, a := range attrs {
		name := f.Name
		if vector {
			if name = a.Name; name == "" {
				name = ml.NumberNames(i + 1)[i]
			}
			name = f.Name + "_" + name
		}
		if a.Type != ml.AttrNominal {
			out.counts, out.names = append(out.counts, 1), append(out.names, name)
			continue
		}
		n, known := a.NumValues()
		if !known {
			return factor{}, sparkerr.Require("Nominal features must have attr numValues defined.")
		}
		values := a.Vals
		if values == nil {
			values = ml.NumberNames(n)
		}
		out.counts = append(out.counts, n)
		for _, v := range values {
			out.names = append(out.names, name+"_"+v)
		}
	}
	return out, nil
}

func (t *Interaction) factors(in types.Struct) ([]factor, types.Field, error) {
	out := types.Field{Name: t.Params().String("outputCol"), Type: types.Vector, Nullable: true}
	names := t.Params().Strings("inputCols")
	if len(names) == 0 {
		return nil, out, sparkerr.Require("Input columns must have non-zero length.")
	}
	factors := make([]factor, len(names))
	combined := []string{""}
	for k := len(names) - 1; k >= 0; k-- { // the last column varies fastest
		f, err := ml.Column(in, names[k])
		if err != nil {
			return nil, out, err
		}
		if !ml.IsNumeric(f.Type) && f.Type != types.Boolean && !types.IsVector(f.Type) {
			return nil, out, sparkerr.Plain(sparkerr.ClassSpark, "Unsupported input column type %s of column %s", ml.CatalogString(f.Type), f.Name)
		}
		if factors[k], err = interactionFactor(f); err != nil {
			return nil, out, err
		}
		if len(combined)*factors[k].size() > math.MaxInt32 {
			return nil, out, sparkerr.Require("the interaction of %s is too large", join(names))
		}
		next := make([]string, 0, len(combined)*factors[k].size())
		for _, a := range factors[k].names {
			for _, b := range combined {
				if b == "" && k == len(names)-1 {
					next = append(next, a)
				} else {
					next = append(next, a+":"+b)
				}
			}
		}
		combined = next
	}
	g := ml.AttrGroup{Attrs: make([]ml.Attr, len(combined)), Size: len(combined)}
	for i, n := range combined {
		g.Attrs[i] = ml.Attr{Name: n}
	}
	out.Metadata = g.Metadata()
	return factors, out, nil
}

func (t *Interaction) TransformSchema(in types.Struct) (types.Struct, error) {
	_, f, err := t.factors(in)
	if err != nil {
		return in, err
	}
	return ml.AppendField(in, f)
}

func (t *Interaction) Bind(in types.Struct) (*ml.Transform, error) {
	if _, err := t.TransformSchema(in); err != nil {
		return nil, err
	}
	factors, out, err := t.factors(in)
	if err != nil {
		return nil, err
	}
	size := 1
	for _, f := range factors {
		size *= f.size()
	}
	return &ml.Transform{Inputs: t.Params().Strings("inputCols"), Outputs: []types.Field{out},
		Apply: func(ctx context.Context, cols []arrow.Array, n int) ([]arrow.Array, []bool, error) {
			readers := make([]func(i int) (term, error), len(cols))
			for k, a := range cols {
				read, err := factors[k].reader(a)
				if err != nil {
					return nil, nil, err
				}
				readers[k] = read
			}
			b := ml.NewVectorBuilder(n, 8)
			dst := make([]float64, size)
			for i := range n {
				row := term{idx: []int{0}, val: []float64{1}}
				width := 1
				for k := len(readers) - 1; k >= 0; k-- {
					next, err := readers[k](i)
					if err != nil {
						return nil, nil, err
					}
					row = next.times(row, width)
					width *= factors[k].size()
				}
				clear(dst)
				for k, j := range row.idx {
					dst[j] = row.val[k]
				}
				emitCompressed(b, dst)
			}
			return []arrow.Array{b.Array()}, nil, ctx.Err()
		}}, nil
}

// term is the nonzero places of one factor, or of a product of factors.
type term struct {
	idx []int
	val []float64
}

// times multiplies by the product of the factors behind, which has width places.
func (a term) times(b term, width int) term {
	var out term
	for k, i := range a.idx {
		for m, j := range b.idx {
			out.idx, out.val = append(out.idx, i*width+j), append(out.val, a.val[k]*b.val[m])
		}
	}
	return out
}

const interactionTypes = "(struct<...>) => " + ml.VectorSQL

// reader gives a function that encodes one row of the factor's column.
func (f factor) reader(a arrow.Array) (func(i int) (term, error), error) {
	isNull := func() error {
		return ml.UDFError("Interaction", interactionTypes, "org.apache.spark.SparkException: Values to interact cannot be null.")
	}
	if !f.vector {
		values, err := ml.Floats(a)
		return func(i int) (term, error) {
			if a.IsNull(i) {
				return term{}, isNull()
			}
			return f.encode(func(add func(j int, x float64)) { add(0, values[i]) })
		}, err
	}
	v, err := ml.NewVectorView(a)
	return func(i int) (term, error) {
		if v.IsNull(i) {
			return term{}, isNull()
		}
		if v.Size(i) != len(f.counts) {
			return term{}, ml.UDFError("Interaction", interactionTypes, "java.lang.IllegalArgumentException: requirement failed: Vector column size was "+ml.FormatValue(v.Size(i))+", expected "+ml.FormatValue(len(f.counts)))
		}
		dense := make([]float64, v.Size(i))
		v.CopyTo(i, dense)
		return f.encode(func(add func(j int, x float64)) {
			for j, x := range dense {
				add(j, x)
			}
		})
	}, err
}

// encode puts each feature at its place, a nominal one as a one at its category's.
func (f factor) encode(each func(add func(j int, x float64))) (term, error) {
	var out term
	var err error
	at, last := 0, 0
	each(func(j int, x float64) {
		for ; last < j; last++ {
			at += f.counts[last]
		}
		if n := f.counts[j]; n != 1 {
			if x < 0 || x != math.Trunc(x) || x >= float64(n) {
				err = ml.UDFError("Interaction", interactionTypes, "java.lang.IllegalArgumentException: requirement failed: Values from column must be indices, but got "+ml.FormatDouble(x)+".")
				return
			}
			out.idx, out.val = append(out.idx, at+int(x)), append(out.val, 1)
		} else if x != 0 {
			out.idx, out.val = append(out.idx, at), append(out.val, x)
		}
	})
	return out, err
}
