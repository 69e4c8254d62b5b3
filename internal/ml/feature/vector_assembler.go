package feature

import (
	"context"
	"math"
	"strings"

	"github.com/apache/arrow-go/v18/arrow"

	"github.com/millpond/millpond/internal/ml"
	"github.com/millpond/millpond/internal/sparkerr"
	"github.com/millpond/millpond/internal/types"
)

// VectorAssembler joins numeric, boolean and vector columns into one vector column.
type VectorAssembler struct{ ml.Base }

var vectorAssemblerSpec = ml.Register(&ml.Spec{
	Class: pkg + "VectorAssembler", Kind: ml.KindTransformer,
	Params: []ml.Param{ml.InputColsParam(), ml.OutputColParam(),
		ml.HandleInvalidParam("Param for how to handle invalid data (NULL and NaN values). Options are 'skip' (filter out rows with invalid data), 'error' (throw an error), or 'keep' (return relevant number of NaN in the output).",
			"error", "skip", "error", "keep")},
})

func init() {
	vectorAssemblerSpec.New = func(uid string, p *ml.Params) ml.Operator {
		return &VectorAssembler{ml.NewBase(vectorAssemblerSpec, uid, p)}
	}
}

// TransformSchema checks the columns' types; the output's attributes are Bind's business.
func (t *VectorAssembler) TransformSchema(in types.Struct) (types.Struct, error) {
	var wrong []string
	for _, name := range t.Params().Strings("inputCols") {
		f, err := ml.Column(in, name)
		if err != nil {
			return in, err
		}
		if !ml.IsNumeric(f.Type) && f.Type != types.Boolean && !types.IsVector(f.Type) {
			wrong = append(wrong, "Data type "+ml.CatalogString(f.Type)+" of column "+name+" is not supported.")
		}
	}
	if len(wrong) > 0 {
		return in, sparkerr.IllegalArgument("%s", strings.Join(wrong, "\n"))
	}
	out := t.Params().String("outputCol")
	if in.Index(out) >= 0 {
		return in, sparkerr.IllegalArgument("Output column %s already exists.", out)
	}
	return ml.WithFields(in, types.Field{Name: out, Type: types.Vector, Nullable: true}), nil
}

// Bind works from metadata alone; where a vector column's size is not known, the output has no
// attributes.
func (t *VectorAssembler) Bind(in types.Struct) (*ml.Transform, error) { return t.bind(in, nil) }

// BindFrame looks at the first row for the sizes that metadata does not tell, as Spark does.
func (t *VectorAssembler) BindFrame(ctx context.Context, data ml.Frame) (*ml.Transform, error) {
	in := data.Schema()
	if _, err := t.TransformSchema(in); err != nil {
		return nil, err
	}
	sizes := map[string]int{}
	var missing []string
	for _, name := range t.Params().Strings("inputCols") {
		if f := in.Fields[in.Index(name)]; types.IsVector(f.Type) && ml.GroupOf(f).Size < 0 {
			missing = append(missing, name)
		}
	}
	if len(missing) > 0 && t.Params().String("handleInvalid") != "keep" {
		if err := t.firstSizes(ctx, data, missing, sizes); err != nil {
			return nil, err
		}
	}
	return t.bind(in, sizes)
}

func (t *VectorAssembler) firstSizes(ctx context.Context, data ml.Frame, missing []string, sizes map[string]int) error {
	for batch, err := range data.Select(missing...).Batches(ctx) {
		if err != nil {
			return err
		}
		views := make([]*ml.VectorView, len(missing))
		for k := range missing {
			if views[k], err = ml.NewVectorView(batch.Column(k)); err != nil {
				return err
			}
		}
	rows:
		for i := range int(batch.NumRows()) {
			for _, v := range views {
				if v.IsNull(i) {
					if t.Params().String("handleInvalid") == "skip" {
						continue rows
					}
					return sparkerr.Plain("java.lang.NullPointerException", "Encountered null value while inferring lengths from the first row. Consider using VectorSizeHint to add metadata for columns: [%s]. ", strings.Join(missing, ", "))
				}
			}
			for k, name := range missing {
				sizes[name] = views[k].Size(i)
			}
			return nil
		}
	}
	return nil
}

func (t *VectorAssembler) bind(in types.Struct, sizes map[string]int) (*ml.Transform, error) {
	if _, err := t.TransformSchema(in); err != nil {
		return nil, err
	}
	names := t.Params().Strings("inputCols")
	invalid := t.Params().String("handleInvalid")
	lengths := make([]int, len(names))
	known := true
	var group []ml.Attr
	var unknown []string
	for k, name := range names {
		f := in.Fields[in.Index(name)]
		attrs, ok := assembledAttrs(f, name, sizes)
		lengths[k] = len(attrs)
		if !ok {
			unknown = append(unknown, name)
			known = false
		}
		group = append(group, attrs...)
	}
	if len(unknown) > 0 && invalid == "keep" {
		return nil, sparkerr.Plain("java.lang.RuntimeException", `Can not infer column lengths with handleInvalid = "keep". Consider using VectorSizeHint to add metadata for columns: [%s].`, strings.Join(unknown, ", "))
	}
	out := types.Field{Name: t.Params().String("outputCol"), Type: types.Vector, Nullable: true}
	if known {
		if group == nil {
			group = []ml.Attr{}
		}
		out.Metadata = ml.AttrGroup{Attrs: group, Size: len(group)}.Metadata()
	}
	sig := "(struct<" + signature(in, names) + ">) => " + ml.VectorSQL
	return &ml.Transform{Inputs: names, Outputs: []types.Field{out},
		Apply: func(ctx context.Context, cols []arrow.Array, n int) ([]arrow.Array, []bool, error) {
			a, err := newAssembly(cols, lengths, invalid, sig)
			if err != nil {
				return nil, nil, err
			}
			return a.rows(n)
		}}, nil
}

