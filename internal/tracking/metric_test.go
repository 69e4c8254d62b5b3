package tracking

import (
	"fmt"
	"math/rand/v2"
	"net/url"
	"strings"
	"sync"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/millpond/millpond/internal/rest/resttest"
)

func (a *api) logMetric(run, key string, value any, timestamp, step int) {
	a.T.Helper()
	a.OK("POST", "runs/log-metric", body{"run_id": run, "key": key, "value": value, "timestamp": timestamp, "step": step})
}

func (a *api) history(run, key string) []any {
	a.T.Helper()
	list, _ := a.OK("GET", "metrics/get-history", url.Values{"run_id": {run}, "metric_key": {key}})["metrics"].([]any)
	return list
}

func TestLatestMetric(t *testing.T) {
	type point struct {
		value           any
		timestamp, step int
	}
	for name, c := range map[string]struct {
		points []point
		want   any
	}{
		"highest step":                {[]point{{1.0, 9, 1}, {2.0, 1, 5}, {3.0, 7, 3}}, 2.0},
		"then latest time":            {[]point{{1.0, 9, 5}, {2.0, 3, 5}}, 1.0},
		"then largest value":          {[]point{{1.0, 3, 5}, {7.0, 3, 5}, {2.0, 3, 5}}, 7.0},
		"negative steps":              {[]point{{1.0, 1, -3}, {2.0, 1, 0}, {3.0, 1, -1}}, 2.0},
		"not a number":                {[]point{{1.0, 1, 0}, {"NaN", 1, 1}}, "NaN"},
		"infinity":                    {[]point{{"-Infinity", 1, 0}, {"Infinity", 1, 1}}, "Infinity"},
		"a number after not a number": {[]point{{"NaN", 1, 0}, {4.0, 2, 1}}, 4.0},
	} {
		t.Run(name, func(t *testing.T) {
			a := newAPI(t)
			one, batch := a.run("0"), a.run("0")
			var metrics []body
			for _, p := range c.points {
				a.logMetric(one, "m", p.value, p.timestamp, p.step)
				metrics = append(metrics, body{"key": "m", "value": p.value, "timestamp": p.timestamp, "step": p.step})
			}
			a.OK("POST", "runs/log-batch", body{"run_id": batch, "metrics": metrics})
			for _, run := range []string{one, batch} {
				if got := pairs(resttest.Dig(a.getRun(run), "data", "metrics"))["m"]; got != c.want {
					t.Errorf("latest is %v, want %v", got, c.want)
				}
			}
		})
	}
}

func TestHistory(t *testing.T) {
	a := newAPI(t)
	run := a.run("0")
	for _, p := range [][2]int{{5, 3}, {1, 1}, {3, 2}, {1, 0}, {5, 3}, {5, 3}} {
		a.logMetric(run, "m", 0.5, p[0], p[1])
	}
	var got []string
	for _, m := range a.history(run, "m") {
		got = append(got, fmt.Sprint(resttest.Dig(m, "timestamp"), "/", resttest.Dig(m, "step")))
	}
	if d := cmp.Diff([]string{"1/0", "1/1", "3/2", "5/3"}, got); d != "" {
		t.Error(d)
	}
	var paged []any
	token := ""
	for range 5 {
		page := a.OK("GET", "metrics/get-history", url.Values{"run_id": {run}, "metric_key": {"m"}, "max_results": {"3"}, "page_token": {token}})
		paged = append(paged, page["metrics"].([]any)...)
		if token, _ = page["next_page_token"].(string); token == "" {
			break
		}
	}
	if len(paged) != 4 {
		t.Errorf("pages hold %d points", len(paged))
	}
	a.Fails("GET", "metrics/get-history", url.Values{"run_id": {run}, "metric_key": {"m"}, "max_results": {"0"}}, 400, invalid, "positive")
	bulk := a.OK("GET", "metrics/get-history-bulk", url.Values{"run_id": {run, a.run("0")}, "metric_key": {"m"}})
	if list := bulk["metrics"].([]any); len(list) != 4 || resttest.Dig(list[0], "run_id") != run {
		t.Errorf("bulk: %v", bulk)
	}
}

