package artifact

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func open(t *testing.T) (*Store, string) {
	t.Helper()
	dir := filepath.Join(t.TempDir(), "root")
	s, err := Open(dir)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { s.Close() })
	return s, dir
}

func put(t *testing.T, s *Store, name, content string) {
	t.Helper()
	if _, err := s.Put(t.Context(), name, strings.NewReader(content)); err != nil {
		t.Fatalf("put %s: %v", name, err)
	}
}

func get(t *testing.T, s *Store, name string) string {
	t.Helper()
	f, err := s.Open(t.Context(), name)
	if err != nil {
		t.Fatalf("open %s: %v", name, err)
	}
	defer f.Close()
	b, err := io.ReadAll(f)
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}

func TestPutOpenListDelete(t *testing.T) {
	s, _ := open(t)
	put(t, s, "a/b/c.txt", "one")
	put(t, s, "a/b/c.txt", "two")
	put(t, s, "a/ü +&%.txt", "odd")
	put(t, s, "top", "")
	if got := get(t, s, "a/b/c.txt"); got != "two" {
		t.Errorf("content %q after overwriting", got)
	}
	for dir, want := range map[string][]Info{
		"":          {{Path: "a", IsDir: true}, {Path: "top"}},
		"a":         {{Path: "a/b", IsDir: true}, {Path: "a/ü +&%.txt", Size: 3}},
		"a/b/":      {{Path: "a/b/c.txt", Size: 3}},
		"a/b/c.txt": nil,
		"no/where":  nil,
		"top/x":     nil,
	} {
		got, err := s.List(t.Context(), dir)
		if err != nil {
			t.Errorf("list %q: %v", dir, err)
		}
		if d := cmp.Diff(want, got); d != "" {
			t.Errorf("list %q: %s", dir, d)
		}
	}
	if _, err := s.Open(t.Context(), "a"); !errors.Is(err, ErrIsDir) {
		t.Errorf("opening a directory: %v", err)
	}
	if _, err := s.Open(t.Context(), "none"); !errors.Is(err, ErrNotExist) {
		t.Errorf("opening nothing: %v", err)
	}
	if _, err := s.Put(t.Context(), "a/b", strings.NewReader("x")); !errors.Is(err, ErrIsDir) {
		t.Errorf("putting over a directory: %v", err)
	}
	for _, p := range []string{"a", "a", "top"} {
		if err := s.Delete(t.Context(), p); err != nil {
			t.Errorf("delete %s: %v", p, err)
		}
	}
	if got, _ := s.List(t.Context(), ""); got != nil {
		t.Errorf("left after deleting: %v", got)
	}
}

