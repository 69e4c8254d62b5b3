package tracking

import (
	"context"
	"encoding/base64"
	"errors"
	"fmt"
	"mime"
	"net/http"
	"net/url"
	"path"
	"strconv"
	"strings"
	"time"

	"github.com/millpond/millpond/internal/artifact"
	"github.com/millpond/millpond/internal/rest"
)

type listArtifactsResponse struct {
	RootURI string     `json:"root_uri,omitempty"`
	Files   []FileInfo `json:"files,omitempty"`
}

// artifactError turns an artifact store's error into an answer.
func artifactError(err error, name string) error {
	switch {
	case err == nil:
		return nil
	case errors.Is(err, artifact.ErrInvalidPath):
		return rest.Invalid("Invalid path")
	case errors.Is(err, artifact.ErrNoParts):
		// Clients know these words, and send the file whole.
		return rest.Errorf(rest.NotImplemented, "Multipart upload is not supported for the current artifact repository")
	case errors.Is(err, artifact.ErrChecksum):
		return rest.Invalid("%s", err)
	case errors.Is(err, artifact.ErrIsDir):
		return rest.Invalid("Artifact path refers to a directory, not a file: '%s'", name)
	case errors.Is(err, artifact.ErrNotExist):
		return rest.NotFound("No such artifact: '%s'", name)
	}
	return err
}

// putArtifact stores the body of PUT /mlflow-artifacts/artifacts/{path...}.
func (s *Service) putArtifact(w http.ResponseWriter, r *http.Request) error {
	name := r.PathValue("path")
	var err error
	if sum := r.Header.Get("Content-MD5"); sum != "" {
		var want []byte
		if want, err = base64.StdEncoding.DecodeString(sum); err != nil || len(want) != 16 {
			return rest.Invalid("The header Content-MD5 is not an MD5 in base64.")
		}
		_, err = s.artifacts.PutChecked(r.Context(), name, r.Body, want)
	} else {
		_, err = s.artifacts.Put(r.Context(), name, r.Body)
	}
	if err != nil {
		return artifactError(err, name)
	}
	return rest.WriteJSON(w, r, empty{})
}

func (s *Service) downloadArtifact(w http.ResponseWriter, r *http.Request) error {
	return s.send(w, r, r.PathValue("path"))
}

func (s *Service) deleteArtifact(w http.ResponseWriter, r *http.Request) error {
	name := r.PathValue("path")
	if err := s.artifacts.Delete(r.Context(), name); err != nil {
		return artifactError(err, name)
	}
	return rest.WriteJSON(w, r, empty{})
}

// What a browser may do with an artifact, should it show one. A sandbox has an origin of its own:
// the page in it cannot ask this server for anything in the visitor's name, nor send elsewhere
// what it knows.
const (
	noScript  = "sandbox; default-src 'none'; style-src 'unsafe-inline'; img-src data:"
	sandboxed = "sandbox allow-scripts; default-src 'none'; script-src 'unsafe-inline' 'unsafe-eval' blob:; style-src 'unsafe-inline'; " +
		"img-src data: blob:; font-src data:; media-src data: blob:; worker-src blob:; frame-ancestors 'self'; form-action 'none'; base-uri 'none'"
)

// send answers with the file, as an attachment: a browser must not run what a
// user uploaded as if it were ours. Our pages ask for HTML with view=sandbox
// and get it as a page in a sandbox.
func (s *Service) send(w http.ResponseWriter, r *http.Request, name string) error {
	f, err := s.artifacts.Open(r.Context(), name)
	if err != nil {
		return artifactError(err, name)
	}
	defer f.Close()
	info, err := f.Stat()
	if err != nil {
		return err
	}
	h := w.Header()
	h.Set("Content-Type", contentType(name))
	if r.URL.Query().Get("view") == "sandbox" && strings.HasPrefix(h.Get("Content-Type"), "text/html") {
		h.Set("Content-Disposition", "inline")
		h.Set("Content-Security-Policy", sandboxed)
	} else {
		h.Set("Content-Disposition", "attachment; filename*=UTF-8''"+url.PathEscape(path.Base(name)))
		h.Set("Content-Security-Policy", noScript)
	}
	h.Set("X-Content-Type-Options", "nosniff")
	// A file is replaced, never changed: its time and size tell its content.
	etag := fmt.Sprintf("%x-%x", info.ModTime().UnixNano(), info.Size())
	if sum, ok := info.(interface{ Checksum() string }); ok {
		etag = sum.Checksum()
	}
	h.Set("ETag", strconv.Quote(etag))
	http.ServeContent(w, r, "", info.ModTime().Truncate(time.Second), f)
	return nil
}

// contentType goes by the name. Text formats of ML projects, which the
// system's tables do not know, are text.
func contentType(name string) string {
	ext := strings.ToLower(path.Ext(name))
	switch ext {
	case "", ".log", ".txt", ".md", ".yml", ".yaml", ".toml", ".cfg", ".conf", ".ini", ".py", ".sql", ".r", ".jl":
		if ext != "" || path.Base(name) == "MLmodel" || path.Base(name) == "MLproject" {
			return "text/plain; charset=utf-8"
		}
	}
	if t := mime.TypeByExtension(ext); t != "" {
		return t
	}
	return "application/octet-stream"
}

