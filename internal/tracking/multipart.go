package tracking

import (
	"errors"
	"net/http"
	"path"
	"strconv"
	"strings"

	"github.com/millpond/millpond/internal/artifact"
	"github.com/millpond/millpond/internal/rest"
)

type (
	multipartRequest struct {
		Path     string      `json:"path" mlflow:"required"` // the client's name of the file
		NumParts *rest.Int64 `json:"num_parts"`
		UploadID string      `json:"upload_id"`
		Parts    []struct {
			Number rest.Int64 `json:"part_number"`
			ETag   string     `json:"etag"`
		} `json:"parts"`
	}
	multipartCredential struct {
		URL        string            `json:"url"`
		PartNumber int               `json:"part_number"`
		Headers    map[string]string `json:"headers"`
	}
	createMultipartResponse struct {
		UploadID    string                `json:"upload_id"`
		Credentials []multipartCredential `json:"credentials"`
	}
	presignedResponse struct {
		URL      string            `json:"url"`
		Headers  map[string]string `json:"headers"`
		FileSize int64             `json:"file_size"`
	}
)

// multipartError turns an error of an upload in parts into an answer.
func multipartError(err error, name string) error {
	switch {
	case errors.Is(err, artifact.ErrNoUpload):
		return rest.NotFound("There is no such upload: it was completed, aborted, or is too old.")
	case errors.Is(err, artifact.ErrBadPart):
		return rest.Invalid("%s", err)
	}
	return artifactError(err, name)
}

// readMultipart reads a request and the path in the store that it is about: the
// directory of the address with the client's file name.
func readMultipart(w http.ResponseWriter, r *http.Request) (*multipartRequest, string, error) {
	var in multipartRequest
	dir := r.PathValue("path") // of the address; the body has a path too
	r.SetPathValue("path", "")
	if err := rest.Decode(w, r, &in); err != nil {
		return nil, "", err
	}
	clean, err := artifact.Clean(dir)
	if err != nil {
		return nil, "", artifactError(err, dir)
	}
	file := path.Base(strings.ReplaceAll(in.Path, `\`, "/"))
	if file, err = artifact.Clean(file); err != nil || file == "" || file == "." {
		return nil, "", rest.Invalid("Invalid path")
	}
	return &in, path.Join(clean, file), nil
}

// createMultipart begins an upload and tells the addresses of its parts.
func (s *Service) createMultipart(w http.ResponseWriter, r *http.Request) error {
	prefix := rest.PrefixURL(r, "/mlflow-artifacts/")
	in, name, err := readMultipart(w, r)
	if err != nil {
		return err
	}
	parts := 1
	if in.NumParts != nil {
		if *in.NumParts < 1 || *in.NumParts > artifact.MaxParts {
			return rest.InvalidValue("num_parts", strconv.FormatInt(int64(*in.NumParts), 10), "must be between 1 and 10000.")
		}
		parts = int(*in.NumParts)
	}
	id, err := s.artifacts.CreateUpload(r.Context(), name)
	if err != nil {
		return artifactError(err, name)
	}
	out := createMultipartResponse{UploadID: id}
	for n := 1; n <= parts; n++ {
		out.Credentials = append(out.Credentials, multipartCredential{prefix + "mpu/part/" + id + "/" + strconv.Itoa(n), n, rest.OwnHeaders(r)})
	}
	return rest.WriteJSON(w, r, out)
}

// putPart stores one part. Who knows the upload's id may write to it.
func (s *Service) putPart(w http.ResponseWriter, r *http.Request) error {
	n, err := strconv.Atoi(r.PathValue("part_number"))
	if err != nil {
		return rest.Invalid("The number of a part must be an integer.")
	}
	part, err := s.artifacts.PutPart(r.Context(), r.PathValue("upload_id"), n, r.Body)
	if err != nil {
		return multipartError(err, "")
	}
	w.Header().Set("ETag", `"`+part.ETag+`"`)
	return rest.WriteJSON(w, r, empty{})
}

// listParts tells a client that was stopped where to go on.
func (s *Service) listParts(w http.ResponseWriter, r *http.Request) error {
	type part struct {
		Number int    `json:"part_number"`
		ETag   string `json:"etag"`
		Size   int64  `json:"size"`
	}
	parts, err := s.artifacts.Parts(r.Context(), r.PathValue("upload_id"))
	if err != nil {
		return multipartError(err, "")
	}
	out := struct {
		Parts []part `json:"parts"`
	}{[]part{}}
	for _, p := range parts {
		out.Parts = append(out.Parts, part{p.Number, p.ETag, p.Size})
	}
	return rest.WriteJSON(w, r, out)
}

func (s *Service) completeMultipart(w http.ResponseWriter, r *http.Request) error {
	in, name, err := readMultipart(w, r)
	if err != nil {
		return err
	}
	if in.UploadID == "" {
		return rest.MissingParameter("upload_id")
	}
	parts := make([]artifact.Part, len(in.Parts))
	for i, p := range in.Parts {
		parts[i] = artifact.Part{Number: int(p.Number), ETag: p.ETag}
	}
	if _, err := s.artifacts.CompleteUpload(r.Context(), in.UploadID, name, parts); err != nil {
		return multipartError(err, name)
	}
	return rest.WriteJSON(w, r, empty{})
}

func (s *Service) abortMultipart(w http.ResponseWriter, r *http.Request) error {
	in, name, err := readMultipart(w, r)
	if err != nil {
		return err
	}
	if in.UploadID == "" {
		return rest.MissingParameter("upload_id")
	}
	if err := s.artifacts.AbortUpload(r.Context(), in.UploadID, name); err != nil {
		return multipartError(err, name)
	}
	return rest.WriteJSON(w, r, empty{})
}

// presigned answers where to read a file in ranges: here.
func (s *Service) presigned(w http.ResponseWriter, r *http.Request) error {
	name := r.PathValue("path")
	f, err := s.artifacts.Open(r.Context(), name)
	if err != nil {
		return artifactError(err, name)
	}
	defer f.Close()
	info, err := f.Stat()
	if err != nil {
		return err
	}
	_, escaped, _ := strings.Cut(r.URL.EscapedPath(), "/presigned/")
	return rest.WriteJSON(w, r, presignedResponse{rest.PrefixURL(r, "/mlflow-artifacts/") + "artifacts/" + escaped, rest.OwnHeaders(r), info.Size()})
}
