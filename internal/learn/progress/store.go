package progress

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"github.com/millpond/millpond/internal/db"
	"github.com/millpond/millpond/internal/learn/judge"
	"github.com/millpond/millpond/internal/learn/practice"
)

// Store keeps records in the workspace's database.
type Store struct{ db *db.DB }

// NewStore makes a store.
func NewStore(records *db.DB) *Store { return &Store{records} }

func millis(t time.Time) int64 {
	if t.IsZero() {
		return 0
	}
	return t.UnixMilli()
}

func instant(ms int64) time.Time {
	if ms == 0 {
		return time.Time{}
	}
	return time.UnixMilli(ms).UTC()
}

// places reads and writes lists of places as JSON.
func places(list []int) string {
	if list == nil {
		list = []int{}
	}
	text, err := json.Marshal(list)
	if err != nil {
		panic("progress: " + err.Error()) // integers always marshal
	}
	return string(text)
}

func parsePlaces(text string, list *[]int) error {
	if err := json.Unmarshal([]byte(text), list); err != nil {
		return fmt.Errorf("read a list of places: %w", err)
	}
	return nil
}

// Answered keeps an answer and the card that it leads to.
func (s *Store) Answered(ctx context.Context, learner string, a Answer, card practice.Card) error {
	return s.db.Write(ctx, func(ctx context.Context, q db.Querier) error {
		if err := putAnswer(ctx, q, learner, a); err != nil {
			return err
		}
		return putCard(ctx, q, learner, card)
	})
}

func putAnswer(ctx context.Context, q db.Querier, learner string, a Answer) error {
	_, err := q.ExecContext(ctx, `INSERT INTO learn_answers (learner, question, answered, chosen, correct, mock) VALUES (?, ?, ?, ?, ?, ?)`,
		learner, a.Question, millis(a.At), places(a.Chosen), flag(a.Correct), a.Mock)
	return err
}

func flag(b bool) int {
	if b {
		return 1
	}
	return 0
}

func putCard(ctx context.Context, q db.Querier, learner string, c practice.Card) error {
	_, err := q.ExecContext(ctx, `INSERT INTO learn_cards (learner, question, repetitions, interval_days, ease, due) VALUES (?, ?, ?, ?, ?, ?)
		ON CONFLICT (learner, question) DO UPDATE SET repetitions = excluded.repetitions, interval_days = excluded.interval_days,
		ease = excluded.ease, due = excluded.due`, learner, c.Question, c.Repetitions, c.Interval, c.Ease, millis(c.Due))
	return err
}

// Card gives a question's card, a new one if there is none.
func (s *Store) Card(ctx context.Context, learner, question string) (practice.Card, error) {
	c := practice.Card{Question: question}
	var due int64
	err := s.db.Reader().QueryRowContext(ctx, `SELECT repetitions, interval_days, ease, due FROM learn_cards WHERE learner = ? AND question = ?`,
		learner, question).Scan(&c.Repetitions, &c.Interval, &c.Ease, &due)
	if errors.Is(err, sql.ErrNoRows) {
		return c, nil
	}
	c.Due = instant(due)
	return c, err
}

// Read notes that a topic was read to its end.
func (s *Store) Read(ctx context.Context, learner, topic string, at time.Time) error {
	return s.db.Write(ctx, func(ctx context.Context, q db.Querier) error { return putTopic(ctx, q, learner, topic, at) })
}

func putTopic(ctx context.Context, q db.Querier, learner, topic string, at time.Time) error {
	_, err := q.ExecContext(ctx, `INSERT INTO learn_topics (learner, topic, finished) VALUES (?, ?, ?)
		ON CONFLICT (learner, topic) DO UPDATE SET finished = excluded.finished`, learner, topic, millis(at))
	return err
}

// Enrol sets the plan that a learner follows.
func (s *Store) Enrol(ctx context.Context, learner string, e Enrolment) error {
	return s.db.Write(ctx, func(ctx context.Context, q db.Querier) error { return putPlan(ctx, q, learner, e) })
}

func putPlan(ctx context.Context, q db.Querier, learner string, e Enrolment) error {
	_, err := q.ExecContext(ctx, `INSERT INTO learn_plans (learner, plan, map, start) VALUES (?, ?, ?, ?)
		ON CONFLICT (learner) DO UPDATE SET plan = excluded.plan, map = excluded.map, start = excluded.start`, learner, e.Plan, e.Map, e.Start)
	return err
}

