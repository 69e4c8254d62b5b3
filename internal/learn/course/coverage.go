package course

import (
	"fmt"
	"slices"
	"strings"
)

// covering is what serves an objective.
type covering struct {
	topics, labs []string
	questions    int
}

func (c *Course) covering(o *Objective) covering {
	var v covering
	for _, t := range c.Topics {
		if slices.Contains(t.Objectives, o.ID) {
			v.topics = append(v.topics, t.ID)
		}
	}
	for _, l := range c.Labs {
		if slices.Contains(l.Objectives, o.ID) {
			v.labs = append(v.labs, l.ID)
		}
	}
	for _, q := range c.Questions {
		if slices.Contains(q.Objectives, o.ID) {
			v.questions++
		}
	}
	return v
}

// leastQuestions is how many questions an objective of each tier needs.
var leastQuestions = map[int]int{1: 4, 2: 3, 3: 1}

// Gaps says what the course lacks: objectives without a topic, with too few questions, without a
// lab where one can be done by hand.
func (c *Course) Gaps() []string {
	var out []string
	for _, o := range c.Objectives {
		v := c.covering(o)
		if len(v.topics) == 0 {
			out = append(out, "a topic on "+o.ID)
		}
		if need := leastQuestions[o.Tier]; v.questions < need {
			out = append(out, fmt.Sprintf("questions on %s: %d of %d", o.ID, v.questions, need))
		}
		if o.HandsOn && len(v.labs) == 0 {
			out = append(out, "a lab on "+o.ID)
		}
	}
	return out
}

// Coverage is the table of what covers each objective, as Markdown.
func (c *Course) Coverage() string {
	var b strings.Builder
	b.WriteString("# Coverage of the course\n\nWritten by `millpond learn coverage -o docs/coverage.md` from `content/objectives.yaml`.\n\n")
	fmt.Fprintf(&b, "%d objectives, %d topics, %d questions, %d labs.\n", len(c.Objectives), len(c.Topics), len(c.Questions), len(c.Labs))
	for _, m := range c.Maps {
		fmt.Fprintf(&b, "\n## %s\n\n%s\n\n| domain | weight | topics | questions | labs |\n|---|---|---|---|---|\n", m.Title, m.Source)
		for _, d := range m.Domains {
			fmt.Fprintf(&b, "| %s | %d %% | %d | %d | %d |\n", d.Title, d.Weight, countIn(c, c.Topics, m.ID, d.ID), countIn(c, c.Questions, m.ID, d.ID), countIn(c, c.Labs, m.ID, d.ID))
		}
	}
	b.WriteString("\n## Objectives\n\n| tier | objective | topics | questions | labs |\n|---|---|---|---|---|\n")
	for _, o := range c.Objectives {
		v := c.covering(o)
		labs := strings.Join(v.labs, ", ")
		if labs == "" && !o.HandsOn {
			labs = "not by hand"
		}
		fmt.Fprintf(&b, "| %d | %s | %s | %d | %s |\n", o.Tier, o.Text, strings.Join(v.topics, ", "), v.questions, labs)
	}
	return b.String()
}

// common is what topics, questions and labs share.
func (i Item) common() Item { return i }

func countIn[T interface{ common() Item }](c *Course, list []T, mapID, domain string) int {
	n := 0
	for _, x := range list {
		if c.DomainOf(x.common(), mapID) == domain {
			n++
		}
	}
	return n
}
