package pyworker

import (
	"context"
	"errors"
	"fmt"
	"io"
	"runtime/debug"
	"sync"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"

	"github.com/millpond/millpond/internal/progress"
)

// Source gives batches one after another, and io.EOF.
type Source interface {
	Next(ctx context.Context) (arrow.RecordBatch, error)
}

// Rows are some rows of a result.
type Rows struct {
	Cols []arrow.Array
	Len  int64
}

// share is the work of one task, a partition as Spark would say: it gives its rows to emit, in
// order.
type share func(ctx context.Context, part int, emit func(Rows) error) error

// Results are the rows of functions, in the order of their input.
type Results struct {
	cancel context.CancelFunc
	queue  chan *pending
	head   *pending
	failed error
	done   sync.WaitGroup
	given  bool          // were rows of the first share given?
	wake   chan struct{} // closed once the reader wants more than the first share
	awake  sync.Once
}

type pending struct {
	out chan Rows
	err error // set before out is closed
}

// run deals shares to workers, several at once, and gives their rows in the order of the shares.
// deal gives io.EOF when there are no more; it may wait for workers of another run, so no slot is
// held meanwhile. Unless the whole result will be read, the second share waits until the reader has
// come back for more than the first gave: LIMIT 10 over a slow function must not run it everywhere.
// A share that its reader keeps waiting gives up its slot for the same reason.
func (p *Pool) run(ctx context.Context, whole bool, deal func(context.Context) (share, error)) *Results {
	ctx, cancel := context.WithCancel(ctx)
	r := &Results{cancel: cancel, queue: make(chan *pending, p.opts.Workers), wake: make(chan struct{})}
	if whole {
		r.more()
	}
	stage := progress.Start(ctx, 0)
	r.done.Add(1)
	go func() {
		defer r.done.Done()
		defer stage.End()
		defer close(r.queue)
		for part := 0; ; part++ {
			if part == 1 {
				select {
				case <-r.wake:
				case <-ctx.Done():
					return
				}
			}
			do, err := deal(ctx)
			if errors.Is(err, io.EOF) {
				return
			}
			if err == nil {
				err = p.slot(ctx)
			}
			w := &pending{out: make(chan Rows, 4), err: err}
			if err != nil {
				close(w.out)
			} else {
				stage.Expect(1)
				r.done.Add(1)
				go func() {
					defer r.done.Done()
					defer stage.Add(1)
					p.perform(ctx, do, part, w)
				}()
			}
			select {
			case r.queue <- w:
			case <-ctx.Done():
				return
			}
			if err != nil {
				return
			}
		}
	}()
	return r
}

func (p *Pool) perform(ctx context.Context, do share, part int, w *pending) {
	held := true
	free := func() {
		if held {
			held = false
			p.unslot()
		}
	}
	defer close(w.out)
	defer free()
	defer func() {
		if p := recover(); p != nil { // a fault of ours ends the query, not the server
			w.err = fmt.Errorf("running a Python function: %v\n%s", p, debug.Stack())
		}
	}()
	w.err = do(ctx, part, func(rows Rows) error {
		select {
		case w.out <- rows:
			return nil
		default:
		}
		free()
		select {
		case w.out <- rows:
			return nil
		case <-ctx.Done():
			return context.Cause(ctx)
		}
	})
}

func (r *Results) more() { r.awake.Do(func() { close(r.wake) }) }

// Next gives the next rows, or io.EOF.
func (r *Results) Next(ctx context.Context) (Rows, error) {
	if r.given {
		r.more()
	}
	for r.failed == nil {
		if r.head == nil {
			select {
			case w, ok := <-r.queue:
				if !ok {
					r.failed = io.EOF
					continue
				}
				r.head = w
			case <-ctx.Done():
				return Rows{}, context.Cause(ctx)
			}
		}
		select {
		case rows, ok := <-r.head.out:
			if ok {
				r.given = true
				return rows, nil
			}
			r.more()
			if r.head.err != nil {
				r.failed = r.head.err
				r.cancel()
			}
			r.head = nil
		case <-ctx.Done():
			return Rows{}, context.Cause(ctx)
		}
	}
	return Rows{}, r.failed
}

// Close ends what still runs. It may be called before the end.
func (r *Results) Close() {
	r.cancel()
	r.done.Wait()
	if r.failed == nil {
		r.failed = errors.New("the results are closed")
	}
}

