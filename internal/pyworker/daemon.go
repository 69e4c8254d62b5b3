package pyworker

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/millpond/millpond/internal/sparkerr"
)

// startTime bounds how long a daemon may take to say where it listens.
const startTime = time.Minute

// daemon is a pyspark.daemon process, which forks workers.
type daemon struct {
	path   string // of the Python executable
	env    []string
	output io.Writer
	log    *slog.Logger
	keep   int // idle workers at most

	once   sync.Once
	failed error
	cmd    *exec.Cmd
	stdin  io.WriteCloser
	dir    string // of the socket and of reports of faults
	socket string
	said   tail
	ended  chan struct{} // closed when the process has ended

	mu      sync.Mutex
	idle    []*worker
	forked  int
	busy    int
	used    time.Time
	closing bool
}

// start runs the daemon, once.
func (d *daemon) start() error {
	d.once.Do(func() { d.failed = d.launch() })
	return d.failed
}

func (d *daemon) launch() error {
	checked := make(chan error, 1)
	go func() {
		_, err := inspect(d.path)
		checked <- err
	}()
	err := d.spawn()
	if cerr := <-checked; cerr != nil { // what ails Python says more than how its daemon failed
		if err == nil {
			d.close()
		}
		return cerr
	}
	return err
}

// preload runs before the daemon: what it imports, its workers have once they are forked. What is
// there by then is put out of the garbage collector's sight, which runs after each task.
const preload = `import gc, runpy, sys
gc.disable()
try:
    import pandas, pyarrow, pyarrow.compute
    import pyspark.worker, pyspark.sql.pandas.types, pyspark.sql.pandas.serializers, pyspark.sql.conversion
except ImportError:
    pass
gc.freeze()
gc.enable()
runpy.run_module("pyspark.daemon", run_name="__main__", alter_sys=True)
`

func (d *daemon) spawn() error {
	dir, err := os.MkdirTemp("", "mp-py-")
	if err != nil {
		return fmt.Errorf("directory of the Python daemon: %w", err)
	}
	cmd := exec.Command(d.path, "-c", preload, "pyspark.worker")
	cmd.Env = append(os.Environ(), "PYTHON_UNIX_DOMAIN_ENABLED=true", "PYTHON_WORKER_FACTORY_SOCK_DIR="+dir, "PYTHON_FAULTHANDLER_DIR="+dir,
		"SPARK_REUSE_WORKER=1", "SPARK_SIMPLIFIED_TRACEBACK=1", "PYTHONUNBUFFERED=YES", "SPARK_BUFFER_SIZE=65536", "PYTHON_UDF_BATCH_SIZE=1000", "OMP_NUM_THREADS=1")
	cmd.Env = append(cmd.Env, d.env...)
	cmd.Stderr = &d.said
	d.said.also = d.output
	cmd.WaitDelay = time.Second // workers that linger hold its output open
	stdin, err := cmd.StdinPipe()
	if err != nil {
		return fmt.Errorf("the Python daemon's input: %w", err)
	}
	stdout, err := cmd.StdoutPipe()
	if err != nil {
		return fmt.Errorf("the Python daemon's output: %w", err)
	}
	if err := cmd.Start(); err != nil {
		os.RemoveAll(dir)
		return sparkerr.Plain(sparkerr.ClassSpark, "The worker's Python %s does not run: %v", d.path, err)
	}
	d.mu.Lock()
	d.cmd, d.stdin, d.dir, d.ended = cmd, stdin, dir, make(chan struct{})
	d.mu.Unlock()
	got := make(chan error, 1)
	drained := make(chan struct{})
	go func() {
		defer close(drained)
		var err error
		d.socket, err = readSocket(stdout)
		got <- err
		// What functions print must not fill the pipe; it ends with the daemon, and nobody asks how.
		_, _ = io.Copy(&d.said, stdout)
	}()
	go func() {
		<-drained
		if err := cmd.Wait(); err != nil {
			d.log.Debug("the Python daemon ended", "err", err)
		}
		close(d.ended)
	}()
	select {
	case err = <-got:
	case <-time.After(startTime):
		err = errors.New("it did not answer")
	}
	if err != nil {
		_ = cmd.Process.Kill() // it may have ended by itself
		d.close()
		return sparkerr.Plain(sparkerr.ClassSpark, "The Python daemon of %s did not start: %v %s", d.path, err, strings.TrimSpace(d.said.String()))
	}
	return nil
}

// readSocket reads the path of the socket, which the daemon writes first.
func readSocket(r io.Reader) (string, error) {
	var n int32
	if err := binary.Read(r, binary.BigEndian, &n); err != nil {
		return "", fmt.Errorf("read its socket: %w", err)
	}
	if n <= 0 || n > 4096 {
		return "", fmt.Errorf("a path of %d bytes", n)
	}
	b := make([]byte, n)
	if _, err := io.ReadFull(r, b); err != nil {
		return "", fmt.Errorf("read its socket: %w", err)
	}
	return string(b), nil
}

