package conformance

import (
	"context"
	"os"
	"path/filepath"
	"reflect"
	"runtime"
	"slices"
	"sync"
	"testing"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"

	"github.com/millpond/millpond/internal/ml"
	_ "github.com/millpond/millpond/internal/ml/classification"
	_ "github.com/millpond/millpond/internal/ml/feature"
	"github.com/millpond/millpond/internal/ml/mltest"
	_ "github.com/millpond/millpond/internal/ml/regression"
	"github.com/millpond/millpond/internal/sparkerr"
	"github.com/millpond/millpond/internal/types"
)

// TestRegistryHasRecordings fails for an operator that was not held against real Spark.
func TestRegistryHasRecordings(t *testing.T) {
	for _, s := range ml.Specs() {
		if s.Kind == ml.KindModel || s.Kind == ml.KindEvaluator {
			continue
		}
		if _, err := os.Stat(filepath.Join(mltest.Dir(), s.ShortName()+".json")); err != nil {
			t.Errorf("%s has no recording: %v", s.Class, err)
		}
	}
}

// TestSpecs checks what every row of the registry must have.
func TestSpecs(t *testing.T) {
	for _, s := range ml.Specs() {
		if s.Kind == ml.KindModel && (s.Load == nil || s.New != nil) {
			t.Errorf("%s: a model is made by Load, not by New", s.Class)
		}
		if s.Kind != ml.KindModel && s.New == nil {
			t.Errorf("%s has no New", s.Class)
		}
		seen := map[string]bool{}
		for _, p := range s.Params {
			if seen[p.Name] || p.Doc == "" {
				t.Errorf("%s: parameter %s twice or without documentation", s.Class, p.Name)
			}
			seen[p.Name] = true
			if p.Default == nil {
				continue
			}
			if _, byUID := p.Default.(ml.UIDDefault); byUID {
				continue
			}
			if err := ml.NewParams(s).Set("u", p.Name, p.Default); err != nil && !isNaN(p.Default) {
				t.Errorf("%s: default of %s: %v", s.Class, p.Name, err)
			}
		}
	}
}

func isNaN(v any) bool { f, ok := v.(float64); return ok && f != f }

// each runs f for every recorded case that fits and transforms without an error.
func each(t *testing.T, f func(t *testing.T, rec *mltest.Recording, c *mltest.Case, data, target *mltest.Table)) {
	t.Helper()
	for _, s := range ml.Specs() {
		if s.Kind != ml.KindEstimator && s.Kind != ml.KindTransformer {
			continue
		}
		if _, err := os.Stat(filepath.Join(mltest.Dir(), s.ShortName()+".json")); err != nil {
			continue // TestRegistryHasRecordings says so
		}
		rec := mltest.Read(t, s.ShortName())
		data := mltest.Data(t, rec.Data)
		for _, c := range rec.Cases {
			if c.Error != nil || c.Output == nil {
				continue
			}
			t.Run(s.ShortName()+"/"+c.Name, func(t *testing.T) { f(t, rec, &c, data[c.Data], data[c.ApplyTo]) })
		}
	}
}

func fit(t *testing.T, class string, c *mltest.Case, frame ml.Frame) ml.Transformer {
	t.Helper()
	op, err := mltest.Operator(class, class+"_conformance", c.Params)
	if err != nil {
		t.Fatal(err)
	}
	e, ok := op.(ml.Estimator)
	if !ok {
		return op.(ml.Transformer)
	}
	m, err := e.Fit(context.Background(), frame)
	if err != nil {
		t.Fatal(err)
	}
	return m
}

func frame(t *testing.T, table *mltest.Table, size int) *ml.MemFrame {
	t.Helper()
	f, err := table.Frame(size)
	if err != nil {
		t.Fatal(err)
	}
	return f
}

func rows(t *testing.T, tr ml.Transformer, f ml.Frame) [][]any {
	t.Helper()
	out, _, err := mltest.Transform(context.Background(), tr, f)
	if err != nil {
		t.Fatal(err)
	}
	return out
}

// TestFitAgain fits twice, over other batch sizes and numbers of threads, and wants the same answers.
func TestFitAgain(t *testing.T) {
	each(t, func(t *testing.T, rec *mltest.Recording, c *mltest.Case, data, target *mltest.Table) {
		want := rows(t, fit(t, rec.Class, c, frame(t, data, 0)), frame(t, target, 0))
		for _, size := range []int{0, 1, 8192, 7} {
			got := rows(t, fit(t, rec.Class, c, frame(t, data, size)), frame(t, target, size))
			if !equal(got, want) {
				t.Errorf("batches of %d give other rows", size)
			}
		}
		old := runtime.GOMAXPROCS(1)
		got := rows(t, fit(t, rec.Class, c, frame(t, data, 0)), frame(t, target, 0))
		runtime.GOMAXPROCS(old)
		if !equal(got, want) {
			t.Error("one thread gives other rows")
		}
	})
}

