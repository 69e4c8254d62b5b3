// Package progress keeps what learners did: answers, cards of spaced repetition, mock exams, labs,
// topics read, the plan they follow. What comes in is acknowledged once it is on disk; readiness
// and the checklist are reckoned from it, never stored. It knows no course files and no wire.
package progress

import (
	"time"

	"github.com/millpond/millpond/internal/learn/judge"
	"github.com/millpond/millpond/internal/learn/practice"
)

// Answer is one answer to one question.
type Answer struct {
	Question string    `json:"question"`
	At       time.Time `json:"at"`
	Chosen   []int     `json:"chosen"`
	Correct  bool      `json:"correct"`
	Mock     string    `json:"mock,omitempty"` // the mock exam it was given in
}

// Mock is a mock exam.
type Mock struct {
	ID        string         `json:"id"`
	Map       string         `json:"map"`
	Started   time.Time      `json:"started"`
	Deadline  time.Time      `json:"deadline"`
	Finished  time.Time      `json:"finished,omitzero"` // zero while it runs
	Questions []MockQuestion `json:"questions"`
}

// MockQuestion is a question of a mock, with what was chosen so far.
type MockQuestion struct {
	Question string `json:"question"`
	Options  []int  `json:"options"` // the order they are shown in
	Chosen   []int  `json:"chosen"`
	Flagged  bool   `json:"flagged"`
}

// Lab is how far a learner is with a lab.
type Lab struct {
	Lab      string          `json:"lab"`
	Started  time.Time       `json:"started"`
	Passed   time.Time       `json:"passed,omitzero"`
	Attempts int             `json:"attempts"`
	Hints    int             `json:"hints"`              // how many were looked at
	Solution time.Time       `json:"solution,omitzero"`  // when the solution was first looked at
	Findings []judge.Finding `json:"findings,omitempty"` // of the last attempt
}

// Enrolment is the plan that a learner follows.
type Enrolment struct {
	Plan  string `json:"plan"`
	Map   string `json:"map"`   // the exam map they study for
	Start string `json:"start"` // a date
}

// Record is all that is kept of a learner: what export gives and import takes.
type Record struct {
	Format  int                  `json:"millpond_learn"` // version of this form
	Learner string               `json:"learner"`
	Answers []Answer             `json:"answers"` // oldest first
	Cards   []practice.Card      `json:"cards"`
	Mocks   []Mock               `json:"mocks"` // oldest first
	Labs    []Lab                `json:"labs"`
	Topics  map[string]time.Time `json:"topics"` // when each was finished
	Plan    *Enrolment           `json:"plan,omitempty"`
}

// Format is the version of Record's form.
const Format = 1

// CardOf gives the cards by question.
func (r *Record) CardOf() map[string]practice.Card {
	out := make(map[string]practice.Card, len(r.Cards))
	for _, c := range r.Cards {
		out[c.Question] = c
	}
	return out
}

// LabOf gives the labs by id.
func (r *Record) LabOf() map[string]Lab {
	out := make(map[string]Lab, len(r.Labs))
	for _, l := range r.Labs {
		out[l.Lab] = l
	}
	return out
}

// Seen counts how often each question was met.
func (r *Record) Seen() map[string]int {
	out := map[string]int{}
	for _, a := range r.Answers {
		out[a.Question]++
	}
	for _, m := range r.Mocks {
		for _, q := range m.Questions {
			if len(q.Chosen) == 0 || m.Finished.IsZero() { // the others are among the answers
				out[q.Question]++
			}
		}
	}
	return out
}

// Latest gives the last answer to each question.
func (r *Record) Latest() map[string]Answer {
	out := map[string]Answer{}
	for _, a := range r.Answers {
		out[a.Question] = a
	}
	return out
}
