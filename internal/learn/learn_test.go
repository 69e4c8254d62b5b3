package learn_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"math/rand/v2"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/millpond/millpond/internal/artifact"
	"github.com/millpond/millpond/internal/db"
	"github.com/millpond/millpond/internal/db/dbtest"
	"github.com/millpond/millpond/internal/evidence"
	"github.com/millpond/millpond/internal/learn"
	"github.com/millpond/millpond/internal/learn/agenda"
	"github.com/millpond/millpond/internal/learn/course"
	"github.com/millpond/millpond/internal/learn/coursetest"
	"github.com/millpond/millpond/internal/learn/readiness"
	"github.com/millpond/millpond/internal/registry"
	"github.com/millpond/millpond/internal/rest"
	"github.com/millpond/millpond/internal/tracking"
)

func TestOnPostgres(t *testing.T) { dbtest.OnPostgres(t) }

// school is a service with a course of made-up questions, and a clock that the test turns.
type school struct {
	t       *testing.T
	handler http.Handler
	course  *course.Course
	log     *evidence.Log
	mu      sync.Mutex
	now     time.Time
}

func open(t *testing.T, questions int) *school {
	t.Helper()
	quiet := slog.New(slog.NewTextHandler(io.Discard, nil))
	records, err := db.Open(t.Context(), dbtest.Address(t), db.Options{Logger: quiet})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { records.Close() })
	files, err := artifact.Open(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { files.Close() })
	mux := rest.NewMux(rest.MuxOptions{Logger: quiet})
	runs, err := tracking.New(t.Context(), records, files, tracking.Options{Logger: quiet})
	if err != nil {
		t.Fatal(err)
	}
	runs.Mount(mux)
	registry.New(records, runs, registry.Options{Logger: quiet}).Mount(mux)
	s := &school{t: t, course: coursetest.Course(t, questions), log: evidence.NewLog(), now: time.Date(2026, 11, 26, 9, 0, 0, 0, time.UTC)}
	l := learn.New(learn.Options{Course: s.course, Records: records, Log: s.log, MLflow: mux, Connect: "127.0.0.1:15002", Now: s.clock, Random: rand.New(rand.NewPCG(5, 5))})
	l.Mount(mux)
	s.handler = l.Witness(mux)
	return s
}

func (s *school) clock() time.Time {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.now
}

func (s *school) later(d time.Duration) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.now = s.now.Add(d)
}

func (s *school) send(method, path string, in any, header ...string) *httptest.ResponseRecorder {
	s.t.Helper()
	text, err := json.Marshal(in)
	if err != nil {
		s.t.Fatal(err)
	}
	r := httptest.NewRequest(method, path, bytes.NewReader(text))
	r.Header.Set("Content-Type", "application/json")
	for i := 0; i+1 < len(header); i += 2 {
		r.Header.Set(header[i], header[i+1])
	}
	w := httptest.NewRecorder()
	s.handler.ServeHTTP(w, r)
	return w
}

// ask gets a path of the course's API, or posts to it if there is a body.
func ask[T any](s *school, path string, in any) T {
	s.t.Helper()
	method := http.MethodPost
	if in == nil {
		method = http.MethodGet
	}
	w := s.send(method, learn.Prefix+path, in)
	var out T
	if w.Code != http.StatusOK {
		s.t.Fatalf("%s %s: %d %s", method, path, w.Code, w.Body)
	}
	if err := json.Unmarshal(w.Body.Bytes(), &out); err != nil {
		s.t.Fatalf("%s %s: %v in %s", method, path, err, w.Body)
	}
	return out
}

func (s *school) refuses(path string, in any, status int, words string) {
	s.t.Helper()
	method := http.MethodPost
	if in == nil {
		method = http.MethodGet
	}
	w := s.send(method, learn.Prefix+path, in)
	if w.Code != status || !strings.Contains(w.Body.String(), words) {
		s.t.Errorf("%s %s: %d %s, want %d with %q", method, path, w.Code, w.Body, status, words)
	}
}

