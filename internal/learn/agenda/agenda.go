// Package agenda turns a study plan, its first day and what a learner has done into what is to be
// done today: the day's topics, labs and questions, what is overdue, and weak objectives, which
// come forward. It keeps nothing.
package agenda

import (
	"cmp"
	"slices"
	"time"

	"github.com/millpond/millpond/internal/learn/course"
	"github.com/millpond/millpond/internal/learn/progress"
	"github.com/millpond/millpond/internal/learn/readiness"
)

// Kinds of items.
const (
	Topic     = "topic"
	Lab       = "lab"
	Questions = "questions"
	Mock      = "mock"
)

// Item is one thing to do.
type Item struct {
	Kind    string `json:"kind"`
	ID      string `json:"id,omitempty"` // of the topic, lab or exam map
	Title   string `json:"title,omitempty"`
	Minutes int    `json:"minutes"`
	Count   int    `json:"count,omitempty"` // of questions
	Done    bool   `json:"done"`
}

// Day is a day of the plan.
type Day struct {
	Number int    `json:"number"` // from 1
	Date   string `json:"date"`
	Title  string `json:"title"`
	Items  []Item `json:"items"`
	Done   int    `json:"done"` // how many items are done
}

// WeakObjective is one that comes forward.
type WeakObjective struct {
	Objective string          `json:"objective"`
	Text      string          `json:"text"`
	Score     readiness.Score `json:"score"`
	Topics    []string        `json:"topics"` // to read again
}

// Agenda is what a learner has before them.
type Agenda struct {
	Plan    string          `json:"plan"`
	Title   string          `json:"title"`
	Map     string          `json:"map"`
	Start   string          `json:"start"`
	Number  int             `json:"number"` // of today, from 1; more than there are days once the plan is over
	Today   []Item          `json:"today"`
	Overdue []Item          `json:"overdue"`
	Weak    []WeakObjective `json:"weak"`
	Days    []Day           `json:"days"`
}

// minutesAQuestion is what the exam gives, about.
const minutesAQuestion = 2

// Make makes the agenda of a day. scores are the learner's, by objective.
func Make(c *course.Course, r *progress.Record, scores map[string]readiness.Score, today time.Time) (*Agenda, error) {
	e := r.Plan
	p := c.Plan(e.Plan)
	start, err := time.ParseInLocation(time.DateOnly, e.Start, today.Location())
	if err != nil {
		return nil, err
	}
	a := &Agenda{Plan: p.ID, Title: p.Title, Map: e.Map, Start: e.Start, Today: []Item{}, Overdue: []Item{}, Weak: weak(c, scores)}
	// Days by the calendar: a day may have 23 hours.
	y, m, d := today.Date()
	a.Number = 1 + int(time.Date(y, m, d, 12, 0, 0, 0, time.UTC).Sub(noon(start)).Hours()/24)
	w := &work{c: c, r: r, labs: r.LabOf(), start: start}
	for i, day := range p.Days {
		x := Day{Number: i + 1, Date: start.AddDate(0, 0, i).Format(time.DateOnly), Title: day.Title, Items: w.items(day)}
		for _, it := range x.Items {
			if it.Done {
				x.Done++
			}
		}
		a.Days = append(a.Days, x)
		switch {
		case x.Number == a.Number:
			a.Today = x.Items
		case x.Number < a.Number:
			a.Overdue = append(a.Overdue, slices.DeleteFunc(slices.Clone(x.Items), func(it Item) bool { return it.Done })...)
		}
	}
	a.Overdue = mergeQuestions(a.Overdue)
	return a, nil
}

func noon(t time.Time) time.Time {
	y, m, d := t.Date()
	return time.Date(y, m, d, 12, 0, 0, 0, time.UTC)
}

// work reckons what of a plan is done. Questions and mocks count from the plan's start on, against
// what the days up to one ask for together.
type work struct {
	c                *course.Course
	r                *progress.Record
	labs             map[string]progress.Lab
	start            time.Time
	questions, mocks int // asked for so far
}

func (w *work) items(day course.Day) []Item {
	out := []Item{}
	for _, t := range w.c.Topics {
		if meets(t.Objectives, day.Objectives) {
			_, read := w.r.Topics[t.ID]
			out = append(out, Item{Kind: Topic, ID: t.ID, Title: t.Title, Minutes: t.Minutes, Done: read})
		}
	}
	for _, l := range w.c.Labs {
		if meets(l.Objectives, day.Objectives) {
			out = append(out, Item{Kind: Lab, ID: l.ID, Title: l.Title, Minutes: l.Mins, Done: !w.labs[l.ID].Passed.IsZero()})
		}
	}
	if day.Questions > 0 {
		w.questions += day.Questions
		missing := w.questions - w.answered()
		it := Item{Kind: Questions, Count: day.Questions, Minutes: minutesAQuestion * day.Questions, Done: missing <= 0}
		if !it.Done && missing < it.Count {
			it.Count, it.Minutes = missing, minutesAQuestion*missing
		}
		out = append(out, it)
	}
	if m := w.c.Map(day.Mock); m != nil {
		w.mocks++
		out = append(out, Item{Kind: Mock, ID: m.ID, Title: m.Title, Minutes: m.Minutes, Done: w.finished() >= w.mocks})
	}
	return out
}

// meets says whether an item's first objective is among a day's: each item has one day.
func meets(item, day []string) bool { return slices.Contains(day, item[0]) }

func (w *work) answered() int {
	n := 0
	for _, a := range w.r.Answers {
		if a.Mock == "" && !a.At.Before(w.start) {
			n++
		}
	}
	return n
}

func (w *work) finished() int {
	n := 0
	for _, m := range w.r.Mocks {
		if !m.Finished.IsZero() && !m.Started.Before(w.start) {
			n++
		}
	}
	return n
}

// mergeQuestions makes one item of the questions of several days.
func mergeQuestions(list []Item) []Item {
	out := []Item{}
	at := -1
	for _, it := range list {
		switch {
		case it.Kind != Questions:
			out = append(out, it)
		case at < 0:
			at = len(out)
			out = append(out, it)
		default:
			out[at].Count += it.Count
			out[at].Minutes += it.Minutes
		}
	}
	return out
}

// mostWeak bounds how many weak objectives come forward at once.
const mostWeak = 3

func weak(c *course.Course, scores map[string]readiness.Score) []WeakObjective {
	out := []WeakObjective{}
	for _, o := range c.Objectives {
		if scores[o.ID].State != readiness.Weak {
			continue
		}
		x := WeakObjective{Objective: o.ID, Text: o.Text, Score: scores[o.ID], Topics: []string{}}
		for _, t := range c.Topics {
			if slices.Contains(t.Objectives, o.ID) {
				x.Topics = append(x.Topics, t.ID)
			}
		}
		out = append(out, x)
	}
	slices.SortStableFunc(out, func(a, b WeakObjective) int { return cmp.Compare(a.Score.Mean, b.Score.Mean) })
	return out[:min(len(out), mostWeak)]
}
