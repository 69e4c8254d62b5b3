package tracking

import (
	"context"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/millpond/millpond/internal/artifact"
	"github.com/millpond/millpond/internal/db"
)

// service is a second service over the same records and files, with a clock.
func (a *api) service(now time.Time) *Service {
	a.T.Helper()
	files, err := artifact.Share(a.dir + "/artifacts")
	if err != nil {
		a.T.Fatal(err)
	}
	a.T.Cleanup(func() { files.Close() })
	s, err := New(context.Background(), a.db, files, Options{Logger: quiet, Now: func() time.Time { return now }})
	if err != nil {
		a.T.Fatal(err)
	}
	return s
}

func (a *api) upload(path, content string) {
	a.T.Helper()
	w := httptest.NewRecorder()
	a.mux.ServeHTTP(w, httptest.NewRequest("PUT", "/api/2.0/mlflow-artifacts/artifacts/"+path, strings.NewReader(content)))
	if w.Code != 200 {
		a.T.Fatalf("upload %s: %d %s", path, w.Code, w.Body)
	}
}

func (a *api) download(path string) int {
	w := httptest.NewRecorder()
	a.mux.ServeHTTP(w, httptest.NewRequest("GET", "/api/2.0/mlflow-artifacts/artifacts/"+path, nil))
	return w.Code
}

func summary(list []Collected) string {
	var out []string
	for _, c := range list {
		word := c.Kind + " " + c.Name
		if c.Kept != "" {
			word = "kept " + word
		}
		out = append(out, word)
	}
	return strings.Join(out, ", ")
}

func TestCollect(t *testing.T) {
	a := newAPI(t)
	e, gone := a.experiment("e"), a.experiment("gone")
	lives, dead, used := a.run(e, "run_name", "lives"), a.run(e, "run_name", "dead"), a.run(e, "run_name", "used")
	inGone := a.run(gone, "run_name", "inGone")
	for exp, runs := range map[string][]string{e: {lives, dead, used}, gone: {inGone}} {
		for _, r := range runs {
			a.upload(exp+"/"+r+"/artifacts/f.txt", "12345")
			a.OK("POST", "runs/log-metric", body{"run_id": r, "key": "m", "value": 1, "timestamp": 1})
		}
	}
	a.OK("POST", "runs/delete", body{"run_id": dead})
	a.OK("POST", "runs/delete", body{"run_id": used})
	a.OK("POST", "experiments/delete", body{"experiment_id": gone})
	opts := CollectOptions{InUse: func(context.Context, db.Querier) ([]Use, error) {
		return []Use{{"model version v/1", "mlflow-artifacts:/" + e + "/" + used + "/artifacts/model"}}, nil
	}}
	later := a.service(time.Now().Add(time.Hour))
	collect := func(change func(*CollectOptions)) ([]Collected, string) {
		o := opts
		change(&o)
		list, err := later.Collect(t.Context(), o)
		if err != nil {
			t.Fatal(err)
		}
		return list, summary(list)
	}
	if _, got := collect(func(o *CollectOptions) { o.OlderThan = 2 * time.Hour }); got != "" {
		t.Errorf("too young, yet collected: %s", got)
	}
	if list, got := collect(func(o *CollectOptions) { o.DryRun = true }); got != "run dead, kept run used, run inGone, experiment gone" || list[0].Bytes != 5 {
		t.Errorf("dry run: %s, %d bytes", got, list[0].Bytes)
	}
	for _, o := range []CollectOptions{{Runs: []string{lives}}, {Experiments: []string{e}}} {
		if _, err := later.Collect(t.Context(), o); err == nil || !strings.Contains(err.Error(), "not in the deleted stage") {
			t.Errorf("%v: %v", o, err)
		}
	}
	if a.download(e+"/"+dead+"/artifacts/f.txt") != 200 || a.download(gone+"/"+inGone+"/artifacts/f.txt") != 200 {
		t.Error("a dry run deleted artifacts")
	}
	if _, got := collect(func(o *CollectOptions) { o.Runs = []string{dead} }); got != "run dead" {
		t.Errorf("one run: %s", got)
	}
	a.Fails("GET", "runs/get?run_id="+dead, nil, 404, "RESOURCE_DOES_NOT_EXIST", "")
	if _, got := collect(func(*CollectOptions) {}); got != "kept run used, run inGone, experiment gone" {
		t.Errorf("all: %s", got)
	}
	a.Fails("GET", "experiments/get?experiment_id="+gone, nil, 404, "RESOURCE_DOES_NOT_EXIST", "")
	for path, want := range map[string]int{e + "/" + lives: 200, e + "/" + used: 200, e + "/" + dead: 404, gone + "/" + inGone: 404} {
		if got := a.download(path + "/artifacts/f.txt"); got != want {
			t.Errorf("artifacts of %s: %d, want %d", path, got, want)
		}
	}
	if got := len(a.history(lives, "m")); got != 1 {
		t.Errorf("the living run has %d points", got)
	}
	if _, got := collect(func(o *CollectOptions) { o.InUse = nil }); got != "run used" {
		t.Errorf("once unused: %s", got)
	}
}

// TestCollectSparesNested keeps a deleted run in whose directory a living
// experiment keeps its artifacts.
func TestCollectSparesNested(t *testing.T) {
	a := newAPI(t)
	e := a.experiment("e")
	r := a.run(e)
	a.OK("POST", "experiments/create", body{"name": "nested", "artifact_location": "mlflow-artifacts:/" + e + "/" + r + "/artifacts/x"})
	a.OK("POST", "runs/delete", body{"run_id": r})
	list, err := a.service(time.Now().Add(time.Hour)).Collect(t.Context(), CollectOptions{})
	if err != nil || len(list) != 1 || list[0].Kept != "experiment nested uses its artifacts" {
		t.Errorf("%+v, %v", list, err)
	}
}
