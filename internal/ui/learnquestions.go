package ui

import (
	"net/http"
	"net/url"
	"slices"

	"github.com/millpond/millpond/internal/learn"
)

// practice asks questions that are due or new, of what the address chooses.
func (u *UI) practice(r *http.Request) (view, error) {
	s, err := u.study(r, "Practice")
	if err != nil {
		return view{}, err
	}
	q := r.URL.Query()
	asked := url.Values{"map": {s.Map.ID}}
	for _, key := range []string{"domain", "tier", "objective", "weak", "quick", "count"} {
		if v := q.Get(key); v != "" {
			asked.Set(key, v)
		}
	}
	d := struct {
		*study
		Questions  []learn.QuestionView
		Due        int
		NextDue    int64 // in milliseconds, 0 if there is none
		Objectives []learn.ObjectiveView
		Chosen     map[string]string
	}{study: s, Chosen: map[string]string{}}
	for key := range asked {
		d.Chosen[key] = asked.Get(key)
	}
	var got learn.QuestionsResponse
	if err := u.api.learn(r, "/questions", asked, &got); err != nil {
		return view{}, err
	}
	d.Questions, d.Due = got.Questions, got.Due
	if got.Next != nil {
		d.NextDue = got.Next.UnixMilli()
	}
	var all learn.ObjectivesResponse
	if err := u.api.learn(r, "/objectives", nil, &all); err != nil {
		return view{}, err
	}
	d.Objectives = all.Objectives
	return learnView("learn-practice", "Practice", d)
}

// mocks lists the mock exams and starts new ones.
func (u *UI) mocks(r *http.Request) (view, error) {
	s, err := u.study(r, "Mock exams")
	if err != nil {
		return view{}, err
	}
	d := struct {
		*study
		Mocks   []learn.MockView
		Running *learn.MockView
	}{study: s}
	var list learn.MocksResponse
	if err := u.api.learn(r, "/mocks", nil, &list); err != nil {
		return view{}, err
	}
	for i := range list.Mocks {
		if m := &list.Mocks[i]; m.Finished != nil {
			d.Mocks = append(d.Mocks, *m)
		} else if d.Running == nil {
			d.Running = m
		}
	}
	return learnView("learn-mocks", "Mock exams", d)
}

// mock is an exam while it runs, its review afterwards.
func (u *UI) mock(r *http.Request) (view, error) {
	s, err := u.study(r, "Mock exams")
	if err != nil {
		return view{}, err
	}
	path := "/mocks/" + url.PathEscape(r.PathValue("mock"))
	d := struct {
		*study
		Mock learn.MockView
	}{study: s}
	if err := u.api.learn(r, path, nil, &d.Mock); err != nil {
		return view{}, err
	}
	if d.Mock.Finished != nil {
		return u.review(r, s, path)
	}
	return learnView("learn-mock", "Mock exam", d, crumb{"Mock exams", "/learn/mocks"})
}

// explained is a question with what is told once it was answered.
type explained struct {
	learn.ReviewedQuestion
	why map[int]learn.OptionWhy
}

// Why explains one option.
func (e explained) Why(option int) learn.OptionWhy { return e.why[option] }

// Chose says whether an option was chosen.
func (e explained) Chose(option int) bool { return slices.Contains(e.Chosen, option) }

func (u *UI) review(r *http.Request, s *study, path string) (view, error) {
	var got learn.ReviewResponse
	if err := u.api.learn(r, path+"/review", nil, &got); err != nil {
		return view{}, err
	}
	show := r.URL.Query().Get("show")
	d := struct {
		*study
		Mock           learn.MockView
		Questions      []explained
		Show           string
		Wrong, Flagged int
		Took           int64
	}{study: s, Mock: got.MockView, Show: show, Took: got.Finished.Sub(got.Started).Milliseconds()}
	for _, m := range s.Course.Maps { // the exam's own map, whatever is followed now
		if m.ID == got.Map {
			s.Map = m
		}
	}
	for _, q := range got.Review {
		if !q.Correct {
			d.Wrong++
		}
		if q.Flagged {
			d.Flagged++
		}
		if show == "wrong" && q.Correct || show == "flagged" && !q.Flagged {
			continue
		}
		e := explained{q, map[int]learn.OptionWhy{}}
		for _, w := range q.Why {
			e.why[w.ID] = w
		}
		d.Questions = append(d.Questions, e)
	}
	return learnView("learn-review", "Review", d, crumb{"Mock exams", "/learn/mocks"})
}
