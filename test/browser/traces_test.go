package browser

import (
	"strings"

	"github.com/chromedp/chromedp"
)

// traces walks from the table of an experiment's traces to a span.
func traces(w *tab) {
	rows := `document.querySelectorAll("table.traces tbody tr").length`
	w.until("a page of traces", rows+` === 50`)
	if got := w.eval(`document.querySelector("table.traces tbody tr").innerText`); !strings.Contains(got, "answer") || !strings.Contains(got, "failed") {
		w.Errorf("the newest trace says %q", got)
	}
	w.do(chromedp.Click(".more a"))
	w.until("the second page", rows+` === 11`)
	filter := func(text string) {
		w.do(chromedp.SetValue("input[name=filter]", text), chromedp.Submit("form.filter"))
	}
	filter("tags.team = 'blue'")
	w.until("one trace of the team", rows+` === 1`)
	for _, want := range []string{"finished", "154", "correct true", "month July", "team blue"} {
		if got := w.eval(`document.querySelector("table.traces tbody tr").innerText`); !strings.Contains(got, want) {
			w.Errorf("the row lacks %q: %s", want, got)
		}
	}
	w.do(chromedp.Click("table.traces td.name a"))
	w.until("the trace, with its assessments", `document.querySelectorAll(".waterfall tbody tr").length === 3 && document.querySelector("main").innerText.includes("July is right.")`)
	w.do(chromedp.Evaluate(`[...document.querySelectorAll(".waterfall a")].find((a) => a.innerText === "complete").click()`, nil))
	w.until("the span beside", `document.querySelector(".span-detail h2").innerText.includes("complete") && document.querySelector(".waterfall tr.at a").innerText === "complete"`)
	for _, want := range []string{"Use the documents.", "Most flights are late in July.", "154 tokens: 120 in, 34 out"} {
		if got := w.eval(`document.querySelector(".span-detail").innerText`); !strings.Contains(got, want) {
			w.Errorf("the span lacks %q: %s", want, got)
		}
	}
	w.do(chromedp.Reload())
	w.until("the same span from its address", `document.querySelector(".span-detail h2").innerText.includes("complete")`)
	w.do(chromedp.NavigateBack())
	w.until("the root again", `document.querySelector(".span-detail h2").innerText.includes("answer")`)
	// What broke, and where.
	w.do(chromedp.Navigate(w.url + w.eval(`location.pathname.replace(/\/[^/]*$/, "")`) + "?filter=" + "attributes.status%20%3D%20'ERROR'"))
	w.until("the broken one", rows+` === 1`)
	w.do(chromedp.Click("table.traces td.name a"))
	w.until("its spans", `document.querySelectorAll(".waterfall rect.error").length === 2`)
	w.do(chromedp.Evaluate(`[...document.querySelectorAll(".waterfall a")].find((a) => a.innerText === "query").click()`, nil))
	w.until("the exception with its stack", `(t => t.includes("ValueError") && t.includes("no such table: flihgts") && t.includes("Traceback"))(document.querySelector(".span-detail").innerText)`)
	if got := w.eval(`(([a, b]) => b.getBoundingClientRect().left > a.getBoundingClientRect().left)(document.querySelectorAll(".waterfall td:first-child a"))`); got != "true" {
		w.Error("spans are not indented below their parents")
	}
}
