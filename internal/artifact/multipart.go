package artifact

import (
	"bytes"
	"context"
	"crypto/md5" //nolint:gosec // a checksum of what was sent, as S3 has it, and no defence
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/google/uuid"
)

// Errors of uploads in parts.
var (
	ErrNoUpload = errors.New("no such upload")
	ErrBadPart  = errors.New("invalid part")
)

const (
	// MaxParts is the most parts an upload may have.
	MaxParts = 10_000
	// uploadAge is how long an unfinished upload is kept for its client to go on.
	uploadAge  = 7 * 24 * time.Hour
	targetFile = "target"
)

// Part is one uploaded part, known by its number, from 1, and its checksum.
type Part struct {
	Number int
	ETag   string // MD5, in hexadecimal
	Size   int64
}

// An upload in parts is a directory below uploads: the file target names where
// it goes, and each part is a file <number>-<checksum>. So it outlives the
// process, and a client can go on after either of them was stopped.

// CreateUpload begins an upload in parts to a path and returns its id, which
// nobody can guess.
func (s *local) CreateUpload(_ context.Context, name string) (string, error) {
	p, err := Clean(name)
	if err != nil {
		return "", err
	}
	if p == "" {
		return "", fmt.Errorf("%w: names no file", ErrInvalidPath)
	}
	id := uuid.NewString()
	dir := path.Join(uploads, id)
	if err := s.root.Mkdir(dir, 0o755); err != nil {
		return "", fmt.Errorf("begin upload of %s: %w", p, err)
	}
	if err := s.root.WriteFile(path.Join(dir, targetFile), []byte(p), 0o644); err != nil {
		return "", fmt.Errorf("begin upload of %s: %w", p, err)
	}
	return id, nil
}

// uploadDir finds an upload's directory and where it goes.
func (s *local) uploadDir(id string) (dir, target string, err error) {
	if uuid.Validate(id) != nil || len(id) != 36 {
		return "", "", ErrNoUpload
	}
	dir = path.Join(uploads, id)
	text, err := s.root.ReadFile(path.Join(dir, targetFile))
	if errors.Is(err, fs.ErrNotExist) || isNotDir(err) {
		return "", "", ErrNoUpload
	}
	return dir, string(text), err
}

// PutPart stores one part, replacing it if it is there, and returns its
// checksum.
func (s *local) PutPart(ctx context.Context, id string, number int, r io.Reader) (Part, error) {
	if number < 1 || number > MaxParts {
		return Part{}, fmt.Errorf("%w: number %d", ErrBadPart, number)
	}
	dir, target, err := s.uploadDir(id)
	if err != nil {
		return Part{}, err
	}
	sum := md5.New() //nolint:gosec // see above
	temp := path.Join(dir, "new-"+uuid.NewString())
	n, err := s.write(ctx, temp, io.TeeReader(r, sum))
	part := Part{number, hex.EncodeToString(sum.Sum(nil)), n}
	if err == nil {
		err = s.replacePart(dir, temp, part)
	}
	if err != nil {
		_ = s.root.Remove(temp) // if it is still there
		return part, fmt.Errorf("store part %d of %s: %w", number, target, err)
	}
	return part, nil
}

func (s *local) replacePart(dir, temp string, part Part) error {
	old, err := s.partsIn(dir)
	if err != nil {
		return err
	}
	if err := s.root.Rename(temp, path.Join(dir, part.file())); err != nil {
		return err
	}
	for _, o := range old {
		if o.Number == part.Number && o.ETag != part.ETag {
			if err := s.root.Remove(path.Join(dir, o.file())); err != nil && !errors.Is(err, fs.ErrNotExist) {
				return err
			}
		}
	}
	return nil
}

func (p Part) file() string { return strconv.Itoa(p.Number) + "-" + p.ETag }

// Parts lists the parts of an upload that are there, by number.
func (s *local) Parts(_ context.Context, id string) ([]Part, error) {
	dir, _, err := s.uploadDir(id)
	if err != nil {
		return nil, err
	}
	return s.partsIn(dir)
}

func (s *local) partsIn(dir string) ([]Part, error) {
	f, err := s.root.Open(dir)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	entries, err := f.ReadDir(-1)
	if err != nil {
		return nil, err
	}
	var out []Part
	for _, e := range entries {
		number, etag, ok := strings.Cut(e.Name(), "-")
		n, err := strconv.Atoi(number)
		if !ok || err != nil {
			continue
		}
		if info, err := e.Info(); err == nil {
			out = append(out, Part{n, etag, info.Size()})
		}
	}
	slices.SortFunc(out, func(a, b Part) int { return a.Number - b.Number })
	return out, nil
}

