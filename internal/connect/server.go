// Package connect serves the Spark Connect protocol: protos become plan nodes, streams of Arrow
// batches become responses that a client may ask for again, errors become statuses in Spark's
// words. It resolves and runs nothing itself.
package connect

import (
	"context"
	"log/slog"
	"maps"
	"slices"
	"sync"
	"time"

	"github.com/google/uuid"
	"google.golang.org/grpc"
	"google.golang.org/grpc/keepalive"

	"github.com/millpond/millpond/internal/engine"
	pb "github.com/millpond/millpond/internal/gen/spark/connect"
)

// SparkVersion is the version of Spark whose protocol and behaviour this server has.
const SparkVersion = "4.3.0"

// Options of a Server.
type Options struct {
	Logger      *slog.Logger
	SessionIdle time.Duration // after which a session without requests ends; 0: an hour
	Detached    time.Duration // after which an operation whose client went away ends; 0: 5 minutes
	OnSession   func()        // called when a client opens a session; nil for nothing
	ClientFiles string        // directory below which clients may copy files (copyFromLocalToFs), "" for none
}

// Server is a SparkConnectService.
type Server struct {
	pb.UnimplementedSparkConnectServiceServer
	engine *engine.Engine
	log    *slog.Logger
	idle   time.Duration
	opened func()

	detached time.Duration
	forward  string // ClientFiles

	mu       sync.Mutex
	sessions map[sessionKey]*session
	closed   map[sessionKey]time.Time
}

type sessionKey struct{ user, id string }

// session is one client's state on this server.
type session struct {
	*engine.Session
	log  *slog.Logger
	errs errorStore

	mu      sync.Mutex
	ops     map[string]*operation
	ended   map[string]operationState // how operations that are gone ended
	endings []string                  // their ids, oldest first
	used    time.Time
	files   *artifacts
}

type operationState = pb.GetStatusResponse_OperationStatus_OperationState

// New makes a server over an engine.
func New(e *engine.Engine, o Options) *Server {
	if o.Logger == nil {
		o.Logger = slog.Default()
	}
	if o.SessionIdle == 0 {
		o.SessionIdle = time.Hour
	}
	if o.OnSession == nil {
		o.OnSession = func() {}
	}
	if o.Detached == 0 {
		o.Detached = defaultDetached
	}
	return &Server{engine: e, log: o.Logger, idle: o.SessionIdle, detached: o.Detached, opened: o.OnSession, forward: o.ClientFiles, sessions: map[sessionKey]*session{}, closed: map[sessionKey]time.Time{}}
}

// Register adds the service to a gRPC server.
func (s *Server) Register(g *grpc.Server) { pb.RegisterSparkConnectServiceServer(g, s) }

// maxMessage is how large a message may be; clients take and send up to 128 MiB.
const maxMessage = 256 << 20

// GRPC makes a gRPC server with the message sizes and keepalive rules that Spark Connect needs:
// clients ping idle connections every minute, and a client that answers no ping is gone.
func GRPC(opts ...grpc.ServerOption) *grpc.Server {
	return grpc.NewServer(append([]grpc.ServerOption{grpc.MaxRecvMsgSize(maxMessage), grpc.MaxSendMsgSize(maxMessage),
		grpc.InitialWindowSize(4 << 20), grpc.InitialConnWindowSize(8 << 20),
		grpc.KeepaliveParams(keepalive.ServerParameters{Time: 30 * time.Second, Timeout: 20 * time.Second}),
		grpc.KeepaliveEnforcementPolicy(keepalive.EnforcementPolicy{MinTime: 5 * time.Second, PermitWithoutStream: true})}, opts...)...)
}

// Expire ends idle sessions and operations that clients abandoned until ctx ends.
func (s *Server) Expire(ctx context.Context) {
	tick := time.NewTicker(max(time.Millisecond, min(s.idle/4, s.detached/4, 5*time.Second)))
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
			s.expire(time.Now())
		}
	}
}

func (s *Server) expire(now time.Time) {
	s.mu.Lock()
	var gone []*session
	for k, x := range s.sessions {
		if x.idleSince(now) > s.idle {
			gone = append(gone, x)
			delete(s.sessions, k)
			s.closed[k] = now
		}
	}
	for k, at := range s.closed {
		if now.Sub(at) > 24*time.Hour {
			delete(s.closed, k)
		}
	}
	open := slices.Collect(maps.Values(s.sessions))
	s.mu.Unlock()
	for _, x := range gone {
		s.end(x)
	}
	for _, x := range open {
		x.forgetAbandoned(now)
	}
}

func (x *session) idleSince(now time.Time) time.Duration {
	x.mu.Lock()
	defer x.mu.Unlock()
	for _, op := range x.ops {
		if op.running() {
			return 0
		}
	}
	return now.Sub(x.used)
}

// Close ends every session.
func (s *Server) Close() {
	s.mu.Lock()
	all := s.sessions
	s.sessions = map[sessionKey]*session{}
	s.mu.Unlock()
	for _, x := range all {
		s.end(x)
	}
}

