package browser

import (
	"encoding/json"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/chromedp/chromedp"
	"github.com/chromedp/chromedp/kb"
)

// TestScreens writes pictures of every page into MILLPOND_SCREENS, for the documentation or to
// look at. MILLPOND_SCREENS_ALL=1 adds the dark theme and a narrow window, MILLPOND_SCREENS_ONLY
// names some pages, with commas between.
func TestScreens(t *testing.T) {
	dir := os.Getenv("MILLPOND_SCREENS")
	if dir == "" {
		t.Skip("MILLPOND_SCREENS names no directory")
	}
	s := open(t)
	s.shootAll(t, dir, s.screens(t), nil)
}

// shootAll takes the pictures of some pages, after keys were pressed on them.
func (s *site) shootAll(t *testing.T, dir string, pages, keys map[string]string) {
	t.Helper()
	for name, path := range pages {
		only := strings.Split(os.Getenv("MILLPOND_SCREENS_ONLY"), ",")
		if path == "" || only[0] != "" && !slices.Contains(only, name) {
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
			if keys[name] != "" {
				w.do(chromedp.KeyEvent(keys[name]), chromedp.Sleep(300*time.Millisecond))
			}
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
		const traced = async (all) => {
			const ids = all.map((e) => e.experiment_id);
			const r = await fetch("/ajax-api/3.0/mlflow/traces/search", {method: "POST", headers: {"Content-Type": "application/json"},
				body: JSON.stringify({locations: ids.map((id) => ({type: "MLFLOW_EXPERIMENT", mlflow_experiment: {experiment_id: id}})), filter: "tags.team = 'blue'"})});
			const one = ((await r.json()).traces ?? [])[0];
			const list = one && "/experiments/" + one.trace_location.mlflow_experiment.experiment_id + "/traces";
			return {traces: list, trace: list && list + "/" + one.trace_id};
		};
		const group = [...groups.values()].sort((a, b) => b.length - a.length)[0] ?? [];
		const models = (await ask("registered-models/search?max_results=10")).registered_models ?? [];
		const version = models[0]?.latest_versions?.sort((a, b) => (b.current_stage === "Production") - (a.current_stage === "Production"))[0];
		const curves = runs.filter((r) => step(r) > 0 && r.info.status === "FINISHED")[0];
		const logged = runs.filter((r) => (r.outputs?.model_outputs ?? []).length && (r.data.metrics ?? []).length > 2)[0];
		return JSON.stringify({runs: "/experiments/" + e.experiment_id, run: url(logged), curves: url(curves),
			compare: "/compare?runs=" + group.map((r) => r.info.run_id).join(","), model: models[0] && "/models/" + models[0].name,
			version: version && "/models/" + version.name + "/versions/" + version.version, ...(await traced(all)), search: "/search?q=" + (models[0]?.name ?? "").slice(0, 6)});
	})()`)
	if err := json.NewDecoder(strings.NewReader(found)).Decode(&out); err != nil {
		t.Fatalf("find pages to show: %v: %s", err, found)
	}
	return out
}

// TestLearnScreens does the same for the pages of the course, of a learner who is some days on.
func TestLearnScreens(t *testing.T) {
	dir := os.Getenv("MILLPOND_SCREENS")
	if dir == "" {
		t.Skip("MILLPOND_SCREENS names no directory")
	}
	s := launch(t, func() string { return serve(t, filepath.Join(t.TempDir(), "data"), func() {}) })
	s.shootAll(t, dir, map[string]string{"learn-new": "/learn"}, nil)
	mock := s.open(t, "/learn").eval(asking(learner))
	s.shootAll(t, dir, map[string]string{
		"learn": "/learn", "learn-topics": "/learn/topics", "learn-topic": "/learn/topics/hyperopt-search", "learn-cheatsheet": "/learn/cheatsheets/training",
		"learn-practice": "/learn/practice?objective=count-models&quick=true", "learn-mocks": "/learn/mocks", "learn-review": "/learn/mocks/" + mock + "?show=wrong",
		"learn-labs": "/learn/labs", "learn-lab": "/learn/labs/random-split", "learn-progress": "/learn/progress",
	}, map[string]string{"learn-practice": "2" + kb.Enter})
	running := s.open(t, "/learn").eval(asking(sitting))
	s.shootAll(t, dir, map[string]string{"learn-mock": "/learn/mocks/" + running + "?question=7"}, nil)
}

// learner answers, takes an exam, tries a lab and follows a plan since some days.
const learner = `(async () => {
	const day = (n) => new Date(Date.now() + n * 864e5).toISOString().slice(0, 10);
	await course("/plan", {plan: "21-day", map: "guide", start: day(-4)});
	let n = 0;
	for (const {id, choose} of (await course("/questions?quick=true&count=100")).questions) {
		const {right} = await course("/questions/" + id + "/answer", {chosen: [0, 1, 2, 3, 4].slice(0, choose)});
		if (n++ % 4) await course("/questions/" + id + "/answer", {chosen: right});
	}
	const m = await course("/mocks", {map: "guide"});
	for (const q of m.questions) {
		const {right} = await course("/questions/" + q.question.id + "/answer", {chosen: [0, 1, 2, 3, 4].slice(0, q.question.choose)});
		await course("/mocks/" + m.id + "/questions/" + q.place, {chosen: n++ % 5 ? right : q.question.options.slice(0, q.question.choose).map((o) => o.id), flagged: n % 11 === 0});
	}
	await course("/mocks/" + m.id + "/finish", {});
	const record = await course("/export");
	for (const t of (await course("/topics")).topics.slice(0, 9)) record.topics[t.id] = day(-2) + "T10:00:00Z";
	record.labs = (await course("/labs")).labs.slice(0, 9).map((l) => ({lab: l.id, started: day(-3) + "T10:00:00Z", passed: day(-2) + "T10:12:00Z", attempts: 3, hints: 1})).filter((l) => l.lab !== "random-split");
	await course("/import", record);
	await course("/labs/random-split/hint", {});
	const a = await course("/labs/random-split/attempts", {server: location.origin});
	await course("/attempts/" + a.attempt + "/judge", {script: {ok: true}});
	return (await course("/mocks")).mocks[0].id;
})()`

// sitting begins an exam.
const sitting = `(async () => {
	const m = await course("/mocks", {map: "guide"});
	for (const q of m.questions.slice(0, 12)) await course("/mocks/" + m.id + "/questions/" + q.place, {chosen: q.place % 5 === 4 ? [] : q.question.options.slice(0, q.question.choose).map((o) => o.id), flagged: q.place % 4 === 3});
	return m.id;
})()`
