package browser

import (
	"net/http"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/chromedp"
	"github.com/chromedp/chromedp/kb"
)

// pages are the addresses of one page of each sort, of the runs that seed.py logs.
func (s *site) pages(t *testing.T) map[string]string {
	t.Helper()
	w := s.open(t, "/experiments")
	experiment := w.eval(`(async () => { ` + ask + ` return (await ask("experiments/search?max_results=100")).experiments.find((e) => e.name === "/Shared/flights").experiment_id })()`)
	assistant := w.eval(`(async () => { ` + ask + ` return (await ask("experiments/search?max_results=100")).experiments.find((e) => e.name === "/Shared/assistant").experiment_id })()`)
	run := func(filter string) string {
		return w.eval(`(async () => { ` + ask + ` return (await ask("runs/search", {experiment_ids: ["` + experiment + `"], filter: "` + filter + `", max_results: 50})).runs.map((r) => r.info.run_id).join(",") })()`)
	}
	runs := "/experiments/" + experiment
	return map[string]string{
		"home": "/", "experiments": "/experiments", "runs": runs,
		"run":       runs + "/runs/" + run("attributes.run_name = 'gbt depth 5 eta 0.1'"),
		"artifacts": runs + "/runs/" + run("attributes.run_name = 'ridge 1.0'"),
		"compare":   "/compare?runs=" + run("params.model = 'gbt' AND attributes.status = 'FINISHED'"),
		"several":   "/runs",
		"traces":    "/experiments/" + assistant + "/traces",
		"models":    "/models", "model": "/models/flight_delay", "version": "/models/flight_delay/versions/2", "search": "/search?q=ridge",
	}
}

const mostWeight = 300_000 // bytes of a page, its files and data

func TestPages(t *testing.T) {
	s := open(t)
	pages := s.pages(t)
	for name, path := range pages {
		t.Run("weight of "+name, func(t *testing.T) {
			w := s.open(t, path)
			w.do(chromedp.Sleep(700 * time.Millisecond))
			if got := w.eval(`document.querySelector("main").innerText.trim().length`); got == "0" {
				t.Error("the page is empty")
			}
			if name != "artifacts" && *w.weight > mostWeight { // there the run's own files weigh
				t.Errorf("the page weighs %d bytes", *w.weight)
			}
			if wide := w.eval(`document.documentElement.scrollWidth > innerWidth`); wide == "true" {
				t.Error("the page is wider than the window")
			}
		})
	}
	t.Run("csv and numbers", func(t *testing.T) { modules(s.open(t, pages["runs"])) })
	t.Run("without JavaScript", func(t *testing.T) {
		for name, want := range map[string]string{"home": "still training", "runs": "gbt depth 7 eta 0.3", "traces": "Which table?", "run": "12.99", "artifacts": "reports/", "compare": "max_depth", "model": "@champion", "version": "19.1"} {
			w := s.open(t, pages[name])
			var text string
			w.do(emulation.SetScriptExecutionDisabled(true), chromedp.Navigate(s.url+pages[name]), chromedp.Text("main", &text))
			if !strings.Contains(text, want) {
				t.Errorf("%s lacks %q: %s", name, want, text)
			}
		}
	})
	t.Run("runs table", func(t *testing.T) { runsTable(s.open(t, pages["runs"])) })
	t.Run("filter", func(t *testing.T) { filterBox(s.open(t, pages["runs"])) })
	t.Run("choose and compare", func(t *testing.T) { chooseAndCompare(s.open(t, pages["runs"])) })
	t.Run("columns", func(t *testing.T) { columns(s.open(t, pages["runs"])) })
	t.Run("delete and restore", func(t *testing.T) { deleteAndRestore(s.open(t, pages["runs"])) })
	t.Run("live", func(t *testing.T) { live(s.open(t, pages["runs"])) })
	t.Run("curves", func(t *testing.T) { curves(s.open(t, pages["run"])) })
	t.Run("compare", func(t *testing.T) { compare(s.open(t, pages["compare"])) })
	t.Run("artifacts", func(t *testing.T) { artifacts(s.open(t, pages["artifacts"])) })
	t.Run("run edits", func(t *testing.T) { runEdits(s.open(t, pages["artifacts"])) })
	t.Run("version editor", func(t *testing.T) { versionEditor(s.open(t, pages["version"])) })
	t.Run("version history", func(t *testing.T) { versionHistory(s.open(t, "/models/flight_delay/versions/3")) })
	t.Run("several experiments", func(t *testing.T) { severalExperiments(s.open(t, "/experiments")) })
	t.Run("rail and keys", func(t *testing.T) { railAndKeys(s.open(t, pages["runs"])) })
	t.Run("traces", func(t *testing.T) { traces(s.open(t, pages["traces"])) })
	t.Run("experiments", func(t *testing.T) { experiments(s.open(t, "/experiments")) })
}

