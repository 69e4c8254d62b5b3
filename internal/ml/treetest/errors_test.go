package treetest

import (
	"context"
	"maps"
	"math"
	"regexp"
	"strings"
	"testing"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"
	"github.com/apache/arrow-go/v18/arrow/memory"

	"github.com/millpond/millpond/internal/ml"
	"github.com/millpond/millpond/internal/types"
)

// table is the small data the errors were recorded with; change gives a copy with other columns.
type table struct {
	features [][]float64
	field    types.Field
	columns  map[string][]float64
	nulls    map[string]func(i int) bool
	strings  []string
	bools    map[string]bool
	ints     []string
}

func small(t testing.TB) *table {
	var s struct {
		Features     [][]float64
		Late, Y, Cls []float64
	}
	read(t, "tree_params.json", &s)
	d := &table{features: s.Features, field: featuresField([]int{0, 4, 0}), columns: map[string][]float64{"late": s.Late, "y": s.Y, "cls": s.Cls}}
	for j, n := range []string{"a", "b", "c"} {
		for _, row := range s.Features {
			d.columns[n] = append(d.columns[n], row[j])
		}
	}
	return d
}

func (d *table) change(f func(d *table)) *table {
	c := *d
	c.columns = maps.Clone(d.columns)
	c.nulls, c.bools = maps.Clone(d.nulls), maps.Clone(d.bools)
	if c.nulls == nil {
		c.nulls, c.bools = map[string]func(int) bool{}, map[string]bool{}
	}
	f(&c)
	return &c
}

func (d *table) constant(name string, v float64) *table {
	return d.change(func(d *table) {
		d.columns[name] = nil
		for range d.features {
			d.columns[name] = append(d.columns[name], v)
		}
	})
}

func (d *table) empty() *table {
	return d.change(func(d *table) {
		d.features = nil
		for n := range d.columns {
			d.columns[n] = nil
		}
	})
}

func (d *table) only(feature int, field types.Field) *table {
	return d.change(func(d *table) {
		d.field = field
		rows := d.features
		d.features = nil
		for _, r := range rows {
			d.features = append(d.features, []float64{r[feature]})
		}
	})
}

// frame lays the table out with its columns in the order of the recording.
func (d *table) frame(t testing.TB) ml.Frame {
	t.Helper()
	schema := types.Struct{}
	var cols []arrow.Array
	add := func(name string, ty types.Type, a arrow.Array) {
		schema.Fields = append(schema.Fields, types.Field{Name: name, Type: ty, Nullable: true})
		cols = append(cols, a)
	}
	n := len(d.columns["a"])
	for _, name := range []string{"a", "b", "c", "late", "y", "cls", "o"} {
		v, ok := d.columns[name]
		if !ok {
			continue
		}
		b := array.NewFloat64Builder(memory.DefaultAllocator)
		for i, x := range v {
			if null := d.nulls[name]; null != nil && null(i) {
				b.AppendNull()
				continue
			}
			b.Append(x)
		}
		add(name, types.Double, b.NewArray())
	}
	b := ml.NewVectorBuilder(n, 3)
	for _, row := range d.features {
		b.Dense(row)
	}
	schema.Fields = append(schema.Fields, d.field)
	cols = append(cols, b.Array())
	for _, name := range d.strings {
		s := array.NewStringBuilder(memory.DefaultAllocator)
		for range n {
			s.Append("x")
		}
		if i := schema.Index(name); i >= 0 {
			schema.Fields[i].Type, cols[i] = types.String, s.NewArray()
		} else {
			add(name, types.String, s.NewArray())
		}
	}
	for name, v := range d.bools {
		s := array.NewBooleanBuilder(memory.DefaultAllocator)
		for range n {
			s.Append(v)
		}
		add(name, types.Boolean, s.NewArray())
	}
	for _, name := range d.ints {
		s := array.NewInt32Builder(memory.DefaultAllocator)
		for range n {
			s.Append(1)
		}
		add(name, types.Int, s.NewArray())
	}
	f, err := ml.FrameOfColumns(schema, n, cols...)
	if err != nil {
		t.Fatal(err)
	}
	return f
}

