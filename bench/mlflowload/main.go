// Command mlflowload puts load on an MLflow tracking server and prints what it
// bore. It speaks plain REST, so that it drives any server of that API alike.
//
//	go run ./bench/mlflowload --url http://127.0.0.1:5000 --clients 16 --seconds 5 --op metric
//
// Operations: metric (runs/log-metric), batch (runs/log-batch of 1,000
// metrics), create (a run, a parameter and a metric), get (runs/get),
// search, which first fills an experiment with --runs runs and then filters
// by one metric and orders by another, rows, which does so for pages of 1,000
// runs, and history, which reads a metric of 100,000 points.
package main

import (
	"bytes"
	"encoding/json"
	"flag"
	"fmt"
	"io"
	"log"
	"math/rand/v2"
	"net/http"
	"os"
	"slices"
	"sync"
	"sync/atomic"
	"time"
)

func main() {
	url := flag.String("url", "http://127.0.0.1:5000", "the server")
	clients := flag.Int("clients", 16, "concurrent clients, each with its own connection and run")
	seconds := flag.Float64("seconds", 5, "how long")
	op := flag.String("op", "metric", "metric, batch, create, get, search, rows or history")
	runs := flag.Int("runs", 10000, "runs to search among")
	fillers := flag.Int("fillers", 2, "clients that fill the experiment; MLflow's own server locks itself out with more")
	asJSON := flag.Bool("json", false, "print the result as JSON")
	flag.Parse()
	l := &load{url: *url, fillers: *fillers, http: &http.Client{Transport: &http.Transport{MaxIdleConnsPerHost: max(*clients, *fillers), MaxConnsPerHost: max(*clients, *fillers)}}}
	l.experiment = l.text(l.post("experiments/create", m{"name": fmt.Sprintf("load-%d", time.Now().UnixNano())}), "experiment_id")
	work, ok := l.operations(*op, *runs)
	if !ok {
		log.Fatalf("unknown operation %q", *op)
	}
	took := l.run(*clients, time.Duration(*seconds*float64(time.Second)), work)
	report(*op, *clients, *seconds, took, *asJSON)
	if n := l.retried.Load(); n > 0 {
		fmt.Fprintf(os.Stderr, "%d requests had to be sent again\n", n)
	}
}

type m = map[string]any

type load struct {
	url, experiment string
	fillers         int
	http            *http.Client
	step            atomic.Int64
	retried         atomic.Int64 // requests that the server failed at first
}

// operations finds what one client does over and over; a client starts with a
// run of its own.
func (l *load) operations(name string, runs int) (func(run string), bool) {
	switch name {
	case "metric":
		return func(run string) {
			n := l.step.Add(1)
			l.post("runs/log-metric", m{"run_id": run, "key": "loss", "value": rand.Float64(), "timestamp": n, "step": n})
		}, true
	case "batch":
		return func(run string) {
			metrics := make([]m, 1000)
			for i := range metrics {
				n := l.step.Add(1)
				metrics[i] = m{"key": "loss", "value": rand.Float64(), "timestamp": n, "step": n}
			}
			l.post("runs/log-batch", m{"run_id": run, "metrics": metrics})
		}, true
	case "create":
		return func(string) {
			run := l.newRun()
			l.post("runs/log-parameter", m{"run_id": run, "key": "lr", "value": "0.1"})
			l.post("runs/log-metric", m{"run_id": run, "key": "loss", "value": 1.5, "timestamp": 1})
		}, true
	case "get":
		return func(run string) { l.do("GET", "runs/get?run_id="+run, nil) }, true
	case "search", "rows":
		l.fill(runs)
		rows := map[string]int{"search": 100, "rows": 1000}[name]
		return func(string) {
			l.post("runs/search", m{"experiment_ids": []string{l.experiment}, "filter": "metrics.acc > 0.5 AND params.opt = 'adam'",
				"order_by": []string{"metrics.loss ASC"}, "max_results": rows})
		}, true
	case "history":
		run := l.points(100_000)
		return func(string) { l.do("GET", "metrics/get-history?metric_key=loss&run_id="+run, nil) }, true
	}
	return nil, false
}

// points makes a run with a metric of n points.
func (l *load) points(n int) string {
	run := l.newRun()
	for at := 0; at < n; at += 1000 {
		metrics := make([]m, min(1000, n-at))
		for i := range metrics {
			metrics[i] = m{"key": "loss", "value": rand.Float64(), "timestamp": at + i, "step": at + i}
		}
		l.post("runs/log-batch", m{"run_id": run, "metrics": metrics})
	}
	return run
}

