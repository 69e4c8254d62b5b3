package ui

import (
	"net/http"
	"net/url"
	"slices"

	"github.com/millpond/millpond/internal/learn"
	"github.com/millpond/millpond/internal/learn/judge"
)

// labGroup is a domain's labs.
type labGroup struct {
	Title  string
	Labs   []learn.LabView
	Passed int
}

// labs lists the labs and how far each is.
func (u *UI) labs(r *http.Request) (view, error) {
	s, err := u.study(r, "Labs")
	if err != nil {
		return view{}, err
	}
	var list learn.LabsResponse
	if err := u.api.learn(r, "/labs", nil, &list); err != nil {
		return view{}, err
	}
	domains, err := u.domainsOf(r, s)
	if err != nil {
		return view{}, err
	}
	d := struct {
		*study
		Groups []labGroup
		Passed int
	}{study: s}
	for _, domain := range s.Map.Domains {
		g := labGroup{Title: domain.Title}
		for _, l := range list.Labs {
			if domains[l.Objectives[0]] != domain.ID {
				continue
			}
			g.Labs = append(g.Labs, l)
			if l.Passed != nil {
				g.Passed++
			}
		}
		d.Groups, d.Passed = append(d.Groups, g), d.Passed+g.Passed
	}
	return learnView("learn-labs", "Labs", d)
}

// domainsOf gives each objective's domain in the visitor's map.
func (u *UI) domainsOf(r *http.Request, s *study) (map[string]string, error) {
	var all learn.ObjectivesResponse
	err := u.api.learn(r, "/objectives", nil, &all)
	out := map[string]string{}
	for _, o := range all.Objectives {
		out[o.ID] = o.Domains[s.Map.ID]
	}
	return out, err
}

// lab shows a lab's task and what its checks found last.
func (u *UI) lab(r *http.Request) (view, error) {
	s, err := u.study(r, "Labs")
	if err != nil {
		return view{}, err
	}
	d := struct {
		*study
		Lab      learn.LabResponse
		Commands string
		Found    []judge.Finding // what is looked for, with what was found once there was an attempt
		Tried    bool
		Next     *learn.LabView // the next that is not passed
		Topics   []learn.TopicView
	}{study: s}
	if err := u.api.learn(r, "/labs/"+url.PathEscape(r.PathValue("lab")), nil, &d.Lab); err != nil {
		return view{}, err
	}
	d.Commands, d.Found, d.Tried = u.labCommands(d.Lab.ID), d.Lab.Findings, len(d.Lab.Findings) > 0
	if !d.Tried {
		for _, sought := range d.Lab.Checks {
			d.Found = append(d.Found, judge.Finding{Sought: sought})
		}
	}
	var labs learn.LabsResponse
	if err := u.api.learn(r, "/labs", nil, &labs); err != nil {
		return view{}, err
	}
	for i := range labs.Labs {
		if l := &labs.Labs[i]; l.Number > d.Lab.Number && l.Passed == nil && d.Next == nil {
			d.Next = l
		}
	}
	all, err := u.allTopics(r, s)
	if err != nil {
		return view{}, err
	}
	for _, t := range all {
		if slices.ContainsFunc(t.Objectives, func(o string) bool { return slices.Contains(d.Lab.Objectives, o) }) {
			d.Topics = append(d.Topics, t)
		}
	}
	return learnView("learn-lab", d.Lab.Title, d, crumb{"Labs", "/learn/labs"})
}

// progress is what was done so far, to look at and to take along.
func (u *UI) progress(r *http.Request) (view, error) {
	s, err := u.study(r, "Progress")
	if err != nil {
		return view{}, err
	}
	d := struct {
		*study
		Progress learn.ProgressResponse
		Mocks    []learn.MockView
		Labs     []learn.LabView // those that were begun
	}{study: s}
	if err := u.api.learn(r, "/progress", url.Values{"map": {s.Map.ID}}, &d.Progress); err != nil {
		return view{}, err
	}
	var mocks learn.MocksResponse
	if err := u.api.learn(r, "/mocks", nil, &mocks); err != nil {
		return view{}, err
	}
	for _, m := range mocks.Mocks {
		if m.Finished != nil {
			d.Mocks = append(d.Mocks, m)
		}
	}
	var labs learn.LabsResponse
	if err := u.api.learn(r, "/labs", nil, &labs); err != nil {
		return view{}, err
	}
	for _, l := range labs.Labs {
		if l.Started != nil {
			d.Labs = append(d.Labs, l)
		}
	}
	return learnView("learn-progress", "Progress", d)
}
