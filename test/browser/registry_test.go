package browser

import (
	"strings"

	"github.com/chromedp/chromedp"
)

// versionHistory asks for a stage, answers the request, and talks of it.
func versionHistory(w *tab) {
	w.until("the editor", `document.querySelector("version-editor select")`)
	said := func(text string) string {
		return `document.querySelector(".history")?.innerText.includes("` + text + `")`
	}
	request := func(stage, why string) {
		w.do(chromedp.Evaluate(`(() => { const e = document.querySelector("version-editor"), s = e.querySelector("select"); s.value = "`+stage+`"; s.dispatchEvent(new Event("change")); e.querySelector("[aria-label=Comment]").value = "`+why+`"; [...e.querySelectorAll("button")].find((b) => b.innerText === "Request").click() })()`, nil))
		w.until("an open request", `document.querySelector("stage-request")?.innerText.includes("`+why+`") && document.querySelector("stage-request button.primary") && !document.querySelector("h1 .stage")`)
	}
	answer := func(button, why string) {
		w.do(chromedp.Evaluate(`(() => { const e = document.querySelector("stage-request"); e.querySelector("[aria-label='Comment on the request']").value = "`+why+`"; [...e.querySelectorAll("button")].find((b) => b.innerText === "`+button+`").click() })()`, nil))
		w.until(why, `!document.querySelector("stage-request") && document.querySelector("version-editor select") && `+said(why))
	}
	request("Staging", "ready to try")
	answer("Reject", "not measured yet")
	request("Staging", "measured now")
	answer("Approve", "well done")
	w.until("in Staging", `document.querySelector("h1 .stage.staging")`)
	w.do(chromedp.Evaluate(`(() => { const f = document.querySelector("version-comment form"); f.elements[0].value = "<b>watch July</b>"; f.requestSubmit() })()`, nil))
	w.until("a comment, as text", said("<b>watch July</b>")+` && document.querySelector(".history do-button button")`)
	if got := w.eval(`[...document.querySelectorAll(".history li")].map((l) => l.innerText.replaceAll(/\s+/g, " ")).join("|")`); !strings.Contains(got, "approved the move from None to Staging") || !strings.Contains(got, "rejected the move") {
		w.Errorf("the history says %s", got)
	}
	w.do(chromedp.Evaluate(`document.querySelector(".history do-button button").click()`, nil))
	w.until("the question", `document.querySelector("dialog button.danger")`)
	w.do(chromedp.Evaluate(`document.querySelector("dialog button.danger").click()`, nil))
	w.until("no comment", `document.querySelector(".history") && !`+said("watch July"))
}
