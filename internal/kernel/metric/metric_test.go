package metric

import (
	"math"
	"testing"
)

func TestCurveIsCutToAboutNumBinsPoints(t *testing.T) {
	n := 5001
	scores, labels := make([]float64, n), make([]float64, n)
	for i := range scores {
		scores[i], labels[i] = float64(i), float64(i%2)
	}
	full, cut := NewBinary(scores, labels, nil, 0), NewBinary(scores, labels, nil, 1000)
	if full.Len() != n || cut.Len() != 1001 {
		t.Fatalf("%d and %d points", full.Len(), cut.Len())
	}
	if cut.Thresholds[0] != 4996 || cut.Thresholds[1000] != 0 {
		t.Errorf("thresholds %v .. %v: a point has its last score", cut.Thresholds[0], cut.Thresholds[1000])
	}
	if cut.Recall(1000) != 1 || math.Abs(cut.AreaUnderROC()-full.AreaUnderROC()) > 1e-3 {
		t.Errorf("recall %v, areas %v %v", cut.Recall(1000), cut.AreaUnderROC(), full.AreaUnderROC())
	}
}

func TestPerfectAndHopelessScores(t *testing.T) {
	if a := NewBinary([]float64{1, 2, 3, 4}, []float64{0, 0, 1, 1}, nil, 1000).AreaUnderROC(); a != 1 {
		t.Errorf("perfect: %v", a)
	}
	b := NewBinary([]float64{1, 1, 1}, []float64{1, 0, 1}, []float64{1, 4, 1}, 1000)
	if b.AreaUnderROC() != 0.5 || math.Abs(b.AreaUnderPR()-1.0/3) > 1e-15 {
		t.Errorf("hopeless: %v %v", b.AreaUnderROC(), b.AreaUnderPR())
	}
	if b := NewBinary([]float64{1, 2}, []float64{0, 0}, nil, 0); b.Recall(0) != 0 || b.FalsePositiveRate(1) != 1 {
		t.Error("no positives")
	}
}

func TestRegressionWithALargeMean(t *testing.T) {
	var r Regression
	r.Add([]float64{1e6 + 1, 1e6 + 2, 1e6 + 4}, []float64{1e6 + 1, 1e6 + 3, 1e6 + 4}, nil)
	if math.Abs(r.R2(false)-(1-1/(14.0/3))) > 1e-9 {
		t.Errorf("r2 = %v", r.R2(false))
	}
	if r.MAE() != 1.0/3 {
		t.Errorf("mae = %v", r.MAE())
	}
}

func TestMulticlassCountsStrangeLabelsToo(t *testing.T) {
	var m Multiclass
	m.Add([]float64{0, 1, 700, -1, 0.5}, []float64{0, 0, 700, 1, 0.5}, nil)
	if got := m.Accuracy(); got != 0.6 {
		t.Errorf("accuracy %v", got)
	}
	if l := m.Labels(); len(l) != 4 || l[3] != 700 || m.Has(-1) {
		t.Errorf("labels %v", l)
	}
	if c := m.Confusion(); c[0][0] != 1 || c[0][2] != 1 {
		t.Errorf("confusion %v", c)
	}
}
