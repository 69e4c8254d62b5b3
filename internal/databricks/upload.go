package databricks

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/url"

	"github.com/millpond/millpond/internal/artifact"
	"github.com/millpond/millpond/internal/rest"
)

// A large file is sent in parts, each to an address that the client asks for.

// wholeUpload is the token of an upload to a store that takes files whole only.
const wholeUpload = "whole"

type (
	header struct {
		Name  string `json:"name"`
		Value string `json:"value"`
	}
	partURLsRequest struct {
		Path         string     `json:"path" mlflow:"required"`
		SessionToken string     `json:"session_token" mlflow:"required"`
		Start        rest.Int64 `json:"start_part_number"`
		Count        rest.Int64 `json:"count"`
	}
	partURL struct {
		URL        string   `json:"url"`
		PartNumber int64    `json:"part_number"`
		Headers    []header `json:"headers"`
	}
	partURLsResponse struct {
		URLs []partURL `json:"upload_part_urls"`
	}
	abortURLRequest struct {
		Path         string `json:"path" mlflow:"required"`
		SessionToken string `json:"session_token" mlflow:"required"`
	}
	abortURLResponse struct {
		URL struct {
			URL     string   `json:"url"`
			Headers []header `json:"headers"`
		} `json:"abort_upload_url"`
	}
)

// multipart begins or ends an upload in parts.
func (s *Service) multipart(w http.ResponseWriter, r *http.Request) error {
	t, err := s.writable(r.Context(), r.PathValue("path"))
	if err != nil {
		return err
	}
	query := r.URL.Query()
	token := query.Get("session_token")
	if token == "" {
		token = query.Get("upload_id")
	}
	switch action := query.Get("action"); action {
	case "initiate-upload":
		if err := s.free(r, t); err != nil {
			return err
		}
		return s.initiate(w, r, t)
	case "complete-upload":
		return s.complete(w, r, t, token)
	case "abort-upload":
		return s.abortUpload(w, r, t, token)
	default:
		return rest.Invalid("The action '%s' is none of initiate-upload, complete-upload, abort-upload.", action)
	}
}

func (s *Service) initiate(w http.ResponseWriter, r *http.Request, t *target) error {
	token := wholeUpload
	if s.files.TakesParts() {
		var err error
		if token, err = s.files.CreateUpload(r.Context(), t.store); err != nil {
			return fileError(err, t.path)
		}
	}
	type upload struct {
		Token string `json:"session_token"`
	}
	return rest.WriteJSON(w, r, struct {
		Upload upload `json:"multipart_upload"`
	}{upload{token}})
}

func (s *Service) complete(w http.ResponseWriter, r *http.Request, t *target, token string) error {
	var in struct {
		Parts []struct {
			Number rest.Int64 `json:"part_number"`
			ETag   string     `json:"etag"`
		} `json:"parts"`
	}
	if err := rest.Decode(w, r, &in); err != nil {
		return err
	}
	parts := make([]artifact.Part, len(in.Parts))
	for i, p := range in.Parts {
		parts[i] = artifact.Part{Number: int(p.Number), ETag: p.ETag}
	}
	if _, err := s.files.CompleteUpload(r.Context(), token, t.store, parts); err != nil {
		return fileError(err, t.path)
	}
	return rest.WriteJSON(w, r, struct{}{})
}

func (s *Service) abortUpload(w http.ResponseWriter, r *http.Request, t *target, token string) error {
	if token != wholeUpload {
		if err := s.files.AbortUpload(r.Context(), token, t.store); err != nil && !errors.Is(err, artifact.ErrNoUpload) {
			return fileError(err, t.path)
		}
	}
	return rest.WriteJSON(w, r, struct{}{})
}

func (s *Service) partURLs(ctx context.Context, in *partURLsRequest) (*partURLsResponse, error) {
	if _, err := s.writable(ctx, in.Path); err != nil {
		return nil, err
	}
	if in.SessionToken == wholeUpload {
		// Told so, clients send the file whole.
		return nil, &rest.Error{Code: rest.PermissionDenied, Message: "This artifact store takes files whole.", Details: []rest.Detail{
			{Type: "type.googleapis.com/google.rpc.ErrorInfo", Reason: "FILES_API_API_IS_NOT_ENABLED", Domain: "filesystem.databricks.com"}}}
	}
	if in.Start < 1 || in.Count < 1 || in.Count > 1000 || in.Start+in.Count > artifact.MaxParts+1 {
		return nil, rest.Invalid("Parts are numbered from 1 to %d, and at most 1000 addresses are given at once.", artifact.MaxParts)
	}
	base, headers := origin(ctx)
	var out partURLsResponse
	for n := in.Start; n < in.Start+in.Count; n++ {
		out.URLs = append(out.URLs, partURL{fmt.Sprintf("%s/api/2.0/mlflow-artifacts/mpu/part/%s/%d", base, url.PathEscape(in.SessionToken), n), int64(n), headers})
	}
	return &out, nil
}

func (s *Service) abortURL(ctx context.Context, in *abortURLRequest) (*abortURLResponse, error) {
	t, err := s.writable(ctx, in.Path)
	if err != nil {
		return nil, err
	}
	var out abortURLResponse
	base, headers := origin(ctx)
	out.URL.URL = base + "/api/2.0/fs/uploads/" + url.PathEscape(in.SessionToken) + escapePath(t.path)
	out.URL.Headers = headers
	return &out, nil
}

func (s *Service) abort(w http.ResponseWriter, r *http.Request) error {
	t, err := s.writable(r.Context(), r.PathValue("path"))
	if err != nil {
		return err
	}
	return s.abortUpload(w, r, t, r.PathValue("upload_id"))
}

func escapePath(p string) string { return (&url.URL{Path: p}).EscapedPath() }

// origin is the address at which the client reached us, and the headers by
// which it is known when it comes again.
func origin(ctx context.Context) (string, []header) {
	base, own := rest.Origin(ctx)
	headers := []header{}
	for name, value := range own {
		headers = append(headers, header{name, value})
	}
	return base, headers
}
