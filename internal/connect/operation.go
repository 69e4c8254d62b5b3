package connect

import (
	"context"
	"crypto/sha256"
	"errors"
	"sync"
	"time"

	"github.com/google/uuid"
	"google.golang.org/grpc"
	"google.golang.org/protobuf/proto"

	pb "github.com/millpond/millpond/internal/gen/spark/connect"
)

// operation is a running plan and the responses it has given that the client has not released.
type operation struct {
	id           string
	plan         [sha256.Size]byte // of the plan, to know a request that is sent again
	tags         map[string]bool
	cancel       context.CancelFunc
	reattachable bool
	chunk        int           // bytes of a piece of a batch, 0 if batches are not cut
	patience     time.Duration // how long it waits for a client that went away

	mu       sync.Mutex
	change   chan struct{}  // closed and renewed when something below changes
	numbers  map[string]int // of all responses given, by their ids
	first    int            // the number of the response at held[0]
	held     []*pb.ExecutePlanResponse
	sent     int // the number after the last response that was sent
	behind   int // bytes of what is not sent yet
	kept     int // bytes of what is sent but not released
	done     bool
	err      error
	canceled bool
	stream   int       // counts the streams that served it; the last is the one that does
	attached int       // streams that serve it now
	left     time.Time // when the last stream went
}

const (
	// aheadBytes is how much an operation may run ahead of its client.
	aheadBytes = 32 << 20
	// retryBytes is how much of what was sent is kept for a client that lost it, released or not.
	retryBytes = 64 << 20
)

func newOperation(r *pb.ExecutePlanRequest, id string, cancel context.CancelFunc) *operation {
	o := &operation{id: id, plan: planDigest(r), tags: map[string]bool{}, cancel: cancel, change: make(chan struct{}), numbers: map[string]int{},
		patience: loopbackPatience, left: time.Now()}
	for _, t := range r.Tags {
		o.tags[t] = true
	}
	for _, x := range r.RequestOptions {
		o.reattachable = o.reattachable || x.GetReattachOptions().GetReattachable()
		if c := x.GetResultChunkingOptions(); c.GetAllowArrowBatchChunking() {
			o.chunk = chunkSize(c.GetPreferredArrowChunkSize())
		}
	}
	return o
}

// The sizes of the pieces that a batch is cut to.
const (
	defaultChunk = 16 << 20
	minChunk     = 1 << 10
	maxChunk     = 64 << 20
)

func chunkSize(preferred int64) int {
	if preferred <= 0 {
		return defaultChunk
	}
	return int(max(minChunk, min(preferred, maxChunk)))
}