type fields = map[string]any

func TestAnswersComeOnlyAfterTheQuestionIsAnswered(t *testing.T) {
	s := open(t, 3)
	body := s.send("GET", learn.Prefix+"/questions?domain=training&count=5", nil).Body.String()
	if strings.Contains(body, "because") || strings.Contains(body, `"right"`) {
		t.Errorf("an answer is told before the question is answered: %s", body)
	}
	q := ask[learn.QuestionsResponse](s, "/questions?domain=training&count=5", nil).Questions
	if len(q) != 5 || q[0].Domain != "training" || q[0].Choose != 1 {
		t.Fatalf("%+v", q)
	}
	right := s.course.Question(q[0].ID).Right()
	a := ask[learn.AnswerResponse](s, "/questions/"+q[0].ID+"/answer", fields{"chosen": right})
	if !a.Correct || len(a.Why) != 4 || a.Interval != 1 {
		t.Errorf("%+v", a)
	}
	wrong := (s.course.Question(q[1].ID).Right()[0] + 1) % 4
	if a := ask[learn.AnswerResponse](s, "/questions/"+q[1].ID+"/answer", fields{"chosen": []int{wrong}}); a.Correct || !slices.Equal(a.Right, s.course.Question(q[1].ID).Right()) {
		t.Errorf("%+v", a)
	}
	s.refuses("/questions/"+q[2].ID+"/answer", fields{"chosen": []int{4}}, 400, "numbered from 0")
	s.refuses("/questions/none/answer", fields{"chosen": []int{0}}, 404, "no question")
	s.refuses("/questions?domain=none", nil, 404, "no domain")
}

func TestQuestionsComeBackWhenTheyAreDue(t *testing.T) {
	s := open(t, 2)
	path := "/questions?objective=imputer"
	q := ask[learn.QuestionsResponse](s, path, nil).Questions
	if len(q) != 2 {
		t.Fatalf("%d questions of one objective, want 2", len(q))
	}
	for _, x := range q {
		ask[learn.AnswerResponse](s, "/questions/"+x.ID+"/answer", fields{"chosen": s.course.Question(x.ID).Right()})
	}
	if r := ask[learn.QuestionsResponse](s, path, nil); len(r.Questions) != 0 || r.Next == nil || !r.Next.Equal(s.clock().AddDate(0, 0, 1)) {
		t.Errorf("after answering: %+v", r)
	}
	if r := ask[learn.QuestionsResponse](s, path+"&quick=true", nil); len(r.Questions) != 2 {
		t.Errorf("a quick check asks %d questions", len(r.Questions))
	}
	s.later(25 * time.Hour)
	if r := ask[learn.QuestionsResponse](s, path, nil); len(r.Questions) != 2 {
		t.Errorf("a day later %d questions are due", len(r.Questions))
	}
}

func TestTwoBrowsersInOneMockLoseNothing(t *testing.T) {
	s := open(t, 6)
	m := ask[learn.MockView](s, "/mocks", fields{"map": "guide"})
	if len(m.Questions) != 45 || m.Remaining != 90*60 {
		t.Fatalf("%d questions, %d seconds", len(m.Questions), m.Remaining)
	}
	var wg sync.WaitGroup
	for browser := range 2 {
		wg.Go(func() {
			for i, q := range m.Questions {
				in := fields{"flagged": true}
				if i%2 == browser {
					in = fields{"chosen": []int{q.Question.Options[0].ID}}
				}
				if w := s.send("POST", fmt.Sprintf("%s/mocks/%s/questions/%d", learn.Prefix, m.ID, i), in); w.Code != 200 {
					t.Errorf("question %d: %d %s", i, w.Code, w.Body)
				}
			}
		})
	}
	wg.Wait()
	got := ask[learn.MockView](s, "/mocks/"+m.ID, nil)
	if got.Answered != 45 || got.Flagged != 45 {
		t.Errorf("%d answered and %d flagged of 45", got.Answered, got.Flagged)
	}
	for i, q := range got.Questions {
		if !slices.Equal(q.Chosen, []int{m.Questions[i].Question.Options[0].ID}) {
			t.Errorf("question %d: chosen %v", i, q.Chosen)
		}
	}
}

