package connect

import (
	"testing"

	"google.golang.org/protobuf/proto"

	pb "github.com/millpond/millpond/internal/gen/spark/connect"
	"github.com/millpond/millpond/internal/ml"
	"github.com/millpond/millpond/internal/types"
)

// FuzzMLParams decodes parameters and sets them on an operator of each class: whatever they are, the
// operator takes and prints them, or there is an error.
func FuzzMLParams(f *testing.F) {
	for _, p := range captured(f) {
		fit := p.GetCommand().GetMlCommand().GetFit()
		if fit == nil {
			continue
		}
		b, err := proto.Marshal(fit.Params)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(fit.GetEstimator().GetName(), b)
	}
	for _, v := range []any{ml.Vector{Values: []float64{1, 2}}, ml.Vector{Size: 3, Sparse: true, Indices: []int32{0, 2}, Values: []float64{1, 2}},
		ml.Matrix{Rows: 1, Cols: 2, Values: []float64{1, 2}}, [][]float64{{1}, {2, 3}}, []string{"a", "b"}, int64(1) << 40} {
		l, err := mlLiteral(v)
		if err != nil {
			f.Fatal(err)
		}
		b, err := proto.Marshal(&pb.MlParams{Params: map[string]*pb.Expression_Literal{"splits": l, "inputCols": l, "lowerBoundsOnCoefficients": l, "maxIter": l}})
		if err != nil {
			f.Fatal(err)
		}
		f.Add("org.apache.spark.ml.classification.LogisticRegression", b)
	}
	schema := types.Struct{Fields: []types.Field{{Name: "features", Type: types.Vector}, {Name: "label", Type: types.Double}, {Name: "text", Type: types.String}}}
	f.Fuzz(func(t *testing.T, class string, data []byte) {
		p := &pb.MlParams{}
		if proto.Unmarshal(data, p) != nil {
			return
		}
		params, err := mlParams(p)
		if err != nil {
			return
		}
		spec, err := ml.Lookup(class)
		if err != nil || spec.New == nil {
			return
		}
		set := ml.NewParams(spec)
		for k, v := range params {
			if set.Set("uid", k, v) != nil {
				return
			}
		}
		for k := range set.Explicit() {
			_ = ml.FormatValue(set.Get(k))
			if l, err := mlLiteral(set.Get(k)); err == nil {
				if _, err := mlValue(l); err != nil {
					t.Errorf("%s of %s does not come back from the wire: %v", k, class, err)
				}
			}
		}
		if op, ok := spec.New("uid", set).(interface {
			TransformSchema(types.Struct) (types.Struct, error)
		}); ok {
			_, _ = op.TransformSchema(schema)
		}
	})
}
