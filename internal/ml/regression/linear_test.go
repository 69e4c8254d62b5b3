package regression

import (
	"context"
	"testing"

	"github.com/millpond/millpond/internal/ml"
	"github.com/millpond/millpond/internal/ml/mltest"
)

func linearData(t *testing.T) ml.Frame {
	t.Helper()
	f, err := mltest.Data(t, "data_features")["linear"].Frame(64)
	if err != nil {
		t.Fatal(err)
	}
	return f
}

// TestSummaryWithoutPredictionColumn: a summary names a column of its own, as in Spark.
func TestSummaryWithoutPredictionColumn(t *testing.T) {
	p := ml.NewParams(linearSpec)
	if err := p.Set("u", "predictionCol", ""); err != nil {
		t.Fatal(err)
	}
	m, err := linearSpec.New("u", p).(ml.Estimator).Fit(context.Background(), linearData(t))
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"residuals", "predictions"} {
		f, err := m.Summary().Attr(context.Background(), name, nil)
		if err != nil {
			t.Fatal(err)
		}
		if rows, err := mltest.Rows(context.Background(), f.(ml.Frame)); err != nil || len(rows) != 150 {
			t.Errorf("%s: %d rows, %v", name, len(rows), err)
		}
	}
}

// TestEvaluate: evaluating the training data gives what the training summary gives, but the
// history of a training.
func TestEvaluate(t *testing.T) {
	data := linearData(t)
	p := ml.NewParams(linearSpec)
	for name, v := range map[string]any{"weightCol": "w", "regParam": 0.1} {
		if err := p.Set("u", name, v); err != nil {
			t.Fatal(err)
		}
	}
	m, err := linearSpec.New("u", p).(ml.Estimator).Fit(context.Background(), data)
	if err != nil {
		t.Fatal(err)
	}
	e, err := m.Attr(context.Background(), "evaluate", []any{data})
	if err != nil {
		t.Fatal(err)
	}
	again := e.(ml.Summary)
	for _, name := range []string{"r2", "r2adj", "rootMeanSquaredError", "meanAbsoluteError", "explainedVariance", "numInstances", "degreesOfFreedom", "devianceResiduals"} {
		a, err := m.Summary().Attr(context.Background(), name, nil)
		if err != nil {
			t.Fatal(err)
		}
		b, err := again.Attr(context.Background(), name, nil)
		if d := mltest.Diff(mltest.Plain(b), mltest.Plain(a), mltest.Close); err != nil || d != "" {
			t.Errorf("%s: %s, %v", name, d, err)
		}
	}
	for _, name := range []string{"objectiveHistory", "totalIterations", "tValues"} {
		if v, err := again.Attr(context.Background(), name, nil); err == nil {
			t.Errorf("%s of an evaluation is %v", name, v)
		}
	}
}

// TestCancel: a cancelled context ends an iterative fit.
func TestCancel(t *testing.T) {
	p := ml.NewParams(linearSpec)
	if err := p.Set("u", "solver", "l-bfgs"); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	data := cancelling{linearData(t), cancel}
	if _, err := linearSpec.New("u", p).(ml.Estimator).Fit(ctx, data); err == nil {
		t.Error("the fit went on")
	}
}

// cancelling cancels once the training layout is there.
type cancelling struct {
	ml.Frame
	cancel func()
}

func (c cancelling) Memo(key string, build func() (any, error)) (any, error) {
	v, err := c.Frame.Memo(key, build)
	c.cancel()
	return v, err
}
