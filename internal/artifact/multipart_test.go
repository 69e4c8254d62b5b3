package artifact

import (
	"crypto/md5"
	"encoding/hex"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

func etag(content string) string {
	sum := md5.Sum([]byte(content))
	return hex.EncodeToString(sum[:])
}

func TestUploadInParts(t *testing.T) {
	s, dir := open(t)
	put(t, s, "a/f", "old")
	id, err := s.CreateUpload(t.Context(), "a/f")
	if err != nil {
		t.Fatal(err)
	}
	for n, content := range map[int]string{2: "two", 1: "mistake"} {
		if p, err := s.PutPart(t.Context(), id, n, strings.NewReader(content)); err != nil || p.ETag != etag(content) {
			t.Fatalf("part %d: %+v, %v", n, p, err)
		}
	}
	if got := get(t, s, "a/f"); got != "old" {
		t.Errorf("half an upload shows: %q", got)
	}
	// The process ends, and the client goes on.
	s.Close()
	if s, err = Open(dir); err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	if parts, err := s.Parts(t.Context(), id); err != nil || len(parts) != 2 || parts[1] != (Part{2, etag("two"), 3}) {
		t.Errorf("after a restart: %+v, %v", parts, err)
	}
	if _, err := s.PutPart(t.Context(), id, 1, strings.NewReader("one")); err != nil {
		t.Fatal(err)
	}
	whole := []Part{{Number: 1, ETag: `"` + etag("one") + `"`}, {Number: 2, ETag: etag("two")}}
	for why, parts := range map[string][]Part{"none": nil, "fewer": whole[:1], "disorder": {whole[1], whole[0]},
		"replaced": {{Number: 1, ETag: etag("mistake")}, whole[1]}, "climbs": {{Number: 1, ETag: "../../x"}, whole[1]}} {
		if _, err := s.CompleteUpload(t.Context(), id, "a/f", parts); !errors.Is(err, ErrBadPart) {
			t.Errorf("%s: %v", why, err)
		}
	}
	if _, err := s.CompleteUpload(t.Context(), id, "a/other", whole); !errors.Is(err, ErrInvalidPath) {
		t.Errorf("another file: %v", err)
	}
	if n, err := s.CompleteUpload(t.Context(), id, "a/f", whole); err != nil || n != 6 {
		t.Fatalf("%d, %v", n, err)
	}
	if got := get(t, s, "a/f"); got != "onetwo" {
		t.Errorf("got %q", got)
	}
	if _, err := s.CompleteUpload(t.Context(), id, "a/f", whole); !errors.Is(err, ErrNoUpload) {
		t.Errorf("twice: %v", err)
	}
}

func TestUploadsThatAreNone(t *testing.T) {
	s, dir := open(t)
	for _, id := range []string{"", ".", "..", "../artifacts", "x", "00000000-0000-0000-0000-000000000000", "{00000000-0000-0000-0000-000000000000}"} {
		if _, err := s.PutPart(t.Context(), id, 1, strings.NewReader("x")); !errors.Is(err, ErrNoUpload) {
			t.Errorf("%q: %v", id, err)
		}
	}
	for _, name := range []string{"", "../x", "/x", "a/../../x", ".uploads/x"} {
		if _, err := s.CreateUpload(t.Context(), name); !errors.Is(err, ErrInvalidPath) {
			t.Errorf("%q: %v", name, err)
		}
	}
	id, err := s.CreateUpload(t.Context(), "f")
	if err != nil {
		t.Fatal(err)
	}
	for _, n := range []int{-1, 0, MaxParts + 1} {
		if _, err := s.PutPart(t.Context(), id, n, strings.NewReader("x")); !errors.Is(err, ErrBadPart) {
			t.Errorf("part %d: %v", n, err)
		}
	}
	if err := s.AbortUpload(t.Context(), id, "f"); err != nil {
		t.Error(err)
	}
	if left, err := os.ReadDir(filepath.Join(dir, uploads)); err != nil || len(left) != 0 {
		t.Errorf("an aborted upload left %v, %v", left, err)
	}
	// One that its client has forgotten goes at the next start.
	if id, err = s.CreateUpload(t.Context(), "f"); err != nil {
		t.Fatal(err)
	}
	if err := s.backend.(*local).clearUploads(time.Now().Add(uploadAge + time.Hour)); err != nil {
		t.Error(err)
	}
	if _, err := s.Parts(t.Context(), id); !errors.Is(err, ErrNoUpload) {
		t.Errorf("a forgotten upload: %v", err)
	}
}

func TestPutChecked(t *testing.T) {
	s, _ := open(t)
	sum := md5.Sum([]byte("good"))
	if _, err := s.PutChecked(t.Context(), "f", strings.NewReader("good"), sum[:]); err != nil {
		t.Error(err)
	}
	if _, err := s.PutChecked(t.Context(), "f", strings.NewReader("goof"), sum[:]); !errors.Is(err, ErrChecksum) {
		t.Errorf("got %v", err)
	}
	if got := get(t, s, "f"); got != "good" {
		t.Errorf("a damaged upload replaced the file: %q", got)
	}
}

func TestPruneAndSize(t *testing.T) {
	s, _ := open(t)
	put(t, s, "a/b/c/f", "12345")
	put(t, s, "a/g", "1")
	if n, err := s.Size(t.Context(), "a"); err != nil || n != 6 {
		t.Errorf("size %d, %v", n, err)
	}
	if n, err := s.Size(t.Context(), "absent"); err != nil || n != 0 {
		t.Errorf("size of nothing: %d, %v", n, err)
	}
	if err := s.Delete(t.Context(), "a/b/c/f"); err != nil {
		t.Fatal(err)
	}
	if err := s.Prune(t.Context(), "a/b/c"); err != nil {
		t.Error(err)
	}
	if list, err := s.List(t.Context(), "a"); err != nil || len(list) != 1 || list[0].Path != "a/g" {
		t.Errorf("%v, %v", list, err)
	}
}