func planDigest(r *pb.ExecutePlanRequest) [sha256.Size]byte {
	b, err := proto.MarshalOptions{Deterministic: true}.Marshal(r.GetPlan())
	if err != nil { // it was read off the wire, so it can be written
		return [sha256.Size]byte{}
	}
	return sha256.Sum256(b)
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
		if o.behind == 0 || o.behind+size <= aheadBytes {
			r.OperationId, r.ResponseId = o.id, uuid.NewString()
			o.numbers[r.ResponseId] = o.first + len(o.held)
			o.held, o.behind = append(o.held, r), o.behind+size
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

// lags says whether the client is so far behind that news of progress would only burden it.
func (o *operation) lags() bool {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.done || o.behind > aheadBytes/2
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
	if n, ok := o.numbers[id]; ok && n >= o.first {
		o.drop(n + 1 - o.first)
	}
}

// drop forgets the first n responses held.
func (o *operation) drop(n int) {
	for i, gone := range o.held[:n] {
		if o.first+i < o.sent {
			o.kept -= proto.Size(gone)
		} else {
			o.behind -= proto.Size(gone)
		}
		o.held[i] = nil
	}
	o.held, o.first = o.held[n:], o.first+n
	o.notify()
}

// mark counts a response as sent; what was sent long ago is forgotten, as nobody will ask for it.
func (o *operation) mark(number int) {
	o.mu.Lock()
	defer o.mu.Unlock()
	if number < o.sent || number < o.first {
		return // sent before, or released while it was being sent
	}
	size := proto.Size(o.held[number-o.first])
	o.sent = number + 1
	o.behind -= size
	o.kept += size
	n, kept := 0, o.kept
	for !o.reattachable && o.first+n < o.sent || kept > retryBytes && o.first+n < o.sent-1 {
		kept -= proto.Size(o.held[n])
		n++
	}
	if n > 0 {
		o.drop(n)
		return
	}
	o.notify()
}

// errGone and errUnknown are the ways in which a position cannot be gone on from.
var (
	errGone    = errors.New("the response is not held any more")
	errUnknown = errors.New("the response is not known")
)

// after gives the number of the response that follows one; "" is before the first.
func (o *operation) after(id string) (int, error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	next := 0
	if id != "" {
		n, ok := o.numbers[id]
		if !ok {
			return 0, errUnknown
		}
		next = n + 1
	}
	if next < o.first {
		return 0, errGone
	}
	return next, nil
}

// attach makes a stream the one that serves the operation.
func (o *operation) attach(patience time.Duration) (number int) {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.stream++
	o.attached++
	o.patience = patience
	o.notify() // the stream before it is to end
	return o.stream
}

func (o *operation) detach() {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.attached--
	o.left = time.Now()
}

// abandoned says whether no client has been there for longer than it is waited for.
func (o *operation) abandoned(now time.Time) bool {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.attached == 0 && now.Sub(o.left) >= o.patience
}

// streamTime is how long one stream is served before the client is to reattach: a hanging
// connection is noticed that way.
const streamTime = 2 * time.Minute

// errDisconnected ends a stream whose client has reattached by another.
var errDisconnected = errors.New("another stream serves the operation")

// serve sends responses from number at on. It ends without a word when the client is to reattach,
// and with the operation's own error if that failed.
func (o *operation) serve(stream grpc.ServerStreamingServer[pb.ExecutePlanResponse], at int, patience time.Duration) error {
	mine := o.attach(patience)
	defer o.detach()
	var expired <-chan time.Time
	if o.reattachable {
		deadline := time.NewTimer(streamTime)
		defer deadline.Stop()
		expired = deadline.C
	}
	for {
		o.mu.Lock()
		if o.stream != mine {
			o.mu.Unlock()
			return errDisconnected
		}
		at = max(at, o.first)
		if i := at - o.first; i < len(o.held) {
			r := o.held[i]
			o.mu.Unlock()
			if err := stream.Send(r); err != nil {
				return err
			}
			o.mark(at)
			at++
			continue
		}
		if o.done {
			err := o.err
			o.mu.Unlock()
			return err
		}
		wait := o.change
		o.mu.Unlock()
		select {
		case <-wait:
		case <-stream.Context().Done():
			return stream.Context().Err()
		case <-expired:
			return nil // without a ResultComplete: the client reattaches
		}
	}
}

func (o *operation) state() pb.GetStatusResponse_OperationStatus_OperationState {
	o.mu.Lock()
	defer o.mu.Unlock()
	switch {
	case !o.done && !o.canceled:
		return pb.GetStatusResponse_OperationStatus_OPERATION_STATE_RUNNING
	case o.canceled:
		return pb.GetStatusResponse_OperationStatus_OPERATION_STATE_CANCELLED
	case o.err != nil:
		return pb.GetStatusResponse_OperationStatus_OPERATION_STATE_FAILED
	}
	// All is done but the client has not let it go yet.
	return pb.GetStatusResponse_OperationStatus_OPERATION_STATE_TERMINATING
}

// ending is the state of an operation that was let go.
func (o *operation) ending() pb.GetStatusResponse_OperationStatus_OperationState {
	switch s := o.state(); s {
	case pb.GetStatusResponse_OperationStatus_OPERATION_STATE_TERMINATING:
		return pb.GetStatusResponse_OperationStatus_OPERATION_STATE_SUCCEEDED
	case pb.GetStatusResponse_OperationStatus_OPERATION_STATE_RUNNING:
		return pb.GetStatusResponse_OperationStatus_OPERATION_STATE_CANCELLED
	default:
		return s
	}
}
