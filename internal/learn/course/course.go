// Package course is the study course: it reads the files of content/ and refuses what is malformed,
// each fault by file and line. Learners, scores and the wire are other packages' matter.
package course

import (
	"io/fs"
	"slices"

	"github.com/millpond/millpond/internal/learn/judge"
)

// Map is one account of the exam: its domains and their weights.
type Map struct {
	ID        string   `yaml:"id" json:"id"`
	Title     string   `yaml:"title" json:"title"`
	Source    string   `yaml:"source" json:"source"` // where the figures come from
	Link      string   `yaml:"link" json:"link,omitempty"`
	Questions int      `yaml:"questions" json:"questions"`
	Minutes   int      `yaml:"minutes" json:"minutes"`
	Pass      int      `yaml:"pass" json:"pass,omitempty"` // published pass mark in per cent, 0 if none is
	Domains   []Domain `yaml:"domains" json:"domains"`
}

// Domain is a part of an exam map.
type Domain struct {
	ID     string `yaml:"id" json:"id"`
	Title  string `yaml:"title" json:"title"`
	Weight int    `yaml:"weight" json:"weight"` // per cent
}

// usualMark judges mocks of maps whose pass mark is not published.
const usualMark = 70

// Mark is the share in per cent that a mock of this map needs.
func (m *Map) Mark() int {
	if m.Pass > 0 {
		return m.Pass
	}
	return usualMark
}

// Has says whether the map has a domain.
func (m *Map) Has(domain string) bool {
	return slices.ContainsFunc(m.Domains, func(d Domain) bool { return d.ID == domain })
}

// Objective is one thing to know or to do.
type Objective struct {
	ID      string            `yaml:"id" json:"id"`
	Tier    int               `yaml:"tier" json:"tier"` // 1 must know, 2 should know, 3 recognise
	Text    string            `yaml:"text" json:"text"`
	Domains map[string]string `yaml:"domains" json:"domains"` // domain in each map
	HandsOn bool              `yaml:"hands_on" json:"hands_on"`
}

// Item is what topics, questions and labs have in common.
type Item struct {
	ID         string   `yaml:"id" json:"id"`
	Tier       int      `yaml:"tier" json:"tier"`
	Objectives []string `yaml:"objectives" json:"objectives"`
	Sources    []string `yaml:"sources" json:"sources"` // names of public pages
	Checked    string   `yaml:"checked" json:"checked"` // when the facts were last checked, YYYY-MM-DD
}

// Topic is a page to read.
type Topic struct {
	Item     `yaml:",inline"`
	Title    string   `yaml:"title" json:"title"`
	Minutes  int      `yaml:"minutes" json:"minutes"`
	Related  []string `yaml:"related" json:"related"`
	Remember []string `yaml:"remember" json:"remember"` // the lines of the cheat sheet
	Domain   string   `yaml:"-" json:"domain"`
	Body     string   `yaml:"-" json:"body,omitempty"` // Markdown
}

// Question is a question of the bank.
type Question struct {
	Item       `yaml:",inline"`
	Kind       string     `yaml:"kind" json:"kind"` // "single" or "multiple"
	Difficulty int        `yaml:"difficulty" json:"difficulty"`
	Stem       string     `yaml:"stem" json:"stem"` // Markdown
	Options    []Option   `yaml:"options" json:"options"`
	Computed   []Computed `yaml:"computed" json:"-"`
	Domain     string     `yaml:"-" json:"domain"`
}

// Option is one of a question's answers.
type Option struct {
	Text  string `yaml:"text" json:"text"`
	Right bool   `yaml:"right" json:"right"`
	Why   string `yaml:"why" json:"why"`
}

// Right lists the places of a question's right options.
func (q *Question) Right() []int {
	var out []int
	for i, o := range q.Options {
		if o.Right {
			out = append(out, i)
		}
	}
	return out
}

// Computed is a number of a question's text that a test computes with Python.
type Computed struct {
	Python string `yaml:"python"` // statements; the last line is an expression
	Is     string `yaml:"is"`     // how the text of the question gives its value
}

