package exam_test

import (
	"errors"
	"math"
	"math/rand/v2"
	"testing"

	"github.com/millpond/millpond/internal/learn/course"
	"github.com/millpond/millpond/internal/learn/coursetest"
	"github.com/millpond/millpond/internal/learn/exam"
)

func TestMocksKeepTheWeightsAndNeverRepeat(t *testing.T) {
	c := coursetest.Course(t, 8)
	for _, m := range c.Maps {
		rng := rand.New(rand.NewPCG(7, 7))
		for range 1000 {
			items, err := exam.Draw(c, m, nil, rng)
			if err != nil {
				t.Fatal(err)
			}
			checkMock(t, c, m, items)
		}
	}
}

func checkMock(t *testing.T, c *course.Course, m *course.Map, items []exam.Item) {
	t.Helper()
	if len(items) != m.Questions {
		t.Fatalf("%s: %d questions, want %d", m.ID, len(items), m.Questions)
	}
	seen, count := map[string]bool{}, map[string]int{}
	for _, it := range items {
		if seen[it.Question] {
			t.Fatalf("%s: %s is asked twice", m.ID, it.Question)
		}
		seen[it.Question] = true
		q := c.Question(it.Question)
		count[c.DomainOf(q.Item, m.ID)]++
		if len(it.Options) != len(q.Options) {
			t.Fatalf("%s shows %d options of %d", it.Question, len(it.Options), len(q.Options))
		}
	}
	for _, d := range m.Domains {
		if want := float64(m.Questions*d.Weight) / 100; math.Abs(float64(count[d.ID])-want) >= 1 {
			t.Fatalf("%s: %d questions of %s, want about %.2f", m.ID, count[d.ID], d.ID, want)
		}
	}
}

func TestASecondMockPrefersUnseen(t *testing.T) {
	c, rng := coursetest.Course(t, 8), rand.New(rand.NewPCG(1, 1))
	m := c.Map("guide")
	first, err := exam.Draw(c, m, nil, rng)
	if err != nil {
		t.Fatal(err)
	}
	seen := map[string]int{}
	for _, it := range first {
		seen[it.Question]++
	}
	second, err := exam.Draw(c, m, seen, rng)
	if err != nil {
		t.Fatal(err)
	}
	for _, it := range second {
		if seen[it.Question] > 0 {
			t.Errorf("%s is asked again although others were never asked", it.Question)
		}
	}
}

func TestABankThatIsTooSmallSaysSo(t *testing.T) {
	files := coursetest.Files(t, 1)
	delete(files, "questions/deployment/spark-udf-0.yaml")
	c, err := course.Load(files)
	if err != nil {
		t.Fatal(err)
	}
	_, err = exam.Draw(c, c.Map("vendor"), nil, rand.New(rand.NewPCG(1, 1)))
	var few *exam.TooFewError
	if !errors.As(err, &few) || few.Domain != "serving" || few.Have >= few.Need {
		t.Errorf("got %v", err)
	}
}

func TestScore(t *testing.T) {
	c := coursetest.Course(t, 8)
	m := c.Map("guide")
	items, err := exam.Draw(c, m, nil, rand.New(rand.NewPCG(3, 3)))
	if err != nil {
		t.Fatal(err)
	}
	chosen := make([][]int, len(items))
	for i, it := range items {
		q := c.Question(it.Question)
		switch {
		case q.Domain == "mlops": // left open
		case i%2 == 0 || q.Domain == "features":
			chosen[i] = q.Right()
		default:
			chosen[i] = []int{q.Right()[0], (q.Right()[0] + 1) % 4} // one too many
		}
	}
	r := exam.Score(c, m, items, chosen)
	right := 0
	for _, d := range r.Domains {
		right += d.Right
		if d.Passed != (d.ID == "features" || 100*d.Right >= 70*d.Total) {
			t.Errorf("domain %+v", d)
		}
		if d.ID == "mlops" && d.Right != 0 || d.ID == "features" && d.Right != d.Total {
			t.Errorf("domain %+v", d)
		}
	}
	if r.Right != right || r.Total != 45 || r.Percent != 100*right/45 || r.Mark != 70 {
		t.Errorf("%+v", r)
	}
}
