package artifact

import (
	"bytes"
	"crypto/rand"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/johannesboyne/gofakes3"
	"github.com/johannesboyne/gofakes3/backend/s3mem"
)

// s3 is a store in a bucket of an S3-compatible server of the test's own, and
// a count of the bytes it has sent.
func s3(t *testing.T) (*Store, *atomic.Int64) {
	t.Helper()
	backend := s3mem.New()
	if err := backend.CreateBucket("bucket"); err != nil {
		t.Fatal(err)
	}
	var sent atomic.Int64
	fake := gofakes3.New(backend).Server()
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { fake.ServeHTTP(countingWriter{w, &sent}, r) }))
	t.Cleanup(server.Close)
	t.Setenv("AWS_ENDPOINT_URL", server.URL)
	t.Setenv("AWS_ACCESS_KEY_ID", "key")
	t.Setenv("AWS_SECRET_ACCESS_KEY", "secret")
	t.Setenv("AWS_REGION", "us-east-1")
	s, err := OpenS3(t.Context(), "s3://bucket/some/prefix")
	if err != nil {
		t.Fatal(err)
	}
	return s, &sent
}

type countingWriter struct {
	http.ResponseWriter
	n *atomic.Int64
}

func (w countingWriter) Write(p []byte) (int, error) {
	w.n.Add(int64(len(p)))
	return w.ResponseWriter.Write(p)
}

func TestS3PutOpenListDelete(t *testing.T) {
	s, _ := s3(t)
	put(t, s, "a/b/c.txt", "one")
	put(t, s, "a/b/c.txt", "two")
	put(t, s, "a/ü +&%.txt", "odd")
	put(t, s, "top", "")
	if got := get(t, s, "a/b/c.txt"); got != "two" {
		t.Errorf("content %q after overwriting", got)
	}
	for dir, want := range map[string][]Info{"": {{Path: "a", IsDir: true}, {Path: "top"}}, "a": {{Path: "a/b", IsDir: true}, {Path: "a/ü +&%.txt", Size: 3}},
		"a/b": {{Path: "a/b/c.txt", Size: 3}}, "absent": nil, "a/b/c.txt": nil} {
		got, err := s.List(t.Context(), dir)
		if d := cmp.Diff(want, got); d != "" || err != nil {
			t.Errorf("%s: %s %v", dir, d, err)
		}
	}
	if n, err := s.Size(t.Context(), "a"); err != nil || n != 6 {
		t.Errorf("size %d, %v", n, err)
	}
	for name, want := range map[string]error{"a": ErrIsDir, "absent": ErrNotExist, "a/../../x": ErrInvalidPath, "/etc/passwd": ErrInvalidPath, "a%2f..%2f..": ErrInvalidPath} {
		if _, err := s.Open(t.Context(), name); !errors.Is(err, want) {
			t.Errorf("%s: %v, want %v", name, err, want)
		}
		if err := s.Delete(t.Context(), name); errors.Is(want, ErrInvalidPath) && !errors.Is(err, want) {
			t.Errorf("delete %s: %v, want %v", name, err, want)
		}
	}
	if list, err := s.List(t.Context(), ""); err != nil || len(list) != 1 {
		t.Errorf("after deleting a: %v, %v", list, err)
	}
	if err := s.Delete(t.Context(), ""); !errors.Is(err, ErrInvalidPath) {
		t.Errorf("deleted the root: %v", err)
	}
	if _, err := s.CreateUpload(t.Context(), "x"); !errors.Is(err, ErrNoParts) {
		t.Errorf("parts: %v", err)
	}
}

// TestS3ReadsRanges reads the end of a large file without reading the rest.
func TestS3ReadsRanges(t *testing.T) {
	s, sent := s3(t)
	content := make([]byte, 40<<20)
	_, _ = rand.Read(content) // never fails
	if n, err := s.Put(t.Context(), "big", bytes.NewReader(content)); err != nil || n != int64(len(content)) {
		t.Fatalf("%d, %v", n, err)
	}
	f, err := s.Open(t.Context(), "big")
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	before := sent.Load()
	w := httptest.NewRecorder()
	w.Header().Set("Content-Type", "application/octet-stream") // or it would be guessed from the beginning
	r := httptest.NewRequest("GET", "/", nil)
	r.Header.Set("Range", "bytes=41943000-")
	info, err := f.Stat()
	if err != nil {
		t.Fatal(err)
	}
	http.ServeContent(w, r, "", info.ModTime(), f)
	if w.Code != http.StatusPartialContent || !bytes.Equal(w.Body.Bytes(), content[41943000:]) {
		t.Errorf("%d, %d bytes", w.Code, w.Body.Len())
	}
	if n := sent.Load() - before; n > 1<<20 {
		t.Errorf("%d bytes were read for 40", n)
	}
	if _, err := f.Seek(0, io.SeekStart); err != nil {
		t.Fatal(err)
	}
	if whole, err := io.ReadAll(f); err != nil || !bytes.Equal(whole, content) {
		t.Errorf("whole: %d bytes, %v", len(whole), err)
	}
}

func TestS3FailedUploadShowsNothing(t *testing.T) {
	s, _ := s3(t)
	boom := errors.New("boom")
	if _, err := s.Put(t.Context(), "f", io.MultiReader(strings.NewReader(strings.Repeat("x", 20<<20)), failing{boom})); !errors.Is(err, boom) {
		t.Errorf("got %v", err)
	}
	if _, err := s.Open(t.Context(), "f"); !errors.Is(err, ErrNotExist) {
		t.Errorf("half a file is there: %v", err)
	}
}

type failing struct{ err error }

func (f failing) Read([]byte) (int, error) { return 0, f.err }

func TestS3SaysWhatIsWrong(t *testing.T) {
	s3(t)
	for address, want := range map[string]string{"s3://absent/x": "there is no bucket absent", "s3:///x": "write s3://bucket/prefix",
		"gs://b": "write s3://bucket/prefix", "s3://bucket/a/../../c": "invalid path"} {
		if _, err := OpenS3(t.Context(), address); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v", address, err)
		}
	}
	t.Setenv("AWS_ENDPOINT_URL", "http://127.0.0.1:1")
	if _, err := OpenS3(t.Context(), "s3://bucket"); err == nil || !strings.Contains(err.Error(), "cannot reach") || strings.Contains(err.Error(), "secret\"") {
		t.Errorf("got %v", err)
	}
}
