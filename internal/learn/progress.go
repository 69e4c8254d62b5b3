package learn

import (
	"context"
	"time"

	"github.com/google/uuid"

	"github.com/millpond/millpond/internal/learn/agenda"
	"github.com/millpond/millpond/internal/learn/progress"
	"github.com/millpond/millpond/internal/learn/readiness"
	"github.com/millpond/millpond/internal/rest"
)

type (
	PlansResponse struct {
		Plans []PlanInfo `json:"plans"`
	}
	agendaRequest struct {
		Learner string `json:"learner"`
		Date    string `json:"date"` // the learner's day, today if empty
	}
	followRequest struct {
		Learner string `json:"learner"`
		Plan    string `json:"plan" mlflow:"required"`
		Map     string `json:"map"`
		Start   string `json:"start"` // a date, today if empty
	}
	progressRequest struct {
		Learner string `json:"learner"`
		Map     string `json:"map"`
	}
	DomainScore struct {
		ID     string          `json:"id"`
		Title  string          `json:"title"`
		Weight int             `json:"weight"`
		Score  readiness.Score `json:"score"`
	}
	ObjectiveScore struct {
		ID     string          `json:"id"`
		Text   string          `json:"text"`
		Tier   int             `json:"tier"`
		Domain string          `json:"domain"`
		Score  readiness.Score `json:"score"`
	}
	ProgressResponse struct {
		Learner    string           `json:"learner"`
		Map        string           `json:"map"`
		Score      readiness.Score  `json:"score"`
		Domains    []DomainScore    `json:"domains"`
		Objectives []ObjectiveScore `json:"objectives"`
		Checklist  []readiness.Line `json:"checklist"`
		Ready      bool             `json:"ready"` // every line of the checklist holds
		Counts     map[string]Count `json:"counts"`
		NextLab    string           `json:"next_lab,omitempty"`
		Due        int              `json:"due"` // questions to repeat now
		Mock       *MockView        `json:"running_mock,omitempty"`
	}
	Count struct {
		Done int `json:"done"`
		Of   int `json:"of"`
	}
	importRequest struct {
		progress.Record
	}
	ImportResponse struct {
		Learner string `json:"learner"`
		Answers int    `json:"answers"`
		Mocks   int    `json:"mocks"`
		Labs    int    `json:"labs"`
	}
)

func (s *Service) plans(context.Context, *learnerRequest) (*PlansResponse, error) {
	return &PlansResponse{s.planInfos()}, nil
}

// day reads a date, today if it is empty.
func (s *Service) day(text string) (time.Time, error) {
	if text == "" {
		return s.now(), nil
	}
	t, err := time.ParseInLocation(time.DateOnly, text, s.now().Location())
	if err != nil {
		return t, rest.Invalid("'%s' is not a date such as 2026-11-26.", text)
	}
	return t, nil
}

func (s *Service) agenda(ctx context.Context, in *agendaRequest) (*agenda.Agenda, error) {
	today, err := s.day(in.Date)
	if err != nil {
		return nil, err
	}
	r, err := s.record(ctx, in.Learner)
	if err != nil {
		return nil, err
	}
	if r.Plan == nil || s.course.Plan(r.Plan.Plan) == nil {
		return nil, rest.NotFound("No plan is followed; choose one of %s/plans.", Prefix)
	}
	return agenda.Make(s.course, r, readiness.Objectives(s.course, r), today)
}

func (s *Service) follow(ctx context.Context, in *followRequest) (*agenda.Agenda, error) {
	if s.course.Plan(in.Plan) == nil {
		return nil, rest.NotFound("There is no plan '%s'.", in.Plan)
	}
	m, err := s.mapOf(in.Map)
	if err != nil {
		return nil, err
	}
	start, err := s.day(in.Start)
	if err != nil {
		return nil, err
	}
	who, err := learnerOf(ctx, in.Learner)
	if err != nil {
		return nil, err
	}
	e := progress.Enrolment{Plan: in.Plan, Map: m.ID, Start: start.Format(time.DateOnly)}
	if err := s.store.Enrol(ctx, who, e); err != nil {
		return nil, err
	}
	return s.agenda(ctx, &agendaRequest{Learner: who})
}