// listProxied answers GET /mlflow-artifacts/artifacts?path=: names, not paths.
func (s *Service) listProxied(w http.ResponseWriter, r *http.Request) error {
	name := r.URL.Query().Get("path")
	entries, err := s.artifacts.List(r.Context(), name)
	if err != nil {
		return artifactError(err, name)
	}
	return rest.WriteJSON(w, r, listArtifactsResponse{Files: fileInfos(entries, "")})
}

// fileInfos shows entries by name, below dir.
func fileInfos(entries []artifact.Info, dir string) []FileInfo {
	var out []FileInfo
	for _, e := range entries {
		f := FileInfo{Path: path.Join(dir, path.Base(e.Path)), IsDir: e.IsDir}
		if !e.IsDir {
			f.FileSize = &e.Size
		}
		out = append(out, f)
	}
	return out
}

// listArtifacts answers artifacts/list: what a run holds below a path.
func (s *Service) listArtifacts(w http.ResponseWriter, r *http.Request) error {
	var in struct {
		RunID   string `json:"run_id" mlflow:"required"`
		RunUUID string `json:"run_uuid"`
		Path    string `json:"path"`
	}
	if err := rest.Decode(w, r, &in); err != nil {
		return err
	}
	location, err := s.RunLocation(r.Context(), in.RunID)
	if err != nil {
		return err
	}
	return s.answerList(w, r, location, in.Path)
}

func (s *Service) answerList(w http.ResponseWriter, r *http.Request, location, dir string) error {
	name, err := s.below(location, dir)
	if err != nil {
		return err
	}
	entries, err := s.artifacts.List(r.Context(), name)
	if err != nil {
		return artifactError(err, dir)
	}
	return rest.WriteJSON(w, r, listArtifactsResponse{RootURI: location, Files: fileInfos(entries, dir)})
}

// getArtifact answers /get-artifact: one file of a run.
func (s *Service) getArtifact(w http.ResponseWriter, r *http.Request) error {
	query := r.URL.Query()
	runID := query.Get("run_id")
	if runID == "" {
		runID = query.Get("run_uuid")
	}
	if runID == "" {
		return rest.MissingParameter("run_id")
	}
	if query.Get("path") == "" {
		return rest.MissingParameter("path")
	}
	location, err := s.RunLocation(r.Context(), runID)
	if err != nil {
		return err
	}
	return s.sendFrom(w, r, location, query.Get("path"))
}

func (s *Service) sendFrom(w http.ResponseWriter, r *http.Request, location, name string) error {
	full, err := s.below(location, name)
	if err != nil {
		return err
	}
	return s.send(w, r, full)
}

// uploadArtifact answers the browser's upload of one small file to a run.
func (s *Service) uploadArtifact(w http.ResponseWriter, r *http.Request) error {
	const most = 10 << 20
	query := r.URL.Query()
	switch {
	case query.Get("run_uuid") == "":
		return rest.Invalid("Request must specify run_uuid.")
	case query.Get("path") == "":
		return rest.Invalid("Request must specify path.")
	case r.ContentLength > most:
		return rest.Invalid("Artifact size is too large. Max size is 10MB.")
	case r.ContentLength == 0:
		return rest.Invalid("Request must specify data.")
	}
	location, err := s.RunLocation(r.Context(), query.Get("run_uuid"))
	if err != nil {
		return err
	}
	name, err := s.below(location, query.Get("path"))
	if err != nil {
		return err
	}
	if _, err := s.artifacts.Put(r.Context(), name, http.MaxBytesReader(w, r.Body, most)); err != nil {
		return artifactError(err, name)
	}
	return rest.WriteJSON(w, r, empty{})
}

// SendArtifact answers with one file below an artifact address.
func (s *Service) SendArtifact(w http.ResponseWriter, r *http.Request, location, name string) error {
	return s.sendFrom(w, r, location, name)
}

// ArtifactPath is where the artifact store keeps a file below an artifact address.
func (s *Service) ArtifactPath(location, name string) (string, error) { return s.below(location, name) }

// DeleteArtifacts deletes all below an artifact address.
func (s *Service) DeleteArtifacts(ctx context.Context, location string) error {
	name, err := s.below(location, "")
	if err != nil {
		return err
	}
	return artifactError(s.artifacts.Delete(ctx, name), name)
}

// below is the path in the artifact store of a relative path below an artifact
// address. Both are checked: the second may not climb out of the first.
func (s *Service) below(location, relative string) (string, error) {
	root, err := storePath(location)
	if err != nil {
		return "", err
	}
	if root, err = artifact.Clean(root); err != nil {
		return "", artifactError(err, root)
	}
	clean, err := artifact.Clean(relative)
	if err != nil {
		return "", artifactError(err, relative)
	}
	// The two are checked apart, then joined without being decoded again.
	return path.Join(root, clean), nil
}

// storePath is the store's path of an address that this server serves:
// mlflow-artifacts:/x, mlflow-artifacts://host/x, or the address of the proxy.
func storePath(location string) (string, error) {
	u, err := url.Parse(location)
	if err == nil {
		switch u.Scheme {
		case "mlflow-artifacts":
			return strings.TrimPrefix(u.Path, "/"), nil
		case "http", "https":
			if _, rest, ok := strings.Cut(u.Path, "/api/2.0/mlflow-artifacts/artifacts/"); ok {
				return rest, nil
			}
		}
	}
	return "", rest.Errorf(rest.NotImplemented, "Artifacts at '%s' are not kept by this server: read them from there directly.", location)
}
