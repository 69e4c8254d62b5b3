package terminal

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/millpond/millpond/internal/learn"
	"github.com/millpond/millpond/internal/learn/judge"
	"github.com/millpond/millpond/internal/rest"
)

// isOver says whether an error is the server's "the mock exam is finished".
func isOver(err error) bool {
	var e *rest.Failure
	return errors.As(err, &e) && e.Code == string(rest.InvalidState)
}

// check runs the learner's file as a new attempt and prints the server's judgement; with evidence,
// also what the checks could see.
func (u *ui) check(ctx context.Context, args []string, file string, evidence bool) error {
	l, err := u.current(ctx, args)
	if err != nil {
		return err
	}
	if file == "" {
		file = filepath.Join(u.folder(l.LabView), "lab.py")
	}
	v, attempt, err := u.try(ctx, l, file)
	if err != nil {
		return err
	}
	if evidence {
		var e judge.Evidence
		if err := u.api.get(ctx, "/attempts/"+attempt+"/evidence", &e); err != nil {
			return err
		}
		if err := u.printJSON(e); err != nil {
			return err
		}
	}
	if u.json {
		err = u.printJSON(v)
	} else {
		u.verdict(l, v)
	}
	if err == nil && !v.Passed {
		err = ErrFailed
	}
	return err
}

func (u *ui) try(ctx context.Context, l learn.LabResponse, file string) (v *learn.JudgeResponse, attempt string, err error) {
	if _, err := os.Stat(file); err != nil {
		return nil, "", fmt.Errorf("%s is not there; `millpond learn start %s` makes it, --dir or --file says where yours is", file, l.ID)
	}
	python, err := u.interpreter()
	if err != nil {
		return nil, "", err
	}
	var a learn.AttemptResponse
	if err := u.api.post(ctx, "/labs/"+l.ID+"/attempts", body{"server": u.api.base}, &a); err != nil {
		return nil, "", err
	}
	said := u.out
	if u.json {
		said = io.Discard
	}
	signIn(a.Env, u.api.token)
	s, err := script{python: python, file: file, env: a.Env, limit: u.limit, out: said, faults: u.err}.run(ctx)
	if err != nil {
		return nil, "", err
	}
	v = &learn.JudgeResponse{}
	return v, a.Attempt, u.api.post(ctx, "/attempts/"+a.Attempt+"/judge", body{"script": s}, v)
}

func (u *ui) interpreter() (string, error) {
	if u.python != "" {
		return u.python, nil
	}
	return u.opts.Python()
}

// quiet are settings of Python and the clients that keep a lab's output to what the learner printed.
var quiet = map[string]string{
	"MLFLOW_ENABLE_ARTIFACTS_PROGRESS_BAR":   "false",
	"MLFLOW_SUPPRESS_PRINTING_URL_TO_STDOUT": "true",
	"MLFLOW_DISABLE_TELEMETRY":               "true",
	"GIT_PYTHON_REFRESH":                     "quiet",
	"PYTHONUNBUFFERED":                       "1",
	"PYTHONFAULTHANDLER":                     "1", // a file that hangs says where
}

// others are variables that would lead a lab elsewhere.
var others = []string{"MLFLOW_EXPERIMENT_ID", "MLFLOW_RUN_ID", "SPARK_CONNECT_MODE_ENABLED", "PYTHONHOME"}

// tokenVariable is where MLflow's clients find a token.
const tokenVariable = "MLFLOW_TRACKING_TOKEN"

// signIn adds the learner's token to an attempt's environment. PySpark sends tokens in the clear
// to nobody but "localhost".
func signIn(env map[string]string, token string) {
	if token == "" {
		return
	}
	env[tokenVariable] = token + "+" + env[tokenVariable]
	env["SPARK_REMOTE"] = strings.Replace(env["SPARK_REMOTE"], "sc://127.0.0.1:", "sc://localhost:", 1) + ";token=" + token
}

func scriptEnv(base []string, env map[string]string) []string {
	out := slices.DeleteFunc(slices.Clone(base), func(e string) bool {
		name, _, _ := strings.Cut(e, "=")
		_, set := env[name]
		return set || slices.Contains(others, name)
	})
	for _, vars := range []map[string]string{quiet, env} {
		for k, v := range vars {
			out = append(out, k+"="+v)
		}
	}
	return out
}

// verdict prints a judgement: what held, and of what did not first what was sought and found.
func (u *ui) verdict(l learn.LabResponse, v *learn.JudgeResponse) {
	u.say("")
	for _, f := range v.Findings {
		if f.OK {
			u.line(u.style.wrap(u.style.good, "✓ "), f.Sought)
			continue
		}
		u.line(u.style.wrap(u.style.bad, "✗ "), "looked for "+f.Sought)
		u.found(f)
		if f.Hint > 0 {
			u.say("  hint: millpond learn hint %s %d", l.ID, f.Hint)
		}
		break
	}
	if !v.Passed {
		return
	}
	u.say("")
	u.say("%s", u.style.wrap(u.style.good, "Lab "+l.ID+" is passed."))
	if v.Next != "" {
		u.say("Next: millpond learn start %s", v.Next)
	}
}

func (u *ui) found(f judge.Finding) {
	switch len(f.Found) {
	case 0:
		u.say("  found nothing of the kind")
	case 1:
		u.line("  found: ", f.Found[0])
	default:
		u.say("  found:")
		for _, x := range f.Found {
			u.line("    - ", x)
		}
	}
}

// watchEvery is how often a watched file is looked at; looking is cheaper than asking the system,
// and works for every editor's way to save.
const watchEvery = 300 * time.Millisecond

// watch checks a lab whenever its file changes, until it is passed.
func (u *ui) watch(ctx context.Context, args []string) error {
	l, err := u.current(ctx, args)
	if err != nil {
		return err
	}
	file := filepath.Join(u.folder(l.LabView), "lab.py")
	var seen time.Time
	for {
		info, err := os.Stat(file)
		if err != nil {
			return fmt.Errorf("%s is not there; `millpond learn start %s` makes it", file, l.ID)
		}
		if info.ModTime().After(seen) {
			seen = info.ModTime()
			v, _, err := u.try(ctx, l, file)
			if err != nil {
				return err
			}
			u.verdict(l, v)
			if v.Passed {
				return nil
			}
			u.say("\n%s", u.style.wrap(u.style.dim, "Waiting until you save "+file+" (Ctrl+C ends)"))
		}
		select {
		case <-ctx.Done():
			return nil
		case <-time.After(watchEvery):
		}
	}
}
