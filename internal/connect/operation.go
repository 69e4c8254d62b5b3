package connect

import (
	"context"
	"sync"
	"time"

	"github.com/google/uuid"
	"google.golang.org/grpc"
	"google.golang.org/protobuf/proto"

	pb "github.com/millpond/millpond/internal/gen/spark/connect"
)

// operation is a running plan and the responses it has given that the client has not released.
type operation struct {
	id     string
	tags   map[string]bool
	cancel context.CancelFunc

	mu       sync.Mutex
	change   chan struct{} // closed and renewed when something below changes
	first    int           // the number of the response at responses[0]
	held     []*pb.ExecutePlanResponse
	bytes    int
	done     bool
	err      error
	last     time.Time
	canceled bool
}

// heldBytes is how much an operation may run ahead of its client.
const heldBytes = 64 << 20

func newOperation(id string, tags []string, cancel context.CancelFunc) *operation {
	o := &operation{id: id, tags: map[string]bool{}, cancel: cancel, change: make(chan struct{}), last: time.Now()}
	for _, t := range tags {
		o.tags[t] = true
	}
	return o
}

func (o *operation) running() bool {
	o.mu.Lock()
	defer o.mu.Unlock()
	return !o.done
}

func (o *operation) notify() {
	close(o.change)
	o.change = make(chan struct{})
}

// give adds a response, waiting while the client is far behind.
func (o *operation) give(ctx context.Context, r *pb.ExecutePlanResponse) error {
	size := proto.Size(r)
	for {
		o.mu.Lock()
		if o.bytes == 0 || o.bytes+size <= heldBytes {
			r.OperationId, r.ResponseId = o.id, uuid.NewString()
			o.held, o.bytes = append(o.held, r), o.bytes+size
			o.notify()
			o.mu.Unlock()
			return nil
		}
		wait := o.change
		o.mu.Unlock()
		select {
		case <-wait:
		case <-ctx.Done():
			return ctx.Err()
		}
	}
}

func (o *operation) finish(err error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.done, o.err = true, err
	o.notify()
}

// release forgets responses up to and including one.
func (o *operation) release(id string) {
	o.mu.Lock()
	defer o.mu.Unlock()
	for i, r := range o.held {
		if r.ResponseId == id {
			for _, gone := range o.held[:i+1] {
				o.bytes -= proto.Size(gone)
			}
			o.held, o.first = append([]*pb.ExecutePlanResponse{}, o.held[i+1:]...), o.first+i+1
			o.notify()
			return
		}
	}
}

// after gives the number of the response that follows one ("" is before the first); ok is false
// if that one is not held any more.
func (o *operation) after(id string) (int, bool) {
	o.mu.Lock()
	defer o.mu.Unlock()
	if id == "" {
		return o.first, o.first == 0
	}
	for i, r := range o.held {
		if r.ResponseId == id {
			return o.first + i + 1, true
		}
	}
	return 0, false
}

// streamTime is how long one stream is served before the client is to reattach: a hanging
// connection is noticed that way.
const streamTime = 2 * time.Minute

// serve sends responses from number at on. Where the client cannot reattach, what is sent is
// released at once.
func (o *operation) serve(stream grpc.ServerStreamingServer[pb.ExecutePlanResponse], at int, reattachable bool, fail func(error) error) error {
	deadline := time.NewTimer(streamTime)
	defer deadline.Stop()
	for {
		o.mu.Lock()
		o.last = time.Now()
		if i := at - o.first; i >= 0 && i < len(o.held) {
			r := o.held[i]
			o.mu.Unlock()
			if err := stream.Send(r); err != nil {
				return err
			}
			at++
			if !reattachable {
				o.release(r.ResponseId)
			}
			continue
		}
		if at < o.first {
			at = o.first
			o.mu.Unlock()
			continue
		}
		if o.done {
			err := o.err
			o.mu.Unlock()
			if err != nil {
				return fail(err)
			}
			return nil
		}
		wait := o.change
		o.mu.Unlock()
		var expired <-chan time.Time
		if reattachable {
			expired = deadline.C
		}
		select {
		case <-wait:
		case <-stream.Context().Done():
			if !reattachable {
				o.cancel()
			}
			return stream.Context().Err()
		case <-expired:
			return nil // without a ResultComplete: the client reattaches
		}
	}
}
