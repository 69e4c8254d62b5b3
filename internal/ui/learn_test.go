package ui

import (
	"bytes"
	"encoding/json"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/millpond/millpond/internal/artifact"
	"github.com/millpond/millpond/internal/db"
	"github.com/millpond/millpond/internal/db/dbtest"
	"github.com/millpond/millpond/internal/evidence"
	"github.com/millpond/millpond/internal/learn"
	"github.com/millpond/millpond/internal/learn/coursetest"
	"github.com/millpond/millpond/internal/registry"
	"github.com/millpond/millpond/internal/rest"
	"github.com/millpond/millpond/internal/tracking"
)

// classroom is the pages over the course's real service, with made-up questions.
type classroom struct {
	t     *testing.T
	pages http.Handler
	api   http.Handler
	now   time.Time
}

func newClassroom(t *testing.T) *classroom {
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
	c := &classroom{t: t, api: mux, now: time.Now()}
	learn.New(learn.Options{Course: coursetest.Course(t, 4), Records: records, Log: evidence.NewLog(), MLflow: mux, Connect: "127.0.0.1:15002", Now: func() time.Time { return c.now }}).Mount(mux)
	c.pages = pages(t, mux)
	return c
}

// has asks for a page and wants texts of it, and none of those after "not".
func (c *classroom) has(path string, wants ...string) string {
	c.t.Helper()
	w := get(c.pages, path)
	body := w.Body.String()
	if w.Code != http.StatusOK {
		c.t.Fatalf("%s: status %d: %s", path, w.Code, body)
	}
	for _, want := range wants {
		if not, no := strings.CutPrefix(want, "not "); strings.Contains(body, not) == no {
			c.t.Errorf("%s: want %q in it: %v", path, not, !no)
		}
	}
	return body
}

// post asks the course's API and gives its answer.
func (c *classroom) post(path string, in any) map[string]any {
	c.t.Helper()
	body, err := json.Marshal(in)
	if err != nil {
		c.t.Fatal(err)
	}
	w := httptest.NewRecorder()
	r := httptest.NewRequest("POST", learn.Prefix+path, bytes.NewReader(body))
	r.Header.Set("Content-Type", "application/json")
	c.api.ServeHTTP(w, r)
	out := map[string]any{}
	if err := json.Unmarshal(w.Body.Bytes(), &out); err != nil || w.Code != http.StatusOK {
		c.t.Fatalf("%s: %d %s", path, w.Code, w.Body)
	}
	return out
}

type fields map[string]any

func TestANewcomerIsLedToTheFirstLab(t *testing.T) {
	c := newClassroom(t)
	c.has("/learn", "Solve your first lab", "export MILLPOND_SERVER=http://127.0.0.1:5000", "millpond learn start random-split", ">not known yet", `data-post="/plan"`)
}

func TestTodayComesFromThePlan(t *testing.T) {
	c := newClassroom(t)
	c.post("/plan", fields{"plan": "21-day", "map": "vendor", "start": c.now.AddDate(0, 0, -3).Format(time.DateOnly)})
	c.post("/topics/imputer/finish", fields{})
	c.has("/learn", "day 4 of 21", "Overdue", "Databricks Machine Learning", "Change the plan", "not Solve your first lab")
}

func TestTopicsAndCheatSheets(t *testing.T) {
	c := newClassroom(t)
	c.has("/learn/topics", "About imputer", "○ new", "not ✓ read")
	c.has("/learn/topics/imputer", "Mark as read", "Remember imputer.", "/learn/labs/imputer", "/learn/practice?objective=imputer")
	c.post("/topics/imputer/finish", fields{})
	c.has("/learn/topics/imputer", "✓ read", "not Mark as read")
	c.has("/learn/cheatsheets/training", "Remember cross-validation.")
	c.has("/learn/cheatsheets/platform", "Databricks Machine Learning") // another map's domain
	if w := get(c.pages, "/learn/topics/none"); w.Code != http.StatusNotFound {
		t.Errorf("a topic that is not there: status %d", w.Code)
	}
	c.has("/search?q=IMPUTER", "/learn/topics/imputer", "/learn/labs/imputer")
}

