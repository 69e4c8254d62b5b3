package engine

import (
	"context"
	"errors"
	"testing"
)

// One who waits for another's value is not to fail because that other was cancelled.
func TestRememberAfterAnothersFailure(t *testing.T) {
	k := &Kept{}
	building, waiting := make(chan struct{}), make(chan struct{})
	failed := make(chan error)
	go func() {
		_, err := k.remember("key", func() (any, error) {
			close(building)
			<-waiting
			return nil, context.Canceled
		})
		failed <- err
	}()
	<-building
	type answer struct {
		value any
		err   error
	}
	answered := make(chan answer)
	go func() {
		v, err := k.remember("key", func() (any, error) { return 7, nil })
		answered <- answer{v, err}
	}()
	close(waiting)
	if err := <-failed; !errors.Is(err, context.Canceled) {
		t.Errorf("who was cancelled got %v", err)
	}
	if a := <-answered; a.value != 7 || a.err != nil {
		t.Errorf("who waited got %v, %v", a.value, a.err)
	}
	if v, err := k.remember("key", func() (any, error) { return 8, nil }); v != 7 || err != nil {
		t.Errorf("later: %v, %v", v, err)
	}
}

func TestRememberFailsForItsBuilder(t *testing.T) {
	k := &Kept{}
	bad := errors.New("bad")
	if _, err := k.remember("key", func() (any, error) { return nil, bad }); !errors.Is(err, bad) {
		t.Errorf("%v", err)
	}
	func() {
		defer func() { _ = recover() }()
		_, _ = k.remember("key", func() (any, error) { panic("broken") })
	}()
	if v, err := k.remember("key", func() (any, error) { return 1, nil }); v != 1 || err != nil {
		t.Errorf("after a panic: %v, %v", v, err)
	}
}