func TestFailedPutChangesNothing(t *testing.T) {
	s, dir := open(t)
	put(t, s, "f", "before")
	broken := io.MultiReader(strings.NewReader("half"), iotest{})
	if _, err := s.Put(t.Context(), "f", broken); err == nil {
		t.Fatal("no error from a broken stream")
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := s.Put(ctx, "f", strings.NewReader("x")); !errors.Is(err, context.Canceled) {
		t.Fatalf("put of a cancelled request: %v", err)
	}
	if got := get(t, s, "f"); got != "before" {
		t.Errorf("content %q", got)
	}
	left, err := os.ReadDir(filepath.Join(dir, uploads))
	if err != nil || len(left) != 0 {
		t.Errorf("left in uploads: %v, %v", left, err)
	}
}

type iotest struct{}

func (iotest) Read([]byte) (int, error) { return 0, errors.New("stream broke") }

func TestReopenClearsUploads(t *testing.T) {
	s, dir := open(t)
	put(t, s, "kept", "x")
	if err := os.WriteFile(filepath.Join(dir, uploads, "half"), []byte("x"), 0o644); err != nil {
		t.Fatal(err)
	}
	again, err := Open(dir)
	if err != nil {
		t.Fatal(err)
	}
	defer again.Close()
	if left, _ := os.ReadDir(filepath.Join(dir, uploads)); len(left) != 0 {
		t.Errorf("unfinished uploads survived: %v", left)
	}
	if got := get(t, again, "kept"); got != "x" {
		t.Errorf("content %q", got)
	}
}

var hostile = []string{
	"../x", "a/../../x", "/etc/passwd", "..%2fx", "%2e%2e/x", "%252e%252e/x", "..%252fx", "a\\..\\x", "C:/x", "c:x",
	"a\x00b", "a%00b", "a#b", "a%23b", "file:///etc/passwd", "FILE:x", ".uploads/x", ".UPLOADS", "./.uploads/x", "a\nb", "\xff", "%2fetc/passwd",
}

func TestHostilePaths(t *testing.T) {
	s, _ := open(t)
	for _, p := range hostile {
		if _, err := Clean(p); !errors.Is(err, ErrInvalidPath) {
			t.Errorf("Clean(%q): %v", p, err)
		}
		if _, err := s.Put(t.Context(), p, strings.NewReader("x")); err == nil {
			t.Errorf("Put(%q) was accepted", p)
		}
		if _, err := s.Open(t.Context(), p); err == nil {
			t.Errorf("Open(%q) was accepted", p)
		}
		if err := s.Delete(t.Context(), p); err == nil {
			t.Errorf("Delete(%q) was accepted", p)
		}
	}
	for _, p := range []string{"", ".", "a/"} {
		if _, err := s.Put(t.Context(), p, strings.NewReader("x")); err == nil {
			t.Errorf("Put(%q) was accepted", p)
		}
	}
	if err := s.Delete(t.Context(), "."); err == nil {
		t.Error("the root was deleted")
	}
}

func TestLinksDoNotLeadOut(t *testing.T) {
	s, dir := open(t)
	outside := filepath.Join(filepath.Dir(dir), "secret")
	if err := os.WriteFile(outside, []byte("secret"), 0o644); err != nil {
		t.Fatal(err)
	}
	for name, to := range map[string]string{"abs": outside, "rel": "../secret", "up": ".."} {
		if err := os.Symlink(to, filepath.Join(dir, name)); err != nil {
			t.Fatal(err)
		}
	}
	for _, p := range []string{"abs", "rel", "up/secret"} {
		if _, err := s.Open(t.Context(), p); !errors.Is(err, ErrInvalidPath) {
			t.Errorf("read %s through a link: %v", p, err)
		}
	}
	if _, err := s.Put(t.Context(), "up/evil", strings.NewReader("x")); !errors.Is(err, ErrInvalidPath) {
		t.Errorf("wrote through a link: %v", err)
	}
	if got, err := s.List(t.Context(), ""); err != nil || len(got) != 0 {
		t.Errorf("links that lead out are listed: %v, %v", got, err)
	}
	if err := s.Delete(t.Context(), "up"); err != nil {
		t.Error(err)
	}
	if _, err := os.Stat(outside); err != nil {
		t.Error("deleting a link deleted what it points to")
	}
}

func TestConcurrentPuts(t *testing.T) {
	s, _ := open(t)
	var wg sync.WaitGroup
	for i := range 60 {
		wg.Go(func() {
			if _, err := s.Put(t.Context(), fmt.Sprintf("d/%d/f", i%20), strings.NewReader(strings.Repeat("x", 1000))); err != nil {
				t.Error(err)
			}
		})
	}
	wg.Wait()
	for i := range 20 {
		if got := get(t, s, fmt.Sprintf("d/%d/f", i)); len(got) != 1000 {
			t.Errorf("file %d has %d bytes", i, len(got))
		}
	}
}

func FuzzClean(f *testing.F) {
	for _, p := range append(hostile, "a/b", "100%.txt", "a//b/./c", "ü") {
		f.Add(p)
	}
	f.Fuzz(func(t *testing.T, p string) {
		c, err := Clean(p)
		if err != nil {
			return
		}
		if c != "" && !filepath.IsLocal(c) {
			t.Fatalf("Clean(%q) = %q, which is not local", p, c)
		}
		if again, err := Clean(c); err != nil || again != c {
			t.Fatalf("Clean(%q) = %q, then %q (%v)", p, c, again, err)
		}
	})
}
