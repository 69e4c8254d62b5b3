package connect

import (
	"context"
	"encoding/json"
	"errors"
	"sync"

	"github.com/google/uuid"
	"google.golang.org/genproto/googleapis/rpc/errdetails"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	pb "github.com/millpond/millpond/internal/gen/spark/connect"
	"github.com/millpond/millpond/internal/sparkerr"
)

// hierarchy of the JVM classes that clients know, most special first.
var hierarchy = map[string][]string{
	sparkerr.ClassExtendedAnalysis: {sparkerr.ClassAnalysis, "java.lang.Exception"},
	sparkerr.ClassAnalysis:         {"java.lang.Exception"},
	sparkerr.ClassParse:            {sparkerr.ClassAnalysis, "java.lang.Exception"},
	sparkerr.ClassArithmetic:       {"java.lang.ArithmeticException", "java.lang.RuntimeException"},
	sparkerr.ClassArrayIndex:       {"java.lang.ArrayIndexOutOfBoundsException", "java.lang.RuntimeException"},
	sparkerr.ClassDateTime:         {"java.time.DateTimeException", "java.lang.RuntimeException"},
	sparkerr.ClassNumberFormat:     {"java.lang.NumberFormatException", "java.lang.IllegalArgumentException"},
	sparkerr.ClassIllegalArgument:  {"java.lang.IllegalArgumentException", "java.lang.RuntimeException"},
	sparkerr.ClassJavaArgument:     {"java.lang.RuntimeException"},
	sparkerr.ClassRuntime:          {"java.lang.RuntimeException"},
	sparkerr.ClassUnsupported:      {"java.lang.UnsupportedOperationException", "java.lang.RuntimeException"},
	sparkerr.ClassNoSuchElement:    {"java.util.NoSuchElementException", "java.lang.RuntimeException"},
	sparkerr.ClassPython:           {"java.lang.RuntimeException"},
	sparkerr.ClassSpark:            {"java.lang.Exception"},
}

// errorStore remembers the errors of a session until the client asks for their details.
type errorStore struct {
	mu   sync.Mutex
	byID map[string]*sparkerr.Error
	ids  []string
}

const keptErrors = 50

func (s *errorStore) add(e *sparkerr.Error) string {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.byID == nil {
		s.byID = map[string]*sparkerr.Error{}
	}
	id := uuid.NewString()
	s.byID[id], s.ids = e, append(s.ids, id)
	if len(s.ids) > keptErrors {
		delete(s.byID, s.ids[0])
		s.ids = s.ids[1:]
	}
	return id
}

func (s *errorStore) take(id string) *sparkerr.Error {
	s.mu.Lock()
	defer s.mu.Unlock()
	e := s.byID[id]
	delete(s.byID, id)
	return e
}

// sparkError makes a Spark error of any error.
func sparkError(err error) *sparkerr.Error {
	if e := sparkerr.As(err); e != nil {
		return e
	}
	if errors.Is(err, context.Canceled) {
		return sparkerr.New(sparkerr.ClassSpark, "OPERATION_CANCELED")
	}
	return &sparkerr.Error{Condition: "INTERNAL_ERROR", SQLState: "XX000", Class: sparkerr.ClassSpark,
		Params: map[string]string{"message": err.Error()}, Message: "[INTERNAL_ERROR] " + err.Error() + " SQLSTATE: XX000"}
}

const maxStatusMessage = 2048

// toStatus makes the gRPC status of an error: the client reads the class and condition from its
// details, and fetches the rest by the error's id.
func toStatus(err error, store *errorStore) error {
	if _, ok := status.FromError(err); ok {
		return err
	}
	e := sparkError(err)
	classes := append([]string{e.Class}, hierarchy[e.Class]...)
	classes = append(classes, "java.lang.Throwable", "java.lang.Object")
	names, _ := json.Marshal(classes) // strings always marshal
	meta := map[string]string{"classes": string(names)}
	if e.Condition != "" {
		meta["errorClass"], meta["sqlState"] = e.Condition, e.SQLState
		if params, err := json.Marshal(e.Params); err == nil && len(params) < maxStatusMessage {
			meta["messageParameters"] = string(params)
		}
	}
	if store != nil {
		meta["errorId"] = store.add(e)
	}
	message := e.Message
	if len(message) > maxStatusMessage {
		message = message[:maxStatusMessage] + "..."
	}
	st, derr := status.New(codes.Internal, message).WithDetails(&errdetails.ErrorInfo{Reason: e.Class, Domain: "org.apache.spark", Metadata: meta})
	if derr != nil {
		return status.Error(codes.Internal, message)
	}
	return st.Err()
}

// handleError is an INVALID_HANDLE error, which clients recognise by the status' message.
func handleError(sub, handle string) error {
	e := sparkerr.New(sparkerr.ClassSpark, "INVALID_HANDLE."+sub, "handle", handle)
	return status.Error(codes.Internal, e.Message)
}

// errorDetails writes an error's chain for FetchErrorDetails.
func errorDetails(e *sparkerr.Error) []*pb.FetchErrorDetailsResponse_Error {
	classes := append([]string{e.Class}, hierarchy[e.Class]...)
	out := &pb.FetchErrorDetailsResponse_Error{ErrorTypeHierarchy: append(classes, "java.lang.Throwable", "java.lang.Object"), Message: e.Message}
	if e.Condition != "" {
		t := &pb.FetchErrorDetailsResponse_SparkThrowable{ErrorClass: &e.Condition, MessageParameters: e.Params}
		if e.SQLState != "" {
			t.SqlState = &e.SQLState
		}
		if c := e.Context; c != nil {
			t.QueryContexts = append(t.QueryContexts, &pb.FetchErrorDetailsResponse_QueryContext{
				ContextType: pb.FetchErrorDetailsResponse_QueryContext_DATAFRAME, Fragment: c.Fragment, CallSite: c.CallSite})
		}
		out.SparkThrowable = t
	}
	return []*pb.FetchErrorDetailsResponse_Error{out}
}
