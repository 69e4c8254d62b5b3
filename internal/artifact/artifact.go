// Package artifact keeps files under one root, a directory or a prefix of an
// S3-compatible bucket.
//
// In come slash-separated paths and streams; out come files and listings. A
// path never leads out of the root, whatever it says and whatever symbolic
// links lie below: the operating system is asked relative to the open root
// ([os.Root]), after [Clean] has refused what is malformed. A file appears
// under its name only when it is whole and on disk; readers see the old or the
// new content, never a mixture. The package knows nothing of runs or models.
package artifact

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net/url"
	"os"
	"path"
	"slices"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/google/uuid"
)

// Errors that callers tell apart.
var (
	ErrInvalidPath = errors.New("invalid path")
	ErrNotExist    = fs.ErrNotExist
	ErrIsDir       = errors.New("path is a directory")
)

// uploads is where files lie while they are being written. No artifact path
// can name it.
const uploads = ".uploads"

// Store is a root of artifacts.
type Store struct{ backend }

// backend is what keeps the files.
type backend interface {
	Put(ctx context.Context, name string, r io.Reader) (int64, error)
	Open(ctx context.Context, name string) (File, error)
	List(ctx context.Context, name string) ([]Info, error)
	Delete(ctx context.Context, name string) error
	Size(ctx context.Context, name string) (int64, error)
	Prune(ctx context.Context, name string) error
	CreateUpload(ctx context.Context, name string) (string, error)
	PutPart(ctx context.Context, id string, number int, r io.Reader) (Part, error)
	Parts(ctx context.Context, id string) ([]Part, error)
	CompleteUpload(ctx context.Context, id, name string, parts []Part) (int64, error)
	AbortUpload(ctx context.Context, id, name string) error
	TakesParts() bool
	Close() error
}

// local is a root directory.
type local struct {
	root *os.Root
	dir  string
}

// Info describes one artifact. Path is relative to the root.
type Info struct {
	Path  string
	IsDir bool
	Size  int64
}

// File is an open artifact.
type File interface {
	io.ReadSeekCloser
	Stat() (fs.FileInfo, error)
}

// Open opens the store at dir, creating it if there is none, for the one
// process that serves it.
func Open(dir string) (*Store, error) {
	s, err := openLocal(dir)
	if err != nil {
		return nil, err
	}
	if err := s.clearUploads(time.Now()); err != nil {
		s.root.Close()
		return nil, fmt.Errorf("clear unfinished uploads: %w", err)
	}
	return &Store{s}, nil
}

// Share opens the store at dir beside a process that may be serving it.
func Share(dir string) (*Store, error) {
	s, err := openLocal(dir)
	if err != nil {
		return nil, err
	}
	return &Store{s}, nil
}

func openLocal(dir string) (*local, error) {
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return nil, fmt.Errorf("create artifact root: %w", err)
	}
	root, err := os.OpenRoot(dir)
	if err != nil {
		return nil, fmt.Errorf("open artifact root: %w", err)
	}
	if err := root.MkdirAll(uploads, 0o755); err != nil {
		root.Close()
		return nil, fmt.Errorf("prepare uploads: %w", err)
	}
	return &local{root: root, dir: dir}, nil
}

// Close closes the root.
func (s *local) Close() error { return s.root.Close() }

// Clean checks a path and returns its canonical form; "" is the root. Refused
// are absolute paths, "..", backslashes, control characters, "#", drive
// letters and file: addresses, also behind one or more percent-encodings: some
// layer may have decoded the path once too seldom.
func Clean(p string) (string, error) {
	if err := checkDecoded(p); err != nil {
		return "", err
	}
	p = path.Clean("/" + p)[1:]
	// Once more: what was dropped from the front may have hidden something.
	if err := checkDecoded(p); err != nil {
		return "", err
	}
	if first, _, _ := strings.Cut(p, "/"); strings.EqualFold(first, uploads) {
		return "", fmt.Errorf("%w: reserved name", ErrInvalidPath)
	}
	if len(p) > 4096 {
		return "", fmt.Errorf("%w: too long", ErrInvalidPath)
	}
	return p, nil
}

// checkDecoded checks the path and everything it decodes to.
func checkDecoded(p string) error {
	for {
		if err := check(p); err != nil {
			return err
		}
		next, err := url.PathUnescape(p)
		if err != nil || next == p {
			return nil
		}
		p = next
	}
}

func check(p string) error {
	bad := func(why string) error { return fmt.Errorf("%w: %s", ErrInvalidPath, why) }
	switch {
	case !utf8.ValidString(p):
		return bad("not UTF-8")
	case strings.HasPrefix(p, "/"):
		return bad("absolute")
	case strings.ContainsFunc(p, func(r rune) bool { return r < 0x20 || r == 0x7f }):
		return bad("control character")
	case strings.ContainsAny(p, `\#`):
		return bad("backslash or #")
	case len(p) >= 2 && p[1] == ':' && (p[0]|0x20) >= 'a' && (p[0]|0x20) <= 'z':
		return bad("drive letter")
	case len(p) >= 5 && strings.EqualFold(p[:5], "file:"):
		return bad("file address")
	case slices.Contains(strings.Split(p, "/"), ".."):
		return bad("..")
	}
	return nil
}

