package browser

import (
	"context"
	"path/filepath"
	"strconv"
	"testing"
	"time"

	"github.com/chromedp/chromedp"

	"github.com/millpond/millpond/internal/db"
)

// fill writes many runs into a new store, as no client could in the time of a test.
func fill(t *testing.T, dir string) {
	t.Helper()
	ctx := context.Background()
	store, err := db.Open(ctx, filepath.Join(dir, "millpond.db"), db.Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer store.Close()
	const n = `WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 100000) `
	err = store.Write(ctx, func(ctx context.Context, q db.Querier) error {
		for _, text := range []string{
			`INSERT INTO experiments (experiment_id, name, artifact_location, creation_time, last_update_time) VALUES (7, 'many', 'mlflow-artifacts:/7', 1, 1)`,
			n + `INSERT INTO runs (id, run_id, experiment_id, name, user_id, status, start_time, end_time, artifact_uri)
				SELECT i, printf('%032x', i), 7, 'run ' || i, 'me', 'FINISHED', 1700000000000 - i * 1000, 1700000000000 - i * 1000 + 500, '' FROM n`,
			n + `INSERT INTO latest_metrics (run, key, value, timestamp, step) SELECT i, k.value, abs(random() % 1000) / 10.0, 1, 0 FROM n, json_each('["auc","loss","mae","r2","rmse"]') k`,
			n + `INSERT INTO params (run, key, value) SELECT i, k.value, abs(random() % 9) FROM n, json_each('["depth","eta","model"]') k`,
			// A hundred nested runs below every thousandth run.
			n + `INSERT INTO tags (run, key, value) SELECT i, 'mlflow.parentRunId', printf('%032x', i - i % 1000) FROM n WHERE i % 1000 BETWEEN 1 AND 100 AND i > 1000`,
		} {
			if _, err := q.ExecContext(ctx, text); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
}

// TestManyRuns scrolls through a hundred thousand runs.
func TestManyRuns(t *testing.T) {
	if testing.Short() {
		t.Skip("writes a hundred thousand runs")
	}
	dir := filepath.Join(t.TempDir(), "data")
	s := launch(t, func() string { return serve(t, dir, func() { fill(t, dir) }) })
	w := s.open(t, "/experiments/7?group=off")
	w.until("rows", `document.querySelector("table.virtual tbody tr[data-id]")`)
	// From the start of the navigation to rows that can be chosen, as the page itself saw it.
	w.do(chromedp.Reload())
	w.until("rows", `document.querySelector("table.virtual tbody tr[data-id]")`)
	if ms, err := strconv.ParseFloat(w.eval(`performance.getEntriesByName("runs-ready")[0].startTime`), 64); err != nil || ms > 1000 {
		t.Errorf("interactive after %.0f ms, not within a second (%v)", ms, err)
	} else {
		t.Logf("interactive after %.0f ms", ms)
	}
	if got := w.eval(`document.querySelector(".count").innerText`); got != "100,000 runs" {
		t.Errorf("the table says %q", got)
	}
	// The end of the table, at once.
	w.do(chromedp.Evaluate(`document.querySelector(".scroll").scrollTop = 1e9`, nil))
	w.until("the last run", `[...document.querySelectorAll("td.name a")].some((a) => a.innerText === "run 100000")`)
	// Two seconds of steady scrolling, frame by frame.
	slow := w.eval(`new Promise((done) => { const el = document.querySelector(".scroll"); el.scrollTop = 0; let n = 0, slow = 0, last = performance.now();
		const step = (t) => { if (t - last > 50) slow++; last = t; el.scrollTop += 240; ++n < 120 ? requestAnimationFrame(step) : done(slow) }; requestAnimationFrame(step) })`)
	if n, err := strconv.Atoi(slow); err != nil || n > 12 {
		t.Errorf("%s of 120 frames took over 50 ms (%v)", slow, err)
	} else {
		t.Logf("%d of 120 frames took over 50 ms", n)
	}
	w.until("rows where the scrolling ended", `document.querySelectorAll("table.virtual tr[data-id]").length > 10 && !document.querySelector("tr.wait")`)
	if got := w.eval(`document.querySelectorAll("table.virtual tbody tr").length`); len(got) > 2 {
		t.Errorf("%s rows are drawn: the table is not virtual", got)
	}
	begin := time.Now()
	w.do(chromedp.Navigate(s.url + "/experiments/7"))
	w.until("nested runs folded below their parents", `document.querySelector(".count")?.innerText === "90,100 runs" || document.querySelector(".count")?.innerText.startsWith("90,")`)
	t.Logf("nested view after %s", time.Since(begin).Round(time.Millisecond))
}
