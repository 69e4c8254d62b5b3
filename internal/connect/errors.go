package connect

import (
	"context"
	"encoding/json"
	"errors"
	"strings"
	"sync"

	"github.com/google/uuid"
	"google.golang.org/genproto/googleapis/rpc/errdetails"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	pb "github.com/millpond/millpond/internal/gen/spark/connect"
	"github.com/millpond/millpond/internal/sparkerr"
)

// parents are the classes that the JVM classes of errors extend: clients look for one they know.
var parents = map[string]string{
	sparkerr.ClassExtendedAnalysis: sparkerr.ClassAnalysis,
	sparkerr.ClassParse:            sparkerr.ClassAnalysis,
	sparkerr.ClassArithmetic:       "java.lang.ArithmeticException",
	sparkerr.ClassArrayIndex:       "java.lang.ArrayIndexOutOfBoundsException",
	sparkerr.ClassDateTime:         "java.time.DateTimeException",
	sparkerr.ClassNumberFormat:     "java.lang.NumberFormatException",
	sparkerr.ClassIllegalArgument:  sparkerr.ClassJavaArgument,
	sparkerr.ClassUnsupported:      sparkerr.ClassJavaUnsupported,
	sparkerr.ClassNoSuchElement:    "java.util.NoSuchElementException",
	sparkerr.ClassSQL:              "java.sql.SQLException",
	sparkerr.ClassClassNotFound:    "java.lang.ClassNotFoundException",
	sparkerr.ClassFileExists:       sparkerr.ClassIO,
	sparkerr.ClassInvalidInput:     sparkerr.ClassIO,

	sparkerr.ClassRuntime:                      runtimeException,
	sparkerr.ClassPython:                       runtimeException,
	sparkerr.ClassJavaArgument:                 runtimeException,
	sparkerr.ClassJavaUnsupported:              runtimeException,
	"java.lang.ArithmeticException":            runtimeException,
	"java.lang.ArrayIndexOutOfBoundsException": "java.lang.IndexOutOfBoundsException",
	"java.lang.IndexOutOfBoundsException":      runtimeException,
	"java.time.DateTimeException":              runtimeException,
	"java.lang.NumberFormatException":          sparkerr.ClassJavaArgument,
	"java.util.NoSuchElementException":         runtimeException,
	"java.lang.ClassNotFoundException":         "java.lang.ReflectiveOperationException",
}

const runtimeException = "java.lang.RuntimeException"

// classChain lists a class and all it extends.
func classChain(class string) []string {
	var out []string
	for c := class; c != ""; c = parents[c] {
		out = append(out, c)
	}
	return append(out, "java.lang.Exception", "java.lang.Throwable", "java.lang.Object")
}

// errorStore remembers the errors of a session until the client asks for their details.
type errorStore struct {
	mu   sync.Mutex
	byID map[string]*sparkerr.Error
	ids  []string
	told func(*sparkerr.Error) // hears every error, if not nil
}

const keptErrors = 50

func (s *errorStore) add(e *sparkerr.Error) string {
	if s.told != nil {
		s.told(e)
	}
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

// maxStatusMessage bounds each text of a status: statuses travel in HTTP trailers, of which clients
// take 8 KiB. The whole is fetched apart.
const maxStatusMessage = 1024

// toStatus makes the gRPC status of an error: the client reads the class and condition from its
// details, and fetches the rest by the error's id.
func toStatus(err error, store *errorStore) error {
	if _, ok := status.FromError(err); ok {
		return err
	}
	e := sparkError(err)
	if e.Class == "" {
		e.Class = sparkerr.ClassSpark
	}
	names, _ := json.Marshal(classChain(e.Class)) // strings always marshal
	meta := map[string]string{"classes": string(names)}
	if e.Condition != "" {
		meta["errorClass"] = e.Condition
		if e.SQLState != "" {
			meta["sqlState"] = e.SQLState
		}
		if params, err := json.Marshal(e.Params); err == nil && len(params) < maxStatusMessage {
			meta["messageParameters"] = string(params)
		}
	}
	if store != nil {
		meta["errorId"] = store.add(e)
	}
	message := shortened(e.Message, maxStatusMessage)
	st, derr := status.New(codes.Internal, message).WithDetails(&errdetails.ErrorInfo{Reason: e.Class, Domain: "org.apache.spark", Metadata: meta})
	if derr != nil {
		return status.Error(codes.Internal, message)
	}
	return st.Err()
}

// shortened cuts a text to about n bytes of whole characters.
func shortened(s string, n int) string {
	if len(s) <= n {
		return strings.ToValidUTF8(s, "?")
	}
	return strings.ToValidUTF8(s[:n], "") + "..."
}

// handleError is an INVALID_HANDLE error; store is nil where there is no session to keep it.
func handleError(store *errorStore, sub, handle string) error {
	return sqlError(store, "INVALID_HANDLE."+sub, "handle", handle)
}

// sqlError is an error of the protocol itself.
func sqlError(store *errorStore, name string, pairs ...string) error {
	return toStatus(sparkerr.New(sparkerr.ClassSQL, name, pairs...), store)
}

// maxCauses bounds an error's chain.
const maxCauses = 8

// maxDetail bounds the texts of an error's details: a literal in a message may be of any size.
const maxDetail = 1 << 20

// errorDetails writes an error and its causes for FetchErrorDetails.
func errorDetails(e *sparkerr.Error) []*pb.FetchErrorDetailsResponse_Error {
	out := []*pb.FetchErrorDetailsResponse_Error{errorDetail(e)}
	for cause := e.Cause; cause != nil && len(out) < maxCauses; {
		c := sparkerr.As(cause)
		if c == nil {
			c = &sparkerr.Error{Class: runtimeException, Message: cause.Error()}
		}
		at := int32(len(out))
		out[at-1].CauseIdx = &at
		out = append(out, errorDetail(c))
		cause = c.Cause
	}
	return out
}

func errorDetail(e *sparkerr.Error) *pb.FetchErrorDetailsResponse_Error {
	out := &pb.FetchErrorDetailsResponse_Error{ErrorTypeHierarchy: classChain(e.Class), Message: shortened(e.Message, maxDetail)}
	if e.Condition == "" {
		return out
	}
	params := make(map[string]string, len(e.Params))
	for k, v := range e.Params {
		params[k] = shortened(v, maxDetail)
	}
	t := &pb.FetchErrorDetailsResponse_SparkThrowable{ErrorClass: &e.Condition, MessageParameters: params}
	if e.SQLState != "" {
		t.SqlState = &e.SQLState
	}
	if c := e.Context; c != nil {
		t.QueryContexts = append(t.QueryContexts, queryContext(c))
	}
	out.SparkThrowable = t
	return out
}

func queryContext(c *sparkerr.Context) *pb.FetchErrorDetailsResponse_QueryContext {
	kind := pb.FetchErrorDetailsResponse_QueryContext_SQL
	if c.Call != "" {
		kind = pb.FetchErrorDetailsResponse_QueryContext_DATAFRAME
	}
	first, last := c.Range()
	return &pb.FetchErrorDetailsResponse_QueryContext{ContextType: kind, Fragment: c.Fragment(), CallSite: c.CallSite, Summary: c.Summary(),
		StartIndex: int32(first), StopIndex: int32(last)}
}
