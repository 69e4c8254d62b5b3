// Package practice spaces the repetition of questions by SM-2, the algorithm that Piotr Woźniak
// published in "Optimization of repetition spacing in the practice of learning" (1990). Answers
// come in, days to wait go out; who learns what is kept elsewhere.
package practice

import (
	"cmp"
	"math"
	"math/rand/v2"
	"slices"
	"time"
)

// Card is what SM-2 remembers of one question.
type Card struct {
	Question    string    `json:"question"`
	Repetitions int       `json:"repetitions"` // right answers in a row
	Interval    int       `json:"interval_days"`
	Ease        float64   `json:"ease"` // E-factor
	Due         time.Time `json:"due"`
}

// SM-2's constants.
const (
	firstEase, leastEase = 2.5, 1.3
	firstDays, nextDays  = 1, 6
	leastGood            = 3 // qualities from here on count as recalled
)

// The qualities of an answer that the course tells apart, of SM-2's 0 to 5.
const (
	Wrong   = 1
	Guessed = 3 // right, but the learner was not sure
	Known   = 5
)

// Grade gives the card after an answer of a quality. A new card is Card{Question: id}.
func (c Card) Grade(quality int, now time.Time) Card {
	if c.Ease == 0 {
		c.Ease = firstEase
	}
	if quality >= leastGood {
		c.Repetitions++
		switch c.Repetitions {
		case 1:
			c.Interval = firstDays
		case 2:
			c.Interval = nextDays
		default:
			c.Interval = int(math.Ceil(float64(c.Interval) * c.Ease))
		}
	} else { // begin again, with the ease as it is
		c.Repetitions, c.Interval = 0, firstDays
	}
	miss := float64(5 - quality)
	c.Ease = max(leastEase, c.Ease+0.1-miss*(0.08+miss*0.02))
	c.Due = now.AddDate(0, 0, c.Interval)
	return c
}

// Candidate is a question that may be asked.
type Candidate struct {
	ID       string
	Tier     int
	Weakness float64 // of its objective, 0 known to 1
}

// Next chooses up to n questions: those that are due, the longest overdue first, then new ones,
// the weakest objectives and the first tiers first. What was answered and is not due waits.
func Next(list []Candidate, cards map[string]Card, n int, now time.Time, rng *rand.Rand) []string {
	var due, fresh []Candidate
	for _, c := range list {
		if card, met := cards[c.ID]; !met {
			fresh = append(fresh, c)
		} else if !card.Due.After(now) {
			due = append(due, c)
		}
	}
	slices.SortStableFunc(due, func(a, b Candidate) int { return cards[a.ID].Due.Compare(cards[b.ID].Due) })
	rng.Shuffle(len(fresh), func(i, j int) { fresh[i], fresh[j] = fresh[j], fresh[i] })
	slices.SortStableFunc(fresh, func(a, b Candidate) int {
		return cmp.Or(cmp.Compare(b.Weakness, a.Weakness), cmp.Compare(a.Tier, b.Tier))
	})
	all := append(due, fresh...)
	out := make([]string, 0, min(n, len(all)))
	for _, c := range all[:min(n, len(all))] {
		out = append(out, c.ID)
	}
	return out
}
