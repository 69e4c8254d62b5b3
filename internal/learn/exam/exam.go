// Package exam draws mock exams with an exam map's proportions and scores them. It keeps nothing
// and knows no clock.
package exam

import (
	"cmp"
	"fmt"
	"math/rand/v2"
	"slices"

	"github.com/millpond/millpond/internal/learn/course"
)

// Item is a question of a mock with the order that its options are shown in.
type Item struct {
	Question string `json:"question"`
	Options  []int  `json:"options"`
}

// TooFewError says that the bank has not enough questions of a domain.
type TooFewError struct {
	Map, Domain string
	Have, Need  int
}

func (e *TooFewError) Error() string {
	return fmt.Sprintf("a mock of the map %s needs %d questions of the domain %s, the course has %d", e.Map, e.Need, e.Domain, e.Have)
}

// Draw draws a mock. seen counts how often the learner has met a question: those met least come
// first. Each domain gets its share of the questions, within one.
func Draw(c *course.Course, m *course.Map, seen map[string]int, rng *rand.Rand) ([]Item, error) {
	byDomain := map[string][]*course.Question{}
	for _, q := range c.Questions {
		d := c.DomainOf(q.Item, m.ID)
		byDomain[d] = append(byDomain[d], q)
	}
	var out []Item
	for i, n := range Quotas(m) {
		d := m.Domains[i]
		list := byDomain[d.ID]
		if len(list) < n {
			return nil, &TooFewError{m.ID, d.ID, len(list), n}
		}
		for _, q := range pick(list, n, seen, rng) {
			out = append(out, Item{q.ID, rng.Perm(len(q.Options))})
		}
	}
	rng.Shuffle(len(out), func(i, j int) { out[i], out[j] = out[j], out[i] })
	return out, nil
}

// Quotas gives how many questions each domain of a map gets: by largest remainder, so that none is
// off its weight by a whole question.
func Quotas(m *course.Map) []int {
	out, order := make([]int, len(m.Domains)), make([]int, len(m.Domains))
	left := m.Questions
	for i, d := range m.Domains {
		out[i], order[i] = m.Questions*d.Weight/100, i
		left -= out[i]
	}
	slices.SortStableFunc(order, func(a, b int) int {
		return cmp.Compare(m.Questions*m.Domains[b].Weight%100, m.Questions*m.Domains[a].Weight%100)
	})
	for _, i := range order[:left] {
		out[i]++
	}
	return out
}

// pick takes n questions: the least seen first, and among these as many objectives as can be.
func pick(list []*course.Question, n int, seen map[string]int, rng *rand.Rand) []*course.Question {
	list = slices.Clone(list)
	rng.Shuffle(len(list), func(i, j int) { list[i], list[j] = list[j], list[i] })
	turn, of := map[*course.Question]int{}, map[string]int{}
	slices.SortStableFunc(list, func(a, b *course.Question) int { return cmp.Compare(seen[a.ID], seen[b.ID]) })
	for _, q := range list {
		turn[q] = of[q.Objectives[0]]
		of[q.Objectives[0]]++
	}
	slices.SortStableFunc(list, func(a, b *course.Question) int {
		return cmp.Or(cmp.Compare(seen[a.ID], seen[b.ID]), cmp.Compare(turn[a], turn[b]))
	})
	return list[:n]
}

// Result is a scored mock.
type Result struct {
	Right   int            `json:"right"`
	Total   int            `json:"total"`
	Percent int            `json:"percent"` // rounded down: 69.9 is no 70
	Mark    int            `json:"mark"`    // the percent needed
	Passed  bool           `json:"passed"`
	Domains []DomainResult `json:"domains"`
}

// DomainResult is one domain's part of it.
type DomainResult struct {
	ID     string `json:"id"`
	Title  string `json:"title"`
	Right  int    `json:"right"`
	Total  int    `json:"total"`
	Passed bool   `json:"passed"`
}

// Score scores what was chosen for each item, by place. A question is right if exactly its right
// options were chosen; one left open is wrong and costs nothing else.
func Score(c *course.Course, m *course.Map, items []Item, chosen [][]int) Result {
	r := Result{Total: len(items), Mark: m.Mark()}
	at := map[string]int{}
	for i, d := range m.Domains {
		at[d.ID] = i
		r.Domains = append(r.Domains, DomainResult{ID: d.ID, Title: d.Title})
	}
	for i, it := range items {
		q := c.Question(it.Question)
		if q == nil { // gone from the course since the mock was drawn
			r.Total--
			continue
		}
		d := &r.Domains[at[c.DomainOf(q.Item, m.ID)]]
		d.Total++
		if Right(q, chosen[i]) {
			d.Right++
			r.Right++
		}
	}
	for i := range r.Domains {
		d := &r.Domains[i]
		d.Passed = d.Total > 0 && 100*d.Right >= r.Mark*d.Total
	}
	if r.Total > 0 {
		r.Percent = 100 * r.Right / r.Total
		r.Passed = 100*r.Right >= r.Mark*r.Total
	}
	return r
}

// Right says whether exactly the right options were chosen.
func Right(q *course.Question, chosen []int) bool {
	c := slices.Clone(chosen)
	slices.Sort(c)
	return slices.Equal(slices.Compact(c), q.Right())
}
