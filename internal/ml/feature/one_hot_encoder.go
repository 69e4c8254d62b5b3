package feature

import (
	"context"
	"math"
	"slices"

	"github.com/apache/arrow-go/v18/arrow"

	"github.com/millpond/millpond/internal/ml"
	"github.com/millpond/millpond/internal/sparkerr"
	"github.com/millpond/millpond/internal/types"
)

// OneHotEncoder maps category numbers to vectors with a single one.
type OneHotEncoder struct{ ml.Base }

// OneHotEncoderModel knows how many categories each column has.
type OneHotEncoderModel struct {
	ml.Base
	sizes []int // categories, before dropLast and handleInvalid
}

var oneHotParams = []ml.Param{ml.InputColParam(), ml.OutputColParam(), ml.InputColsParam(), ml.OutputColsParam(),
	ml.HandleInvalidParam("How to handle invalid data during transform(). Options are 'keep' (invalid data presented as an extra categorical feature) or error (throw an error). Note that this Param is only used during transform; during fitting, invalid data will result in an error.",
		"error", "keep", "error"),
	{Name: "dropLast", Doc: "whether to drop the last category", Type: ml.ParamBool, Default: true}}

var oneHotSpec = ml.Register(&ml.Spec{Class: pkg + "OneHotEncoder", Kind: ml.KindEstimator, Params: oneHotParams})

var oneHotModelSpec = ml.Register(&ml.Spec{Class: pkg + "OneHotEncoderModel", Kind: ml.KindModel,
	Params: oneHotParams})

func init() {
	oneHotModelSpec.Load = loadOneHotModel
	oneHotSpec.New = func(uid string, p *ml.Params) ml.Operator { return &OneHotEncoder{ml.NewBase(oneHotSpec, uid, p)} }
}

// oneHotSchema checks what estimator and model check alike, and gives the output's schema with
// the attributes that the input's metadata tells.
func oneHotSchema(op ml.Operator, in types.Struct, drop, keep bool) (types.Struct, error) {
	if err := checkSingleVsMulti(op, []string{"outputCol"}, []string{"outputCols"}); err != nil {
		return in, err
	}
	ins, outs := inOutCols(op)
	if len(ins) != len(outs) {
		return in, sparkerr.Require("The number of input columns %d must be the same as the number of output columns %d.", len(ins), len(outs))
	}
	out := in
	for _, name := range ins {
		if err := ml.CheckNumeric(in, name); err != nil {
			return in, err
		}
	}
	for k, name := range ins {
		g, err := oneHotGroup(in.Fields[in.Index(name)], drop, keep)
		if err != nil {
			return in, err
		}
		if out, err = ml.AppendField(out, types.Field{Name: outs[k], Type: types.Vector, Nullable: true, Metadata: g.Metadata()}); err != nil {
			return in, err
		}
	}
	return out, nil
}

// oneHotGroup tells the output's attributes by the input's metadata; Attrs is nil if it says nothing.
func oneHotGroup(f types.Field, drop, keep bool) (ml.AttrGroup, error) {
	a := ml.AttrOf(f)
	var names []string
	switch {
	case a.Type == ml.AttrNumeric:
		return ml.AttrGroup{}, sparkerr.Plain("java.lang.RuntimeException", "The input column %s cannot be continuous-value.", f.Name)
	case a.Vals != nil:
		names = a.Vals
	default:
		n, known := a.NumValues()
		if !known {
			return ml.AttrGroup{Size: -1}, nil
		}
		names = ml.NumberNames(n)
	}
	return oneHotNamed(names, drop, keep), nil
}

func oneHotNamed(names []string, drop, keep bool) ml.AttrGroup {
	names = slices.Clone(names)
	if keep {
		names = append(names, "invalidValues")
	}
	if drop && len(names) > 0 {
		names = names[:len(names)-1]
	}
	g := ml.AttrGroup{Attrs: make([]ml.Attr, len(names)), Size: len(names)}
	for i, n := range names {
		g.Attrs[i] = ml.Attr{Type: ml.AttrBinary, Name: n}
	}
	return g
}