func TestHistorySample(t *testing.T) {
	a := newAPI(t)
	run := a.run("0")
	var metrics []body
	for i := range 1000 {
		metrics = append(metrics, body{"key": "m", "value": i, "timestamp": 1000 - i, "step": i})
	}
	a.OK("POST", "runs/log-batch", body{"run_id": run, "metrics": metrics})
	steps := func(more url.Values) (out []float64) {
		t.Helper()
		q := url.Values{"run_ids": {run}, "metric_key": {"m"}}
		for k, v := range more {
			q[k] = v
		}
		list, _ := a.OK("GET", "metrics/get-history-bulk-interval", q)["metrics"].([]any)
		for _, m := range list {
			out = append(out, resttest.Dig(m, "step").(float64))
		}
		return out
	}
	if got := steps(nil); len(got) != 1000 {
		t.Errorf("all: %d", len(got))
	}
	if got := steps(url.Values{"max_results": {"10"}}); len(got) != 10 || got[0] != 0 || got[9] != 999 {
		t.Errorf("ten: %v", got)
	}
	if got := steps(url.Values{"max_results": {"1"}}); len(got) != 1 || got[0] != 999 {
		t.Errorf("one: %v", got)
	}
	if got := steps(url.Values{"start_step": {"100"}, "end_step": {"102"}}); len(got) != 3 {
		t.Errorf("interval: %v", got)
	}
	a.Fails("GET", "metrics/get-history-bulk-interval", url.Values{"run_ids": {run}, "metric_key": {"m"}, "start_step": {"1"}}, 400, invalid, "both")
}

func TestBatchLimits(t *testing.T) {
	a := newAPI(t)
	run := a.run("0")
	list := func(n int) (out []body) {
		for i := range n {
			out = append(out, body{"key": fmt.Sprint("k", i), "value": "1", "timestamp": 1})
		}
		return out
	}
	a.OK("POST", "runs/log-batch", body{"run_id": run, "metrics": list(1000)})
	a.OK("POST", "runs/log-batch", body{"run_id": run, "params": list(100), "tags": list(100)})
	a.OK("POST", "runs/log-batch", body{"run_id": run})
	a.Fails("POST", "runs/log-batch", body{"run_id": run, "metrics": list(1001)}, 400, invalid, "at most 1000 metrics. Got 1001")
	a.Fails("POST", "runs/log-batch", body{"run_id": run, "params": list(101)}, 400, invalid, "at most 100 params")
	a.Fails("POST", "runs/log-batch", body{"run_id": run, "tags": list(101)}, 400, invalid, "at most 100 tags")
	a.Fails("POST", "runs/log-batch", body{"run_id": run, "metrics": list(950), "params": list(60)}, 400, invalid, "metrics, params, and tags")
	a.Fails("POST", "runs/log-batch", body{"run_id": run, "params": append(list(2), list(2)...)}, 400, invalid, "['k0', 'k1']")
	a.Fails("POST", "runs/log-batch", body{"run_id": run, "metrics": []body{{"key": "m", "timestamp": 1}}}, 400, invalid, "metrics[0].value")
	a.Fails("POST", "runs/log-batch", body{"run_id": run, "metrics": []body{{"key": "m!", "value": 1, "timestamp": 1}}}, 400, invalid, "'metrics[0].name'")
	a.Fails("POST", "runs/log-batch", body{"run_id": "$", "metrics": list(1)}, 400, invalid, "run_id")
}

// TestBatchIsWhole: a batch that is refused leaves nothing behind.
func TestBatchIsWhole(t *testing.T) {
	a := newAPI(t)
	run := a.run("0")
	a.OK("POST", "runs/log-parameter", body{"run_id": run, "key": "p", "value": "old"})
	a.Fails("POST", "runs/log-batch", body{"run_id": run, "params": []body{{"key": "new", "value": "1"}, {"key": "p", "value": "changed"}},
		"metrics": []body{{"key": "m", "value": 1, "timestamp": 1}}, "tags": []body{{"key": "t", "value": "1"}}}, 400, invalid, "Params were already")
	got := a.getRun(run)
	if d := cmp.Diff(map[string]any{"p": "old"}, pairs(resttest.Dig(got, "data", "params"))); d != "" {
		t.Error(d)
	}
	if resttest.Dig(got, "data", "metrics") != nil || pairs(resttest.Dig(got, "data", "tags"))["t"] != nil {
		t.Errorf("left behind: %v", got)
	}
	a.Fails("POST", "runs/log-metric", body{"run_id": run, "key": "m", "value": 1, "timestamp": 1, "model_id": "m-none"}, 404, missing, "m-none")
	if h := a.history(run, "m"); len(h) != 0 {
		t.Errorf("a metric of no model was kept: %v", h)
	}
}