func (s *Service) progress(ctx context.Context, in *progressRequest) (*ProgressResponse, error) {
	r, err := s.record(ctx, in.Learner)
	if err != nil {
		return nil, err
	}
	if in.Map == "" && r.Plan != nil && s.course.Map(r.Plan.Map) != nil {
		in.Map = r.Plan.Map
	}
	m, err := s.mapOf(in.Map)
	if err != nil {
		return nil, err
	}
	scores := readiness.Objectives(s.course, r)
	all, domains := readiness.Map(s.course, m, scores)
	out := &ProgressResponse{Learner: r.Learner, Map: m.ID, Score: all, Checklist: readiness.Checklist(s.course, r, scores), Counts: s.counts(r), NextLab: s.nextLab(r)}
	for _, d := range m.Domains {
		out.Domains = append(out.Domains, DomainScore{d.ID, d.Title, d.Weight, domains[d.ID]})
	}
	for _, o := range s.course.Objectives {
		out.Objectives = append(out.Objectives, ObjectiveScore{o.ID, o.Text, o.Tier, o.Domains[m.ID], scores[o.ID]})
	}
	out.Ready = true
	for _, l := range out.Checklist {
		out.Ready = out.Ready && l.Done
	}
	for _, c := range r.Cards {
		if s.course.Question(c.Question) != nil && !c.Due.After(s.now()) {
			out.Due++
		}
	}
	for i := range r.Mocks {
		if x := &r.Mocks[i]; x.Finished.IsZero() && s.now().Before(x.Deadline) && s.course.Map(x.Map) != nil {
			out.Mock = s.mockInfo(x)
		}
	}
	return out, nil
}

// counts says how much of the course was done, by kind.
func (s *Service) counts(r *progress.Record) map[string]Count {
	topics, questions, labs := Count{Of: len(s.course.Topics)}, Count{Of: len(s.course.Questions)}, Count{Of: len(s.course.Labs)}
	for id := range r.Topics {
		if s.course.Topic(id) != nil {
			topics.Done++
		}
	}
	for id := range r.Latest() {
		if s.course.Question(id) != nil {
			questions.Done++
		}
	}
	for _, l := range r.Labs {
		if s.course.Lab(l.Lab) != nil && !l.Passed.IsZero() {
			labs.Done++
		}
	}
	return map[string]Count{"topics": topics, "questions": questions, "labs": labs}
}

func (s *Service) export(ctx context.Context, in *learnerRequest) (*progress.Record, error) {
	return s.record(ctx, in.Learner)
}

// importRecord puts a record in the place of what is kept of its learner.
func (s *Service) importRecord(ctx context.Context, in *importRequest) (*ImportResponse, error) {
	r := &in.Record
	if r.Format != progress.Format {
		return nil, rest.Invalid("This is no progress that `millpond learn export` of this version wrote: its 'millpond_learn' is %d, not %d.", r.Format, progress.Format)
	}
	var err error
	if user := rest.User(ctx); user != rest.LocalUser {
		r.Learner = user // what was learnt elsewhere, under another name, is taken along
	}
	if r.Learner, err = learnerOf(ctx, r.Learner); err != nil {
		return nil, err
	}
	renewMocks(r)
	if err := s.store.Replace(ctx, r); err != nil {
		return nil, err
	}
	return &ImportResponse{r.Learner, len(r.Answers), len(r.Mocks), len(r.Labs)}, nil
}

// renewMocks gives mocks new ids: those of the record may be another learner's here.
func renewMocks(r *progress.Record) {
	ids := map[string]string{}
	for i := range r.Mocks {
		ids[r.Mocks[i].ID] = uuid.NewString()
		r.Mocks[i].ID = ids[r.Mocks[i].ID]
	}
	for i := range r.Answers {
		if id, ok := ids[r.Answers[i].Mock]; ok {
			r.Answers[i].Mock = id
		}
	}
}