func TestAMockGoesOnWithTheClockAsItShouldBe(t *testing.T) {
	s := open(t, 8)
	m := ask[learn.MockView](s, "/mocks", fields{"map": "vendor"})
	s.refuses("/mocks/"+m.ID+"/review", nil, 409, "still runs")
	right := map[string]bool{}
	for i, q := range m.Questions[:40] {
		ask[learn.MarkResponse](s, fmt.Sprintf("/mocks/%s/questions/%d", m.ID, i), fields{"chosen": s.course.Question(q.Question.ID).Right()})
		right[q.Question.ID] = true
	}
	s.later(30 * time.Minute) // the laptop is closed
	if got := ask[learn.MockView](s, "/mocks/"+m.ID, nil); got.Remaining != 60*60 || got.Answered != 40 || got.Result != nil {
		t.Errorf("half an hour later: %d seconds left, %d answered, result %v", got.Remaining, got.Answered, got.Result)
	}
	s.later(2 * time.Hour)
	s.refuses(fmt.Sprintf("/mocks/%s/questions/41", m.ID), fields{"chosen": []int{0}}, 409, "finished")
	r := ask[learn.ReviewResponse](s, "/mocks/"+m.ID+"/review", nil)
	if r.Result == nil || r.Result.Right != 40 || r.Result.Total != 48 || !r.Result.Passed || !r.Finished.Equal(m.Deadline) {
		t.Errorf("%+v finished %v", r.Result, r.Finished)
	}
	for _, q := range r.Review {
		if q.Correct != right[q.Question.ID] || len(q.Why) != 4 {
			t.Errorf("review of %s: correct %v", q.Question.ID, q.Correct)
		}
	}
	again := ask[learn.ReviewResponse](s, "/mocks/"+m.ID+"/finish", fields{})
	if !slices.Equal(again.Result.Domains, r.Result.Domains) {
		t.Errorf("finishing again changed the result")
	}
	seen := map[string]bool{}
	for _, q := range m.Questions {
		seen[q.Question.ID] = true
	}
	for _, q := range ask[learn.MockView](s, "/mocks", fields{"map": "vendor"}).Questions {
		if seen[q.Question.ID] {
			t.Errorf("the second mock asks %s again", q.Question.ID)
		}
	}
}

func TestPlanShowsTodayOverdueAndWhatIsWeak(t *testing.T) {
	s := open(t, 6)
	s.refuses("/plan", nil, 404, "No plan is followed")
	a := ask[agenda.Agenda](s, "/plan", fields{"plan": "21-day"})
	if a.Number != 1 || len(a.Today) == 0 || len(a.Overdue) != 0 {
		t.Fatalf("%+v", a)
	}
	for _, it := range a.Today {
		switch it.Kind {
		case agenda.Topic:
			ask[struct{}](s, "/topics/"+it.ID+"/finish", fields{})
		case agenda.Questions:
			s.answer("choose-algorithm", 6, false)
			s.answer("learning-kinds", 4, true)
		}
	}
	a = ask[agenda.Agenda](s, "/plan", nil)
	for _, it := range a.Today {
		if !it.Done {
			t.Errorf("not done: %+v", it)
		}
	}
	if len(a.Weak) != 1 || a.Weak[0].Objective != "choose-algorithm" || a.Weak[0].Score.State != readiness.Weak {
		t.Errorf("weak: %+v", a.Weak)
	}
	s.later(48 * time.Hour)
	a = ask[agenda.Agenda](s, "/plan", nil)
	if a.Number != 3 || len(a.Overdue) == 0 || !strings.HasPrefix(a.Overdue[0].ID, "bias") {
		t.Errorf("two days later: day %d, overdue %+v", a.Number, a.Overdue)
	}
}

