package feature

import (
	"context"
	"math"
	"strconv"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"
	"github.com/apache/arrow-go/v18/arrow/memory"

	"github.com/millpond/millpond/internal/ml"
	"github.com/millpond/millpond/internal/sparkerr"
	"github.com/millpond/millpond/internal/types"
)

// IndexToString maps numbers back to the strings that a StringIndexer numbered, by given labels
// or by the column's metadata.
type IndexToString struct{ ml.Base }

var indexToStringSpec = ml.Register(&ml.Spec{Class: pkg + "IndexToString", Kind: ml.KindTransformer,
	Params: []ml.Param{ml.InputColParam(), ml.OutputColParam(),
		{Name: "labels", Doc: "Optional array of labels specifying index-string mapping. If not provided or if empty, then metadata from inputCol is used instead.", Type: ml.ParamStringArray}}})

func init() {
	indexToStringSpec.New = func(uid string, p *ml.Params) ml.Operator {
		return &IndexToString{ml.NewBase(indexToStringSpec, uid, p)}
	}
}

func (t *IndexToString) TransformSchema(in types.Struct) (types.Struct, error) {
	inCol, outCol := t.InOut()
	f, err := ml.Column(in, inCol)
	if err != nil {
		return in, err
	}
	if !ml.IsNumeric(f.Type) {
		return in, sparkerr.Require("The input column %s must be a numeric type, but got %s.", inCol, scalaToString(f.Type))
	}
	if err := newColumn(in, outCol); err != nil {
		return in, err
	}
	return ml.WithFields(in, types.Field{Name: outCol, Type: types.String, Nullable: true}), nil
}

func (t *IndexToString) Bind(in types.Struct) (*ml.Transform, error) {
	out, err := t.TransformSchema(in)
	if err != nil {
		return nil, err
	}
	inCol, outCol := t.InOut()
	labels := t.Params().Strings("labels")
	if len(labels) == 0 {
		a := ml.AttrOf(in.Fields[in.Index(inCol)])
		if a.Type != ml.AttrNominal || a.Vals == nil {
			return nil, sparkerr.Plain("java.lang.ClassCastException", "class org.apache.spark.ml.attribute.%s cannot be cast to class org.apache.spark.ml.attribute.NominalAttribute (column %s)", attrClass[a.Type], inCol)
		}
		labels = a.Vals
	}
	return &ml.Transform{Inputs: []string{inCol}, Outputs: []types.Field{out.Fields[out.Index(outCol)]},
		Apply: func(ctx context.Context, cols []arrow.Array, n int) ([]arrow.Array, []bool, error) {
			values, err := ml.Floats(cols[0])
			if err != nil {
				return nil, nil, err
			}
			b := array.NewStringBuilder(memory.DefaultAllocator)
			b.Reserve(n)
			for i, x := range values {
				switch {
				case cols[0].IsNull(i):
					return nil, nil, ml.Raised("Unseen index: null ??")
				case math.IsNaN(x):
					return nil, nil, sparkerr.New(sparkerr.ClassArithmetic, "CAST_OVERFLOW",
						"value", ml.FormatDouble(x), "sourceType", `"DOUBLE"`, "targetType", `"INT"`)
				case x >= 0 && int(x) < len(labels):
					b.Append(labels[int(x)])
				default:
					return nil, nil, ml.Raised("Unseen index: %s ??", strconv.Itoa(int(x)))
				}
			}
			return []arrow.Array{b.NewArray()}, nil, ctx.Err()
		}}, nil
}

var attrClass = map[ml.AttrType]string{ml.AttrNumeric: "NumericAttribute", ml.AttrNominal: "NominalAttribute without values",
	ml.AttrBinary: "BinaryAttribute", ml.AttrUnresolved: "UnresolvedAttribute$"}
