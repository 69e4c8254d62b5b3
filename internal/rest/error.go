package rest

import (
	"context"
	"errors"
	"fmt"
	"net/http"
)

// Code is an error code of the MLflow and Databricks REST APIs.
type Code string

// The codes that clients know.
const (
	InternalError          Code = "INTERNAL_ERROR"
	InvalidState           Code = "INVALID_STATE"
	DataLoss               Code = "DATA_LOSS"
	NotImplemented         Code = "NOT_IMPLEMENTED"
	TemporarilyUnavailable Code = "TEMPORARILY_UNAVAILABLE"
	DeadlineExceeded       Code = "DEADLINE_EXCEEDED"
	RequestLimitExceeded   Code = "REQUEST_LIMIT_EXCEEDED"
	Cancelled              Code = "CANCELLED"
	ResourceConflict       Code = "RESOURCE_CONFLICT"
	EndpointNotFound       Code = "ENDPOINT_NOT_FOUND"
	ResourceDoesNotExist   Code = "RESOURCE_DOES_NOT_EXIST"
	PermissionDenied       Code = "PERMISSION_DENIED"
	Unauthenticated        Code = "UNAUTHENTICATED"
	BadRequest             Code = "BAD_REQUEST"
	ResourceAlreadyExists  Code = "RESOURCE_ALREADY_EXISTS"
	InvalidParameterValue  Code = "INVALID_PARAMETER_VALUE"
)

var statuses = map[Code]int{
	InternalError: 500, InvalidState: 500, DataLoss: 500, NotImplemented: 501,
	TemporarilyUnavailable: 503, DeadlineExceeded: 504, RequestLimitExceeded: 429,
	Cancelled: 499, ResourceConflict: 409, EndpointNotFound: 404,
	ResourceDoesNotExist: 404, "NOT_FOUND": 404, PermissionDenied: 403, Unauthenticated: 401,
	BadRequest: 400, ResourceAlreadyExists: 400, InvalidParameterValue: 400,
}

// class is how MLflow's clients sort errors: the class's name and an SQLSTATE.
type class struct{ name, state string }

// classes are those of MLflow's server; a code without one is sorted by the client.
var classes = map[Code]class{
	BadRequest:             {"INVALID_PARAMETER_VALUE", "KAM00"},
	EndpointNotFound:       {"RESOURCE_NOT_FOUND", "KAM00"},
	InternalError:          {"CLIENT_INTERNAL_ERROR", "XXM00"},
	InvalidParameterValue:  {"INVALID_PARAMETER_VALUE", "KAM00"},
	InvalidState:           {"CLIENT_INTERNAL_ERROR", "XXM00"},
	"NOT_FOUND":            {"RESOURCE_NOT_FOUND", "KAM00"},
	PermissionDenied:       {"PERMISSION_DENIED", "KAM00"},
	ResourceAlreadyExists:  {"RESOURCE_ALREADY_EXISTS", "KAM00"},
	ResourceDoesNotExist:   {"RESOURCE_NOT_FOUND", "KAM00"},
	TemporarilyUnavailable: {"CLIENT_INTERNAL_ERROR", "XXM00"},
}

// Error is an answer that tells the client what went wrong: its body is
// {"error_code": ..., "message": ...}, with what it is sorted by.
type Error struct {
	Code    Code
	Message string
	// HTTP overrides the status that belongs to the code, if not zero.
	HTTP int
	// Details tell Databricks' clients what to do about it.
	Details []Detail
}

// Detail is one of Google's machine-readable details of an error.
type Detail struct {
	Type   string `json:"@type"`
	Reason string `json:"reason,omitempty"`
	Domain string `json:"domain,omitempty"`
}

func (e *Error) Error() string { return string(e.Code) + ": " + e.Message }

// Status is the HTTP status of the answer.
func (e *Error) Status() int {
	if e.HTTP != 0 {
		return e.HTTP
	}
	if s, ok := statuses[e.Code]; ok {
		return s
	}
	return http.StatusInternalServerError
}

// Errorf makes an Error with the given code.
func Errorf(code Code, format string, args ...any) *Error {
	return &Error{Code: code, Message: fmt.Sprintf(format, args...)}
}

// Invalid makes an INVALID_PARAMETER_VALUE error.
func Invalid(format string, args ...any) *Error {
	return Errorf(InvalidParameterValue, format, args...)
}

// NotFound makes a RESOURCE_DOES_NOT_EXIST error.
func NotFound(format string, args ...any) *Error {
	return Errorf(ResourceDoesNotExist, format, args...)
}

// AlreadyExists makes a RESOURCE_ALREADY_EXISTS error.
func AlreadyExists(format string, args ...any) *Error {
	return Errorf(ResourceAlreadyExists, format, args...)
}

// IsCode reports whether err is, or wraps, an Error with the code.
func IsCode(err error, code Code) bool {
	var e *Error
	return errors.As(err, &e) && e.Code == code
}

// Answer is what a client is told of an error.
func Answer(err error) *Error {
	answer, _ := asError(err)
	return answer
}

// asError finds the answer for any error. What a client may not know (SQL
// text, paths) stays in the log: an unexpected error is answered as such.
func asError(err error) (answer *Error, unexpected bool) {
	var e *Error
	var tooLarge *http.MaxBytesError
	switch {
	case errors.As(err, &e):
		return e, e.Status() >= 500 && e.Code == InternalError
	case errors.As(err, &tooLarge):
		return &Error{Code: InvalidParameterValue, HTTP: http.StatusRequestEntityTooLarge,
			Message: fmt.Sprintf("Request body is larger than %d bytes.", tooLarge.Limit)}, false
	case errors.Is(err, context.Canceled):
		return Errorf(Cancelled, "The request was cancelled."), false
	case errors.Is(err, context.DeadlineExceeded):
		return Errorf(DeadlineExceeded, "The request took too long."), false
	}
	return Errorf(InternalError, "The server met an internal error; its log tells more."), true
}
