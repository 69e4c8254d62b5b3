package practice

import (
	"math"
	"math/rand/v2"
	"slices"
	"testing"
	"time"
)

var day0 = time.Date(2026, 11, 26, 9, 0, 0, 0, time.UTC)

// The intervals of the published algorithm: 1, 6, then times the ease.
func TestIntervalsGrowAsSM2Says(t *testing.T) {
	c, now := Card{Question: "q"}, day0
	var days []int
	for range 5 {
		c = c.Grade(4, now) // a quality of 4 leaves the ease as it is
		days, now = append(days, c.Interval), c.Due
	}
	if want := []int{1, 6, 15, 38, 95}; !slices.Equal(days, want) || math.Abs(c.Ease-2.5) > 1e-9 {
		t.Errorf("intervals %v with ease %v, want %v with 2.5", days, c.Ease, want)
	}
	if !c.Due.Equal(day0.AddDate(0, 0, 1+6+15+38+95)) {
		t.Errorf("due %v", c.Due)
	}
}

func TestAWrongAnswerBeginsAgain(t *testing.T) {
	c := Card{}
	for range 3 {
		c = c.Grade(Known, day0)
	}
	before := c.Ease
	c = c.Grade(Wrong, day0)
	if c.Repetitions != 0 || c.Interval != 1 || c.Ease >= before {
		t.Errorf("after a wrong answer: %+v", c)
	}
	for range 20 {
		c = c.Grade(Wrong, day0)
	}
	if c.Ease != leastEase {
		t.Errorf("the ease falls to %v, below %v", c.Ease, leastEase)
	}
}

func TestNextAsksWhatIsDueThenWhatIsWeak(t *testing.T) {
	cards := map[string]Card{
		"long-due": {Due: day0.AddDate(0, 0, -3)}, "due": {Due: day0}, "later": {Due: day0.AddDate(0, 0, 2)},
	}
	list := []Candidate{{"later", 1, 1}, {"due", 2, 0}, {"new", 1, 0.1}, {"new-weak", 3, 0.9}, {"new-tier-2", 2, 0.1}, {"long-due", 3, 0}}
	got := Next(list, cards, 10, day0, rand.New(rand.NewPCG(1, 2)))
	if want := []string{"long-due", "due", "new-weak", "new", "new-tier-2"}; !slices.Equal(got, want) {
		t.Errorf("got %v, want %v", got, want)
	}
	if got := Next(list, cards, 2, day0, rand.New(rand.NewPCG(1, 2))); len(got) != 2 {
		t.Errorf("asked for 2, got %v", got)
	}
}
