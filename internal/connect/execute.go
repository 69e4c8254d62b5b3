package connect

import (
	"context"
	"errors"
	"fmt"
	"io"
	"runtime/debug"
	"time"

	"github.com/google/uuid"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	pb "github.com/millpond/millpond/internal/gen/spark/connect"
	"github.com/millpond/millpond/internal/plan"
	"github.com/millpond/millpond/internal/sparkerr"
)

// ExecutePlan starts a plan and streams its responses.
func (s *Server) ExecutePlan(r *pb.ExecutePlanRequest, stream grpc.ServerStreamingServer[pb.ExecutePlanResponse]) error {
	x, err := s.session(r)
	if err != nil {
		return err
	}
	reattachable := false
	for _, o := range r.RequestOptions {
		reattachable = reattachable || o.GetReattachOptions().GetReattachable()
	}
	op, fresh, err := x.begin(r)
	if err != nil {
		return err
	}
	if fresh {
		s.log.Debug("execute", "session", x.ID, "operation", op.id)
	}
	fail := func(err error) error { return toStatus(err, &x.errs) }
	defer func() {
		if !reattachable {
			x.forget(op.id)
		}
	}()
	return op.serve(stream, 0, reattachable, fail)
}

// begin starts the operation of a request in its own goroutine.
func (x *session) begin(r *pb.ExecutePlanRequest) (*operation, bool, error) {
	id := r.GetOperationId()
	if id == "" {
		id = uuid.NewString()
	}
	if !validUUID(id) {
		return nil, false, handleError("FORMAT", id)
	}
	ctx, cancel := context.WithCancel(x.Context())
	op := newOperation(id, r.Tags, cancel)
	x.mu.Lock()
	defer x.mu.Unlock()
	if _, there := x.ops[id]; there {
		cancel()
		return nil, false, handleError("OPERATION_ALREADY_EXISTS", id)
	}
	x.ops[id] = op
	go func() {
		err := x.guarded(ctx, op, r)
		if err != nil && ctx.Err() != nil {
			err = sparkerr.New(sparkerr.ClassSpark, "OPERATION_CANCELED")
		}
		op.finish(err)
		cancel()
		x.touch()
		time.AfterFunc(abandonedAfter, func() { x.forgetAbandoned(op) })
	}()
	return op, true, nil
}

// abandonedAfter is how long a finished operation waits for its client.
const abandonedAfter = 5 * time.Minute

func (x *session) forgetAbandoned(op *operation) {
	op.mu.Lock()
	idle := time.Since(op.last) >= abandonedAfter
	op.mu.Unlock()
	if idle {
		x.forget(op.id)
	} else {
		time.AfterFunc(abandonedAfter, func() { x.forgetAbandoned(op) })
	}
}

func (x *session) forget(id string) {
	x.mu.Lock()
	op, ok := x.ops[id]
	delete(x.ops, id)
	x.mu.Unlock()
	if ok {
		op.cancel()
	}
}

// guarded runs a plan; a panic in it is that plan's failure, not the server's.
func (x *session) guarded(ctx context.Context, op *operation, r *pb.ExecutePlanRequest) (err error) {
	defer func() {
		if p := recover(); p != nil {
			err = x.panicked(p)
		}
	}()
	p, err := unpack(r.GetPlan())
	if err != nil {
		return err
	}
	out := &responder{x: x, op: op}
	switch k := p.GetOpType().(type) {
	case *pb.Plan_Root:
		rel, err := x.decoder().relation(k.Root)
		if err != nil {
			return err
		}
		err = out.relation(ctx, rel)
		if err != nil {
			return err
		}
	case *pb.Plan_Command:
		if err := out.command(ctx, k.Command); err != nil {
			return err
		}
	default:
		return sparkerr.Analysis("CONNECT_INVALID_PLAN.CANNOT_PARSE", "errorMsg", "the plan is neither a relation nor a command")
	}
	return out.give(ctx, &pb.ExecutePlanResponse{ResponseType: &pb.ExecutePlanResponse_ResultComplete_{ResultComplete: &pb.ExecutePlanResponse_ResultComplete{}}})
}

// panicked makes an error of a panic; its stack goes to the log, not to the client.
func (x *session) panicked(p any) error {
	x.log.Error("a plan panicked", "session", x.ID, "panic", p, "stack", string(debug.Stack()))
	return fmt.Errorf("a fault of the server, which its log tells more of: %v", p)
}

