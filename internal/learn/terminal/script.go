package terminal

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"syscall"
	"time"

	"github.com/millpond/millpond/internal/learn/judge"
)

// maxSaid bounds what is kept of a script's output.
const maxSaid = 64 << 10

// defaultLimit bounds a lab's run: its files take seconds.
const defaultLimit = 5 * time.Minute

// script is a learner's file to run.
type script struct {
	python, file string
	env          map[string]string
	limit        time.Duration
	out, faults  io.Writer // what it prints goes here, too
}

// run runs the file in its own folder and gives how it ended. One that takes too long is made to say
// where it is (SIGABRT and Python's faulthandler) before it is ended.
func (s script) run(ctx context.Context) (judge.Script, error) {
	abs, err := filepath.Abs(s.file)
	if err != nil {
		return judge.Script{}, fmt.Errorf("find the file: %w", err)
	}
	bounded, cancel := context.WithTimeout(ctx, s.limit)
	defer cancel()
	said, faults := &tail{max: maxSaid}, &tail{max: maxSaid}
	c := exec.CommandContext(bounded, s.python, abs)
	c.Dir, c.Env = filepath.Dir(abs), scriptEnv(os.Environ(), s.env)
	c.Stdout, c.Stderr = io.MultiWriter(s.out, said), io.MultiWriter(s.faults, faults)
	c.Cancel = func() error { return c.Process.Signal(syscall.SIGABRT) }
	c.WaitDelay = 5 * time.Second
	err = c.Run()
	if ctx.Err() != nil {
		return judge.Script{}, ctx.Err()
	}
	late := err != nil && bounded.Err() != nil
	var exit *exec.ExitError
	if err != nil && !late && !errors.As(err, &exit) {
		return judge.Script{}, fmt.Errorf("run %s: %w", s.python, err)
	}
	out := judge.Script{OK: err == nil, ExitCode: c.ProcessState.ExitCode(), Output: said.String()}
	switch {
	case late:
		out.Error = fmt.Sprintf("the script was ended after %v%s", s.limit, whereIn(abs, faults.String()))
	case !out.OK:
		out.Error = lastError(faults.String())
	}
	return out, nil
}

// whereIn finds in the stacks that Python's faulthandler printed which line of a file was being run.
func whereIn(file, stacks string) string {
	found := regexp.MustCompile(`File "` + regexp.QuoteMeta(file) + `", line (\d+) in <module>`).FindStringSubmatch(stacks)
	if found == nil {
		return ""
	}
	return ", in line " + found[1]
}

// lastError finds the line of a traceback that says what was wrong: the last that is not indented
// and names an exception.
func lastError(text string) string {
	lines := strings.Split(strings.TrimSpace(text), "\n")
	for i := len(lines) - 1; i >= 0; i-- {
		name, _, found := strings.Cut(lines[i], ":")
		if found && !strings.ContainsAny(name, " \t") && (strings.HasSuffix(name, "Error") || strings.HasSuffix(name, "Exception")) {
			return strings.TrimSpace(lines[i])
		}
	}
	return strings.TrimSpace(lines[len(lines)-1])
}

// tail keeps the end of what is written.
type tail struct {
	max int
	buf bytes.Buffer
}

func (t *tail) Write(p []byte) (int, error) {
	t.buf.Write(p)
	if over := t.buf.Len() - t.max; over > 0 {
		t.buf.Next(over)
	}
	return len(p), nil
}

func (t *tail) String() string { return t.buf.String() }
