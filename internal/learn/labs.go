package learn

import (
	"context"
	"fmt"
	"io/fs"
	"net"
	"net/url"
	"strconv"
	"time"

	"github.com/millpond/millpond/internal/learn/attempt"
	"github.com/millpond/millpond/internal/learn/course"
	"github.com/millpond/millpond/internal/learn/judge"
	"github.com/millpond/millpond/internal/learn/progress"
	"github.com/millpond/millpond/internal/rest"
)

type (
	labRequest struct {
		Learner string     `json:"learner"`
		Lab     string     `json:"lab"` // id or number
		Number  rest.Int64 `json:"number"`
	}
	LabView struct {
		ID         string     `json:"id"`
		Number     int        `json:"number"`
		Title      string     `json:"title"`
		Tier       int        `json:"tier"`
		Minutes    int        `json:"minutes"`
		Domain     string     `json:"domain"`
		Objectives []string   `json:"objectives"`
		Started    *time.Time `json:"started,omitempty"`
		Passed     *time.Time `json:"passed,omitempty"`
		Attempts   int        `json:"attempts"`
		HintsSeen  int        `json:"hints_seen"`
		Solution   bool       `json:"solution_seen"`
	}
	LabsResponse struct {
		Labs []LabView `json:"labs"`
	}
	LabResponse struct {
		LabView
		Task     string          `json:"task"`               // Markdown
		Hints    int             `json:"hints"`              // how many there are
		Seen     []string        `json:"seen_hints"`         // those that were looked at
		Checks   []string        `json:"checks"`             // what is looked for, in order
		Findings []judge.Finding `json:"findings,omitempty"` // of the last attempt
		Shown    string          `json:"solution,omitempty"` // once it was asked for
		Start    string          `json:"start"`              // the text of start.py
		Sources  []string        `json:"sources"`
		Checked  string          `json:"checked"`
	}
	LabFile struct {
		Name string `json:"name"`
		Text string `json:"text"`
	}
	StartLabResponse struct {
		Lab   LabResponse `json:"lab"`
		Files []LabFile   `json:"files"` // lab.py first
	}
	HintResponse struct {
		Number int    `json:"number"`
		Of     int    `json:"of"`
		Hint   string `json:"hint"`
	}
	SolutionResponse struct {
		Solution string `json:"solution"`
	}
	attemptRequest struct {
		Learner string `json:"learner"`
		Lab     string `json:"lab"`
		Server  string `json:"server"` // the address at which the learner's side reaches this server
	}
	AttemptResponse struct {
		Attempt    string            `json:"attempt"`
		Experiment string            `json:"experiment"`
		Env        map[string]string `json:"env"` // what the learner's file is to run with
	}
	judgeRequest struct {
		Attempt string       `json:"attempt"`
		Script  judge.Script `json:"script"`
	}
	JudgeResponse struct {
		Lab      string          `json:"lab"`
		Passed   bool            `json:"passed"`
		Findings []judge.Finding `json:"findings"`
		Next     string          `json:"next,omitempty"` // the lab after one that was passed
	}
	evidenceRequest struct {
		Attempt string `json:"attempt"`
	}
)

// findLab finds a lab by its id or number.
func (s *Service) findLab(id string) (*course.Lab, error) {
	if l := s.course.Lab(id); l != nil {
		return l, nil
	}
	if n, err := strconv.Atoi(id); err == nil {
		for _, l := range s.course.Labs {
			if l.Number == n {
				return l, nil
			}
		}
	}
	return nil, rest.NotFound("There is no lab '%s'.", id)
}

// labAndLearner is what most requests about labs begin with.
func (s *Service) labAndLearner(ctx context.Context, in *labRequest) (*course.Lab, string, error) {
	l, err := s.findLab(in.Lab)
	if err != nil {
		return nil, "", err
	}
	who, err := learnerOf(ctx, in.Learner)
	return l, who, err
}