const ready = `document.querySelector("table.virtual tbody tr[data-id]")`

// names are the runs in view, from top to bottom.
const names = `[...document.querySelectorAll("td.name a")].map((a) => a.innerText).join("|")`

func runsTable(w *tab) {
	w.until("rows", ready)
	text := w.eval(`document.querySelector("table.virtual").innerText`)
	for _, want := range []string{"rmse", "mae", "19.1", "NaN", "finished", "failed", "ridge", "max_depth"} {
		if !strings.Contains(text, want) {
			w.Errorf("the table lacks %q", want)
		}
	}
	if !strings.Contains(w.eval(names), "gbt depth 7 eta 0.3") {
		w.Error("a few nested runs are not open")
	}
	fold := `document.querySelector("button.fold")`
	w.do(chromedp.Evaluate(fold+`.click()`, nil))
	w.until("nested runs folded", `!(`+names+`).includes("gbt depth")`)
	w.do(chromedp.Reload())
	w.until("rows", ready)
	if strings.Contains(w.eval(names), "gbt depth") {
		w.Error("the fold is forgotten on reload")
	}
	w.do(chromedp.Evaluate(fold+`.click()`, nil))
	w.until("nested runs shown", `(`+names+`).includes("gbt depth")`)
	// A click on a metric's head orders by it, once more turns it round; the address has it.
	head := `[...document.querySelectorAll("thead a")].find((a) => a.innerText.startsWith("mae"))`
	w.do(chromedp.Evaluate(head+`.click()`, nil))
	w.until("greatest first", `(`+names+`).startsWith("ridge 10.0")`)
	w.do(chromedp.Evaluate(head+`.click()`, nil))
	w.until("least first", `(`+names+`).startsWith("gbt depth 3 eta 0.3") && location.search.includes("mae")`)
	w.do(chromedp.NavigateBack())
	w.until("back to greatest first", `(`+names+`).startsWith("ridge 10.0")`)
}

