package pyworker

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"sync"
	"time"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/ipc"

	"github.com/millpond/millpond/internal/arrowin"
)

const bufferSize = 256 << 10

// worker is one Python process, which does one task after another.
type worker struct {
	d    *daemon
	conn net.Conn
	in   source
	out  *bufio.Writer
	pid  int
	dead sync.Once
}

func newWorker(d *daemon, conn net.Conn) *worker {
	return &worker{d: d, conn: conn, in: source{bufio.NewReaderSize(conn, bufferSize)}, out: bufio.NewWriterSize(conn, bufferSize)}
}

// kill ends the process at once.
func (w *worker) kill() {
	w.dead.Do(func() {
		w.d.signal(w.pid)
		w.conn.Close()
	})
}

// alive says whether an idle worker still holds its connection.
func (w *worker) alive() bool {
	if err := w.conn.SetReadDeadline(time.Now().Add(100 * time.Microsecond)); err != nil {
		return false
	}
	_, err := w.in.r.Peek(1)
	var late net.Error
	if !errors.As(err, &late) || !late.Timeout() {
		return false // gone, or it speaks without being asked
	}
	return w.conn.SetReadDeadline(time.Time{}) == nil
}

// lastWords is what is known about why a worker died.
func (w *worker) lastWords() string {
	if w == nil {
		return ""
	}
	if r := w.d.report(w.pid); r != "" {
		return r
	}
	time.Sleep(20 * time.Millisecond) // its output may come later than its end
	return w.d.said.String()
}

// receiver takes what a worker sends; an error ends the task.
type receiver struct {
	batch func(arrow.RecordBatch) error
	frame func([]byte) error
}

// do runs one task: data goes in while results come out. A nil error means that the worker can
// take another task if the answer is true.
func (w *worker) do(ctx context.Context, t *task, data func(io.Writer) error, to receiver) (bool, error) {
	head, err := t.encode()
	if err != nil {
		return true, err
	}
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	stop := context.AfterFunc(ctx, w.kill)
	wrote := make(chan error, 1)
	go func() {
		err := w.send(head, data)
		if err != nil && w.out.Flush() == nil { // the worker still reads, so it was the input that failed
			cancel(err)
		}
		wrote <- err
	}()
	end, err := w.receive(to)
	cause := context.Cause(ctx)
	if !stop() {
		w.kill()
	}
	if err != nil || !end.reusable {
		w.conn.Close() // so that the sender ends
	}
	werr := <-wrote
	if err != nil {
		return false, fault(cause, err, w)
	}
	return end.reusable && werr == nil, nil
}

func (w *worker) send(head []byte, data func(io.Writer) error) error {
	if _, err := w.out.Write(head); err != nil {
		return err
	}
	if err := data(w.out); err != nil {
		return err
	}
	end := &wire{}
	end.int(markEndOfStream)
	if _, err := w.out.Write(end.b); err != nil {
		return err
	}
	return w.out.Flush()
}

// receive reads a task's results to their end.
func (w *worker) receive(to receiver) (trailer, error) {
	for {
		n, err := w.in.int()
		if err != nil {
			return trailer{}, err
		}
		switch {
		case n == markArrow && to.batch != nil:
			if err := w.in.arrow(to.batch); err != nil {
				return trailer{}, err
			}
		case n == markException:
			b, err := w.in.sized()
			if err != nil {
				return trailer{}, err
			}
			return trailer{}, raised(string(b))
		case n == markTiming:
			return w.in.trailer()
		case n >= 0 && to.frame != nil:
			b, err := w.in.bytes(n)
			if err != nil {
				return trailer{}, err
			}
			if err := to.frame(b); err != nil {
				return trailer{}, err
			}
		default:
			return trailer{}, fmt.Errorf("mark %d from the Python worker was not expected", n)
		}
	}
}

// arrow reads one Arrow stream. Batches are checked: a function may have built them badly.
func (s source) arrow(each func(arrow.RecordBatch) error) (err error) {
	defer func() {
		if p := recover(); p != nil {
			err = fmt.Errorf("Arrow data from the Python worker: %v", p)
		}
	}()
	r, err := ipc.NewReaderFromMessageReader(arrowin.Messages(s.r))
	if err != nil {
		return cut(err)
	}
	defer r.Release()
	for r.Next() {
		b := r.RecordBatch()
		if err := arrowin.Validate(b); err != nil {
			return fmt.Errorf("Arrow data from the Python worker: %w", err)
		}
		b.Retain()
		if err := each(b); err != nil {
			return err
		}
	}
	return cut(r.Err())
}

// warmth is what a new worker runs first, as its first task: what is there by then is put out of
// the garbage collector's sight, which runs after each task.
const warmth = "import gc; gc.collect(); gc.freeze()"

// warmCommand pickles (builtins.exec, StringType()), a function as clients send them.
const warmCommand = "\x80\x02cbuiltins\nexec\ncpyspark.sql.types\nStringType\n)R\x86."

func (w *worker) warm(ctx context.Context) error {
	got, err := inspect(w.d.path)
	if err != nil {
		return err
	}
	t := &task{evalType: Batched, python: got.python, filesDir: w.d.dir, functions: []function{{command: []byte(warmCommand), args: []argument{{}}}}}
	p := newPickler()
	p.list(1, func(int) { p.tuple(1, func(int) { p.str(warmth) }) })
	frame := p.end()
	_, err = w.do(ctx, t, func(out io.Writer) error {
		f := &wire{}
		f.bytes(frame)
		f.int(markEndOfData)
		_, err := out.Write(f.b)
		return err
	}, receiver{frame: func([]byte) error { return nil }})
	return err
}