func labInfo(l *course.Lab, p progress.Lab) LabView {
	v := LabView{ID: l.ID, Number: l.Number, Title: l.Title, Tier: l.Tier, Minutes: l.Mins, Domain: l.Domain, Objectives: l.Objectives,
		Attempts: p.Attempts, HintsSeen: p.Hints, Solution: !p.Solution.IsZero()}
	if !p.Started.IsZero() {
		v.Started = &p.Started
	}
	if !p.Passed.IsZero() {
		v.Passed = &p.Passed
	}
	return v
}

func (s *Service) labs(ctx context.Context, in *learnerRequest) (*LabsResponse, error) {
	r, err := s.record(ctx, in.Learner)
	if err != nil {
		return nil, err
	}
	out, state := &LabsResponse{Labs: []LabView{}}, r.LabOf()
	for _, l := range s.course.Labs {
		out.Labs = append(out.Labs, labInfo(l, state[l.ID]))
	}
	return out, nil
}

func (s *Service) lab(ctx context.Context, in *labRequest) (*LabResponse, error) {
	l, who, err := s.labAndLearner(ctx, in)
	if err != nil {
		return nil, err
	}
	r, err := s.store.Record(ctx, who)
	if err != nil {
		return nil, err
	}
	start, err := s.labFile(l, "start.py")
	if err != nil {
		return nil, err
	}
	p := r.LabOf()[l.ID]
	out := &LabResponse{LabView: labInfo(l, p), Task: l.Task, Hints: len(l.Hints), Seen: l.Hints[:min(p.Hints, len(l.Hints))], Findings: p.Findings,
		Start: start, Sources: l.Sources, Checked: l.Checked}
	if !p.Solution.IsZero() {
		if out.Shown, err = s.labFile(l, "solution.py"); err != nil {
			return nil, err
		}
	}
	for _, c := range l.Checks {
		out.Checks = append(out.Checks, c.Sought)
	}
	return out, nil
}

func (s *Service) labFile(l *course.Lab, name string) (string, error) {
	text, err := fs.ReadFile(s.course.Files, l.Dir+"/"+name)
	if err != nil {
		return "", fmt.Errorf("read %s of the lab %s: %w", name, l.ID, err)
	}
	return string(text), nil
}

func (s *Service) startLab(ctx context.Context, in *labRequest) (*StartLabResponse, error) {
	l, who, err := s.labAndLearner(ctx, in)
	if err != nil {
		return nil, err
	}
	if err := s.store.LabStarted(ctx, who, l.ID, s.now()); err != nil {
		return nil, err
	}
	view, err := s.lab(ctx, in)
	if err != nil {
		return nil, err
	}
	out := &StartLabResponse{Lab: *view, Files: []LabFile{{"lab.py", view.Start}}}
	for _, name := range l.Data {
		text, err := fs.ReadFile(s.course.Files, "data/"+name)
		if err != nil {
			return nil, fmt.Errorf("read the lab's data: %w", err)
		}
		out.Files = append(out.Files, LabFile{name, string(text)})
	}
	return out, nil
}

// hintLab gives one hint; without a number the next that was not looked at.
func (s *Service) hintLab(ctx context.Context, in *labRequest) (*HintResponse, error) {
	l, who, err := s.labAndLearner(ctx, in)
	if err != nil {
		return nil, err
	}
	n := int(in.Number)
	if n == 0 {
		r, err := s.store.Record(ctx, who)
		if err != nil {
			return nil, err
		}
		n = min(r.LabOf()[l.ID].Hints+1, len(l.Hints))
	}
	if n < 1 || n > len(l.Hints) {
		return nil, rest.Invalid("The lab '%s' has %d hints.", l.ID, len(l.Hints))
	}
	if err := s.store.LabHinted(ctx, who, l.ID, n, s.now()); err != nil {
		return nil, err
	}
	return &HintResponse{n, len(l.Hints), l.Hints[n-1]}, nil
}

