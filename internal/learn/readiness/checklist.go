package readiness

import (
	"fmt"
	"slices"

	"github.com/millpond/millpond/internal/learn/course"
	"github.com/millpond/millpond/internal/learn/exam"
	"github.com/millpond/millpond/internal/learn/progress"
)

// Line is a line of the checklist with what the evidence says.
type Line struct {
	ID      string   `json:"id"`
	Text    string   `json:"text"`
	Done    bool     `json:"done"`
	Missing []string `json:"missing"` // what is still to be shown, in words
}

// Checklist holds the record against the course's checklist.
func Checklist(c *course.Course, r *progress.Record, scores map[string]Score) []Line {
	out := make([]Line, 0, len(c.Checklist))
	labs := r.LabOf()
	for _, k := range c.Checklist {
		l := Line{ID: k.ID, Text: k.Text, Missing: []string{}}
		for _, id := range k.Knows {
			if scores[id].State != Known {
				l.Missing = append(l.Missing, "questions on: "+c.Objective(id).Text)
			}
		}
		for _, lab := range c.Labs {
			if slices.ContainsFunc(lab.Objectives, func(o string) bool { return slices.Contains(k.Does, o) }) && labs[lab.ID].Passed.IsZero() {
				l.Missing = append(l.Missing, "lab: "+lab.Title)
			}
		}
		l.Missing = append(l.Missing, mocksMissing(c, r, k)...)
		if k.Reviewed {
			l.Missing = append(l.Missing, unreviewed(c, r)...)
		}
		l.Done = len(l.Missing) == 0
		out = append(out, l)
	}
	return out
}

// mocksMissing says what the last mocks lack.
func mocksMissing(c *course.Course, r *progress.Record, k *course.Criterion) []string {
	var done []progress.Mock
	for _, m := range r.Mocks {
		if !m.Finished.IsZero() && c.Map(m.Map) != nil {
			done = append(done, m)
		}
	}
	var out []string
	if k.Mocks != nil {
		good := 0
		for i := len(done) - 1; i >= 0 && MockResult(c, done[i]).Percent >= k.Mocks.Score; i-- {
			good++
		}
		if good < k.Mocks.Count {
			out = append(out, fmt.Sprintf("%d mock exams in a row with %d %% or more; the last ones make %d", k.Mocks.Count, k.Mocks.Score, good))
		}
	}
	if k.Spare > 0 {
		if len(done) == 0 {
			return append(out, "a mock exam that was finished")
		}
		last := done[len(done)-1]
		if left := int(last.Deadline.Sub(last.Finished).Minutes()); left < k.Spare {
			out = append(out, fmt.Sprintf("%d minutes left at the end of a mock exam; the last one had %d", k.Spare, left))
		}
	}
	return out
}

// MockResult scores a mock.
func MockResult(c *course.Course, m progress.Mock) exam.Result {
	items, chosen := make([]exam.Item, len(m.Questions)), make([][]int, len(m.Questions))
	for i, q := range m.Questions {
		items[i], chosen[i] = exam.Item{Question: q.Question, Options: q.Options}, q.Chosen
	}
	return exam.Score(c, c.Map(m.Map), items, chosen)
}

func unreviewed(c *course.Course, r *progress.Record) []string {
	n, answered := 0, 0
	for id, a := range r.Latest() {
		if c.Question(id) == nil {
			continue
		}
		answered++
		if !a.Correct {
			n++
		}
	}
	switch {
	case answered == 0:
		return []string{"questions that were answered"}
	case n > 0:
		return []string{fmt.Sprintf("%d questions whose last answer was wrong", n)}
	}
	return nil
}