func (x *session) decoder() *decoder { return &decoder{artifact: x.files.cached} }

// responder gives an operation's responses.
type responder struct {
	x  *session
	op *operation
}

func (o *responder) give(ctx context.Context, r *pb.ExecutePlanResponse) error {
	r.SessionId, r.ServerSideSessionId = o.x.ID, o.x.Server
	return o.op.give(ctx, r)
}

// relation streams a relation's rows: its schema first, then batches.
func (o *responder) relation(ctx context.Context, rel plan.Relation) error {
	progress := o.progress(ctx)
	defer progress()
	res, err := o.x.Run(ctx, rel)
	if err != nil {
		return err
	}
	defer res.Close()
	if err := o.give(ctx, &pb.ExecutePlanResponse{Schema: schemaToProto(res.Schema)}); err != nil {
		return err
	}
	enc, err := newEncoder(res.Schema, o.x.TimeZone())
	if err != nil {
		return err
	}
	rows := int64(0)
	for {
		b, err := res.Next(ctx)
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			return err
		}
		for part := range enc.parts(b) {
			data, err := enc.encode(part)
			if err != nil {
				return err
			}
			if err := o.batch(ctx, data, part.NumRows(), rows); err != nil {
				return err
			}
			rows += part.NumRows()
		}
	}
	if rows == 0 {
		data, err := enc.empty()
		if err != nil {
			return err
		}
		if err := o.batch(ctx, data, 0, 0); err != nil {
			return err
		}
	}
	return o.observed(ctx, rel)
}

func (o *responder) batch(ctx context.Context, data []byte, rows, offset int64) error {
	chunk, chunks := int64(0), int64(1)
	return o.give(ctx, &pb.ExecutePlanResponse{ResponseType: &pb.ExecutePlanResponse_ArrowBatch_{ArrowBatch: &pb.ExecutePlanResponse_ArrowBatch{
		RowCount: rows, Data: data, StartOffset: &offset, ChunkIndex: &chunk, NumChunksInBatch: &chunks}}})
}

// progressAfter is when a query is long enough for the client's progress bar to move.
const progressAfter = 500 * time.Millisecond

// progress tells the client now and then that work goes on; call the answer when it is over.
func (o *responder) progress(ctx context.Context) (stop func()) {
	done := make(chan struct{})
	go func() {
		tick := time.NewTicker(progressAfter)
		defer tick.Stop()
		for {
			select {
			case <-done:
				return
			case <-ctx.Done():
				return
			case <-tick.C:
				// A client that lags behind must not hold up the query for the sake of its progress bar.
				if o.op.behind() {
					continue
				}
				_ = o.give(ctx, &pb.ExecutePlanResponse{ResponseType: &pb.ExecutePlanResponse_ExecutionProgress_{ExecutionProgress: &pb.ExecutePlanResponse_ExecutionProgress{
					Stages:           []*pb.ExecutePlanResponse_ExecutionProgress_StageInfo{{StageId: 0, NumTasks: 1}},
					NumInflightTasks: 1}}})
			}
		}
	}()
	return func() { close(done) }
}

func (o *operation) behind() bool {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.done || o.bytes > heldBytes/2
}

// ReattachExecute goes on with an operation's responses after the last that the client has.
func (s *Server) ReattachExecute(r *pb.ReattachExecuteRequest, stream grpc.ServerStreamingServer[pb.ExecutePlanResponse]) error {
	x, err := s.existing(r)
	if err != nil {
		return err
	}
	op := x.operation(r.OperationId)
	if op == nil {
		return handleError("OPERATION_NOT_FOUND", r.OperationId)
	}
	at, ok := op.after(r.GetLastResponseId())
	if !ok {
		e := sparkerr.New(sparkerr.ClassSpark, "INVALID_CURSOR.POSITION_NOT_AVAILABLE", "responseId", r.GetLastResponseId())
		return status.Error(codes.Internal, e.Message)
	}
	return op.serve(stream, at, true, func(err error) error { return toStatus(err, &x.errs) })
}

// existing is session for requests that must not make one.
func (s *Server) existing(r request) (*session, error) {
	s.mu.Lock()
	_, ok := s.sessions[keyOf(r)]
	s.mu.Unlock()
	if !ok {
		return nil, handleError("SESSION_NOT_FOUND", r.GetSessionId())
	}
	return s.session(r)
}