func (s *Service) solveLab(ctx context.Context, in *labRequest) (*SolutionResponse, error) {
	l, who, err := s.labAndLearner(ctx, in)
	if err != nil {
		return nil, err
	}
	text, err := s.labFile(l, "solution.py")
	if err != nil {
		return nil, err
	}
	return &SolutionResponse{text}, s.store.LabSolved(ctx, who, l.ID, s.now())
}

// resetLab forgets that a lab was passed and gives its files anew.
func (s *Service) resetLab(ctx context.Context, in *labRequest) (*StartLabResponse, error) {
	l, who, err := s.labAndLearner(ctx, in)
	if err != nil {
		return nil, err
	}
	if err := s.store.LabReset(ctx, who, l.ID, s.now()); err != nil {
		return nil, err
	}
	return s.startLab(ctx, in)
}

func (s *Service) startAttempt(ctx context.Context, in *attemptRequest) (*AttemptResponse, error) {
	l, who, err := s.labAndLearner(ctx, &labRequest{Learner: in.Learner, Lab: in.Lab})
	if err != nil {
		return nil, err
	}
	server, err := url.Parse(in.Server)
	if err != nil || server.Host == "" {
		return nil, rest.Invalid("The parameter 'server' has to be the address of this server as the learner reaches it, such as http://127.0.0.1:5000.")
	}
	_, port, err := net.SplitHostPort(s.connect)
	if err != nil {
		return nil, fmt.Errorf("the address of Spark Connect: %w", err)
	}
	x, err := s.attempts.Start(ctx, l, who)
	if err != nil {
		return nil, err
	}
	return &AttemptResponse{Attempt: x.ID, Experiment: x.Experiment, Env: map[string]string{
		"SPARK_REMOTE":           "sc://" + net.JoinHostPort(server.Hostname(), port) + "/;session_id=" + x.ID,
		"MLFLOW_TRACKING_URI":    server.Scheme + "://" + server.Host,
		"MLFLOW_EXPERIMENT_NAME": x.Experiment,
		"MLFLOW_TRACKING_TOKEN":  x.ID,
	}}, nil
}

// attempt finds an attempt of who asks.
func (s *Service) attempt(ctx context.Context, id string) (*attempt.Attempt, error) {
	x, err := s.attempts.Get(id)
	if err != nil {
		return nil, answered(err)
	}
	_, err = learnerOf(ctx, x.Learner)
	return x, err
}

func (s *Service) evidence(ctx context.Context, in *evidenceRequest) (*judge.Evidence, error) {
	x, err := s.attempt(ctx, in.Attempt)
	if err != nil {
		return nil, err
	}
	e, err := s.attempts.Evidence(ctx, x, judge.Script{})
	return &e, answered(err)
}

func (s *Service) judge(ctx context.Context, in *judgeRequest) (*JudgeResponse, error) {
	x, err := s.attempt(ctx, in.Attempt)
	if err != nil {
		return nil, err
	}
	l, err := s.findLab(x.Lab)
	if err != nil {
		return nil, err
	}
	e, err := s.attempts.Evidence(ctx, x, in.Script)
	if err != nil {
		return nil, answered(err)
	}
	out := &JudgeResponse{Lab: l.ID, Findings: judge.Test(l.Checks, e)}
	out.Passed = judge.Passed(out.Findings)
	if err := s.store.LabTried(ctx, x.Learner, l.ID, out.Findings, s.now()); err != nil {
		return nil, err
	}
	if !out.Passed {
		return out, nil
	}
	r, err := s.store.Record(ctx, x.Learner)
	if err != nil {
		return nil, err
	}
	out.Next = s.nextLab(r)
	return out, nil
}

// nextLab is the first lab that was not passed, "" if all were.
func (s *Service) nextLab(r *progress.Record) string {
	state := r.LabOf()
	for _, l := range s.course.Labs {
		if state[l.ID].Passed.IsZero() {
			return l.ID
		}
	}
	return ""
}
