package browser

import (
	"strings"

	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/chromedp"
	"github.com/chromedp/chromedp/kb"
)

// severalExperiments searches the runs of two experiments with a choice in the filter.
func severalExperiments(w *tab) {
	w.until("experiments", `document.querySelectorAll("td.pick input").length >= 4`)
	for _, name := range []string{"/Shared/flights", "/Shared/hotels"} {
		w.do(chromedp.Evaluate(`document.querySelector("[aria-label='Choose `+name+`']").click()`, nil))
	}
	w.do(chromedp.Evaluate(`document.querySelector("form[action='/runs']").requestSubmit()`, nil))
	w.until("the runs of both", ready+` && document.querySelector("h1").innerText === "Runs of 2 experiments" && document.querySelector("table.virtual").innerText.includes("/Shared/hotels")`)
	filter := func(text, want string) {
		w.do(chromedp.Evaluate(`(() => { const f = document.querySelector("form.filter"); f.elements.filter.value = "`+text+`"; f.requestSubmit() })()`, nil))
		w.until(text, `(`+names+`).split("|").sort().join("|") === "`+want+`"`)
	}
	filter("params.alpha = '5.0' OR metrics.rmse < 19.2 AND params.model = 'ridge'", "hotel ridge 5.0|ridge 0.1|ridge 1.0")
	filter("(params.alpha = '5.0' OR params.alpha = '10.0') AND metrics.rmse > 30", "hotel ridge 5.0")
	w.do(chromedp.Reload())
	w.until("the same from the address", ready+` && (`+names+`) === "hotel ridge 5.0"`)
	// The server's own table knows the choice too.
	var text string
	at := w.eval(`location.href`)
	w.do(emulation.SetScriptExecutionDisabled(true), chromedp.Navigate(at), chromedp.Text("main", &text), emulation.SetScriptExecutionDisabled(false))
	if !strings.Contains(text, "hotel ridge 5.0") || strings.Contains(text, "ridge 10.0") || !strings.Contains(text, "/Shared/hotels") {
		w.Errorf("without JavaScript the page shows %s", text)
	}
	w.do(chromedp.Navigate(at))
	w.until("a link", ready+` && document.querySelector("[aria-label='Leave out /Shared/flights']")`)
	w.do(chromedp.Click("[aria-label='Leave out /Shared/flights']"))
	w.until("one experiment", `document.querySelector("h1").innerText === "Runs of 1 experiment"`)
}

// railAndKeys folds the rail, which the next page remembers, and asks for the keys.
func railAndKeys(w *tab) {
	w.until("rows", ready)
	wide := func() string { return w.eval(`document.querySelector(".rail").offsetWidth > 100`) }
	w.do(chromedp.KeyEvent("["))
	if wide() != "false" {
		w.Error("the rail does not fold")
	}
	w.do(chromedp.Navigate(w.url + "/models"))
	w.until("the next page", `document.querySelector(".rail [aria-expanded=false]")`)
	if got := w.eval(`(async () => (await (await fetch("/models")).text()).includes('<body class="narrow">'))()`); wide() != "false" || got != "true" {
		w.Error("the next page forgets the fold")
	}
	w.do(chromedp.Click(".rail [aria-expanded=false]"))
	if wide() != "true" {
		w.Error("the rail does not unfold")
	}
	w.do(chromedp.NavigateBack())
	w.until("rows", ready)
	w.do(chromedp.KeyEvent("?"))
	w.until("the keys", `document.querySelector("aside.keys")?.innerText.includes("compare the chosen runs")`)
	w.do(chromedp.KeyEvent(kb.Escape))
	w.until("no keys", `!document.querySelector("aside.keys")`)
}
