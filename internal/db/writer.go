package db

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"sync"
)

// groupWriter owns the one connection that writes. Flushing a commit to disk costs
// far more than the statements it carries, so all functions waiting while one
// commit is being flushed run together in the next.
type groupWriter struct {
	db       *sql.DB
	conn     *sql.Conn
	stmts    *stmtCache
	requests chan *writeRequest
	maxBatch int

	mu      sync.RWMutex // guards closed against sends on requests
	closed  bool
	stopped chan struct{}
}

type writeRequest struct {
	ctx  context.Context
	fn   func(ctx context.Context, q Querier) error
	err  error
	done chan struct{}
}

func startWriter(ctx context.Context, db *sql.DB, maxBatch int) (*groupWriter, error) {
	conn, err := db.Conn(ctx)
	if err != nil {
		return nil, err
	}
	w := &groupWriter{
		db: db, conn: conn, stmts: newStmtCache(conn), maxBatch: maxBatch,
		requests: make(chan *writeRequest, maxBatch),
		stopped:  make(chan struct{}),
	}
	go w.run()
	return w, nil
}

func (w *groupWriter) do(ctx context.Context, fn func(ctx context.Context, q Querier) error) error {
	r := &writeRequest{ctx: ctx, fn: fn, done: make(chan struct{})}
	if err := w.send(ctx, r); err != nil {
		return err
	}
	// Not ctx.Done(): once queued the write may commit, and the caller must
	// then hear so. The writer itself skips requests whose context has ended.
	<-r.done
	return r.err
}

func (w *groupWriter) send(ctx context.Context, r *writeRequest) error {
	w.mu.RLock()
	defer w.mu.RUnlock()
	if w.closed {
		return ErrClosed
	}
	select {
	case w.requests <- r:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

func (w *groupWriter) close() error {
	w.mu.Lock()
	already := w.closed
	w.closed = true
	if !already {
		close(w.requests)
	}
	w.mu.Unlock()
	<-w.stopped
	if already {
		return nil
	}
	w.stmts.close()
	return errors.Join(w.conn.Close(), w.db.Close())
}

func (w *groupWriter) run() {
	defer close(w.stopped)
	for first := range w.requests {
		w.batch(first)
	}
}

// batch runs first and everything that is waiting behind it in one
// transaction, then answers all of them.
func (w *groupWriter) batch(first *writeRequest) {
	ctx := context.Background()
	batch := append(make([]*writeRequest, 0, 16), first)
	defer func() {
		for _, r := range batch {
			close(r.done)
		}
	}()
	if _, err := w.stmts.ExecContext(ctx, "BEGIN IMMEDIATE"); err != nil {
		first.err = fmt.Errorf("begin write: %w", err)
		return
	}
	err := w.runOne(first)
	for err == nil && len(batch) < w.maxBatch {
		var next *writeRequest
		select {
		case next = <-w.requests: // nil when closed and drained
		default:
		}
		if next == nil {
			break
		}
		batch = append(batch, next)
		err = w.runOne(next)
	}
	if err == nil {
		_, err = w.stmts.ExecContext(ctx, "COMMIT")
	}
	if err == nil {
		return
	}
	// Nothing of the batch is on disk, so nobody may be told that it is.
	if _, rerr := w.stmts.ExecContext(ctx, "ROLLBACK"); rerr != nil {
		err = errors.Join(err, rerr)
	}
	for _, r := range batch {
		if r.err == nil {
			r.err = fmt.Errorf("commit: %w", err)
		}
	}
}

// runOne runs one request between savepoints and keeps its error in the
// request. It returns an error only if the whole transaction is lost.
func (w *groupWriter) runOne(r *writeRequest) error {
	ctx := context.Background()
	if r.err = r.ctx.Err(); r.err != nil {
		return nil
	}
	if _, err := w.stmts.ExecContext(ctx, "SAVEPOINT caller"); err != nil {
		return err
	}
	// The request's context is not passed on: interrupting a statement would
	// abort the transaction the other callers share.
	if r.err = guard(context.WithoutCancel(r.ctx), w.stmts, r.fn); r.err != nil {
		if _, err := w.stmts.ExecContext(ctx, "ROLLBACK TO caller"); err != nil {
			return err
		}
	}
	_, err := w.stmts.ExecContext(ctx, "RELEASE caller")
	return err
}