// modules asks the pages' own modules for what a person would take home.
func modules(w *tab) {
	w.until("rows", ready)
	load := `const from = (name) => import(document.querySelector("script[type=module]").src.replace("app.js", name));`
	text := w.eval(`(async () => { ` + load + ` const {csv} = await from("run-columns.js"), el = document.querySelector("runs-table"); return csv(await el.rows.everything(() => true), el.columns.map((c) => c.id)) })()`)
	lines := strings.Split(strings.TrimSpace(text), "\r\n")
	if len(lines) != 16 || !strings.HasPrefix(lines[0], "run_id,run_name,status,start_time,end_time,metrics.") || !strings.Contains(text, "broken,FAILED") {
		w.Errorf("%d lines of CSV: %s", len(lines), text)
	}
	for script, want := range map[string]string{
		`(await from("run-columns.js")).csv([{info: {run_id: "r", run_name: "=1+1,\"x\"", status: "S"}, data: {}}], []).split("\r\n")[1]`: `r,"'=1+1,""x""",S,,`,
		`(await from("plot.js")).ticks(0, 116, 5).join()`:                                                                "0,50,100",
		`(await from("plot.js")).ticks(0, 3, 6, false, true).join()`:                                                     "0,1,2,3",
		`(await from("plot.js")).ticks(0.01, 1000, 4, true).join()`:                                                      "0.01,1,100",
		`(await from("format.js")).number(123456.7) + " " + (await from("format.js")).number(17.24831)`:                  "123457 17.25",
		`(await from("importance.js")).importance([{name: "a", values: ["1", "2", "4", "3"]}], [9, 7, 1, 3])[0].measure`: "-1",
		`(await from("importance.js")).importance([{name: "w", values: ["x", "x", "y", "y"]}], [1, 1, 5, 5])[0].measure`: "1",
		`(await from("importance.js")).importance([{name: "id", values: ["p", "q", "r"]}], [1, 2, 3]).length`:            "0",
		`(await from("filter-box.js")).suggest("tags.a = 'x and y' AND metr", ["metrics.my loss"], []).options.join()`:   "metrics.`my loss` ",
		`(await from("filter-box.js")).suggest("(params.m = 'x' OR metr", ["metrics.loss"], []).options.join()`:          "metrics.loss ",
		`(await from("filter-box.js")).suggest("run_id IN ('a", ["metrics.loss"], []).options.join()`:                    "",
		`(await from("contour.js")).triangles([0, 1, 2].flatMap((x) => [0, 1, 2].map((y) => [x, y]))).length`:            "8",
		`(await from("contour.js")).triangles([[0, 0], [1, 1], [2, 2]]).length`:                                          "0",
		`JSON.stringify((await from("contour.js")).band([[0, 0, 0], [1, 0, 1], [0, 1, 0]], 0.5, 2))`:                     "[[0.5,0,0.5],[1,0,1],[0.5,0.5,0.5]]",
		`(await from("viewers.js")).rows('a,"b ""c"", d"\n1,2\n', ",").map((r) => r.join("|")).join("/")`:                `a|b "c", d/1|2`,
		`(await from("markdown.js")).markdown("[x](javascript:alert(1)) <b>y</b>").innerHTML`:                            "<p><span>x</span>) &lt;b&gt;y&lt;/b&gt;</p>",
	} {
		if got := w.eval(`(async () => { ` + load + ` return ` + script + ` })()`); got != want {
			w.Errorf("%s\n gives %s\n  not %s", script, got, want)
		}
	}
}

func filterBox(w *tab) {
	w.until("rows", ready)
	const box = `input[name=filter]`
	options := `[...document.querySelectorAll(".completion li")].map((l) => l.innerText)`
	w.do(chromedp.Focus(box), chromedp.SendKeys(box, "metrics.rm"))
	w.until("completion from real keys", `(`+options+`).join() === "metrics.rmse"`)
	w.do(chromedp.SendKeys(box, kb.Tab))
	w.until("operators", `(`+options+`).includes("<")`)
	w.do(chromedp.SendKeys(box, "< 13 AND params.mo"))
	w.until("a second key", `(`+options+`).join() === "params.model"`)
	w.do(chromedp.SendKeys(box, kb.Tab+"= "))
	w.until("values that were seen", `(`+options+`).includes("'gbt'")`)
	w.do(chromedp.SendKeys(box, "'g"), chromedp.SendKeys(box, kb.Tab+kb.Enter))
	w.until("filtered rows", `document.querySelector(".count").innerText === "6 runs"`)
	if got := w.eval(`new URLSearchParams(location.search).get("filter")`); got != "metrics.rmse < 13 AND params.model = 'gbt'" {
		w.Errorf("the address has the filter %q", got)
	}
	w.do(chromedp.SetValue(box, "metrics.rmse <"), chromedp.Evaluate(`document.querySelector("form.filter").requestSubmit()`, nil))
	w.until("an error in words", `!document.querySelector("p.problem").hidden && document.querySelector("p.problem").innerText.length > 10`)
}

func chooseAndCompare(w *tab) {
	w.until("rows", ready)
	w.do(chromedp.KeyEvent("jjjx"), chromedp.KeyEvent("jx"))
	w.until("two chosen", `document.querySelector(".bulk").innerText.startsWith("2 chosen")`)
	w.do(chromedp.KeyEvent("c"))
	w.until("the compare page with the chosen runs", `location.pathname === "/compare" && document.querySelector("h1").innerText === "Compare 2 runs"`)
	if got := w.eval(`[...document.querySelectorAll("table.diff thead a")].map((a) => a.innerText).join("|")`); got != "ridge 10.0|ridge 1.0" {
		w.Errorf("compared are %s", got)
	}
}

