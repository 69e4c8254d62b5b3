package connect

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"runtime/debug"
	"strings"
	"time"

	"github.com/google/uuid"
	"google.golang.org/grpc"
	"google.golang.org/grpc/peer"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/proto"

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
	op, err := x.begin(r)
	if err != nil {
		return err
	}
	s.log.Debug("execute", "session", x.ID, "operation", op.id)
	if !op.reattachable {
		defer x.forget(op.id)
	}
	return x.serve(op, stream, 0, s.patience(stream.Context()))
}

// serve streams an operation's responses from one on.
func (x *session) serve(op *operation, stream grpc.ServerStreamingServer[pb.ExecutePlanResponse], at int, patience time.Duration) error {
	err := op.serve(stream, at, patience)
	switch {
	case err == nil:
		return nil
	case errors.Is(err, errDisconnected):
		return sqlError(&x.errs, "INVALID_CURSOR.DISCONNECTED")
	case stream.Context().Err() != nil:
		return status.FromContextError(stream.Context().Err()).Err()
	}
	return toStatus(err, &x.errs)
}

// patience is how long an operation waits for the client of a stream once that went away. A client
// on this machine whose connection ends has ended itself; one elsewhere may have lost its network.
func (s *Server) patience(ctx context.Context) time.Duration {
	p, ok := peer.FromContext(ctx)
	if !ok {
		return s.detached
	}
	if host, _, err := net.SplitHostPort(p.Addr.String()); err == nil && net.ParseIP(host).IsLoopback() {
		return min(s.detached, loopbackPatience)
	}
	return s.detached
}

const (
	defaultDetached  = 5 * time.Minute
	loopbackPatience = 15 * time.Second
)

// begin starts the operation of a request in its own goroutine. A request that was sent again, as
// clients do when they lose its stream, finds the operation it started.
func (x *session) begin(r *pb.ExecutePlanRequest) (*operation, error) {
	id := r.GetOperationId()
	if id == "" {
		id = uuid.NewString()
	}
	if !validUUID(id) {
		return nil, handleError(&x.errs, "FORMAT", id)
	}
	if err := checkTags(r.Tags); err != nil {
		return nil, toStatus(err, &x.errs)
	}
	ctx, cancel := context.WithCancel(x.Context())
	op := newOperation(r, id, cancel)
	x.mu.Lock()
	defer x.mu.Unlock()
	if old, there := x.ops[id]; there {
		cancel()
		if old.plan != op.plan || !old.reattachable {
			return nil, handleError(&x.errs, "OPERATION_ALREADY_EXISTS", id)
		}
		return old, nil
	}
	if _, was := x.ended[id]; was {
		cancel()
		return nil, handleError(&x.errs, "OPERATION_ABANDONED", id)
	}
	x.ops[id] = op
	go x.perform(ctx, op, r)
	return op, nil
}

func checkTags(tags []string) error {
	for _, t := range tags {
		if t == "" {
			return sparkerr.IllegalArgument("Spark Connect tag cannot be an empty string.")
		}
		if strings.Contains(t, ",") {
			return sparkerr.IllegalArgument("Spark Connect tag cannot contain ','.")
		}
	}
	return nil
}

func (x *session) perform(ctx context.Context, op *operation, r *pb.ExecutePlanRequest) {
	defer op.cancel()
	err := x.guarded(ctx, op, r)
	if err != nil && ctx.Err() != nil {
		err = sparkerr.New(sparkerr.ClassSQL, "OPERATION_CANCELED")
	}
	op.finish(err)
	x.touch()
}

// forgetAbandoned lets go the operations whose clients have not come back for them.
func (x *session) forgetAbandoned(now time.Time) {
	x.mu.Lock()
	var gone []string
	for id, op := range x.ops {
		if op.abandoned(now) {
			gone = append(gone, id)
		}
	}
	x.mu.Unlock()
	for _, id := range gone {
		x.forget(id)
	}
}

// keptEndings is how many operations that are gone a session remembers the ending of.
const keptEndings = 1000

func (x *session) forget(id string) {
	x.mu.Lock()
	op, ok := x.ops[id]
	if ok {
		delete(x.ops, id)
		x.ended[id] = op.ending()
		x.endings = append(x.endings, id)
		if len(x.endings) > keptEndings {
			delete(x.ended, x.endings[0])
			x.endings = x.endings[1:]
		}
	}
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
		return notSet("spark.connect.Plan", "OPTYPE_NOT_SET")
	}
	if !op.reattachable {
		return nil // the end of the stream says it
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
	x    *session
	op   *operation
	with *pb.ExecutePlanResponse // goes out with the next response, nil for nothing
}

// attach has the fields of r that any response may have, its schema and metrics, go out with the
// next response where clients answer each response with a call.
func (o *responder) attach(ctx context.Context, r *pb.ExecutePlanResponse) error {
	switch {
	case !o.op.reattachable:
		return o.send(ctx, r)
	case o.with == nil:
		o.with = r
	default:
		proto.Merge(o.with, r)
	}
	return nil
}

func (o *responder) give(ctx context.Context, r *pb.ExecutePlanResponse) error {
	if o.with != nil {
		r.Schema, r.Metrics, r.ObservedMetrics, o.with = o.with.Schema, o.with.Metrics, o.with.ObservedMetrics, nil
	}
	return o.send(ctx, r)
}