// LabStarted notes that a lab was begun.
func (s *Store) LabStarted(ctx context.Context, learner, lab string, at time.Time) error {
	return s.lab(ctx, learner, lab, at, ``)
}

// LabTried counts an attempt and keeps what was found; the first that passed is remembered.
func (s *Store) LabTried(ctx context.Context, learner, lab string, found []judge.Finding, at time.Time) error {
	text, err := findings(found)
	if err != nil {
		return err
	}
	if judge.Passed(found) {
		return s.lab(ctx, learner, lab, at, `attempts = attempts + 1, findings = ?, passed = CASE WHEN passed = 0 THEN ? ELSE passed END`, text, millis(at))
	}
	return s.lab(ctx, learner, lab, at, `attempts = attempts + 1, findings = ?`, text)
}

func findings(list []judge.Finding) (string, error) {
	text, err := json.Marshal(list)
	if err != nil {
		return "", fmt.Errorf("write the findings: %w", err)
	}
	return string(text), nil
}

// LabHinted notes how many hints were looked at, at most.
func (s *Store) LabHinted(ctx context.Context, learner, lab string, hints int, at time.Time) error {
	return s.lab(ctx, learner, lab, at, `hints = CASE WHEN hints < ? THEN ? ELSE hints END`, hints, hints)
}

// LabSolved notes when the solution was first looked at.
func (s *Store) LabSolved(ctx context.Context, learner, lab string, at time.Time) error {
	return s.lab(ctx, learner, lab, at, `solution = CASE WHEN solution = 0 THEN ? ELSE solution END`, millis(at))
}

// LabReset forgets that a lab was passed, and its hints.
func (s *Store) LabReset(ctx context.Context, learner, lab string, at time.Time) error {
	return s.lab(ctx, learner, lab, at, `passed = 0, hints = 0, solution = 0, findings = 'null'`)
}

// lab makes a lab's row if need be and changes it.
func (s *Store) lab(ctx context.Context, learner, lab string, at time.Time, set string, args ...any) error {
	return s.db.Write(ctx, func(ctx context.Context, q db.Querier) error {
		_, err := q.ExecContext(ctx, `INSERT INTO learn_labs (learner, lab, started) VALUES (?, ?, ?) ON CONFLICT (learner, lab) DO NOTHING`, learner, lab, millis(at))
		if err != nil || set == "" {
			return err
		}
		_, err = q.ExecContext(ctx, `UPDATE learn_labs SET `+set+` WHERE learner = ? AND lab = ?`, append(args, learner, lab)...)
		return err
	})
}

func putLab(ctx context.Context, q db.Querier, learner string, l Lab) error {
	text, err := findings(l.Findings)
	if err != nil {
		return err
	}
	_, err = q.ExecContext(ctx, `INSERT INTO learn_labs (learner, lab, started, passed, attempts, hints, solution, findings) VALUES (?, ?, ?, ?, ?, ?, ?, ?)`,
		learner, l.Lab, millis(l.Started), millis(l.Passed), l.Attempts, l.Hints, millis(l.Solution), text)
	return err
}

// tables of a learner's rows; questions of mocks go with their mocks.
var tables = []string{"learn_answers", "learn_cards", "learn_mocks", "learn_labs", "learn_topics", "learn_plans"}

// Replace puts a record in the place of all that is kept of its learner.
func (s *Store) Replace(ctx context.Context, r *Record) error {
	return s.db.Write(ctx, func(ctx context.Context, q db.Querier) error {
		for _, t := range tables {
			if _, err := q.ExecContext(ctx, `DELETE FROM `+t+` WHERE learner = ?`, r.Learner); err != nil {
				return err
			}
		}
		return putRecord(ctx, q, r)
	})
}

func putRecord(ctx context.Context, q db.Querier, r *Record) error {
	var errs []error
	for _, a := range r.Answers {
		errs = append(errs, putAnswer(ctx, q, r.Learner, a))
	}
	for _, c := range r.Cards {
		errs = append(errs, putCard(ctx, q, r.Learner, c))
	}
	for _, m := range r.Mocks {
		errs = append(errs, putMock(ctx, q, r.Learner, m))
	}
	for _, l := range r.Labs {
		errs = append(errs, putLab(ctx, q, r.Learner, l))
	}
	for id, at := range r.Topics {
		errs = append(errs, putTopic(ctx, q, r.Learner, id, at))
	}
	if r.Plan != nil {
		errs = append(errs, putPlan(ctx, q, r.Learner, *r.Plan))
	}
	return errors.Join(errs...)
}