func columns(w *tab) {
	w.until("rows", ready)
	w.do(chromedp.Evaluate(`[...document.querySelectorAll(".tools button")].find((b) => b.innerText === "Columns").click()`, nil))
	w.until("the panel", `document.querySelector(".panel li")`)
	w.do(chromedp.Evaluate(`[...document.querySelectorAll(".panel button")].find((b) => b.innerText === "None").click()`, nil))
	for _, key := range []string{"max_depth", "r2"} {
		w.do(chromedp.Evaluate(`[...document.querySelectorAll(".panel label")].find((l) => l.innerText.endsWith("`+key+`")).querySelector("input").click()`, nil))
	}
	heads := `[...document.querySelectorAll("thead th")].slice(5).map((t) => t.innerText).filter(Boolean).join("|")`
	w.until("two columns", heads+` === "max_depth|r2"`)
	w.do(chromedp.Evaluate(`document.querySelector("[aria-label='metrics.r2 further left']").click()`, nil))
	w.until("reordered, in the address", heads+` === "r2|max_depth" && new URLSearchParams(location.search).get("columns") === "metrics.r2,params.max_depth"`)
	w.do(chromedp.Reload())
	w.until("the same after a reload", ready+` && `+heads+` === "r2|max_depth"`)
}

func deleteAndRestore(w *tab) {
	w.until("rows", ready)
	before := w.eval(names)
	pick := `[...document.querySelectorAll("tr[data-id]")].find((r) => r.innerText.includes("broken")).querySelector("input").click()`
	press := func(text string) chromedp.Action {
		return chromedp.Evaluate(`[...document.querySelectorAll("button")].find((b) => b.innerText.startsWith("`+text+`")).click()`, nil)
	}
	w.do(chromedp.Evaluate(pick, nil), press("Delete…"))
	w.until("a question", `document.querySelector("dialog[open]")`)
	w.do(chromedp.Evaluate(`document.querySelector("dialog .danger").click()`, nil))
	w.until("the run gone", `!(`+names+`).includes("broken")`)
	w.do(chromedp.Evaluate(`location.search = "?view=deleted"`, nil))
	w.until("the deleted run", ready+` && (`+names+`) === "broken"`)
	w.do(chromedp.Evaluate(pick, nil), press("Restore"))
	w.until("nothing deleted", `document.querySelector(".count").innerText === "0 deleted runs"`)
	w.do(chromedp.Evaluate(`location.search = ""`, nil))
	w.until("the run back", ready+` && (`+names+`).includes("broken")`)
	if after := w.eval(names); after != before {
		w.Errorf("before %s, after %s", before, after)
	}
}

const ask = `const ask = async (p, b, method) => (await fetch("/ajax-api/2.0/mlflow/" + p, b && {method: method ?? "POST", headers: {"Content-Type": "application/json"}, body: JSON.stringify(b)})).json();`

// live logs while the table is open: it changes without a reload.
func live(w *tab) {
	w.until("rows", ready)
	w.eval(`window.same = true`)
	id := w.eval(`(async () => { ` + ask + ` const r = await ask("runs/create", {experiment_id: location.pathname.split("/")[2], run_name: "live run", start_time: Date.now()}); await ask("runs/log-metric", {run_id: r.run.info.run_id, key: "rmse", value: 77.5, timestamp: 1, step: 0}); return r.run.info.run_id })()`)
	row := `document.querySelector("tr[data-id='` + id + `']")`
	w.until("the new run", row+`?.innerText.includes("77.5")`)
	w.eval(`(async () => { ` + ask + ` await ask("runs/log-metric", {run_id: "` + id + `", key: "rmse", value: 55.25, timestamp: 2, step: 1}); await ask("runs/update", {run_id: "` + id + `", status: "FINISHED", end_time: Date.now()}) })()`)
	w.until("its new value and state", row+`?.innerText.includes("55.25") && `+row+`.innerText.includes("finished")`)
	if w.eval(`window.same`) != "true" {
		w.Error("the page was loaded again")
	}
	w.eval(`(async () => { ` + ask + ` await ask("runs/delete", {run_id: "` + id + `"}) })()`)
	w.until("the run gone", `!`+row)
}