// Counts tells how many sessions there are and how many queries run.
func (s *Server) Counts() (sessions, running int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, x := range s.sessions {
		x.mu.Lock()
		for _, op := range x.ops {
			if op.running() {
				running++
			}
		}
		x.mu.Unlock()
	}
	return len(s.sessions), running
}

func (s *Server) end(x *session) {
	x.interrupt(func(*operation) bool { return true })
	if err := x.Close(); err != nil {
		s.log.Warn("closing a session", "session", x.ID, "error", err)
	}
}

// request is what every request says of its session.
type request interface {
	GetSessionId() string
	GetUserContext() *pb.UserContext
	GetClientObservedServerSideSessionId() string
}

func keyOf(r interface {
	GetSessionId() string
	GetUserContext() *pb.UserContext
}) sessionKey {
	return sessionKey{r.GetUserContext().GetUserId(), r.GetSessionId()}
}

// session finds or makes the session of a request.
func (s *Server) session(r request) (*session, error) {
	key := keyOf(r)
	if !validUUID(key.id) {
		return nil, handleError(nil, "FORMAT", key.id)
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	x, ok := s.sessions[key]
	observed := r.GetClientObservedServerSideSessionId()
	if !ok {
		if _, was := s.closed[key]; was {
			return nil, handleError(nil, "SESSION_CLOSED", key.id)
		}
		if observed != "" { // the client knows a session that this server never had
			return nil, handleError(nil, "SESSION_CHANGED", key.id)
		}
		x = s.newSession(s.engine.NewSession(key.id, key.user))
		s.sessions[key] = x
		s.opened()
	}
	if observed != "" && observed != x.Server {
		return nil, handleError(&x.errs, "SESSION_CHANGED", key.id)
	}
	x.touch()
	return x, nil
}

func (s *Server) newSession(e *engine.Session) *session {
	x := &session{Session: e, log: s.log, ops: map[string]*operation{}, ended: map[string]operationState{}}
	x.errs.told = e.Failed
	x.files = &artifacts{dir: e.Dir(), forward: s.forward}
	return x
}

func (x *session) touch() {
	x.mu.Lock()
	x.used = time.Now()
	x.mu.Unlock()
}

func validUUID(s string) bool {
	if len(s) != 36 {
		return false
	}
	for i, c := range s {
		dash := i == 8 || i == 13 || i == 18 || i == 23
		hex := c >= '0' && c <= '9' || c >= 'a' && c <= 'f' || c >= 'A' && c <= 'F'
		if dash != (c == '-') || !dash && !hex {
			return false
		}
	}
	return true
}

// ReleaseSession ends a session; what it ran is interrupted.
func (s *Server) ReleaseSession(_ context.Context, r *pb.ReleaseSessionRequest) (*pb.ReleaseSessionResponse, error) {
	key := keyOf(r)
	s.mu.Lock()
	x, ok := s.sessions[key]
	delete(s.sessions, key)
	if ok && !r.AllowReconnect {
		s.closed[key] = time.Now()
	}
	s.mu.Unlock()
	out := &pb.ReleaseSessionResponse{SessionId: r.SessionId}
	if ok {
		out.ServerSideSessionId = x.Server
		s.end(x)
	}
	return out, nil
}

// CloneSession makes a session with the same settings, views and functions.
func (s *Server) CloneSession(_ context.Context, r *pb.CloneSessionRequest) (*pb.CloneSessionResponse, error) {
	x, err := s.existing(r)
	if err != nil {
		return nil, err
	}
	id := r.GetNewSessionId()
	if id == "" {
		id = uuid.NewString()
	}
	if !validUUID(id) {
		return nil, sqlError(&x.errs, "INVALID_CLONE_SESSION_REQUEST.TARGET_SESSION_ID_FORMAT", "targetSessionId", id)
	}
	key := sessionKey{r.GetUserContext().GetUserId(), id}
	s.mu.Lock()
	defer s.mu.Unlock()
	_, taken := s.sessions[key]
	_, was := s.closed[key]
	if taken || was {
		return nil, sqlError(&x.errs, "INVALID_CLONE_SESSION_REQUEST.TARGET_SESSION_ID_ALREADY_EXISTS", "targetSessionId", id)
	}
	c := s.newSession(x.Clone(id))
	c.touch()
	s.sessions[key] = c
	return &pb.CloneSessionResponse{SessionId: r.SessionId, ServerSideSessionId: x.Server, NewSessionId: id, NewServerSideSessionId: c.Server}, nil
}

// FetchErrorDetails tells all about an error that a status named.
func (s *Server) FetchErrorDetails(_ context.Context, r *pb.FetchErrorDetailsRequest) (*pb.FetchErrorDetailsResponse, error) {
	x, err := s.session(r)
	if err != nil {
		return nil, err
	}
	out := &pb.FetchErrorDetailsResponse{SessionId: r.SessionId, ServerSideSessionId: x.Server}
	if e := x.errs.take(r.ErrorId); e != nil {
		root := int32(0)
		out.RootErrorIdx, out.Errors = &root, errorDetails(e)
	}
	return out, nil
}