// answer answers n questions of an objective.
func (s *school) answer(objective string, n int, right bool) {
	s.t.Helper()
	for i := range n {
		id := fmt.Sprintf("%s-%d", objective, i)
		chosen := s.course.Question(id).Right()
		if !right {
			chosen = []int{(chosen[0] + 1) % 4}
		}
		ask[learn.AnswerResponse](s, "/questions/"+id+"/answer", fields{"chosen": chosen})
	}
}

func TestReadinessIsHonest(t *testing.T) {
	s := open(t, 6)
	p := ask[learn.ProgressResponse](s, "/progress?map=guide", nil)
	if p.Ready || p.Score.State != readiness.New || p.Score.Evidence != 0 {
		t.Errorf("of a new learner: %+v", p.Score)
	}
	s.answer("imputer", 1, true)
	one := s.score("imputer")
	s.answer("imputer", 1, true) // the same question again shows nothing new
	if again := s.score("imputer"); again.Low != one.Low || one.State != readiness.Learning {
		t.Errorf("one question twice: %+v then %+v", one, again)
	}
	s.answer("imputer", 4, true)
	four := s.score("imputer")
	if four.State != readiness.Known || four.High-four.Low >= one.High-one.Low {
		t.Errorf("four right: %+v, one right: %+v", four, one)
	}
	p = ask[learn.ProgressResponse](s, "/progress?map=guide", nil)
	for _, l := range p.Checklist {
		if l.ID == "mocks" && (l.Done || len(l.Missing) != 1) || l.ID == "reviewed" && !l.Done {
			t.Errorf("checklist: %+v", l)
		}
	}
}

func (s *school) score(objective string) readiness.Score {
	s.t.Helper()
	for _, o := range ask[learn.ProgressResponse](s, "/progress", nil).Objectives {
		if o.ID == objective {
			return o.Score
		}
	}
	s.t.Fatalf("no objective %s", objective)
	return readiness.Score{}
}

func decoded(t *testing.T, raw []byte) map[string]any {
	t.Helper()
	out := map[string]any{}
	if err := json.Unmarshal(raw, &out); err != nil {
		t.Fatalf("%v in %s", err, raw)
	}
	return out
}

func text(t *testing.T, v any) string {
	t.Helper()
	raw, err := json.MarshalIndent(v, "", " ")
	if err != nil {
		t.Fatal(err)
	}
	return string(raw)
}

func TestWhoIsSignedInLearnsForThemselves(t *testing.T) {
	s := open(t, 1)
	as := func(user, method, path string, in any) *httptest.ResponseRecorder {
		body, err := json.Marshal(in)
		if err != nil {
			t.Fatal(err)
		}
		r := httptest.NewRequest(method, learn.Prefix+path, bytes.NewReader(body))
		r.Header.Set("Content-Type", "application/json")
		w := httptest.NewRecorder()
		s.handler.ServeHTTP(w, r.WithContext(rest.WithUser(r.Context(), user)))
		return w
	}
	if w := as("ana", "POST", "/topics/imputer/finish", fields{}); w.Code != http.StatusOK {
		t.Fatal(w.Body)
	}
	for user, want := range map[string]bool{"ana": true, "ben": false} {
		if got := strings.Contains(as(user, "GET", "/export", nil).Body.String(), `"imputer"`); got != want {
			t.Errorf("%s has read it: %v", user, got)
		}
	}
	if w := as("ben", "GET", "/export?learner=ana", nil); w.Code != http.StatusForbidden {
		t.Errorf("ben reads ana's progress: %d", w.Code)
	}
	record := decoded(t, as("ana", "GET", "/export", nil).Body.Bytes())
	if w := as("ben", "POST", "/import", record); w.Code != http.StatusOK || !strings.Contains(w.Body.String(), `"ben"`) {
		t.Errorf("ben takes a record along: %s", w.Body)
	}
}
