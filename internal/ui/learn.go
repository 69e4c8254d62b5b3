package ui

import (
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strconv"
	"time"

	"github.com/millpond/millpond/internal/learn"
	"github.com/millpond/millpond/internal/learn/agenda"
	"github.com/millpond/millpond/internal/learn/course"
)

// study is what every page of the course shows: the course and what the visitor follows.
type study struct {
	Course learn.OverviewResponse
	Map    *course.Map    // of the address, of the plan, or the first
	Agenda *agenda.Agenda // nil while no plan is followed
	Tab    string
}

// tab is an entry of the line of the course's pages.
type tab struct {
	Name, URL string
	Here      bool
}

// Tabs are the course's pages.
func (s *study) Tabs() []tab {
	out := []tab{{Name: "Today", URL: "/learn"}, {Name: "Topics", URL: "/learn/topics"}, {Name: "Practice", URL: "/learn/practice"},
		{Name: "Mock exams", URL: "/learn/mocks"}, {Name: "Labs", URL: "/learn/labs"}, {Name: "Progress", URL: "/learn/progress"}}
	for i := range out {
		out[i].Here = out[i].Name == s.Tab
	}
	return out
}

// Domain is the title of a domain of the map.
func (s *study) Domain(id string) string {
	for _, d := range s.Map.Domains {
		if d.ID == id {
			return d.Title
		}
	}
	return id
}

// MapTitle is the title of an exam map.
func (s *study) MapTitle(id string) string {
	for _, m := range s.Course.Maps {
		if m.ID == id {
			return m.Title
		}
	}
	return id
}

// Tier says how much a tier matters.
func (s *study) Tier(n int) string {
	return [...]string{"", "must know", "should know", "recognise"}[max(0, min(n, 3))]
}

// study reads the course and the visitor's plan.
func (u *UI) study(r *http.Request, tab string) (*study, error) {
	s := &study{Tab: tab}
	if err := u.api.learn(r, "/course", nil, &s.Course); err != nil {
		return nil, err
	}
	a := &agenda.Agenda{}
	switch err := u.api.learn(r, "/plan", nil, a); {
	case err == nil:
		s.Agenda = a
	case !isMissing(err):
		return nil, err
	}
	wanted := r.URL.Query().Get("map")
	if wanted == "" && s.Agenda != nil {
		wanted = s.Agenda.Map
	}
	s.Map = s.Course.Maps[0]
	for _, m := range s.Course.Maps {
		if m.ID == wanted {
			s.Map = m
		}
	}
	return s, nil
}

func isMissing(err error) bool {
	e := (*apiError)(nil)
	return errors.As(err, &e) && e.Status == http.StatusNotFound
}

// learnView is a page of the course.
func learnView(template, title string, data any, crumbs ...crumb) (view, error) {
	return view{Template: template, Title: title, Section: "Learn", Crumbs: append([]crumb{{"Learn", "/learn"}}, crumbs...), Data: data}, nil
}

// nextStep is the next thing to do, the first thing on the page.
type nextStep struct {
	Over, Title, Text string
	Commands          string // for a terminal, "" for none
	URL, Label        string
}

// learnHome says what to do next, what today brings, and how ready the visitor is.
func (u *UI) learnHome(r *http.Request) (view, error) {
	s, err := u.study(r, "Today")
	if err != nil {
		return view{}, err
	}
	d := struct {
		*study
		Progress learn.ProgressResponse
		Next     nextStep
		New      bool // nothing was done yet
		Today    string
	}{study: s, Today: time.Now().Format(time.DateOnly)}
	if err := u.api.learn(r, "/progress", url.Values{"map": {s.Map.ID}}, &d.Progress); err != nil {
		return view{}, err
	}
	n := d.Progress.Counts
	d.New = n["topics"].Done+n["questions"].Done+n["labs"].Done == 0 && d.Progress.Mock == nil
	if d.Next, err = u.nextStep(r, s, &d.Progress, d.New); err != nil {
		return view{}, err
	}
	v, err := learnView("learn", "Learn", d)
	v.Crumbs = nil
	return v, err
}

