package feature

import (
	"cmp"
	"context"
	"fmt"
	"math"
	"slices"
	"strconv"
	"strings"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"

	"github.com/millpond/millpond/internal/ml"
	"github.com/millpond/millpond/internal/sparkerr"
	"github.com/millpond/millpond/internal/types"
)

// StringIndexer numbers the distinct strings of columns, the most frequent first.
type StringIndexer struct{ ml.Base }

// StringIndexerModel maps strings to their numbers.
type StringIndexerModel struct {
	ml.Base
	labels [][]string
	index  []map[string]float64
}

var stringIndexerParams = []ml.Param{ml.InputColParam(), ml.OutputColParam(), ml.InputColsParam(), ml.OutputColsParam(),
	ml.HandleInvalidParam("how to handle invalid data (unseen or NULL values) in features and label column of string type. Options are 'skip' (filter out rows with invalid data), error (throw an error), or 'keep' (put invalid data in a special additional bucket, at index numLabels).",
		"error", "error", "skip", "keep"),
	{Name: "stringOrderType", Doc: "How to order labels of string column. The first label after ordering is assigned an index of 0. Supported options: frequencyDesc, frequencyAsc, alphabetDesc, alphabetAsc. Default is frequencyDesc. In case of equal frequency when under frequencyDesc/Asc, the strings are further sorted alphabetically",
		Type: ml.ParamString, Default: "frequencyDesc", Check: ml.OneOf("frequencyDesc", "frequencyAsc", "alphabetDesc", "alphabetAsc")}}

var stringIndexerSpec = ml.Register(&ml.Spec{Class: pkg + "StringIndexer", Kind: ml.KindEstimator, Params: stringIndexerParams})

var stringIndexerModelSpec = ml.Register(&ml.Spec{Class: pkg + "StringIndexerModel", Kind: ml.KindModel,
	Params: stringIndexerParams})

func init() {
	stringIndexerModelSpec.Load = loadStringIndexerModel
	stringIndexerSpec.New = func(uid string, p *ml.Params) ml.Operator {
		return &StringIndexer{ml.NewBase(stringIndexerSpec, uid, p)}
	}
}

// stringIndexerSchema checks what estimator and model check alike. skipMissing passes over input
// columns that do not exist, as a model does.
func stringIndexerSchema(op ml.Operator, in types.Struct, labels [][]string, skipMissing bool) (types.Struct, error) {
	if err := checkSingleVsMulti(op, []string{"outputCol"}, []string{"outputCols"}); err != nil {
		return in, err
	}
	ins, outs := inOutCols(op)
	if len(ins) != len(outs) {
		return in, sparkerr.Require("The number of input columns does not match output columns")
	}
	seen := map[string]bool{}
	for _, o := range outs {
		if seen[o] {
			return in, sparkerr.Require("Output columns should not be duplicate.")
		}
		seen[o] = true
	}
	out := in
	for k, name := range ins {
		i := in.Index(name)
		if i < 0 {
			if skipMissing {
				continue
			}
			return in, sparkerr.Plain(sparkerr.ClassSpark, "Input column %s does not exist.", name)
		}
		t := in.Fields[i].Type
		if !isString(t) && !ml.IsNumeric(t) {
			return in, sparkerr.Require("The input column %s must be either string type or numeric type, but got %s.", name, scalaToString(t))
		}
		if err := newColumn(in, outs[k]); err != nil {
			return in, err
		}
		a := ml.Attr{Type: ml.AttrNominal, Name: outs[k]}
		if labels != nil {
			a.Vals = outputLabels(labels[k], op.Params().String("handleInvalid") == "keep")
		}
		out = ml.WithFields(out, types.Field{Name: outs[k], Type: types.Double, Metadata: a.Metadata()})
	}
	return out, nil
}

func outputLabels(labels []string, keep bool) []string {
	if keep {
		return append(slices.Clone(labels), "__unknown")
	}
	if labels == nil {
		return []string{}
	}
	return labels
}

