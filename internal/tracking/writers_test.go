package tracking

import (
	"fmt"
	"sync"
	"testing"

	"github.com/millpond/millpond/internal/rest/resttest"
)

// TestManyWriters: a thousand writers at once lose nothing and are refused nothing.
func TestManyWriters(t *testing.T) {
	a := newAPI(t)
	experiment := a.experiment("storm")
	run := resttest.Dig(a.OK("POST", "runs/create", body{"experiment_id": experiment}), "run", "info", "run_id").(string)
	const writers = 1000
	start := make(chan struct{})
	var wg sync.WaitGroup
	for n := range writers {
		wg.Go(func() {
			<-start
			for path, in := range map[string]body{
				"runs/log-metric":    {"run_id": run, "key": fmt.Sprint("m", n%7), "value": n, "step": n, "timestamp": n},
				"runs/set-tag":       {"run_id": run, "key": "shared", "value": fmt.Sprint(n)},
				"runs/log-parameter": {"run_id": run, "key": fmt.Sprint("p", n), "value": fmt.Sprint(n)},
				"runs/create":        {"experiment_id": experiment, "start_time": n},
			} {
				if status, out := a.Call("POST", path, in); status != 200 {
					t.Errorf("%s: %d %v", path, status, out)
				}
			}
		})
	}
	close(start)
	wg.Wait()
	for query, want := range map[string]int{
		`SELECT COUNT(*) FROM metrics`: writers, `SELECT COUNT(*) FROM params`: writers, `SELECT COUNT(*) FROM runs`: writers + 1,
		`SELECT COUNT(*) FROM tags WHERE key = 'shared'`: 1, `SELECT COUNT(*) FROM latest_metrics`: 7,
	} {
		var n int
		if err := a.db.Reader().QueryRowContext(t.Context(), query).Scan(&n); err != nil || n != want {
			t.Errorf("%s: %d, want %d (%v)", query, n, want, err)
		}
	}
}