func TestQuestionsDoNotTellWhatIsRight(t *testing.T) {
	c := newClassroom(t)
	c.has("/learn/practice?objective=imputer", "What of imputer-0?", "option 3", "not because")
	mock := c.post("/mocks", fields{"map": "guide"})["id"].(string)
	c.has("/learn/mocks/"+mock, "<mock-exam", "option 3", "not because", "not right")
	c.has("/learn", "Go on with your mock exam")
}

func TestAMockIsReviewedOnceItIsOver(t *testing.T) {
	c := newClassroom(t)
	started := c.post("/mocks", fields{"map": "guide"})
	mock := started["id"].(string)
	option := func(place int, text string) int {
		question := started["questions"].([]any)[place].(map[string]any)["question"].(map[string]any)
		for _, o := range question["options"].([]any) {
			if o := o.(map[string]any); o["text"] == text {
				return int(o["id"].(float64))
			}
		}
		t.Fatalf("question %d has no %s", place, text)
		return 0
	}
	c.post("/mocks/"+mock+"/questions/0", fields{"chosen": []int{option(0, "option 0")}, "flagged": true})
	c.post("/mocks/"+mock+"/questions/1", fields{"chosen": []int{option(1, "option 1")}})
	c.has("/learn/mocks/"+mock, "2 of 45 answered · 1 flagged")
	c.now = c.now.Add(2 * time.Hour)
	c.has("/learn/mocks/"+mock, "✗ not passed", "1 of 45 right", "because 3", "your answer", "left open", "1 h 30 m")
	if n := strings.Count(c.has("/learn/mocks/"+mock+"?show=flagged"), "<article"); n != 1 {
		t.Errorf("%d questions were flagged", n)
	}
	if n := strings.Count(c.has("/learn/mocks/"+mock+"?show=wrong"), "<article"); n != 44 {
		t.Errorf("%d questions are wrong or open", n)
	}
	c.has("/learn/mocks", "✗ not passed")
	c.has("/learn/progress", "✗ not passed", "2 <span")
}

func TestALabRevealsItselfStepByStep(t *testing.T) {
	c := newClassroom(t)
	const path = "/learn/labs/random-split"
	c.has(path, "millpond learn watch random-split", "Hint 1 of 3", "not gives a list of two DataFrames", "Show the solution")
	c.post("/labs/random-split/hint", fields{"number": "1"})
	c.has(path, "gives a list of two DataFrames", "Hint 2 of 3")
	a := c.post("/labs/random-split/attempts", fields{"server": "http://127.0.0.1:5000"})["attempt"].(string)
	c.post("/attempts/"+a+"/judge", fields{"script": fields{"ok": false, "error": "NameError: <b>x</b>"}})
	c.has(path, "found: NameError: &lt;b&gt;x&lt;/b&gt;", "hint 1 helps", "◐ begun", `data-attempts="1"`)
	c.post("/labs/random-split/solution", fields{})
	c.has(path, "not Show the solution")
	c.post("/labs/random-split/reset", fields{})
	c.has(path, "Show the solution", "Hint 1 of 3", "not NameError")
	c.has("/learn/labs", "◐ begun", "random-split")
}

func TestMarkdownIsSafeAndReadable(t *testing.T) {
	for source, want := range map[string]string{
		"<script>x</script> <b onclick=y>z</b>": "not <script",
		"<b onclick=y>z</b>":                    "not onclick",
		"[x](javascript:alert(1))":              "not javascript",
		"| a |\n|--:|\n| 1 |":                   `<td align="right">1</td>`,
		"**Sources differ:** so.":               `<p class="differ">`,
		"```python run\nif 'a<b': # no\n```":    `<span class="word">if</span> <span class="string">&#39;a&lt;b&#39;</span>: <span class="comment"># no</span>`,
		"```\nif <x>\n```":                      "<code>if &lt;x&gt;</code>",
	} {
		got, err := markdown(source)
		if err != nil {
			t.Fatal(err)
		}
		if not, no := strings.CutPrefix(want, "not "); strings.Contains(string(got), not) == no {
			t.Errorf("%q gives %q; want %q in it: %v", source, got, not, !no)
		}
	}
	if got, err := markdownLine("a `b`"); err != nil || got != "a <code>b</code>" {
		t.Errorf("%s, %v", got, err)
	}
}