func isString(t types.Type) bool {
	switch t.(type) {
	case types.Char, types.Varchar:
		return true
	}
	return t == types.String
}

// scalaToString is a type's toString in Scala, as far as messages of this package show it.
func scalaToString(t types.Type) string {
	switch u := t.(type) {
	case *types.UDT:
		return u.Class
	case types.Decimal:
		return fmt.Sprintf("DecimalType(%d,%d)", u.Precision, u.Scale)
	case types.Array:
		return fmt.Sprintf("ArrayType(%s,%t)", scalaToString(u.Elem), u.ContainsNull)
	case types.Struct:
		fields := make([]string, len(u.Fields))
		for i, f := range u.Fields {
			fields[i] = fmt.Sprintf("StructField(%s,%s,%t)", f.Name, scalaToString(f.Type), f.Nullable)
		}
		return "StructType(" + strings.Join(fields, ",") + ")"
	}
	return ml.ScalaName(t)
}

func (e *StringIndexer) TransformSchema(in types.Struct) (types.Struct, error) {
	return stringIndexerSchema(e, in, nil, false)
}

// Fit counts the values of every column in one pass.
func (e *StringIndexer) Fit(ctx context.Context, data ml.Frame) (ml.Model, error) {
	if _, err := e.TransformSchema(data.Schema()); err != nil {
		return nil, err
	}
	ins, _ := inOutCols(e)
	rows := data.Select(ins...)
	counts, err := ml.Recall(rows, "strings", func() ([]map[string]int64, error) { return countAll(ctx, rows, len(ins)) })
	if err != nil {
		return nil, err
	}
	labels := make([][]string, len(ins))
	for k := range ins {
		labels[k] = orderLabels(counts[k], e.Params().String("stringOrderType"))
	}
	return newStringIndexerModel(e.ForModel(stringIndexerModelSpec), labels), nil
}

func newStringIndexerModel(b ml.Base, labels [][]string) *StringIndexerModel {
	m := &StringIndexerModel{Base: b, labels: labels, index: make([]map[string]float64, len(labels))}
	for k, list := range labels {
		m.index[k] = make(map[string]float64, len(list))
		for i, s := range list {
			m.index[k][s] = float64(i)
		}
	}
	return m
}

// countAll counts the values of each of a frame's columns.
func countAll(ctx context.Context, data ml.Frame, columns int) ([]map[string]int64, error) {
	counts := make([]map[string]int64, columns)
	for k := range counts {
		counts[k] = map[string]int64{}
	}
	err := ml.Fold(ctx, data, countColumns, func(part []map[string]*int64) error {
		for k, values := range part {
			for s, n := range values {
				counts[k][s] += *n
			}
		}
		return nil
	})
	return counts, err
}

// countColumns counts the values of each column of a batch.
func countColumns(batch arrow.RecordBatch) ([]map[string]*int64, error) {
	out := make([]map[string]*int64, batch.NumCols())
	for k := range out {
		var err error
		if out[k], err = countStrings(batch.Column(k)); err != nil {
			return nil, err
		}
	}
	return out, nil
}

// countStrings counts the values of a column but nulls and NaN.
func countStrings(a arrow.Array) (map[string]*int64, error) {
	text, err := textOf(a)
	if err != nil {
		return nil, err
	}
	floats, _ := a.(interface{ Value(int) float64 })
	slots := map[string]*int64{} // one lookup a row, without writing the map each time
	for i := range a.Len() {
		if a.IsNull(i) || floats != nil && math.IsNaN(floats.Value(i)) {
			continue
		}
		s := text(i)
		n, ok := slots[s]
		if !ok {
			n = new(int64)
			slots[strings.Clone(s)] = n
		}
		*n++
	}
	return slots, nil
}