var (
	uids    = regexp.MustCompile(`\b([A-Za-z]+)_[0-9a-f]{12}\b`)
	lambdas = regexp.MustCompile(`\$\$Lambda\$\d+/0x[0-9a-f]+`)
	stages  = regexp.MustCompile(`Job aborted due to stage failure: Task \d+ in stage .*? \(localhost executor driver\): `)
	wrapped = regexp.MustCompile(`^\(java\.[a-zA-Z.]+\) `)
	rows    = regexp.MustCompile(`gives it value \S+\n.*|Index \d+ out of`) // which row or tree Spark meets first varies
	frames  = regexp.MustCompile(`(?s)\n\tat .*`)
)

// plainError leaves of a recorded error what does not change from run to run.
func plainError(s string) string {
	s = uids.ReplaceAllString(s, "${1}_uid")
	s = lambdas.ReplaceAllString(s, "$$$$Lambda")
	s = stages.ReplaceAllString(s, "Job aborted due to stage failure: ")
	s = wrapped.ReplaceAllString(s, "")
	s, _, _ = strings.Cut(s, ";\n'Filter")
	return rows.ReplaceAllString(frames.ReplaceAllString(s, ""), "...")
}

// errorsOf runs the tree learners' cases; each answers the error it ended with.
func treeErrors(t *testing.T, name string) map[string]func() error {
	d := small(t)
	label := "late"
	if strings.HasSuffix(name, "Regressor") {
		label = "y"
	}
	try := func(d *table, more map[string]any) (ml.Model, error) {
		p := map[string]any{"labelCol": label}
		maps.Copy(p, more)
		s, err := ml.Lookup(class(name))
		if err != nil {
			return nil, err
		}
		params := ml.NewParams(s)
		for k, v := range p {
			if err := params.Set(name+"_uid", k, v); err != nil {
				return nil, err
			}
		}
		return s.New(name+"_uid", params).(ml.Estimator).Fit(context.Background(), d.frame(t))
	}
	fails := func(d *table, more map[string]any) func() error {
		return func() error { _, err := try(d, more); return err }
	}
	apply := func(d *table, more map[string]any) func() error {
		return func() error {
			m, err := try(small(t), nil)
			if err != nil {
				return err
			}
			p := m.Params().Copy()
			for k, v := range more {
				if err := p.Set(m.UID(), k, v); err != nil {
					return err
				}
			}
			f := d.frame(t)
			b, err := m.WithParams(p).Bind(f.Schema())
			if err != nil {
				return err
			}
			for _, err := range ml.Applied(f, b).Batches(context.Background()) {
				if err != nil {
					return err
				}
			}
			return nil
		}
	}
	nan := d.change(func(d *table) {
		d.field = types.Field{Name: "features", Type: types.Vector, Nullable: true}
		d.features = nil
		for range d.columns["a"] {
			d.features = append(d.features, []float64{math.NaN()})
		}
	})
	two := 2
	b2 := ml.AttrGroup{Attrs: []ml.Attr{{Type: ml.AttrNominal, Name: "b", NumVals: &two}}, Size: 1}.Metadata()
	none := ml.AttrGroup{Attrs: []ml.Attr{{Type: ml.AttrNominal, Name: "b"}}, Size: 1}.Metadata()
	cases := map[string]func() error{
		"few bins":                fails(d, map[string]any{"maxBins": 2}),
		"features not a vector":   fails(d, map[string]any{"featuresCol": "a"}),
		"no features column":      fails(d, map[string]any{"featuresCol": "zzz"}),
		"no label column":         fails(d, map[string]any{"labelCol": "zzz"}),
		"string label":            fails(d.change(func(d *table) { d.strings = []string{label} }), nil),
		"null label":              fails(d.change(func(d *table) { d.nulls[label] = func(i int) bool { return d.columns["a"][i] >= 0 } }), nil),
		"fractional label":        fails(d.constant(label, 0.5), nil),
		"negative label":          fails(d.constant(label, -1), nil),
		"label two":               fails(d.constant(label, 2), nil),
		"many classes":            fails(d.constant(label, 150), nil),
		"one class":               fails(d.constant(label, 0), nil),
		"empty":                   fails(d.empty(), nil),
		"nan features":            fails(nan, nil),
		"bad category":            fails(d.only(1, types.Field{Name: "features", Type: types.Vector, Nullable: true, Metadata: b2}), nil),
		"nominal without values":  fails(d.only(1, types.Field{Name: "features", Type: types.Vector, Nullable: true, Metadata: none}), nil),
		"maxDepth":                fails(d, map[string]any{"maxDepth": 31}),
		"impurity":                fails(d, map[string]any{"impurity": "zzz"}),
		"minInstancesPerNode":     fails(d, map[string]any{"minInstancesPerNode": 0}),
		"prediction column taken": fails(d, map[string]any{"predictionCol": "c"}),
		"leaf column taken":       fails(d, map[string]any{"leafCol": "c"}),
		"no such attribute":       attribute(try, d, "zzz"),
	}
	if name != "GBTClassifier" { // once its JVM was warm, Spark left the exception's message out
		cases["other size"] = apply(d.change(func(d *table) { shorten(d, 2) }), nil)
		cases["predict other size"] = predictShort(try, d)
	}
	if !strings.Contains(name, "Decision") {
		maps.Copy(cases, map[string]func() error{
			"subset":          fails(d, map[string]any{"featureSubsetStrategy": "zzz"}),
			"subset 0":        fails(d, map[string]any{"featureSubsetStrategy": "0"}),
			"subsamplingRate": fails(d, map[string]any{"subsamplingRate": 0.0}),
		})
	}
	if strings.HasSuffix(name, "Classifier") {
		cases["thresholds transform"] = apply(d, map[string]any{"thresholds": []float64{0.1, 0.2, 0.3}})
	}
	if strings.HasPrefix(name, "GBT") {
		maps.Copy(cases, map[string]func() error{
			"loss":                fails(d, map[string]any{"lossType": "zzz"}),
			"validation column":   fails(d, map[string]any{"validationIndicatorCol": "a"}),
			"nothing to validate": fails(d.change(func(d *table) { d.bools["v"] = false }), map[string]any{"validationIndicatorCol": "v"}),
			"only validation":     fails(d.change(func(d *table) { d.bools["v"] = true }), map[string]any{"validationIndicatorCol": "v"}),
			"stepSize":            fails(d, map[string]any{"stepSize": 0.0}),
			"maxIter":             fails(d, map[string]any{"maxIter": 0}),
			"each iteration": func() error {
				m, err := try(d, nil)
				if err != nil {
					return err
				}
				args := []any{d.empty().frame(t)}
				if label == "y" {
					args = []any{d.frame(t), "zzz"}
				}
				_, err = m.Attr(context.Background(), "evaluateEachIteration", args)
				return err
			},
		})
	}
	return cases
}