func signature(in types.Struct, names []string) string {
	parts := make([]string, len(names))
	for i, n := range names {
		f := in.Fields[in.Index(n)]
		t := "double"
		if types.IsVector(f.Type) {
			t = ml.VectorSQL
		}
		parts[i] = n + ":" + t
	}
	return strings.Join(parts, ",")
}

// assembledAttrs gives the attributes that one input column brings, and whether they are known.
func assembledAttrs(f types.Field, name string, sizes map[string]int) ([]ml.Attr, bool) {
	if !types.IsVector(f.Type) {
		a := ml.Attr{}
		if f.Type == types.Double {
			if own := ml.AttrOf(f); own.Type != ml.AttrUnresolved {
				a = own
			}
		}
		a.Name = name
		return []ml.Attr{a}, true
	}
	g := ml.GroupOf(f)
	n := g.Size
	if n < 0 {
		var ok bool
		if n, ok = sizes[name]; !ok {
			return nil, false
		}
	}
	numbers := ml.NumberNames(n)
	out := make([]ml.Attr, n)
	for i := range out {
		if g.Attrs != nil {
			out[i] = g.Attrs[i]
		}
		if out[i].Name == "" {
			out[i].Name = numbers[i]
		}
		out[i].Name = name + "_" + out[i].Name
	}
	return out, true
}

// assembly joins the columns of one batch.
type assembly struct {
	cols    []arrow.Array
	numbers [][]float64      // of numeric columns
	vectors []*ml.VectorView // of vector columns
	nulls   []bool           // columns that have nulls
	lengths []int
	keep    bool
	skip    bool
	sig     string

	indices []int32 // of the row in work
	values  []float64
}

func newAssembly(cols []arrow.Array, lengths []int, invalid, sig string) (*assembly, error) {
	a := &assembly{cols: cols, numbers: make([][]float64, len(cols)), vectors: make([]*ml.VectorView, len(cols)),
		nulls: make([]bool, len(cols)), lengths: lengths, keep: invalid == "keep", skip: invalid == "skip", sig: sig}
	for k, c := range cols {
		a.nulls[k] = c.NullN() > 0
		var err error
		if c.DataType().ID() == arrow.STRUCT {
			a.vectors[k], err = ml.NewVectorView(c)
		} else {
			a.numbers[k], err = ml.Floats(c)
		}
		if err != nil {
			return nil, err
		}
	}
	return a, nil
}

func (a *assembly) rows(n int) ([]arrow.Array, []bool, error) {
	width := 0
	for _, l := range a.lengths {
		width += l
	}
	b := ml.NewVectorBuilder(n, min(width, 16))
	var keep []bool
	for i := range n {
		size, problem := a.row(i)
		switch {
		case problem == "":
			a.emit(b, size)
		case a.skip:
			if keep == nil {
				keep = make([]bool, n)
				for j := range keep {
					keep[j] = true
				}
			}
			keep[i] = false
			b.Null()
		default:
			return nil, nil, a.fail(problem)
		}
	}
	return []arrow.Array{b.Array()}, keep, nil
}

func (a *assembly) fail(problem string) error {
	plural := map[string]string{"null": "nulls", "NaN": "NaNs"}[problem]
	return ml.UDFError("VectorAssembler", a.sig, "org.apache.spark.SparkException: Encountered "+problem+
		" while assembling a row with handleInvalid = \"error\". Consider\nremoving "+plural+
		" from dataset or using handleInvalid = \"keep\" or \"skip\".")
}

// row gathers the nonzero values of row i; problem is "null" or "NaN" where they are not allowed.
func (a *assembly) row(i int) (size int, problem string) {
	a.indices, a.values = a.indices[:0], a.values[:0]
	for k, nums := range a.numbers {
		if a.nulls[k] && a.cols[k].IsNull(i) {
			if !a.keep {
				return 0, "null"
			}
			for j := range a.lengths[k] {
				a.indices = append(a.indices, int32(size+j))
				a.values = append(a.values, math.NaN())
			}
			size += a.lengths[k]
			continue
		}
		if nums == nil {
			size += a.vector(k, i, size)
			continue
		}
		x := nums[i]
		if x != x && !a.keep {
			return 0, "NaN"
		}
		if x != 0 {
			a.indices = append(a.indices, int32(size))
			a.values = append(a.values, x)
		}
		size++
	}
	return size, ""
}

func (a *assembly) vector(k, i, at int) int {
	v := a.vectors[k]
	val := v.Values(i)
	if v.Dense(i) {
		for j, x := range val {
			if x != 0 {
				a.indices = append(a.indices, int32(at+j))
				a.values = append(a.values, x)
			}
		}
		return len(val)
	}
	for j, p := range v.Indices(i) {
		if x := val[j]; x != 0 {
			a.indices = append(a.indices, int32(at)+p)
			a.values = append(a.values, x)
		}
	}
	return v.Size(i)
}

func (a *assembly) emit(b *ml.VectorBuilder, size int) {
	if ml.SparseIsSmaller(size, len(a.values)) {
		b.Sparse(size, a.indices, a.values)
		return
	}
	dst := b.Grow(size)
	for k, j := range a.indices {
		dst[j] = a.values[k]
	}
}