func (e *OneHotEncoder) TransformSchema(in types.Struct) (types.Struct, error) {
	return oneHotSchema(e, in, e.Params().Bool("dropLast"), e.Params().String("handleInvalid") == "keep")
}

// Fit takes the number of categories from metadata, or else from the data.
func (e *OneHotEncoder) Fit(ctx context.Context, data ml.Frame) (ml.Model, error) {
	in := data.Schema()
	if _, err := e.TransformSchema(in); err != nil {
		return nil, err
	}
	ins, _ := inOutCols(e)
	sizes := make([]int, len(ins))
	var unknown []string
	var places []int
	for k, name := range ins {
		g, err := oneHotGroup(in.Fields[in.Index(name)], false, false)
		if err != nil {
			return nil, err
		}
		if sizes[k] = g.Size; g.Size < 0 {
			unknown, places = append(unknown, name), append(places, k)
		}
	}
	if len(unknown) > 0 {
		if err := countCategories(ctx, data, unknown, places, sizes); err != nil {
			return nil, err
		}
	}
	return &OneHotEncoderModel{e.ForModel(oneHotModelSpec), sizes}, nil
}

func countCategories(ctx context.Context, data ml.Frame, names []string, places, sizes []int) error {
	most := make([]float64, len(names))
	for batch, err := range data.Select(names...).Batches(ctx) {
		if err != nil {
			return err
		}
		for c, name := range names {
			a := batch.Column(c)
			if a.NullN() > 0 {
				return &sparkerr.Error{Condition: "ROW_VALUE_IS_NULL", SQLState: "22023", Class: sparkerr.ClassRuntime,
					Params:  map[string]string{"index": "0"},
					Message: "[ROW_VALUE_IS_NULL] Found NULL in a row at the index 0, expected a non-NULL value. SQLSTATE: 22023"}
			}
			values, err := ml.Floats(a)
			if err != nil {
				return err
			}
			for _, x := range values {
				if !(x <= math.MaxInt32) {
					return ml.JobAborted("java.lang.AssertionError: assertion failed: OneHotEncoder only supports up to 2147483647 indices, but got %s.", ml.FormatDouble(x))
				}
				if x < 0 || x != math.Trunc(x) {
					return sparkerr.Plain(sparkerr.ClassSpark, "Job aborted due to stage failure: java.lang.AssertionError: assertion failed: Values from column %s must be indices, but got %s.", name, ml.FormatDouble(x))
				}
				most[c] = math.Max(most[c], x)
			}
		}
	}
	for c, k := range places {
		sizes[k] = int(most[c]) + 1
	}
	return nil
}

// TransformSchema gives names by number where metadata has none, and refuses metadata of another
// number of categories.
func (m *OneHotEncoderModel) TransformSchema(in types.Struct) (types.Struct, error) {
	drop, keep := m.Params().Bool("dropLast"), m.Params().String("handleInvalid") == "keep"
	ins, outs := inOutCols(m)
	if len(ins) != len(m.sizes) {
		return in, sparkerr.Require("The number of input columns %d must be the same as the number of features %d during fitting.", len(ins), len(m.sizes))
	}
	out, err := oneHotSchema(m, in, drop, keep)
	if err != nil {
		return in, err
	}
	for k, name := range outs {
		i := out.Index(name)
		want := oneHotNamed(ml.NumberNames(m.sizes[k]), drop, keep)
		g := ml.GroupOf(out.Fields[i])
		if g.Size < 0 {
			out.Fields[i].Metadata = want.Metadata()
		} else if g.Size != want.Size {
			return in, sparkerr.Require("OneHotEncoderModel expected %d categorical values for input column %s, but the input column had metadata specifying %d values.", want.Size, ins[k], g.Size)
		}
	}
	return out, nil
}

