// Package readiness reckons from a learner's record how well each objective is known, and which
// lines of the checklist hold. It says how sure it is: few answers give a wide interval. It keeps
// nothing.
package readiness

import (
	"gonum.org/v1/gonum/stat/distuv"

	"github.com/millpond/millpond/internal/learn/course"
	"github.com/millpond/millpond/internal/learn/progress"
)

// States of an objective.
const (
	New      = "new"      // nothing was seen yet
	Weak     = "weak"     // more wrong than can be
	Learning = "learning" // on the way, or too little was seen
	Known    = "known"
)

// Score is how likely a learner answers a question of an objective right.
type Score struct {
	Mean     float64 `json:"mean"`
	Low      float64 `json:"low"` // the interval holds the truth four times in five
	High     float64 `json:"high"`
	Evidence int     `json:"evidence"` // questions answered and labs passed
	State    string  `json:"state"`
}

// What an answer or a lab counts. A lab passed after its solution was looked at shows less.
const (
	passedAlone, passedHelped = 2, 1
	interval                  = 0.8
	knownFrom                 = 0.5 // the lower bound: three right of three, or five of six
	weakBelow, weakEvidence   = 0.6, 3
)

// Objectives scores every objective. Of a question only the last answer counts: who repeats one
// question learns that one only.
func Objectives(c *course.Course, r *progress.Record) map[string]Score {
	right, wrong, seen := map[string]float64{}, map[string]float64{}, map[string]int{}
	for id, a := range r.Latest() {
		q := c.Question(id)
		if q == nil { // gone from the course
			continue
		}
		for _, o := range q.Objectives {
			seen[o]++
			if a.Correct {
				right[o]++
			} else {
				wrong[o]++
			}
		}
	}
	for _, l := range r.Labs {
		lab := c.Lab(l.Lab)
		if lab == nil || l.Passed.IsZero() {
			continue
		}
		worth := float64(passedAlone)
		if !l.Solution.IsZero() && l.Solution.Before(l.Passed) {
			worth = passedHelped
		}
		for _, o := range lab.Objectives {
			seen[o]++
			right[o] += worth
		}
	}
	out := map[string]Score{}
	for _, o := range c.Objectives {
		out[o.ID] = score(right[o.ID], wrong[o.ID], seen[o.ID])
	}
	return out
}

// score is the posterior of a Beta distribution that began as uniform.
func score(right, wrong float64, evidence int) Score {
	b := distuv.Beta{Alpha: 1 + right, Beta: 1 + wrong}
	s := Score{Mean: b.Mean(), Low: b.Quantile((1 - interval) / 2), High: b.Quantile((1 + interval) / 2), Evidence: evidence}
	switch {
	case evidence == 0:
		s.State = New
	case s.Low >= knownFrom:
		s.State = Known
	case evidence >= weakEvidence && s.Mean < weakBelow:
		s.State = Weak
	default:
		s.State = Learning
	}
	return s
}

// tierWeight is what an objective counts within its domain.
var tierWeight = map[int]float64{1: 3, 2: 2, 3: 1}

// Map scores an exam map: its domains by their weights, and all of it.
func Map(c *course.Course, m *course.Map, scores map[string]Score) (all Score, domains map[string]Score) {
	domains = map[string]Score{}
	for _, d := range m.Domains {
		var parts []Score
		var weights []float64
		for _, o := range c.Objectives {
			if o.Domains[m.ID] == d.ID {
				parts, weights = append(parts, scores[o.ID]), append(weights, tierWeight[o.Tier])
			}
		}
		domains[d.ID] = combine(parts, weights)
	}
	var parts []Score
	var weights []float64
	for _, d := range m.Domains {
		parts, weights = append(parts, domains[d.ID]), append(weights, float64(d.Weight))
	}
	return combine(parts, weights), domains
}

// combine is the weighted mean of scores. So is its interval: who is worse than it seems in one
// objective may well be in all, so the errors are not taken to cancel out.
func combine(parts []Score, weights []float64) Score {
	var out Score
	sum := 0.0
	for _, w := range weights {
		sum += w
	}
	if sum == 0 {
		return Score{Mean: 0.5, High: 1, State: New}
	}
	for i, p := range parts {
		w := weights[i] / sum
		out.Mean += w * p.Mean
		out.Low += w * p.Low
		out.High += w * p.High
		out.Evidence += p.Evidence
	}
	switch {
	case out.Evidence == 0:
		out.State = New
	case out.Low >= float64(readyMark)/100:
		out.State = Known
	default:
		out.State = Learning
	}
	return out
}

// readyMark is the per cent at which somebody is ready: the study guide's.
const readyMark = 80
