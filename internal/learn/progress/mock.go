package progress

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"time"

	"github.com/millpond/millpond/internal/db"
	"github.com/millpond/millpond/internal/learn/practice"
)

// What a mock refuses.
var (
	ErrNoMock   = errors.New("there is no such mock exam")
	ErrFinished = errors.New("the mock exam is finished")
	ErrNoPlace  = errors.New("the mock exam has no question there")
)

// StartMock keeps a new mock.
func (s *Store) StartMock(ctx context.Context, learner string, m Mock) error {
	return s.db.Write(ctx, func(ctx context.Context, q db.Querier) error { return putMock(ctx, q, learner, m) })
}

func putMock(ctx context.Context, q db.Querier, learner string, m Mock) error {
	_, err := q.ExecContext(ctx, `INSERT INTO learn_mocks (id, learner, map, started, deadline, finished) VALUES (?, ?, ?, ?, ?, ?)`,
		m.ID, learner, m.Map, millis(m.Started), millis(m.Deadline), millis(m.Finished))
	for i := 0; err == nil && i < len(m.Questions); i++ {
		x := m.Questions[i]
		_, err = q.ExecContext(ctx, `INSERT INTO learn_mock_questions (mock, place, question, options, chosen, flagged) VALUES (?, ?, ?, ?, ?, ?)`,
			m.ID, i, x.Question, places(x.Options), places(x.Chosen), flag(x.Flagged))
	}
	return err
}

// Mark is a change to one question of a mock: what is nil stays as it is.
type Mark struct {
	Chosen  *[]int
	Flagged *bool
}

// MarkMock changes one question of a running mock. Changes from several places at once to several
// questions all stay, because each touches its own question only.
func (s *Store) MarkMock(ctx context.Context, learner, id string, place int, mark Mark, now time.Time) error {
	return s.db.Write(ctx, func(ctx context.Context, q db.Querier) error {
		var deadline, finished int64
		err := q.QueryRowContext(ctx, `SELECT deadline, finished FROM learn_mocks WHERE id = ? AND learner = ?`, id, learner).Scan(&deadline, &finished)
		switch {
		case errors.Is(err, sql.ErrNoRows):
			return ErrNoMock
		case err != nil:
			return err
		case finished != 0 || millis(now) > deadline:
			return ErrFinished
		}
		if mark.Chosen != nil {
			if err := setMark(ctx, q, `chosen`, places(*mark.Chosen), id, place); err != nil {
				return err
			}
		}
		if mark.Flagged != nil {
			return setMark(ctx, q, `flagged`, flag(*mark.Flagged), id, place)
		}
		return nil
	})
}

func setMark(ctx context.Context, q db.Querier, column string, value any, id string, place int) error {
	res, err := q.ExecContext(ctx, `UPDATE learn_mock_questions SET `+column+` = ? WHERE mock = ? AND place = ?`, value, id, place)
	if err != nil {
		return err
	}
	if n, err := res.RowsAffected(); err != nil || n == 0 {
		return errors.Join(ErrNoPlace, err)
	}
	return nil
}

// FinishMock ends a mock and turns what was chosen into answers, with the cards that they lead to.
// grade is asked for each question that was answered. A mock that is finished stays as it is.
func (s *Store) FinishMock(ctx context.Context, learner, id string, now time.Time, grade func(MockQuestion) (correct bool, card practice.Card)) error {
	return s.db.Write(ctx, func(ctx context.Context, q db.Querier) error {
		m, err := mock(ctx, q, learner, id)
		if err != nil || !m.Finished.IsZero() {
			return err
		}
		if now.After(m.Deadline) {
			now = m.Deadline
		}
		for _, x := range m.Questions {
			if len(x.Chosen) == 0 {
				continue
			}
			correct, card := grade(x)
			if err := putAnswer(ctx, q, learner, Answer{x.Question, now, x.Chosen, correct, id}); err != nil {
				return err
			}
			if err := putCard(ctx, q, learner, card); err != nil {
				return err
			}
		}
		_, err = q.ExecContext(ctx, `UPDATE learn_mocks SET finished = ? WHERE id = ?`, millis(now), id)
		return err
	})
}

// Mock gives one mock.
func (s *Store) Mock(ctx context.Context, learner, id string) (*Mock, error) {
	var m *Mock
	err := s.db.View(ctx, func(ctx context.Context, q db.Querier) (err error) {
		m, err = mock(ctx, q, learner, id)
		return err
	})
	return m, err
}

func mock(ctx context.Context, q db.Querier, learner, id string) (*Mock, error) {
	list, err := mocks(ctx, q, learner, id)
	if err == nil && len(list) == 0 {
		err = ErrNoMock
	}
	if err != nil {
		return nil, err
	}
	return &list[0], nil
}

// mocks reads a learner's mocks, oldest first; only one if id is not "".
func mocks(ctx context.Context, q db.Querier, learner, id string) ([]Mock, error) {
	where, args := `learner = ?`, []any{learner}
	if id != "" {
		where, args = where+` AND id = ?`, append(args, id)
	}
	rows, err := q.QueryContext(ctx, `SELECT id, map, started, deadline, finished FROM learn_mocks WHERE `+where+` ORDER BY started, id`, args...)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	var out []Mock
	at := map[string]int{}
	for rows.Next() {
		var m Mock
		var started, deadline, finished int64
		if err := rows.Scan(&m.ID, &m.Map, &started, &deadline, &finished); err != nil {
			return nil, err
		}
		m.Started, m.Deadline, m.Finished = instant(started), instant(deadline), instant(finished)
		at[m.ID] = len(out)
		out = append(out, m)
	}
	if err := rows.Err(); err != nil {
		return nil, err
	}
	return out, mockQuestions(ctx, q, where, args, out, at)
}

func mockQuestions(ctx context.Context, q db.Querier, where string, args []any, out []Mock, at map[string]int) error {
	rows, err := q.QueryContext(ctx, `SELECT mock, question, options, chosen, flagged FROM learn_mock_questions
		WHERE mock IN (SELECT id FROM learn_mocks WHERE `+where+`) ORDER BY mock, place`, args...)
	if err != nil {
		return err
	}
	defer rows.Close()
	for rows.Next() {
		var id, options, chosen string
		var flagged int
		var x MockQuestion
		if err := rows.Scan(&id, &x.Question, &options, &chosen, &flagged); err != nil {
			return err
		}
		if err := errors.Join(parsePlaces(options, &x.Options), parsePlaces(chosen, &x.Chosen)); err != nil {
			return fmt.Errorf("mock %s: %w", id, err)
		}
		x.Flagged = flagged != 0
		out[at[id]].Questions = append(out[at[id]].Questions, x)
	}
	return rows.Err()
}