func (m *OneHotEncoderModel) Bind(in types.Struct) (*ml.Transform, error) {
	out, err := m.TransformSchema(in)
	if err != nil {
		return nil, err
	}
	ins, outs := inOutCols(m)
	t := &ml.Transform{Inputs: ins}
	for _, name := range outs {
		t.Outputs = append(t.Outputs, out.Fields[out.Index(name)])
	}
	drop, keep := m.Params().Bool("dropLast"), m.Params().String("handleInvalid") == "keep"
	t.Apply = func(ctx context.Context, cols []arrow.Array, n int) ([]arrow.Array, []bool, error) {
		result := make([]arrow.Array, len(cols))
		for k, a := range cols {
			col, err := oneHotColumn(a, m.sizes[k], drop, keep)
			if err != nil {
				return nil, nil, err
			}
			result[k] = col
		}
		return result, nil, ctx.Err()
	}
	return t, nil
}

func oneHotColumn(a arrow.Array, categories int, drop, keep bool) (arrow.Array, error) {
	values, err := ml.Floats(a)
	if err != nil {
		return nil, err
	}
	size := categories
	if keep {
		size++
	}
	if drop {
		size--
	}
	nulls := a.NullN() > 0
	b := ml.NewVectorBuilder(len(values), 1)
	one, at := []float64{1}, []int32{0}
	for i, x := range values {
		if nulls && a.IsNull(i) {
			b.Null()
			continue
		}
		if !(x >= 0 && x < float64(categories)) {
			if !keep {
				return nil, unseenCategory(x)
			}
			x = float64(categories)
		}
		if at[0] = int32(x); x < float64(size) {
			b.Sparse(size, at, one)
		} else {
			b.Sparse(size, nil, nil)
		}
	}
	return b.Array(), nil
}

func unseenCategory(x float64) error {
	cause := "org.apache.spark.SparkException: "
	if x < 0 {
		cause += "Negative value: " + ml.FormatDouble(x) + ". Input can't be negative. To handle invalid values, set Param handleInvalid to keep"
	} else {
		cause += "Unseen value: " + ml.FormatDouble(x) + ". To handle unseen values, set Param handleInvalid to keep."
	}
	return ml.UDFError("OneHotEncoderModel", "(double, int) => "+ml.VectorSQL, cause)
}

var oneHotAttrs = ml.AttrTable[*OneHotEncoderModel]{
	"toString": ml.Text(func(m *OneHotEncoderModel) []string {
		return []string{"dropLast", "handleInvalid", "inputCols", "outputCols"}
	}),
	"categorySizes": ml.Getter(func(m *OneHotEncoderModel) any {
		out := make([]int32, len(m.sizes))
		for i, n := range m.sizes {
			out[i] = int32(n)
		}
		return out
	}),
}

func (m *OneHotEncoderModel) Attr(ctx context.Context, name string, args []any) (any, error) {
	return oneHotAttrs.Call(ctx, m, m.Spec().Class, name, args)
}

func (m *OneHotEncoderModel) Summary() ml.Summary { return nil }
func (m *OneHotEncoderModel) SizeBytes() int64    { return int64(256 + 8*len(m.sizes)) }
func (m *OneHotEncoderModel) WithParams(p *ml.Params) ml.Model {
	return &OneHotEncoderModel{m.With(p), m.sizes}
}

var oneHotSchemaOnDisk = types.Struct{Fields: []types.Field{{Name: "categorySizes", Type: types.Array{Elem: types.Int}, Nullable: true}}}

// Save writes the numbers of categories as Spark does.
func (m *OneHotEncoderModel) Save(dir string) (map[string]any, error) {
	return nil, ml.WriteRows(dir, "data", oneHotSchemaOnDisk, []any{m.sizes})
}

func loadOneHotModel(dir string, meta ml.Metadata) (ml.Operator, error) {
	b, err := meta.Base(oneHotModelSpec)
	if err != nil {
		return nil, err
	}
	t, err := ml.ReadTable(dir, "data")
	if err != nil {
		return nil, err
	}
	list, err := ml.Read[[]int32](t, "categorySizes", 0)
	if err != nil {
		return nil, err
	}
	m := &OneHotEncoderModel{Base: b}
	for _, n := range list {
		m.sizes = append(m.sizes, int(n))
	}
	return m, nil
}
