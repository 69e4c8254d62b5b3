package learn

import (
	"context"
	"slices"
	"time"

	"github.com/millpond/millpond/internal/learn/course"
	"github.com/millpond/millpond/internal/learn/exam"
	"github.com/millpond/millpond/internal/learn/practice"
	"github.com/millpond/millpond/internal/learn/progress"
	"github.com/millpond/millpond/internal/learn/readiness"
	"github.com/millpond/millpond/internal/rest"
)

type (
	// QuestionView is a question as it is asked: without what would answer it.
	QuestionView struct {
		ID         string       `json:"id"`
		Kind       string       `json:"kind"`
		Choose     int          `json:"choose"` // how many options are right
		Tier       int          `json:"tier"`
		Difficulty int          `json:"difficulty"`
		Domain     string       `json:"domain"`
		Objectives []string     `json:"objectives"`
		Stem       string       `json:"stem"` // Markdown
		Options    []OptionView `json:"options"`
	}
	OptionView struct {
		ID   int    `json:"id"`
		Text string `json:"text"`
	}
	questionsRequest struct {
		Learner   string     `json:"learner"`
		Map       string     `json:"map"`
		Domain    string     `json:"domain"`
		Objective string     `json:"objective"`
		Tier      rest.Int64 `json:"tier"`
		Weak      bool       `json:"weak"`  // only objectives that are weak or new
		Quick     bool       `json:"quick"` // a quick check: any questions, due or not
		Count     rest.Int64 `json:"count"`
	}
	QuestionsResponse struct {
		Questions []QuestionView `json:"questions"`
		Due       int            `json:"due"`  // how many of those asked for are due or new
		Next      *time.Time     `json:"next"` // when the next one is due, if none is
	}
	answerRequest struct {
		Learner  string `json:"learner"`
		Question string `json:"question"`
		Chosen   []int  `json:"chosen"`
		Guessed  bool   `json:"guessed"` // the learner was not sure
	}
	AnswerResponse struct {
		Explained
		Correct  bool      `json:"correct"`
		Due      time.Time `json:"due"` // when it is asked again
		Interval int       `json:"interval_days"`
	}
	// Explained is what is told of a question once it was answered.
	Explained struct {
		Right   []int       `json:"right"`
		Why     []OptionWhy `json:"why"`
		Sources []string    `json:"sources"`
	}
	OptionWhy struct {
		ID    int    `json:"id"`
		Right bool   `json:"right"`
		Why   string `json:"why"`
	}
)

// view shows a question; order is the order of its options, nil for their own.
func (s *Service) view(q *course.Question, m *course.Map, order []int) QuestionView {
	v := QuestionView{ID: q.ID, Kind: q.Kind, Choose: len(q.Right()), Tier: q.Tier, Difficulty: q.Difficulty, Domain: s.course.DomainOf(q.Item, m.ID), Objectives: q.Objectives, Stem: q.Stem}
	for i := range q.Options {
		at := i
		if len(order) == len(q.Options) {
			at = order[i]
		}
		v.Options = append(v.Options, OptionView{at, q.Options[at].Text})
	}
	return v
}

func explain(q *course.Question) Explained {
	e := Explained{Right: q.Right(), Sources: q.Sources}
	for i, o := range q.Options {
		e.Why = append(e.Why, OptionWhy{i, o.Right, o.Why})
	}
	return e
}

const standardCount, mostCount = 10, 100

func (s *Service) questions(ctx context.Context, in *questionsRequest) (*QuestionsResponse, error) {
	m, d, err := s.domainOf(in.Map, in.Domain)
	if err != nil {
		return nil, err
	}
	if in.Objective != "" && s.course.Objective(in.Objective) == nil {
		return nil, rest.NotFound("There is no objective '%s'.", in.Objective)
	}
	r, err := s.record(ctx, in.Learner)
	if err != nil {
		return nil, err
	}
	n := int(in.Count)
	if n <= 0 {
		n = standardCount
	}
	n = min(n, mostCount)
	list, cards, rng := s.candidates(in, m, d, readiness.Objectives(s.course, r)), r.CardOf(), s.random()
	all := practice.Next(list, cards, len(list), s.now(), rng)
	out := &QuestionsResponse{Questions: []QuestionView{}, Due: len(all), Next: nextDue(list, cards)}
	if in.Quick {
		rng.Shuffle(len(list), func(i, j int) { list[i], list[j] = list[j], list[i] })
		all = all[:0]
		for _, c := range list {
			all = append(all, c.ID)
		}
	}
	for _, id := range all[:min(n, len(all))] {
		q := s.course.Question(id)
		out.Questions = append(out.Questions, s.view(q, m, rng.Perm(len(q.Options))))
	}
	return out, nil
}

// candidates are the questions that a request is about.
func (s *Service) candidates(in *questionsRequest, m *course.Map, d *course.Domain, scores map[string]readiness.Score) []practice.Candidate {
	var out []practice.Candidate
	for _, q := range s.course.Questions {
		score := scores[q.Objectives[0]]
		switch {
		case d != nil && s.course.DomainOf(q.Item, m.ID) != d.ID,
			in.Tier != 0 && q.Tier != int(in.Tier),
			in.Objective != "" && !slices.Contains(q.Objectives, in.Objective),
			in.Weak && score.State != readiness.Weak && score.State != readiness.New:
			continue
		}
		out = append(out, practice.Candidate{ID: q.ID, Tier: q.Tier, Weakness: 1 - score.Mean})
	}
	return out
}

func nextDue(list []practice.Candidate, cards map[string]practice.Card) *time.Time {
	var next *time.Time
	for _, c := range list {
		if card, met := cards[c.ID]; met && (next == nil || card.Due.Before(*next)) {
			next = &card.Due
		}
	}
	return next
}

func (s *Service) answer(ctx context.Context, in *answerRequest) (*AnswerResponse, error) {
	q := s.course.Question(in.Question)
	if q == nil {
		return nil, rest.NotFound("There is no question '%s'.", in.Question)
	}
	if err := checkChosen(q, in.Chosen); err != nil {
		return nil, err
	}
	who, err := learnerOf(ctx, in.Learner)
	if err != nil {
		return nil, err
	}
	card, err := s.store.Card(ctx, who, q.ID)
	if err != nil {
		return nil, err
	}
	now := s.now()
	correct := exam.Right(q, in.Chosen)
	card = card.Grade(quality(correct, in.Guessed), now)
	a := progress.Answer{Question: q.ID, At: now, Chosen: in.Chosen, Correct: correct}
	if err := s.store.Answered(ctx, who, a, card); err != nil {
		return nil, err
	}
	return &AnswerResponse{Explained: explain(q), Correct: correct, Due: card.Due, Interval: card.Interval}, nil
}

func quality(correct, guessed bool) int {
	switch {
	case !correct:
		return practice.Wrong
	case guessed:
		return practice.Guessed
	}
	return practice.Known
}

// checkChosen refuses options that are not there. To choose none is to leave a question open.
func checkChosen(q *course.Question, chosen []int) error {
	for i, n := range chosen {
		if n < 0 || n >= len(q.Options) || slices.Contains(chosen[:i], n) {
			return rest.Invalid("The question '%s' has %d options, numbered from 0; chosen was %v.", q.ID, len(q.Options), chosen)
		}
	}
	return nil
}
