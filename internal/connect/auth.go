package connect

import (
	"context"

	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/metadata"
	"google.golang.org/grpc/status"

	pb "github.com/millpond/millpond/internal/gen/spark/connect"
)

// Authenticator finds the user that an Authorization header stands for.
type Authenticator func(ctx context.Context, authorization string) (user string, err error)

// Authenticate lets only those through whom auth knows. What a client says of
// who it is gives way to what auth says: a session is its user's alone.
func Authenticate(auth Authenticator) []grpc.ServerOption {
	check := func(ctx context.Context) (string, error) {
		var header string
		if md, ok := metadata.FromIncomingContext(ctx); ok {
			if values := md.Get("authorization"); len(values) > 0 {
				header = values[0]
			}
		}
		user, err := auth(ctx, header)
		if err != nil {
			return "", status.Error(codes.Unauthenticated, err.Error())
		}
		return user, nil
	}
	return []grpc.ServerOption{
		grpc.ChainUnaryInterceptor(func(ctx context.Context, req any, _ *grpc.UnaryServerInfo, next grpc.UnaryHandler) (any, error) {
			user, err := check(ctx)
			if err != nil {
				return nil, err
			}
			setUser(req, user)
			return next(ctx, req)
		}),
		grpc.ChainStreamInterceptor(func(srv any, stream grpc.ServerStream, _ *grpc.StreamServerInfo, next grpc.StreamHandler) error {
			user, err := check(stream.Context())
			if err != nil {
				return err
			}
			return next(srv, &userStream{stream, user})
		}),
	}
}

// userStream gives every request of a stream its user.
type userStream struct {
	grpc.ServerStream
	user string
}

func (s *userStream) RecvMsg(m any) error {
	if err := s.ServerStream.RecvMsg(m); err != nil {
		return err
	}
	setUser(m, s.user)
	return nil
}

// setUser puts the user into a request's context, which every request has.
func setUser(req any, user string) {
	context := &pb.UserContext{UserId: user, UserName: user}
	switch r := req.(type) {
	case *pb.ExecutePlanRequest:
		r.UserContext = context
	case *pb.AnalyzePlanRequest:
		r.UserContext = context
	case *pb.ConfigRequest:
		r.UserContext = context
	case *pb.AddArtifactsRequest:
		r.UserContext = context
	case *pb.ArtifactStatusesRequest:
		r.UserContext = context
	case *pb.InterruptRequest:
		r.UserContext = context
	case *pb.ReattachExecuteRequest:
		r.UserContext = context
	case *pb.ReleaseExecuteRequest:
		r.UserContext = context
	case *pb.ReleaseSessionRequest:
		r.UserContext = context
	case *pb.FetchErrorDetailsRequest:
		r.UserContext = context
	case *pb.CloneSessionRequest:
		r.UserContext = context
	case *pb.GetStatusRequest:
		r.UserContext = context
	}
}
