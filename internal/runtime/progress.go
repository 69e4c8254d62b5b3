package runtime

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"os"
	"os/exec"
	"strings"
	"sync"
	"syscall"
	"time"
)

// progress tells what is being done, with the seconds since the start.
type progress struct {
	mu    sync.Mutex
	w     io.Writer
	start time.Time
}

func newProgress(w io.Writer) *progress {
	if w == nil {
		w = io.Discard
	}
	return &progress{w: w, start: time.Now()}
}

func (p *progress) say(format string, args ...any) {
	p.mu.Lock()
	defer p.mu.Unlock()
	fmt.Fprintf(p.w, "%6.1f s  %s\n", time.Since(p.start).Seconds(), fmt.Sprintf(format, args...)) // a closed terminal must not end the work
}

// command is a program to run.
type command struct {
	name string
	args []string
	env  []string // added to the process's own
	show bool     // pass on the lines that tell how far it is
}

// beat is how often a command that says nothing is reported to be still running.
const beat = 15 * time.Second

// run runs a command to its end. What it printed is told only if it fails.
func (p *progress) run(ctx context.Context, c command) error {
	cmd := exec.CommandContext(ctx, c.name, c.args...)
	cmd.Cancel = func() error { return cmd.Process.Signal(syscall.SIGINT) }
	cmd.WaitDelay = 5 * time.Second
	cmd.Env = append(withoutVenv(os.Environ()), c.env...)
	said := &lines{}
	if c.show {
		said.each = func(line string) {
			if w, _, _ := strings.Cut(strings.TrimSpace(line), " "); shown[w] {
				p.say("  %s", strings.TrimSpace(line))
			}
		}
	}
	cmd.Stdout, cmd.Stderr = said, said
	done := make(chan struct{})
	stopped := make(chan struct{})
	go func() {
		defer close(stopped)
		tick := time.NewTicker(beat)
		defer tick.Stop()
		for {
			select {
			case <-done:
				return
			case <-tick.C:
				p.say("  still at it")
			}
		}
	}()
	err := cmd.Run()
	close(done)
	<-stopped
	if ctx.Err() != nil {
		return fmt.Errorf("interrupted: %w", context.Cause(ctx))
	}
	if err != nil {
		return fmt.Errorf("%s %s: %w\n%s", c.name, strings.Join(c.args[:min(2, len(c.args))], " "), err, said.tail())
	}
	return nil
}

// shown are the first words of uv's lines that tell how far it is.
var shown = map[string]bool{"Resolved": true, "Prepared": true, "Installed": true, "Bytecode": true, "Building": true, "Built": true}

// withoutVenv drops what an activated environment sets, which would lead Python and uv astray.
func withoutVenv(env []string) []string {
	out := env[:0:0]
	for _, e := range env {
		if strings.HasPrefix(e, "VIRTUAL_ENV=") || strings.HasPrefix(e, "PYTHONHOME=") || strings.HasPrefix(e, "PYTHONPATH=") {
			continue
		}
		out = append(out, e)
	}
	return out
}

// lines keeps the last lines that a command printed.
type lines struct {
	mu   sync.Mutex
	part []byte
	last []string
	each func(string)
}

const keptLines = 30

func (l *lines) Write(b []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.part = append(l.part, b...)
	for {
		k := bytes.IndexByte(l.part, '\n')
		if k < 0 {
			return len(b), nil
		}
		line := string(l.part[:k])
		l.part = l.part[k+1:]
		l.last = append(l.last, line)
		if len(l.last) > keptLines {
			l.last = l.last[1:]
		}
		if l.each != nil {
			l.each(line)
		}
	}
}

func (l *lines) tail() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return strings.TrimSpace(strings.Join(append(l.last, string(l.part)), "\n"))
}
