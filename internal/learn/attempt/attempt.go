// Package attempt runs a learner's attempts at labs: it opens a Spark session's id and an MLflow
// experiment for each, hears what happens under them, and lets the lab's checks judge it. The
// learner's file runs elsewhere, on the learner's side; this package never runs code.
package attempt

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"sync"
	"time"

	"github.com/google/uuid"

	"github.com/millpond/millpond/internal/evidence"
	"github.com/millpond/millpond/internal/learn/course"
	"github.com/millpond/millpond/internal/learn/judge"
	"github.com/millpond/millpond/internal/rest"
)

// Attempt is one try at a lab. Its id is the Spark session's id and the token of its MLflow client.
type Attempt struct {
	ID         string
	Lab        string
	Learner    string
	Experiment string // the name
	Started    time.Time

	experimentID string
}

// ErrUnknown says that an attempt is not known (any more): the server forgot or was started anew.
var ErrUnknown = errors.New("there is no such attempt; start another")

// Options of Attempts.
type Options struct {
	Log    *evidence.Log // hears the sessions
	MLflow http.Handler  // MLflow's REST API, asked in process
	Now    func() time.Time
}

// Attempts are those that run.
type Attempts struct {
	opts Options
	api  rest.Local

	mu   sync.Mutex
	byID map[string]*Attempt
	old  []string // ids, oldest first
}

// most bounds how many attempts are remembered.
const most = 64

// New makes the keeper of attempts.
func New(o Options) *Attempts {
	if o.Now == nil {
		o.Now = time.Now
	}
	return &Attempts{opts: o, api: rest.Local{Handler: o.MLflow}, byID: map[string]*Attempt{}}
}

// Tags of an attempt's experiment.
const (
	labTag     = "millpond.learn.lab"
	learnerTag = "millpond.learn.learner"
)

// Start opens an attempt. The experiment of the learner's last attempt at the lab is moved to the
// deleted ones.
func (a *Attempts) Start(ctx context.Context, lab *course.Lab, learner string) (*Attempt, error) {
	if err := a.clean(ctx, lab, learner); err != nil {
		return nil, fmt.Errorf("clear away the last attempt: %w", err)
	}
	x := &Attempt{ID: uuid.NewString(), Lab: lab.ID, Learner: learner, Started: a.opts.Now()}
	x.Experiment = "learn-" + lab.ID + "-" + x.ID[:8]
	type tag struct {
		Key   string `json:"key"`
		Value string `json:"value"`
	}
	in := map[string]any{"name": x.Experiment, "tags": []tag{{labTag, lab.ID}, {learnerTag, learner}, {"mlflow.note.content", lab.Title}}}
	var made struct {
		ID string `json:"experiment_id"`
	}
	if err := a.post(ctx, "experiments/create", in, &made); err != nil {
		return nil, fmt.Errorf("make the attempt's experiment: %w", err)
	}
	x.experimentID = made.ID
	a.opts.Log.Watch(x.ID)
	a.mu.Lock()
	defer a.mu.Unlock()
	a.byID[x.ID], a.old = x, append(a.old, x.ID)
	if len(a.old) > most {
		a.opts.Log.Forget(a.old[0])
		delete(a.byID, a.old[0])
		a.old = a.old[1:]
	}
	return x, nil
}

// clean deletes the experiments of a learner's earlier attempts at a lab, and forgets the attempts.
func (a *Attempts) clean(ctx context.Context, lab *course.Lab, learner string) error {
	var found struct {
		Experiments []struct {
			ID   string `json:"experiment_id"`
			Tags []struct{ Key, Value string }
		}
	}
	in := map[string]any{"filter": "tags.`" + labTag + "` = '" + lab.ID + "'", "max_results": 1000}
	if err := a.post(ctx, "experiments/search", in, &found); err != nil {
		return err
	}
	for _, e := range found.Experiments {
		if !slices.Contains(e.Tags, struct{ Key, Value string }{learnerTag, learner}) {
			continue
		}
		if err := a.post(ctx, "experiments/delete", map[string]string{"experiment_id": e.ID}, nil); err != nil {
			return err
		}
	}
	a.mu.Lock()
	defer a.mu.Unlock()
	a.old = slices.DeleteFunc(a.old, func(id string) bool {
		x := a.byID[id]
		gone := x.Lab == lab.ID && x.Learner == learner
		if gone {
			a.opts.Log.Forget(id)
			delete(a.byID, id)
		}
		return gone
	})
	return nil
}

// Get finds an attempt.
func (a *Attempts) Get(id string) (*Attempt, error) {
	a.mu.Lock()
	defer a.mu.Unlock()
	if x := a.byID[id]; x != nil {
		return x, nil
	}
	return nil, ErrUnknown
}

// Evidence gathers what happened in an attempt so far.
func (a *Attempts) Evidence(ctx context.Context, x *Attempt, s judge.Script) (judge.Evidence, error) {
	events, watched := a.opts.Log.Events(x.ID)
	if !watched {
		return judge.Evidence{}, ErrUnknown
	}
	e := judge.Evidence{Script: s}
	e.Add(events)
	err := a.readMLflow(ctx, x, &e)
	return e, err
}

func (a *Attempts) post(ctx context.Context, path string, in, out any) error {
	return a.api.Call(ctx, http.MethodPost, "/api/2.0/mlflow/"+path, in, out, nil)
}

func (a *Attempts) get(ctx context.Context, path string, out any) error {
	return a.api.Call(ctx, http.MethodGet, "/api/2.0/mlflow/"+path, nil, out, nil)
}
