package browser

import (
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/chromedp/chromedp"
)

// TestScreens writes pictures of every page into MILLPOND_SCREENS, for the documentation or to
// look at; MILLPOND_SCREENS_ALL=1 adds the dark theme and a narrow window.
func TestScreens(t *testing.T) {
	dir := os.Getenv("MILLPOND_SCREENS")
	if dir == "" {
		t.Skip("MILLPOND_SCREENS names no directory")
	}
	s := open(t)
	for name, path := range s.pages(t) {
		for _, v := range []struct {
			suffix string
			width  int64
			dark   bool
		}{{"", 1280, false}, {"-dark", 1280, true}, {"-768", 768, false}, {"-768-dark", 768, true}} {
			if v.suffix != "" && os.Getenv("MILLPOND_SCREENS_ALL") == "" {
				continue
			}
			w := s.open(t, path)
			w.do(chromedp.EmulateViewport(v.width, 800), dark(v.dark), chromedp.Navigate(s.url+path), chromedp.Sleep(1200*time.Millisecond))
			w.shoot(filepath.Join(dir, name+v.suffix+".png"))
		}
	}
}

// pages are the addresses of one page of each sort.
func (s *site) pages(t *testing.T) map[string]string {
	t.Helper()
	w := s.open(t, "/experiments")
	find := func(script string) string { return w.eval(script) }
	const ask = `const ask = async (p, b) => (await fetch("/ajax-api/2.0/mlflow/" + p, b && {method: "POST", headers: {"Content-Type": "application/json"}, body: JSON.stringify(b)})).json();`
	experiment := find(`(async () => { ` + ask + ` return (await ask("experiments/search?max_results=100")).experiments.find((e) => e.name === "/Shared/flights").experiment_id })()`)
	run := func(filter string) string {
		return find(`(async () => { ` + ask + ` return (await ask("runs/search", {experiment_ids: ["` + experiment + `"], filter: "` + filter + `", max_results: 50})).runs.map((r) => r.info.run_id).join(",") })()`)
	}
	first := func(ids string) string { return ids[:32] }
	curves, files, many := run("attributes.run_name = 'gbt depth 5 eta 0.1'"), run("attributes.run_name = 'ridge 1.0'"), run("params.model = 'gbt' AND attributes.status = 'FINISHED'")
	return map[string]string{
		"home": "/", "experiments": "/experiments", "runs": "/experiments/" + experiment,
		"run":       "/experiments/" + experiment + "/runs/" + first(curves),
		"artifacts": "/experiments/" + experiment + "/runs/" + first(files),
		"compare":   "/compare?runs=" + many, "models": "/models", "model": "/models/flight_delay",
		"version": "/models/flight_delay/versions/2", "search": "/search?q=ridge",
	}
}