// Put writes everything r gives to the path, replacing a file that is there,
// and returns how much that was. When it returns, the file is on disk; when it
// fails, what was there before is untouched.
func (s *local) Put(ctx context.Context, name string, r io.Reader) (int64, error) {
	p, err := Clean(name)
	if err != nil {
		return 0, err
	}
	if p == "" || strings.HasSuffix(name, "/") {
		return 0, fmt.Errorf("%w: names no file", ErrInvalidPath)
	}
	temp := uploads + "/" + uuid.NewString()
	n, err := s.write(ctx, temp, r)
	if err == nil {
		err = s.publish(temp, p)
	}
	if err != nil {
		_ = s.root.Remove(temp) // if it is still there
		return n, fmt.Errorf("store artifact %s: %w", p, err)
	}
	return n, nil
}

func (s *local) write(ctx context.Context, temp string, r io.Reader) (n int64, err error) {
	f, err := s.root.OpenFile(temp, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o644)
	if err != nil {
		return 0, err
	}
	defer func() { err = errors.Join(err, f.Close()) }()
	if n, err = io.Copy(f, contextReader{ctx, r}); err != nil {
		return n, err
	}
	return n, f.Sync()
}

// publish moves the finished file to its place and flushes the directories
// that now name it.
func (s *local) publish(temp, p string) error {
	dir := path.Dir(p)
	old := dir // the deepest directory that is there already
	for old != "." {
		if _, err := s.root.Stat(old); err == nil {
			break
		}
		old = path.Dir(old)
	}
	if err := s.root.MkdirAll(dir, 0o755); err != nil {
		return escaped(err)
	}
	if info, err := s.root.Lstat(p); err == nil && info.IsDir() {
		return ErrIsDir
	}
	if err := s.root.Rename(temp, p); err != nil {
		return escaped(err)
	}
	for d := dir; ; d = path.Dir(d) {
		if err := s.syncDir(d); err != nil || d == old {
			return err
		}
	}
}

func (s *local) syncDir(d string) error {
	f, err := s.root.Open(d)
	if err != nil {
		return err
	}
	defer f.Close()
	return f.Sync()
}

// Open opens a file for reading.
func (s *local) Open(_ context.Context, name string) (File, error) {
	p, err := Clean(name)
	if err != nil {
		return nil, err
	}
	f, err := s.root.Open(orDot(p))
	if err != nil {
		return nil, escaped(err)
	}
	info, err := f.Stat()
	switch {
	case err == nil && info.IsDir():
		err = ErrIsDir
	case err == nil && !info.Mode().IsRegular():
		err = fmt.Errorf("%w: not a regular file", ErrInvalidPath)
	}
	if err != nil {
		f.Close()
		return nil, err
	}
	return f, nil
}

// List lists a directory, by name. A path that is not there, or is a file, has
// no entries.
func (s *local) List(ctx context.Context, name string) ([]Info, error) {
	p, err := Clean(name)
	if err != nil {
		return nil, err
	}
	f, err := s.root.Open(orDot(p))
	if errors.Is(err, fs.ErrNotExist) || isNotDir(err) {
		return nil, nil
	}
	if err != nil {
		return nil, escaped(err)
	}
	defer f.Close()
	if info, err := f.Stat(); err != nil || !info.IsDir() {
		return nil, err
	}
	entries, err := f.ReadDir(-1)
	if err != nil {
		return nil, fmt.Errorf("list artifacts %s: %w", p, err)
	}
	var out []Info
	for _, e := range entries {
		if p == "" && e.Name() == uploads {
			continue
		}
		info, err := s.root.Stat(path.Join(p, e.Name())) // follows links that stay inside
		if err != nil {
			continue // gone meanwhile, or a link that leads out
		}
		i := Info{Path: path.Join(p, e.Name()), IsDir: info.IsDir()}
		if !i.IsDir {
			i.Size = info.Size()
		}
		out = append(out, i)
	}
	slices.SortFunc(out, func(a, b Info) int { return strings.Compare(a.Path, b.Path) })
	return out, ctx.Err()
}

// Delete removes a file, or a directory with all that is in it. That there is
// nothing to remove is no error. The root itself stays.
func (s *local) Delete(_ context.Context, name string) error {
	p, err := Clean(name)
	if err != nil {
		return err
	}
	if p == "" {
		return fmt.Errorf("%w: names the root", ErrInvalidPath)
	}
	if err := s.root.RemoveAll(p); err != nil && !isNotDir(err) {
		return fmt.Errorf("delete artifact %s: %w", p, escaped(err))
	}
	return nil
}

func orDot(p string) string {
	if p == "" {
		return "."
	}
	return p
}

// contextReader ends a copy when its request does.
type contextReader struct {
	ctx context.Context
	r   io.Reader
}

func (c contextReader) Read(p []byte) (int, error) {
	if err := c.ctx.Err(); err != nil {
		return 0, err
	}
	return c.r.Read(p)
}