// CompleteUpload joins the parts, which the caller names in order with their
// checksums, into the file and ends the upload. name must be the upload's.
func (s *local) CompleteUpload(ctx context.Context, id, name string, parts []Part) (int64, error) {
	dir, target, err := s.uploadDir(id)
	if err != nil {
		return 0, err
	}
	if p, err := Clean(name); err != nil || p != target {
		return 0, fmt.Errorf("%w: the upload is of another file", ErrInvalidPath)
	}
	have, err := s.partsIn(dir)
	if err != nil {
		return 0, err
	}
	for i, p := range parts {
		etag := strings.Trim(p.ETag, `"`)
		if p.Number != i+1 {
			return 0, fmt.Errorf("%w: part %d is number %d", ErrBadPart, i+1, p.Number)
		}
		if !slices.ContainsFunc(have, func(h Part) bool { return h.Number == p.Number && h.ETag == etag }) {
			return 0, fmt.Errorf("%w: part %d with the checksum %q was not uploaded", ErrBadPart, p.Number, etag)
		}
	}
	if len(parts) == 0 || len(parts) < len(have) {
		return 0, fmt.Errorf("%w: %d are named, but %d were uploaded", ErrBadPart, len(parts), len(have))
	}
	temp := path.Join(dir, "whole-"+uuid.NewString())
	n, err := s.join(ctx, temp, dir, parts)
	if err == nil {
		err = s.publish(temp, target)
	}
	if err != nil {
		_ = s.root.Remove(temp) // if it is still there
		return n, fmt.Errorf("join the parts of %s: %w", target, err)
	}
	return n, s.root.RemoveAll(dir)
}

// join copies file to file, which the system does by itself where it can.
func (s *local) join(ctx context.Context, to, dir string, parts []Part) (sum int64, err error) {
	f, err := s.root.OpenFile(to, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o644)
	if err != nil {
		return 0, err
	}
	defer func() { err = errors.Join(err, f.Close()) }()
	for _, p := range parts {
		if err := ctx.Err(); err != nil {
			return sum, err
		}
		p.ETag = strings.Trim(p.ETag, `"`)
		in, err := s.root.Open(path.Join(dir, p.file()))
		if err != nil {
			return sum, err
		}
		n, err := io.Copy(f, in)
		sum += n
		if err = errors.Join(err, in.Close()); err != nil {
			return sum, err
		}
	}
	return sum, f.Sync()
}

// AbortUpload forgets an upload and its parts.
func (s *local) AbortUpload(_ context.Context, id, name string) error {
	dir, target, err := s.uploadDir(id)
	if err != nil {
		return err
	}
	if p, err := Clean(name); err != nil || p != target {
		return fmt.Errorf("%w: the upload is of another file", ErrInvalidPath)
	}
	return s.root.RemoveAll(dir)
}

// clearUploads removes what was being written when the last process ended, but
// for uploads in parts that their clients may still go on with.
func (s *local) clearUploads(now time.Time) error {
	f, err := s.root.Open(uploads)
	if err != nil {
		return err
	}
	defer f.Close()
	entries, err := f.ReadDir(-1)
	if err != nil {
		return err
	}
	for _, e := range entries {
		info, err := e.Info()
		if err != nil {
			return err
		}
		if e.IsDir() && now.Sub(info.ModTime()) < uploadAge {
			continue
		}
		if err := s.root.RemoveAll(path.Join(uploads, e.Name())); err != nil {
			return err
		}
	}
	return nil
}

// TakesParts reports whether the store takes uploads in parts.
func (s *local) TakesParts() bool { return true }

// PutChecked is Put, which keeps the file only if its MD5 is the one given.
func (s *Store) PutChecked(ctx context.Context, name string, r io.Reader, want []byte) (int64, error) {
	sum := md5.New() //nolint:gosec // see above
	return s.Put(ctx, name, &checkedReader{r: io.TeeReader(r, sum), done: func() error {
		if got := sum.Sum(nil); !bytes.Equal(got, want) {
			return fmt.Errorf("%w: its MD5 is %x, not %x", ErrChecksum, got, want)
		}
		return nil
	}})
}

// ErrChecksum says that what came is not what was sent.
var ErrChecksum = errors.New("wrong checksum")

// checkedReader ends with an error instead of EOF if done finds one.
type checkedReader struct {
	r    io.Reader
	done func() error
}

func (c *checkedReader) Read(p []byte) (int, error) {
	n, err := c.r.Read(p)
	if errors.Is(err, io.EOF) {
		if bad := c.done(); bad != nil {
			return n, bad
		}
	}
	return n, err
}
