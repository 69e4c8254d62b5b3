package progress

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"github.com/millpond/millpond/internal/db"
	"github.com/millpond/millpond/internal/learn/practice"
)

// Record reads all that is kept of a learner, as of one moment.
func (s *Store) Record(ctx context.Context, learner string) (*Record, error) {
	r := &Record{Format: Format, Learner: learner, Answers: []Answer{}, Cards: []practice.Card{}, Mocks: []Mock{}, Labs: []Lab{}, Topics: map[string]time.Time{}}
	err := s.db.View(ctx, func(ctx context.Context, q db.Querier) error {
		for _, read := range []func(context.Context, db.Querier) error{r.answers, r.cards, r.mocks, r.labs, r.topics, r.plan} {
			if err := read(ctx, q); err != nil {
				return err
			}
		}
		return nil
	})
	return r, err
}

// each scans the rows of a query for the record's learner.
func (r *Record) each(ctx context.Context, q db.Querier, query string, scan func(*sql.Rows) error) error {
	rows, err := q.QueryContext(ctx, query, r.Learner)
	if err != nil {
		return err
	}
	defer rows.Close()
	for rows.Next() {
		if err := scan(rows); err != nil {
			return err
		}
	}
	return rows.Err()
}

func (r *Record) answers(ctx context.Context, q db.Querier) error {
	return r.each(ctx, q, `SELECT question, answered, chosen, correct, mock FROM learn_answers WHERE learner = ? ORDER BY answered, id`, func(rows *sql.Rows) error {
		var a Answer
		var at int64
		var chosen string
		var correct int
		if err := rows.Scan(&a.Question, &at, &chosen, &correct, &a.Mock); err != nil {
			return err
		}
		a.At, a.Correct = instant(at), correct != 0
		err := parsePlaces(chosen, &a.Chosen)
		r.Answers = append(r.Answers, a)
		return err
	})
}

func (r *Record) cards(ctx context.Context, q db.Querier) error {
	return r.each(ctx, q, `SELECT question, repetitions, interval_days, ease, due FROM learn_cards WHERE learner = ? ORDER BY question`, func(rows *sql.Rows) error {
		var c practice.Card
		var due int64
		err := rows.Scan(&c.Question, &c.Repetitions, &c.Interval, &c.Ease, &due)
		c.Due = instant(due)
		r.Cards = append(r.Cards, c)
		return err
	})
}

func (r *Record) mocks(ctx context.Context, q db.Querier) error {
	list, err := mocks(ctx, q, r.Learner, "")
	r.Mocks = append(r.Mocks, list...)
	return err
}

func (r *Record) labs(ctx context.Context, q db.Querier) error {
	return r.each(ctx, q, `SELECT lab, started, passed, attempts, hints, solution, findings FROM learn_labs WHERE learner = ? ORDER BY lab`, func(rows *sql.Rows) error {
		var l Lab
		var started, passed, solution int64
		var findings string
		if err := rows.Scan(&l.Lab, &started, &passed, &l.Attempts, &l.Hints, &solution, &findings); err != nil {
			return err
		}
		l.Started, l.Passed, l.Solution = instant(started), instant(passed), instant(solution)
		r.Labs = append(r.Labs, l)
		if err := json.Unmarshal([]byte(findings), &r.Labs[len(r.Labs)-1].Findings); err != nil {
			return fmt.Errorf("read the findings of %s: %w", l.Lab, err)
		}
		return nil
	})
}

func (r *Record) topics(ctx context.Context, q db.Querier) error {
	return r.each(ctx, q, `SELECT topic, finished FROM learn_topics WHERE learner = ?`, func(rows *sql.Rows) error {
		var id string
		var at int64
		err := rows.Scan(&id, &at)
		r.Topics[id] = instant(at)
		return err
	})
}

func (r *Record) plan(ctx context.Context, q db.Querier) error {
	var e Enrolment
	err := q.QueryRowContext(ctx, `SELECT plan, map, start FROM learn_plans WHERE learner = ?`, r.Learner).Scan(&e.Plan, &e.Map, &e.Start)
	if errors.Is(err, sql.ErrNoRows) {
		return nil
	}
	r.Plan = &e
	return err
}