func (x *session) operation(id string) *operation {
	x.mu.Lock()
	defer x.mu.Unlock()
	return x.ops[id]
}

// ReleaseExecute forgets responses that the client has, or the whole operation.
func (s *Server) ReleaseExecute(_ context.Context, r *pb.ReleaseExecuteRequest) (*pb.ReleaseExecuteResponse, error) {
	out := &pb.ReleaseExecuteResponse{SessionId: r.SessionId}
	s.mu.Lock()
	x := s.sessions[keyOf(r)]
	s.mu.Unlock()
	if x == nil {
		return out, nil
	}
	out.ServerSideSessionId = x.Server
	op := x.operation(r.OperationId)
	if op == nil {
		return out, nil
	}
	out.OperationId = &r.OperationId
	switch k := r.Release.(type) {
	case *pb.ReleaseExecuteRequest_ReleaseUntil_:
		op.release(k.ReleaseUntil.ResponseId)
	default:
		x.forget(op.id)
	}
	return out, nil
}

// Interrupt cancels running operations: all, by tag, or one.
func (s *Server) Interrupt(_ context.Context, r *pb.InterruptRequest) (*pb.InterruptResponse, error) {
	x, err := s.session(r)
	if err != nil {
		return nil, err
	}
	out := &pb.InterruptResponse{SessionId: r.SessionId, ServerSideSessionId: x.Server}
	switch r.InterruptType {
	case pb.InterruptRequest_INTERRUPT_TYPE_ALL:
		out.InterruptedIds = x.interrupt(func(*operation) bool { return true })
	case pb.InterruptRequest_INTERRUPT_TYPE_TAG:
		out.InterruptedIds = x.interrupt(func(o *operation) bool { return o.tags[r.GetOperationTag()] })
	case pb.InterruptRequest_INTERRUPT_TYPE_OPERATION_ID:
		out.InterruptedIds = x.interrupt(func(o *operation) bool { return o.id == r.GetOperationId() })
	default:
		return nil, status.Errorf(codes.InvalidArgument, "interrupt type %s is not known", r.InterruptType)
	}
	return out, nil
}

func (x *session) interrupt(which func(*operation) bool) []string {
	x.mu.Lock()
	defer x.mu.Unlock()
	var ids []string
	for id, o := range x.ops {
		if o.running() && which(o) {
			o.mu.Lock()
			o.canceled = true
			o.mu.Unlock()
			o.cancel()
			ids = append(ids, id)
		}
	}
	return ids
}

// GetStatus tells how operations are.
func (s *Server) GetStatus(_ context.Context, r *pb.GetStatusRequest) (*pb.GetStatusResponse, error) {
	x, err := s.session(r)
	if err != nil {
		return nil, err
	}
	out := &pb.GetStatusResponse{SessionId: r.SessionId, ServerSideSessionId: x.Server}
	if r.OperationStatus == nil {
		return out, nil
	}
	ids := r.OperationStatus.OperationIds
	x.mu.Lock()
	defer x.mu.Unlock()
	if len(ids) == 0 {
		for id := range x.ops {
			ids = append(ids, id)
		}
	}
	for _, id := range ids {
		st := pb.GetStatusResponse_OperationStatus_OPERATION_STATE_UNKNOWN
		if op := x.ops[id]; op != nil {
			st = op.state()
		}
		out.OperationStatuses = append(out.OperationStatuses, &pb.GetStatusResponse_OperationStatus{OperationId: id, State: st})
	}
	return out, nil
}

func (o *operation) state() pb.GetStatusResponse_OperationStatus_OperationState {
	o.mu.Lock()
	defer o.mu.Unlock()
	switch {
	case !o.done && o.canceled:
		return pb.GetStatusResponse_OperationStatus_OPERATION_STATE_TERMINATING
	case !o.done:
		return pb.GetStatusResponse_OperationStatus_OPERATION_STATE_RUNNING
	case o.canceled:
		return pb.GetStatusResponse_OperationStatus_OPERATION_STATE_CANCELLED
	case o.err != nil:
		return pb.GetStatusResponse_OperationStatus_OPERATION_STATE_FAILED
	}
	return pb.GetStatusResponse_OperationStatus_OPERATION_STATE_SUCCEEDED
}