const (
	firstShare = 1024
	maxShare   = 131_072
	maxBytes   = 64 << 20
	evenShares = 2 // large shares a worker that an input may have to be cut evenly
)

// feeder cuts a source into shares of growing size: the first rows come soon, many rows cost few
// tasks, and the rows that are held in memory stay bounded.
type feeder struct {
	in      Source
	workers int
	dealt   int
	rest    arrow.RecordBatch // what the last share left
	end     bool
	part    int64 // rows of even parts, once that is known
}

// size is how many rows the next share is to have.
func (f *feeder) size() int64 {
	n := min(int64(firstShare)<<min(f.dealt/f.workers, 10), maxShare)
	f.dealt++
	return n
}

// next gives the next batch, or the rest of the last one.
func (f *feeder) next(ctx context.Context) (arrow.RecordBatch, error) {
	if b := f.rest; b != nil {
		f.rest = nil
		return b, nil
	}
	for !f.end {
		b, err := f.in.Next(ctx)
		if errors.Is(err, io.EOF) {
			f.end = true
			break
		}
		if err != nil {
			return nil, err
		}
		if b.NumRows() > 0 {
			return b, nil
		}
	}
	return nil, io.EOF
}

// rows gives about n rows, fewer at the end or if they are large, and io.EOF if there are none.
func (f *feeder) rows(ctx context.Context, n int64) ([]arrow.RecordBatch, error) {
	var out []arrow.RecordBatch
	var bytes int64
	for n > 0 && bytes < maxBytes {
		b, err := f.next(ctx)
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			return nil, err
		}
		if b.NumRows() > n {
			f.rest = b.NewSlice(n, b.NumRows())
			b = b.NewSlice(0, n)
		} else {
			for _, c := range b.Columns() {
				bytes += int64(c.Data().SizeInBytes())
			}
		}
		n -= b.NumRows()
		out = append(out, b)
	}
	if len(out) == 0 {
		return nil, io.EOF
	}
	return out, nil
}

// partitions gives shares for functions that see a whole partition: large ones, or an input of more
// than small rows, but not many large shares, in as many even parts as there are workers.
func (f *feeder) partitions(ctx context.Context, small int) ([]arrow.RecordBatch, error) {
	f.dealt++
	switch {
	case f.part > 0:
		return f.rows(ctx, f.part)
	case f.dealt > 1:
		return f.rows(ctx, maxShare<<min((f.dealt-1)/(2*f.workers), 2))
	}
	all, err := f.rows(ctx, evenShares*maxShare*int64(f.workers))
	if err != nil {
		return nil, err
	}
	more, err := f.next(ctx)
	switch {
	case err == nil: // too many to wait for
		f.in = &batches{list: append(all, more), then: f.in}
		return f.rows(ctx, maxShare)
	case !errors.Is(err, io.EOF):
		return nil, err
	}
	total := count(all)
	if total <= int64(small) {
		return all, nil
	}
	f.part = (total + int64(f.workers) - 1) / int64(f.workers)
	f.in, f.end = &batches{list: all}, false
	return f.rows(ctx, f.part)
}

func count(list []arrow.RecordBatch) int64 {
	var n int64
	for _, b := range list {
		n += b.NumRows()
	}
	return n
}

// batches is a source of batches in memory, and of those of another source after them.
type batches struct {
	list []arrow.RecordBatch
	then Source
}

func (b *batches) Next(ctx context.Context) (arrow.RecordBatch, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	switch {
	case len(b.list) == 0 && b.then != nil:
		return b.then.Next(ctx)
	case len(b.list) == 0:
		return nil, io.EOF
	}
	out := b.list[0]
	b.list = b.list[1:]
	return out, nil
}

// cutRows cuts batches to at most n rows each.
func cutRows(list []arrow.RecordBatch, n int) []arrow.RecordBatch {
	var out []arrow.RecordBatch
	for _, b := range list {
		for at := int64(0); at < b.NumRows(); at += int64(n) {
			out = append(out, b.NewSlice(at, min(at+int64(n), b.NumRows())))
		}
	}
	return out
}

func concat(list []arrow.Array) (arrow.Array, error) {
	if len(list) == 1 {
		return list[0], nil
	}
	return array.Concatenate(list, mem)
}