func TestConcurrentWritersLoseNothing(t *testing.T) {
	a := newAPI(t)
	run := a.run("0")
	const writers, each = 300, 5
	var wg sync.WaitGroup
	for w := range writers {
		wg.Go(func() {
			for i := range each {
				a.logMetric(run, "m", w, 1, w*each+i)
			}
			a.OK("POST", "runs/set-tag", body{"run_id": run, "key": "same", "value": fmt.Sprint(w)})
			a.OK("POST", "runs/log-batch", body{"run_id": run, "params": []body{{"key": fmt.Sprint("p", w), "value": "1"}}})
		})
	}
	wg.Wait()
	if n := len(a.history(run, "m")); n != writers*each {
		t.Errorf("%d points, want %d", n, writers*each)
	}
	got := a.getRun(run)
	if n := len(pairs(resttest.Dig(got, "data", "params"))); n != writers {
		t.Errorf("%d params, want %d", n, writers)
	}
	if v := pairs(resttest.Dig(got, "data", "metrics"))["m"]; v != float64(writers-1) {
		t.Errorf("latest is %v", v)
	}
}

// TestSearchRuns compares searches with a plain model of what they mean.
func TestSearchRuns(t *testing.T) {
	a := newAPI(t)
	e := a.experiment("e")
	make := func(name string, start int, metrics, params, tags body, status string) {
		run := a.run(e, "run_name", name, "start_time", start)
		list := func(in body) (out []body) {
			for k, v := range in {
				out = append(out, body{"key": k, "value": v, "timestamp": 1})
			}
			return out
		}
		a.OK("POST", "runs/log-batch", body{"run_id": run, "metrics": list(metrics), "params": list(params), "tags": list(tags)})
		if status != "RUNNING" {
			a.OK("POST", "runs/update", body{"run_id": run, "status": status, "end_time": start + 5})
		}
	}
	make("r0", 1000, body{"acc": 0.9, "a b": 1}, body{"lr": "0.1", "opt": "Adam"}, body{"team": "red"}, "FINISHED")
	make("r1", 2000, body{"acc": 0.8}, body{"lr": "0.01", "opt": "sgd"}, body{"team": "blue"}, "FINISHED")
	make("r2", 3000, body{"acc": 0.7}, body{"lr": "0.1", "opt": "SGD"}, body{"team": "Red"}, "FAILED")
	make("r3", 4000, body{"acc": "NaN"}, body{"lr": "1"}, nil, "RUNNING")
	make("r4", 5000, body{"loss": 0.5}, body{"sp ace": "y"}, body{"team": "green", "a.b": "it's"}, "KILLED")
	make("r5", 6000, body{"acc": -1.0, "loss": 2.0}, nil, nil, "FINISHED")
	search := func(in body) body {
		t.Helper()
		in["experiment_ids"] = []string{e}
		return a.OK("POST", "runs/search", in)
	}
	for filter, want := range map[string]string{
		"":                   "r5 r4 r3 r2 r1 r0",
		"metrics.acc > 0.8":  "r0",
		"metrics.acc != 0.8": "r5 r3 r2 r0",
		"metrics.acc <= 0":   "r5",
		"metrics.`a b` = 1":  "r0",
		"params.lr = '0.1' and tags.team = 'red'":                        "r0",
		"params.opt ILIKE 'SG%'":                                         "r2 r1",
		"params.opt LIKE 'sg%'":                                          "r1",
		"params.opt IS NULL":                                             "r5 r4 r3",
		"tags.a.b = 'it''s'":                                             "r4",
		"tags.`a.b` = \"it's\"":                                          "r4",
		"status != 'FINISHED'":                                           "r4 r3 r2",
		"attributes.`run name` = 'r2'":                                   "r2",
		"run_name LIKE 'r_' AND start_time >= 5000":                      "r5 r4",
		"end_time < 2500":                                                "r1 r0",
		"created > 5500.5":                                               "r5",
		"(metrics.acc > 0.85 OR tags.team = 'blue')":                     "r1 r0",
		"(params.lr = '0.1' AND tags.team = 'red' OR status = 'KILLED')": "r4 r0",
		"status = 'FINISHED' AND (metrics.acc < 0 OR (params.lr = '0.01' OR tags.x = '1'))":         "r5 r1",
		"((params.opt IS NULL OR params.opt = 'sgd') AND (start_time > 5500 OR start_time < 2500))": "r5 r1",
	} {
		if got := names(search(body{"filter": filter})); got != want {
			t.Errorf("%s: %q, want %q", filter, got, want)
		}
	}
	for order, want := range map[string]string{
		"metrics.acc ASC":     "r5 r2 r1 r0 r3 r4",
		"metrics.acc DESC":    "r0 r1 r2 r5 r3 r4",
		"params.lr":           "r1 r2 r0 r3 r5 r4",
		"tags.team DESC":      "r0 r4 r1 r2 r5 r3",
		"start_time":          "r0 r1 r2 r3 r4 r5",
		"end_time DESC":       "r5 r4 r2 r1 r0 r3",
		"attributes.run_name": "r0 r1 r2 r3 r4 r5",
	} {
		if got := names(search(body{"order_by": []string{order}})); got != want {
			t.Errorf("by %s: %q, want %q", order, got, want)
		}
	}
	var all []string
	token := any(nil)
	for range 10 {
		page := search(body{"max_results": 4, "order_by": []string{"metrics.loss", "params.lr DESC"}, "page_token": token})
		all = append(all, names(page))
		if token = page["next_page_token"]; token == nil {
			break
		}
	}
	if d := cmp.Diff("r4 r5 r3 r2 r0 r1", strings.Join(all, " ")); d != "" || len(all) != 2 {
		t.Errorf("pages %v: %s", all, d)
	}
	// The largest filter and the longest ordering that are taken are also run.
	wide := strings.TrimSuffix(strings.Repeat("metrics.acc > 0 AND params.lr != 'x' AND ", 250), " AND ")
	var by []string
	for i := range 30 {
		by = append(by, fmt.Sprint("metrics.k", i))
	}
	if got := names(search(body{"filter": wide, "order_by": by})); got != "r2 r1 r0" {
		t.Errorf("the largest filter: %q", got)
	}
	deep := strings.TrimSuffix(strings.Repeat("(metrics.acc > 0.85 OR ", 48)+strings.Repeat("params.lr = '1' OR ", 450), " OR ") + strings.Repeat(")", 48)
	if got := names(search(body{"filter": deep})); got != "r3 r0" {
		t.Errorf("the largest choice: %q", got)
	}
	for _, in := range []body{{"filter": "metrics.acc > 1 OR metrics.acc < 0"}, {"filter": "tags.team = red"}, {"order_by": []string{"bogus.x"}},
		{"order_by": []string{"metrics.a", "metrics.a"}}, {"max_results": 50001}, {"max_results": -1}, {"page_token": "zzz"}, {"run_view_type": "X"}} {
		in["experiment_ids"] = []string{e}
		a.Fails("POST", "runs/search", in, 400, invalid, "")
	}
}

// TestFilterSplit: a condition, its opposite and its absence cover all runs.
func TestFilterSplit(t *testing.T) {
	a := newAPI(t)
	e := a.experiment("e")
	const runs = 60
	for range runs {
		run := a.run(e)
		if rand.IntN(3) > 0 {
			a.logMetric(run, "m", []any{rand.Float64(), "NaN", "Infinity"}[rand.IntN(3)], 1, 0)
			a.OK("POST", "runs/set-tag", body{"run_id": run, "key": "t", "value": []string{"a", "b"}[rand.IntN(2)]})
		}
	}
	count := func(filter string) int {
		t.Helper()
		list, _ := a.OK("POST", "runs/search", body{"experiment_ids": []string{e}, "filter": filter})["runs"].([]any)
		return len(list)
	}
	if n := count("tags.t = 'a'") + count("tags.t != 'a'") + count("tags.t IS NULL"); n != runs {
		t.Errorf("three parts have %d of %d runs", n, runs)
	}
	with := runs - count("tags.t IS NULL")
	if n := count("metrics.m = 0.5") + count("metrics.m != 0.5"); n != with {
		t.Errorf("= and != have %d of %d runs", n, with)
	}
}
