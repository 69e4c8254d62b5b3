package browser

import (
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/chromedp/chromedp"
)

// TestScreens writes pictures of every page into MILLPOND_SCREENS, for the documentation or to
// look at. MILLPOND_SCREENS_ALL=1 adds the dark theme and a narrow window, MILLPOND_SCREENS_ONLY
// names one page.
func TestScreens(t *testing.T) {
	dir := os.Getenv("MILLPOND_SCREENS")
	if dir == "" {
		t.Skip("MILLPOND_SCREENS names no directory")
	}
	s := open(t)
	for name, path := range s.screens(t) {
		if only := os.Getenv("MILLPOND_SCREENS_ONLY"); path == "" || only != "" && only != name {
			continue
		}
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

// screens finds a page of each sort that has something to show; "" where there is none.
func (s *site) screens(t *testing.T) map[string]string {
	t.Helper()
	out := map[string]string{"home": "/", "experiments": "/experiments", "models": "/models"}
	w := s.open(t, "/experiments")
	found := w.eval(`(async () => { ` + ask + `
		const window = async (b) => (await fetch("/ajax-api/2.0/millpond/runs/window", {method: "POST", headers: {"Content-Type": "application/json"}, body: JSON.stringify(b)})).json();
		const all = (await ask("experiments/search?max_results=100")).experiments ?? [];
		const lists = await Promise.all(all.map(async (e) => ({e, ...(await window({experiment_ids: [e.experiment_id], max_results: 500}))})));
		const {e, runs, children} = lists.sort((a, b) => b.total - a.total)[0];
		const url = (r) => r && "/experiments/" + e.experiment_id + "/runs/" + r.info.run_id;
		const step = (r) => Math.max(0, ...(r.data.metrics ?? []).map((m) => m.step));
		const parent = (r) => r.data.tags?.find((t) => t.key === "mlflow.parentRunId")?.value;
		const rmse = (r) => r.data.metrics?.some((m) => /rmse$/.test(m.key)) && r.info.status === "FINISHED" && parent(r);
		const groups = Map.groupBy(runs.filter(rmse), parent);
		const group = [...groups.values()].sort((a, b) => b.length - a.length)[0] ?? [];
		const models = (await ask("registered-models/search?max_results=10")).registered_models ?? [];
		const version = models[0]?.latest_versions?.sort((a, b) => (b.current_stage === "Production") - (a.current_stage === "Production"))[0];
		const curves = runs.filter((r) => step(r) > 0 && r.info.status === "FINISHED")[0];
		const logged = runs.filter((r) => (r.outputs?.model_outputs ?? []).length && (r.data.metrics ?? []).length > 2)[0];
		return JSON.stringify({runs: "/experiments/" + e.experiment_id, run: url(logged), curves: url(curves),
			compare: "/compare?runs=" + group.map((r) => r.info.run_id).join(","), model: models[0] && "/models/" + models[0].name,
			version: version && "/models/" + version.name + "/versions/" + version.version, search: "/search?q=" + (models[0]?.name ?? "").slice(0, 6)});
	})()`)
	if err := json.NewDecoder(strings.NewReader(found)).Decode(&out); err != nil {
		t.Fatalf("find pages to show: %v: %s", err, found)
	}
	return out
}