// textOf gives a function that reads a column's values as Spark casts them to strings. What it
// gives may share the column's memory.
func textOf(a arrow.Array) (func(i int) string, error) {
	switch a := a.(type) {
	case *array.String:
		return a.Value, nil
	case *array.Float64:
		return func(i int) string { return ml.FormatDouble(a.Value(i)) }, nil
	case *array.Float32:
		return func(i int) string { return formatFloat(a.Value(i)) }, nil
	case *array.Int8:
		return func(i int) string { return strconv.Itoa(int(a.Value(i))) }, nil
	case *array.Int16:
		return func(i int) string { return strconv.Itoa(int(a.Value(i))) }, nil
	case *array.Int32:
		return func(i int) string { return strconv.Itoa(int(a.Value(i))) }, nil
	case *array.Int64:
		return func(i int) string { return strconv.FormatInt(a.Value(i), 10) }, nil
	case *array.Decimal128:
		scale := a.DataType().(*arrow.Decimal128Type).Scale
		return func(i int) string { return a.Value(i).ToString(scale) }, nil
	}
	return nil, fmt.Errorf("a column of %s has no strings", a.DataType())
}

// formatFloat prints a float as Java does: the shortest form that gives the float back.
func formatFloat(f float32) string {
	x, err := strconv.ParseFloat(strconv.FormatFloat(float64(f), 'g', -1, 32), 64)
	if err != nil {
		return ml.FormatDouble(float64(f))
	}
	return ml.FormatDouble(x)
}

func orderLabels(counts map[string]int64, order string) []string {
	labels := make([]string, 0, len(counts))
	for s := range counts {
		labels = append(labels, s)
	}
	slices.SortFunc(labels, func(a, b string) int {
		switch order {
		case "frequencyDesc":
			return cmp.Or(cmp.Compare(counts[b], counts[a]), cmp.Compare(a, b))
		case "frequencyAsc":
			return cmp.Or(cmp.Compare(counts[a], counts[b]), cmp.Compare(a, b))
		case "alphabetDesc":
			return cmp.Compare(b, a)
		}
		return cmp.Compare(a, b)
	})
	return labels
}

func (m *StringIndexerModel) TransformSchema(in types.Struct) (types.Struct, error) {
	return stringIndexerSchema(m, in, m.labels, true)
}

// Bind passes over input columns that the frame does not have.
func (m *StringIndexerModel) Bind(in types.Struct) (*ml.Transform, error) {
	out, err := m.TransformSchema(in)
	if err != nil {
		return nil, err
	}
	ins, outs := inOutCols(m)
	if len(ins) != len(m.labels) {
		return nil, sparkerr.Require("The number of input columns %d must be the same as the number of label arrays %d.", len(ins), len(m.labels))
	}
	t := &ml.Transform{}
	var which []int
	for k, name := range ins {
		if in.Index(name) >= 0 {
			t.Inputs = append(t.Inputs, name)
			t.Outputs = append(t.Outputs, out.Fields[out.Index(outs[k])])
			which = append(which, k)
		}
	}
	invalid := m.Params().String("handleInvalid")
	t.Apply = func(ctx context.Context, cols []arrow.Array, n int) ([]arrow.Array, []bool, error) {
		var keep []bool
		result := make([]arrow.Array, len(cols))
		for c, a := range cols {
			values, err := m.column(which[c], a, invalid, &keep)
			if err != nil {
				return nil, nil, err
			}
			result[c] = doubles(values, nil)
		}
		return result, keep, ctx.Err()
	}
	return t, nil
}