func curves(w *tab) {
	w.until("a chart for each metric with steps", `document.querySelectorAll("figure.chart path.line").length === 3`)
	for script, want := range map[string]string{
		`[...document.querySelectorAll("figcaption .title")].map((t) => t.innerText).join("|")`:        "learning_rate|rmse|train_rmse",
		`Math.min(...[...document.querySelectorAll("figure.chart")].map((f) => f.offsetWidth)) >= 320`: "true",
		`document.querySelectorAll("tr[data-metric]").length`:                                          "5",
		`document.querySelector("tr[data-metric]").getBoundingClientRect().bottom < 500`:               "true",
	} {
		if got := w.eval(script); got != want {
			w.Errorf("%s is %s, not %s", script, got, want)
		}
	}
	d := w.eval(`document.querySelectorAll("path.line")[1].getAttribute("d")`)
	w.do(chromedp.Evaluate(`(() => { const s = document.querySelector("input[type=range]"); s.value = 0.9; s.dispatchEvent(new Event("input")) })()`, nil))
	w.until("a smooth line over the faint one", `document.querySelectorAll("path.line.faint").length === 3 && location.search.includes("smooth=0.9")`)
	if w.eval(`document.querySelectorAll("path.line:not(.faint)")[1].getAttribute("d")`) == d {
		w.Error("smoothing changes nothing")
	}
	w.do(chromedp.Evaluate(`[...document.querySelectorAll(".look input[type=checkbox]")][0].click()`, nil))
	w.until("log scale in the address", `location.search.includes("log=1")`)
	box := `document.querySelectorAll("figure.chart svg")[1].getBoundingClientRect()`
	w.do(chromedp.Evaluate(`(() => { const b = `+box+`; document.querySelectorAll("figure.chart svg")[1].dispatchEvent(new PointerEvent("pointermove", {clientX: b.left + b.width / 2, clientY: b.top + 50, bubbles: true})) })()`, nil))
	w.until("exact values on hover", `/step \d+/.test(document.querySelector(".tip:not([hidden])")?.innerText)`)
}

func compare(w *tab) {
	w.until("charts", `document.querySelectorAll("polyline").length === 9 && document.querySelectorAll(".charts.wide path.line").length === 9`)
	w.until("importance", `document.querySelectorAll(".weigh").length >= 2`)
	if got := w.eval(`document.querySelector(".importance").closest("figure").innerText`); !strings.Contains(got, "Rank correlation") || !strings.Contains(got, "eta") {
		w.Errorf("importance says %q", got)
	}
	w.until("the contour of the metric over two parameters", `document.querySelectorAll(".contour .band").length > 8 && document.querySelectorAll(".contour .dot").length === 9`)
	if got := w.eval(`document.querySelector(".contour svg").getAttribute("aria-label")`); got != "rmse over eta and max_depth" {
		w.Errorf("the contour shows %s", got)
	}
	w.do(chromedp.Evaluate(`(() => { const s = [...document.querySelectorAll(".contour select")].at(-1); s.value = "metrics.r2"; s.dispatchEvent(new Event("change")) })()`, nil))
	w.until("another metric", `document.querySelector(".contour svg").getAttribute("aria-label") === "r2 over eta and max_depth"`)
	// A drag over the upper part of the first axis keeps the runs with the greatest value.
	var box map[string]float64
	w.do(chromedp.Evaluate(`(() => { const g = document.querySelector("rect.grip").getBoundingClientRect(); return {x: g.left + g.width / 2, y: g.top, h: g.height} })()`, &box))
	w.do(chromedp.MouseEvent("mousePressed", box["x"], box["y"]+2, chromedp.ButtonLeft), chromedp.MouseEvent("mouseMoved", box["x"], box["y"]+20, chromedp.ButtonLeft),
		chromedp.MouseEvent("mouseReleased", box["x"], box["y"]+30, chromedp.ButtonLeft))
	w.until("three runs kept", `document.querySelector("run-compare").innerText.includes("3 of 9 runs kept")`)
	for script, want := range map[string]string{
		`[...document.querySelectorAll("table.diff thead th[data-id]")].filter((t) => !t.hidden).length`: "3",
		`document.querySelectorAll(".contour .dot:not(.away)").length`:                                   "3",
		`document.querySelectorAll(".dot:not(.away, .over-band)").length`:                                "3",
		`document.querySelectorAll(".charts.wide path.line").length`:                                     "3",
	} {
		if got := w.eval(script); got != want {
			w.Errorf("%s is %s, not %s", script, got, want)
		}
	}
}

