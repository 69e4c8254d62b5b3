package learn

import (
	"context"
	"slices"
	"time"

	"github.com/millpond/millpond/internal/learn/course"
	"github.com/millpond/millpond/internal/learn/readiness"
	"github.com/millpond/millpond/internal/rest"
)

type (
	ObjectiveView struct {
		*course.Objective
		Score     readiness.Score `json:"score"`
		Topics    []string        `json:"topics"`
		Labs      []string        `json:"labs"`
		Questions int             `json:"questions"`
	}
	ObjectivesResponse struct {
		Objectives []ObjectiveView `json:"objectives"`
	}
	topicsRequest struct {
		Learner string `json:"learner"`
		Domain  string `json:"domain"` // of the map
		Map     string `json:"map"`
	}
	TopicView struct {
		ID         string     `json:"id"`
		Title      string     `json:"title"`
		Tier       int        `json:"tier"`
		Minutes    int        `json:"minutes"`
		Domain     string     `json:"domain"`
		Objectives []string   `json:"objectives"`
		Finished   *time.Time `json:"finished,omitempty"`
	}
	TopicsResponse struct {
		Topics []TopicView `json:"topics"`
	}
	topicRequest struct {
		Learner string `json:"learner"`
		Topic   string `json:"topic"`
	}
	TopicResponse struct {
		TopicView
		Body     string   `json:"body"` // Markdown
		Related  []string `json:"related"`
		Remember []string `json:"remember"`
		Sources  []string `json:"sources"`
		Checked  string   `json:"checked"`
		Labs     []string `json:"labs"`
	}
	cheatSheetRequest struct {
		Domain string `json:"domain"`
		Map    string `json:"map"`
	}
	CheatSheetResponse struct {
		Map    string      `json:"map"`
		Domain string      `json:"domain"`
		Title  string      `json:"title"`
		Parts  []CheatPart `json:"parts"`
	}
	CheatPart struct {
		Topic string   `json:"topic"`
		Title string   `json:"title"`
		Tier  int      `json:"tier"`
		Lines []string `json:"lines"`
	}
)

func (s *Service) objectives(ctx context.Context, in *learnerRequest) (*ObjectivesResponse, error) {
	r, err := s.record(ctx, in.Learner)
	if err != nil {
		return nil, err
	}
	scores := readiness.Objectives(s.course, r)
	out := &ObjectivesResponse{}
	for _, o := range s.course.Objectives {
		v := ObjectiveView{Objective: o, Score: scores[o.ID], Topics: []string{}, Labs: []string{}}
		for _, t := range s.course.Topics {
			if slices.Contains(t.Objectives, o.ID) {
				v.Topics = append(v.Topics, t.ID)
			}
		}
		for _, l := range s.course.Labs {
			if slices.Contains(l.Objectives, o.ID) {
				v.Labs = append(v.Labs, l.ID)
			}
		}
		for _, q := range s.course.Questions {
			if slices.Contains(q.Objectives, o.ID) {
				v.Questions++
			}
		}
		out.Objectives = append(out.Objectives, v)
	}
	return out, nil
}

// mapOf finds an exam map; "" is the first.
func (s *Service) mapOf(id string) (*course.Map, error) {
	if id == "" {
		return s.course.Maps[0], nil
	}
	if m := s.course.Map(id); m != nil {
		return m, nil
	}
	return nil, rest.NotFound("There is no exam map '%s'.", id)
}

// domainOf checks a domain of a map; "" is all of them.
func (s *Service) domainOf(mapID, domain string) (*course.Map, *course.Domain, error) {
	m, err := s.mapOf(mapID)
	if err != nil || domain == "" {
		return m, nil, err
	}
	for i := range m.Domains {
		if m.Domains[i].ID == domain {
			return m, &m.Domains[i], nil
		}
	}
	return nil, nil, rest.NotFound("The exam map '%s' has no domain '%s'.", m.ID, domain)
}

func (s *Service) topics(ctx context.Context, in *topicsRequest) (*TopicsResponse, error) {
	m, d, err := s.domainOf(in.Map, in.Domain)
	if err != nil {
		return nil, err
	}
	r, err := s.record(ctx, in.Learner)
	if err != nil {
		return nil, err
	}
	out := &TopicsResponse{Topics: []TopicView{}}
	for _, t := range s.course.Topics {
		v := s.topicView(t, m, r.Topics)
		if d == nil || v.Domain == d.ID {
			out.Topics = append(out.Topics, v)
		}
	}
	return out, nil
}

func (s *Service) topicView(t *course.Topic, m *course.Map, finished map[string]time.Time) TopicView {
	v := TopicView{ID: t.ID, Title: t.Title, Tier: t.Tier, Minutes: t.Minutes, Domain: s.course.DomainOf(t.Item, m.ID), Objectives: t.Objectives}
	if at, ok := finished[t.ID]; ok {
		v.Finished = &at
	}
	return v
}

func (s *Service) topic(ctx context.Context, in *topicRequest) (*TopicResponse, error) {
	t := s.course.Topic(in.Topic)
	if t == nil {
		return nil, rest.NotFound("There is no topic '%s'.", in.Topic)
	}
	r, err := s.record(ctx, in.Learner)
	if err != nil {
		return nil, err
	}
	out := &TopicResponse{TopicView: s.topicView(t, s.course.Maps[0], r.Topics), Body: t.Body, Related: t.Related, Remember: t.Remember, Sources: t.Sources, Checked: t.Checked, Labs: []string{}}
	for _, l := range s.course.Labs {
		if slices.ContainsFunc(l.Objectives, func(o string) bool { return slices.Contains(t.Objectives, o) }) {
			out.Labs = append(out.Labs, l.ID)
		}
	}
	return out, nil
}

func (s *Service) finishTopic(ctx context.Context, in *topicRequest) (*empty, error) {
	if s.course.Topic(in.Topic) == nil {
		return nil, rest.NotFound("There is no topic '%s'.", in.Topic)
	}
	who, err := learnerOf(ctx, in.Learner)
	if err != nil {
		return nil, err
	}
	return nil, s.store.Read(ctx, who, in.Topic, s.now())
}

func (s *Service) cheatSheet(_ context.Context, in *cheatSheetRequest) (*CheatSheetResponse, error) {
	m, d, err := s.domainOf(in.Map, in.Domain)
	if err != nil {
		return nil, err
	}
	out := &CheatSheetResponse{Map: m.ID, Domain: d.ID, Title: d.Title, Parts: []CheatPart{}}
	for _, t := range s.course.Topics {
		if s.course.DomainOf(t.Item, m.ID) == d.ID {
			out.Parts = append(out.Parts, CheatPart{t.ID, t.Title, t.Tier, t.Remember})
		}
	}
	slices.SortStableFunc(out.Parts, func(a, b CheatPart) int { return a.Tier - b.Tier })
	return out, nil
}