// column numbers one column; rows to be skipped are struck from keep.
func (m *StringIndexerModel) column(k int, a arrow.Array, invalid string, keep *[]bool) ([]float64, error) {
	text, err := textOf(a)
	if err != nil {
		return nil, err
	}
	index, unknown := m.index[k], float64(len(m.labels[k]))
	nulls := a.NullN() > 0
	out := make([]float64, a.Len())
	for i := range out {
		isNull := nulls && a.IsNull(i)
		if !isNull {
			if x, ok := index[text(i)]; ok {
				out[i] = x
				continue
			}
		}
		switch {
		case invalid == "keep":
			out[i] = unknown
		case invalid == "skip":
			if *keep == nil {
				*keep = slices.Repeat([]bool{true}, a.Len())
			}
			(*keep)[i] = false
		case isNull:
			return nil, ml.UDFError("StringIndexerModel", "(string) => double", "org.apache.spark.SparkException: StringIndexer encountered NULL value. To handle or skip NULLS, try setting StringIndexer.handleInvalid.")
		default:
			return nil, ml.UDFError("StringIndexerModel", "(string) => double", "org.apache.spark.SparkException: Unseen label: "+text(i)+". To handle unseen labels, set Param handleInvalid to keep.")
		}
	}
	return out, nil
}

var stringIndexerAttrs = ml.AttrTable[*StringIndexerModel]{
	"toString": ml.Text(func(m *StringIndexerModel) []string {
		if m.Params().IsSet("stringOrderType") { // Spark names it only then
			return []string{"handleInvalid", "stringOrderType", "inputCols", "outputCols"}
		}
		return []string{"handleInvalid", "inputCols", "outputCols"}
	}),
	"labelsArray": ml.Getter(func(m *StringIndexerModel) any { return m.labels }),
	"labels": func(_ context.Context, m *StringIndexerModel, _ []any) (any, error) {
		if len(m.labels) != 1 {
			return nil, sparkerr.Require("This StringIndexerModel is fit on multiple columns. Call `labelsArray` instead.")
		}
		return m.labels[0], nil
	},
}

func (m *StringIndexerModel) Attr(ctx context.Context, name string, args []any) (any, error) {
	return stringIndexerAttrs.Call(ctx, m, m.Spec().Class, name, args)
}

func (m *StringIndexerModel) Summary() ml.Summary { return nil }

func (m *StringIndexerModel) SizeBytes() int64 {
	n := int64(256)
	for _, list := range m.labels {
		for _, s := range list {
			n += int64(len(s))*2 + 64
		}
	}
	return n
}

func (m *StringIndexerModel) WithParams(p *ml.Params) ml.Model {
	c := *m
	c.Base = m.With(p)
	return &c
}

var labelsSchema = types.Struct{Fields: []types.Field{{Name: "labelsArray", Nullable: true,
	Type: types.Array{Elem: types.Array{Elem: types.String, ContainsNull: true}, ContainsNull: true}}}}

// Save writes the labels as Spark does.
func (m *StringIndexerModel) Save(dir string) (map[string]any, error) {
	return nil, ml.WriteRows(dir, "data", labelsSchema, []any{m.labels})
}

func loadStringIndexerModel(dir string, meta ml.Metadata) (ml.Operator, error) {
	b, err := meta.Base(stringIndexerModelSpec)
	if err != nil {
		return nil, err
	}
	t, err := ml.ReadTable(dir, "data")
	if err != nil {
		return nil, err
	}
	if t.Has("labels") { // Spark before 3.0
		labels, err := ml.Read[[]string](t, "labels", 0)
		return newStringIndexerModel(b, [][]string{labels}), err
	}
	list, err := ml.Read[[]any](t, "labelsArray", 0)
	if err != nil {
		return nil, err
	}
	labels := make([][]string, len(list))
	for k, x := range list {
		var ok bool
		if labels[k], ok = x.([]string); !ok {
			return nil, fmt.Errorf("labelsArray holds %T", x)
		}
	}
	return newStringIndexerModel(b, labels), nil
}

// StringIndexerModelFromLabels makes a model of given labels, for the clients'
// StringIndexerModel.from_labels and from_arrays_of_labels.
func StringIndexerModelFromLabels(uid string, p *ml.Params, labels [][]string) ml.Model {
	return newStringIndexerModel(ml.NewBase(stringIndexerModelSpec, uid, p), labels)
}
