package execute

import (
	"context"
	"errors"
	"fmt"
	"io"
	"runtime/debug"
	"sync"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"

	"github.com/millpond/millpond/internal/compile"
	"github.com/millpond/millpond/internal/plan"
	"github.com/millpond/millpond/internal/types"
)

// BatchRows is how many rows a batch holds, about.
const BatchRows = 65536

// Stream gives batches one after another. Batches lie in Go memory and may be kept.
type Stream interface {
	// Columns says what the batches hold.
	Columns() []plan.Attr
	// Next gives the next batch, or io.EOF.
	Next(ctx context.Context) (arrow.RecordBatch, error)
	// Close frees what the stream holds; it may be called before the end.
	Close()
}

// SchemaOf gives the Arrow schema of a stream's batches: columns are called by their ids.
func SchemaOf(attrs []plan.Attr) (*arrow.Schema, error) {
	s := types.Struct{Fields: make([]types.Field, len(attrs))}
	for i, at := range attrs {
		s.Fields[i] = types.Field{Name: compile.Column(at.ID), Type: at.Type, Nullable: true}
	}
	return types.SchemaToArrow(s, "UTC")
}

// Batch makes a batch of columns laid out for attrs.
func Batch(attrs []plan.Attr, cols []arrow.Array, rows int64) (arrow.RecordBatch, error) {
	s, err := SchemaOf(attrs)
	if err != nil {
		return nil, err
	}
	return array.NewRecordBatch(s, cols, rows), nil
}

// Drain reads a stream to its end and closes it.
func Drain(ctx context.Context, s Stream) ([]arrow.RecordBatch, error) {
	defer s.Close()
	var out []arrow.RecordBatch
	for {
		b, err := s.Next(ctx)
		if errors.Is(err, io.EOF) {
			return out, nil
		}
		if err != nil {
			return nil, err
		}
		out = append(out, b)
	}
}

// FromBatches streams batches; places picks columns (nil: all).
func FromBatches(attrs []plan.Attr, batches []arrow.RecordBatch, places []int) Stream {
	held := &Held{}
	for _, b := range batches {
		held.pieces = append(held.pieces, wholePiece(b))
	}
	return held.Stream(attrs, places)
}

// Mapped makes a stream of another by a function of batches; fn may answer nil for no rows.
func Mapped(in Stream, attrs []plan.Attr, fn func(context.Context, arrow.RecordBatch) (arrow.RecordBatch, error)) Stream {
	return &mapped{in, attrs, fn}
}

type mapped struct {
	in    Stream
	attrs []plan.Attr
	fn    func(context.Context, arrow.RecordBatch) (arrow.RecordBatch, error)
}

func (m *mapped) Columns() []plan.Attr { return m.attrs }
func (m *mapped) Close()               { m.in.Close() }

func (m *mapped) Next(ctx context.Context) (arrow.RecordBatch, error) {
	for {
		b, err := m.in.Next(ctx)
		if err != nil {
			return nil, err
		}
		out, err := m.fn(ctx, b)
		if err != nil {
			return nil, err
		}
		if out != nil {
			return out, nil
		}
	}
}

// Ahead reads a few batches ahead of who reads them; columns that were left ungathered are gathered,
// of several batches at once.
func Ahead(ctx context.Context, in Stream, workers int) Stream {
	same := func(_ context.Context, b arrow.RecordBatch) (arrow.RecordBatch, error) { return b, nil }
	return inParallel(ctx, in, in.Columns(), workers, 0, same)
}

// shareRows is how many rows Parallel works on in one go, so that few batches busy all workers.
const shareRows = BatchRows / 4

// Parallel is Mapped with several parts of batches worked on at once; their order stays.
func Parallel(ctx context.Context, in Stream, attrs []plan.Attr, workers int, fn func(context.Context, arrow.RecordBatch) (arrow.RecordBatch, error)) Stream {
	return inParallel(ctx, in, attrs, workers, shareRows, fn)
}

func inParallel(ctx context.Context, in Stream, attrs []plan.Attr, workers, share int, fn func(context.Context, arrow.RecordBatch) (arrow.RecordBatch, error)) Stream {
	ctx, cancel := context.WithCancel(ctx)
	p := &parallel{in: in, attrs: attrs, share: int64(share), cancel: cancel, out: make(chan chan result, workers)}
	p.done.Add(1)
	go p.feed(ctx, fn)
	return p
}

type result struct {
	batch arrow.RecordBatch
	err   error
}

type parallel struct {
	in     Stream
	attrs  []plan.Attr
	share  int64 // rows of a part, 0 for whole batches
	cancel context.CancelFunc
	out    chan chan result
	done   sync.WaitGroup
}

func (p *parallel) Columns() []plan.Attr { return p.attrs }

func (p *parallel) feed(ctx context.Context, fn func(context.Context, arrow.RecordBatch) (arrow.RecordBatch, error)) {
	defer p.done.Done()
	defer close(p.out)
	for {
		rows, err := guardedNext(ctx, p.in)
		if err != nil {
			p.give(ctx, func() result { return result{err: err} })
			return
		}
		for _, part := range rows.cut(p.share) {
			if !p.give(ctx, func() result { return p.guarded(ctx, part, fn) }) {
				return
			}
		}
	}
}

// give puts what work makes in its place among the results, unless nobody wants it any more.
func (p *parallel) give(ctx context.Context, work func() result) bool {
	slot := make(chan result, 1)
	select {
	case p.out <- slot:
	case <-ctx.Done():
		return false
	}
	p.done.Add(1)
	go func() {
		defer p.done.Done()
		slot <- work()
	}()
	return true
}

// guardedNext is Next of a stream that is read in a goroutine of its own.
func guardedNext(ctx context.Context, in Stream) (rows *piece, err error) {
	defer func() {
		if p := recover(); p != nil {
			rows, err = nil, fmt.Errorf("reading a stage: %v\n%s", p, debug.Stack())
		}
	}()
	return nextPiece(ctx, in)
}

// guarded gathers a batch and works on it; a panic in there does not end the process.
func (p *parallel) guarded(ctx context.Context, rows *piece, fn func(context.Context, arrow.RecordBatch) (arrow.RecordBatch, error)) (r result) {
	defer func() {
		if v := recover(); v != nil {
			r = result{err: fmt.Errorf("working on a batch: %v\n%s", v, debug.Stack())}
		}
	}()
	b, err := rows.batch(ctx, p.in.Columns())
	if err != nil {
		return result{err: err}
	}
	out, err := fn(ctx, b)
	return result{out, err}
}

func (p *parallel) Next(ctx context.Context) (arrow.RecordBatch, error) {
	for {
		select {
		case slot, ok := <-p.out:
			if !ok {
				return nil, io.EOF
			}
			r := <-slot
			if r.err != nil {
				return nil, r.err
			}
			if r.batch != nil {
				return r.batch, nil
			}
		case <-ctx.Done():
			return nil, ctx.Err()
		}
	}
}

func (p *parallel) Close() {
	p.cancel()
	p.done.Wait()
	p.in.Close()
}
