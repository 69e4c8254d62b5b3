package learn

import (
	"context"
	"errors"
	"net/http"
	"strconv"
	"time"

	"github.com/google/uuid"

	"github.com/millpond/millpond/internal/learn/course"
	"github.com/millpond/millpond/internal/learn/exam"
	"github.com/millpond/millpond/internal/learn/practice"
	"github.com/millpond/millpond/internal/learn/progress"
	"github.com/millpond/millpond/internal/learn/readiness"
	"github.com/millpond/millpond/internal/rest"
)

type (
	startMockRequest struct {
		Learner string `json:"learner"`
		Map     string `json:"map"`
	}
	mockRequest struct {
		Learner string `json:"learner"`
		Mock    string `json:"mock"`
	}
	// MockView is a mock as it runs: nothing in it says what is right.
	MockView struct {
		ID        string             `json:"id"`
		Map       string             `json:"map"`
		Started   time.Time          `json:"started"`
		Deadline  time.Time          `json:"deadline"`
		Finished  *time.Time         `json:"finished,omitempty"`
		Remaining int                `json:"remaining_seconds"`
		Answered  int                `json:"answered"`
		Flagged   int                `json:"flagged"`
		Questions []MockQuestionView `json:"questions,omitempty"`
		Result    *exam.Result       `json:"result,omitempty"` // once it is finished
	}
	MockQuestionView struct {
		Place    int          `json:"place"` // from 0
		Question QuestionView `json:"question"`
		Chosen   []int        `json:"chosen"`
		Flagged  bool         `json:"flagged"`
	}
	MocksResponse struct {
		Mocks []MockView `json:"mocks"` // newest first
	}
	markRequest struct {
		Learner string `json:"learner"`
		Mock    string `json:"mock"`
		Place   string `json:"place"`
		Chosen  *[]int `json:"chosen"`
		Flagged *bool  `json:"flagged"`
	}
	MarkResponse struct {
		Remaining int `json:"remaining_seconds"`
	}
	ReviewResponse struct {
		MockView
		Review []ReviewedQuestion `json:"review"`
	}
	ReviewedQuestion struct {
		MockQuestionView
		Explained
		Correct bool `json:"correct"`
	}
)

func (s *Service) startMock(ctx context.Context, in *startMockRequest) (*MockView, error) {
	m, err := s.mapOf(in.Map)
	if err != nil {
		return nil, err
	}
	r, err := s.record(ctx, in.Learner)
	if err != nil {
		return nil, err
	}
	items, err := exam.Draw(s.course, m, r.Seen(), s.random())
	var few *exam.TooFewError
	if errors.As(err, &few) {
		return nil, rest.Invalid("%s.", sentence(err))
	}
	if err != nil {
		return nil, err
	}
	now := s.now().Truncate(time.Millisecond)
	x := progress.Mock{ID: uuid.NewString(), Map: m.ID, Started: now, Deadline: now.Add(time.Duration(m.Minutes) * time.Minute)}
	for _, it := range items {
		x.Questions = append(x.Questions, progress.MockQuestion{Question: it.Question, Options: it.Options, Chosen: []int{}})
	}
	if err := s.store.StartMock(ctx, r.Learner, x); err != nil {
		return nil, err
	}
	return s.showMock(&x), nil
}

// load finds a mock; one whose time is over is finished first.
func (s *Service) load(ctx context.Context, learner, id string) (*progress.Mock, string, error) {
	who, err := learnerOf(ctx, learner)
	if err != nil {
		return nil, "", err
	}
	m, err := s.store.Mock(ctx, who, id)
	if err != nil {
		return nil, "", answered(err)
	}
	if s.course.Map(m.Map) == nil {
		return nil, "", rest.NotFound("The exam map '%s' of this mock is no longer in the course.", m.Map)
	}
	if m.Finished.IsZero() && s.now().After(m.Deadline) {
		if err := s.finish(ctx, who, id); err != nil {
			return nil, "", err
		}
		m, err = s.store.Mock(ctx, who, id)
	}
	return m, who, err
}

// finish ends a mock and grades its answers.
func (s *Service) finish(ctx context.Context, who, id string) error {
	r, err := s.store.Record(ctx, who)
	if err != nil {
		return err
	}
	cards, now := r.CardOf(), s.now()
	err = s.store.FinishMock(ctx, who, id, now, func(x progress.MockQuestion) (bool, practice.Card) {
		card, met := cards[x.Question]
		if !met {
			card.Question = x.Question
		}
		q := s.course.Question(x.Question)
		correct := q != nil && exam.Right(q, x.Chosen)
		return correct, card.Grade(quality(correct, x.Flagged), now)
	})
	return answered(err)
}