func artifacts(w *tab) {
	show := func(file, want string) {
		w.Helper()
		w.until(file, `document.querySelector("artifact-browser a[data-file='`+file+`']")`)
		w.do(chromedp.Evaluate(`document.querySelector("artifact-browser a[data-file='`+file+`']").click()`, nil))
		w.until(file+" in its viewer", want)
	}
	pane := `document.querySelector("artifact-browser .pane")`
	w.until("the tree", `document.querySelector("artifact-browser .folder")`)
	w.do(chromedp.Evaluate(`(() => { const f = document.querySelector("artifact-browser .folder"); if (f.ariaExpanded !== "true") f.click() })()`, nil))
	show("reports/plot.png", pane+`.querySelector("img")?.naturalWidth > 100`)
	show("reports/residuals.csv", pane+`.querySelectorAll("tbody tr").length === 50`)
	show("reports/summary.json", pane+`.innerText.includes('"rows": 50')`)
	show("reports/notes.md", pane+`.querySelector("table") && `+pane+`.querySelector("b")?.innerText === "alpha" && !`+pane+`.querySelector("img")`)
	show("reports/analysis.ipynb", pane+`.querySelector(".notebook .cell")?.innerText.includes("1+1")`)
	w.until("the logged model's files", `document.querySelector("artifact-browser[model] .pane pre")?.innerText.includes("flavors")`)
	show("log.txt", pane+`.innerText.includes("hello")`)
	show("reports/report.html", pane+`.querySelector("iframe")`)
	// The page in the frame runs its script, but in an origin of its own that reaches nothing of ours.
	w.do(chromedp.Sleep(700 * time.Millisecond))
	var said string
	w.do(chromedp.Evaluate(`document.title`, &said))
	if strings.Contains(said, "pwned") {
		w.Error("an artifact's script changed our page")
	}
	if got := w.eval(pane + `.querySelector("iframe").contentDocument === null`); got != "true" {
		w.Error("an artifact has our origin")
	}
	// Nor where its address is opened by itself.
	src := w.eval(pane + `.querySelector("iframe").src`)
	w.do(chromedp.Navigate(src))
	w.until("the artifact's page", `document.body.innerText.includes("Report")`)
	w.do(chromedp.Sleep(500 * time.Millisecond))
	got := w.eval(`document.body.innerText`)
	if w.eval(`self.origin`) != "null" || !strings.Contains(got, "script ran in null") || !strings.Contains(got, "fetch refused") || strings.Contains(got, "FETCHED") {
		w.Errorf("opened by itself, the artifact says %q", got)
	}
	res, err := http.Get(strings.Replace(src, "&view=sandbox", "", 1))
	if err != nil {
		w.Fatal(err)
	}
	defer res.Body.Close()
	if !strings.HasPrefix(res.Header.Get("Content-Disposition"), "attachment") || !strings.HasPrefix(res.Header.Get("Content-Security-Policy"), "sandbox;") {
		w.Errorf("HTML is sent with %v", res.Header)
	}
}

// edit puts a text where an element is edited, and stores it.
func (w *tab) edit(kind, text string) {
	w.Helper()
	selector := "edit-text[kind='" + kind + "']"
	w.until(kind+" can be edited", `document.querySelector("`+selector+` button.edit")`)
	w.do(chromedp.Evaluate(`(() => { const e = document.querySelector("`+selector+`"); e.querySelector("button").click(); const i = e.querySelector("input, textarea"); i.value = "`+text+`"; e.querySelector("form").requestSubmit() })()`, nil))
}

func runEdits(w *tab) {
	w.until("the editor", `document.querySelector("edit-text[kind='run.note'] button")`)
	w.edit("run.name", "ridge one")
	w.edit("run.note", "a note")
	w.until("stored", `document.querySelector("edit-text[kind='run.note'] span")?.innerText === "a note" && document.querySelector("edit-text[kind='run.name'] span")?.innerText === "ridge one"`)
	w.do(chromedp.Evaluate(`document.querySelector("edit-tags button.add").click()`, nil), chromedp.Evaluate(`(() => { const f = document.querySelector("edit-tags form"); f.elements[0].value = "team"; f.elements[1].value = "blue"; f.requestSubmit() })()`, nil))
	w.until("the tag", `document.querySelector("edit-tags table")?.innerText.includes("blue") && document.querySelector("[aria-label='Delete team']")`)
	if got := w.eval(`document.querySelector("h1").innerText`); !strings.Contains(got, "ridge one") {
		w.Errorf("after a reload the run is called %q", got)
	}
	w.do(chromedp.Evaluate(`document.querySelector("[aria-label='Delete team']").click()`, nil))
	w.until("no tag", `document.querySelector("edit-tags button.add") && !document.querySelector("edit-tags table")`)
	w.edit("run.name", "ridge 1.0")
	w.until("its old name", `document.querySelector("edit-text[kind='run.name'] span")?.innerText === "ridge 1.0"`)
}

