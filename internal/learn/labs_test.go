package learn_test

import (
	"net/http"
	"strings"
	"testing"

	"github.com/millpond/millpond/internal/evidence"
	"github.com/millpond/millpond/internal/learn"
	"github.com/millpond/millpond/internal/learn/judge"
	"github.com/millpond/millpond/internal/learn/progress"
)

const here = "http://127.0.0.1:5000"

func (s *school) attempt(lab string) learn.AttemptResponse {
	s.t.Helper()
	return ask[learn.AttemptResponse](s, "/labs/"+lab+"/attempts", fields{"server": here})
}

func TestALabIsJudgedByWhatHappened(t *testing.T) {
	s := open(t, 1)
	a := s.attempt("random-split")
	if want := "sc://127.0.0.1:15002/;session_id=" + a.Attempt; a.Env["SPARK_REMOTE"] != want || a.Env["MLFLOW_TRACKING_URI"] != here {
		t.Errorf("the script runs with %v", a.Env)
	}
	whole := evidence.Input{Split: "all", Share: 1, Rows: 1000}
	s.log.Record(a.Attempt, evidence.Fit{Estimator: "LinearRegression", Input: whole})
	v := ask[learn.JudgeResponse](s, "/attempts/"+a.Attempt+"/judge", fields{"script": judge.Script{OK: true}})
	if v.Passed || v.Findings[0].ID != "runs" || !v.Findings[0].OK || v.Findings[1].ID != "fitted-on-train" || v.Findings[1].OK {
		t.Fatalf("%+v", v)
	}
	if f := v.Findings[1]; f.Sought == "" || f.Hint != 2 || len(f.Found) != 1 || !strings.Contains(f.Found[0], "1000 rows") {
		t.Errorf("%+v", f)
	}
	part := evidence.Input{Split: "train", Share: 0.8, Rows: 803, Seed: 42}
	rest := evidence.Input{Split: "held-out", Share: 0.2, Lower: 0.8, Rows: 197, Seed: 42}
	s.log.Record(a.Attempt, evidence.Fit{Estimator: "LinearRegression", Input: part})
	s.log.Record(a.Attempt, evidence.Evaluation{Metric: "rmse", Input: rest})
	v = ask[learn.JudgeResponse](s, "/attempts/"+a.Attempt+"/judge", fields{"script": judge.Script{OK: true}})
	if !v.Passed || v.Next != "imputer" {
		t.Errorf("%+v", v)
	}
	if l := ask[learn.LabResponse](s, "/labs/random-split", nil); len(l.Findings) != 4 || !judge.Passed(l.Findings) {
		t.Errorf("the last attempt's findings are not kept: %+v", l.Findings)
	}
	labs := ask[learn.LabsResponse](s, "/labs", nil).Labs
	if labs[0].Passed == nil || labs[0].Attempts != 2 {
		t.Errorf("%+v", labs[0])
	}
}

func TestAScriptThatFailsIsToldFirst(t *testing.T) {
	s := open(t, 1)
	a := s.attempt("2")
	v := ask[learn.JudgeResponse](s, "/attempts/"+a.Attempt+"/judge", fields{"script": judge.Script{ExitCode: 1, Error: "ValueError: no"}})
	if v.Passed || v.Findings[0].OK || v.Findings[0].Found[0] != "ValueError: no" {
		t.Errorf("%+v", v.Findings[0])
	}
	if f := v.Findings[1]; f.OK || len(f.Found) != 1 || f.Found[0] != "no estimator was fitted" {
		t.Errorf("%+v", f)
	}
}

func TestRunsAndRequestsOfAnAttemptAreEvidence(t *testing.T) {
	s := open(t, 1)
	a := s.attempt("nested-runs")
	token := []string{"Authorization", "Bearer " + a.Attempt}
	call := func(path string, in any) map[string]any {
		t.Helper()
		w := s.send(http.MethodPost, "/api/2.0/mlflow/"+path, in, token...)
		if w.Code != 200 {
			t.Fatalf("%s: %d %s", path, w.Code, w.Body)
		}
		return decoded(t, w.Body.Bytes())
	}
	found := s.send("GET", "/api/2.0/mlflow/experiments/get-by-name?experiment_name="+a.Experiment, nil, token...)
	id := decoded(t, found.Body.Bytes())["experiment"].(map[string]any)["experiment_id"]
	made := call("runs/create", fields{"experiment_id": id, "run_name": "ridge"})
	parent := made["run"].(map[string]any)["info"].(map[string]any)["run_id"].(string)
	call("runs/log-metric", fields{"run_id": parent, "key": "m", "value": 1.5, "timestamp": 1, "step": 0})
	call("runs/log-metric", fields{"run_id": parent, "key": "m", "value": 0.5, "timestamp": 2, "step": 1})
	call("runs/create", fields{"experiment_id": id, "run_name": "child", "tags": []fields{{"key": "mlflow.parentRunId", "value": parent}, {"key": "mine", "value": "x"}}})
	call("runs/search", fields{"experiment_ids": []any{id}, "filter": "metrics.m < 1"})
	e := ask[judge.Evidence](s, "/attempts/"+a.Attempt+"/evidence", nil)
	if len(e.Runs) != 2 || e.Runs[0].Name != "ridge" || e.Runs[1].Parent != parent || e.Runs[1].Tags["mine"] != "x" || len(e.Runs[1].Tags) != 1 {
		t.Fatalf("%+v", e.Runs)
	}
	if h := e.Runs[0].History["m"]; len(h) != 2 || e.Runs[0].Metrics["m"] != 0.5 {
		t.Errorf("metrics %+v, history %v", e.Runs[0].Metrics, h)
	}
	last := e.Calls[len(e.Calls)-1]
	if last.Endpoint != "runs/search" || last.Params["filter"] != "metrics.m < 1" || last.Status != 200 {
		t.Errorf("%+v", last)
	}
}

