package tracking

import (
	"bufio"
	"context"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"
)

// watch listens to an experiment and sends what it hears.
func watch(t *testing.T, a *api, experiment string) (lines chan string, stop func()) {
	t.Helper()
	server := httptest.NewServer(a.mux)
	ctx, cancel := context.WithCancel(context.Background())
	req, err := http.NewRequestWithContext(ctx, "GET", server.URL+"/ajax-api/2.0/millpond/experiments/"+experiment+"/changes", nil)
	if err != nil {
		t.Fatal(err)
	}
	res, err := http.DefaultClient.Do(req) //nolint:bodyclose // stop closes it
	if err != nil {
		t.Fatal(err)
	}
	if res.Header.Get("Content-Type") != "text/event-stream" {
		t.Fatalf("%s %v", res.Status, res.Header)
	}
	lines = make(chan string, 100)
	go func() {
		defer close(lines)
		for s := bufio.NewScanner(res.Body); s.Scan(); {
			if text, ok := strings.CutPrefix(s.Text(), "data: "); ok {
				lines <- text
			}
		}
	}()
	return lines, func() { cancel(); _ = res.Body.Close(); server.Close() } // the stream was cut off on purpose
}

func TestChangesAreTold(t *testing.T) {
	a := newAPI(t)
	e, other := a.experiment("e"), a.experiment("other")
	old := a.run(e)
	lines, stop := watch(t, a, e)
	defer stop()
	hear := func() string {
		t.Helper()
		select {
		case text := <-lines:
			return text
		case <-time.After(5 * time.Second):
			t.Fatal("nothing was told")
			return ""
		}
	}
	a.run(other)
	made := a.run(e)
	if got := hear(); got != `{"runs":["`+made+`"]}` {
		t.Errorf("a new run: %s", got)
	}
	for i := range 50 { // many writes are one message or two
		a.logMetric(old, "m", i, i, i)
	}
	if got := hear(); got != `{"runs":["`+old+`"]}` {
		t.Errorf("metrics: %s", got)
	}
	a.Fails("POST", "runs/log-metric", body{"run_id": "none", "key": "m", "value": 1, "timestamp": 1}, 404, missing, "")
	time.Sleep(2 * changesPause)
	if n := len(lines); n > 1 {
		t.Errorf("fifty writes gave %d more messages", n)
	}
	for len(lines) > 0 {
		<-lines
	}
	a.OK("POST", "runs/delete", body{"run_id": made})
	if got := hear(); got != `{"runs":["`+made+`"]}` {
		t.Errorf("a deleted run: %s", got)
	}
}

func TestListeningEnds(t *testing.T) {
	c := newChanges()
	l := c.listen(1)
	c.touch(2, "other")
	for range mostChanges + 1 {
		c.touch(1, strings.Repeat("x", len(l.runs)+1))
	}
	if msg, err := l.take(); err != nil || string(msg) != `{"runs":[],"many":true}` {
		t.Errorf("%s %v", msg, err)
	}
	c.leave(1, l)
	if c.count.Load() != 0 || len(c.by) != 0 {
		t.Errorf("%d listeners in %v", c.count.Load(), c.by)
	}
	for range mostListeners {
		if c.listen(1) == nil {
			t.Fatal("refused too early")
		}
	}
	if c.listen(1) != nil {
		t.Error("listeners without bound")
	}
}