func versionEditor(w *tab) {
	w.until("the editor", `document.querySelector("version-editor select")`)
	stage := func(of string) string {
		return w.eval(`(async () => { ` + ask + ` return (await ask("model-versions/get?name=flight_delay&version=` + of + `")).model_version.current_stage })()`)
	}
	move := func(to string) {
		w.do(chromedp.Evaluate(`(() => { const s = document.querySelector("version-editor select"); s.value = "`+to+`"; s.dispatchEvent(new Event("change")); document.querySelector("version-editor button.primary").click() })()`, nil))
		w.until("version 2 in "+to, `document.querySelector("h1 .stage.`+strings.ToLower(to)+`") && document.querySelector("version-editor select")`)
	}
	move("Staging")
	if got := stage("1"); got != "Archived" {
		w.Errorf("what was in Staging is %s, not archived", got)
	}
	w.do(chromedp.Evaluate(`(() => { const f = document.querySelector("version-editor form"); f.elements[0].value = "@challenger"; f.requestSubmit() })()`, nil))
	w.until("an alias", `document.querySelector("version-editor .alias [aria-label='Delete the alias challenger']")`)
	w.do(chromedp.Evaluate(`document.querySelector("[aria-label='Delete the alias challenger']").click()`, nil))
	w.until("no alias", `document.querySelector("version-editor") && !document.body.innerText.includes("challenger")`)
	w.edit("version.description", "better")
	w.until("a description", `document.querySelector("edit-text[kind='version.description'] span")?.innerText === "better"`)
	move("Production")
	w.do(chromedp.Navigate(w.url + "/models/flight_delay"))
	w.until("the model's page", `document.querySelector("main").innerText.includes("Production: version 2")`)
	w.edit("model.description", "Predicts delays.")
	w.until("stored", `document.querySelector("edit-text[kind='model.description'] span")?.innerText === "Predicts delays."`)
}

func experiments(w *tab) {
	w.until("the form", `document.querySelector("new-experiment form")`)
	w.do(chromedp.Evaluate(`(() => { const f = document.querySelector("new-experiment form"); f.elements[0].value = "made here"; f.requestSubmit() })()`, nil))
	w.until("its empty page, with lines that fill it", `location.pathname.startsWith("/experiments/") && document.querySelector("pre.code")?.innerText.includes('set_experiment("made here")')`)
	w.edit("experiment.name", "renamed here")
	w.until("renamed", `document.querySelector("h1 span").innerText === "renamed here"`)
	w.until("the button", `document.querySelector("do-button button")`)
	w.do(chromedp.Evaluate(`document.querySelector("do-button button").click()`, nil))
	w.until("deleted", `document.querySelector("h1 .stage")?.innerText === "deleted"`)
	w.do(chromedp.Navigate(w.url+"/experiments?view=deleted"), chromedp.Sleep(100*time.Millisecond))
	w.until("among the deleted", `document.querySelector("main table")?.innerText.includes("renamed here") && document.querySelector("do-button button")`)
	w.do(chromedp.Evaluate(`document.querySelector("do-button button").click()`, nil))
	w.until("restored", `!document.querySelector("main table")?.innerText.includes("renamed here")`)
	if os.Getenv("MILLPOND_URL") != "" { // someone's own server: leave it as it was
		w.eval(`(async () => { ` + ask + ` const e = (await ask("experiments/get-by-name?experiment_name=renamed%20here")).experiment; await ask("experiments/update", {experiment_id: e.experiment_id, new_name: "removed " + Date.now()}); await ask("experiments/delete", {experiment_id: e.experiment_id}) })()`)
	}
}