// showMock shows a mock with its questions.
func (s *Service) showMock(m *progress.Mock) *MockView {
	v := s.mockInfo(m)
	for i, x := range m.Questions {
		if q := s.mockQuestion(m, i); q != nil {
			v.Questions = append(v.Questions, MockQuestionView{Place: i, Question: s.view(q, s.course.Map(m.Map), x.Options), Chosen: x.Chosen, Flagged: x.Flagged})
		}
	}
	return v
}

// mockQuestion is nil for a question that has left the course.
func (s *Service) mockQuestion(m *progress.Mock, place int) *course.Question {
	return s.course.Question(m.Questions[place].Question)
}

func (s *Service) mockInfo(m *progress.Mock) *MockView {
	v := &MockView{ID: m.ID, Map: m.Map, Started: m.Started, Deadline: m.Deadline}
	for _, x := range m.Questions {
		if len(x.Chosen) > 0 {
			v.Answered++
		}
		if x.Flagged {
			v.Flagged++
		}
	}
	if m.Finished.IsZero() {
		v.Remaining = s.remaining(m)
		return v
	}
	result := readiness.MockResult(s.course, *m)
	v.Finished, v.Result = &m.Finished, &result
	return v
}

// remaining is what the clock shows: it runs on while nobody looks.
func (s *Service) remaining(m *progress.Mock) int {
	return max(0, int(m.Deadline.Sub(s.now()).Seconds()))
}

func (s *Service) mocks(ctx context.Context, in *learnerRequest) (*MocksResponse, error) {
	r, err := s.record(ctx, in.Learner)
	if err != nil {
		return nil, err
	}
	out := &MocksResponse{Mocks: []MockView{}}
	for i := len(r.Mocks) - 1; i >= 0; i-- {
		m := &r.Mocks[i]
		if s.course.Map(m.Map) == nil {
			continue
		}
		if m.Finished.IsZero() && s.now().After(m.Deadline) {
			if m, _, err = s.load(ctx, r.Learner, m.ID); err != nil {
				return nil, err
			}
		}
		out.Mocks = append(out.Mocks, *s.mockInfo(m))
	}
	return out, nil
}

func (s *Service) mock(ctx context.Context, in *mockRequest) (*MockView, error) {
	m, _, err := s.load(ctx, in.Learner, in.Mock)
	if err != nil {
		return nil, err
	}
	return s.showMock(m), nil
}

func (s *Service) markMock(ctx context.Context, in *markRequest) (*MarkResponse, error) {
	m, who, err := s.load(ctx, in.Learner, in.Mock)
	if err != nil {
		return nil, err
	}
	place, err := strconv.Atoi(in.Place)
	if err != nil || place < 0 || place >= len(m.Questions) {
		return nil, answered(progress.ErrNoPlace)
	}
	if q := s.mockQuestion(m, place); q != nil && in.Chosen != nil {
		if err := checkChosen(q, *in.Chosen); err != nil {
			return nil, err
		}
	}
	err = s.store.MarkMock(ctx, who, m.ID, place, progress.Mark{Chosen: in.Chosen, Flagged: in.Flagged}, s.now())
	if err != nil {
		return nil, answered(err)
	}
	return &MarkResponse{s.remaining(m)}, nil
}

func (s *Service) finishMock(ctx context.Context, in *mockRequest) (*ReviewResponse, error) {
	m, who, err := s.load(ctx, in.Learner, in.Mock)
	if err != nil {
		return nil, err
	}
	if m.Finished.IsZero() {
		if err := s.finish(ctx, who, m.ID); err != nil {
			return nil, err
		}
	}
	return s.reviewMock(ctx, in)
}

func (s *Service) reviewMock(ctx context.Context, in *mockRequest) (*ReviewResponse, error) {
	m, _, err := s.load(ctx, in.Learner, in.Mock)
	if err != nil {
		return nil, err
	}
	if m.Finished.IsZero() {
		return nil, &rest.Error{Code: rest.InvalidState, HTTP: http.StatusConflict, Message: "The mock exam still runs: its review comes once it is finished."}
	}
	v := s.showMock(m)
	out := &ReviewResponse{Review: []ReviewedQuestion{}}
	for _, x := range v.Questions {
		q := s.mockQuestion(m, x.Place)
		out.Review = append(out.Review, ReviewedQuestion{x, explain(q), exam.Right(q, x.Chosen)})
	}
	v.Questions = nil
	out.MockView = *v
	return out, nil
}
