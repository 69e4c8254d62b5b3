package browser

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/cdproto/page"
	"github.com/chromedp/chromedp"
	"github.com/chromedp/chromedp/kb"
)

// course asks the study course's API from within a page.
const course = `const course = async (p, b) => { const r = await fetch("/api/millpond/learn" + p, b && {method: "POST", headers: {"Content-Type": "application/json"}, body: JSON.stringify(b)}); return r.json() };`

// TestLearn is a learner's way through the pages of the course, on a new data directory.
func TestLearn(t *testing.T) {
	s := launch(t, func() string { return serve(t, filepath.Join(t.TempDir(), "data"), func() {}) })
	t.Run("a newcomer's home", func(t *testing.T) { newcomer(s.open(t, "/learn")) })
	t.Run("a topic", func(t *testing.T) { topic(s.open(t, "/learn/topics")) })
	t.Run("practice by keyboard", func(t *testing.T) { practice(s.open(t, "/learn/practice?tier=1&count=2")) })
	t.Run("a lab", func(t *testing.T) { lab(s.open(t, "/learn/labs/random-split")) })
	t.Run("a whole mock exam", func(t *testing.T) { mockExam(s, s.open(t, "/learn/mocks")) })
	t.Run("progress", func(t *testing.T) { progress(s.open(t, "/learn/progress")) })
	t.Run("pages", func(t *testing.T) { coursePages(t, s) })
}

func newcomer(w *tab) {
	text := w.eval(`document.querySelector("main").innerText`)
	for _, want := range []string{"Solve your first lab", "export MILLPOND_SERVER=" + w.url, "millpond learn start random-split", "millpond learn watch", "not known yet", "Choose a plan"} {
		if !strings.Contains(text, want) {
			w.Errorf("a newcomer is not told %q", want)
		}
	}
	if w.eval(`document.querySelector(".rail [aria-current]").innerText.trim()`) != "Learn" {
		w.Error("Learn is not lit in the rail")
	}
	w.until("a copy button", `document.querySelector(".next pre button").innerText === "Copy"`)
	w.do(chromedp.Evaluate(`document.querySelector("input[name=plan][value=weekend]").click(); document.querySelector("input[name=map][value=vendor]").click(); document.querySelector("form.follow").requestSubmit()`, nil))
	w.until("the plan's first day", `document.querySelector("main").innerText.includes("A weekend to refresh, day 1 of 2") && document.querySelectorAll(".todo li").length > 5`)
	if got := w.eval(asking(`(await course("/plan")).map`)); got != "vendor" {
		w.Errorf("the plan's exam map is %s", got)
	}
}

// asking wraps an expression that asks the course.
func asking(expression string) string {
	return `(async () => { ` + course + ` return await ` + expression + ` })()`
}

func topic(w *tab) {
	w.do(chromedp.Click(`a[href="/learn/topics/stages"]`))
	w.until("the topic", `document.querySelector("h1").innerText.includes("tage")`)
	for what, script := range map[string]string{
		"coloured code":         `document.querySelector("pre.code .string") && document.querySelector("pre.code .word")`,
		"the box of sources":    `document.querySelector("p.differ").innerText.startsWith("Sources differ")`,
		"a link to its lab":     `document.querySelector("aside a[href^='/learn/labs/']")`,
		"a link to practice":    `document.querySelector("aside a[href^='/learn/practice?objective=']")`,
		"no raw HTML in a page": `!document.querySelector(".markdown script, .markdown iframe")`,
	} {
		w.until(what, script)
	}
	w.do(chromedp.KeyEvent("m"))
	w.until("read", `document.querySelector("article .grade")?.innerText === "✓ read"`)
	w.do(chromedp.Navigate(w.url + "/learn/topics/aliases"))
	w.until("a table", `document.querySelector(".markdown table.list td code")`)
}