func shorten(d *table, n int) {
	d.field = types.Field{Name: "features", Type: types.Vector, Nullable: true}
	rows := d.features
	d.features = nil
	for _, r := range rows {
		d.features = append(d.features, r[:n])
	}
}

type trial = func(d *table, more map[string]any) (ml.Model, error)

func predictShort(try trial, d *table) func() error {
	return func() error {
		m, err := try(d, nil)
		if err != nil {
			return err
		}
		_, err = m.Attr(context.Background(), "predict", []any{ml.DenseVector([]float64{1})})
		return err
	}
}

func attribute(try trial, d *table, name string) func() error {
	return func() error {
		m, err := try(d, nil)
		if err != nil {
			return err
		}
		_, err = m.Attr(context.Background(), name, nil)
		return err
	}
}

// evaluatorErrors are the evaluators' cases.
func evaluatorErrors(t *testing.T) map[string]func() error {
	d := small(t)
	run := func(class_ string, d *table, p map[string]any) func() error {
		return func() error {
			s, err := ml.Lookup(class(class_))
			if err != nil {
				return err
			}
			params := ml.NewParams(s)
			for k, v := range p {
				if err := params.Set(class_+"_uid", k, v); err != nil {
					return err
				}
			}
			_, err = s.New(class_+"_uid", params).(ml.Evaluator).Evaluate(context.Background(), d.frame(t))
			return err
		}
	}
	const reg, bin, multi, clu = "RegressionEvaluator", "BinaryClassificationEvaluator", "MulticlassClassificationEvaluator", "ClusteringEvaluator"
	withInt, withString := d.change(func(d *table) { d.ints = []string{"i"} }), d.change(func(d *table) { d.strings = []string{"s"} })
	return map[string]func() error{
		"regression f1":              run(reg, d, map[string]any{"metricName": "f1", "labelCol": "y", "predictionCol": "a"}),
		"regression type":            run(reg, d, map[string]any{"labelCol": "features", "predictionCol": "a"}),
		"regression prediction type": run(reg, d, map[string]any{"labelCol": "y", "predictionCol": "features"}),
		"regression prediction int":  run(reg, withInt, map[string]any{"labelCol": "y", "predictionCol": "i"}),
		"regression missing":         run(reg, d, map[string]any{"labelCol": "zzz", "predictionCol": "a"}),
		"regression empty":           run(reg, d.empty(), map[string]any{"labelCol": "y", "predictionCol": "a"}),
		"binary rmse":                run(bin, d, map[string]any{"metricName": "rmse"}),
		"binary string":              run(bin, withString, map[string]any{"labelCol": "late", "rawPredictionCol": "s"}),
		"binary label":               run(bin, d, map[string]any{"labelCol": "cls", "rawPredictionCol": "a"}),
		"binary string label":        run(bin, withString, map[string]any{"labelCol": "s", "rawPredictionCol": "a"}),
		"binary bins":                run(bin, d, map[string]any{"numBins": -1}),
		"binary three":               run(bin, d, map[string]any{"labelCol": "late", "rawPredictionCol": "features"}),
		"binary empty":               run(bin, d.empty(), map[string]any{"labelCol": "late", "rawPredictionCol": "a"}),
		"multiclass rmse":            run(multi, d, map[string]any{"metricName": "rmse"}),
		"multiclass label":           run(multi, d, map[string]any{"metricName": "recallByLabel", "metricLabel": 7.0, "labelCol": "cls", "predictionCol": "late"}),
		"multiclass precision label": run(multi, d, map[string]any{"metricName": "precisionByLabel", "metricLabel": 7.0, "labelCol": "cls", "predictionCol": "late"}),
		"multiclass beta":            run(multi, d, map[string]any{"beta": 0.0}),
		"multiclass eps":             run(multi, d, map[string]any{"eps": 0.7}),
		"multiclass logLoss":         run(multi, d, map[string]any{"metricName": "logLoss", "labelCol": "cls", "predictionCol": "late"}),
		"multiclass logLoss label":   run(multi, d.constant("o", 9), map[string]any{"metricName": "logLoss", "labelCol": "o", "predictionCol": "late", "probabilityCol": "features"}),
		"multiclass prediction type": run(multi, withInt, map[string]any{"labelCol": "cls", "predictionCol": "i"}),
		"multiclass empty":           run(multi, d.empty(), map[string]any{"labelCol": "cls", "predictionCol": "late"}),
		"clustering one":             run(clu, d.constant("o", 0), map[string]any{"predictionCol": "o"}),
		"clustering features":        run(clu, d, map[string]any{"predictionCol": "cls", "featuresCol": "a"}),
		"clustering metric":          run(clu, d, map[string]any{"metricName": "zzz"}),
		"clustering measure":         run(clu, d, map[string]any{"distanceMeasure": "zzz"}),
		"clustering string":          run(clu, withString, map[string]any{"predictionCol": "s"}),
	}
}

func TestErrorsAreSparks(t *testing.T) {
	var s struct {
		Cases []struct {
			Name  string
			Error *string
		}
	}
	read(t, "tree_errors.json", &s)
	cases := evaluatorErrors(t)
	for _, name := range learners {
		for k, f := range treeErrors(t, name) {
			cases[name+" "+k] = f
		}
	}
	seen := 0
	for _, c := range s.Cases {
		f, ok := cases[c.Name]
		if !ok {
			continue
		}
		seen++
		got, want := "", ""
		if err := f(); err != nil {
			got = plainError(err.Error())
		}
		if c.Error != nil {
			want = plainError(*c.Error)
		}
		if got != want {
			t.Errorf("%s:\n  got  %s\n  want %s", c.Name, got, want)
		}
	}
	if seen < len(cases) {
		t.Errorf("%d of %d cases were recorded", seen, len(cases))
	}
}