// equal compares exactly; NaN equals NaN.
func equal(a, b [][]any) bool {
	return mltest.Diff(mltest.Plain(a), mltest.Plain(b), mltest.Options{}) == "" && len(a) == len(b)
}

// TestOnly wants of transforms that make some columns only what those that make all of them make.
func TestOnly(t *testing.T) {
	narrow := 0
	each(t, func(t *testing.T, rec *mltest.Recording, c *mltest.Case, data, target *mltest.Table) {
		in := frame(t, target, 0)
		all, err := fit(t, rec.Class, c, frame(t, data, 0)).Bind(in.Schema())
		if err != nil {
			t.Fatal(err)
		}
		if all.Only == nil {
			return
		}
		narrow++
		want := applied(t, all, in)
		for i, f := range all.Outputs {
			wanted := make([]bool, len(all.Outputs))
			wanted[i] = true
			one := all.Only(wanted)
			if len(one.Outputs) != 1 || one.Outputs[0].Name != f.Name {
				t.Fatalf("only %s gives %v", f.Name, one.Outputs)
			}
			for k, got := range applied(t, one, in) {
				if len(got) != 1 || !array.ApproxEqual(got[0], want[k][i], array.WithNaNsEqual(true), array.WithAbsTolerance(0)) {
					t.Errorf("column %s alone is %v, with others %v", f.Name, got, want[k][i])
				}
			}
		}
	})
	if narrow == 0 {
		t.Error("no transform makes some columns only")
	}
}

// TestApplyAtOnce applies transforms from several goroutines, as the engine does; run by -race, it
// finds what they share and change.
func TestApplyAtOnce(t *testing.T) {
	each(t, func(t *testing.T, rec *mltest.Recording, c *mltest.Case, data, target *mltest.Table) {
		in := frame(t, target, 0)
		tr, err := fit(t, rec.Class, c, frame(t, data, 0)).Bind(in.Schema())
		if err != nil {
			t.Fatal(err)
		}
		var wg sync.WaitGroup
		for range 4 {
			wg.Go(func() {
				for b, err := range in.Batches(context.Background()) {
					if err == nil {
						_, _, err = tr.ApplyTo(context.Background(), in.Schema(), b)
					}
					if err != nil {
						t.Error(err)
					}
				}
			})
		}
		wg.Wait()
	})
}

// applied gives what a transform makes of each batch.
func applied(t *testing.T, tr *ml.Transform, in ml.Frame) (out [][]arrow.Array) {
	t.Helper()
	for b, err := range in.Batches(context.Background()) {
		if err != nil {
			t.Fatal(err)
		}
		made, _, err := tr.ApplyTo(context.Background(), in.Schema(), b)
		if err != nil {
			t.Fatal(err)
		}
		out = append(out, made)
	}
	return out
}

// TestInputUntouched fits and transforms data whose memory is compared afterwards.
func TestInputUntouched(t *testing.T) {
	each(t, func(t *testing.T, rec *mltest.Recording, c *mltest.Case, data, target *mltest.Table) {
		in, same := frame(t, data, 16), frame(t, data, 16)
		rows(t, fit(t, rec.Class, c, in), in2(t, c, in, target))
		if !sameBatches(in, same) {
			t.Error("the input was changed")
		}
	})
}

func in2(t *testing.T, c *mltest.Case, in ml.Frame, target *mltest.Table) ml.Frame {
	if c.ApplyTo == c.Data {
		return in
	}
	return frame(t, target, 16)
}

func sameBatches(a, b ml.Frame) bool {
	all := func(f ml.Frame) (out []arrow.RecordBatch) {
		for x, err := range f.Batches(context.Background()) {
			if err != nil {
				return nil
			}
			out = append(out, x)
		}
		return out
	}
	return slices.EqualFunc(all(a), all(b), func(x, y arrow.RecordBatch) bool {
		return array.RecordApproxEqual(x, y, array.WithNaNsEqual(true), array.WithAbsTolerance(0))
	})
}

