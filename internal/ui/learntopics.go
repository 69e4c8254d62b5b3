package ui

import (
	"errors"
	"net/http"
	"net/url"
	"strconv"
	"strings"

	"github.com/millpond/millpond/internal/learn"
)

// topicGroup is a domain's topics.
type topicGroup struct {
	ID, Title string
	Topics    []learn.TopicView
	Read      int
}

// topics lists what can be read, by domain, most important first.
func (u *UI) topics(r *http.Request) (view, error) {
	s, err := u.study(r, "Topics")
	if err != nil {
		return view{}, err
	}
	all, err := u.allTopics(r, s)
	if err != nil {
		return view{}, err
	}
	tier, _ := strconv.Atoi(r.URL.Query().Get("tier")) // 0, all of them, if it is no number
	d := struct {
		*study
		Groups []topicGroup
		Chosen int
	}{study: s, Chosen: tier}
	for _, domain := range s.Map.Domains {
		g := topicGroup{ID: domain.ID, Title: domain.Title}
		for _, t := range all {
			if t.Domain != domain.ID || tier != 0 && t.Tier != tier {
				continue
			}
			g.Topics = append(g.Topics, t)
			if t.Finished != nil {
				g.Read++
			}
		}
		d.Groups = append(d.Groups, g)
	}
	return learnView("learn-topics", "Topics", d)
}

func (u *UI) allTopics(r *http.Request, s *study) ([]learn.TopicView, error) {
	var list learn.TopicsResponse
	err := u.api.learn(r, "/topics", url.Values{"map": {s.Map.ID}}, &list)
	return list.Topics, err
}

// topic shows a topic with what leads on from it.
func (u *UI) topic(r *http.Request) (view, error) {
	s, err := u.study(r, "Topics")
	if err != nil {
		return view{}, err
	}
	d := struct {
		*study
		Topic         learn.TopicResponse
		Related       []learn.TopicView
		Labs          []learn.LabView
		Before, After *learn.TopicView
	}{study: s}
	if err := u.api.learn(r, "/topics/"+url.PathEscape(r.PathValue("topic")), nil, &d.Topic); err != nil {
		return view{}, err
	}
	all, err := u.allTopics(r, s)
	if err != nil {
		return view{}, err
	}
	byID := map[string]learn.TopicView{}
	for i, t := range all {
		byID[t.ID] = t
		if t.ID != d.Topic.ID {
			continue
		}
		if i > 0 {
			d.Before = &all[i-1]
		}
		if i+1 < len(all) {
			d.After = &all[i+1]
		}
	}
	d.Topic.Domain = byID[d.Topic.ID].Domain // in the visitor's map
	for _, id := range d.Topic.Related {
		d.Related = append(d.Related, byID[id])
	}
	labs, err := u.allLabs(r)
	if err != nil {
		return view{}, err
	}
	for _, id := range d.Topic.Labs {
		d.Labs = append(d.Labs, labs[id])
	}
	return learnView("learn-topic", d.Topic.Title, d, crumb{"Topics", "/learn/topics"})
}

func (u *UI) allLabs(r *http.Request) (map[string]learn.LabView, error) {
	var list learn.LabsResponse
	err := u.api.learn(r, "/labs", nil, &list)
	out := map[string]learn.LabView{}
	for _, l := range list.Labs {
		out[l.ID] = l
	}
	return out, err
}

// cheatSheet is a domain on paper.
func (u *UI) cheatSheet(r *http.Request) (view, error) {
	s, err := u.study(r, "Topics")
	if err != nil {
		return view{}, err
	}
	d := struct {
		*study
		Sheet learn.CheatSheetResponse
	}{study: s}
	domain := r.PathValue("domain")
	if !s.Map.Has(domain) { // an address without its map
		for _, m := range s.Course.Maps {
			if m.Has(domain) {
				s.Map = m
			}
		}
	}
	if err := u.api.learn(r, "/cheatsheets/"+url.PathEscape(domain), url.Values{"map": {s.Map.ID}}, &d.Sheet); err != nil {
		return view{}, err
	}
	return learnView("learn-cheatsheet", d.Sheet.Title, d, crumb{"Topics", "/learn/topics"})
}

// searchCourse finds topics and labs by a part of their title or id.
func (u *UI) searchCourse(r *http.Request, part string) (topics, labs hitGroup, err error) {
	topics, labs = hitGroup{Name: "Topics"}, hitGroup{Name: "Labs"}
	found := func(title, id string) bool {
		return strings.Contains(strings.ToLower(title+" "+id), strings.ToLower(part))
	}
	var read learn.TopicsResponse
	var done learn.LabsResponse
	if err := errors.Join(u.api.learn(r, "/topics", nil, &read), u.api.learn(r, "/labs", nil, &done)); err != nil {
		return topics, labs, err
	}
	for _, t := range read.Topics {
		if found(t.Title, t.ID) {
			topics.Hits = append(topics.Hits, hit{t.Title, t.ID, "/learn/topics/" + t.ID})
		}
	}
	for _, l := range done.Labs {
		if found(l.Title, l.ID) {
			labs.Hits = append(labs.Hits, hit{l.Title, l.ID, "/learn/labs/" + l.ID})
		}
	}
	return topics, labs, nil
}