func (l *load) newRun() string {
	out := l.post("runs/create", m{"experiment_id": l.experiment, "start_time": time.Now().UnixMilli()})
	var r struct {
		Run struct {
			Info struct {
				RunID string `json:"run_id"`
			}
		}
	}
	if err := json.Unmarshal(out, &r); err != nil {
		log.Fatal(err)
	}
	return r.Run.Info.RunID
}

// fill makes runs with three metrics and two parameters.
func (l *load) fill(runs int) {
	start := time.Now()
	var wg sync.WaitGroup
	var next atomic.Int64
	for range l.fillers {
		wg.Go(func() {
			for next.Add(1) <= int64(runs) {
				metrics := []m{}
				for _, key := range []string{"acc", "loss", "auc"} {
					metrics = append(metrics, m{"key": key, "value": rand.Float64(), "timestamp": 1, "step": 0})
				}
				l.post("runs/log-batch", m{"run_id": l.newRun(), "metrics": metrics, "params": []m{
					{"key": "opt", "value": []string{"adam", "sgd"}[rand.IntN(2)]}, {"key": "lr", "value": fmt.Sprint(rand.Float64())}}})
			}
		})
	}
	wg.Wait()
	fmt.Fprintf(os.Stderr, "filled %d runs in %.1f s\n", runs, time.Since(start).Seconds())
}

// run lets clients work side by side and gathers how long each step took.
func (l *load) run(clients int, d time.Duration, work func(run string)) []time.Duration {
	results := make([][]time.Duration, clients)
	ids := make([]string, clients)
	for i := range ids {
		ids[i] = l.newRun()
	}
	stop := time.Now().Add(d)
	var wg sync.WaitGroup
	for i := range clients {
		wg.Go(func() {
			for time.Now().Before(stop) {
				start := time.Now()
				work(ids[i])
				results[i] = append(results[i], time.Since(start))
			}
		})
	}
	wg.Wait()
	return slices.Concat(results...)
}

func report(op string, clients int, seconds float64, took []time.Duration, asJSON bool) {
	if len(took) == 0 {
		log.Fatal("not one operation was finished in time")
	}
	slices.Sort(took)
	at := func(p float64) float64 {
		return float64(took[min(len(took)-1, int(p*float64(len(took))))].Microseconds()) / 1000
	}
	rate := float64(len(took)) / seconds
	if asJSON {
		fmt.Printf(`{"operation":%q,"clients":%d,"per_second":%g,"p50_ms":%g,"p99_ms":%g}`+"\n", op, clients, rate, at(0.5), at(0.99))
		return
	}
	fmt.Printf("%s: %d clients, %d operations, %.0f/s, p50 %.2f ms, p99 %.2f ms, max %.2f ms\n",
		op, clients, len(took), rate, at(0.5), at(0.99), at(1))
}

func (l *load) post(path string, body m) []byte {
	raw, err := json.Marshal(body)
	if err != nil {
		log.Fatal(err)
	}
	return l.do("POST", path, raw)
}

// do sends a request until it is answered well: a server that says "database is locked" is asked
// again, as MLflow's own client does, and the time counts.
func (l *load) do(method, path string, body []byte) []byte {
	for try := 1; ; try++ {
		out, status, err := l.once(method, path, body)
		if err == nil && status == http.StatusOK {
			return out
		}
		if err != nil || status < 500 && !bytes.Contains(out, []byte("locked")) || try == 20 {
			log.Fatalf("%s: status %d: %s (%v)", path, status, out, err)
		}
		l.retried.Add(1)
	}
}

func (l *load) once(method, path string, body []byte) ([]byte, int, error) {
	req, err := http.NewRequest(method, l.url+"/api/2.0/mlflow/"+path, bytes.NewReader(body))
	if err != nil {
		return nil, 0, err
	}
	req.Header.Set("Content-Type", "application/json")
	resp, err := l.http.Do(req)
	if err != nil {
		return nil, 0, err
	}
	defer resp.Body.Close()
	out, err := io.ReadAll(resp.Body)
	return out, resp.StatusCode, err
}

func (l *load) text(body []byte, field string) string {
	var out map[string]string
	if err := json.Unmarshal(body, &out); err != nil {
		log.Fatal(err)
	}
	return out[field]
}