func practice(w *tab) {
	const here = `document.querySelector(".question.here")`
	w.until("a question", here)
	if strings.Contains(strings.ToLower(w.eval(`document.documentElement.outerHTML`)), `class="why"`) {
		w.Error("explanations are in the page before the answer")
	}
	for i := range 2 {
		n := int(w.eval(here + `.dataset.choose`)[0] - '0')
		w.do(chromedp.KeyEvent("123456"[:n]))
		w.until("chosen by keys", here+`.querySelectorAll("input:checked").length === `+string(rune('0'+n)))
		w.do(chromedp.KeyEvent(kb.Enter))
		w.until("every option explained", here+`.querySelectorAll(".why").length === `+here+`.querySelectorAll(".options li").length && `+here+`.querySelector("li.right")`)
		if i == 0 && w.eval(`document.querySelector("progress").value`) != "1" {
			w.Error("the progress does not move")
		}
		w.do(chromedp.KeyEvent(kb.Enter))
	}
	w.until("the end", `document.querySelector(".next h1").innerText.endsWith("of 2 right")`)
	if got := w.eval(asking(`(await course("/progress")).counts.questions.done`)); got != "2" {
		w.Errorf("%s answers are kept", got)
	}
}

func lab(w *tab) {
	w.until("the task", `document.querySelector(".markdown").innerText.length > 50 && document.querySelectorAll(".checks li").length === 4`)
	w.do(chromedp.KeyEvent("h"))
	w.until("one hint", `document.querySelectorAll(".hints > li").length === 1 && document.querySelector("main").innerText.includes("Hint 2 of 3")`)
	if w.eval(`document.querySelector("main").innerText.includes("[0.8, 0.2]")`) == "true" {
		w.Error("the second hint is there before it was asked for")
	}
	w.eval(`window.same = true`)
	w.eval(asking(`(async () => { const a = await course("/labs/random-split/attempts", {server: location.origin}); return course("/attempts/" + a.attempt + "/judge", {script: {ok: false, exit_code: 1, error: "NameError: no such thing"}}) })()`))
	w.until("the attempt's findings without a reload", `window.same && document.querySelector(".checks li.no .found").innerText === "found: NameError: no such thing"`)
	w.do(chromedp.Evaluate(`[...document.querySelectorAll("button")].find((b) => b.innerText === "Show the solution").click()`, nil))
	w.until("a question first", `document.querySelector("dialog[open]")`)
	w.do(chromedp.Evaluate(`document.querySelector("dialog .danger").click()`, nil))
	w.until("the solution", `document.querySelector("main").innerText.includes("randomSplit([0.8, 0.2]")`)
}

// mockExam answers, flags, reloads, works in two windows, finishes and reads the review.
func mockExam(s *site, w *tab) {
	const here, state = `document.querySelector(".question.here")`, `document.querySelector("[data-state]").innerText`
	w.do(chromedp.Evaluate(`document.querySelector("input[value=guide]").form.requestSubmit()`, nil))
	w.until("the exam", `document.querySelector("mock-exam.live .question.here") && document.querySelectorAll(".exam-grid a").length === 45`)
	if got := w.eval(`/"right"|class="why"/.test(document.documentElement.outerHTML)`); got != "false" {
		w.Error("the page has what answers its questions")
	}
	w.do(chromedp.KeyEvent("1"), chromedp.KeyEvent("f"))
	w.until("answered and flagged", state+` === "1 of 45 answered · 1 flagged"`)
	w.do(chromedp.KeyEvent("nn"), chromedp.KeyEvent("2"))
	w.until("the third question", here+`.dataset.place === "2" && location.search === "?question=3"`)
	w.until("saved", `document.querySelector("[data-saved]").innerText === "all saved"`)
	w.do(chromedp.KeyEvent("pn"))
	clockScript := `document.querySelector(".clock").innerText.split(":").reduce((a, b) => 60 * a + Number(b), 0)`
	before := w.eval(clockScript)
	w.do(chromedp.Sleep(1200*time.Millisecond), chromedp.Reload())
	w.until("the same question after a reload", here+`.dataset.place === "2" && `+here+`.querySelectorAll("input:checked").length === 1 && `+state+` === "2 of 45 answered · 1 flagged"`)
	w.until("a clock that ran on", `(`+clockScript+`) < `+before+` && (`+clockScript+`) > 5300`)

	other := s.open(w.T, w.eval(`location.pathname`)+"?question=5")
	other.until("the exam in a second window", here+`?.dataset.place === "4"`)
	other.do(chromedp.KeyEvent("3"), chromedp.KeyEvent("f"))
	other.until("saved", `document.querySelector("[data-saved]").innerText === "all saved" && `+state+` === "3 of 45 answered · 2 flagged"`)
	w.do(chromedp.KeyEvent("n"), chromedp.KeyEvent("4"), page.BringToFront())
	w.until("both windows' answers in the first", state+` === "4 of 45 answered · 2 flagged"`)

	// The server is away for one answer: it is kept and sent again.
	w.eval(`(() => { const real = window.fetch; let failures = 1; window.fetch = (...a) => String(a[0]).includes("/questions/") && failures-- > 0 ? Promise.reject(new TypeError("away")) : real(...a) })()`)
	w.do(chromedp.KeyEvent("nn"), chromedp.KeyEvent("1"))
	w.until("said", `document.querySelector("[data-saved]").innerText.startsWith("not saved")`)
	w.until("sent again", `document.querySelector("[data-saved]").innerText === "all saved"`)
	if got := w.eval(asking(`(await course("/mocks/" + location.pathname.split("/").pop())).answered`)); got != "5" {
		w.Errorf("the server has %s answers", got)
	}
	w.eval(`(async () => { for (const q of document.querySelectorAll("[data-place]")) { const i = q.querySelectorAll(".options input"), n = Number(q.dataset.choose); if (!q.querySelector("input[name]:checked")) for (let k = 0; k < n; k++) i[k].click() } })()`)
	w.until("every question answered and saved", state+`.startsWith("45 of 45") && document.querySelector("[data-saved]").innerText === "all saved" && !localStorage.length`)
	w.do(chromedp.Evaluate(`document.querySelector("[data-finish]").click()`, nil))
	w.until("a question first", `document.querySelector("dialog").innerText.includes("There are 2 flagged.")`)
	w.do(chromedp.Evaluate(`document.querySelector("dialog .danger").click()`, nil))
	w.until("the review", `document.querySelectorAll(".reviewed").length === 45 && document.querySelectorAll("table.domains tbody tr").length === 5`)
	w.until("every option explained", `document.querySelectorAll(".reviewed .why").length === document.querySelectorAll(".reviewed .options li").length && document.querySelectorAll(".yours").length >= 45`)
	w.do(chromedp.Click(`a[href="?show=flagged"]`))
	w.until("the flagged ones", `document.querySelectorAll(".reviewed").length === 2`)
	other.do(page.BringToFront())
	other.until("the review in the other window", `document.querySelectorAll(".reviewed").length === 45`)
}