func TestWhatWorkersReadIsEvidenceToo(t *testing.T) {
	s := open(t, 1)
	a := s.attempt("imputer")
	id := decoded(t, s.send("GET", "/api/2.0/mlflow/experiments/get-by-name?experiment_name="+a.Experiment, nil).Body.Bytes())["experiment"].(map[string]any)["experiment_id"].(string)
	for _, path := range []string{id + "/models/m-1/artifacts/MLmodel", "0/models/m-2/artifacts/MLmodel"} {
		s.send("GET", "/api/2.0/mlflow-artifacts/artifacts/"+path, nil) // without the attempt's token
	}
	e := ask[judge.Evidence](s, "/attempts/"+a.Attempt+"/evidence", nil)
	if len(e.Calls) != 1 || !e.Calls[0].Worker || e.Calls[0].Params["path"] != id+"/models/m-1/artifacts/MLmodel" || e.Calls[0].Status != 404 {
		t.Errorf("%+v", e.Calls)
	}
}

func TestANewAttemptClearsTheLastAway(t *testing.T) {
	s := open(t, 1)
	first := s.attempt("imputer")
	other := ask[learn.AttemptResponse](s, "/labs/imputer/attempts", fields{"server": here, "learner": "another"})
	second := s.attempt("imputer")
	s.refuses("/attempts/"+first.Attempt+"/judge", fields{"script": fields{}}, 404, "start another")
	for _, a := range []learn.AttemptResponse{other, second} {
		ask[judge.Evidence](s, "/attempts/"+a.Attempt+"/evidence", nil)
	}
	if s.log.Listens(first.Attempt) || !s.log.Listens(second.Attempt) {
		t.Error("the sessions that are heard are not those of the attempts that run")
	}
}

func TestHintsSolutionReset(t *testing.T) {
	s := open(t, 1)
	start := ask[learn.StartLabResponse](s, "/labs/1/start", fields{})
	if start.Files[0].Name != "lab.py" || !strings.Contains(start.Files[0].Text, "TODO") || len(start.Lab.Checks) != 4 {
		t.Errorf("%+v", start)
	}
	for want := 1; want <= 3; want++ {
		if h := ask[learn.HintResponse](s, "/labs/1/hint", fields{}); h.Number != want || h.Of != 3 {
			t.Errorf("hint %d of %d, want %d of 3", h.Number, h.Of, want)
		}
	}
	if h := ask[learn.HintResponse](s, "/labs/1/hint", fields{"number": 1}); h.Number != 1 {
		t.Errorf("%+v", h)
	}
	s.refuses("/labs/1/hint", fields{"number": 9}, 400, "3 hints")
	if x := ask[learn.SolutionResponse](s, "/labs/1/solution", fields{}); !strings.Contains(x.Solution, "randomSplit") {
		t.Errorf("%+v", x)
	}
	l := ask[learn.LabResponse](s, "/labs/1", nil)
	if l.HintsSeen != 3 || len(l.Seen) != 3 || !l.Solution || !strings.Contains(l.Shown, "randomSplit") {
		t.Errorf("%+v", l)
	}
	ask[learn.StartLabResponse](s, "/labs/1/reset", fields{})
	if l := ask[learn.LabResponse](s, "/labs/1", nil); l.HintsSeen != 0 || len(l.Seen) != 0 || l.Solution || l.Shown != "" || l.Findings != nil {
		t.Errorf("after a reset: %+v", l)
	}
	s.refuses("/labs/99", nil, 404, "no lab")
	s.refuses("/labs/1/attempts", fields{"server": "nowhere"}, 400, "server")
}

func TestProgressTravels(t *testing.T) {
	s := open(t, 6)
	s.answer("imputer", 2, false)
	m := ask[learn.MockView](s, "/mocks", fields{"map": "guide"})
	ask[learn.MarkResponse](s, "/mocks/"+m.ID+"/questions/0", fields{"chosen": []int{1}, "flagged": true})
	ask[learn.ReviewResponse](s, "/mocks/"+m.ID+"/finish", fields{})
	ask[learn.HintResponse](s, "/labs/1/hint", fields{})
	a := s.attempt("random-split")
	ask[learn.JudgeResponse](s, "/attempts/"+a.Attempt+"/judge", fields{"script": judge.Script{OK: true}})
	ask[struct{}](s, "/topics/imputer/finish", fields{})
	ask[struct{}](s, "/plan", fields{"plan": "weekend", "start": "2026-11-20"})
	out := ask[progress.Record](s, "/export", nil)
	out.Learner = "twin"
	in := ask[learn.ImportResponse](s, "/import", out)
	if in.Learner != "twin" || in.Answers != 3 || in.Mocks != 1 || in.Labs != 1 {
		t.Errorf("%+v", in)
	}
	twin := ask[progress.Record](s, "/export?learner=twin", nil)
	if twin.Mocks[0].ID == out.Mocks[0].ID || twin.Answers[2].Mock != twin.Mocks[0].ID {
		t.Errorf("the mock's id: %s, its answers' %s, the other's %s", twin.Mocks[0].ID, twin.Answers[2].Mock, out.Mocks[0].ID)
	}
	twin.Mocks[0].ID, twin.Answers[2].Mock = out.Mocks[0].ID, out.Mocks[0].ID
	if a, b := text(t, out), text(t, twin); a != b {
		t.Errorf("exported\n%s\nimported and exported again\n%s", a, b)
	}
	s.refuses("/import", fields{"answers": []any{}}, 400, "millpond learn export")
	if ask[progress.Record](s, "/export", nil).Answers[0].Correct {
		t.Error("the import touched another learner")
	}
}