// fork makes a new worker and lets it do its imports.
func (d *daemon) fork(ctx context.Context) (*worker, error) {
	d.mu.Lock()
	d.busy++
	d.used = time.Now()
	d.mu.Unlock()
	w, err := d.connect(ctx)
	if err == nil {
		err = w.warm(ctx)
		if err != nil {
			err = fault(context.Cause(ctx), err, w)
			w.kill()
		}
	}
	if err != nil {
		d.leave()
		return nil, err
	}
	return w, nil
}

func (d *daemon) connect(ctx context.Context) (*worker, error) {
	var dial net.Dialer
	conn, err := dial.DialContext(ctx, "unix", d.socket)
	if err != nil {
		return nil, fmt.Errorf("reach the Python daemon: %w", err)
	}
	stop := context.AfterFunc(ctx, func() { conn.Close() })
	defer stop()
	w := newWorker(d, conn)
	if w.pid, err = w.in.int(); err != nil {
		conn.Close()
		return nil, fmt.Errorf("fork a Python worker: %w", err)
	}
	if w.pid < 0 {
		conn.Close()
		return nil, fmt.Errorf("the Python daemon could not fork a worker: error %d", -w.pid)
	}
	return w, nil
}

// first says whether no worker was forked before.
func (d *daemon) first() bool {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.forked++
	return d.forked == 1
}

// take gives an idle worker that lives, or nil.
func (d *daemon) take() *worker {
	for {
		d.mu.Lock()
		n := len(d.idle)
		if n == 0 {
			d.mu.Unlock()
			return nil
		}
		w := d.idle[n-1]
		d.idle = d.idle[:n-1]
		d.busy++
		d.used = time.Now()
		d.mu.Unlock()
		if w.alive() {
			return w
		}
		w.kill()
		d.leave()
	}
}

// give takes a worker back.
func (d *daemon) give(w *worker) {
	d.mu.Lock()
	d.busy--
	d.used = time.Now()
	ok := len(d.idle) < d.keep && !d.closing
	if ok {
		d.idle = append(d.idle, w)
	}
	d.mu.Unlock()
	if !ok {
		w.kill()
	}
}

// leave counts a worker out and says whether there are fewer now than are kept.
func (d *daemon) leave() (fewer bool) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.busy--
	d.used = time.Now()
	return !d.closing && len(d.idle)+d.busy < d.keep
}

// unused says whether a session's own daemon has had nothing to do for long.
func (d *daemon) unused(own bool) bool {
	d.mu.Lock()
	defer d.mu.Unlock()
	return own && d.busy == 0 && time.Since(d.used) > keepIdle
}

// gone says whether the process has ended, or never started.
func (d *daemon) gone() bool {
	d.mu.Lock()
	ended, closing := d.ended, d.closing
	d.mu.Unlock()
	if ended == nil {
		return closing
	}
	select {
	case <-ended:
		return true
	default:
		return closing
	}
}

// signal has the daemon kill a worker.
func (d *daemon) signal(pid int) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.stdin != nil && pid > 0 {
		_ = binary.Write(d.stdin, binary.BigEndian, int32(pid)) // a daemon that died took its workers along
	}
}

// report gives what Python wrote about a worker's fault, and forgets it.
func (d *daemon) report(pid int) string {
	path := filepath.Join(d.dir, strconv.Itoa(pid))
	b, err := os.ReadFile(path)
	if err != nil {
		return ""
	}
	os.Remove(path)
	return string(b)
}

// close ends the daemon and its workers.
func (d *daemon) close() {
	d.mu.Lock()
	if d.closing {
		d.mu.Unlock()
		return
	}
	d.closing = true
	idle, stdin, ended, cmd := d.idle, d.stdin, d.ended, d.cmd
	d.idle, d.stdin = nil, nil
	d.mu.Unlock()
	for _, w := range idle {
		w.conn.Close()
	}
	if stdin == nil {
		return
	}
	stdin.Close() // it ends its workers and itself
	select {
	case <-ended:
	case <-time.After(5 * time.Second):
		_ = cmd.Process.Kill() // it may have ended meanwhile
	}
	os.RemoveAll(d.dir)
}

// tail keeps the end of what processes print.
type tail struct {
	mu   sync.Mutex
	b    []byte
	also io.Writer
}

const tailSize = 8 << 10

func (t *tail) Write(p []byte) (int, error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.b = append(t.b, p...); len(t.b) > 2*tailSize {
		t.b = append(t.b[:0], t.b[len(t.b)-tailSize:]...)
	}
	if t.also != nil {
		_, _ = t.also.Write(p) // a full disk must not end the workers
	}
	return len(p), nil
}

// String gives what was printed last.
func (t *tail) String() string {
	t.mu.Lock()
	defer t.mu.Unlock()
	return string(t.b[max(0, len(t.b)-tailSize):])
}
