package tracking

import (
	"bufio"
	"bytes"
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/millpond/millpond/internal/db/dbtest"

	"github.com/millpond/millpond/internal/rest/resttest"
)

// killedDir tells a child process of TestKilledServer where to serve from.
const killedDir = "MILLPOND_TEST_KILLED_DIR"

func TestMain(m *testing.M) {
	if dir := os.Getenv(killedDir); dir != "" {
		serveUntilKilled(dir)
	}
	os.Exit(m.Run())
}

// serveUntilKilled serves over HTTP and prints the address.
func serveUntilKilled(dir string) {
	a, _ := openAPI(&testing.B{}, dir, filepath.Join(dir, "m.db"))
	fmt.Println(httptest.NewServer(a.mux).URL)
	select {}
}

// TestKilledServer kills a server with SIGKILL while clients are writing:
// whatever it had acknowledged must be there afterwards, and nothing torn.
func TestKilledServer(t *testing.T) {
	if testing.Short() {
		t.Skip("starts processes")
	}
	if dbtest.IsPostgres() {
		t.Skip("PostgreSQL outlives this program")
	}
	dir := t.TempDir()
	for round := range 3 {
		acked := killWhileWriting(t, dir, round)
		a, closeAll := openAPI(t, dir, filepath.Join(dir, "m.db"))
		for run, steps := range acked {
			checkAcknowledged(t, a, run, steps)
		}
		var check string
		if err := a.db.Reader().QueryRowContext(t.Context(), "PRAGMA integrity_check").Scan(&check); err != nil || check != "ok" {
			t.Errorf("database after kill: %s, %v", check, err)
		}
		closeAll()
	}
}

func checkAcknowledged(t *testing.T, a *api, run string, steps int) {
	t.Helper()
	points := a.history(run, "m")
	if len(points) < steps {
		t.Errorf("run %s: %d points were acknowledged, %d are there", run, steps, len(points))
	}
	got := a.getRun(run)
	params := pairs(resttest.Dig(got, "data", "params"))
	for i := range steps {
		if params[fmt.Sprint("p", i)] != "1" {
			t.Errorf("run %s: parameter p%d was acknowledged and is not there", run, i)
		}
	}
	// A batch is there whole or not at all.
	if len(points) != len(params) {
		t.Errorf("run %s: %d points, but %d params of the same batches", run, len(points), len(params))
	}
	if list := a.OK("GET", "artifacts/list", url.Values{"run_id": {run}}); steps > 0 && resttest.Dig(list, "files", 0, "file_size") != 1000.0 {
		t.Errorf("run %s: artifact: %v", run, list)
	}
}

// killWhileWriting starts a server, lets clients write, kills it, and returns
// how many batches each run's client had seen acknowledged.
func killWhileWriting(t *testing.T, dir string, round int) map[string]int {
	t.Helper()
	child := exec.Command(os.Args[0], "-test.run=^$")
	child.Env = append(os.Environ(), killedDir+"="+dir)
	child.Stderr = os.Stderr
	out, err := child.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := child.Start(); err != nil {
		t.Fatal(err)
	}
	line, err := bufio.NewReader(out).ReadString('\n')
	if err != nil {
		_ = child.Process.Kill() // the test has failed anyway
		t.Fatal(err)
	}
	c := &client{url: strings.TrimSpace(line), http: &http.Client{Timeout: 10 * time.Second}}
	var mu sync.Mutex
	acked := map[string]int{}
	var wg sync.WaitGroup
	for range 12 {
		wg.Go(func() {
			run, steps := c.writeUntilDead()
			mu.Lock()
			defer mu.Unlock()
			if run != "" {
				acked[run] = steps
			}
		})
	}
	time.Sleep(time.Duration(300+150*round) * time.Millisecond)
	if err := child.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	_ = child.Wait() // says that it was killed
	wg.Wait()
	total := 0
	for _, n := range acked {
		total += n
	}
	if total == 0 {
		t.Error("nothing was acknowledged before the kill")
	}
	return acked
}

type client struct {
	url  string
	http *http.Client
}

func (c *client) writeUntilDead() (run string, steps int) {
	out, ok := c.post("POST", "/api/2.0/mlflow/runs/create", body{"experiment_id": "0"})
	if !ok {
		return "", 0
	}
	run = resttest.Dig(out, "run", "info", "run_id").(string)
	file := bytes.Repeat([]byte("x"), 1000)
	if _, ok := c.post("PUT", "/api/2.0/mlflow-artifacts/artifacts/0/"+run+"/artifacts/f", file); !ok {
		return run, 0
	}
	for ; ; steps++ {
		_, ok := c.post("POST", "/api/2.0/mlflow/runs/log-batch", body{"run_id": run,
			"metrics": []body{{"key": "m", "value": steps, "timestamp": steps, "step": steps}},
			"params":  []body{{"key": fmt.Sprint("p", steps), "value": "1"}}})
		if !ok {
			return run, steps
		}
	}
}

func (c *client) post(method, path string, in any) (any, bool) {
	raw, isRaw := in.([]byte)
	if !isRaw {
		raw, _ = json.Marshal(in)
	}
	req, _ := http.NewRequest(method, c.url+path, bytes.NewReader(raw))
	req.Header.Set("Content-Type", "application/json")
	resp, err := c.http.Do(req)
	if err != nil {
		return nil, false
	}
	defer resp.Body.Close()
	var out any
	err = json.NewDecoder(resp.Body).Decode(&out)
	return out, err == nil && resp.StatusCode == http.StatusOK
}