// TestSaveLoad writes every operator and model, reads it back and wants the same answers.
func TestSaveLoad(t *testing.T) {
	each(t, func(t *testing.T, rec *mltest.Recording, c *mltest.Case, data, target *mltest.Table) {
		op, err := mltest.Operator(rec.Class, rec.Class+"_conformance", c.Params)
		if err != nil {
			t.Fatal(err)
		}
		if got := reload(t, op); !reflect.DeepEqual(got.Params().Explicit(), op.Params().Explicit()) {
			t.Errorf("parameters %v became %v", op.Params().Explicit(), got.Params().Explicit())
		}
		m := fit(t, rec.Class, c, frame(t, data, 0))
		back, ok := reload(t, m).(ml.Transformer)
		if !ok {
			t.Fatal("a model came back that does not transform")
		}
		if back.UID() != m.UID() || !equal(rows(t, back, frame(t, target, 0)), rows(t, m, frame(t, target, 0))) {
			t.Error("the loaded model answers otherwise")
		}
		model, ok := m.(ml.Model)
		if !ok {
			return
		}
		for name := range c.Attrs {
			a, err := model.Attr(context.Background(), name, nil)
			if err != nil {
				continue
			}
			b, err := back.(ml.Model).Attr(context.Background(), name, nil)
			if _, ok := a.(ml.Frame); ok && err == nil {
				continue
			}
			if d := mltest.Diff(mltest.Plain(b), mltest.Plain(a), mltest.Options{}); err != nil || d != "" {
				t.Errorf("%s after loading: %v %s", name, err, d)
			}
		}
	})
}

func reload(t *testing.T, op ml.Operator) ml.Operator {
	t.Helper()
	dir := filepath.Join(t.TempDir(), op.Spec().ShortName())
	if err := ml.Save(op, dir, false); err != nil {
		t.Fatal(err)
	}
	back, err := ml.Load(dir, op.Spec().Class)
	if err != nil {
		t.Fatal(err)
	}
	return back
}

// TestModels checks small promises that every model makes.
func TestModels(t *testing.T) {
	each(t, func(t *testing.T, rec *mltest.Recording, c *mltest.Case, data, target *mltest.Table) {
		m, ok := fit(t, rec.Class, c, frame(t, data, 0)).(ml.Model)
		if !ok {
			return
		}
		if _, err := m.Attr(context.Background(), "noSuchThing", nil); sparkerr.As(err) == nil || sparkerr.As(err).Condition != "CONNECT_ML.ATTRIBUTE_NOT_ALLOWED" {
			t.Errorf("an unknown attribute gives %v", err)
		}
		if m.SizeBytes() <= 0 {
			t.Error("a model of no size")
		}
		p := m.Params().Copy()
		for _, out := range []string{"outputCol", "predictionCol"} {
			if p.Spec().Param(out) == nil || out == "outputCol" && p.IsSet("outputCols") {
				continue
			}
			if err := p.Set(m.UID(), out, "renamed_out"); err != nil {
				t.Fatal(err)
			}
			bound, err := m.WithParams(p).Bind(frame(t, target, 0).Schema())
			if err != nil {
				t.Fatal(err)
			}
			if !slices.ContainsFunc(bound.Outputs, func(f types.Field) bool { return f.Name == "renamed_out" }) {
				t.Errorf("WithParams did not change %s", out)
			}
			if m.Params().String(out) == "renamed_out" {
				t.Error("WithParams changed the model itself")
			}
		}
	})
}

// TestEmpty applies everything to a frame without rows, in no batch and in one empty batch.
func TestEmpty(t *testing.T) {
	each(t, func(t *testing.T, rec *mltest.Recording, c *mltest.Case, data, target *mltest.Table) {
		m := fit(t, rec.Class, c, frame(t, data, 0))
		empty := *target
		empty.Rows = nil
		if got := rows(t, m, frame(t, &empty, 0)); len(got) != 0 {
			t.Errorf("%d rows of none", len(got))
		}
		full := frame(t, target, 0)
		bound, err := m.Bind(full.Schema())
		if err != nil {
			t.Fatal(err)
		}
		for b, err := range full.Batches(context.Background()) {
			if err != nil {
				t.Fatal(err)
			}
			none := b.NewSlice(0, 0)
			out, _, err := bound.ApplyTo(context.Background(), full.Schema(), none)
			if err != nil {
				t.Fatal(err)
			}
			for _, a := range out {
				if a.Len() != 0 {
					t.Errorf("%d rows of an empty batch", a.Len())
				}
			}
			if b.NumRows() > 3 { // slices of a batch have offsets of their own
				cut, _, err := bound.ApplyTo(context.Background(), full.Schema(), b.NewSlice(2, 4))
				if err != nil {
					t.Fatal(err)
				}
				whole, _, err := bound.ApplyTo(context.Background(), full.Schema(), b)
				if err != nil {
					t.Fatal(err)
				}
				for k := range cut {
					if !array.ApproxEqual(cut[k], array.NewSlice(whole[k], 2, 4), array.WithNaNsEqual(true), array.WithAbsTolerance(0)) {
						t.Errorf("column %d of a slice is not the slice of the column", k)
					}
				}
			}
		}
	})
}