// send gives a response as it is.
func (o *responder) send(ctx context.Context, r *pb.ExecutePlanResponse) error {
	r.SessionId, r.ServerSideSessionId = o.x.ID, o.x.Server
	return o.op.give(ctx, r)
}

// relation streams a relation's rows: its schema first, then batches.
func (o *responder) relation(ctx context.Context, rel plan.Relation) error {
	watched, stop := o.watch(ctx)
	defer stop()
	res, err := o.x.Run(watched, rel)
	if err != nil {
		return err
	}
	defer res.Close()
	if err := o.attach(ctx, &pb.ExecutePlanResponse{Schema: schemaToProto(res.Schema)}); err != nil {
		return err
	}
	enc, err := newEncoder(res.Schema, o.x.TimeZone())
	if err != nil {
		return err
	}
	rows := int64(0)
	for {
		b, err := res.Next(watched)
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
	if err := o.observed(ctx, rel); err != nil {
		return err
	}
	return o.metrics(ctx, rows)
}

// metrics tells how many rows there were, as the root of the plan that made them.
func (o *responder) metrics(ctx context.Context, rows int64) error {
	out := &pb.ExecutePlanResponse_Metrics_MetricObject{Name: "Result", PlanId: 0, ExecutionMetrics: map[string]*pb.ExecutePlanResponse_Metrics_MetricValue{
		"numOutputRows": {Name: "number of output rows", Value: rows, MetricType: "sum"}}}
	return o.attach(ctx, &pb.ExecutePlanResponse{Metrics: &pb.ExecutePlanResponse_Metrics{Metrics: []*pb.ExecutePlanResponse_Metrics_MetricObject{out}}})
}

func (o *responder) batch(ctx context.Context, data []byte, rows, offset int64) error {
	size, chunks := len(data), int64(1)
	if o.op.chunk > 0 {
		size = min(size, o.op.chunk)
		chunks = int64(len(data)+size-1) / int64(size)
	}
	for i := range chunks {
		part := data[int(i)*size : min(len(data), int(i+1)*size)]
		err := o.give(ctx, &pb.ExecutePlanResponse{ResponseType: &pb.ExecutePlanResponse_ArrowBatch_{ArrowBatch: &pb.ExecutePlanResponse_ArrowBatch{
			RowCount: rows, Data: part, StartOffset: &offset, ChunkIndex: &i, NumChunksInBatch: &chunks}}})
		if err != nil {
			return err
		}
	}
	return nil
}

// ReattachExecute goes on with an operation's responses after the last that the client has.
func (s *Server) ReattachExecute(r *pb.ReattachExecuteRequest, stream grpc.ServerStreamingServer[pb.ExecutePlanResponse]) error {
	x, err := s.existing(r)
	if err != nil {
		return err
	}
	op := x.operation(r.OperationId)
	if op == nil {
		return handleError(&x.errs, "OPERATION_NOT_FOUND", r.OperationId)
	}
	if !op.reattachable {
		return sqlError(&x.errs, "INVALID_CURSOR.NOT_REATTACHABLE")
	}
	at, err := op.after(r.GetLastResponseId())
	switch {
	case errors.Is(err, errGone):
		return sqlError(&x.errs, "INVALID_CURSOR.POSITION_NOT_AVAILABLE", "responseId", r.GetLastResponseId(), "index", "0")
	case err != nil:
		return sqlError(&x.errs, "INVALID_CURSOR.POSITION_NOT_FOUND", "responseId", r.GetLastResponseId())
	}
	return x.serve(op, stream, at, s.patience(stream.Context()))
}

// existing is session for requests that must not make one.
func (s *Server) existing(r request) (*session, error) {
	key := keyOf(r)
	s.mu.Lock()
	_, ok := s.sessions[key]
	_, was := s.closed[key]
	s.mu.Unlock()
	switch {
	case was:
		return nil, handleError(nil, "SESSION_CLOSED", key.id)
	case !ok:
		return nil, handleError(nil, "SESSION_NOT_FOUND", key.id)
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
	x, err := s.existing(r)
	if err != nil {
		return nil, err
	}
	out := &pb.ReleaseExecuteResponse{SessionId: r.SessionId, ServerSideSessionId: x.Server}
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
		if r.GetOperationTag() == "" {
			return nil, sqlError(&x.errs, "INVALID_PARAMETER_VALUE.INTERRUPT_TYPE_TAG_REQUIRES_TAG", "parameter", "operation_tag", "functionName", "interrupt")
		}
		out.InterruptedIds = x.interrupt(func(o *operation) bool { return o.tags[r.GetOperationTag()] })
	case pb.InterruptRequest_INTERRUPT_TYPE_OPERATION_ID:
		if r.GetOperationId() == "" {
			return nil, sqlError(&x.errs, "INVALID_PARAMETER_VALUE.INTERRUPT_TYPE_OPERATION_ID_REQUIRES_ID", "parameter", "operation_id", "functionName", "interrupt")
		}
		out.InterruptedIds = x.interrupt(func(o *operation) bool { return o.id == r.GetOperationId() })
	default:
		return nil, sqlError(&x.errs, "UNSUPPORTED_FEATURE.INTERRUPT_TYPE", "interruptType", r.InterruptType.String())
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
	x, err := s.existing(r)
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
		} else if end, was := x.ended[id]; was {
			st = end
		}
		out.OperationStatuses = append(out.OperationStatuses, &pb.GetStatusResponse_OperationStatus{OperationId: id, State: st})
	}
	return out, nil
}