func progress(w *tab) {
	w.until("the exam and the lab", `document.querySelector("main").innerText.includes("Hold rows back") && document.querySelectorAll("table.list").length === 2`)
	record := w.eval(`fetch(document.querySelector("a[download]").href).then((r) => r.text())`)
	file := filepath.Join(w.TempDir(), "progress.json")
	if err := os.WriteFile(file, []byte(record), 0o600); err != nil {
		w.Fatal(err)
	}
	w.do(chromedp.SetUploadFiles("[data-import]", []string{file}))
	w.until("a question first", `document.querySelector("dialog[open]")`)
	w.do(chromedp.Evaluate(`document.querySelector("dialog .danger").click()`, nil))
	w.until("what was imported", `document.querySelector(".notice")?.innerText.includes("1 mock exams, 1 labs of me")`)
}

// coursePages holds every page to its weight and width, and to be read without JavaScript.
func coursePages(t *testing.T, s *site) {
	for path, want := range map[string]string{
		"/learn": "How ready you are", "/learn/topics": "CrossValidator", "/learn/topics/aliases": "champion", "/learn/cheatsheets/training": "CrossValidator",
		"/learn/practice?quick=true": "Choose", "/learn/mocks": "45 questions", "/learn/labs": "Hold rows back", "/learn/labs/pipeline-in-cv": "27 models", "/learn/progress": "Export",
	} {
		w := s.open(t, path)
		w.do(chromedp.Sleep(300 * time.Millisecond))
		if *w.weight > mostWeight {
			t.Errorf("%s weighs %d bytes", path, *w.weight)
		}
		for _, width := range []int64{1280, 640} {
			w.do(chromedp.EmulateViewport(width, 800))
			if wide := w.eval(`document.documentElement.scrollWidth > innerWidth`); wide == "true" {
				t.Errorf("%s is wider than a window of %d", path, width)
			}
		}
		var text string
		w.do(emulation.SetScriptExecutionDisabled(true), chromedp.Navigate(s.url+path), chromedp.Text("main", &text))
		if !strings.Contains(text, want) {
			t.Errorf("%s lacks %q without JavaScript: %.300s", path, want, text)
		}
	}
}
