package ml

import (
	"context"
	"fmt"
	"runtime"
	"runtime/debug"

	"github.com/apache/arrow-go/v18/arrow"
)

// Fold reads a frame's batches, makes something of each, of several at once, and gives the results
// to merge one after the other, in the batches' order.
func Fold[P any](ctx context.Context, data Frame, part func(arrow.RecordBatch) (P, error), merge func(P) error) error {
	var running []chan folded[P] // in order
	take := func() error {
		r := <-running[0]
		running = running[1:]
		if r.panicked != nil {
			panic(r.panicked)
		}
		if r.err != nil {
			return r.err
		}
		return merge(r.value)
	}
	for batch, err := range data.Batches(ctx) {
		if err == nil && len(running) == runtime.GOMAXPROCS(0) {
			err = take()
		}
		if err != nil {
			return err
		}
		slot := make(chan folded[P], 1)
		running = append(running, slot)
		go func() { slot <- fold(batch, part) }()
	}
	for len(running) > 0 {
		if err := take(); err != nil {
			return err
		}
	}
	return nil
}

type folded[P any] struct {
	value    P
	err      error
	panicked error
}

// fold works on a batch; a panic is handed to who waits for the result, who can recover from it.
func fold[P any](batch arrow.RecordBatch, part func(arrow.RecordBatch) (P, error)) (r folded[P]) {
	defer func() {
		if p := recover(); p != nil {
			r.panicked = fmt.Errorf("%v\n%s", p, debug.Stack())
		}
	}()
	r.value, r.err = part(batch)
	return r
}