// nextStep chooses: an exam that runs, a newcomer's first lab, what is overdue, today's list, what is
// weak, what is due, the next lab, a mock exam.
func (u *UI) nextStep(r *http.Request, s *study, p *learn.ProgressResponse, fresh bool) (nextStep, error) {
	if m := p.Mock; m != nil {
		return nextStep{Over: "A mock exam runs", Title: "Go on with your mock exam", Text: fmt.Sprintf("%s left, %d answered.", clock(m.Remaining), m.Answered),
			URL: "/learn/mocks/" + m.ID, Label: "Back to the exam"}, nil
	}
	if fresh && p.NextLab != "" {
		var l learn.LabResponse
		err := u.api.learn(r, "/labs/"+p.NextLab, nil, &l)
		return nextStep{Over: "Start here: about five minutes", Title: "Solve your first lab: " + l.Title,
			Text:     "A lab is a small script with a hole in it. These lines put it beside you and check it whenever you save; the server judges it by what the script did.",
			Commands: u.labCommands(l.ID), URL: "/learn/labs/" + l.ID, Label: "Show the task"}, err
	}
	if a := s.Agenda; a != nil {
		for _, list := range []struct {
			name  string
			items []agenda.Item
		}{{"Overdue", a.Overdue}, {"Today", a.Today}} {
			for _, it := range list.items {
				if !it.Done {
					return nextStep{Over: list.name, Title: itemTitle(it), Text: fmt.Sprintf("About %d minutes.", it.Minutes), URL: itemURL(it), Label: "Begin"}, nil
				}
			}
		}
		if len(a.Weak) > 0 {
			w := a.Weak[0]
			return nextStep{Over: "Weak, so it comes forward", Title: w.Text, Text: "Of the questions on this you answer fewer than six in ten right.",
				URL: "/learn/practice?objective=" + url.QueryEscape(w.Objective), Label: "Practise it"}, nil
		}
	}
	switch {
	case p.Due > 0:
		return nextStep{Over: "Due now", Title: fmt.Sprintf("Repeat %s", plural(p.Due, "question")), Text: "They come back when you are about to forget them.", URL: "/learn/practice", Label: "Practise"}, nil
	case p.NextLab != "":
		var l learn.LabResponse
		err := u.api.learn(r, "/labs/"+p.NextLab, nil, &l)
		return nextStep{Over: "The next lab", Title: l.Title, Text: fmt.Sprintf("About %d minutes.", l.Minutes), URL: "/learn/labs/" + l.ID, Label: "Show the task"}, err
	}
	return nextStep{Over: "All labs are passed", Title: "Take a mock exam", Text: fmt.Sprintf("%d questions, %d minutes.", s.Map.Questions, s.Map.Minutes), URL: "/learn/mocks", Label: "To the mock exams"}, nil
}

// labCommands are the lines that bring a lab to the visitor's terminal.
func (u *UI) labCommands(lab string) string {
	return fmt.Sprintf("export MILLPOND_SERVER=http://%s\nmillpond learn start %s\nmillpond learn watch %s", u.status().HTTP, lab, lab)
}

func itemTitle(it agenda.Item) string {
	switch it.Kind {
	case agenda.Topic:
		return "Read: " + it.Title
	case agenda.Lab:
		return "Lab: " + it.Title
	case agenda.Mock:
		return "Mock exam: " + it.Title
	}
	return "Answer " + plural(it.Count, "question")
}

func itemURL(it agenda.Item) string {
	switch it.Kind {
	case agenda.Topic:
		return "/learn/topics/" + it.ID
	case agenda.Lab:
		return "/learn/labs/" + it.ID
	case agenda.Mock:
		return "/learn/mocks?map=" + url.QueryEscape(it.ID)
	}
	return "/learn/practice?count=" + strconv.Itoa(it.Count)
}

func plural(n int, what string) string {
	if n == 1 {
		return "1 " + what
	}
	return strconv.Itoa(n) + " " + what + "s"
}

// clock reads seconds as 1:29:05.
func clock(seconds int) string {
	return fmt.Sprintf("%d:%02d:%02d", seconds/3600, seconds/60%60, seconds%60)
}