// Lab is an exercise that the server checks.
type Lab struct {
	Item   `yaml:",inline"`
	Title  string            `yaml:"title" json:"title"`
	Mins   int               `yaml:"minutes" json:"minutes"`
	Task   string            `yaml:"task" json:"task"` // Markdown
	Hints  []string          `yaml:"hints" json:"hints"`
	Data   []string          `yaml:"data" json:"data"` // files of content/data that lie beside the script
	Checks []*judge.Check    `yaml:"checks" json:"checks"`
	Fails  map[string]string `yaml:"fails" json:"-"` // the check that each faulty script fails first
	Number int               `yaml:"-" json:"number"`
	Domain string            `yaml:"-" json:"domain"`
	Dir    string            `yaml:"-" json:"-"` // its folder in content
}

// Plan is a way through the course, day by day.
type Plan struct {
	ID    string `yaml:"id" json:"id"`
	Title string `yaml:"title" json:"title"`
	For   string `yaml:"for" json:"for"`
	Days  []Day  `yaml:"days" json:"days"`
}

// Day is what a plan sets for one day: the topics and labs of some objectives, a number of
// questions, a mock exam.
type Day struct {
	Title      string   `yaml:"title" json:"title"`
	Objectives []string `yaml:"objectives" json:"objectives,omitempty"`
	Questions  int      `yaml:"questions" json:"questions,omitempty"`
	Mock       string   `yaml:"mock" json:"mock,omitempty"` // an exam map
}

// Criterion is a line of the checklist: what must be seen of a learner who is ready. All of its
// parts that are set have to hold.
type Criterion struct {
	ID       string   `yaml:"id" json:"id"`
	Text     string   `yaml:"text" json:"text"`
	Knows    []string `yaml:"knows" json:"knows,omitempty"` // objectives whose questions were answered well
	Does     []string `yaml:"does" json:"does,omitempty"`   // objectives all of whose labs were passed
	Mocks    *Mocks   `yaml:"mocks" json:"mocks,omitempty"`
	Reviewed bool     `yaml:"reviewed" json:"reviewed,omitempty"` // no question whose last answer was wrong
	Spare    int      `yaml:"spare" json:"spare,omitempty"`       // minutes left at the end of the last mock
}

// Mocks asks for so many mock exams in a row with at least a score in per cent.
type Mocks struct {
	Count int `yaml:"count" json:"count"`
	Score int `yaml:"score" json:"score"`
}

// Course is all of it. Lists are in order: maps and objectives as written, topics and questions by
// their objective, labs by number.
type Course struct {
	Maps       []*Map
	Objectives []*Objective
	Topics     []*Topic
	Questions  []*Question
	Labs       []*Lab
	Plans      []*Plan
	Checklist  []*Criterion
	Files      fs.FS
}

func find[T any](list []*T, id func(*T) string, want string) *T {
	if i := slices.IndexFunc(list, func(x *T) bool { return id(x) == want }); i >= 0 {
		return list[i]
	}
	return nil
}

// Map and its kin find a part of the course by id, nil if there is none.
func (c *Course) Map(id string) *Map { return find(c.Maps, func(m *Map) string { return m.ID }, id) }

// Objective finds an objective.
func (c *Course) Objective(id string) *Objective {
	return find(c.Objectives, func(o *Objective) string { return o.ID }, id)
}

// Topic finds a topic.
func (c *Course) Topic(id string) *Topic {
	return find(c.Topics, func(t *Topic) string { return t.ID }, id)
}

// Question finds a question.
func (c *Course) Question(id string) *Question {
	return find(c.Questions, func(q *Question) string { return q.ID }, id)
}

// Lab finds a lab by its id or its number.
func (c *Course) Lab(id string) *Lab { return find(c.Labs, func(l *Lab) string { return l.ID }, id) }

// Plan finds a plan.
func (c *Course) Plan(id string) *Plan {
	return find(c.Plans, func(p *Plan) string { return p.ID }, id)
}

// DomainOf gives an item's domain in a map: that of its first objective.
func (c *Course) DomainOf(i Item, mapID string) string {
	if len(i.Objectives) == 0 {
		return ""
	}
	if o := c.Objective(i.Objectives[0]); o != nil {
		return o.Domains[mapID]
	}
	return ""
}
