package databricks

import (
	"net/http"
	"path"
	"strings"

	"github.com/millpond/millpond/internal/artifact"
	"github.com/millpond/millpond/internal/rest"
)

func (s *Service) download(w http.ResponseWriter, r *http.Request) error {
	t, err := s.resolve(r.Context(), r.PathValue("path"))
	if err != nil {
		return err
	}
	err = s.tracking.SendArtifact(w, r, t.location, t.name)
	if rest.IsCode(err, rest.ResourceDoesNotExist) {
		return fileError(artifact.ErrNotExist, t.path)
	}
	return err
}

// upload takes a file whole.
func (s *Service) upload(w http.ResponseWriter, r *http.Request) error {
	t, err := s.writable(r.Context(), r.PathValue("path"))
	if err != nil {
		return err
	}
	if t.name == "" {
		return rest.Invalid("The path %s names no file.", t.path)
	}
	if err := s.free(r, t); err != nil {
		return err
	}
	if _, err := s.files.Put(r.Context(), t.store, r.Body); err != nil {
		return fileError(err, t.path)
	}
	w.WriteHeader(http.StatusNoContent)
	return nil
}

// free refuses to replace a file unless the client asks to overwrite it.
func (s *Service) free(r *http.Request, t *target) error {
	if r.URL.Query().Get("overwrite") == "true" {
		return nil
	}
	f, err := s.files.Open(r.Context(), t.store)
	if err != nil {
		return nil // what is wrong, the upload tells
	}
	_ = f.Close() // nothing was read
	return &rest.Error{Code: "ALREADY_EXISTS", HTTP: http.StatusConflict, Message: "The file " + t.path + " exists already: send overwrite=true to replace it."}
}

func (s *Service) deleteFile(w http.ResponseWriter, r *http.Request) error {
	t, err := s.writable(r.Context(), r.PathValue("path"))
	if err != nil {
		return err
	}
	f, err := s.files.Open(r.Context(), t.store)
	if err != nil {
		return fileError(err, t.path)
	}
	_ = f.Close() // it was opened only to see that it is a file
	if err := s.files.Delete(r.Context(), t.store); err != nil {
		return fileError(err, t.path)
	}
	w.WriteHeader(http.StatusNoContent)
	return nil
}

// marker keeps a directory that holds nothing else; it is never shown.
const marker = ".millpond-directory"

type directoryEntry struct {
	Path        string `json:"path"`
	IsDirectory bool   `json:"is_directory"`
	FileSize    *int64 `json:"file_size,omitempty"`
	Name        string `json:"name"`
}

// listDirectory lists a directory; asked by HEAD it tells whether there is one.
func (s *Service) listDirectory(w http.ResponseWriter, r *http.Request) error {
	t, err := s.resolve(r.Context(), r.PathValue("path"))
	if err != nil {
		return err
	}
	entries, err := s.files.List(r.Context(), t.store)
	if err != nil {
		return fileError(err, t.path)
	}
	if len(entries) == 0 && t.name != "" {
		return fileError(artifact.ErrNotExist, t.path)
	}
	out := struct {
		Contents []directoryEntry `json:"contents"`
	}{[]directoryEntry{}}
	for _, e := range entries {
		name := path.Base(e.Path)
		if name == marker {
			continue
		}
		entry := directoryEntry{Path: path.Join(t.path, name), IsDirectory: e.IsDir, Name: name}
		if !e.IsDir {
			entry.FileSize = &e.Size
		}
		out.Contents = append(out.Contents, entry)
	}
	return rest.WriteJSON(w, r, out)
}

func (s *Service) createDirectory(w http.ResponseWriter, r *http.Request) error {
	t, err := s.writable(r.Context(), r.PathValue("path"))
	if err != nil {
		return err
	}
	if _, err := s.files.Put(r.Context(), path.Join(t.store, marker), strings.NewReader("")); err != nil {
		return fileError(err, t.path)
	}
	w.WriteHeader(http.StatusNoContent)
	return nil
}

// deleteDirectory deletes a directory that is empty.
func (s *Service) deleteDirectory(w http.ResponseWriter, r *http.Request) error {
	t, err := s.writable(r.Context(), r.PathValue("path"))
	if err != nil {
		return err
	}
	entries, err := s.files.List(r.Context(), t.store)
	if err != nil {
		return fileError(err, t.path)
	}
	for _, e := range entries {
		if path.Base(e.Path) != marker {
			return &rest.Error{Code: "DIRECTORY_NOT_EMPTY", HTTP: http.StatusBadRequest, Message: "The directory " + t.path + " is not empty."}
		}
	}
	if len(entries) == 0 {
		return fileError(artifact.ErrNotExist, t.path)
	}
	if err := s.files.Delete(r.Context(), t.store); err != nil {
		return fileError(err, t.path)
	}
	w.WriteHeader(http.StatusNoContent)
	return nil
}
